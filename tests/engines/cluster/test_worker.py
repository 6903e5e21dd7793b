"""A worker by itself, without Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# The hook is told of every connection and every name that is looked up.
HOLD = """
import sys
network = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, args: event in network and print("asked", args))
from pathlib import Path
from gallery.config import Model
from gallery.engines.cluster.worker import Worker
worker = Worker({"a": Model(hub="tests/absent", revision="a" * 40, kind="musicgen")}, Path(), "cpu", None)
print(worker.hold("tests/absent"))
from huggingface_hub import constants
print(constants.HF_HUB_OFFLINE)
"""


def test_what_a_machine_lacks_is_told_and_not_fetched(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", HOLD]
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told, offline = ran.stdout.splitlines()
    assert told.startswith("no model's weights are here: ")
    assert offline == "True"
