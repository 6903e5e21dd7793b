"""Programs in processes of their own that need not import audiocraft: that takes five seconds each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Each program runs in a copy of this process, which has imported audiocraft and done nothing else.
AROUND = """\
import json, os, sys, warnings
warnings.simplefilter("ignore")
from contextlib import nullcontext
from gallery.engines.musicgen.standins import import_audiocraft, placed
import_audiocraft()
for line in sys.stdin:
    folder, program, stood_in = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.dup2(os.open("printed", os.O_CREAT | os.O_WRONLY), 1)
        with placed() if stood_in else nullcontext():
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Copies:
    """Runs programs, one after the other."""

    def __init__(self) -> None:
        self._running = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", AROUND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        )

    def run(self, program: str, folder: Path, *, stood_in: bool = False) -> tuple[int, str]:
        """A program's exit code and what it prints, in a folder.

        ``stood_in`` runs it where audiocraft finds everything that it may call.
        """
        assert self._running.stdin
        assert self._running.stdout
        self._running.stdin.write(json.dumps([str(folder), program, stood_in]) + "\n")
        self._running.stdin.flush()
        return int(self._running.stdout.readline()), (folder / "printed").read_text()

    def end(self) -> None:
        self._running.communicate()
