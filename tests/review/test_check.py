"""`gallery check` as contributors meet it: on the files that they changed, and in GitHub's annotations."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.galleries import SETTINGS, Gallery

# How GitHub's runner reads a line (actions/runner, ActionCommand.cs): the newer form at its
# beginning, the older one, ##[name], anywhere; and the commands that it knows.
COMMANDS = (
    "add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice|"
    "remove-matcher|save-state|set-env|set-output|stop-commands|warning"
)
UNESCAPED = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


def unescape(text: str, *, whole: bool) -> str:
    for escaped, char in UNESCAPED:
        if whole or char not in ":,":
            text = text.replace(escaped, char)
    return text


def commands(log: str) -> list[tuple[str, dict[str, str], str]]:
    """Every command that the runner would carry out, with its properties and its message."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        newer = re.match(rf"\s*::({COMMANDS})( [^\n]*?)?::(.*)", line)
        older = re.search(rf"##\[({COMMANDS})[ \]]", line)
        if newer:
            pairs = [pair.split("=", 1) for pair in (newer[2] or "").strip().split(",") if "=" in pair]
            properties = {name: unescape(value, whole=True) for name, value in pairs}
            found.append((newer[1], properties, unescape(newer[3], whole=False)))
        elif older:
            found.append((older[1], {}, line))
    return found


def annotations(gallery: Gallery, *args: object) -> list[tuple[str, dict[str, str], str]]:
    ran = gallery.run("check", "--format", "github", *args)
    return commands(ran.out + "\n" + ran.err)


def test_annotations_name_file_line_and_field(gallery: Gallery) -> None:
    gallery.prompt("edm/anthem", "prompt: a", "cfg_coef: 42", "temprature: 1")
    gallery.prompt("lofi/a", "prompt: rain")
    gallery.prompt("lofi/b", "prompt: rain")
    ran = gallery.run("check", "--format", "github")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "::error file=prompts/edm/anthem.md,line=3,title=cfg_coef::"
        "prompts/edm/anthem.md:3: cfg_coef: 42 is out of range, 0 to 20",
        "::error file=prompts/edm/anthem.md,line=4,title=temprature::"
        'prompts/edm/anthem.md:4: temprature: unknown field (did you mean "temperature"?)',
        "::warning file=prompts/lofi/b.md,title=gallery check::prompts/lofi/b.md: "
        "a clip is the same request as one of prompts/lofi/a.md; it is rendered once",
        "2 prompts in order, 2 clips; 2 faults, 1 warning",
    ]


def test_annotations_leave_the_exit_code_as_it_is(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: rain")
    assert gallery.run("check", "--format", "github").code == 0
    gallery.prompt("b", "prompt: rain")
    assert gallery.run("check", "--format", "github").code == 0
    assert gallery.run("check", "--format", "github", "--strict").code == 1


@pytest.mark.parametrize("folder", ["music, mine: 100%", "a\n::error::x", "a\r::error::x"])
def test_annotations_name_files_from_the_root_of_the_repository(tmp_path: Path, folder: str) -> None:
    (tmp_path / ".git").mkdir()
    gallery = Gallery(tmp_path / folder / "gallery").begin()
    gallery.prompt("a", "prompt: a", "seed: x")
    [(level, properties, message)] = annotations(gallery)
    assert (level, properties["file"]) == ("error", f"{folder}/gallery/prompts/a.md")
    assert message.endswith('/gallery/prompts/a.md:3: seed: "x" is not a whole number')


def test_annotations_of_the_settings(gallery: Gallery) -> None:
    gallery.write("gallery.toml", SETTINGS + '\n[limits]\ntags = "::stop-commands::x"\n')
    ran = gallery.run("check", "--format", "github")
    assert ran.code == 1
    [(level, properties, message)] = commands(ran.out + ran.err)
    line = SETTINGS.count("\n") + 3
    assert (level, properties["file"], properties["line"]) == ("error", "gallery.toml", str(line))
    assert "::stop-commands::x" in message
    gallery.write("gallery.toml", "not toml")
    [(level, properties, message)] = annotations(gallery)
    assert level == "error"
    assert message.startswith("gallery.toml: not valid TOML")


HOSTILE = (
    "::stop-commands::x",
    "a\n::set-output name=a::b",
    "a\r::set-output name=a::b",
    "x ##[set-output name=a;]b",
    "a,line=1::add-mask::s",
    "50% %0A::error::x",
    "\u2028::error::x",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_can_give_the_runner_another_command(gallery: Gallery, text: str) -> None:
    quoted = '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'
    gallery.prompt("value", "prompt: a", f"model: {quoted}", f"tags: [{quoted}]", f"author: {quoted}")
    gallery.prompt("field", "prompt: a", f"{quoted}: 1")
    gallery.prompt("preset", "prompt: a", "preset: none")
    gallery.write("prompts/presets.yaml", f"{quoted}:\n  {quoted}: 1\n")
    gallery.write(f"prompts/{text.replace('/', '')}.md", "---\nprompt: a\n---\n")
    found = annotations(gallery)
    assert {level for level, *_ in found} == {"error"}
    assert {properties["file"] for _, properties, _ in found} >= {
        "prompts/value.md",
        "prompts/field.md",
        "prompts/preset.md",
        "prompts/presets.yaml",
    }
    plain = gallery.run("check")
    assert [message for *_, message in found] == plain.err.splitlines()
    assert commands(plain.out) == []
    assert commands(plain.err) == [], "the lines for people are read by the runner as well"


def test_it_renders_and_writes_nothing(gallery: Gallery) -> None:
    gallery.prompt("lofi/rain", "prompt: rain", "duration: 1")
    gallery.prompt("edm/bad", "prompt: a", "seed: x")
    before = gallery.files("")
    for options in ([], ["--format", "github"], ["--strict"]):
        assert gallery.run("check", *options).code == 1
    assert gallery.files("") == before


def test_a_long_path_is_named_whole_and_its_clips_are_made(gallery: Gallery) -> None:
    name = "electronic-music-of-the-nineties/a-name-that-goes-on-for-longer-than-most"
    gallery.prompt(name, "prompt: a", "seed: x", "duration: 1")
    [(_, properties, _)] = annotations(gallery)
    assert properties["file"] == f"prompts/{name}.md"
    gallery.prompt(name, "prompt: a", "duration: 1")
    assert "to render                1 clips" in gallery.run("build", "--dry-run").out


def wave(gallery: Gallery, name: str, seconds: float) -> Path:
    path = gallery.write(name, b"")
    soundfile.write(path, np.zeros(int(8000 * seconds), np.float32), 8000)
    return path


def test_every_changed_file_may_be_passed(gallery: Gallery) -> None:
    prompts = gallery.root / "prompts"
    changed = [
        gallery.prompt("lofi/rain", "prompt: rain"),
        gallery.write("prompts/lofi/README.md", "# Lofi\n"),
        gallery.write("prompts/lofi/.draft.md", "nothing yet"),
        gallery.write("prompts/.obsidian/note.md", "nothing yet"),
        gallery.write("prompts/lofi/cover.png", b"\x89PNG"),
        wave(gallery, "prompts/lofi/tune.wav", 1),
    ]
    gallery.prompt("edm/bad", "prompt: a", "seed: x")
    ran = gallery.run("check", *changed)
    assert ran.code == 0, ran.err
    assert ran.out == "1 prompt in order, 1 clip; 0 faults, 0 warnings\n"
    assert ran.err.splitlines() == [
        f"passed over, no prompt file: prompts/{name}"
        for name in ("lofi/README.md", "lofi/.draft.md", ".obsidian/note.md", "lofi/cover.png")
    ]
    assert gallery.run("check", *changed, prompts / "edm").code == 1
    only_others = gallery.run("check", changed[1])
    assert only_others.out == "0 prompts in order, 0 clips; 0 faults, 0 warnings\n"
    assert only_others.code == 0


MISNAMED = {
    "my-song.markdown": "my-song.md",
    "lofi/my-song.md.txt": "my-song.md",
    "My Song.MKD": "my-song.md",
    "lofi/song.md.rtf": "song.md",
    "song.txt": "song.md",
    "song": "song.md",
    "song.yaml": "song.md",
    "presets.yml": "presets.yaml",
    "Presets.yaml.txt": "presets.yaml",
    "lofi/presets.yaml": "prompts/presets.yaml",
}


@pytest.mark.parametrize("name", MISNAMED)
def test_a_file_that_nobody_reads_under_its_name_is_told(gallery: Gallery, name: str) -> None:
    path = gallery.write(f"prompts/{name}", "---\nprompt: rain\n---\n")
    told = f"prompts/{name}: is not read under this name; rename it to {MISNAMED[name]}\n"
    for ran in (gallery.run("check"), gallery.run("check", path), gallery.run("check", path.parent)):
        assert (ran.code, ran.err) == (1, told)
    assert gallery.run("build", "--engine", "none").code == 0, "what builds read is all in order"


@pytest.mark.parametrize(
    "name",
    ["README.md", "readme.markdown", "README", "LICENSE", "notes.txt", "cover.png", ".song.markdown",
     ".obsidian/song.markdown", "song.md.bak", "settings.yml"],
)  # fmt: skip
def test_other_files_are_nobodys_business(gallery: Gallery, name: str) -> None:
    gallery.write(f"prompts/{name}", "---\nwhat: lies here\n" if name.endswith("yml") else "What lies here\n")
    ran = gallery.run("check")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("name", ["gallery.toml", "prompts/presets.yaml"])
def test_what_every_prompt_depends_on_has_every_prompt_checked(gallery: Gallery, name: str) -> None:
    gallery.write("prompts/presets.yaml", "loose:\n  cfg_coef: 2\n")
    fine = gallery.prompt("fine", "prompt: a")
    gallery.prompt("bad", "prompt: a", "preset: faithful")
    assert gallery.run("check", fine).code == 0
    ran = gallery.run("check", fine, gallery.root / name)
    assert ran.err == 'prompts/bad.md:3: preset: "faithful" is not a preset; known: loose\n'
    assert ran.code == 1


def test_a_changed_melody_is_looked_at_by_itself(gallery: Gallery) -> None:
    fine, long = wave(gallery, "prompts/a/tune.wav", 1), wave(gallery, "prompts/a/long.wav", 61)
    noise = gallery.write("prompts/a/noise.ogg", b"not audio")
    assert gallery.run("check", fine).code == 0
    ran = gallery.run("check", fine, long, noise)
    assert ran.code == 1
    told = ran.err.splitlines()
    assert told[0] == "prompts/a/long.wav: is 61.0 s long; accepted: up to 60 s"
    assert told[1].startswith("prompts/a/noise.ogg: is no audio that can be read")
    outside = wave(gallery, "tune.wav", 1)
    assert "not in this gallery's prompts/" in gallery.run("check", outside).err


# Tells every file that is opened and every folder that is listed.
WATCHED = """
import sys
from gallery.cli import main
watched = ("open", "os.listdir", "os.scandir")
sys.addaudithook(lambda event, args: event in watched and print(args[0], file=sys.stderr))
main()
"""


def test_one_file_is_checked_without_a_look_at_the_others(gallery: Gallery) -> None:
    path = gallery.prompt("lofi/rain", "prompt: rain")
    gallery.prompt("lofi/snow", "prompt: snow")
    gallery.prompt("edm/rise", "prompt: rise")
    command = [sys.executable, "-c", WATCHED, "--gallery", gallery.root, "check"]
    one = subprocess.run([*command, path], capture_output=True, text=True, check=True)
    prompts = str(gallery.root / "prompts")
    assert {line for line in one.stderr.splitlines() if line.startswith(prompts)} == {str(path)}
    everything = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {str(path.parent), str(path.with_name("snow.md"))} <= set(everything.stderr.splitlines())
