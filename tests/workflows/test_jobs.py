"""What the workflows' jobs do: each one's steps run in a clone, against a hostile pull request too."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.galleries import Gallery, render_all
from support.hosting import ROOT, Hosted, Machine, copy_checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    shutil.copytree(seed, tmp_path / "github", symlinks=True, dirs_exist_ok=True)
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


# The tool as it lies here: to install the same would take longer than all the rest.
HERE = {"gallery": f'PYTHONPATH={ROOT} exec {sys.executable} -m gallery "$@"'}


def test_a_good_pull_request_is_checked_and_told_what_it_costs(hosted: Hosted, machine: Machine) -> None:
    author = Gallery(hosted.folder / "author")
    base = hosted.git("rev-parse", "HEAD")
    author.prompt("lofi/tin-roof", "prompt: rain on a tin roof", "duration: 7", "vary: {seed: [1, 2, 3]}")
    sha = hosted.propose(7)
    given = {"base": base, "sha": sha, "head": "1a" * 20}
    ran = machine.run("check", "prompts", **given, programs=HERE, done={"Install gallery"})
    assert unsuccessful(ran) == {}
    assert "4 prompts in order, 11 clips; 0 faults" in ran["Check the prompt files"].out
    summary = ran["Tell what there would be to render"].summary
    assert "tin-roof" in summary
    assert "night-bus" not in summary, "of main itself nothing is told"
    assert "21" in summary, "three clips of seven seconds"
    assert f"the workflow `render` with the commit `{'1a' * 20}`" in summary


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
    for number, kind in enumerate(("link", "file", "nothing"), start=1):
        shutil.rmtree(prompts)
        if kind == "link":
            prompts.symlink_to("gallery")
        elif kind == "file":
            prompts.write_text("no folder")
        sha = hosted.propose(number)
        ran = machine.run("check", "prompts", base=base, sha=sha, programs=HERE, done={"Install gallery"})
        assert unsuccessful(ran)["Check the prompt files"] == "failure", kind
        assert "no folder prompts/" in ran["Check the prompt files"].out
        assert not (machine.workspace / "prompts").is_symlink()


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


@pytest.fixture
def server(hosted: Hosted, tmp_path: Path) -> Machine:
    """The machine of the job that may push: another one."""
    (tmp_path / "server/workspace").mkdir(parents=True)
    return Machine(tmp_path / "server", hosted)


# Nobody waits in tests; for how long it would have been is written down.
NO_WAIT = {"sleep": 'echo "$1" >> "$HOME/slept"'}


def test_rendering(hosted: Hosted, studio: Machine, server: Machine) -> None:
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
    assert unsuccessful(ran) == {"Take over the commit's prompts/": "skipped", "Render": "cancelled"}
    assert "Every finished clip is kept" in ran["Render"].out
    assert hosted.files() == before, "what renders pushes nothing"
    kept = server.run("render", "keep")
    assert unsuccessful(kept) == {}
    finished = renders(hosted)
    assert 1 <= len(finished) < 4
    assert ran["Collect what was rendered"].outputs == {"clips": str(len(finished))}
    assert {name: id_ for name, id_ in hosted.files().items() if not name.startswith("site/")} == before
    assert kept["Commit the clips"].outputs == {"pushed": "true"}
    log = hosted.git("log", "-1", "--format=%an: %s", "main", at="hosted.git")
    assert log == f"github-actions[bot]: Render {len(finished)} clips"

    # A commit of a pull request, while somebody else pushes. Its branch has gone on since.
    hosted.git("pull", "--quiet", "origin", "main")
    long.unlink()
    hosted.commit("No more of those")
    hosted.push_main()
    author.prompt("flute", "prompt: slow flute", "duration: 1")
    author.write("prompts/.gitignore", "*")
    author.write("gallery/build.py", "raise SystemExit('the pull request ran')")
    hosted.propose(12)
    looked_at = hosted.git("rev-parse", "refs/pull/12/head", at="hosted.git")
    author.prompt("flute", "prompt: what nobody has looked at", "duration: 60")
    hosted.propose(12)

    def push_meanwhile(process: subprocess.Popen[str]) -> bool:
        author.prompt("flute", "prompt: another flute")
        process.wait()
        for path in (studio.workspace / "site/audio").iterdir():
            if f"site/audio/{path.name}" not in hosted.files():
                author.write(f"site/audio/{path.name}", "rendered elsewhere too")
        hosted.commit("Meanwhile")
        hosted.push_main()
        return False

    installed = {"Install gallery and MusicGen"}
    watchers = {"Render": push_meanwhile}
    ran = studio.run("render", "render", commit=looked_at, watchers=watchers, done=installed)
    assert unsuccessful(ran) == {}
    kept = server.run("render", "keep", commit=looked_at)
    assert unsuccessful(kept) == {}
    assert len(renders(hosted)) == 3, "two of main, one of the pull request"
    subjects = hosted.git("log", "-2", "--format=%s", "main", at="hosted.git").splitlines()
    assert subjects[0].endswith(f"clips of commit {looked_at}")
    assert subjects[1] == "Meanwhile"
    for name, id_ in hosted.files().items():
        if name.startswith("site/audio/"):
            path = studio.workspace / name
            assert hosted.git("hash-object", path) == id_, "where both rendered a clip, all files are of one"
            assert path.read_bytes() != b"rendered elsewhere too"
    held = hosted.git("show", "main:prompts/flute.md", at="hosted.git")
    assert "another flute" in held, "of the pull request nothing but renders was pushed"
    left = {path.name for path in (studio.workspace / "prompts").iterdir()}
    assert left == {"drums.md"}, "and nothing of it stays on the machine"

    # The checkout is lost with all that was not pushed: what is finished is not rendered again.
    hosted.git("pull", "--quiet", "origin", "main")
    (author.root / "prompts/flute.md").unlink()
    for key in renders(hosted):
        for path in author.root.glob(f"site/audio/{key}.*"):
            path.unlink()
    hosted.commit("As if nothing had been pushed")
    hosted.push_main()
    shutil.move(studio.workspace / ".venv", studio.folder / "venv")
    shutil.rmtree(studio.workspace)
    studio.workspace.mkdir()
    (studio.workspace / ".venv").symlink_to("../venv")
    [lossless] = studio.folder.glob(".local/share/gallery/octocat/gallery/renders")
    waves = {path: path.stat().st_mtime_ns for path in lossless.glob("*.wav")}
    ran = studio.run("render", "render", done=installed)
    assert ran["Collect what was rendered"].outputs == {"clips": "2"}
    assert {path: path.stat().st_mtime_ns for path in lossless.glob("*.wav")} == waves
    assert unsuccessful(server.run("render", "keep")) == {}
    assert len(renders(hosted)) == 2


def stand_in(machine: Machine, build: str) -> None:
    """A build in place of the tool's."""
    command = machine.workspace / ".venv/bin/gallery"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/bash\n{build}\n")
    command.chmod(0o755)


def test_the_time_that_was_given_ends_a_build_and_keeps_what_is_finished(
    hosted: Hosted, machine: Machine
) -> None:
    """The build is sent what Ctrl-C sends."""
    finish = "touch site/audio/$(printf %032d 0).{mp3,webp,json}; touch site/audio/$(printf %032d 1).mp3"
    stand_in(
        machine,
        f"mkdir -p site/audio; trap '{finish}; echo interrupted; exit 130' INT\nwhile :; do sleep 0.1; done",
    )
    ran = machine.run("render", "render", seconds="2", done={"Install gallery and MusicGen"})
    assert unsuccessful(ran)["Render"] == "failure"
    assert "interrupted" in ran["Render"].out
    assert ran["Collect what was rendered"].outputs == {"clips": "1"}
    assert "::warning::Not everything was rendered" in ran["Collect what was rendered"].out
    names = {path.name for path in (hosted.artifacts / "clips").iterdir()}
    assert names == {f"{0:032}{suffix}" for suffix in (".mp3", ".webp", ".json")}, "whole clips alone"


def test_where_nothing_was_rendered_nothing_is_handed_over(hosted: Hosted, machine: Machine) -> None:
    stand_in(machine, "mkdir -p site/audio; touch site/index.html site/audio/.x.json.tmp")
    ran = machine.run("render", "render", done={"Install gallery and MusicGen"})
    assert ran["Render"].outcome == "success"
    assert ran["Collect what was rendered"].outputs == {}
    assert ran["Hand the clips over"].outcome == "skipped"
    assert not hosted.artifacts.exists()


NO_COMMIT = ("12", "main", "1a" * 19, "1A" * 20, "1a" * 20 + "\n1", "$(touch run)")
NO_SECONDS = ("", "0", "-1", "1e9", "39601", "60; touch run", "60\n60")


def test_only_whole_commits_and_seconds_are_taken(machine: Machine) -> None:
    for what, commit, seconds in (
        *(("commit", commit, "60") for commit in NO_COMMIT),
        *(("seconds", "", seconds) for seconds in NO_SECONDS),
    ):
        ran = machine.run("render", "render", commit=commit, seconds=seconds)
        first, *others = ran.values()
        assert first.outcome == "failure", (commit, seconds)
        assert first.out.startswith(f"::error::{what}: ")
        assert {step.outcome for step in others} == {"skipped"}


def test_a_commit_that_is_nowhere_is_told(hosted: Hosted, machine: Machine) -> None:
    ran = machine.run("render", "render", commit="1a" * 20, done={"Install gallery and MusicGen"})
    told = ran["Take over the commit's prompts/"]
    assert told.outcome == "failure"
    assert "::error::commit: this repository and its forks have no such commit" in told.out
    assert ran["Render"].outcome == "skipped"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a job hands over that has rendered two clips."""
    made = Gallery(tmp_path_factory.mktemp("rendered")).begin()
    made.prompt("rain", "prompt: rain", "duration: 1", "vary: {seed: [1, 2]}")
    render_all(made)
    assert made.run("build", "--engine", "none").code == 0
    return made.root / "site/audio"


@pytest.fixture
def handed(tmp_path: Path, clips: Path) -> Path:
    """These, as a job hands them over: where `Hosted` has them."""
    return shutil.copytree(clips, tmp_path / "github/artifacts/clips")


def test_pages_are_built_from_what_is_committed_if_it_is_as_it_was_rendered(
    hosted: Hosted, machine: Machine, clips: Path
) -> None:
    audio = shutil.copytree(clips, hosted.folder / "author/site/audio")
    hosted.commit("Clips that no prompt asks for")
    hosted.push_main()
    # It installs as the check does.
    ran = machine.run("pages", "build", programs=HERE, done={"Install gallery"})
    assert unsuccessful(ran) == {}
    assert "2 clips, 0 problems" in ran["See that the store is as it was rendered"].out
    site = machine.workspace / "site"
    catalogue = json.loads((site / "catalogue.json").read_text())
    told = [clip for entry in catalogue["prompts"] for clip in entry["clips"]]
    assert len(told) == 8
    assert {clip["state"] for clip in told} == {"sketch"}
    assert all((site / clip["audio"]).is_file() for clip in told)

    mp3 = _of(audio, ".mp3")
    data = bytearray(mp3.read_bytes())
    data[len(data) // 2] ^= 1
    mp3.write_bytes(data)
    hosted.commit("A flipped bit")
    hosted.push_main()
    ran = machine.run("pages", "build", done={"Install gallery"})
    assert unsuccessful(ran) == {
        "See that the store is as it was rendered": "failure",
        "Build the site": "skipped",
        "Hand the site over": "skipped",
    }
    assert mp3.name in ran["See that the store is as it was rendered"].out


def failing(what: str, times: int, meanwhile: str = "true") -> dict[str, str]:
    """A git of which a command fails so many times, and somebody does something before it does."""
    git = f"""\
if [[ " $* " == *" {what} "* ]] && [ "$(grep -c . "$HOME/failed" 2>/dev/null)" != {times} ]; then
    echo x >> "$HOME/failed"
    {meanwhile}
    echo 'fatal: the network is down' >&2
    exit 128
fi
exec {shutil.which("git")} "$@"
"""
    return NO_WAIT | {"git": git}


@pytest.mark.parametrize(("what", "times"), [("fetch", 4), ("push", 4), ("reset", 1)])
def test_a_push_is_tried_again_whatever_failed(
    hosted: Hosted, server: Machine, handed: Path, what: str, times: int
) -> None:
    ran = server.run("render", "keep", programs=failing(what, times))
    assert unsuccessful(ran) == {}
    assert len(renders(hosted)) == 2
    assert hosted.git("log", "-1", "--format=%s", "main", at="hosted.git") == "Render 2 clips"
    waits = (server.folder / "slept").read_text().split()
    assert waits == ["0", "5", "15", "45", "120"][: times + 1]


def test_who_pushes_meanwhile_loses_nothing(hosted: Hosted, server: Machine, handed: Path) -> None:
    """Each attempt finds another main, one of them with other files of the same names."""
    script = hosted.folder / "somebody"
    name = _of(handed, ".mp3").name
    script.write_text(
        f"cd {hosted.folder}/author && export GIT_CONFIG_GLOBAL={hosted.folder}/authors-config\n"
        f"date +%N >> prompts/diary.txt; mkdir -p site/audio; echo theirs > site/audio/{name}\n"
        f"git=({shutil.which('git')}); $git add --all && $git commit --quiet -m Meanwhile\n"
        "$git push --quiet origin HEAD:main\n"
    )
    ran = server.run("render", "keep", programs=failing("push", 3, f"bash {script}"))
    assert unsuccessful(ran) == {}
    subjects = hosted.git("log", "--format=%s", "main", at="hosted.git").splitlines()
    assert subjects == ["Render 2 clips", *["Meanwhile"] * 3, "All there is"]
    assert len(hosted.git("show", "main:prompts/diary.txt", at="hosted.git").splitlines()) == 3
    for path in handed.iterdir():
        assert hosted.git("hash-object", path) == hosted.files()[f"site/audio/{path.name}"]


def test_clips_that_cannot_be_pushed_are_there_for_the_next_attempt(
    hosted: Hosted, server: Machine, handed: Path
) -> None:
    before = hosted.files()
    ran = server.run("render", "keep", programs=failing("fetch", 99))
    assert unsuccessful(ran) == {"Commit the clips": "failure"}
    assert "They are kept: run the failed jobs again" in ran["Commit the clips"].out
    assert hosted.files() == before
    (server.folder / "programs/git").unlink()
    assert unsuccessful(server.run("render", "keep")) == {}
    assert len(renders(hosted)) == 2
    again = server.run("render", "keep")
    assert again["Commit the clips"].outputs == {}, "what main has already is not pushed again"


def _of(handed: Path, suffix: str = ".json") -> Path:
    return sorted(handed.glob(f"*{suffix}"))[0]


def _edited(handed: Path, **changes: object) -> None:
    record = json.loads(_of(handed).read_text())
    for name, value in changes.items():
        table, _, field = name.rpartition("__")
        (record[table] if table else record)[field] = value
    _of(handed).write_text(json.dumps(record))


def _swapped(handed: Path, suffix: str) -> None:
    first, second = sorted(handed.glob(f"*{suffix}"))
    first.write_bytes(second.read_bytes())


def _other_key(handed: Path) -> None:
    for path in handed.glob(f"{_of(handed).stem}.*"):
        path.rename(path.with_name(f"{'0' * 32}{path.suffix}"))


HOSTILE: dict[str, Callable[[Path], object]] = {
    "script": lambda handed: (handed / "run.sh").write_text("x"),
    "folder": lambda handed: (handed / f"{'a' * 32}.mp3").mkdir(),
    "workflow": lambda handed: shutil.copytree(ROOT / ".github", handed / ".github"),
    "upper-case name": lambda handed: _of(handed).rename(handed / f"{'A' * 32}.json"),
    "line end in a name": lambda handed: (handed / f"{'a' * 32}.mp3\n::warning::x").write_text("x"),
    "link": lambda handed: _of(handed, ".mp3").rename(handed.parent / "x") and _of_link(handed),
    "pipe": lambda handed: os.mkfifo(handed / f"{'a' * 32}.mp3"),
    "a lone file": lambda handed: _of(handed).unlink(),
    "an empty file": lambda handed: _of(handed, ".webp").write_bytes(b""),
    "large audio": lambda handed: os.truncate(_of(handed, ".mp3"), 32_000_001),
    "large record": lambda handed: _of(handed).write_text(" " * 100_001),
    "a page as a cover": lambda handed: _of(handed, ".webp").write_text("<svg onload=alert(1)>"),
    "a pointer as audio": lambda handed: _of(handed, ".mp3").write_text("version https://git-lfs"),
    "another's audio": lambda handed: _swapped(handed, ".mp3"),
    "another's cover": lambda handed: _swapped(handed, ".webp"),
    "another's key": _other_key,
    "no JSON": lambda handed: _of(handed).write_text("{"),
    "a list": lambda handed: _of(handed).write_text("[]"),
    "deep JSON": lambda handed: _of(handed).write_text('{"a":' + "[" * 40_000),
    "a long number": lambda handed: _of(handed).write_text('{"version": 1' + "0" * 9_000 + "}"),
    "a field twice": lambda handed: _of(handed).write_text('{"version": 2, ' + _of(handed).read_text()[1:]),
    "a later version": lambda handed: _edited(handed, version=2),
    "a sketch": lambda handed: _edited(handed, engine="sketch"),
    "an unknown field": lambda handed: _edited(handed, x=1),
    "an unknown field of the request": lambda handed: _edited(handed, request__x=1),
    "a text for a number": lambda handed: _edited(handed, request__seed="1"),
    "a table for a text": lambda handed: _edited(handed, request__prompt={"x": 1}),
    "an endless number": lambda handed: _edited(handed, request__top_p=float("inf")),
    "another size": lambda handed: _edited(handed, preview__bytes=1),
}


def _of_link(handed: Path) -> None:
    [key] = {path.stem for path in handed.glob("*.json")} - {path.stem for path in handed.glob("*.mp3")}
    (handed / f"{key}.mp3").symlink_to(handed.parent / "x")


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_of_what_is_not_whole_clips_is_taken(handed: Path, tmp_path: Path, kind: str) -> None:
    HOSTILE[kind](handed)
    command = [sys.executable, "-I", ROOT / ".github/accept_clips.py", handed, tmp_path / "accepted"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert all(line.startswith("::error::Rendered clips are not taken: ") for line in ran.stdout.splitlines())
    assert not (tmp_path / "accepted").exists()


def test_a_runner_that_went_wrong_pushes_nothing(hosted: Hosted, server: Machine, handed: Path) -> None:
    before = hosted.files()
    _edited(handed, request__seed="1")
    ran = server.run("render", "keep")
    assert unsuccessful(ran) == {"Look at the clips": "failure", "Commit the clips": "skipped"}
    assert hosted.files() == before


def test_whole_clips_are_taken_whatever_they_ask_for(handed: Path, tmp_path: Path) -> None:
    """The script's list of a record's fields is the tool's own. No engine makes a clip of unknown seed."""
    from gallery.prompts.request import Request

    fields = runpy.run_path(str(ROOT / ".github/accept_clips.py"))["FIELDS"]
    record = json.loads(_of(handed).read_text())
    assert fields[""] == record.keys()
    assert fields["request"] == Request.model_fields.keys() - {"audio"}
    assert fields["preview"] == record["preview"].keys()
    command = [sys.executable, "-I", ROOT / ".github/accept_clips.py", handed, tmp_path / "accepted"]
    subprocess.run(command, check=True)
    assert Gallery(tmp_path).files("accepted") == Gallery(handed.parent).files("clips")
