"""What every command has in common: how it tells mistakes, exit codes, and the ways to call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import gallery as package
from support import COMMAND, ROOT
from support.galleries import SETTINGS, Gallery
from support.terminal_colours import on_a_terminal


@pytest.fixture
def broken(gallery: Gallery) -> Gallery:
    gallery.prompt(
        "a", "prompt: slow F #minor", "duration: 10s", "vary:", "  cfg_coef: [1, 99, 3]", "guidance: 3"
    )
    gallery.prompt("b", "title: 雨: 夜")
    gallery.prompt("c", "prompt: a\u200bb##[group]")
    return gallery


SHOWN = """\
prompts/a.md:3: duration: "10s" is not a number; write 10: seconds, without the unit
    3 | duration: 10s
      |           ^^^
prompts/a.md:5: vary.cfg_coef[2]: 99 is out of range, 0 to 20
    5 |   cfg_coef: [1, 99, 3]
      |                 ^^
prompts/a.md:6: guidance: unknown field (did you mean "cfg_coef"?)
    6 | guidance: 3
      | ^^^^^^^^
prompts/b.md:2: title: has a ": " too many; put text that holds one in quotes, or indent all fields alike
    2 | title: 雨: 夜
      |        ^^^^^^
prompts/c.md:2: prompt: holds the invisible character U+200B; remove it
    2 | prompt: a\\u200bb##\\u005bgroup]
      |          ^^^^^^
warning: prompts/a.md:2: prompt: lacks "#minor": a # begins a comment; \
put the text in quotes if that belongs to it
    2 | prompt: slow F #minor
      |         ^^^^^^^^^^^^^
"""


def test_mistakes_are_shown_with_a_mark_under_the_place(broken: Gallery) -> None:
    assert broken.run("check").whole == SHOWN
    assert broken.run("build", "--engine", "none").whole == SHOWN, "by builds as well"


def test_a_long_line_is_shown_around_the_place(gallery: Gallery) -> None:
    gallery.prompt("a", "takes: [" + "{prompt: rain}, " * 40 + "{prompt: a, seed: -1}]")
    message, line, mark = gallery.run("check").whole.splitlines()
    assert message.endswith(": takes[41].seed: -1 is out of range, 0 to 4294967295")
    assert len(line) < 110
    assert line[mark.index("^") :].startswith("-1")


def test_mistakes_of_the_settings_are_shown_too(gallery: Gallery) -> None:
    gallery.write("gallery.toml", SETTINGS + "[limits]\ntags = -1\n")
    ran = gallery.run("check")
    number = SETTINGS.count("\n") + 2
    assert (ran.code, ran.whole) == (
        1,
        f"Error: gallery.toml:{number}: limits.tags: -1 is out of range, 0 to 100\n"
        f"{number:>5} | tags = -1\n      |        ^^\n",
    )


def test_in_colour_on_a_terminal_alone(broken: Gallery) -> None:
    command = [COMMAND, "--gallery", broken.root, "check"]
    told = on_a_terminal(command)
    assert "\x1b[1mprompts/a.md:3\x1b[0m: duration" in told
    assert "\x1b[31m\x1b[1m      |           ^^^\x1b[0m" in told
    assert "\x1b" not in broken.run("check").whole


def test_findings_as_json(broken: Gallery) -> None:
    ran = broken.run("check", "--format", "json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (1, "")
    assert {name: found[name] for name in ("version", "prompts", "clips")} == {
        "version": 1, "prompts": 0, "clips": 0,
    }  # fmt: skip
    assert found["findings"][0] == {
        "level": "error", "file": "prompts/a.md", "line": 3, "column": 11, "field": "duration",
        "message": '"10s" is not a number; write 10: seconds, without the unit',
    }  # fmt: skip
    assert [each["level"] for each in found["findings"]] == ["error"] * 5 + ["warning"]
    broken.write("gallery.toml", "nonsense")
    ran = broken.run("check", "--format", "json")
    [finding] = json.loads(ran.out)["findings"]
    assert (ran.code, finding["file"]) == (1, "") and finding["message"].startswith("gallery.toml: not valid")


def test_findings_as_sarif(broken: Gallery) -> None:
    (broken.root.parent / ".git").mkdir()
    ran = broken.run("check", "--format", "sarif")
    log = json.loads(ran.out)
    assert (ran.code, ran.err, log["version"]) == (1, "", "2.1.0")
    [run] = log["runs"]
    assert run["tool"]["driver"]["name"] == "gallery check"
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    first = run["results"][0]
    assert first["message"]["text"].startswith('duration: "10s" is not a number')
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "gallery/prompts/a.md"},
                "region": {"startLine": 3, "startColumn": 11},
            }
        }
    ]


def test_quiet_tells_only_what_is_wrong(broken: Gallery) -> None:
    ran = broken.run("check", "--quiet")
    assert (ran.code, ran.out, ran.whole) == (1, "", SHOWN)
    for name in ("a", "b", "c"):
        broken.prompt(name, f"prompt: {name}", "duration: 0.5")
    for command in (
        ("check", "-q"),
        ("build", "--engine", "sketch", "-q"),
        ("build", "--engine", "sketch", "-q"),
    ):
        ran = broken.run(*command, "-q")
        assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert "3 prompts in order" in broken.run("check").out


def run(*command: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=environment)


def test_as_a_module_and_its_version() -> None:
    ran = run(sys.executable, "-m", "gallery", "-V")
    assert (ran.returncode, ran.stdout) == (0, f"gallery, version {package.__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_as_the_docs_have_it(shell: str) -> None:
    documented = (ROOT / "docs/commands.md").read_text()
    assert f"_GALLERY_COMPLETE={shell}_source gallery" in documented
    words = {"COMP_WORDS": "gallery ch", "COMP_CWORD": "1" if shell != "fish" else "ch"}
    ran = run(COMMAND, _GALLERY_COMPLETE=f"{shell}_complete", **words)
    assert "check" in ran.stdout and "build" not in ran.stdout, ran.stderr


def test_the_browser_is_opened_where_the_site_is(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")):
        ran = gallery.run("serve", "--open", "--port", 0, "--host", host)
        assert ran.code == 0, ran.err
        address = opened.pop()
        assert address.startswith(f"http://{shown}:") and not address.endswith(":0/")
    gallery.run("serve", "--port", 0)
    assert not opened


EXITS = {
    ("check",): 0,
    ("check", "nowhere.md"): 2,
    ("check", "gallery.md"): 2,
    ("check", "--format", "xml"): 2,
    ("build", "nowhere", "--engine", "none"): 2,
    ("import", "nowhere"): 2,
    ("new", "--prompt", "rain", "--seed", "x"): 1,
    ("store", "push"): 1,
    ("store", "verify"): 0,
    ("serve", "--engine", "replicate"): 2,
    ("nonsense",): 2,
}


@pytest.mark.parametrize("command", EXITS, ids=" ".join)
def test_exit_codes_mean_the_same_everywhere(gallery: Gallery, command: tuple[str, ...]) -> None:
    gallery.write("gallery.md", "no prompt file, since it lies outside of prompts/")
    place = gallery.root / command[-1] if command[-1] == "gallery.md" else command[-1]
    ran = gallery.run(*command[:-1], place)
    assert ran.code == EXITS[command], ran.err
    assert "Traceback" not in ran.err
