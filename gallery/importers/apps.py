"""Clips of AudioCraft Plus and of audiocraft-webui: JSON beside the audio, or in a WAV's comment."""

from __future__ import annotations

import ast
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gallery.engines.provenance import Provenance
from gallery.errors.text import shown
from gallery.importers.found import UNREADABLE, ImportedClip, Unusable
from gallery.importers.manifest import made
from gallery.importers.untrusted import clean_line, load_json, model_name, number_of, seed_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gallery.config import Config

PLUS, WEBUI = "AudioCraft Plus", "audiocraft-webui"

_PLUS_PARAMETERS = {
    "duration": "duration",
    "temperature": "temperature",
    "topk": "top_k",
    "topp": "top_p",
    "cfg_coef": "cfg_coef",
}
_WEBUI_PARAMETERS = ("duration", "temperature", "top_k", "top_p", "cfg_coef")
_WINDOW = 30  # seconds

_MOST_WORDS = 100_000  # characters of its texts
_MOST_TAG_BYTES = 300_000
_MOST_CHUNKS = 50


def is_app(data: Any) -> bool:
    """Whether a JSON value is what one of the two writes."""
    return isinstance(data, dict) and ("texts" in data or isinstance(data.get("parameters"), dict))


def embedded(path: Path) -> dict[str, Any] | None:
    """The JSON in the ID3 comment of a WAV; None where there is none. Raises Unusable."""
    from mutagen import MutagenError, id3

    try:
        tag = _id3_chunk(path)
        frames = id3.ID3(BytesIO(tag)).getall("COMM") if tag else []  # type: ignore[no-untyped-call]
    except (MutagenError, *UNREADABLE):
        return None  # whether its audio is whole, its decoder tells
    text = next((text for text in map(str, frames) if text.lstrip().startswith("{")), None)
    data = load_json(text) if text else None
    return data if is_app(data) else None


def _id3_chunk(path: Path) -> bytes:
    """The ID3 tag of a WAV file; nothing where it has none, or one that could be unpacked to far more."""
    with path.open("rb") as file:
        if file.read(12)[8:] != b"WAVE":
            return b""
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            size = int.from_bytes(head[4:], "little")
            if len(head) < 8:
                break
            if head[:4].lower() == b"id3 ":
                return file.read(size) if size <= _MOST_TAG_BYTES else b""
            file.seek(size + size % 2, 1)
    return b""


def read_clip(config: Config, data: dict[str, Any], source: Path, files: Sequence[Path]) -> ImportedClip:
    """The clip that the JSON describes. Raises Unusable."""
    return _plus(config, data, source, files) if "texts" in data else _webui(config, data, source, files)


def _webui(config: Config, data: dict[str, Any], source: Path, files: Sequence[Path]) -> ImportedClip:
    parameters = data["parameters"]
    fields = {name: number_of(parameters, name) for name in _WEBUI_PARAMETERS}
    fields |= {"prompt": text_of(data, "prompt"), "model": model_name(config, text_of(data, "model"))}
    provenance = Provenance(engine="musicgen", engine_version="", imported_from=WEBUI)
    return made(source, fields, seed_of(parameters), provenance, tuple(files))


def _plus(config: Config, data: dict[str, Any], source: Path, files: Sequence[Path]) -> ImportedClip:
    texts = _texts(data)
    if len(texts) != 1:
        raise Unusable(f"has {len(texts)} prompts one after the other, and a clip has one")
    if text_of(data, "decoder").lower() not in ("", "none", "default"):
        raise Unusable(f"decoded by {shown(data['decoder'])}, which no prompt file can ask for")
    if text_of(data, "audio_mode").lower() in ("melody", "sample"):
        raise Unusable("follows other audio, which was not kept")
    fields = {own: number_of(data, theirs) for theirs, own in _PLUS_PARAMETERS.items()}
    fields |= {"prompt": texts[0], "model": _plus_model(config, data)}
    if fields["duration"] > _WINDOW and data.get("overlap") not in (None, ""):
        fields["extend_stride"] = _WINDOW - number_of(data, "overlap")
    provenance = Provenance(
        engine="musicgen", engine_version=clean_line(data.get("version"), 40), imported_from=PLUS
    )
    clip = made(source, fields, seed_of(data), provenance, tuple(files))
    shared = text_of(data, "global_prompt").strip()
    if shared and shared not in texts[0]:
        told = f"beside its prompt stood the global prompt {shown(shared)}"
        both = "; ".join(filter(None, (clip.provenance.note, told)))
        clip = clip.with_provenance(clip.provenance.with_fields(note=both))
    return clip


def _plus_model(config: Config, data: dict[str, Any]) -> str:
    generator, name = text_of(data, "generator").lower() or "musicgen", text_of(data, "model")
    if generator not in ("musicgen", "audiogen"):
        raise Unusable(f"made by {shown(generator)}, not by MusicGen or AudioGen")
    if "custom" in name.lower():
        raise Unusable(f"made by a model of its maker's own, {shown(text_of(data, 'custom_model'))}")
    return model_name(config, f"audiogen-{name}" if generator == "audiogen" and "/" not in name else name)


def _texts(data: dict[str, Any]) -> list[str]:
    """Its prompts, which stand there as Python writes a list."""
    said = data["texts"]
    if isinstance(said, str) and len(said) <= _MOST_WORDS:
        try:
            said = ast.literal_eval(said)
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise Unusable("its texts are no list that can be read") from error
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise Unusable("its texts are no list of texts")
    return said
