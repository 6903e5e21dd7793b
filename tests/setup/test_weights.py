"""`gallery setup musicgen` fetches what the prompts' models need, from a server that answers as the hub."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from support.galleries import Gallery, Ran
from support.hub import Hub
from support.terminal import at_terminal

pytest_plugins = ["support.hub"]

COMMAND = (sys.executable, "-P", "-c", "from gallery.cli import main; main(prog_name='gallery')")
ENCODER = {
    "config.json": b"{}",
    "tokenizer_config.json": b"{ }",
    "tokenizer.json": b"{  }",
    "spiece.model": b"s" * 800,
    "model.safetensors": b"w" * 891_000,
    "pytorch_model.bin": b"never" * 1000,
    "tf_model.h5": b"never" * 1000,
}


def checkpoint(encoder: str, size: int = 3_000_000) -> dict[str, bytes]:
    """A model's repository: two files that are needed, and the same weights in other forms."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        settings = f"conditioners:\n  description:\n    t5:\n      name: {encoder}\n"
        archive.writestr("archive/data.pkl", pickle.dumps({"xp.cfg": settings}))
        archive.writestr("archive/data/0", bytes(size))
    return {
        "state_dict.bin": data.getvalue(),
        "compression_state_dict.bin": b"c" * 1_200_000,
        "model.safetensors": b"never" * 1000,
        "pytorch_model-00001-of-00002.bin": b"never" * 1000,
    }


@dataclass(frozen=True)
class Setup:
    """The command in a gallery, and the hub that it reaches."""

    gallery: Gallery
    hub: Hub
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "HF_HOME": str(self.cache), "HF_ENDPOINT": self.hub.address, "HF_TOKEN": "",
                "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip

    def run(self, *options: str) -> Ran:
        command = [*COMMAND, "setup", "musicgen", *options]
        return Ran.of(command, self.gallery.root, self.environment)

    def files(self) -> set[str]:
        """What lies in the cache whole."""
        places = self.cache.glob("hub/models--*/snapshots/*/*")
        return {f"{place.parents[2].name.split('--', 1)[1]} {place.name}" for place in places}


@pytest.fixture
def prepared(gallery: Gallery, hub: Hub, tmp_path: Path) -> Setup:
    gallery.prompt("a/rain", "prompt: rain", "duration: 1")
    hub.repositories = {
        "facebook/musicgen-small": checkpoint("t5-base"),
        "facebook/audiogen-medium": checkpoint("t5-large"),
        "facebook/encodec_32khz": {"config.json": b"{}", "model.safetensors": b"e" * 236_000},
        "t5-base": ENCODER,
        "t5-large": ENCODER,
    }
    return Setup(gallery, hub, tmp_path / "cache")


NEEDED = {
    "facebook--musicgen-small state_dict.bin",
    "facebook--musicgen-small compression_state_dict.bin",
    *(f"t5-base {name}" for name in ENCODER if not name.endswith((".bin", ".h5"))),
}


def test_a_dry_run_tells_files_and_sizes_and_fetches_nothing(prepared: Setup) -> None:
    ran = prepared.run("--dry-run")
    assert ran.code == 0, ran.err
    weights, files, encoder, more, codec, _ = ran.out.splitlines()
    assert weights.startswith("small: weights, 4.2 MB: facebook/musicgen-small")
    assert files == "  state_dict.bin, compression_state_dict.bin"
    assert encoder.startswith("small: text encoder, 892 KB: t5-base")
    assert more == "  config.json, tokenizer_config.json, tokenizer.json, spiece.model, model.safetensors"
    assert codec.startswith("small: codec, 237 KB: facebook/encodec_32khz"), "as long as nobody knows better"
    assert "5.3 MB in all; the disk has " in ran.err
    assert prepared.hub.fetched == []
    assert not prepared.files()


def test_what_the_prompts_models_need_is_fetched_and_nothing_else(prepared: Setup) -> None:
    """Of the models of gallery.toml only the one that is asked for, and of that only what rendering reads."""
    ran = prepared.run("--yes")
    assert ran.code == 0, ran.err
    assert prepared.files() == NEEDED
    assert len(prepared.hub.fetched) == len(NEEDED)
    again = prepared.run("--yes")
    assert again.err.endswith("nothing to fetch for the models that prompts ask for\n")
    assert len(prepared.hub.fetched) == len(NEEDED)


def test_nobody_is_asked_where_nobody_is(prepared: Setup) -> None:
    ran = prepared.run()
    assert ran.code == 2
    assert "nobody is here to be asked: add --yes" in ran.err
    assert not prepared.files()


def test_each_model_is_asked_for_alone(prepared: Setup) -> None:
    prepared.gallery.prompt("a/rain", "prompt: rain", "duration: 1", "vary: {model: [small, audiogen]}")
    code, screen = at_terminal(
        [*COMMAND, "setup", "musicgen"], "n\ny\n", prepared.gallery.root, prepared.environment
    )
    assert code == 0, screen
    assert "Fetch small, 5.3 MB? [y/N]" in screen
    assert "Fetch audiogen, 5.1 MB? [y/N]" in screen
    assert {name.split()[0] for name in prepared.files()} == {"facebook--audiogen-medium", "t5-large"}


def test_what_a_checkpoint_turns_out_to_name_is_fetched_too(prepared: Setup) -> None:
    prepared.hub.repositories["facebook/musicgen-small"] = checkpoint("google/flan-t5-small")
    prepared.hub.repositories["google/flan-t5-small"] = ENCODER
    ran = prepared.run("--yes")
    assert ran.code == 0, ran.err
    assert "google--flan-t5-small model.safetensors" in prepared.files()


def test_what_was_interrupted_is_gone_on_with(prepared: Setup) -> None:
    """By a process of its own, also where nothing but what lies there is left of the first."""
    prepared.hub.repositories["facebook/musicgen-small"] = checkpoint("t5-base", 12_000_000)
    prepared.hub.stall = 11_000_000
    first = subprocess.Popen(
        [*COMMAND, "setup", "musicgen", "--yes"],
        cwd=prepared.gallery.root,
        env={**prepared.environment, "HF_HUB_DOWNLOAD_TIMEOUT": "60"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not (parts := [*prepared.cache.rglob("*.part")]) or parts[0].stat().st_size < 10_000_000:
        assert time.monotonic() < until
        time.sleep(0.05)
    first.kill()
    first.wait()
    prepared.hub.stall = None
    again = prepared.run("--yes")
    assert again.code == 0, again.err
    assert prepared.files() == NEEDED
    assert prepared.hub.ranges[0].startswith("bytes=10"), "the rest of a file was asked for, not all of it"


def test_what_was_damaged_meanwhile_is_not_taken(prepared: Setup) -> None:
    data = prepared.hub.repositories["facebook/musicgen-small"]["state_dict.bin"]
    blobs = prepared.cache / "hub/models--facebook--musicgen-small/blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(data).hexdigest()}.part").write_bytes(b"x" * 1000)
    ran = prepared.run("--yes")
    assert ran.code == 1
    assert ran.err.endswith(
        "Error: facebook/musicgen-small: state_dict.bin cannot be fetched: "
        "what was fetched earlier was damaged; run this again to go on\n"
    )
    assert prepared.run("--yes").code == 0
    assert prepared.files() == NEEDED


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"facebook/musicgen-small": None}, "the hub cannot be asked for facebook/musicgen-small: "),
        ({"t5-base": {"config.json": b"{}"}}, "t5-base on the hub has no tokenizer.json"),
    ],
)
def test_what_the_hub_lacks_is_told_in_a_line(
    prepared: Setup, broken: dict[str, dict[str, bytes] | None], told: str
) -> None:
    for name, files in broken.items():
        prepared.hub.repositories.pop(name)
        if files is not None:
            prepared.hub.repositories[name] = files
    ran = prepared.run("--yes")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(f"Error: {told}")
    assert "Traceback" not in ran.err


def test_a_folder_is_for_its_curator_to_fill(prepared: Setup) -> None:
    text = (prepared.gallery.root / "gallery.toml").read_text()
    prepared.gallery.write(
        "gallery.toml", text.replace("[models.small]\n", '[models.small]\nfolder = "mine"\n')
    )
    ran = prepared.run("--dry-run")
    assert ran.code == 0, ran.err
    assert "small: put those of facebook/musicgen-small into mine\n" in ran.err
    assert "facebook/musicgen-small" not in ran.out
    assert "text encoder" in ran.out


def test_without_a_gallery_there_are_no_prompts_to_ask(prepared: Setup) -> None:
    (prepared.gallery.root / "gallery.toml").unlink()
    ran = prepared.run("--yes")
    assert ran.code == 0
    assert "no weights without a gallery: no gallery.toml in " in ran.err
    assert prepared.hub.fetched == []
