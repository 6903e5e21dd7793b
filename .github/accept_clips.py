"""Take rendered clips out of a folder whose makers nobody vouches for: all of them, or none.

    python3 accept_clips.py FROM TO

The workflow `render` runs it in the job that may push, on what the job that rendered handed over. It
needs nothing but Python: what is installed here could push, too. Exits with 1, and a line for each
thing that is wrong, where FROM holds anything but whole clips. Whether a record's request leads to its
key, the tool itself looks at before the site is published: `gallery store verify`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

# Bytes of each of a clip's files, and what it may begin with.
LARGEST = {"mp3": 32_000_000, "webp": 1_000_000, "json": 100_000}
BEGINNINGS = {"mp3": rb"ID3|\xff[\xe0-\xff]", "webp": rb"RIFF....WEBP", "json": rb"\{"}
MOST_CLIPS = 20_000
MOST_BYTES = 5_000_000_000

FIELDS = {
    "": {"version", "key", "request", "engine", "provenance", "preview"},
    "request": {
        *("duration", "seed", "temperature", "top_k", "top_p", "cfg_coef", "extend_stride"),
        *("model", "prompt", "melody"),
    },
    "preview": {
        *("settings", "audio_sha256", "cover_sha256", "bytes", "duration", "peaks"),
        *("loudness_before", "loudness_after", "true_peak_before", "true_peak_after"),
    },
}
# A request leaves out what it doesn't use.
OPTIONAL = {"extend_stride", "melody"}
TEXTS = {"model", "prompt", "melody"}
ENGINES = {"musicgen", "replicate"}
LONGEST_TEXT = 20_000


class Wrong(Exception):
    """What a clip is not."""


def accept(source: Path, target: Path) -> list[str]:
    """Copy the clips of ``source`` to ``target``, a new folder.

    Returns what is wrong; then nothing is copied.
    """
    problems, clips, size = [], {}, 0
    with os.scandir(source) as entries:
        for entry in entries:
            try:
                key, suffix, length = _file(entry)
            except Wrong as error:
                problems.append(f"{entry.name!a}: {error}")
                continue
            clips.setdefault(key, set()).add(suffix)
            size += length
    if len(clips) > MOST_CLIPS or size > MOST_BYTES:
        return [
            f"{len(clips)} clips of {size} bytes are more than the {MOST_CLIPS} of {MOST_BYTES} that may be"
        ]
    for key, suffixes in sorted(clips.items()):
        try:
            if suffixes != LARGEST.keys():
                raise Wrong(f"lacks {', '.join(sorted(LARGEST.keys() - suffixes))}")
            _check(source / key, key)
        except Wrong as error:
            problems.append(f"{key}: {error}")
    if not problems:
        target.mkdir(parents=True)
        for key in clips:
            for suffix in LARGEST:
                shutil.copyfile(source / f"{key}.{suffix}", target / f"{key}.{suffix}", follow_symlinks=False)
    return problems


def _file(entry: os.DirEntry[str]) -> tuple[str, str, int]:
    """A file's key, suffix and bytes. Raises Wrong where it is none of a clip's."""
    found = re.fullmatch(r"([0-9a-f]{32})\.(mp3|webp|json)", entry.name)
    if not found:
        raise Wrong("not the name of a clip's file")
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise Wrong("not a file: a link, a folder or the like")
    if not 0 < status.st_size <= LARGEST[found[2]]:
        raise Wrong(f"{status.st_size} bytes, where 1 to {LARGEST[found[2]]} may be")
    return found[1], found[2], status.st_size


def _check(stem: Path, key: str) -> None:
    """Raise Wrong where a clip's three files don't belong together, or are not what they are called."""
    contents = {suffix: stem.with_name(f"{key}.{suffix}").read_bytes() for suffix in LARGEST}
    for suffix, data in contents.items():
        if not re.match(BEGINNINGS[suffix], data, re.DOTALL):
            raise Wrong(f"its .{suffix} is something else")
    record = _record(contents["json"])
    if record["version"] != 1 or record["key"] != key:
        raise Wrong("its record is that of another clip, or of another version")
    if record["engine"] not in ENGINES:
        raise Wrong("its record names no engine that renders")
    preview = record["preview"]
    digests = [hashlib.sha256(contents[suffix]).hexdigest() for suffix in ("mp3", "webp")]
    if [preview["audio_sha256"], preview["cover_sha256"], preview["bytes"]] != [
        *digests,
        len(contents["mp3"]),
    ]:
        raise Wrong("its audio or its cover is not what its record says")


def _record(data: bytes) -> dict[str, Any]:
    """A record with the fields that records have. Raises Wrong for any other JSON, or none."""
    try:
        record = json.loads(data.decode(), object_pairs_hook=_each_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Wrong("its record is no JSON, or none that a record may be") from error
    for name, fields in FIELDS.items():
        table = record.get(name) if name else record
        if not isinstance(table, dict) or not fields - OPTIONAL <= table.keys() <= fields:
            raise Wrong(f"its record has other fields{f' of {name}' if name else ''} than records have")
    if not isinstance(record["engine"], str) or not isinstance(record["provenance"], dict):
        raise Wrong("its record has other values than records have")
    for field, value in record["request"].items():
        fits = isinstance(value, str) and len(value) <= LONGEST_TEXT if field in TEXTS else _is_number(value)
        if not fits:
            raise Wrong(f"its request's {field} has no value that it may have")
    return record


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a field stands twice")
    return table


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


if __name__ == "__main__":
    found = accept(Path(sys.argv[1]), Path(sys.argv[2]))
    for problem in found[:100]:
        # GitHub's runner takes `##[` for a command wherever it stands.
        print(f"::error::Rendered clips are not taken: {problem}".replace("##[", "#["))
    sys.exit(1 if found else 0)
