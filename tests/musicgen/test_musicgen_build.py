"""`gallery build --engine musicgen`, from prompt files to records, with tiny checkpoints."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Gallery

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def tiny_gallery(gallery: Gallery) -> Gallery:
    from musicgen.tiny_checkpoints import SNIPPETS, write_checkpoint

    for kind in ("mono", "stereo"):
        write_checkpoint(gallery.root / f"tiny-{kind}", kind)
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
    built = tiny_gallery.run("build", "--engine", "musicgen")
    assert built.code == 0, built.err
    made = records(tiny_gallery.root)
    assert len(made) == 6
    text = json.dumps(made)
    assert '"engine": "musicgen"' in text
    assert '"dtype": "float32"' in text
    assert "sketch" not in text
    stamps = {path.name: path.stat().st_mtime_ns for path in (tiny_gallery.root / "site/audio").iterdir()}
    assert tiny_gallery.run("build", "--engine", "musicgen").code == 0
    assert stamps == {
        path.name: path.stat().st_mtime_ns for path in (tiny_gallery.root / "site/audio").iterdir()
    }


def test_a_model_that_cannot_be_loaded_fails_its_clips_alone(tiny_gallery: Gallery) -> None:
    (tiny_gallery.root / "tiny-stereo" / "compression_state_dict.bin").write_bytes(b"torn")
    built = tiny_gallery.run("build", "--engine", "musicgen")
    assert built.code != 0
    assert "tests/tiny-stereo" in built.err + built.out
    assert len(records(tiny_gallery.root)) == 3


def test_the_shipped_prompts_become_real_clips(gallery: Gallery) -> None:
    """Every curated prompt, at a sixteenth of its length, on tiny checkpoints of every kind."""
    from musicgen.tiny_checkpoints import KINDS, write_checkpoint

    settings = tomllib.loads((ROOT / "gallery.toml").read_text())
    for kind in ("mono", "stereo", "audiogen"):
        write_checkpoint(gallery.root / kind, kind)
    lines = []
    for name, model in settings["models"].items():
        kind = (
            "audiogen" if model["kind"] == "audiogen" else "stereo" if model.get("channels") == 2 else "mono"
        )
        lines += [f"[models.{name}]", f'hub = "tests/{name}"', f'folder = "{kind}"', 'kind = "musicgen"']
        lines += [f"channels = {model.get('channels', 1)}", f"sample_rate = {KINDS[kind].sample_rate}"]
        if kind == "audiogen":
            lines[-3] = 'kind = "audiogen"'
    gallery.write("gallery.toml", "\n".join(lines))
    for path in (ROOT / "prompts").rglob("*.*"):
        text = path.read_text()
        if path.suffix == ".md" and "duration:" not in text:
            text = text.replace("---\n", "---\nduration: 10\n", 1)
        short = re.sub(r"(?m)^(\s*duration: )(.+)$", _shortened, text)
        gallery.write(f"prompts/{path.relative_to(ROOT / 'prompts').as_posix()}", short)
    built = gallery.run("build", "--engine", "musicgen")
    assert built.code == 0, built.err
    published = json.loads((gallery.root / "site/catalogue.json").read_text())["prompts"]
    clips = [clip for entry in published for clip in entry["clips"]]
    assert len(published) >= 48
    assert {(clip["state"], clip["engine"]) for clip in clips} == {("render", "musicgen")}
    assert all((gallery.root / "site" / clip["audio"]).is_file() for clip in clips)
    page = (gallery.root / "site/prompts/edm/anthem-guidance/index.html").read_text()
    assert "tests/medium" in page
    assert gallery.run("store", "verify").code == 0


def _shortened(line: re.Match[str]) -> str:
    return line[1] + re.sub(r"[\d.]+", lambda number: str(max(0.5, float(number[0]) / 16)), line[2])
