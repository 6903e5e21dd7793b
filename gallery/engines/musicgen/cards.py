"""NVIDIA's GPUs as their driver tells of them, and the build of torch that serves each.

Torch is not asked: it may be the one that cannot see them.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from gallery.errors.text import one_line

# Where Linux tells of GPUs that have NVIDIA's driver, even in a container that was given none;
# of what can be used; and of all that is plugged in.
DRIVER, NODES, PLUGGED_IN = Path("/proc/driver/nvidia"), Path("/dev"), Path("/sys/bus/pci/devices")

_NAMELESS = "an NVIDIA GPU"

# The second is for drivers of release 470 and before, which know no more.
_QUERIES = (
    ("name", "driver_version", "memory.total", "compute_cap", "uuid", "mig.mode.current"),
    ("name", "driver_version", "memory.total"),
)


@dataclass(frozen=True)
class Card:
    """A GPU. What nobody tells of it is empty, or None.

    ``capability`` is its compute capability; ``sliced`` whether it is in MIG mode, in which
    only its instances can be used.
    """

    name: str
    driver: str = ""
    memory: str = ""
    capability: tuple[int, int] | None = None
    uuid: str = ""
    sliced: bool = False

    @property
    def release(self) -> int:
        """The driver's release: 580 of 580.95.05; 0 where it is not known."""
        found = re.match(r"\d+", self.driver)
        return int(found[0]) if found else 0

    def __str__(self) -> str:
        about = [f"compute capability {self.capability[0]}.{self.capability[1]}"] if self.capability else []
        about += [f"driver {self.driver}"] if self.driver else []
        return f"{self.name} ({', '.join(about)})" if about else self.name


@dataclass(frozen=True)
class Cards:
    """This machine's GPUs.

    ``problem`` says why NVIDIA's driver does not answer for them, and ``todo`` what to do about it.
    ``reachable`` is False for those of a machine whose container was given none.
    """

    cards: tuple[Card, ...] = ()
    problem: str = ""
    todo: str = ""
    reachable: bool = True


@dataclass(frozen=True)
class _Build:
    """A build of torch on PyTorch's index: cards and drivers that it serves, releases that it exists of.

    ``beyond`` is the first compute capability, and ``ended`` the first release of torch, without it.
    """

    tag: str
    driver: int
    lowest: tuple[int, int]
    beyond: tuple[int, int] | None
    begun: tuple[int, int]
    ended: tuple[int, int] | None

    def serves(self, card: Card) -> bool:
        """Whether it has kernels for a card; any may, if the card's capability is not known."""
        if card.capability is None:
            return True
        return self.lowest <= card.capability and (not self.beyond or card.capability < self.beyond)

    def command(self, torch: str) -> str:
        """What installs it in the place of ``torch``, of the same release where there is one."""
        version = torch.partition("+")[0]
        release = tuple(map(int, re.findall(r"\d+", version)[:2]))
        if release < self.begun or not re.fullmatch(r"\d+\.\d+\.\d+", version):
            wanted = f'"torch>={self.begun[0]}.{self.begun[1]}"'
        elif self.ended and release >= self.ended:
            wanted = f'"torch<{self.ended[0]}.{self.ended[1]}"'
        else:
            wanted = f"torch=={version}+{self.tag}"
        # An environment that uv made, as of `uv tool install`, has no pip.
        uv = f"uv pip install --python {shlex.quote(sys.executable)}"
        pip = "pip install" if importlib.util.find_spec("pip") else uv
        return f"{pip} {wanted} --index-url https://download.pytorch.org/whl/{self.tag}"


# The best first. Kernels and releases: "PyTorch CUDA Support Matrix" of PyTorch's RELEASE.md, and its
# issue 190385, by which CUDA 12.6 ends with torch 2.14. Drivers: "Minor Version Compatibility" in
# NVIDIA's CUDA Compatibility.
_BUILDS = (
    _Build("cu130", 580, lowest=(7, 5), beyond=None, begun=(2, 9), ended=None),
    _Build("cu126", 525, lowest=(5, 0), beyond=(10, 0), begun=(2, 6), ended=(2, 15)),
)

# The driver that serves all of these cards: the last for Maxwell to Volta, by NVIDIA's Unix graphics
# feature deprecation schedule, and enough for all builds.
_DRIVER = 580


def find_cards() -> Cards:
    """This machine's GPUs, by nvidia-smi, or by what Linux tells of them."""
    problem, todo = "NVIDIA's driver is not installed", "install it"
    for query in _QUERIES:
        try:
            told = _output("nvidia-smi", f"--query-gpu={','.join(query)}", "--format=csv,noheader")
        except FileNotFoundError:
            break
        except (OSError, subprocess.SubprocessError) as error:
            told = f"{getattr(error, 'stdout', '') or ''}\n{getattr(error, 'stderr', '') or ''}"
        rows = [line.split(",") for line in told.splitlines()]
        if cards := tuple(_card(query, row) for row in rows if len(row) == len(query)):
            return Cards(cards)
        complaint = next(filter(None, map(str.strip, told.splitlines())), "nothing")
        problem = f"nvidia-smi says: {one_line(complaint)}"
        todo = "start this machine anew, or reinstall NVIDIA's driver"
    if cards := _of_the_driver():
        if not any(NODES.glob("nvidia[0-9]*")):
            return Cards(cards, reachable=False)
        return Cards(cards) if todo == "install it" else Cards(cards, problem, todo)
    return Cards((Card(_NAMELESS),), problem, todo) if _is_plugged_in() else Cards()


def oldest_driver(cuda: str) -> int:
    """The oldest release of the driver that serves a CUDA of this version, or 0 for one that is not known."""
    return {"13": 580, "12": 525, "11": 450}.get(cuda.partition(".")[0], 0)


def remedy(card: Card, torch: str) -> str:
    """The one thing to do so that a torch in this one's place can use a card; empty where nothing helps."""
    builds = [build for build in _BUILDS if build.serves(card)]
    if not builds:
        return ""
    for build in builds:
        if not card.release or card.release >= build.driver:
            return f"run `{build.command(torch)}`"
    return f"update NVIDIA's driver to release {_DRIVER}"


def _output(*command: str) -> str:
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=20, stdin=subprocess.DEVNULL
    )
    return ran.stdout


def _card(query: tuple[str, ...], row: list[str]) -> Card:
    told = dict(zip(query, map(str.strip, row), strict=True))
    capability = re.fullmatch(r"(\d+)\.(\d+)", told.get("compute_cap", ""))
    return Card(
        name=told["name"],
        driver=told.get("driver_version", ""),
        memory=told.get("memory.total", ""),
        capability=(int(capability[1]), int(capability[2])) if capability else None,
        uuid=told.get("uuid", ""),
        sliced=told.get("mig.mode.current") == "Enabled",
    )


def _of_the_driver() -> tuple[Card, ...]:
    try:
        release = re.search(r"\b\d{3}\.[\d.]+\b", (DRIVER / "version").read_text())
        driver = release[0] if release else ""
    except OSError:
        driver = ""
    names = []
    for path in sorted(DRIVER.glob("gpus/*/information")):
        model = re.search(r"^Model:\s*(.+?)\s*$", path.read_text(errors="replace"), re.MULTILINE)
        names.append(model[1] if model else _NAMELESS)
    names = names or [_NAMELESS for _ in NODES.glob("nvidia[0-9]*")]
    return tuple(Card(name, driver) for name in names)


def _is_plugged_in() -> bool:
    """Whether a GPU of NVIDIA's is on the bus, with or without a driver."""
    for vendor in PLUGGED_IN.glob("*/vendor"):
        try:
            if vendor.read_text().strip() == "0x10de" and vendor.with_name("class").read_text()[:4] == "0x03":
                return True
        except OSError:
            continue
    return False
