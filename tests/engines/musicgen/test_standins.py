"""audiocraft on today's torch: what stands in for what, and that it says so when called."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def run(script: str, *path: Path) -> str:
    """A script's output in a fresh Python with folders before all others on its path."""
    script = f"import sys\nsys.path[:0] = {[str(folder) for folder in path]!r}\n{script}"
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


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
    with pytest.raises(MissingPart, match="install the extra `melody`"):
        Standin("librosa").filters.chroma()
    with pytest.raises(AttributeError):
        _ = xformers.__version__


def test_multi_band_diffusion_is_refused_clearly() -> None:
    from gallery.engines.musicgen.standins import MissingPart, import_audiocraft

    diffusion = import_audiocraft().models.MultiBandDiffusion
    said = "multi-band diffusion is not available here; clips are decoded with EnCodec's own decoder"
    with pytest.raises(MissingPart, match=said):
        diffusion.get_mbd_musicgen()


def test_stand_ins_are_seen_by_audiocraft_alone() -> None:
    script = """
from gallery.engines.musicgen.standins import import_audiocraft, placed
import_audiocraft()
standins = [name for name, module in sys.modules.items() if type(module).__name__ == "Standin"]
print(standins)
with placed():
    import xformers.ops
    import torch
    print(xformers.ops.unbind is torch.unbind)
print("xformers" in sys.modules)
"""
    assert run(script) == "[]\nTrue\nFalse"


def test_a_broken_package_is_stood_in_for_and_hidden_from_transformers(tmp_path: Path) -> None:
    package(tmp_path, "torchaudio", "raise OSError('libc10_cuda.so: cannot open shared object file')")
    script = """
from gallery.engines.musicgen.standins import import_audiocraft, usable
import_audiocraft()
print(usable("torchaudio"))
from audiocraft.modules import chroma
print(chroma.torchaudio.transforms.Spectrogram.__module__)
from transformers.utils import is_torchaudio_available
print(is_torchaudio_available())
"""
    assert run(script, tmp_path) == "False\ngallery.engines.musicgen.spectrogram\nFalse"


def test_a_package_that_works_is_used(tmp_path: Path) -> None:
    package(tmp_path, "av", "real = True")
    package(tmp_path, "spacy", "raise ValueError('numpy.dtype size changed')")
    script = """
from gallery.engines.musicgen.standins import import_audiocraft
import_audiocraft()
from audiocraft.data import audio
from audiocraft.modules import conditioners
print(audio.av.real, type(conditioners.spacy).__name__)
"""
    assert run(script, tmp_path) == "True Standin"


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
