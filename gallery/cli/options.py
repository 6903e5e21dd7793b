"""What several commands share: options, the gallery they work on, exit codes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gallery.engines import CHOICES, DEVICES
from gallery.errors.text import shown
from gallery.utils import progress
from gallery.utils.root import find_root

if TYPE_CHECKING:
    from gallery.config import Config

# Exit codes, beside click's own 2 for a command that is used wrongly.
FAULTY = 1
INCOMPLETE = 3
INTERRUPTED = 130


def _device(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value == "mps":
        raise click.BadParameter("Apple's GPU is not supported, since nobody has tested it yet; cpu works")
    if not DEVICES.fullmatch(value):
        raise click.BadParameter(f"{shown(value)} is no device: take auto, cpu, cuda, or cuda:0 and so on")
    return value


def _quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        progress.quiet = True
        ctx.call_on_close(lambda: setattr(progress, "quiet", False))


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
DEVICE = click.option(
    "--device",
    callback=_device,
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda|cuda:N",
    help="What MusicGen renders on: the first GPU that works, or the CPU where there is none (auto), the CPU "
    "even beside a GPU, a GPU or an error, the GPU of that number.",
)
SKETCHES = click.option(
    "--sketches/--no-sketches",
    default=True,
    show_default=True,
    help="Make stand-ins for clips that MusicGen has not rendered, or leave them without audio.",
)
QUIET = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_quiet,
    help="Tell only what is wrong: no summary, no progress.",
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
