"""`gallery init`: a new gallery that works at once, and what it tells those who contribute."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from packaging.requirements import Requirement

from gallery.errors.validation import bounds
from gallery.prompts.fields import FrontMatter
from gallery.prompts.request import parameter_fields, plain_number
from support import ROOT
from support.galleries import Gallery, Ran

pytest_plugins = ["support.wheels"]

SOURCE = f"git+https://github.com/octocat/gallery@{'a' * 40}"


def init(folder: Path) -> Ran:
    return Gallery(ROOT).run("init", "--source", SOURCE, folder)


@pytest.fixture
def new(tmp_path: Path) -> Gallery:
    ran = init(tmp_path / "new")
    assert ran.code == 0, ran.err
    return Gallery(tmp_path / "new")


def test_a_new_gallery_is_in_order_and_builds(new: Gallery) -> None:
    checked = new.run("check", "--strict")
    assert checked.code == 0, checked.err
    assert "3 prompts in order, 8 clips" in checked.out
    built = new.run("build", "--engine", "sketch")
    assert built.code == 0, built.err
    catalogue = json.loads((new.root / "site/catalogue.json").read_text())
    shapes = sorted((bool(entry["grid"]), len(entry["clips"])) for entry in catalogue["prompts"])
    assert shapes == [(False, 1), (False, 3), (True, 4)], "a plain prompt, takes, a grid"


def test_it_holds_all_that_a_repository_needs(new: Gallery) -> None:
    assert set(new.files(".")) == {
        ".dockerignore",
        ".editorconfig",
        ".github/ISSUE_TEMPLATE/config.yml",
        ".github/ISSUE_TEMPLATE/prompt.yml",
        ".github/accept_clips.py",
        ".github/dependabot.yml",
        ".github/workflows/check.yml",
        ".github/workflows/pages.yml",
        ".github/workflows/render.yml",
        ".gitignore",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        ".vscode/tasks.json",
        "CONTRIBUTING.md",
        "Dockerfile",
        "README.md",
        "constraints.txt",
        "docs/notes.md",
        "docs/presets.schema.json",
        "docs/prompt-files.md",
        "docs/publishing.md",
        "docs/rendering.md",
        "gallery.toml",
        "prompts/ambient/empty-station.md",
        "prompts/jazz/brush-and-bass.md",
        "prompts/lofi/night-bus.md",
        "prompts/presets.yaml",
        "render.ipynb",
        "requirements-musicgen.lock",
        "requirements-musicgen.txt",
        "requirements.lock",
        "requirements.txt",
    }


def test_every_setting_that_is_commented_out_can_be_switched_on(new: Gallery) -> None:
    path = new.root / "gallery.toml"
    text = path.read_text()
    switched = re.sub(r"^# (?=\[\w+\]$|\w+ = )", "", text, flags=re.MULTILINE)
    assert len(tomllib.loads(switched)) == len(tomllib.loads(text)) + 2
    path.write_text(switched)
    assert new.run("check").code == 0
    names = {name for table in tomllib.loads(switched).values() for name in table}
    assert {"base_url", "repository", "audio_url", "loudness", "melody_bytes"} <= names


def test_it_offers_the_models_that_this_repository_offers(new: Gallery) -> None:
    ours, theirs = (tomllib.loads((root / "gallery.toml").read_text()) for root in (ROOT, new.root))
    assert theirs["models"] == ours["models"]
    assert list(theirs["models"]) == list(ours["models"])


def test_git_keeps_of_its_site_only_the_renders(new: Gallery) -> None:
    for name in ("site/index.html", "site/audio/0a.mp3", ".gallery/renders/0a.wav", ".venv/bin/gallery"):
        new.write(name, "x")
    git = ["git", "-C", str(new.root)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    names = listed.stdout.splitlines()
    assert "site/audio/0a.mp3" in names
    assert not [name for name in names if name.startswith((".gallery", ".venv", "site/index"))]
    assert ".github/workflows/check.yml" in names


def test_editors_are_told_of_mistakes_by_the_tasks_that_come_along(new: Gallery) -> None:
    tasks = json.loads((new.root / ".vscode/tasks.json").read_text())["tasks"]
    check = next(task for task in tasks if task["label"] == "gallery check")
    matchers = [matcher["pattern"] for matcher in check["problemMatcher"]]

    def shown(line: str) -> tuple[str, ...] | None:
        """A line's severity, file, line and message, as the first matcher that knows it has them."""
        for matcher in matchers:
            if found := re.match(matcher["regexp"], line):
                parts = (matcher["severity"], matcher["file"], matcher.get("line"), matcher["message"])
                return tuple(found[part] if part else None for part in parts)
        return None

    new.prompt("lofi/wrong", "prompt: rain", "cfg_coef: 99")
    new.prompt("lofi/twice", "prompt: rain", "tags: [wet, wet]")
    told = new.run("check").err.splitlines()
    assert [shown(line) for line in told] == [
        (None, "prompts/lofi/wrong.md", "3", "cfg_coef: 99 is out of range, 0 to 20"),
        ("warning", "prompts/lofi/twice.md", "3", "tags: a tag stands twice"),
    ]
    settings = json.loads((new.root / ".vscode/settings.json").read_text())
    for name, pattern in settings["yaml.schemas"].items():
        described = json.loads((new.root / name).read_text())["additionalProperties"]["properties"]
        for preset in yaml.safe_load((new.root / pattern).read_text()).values():
            assert set(preset) <= set(described)


@pytest.mark.parametrize("place", [".venv/bin/gallery", "elsewhere/gallery", "home/.local/bin/gallery", ""])
def test_the_editors_task_finds_the_tool_wherever_it_is(new: Gallery, tmp_path: Path, place: str) -> None:
    """In the gallery's environment, on the path, where uv and pipx put it, else as Python's module."""
    [task] = json.loads((new.root / ".vscode/tasks.json").read_text())["tasks"]
    tools = [tmp_path / "elsewhere/python3"]
    if place:
        tools.append((new.root if place.startswith(".venv") else tmp_path) / place)
    for tool in tools:
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text('#!/bin/sh\necho "$0 $*"\n')
        tool.chmod(0o755)
    shell = task["options"]["shell"]
    ran = Ran.of(
        [shell["executable"], *shell["args"], task["command"]],
        new.root,
        {"PATH": str(tmp_path / "elsewhere"), "HOME": str(tmp_path / "home")},
    )
    way = "check" if place else "-m gallery check"
    assert ran.out.strip().endswith(f"{place or 'elsewhere/python3'} {way}"), ran.err
    assert task["options"]["cwd"] == task["windows"]["options"]["cwd"] == "${workspaceFolder}"
    ways = (".venv\\Scripts\\gallery.exe check", "(gallery check)", "(python -m gallery check)")
    assert all(way in task["windows"]["command"] for way in ways)


@pytest.mark.parametrize("there", ["main.py", ".hidden", "a/b", "README/b", "readmes.md", "licences/a"])
def test_what_is_there_already_is_left_alone(tmp_path: Path, there: str) -> None:
    there_already = Gallery(tmp_path / "mine")
    there_already.write(there, "mine")
    ran = init(there_already.root)
    assert ran.code == 1
    told = f"{there_already.root} is not empty: it has {there.split('/')[0]}; name a new folder, or one that "
    assert ran.err == f"Error: {told}has at most a README, a licence, .gitignore and .git\n"
    assert there_already.files(".") == {there: b"mine"}


@pytest.mark.parametrize(
    ("readme", "licence"), [("README.md", "LICENSE"), ("readme.rst", "LICENCE.md"), ("README", "COPYING")]
)
def test_a_clone_of_what_github_makes_is_as_good_as_empty(tmp_path: Path, readme: str, licence: str) -> None:
    clone = Gallery(tmp_path / "clone")
    mine = {readme: b"my words", licence: b"my terms", ".gitattributes": b"* text=auto\n"}
    for name, text in mine.items():
        clone.write(name, text)
    ran = init(clone.root)
    assert (ran.code, ran.err) == (0, "")
    assert "docs/publishing.md tells more" in ran.out
    assert f"left as they were: {', '.join(sorted(mine))}" in ran.out
    files = clone.files(".")
    assert mine.items() <= files.items() and "gallery.toml" in files
    assert [name for name in files if name.lower().startswith("readme")] == [readme]
    assert clone.run("check", "--strict").code == 0


def test_an_ignore_file_stays_and_what_it_lacks_is_told(tmp_path: Path) -> None:
    clone = Gallery(tmp_path / "clone")
    clone.write(".gitignore", ".venv/\n*.pyc\n")
    told = init(clone.root).err
    lines = "/site/*, !/site/audio/, .gallery/"
    assert told == f"warning: .gitignore does not keep pages out of git; add the lines {lines}\n"
    assert (clone.root / ".gitignore").read_text() == ".venv/\n*.pyc\n"


def clone_of(address: str, folder: Path) -> None:
    git = ["git", "-C", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "remote", "add", "origin", address], check=True)


@pytest.mark.parametrize(
    ("address", "repository", "site"),
    [
        ("https://github.com/Octocat/Lofi", "Octocat/Lofi", "octocat.github.io/Lofi/"),
        ("https://github.com/octocat/lofi.git/", "octocat/lofi", "octocat.github.io/lofi/"),
        ("https://octocat:ghp_secret@github.com/octocat/lofi.git", "octocat/lofi", "octocat.github.io/lofi/"),
        ("git@github.com:octocat/lofi.v2.git", "octocat/lofi.v2", "octocat.github.io/lofi.v2/"),
        ("ssh://git@github.com/octocat/lofi", "octocat/lofi", "octocat.github.io/lofi/"),
        ("ssh://git@ssh.github.com:443/octocat/lofi.git", "octocat/lofi", "octocat.github.io/lofi/"),
        (
            "https://github.com/Octocat/octocat.github.io",
            "Octocat/octocat.github.io",
            "octocat.github.io/",
        ),
    ],
)
def test_a_clone_knows_its_addresses(tmp_path: Path, address: str, repository: str, site: str) -> None:
    clone = Gallery(tmp_path / "clone")
    clone_of(address, clone.root)
    ran = init(clone.root)
    assert (ran.code, ran.err) == (0, "")
    assert f"the remote's addresses: https://github.com/{repository}, https://{site}\n" in ran.out
    settings = (clone.root / "gallery.toml").read_text()
    assert "ghp_secret" not in settings
    assert (
        tomllib.loads(settings)["site"].items()
        >= {
            "repository": f"https://github.com/{repository}",
            "base_url": f"https://{site}",
        }.items()
    )
    assert clone.run("check", "--strict").code == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://gitlab.com/octocat/lofi.git",
        "https://github.com.evil.example/octocat/lofi",
        "https://example.org/github.com/octocat/lofi",
        "https://github.com/octocat",
        "https://github.com/octocat/..",
        'https://github.com/octocat/lo"fi',
        "../lofi",
    ],
)
def test_another_remote_fills_in_nothing(tmp_path: Path, address: str) -> None:
    clone_of(address, tmp_path / "clone")
    ran = init(tmp_path / "clone")
    assert (ran.code, ran.err, "addresses" in ran.out) == (0, "", False)
    assert (tmp_path / "clone/gallery.toml").read_bytes() == (ROOT / "scaffold/gallery.toml").read_bytes()


def test_the_repository_around_a_new_folder_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone_of("https://github.com/octocat/lofi", tmp_path)
    (tmp_path / "broken/.git").mkdir(parents=True)
    for name in ("new", "broken"):
        assert "addresses" not in init(tmp_path / name).out
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert "addresses" not in init(tmp_path / "newer").out
    (tmp_path / "own").mkdir()
    (tmp_path / "own/.git").write_text(f"gitdir: {tmp_path / '.git'}\n")
    assert "addresses: https://github.com/octocat/lofi, " in init(tmp_path / "own").out


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in ("file", "file/below"):
        ran = init(tmp_path / folder)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_clone_of_an_empty_repository_is_as_good_as_empty(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "clone"], check=True)
    assert init(tmp_path / "clone").code == 0
    assert (tmp_path / "clone/gallery.toml").is_file()
    assert (tmp_path / "clone/.git/HEAD").is_file()


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """Files above 1 KB can't be written here: the first small ones can, and have to go again."""
    Gallery(tmp_path / "clone").write("README.md", "mine")
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty", tmp_path / "clone"):
        program = 'from gallery.cli import main; main(["init", "--source", "https://a/b", sys.argv[1]])'
        script = f'ulimit -f 1; exec "$0" -c \'import sys; {program}\' "$1"'
        ran = subprocess.run(
            ["bash", "-c", script, sys.executable, folder],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 1
        assert re.fullmatch(rf"Error: {folder}/\S+: cannot be written: File too large\n", ran.stderr)
    assert {path.name for path in tmp_path.rglob("*")} == {"empty", "clone", "README.md"}


@pytest.fixture(scope="module")
def installed(built: Path) -> Path:
    """The `gallery` command of a new environment that has the wheel and, of the rest, what is here."""
    environment = built / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    [wheel] = built.glob("*.whl")
    python = environment / "bin/python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel],
        env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")},
        check=True,
    )
    return environment / "bin/gallery"


def run_installed(command: Path, at: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *arguments],
        cwd=at,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": sysconfig.get_path("purelib"), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def init_from(checkout: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`gallery init` as it runs in a checkout."""
    program = "from gallery.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "init", *options, folder],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_an_installed_wheel_is_all_it_takes(installed: Path, checkout: Path, tmp_path: Path) -> None:
    ran = run_installed(installed, tmp_path, "init", "--source", SOURCE, "x")
    assert ran.returncode == 0, ran.stderr
    assert init_from(checkout, tmp_path / "y", "--source", SOURCE).returncode == 0
    wheels, checkouts = (Gallery(tmp_path / name).files(".") for name in ("x", "y"))
    assert wheels == checkouts, "a wheel and a checkout write the same"
    ran = run_installed(installed, tmp_path / "x", "build")
    assert ran.returncode == 0, ran.stderr
    assert "3 prompts, 8 clips (8 sketched); 0 faults, 0 warnings" in ran.stdout


def requirement(folder: Path) -> str:
    """The tool's line in requirements.txt; what renders needs the same, with extras."""
    [line], [more] = (
        [line for line in (folder / name).read_text().splitlines() if not line.startswith(("#", "-"))]
        for name in ("requirements.txt", "requirements-musicgen.txt")
    )
    assert more == line.replace("gallery @", "gallery[melody,musicgen] @")
    return line


@pytest.mark.parametrize(
    ("noted", "wanted"),
    [
        (
            {
                "url": "https://github.com/octocat/gallery",
                "vcs_info": {"vcs": "git", "commit_id": "a" * 40, "requested_revision": "main"},
            },
            f"git+https://github.com/octocat/gallery@{'a' * 40}",
        ),
        (
            {
                "url": "https://example.org/gallery-1-py3-none-any.whl",
                "archive_info": {"hashes": {"sha256": "b" * 64}},
            },
            f"https://example.org/gallery-1-py3-none-any.whl#sha256={'b' * 64}",
        ),
    ],
)
def test_its_workflows_install_what_made_it(
    installed: Path, tmp_path: Path, noted: dict[str, object], wanted: str
) -> None:
    about = next(installed.parent.parent.glob("lib/*/site-packages/musicgen_gallery-*.dist-info"))
    original = (about / "direct_url.json").read_bytes()
    (about / "direct_url.json").write_text(json.dumps(noted))
    # First on the path, before the checkout that is noted among what the tests have installed.
    try:
        ran = subprocess.run(
            [installed, "init", "x"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{about.parent}:{sysconfig.get_path('purelib')}"},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        (about / "direct_url.json").write_bytes(original)
    assert ran.stderr == ""
    parsed = Requirement(requirement(tmp_path / "x"))
    assert (parsed.name, parsed.url) == ("musicgen-gallery", wanted)


def test_where_nobody_knows_the_tools_address_it_says_what_to_pass(installed: Path, tmp_path: Path) -> None:
    """A wheel's file is on this machine alone, and a name would install nothing, or something else."""
    ran = run_installed(installed, tmp_path, "init", "x")
    assert ran.returncode == 2
    assert "pass --source with it, git+https://HOST/OWNER/NAME@COMMIT, or a wheel's https" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_asks_whoever_sits_at_a_terminal(installed: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [installed, "init", "x"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": sysconfig.get_path("purelib"), "LANG": "C.UTF-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as asked:
        os.write(ours, f"gallery\n{SOURCE}\n".encode())
        assert asked.wait(30) == 0
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert '"gallery" is no address to install from' in told, "a name is asked for again"
    assert requirement(tmp_path / "x") == f"musicgen-gallery @ {SOURCE}"


@pytest.mark.parametrize(
    ("given", "written", "told"),
    [
        (SOURCE, SOURCE, ""),
        (f"https://github.com/octocat/gallery@{'b' * 40}",) * 2 + ("",),
        (
            "git@github.com:octocat/gallery",
            "https://github.com/octocat/gallery",
            "may change from day to day",
        ),
        ("git+ssh://git@example.org/gallery@v1",) * 2 + ("may change from day to day",),
        (f"https://example.org/g-1-py3-none-any.whl#sha256={'c' * 64}",) * 2 + ("",),
        ("https://example.org/g-1-py3-none-any.whl",) * 2 + ("may change from day to day",),
    ],
)
def test_an_address_that_is_given_is_written(tmp_path: Path, given: str, written: str, told: str) -> None:
    ran = Gallery(ROOT).run("init", "--source", given, tmp_path / "x")
    assert ran.code == 0, ran.err
    assert told in ran.err if told else ran.err == ""
    if "github.com" in written and not written.startswith("git+"):
        written = f"git+{written}"
    assert Requirement(requirement(tmp_path / "x")).url == written


def test_a_file_that_is_given_is_told_to_be_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "my wheel.whl").write_bytes(b"")
    ran = Gallery(ROOT).run("init", "--source", tmp_path / "my wheel.whl", tmp_path / "x")
    assert "only this machine can install the tool from there" in ran.err
    assert Requirement(requirement(tmp_path / "x")).url == (tmp_path / "my wheel.whl").as_uri()


@pytest.mark.parametrize(
    "given",
    ["", "gallery", "musicgen-gallery==1", "no-such.whl", "http://example.org/g.whl", "ftp://a/b", "https://",
     "https://a/b c", "git+https://a/b\n--index-url https://c", "git+https://a/b ; python_version > '0'"],
)  # fmt: skip
def test_what_is_no_address_is_refused(tmp_path: Path, given: str) -> None:
    ran = Gallery(ROOT).run("init", "--source", given, tmp_path / "x")
    assert ran.code == 2
    assert "is no address to install from: give git+https://" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_clone_names_the_commit_that_its_origin_has(built: Path, tmp_path: Path) -> None:
    """Installed from a clone, as by `make build`: the code's own commit, if others can fetch it."""
    [source] = (built / "source").iterdir()
    clone = tmp_path / "clone"
    shutil.copytree(source, clone)
    git = ["git", "-C", str(clone), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "remote", "add", "origin", "git@github.com:octocat/gallery.git"], check=True)
    about = clone / "musicgen_gallery-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: musicgen-gallery\nVersion: 0\n")
    (about / "direct_url.json").write_text(
        json.dumps({"url": clone.as_uri(), "dir_info": {"editable": True}})
    )

    assert init_from(clone, tmp_path / "unpublished").returncode == 2
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert init_from(clone, tmp_path / "published").returncode == 0
    address = f"git+https://github.com/octocat/gallery.git@{head.stdout.strip()}"
    assert requirement(tmp_path / "published") == f"musicgen-gallery @ {address}"


# What contributors read.


def test_the_form_offers_what_a_prompt_file_takes() -> None:
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/prompt.yml").read_text())
    fields = {part["id"]: part for part in form["body"] if part["type"] != "markdown"}
    assert set(fields) - {"notes"} <= set(FrontMatter.model_fields)
    assert [name for name, part in fields.items() if part.get("validations", {}).get("required")] == [
        "prompt",
        "model",
    ]
    models = tomllib.loads((ROOT / "gallery.toml").read_text())["models"]
    assert fields["model"]["attributes"]["options"] == list(models)
    parameters = parameter_fields()
    assert set(parameters) - set(fields) == {"extend_stride"}, "that one is for few, and needs a file"
    for name in set(parameters) & set(fields):
        shown, info = fields[name]["attributes"], parameters[name]
        assert shown["description"] == f"{info.description} Accepted: {bounds(info)}."
        assert shown["placeholder"] == str(plain_number(info.default))


def test_what_contributing_shows_is_accepted(new: Gallery) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [example] = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)
    new.write("prompts/contributed/example.md", re.sub(r"^ {3}", "", example, flags=re.MULTILINE))
    [link] = re.findall(r"\((\.\./\.\./new/[^)]*)\)", text)
    asked = parse_qs(urlsplit(link).query, keep_blank_values=True)
    new.write(asked["filename"][0], asked["value"][0])
    for index, field in enumerate(re.findall(r"`((?:vary|takes): [^`]*)`", text)):
        new.prompt(f"contributed/several-{index}", f"prompt: rain {index}", field)
    ran = new.run("check", "--strict")
    assert ran.code == 0, ran.err
    assert "7 prompts" in ran.out


def test_the_links_of_what_people_read_lead_somewhere(new: Gallery) -> None:
    for root in (ROOT, new.root):
        for name in ("README.md", "CONTRIBUTING.md", "docs/publishing.md", "docs/rendering.md"):
            page = root / name
            for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
                if "://" not in target and not target.startswith("../../"):
                    assert (page.parent / target).exists(), f"{name}: {target}"
