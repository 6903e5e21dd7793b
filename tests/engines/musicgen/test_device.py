"""What MusicGen renders on, with simulated cards, drivers and builds of torch."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from html import unescape
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gallery.engines import Failure
from gallery.engines.musicgen import MusicGenEngine
from gallery.engines.musicgen.device import Device, choose_device
from gallery.errors import GalleryError
from support.machine import CU126, Machine, make_machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.galleries import Gallery
    from support.tiny_engine import Tiny

    MakeTiny = Callable[..., Tiny]

OLD_DRIVER = (
    "The NVIDIA driver on your system is too old (found version 12040). Please update your GPU driver by "
    "downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx"
)
CPU_BUILD = {"version": "2.13.0+cpu"}
BY_CPU = "render on the CPU, slowly, with --device cpu"


def pip(wanted: str, tag: str) -> str:
    return f"run `pip install {wanted} --index-url https://download.pytorch.org/whl/{tag}`, or {BY_CPU}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return make_machine(tmp_path / "machine", monkeypatch)


@pytest.fixture
def small(gallery: Gallery, tiny: MakeTiny) -> Gallery:
    """A gallery with one clip to render, and a tiny model for it."""
    model = tiny("mono")
    (gallery.root / "tiny").symlink_to(model.root / model.model.folder)
    gallery.write("gallery.toml", '[models.tiny]\nhub = "tests/tiny"\nfolder = "tiny"\nkind = "musicgen"\n')
    gallery.prompt("drums", "prompt: drums", "duration: 0.5")
    return gallery


def refusal(asked: str = "auto") -> str:
    with pytest.raises(GalleryError) as raised:
        choose_device(asked)
    [line] = raised.value.format_message().splitlines()
    return line


UNUSABLE: dict[str, tuple[tuple[int, int], dict[str, Any], dict[str, Any], str]] = {
    "a torch for the CPU": (
        (8, 9), {}, CPU_BUILD,
        "NVIDIA GeForce RTX 4090 (compute capability 8.9, driver 580.95.05): torch 2.13.0+cpu is built "
        "without CUDA; " + pip("torch==2.13.0+cu130", "cu130"),
    ),
    "a torch for the CPU and an older driver": (
        (8, 9), {"version": "550.54.15"}, CPU_BUILD,
        "NVIDIA GeForce RTX 4090 (compute capability 8.9, driver 550.54.15): torch 2.13.0+cpu is built "
        "without CUDA; " + pip("torch==2.13.0+cu126", "cu126"),
    ),
    "a torch for the CPU and an old card": (
        (6, 1), {}, {"version": "2.14.1+cpu"},
        "NVIDIA GeForce GTX 1080 (compute capability 6.1, driver 580.95.05): torch 2.14.1+cpu is built "
        "without CUDA; " + pip("torch==2.14.1+cu126", "cu126"),
    ),
    "a torch that has no such build any more": (
        (7, 0), {}, {"version": "2.15.0+cpu"},
        "Tesla V100-SXM2-16GB (compute capability 7.0, driver 580.95.05): torch 2.15.0+cpu is built "
        "without CUDA; " + pip('"torch<2.15"', "cu126"),
    ),
    "a torch that has no such build yet": (
        (12, 0), {}, {"version": "2.7.1+cpu"},
        "NVIDIA GeForce RTX 5090 (compute capability 12.0, driver 580.95.05): torch 2.7.1+cpu is built "
        "without CUDA; " + pip('"torch>=2.9"', "cu130"),
    ),
    "a torch for AMD's cards": (
        (8, 9), {}, {"version": "2.13.0+rocm6.4"},
        "NVIDIA GeForce RTX 4090 (compute capability 8.9, driver 580.95.05): torch 2.13.0+rocm6.4 is built "
        "without CUDA; " + pip("torch==2.13.0+cu130", "cu130"),
    ),
    "a driver that is too old": (
        (8, 9), {"version": "550.54.15"}, {"warning": OLD_DRIVER},
        "NVIDIA GeForce RTX 4090 (compute capability 8.9, driver 550.54.15): torch 2.13.0+cu130 has CUDA "
        "13.0, which needs driver 580 or later; " + pip("torch==2.13.0+cu126", "cu126"),
    ),
    "a driver too old for a card that needs a new one": (
        (12, 0), {"version": "570.86.10"}, {"warning": OLD_DRIVER},
        "NVIDIA GeForce RTX 5090 (compute capability 12.0, driver 570.86.10): torch 2.13.0+cu130 has CUDA "
        f"13.0, which needs driver 580 or later; update NVIDIA's driver to release 580, or {BY_CPU}",
    ),
    "a driver that is very old": (
        (7, 5), {"version": "470.256.02"}, {"warning": OLD_DRIVER},
        "Tesla T4 (driver 470.256.02): torch 2.13.0+cu130 has CUDA 13.0, which needs driver 580 or later; "
        f"update NVIDIA's driver to release 580, or {BY_CPU}",
    ),
    "a driver too old for CUDA 12": (
        (7, 5), {"version": "515.105.01"}, {"version": "2.13.0+cu126", "warning": OLD_DRIVER},
        "Tesla T4 (compute capability 7.5, driver 515.105.01): torch 2.13.0+cu126 has CUDA 12.6, which "
        f"needs driver 525 or later; update NVIDIA's driver to release 580, or {BY_CPU}",
    ),
    "a card that no torch serves": (
        (3, 7), {}, CPU_BUILD,
        "Tesla K80 (compute capability 3.7, driver 580.95.05): torch 2.13.0+cpu is built without CUDA; "
        f"no other has, either: {BY_CPU}",
    ),
    "a driver that does not come up": (
        (9, 0), {}, {"error": "CUDA error: system not yet initialized\nCUDA kernel errors might be"},
        "NVIDIA H200 (compute capability 9.0, driver 580.95.05): torch says: CUDA error: system not yet "
        f"initialized; see what `nvidia-smi` says of it, or {BY_CPU}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_card_that_torch_cannot_use_is_told_with_what_to_do(machine: Machine, kind: str) -> None:
    card, driver, torch, told = UNUSABLE[kind]
    machine.driver(card, **driver)
    machine.torch(**torch)
    for asked in ("auto", "cuda", "cuda:0"):
        assert refusal(asked) == f"torch cannot use {told}"
    assert choose_device("cpu") == Device("cpu")


def test_without_pip_it_is_uv_that_installs(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    card, driver, torch, _ = UNUSABLE["a driver that is too old"]
    machine.driver(card, **driver)
    machine.torch(**torch)
    assert "run `pip install torch" in refusal()
    monkeypatch.setitem(sys.modules, "pip", None)
    assert f"run `uv pip install --python {sys.executable} torch" in refusal()


@pytest.mark.parametrize(
    ("card", "torch", "wanted", "tag"),
    [
        ((6, 0), {}, "torch==2.13.0+cu126", "cu126"),
        ((6, 1), {}, "torch==2.13.0+cu126", "cu126"),
        ((7, 0), {"version": "2.15.0+cu132"}, '"torch<2.15"', "cu126"),
        ((12, 0), {"version": "2.13.0+cu126", "kernels": CU126}, "torch==2.13.0+cu130", "cu130"),
        ((12, 1), {"version": "2.8.0+cu126", "kernels": CU126}, '"torch>=2.9"', "cu130"),
        ((8, 0), {"kernels": ("sm_86", "sm_90a", "compute_90")}, "torch==2.13.0+cu130", "cu130"),
    ],
)
def test_a_card_without_kernels_is_told(
    machine: Machine, card: tuple[int, int], torch: dict[str, Any], wanted: str, tag: str
) -> None:
    machine.driver(card)
    machine.torch(card, **torch)
    told = refusal()
    assert told.startswith("torch cannot use ")
    assert f"(compute capability {card[0]}.{card[1]}, driver 580.95.05): torch 2." in told
    assert told.endswith(f"has no kernels for it; {pip(wanted, tag)}")


@pytest.mark.parametrize(
    ("sees", "torch", "asked", "number"),
    [
        ([(9, 0)], {}, "auto", 0),
        ([(7, 5)], {}, "auto", 0),
        ([(8, 9)], {}, "cuda", 0),
        ([(12, 1)], {}, "auto", 0),
        ([(6, 1)], {"kernels": CU126, "version": "2.13.0+cu126"}, "auto", 0),
        ([(12, 0)], {"kernels": ("sm_90", "compute_90")}, "auto", 0),
        ([(9, 0)], {"kernels": ("gfx90a", "gfx942"), "version": "2.13.0+rocm6.4"}, "auto", 0),
        ([(8, 9), (9, 0)], {}, "cuda:1", 1),
        ([(6, 1), (9, 0)], {}, "auto", 1),  # the one beside it works
        ([(9, 0), (9, 0)], {"broken": {0: "CUDA error: out of memory"}}, "cuda", 1),
    ],
)
def test_a_card_that_works_is_taken(
    machine: Machine, sees: list[tuple[int, int]], torch: dict[str, Any], asked: str, number: int
) -> None:
    machine.torch(*sees, **torch)
    assert choose_device(asked) == Device("cuda", number)


def test_a_number_that_is_not_there_is_told_with_what_is(machine: Machine) -> None:
    machine.torch((8, 9), (9, 0))
    assert refusal("cuda:7") == (
        "--device cuda:7: there is none such; there is cuda:0 (NVIDIA GeForce RTX 4090), cuda:1 (NVIDIA H200)"
    )


def test_a_card_that_fails_is_told(machine: Machine) -> None:
    busy = "CUDA error: all CUDA-capable devices are busy or unavailable\nCUDA kernel errors might be"
    machine.torch((9, 0), broken={0: busy})
    assert refusal() == (
        "torch cannot use NVIDIA H200 (compute capability 9.0): torch says: CUDA error: all CUDA-capable "
        f"devices are busy or unavailable; see what `nvidia-smi` says of it, or {BY_CPU}"
    )


HIDDEN = " hides NVIDIA H200 (compute capability 9.0, driver 580.95.05)"


@pytest.mark.parametrize("value", ["", "-1", "2", "2,0", "NoDevFiles", "GPU-9", " "])
@pytest.mark.parametrize("torch", [{}, CPU_BUILD])
def test_hidden_cards_count_as_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, value: str, torch: dict[str, Any]
) -> None:
    machine.driver((9, 0), (9, 0))
    machine.torch(**torch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    told = f'CUDA_VISIBLE_DEVICES="{value}"{HIDDEN}'
    assert choose_device() == Device("cpu", note=f"{told}: MusicGen renders on the CPU, which is slow")
    assert refusal("cuda") == f"--device cuda: {told}; {BY_CPU}"


@pytest.mark.parametrize("value", ["0", "1,0", "GPU-1", "MIG-5b2"])
def test_cards_that_are_named_are_not_hidden(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    machine.driver((9, 0), (9, 0))
    machine.torch(**CPU_BUILD)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert "is built without CUDA" in refusal()


def test_a_card_in_pieces_of_which_none_can_be_seen_counts_as_none(machine: Machine) -> None:
    machine.driver((9, 0), mig="Enabled")
    machine.torch()
    assert "is in MIG mode, and no instance of it can be seen: MusicGen renders on" in choose_device().note
    machine.torch(**CPU_BUILD)
    assert "is built without CUDA" in refusal()


def test_a_container_without_the_machines_card_has_none(machine: Machine) -> None:
    machine.linux("NVIDIA H200", "580.95.05", node=False)
    machine.torch(**CPU_BUILD)
    told = "NVIDIA H200 (driver 580.95.05) of this machine is not given to this container: MusicGen renders"
    assert choose_device().note.startswith(told)
    machine.without_tool()
    assert choose_device().note.startswith(told)


def test_where_nvidia_smi_is_missing_linux_tells(machine: Machine) -> None:
    machine.without_tool()
    machine.linux("NVIDIA H200", "550.54.15", node=True)
    machine.torch(warning=OLD_DRIVER)
    assert refusal().startswith(
        "torch cannot use NVIDIA H200 (driver 550.54.15): torch 2.13.0+cu130 has CUDA"
    )


@pytest.mark.parametrize(
    ("says", "where"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch", ""),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", ">&2"),
        ("No devices were found", ""),
    ],
)
def test_a_driver_that_is_broken_is_told(machine: Machine, says: str, where: str) -> None:
    machine.tool(f'echo "{says}" {where}; exit 18')
    machine.torch()
    assert choose_device().note.startswith("no NVIDIA GPU here: ")  # the tool alone makes no card
    machine.plug_in("0x10de", "0x030200")
    told = (
        f"nvidia-smi says: {says}; start this machine anew, or reinstall NVIDIA's driver, or "
        "render on the CPU, slowly, with --device cpu"
    )
    assert refusal() == f"torch cannot use an NVIDIA GPU: {told}"
    machine.linux("NVIDIA H200", "580.95.05", node=True)
    assert refusal() == f"torch cannot use NVIDIA H200 (driver 580.95.05): {told}"


@pytest.mark.parametrize(
    ("vendor", "kind", "is_card"),
    [("0x10de", "0x030000", True), ("0x10de", "0x040300", False), ("0x1002", "0x030000", False)],
)
def test_a_card_without_a_driver_is_told(machine: Machine, vendor: str, kind: str, is_card: bool) -> None:
    machine.without_tool()
    machine.torch(**CPU_BUILD)
    machine.plug_in(vendor, kind)
    if is_card:
        assert refusal() == (
            f"torch cannot use an NVIDIA GPU: NVIDIA's driver is not installed; install it, or {BY_CPU}"
        )
    else:
        assert choose_device().note.startswith("no NVIDIA GPU here: ")


def test_without_a_card_there_is_the_cpu(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.torch(**CPU_BUILD)
    slow = "MusicGen renders on the CPU, which is slow"
    assert choose_device() == Device("cpu", note=f"no NVIDIA GPU here: {slow}")
    assert refusal("cuda:0") == f"--device cuda:0: no NVIDIA GPU here; {BY_CPU}"
    import torch

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device().note == f"Apple's GPU is not used, since nobody has tested it yet: {slow}"


@pytest.mark.parametrize("engine", ["auto", "musicgen"])
def test_a_build_stops_rather_than_render_for_hours(machine: Machine, small: Gallery, engine: str) -> None:
    machine.driver((6, 1))
    machine.torch((6, 1))
    ran = small.run("build", "--engine", engine)
    assert ran.code == 1
    assert "torch cannot use NVIDIA GeForce GTX 1080" in ran.err
    assert not (small.root / "site/index.html").exists()
    # What renders nothing needs no card.
    assert small.run("build", "--engine", "sketch").code == 0
    assert small.run("build", "--engine", "none").code == 0


def test_a_build_on_the_cpu_says_so_unless_it_was_asked_for(machine: Machine, small: Gallery) -> None:
    machine.driver((6, 1))
    machine.torch(**CPU_BUILD)
    asked = small.run("build", "--device", "cpu")
    assert asked.code == 0, asked.err
    assert "CPU" not in asked.err
    machine.tool("exit 6")
    small.prompt("bass", "prompt: bass", "duration: 0.5")
    ran = small.run("build")
    assert ran.code == 0, ran.err
    slow = "no NVIDIA GPU here: MusicGen renders on the CPU, which is slow"
    assert f"{slow}: about 0 minutes for 1 clip, by what it took before\n" in ran.err
    for path in (small.root / "site/audio").glob("*.json"):
        assert json.loads(path.read_text())["provenance"]["attention"] == "torch"
    page = unescape(re.sub(r"<[^>]*>", " ", (small.root / "site/prompts/drums/index.html").read_text()))
    assert "attention torch" in " ".join(page.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--device", "mps"], "Apple's GPU is not supported, since nobody has tested it yet"),
        (["--device", "gpu"], '"gpu" is no device: take auto, cpu, cuda, or cuda:0 and so on'),
        (["--device", "cuda:x"], '"cuda:x" is no device'),
        (["--device", "cuda:-1"], '"cuda:-1" is no device'),
        (["--device", "cpu", "--engine", "replicate"], "--device is for MusicGen"),
        (["--device", "cuda:1", "--cluster", "auto"], "gives each worker a GPU of its own"),
    ],
)
def test_what_is_no_device_is_refused(small: Gallery, arguments: list[str], told: str) -> None:
    ran = small.run("build", *arguments)
    assert ran.code == 2
    assert told in " ".join(ran.err.split())


def test_what_is_served_says_so_too(small: Gallery) -> None:
    ran = small.run("serve", "--device", "cuda")
    assert ran.code == 2
    assert "--device is for MusicGen" in ran.err


def test_the_engine_makes_the_card_current_and_calls_it_cuda(
    machine: Machine, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """audiocraft and torch's autocast compare with "cuda": a number in it would be no GPU to them."""
    from gallery.engines.musicgen import checkpoint

    model, given = tiny("mono"), []

    def load(*arguments: Any) -> Any:
        given.append(arguments[2])
        raise checkpoint.CannotLoad("enough")

    monkeypatch.setattr(checkpoint, "load", load)
    machine.torch((9, 0), (9, 0))
    models = {"tiny": model.model}
    engine = MusicGenEngine(models, root=model.root, device="cuda:1")
    [result] = engine.render([model.request()])
    assert isinstance(result, Failure)
    assert (given, machine.current) == (["cuda"], [1])


def test_workers_of_a_cluster_say_what_their_torch_cannot_use(machine: Machine, small: Gallery) -> None:
    from gallery.config import load_config
    from gallery.engines.cluster.worker import Worker

    config = load_config(small.root)
    machine.driver((9, 0))
    machine.torch(**CPU_BUILD)
    told = Worker(config.models, small.root, "cuda", None).status().problem
    assert told == refusal()
    assert Worker(config.models, small.root, "cpu", None).status().problem is None


@pytest.mark.parametrize(
    ("gpus", "device", "found"),
    [(2, "auto", "cuda"), (2, "cuda", "cuda"), (2, "cpu", "cpu"), (0, "cpu", "cpu"), (0, "auto", "cpu")],
)
def test_a_clusters_workers_render_on_what_is_asked_for(
    small: Gallery, capsys: pytest.CaptureFixture[str], gpus: int, device: str, found: str
) -> None:
    from gallery.config import load_config
    from gallery.engines.cluster.dispatcher import Dispatcher

    config, asked = load_config(small.root), {}
    ray = SimpleNamespace(
        nodes=lambda: [{"Alive": True, "Resources": {"CPU": 4}}],
        cluster_resources=lambda: {"CPU": 4, "GPU": gpus} if gpus else {"CPU": 4},
        remote=lambda _: SimpleNamespace(options=lambda **resources: asked.update(resources)),
    )
    Dispatcher(ray, None, config, {}, None, device)
    assert asked.get("num_gpus", 0) == (1 if found == "cuda" else 0)
    slow = "the cluster has no GPU: MusicGen renders on its CPUs, which is slow\n"
    assert capsys.readouterr().err == (slow if (gpus, device) == (0, "auto") else "")
    if not gpus:
        with pytest.raises(GalleryError, match="--device cuda: the Ray cluster has no GPU"):
            Dispatcher(ray, None, config, {}, None, "cuda")


def test_a_record_tells_whose_attention_a_card_got(
    machine: Machine, tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gallery.engines.musicgen import _about, attention

    model = tiny("mono")
    on_a_card = dataclasses.replace(model.checkpoint, device="cuda")
    machine.torch((9, 0))
    attention.kernel_problem.cache_clear()
    told = _about(model.model, on_a_card)  # the kernel is tried, which fails with no CUDA in earnest
    attention.kernel_problem.cache_clear()
    assert (told.device, told.attention) == ("NVIDIA H200", "torch")
    assert "triton" not in (told.libraries or {})
    engine = MusicGenEngine({"tiny": model.model}, root=model.root)
    for _ in range(2):
        engine._tell_attention(told)
    said = "attention on NVIDIA H200 is torch's, which is slower: `gallery doctor` says why\n"
    assert capsys.readouterr().err == said
    triton = ModuleType("triton")
    triton.__version__ = "3.7.1"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "triton", triton)
    monkeypatch.setattr(attention, "kernel_problem", lambda _: "")
    told = _about(model.model, on_a_card)
    assert told.attention == "kernel"
    assert told.libraries["triton"] == "3.7.1"
    engine._tell_attention(told)
    assert capsys.readouterr().err == ""


class TestDoctor:
    """What `gallery doctor` says of cards, and of the attention that they get."""

    def test_a_card_that_torch_cannot_use_is_bad(self, machine: Machine, small: Gallery) -> None:
        machine.driver((7, 0))
        machine.torch((7, 0))
        ran = small.run("doctor")
        assert ran.code == 1
        assert (
            "ok  gpu          Tesla V100-SXM2-16GB (compute capability 7.0, driver 580.95.05), 16384 MiB\n"
            in (ran.out)
        )
        assert "BAD engine       none: torch cannot use Tesla V100-SXM2-16GB (compute" in ran.out

    def test_without_a_card(self, machine: Machine, small: Gallery) -> None:
        machine.torch(**CPU_BUILD)
        ran = small.run("doctor")
        assert ran.code == 0
        assert "gpu          none found (no NVIDIA driver answers)\n" in ran.out
        assert "device cpu (no NVIDIA GPU here: MusicGen renders on the CPU, which is slow); stood" in ran.out
        assert "attention" not in ran.out

    @pytest.mark.parametrize(
        ("card", "lacking", "told"),
        [
            ((9, 0), "triton", "Triton is not installed; PyTorch's builds for Linux bring it along"),
            ((9, 0), "compiler", "Triton finds no C compiler (gcc or clang): install gcc"),
            ((9, 0), "CC", "Triton finds no C compiler (/no/cc): install gcc"),
            ((9, 0), "headers", "install Python's headers (Debian: python3-dev)"),
            ((7, 5), "", "Triton's makers support compute capability 8.0 and later"),
            ((9, 0), "", ""),
        ],
    )
    def test_where_triton_cannot_work_it_says_why(
        self,
        machine: Machine,
        small: Gallery,
        monkeypatch: pytest.MonkeyPatch,
        card: tuple[int, int],
        lacking: str,
        told: str,
    ) -> None:
        import sysconfig

        machine.driver(card)
        machine.torch(card)
        tools = machine.folder / "bin"
        headers = machine.folder / "include"
        headers.mkdir()
        for path in (tools / "gcc", *([headers / "Python.h"] if lacking != "headers" else [])):
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
        monkeypatch.setattr(sysconfig, "get_paths", lambda _: {"include": str(headers)})
        monkeypatch.delenv("CC", raising=False)
        if lacking != "triton":
            triton = ModuleType("triton")
            triton.__spec__ = SimpleNamespace(name="triton")  # type: ignore[assignment]
            monkeypatch.setitem(sys.modules, "triton", triton)
        if lacking == "compiler":
            (tools / "gcc").unlink()
            monkeypatch.setenv("PATH", str(tools))
        if lacking == "CC":
            monkeypatch.setenv("CC", "/no/cc -O2")
        from gallery.engines.musicgen import attention

        attention.kernel_problem.cache_clear()
        ran = small.run("doctor")
        attention.kernel_problem.cache_clear()
        [line] = [line for line in ran.out.splitlines() if " attention " in line]
        assert line.startswith("ok  attention    torch's, since ")
        assert line.endswith(": slower; by how much has not been measured")
        assert told in line
        # With all that Triton needs, what it raised is told: this torch has no GPU at all.
        assert told or "RuntimeError" in line or "AssertionError" in line or "Error" in line
