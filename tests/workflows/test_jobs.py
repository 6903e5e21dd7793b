"""What the workflows' jobs do: each one's steps run in a clone, against a hostile pull request too."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.galleries import Gallery
from support.hosting import ROOT, Hosted, Machine, copy_checkout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.workflow_runner import Step


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's files with a small gallery's prompts, and filters set up as on GitHub's machines."""
    folder = tmp_path_factory.mktemp("seed")
    copy_checkout(folder / "author")
    shutil.copytree(ROOT / "scaffold/prompts", folder / "author/prompts")
    (folder / "authors-config").write_text("[user]\nname = author\nemail = author@example.org\n")
    hosted = Hosted(folder)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", hosted.bare], check=True)
    hosted.git("config", "uploadpack.allowAnySHA1InWant", "true", at="hosted.git")
    hosted.git("init", "--quiet", "--initial-branch=main")
    # What the author makes hostile is still committed as it is written.
    (hosted.folder / "author/.git/info/attributes").write_text(
        "* -filter -ident -text -working-tree-encoding\n"
    )
    hosted.git("remote", "add", "origin", hosted.bare)
    hosted.commit("All there is")
    hosted.push_main()
    return folder


@pytest.fixture
def hosted(seed: Path, tmp_path: Path) -> Hosted:
    shutil.copytree(seed, tmp_path / "github", symlinks=True)
    hosted = Hosted(tmp_path / "github")
    hosted.git("remote", "set-url", "origin", hosted.bare)
    return hosted


@pytest.fixture
def machine(hosted: Hosted, tmp_path: Path) -> Machine:
    (tmp_path / "machine/workspace").mkdir(parents=True)
    return Machine(tmp_path / "machine", hosted)


def unsuccessful(ran: Mapping[str, Step]) -> dict[str, str]:
    """Steps that did not succeed; what they printed is shown where a test fails."""
    found = {name: step.outcome for name, step in ran.items() if step.outcome != "success"}
    for name in found:
        print(f"== {name}: {ran[name].outcome}\n{ran[name].out}")
    return found


def test_a_good_pull_request_is_checked_and_told_what_it_costs(hosted: Hosted, machine: Machine) -> None:
    author = Gallery(hosted.folder / "author")
    base = hosted.git("rev-parse", "HEAD")
    author.prompt("lofi/tin-roof", "prompt: rain on a tin roof", "duration: 7", "vary: {seed: [1, 2, 3]}")
    sha = hosted.propose(7)
    ran = machine.run("check", "prompts", base=base, sha=sha)
    assert unsuccessful(ran) == {}
    assert "4 prompts in order, 11 clips; 0 faults" in ran["Check the prompt files"].out
    summary = ran["Tell what there would be to render"].summary
    assert "tin-roof" in summary
    assert "night-bus" not in summary, "of main itself nothing is told"
    assert "21" in summary, "three clips of seven seconds"


def test_a_pull_request_can_only_bring_data(hosted: Hosted, machine: Machine) -> None:
    author = Gallery(hosted.folder / "author")
    base = hosted.git("rev-parse", "HEAD")
    mark = f"import pathlib; pathlib.Path({str(machine.folder / 'run')!r}).touch()\n"
    for name in (
        "gallery/__init__.py",
        "gallery/cli/__init__.py",
        "gallery/state/__init__.py",
        "conftest.py",
    ):
        author.write(name, mark + ((author.root / name).read_text() if (author.root / name).exists() else ""))
    for name in ("sitecustomize.py", "prompts/sitecustomize.py", "prompts/yaml.py"):
        author.write(name, mark)
    author.write("Makefile", f"all:\n\ttouch {machine.folder}/run\n")
    author.write("requirements.txt", "./prompts\n")
    author.write(
        "gallery.toml", author.root.joinpath("gallery.toml").read_text().replace("small", "enormous")
    )
    author.write("templates/base.html", "{{ cycler.__init__.__globals__ }}")
    author.write(".gitattributes", "* filter=evil ident working-tree-encoding=UTF-16\n")
    author.write("prompts/.gitattributes", "* filter=evil ident working-tree-encoding=UTF-16\n")
    author.write(".gitmodules", '[submodule "x"]\npath = prompts/x\nurl = https://example.invalid\n')
    author.prompt("hostile/sound", "prompt: rain $Id$", "model: enormous")
    author.prompt("hostile/faulty", "prompt: rain", "cfg_coef: 99", 'title: "::error::%0A::stop-commands::x"')
    author.prompt("hostile/loud", "prompt: rain", '"::set-output name=a::b": 1')
    (author.root / "prompts/hostile/passwd.md").symlink_to("/etc/passwd")
    (author.root / "prompts/hostile/folder").symlink_to("/etc")
    (author.root / "prompts/lofi/night-bus.md").unlink()
    sha = hosted.propose(7)

    ran = machine.run("check", "prompts", base=base, sha=sha)

    assert not (machine.folder / "run").exists(), "none of its code ran"
    assert not (machine.folder / "filtered").exists(), "no filter ran"
    assert unsuccessful(ran) == {
        "Check the prompt files": "failure",
        "Tell what there would be to render": "failure",
        "Build the pages": "skipped",
    }
    out = ran["Check the prompt files"].out
    commands = [line for line in out.splitlines() if line.startswith("::")]
    places = {re.match(r"::(\w+) file=([^,]+)", line).groups() for line in commands}
    assert places == {
        ("error", "prompts/hostile/faulty.md"),
        ("error", "prompts/hostile/loud.md"),
        ("error", "prompts/hostile/passwd.md"),
        ("error", "prompts/hostile/sound.md"),
        ("warning", "prompts/hostile/folder"),
    }
    assert any(line.startswith("::error file=prompts/hostile/faulty.md,line=3,") for line in commands)
    assert '"enormous" is not a model of this gallery' in out, "the settings are those of main"
    assert "root:" not in out
    assert (machine.workspace / "prompts/hostile/sound.md").read_bytes().startswith(b"---\nprompt: rain $Id$")
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=machine.workspace, capture_output=True, text=True, check=True
    )
    names = [line[3:] for line in changed.stdout.splitlines()]
    assert names
    assert all(name.startswith("prompts/") for name in names)
    assert not (machine.workspace / "prompts/lofi/night-bus.md").exists()


def test_pull_requests_without_a_folder_of_prompts(hosted: Hosted, machine: Machine) -> None:
    base = hosted.git("rev-parse", "HEAD")
    prompts = hosted.folder / "author/prompts"
    installed: set[str] = set()
    for number, kind in enumerate(("link", "file", "nothing"), start=1):
        shutil.rmtree(prompts)
        if kind == "link":
            prompts.symlink_to("gallery")
        elif kind == "file":
            prompts.write_text("no folder")
        ran = machine.run("check", "prompts", base=base, sha=hosted.propose(number), done=installed)
        assert unsuccessful(ran)["Check the prompt files"] == "failure", kind
        assert "no folder prompts/" in ran["Check the prompt files"].out
        assert not (machine.workspace / "prompts").is_symlink()
        installed = {"Install gallery"}


def test_pages_are_built_from_what_is_committed(hosted: Hosted, machine: Machine) -> None:
    ran = machine.run("pages", "build")
    assert unsuccessful(ran) == {}
    site = machine.workspace / "site"
    catalogue = json.loads((site / "catalogue.json").read_text())
    clips = [clip for entry in catalogue["prompts"] for clip in entry["clips"]]
    assert len(clips) == 8
    assert {clip["state"] for clip in clips} == {"sketch"}
    assert all((site / clip["audio"]).is_file() for clip in clips)


@pytest.fixture
def studio(hosted: Hosted, machine: Machine) -> Machine:
    """A machine whose gallery has a model that it can render with: random weights, a few megabytes."""
    from support.tiny_checkpoints import SNIPPETS, write_checkpoint

    author = Gallery(hosted.folder / "author")
    write_checkpoint(author.root / "tiny-mono", "mono")
    author.write("gallery.toml", SNIPPETS["mono"])
    shutil.rmtree(author.root / "prompts")
    author.prompt("drums", "prompt: slow drums", "duration: 1", "vary: {seed: [1, 2]}")
    hosted.commit("A model of random weights")
    hosted.push_main()
    return machine


def renders(hosted: Hosted) -> set[str]:
    """Keys of the clips in main's store, each with all of its files."""
    names = [Path(name) for name in hosted.files() if name.startswith("site/audio/")]
    keys = {path.stem for path in names}
    assert {path.name for path in names} == {
        f"{key}{end}" for key in keys for end in (".mp3", ".webp", ".json")
    }
    return keys


def test_rendering(hosted: Hosted, studio: Machine) -> None:
    author = Gallery(hosted.folder / "author")
    long = author.prompt("long", "prompt: slow drums", "duration: 60", "vary: {seed: [3, 4]}")
    hosted.commit("Clips that take their time")
    hosted.push_main()
    before = hosted.files()

    # Cancelled once the first clip is finished: that one is kept.
    def cancel(process: subprocess.Popen[str]) -> bool:
        until = time.monotonic() + 120
        while not list((studio.workspace / "site/audio").glob("*.json")) and time.monotonic() < until:
            time.sleep(0.05)
        # GitHub's runner tells the step's own process, and none that it has started.
        process.send_signal(signal.SIGINT)
        return True

    ran = studio.run("render", "render", watchers={"Render": cancel})
    assert unsuccessful(ran) == {"Take over the pull request's prompts/": "skipped", "Render": "cancelled"}
    assert "Every finished clip is kept" in ran["Render"].out
    finished = renders(hosted)
    assert 1 <= len(finished) < 4
    assert {name: id_ for name, id_ in hosted.files().items() if not name.startswith("site/")} == before
    assert ran["Commit what was rendered"].outputs == {"pushed": "true"}
    log = hosted.git("log", "-1", "--format=%an: %s", "main", at="hosted.git")
    assert log == f"github-actions[bot]: Render {len(finished)} clips"

    # A pull request, while somebody else pushes.
    hosted.git("pull", "--quiet", "origin", "main")
    long.unlink()
    hosted.commit("No more of those")
    hosted.push_main()
    author.prompt("flute", "prompt: slow flute", "duration: 1")
    author.write("prompts/.gitignore", "*")
    author.write("gallery/build.py", "raise SystemExit('the pull request ran')")
    hosted.propose(12)

    def push_meanwhile(process: subprocess.Popen[str]) -> bool:
        author.prompt("flute", "prompt: another flute")
        process.wait()
        ours = {path.name for path in (studio.workspace / "site/audio").iterdir()}
        for name in ours:
            if f"site/audio/{name}" not in hosted.files():
                author.write(f"site/audio/{name}", "rendered elsewhere too")
        hosted.commit("Meanwhile")
        hosted.push_main()
        return False

    installed = {"Install gallery and MusicGen"}
    watchers = {"Render": push_meanwhile}
    ran = studio.run("render", "render", pull_request="12", watchers=watchers, done=installed)
    assert unsuccessful(ran) == {}
    assert len(renders(hosted)) == 3, "two of main, one of the pull request"
    subjects = hosted.git("log", "-2", "--format=%s", "main", at="hosted.git").splitlines()
    assert subjects == [f"Render {3 - len(finished)} clips of pull request 12", "Meanwhile"]
    kept = {name: id_ for name, id_ in hosted.files().items() if name.startswith("site/audio/")}
    for name, id_ in kept.items():
        path = studio.workspace / name
        assert hosted.git("hash-object", path) == id_, "where both rendered a clip, all its files are of one"
        assert path.read_bytes() != b"rendered elsewhere too"
    held = hosted.git("show", "main:prompts/flute.md", at="hosted.git")
    assert "another flute" in held, "of the pull request nothing but renders was pushed"

    left = {path.name for path in (studio.workspace / "prompts").iterdir()}
    assert left == {"drums.md", "flute.md"}, "and nothing of it stays on the machine"

    # Once more, with nothing left to render.
    (author.root / "prompts/flute.md").unlink()
    hosted.commit("No flute")
    hosted.git("pull", "--quiet", "--rebase", "origin", "main")
    hosted.push_main()
    ran = studio.run("render", "render", done=installed)
    assert ran["Render"].outcome == "success"
    assert ran["Commit what was rendered"].outputs == {}, "nothing new, nothing pushed"


@pytest.mark.parametrize(
    "number", ["12; touch run", "-1", "01", "1\n2", "$(touch run)", "main", "1234567890"]
)
def test_only_a_number_is_taken_for_a_pull_request(machine: Machine, number: str) -> None:
    ran = machine.run("render", "render", pull_request=number)
    assert ran["Accept a number or nothing"].outcome == "failure"
    assert {step.outcome for name, step in ran.items() if name != "Accept a number or nothing"} == {"skipped"}
