"""Manifests: CSV or JSON lines that say what nothing beside the audio does; and audio with a prompt alone."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gallery.engines.provenance import Provenance
from gallery.errors import GalleryError
from gallery.errors.text import shown
from gallery.importers.audio import length_of
from gallery.importers.found import ImportedClip, Unusable
from gallery.importers.untrusted import (
    MAX_TEXT_LENGTH,
    clean_line,
    iso_date,
    model_name,
    number_of,
    read_bytes,
    seed_of,
    text_of,
)
from gallery.prompts.request import parameter_fields
from gallery.utils.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gallery.config import Config

NAME = "clips.csv"
MOST_ROWS = 10_000

_HINTS = ("title", "author", "license")
_PARAMETERS = tuple(name for name in parameter_fields() if name != "seed")
FIELDS = ("file", "prompt", "model", *parameter_fields(), "engine", "date", *_HINTS)

# Engines whose seeds are this gallery's, and those whose defaults are not audiocraft's.
_AUDIOCRAFT = ("", "audiocraft", "musicgen")
_DEFAULTS = {"transformers": {"top_k": 50}}

ORIGIN, LONE_PROMPT = "a manifest", "audio with its prompt beside it"

OTHER_ENGINE = "made with {engine}, which makes another sound of the same seed"
UNKNOWN_SETTINGS = "nobody said its seed or its settings: they stand here as audiocraft has them unasked"


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


def read_clip(config: Config, row: dict[str, Any], path: Path, model: str = "") -> ImportedClip:
    """The clip that a row describes, whose audio is ``path``. Raises Unusable.

    A parameter that is left out has its engine's default, the duration is the audio's own, and
    the seed is not known. ``model`` is that of rows that name none.
    """
    if unknown := next((name for name in row if name not in FIELDS), None):
        raise Unusable(f"says {shown(unknown)}, which is not known; known: {', '.join(FIELDS)}")
    prompt = text_of(row, "prompt") or beside(path)
    if not prompt:
        raise Unusable("its manifest says no prompt, and there is no .txt beside it")
    model = text_of(row, "model") or model
    if not model:
        raise Unusable("its manifest says no model; put it there, or give --model for all of them")
    engine = clean_line(text_of(row, "engine"), 40).lower()
    given = {name: number_of(row, name) for name in _PARAMETERS if row.get(name) not in (None, "")}
    fields = {
        "prompt": prompt,
        "model": model if model in config.models else model_name(config, model),
        **_DEFAULTS.get(engine, {}),
        **given,
    }
    if "duration" not in given:
        fields["duration"] = length_of(path)
    date = iso_day(row.get("date"))
    clip = made(
        path,
        fields,
        seed_of(row),
        Provenance(engine="musicgen", engine_version="", imported_from=engine or ORIGIN, date=date),
        (path,),
        other_engine="" if engine in _AUDIOCRAFT else engine,
    )
    title, author, licence = (text_of(row, name) for name in _HINTS)
    return replace(clip, title=title, author=author, license=licence)


def lone_clip(config: Config, path: Path, model: str) -> ImportedClip:
    """The clip of audio that has nothing beside it but its prompt in a .txt. Raises Unusable."""
    if not model:
        raise Unusable(
            "only its prompt is beside it; say with --model which model made it, or more in a manifest, "
            "which --manifest writes"
        )
    clip = read_clip(config, {}, path, model)
    return clip.with_provenance(
        clip.provenance.with_fields(imported_from=LONE_PROMPT, reproducible=False, note=UNKNOWN_SETTINGS)
    )


def made(
    source: Path,
    fields: dict[str, Any],
    seed: tuple[int | None, str],
    provenance: Provenance,
    files: tuple[Path, ...],
    other_engine: str = "",
) -> ImportedClip:
    """A clip of these fields and this seed, or of none, and why, which is noted; so is another engine's."""
    number, why = seed
    greedy = fields.get("temperature") == 0
    unseeded = bool(other_engine) or (number is None and not greedy)
    notes = [OTHER_ENGINE.format(engine=other_engine)] if other_engine else []
    if other_engine and number is not None:
        notes.append(f"its seed there was {number}")
    elif unseeded:
        notes.append(why)
    if notes:
        provenance = provenance.with_fields(reproducible=False, note="; ".join(notes))
    if not unseeded:
        fields["seed"] = number or 0
    return ImportedClip(source, fields, provenance, files, unseeded=unseeded)


def iso_day(value: Any) -> str:
    """A date as ISO 8601, of a day alone, too."""
    return iso_date(value) or iso_date(f"{value}T00:00:00")


def beside(path: Path) -> str:
    """The prompt in a .txt beside the audio; nothing where there is none. Raises Unusable."""
    text = path.with_suffix(".txt")
    if text.is_symlink() or not text.is_file():
        return ""
    try:
        return read_bytes(text, MAX_TEXT_LENGTH).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unusable("the .txt beside it is not UTF-8") from error


def free_place(folder: Path) -> Path:
    """Where a folder's manifest goes. Raises GalleryError where one is there already."""
    target = folder / NAME
    if target.exists() or target.is_symlink():
        raise GalleryError(f"{clean_line(target)} is there already; fill it in, or move it away")
    return target


def write_manifest(target: Path, files: Iterable[Path]) -> int:
    """Write a manifest of these files to fill in. Returns the number of its rows."""
    table = StringIO(newline="")
    writer = csv.DictWriter(table, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    rows = 0
    for path in files:
        try:
            name = path.relative_to(target.parent).as_posix()
            name.encode()
            row = {"file": name, "prompt": beside(path), "duration": length_of(path)}
        except (Unusable, UnicodeEncodeError):
            continue
        writer.writerow(row)
        rows += 1
    write_atomic(target, table.getvalue().encode(), sync=True)
    return rows
