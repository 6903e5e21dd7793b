"""A machine with other GPUs, another driver and another torch: their answers, and nothing of gallery's."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# torch's kernels: PyTorch's builds for CUDA 13.0 and 12.6.
CU130 = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120")
CU126 = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")

NAMES = {
    (3, 7): "Tesla K80",
    (6, 0): "Tesla P100-PCIE-16GB",
    (6, 1): "NVIDIA GeForce GTX 1080",
    (7, 0): "Tesla V100-SXM2-16GB",
    (7, 5): "Tesla T4",
    (8, 0): "NVIDIA A100-SXM4-40GB",
    (8, 9): "NVIDIA GeForce RTX 4090",
    (9, 0): "NVIDIA H200",
    (12, 0): "NVIDIA GeForce RTX 5090",
    (12, 1): "NVIDIA GB10",
}


@dataclass
class Machine:
    """What answers. ``cards`` are GPUs by their compute capability."""

    folder: Path
    patch: pytest.MonkeyPatch
    current: list[int] = field(default_factory=list)  # what torch was told to take for `cuda`

    def driver(self, *cards: tuple[int, int], version: str = "580.95.05", mig: str = "[N/A]") -> None:
        """nvidia-smi lists these; one of release 470 doesn't know capabilities."""
        rows = [
            f"{NAMES[card]}, {version}, 16384 MiB, {card[0]}.{card[1]}, GPU-{number}abc, {mig}"
            for number, card in enumerate(cards)
        ]
        short = [", ".join(row.split(", ")[:3]) for row in rows]
        unknown = "echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2"
        full = unknown if version < "500" else "\n".join(f"echo '{row}'" for row in rows)
        lines = "\n".join(f"echo '{row}'" for row in short)
        self.tool(f'case "$1" in\n*compute_cap*) {full or ":"} ;;\n*) {lines or ":"} ;;\nesac')

    def tool(self, script: str) -> None:
        """An nvidia-smi of these lines of shell."""
        path = self.folder / "bin/nvidia-smi"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        self.patch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    def linux(self, model: str, version: str, *, node: bool) -> None:
        """What the kernel tells of a GPU, and whether it has a device file here."""
        gpu = self.folder / "proc/gpus/0000:01:00.0"
        gpu.mkdir(parents=True)
        (gpu / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 139\n")
        (self.folder / "proc/version").write_text(
            f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build\n"
        )
        if node:
            (self.folder / "dev/nvidia0").touch()

    def plug_in(self, vendor: str, kind: str) -> None:
        """A device on the bus: a GPU is of kind 0x03...."""
        slot = self.folder / "pci/0000:01:00.0"
        slot.mkdir(parents=True)
        (slot / "vendor").write_text(f"{vendor}\n")
        (slot / "class").write_text(f"{kind}\n")

    def without_tool(self) -> None:
        """There is no nvidia-smi."""
        (self.folder / "bin/nvidia-smi").unlink()
        self.patch.setenv("PATH", str(self.folder / "bin"))

    def torch(
        self,
        *sees: tuple[int, int],
        version: str = "2.13.0+cu130",
        kernels: tuple[str, ...] = CU130,
        warning: str = "",
        error: str = "No CUDA GPUs are available",
        broken: dict[int, str] | None = None,
    ) -> None:
        """A torch of this version that sees these GPUs, or says why it sees none."""
        import torch

        def available() -> bool:
            if warning:
                warnings.warn(f"CUDA initialization: {warning}", stacklevel=2)
            return bool(sees)

        def init() -> None:
            if not sees:
                raise RuntimeError(error)

        def memory(index: int) -> tuple[int, int]:
            if told := (broken or {}).get(index):
                raise RuntimeError(told)
            return 2**34, 2**34

        tag = version.partition("+cu")[2]
        self.patch.setattr(torch, "__version__", version)
        self.patch.setattr(torch.version, "cuda", f"{tag[:2]}.{tag[2:]}" if tag else None)
        answers: dict[str, Any] = {
            "is_available": available,
            "init": init,
            "device_count": lambda: len(sees),
            "get_device_name": lambda index=None: NAMES[sees[index or 0]],
            "get_device_capability": lambda index=None: sees[index or 0],
            "get_arch_list": lambda: list(kernels) if sees else [],
            "mem_get_info": memory,
            "set_device": self.current.append,
        }
        for name, answer in answers.items():
            self.patch.setattr(torch.cuda, name, answer)


def make_machine(folder: Path, patch: pytest.MonkeyPatch) -> Machine:
    """A machine without any GPU, whatever this one has."""
    from gallery.engines.musicgen import cards

    (folder / "dev").mkdir(parents=True)
    patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    patch.setattr(cards, "DRIVER", folder / "proc")
    patch.setattr(cards, "NODES", folder / "dev")
    patch.setattr(cards, "PLUGGED_IN", folder / "pci")
    machine = Machine(folder, patch)
    machine.tool("echo 'No devices were found'; exit 6")
    return machine
