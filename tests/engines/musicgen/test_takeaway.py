"""The Python that visitors take along runs on stock audiocraft, and makes the same clip."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from gallery.catalogue.formats import audiocraft
from gallery.config import Model
from gallery.engines.musicgen import MusicGenEngine
from gallery.prompts.request import Request
from support import audiocraft_copies
from support.tiny_checkpoints import KINDS, write_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.engines import Failure, Render


@pytest.fixture
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose text encoder has the width that audiocraft knows it by."""
    return write_checkpoint(tmp_path_factory.mktemp(kind) / kind, kind, text_width=768)


def run(program: str, folder: Path, out: Path) -> Any:
    """Run a program beside the text encoder that the checkpoint names; returns what it wrote."""
    shutil.copytree(folder / "t5-base", out / "t5-base")
    # audiocraft as it is, but for what it imports and does not need here.
    assert audiocraft_copies.run(program, out, stood_in=True)[0] == 0
    return soundfile.read(out / "clip.wav", dtype="float32", always_2d=True)


def rendered(request: Request, folder: Path) -> Render | Failure:
    shape = KINDS[folder.name]
    model = Model(
        hub="tests/tiny",
        folder=str(folder),
        kind=shape.model_kind,
        sample_rate=shape.sample_rate,
        channels=2 if shape.stereo else 1,
    )
    engine = MusicGenEngine({"tiny": model}, root=folder, device="cpu")
    return next(engine.render([request]))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("mono", {"temperature": 0, "prompt": "a march of many brass players"}),
        (
            "stereo",
            {"top_p": 0.8, "temperature": 0.9, "cfg_coef": 4.5, "seed": 2**32 - 1, "prompt": 'it\'s "loud"'},
        ),
        ("audiogen", {"seed": 7}),
    ],
)
def test_it_runs_and_makes_the_clip(folder: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    asked = {"prompt": "slow drums, warm bass", "duration": 0.62, **fields}
    expected = rendered(Request(model="tests/tiny", **asked), folder)
    # The hub's name of a model can also be the folder that it is in.
    model = Model(hub="tests/tiny", kind=KINDS[folder.name].model_kind)
    program = audiocraft(Request(model=str(folder), **asked), model)
    samples, rate = run(program, folder, tmp_path)
    assert rate == expected.sample_rate and samples.shape == expected.audio.shape
    # One other token, and nothing would be alike: what is left is rounding in the codec.
    assert np.abs(samples - expected.audio).max() < 1e-5 * np.abs(expected.audio).max() + 1e-7
