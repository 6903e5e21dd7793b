"""Where MusicGen renders: on a GPU that torch can use, or on the CPU.

A GPU that is there and that torch cannot use stops what wants to render: on the CPU it would take
hours, and one command is mostly all that it lacks.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gallery.engines.musicgen.cards import Card, Cards, find_cards, oldest_driver, remedy
from gallery.errors import GalleryError
from gallery.errors.text import one_line, printable, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

AUTO, CPU, CUDA = "auto", "cpu", "cuda"

_ON_THE_CPU = "MusicGen renders on the CPU, which is slow"
_ASK_FOR_CPU = "render on the CPU, slowly, with --device cpu"


@dataclass(frozen=True)
class Device:
    """``cpu``, or ``cuda``: the GPU of torch's number ``index``.

    ``type`` is what torch and audiocraft are told: with a number in it, it would be no ``cuda`` to some
    of their code. ``note`` says why it is the CPU where nobody asked for that.
    """

    type: str
    index: int = 0
    note: str = ""

    def make_current(self) -> None:
        """Have ``cuda`` mean this GPU in this thread."""
        if self.type == CUDA:
            import torch

            torch.cuda.set_device(self.index)


def choose_device(asked: str = AUTO) -> Device:
    """The device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` is the CPU where there is no GPU.

    Raises GalleryError where torch cannot use the GPU that is there, or there is none such.
    """
    if asked == CPU:
        return Device(CPU)
    try:
        import torch
    except Exception as error:
        raise GalleryError(f"torch cannot be imported ({one_line(error)}): run `make musicgen`") from error
    with warnings.catch_warnings():
        # What torch warns of here is told in one line.
        warnings.simplefilter("ignore")
        if torch.cuda.is_available():
            return Device(CUDA, _usable(asked))
        why = _why_none(find_cards())
    if asked != AUTO:
        raise GalleryError(f"--device {asked}: {why}; {_ASK_FOR_CPU}")
    return Device(CPU, note=f"{why}: {_ON_THE_CPU}")


def device_problem(asked: str) -> str | None:
    """Why there is no such device, and what to do; None where there is."""
    try:
        choose_device(asked)
    except GalleryError as error:
        return error.format_message()
    return None


def best_device() -> str:
    """The type of the best device: ``cuda`` where torch can use a GPU, otherwise ``cpu``."""
    return choose_device().type


def device_name(device: str) -> str:
    """What records call a device; of GPUs the current one."""
    import torch

    return torch.cuda.get_device_name() if torch.device(device).type == CUDA else device


def _usable(asked: str) -> int:
    """The number of the GPU that is asked for, or of the first one that works. Raises GalleryError."""
    import torch

    count, number = torch.cuda.device_count(), asked.partition(":")[2]
    if number and int(number) >= count:
        there = ", ".join(f"{CUDA}:{index} ({_name(index)})" for index in range(count))
        raise GalleryError(f"--device {asked}: there is none such; there is {there}")
    problems = []
    for index in [int(number)] if number else range(count):
        if not (problem := _problem(index)):
            return index
        problems.append(problem)
    raise GalleryError(problems[0])


def _name(index: int) -> str:
    import torch

    try:
        return printable(torch.cuda.get_device_name(index))
    except RuntimeError as error:
        return _first_line(error)


def _problem(index: int) -> str:
    """Why torch cannot use a GPU that it sees, and what to do; empty where it can."""
    import torch

    card = Card(f"GPU {index}")
    try:
        capability = torch.cuda.get_device_capability(index)
        card = Card(torch.cuda.get_device_name(index), capability=capability)
        if not _has_kernels(torch.cuda.get_arch_list(), capability):
            driver = next((other.driver for other in find_cards().cards), "")
            card = Card(card.name, driver, capability=capability)
            return _cannot(card, f"{_torch()} has no kernels for it", remedy(card, torch.__version__))
        torch.cuda.mem_get_info(index)  # the least that makes a card show whether it works
    except RuntimeError as error:
        return _cannot(card, f"torch says: {_first_line(error)}", "see what `nvidia-smi` says of it")
    return ""


def _has_kernels(architectures: Sequence[str], capability: tuple[int, int]) -> bool:
    """Whether what torch was compiled for runs on a compute capability.

    Compiled code (``sm_86``) runs on its own generation from there on, what is compiled as it is
    loaded (``compute_90``) on all later ones.
    """
    major, minor = capability
    known = [found for name in architectures if (found := re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", name))]
    return not known or any(
        (int(found[2]) == major and int(found[3]) <= minor)
        or (found[1] == "compute" and (int(found[2]), int(found[3])) <= capability)
        for found in known
    )


def _why_none(found: Cards) -> str:
    """Why there is no GPU for torch. Raises GalleryError where one is there that torch cannot use."""
    import torch

    if not found.cards:
        if torch.backends.mps.is_available():
            return "Apple's GPU is not used, since nobody has tested it yet"
        return "no NVIDIA GPU here"
    card = found.cards[0]
    if not found.reachable:
        return f"{card} of this machine is not given to this container"
    if _hidden(found):
        return f"CUDA_VISIBLE_DEVICES={shown(os.environ['CUDA_VISIBLE_DEVICES'])} hides {card}"
    version, cuda = torch.__version__, torch.version.cuda
    if found.problem:
        raise GalleryError(_cannot(card, found.problem, found.todo))
    if not cuda:
        raise GalleryError(_cannot(card, f"{_torch()} is built without CUDA", remedy(card, version)))
    if 0 < card.release < oldest_driver(cuda):
        reason = f"{_torch()} has CUDA {cuda}, which needs driver {oldest_driver(cuda)} or later"
        raise GalleryError(_cannot(card, reason, remedy(card, version)))
    if all(card.sliced for card in found.cards):
        return f"{card} is in MIG mode, and no instance of it can be seen"
    try:
        torch.cuda.init()
        reason = "torch does not see it"
    except (RuntimeError, AssertionError) as error:
        reason = f"torch says: {_first_line(error)}"
    raise GalleryError(_cannot(card, reason, "see what `nvidia-smi` says of it"))


def _hidden(found: Cards) -> bool:
    """Whether CUDA_VISIBLE_DEVICES leaves no GPU to be seen: CUDA reads it up to the first name of none."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return False
    first = value.split(",")[0].strip()
    if re.fullmatch(r"\d+", first):
        return int(first) >= len(found.cards)
    if first.startswith("GPU-"):
        uuids = [card.uuid for card in found.cards if card.uuid]
        return bool(uuids) and not any(uuid.startswith(first) for uuid in uuids)
    return not first.startswith("MIG-")


def _cannot(card: Card, reason: str, todo: str) -> str:
    """``todo`` is empty where nothing helps."""
    instead = f"or {_ASK_FOR_CPU}" if todo else f"no other has, either: {_ASK_FOR_CPU}"
    return f"torch cannot use {printable(str(card))}: {reason}; {todo}{', ' if todo else ''}{instead}"


def _torch() -> str:
    import torch

    return f"torch {torch.__version__}"


def _first_line(error: BaseException) -> str:
    return one_line(str(error).strip().partition("\n")[0] or type(error).__name__)
