"""MP3s that a gallery handed out: their tags hold the whole request."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gallery.engines.provenance import Provenance
from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.importers.audio import MAX_BYTES
from gallery.importers.found import UNREADABLE, ImportedClip, Unusable
from gallery.importers.untrusted import clean_line, load_json, model_name, read_bytes
from gallery.preview import CLOSE_ENOUGH, Preview, read_tags
from gallery.preview.measure import loudness, true_peak
from gallery.preview.mp3 import with_tags
from gallery.preview.picture import cover, peaks
from gallery.prompts.request import Request, plain_number
from gallery.store.records import ENGINES, SKETCH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gallery.config import Config, PreviewSettings
    from gallery.importers.audio import Sound

ORIGIN = "a gallery's MP3"

# The tags that a gallery writes, and the frames that they are in.
_WORDS = ("prompt", "engine", "request", "provenance", "license", "date", "measured")
_TAGS = ("title", "artist", "comment", *_WORDS)
_FRAMES = ("TIT2", "TPE1", "COMM", *(f"TXXX:{name}" for name in _WORDS))

# A gallery's are a few KB. Frames can be compressed a thousandfold, so that larger tags
# could fill the memory.
_MAX_TAG_BYTES = 300_000

# Of what a provenance says: characters of a text, entries of a table. And of a level, in dB.
_LONGEST_WORDS = 1000
_MOST_LIBRARIES = 50
_MOST_DECIBELS = 300

# 320 kbit/s are the most that MP3 has.
_MOST_BYTES_A_SECOND = 40_000

# dB and LU by which a preview may miss the settings and still be of them.
_PEAK_MARGIN = 0.1


def is_own(path: Path) -> bool:
    """Whether an MP3 says of itself that a gallery made it."""
    try:
        return "request" in _tags(read_bytes(path, MAX_BYTES))
    except Unusable:
        return True  # reading it tells what is wrong


def read_clip(config: Config, path: Path) -> ImportedClip:
    """The clip that an MP3's tags describe. Raises Unusable."""
    tags = _tags(read_bytes(path, MAX_BYTES))
    if "request" not in tags:
        raise Unusable("has no request in its tags, so it is no MP3 of a gallery")
    engine = tags.get("engine", "")
    if engine == SKETCH:
        raise Unusable("a sketch, not made by MusicGen")
    if engine not in ENGINES:
        raise Unusable(f"made by {shown(engine)}, which is no engine that is known")
    try:
        request = Request.model_validate_json(tags["request"][:100_000], strict=True)
        request.prompt.encode()
        key = request.key
    except (ValidationError, ValueError, RecursionError) as error:
        raise Unusable("the request in its tags cannot be read") from error
    said = request.model_dump(exclude_none=True)
    fields = {name: plain_number(value) for name, value in said.items()}
    fields["model"] = model_name(config, request.model)
    if request.melody is not None:
        fields["melody"] = f"sha256:{request.melody}"
    if request.audio is not None:
        fields["audio"] = f"sha256:{request.audio}"
        del fields["seed"]
    if request.extend_stride == config.models[fields["model"]].stride:
        del fields["extend_stride"]
    artist = tags.get("artist", "")
    return ImportedClip(
        path,
        fields,
        _provenance(tags, engine),
        (path,),
        finished=True,
        unseeded=request.audio is not None,
        key=key,
        title=tags.get("title", ""),
        author="" if artist == engine else artist,
        license=tags.get("license", ""),
        day=tags.get("date", ""),
        measured=_measured(tags.get("measured", "")),
    )


def _provenance(tags: Mapping[str, str], engine: str) -> Provenance:
    """What the tags tell of how the clip was made: as the record did, unless the gallery was an older one."""
    if "provenance" not in tags:
        return Provenance(engine=engine, engine_version="", imported_from=ORIGIN)
    told = load_json(tags["provenance"])
    if not isinstance(told, dict) or told.get("engine") != engine:
        raise Unusable("what its tags tell of its making is not of its engine")
    kept = {name: _plain(told[name]) for name in Provenance.model_fields if name in told}
    try:
        return Provenance.model_validate(kept)
    except ValidationError as error:
        raise Unusable("what its tags tell of its making cannot be read") from error


def _plain(value: Any) -> Any:
    """A value of a provenance, within limits."""
    if isinstance(value, str):
        return clean_line(value, _LONGEST_WORDS)
    if isinstance(value, dict):
        pairs = list(value.items())[:_MOST_LIBRARIES]
        return {clean_line(name, 80): clean_line(version, 80) for name, version in pairs}
    if isinstance(value, float | int) and abs(value) < 1e15:
        return value
    return None


def _measured(text: str) -> tuple[float | None, float | None]:
    """The loudness and the true peak of the render, where they can be ones."""
    try:
        told = load_json(text) if text else None
    except Unusable:
        return None, None
    if not isinstance(told, list) or len(told) != 2:
        return None, None
    level, peak = (
        float(value) if isinstance(value, int | float) and abs(value) < _MOST_DECIBELS else None
        for value in told
    )
    return level, peak


def finished_preview(path: Path, sound: Sound, measured: tuple[float | None, float | None]) -> Preview:
    """An MP3 as it is, which was encoded once and is not encoded again, and what it measures.

    How loud its render was, only its tags can tell: ``measured``. Raises Unusable.
    """
    mp3 = _only_our_tags(read_bytes(path, MAX_BYTES))
    seconds = len(sound.audio) / sound.sample_rate
    if len(mp3) > _MOST_BYTES_A_SECOND * seconds + _MAX_TAG_BYTES:
        raise Unusable("is far larger than an MP3 of its length; there is something else in it")
    return Preview(
        mp3=mp3,
        cover=cover(sound.audio, sound.sample_rate),
        peaks=peaks(sound.audio),
        duration=seconds,
        loudness_before=measured[0],
        loudness_after=loudness(sound.audio, sound.sample_rate),
        true_peak_before=measured[1],
        true_peak_after=true_peak(sound.audio),
    )


def is_matched(preview: Preview, settings: PreviewSettings) -> bool:
    """Whether a preview is as loud as this gallery's are, so that it may stand among them."""
    level, peak = preview.loudness_after, preview.true_peak_after
    near = level is None or abs(level - settings.loudness) <= 2 * CLOSE_ENOUGH
    return near and (peak is None or peak <= settings.true_peak + _PEAK_MARGIN)


def _tags(mp3: bytes) -> dict[str, str]:
    from mutagen import MutagenError
    from mutagen.id3 import BitPaddedInt

    if mp3.startswith(b"ID3") and BitPaddedInt(mp3[6:10]) > _MAX_TAG_BYTES:  # type: ignore[no-untyped-call]
        raise Unusable(
            f"its tags are larger than {_MAX_TAG_BYTES // 1000} KB; if somebody added a cover, take it out"
        )
    try:
        return read_tags(mp3)
    except (MutagenError, GalleryError, *UNREADABLE) as error:
        raise Unusable("its tags cannot be read; the file is damaged or not whole") from error


def _only_our_tags(mp3: bytes) -> bytes:
    """The same bytes, or where somebody added pictures or other frames, those left out."""
    from mutagen import id3

    tag = id3.ID3(BytesIO(mp3), translate=False)  # type: ignore[no-untyped-call]
    if all(name.startswith(_FRAMES) for name in tag):
        return mp3
    tags = _tags(mp3)
    return with_tags(mp3[tag.size :], {name: tags[name] for name in _TAGS if name in tags})
