"""The engine: renders with their records, one clear line for what cannot be rendered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from gallery.config import Model
from gallery.engines import Failure, Render
from gallery.engines.musicgen import MusicGenEngine, availability, diagnosis
from support import audiocraft_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import SimpleNamespace

    from gallery.prompts.request import Request
    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

REVISION = "0123456789abcdef0123456789abcdef01234567"


def render(model: Tiny, requests: Sequence[Request], **options: Any) -> list[Render | Failure]:
    engine = MusicGenEngine({"tiny": model.model}, root=model.root, device="cpu", **options)
    results = list(engine.render(requests))
    assert sorted(id(result.request) for result in results) == sorted(id(request) for request in requests)
    by_request = {id(result.request): result for result in results}
    return [by_request[id(request)] for request in requests]


def reason(result: Render | Failure) -> str:
    assert isinstance(result, Failure)
    assert "\n" not in result.reason
    return result.reason


@pytest.mark.parametrize("kind", ["mono", "stereo", "audiogen"])
def test_audio_is_audiocrafts_and_as_long_as_asked_for(tiny: MakeTiny, kind: str) -> None:
    model = tiny(kind)
    requests = [model.request(duration=duration, seed=7) for duration in (0.5, 1.23, 1.23, 2)]
    for request, result in zip(requests, render(model, requests), strict=True):
        assert isinstance(result, Render)
        assert result.sample_rate == model.model.sample_rate
        assert result.audio.dtype == "float32"
        hop = model.model.sample_rate // 50
        assert result.audio.shape == (request.frames * hop, model.model.channels)
        assert abs(result.audio - model.stock(request)[1]).max() < 1e-5
        assert abs(result.audio).max() > 1e-3


def test_the_record_tells_how_a_clip_was_made(tiny: MakeTiny) -> None:
    import torch
    import transformers

    model = tiny("mono")
    results = render(model, [model.request(seed=seed) for seed in range(3)], batch_size=2)
    for result in results:
        assert isinstance(result, Render)
        record = json.loads(json.dumps(result.provenance.to_dict()))
        assert datetime.fromisoformat(record.pop("date")).utcoffset() is not None
        assert 0 < record.pop("seconds") < 60
        assert record == {
            "engine": "musicgen",
            "engine_version": 2,
            "model": "tests/tiny",
            "revision": "",
            "text_encoder": "t5-base",
            "device": "cpu",
            "dtype": "float32",
            "attention": "torch",
            "batch_size": 2,
            "libraries": {
                "audiocraft": version("audiocraft"),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
            },
        }


def test_progress_counts_unfinished_clips_too(tiny: MakeTiny) -> None:
    seen: list[float] = []
    model = tiny("mono", window=2)
    requests = [model.request(duration=duration, extend_stride=1) for duration in (1, 2, 5)]
    render(model, requests, batch_size=2, report=seen.append)
    assert seen[-1] == 8
    assert all(one <= other + 1e-9 for one, other in pairwise(seen))
    assert len(set(seen)) > 2 * len(requests)


def test_finished_clips_are_there_when_rendering_is_killed(tiny: MakeTiny, tmp_path: Path) -> None:
    model = tiny("mono")
    script = f"""
import os, signal
from pathlib import Path
from gallery.config import Model
from gallery.engines.musicgen import MusicGenEngine
from gallery.prompts.request import Request
model = Model(hub="tests/tiny", folder={model.model.folder!r}, kind="musicgen")
requests = [Request(model="tests/tiny", prompt="p", duration=duration) for duration in (0.5, 0.6, 30)]
engine = MusicGenEngine({{"tiny": model}}, root=Path({str(model.root)!r}), device="cpu")
for done, result in enumerate(engine.render(requests)):
    Path(f"{{result.request.duration}}.raw").write_bytes(result.audio.tobytes())
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    assert audiocraft_copies.run(script, tmp_path) == (-9, "")
    assert sorted(path.name for path in tmp_path.glob("*.raw")) == ["0.5.raw", "0.6.raw"]


class TestFailures:
    """A clip that fails says why in one line and stops no other."""

    def test_models_that_cannot_be_loaded_fail_their_clips_only(self, tiny: MakeTiny, tmp_path: Path) -> None:
        model = tiny("mono")
        torn = tmp_path / "torn"
        shutil.copytree(model.root / model.model.folder, torn)
        (torn / "state_dict.bin").write_bytes(b"torn")
        models = {
            "good": model.model,
            "empty": Model(hub="tests/empty", folder="nothing", kind="musicgen"),
            "torn": Model(hub="tests/torn", folder=str(torn), kind="musicgen"),
            "rate": model.model.model_copy(update={"hub": "tests/rate", "sample_rate": 16000}),
            "wide": model.model.model_copy(update={"hub": "tests/wide", "channels": 2}),
        }
        engine = MusicGenEngine(models, root=model.root, device="cpu")
        hubs = ["tests/empty", "tests/torn", "tests/rate", "tests/wide", "tests/unlisted", "tests/tiny"]
        requests = [model.request(model=hub, seed=seed, duration=0.5) for seed in range(2) for hub in hubs]
        results = list(engine.render(requests))
        assert len(results) == len(requests)
        assert [result.request.model for result in results if isinstance(result, Render)] == [
            "tests/tiny"
        ] * 2
        reasons = {result.request.model: reason(result) for result in results if isinstance(result, Failure)}
        assert reasons["tests/empty"] == (
            "tests/empty has no weights here: put those of tests/empty into nothing"
        )
        assert reasons["tests/torn"].startswith("tests/torn ")
        assert reasons["tests/rate"] == (
            "tests/rate has sample_rate = 32000; gallery.toml says 16000: correct it there"
        )
        assert reasons["tests/wide"] == "tests/wide has channels = 1; gallery.toml says 2: correct it there"
        assert reasons["tests/unlisted"] == "gallery.toml lists no model tests/unlisted"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                {"lm_model": "transformer_lm_magnet"},
                "is no MusicGen or AudioGen model (transformer_lm_magnet)",
            ),
            ({"transformer_lm": {"past_context": 9}}, "has a limited past: not supported"),
            ({"fuser": {"sum": ["description"], "cross": []}}, "fuses its conditions in a way"),
        ],
    )
    def test_models_of_other_kinds_are_refused(
        self, tiny: MakeTiny, tmp_path: Path, change: dict[str, Any], said: str
    ) -> None:
        import torch
        from omegaconf import OmegaConf

        model = tiny("mono")
        folder = tmp_path / "other"
        shutil.copytree(model.root / model.model.folder, folder)
        package = torch.load(folder / "state_dict.bin")
        config = OmegaConf.merge(OmegaConf.create(package["xp.cfg"]), change)
        if "fuser" in change:
            package["best_state"] = {
                name: weight for name, weight in package["best_state"].items() if "cross" not in name
            }
        torch.save(package | {"xp.cfg": OmegaConf.to_yaml(config)}, folder / "state_dict.bin")
        other = Model(hub="tests/other", folder=str(folder), kind="musicgen")
        engine = MusicGenEngine({"other": other}, root=tmp_path, device="cpu")
        assert said in reason(next(engine.render([model.request(model="tests/other")])))

    def test_a_stride_beyond_the_window(self, tiny: MakeTiny) -> None:
        model = tiny("audiogen")
        requests = [model.request(duration=12, extend_stride=12), model.request(duration=0.5)]
        failed, rendered = render(model, requests)
        assert reason(failed) == "extend_stride must be above 0 and below the model's window, 10 s"
        assert isinstance(rendered, Render)

    def test_melodies(self, tiny: MakeTiny, melody: Path, demucs: SimpleNamespace, tmp_path: Path) -> None:
        (tmp_path / "noise.mp3").write_bytes(b"no audio at all")
        (tmp_path / "empty.wav").write_bytes(
            b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\0\0\0"
        )
        melodies = {
            "aa": melody,
            "bb": tmp_path / "noise.mp3",
            "cc": tmp_path / "empty.wav",
            "dd": tmp_path / "x",
        }
        model = tiny("melody")
        requests = [model.request(melody=name, duration=0.5) for name in ("aa", "bb", "cc", "dd", "ee")]
        good, noise, empty, gone, unknown = render(model, requests, melodies=melodies)
        assert isinstance(good, Render)
        assert reason(noise).startswith("melody noise.mp3 cannot be read: ")
        assert reason(empty) == "melody empty.wav is empty"
        assert reason(gone) == "the melody dd is not there"
        assert reason(unknown) == "the melody ee is not there"
        mono = tiny("mono")
        assert reason(render(mono, [mono.request(melody="aa")], melodies=melodies)[0]) == (
            "the model takes no melody"
        )

    def test_without_demucs_melodies_fail_and_prompts_do_not(
        self, tiny: MakeTiny, melody: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "demucs", None)
        model = tiny("melody", window=3)
        requests = [model.request(melody="aa", duration=0.5), model.request(duration=0.5)]
        failed, rendered = render(model, requests, melodies={"aa": melody})
        assert reason(failed).startswith("a melody needs demucs, which cannot be imported")
        assert reason(failed).endswith("run `gallery setup melody`")
        assert isinstance(rendered, Render)

    def test_a_separator_that_cannot_be_had_is_asked_for_once(
        self, tiny: MakeTiny, melody: Path, demucs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from demucs import pretrained

        asked: list[str] = []

        def offline(name: str) -> None:
            asked.append(name)
            raise OSError("no network")

        monkeypatch.setattr(pretrained, "get_model", offline)
        model = tiny("melody", window=4)
        results = render(
            model, [model.request(melody="aa", seed=seed) for seed in range(3)], melodies={"aa": melody}
        )
        assert {reason(result) for result in results} == {
            "demucs cannot load its model htdemucs: OSError: no network"
        }
        assert asked == ["htdemucs"]

    def test_an_error_that_nobody_foresaw(self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch) -> None:
        from gallery.engines.musicgen import schedule

        def broken(*_arguments: Any) -> None:
            raise ValueError("first line\n  second line")

        monkeypatch.setattr(schedule, "weights_of", broken)
        model = tiny("mono")
        assert reason(render(model, [model.request()])[0]) == "ValueError: first line second line"


def test_a_codec_that_the_checkpoint_only_names(tiny: MakeTiny, tmp_path: Path) -> None:
    """Some checkpoints name transformers' EnCodec instead of holding their own."""
    import torch
    from transformers import EncodecConfig, EncodecModel

    model = tiny("stereo")
    folder = tmp_path / "named"
    shutil.copytree(model.root / model.model.folder, folder)
    torch.save({"pretrained": "facebook/encodec_32khz"}, folder / "compression_state_dict.bin")
    torch.manual_seed(0)
    EncodecModel(
        EncodecConfig(
            target_bandwidths=[1.8], sampling_rate=32000, audio_channels=1, upsampling_ratios=[8, 5, 4, 4],
            codebook_size=512, codebook_dim=16, hidden_size=16, num_filters=2, num_lstm_layers=1,
            use_causal_conv=False, norm_type="weight_norm",
        )
    ).save_pretrained(folder / "encodec_32khz")  # fmt: skip
    named = Model(hub="tests/named", folder=str(folder), kind="musicgen", channels=2)
    engine = MusicGenEngine({"named": named}, root=tmp_path, device="cpu")
    result = next(engine.render([model.request(model="tests/named", duration=0.5)]))
    assert isinstance(result, Render)
    assert result.audio.shape == (16000, 2)


def test_a_pinned_revision_comes_from_the_hubs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Offline: the checkpoint at its revision and the text encoder that it names."""
    from huggingface_hub import constants

    from support.tiny_checkpoints import write_checkpoint

    source = write_checkpoint(tmp_path / "source", text_width=768)
    hub = tmp_path / "hub"
    snapshot = hub / "models--tests--cached" / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    for name in ("state_dict.bin", "compression_state_dict.bin"):
        shutil.copy(source / name, snapshot)
    encoder = hub / "models--t5-base"
    (encoder / "refs").mkdir(parents=True)
    (encoder / "refs" / "main").write_text("f" * 40)
    shutil.copytree(source / "t5-base", encoder / "snapshots" / ("f" * 40))
    script = f"""
import json
from pathlib import Path
from gallery.config import Model
from gallery.engines import Render
from gallery.engines.musicgen import MusicGenEngine, availability, diagnosis
from gallery.prompts.request import Request
pinned = Model(hub="tests/cached", revision="{REVISION}", kind="musicgen")
other = Model(hub="tests/absent", revision="{REVISION}", kind="musicgen")
print(json.dumps([availability({{"a": other, "b": pinned}}, Path()), availability({{"a": other}}, Path())]))
engine = MusicGenEngine({{"a": pinned, "b": other}}, root=Path(), device="cpu")
for model in (pinned, other):
    (result,) = engine.render([Request(model=model.hub, prompt="bass", duration=0.5)])
    print(json.dumps(result.provenance.to_dict() if isinstance(result, Render) else result.reason))
"""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    capfd.readouterr()
    code, printed = audiocraft_copies.run(script, tmp_path)
    assert code == 0
    (there, absent), record, failure = (json.loads(line) for line in printed.splitlines())
    assert there is None
    command = "run `gallery setup musicgen`"
    assert absent == f"no model's weights are here: {command}"
    assert record["revision"] == REVISION
    assert record["text_encoder"] == f"t5-base@{'f' * 40}"
    assert failure == f"tests/absent has no weights here: {command}"
    assert capfd.readouterr().err == f"1 clip cannot be rendered: {failure}\n"


class TestAvailability:
    """Whether the engine can render; if not, what is missing and the one thing to do."""

    def test_it_can(self, tiny: MakeTiny) -> None:
        model = tiny("mono")
        empty = Model(hub="tests/empty", folder="nothing", kind="musicgen")
        assert availability({"empty": empty, "tiny": model.model}, model.root) is None
        assert availability({"empty": empty}, model.root) == (
            "no model's weights are here: put those of tests/empty into nothing"
        )

    def test_the_diagnosis_imports_everything(self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch) -> None:
        from gallery.engines.musicgen import standins

        model = tiny("mono")
        works, said = diagnosis({"tiny": model.model}, model.root)
        assert works
        assert said.startswith("audiocraft 1.3.0 on torch ")
        assert "stood in for " in said
        assert diagnosis({}, model.root) == (False, "gallery.toml lists no model")

        def broken() -> None:
            raise OSError("libtorch.so: cannot open shared object file")

        monkeypatch.setattr(standins, "import_audiocraft", broken)
        assert diagnosis({"tiny": model.model}, model.root) == (
            False,
            "audiocraft cannot be imported (OSError: libtorch.so: cannot open shared object file): "
            "run `gallery setup --reinstall musicgen`",
        )

    @pytest.mark.parametrize(
        ("missing", "said"),
        [
            ({"audiocraft"}, "audiocraft is not installed: run `gallery setup musicgen`"),
            ({"torch", "audiocraft"}, "torch, audiocraft are not installed: run `gallery setup musicgen`"),
        ],
    )
    def test_what_is_not_installed(
        self, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch, missing: set[str], said: str
    ) -> None:
        import importlib.util

        model, find = tiny("mono"), importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
        assert availability({"tiny": model.model}, model.root) == said

    def test_nothing_heavy_is_imported_before_there_is_something_to_render(self, tiny: MakeTiny) -> None:
        model = tiny("mono")
        script = f"""
import sys
from pathlib import Path
from gallery.config import Model
from gallery.engines.musicgen import MusicGenEngine, availability, diagnosis
model = Model(hub="tests/tiny", folder={model.model.folder!r}, kind="musicgen")
assert availability({{"tiny": model}}, Path({str(model.root)!r})) is None
list(MusicGenEngine({{"tiny": model}}, root=Path()).render([]))
print([name for name in ("torch", "transformers", "audiocraft", "numpy.random") if name in sys.modules])
"""
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        assert done.stdout == "[]\n"
