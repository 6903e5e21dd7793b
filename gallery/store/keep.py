"""From requests to clips in the store: the engine renders, threads encode previews meanwhile."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from gallery.engines import Failure, Render
from gallery.errors import GalleryError
from gallery.errors.system import told_by_the_system
from gallery.store.records import SKETCH
from gallery.utils.interrupt import Interrupts
from gallery.utils.memory import load_within_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from gallery.config import PreviewSettings
    from gallery.preview import Preview
    from gallery.prompts.prompt import Outline, Prompt
    from gallery.store.clips import Store
    from gallery.store.lossless import LosslessStore

SKETCH_NOTICE = "Sketch: a stand-in, not made by MusicGen."

# So many sketches' previews are at hand for those that sound like them: they are mostly neighbours.
_AT_HAND = 8


def keep_all(
    outcomes: Generator[Render | Failure, None, None],
    store: Store,
    renders: LosslessStore | None,
    owners: Mapping[str, Outline | Prompt],
    settings: PreviewSettings,
    jobs: int,
    finish: Callable[[float], None],
    mark: Callable[[str], str] | None = None,
    count: Callable[[Render], None] | None = None,
) -> list[Failure]:
    """Encode and keep every render as it comes; returns what failed.

    ``finish`` is called with the length of each clip that is done with, in seconds. ``mark`` says
    for a clip's key what the record keeps as what decided its preview; if not given, the settings.
    ``count`` is called with each render as it comes.

    A render is kept lossless in ``renders`` (where given) before anything else is done
    with it: from then on no interruption costs its GPU time. Previews are encoded
    ``jobs`` at a time while the engine goes on, with few waiting, so that memory
    doesn't grow where encoding is slower than rendering.
    """
    load_within_limits(_load)
    previews = _Previews(settings)
    failures: list[Failure] = []
    encoding: dict[Future[None], Render] = {}

    def collect(most: int) -> None:
        while len(encoding) > most:
            finished, _ = wait(encoding, return_when=FIRST_COMPLETED)
            for future in finished:
                render = encoding.pop(future)
                try:
                    future.result()
                except (GalleryError, OSError) as error:
                    reason = told_by_the_system(error) or str(error)
                    failures.append(Failure(render.request, reason))
                finish(render.request.duration)

    # Closed here and now: an engine that is left half-way gives back what it holds.
    with Interrupts() as interrupts, ThreadPoolExecutor(jobs) as pool, closing(outcomes):
        while True:
            with interrupts.allowed():
                outcome = next(outcomes, None)
            if outcome is None:
                break
            if isinstance(outcome, Failure):
                failures.append(outcome)
                finish(outcome.request.duration)
                continue
            if renders:
                renders.put(outcome)
            if count:
                count(outcome)
            key = outcome.request.key
            decided_by = mark(key) if mark else settings.digest
            preview = pool.submit(_keep, outcome, store, owners[key], previews, decided_by)
            encoding[preview] = outcome
            collect(most=2 * jobs)
        collect(most=0)
        with interrupts.allowed():
            pass
    return failures


def _load() -> None:
    from gallery.preview import load

    load()


class _Previews:
    """Makes previews, those of sketches that sound alike once."""

    def __init__(self, settings: PreviewSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._at_hand: dict[str, Future[Preview]] = {}

    def of(self, render: Render, sound: str | None) -> Preview:
        """The preview of a render, without tags. ``sound`` is what a sketch's samples are known by."""
        if sound is None:
            return self._make(render)
        with self._lock:
            is_first = sound not in self._at_hand
            preview = self._at_hand.setdefault(sound, Future())
            if len(self._at_hand) > _AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
        if is_first:
            try:
                preview.set_result(self._make(render))
            except Exception as error:  # noqa: BLE001 - raised below, and wherever else it is waited for
                preview.set_exception(error)
        return preview.result()

    def _make(self, render: Render) -> Preview:
        from gallery.preview import make_preview

        return make_preview(render.audio, render.sample_rate, self._settings, {})


def _keep(render: Render, store: Store, owner: Outline | Prompt, previews: _Previews, mark: str) -> None:
    from gallery.preview.mp3 import with_tags

    engine, tags = render.provenance.engine, preview_tags(render, owner)
    sound = _sound(render) if engine == SKETCH else None
    preview = previews.of(render, sound)
    if engine != SKETCH:
        tags["measured"] = json.dumps([preview.loudness_before, preview.true_peak_before])
    preview = replace(preview, mp3=with_tags(preview.mp3, tags))
    store.put(render.request, engine, render.provenance, preview, mark, sound)


def _sound(render: Render) -> str:
    """A digest of what is heard, whatever the clip is called: MP3s differ by their tags."""
    known = hashlib.sha256(f"{render.sample_rate} {render.audio.shape}".encode())
    known.update(render.audio.tobytes())
    return known.hexdigest()


def preview_tags(render: Render, owner: Outline | Prompt) -> dict[str, str]:
    """The ID3 tags of a preview: a downloaded file explains itself.

    ``request`` is the whole request as JSON, ``provenance`` what is known of its making, ``license``
    and ``date`` are the prompt's: importing the file makes the same clip of it, and knows the same.
    """
    request = render.request
    engine = render.provenance.engine
    made_by = SKETCH_NOTICE if engine == SKETCH else f"Made by {request.model}."
    known = (
        {}
        if engine == SKETCH
        else {
            "provenance": json.dumps(render.provenance.to_dict(), ensure_ascii=False),
            "license": owner.license,
            "date": owner.date,
        }
    )
    return {
        "title": f"[sketch] {owner.title}" if engine == SKETCH else owner.title,
        "artist": owner.author or engine,
        "comment": f"{made_by} Prompt: {request.prompt}",
        "prompt": request.prompt,
        "engine": engine,
        "request": json.dumps(request.model_dump(mode="json", exclude_none=True), ensure_ascii=False),
        **known,
    }
