"""Small galleries in temporary folders, driven through the command."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from gallery.cli import main
from gallery.config import load_config
from gallery.engines import Render
from gallery.engines.provenance import Provenance
from gallery.prompts.folder import read_prompts
from gallery.store.lossless import LosslessStore

SETTINGS = """\
[site]
title = "Test gallery"

[models.small]
hub = "facebook/musicgen-small"
kind = "musicgen"

[models.melody]
hub = "facebook/musicgen-melody"
kind = "melody"

[models.stereo-small]
hub = "facebook/musicgen-stereo-small"
kind = "musicgen"
channels = 2

[models.audiogen]
hub = "facebook/audiogen-medium"
kind = "audiogen"
sample_rate = 16000
max_duration = 30
"""

GUIDE = "---\ntitle: Listen twice\nsummary: The second time you hear more.\n---\nAnd a *third* time.\n"


# Processes begin as copies of one that has imported these.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *("gallery.cli", "gallery.build", "gallery.preview", "gallery.site", "gallery.engines.sketch"),
        *("scipy.ndimage", "scipy.optimize", "scipy.signal"),
    ]
)


@dataclass(frozen=True)
class Ran:
    """What a command printed (``out`` for results, ``err`` for the rest) and its exit code.

    ``err`` is without the lines of files that faults are shown in; ``whole`` has them.
    """

    code: int
    out: str
    err: str
    whole: str = ""

    @classmethod
    def of(cls, command: Iterable[object], at: Path, environment: Mapping[str, str]) -> Ran:
        """Run a command as a process, with no terminal."""
        ran = subprocess.run(
            [str(part) for part in command],
            cwd=at,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return cls(ran.returncode, ran.stdout, ran.stderr)


@dataclass(frozen=True)
class Gallery:
    """A gallery's folder."""

    root: Path

    def begin(self) -> Gallery:
        """Settings, and one guide: those that come with the tool would be most of a small gallery's pages."""
        self.write("gallery.toml", SETTINGS)
        self.write("guides/en/listening.md", GUIDE)
        (self.root / "prompts").mkdir()
        return self

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def prompt(self, name: str, *fields: str, notes: str = "") -> Path:
        """Write prompts/<name>.md with these lines of front matter."""
        return self.write(f"prompts/{name}.md", "\n".join(["---", *fields, "---", notes, ""]))

    def run(self, *args: object, stdin: str | None = None) -> Ran:
        result = CliRunner().invoke(main, ["--gallery", str(self.root), *map(str, args)], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        err = re.sub(r"^ *\d* +\| .*\n", "", result.stderr, flags=re.MULTILINE)
        return Ran(result.exit_code, result.stdout, err, result.stderr)

    def start(self, *args: object, first: str = "") -> BaseProcess:
        """The command in a process of its own that has imported everything: it is at work at once.

        ``first`` is code that it runs before. What it prints is in the file `told`.
        """
        command = ["--gallery", str(self.root), *map(str, args)]
        here = f"import os; os.environ.update({dict(os.environ)!r})"
        file = f"os.open({str(self.told)!r}, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)"
        printed = f"file = {file}; os.dup2(file, 1); os.dup2(file, 2)"
        program = f"{here}\n{printed}\n{first}\nfrom gallery.cli import main; main({command!r})"
        process = FORKS.Process(target=exec, args=(program, {}))
        process.start()
        return process

    @property
    def told(self) -> Path:
        """What the process that was started last has printed."""
        return self.root.with_name(f"{self.root.name}.told")

    def files(self, folder: str = "site") -> dict[str, bytes]:
        """Every file below a folder, by its name."""
        top = self.root / folder
        return {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }


def render_all(gallery: Gallery, *names: str) -> list[str]:
    """Put lossless renders of these prompts (or all) where an engine would; returns their keys."""
    config = load_config(gallery.root)
    renders, keys = LosslessStore(config.workspace / "renders"), []
    for prompt in read_prompts(config).prompts:
        for clip in prompt.clips if not names or prompt.path in names else ():
            model = config.models[clip.model]
            time_axis = np.arange(round(clip.request.duration * model.sample_rate)) / model.sample_rate
            tone = 0.2 * np.sin(2 * np.pi * (220 + clip.request.seed % 400) * time_axis)
            audio = np.repeat(tone.astype(np.float32)[:, None], model.channels, axis=1)
            about = Provenance(
                engine="musicgen", engine_version=1, date="2026-11-20T00:00:00Z", device="test"
            )
            renders.put(Render(clip.request, audio, model.sample_rate, about))
            keys.append(clip.key)
    return keys


def catalogue(gallery: Gallery, folder: str = "site") -> dict[str, dict]:
    """The published prompts by path."""
    published = json.loads((gallery.root / folder / "catalogue.json").read_text())
    return {entry["path"]: entry for entry in published["prompts"]}
