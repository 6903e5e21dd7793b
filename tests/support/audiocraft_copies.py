"""Programs in processes of their own that need not import audiocraft: that takes five seconds each time."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING

from support.tiny_checkpoints import import_everything

if TYPE_CHECKING:
    from pathlib import Path


def run(program: str, folder: Path, *, stood_in: bool = False) -> tuple[int, str]:
    """A program's exit code and what it prints, in a folder: it runs in a copy of this process.

    ``stood_in`` runs it where audiocraft finds everything that it may call.
    """
    import_everything()
    child = os.fork()
    if not child:
        code = 1
        try:
            _become(program, folder, stood_in=stood_in)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:  # noqa: BLE001 - told as Python tells it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (folder / "printed").read_text()


def _become(program: str, folder: Path, *, stood_in: bool) -> None:
    """Run a program, with nothing of the tests about it but what is imported."""
    from huggingface_hub import constants

    from gallery.engines.musicgen.standins import placed

    os.chdir(folder)
    os.dup2(os.open("printed", os.O_CREAT | os.O_WRONLY), 1)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), sys.__stderr__
    constants.HF_HUB_OFFLINE = True
    warnings.simplefilter("ignore")
    with placed() if stood_in else nullcontext():
        exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
