"""A catalogue of entries as they stand, for tests of pages: nothing is read, planned or rendered for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallery.config import Config
from gallery.prompts.file import read_presets
from gallery.prompts.prompt import Findings
from gallery.site import write_site
from gallery.state.database import State
from gallery.state.outcome import Written
from gallery.utils.digest import digest


class EntriesCatalogue:
    """What pages ask of `gallery.catalogue.entries.Catalogue`."""

    def __init__(self, entries: Sequence[dict[str, Any]] = ()) -> None:
        self._entries = {entry["path"]: entry for entry in entries}
        self._clips: dict[str, dict[str, Any]] = {}
        for entry in entries:
            for clip in entry["clips"]:
                self._clips.setdefault(clip["key"], clip)
        self.paths = sorted(sorted(self._entries), key=lambda path: self._entries[path]["date"], reverse=True)

    def title(self, path: str) -> str:
        return self._entries[path]["title"]

    def author(self, path: str) -> str:
        return self._entries[path]["author"]

    def keys(self, path: str) -> list[str]:
        return list(dict.fromkeys(clip["key"] for clip in self._entries[path]["clips"]))

    def kin_keys(self, path: str) -> list[str]:
        return sorted({kin["key"] for clip in self._entries[path]["clips"] for kin in clip["kin"]})

    def kin_paths(self, path: str) -> list[str]:
        kin = [kin["prompt"] for clip in self._entries[path]["clips"] for kin in clip["kin"]]
        return [other for other in dict.fromkeys(kin) if other != path and other in self._entries]

    def entry(self, path: str, *, wordings: bool = True) -> dict[str, Any]:
        return self._entries[path]

    def get(self, key: str) -> dict[str, Any] | None:
        return self._clips.get(key)

    def state(self, key: str) -> str:
        return str(self._clips.get(key, {}).get("state", ""))

    def digest(self, path: str) -> str:
        return digest(json.dumps(self._entries[path], sort_keys=True))

    def clip_digest(self, key: str) -> str:
        return json.dumps(self._clips.get(key), sort_keys=True)


def write_entries(
    entries: Sequence[dict[str, Any]], files: Mapping[str, Path], config: Config, output: Path
) -> Written:
    """Bring a site to show these entries, as a build would."""
    with State(config.workspace / "state.sqlite", "this version") as state:
        presets = read_presets(config, Findings())
        return write_site(EntriesCatalogue(entries), files, config, output, state, presets)
