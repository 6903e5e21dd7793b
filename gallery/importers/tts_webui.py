"""Clips of TTS-WebUI: metadata beside the audio, or in its comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gallery.engines.provenance import TTS_WEBUI, Provenance
from gallery.errors.text import shown
from gallery.importers import damaged
from gallery.importers.found import UNREADABLE, ImportedClip, Unusable
from gallery.importers.untrusted import (
    clean_line,
    iso_date,
    load_json,
    model_name,
    number_of,
    seed_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gallery.config import Config

ORIGIN = TTS_WEBUI

# The request's parameters by their names there.
_PARAMETERS = {
    "duration": "duration",
    "temperature": "temperature",
    "topk": "top_k",
    "topp": "top_p",
    "cfg_coef": "cfg_coef",
}

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BROKEN_LINE = re.compile(r"\\[n\n]")

IGNORED_MELODY = "a melody was chosen beside it, and ignored: its model takes none"
UNKNOWN_MELODY = "its melody is known only by the SHA-256 of its samples"


def is_metadata(data: Any) -> bool:
    """Whether a JSON value is what TTS-WebUI writes beside a clip."""
    return isinstance(data, dict) and not {"_hash_version", "_type", "topk", "cfg_coef"}.isdisjoint(data)


def embedded_metadata(path: Path) -> dict[str, Any] | None:
    """The metadata in the comment of an OGG or FLAC; None where it has none. Raises Unusable."""
    import mutagen
    from mutagen import flac, oggflac, oggopus, oggvorbis

    kinds = [oggvorbis.OggVorbis, flac.FLAC, oggopus.OggOpus, oggflac.OggFLAC]
    try:
        file = mutagen.File(path, options=kinds)
        tags = file.tags if file is not None else None
        comments = [text for name in ("description", "comment") for text in (tags or {}).get(name, [])]
    except (mutagen.MutagenError, *UNREADABLE) as error:
        raise Unusable("its tags cannot be read; the file is damaged or not whole") from error
    text = next((text for text in comments if str(text).lstrip().startswith("{")), None)
    if text is None:
        return None
    try:
        data = load_json(text)
    except Unusable:
        data = damaged.recover(text)
    if not is_metadata(data):
        raise Unusable("its comment is no metadata of TTS-WebUI")
    return {**data, "text": _unescaped(data)}


def _unescaped(data: dict[str, Any]) -> str:
    """The prompt of an embedded comment, unescaped as its era escaped it.

    Some files have a level of escapes too many. Today's FLAC has two for a line break, which is `\\n` in
    words then. Old eras lost the backslashes of ``\\u`` and of line breaks, but escaped what they call
    ``prompt``, too, so that its line breaks are there.
    """
    text, again = damaged.without_doubled(_prompt(data)), text_of(data, "prompt")
    if _is_current(data):
        return _BROKEN_LINE.sub("\n", text)
    if "\n" in again and again.replace("\n", "n") == text:
        text = again
    return damaged.with_escapes(text)


def _is_current(data: dict[str, Any]) -> bool:
    """Whether metadata is of the present form, which writes letters as they are, without ``\\u`` escapes."""
    return "model_name" in data and "_type" not in data


def read_clip(config: Config, data: dict[str, Any], source: Path, files: Sequence[Path]) -> ImportedClip:
    """The clip that metadata of any era describes. Raises Unusable."""
    kind = data.get("_type") or "musicgen"
    if kind != "musicgen":
        raise Unusable(f"made by {shown(kind, quote='')}, not by MusicGen or AudioGen")
    name = model_name(config, text_of(data, "model_name") or text_of(data, "model"))
    if data.get("use_multi_band_diffusion") not in (None, False):
        raise Unusable(
            "decoded by multi-band diffusion, which no prompt file can ask for: it sounds different"
        )
    fields: dict[str, Any] = {"prompt": _prompt(data), "model": name}
    fields |= {own: number_of(data, theirs) for theirs, own in _PARAMETERS.items()}
    seed, why = seed_of(data, random=(0, -1))
    notes = []
    unseeded = seed is None and fields["temperature"] != 0
    if unseeded:
        notes.append(why)
    else:
        fields["seed"] = seed or 0
    if unseeded and _DIGEST.fullmatch(told := text_of(data, "hash")):
        fields["audio"] = f"sha256:{told}"
    melody, ignored = text_of(data, "melody"), ""
    if melody not in ("", "None") and "melody" not in config.models[name].hub:
        melody, ignored = "", IGNORED_MELODY
    if melody not in ("", "None"):
        if not _DIGEST.fullmatch(melody):
            raise Unusable(f"its melody, {shown(melody)}, is no SHA-256")
        fields["melody"] = f"sha256:{melody}"
        notes.append(UNKNOWN_MELODY)
    provenance = Provenance(
        engine="musicgen",
        engine_version=clean_line(data.get("_audiocraft_version"), 40),
        imported_from=ORIGIN,
        date=iso_date(data.get("date")) or iso_date(source.name.partition("__")[0]),
        original=clean_line(data.get("hash"), 64),
    )
    if notes:
        provenance = provenance.with_fields(reproducible=False)
    if notes or ignored:
        provenance = provenance.with_fields(note="; ".join(filter(None, [*notes, ignored])))
    return ImportedClip(source, fields, provenance, tuple(files), unseeded=unseeded)


def _prompt(data: dict[str, Any]) -> str:
    return text_of(data, "text") or text_of(data, "prompt")
