"""What several commands share: options, the gallery they work on, exit codes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gallery.engines import CHOICES
from gallery.utils.root import find_root

if TYPE_CHECKING:
    from gallery.config import Config

# Exit codes, beside click's own 2 for a command that is used wrongly.
FAULTY = 1
INCOMPLETE = 3
INTERRUPTED = 130

PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder of the site.  [default: site]"
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(CHOICES),
    default="auto",
    show_default=True,
    help="What renders: MusicGen where it can run (auto), MusicGen or an error (musicgen), "
    "MusicGen on Replicate for money (replicate), sketches only (sketch), nothing (none).",
)
CLUSTER = click.option(
    "--cluster",
    metavar="auto|HOST:PORT",
    help="Render on a Ray cluster that this machine belongs to, or on all of this machine's GPUs (auto).",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="With --cluster: workers, each with a GPU, or with its share of the cores where there is no GPU.  "
    "[default: one a GPU, or one a machine]",
)
SKETCHES = click.option(
    "--sketches/--no-sketches",
    default=True,
    show_default=True,
    help="Make stand-ins for clips that MusicGen has not rendered, or leave them without audio.",
)
JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=lambda: os.cpu_count() or 1,
    show_default="one a core",
    help="Previews to encode at once.",
)


def config_of(ctx: click.Context) -> Config:
    """The settings of the gallery that a command works on."""
    from gallery.config import load_config

    return load_config(find_root(ctx.obj))
