"""audiocraft on today's torch: what stands in for what, and that it says so when called."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support import audiocraft_copies

if TYPE_CHECKING:
    from pathlib import Path


def package(folder: Path, name: str, source: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(source)


def test_a_part_that_is_stood_in_for_says_so_when_it_is_called() -> None:
    from gallery.engines.musicgen.standins import MissingPart, Standin

    xformers = Standin("xformers", {"there": len})
    assert xformers.there([1]) == 1
    with pytest.raises(
        MissingPart, match=r"xformers\.ops\.fast is not available here; rendering .* not need it"
    ):
        xformers.ops.fast(1)
    with pytest.raises(MissingPart, match="run `gallery setup melody`"):
        Standin("librosa").filters.chroma()
    with pytest.raises(AttributeError):
        _ = xformers.__version__


def test_multi_band_diffusion_is_refused_clearly() -> None:
    from gallery.engines.musicgen.standins import MissingPart, import_audiocraft

    diffusion = import_audiocraft().models.MultiBandDiffusion
    said = "multi-band diffusion is not available here; clips are decoded with EnCodec's own decoder"
    with pytest.raises(MissingPart, match=said):
        diffusion.get_mbd_musicgen()


def test_stand_ins_are_seen_by_audiocraft_alone(tmp_path: Path) -> None:
    script = """
import sys
from gallery.engines.musicgen.standins import placed
print([name for name, module in sys.modules.items() if type(module).__name__ == "Standin"])
with placed():
    import xformers.ops
    import torch
    print(xformers.ops.unbind is torch.unbind)
print("xformers" in sys.modules)
"""
    assert audiocraft_copies.run(script, tmp_path) == (0, "[]\nTrue\nFalse\n")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is found where some packages work and others are broken."""
    folder = tmp_path_factory.mktemp("packages")
    package(folder, "torchaudio", "raise OSError('libc10_cuda.so: cannot open shared object file')")
    package(folder, "av", "real = True")
    package(folder, "spacy", "raise ValueError('numpy.dtype size changed')")
    script = f"""
import json, sys
sys.path.insert(0, {str(folder)!r})
from gallery.engines.musicgen.standins import import_audiocraft, usable
import_audiocraft()
from audiocraft.data import audio
from audiocraft.modules import chroma, conditioners
from transformers.utils import is_torchaudio_available
needless = [name for name in ("numba", "scipy.optimize") if name in sys.modules]
from transformers.loss.loss_utils import LOSS_MAPPING
print(json.dumps({{
    "usable": usable("torchaudio"),
    "spectrogram": chroma.torchaudio.transforms.Spectrogram.__module__,
    "seen by transformers": is_torchaudio_available(),
    "av": audio.av.real,
    "spacy": type(conditioners.spacy).__name__,
    "needless": needless,
    "losses": len(LOSS_MAPPING),
}}))
"""
    command = [sys.executable, "-W", "ignore", "-c", script]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_a_broken_package_is_stood_in_for_and_hidden_from_transformers(found: dict[str, Any]) -> None:
    assert found["usable"] is False
    assert found["spectrogram"] == "gallery.engines.musicgen.spectrogram"
    assert found["seen by transformers"] is False
    assert found["spacy"] == "Standin"


def test_a_package_that_works_is_used(found: dict[str, Any]) -> None:
    assert found["av"] is True


def test_what_melodies_and_training_need_is_imported_where_one_asks_for_it(found: dict[str, Any]) -> None:
    assert found["needless"] == []
    assert found["losses"]


def test_the_spectrogram_is_the_windowed_transforms_power() -> None:
    import numpy as np
    import torch

    from gallery.engines.musicgen.spectrogram import Spectrogram

    torch.manual_seed(0)
    wave = torch.randn(2, 1, 1000)
    size, hop = 64, 16
    found = Spectrogram(size, size, hop, power=2, normalized=True)(wave)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    padded = np.pad(wave.numpy()[1, 0], size // 2, mode="reflect")
    frames = [padded[start : start + size] * window for start in range(0, 1001, hop)]
    expected = np.abs(np.fft.rfft(frames).T) ** 2 / np.sum(window**2)
    assert found.shape == (2, 1, *expected.shape)
    assert np.allclose(found[1, 0], expected, rtol=1e-3, atol=1e-5)
    assert list(Spectrogram(size, size, hop).state_dict()) == ["window"]
