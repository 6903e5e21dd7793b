"""The commands: options in, messages out.

Each lies in a module that is imported when it is called, and imports what it needs when it runs: what
takes long to import costs no other command anything.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from gallery import __version__
from gallery.cli.options import INTERRUPTED
from gallery.errors import FaultyFile, GalleryError
from gallery.errors.system import told_by_the_system
from gallery.utils.progress import say

# Where each command is: module and name.
_COMMANDS = {
    "build": ("gallery.cli.building", "build"),
    "check": ("gallery.cli.contributing", "check"),
    "doctor": ("gallery.cli.installation", "doctor"),
    "import": ("gallery.cli.contributing", "import_"),
    "init": ("gallery.cli.installation", "init"),
    "new": ("gallery.cli.contributing", "new"),
    "schema": ("gallery.cli.contributing", "schema"),
    "serve": ("gallery.cli.building", "serve"),
    "setup": ("gallery.cli.setup", "setup"),
    "store": ("gallery.cli.store", "store"),
}

# More threads gain nothing for arrays as small as ours; and where memory is short, OpenBLAS waits for
# ever for one that could not be started.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Otherwise pydantic looks through every installed distribution for plugins, which takes longer than
# to build all of our models.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")


class _Commands(click.Group):
    """Ends cleanly on Ctrl-C, and says what is kept."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FaultyFile as error:
            from gallery.cli.messages import tell_faulty_file
            from gallery.utils.root import find_root

            tell_faulty_file(error, find_root(ctx.obj or ctx.params["folder"]))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            say("\nInterrupted. Every finished clip is kept; run the same command to go on.")
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if told := told_by_the_system(error):
                raise GalleryError(told) from error
            raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="gallery")
@click.option(
    "--gallery",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Folder of the gallery, or one inside it.  [default: the current folder]",
)
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Make a catalogue of what MusicGen makes of prompts and their parameters.

    Every command exits with 0 when all went well, 1 when something is wrong in what it was given
    to work on (one line says what), 2 when it was used wrongly, 3 when a part was left out or
    failed and the rest is done, 130 when interrupted.
    """
    ctx.obj = folder


__all__ = ["main"]
