"""The engine `musicgen`: renders requests with audiocraft's models.

| module | its one job |
|---|---|
| cards, device, compiler | what there is to render on, and what keeps it from that |
| standins, spectrogram | audiocraft, imported on today's torch |
| files | which files a model needs, and which of them are here |
| package, checkpoint | a model's weights, read and loaded |
| melody_audio, conditions | what a clip is conditioned on, encoded alone |
| weights, attention, kernel, decoder | the transformer's step over a static cache |
| noise, sampler | which tokens follow |
| windows, generation | a clip as its request asks for it, window by window |
| batch, memory, schedule | many clips at once |
| codec | tokens to audio |

Nothing here imports torch before there is something to render.
"""

from __future__ import annotations

import gc
import importlib.util
import logging
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.engines.musicgen import files
from gallery.engines.musicgen.device import AUTO, best_device, choose_device, device_name, device_problem
from gallery.engines.provenance import Provenance
from gallery.errors.text import one_line
from gallery.prompts.request import FRAME_RATE
from gallery.utils.distribution import setup_advice
from gallery.utils.parallel import without_collecting
from gallery.utils.progress import count, say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gallery.config import Model
    from gallery.engines.musicgen.checkpoint import Checkpoint
    from gallery.engines.musicgen.generation import Generation
    from gallery.engines.musicgen.schedule import Done
    from gallery.prompts.request import Request

__all__ = ["MusicGenEngine", "availability", "best_device", "device_problem", "diagnosis"]

# Raised whenever a clip's tokens may differ from those of the version before.
ENGINE_VERSION = 2

NEEDED = (
    "torch",
    "transformers",
    "audiocraft",
    "einops",
    "huggingface_hub",
    "julius",
    "num2words",
    "omegaconf",
    "soundfile",
)

LIBRARIES = ("audiocraft", "torch", "transformers")

_log = logging.getLogger(__name__)


class MusicGenEngine:
    """Renders requests with the models of gallery.toml, one model at a time, many clips at once.

    ``melodies`` are the melody files by their digests. ``device`` is what
    `choose_device` takes; by default the GPU where there is one. ``batch_size`` is how
    many clips are decoded at once; by default as many as fit. ``report`` is told
    how many seconds of audio are made by now, of unfinished clips too. ``loading`` is entered with
    a model's name while it is loaded.
    """

    name = "musicgen"

    def __init__(
        self,
        models: Mapping[str, Model],
        *,
        root: Path,
        melodies: Mapping[str, Path] | None = None,
        device: str = AUTO,
        batch_size: int | None = None,
        report: Callable[[float], None] | None = None,
        loading: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._models = {model.hub: model for model in models.values()}
        self._names = {model.hub: name for name, model in models.items()}
        self._root = root
        self._melodies = {} if melodies is None else melodies
        self._device = device
        self._batch_size = batch_size
        self._report, self._loading = report, loading
        self._made = 0.0
        self._told = False  # that the attention is torch's
        self._held: tuple[str, Checkpoint] | None = None

    def hold(self, hub: str) -> Checkpoint:
        """A model, loaded, which is kept until another is needed. Raises CannotLoad and GalleryError."""
        from gallery.engines.musicgen.checkpoint import CannotLoad, load

        if self._held and self._held[0] == hub:
            return self._held[1]
        self._held = None
        gc.collect()  # the model is out of memory before the next one comes
        model = self._models.get(hub)
        if model is None:
            raise CannotLoad(f"gallery.toml lists no model {hub}")
        device = choose_device(self._device)
        device.make_current()
        _without_tf32()
        # What is loaded is no garbage: to look for some meanwhile would take longer.
        with without_collecting(), self._loading(self._names[hub]):
            checkpoint = load(model, self._root, device.type)
        self._held = hub, checkpoint
        return checkpoint

    def render(self, requests: Sequence[Request]) -> Generator[Render | Failure, None, None]:
        """Render every request, each exactly once, ordered so that each model is loaded once."""
        self._made = 0.0
        by_model: dict[str, list[Request]] = {}
        for request in requests:
            by_model.setdefault(request.model, []).append(request)
        for hub, group in by_model.items():  # before hours are spent on the others
            yield from self._leave_out(hub, group)
        for hub, group in by_model.items():
            if not group:
                continue
            left = {id(request): request for request in group}
            try:
                for result in self._render(hub, group):
                    left.pop(id(result.request))
                    yield result
            except Exception as error:  # noqa: BLE001 - whatever it is, the other models' clips go on
                _log.debug("rendering with %s failed", hub, exc_info=True)
                for request in left.values():
                    yield Failure(request, one_line(error))
            gc.collect()  # what decoding took is out of memory before more is decoded

    def _leave_out(self, hub: str, group: list[Request]) -> Iterator[Failure]:
        """Take those clips out of a model's that need files which are not here and cannot be fetched."""
        model = self._models.get(hub)
        if model is None or (self._held and self._held[0] == hub and not model.takes_melody):
            return
        from huggingface_hub.constants import HF_HUB_OFFLINE

        separates = importlib.util.find_spec("demucs") is not None  # else that is what is told
        for melodies in (False, True) if separates else (False,):
            needed = files.missing(model, self._root, melodies=melodies)
            lacking = [need for need in needed if need.folder or HF_HUB_OFFLINE]
            without = [request for request in group if request.melody or not melodies]
            if lacking and without:
                reason = files.problem_of(model, lacking)
                say(f"{count(len(without), 'clip')} cannot be rendered: {reason}")
                group[:] = [request for request in group if melodies and not request.melody]
                for request in without:
                    yield Failure(request, reason)

    def _render(self, hub: str, requests: Sequence[Request]) -> Iterator[Render | Failure]:
        from gallery.engines.musicgen.generation import generation_of
        from gallery.engines.musicgen.schedule import Done, Schedule

        checkpoint, model = self.hold(hub), self._models[hub]
        clips: list[Generation] = []
        for request in requests:
            stride = int(FRAME_RATE * (request.extend_stride or model.stride))
            if request.frames > checkpoint.window and not 0 < stride < checkpoint.window:
                window = f"{checkpoint.window / FRAME_RATE:g} s"
                reason = f"extend_stride must be above 0 and below the model's window, {window}"
                yield Failure(request, reason)
            else:
                clips.append(generation_of(request, checkpoint.window, stride))
        if not clips:
            return
        schedule = Schedule(checkpoint, clips, self._melodies, self._batch_size)
        about = _about(model, checkpoint)
        self._tell_attention(about)
        for event in schedule.run():
            outcome = _result(event, about, checkpoint) if isinstance(event, Done) else event
            if outcome is not None:
                self._made += outcome.request.frames / FRAME_RATE
                yield outcome
            if self._report:
                self._report(self._made + schedule.frames / FRAME_RATE)

    def _tell_attention(self, about: Provenance) -> None:
        """Say once that a GPU is without its kernel."""
        if about.attention == "torch" and about.device != "cpu" and not self._told:
            self._told = True
            say(f"attention on {about.device} is torch's, which is slower: `gallery doctor` says why")


def availability(models: Mapping[str, Model], root: Path) -> str | None:
    """None where this engine can render, otherwise what is missing and the one thing to do."""
    missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        listed = ", ".join(missing) if len(missing) <= 3 else f"{missing[0]} and {len(missing) - 1} others"
        verb = "is" if len(missing) == 1 else "are"
        return f"{listed} {verb} not installed: {setup_advice('musicgen')}"
    if not models:
        return "gallery.toml lists no model"
    lacking = [(model, files.missing(model, root)) for model in models.values()]
    if not all(needed for _, needed in lacking):
        return None
    model, needed = min(lacking, key=lambda found: (found[1][0].purpose == "weights", len(found[1])))
    if needed[0].purpose == "weights":
        model, needed = lacking[0]
        return f"no model's weights are here: {needed[0].advice}"
    return files.problem_of(model, needed)


def diagnosis(models: Mapping[str, Model], root: Path) -> tuple[bool, str]:
    """Whether this engine works, and one line on it: what it runs on, or the one thing to do.

    Unlike `availability` it imports everything to find out, which takes seconds.
    Raises GalleryError where torch cannot use the GPU that is there.
    """
    missing = availability(models, root)
    if missing:
        return False, missing
    try:
        from gallery.engines.musicgen.standins import import_audiocraft, stood_in_for

        import_audiocraft()
        standins = ", ".join(stood_in_for()) or "nothing"
    except Exception as error:  # noqa: BLE001 - whatever a broken installation raises
        remedy = "run `gallery setup --reinstall musicgen`"
        return False, f"audiocraft cannot be imported ({one_line(error)}): {remedy}"
    device = choose_device()
    device.make_current()
    name = device_name(device.type) + (f" ({device.note})" if device.note else "")
    versions = " on ".join(f"{library} {version(library)}" for library in ("audiocraft", "torch"))
    return True, f"{versions}, device {name}; stood in for {standins}"


def _without_tf32() -> None:
    """Have GPUs compute float32 as such. TF32, with 10 bits of 23, is the default of convolutions."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def _about(model: Model, checkpoint: Checkpoint) -> Provenance:
    """What the records of a model's clips have in common."""
    import torch

    from gallery.engines.musicgen.attention import attention_on

    lm = checkpoint.lm
    attention = attention_on(
        torch.device(checkpoint.device), lm.dim // lm.transformer.layers[0].self_attn.num_heads
    )
    libraries = {library: version(library) for library in LIBRARIES}
    if attention == "kernel":
        import triton

        libraries["triton"] = str(triton.__version__)
    about = Provenance(
        engine=MusicGenEngine.name,
        engine_version=ENGINE_VERSION,
        model=model.hub,
        revision=checkpoint.revision,
        text_encoder=checkpoint.text_encoder,
        device=device_name(checkpoint.device),
        dtype=str(checkpoint.dtype).removeprefix("torch."),
        # torch with its build (+cpu, +cu130), which only torch itself tells.
        libraries=libraries | {"torch": str(torch.__version__)},
        attention=attention,
    )
    return about.with_fields(codec=checkpoint.codec_source) if checkpoint.codec_source else about


def _result(done: Done, about: Provenance, checkpoint: Checkpoint) -> Render:
    provenance = about.with_fields(
        batch_size=done.batch_size,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(done.clip.seconds, 3),
    )
    return Render(done.clip.request, done.audio, checkpoint.sample_rate, provenance)
