"""`gallery build --engine musicgen`, from prompt files to records, with tiny checkpoints."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.galleries import Gallery
    from support.tiny_engine import Tiny


@pytest.fixture
def tiny_gallery(gallery: Gallery, tiny: Callable[..., Tiny]) -> Gallery:
    from support.tiny_checkpoints import SNIPPETS

    for kind in ("mono", "stereo"):
        made = tiny(kind)
        shutil.copytree(made.root / str(made.model.folder), gallery.root / f"tiny-{kind}")
    gallery.write("gallery.toml", "\n".join(SNIPPETS[kind] for kind in ("mono", "stereo")))
    gallery.prompt(
        "drums",
        "prompt: slow drums",
        "duration: 1",
        "vary:",
        "  seed: [1, 2, 3]",
        "  model: [tiny-mono, tiny-stereo]",
    )
    return gallery


def records(root: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((root / "site" / "audio").glob("*.json"))]


def test_prompts_become_real_records(tiny_gallery: Gallery) -> None:
    settings = tiny_gallery.root / "gallery.toml"
    settings.write_text(settings.read_text() + "[musicgen]\nbatch_size = 2\n")
    built = tiny_gallery.run("build", "--engine", "musicgen")
    assert built.code == 0, built.err
    made = records(tiny_gallery.root)
    assert len(made) == 6
    assert {record["provenance"]["batch_size"] for record in made} == {2}
    text = json.dumps(made)
    assert '"engine": "musicgen"' in text
    assert '"dtype": "float32"' in text
    assert "sketch" not in text
    stamps = {path.name: path.stat().st_mtime_ns for path in (tiny_gallery.root / "site/audio").iterdir()}
    assert tiny_gallery.run("build", "--engine", "musicgen").code == 0
    assert stamps == {
        path.name: path.stat().st_mtime_ns for path in (tiny_gallery.root / "site/audio").iterdir()
    }


def test_quiet_prints_what_is_wrong_and_nothing_else(
    tiny_gallery: Gallery, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model is loaded, clips are rendered, kept and published: not a word of it, on neither output."""
    from gallery.utils import progress

    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0)
    tiny_gallery.prompt("drums", "prompt: slow drums", "model: tiny-mono", "duration: 1")
    quiet = ("build", "--engine", "musicgen", "--device", "cpu", "--quiet")
    built = tiny_gallery.run(*quiet)
    assert (built.code, built.out, built.whole) == (0, "", "")
    assert len(records(tiny_gallery.root)) == 1
    # Of a file with faults and of a clip that is lost, a line each.
    tiny_gallery.prompt("broken", "prompt: rain", "duration: long")
    tiny_gallery.prompt("gone", "prompt: rain", f"audio: sha256:{'ab' * 32}")
    built = tiny_gallery.run(*quiet)
    told = built.err.splitlines()
    assert (built.code, built.out, len(told)) == (1, "", 2)
    assert "prompts/broken.md:3: duration" in told[0] and "prompts/gone.md: audio: the clip" in told[1]
    assert capfd.readouterr() == ("", "")


def test_what_is_told_while_it_renders(tiny_gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    from gallery.utils import progress

    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0)
    built = tiny_gallery.run("build", "--engine", "musicgen", "--no-sketches")
    told = [line for line in built.err.splitlines() if line.startswith("render")]
    assert told[0] == "rendering: 6 clips, 6 s of audio"
    for model in ("tiny-mono", "tiny-stereo"):
        begin = told.index(f"rendering: loading {model}")
        pace = rf"rendering with {model}: \d of 6 clips, [\d.]+ s of audio a second, \d+:\d\d left"
        assert re.fullmatch(pace, told[begin + 1])
    assert re.fullmatch(
        r"rendered: 6 clips, 6\.0 s of audio, .* minutes \(cpu\)(, \d+ s to load models)?", told[-1]
    )
    assert not [line for line in told[1:-1] if not line.startswith("rendering")]


def test_a_model_that_cannot_be_loaded_fails_its_clips_alone(tiny_gallery: Gallery) -> None:
    (tiny_gallery.root / "tiny-stereo" / "compression_state_dict.bin").write_bytes(b"torn")
    built = tiny_gallery.run("build", "--engine", "musicgen")
    assert built.code != 0
    assert "tests/tiny-stereo" in built.err + built.out
    assert len(records(tiny_gallery.root)) == 3


def test_a_page_shows_what_the_engine_tells(tiny_gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    from gallery.engines.musicgen import checkpoint
    from gallery.site.theme import labels

    real = checkpoint.load

    def from_the_hub(*arguments: Any) -> Any:
        return dataclasses.replace(real(*arguments), revision="ab" * 20)

    monkeypatch.setattr(checkpoint, "load", from_the_hub)
    tiny_gallery.prompt("drums", "prompt: slow drums", "duration: 1", "model: tiny-mono")
    assert tiny_gallery.run("build", "--engine", "musicgen").code == 0
    [record] = records(tiny_gallery.root)
    page = (tiny_gallery.root / "site/prompts/drums/index.html").read_text()
    made = page.partition("How it was made")[2].partition("</table>")[0]
    shown = " ".join(unescape(re.sub(r"<[^>]*>", " ", made)).split())
    told = record["provenance"]
    assert f"model revision {'ab' * 6} " in shown
    assert f"seconds taken {labels.number(told['seconds'])} " in shown
    assert f"precision float32 date {told['date']} " in shown
    assert "batch size 1 text encoder t5-base " in shown
