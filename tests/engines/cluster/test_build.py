"""`gallery build --cluster`: Ray itself on this machine, two workers, tiny checkpoints.

Workers are killed as a machine or the kernel would kill them, and by checkpoints that
end the process that loads or uses them.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from gallery import __version__ as gallery_version
from gallery.preview.mp3 import decode_mp3
from support.galleries import Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


from support import COMMAND, ROOT

# What may differ between two stores of the same clips.
VARYING = ("batch_size", "date", "host", "seconds")

# Stands in for demucs: its voice is half the melody.
SEPARATOR = {
    "__init__": "",
    "audio": "from audiocraft.data.audio_utils import convert_audio",
    "apply": "import torch\ndef apply_model(_, mix, device=None):\n"
    "    return torch.stack([mix * 0, mix * 0, mix * 0, mix / 2], 1)",
    "pretrained": """
class Separator:
    sources, samplerate, audio_channels = ["drums", "bass", "other", "vocals"], 44100, 2
    def to(self, _):
        return self
    eval = lambda self: self
def get_model(_):
    return Separator()
""",
}


@dataclass
class Killer:
    """Runs code wherever it is unpickled."""

    code: str

    def __reduce__(self) -> tuple[Callable, tuple[str, dict]]:
        return exec, (self.code, {})


ON_LOADING = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
ON_POISON = """
import os, signal
from gallery.engines.musicgen.conditions import Conditions
encode = Conditions.encode
def deadly(self, prompt, *rest):
    if prompt == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return encode(self, prompt, *rest)
Conditions.encode = deadly
"""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny checkpoints, one without stereo and one with."""
    from support.tiny_checkpoints import write_checkpoint

    folder = tmp_path_factory.mktemp("checkpoints")
    for kind in ("mono", "stereo"):
        write_checkpoint(folder / f"tiny-{kind}", kind)
    return folder


@pytest.fixture(scope="module")
def all_checkpoints(checkpoints: Path) -> Path:
    """The same folder with one of each kind."""
    from support.tiny_checkpoints import KINDS, write_checkpoint

    for kind in KINDS:
        if not (checkpoints / f"tiny-{kind}").exists():
            write_checkpoint(checkpoints / f"tiny-{kind}", kind)
    return checkpoints


def settings(checkpoints: Path, **unlike: str) -> str:
    """gallery.toml of a gallery whose models are these checkpoints, and others like them."""
    models = {"tiny-mono": "", "tiny-stereo": "channels = 2", "tiny-melody": "", **unlike}
    return "\n".join(
        f'[models.{name}]\nhub = "tests/{name}"\n'
        f'kind = "{"melody" if name == "tiny-melody" else "musicgen"}"\n'
        + (more if "folder" in more else f'folder = "{checkpoints / name}"\n{more}')
        for name, more in models.items()
    )


def deadly(folder: Path, like: Path, code: str) -> str:
    """A checkpoint whose loading runs code; returns how gallery.toml describes it."""
    import torch

    folder.mkdir()
    for path in like.iterdir():
        (folder / path.name).symlink_to(path)
    package = torch.load(like / "state_dict.bin")
    (folder / "state_dict.bin").unlink()
    torch.save({**package, "extra": Killer(code)}, folder / "state_dict.bin")
    return f'folder = "{folder}"\nunpickle = true'


def start(gallery: Gallery, *args: str) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal starts it."""
    command = [COMMAND, "--gallery", gallery.root, "build", "--no-sketches", *args]
    path = os.pathsep.join([str(gallery.root / "packages"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "OMP_NUM_THREADS": "1",
            "TORCH_HOME": str(gallery.root / "torch"),
        },
    )


def started_by(pid: int) -> dict[int, str]:
    """The processes that a process has started, and those that they have: their names."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    family = {pid}
    for _ in range(6):
        family |= {child for child, parent in parents.items() if parent in family}
    return {child: names.get(child, "") for child in family - {pid}}


def records(gallery: Gallery) -> list[dict]:
    return [json.loads(path.read_text()) for path in (gallery.root / "site/audio").glob("*.json")]


def wait_for(running: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def store(gallery: Gallery) -> dict[str, bytes]:
    """The store's files; records without what may vary, MP3s without the tags that tell of it."""
    files = gallery.files("site/audio")
    for name, data in files.items():
        if name.endswith(".json"):
            record = json.loads(data)
            record["provenance"] = {
                key: value for key, value in record["provenance"].items() if key not in VARYING
            }
            for told in ("audio_sha256", "bytes"):  # of the MP3 with its tags
                del record["preview"][told]
            files[name] = json.dumps(record).encode()
        elif name.endswith(".mp3"):
            files[name] = decode_mp3(data)[0].tobytes()
    return files


def shipped(root: Path, checkpoints: Path, folders: str = "*") -> Gallery:
    """The gallery that ships, its clips shortened; each of its models is a tiny checkpoint of the same kind.

    Beside its prompts, or those of the named folders, stands one with a melody.
    """
    from support.tiny_checkpoints import KINDS

    made = Gallery(root)
    kinds = {(kind.model_kind, 2 if kind.stereo else 1): name for name, kind in KINDS.items()}
    lines = []
    for name, model in tomllib.loads((ROOT / "gallery.toml").read_text())["models"].items():
        kind, channels = model["kind"], model.get("channels", 1)
        tiny = kinds[kind, channels]
        lines += [f"[models.{name}]", f'hub = "tests/{name}"', f'folder = "{checkpoints}/tiny-{tiny}"']
        lines += [f'kind = "{kind}"', f"channels = {channels}", f"sample_rate = {KINDS[tiny].sample_rate}"]
    made.write("gallery.toml", "\n".join(lines))
    for path in [ROOT / "prompts/presets.yaml", *(ROOT / "prompts").glob(f"{folders}/*")]:
        content: str | bytes = path.read_bytes()
        if path.suffix in (".md", ".yaml"):
            text = path.read_text()
            if path.suffix == ".md" and "duration:" not in text:
                text = text.replace("---\n", "---\nduration: 10\n", 1)
            content = re.sub(r"(?m)^(\s*duration: )(.+)$", _shortened, text)
        made.write(path.relative_to(ROOT).as_posix(), content)
    tune = io.BytesIO()
    soundfile.write(tune, np.sin(2 * np.pi * 330 * np.arange(64000) / 32000), 32000, format="WAV")
    made.write("prompts/tune.wav", tune.getvalue())
    made.prompt(
        "tune",
        "prompt: a tune",
        "duration: 1",
        "melody: tune.wav",
        "vary: {model: [melody, stereo-melody]}",
    )
    for name, text in SEPARATOR.items():
        made.write(f"packages/demucs/{name}.py", text)
    made.write("torch/hub/checkpoints/955717e8-8726e21a.th", "")  # its weights, which it does not read
    return made


def _shortened(line: re.Match[str]) -> str:
    """Half a second and a bit, the longer the more."""
    return line[1] + re.sub(r"[\d.]+", lambda number: f"{0.5 + float(number[0]) / 200:.2f}", line[2])


def render_alone(made: Gallery) -> None:
    """Render without Ray."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(made.root / "packages")
        built = made.run("build", "--engine", "musicgen", "--no-sketches")
    for name in [name for name in sys.modules if name.partition(".")[0] == "demucs"]:
        del sys.modules[name]
    assert built.code == 0, built.err


def test_the_shipped_prompts_become_real_clips(all_checkpoints: Path, tmp_path: Path) -> None:
    alone = shipped(tmp_path, all_checkpoints)
    render_alone(alone)
    published = json.loads((alone.root / "site/catalogue.json").read_text())["prompts"]
    clips = [clip for entry in published for clip in entry["clips"]]
    assert len(published) == len(list((alone.root / "prompts").rglob("*.md"))) >= 48
    assert {(clip["state"], clip["engine"]) for clip in clips} == {("render", "musicgen")}
    assert all((alone.root / "site" / clip["audio"]).is_file() for clip in clips)
    page = (alone.root / "site/prompts/edm/anthem-guidance/index.html").read_text()
    assert "tests/medium" in page
    assert alone.run("store", "verify").code == 0


def test_a_worker_that_is_killed_costs_no_clip_and_changes_none(
    all_checkpoints: Path, tmp_path: Path
) -> None:
    alone, spread = (shipped(tmp_path / name, all_checkpoints, "ambient") for name in ("alone", "spread"))
    for made in (alone, spread):  # some take their time
        made.prompt(
            "long", "prompt: slow drums", "duration: 5", "vary: {seed: [1, 2], model: [medium, large]}"
        )
    render_alone(alone)
    running = start(spread, "--cluster", "auto", "--workers", "2")

    def at_work() -> set[int]:
        """The workers that are rendering: Ray names processes after what they do."""
        return {pid for pid, name in started_by(running.pid).items() if name.startswith("ray::Worker.render")}

    def beginning() -> set[int]:
        """Those that have begun since the last look: they have all their clips in hand."""
        nonlocal before
        last, before = before, at_work()
        return before - last

    wait_for(running, lambda: len(list((spread.root / ".gallery/renders").glob("*.json"))) > 4)
    before = at_work()
    while not (begun := beginning()):
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.02)
    os.kill(min(begun), signal.SIGKILL)
    told = running.communicate(timeout=300)[0]
    assert running.returncode == 0, told
    assert re.search(r"a worker on \S+ died with \d+ clips? in hand; another takes its place", told)
    assert "ray" not in told.lower()
    assert len(records(spread)) == 16
    assert store(spread) == store(alone)
    assert {record["provenance"].get("host") for record in records(spread)} == {socket.gethostname()}


def test_what_kills_workers_is_found_and_everything_else_rendered(
    gallery: Gallery, checkpoints: Path
) -> None:
    poisoned = deadly(gallery.root / "poisoned", checkpoints / "tiny-mono", ON_POISON)
    broken = deadly(gallery.root / "broken", checkpoints / "tiny-mono", ON_LOADING)
    gallery.write(
        "gallery.toml", settings(checkpoints, poisoned=poisoned, broken=broken, absent='folder = "nowhere"')
    )
    # The models of most seconds come first, and of a model what stands first.
    for model, seconds, seeds in (
        ("poisoned", 0.5, range(7)),
        ("broken", 5, [1, 2]),
        ("absent", 5, [1, 2]),
        ("tiny-stereo", 5, [1]),
    ):
        seeds = ", ".join(map(str, seeds))
        gallery.prompt(
            model, "prompt: drums", f"duration: {seconds}", f"model: {model}", f"vary: {{seed: [{seeds}]}}"
        )
    gallery.prompt("tainted", "prompt: poison", "duration: 0.5", "model: poisoned")
    running = start(gallery, "--cluster", "auto", "--workers", "1")
    told = running.communicate(timeout=300)[0]
    assert running.returncode == 3, told
    assert Counter(record["request"]["model"] for record in records(gallery)) == {
        "tests/poisoned": 7,
        "tests/tiny-stereo": 1,
    }
    host = socket.gethostname()
    failed = [line for line in told.splitlines() if line.startswith("failed: ")]
    died = f"every worker that rendered it died, the last alone with it on {host}"
    loading = f"{host}: the worker died twice while it loaded tests/broken: out of memory, or a broken file"
    absent = f"{host}: no model's weights are here: put those of tests/absent into nowhere"
    assert sorted(failed) == [
        *[f'failed: "drums" (tests/absent): {absent}'] * 2,
        *[f'failed: "drums" (tests/broken): {loading}'] * 2,
        f'failed: "poison" (tests/poisoned): {died}',
    ]
    deaths = re.findall(r"a worker on \S+ died (.+)", told)
    assert Counter(re.sub(r"\d+ clips", "clips", death) for death in deaths) == {
        "while it loaded tests/broken; another takes its place": 2,
        "with clips in hand; another takes its place": 1,
        "with 1 clip in hand": 1,  # nothing is left to render
    }


def test_interrupt_keeps_what_is_finished_and_leaves_nothing_running(
    gallery: Gallery, checkpoints: Path
) -> None:
    gallery.write("gallery.toml", settings(checkpoints))
    gallery.prompt("short", "prompt: drums", "duration: 1", "model: tiny-mono", "vary: {seed: [1, 2]}")
    gallery.prompt("long", "prompt: drums", "duration: 120", "model: tiny-mono", "vary: {seed: [1, 2]}")
    running = start(gallery, "--cluster", "auto")
    wait_for(running, lambda: bool(list((gallery.root / ".gallery/renders").glob("*.json"))))
    others = started_by(running.pid)
    workers = [name for name in others.values() if name.startswith(("ray::Worker", "ray::IDLE"))]
    assert len(workers) == 1, "Ray started more than what renders"
    os.killpg(running.pid, signal.SIGINT)
    told = running.communicate(timeout=120)[0]
    assert running.returncode == 130, told
    assert "Every finished clip is kept" in told
    assert "Traceback" not in told
    assert {record["request"]["duration"] for record in records(gallery)} == {1.0}
    for _ in range(200):  # what is told to end takes a moment to be gone
        left = [name for pid, name in others.items() if Path(f"/proc/{pid}").exists()]
        if not left:
            break
        time.sleep(0.05)
    assert not left


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster that was started by hand."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray = Path(sys.executable).with_name("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets have short names only
    options = ["--include-dashboard=false", "--num-cpus=2", "--disable-usage-stats", f"--temp-dir={folder}"]
    cluster = subprocess.Popen(
        [ray, "start", "--head", "--block", f"--port={port}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in cluster.stdout:
        if "--block" in line:
            break
    yield f"127.0.0.1:{port}"
    cluster.terminate()
    cluster.communicate(timeout=60)
    shutil.rmtree(folder)


def test_a_cluster_at_an_address(
    gallery: Gallery, checkpoints: Path, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.write("gallery.toml", settings(checkpoints))
    gallery.prompt("drums", "prompt: drums", "duration: 1", "model: tiny-mono")
    with monkeypatch.context() as older:
        older.setattr("gallery.engines.cluster.dispatcher.__version__", "0.0.1")
        refused = gallery.run("build", "--cluster", head)
    host = socket.gethostname()
    assert refused.code == 1
    assert refused.err.splitlines()[-1] == (
        f"Error: gallery is {gallery_version} on {host} and 0.0.1 on this machine: "
        "install the same version on both"
    )
    crowded = gallery.run("build", "--cluster", head, "--workers", "3")
    assert crowded.err.splitlines()[-1] == "Error: the Ray cluster has 2 cores: no room for 3 workers"
    gallery.write("gallery.toml", settings(checkpoints).replace(str(checkpoints), "nowhere"))
    bare = gallery.run("build", "--cluster", head)
    assert bare.err.splitlines()[-1] == (
        f"Error: MusicGen cannot run on the cluster: {host}: no model's weights are here: "
        "put those of tests/tiny-mono into nowhere/tiny-mono"
    )
    gallery.write("gallery.toml", settings(checkpoints))
    assert gallery.run("build", "--cluster", head).code == 0
    assert len(records(gallery)) == 1


def test_what_cannot_be_is_refused(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery.prompt("drums", "prompt: drums")
    for engine in ("sketch", "none", "replicate"):
        refused = gallery.run("build", "--cluster", "auto", "--engine", engine)
        assert refused.code == 2
        assert f"--cluster renders with MusicGen; leave out --engine {engine}" in refused.err
    for options, said in (
        (("--workers", 2), "--workers goes with --cluster"),
        (("--cluster", "ray://head:10001"), "--cluster takes auto or host:port"),
        (("--cluster", "head"), "--cluster takes auto or host:port"),
    ):
        refused = gallery.run("build", *options)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    nobody = gallery.run("build", "--cluster", "127.0.0.1:1")
    assert nobody.code == 1
    assert "no Ray cluster answers at 127.0.0.1:1: ConnectionRefusedError" in nobody.err
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "ray" else find(name, *a)
    )
    missing = gallery.run("build", "--cluster", "auto")
    assert missing.code == 1
    assert missing.err.splitlines()[-1] == (
        "Error: a cluster cannot be used from here: Ray is not installed: run `gallery setup cluster`"
    )
