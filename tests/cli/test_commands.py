"""The other commands, the documentation that describes them, and the package that carries them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.galleries import Gallery

if TYPE_CHECKING:
    from collections.abc import Iterator

from support import COMMAND, ROOT


def test_the_shipped_gallery_is_in_order() -> None:
    ran = Gallery(ROOT).run("check", "--strict")
    assert ran.code == 0, ran.err
    prompts, clips = (int(part.split()[0]) for part in ran.out.split(";")[0].split(" in order, "))
    assert prompts >= 48
    assert clips >= 100


def test_the_reference_pages_are_those_of_the_code() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout


def test_new_from_options(gallery: Gallery) -> None:
    ran = gallery.run(
        "new", "--prompt", 'slow: "rain", 70 bpm', "--folder", "Ambient Music",
        "--tag", "rain", "--tag", "calm", "--author", "octocat", "--model", "stereo-small",
        "--seed", 5, "--cfg-coef", 4.5, "--note", "A *note*.",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "wrote prompts/ambient-music/slow-rain-70-bpm.md" in ran.out
    text = (gallery.root / "prompts/ambient-music/slow-rain-70-bpm.md").read_text()
    assert "seed: 5" in text
    assert "cfg_coef: 4.5" in text
    assert "top_k" not in text, "a default needs no line"
    assert gallery.run("check", "--strict").code == 0
    again = gallery.run("new", "--prompt", 'slow: "rain", 70 bpm', "--folder", "ambient-music")
    assert again.code == 1
    assert "is there already" in again.err


def test_new_refuses_what_check_would_and_leaves_nothing(gallery: Gallery) -> None:
    ran = gallery.run("new", "--prompt", "rain", "--folder", "a", "--cfg-coef", 99)
    assert ran.code == 1
    assert "cfg_coef: 99 is out of range, 0 to 20" in ran.err
    assert not list((gallery.root / "prompts").rglob("*.md"))


def test_new_names_no_file_that_it_did_not_write(gallery: Gallery) -> None:
    ran = gallery.run("new", "--prompt", "rain", "--folder", "a", "--author", "octo cat", "--tag", "lo_fi")
    assert ran.code == 1
    assert ".md" not in ran.err and "author: " in ran.err and "tags[1]: " in ran.err
    assert not [*(gallery.root / "prompts").iterdir()], "not even a folder"


def test_new_mends_what_options_can_only_mean(gallery: Gallery) -> None:
    ran = gallery.run(
        "new", "--prompt", "rain", "--folder", "Field Recordings/Früh", "--tag", "Lo-Fi", "--tag", "#Rain",
        "--author", "@octocat", "--temperature", "0,8", "--duration", "10s",
    )  # fmt: skip
    assert ran.out.startswith("wrote prompts/field-recordings/fruh/rain.md;"), ran.err
    text = (gallery.root / "prompts/field-recordings/fruh/rain.md").read_text()
    assert "tags:\n- lo-fi\n- rain\nauthor: octocat\n" in text and "\ntemperature: 0.8\n" in text
    assert "duration" not in text, "ten seconds are the default"


@pytest.mark.parametrize(
    ("options", "file"),
    [
        ((), "rain.md"),
        (("--title", "Readme"), "prompt-readme.md"),
        (("--title", "CON", "--folder", "Aux"), "prompt-aux/prompt-con.md"),
        (("--folder", "../../etc"), "etc/rain.md"),
    ],
)
def test_new_writes_where_the_file_is_read(gallery: Gallery, options: tuple[str, ...], file: str) -> None:
    assert f"wrote prompts/{file};" in gallery.run("new", "--prompt", "rain", *options).out
    assert gallery.run("check").out.startswith("1 prompt in order")


def test_new_asks_again_until_an_answer_is_one(gallery: Gallery) -> None:
    answers = {
        "What should it sound like": ["rain"],
        "Folder": ["Lo-Fi"],
        "Title": [""],
        "Tags": ["Lo-Fi, lo_fi", "Lo-Fi, #Piano"],
        "handle": ["octo cat", "@octocat"],
        "Model": ["huge", "small"],
        "Duration": ["long", "500", "7,5 s"],
        "Seed": ["1.5", "7"],
        "Other": ["y"],
        "temperature": ["9", "0,8"],
        "top_k": [""], "top_p": [""], "cfg_coef": [""], "extend_stride": ["99", ""],
        "note": [""],
    }  # fmt: skip
    typed = [answer for given in answers.values() for answer in given]
    ran = gallery.run("new", stdin="\n".join(typed) + "\n")
    assert ran.code == 0, ran.out + ran.err
    refused = [line.removeprefix("Error: ") for line in (ran.out + ran.err).splitlines() if "Error: " in line]
    assert [line.split(";")[0] for line in refused] == [
        '"lo_fi" is not accepted',
        '"octo cat" is not accepted',
        '"huge" is not a model of this gallery',
        '"long" is not a number',
        "500 s is more than this gallery makes, 120 s at most",
        "1.5 is not a whole number",
        "9 is out of range, 0 to 5",
        "99 is out of range, above 0, below 30",
    ]
    text = (gallery.root / "prompts/lo-fi/rain.md").read_text()
    for line in ("- lo-fi\n- piano", "author: octocat", "duration: 7.5", "seed: 7", "temperature: 0.8"):
        assert f"\n{line}\n" in text


def test_new_asks_for_another_name_where_one_is_taken(gallery: Gallery) -> None:
    gallery.prompt("lofi/rain", "prompt: rain")
    typed = ["rain", "lofi", "", "Rain!", "Rain again", *[""] * 7]
    ran = gallery.run("new", stdin="\n".join(typed) + "\n")
    assert ran.code == 0, ran.err
    assert ran.out.count("prompts/lofi/rain.md is there already; give another name") == 2
    assert "wrote prompts/lofi/rain-again.md;" in ran.out
    ran = gallery.run("new", "--title", "Rain", stdin="\n".join(["snow", "lofi", "night", *[""] * 7]) + "\n")
    assert "wrote prompts/night/rain.md;" in ran.out and ran.out.count("is there already") == 1


def test_new_refuses_an_option_before_it_asks_anything(gallery: Gallery) -> None:
    ran = gallery.run("new", "--model", "huge", "--duration", "10s", stdin="rain\n" * 20)
    assert ran.code == 1 and "What should it sound like" not in ran.out
    assert ran.err.startswith('Error: model: "huge" is not a model of this gallery')


def test_new_asks(gallery: Gallery) -> None:
    answers = [
        "雨の夜",
        "japan",
        "",
        "rain, night",
        "octocat",
        "",
        "8",
        "11",
        "y",
        "0.9",
        "",
        "",
        "",
        "",
        "A note.",
    ]
    ran = gallery.run("new", stdin="\n".join(answers) + "\n")
    assert ran.code == 0, ran.out + ran.err
    [path] = (gallery.root / "prompts/japan").glob("*.md")
    text = path.read_text()
    for line in (
        "prompt: 雨の夜",
        "- night",
        "author: octocat",
        "duration: 8",
        "seed: 11",
        "temperature: 0.9",
    ):
        assert line in text
    assert text.endswith("---\nA note.\n")
    assert gallery.run("check", "--strict").code == 0


def test_doctor(gallery: Gallery) -> None:
    ran = gallery.run("doctor")
    assert ran.code == 0, ran.out
    subjects = [line.split()[1] for line in ran.out.splitlines()]
    assert subjects == [
        "gallery",
        "packages",
        "ffmpeg",
        "gpu",
        "gallery.toml",
        "workspace",
        "replicate",
        "cluster",
        "engine",
    ]
    assert "ffmpeg version" in ran.out
    gallery.write("gallery.toml", "nonsense")
    ran = gallery.run("doctor")
    assert ran.code == 1
    assert "BAD gallery.toml" in ran.out


def test_doctor_shows_the_line_that_names_the_tool_as_it_was_called(gallery: Gallery) -> None:
    """With the new name pip refuses it as soon as it leads to this version."""
    address = f"git+https://github.com/octocat/gallery@{'a' * 40}"
    gallery.write("requirements.txt", f"--constraint constraints.txt\ngallery @ {address}\n")
    gallery.write("requirements-musicgen.txt", f"# all\n\ngallery [melody,musicgen]@{address} # pinned\n")
    gallery.write("requirements-other.txt", f"musicgen-gallery @ {address}\ngallery-tools @ {address}\n.\n")
    ran = gallery.run("doctor")
    assert ran.code == 0, ran.out
    told = [line.split(None, 2)[2] for line in ran.out.splitlines() if line.startswith("ok  requirements")]
    advice = "for a newer version of the tool, with its address, write musicgen-gallery"
    assert told == [
        f"requirements-musicgen.txt:3: {advice}[melody,musicgen] @ {address} # pinned",
        f"requirements.txt:2: {advice} @ {address}",
    ]


def test_every_option_has_help() -> None:
    import click

    from gallery.cli import main

    def walk(command: click.Command) -> Iterator[click.Command]:
        yield command
        for child in getattr(command, "commands", {}).values():
            yield from walk(child)

    for command in walk(main):
        assert command.help, command.name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{command.name} {parameter.name}"


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _until(condition: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():  # type: ignore[operator]
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")


@pytest.mark.slow
def test_serve_builds_serves_and_builds_again_on_change(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: first words", "duration: 1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [COMMAND, "--gallery", gallery.root, "serve", "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        _until(lambda: _get(f"{url}/")[0] == 200)
        page = f"{url}/prompts/a/index.html"
        assert "first words" in _get(page)[1]
        assert "/-/reload.js" in _get(page)[1]
        assert "/-/reload.js" not in (gallery.root / "site/prompts/a/index.html").read_text()
        assert _get(f"{url}/none/")[0] == 404
        assert _get(f"{url}/../gallery.toml")[0] == 404
        audio = next((gallery.root / "site/sketches").glob("*.mp3")).name
        part = urllib.request.Request(f"{url}/sketches/{audio}", headers={"Range": "bytes=100-199"})
        with urllib.request.urlopen(part, timeout=10) as response:
            assert response.status == 206, "seeking needs ranges"
            assert len(response.read()) == 100
        changes = urllib.request.urlopen(f"{url}/-/changes", timeout=20)
        assert changes.readline() == b"retry: 500\n"
        gallery.prompt("a", "prompt: second words", "duration: 1")
        _until(lambda: "second words" in _get(page)[1])
        assert b"data: changed" in changes.read()
        gallery.prompt("a", "prompt: third", "duration: -1")
        time.sleep(1)
        assert "second words" in _get(page)[1], "a faulty file leaves the site as it was"
    finally:
        server.send_signal(2)
        _, told = server.communicate(timeout=20)
    assert b"duration: -1 is out of range" in told
    assert b"Traceback" not in told, told.decode()


@pytest.mark.slow
def test_the_wheel_carries_the_templates(gallery: Gallery, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    gallery.prompt("a", "prompt: from a wheel", "duration: 1")
    program = "import gallery, sys; print(gallery.__file__); from gallery.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program, "build", "--engine", "sketch"],
        cwd=gallery.root,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(str(tmp_path / "installed"))
    assert "from a wheel" in (gallery.root / "site/prompts/a/index.html").read_text()
