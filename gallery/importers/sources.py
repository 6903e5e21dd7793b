"""Looking for clips in files and folders: what belongs together, and which importer reads it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallery.errors import GalleryError
from gallery.importers import apps, manifest, own_mp3, replicate, tts_webui
from gallery.importers.found import Finds, ImportedClip, Refusal, Unusable, refusing
from gallery.importers.untrusted import MAX_JSON_BYTES, clean_line, load_json, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gallery.config import Config

# Audio beside JSON, the best first. An MP3 can be a gallery's, too.
_LOSSLESS_FIRST = (".wav", ".flac", ".ogg", ".opus", ".m4a")
_AUDIO = (*_LOSSLESS_FIRST, ".mp3")

_LINES = (".jsonl", ".ndjson")
_TABLE = ".csv"
_SUFFIXES = (*_AUDIO, ".json", *_LINES, _TABLE)
_WORDS = ".txt"

# Audio in which no tool is known to put its metadata.
_NO_COMMENT = (".mp3", ".m4a")

_NO_SETTINGS = "has no settings beside it, and none in it; say them in a manifest, which --manifest writes"

# Folders within folders; the tools make two.
_MOST_FOLDERS = 32

# Files of one name, by their suffixes.
_Group = dict[str, Path]


def find_clips(config: Config, sources: Sequence[Path], scratch: Path | None, model: str = "") -> Finds:
    """Every clip in the sources, and every file there that should be one and is not.

    What is fetched for it goes into ``scratch``; without one nothing is. ``model`` made those of which
    nothing says which model did. Raises GalleryError for a source that does not exist.
    """
    finds = Finds()
    groups: dict[Path, _Group] = defaultdict(dict)
    for path in _files(sources, finds):
        groups[_stem(path)][path.suffix.lower()] = path
    _Reader(config, finds, scratch, model).read_all([groups[name] for name in sorted(groups)])
    return finds


def audio_without_settings(config: Config, folder: Path) -> list[Path]:
    """The audio in a folder and below it of which nothing there says how it was made."""
    return find_clips(config, [folder], None).bare


def _files(sources: Sequence[Path], finds: Finds) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from _walk(source, finds)
        elif not source.is_file():
            raise GalleryError(f"{clean_line(source)}: no such file or folder")
        elif source.suffix.lower() not in _SUFFIXES:
            finds.refused.append(Refusal(source, f"no clip; accepted: {', '.join(_SUFFIXES)}"))
        else:
            yield from _with_companions(source)


def _stem(path: Path) -> Path:
    """What files of one clip have in common: AudioCraft Plus has its JSON in a folder beside the audio's."""
    partner = _partner(path)
    return (partner if partner and path.suffix.lower() == ".json" else path).with_suffix("")


def _partner(path: Path) -> Path | None:
    """``json/7.json`` of ``wav/7.wav``, and the reverse; None where there is none."""
    places = {".wav": ("wav", "json", ".json"), ".json": ("json", "wav", ".wav")}
    here, there, suffix = places.get(path.suffix.lower(), ("", "", ""))
    if not here or path.parent.name != here:
        return None
    other = path.parent.parent / there / f"{path.stem}{suffix}"
    return other if other.is_file() and not other.is_symlink() else None


def _walk(top: Path, finds: Finds) -> Iterator[Path]:
    def tell(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename or top))
        finds.refused.append(Refusal(path, f"cannot be read: {error.strerror}"))

    for folder, subfolders, names in os.walk(top, onerror=tell):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if len(Path(folder).relative_to(top).parts) >= _MOST_FOLDERS and subfolders:
            finds.refused.append(Refusal(Path(folder), f"holds folders more than {_MOST_FOLDERS} deep"))
            subfolders.clear()
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith("."):
                continue
            if path.suffix == _WORDS and any(path.with_suffix(suffix).is_file() for suffix in _AUDIO):
                continue  # the prompt of that audio
            if path.suffix.lower() not in _SUFFIXES:
                finds.passed_over[clean_line(path.suffix.lower(), 12) or "no ending"] += 1
                continue
            if path.is_symlink():
                finds.refused.append(Refusal(path, "a link; import the file that it leads to"))
            elif path.is_file():
                yield path


def _with_companions(path: Path) -> Iterator[Path]:
    """A file and what belongs to it: the metadata of audio, the audio of metadata."""
    yield path
    if partner := _partner(path):
        yield partner
    others = _SUFFIXES if path.suffix.lower() == ".json" else (".json",)
    for suffix in others:
        other = path.with_suffix(suffix)
        if other != path and other.is_file() and not other.is_symlink():
            yield other


class _Reader:
    """Reads groups of files; what is wrong with one goes into the finds and stops no other."""

    def __init__(self, config: Config, finds: Finds, scratch: Path | None, model: str) -> None:
        self.config, self.finds, self.scratch, self.model = config, finds, scratch, model
        self.taken: set[Path] = set()

    def read_all(self, groups: Sequence[_Group]) -> None:
        """Read manifests and predictions first: they say which audio is theirs."""
        for group in groups:
            self._manifests(group)
        rest = [group for group in groups if not self._predictions(group)]
        for group in rest:
            self._others({suffix: path for suffix, path in group.items() if path not in self.taken})

    def _manifests(self, group: _Group) -> None:
        """Read the group's manifests: a CSV file, and JSON lines that are none of predictions."""
        for suffix in (_TABLE, *_LINES):
            if suffix not in group:
                continue
            source, rows = group[suffix], []
            with refusing(self.finds.refused, source):
                if suffix == _TABLE:
                    self.taken.add(source)
                    rows = manifest.rows_of(read_bytes(source, MAX_JSON_BYTES))
                else:
                    rows = self._json_rows(source)
            for number, row in enumerate(rows, start=1):
                with refusing(self.finds.refused, source, f"row {number}: "):
                    path = manifest.audio_of(row, source)
                    if path in self.taken:
                        raise Unusable(f"{clean_line(path.name)} is another row's, too")
                    self.taken.add(path)
                    self.finds.clips.append(manifest.read_clip(self.config, row, path, self.model))

    def _json_rows(self, source: Path) -> list[dict[str, Any]]:
        """The rows of JSON lines; none where they are something else, or cannot be read."""
        try:
            rows = _load_lines(source)
        except Unusable:
            return []  # told where predictions are looked for
        if not rows or not all(map(manifest.is_row, rows)):
            return []
        self.taken.add(source)
        if len(rows) > manifest.MOST_ROWS:
            raise Unusable(f"has more than {manifest.MOST_ROWS:,} rows")
        return rows

    def _predictions(self, group: _Group) -> bool:
        """Whether the group's JSON holds predictions, which are read then, and nothing else is left of it."""
        left = {suffix for suffix, path in group.items() if path not in self.taken}
        name = next((suffix for suffix in (".json", *_LINES) if suffix in left), None)
        if name is None:
            return self.taken.issuperset(group.values())
        source = group[name]
        try:
            found = replicate.predictions_in(_load_lines(source) if name in _LINES else _load(source))
            if found is None:
                raise Unusable("holds neither predictions of Replicate nor the rows of a manifest")
        except Unusable as error:
            if name not in _LINES:
                return False
            self.finds.refused.append(Refusal(source, str(error)))
            found = []
        several = len(found) > 1
        for number, prediction in enumerate(found, start=1):
            files = replicate.audio_beside(prediction, source, alone=not several)
            self.taken.update(files)
            with refusing(self.finds.refused, source, f"prediction {number}: " if several else ""):
                clip = replicate.read_clip(self.config, prediction, source, files, self.scratch)
                self.finds.clips.append(clip)
        self.taken.add(source)
        return self.taken.issuperset(group.values())

    def _others(self, group: _Group) -> None:
        audio = [group[suffix] for suffix in _LOSSLESS_FIRST if suffix in group]
        mp3, sidecar = group.get(".mp3"), group.get(".json")
        if mp3 and not own_mp3.is_own(mp3):
            audio, mp3 = [*audio, mp3], None
        if audio:
            source = sidecar or audio[-1]
            with refusing(self.finds.refused, source):
                self.finds.clips.append(self._clip(audio, sidecar, source))
        if mp3:
            with refusing(self.finds.refused, mp3):
                self.finds.clips.append(own_mp3.read_clip(self.config, mp3))
                sidecar = None
        if sidecar and not audio:
            with refusing(self.finds.refused, sidecar):
                _metadata_in(sidecar)
                raise Unusable("its audio is not beside it")

    def _clip(self, audio: list[Path], sidecar: Path | None, source: Path) -> ImportedClip:
        """The clip that audio and what is beside or in it make. Raises Unusable."""
        self.finds.bare.append(audio[0])
        data = _metadata(audio, sidecar)
        if data is None and manifest.beside(audio[0]):
            return manifest.lone_clip(self.config, audio[0], self.model)
        if data is None:
            raise Unusable(_NO_SETTINGS)
        self.finds.bare.pop()
        read = apps.read_clip if apps.is_app(data) else tts_webui.read_clip
        return read(self.config, data, source, audio)


def _metadata(audio: list[Path], sidecar: Path | None) -> dict[str, Any] | None:
    """The metadata beside the audio, or what is embedded where that is damaged; None where there is none.

    Raises Unusable where all that there is is damaged.
    """
    reason = None
    if sidecar:
        try:
            return _metadata_in(sidecar)
        except Unusable as error:
            reason = error
    for path in reversed(audio):
        suffix = path.suffix.lower()
        if suffix in _NO_COMMENT:
            continue
        try:
            if data := apps.embedded(path) if suffix == ".wav" else tts_webui.embedded_metadata(path):
                return data
        except Unusable as error:
            reason = reason if sidecar else error
    if reason:
        raise reason
    return None


def _metadata_in(sidecar: Path) -> dict[str, Any]:
    data = _load(sidecar)
    if not (tts_webui.is_metadata(data) or apps.is_app(data)):
        raise Unusable("neither metadata of a tool that is known here nor a prediction of Replicate")
    return dict(data)


def _load(path: Path) -> Any:
    return load_json(read_bytes(path, MAX_JSON_BYTES))


def _load_lines(path: Path) -> list[Any]:
    """A JSON value a line."""
    lines = read_bytes(path, MAX_JSON_BYTES).splitlines()
    return [load_json(line) for line in lines if line.strip()]
