"""Manifests: CSV or JSON lines that say what nothing beside the audio does, a clip a row."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gallery.engines.provenance import Provenance
from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.importers.audio import MAX_BYTES
from gallery.importers.found import ImportedClip, Unusable
from gallery.importers.untrusted import (
    MAX_TEXT_LENGTH,
    clean_line,
    iso_date,
    model_name,
    number_of,
    read_bytes,
    text_of,
)
from gallery.prompts.request import parameter_fields, plain_number
from gallery.utils.audio import NotAudio, opened
from gallery.utils.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.config import Config

NAME = "clips.csv"
AUDIOCRAFT = "audiocraft"

MOST_ROWS = 10_000
LARGEST_SEED = 2**32 - 1

_HINTS = ("title", "author", "license")
_PARAMETERS = tuple(parameter_fields())
FIELDS = ("file", "prompt", "model", *_PARAMETERS, "engine", "date", *_HINTS)

OTHER_ENGINE = "made with {engine}, which makes another sound of the same seed"
LARGE_SEED = "its seed is said to be {seed:.0f}, which is larger than seeds are"
UNKNOWN_SEED = "nobody said what its seed was"


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV file; what is empty is left out. Raises Unusable where it is no manifest."""
    try:
        lines = csv.DictReader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if "file" not in (lines.fieldnames or ()):
            raise Unusable("is no manifest: its first line has no column named file")
        if unknown := next((name for name in lines.fieldnames or () if name not in FIELDS), None):
            raise Unusable(f"has a column {shown(unknown)}; known: {', '.join(FIELDS)}")
        rows: list[dict[str, Any]] = []
        for row in lines:
            if len(rows) == MOST_ROWS:
                raise Unusable(f"has more than {MOST_ROWS:,} rows")
            if None in row:
                raise Unusable(f"row {len(rows) + 1} has more cells than there are columns")
            rows.append({name: value for name, value in row.items() if value})
    except UnicodeDecodeError as error:
        raise Unusable("is not UTF-8") from error
    except csv.Error as error:
        raise Unusable(f"is no CSV that can be read: {clean_line(error)}") from error
    return rows


def is_row(value: Any) -> bool:
    """Whether a JSON value is a row of a manifest."""
    return isinstance(value, dict) and "file" in value and "input" not in value


def audio_of(row: dict[str, Any], manifest: Path) -> Path:
    """The audio that a row names, in the manifest's folder or below it. Raises Unusable."""
    name = text_of(row, "file")
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or "\0" in name or ".." in parts or Path(name).is_absolute() or parts[0].endswith(":"):
        raise Unusable(f"names {shown(name)}, which is no file in its folder or below it")
    path = manifest.parent.joinpath(*parts)
    inside = path.resolve().is_relative_to(manifest.parent.resolve())
    if not inside or path.is_symlink() or not path.is_file():
        raise Unusable(f"names {shown(name)}, and there is no such file in its folder")
    return path


def read_clip(config: Config, row: dict[str, Any], path: Path) -> ImportedClip:
    """The clip that a row describes, whose audio is ``path``. Raises Unusable.

    A parameter that is left out has audiocraft's default, the duration is the audio's own, and
    the seed is not known.
    """
    if unknown := next((name for name in row if name not in FIELDS), None):
        raise Unusable(f"says {shown(unknown)}, which is not known; known: {', '.join(FIELDS)}")
    prompt = text_of(row, "prompt") or beside(path)
    if not prompt:
        raise Unusable("its manifest says no prompt, and there is no .txt beside it")
    if not text_of(row, "model"):
        raise Unusable("its manifest says no model")
    fields = {name: number_of(row, name) for name in _PARAMETERS if row.get(name) not in (None, "")}
    fields.setdefault("duration", length_of(path))
    engine = clean_line(text_of(row, "engine") or AUDIOCRAFT, 40).lower()
    model = text_of(row, "model")
    clip = made(
        path,
        {"prompt": prompt, "model": model if model in config.models else model_name(config, model), **fields},
        Provenance(engine="musicgen", engine_version="", imported_from=engine, date=iso_day(row.get("date"))),
        (path,),
        other_engine="" if engine == AUDIOCRAFT else engine,
    )
    title, author, licence = (text_of(row, name) for name in _HINTS)
    return replace(clip, title=title, author=author, license=licence)


def made(
    source: Path,
    fields: dict[str, Any],
    provenance: Provenance,
    files: tuple[Path, ...],
    other_engine: str = "",
) -> ImportedClip:
    """A clip of these fields; what counts for no seed, missing, too large or another engine's, is noted."""
    seed, greedy = fields.pop("seed", None), fields.get("temperature") == 0
    notes = [OTHER_ENGINE.format(engine=other_engine)] if other_engine else []
    if seed is None or seed == -1:
        notes += [UNKNOWN_SEED]
    elif not 0 <= seed <= LARGEST_SEED:
        notes += [LARGE_SEED.format(seed=seed)]
    elif other_engine:
        notes += [f"its seed there was {seed}"]
    else:
        fields["seed"] = seed
    unseeded = "seed" not in fields and not greedy
    if unseeded:
        provenance = provenance.with_fields(reproducible=False, note="; ".join(notes))
    elif "seed" not in fields:
        fields["seed"] = 0
    return ImportedClip(source, fields, provenance, files, unseeded=unseeded)


def iso_day(value: Any) -> str:
    """A date as ISO 8601, of a day alone, too."""
    return iso_date(value) or iso_date(f"{value}T00:00:00")


def beside(path: Path) -> str:
    """The prompt in a .txt beside the audio; nothing where there is none."""
    text = path.with_suffix(".txt")
    if text.is_symlink() or not text.is_file():
        return ""
    try:
        return read_bytes(text, MAX_TEXT_LENGTH).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unusable("the .txt beside it is not UTF-8") from error


def length_of(path: Path) -> float:
    """The length of audio in seconds, as its header tells. Raises Unusable."""
    try:
        with opened(BytesIO(read_bytes(path, MAX_BYTES))) as file:
            length: float = plain_number(round(file.frames / file.samplerate, 2))
    except (NotAudio, ZeroDivisionError) as error:
        raise Unusable("its audio cannot be decoded; the file is damaged or not whole") from error
    return length


def write_manifest(folder: Path, files: Iterable[Path]) -> tuple[Path, int]:
    """Write a manifest of these files to fill in. Returns it with the number of its rows.

    Raises GalleryError where one is there already.
    """
    target, table = folder / NAME, StringIO(newline="")
    if target.exists() or target.is_symlink():
        raise GalleryError(f"{clean_line(target)} is there already; fill it in, or move it away")
    writer = csv.DictWriter(table, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    rows = 0
    for path in files:
        try:
            name = path.relative_to(folder).as_posix()
            name.encode()
            row = {"file": name, "prompt": beside(path), "duration": length_of(path)}
        except (Unusable, UnicodeEncodeError):
            continue
        writer.writerow(row)
        rows += 1
    write_atomic(target, table.getvalue().encode(), sync=True)
    return target, rows
