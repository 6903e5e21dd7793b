"""The notebook of a new gallery: an hour of a GPU that is lent, of which no finished clip is lost."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support import COMMAND, ROOT
from support.galleries import Gallery
from support.hosting import PLAIN

NOTEBOOK = ROOT / "scaffold/render.ipynb"
TOKEN = "a-token-that-nobody-sees"

# What a session's own settings may be in tests: pushes at each line, and no waiting between attempts.
HASTE = "import time\ntime.sleep = lambda seconds: None\n"


def code_cells() -> dict[str, str]:
    """The notebook's code, by the cells' ids."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}


def parameters(**values: Any) -> str:
    """The parameters' cell with these in place of its own."""
    text = code_cells()["parameters"]
    for name, value in values.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


@dataclass
class Lent:
    """A repository, and a machine that is lent for a while: its folder and its stand-in of the tool."""

    folder: Path

    @property
    def bare(self) -> Path:
        return self.folder / "hosted.git"

    @property
    def session(self) -> Path:
        return self.folder / "session"

    def git(self, *arguments: object, at: str = "hosted.git") -> str:
        ran = subprocess.run(
            ["git", "-C", self.folder / at, *map(str, arguments)],
            env={**PLAIN, "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def publish(self, gallery: Gallery) -> None:
        """Put a gallery into the repository."""
        for setting in ("user.name=a", "user.email=a@example.org"):
            self.folder.joinpath(".gitconfig").touch()
            subprocess.run(
                ["git", "config", "--file", self.folder / ".gitconfig", *setting.split("=")], check=True
            )
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", self.bare], check=True)
        at = gallery.root.relative_to(self.folder).as_posix()
        self.git("init", "--quiet", "-b", "main", at=at)
        self.git("add", "--all", at=at)
        self.git("commit", "--quiet", "-m", "A gallery", at=at)
        self.git("push", "--quiet", self.bare, "main", at=at)

    def stand_in(self, build: str) -> None:
        """A tool that does nothing but to build with these lines of bash."""
        tool = self.folder / "environment/bin/gallery"
        tool.parent.mkdir(parents=True, exist_ok=True)
        clip = (
            'clip() { mkdir -p site/audio; touch site/audio/$(printf %032d $1).{mp3,webp,json}; echo "$1"; }'
        )
        tool.write_text(
            f'#!/bin/bash\necho "gallery $*" >> {self.folder}/asked\n'
            f'[ "$1" = build ] && [ "$2" != --dry-run ] || exit 0\n{clip}\n{build}\n'
        )
        tool.chmod(0o755)

    def start(self, first: str = HASTE, **values: Any) -> subprocess.Popen[str]:
        """The notebook's cells, one after the other, as a program."""
        given = {"GALLERY": self.bare.as_uri(), "ENVIRONMENT": str(self.folder / "environment"), "EVERY": 0}
        cells = [first, parameters(**{**given, **values}), *list(code_cells().values())[1:]]
        self.session.mkdir(exist_ok=True)
        program = self.session / "cells.py"
        program.write_text("\n\n".join(cells))
        return subprocess.Popen(
            [sys.executable, program],
            cwd=self.session,
            env={**PLAIN, "HOME": str(self.folder), "GIT_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, first: str = HASTE, **values: Any) -> str:
        """What a whole session shows."""
        shown, _ = self.start(first, **values).communicate(timeout=60)
        assert TOKEN not in shown
        return shown

    @property
    def clips(self) -> list[int]:
        """The stand-in's clips that are in the repository, each with all its files."""
        listed = self.git("ls-tree", "-r", "--name-only", "main", "site/audio/").splitlines()
        numbers = sorted({int(Path(name).stem) for name in listed})
        assert len(listed) == 3 * len(numbers)
        return numbers

    def wait_for(self, *clips: int) -> None:
        self.wait_until(lambda: self.clips == list(clips))

    def wait_until(self, met: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not met():
            assert time.monotonic() < until, self.clips
            time.sleep(0.05)


@pytest.fixture
def lent(tmp_path: Path) -> Lent:
    made = Lent(tmp_path)
    gallery = Gallery(tmp_path / "mine")
    gallery.write("gallery.toml", '[models.small]\nhub = "facebook/musicgen-small"\nkind = "musicgen"\n')
    gallery.prompt("one", "prompt: rain")
    made.publish(gallery)
    return made


def test_it_is_a_notebook_that_a_new_gallery_has() -> None:
    written = json.loads(NOTEBOOK.read_text())
    assert (written["nbformat"], written["nbformat_minor"]) == (4, 5)
    for cell in written["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), "nothing of anybody's session"
    tagged = [cell["id"] for cell in written["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    assert tagged == ["parameters"]
    names = [node.targets[0].id for node in ast.parse(code_cells()["parameters"]).body]  # type: ignore[attr-defined]
    assert names == ["GALLERY", "RESULT", "BRANCH", "DEVICE", "MINUTES", "EVERY", "ENVIRONMENT"]


def test_every_clip_is_pushed_and_what_to_do_is_told(lent: Lent) -> None:
    lent.stand_in("clip 1; clip 2")
    shown = lent.run()
    assert lent.clips == [1, 2]
    assert "Everything that the prompts ask for is rendered." in shown
    assert "Every finished clip is in site/audio of the branch main." in shown
    assert (lent.folder / "asked").read_text().splitlines() == [
        "gallery setup musicgen --yes",
        "gallery doctor",
        "gallery build --dry-run --device cuda",
        "gallery build --engine musicgen --device cuda --no-sketches",
    ]
    before = lent.git("rev-parse", "main")
    assert "is there already, and is used as it is" in lent.run()
    assert lent.git("rev-parse", "main") == before, "nothing new, no commit"


def test_the_hour_ends_and_what_is_finished_is_safe(lent: Lent) -> None:
    lent.stand_in("clip 1; trap 'clip 2; exit 130' INT; while :; do sleep 0.1; done")
    shown = lent.run(MINUTES=1 / 60)
    assert lent.clips == [1, 2]
    assert "minutes are over. Run this notebook again: it goes on where it ended." in shown


def test_a_session_that_is_taken_away_loses_nothing_that_was_pushed(lent: Lent) -> None:
    lent.stand_in(f"echo $$ > {lent.folder}/pid; clip 1; clip 2; exec sleep 100")
    process = lent.start()
    try:
        lent.wait_for(1, 2)
    finally:
        process.kill()
        os.kill(int((lent.folder / "pid").read_text()), signal.SIGKILL)
        process.communicate()


def test_an_interrupted_cell_ends_the_build_and_pushes(lent: Lent) -> None:
    lent.stand_in("clip 1; trap 'clip 2; exit 130' INT; while :; do sleep 0.1; done")
    process = lent.start()
    lent.wait_for(1)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=30)
    assert lent.clips == [1, 2]
    assert "Not everything was rendered: the last lines above say why." in shown


def test_an_interrupt_while_git_is_at_work_costs_nothing(lent: Lent) -> None:
    """As with Git LFS, whose filter may take its time over each file."""
    slow = f"touch {lent.folder}/adding; [ -e {lent.folder}/quick ] || sleep 2; cat"
    lent.git("config", "--global", "filter.slow.clean", slow)
    (lent.folder / "mine/.gitattributes").write_text("*.mp3 filter=slow\n")
    lent.git("add", "--all", at="mine")
    lent.git("commit", "--quiet", "-m", "A filter", at="mine")
    lent.git("push", "--quiet", lent.bare, "main", at="mine")
    lent.stand_in("clip 1; trap 'clip 2; exit 130' INT; while :; do sleep 0.1; done")
    process = lent.start()
    lent.wait_until(lambda: (lent.folder / "adding").exists())
    (lent.folder / "quick").touch()
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=30)
    assert lent.clips == [1, 2]
    assert "Every finished clip is in site/audio of the branch main." in shown


def test_what_others_push_meanwhile_stays(lent: Lent) -> None:
    other = lent.folder / "other"
    subprocess.run(["git", "clone", "--quiet", lent.bare, other], check=True)
    push = f"cd {other} && echo new > new.md && git add new.md && git commit -qm new && git push -q"
    lent.stand_in(f"({push}); clip 1; clip 2")
    lent.run()
    assert lent.clips == [1, 2]
    assert lent.git("show", "main:new.md") == "new"
    checkout = lent.session / "gallery-checkout"
    assert not (checkout / "new.md").exists(), "what is rendered is what was there at the beginning"
    assert lent.git("log", "-1", "--format=%an", "main") == "render.ipynb"


def test_a_folder_of_ones_own_stays_as_it_is(lent: Lent) -> None:
    """On a machine that is rented: a checkout with work in it."""
    mine = lent.folder / "mine"
    lent.git("remote", "add", "origin", lent.bare, at="mine")
    (mine / "staged.md").write_text("staged")
    lent.git("add", "staged.md", at="mine")
    head = lent.git("rev-parse", "HEAD", at="mine")
    lent.stand_in("clip 1")
    lent.run(GALLERY=str(mine))
    assert lent.clips == [1]
    assert lent.git("rev-parse", "HEAD", at="mine") == head
    assert lent.git("diff", "--cached", "--name-only", at="mine") == "staged.md"
    pushed = lent.git("diff", "--name-only", head, "main").splitlines()
    assert pushed and all(name.startswith("site/audio/") for name in pushed)


def refuse(lent: Lent, unless: str = "false") -> None:
    """Have the repository refuse what is pushed."""
    hook = lent.bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{unless} || {{ echo 'not you' >&2; exit 1; }}\n")
    hook.chmod(0o755)


def test_a_push_that_fails_is_tried_again(lent: Lent) -> None:
    lent.stand_in("clip 1")
    refuse(lent, unless=f"! mkdir {lent.folder}/once 2>/dev/null")
    shown = lent.run(EVERY=3600)
    assert "not you" in shown
    assert lent.clips == [1]
    assert "Every finished clip is in" in shown


def test_where_nothing_can_be_pushed_it_says_so_before_it_installs(lent: Lent) -> None:
    lent.stand_in("clip 1")
    gone = "import os, subprocess\n"
    shown = lent.run(gone, GALLERY="https://localhost:1/nobody/nothing")
    assert "If the repository is private, it takes the secret GIT_TOKEN." in shown
    assert not (lent.folder / "asked").exists()
    lent.git("remote", "add", "origin", lent.folder / "nowhere.git", at="mine")
    shown = lent.run(GALLERY=str(lent.folder / "mine"))
    assert "To push, it takes the secret GIT_TOKEN" in shown
    assert not (lent.folder / "asked").exists()


def test_what_could_not_be_pushed_is_told_and_packed(lent: Lent) -> None:
    lent.stand_in("clip 1; clip 2")
    refuse(lent)
    shown = lent.run()
    assert lent.git("ls-tree", "-r", "--name-only", "main", "site/") == ""
    assert "not you" in shown
    [told] = re.findall(r"^NOT SAFE YET: .* download (.*)$", shown, re.MULTILINE)
    assert len(zipfile.ZipFile(told).namelist()) == 6
    assert "unpack it at home into site/audio." in shown


def test_a_store_elsewhere_takes_the_clips(lent: Lent) -> None:
    lent.stand_in("")
    shown = lent.run(RESULT=f"file://{lent.folder}/drive")
    settings = tomllib.loads((lent.session / "gallery-checkout/gallery.toml").read_text())
    assert settings["store"] == {"url": f"file://{lent.folder}/drive"}
    assert (lent.folder / "asked").read_text().splitlines()[-1] == "gallery store push"
    assert f"Every finished clip is in file://{lent.folder}/drive." in shown
    shown = lent.run(RESULT="s3://another")
    assert 'gallery.toml has a [store] of its own: write url = "s3://another" there' in shown
    assert "takes the secret HF_TOKEN" in lent.run(
        RESULT="hf://buckets/me/clips", GALLERY=str(lent.folder / "mine")
    )


def test_an_uploaded_zip_is_a_gallery_too(lent: Lent) -> None:
    """As GitHub packs one: all of it in a folder."""
    archive = shutil.make_archive(str(lent.folder / "mine-main"), "zip", lent.folder, "mine/prompts")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.write(lent.folder / "mine/gallery.toml", "mine/gallery.toml")
    lent.stand_in("pwd")
    shown = lent.run(GALLERY=archive, RESULT=f"file://{lent.folder}/drive")
    assert f"{lent.session}/gallery-checkout/mine\n" in shown
    shutil.rmtree(lent.session)
    assert "without a repository, RESULT a store" in lent.run(GALLERY=archive)


def test_a_token_in_the_address_is_refused_and_not_shown(lent: Lent) -> None:
    lent.stand_in("clip 1")
    shown = lent.run(GALLERY=f"https://me:{TOKEN}@example.org/mine")
    assert "leave names and tokens out of the address" in shown


# The token.


@pytest.fixture
def notebook_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The notebook's own functions, on a repository of GitHub's, and Colab's secrets."""
    tree = ast.parse(code_cells()["gallery"])
    tree.body = [
        node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
    ]
    known: dict[str, Any] = {"repository": "https://github.com/octocat/mine", "gallery": tmp_path}
    exec(compile(tree, "<notebook>", "exec"), known)
    for name in os.environ:
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    (tmp_path / "config").write_text("[credential]\n\thelper = store --file=kept\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return known


@pytest.fixture(params=["colab", "kaggle", "environment"])
def keeps_a_secret(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, notebook_git: object
) -> None:
    secrets = {"GIT_TOKEN": f"{TOKEN}\n"}
    if request.param == "colab":
        colab, userdata = ModuleType("google.colab"), ModuleType("google.colab.userdata")
        userdata.get = secrets.__getitem__  # type: ignore[attr-defined]
        colab.userdata = userdata  # type: ignore[attr-defined]
        for name, module in (("google", ModuleType("google")), ("google.colab", colab)):
            monkeypatch.setitem(sys.modules, name, module)
    elif request.param == "kaggle":
        kaggle = ModuleType("kaggle_secrets")
        client = type("UserSecretsClient", (), {"get_secret": lambda _, name: secrets[name]})
        kaggle.UserSecretsClient = client  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "kaggle_secrets", kaggle)
    else:
        monkeypatch.setenv("GIT_TOKEN", TOKEN)


@pytest.mark.usefixtures("keeps_a_secret")
def test_the_token_reaches_git_for_its_host_alone_and_no_file(
    notebook_git: dict[str, Any], tmp_path: Path
) -> None:
    git = notebook_git["git"]
    asked = "protocol=https\nhost={}\n\n"
    filled = git("credential", "fill", lines=asked.format("github.com")).splitlines()
    assert {"username=x-access-token", f"password={TOKEN}"} <= set(filled)
    # As git does after it was let in: no helper of the machine's own gets to keep it.
    git("credential", "approve", lines="\n".join(filled) + "\n\n")
    with pytest.raises(RuntimeError) as refused:
        git("credential", "fill", lines=asked.format("example.org"))
    assert TOKEN not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    assert notebook_git["secret"]("ANOTHER") == ""


# The real tool, in a real notebook.


@pytest.mark.slow
def test_a_notebook_from_nothing_to_real_clips_in_git(
    tiny_gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    lent = Lent(tmp_path)
    lent.publish(tiny_gallery)

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = parameters(
                GALLERY=lent.bare.as_uri(),
                ENVIRONMENT=str(COMMAND.parents[1]),
                DEVICE="cpu",
                EVERY=0,
            )
    lent.session.mkdir()
    for name, value in {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "GIT_TOKEN": TOKEN,
        "HF_HUB_OFFLINE": "1",
        "PIP_NO_INDEX": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(lent.session)}})
    client.execute()

    shown = {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    assert re.search(r"^ok +engine +musicgen: ", shown["doctor"], re.MULTILINE)
    assert re.search(r"^tiny-mono +3 clips +3\.0 s of audio +no estimate", shown["plan"], re.MULTILINE)
    for told in ("rendering: loading tiny-mono", "rendered: 3 clips, 3.0 s of audio, "):
        assert told in shown["render"]
    pushed = re.findall(r"^finished clips pushed to main: (\d)$", shown["render"], re.MULTILINE)
    assert sum(map(int, pushed)) == 3
    assert "Everything that the prompts ask for is rendered." in shown["next"]
    assert TOKEN not in json.dumps(notebook)
    assert not subprocess.run(["grep", "-r", TOKEN, lent.session], check=False, capture_output=True).stdout

    home = Gallery(tmp_path / "home")
    subprocess.run(["git", "clone", "--quiet", lent.bare, home.root], check=True)
    records = [json.loads(path.read_text()) for path in (home.root / "site/audio").glob("*.json")]
    assert [record["engine"] for record in records] == ["musicgen"] * 3
    assert home.run("store", "verify").code == 0
    built = home.run("build", "--engine", "none")
    assert "1 prompt, 3 clips (3 rendered)" in built.out
