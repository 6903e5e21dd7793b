"""A server on this machine that speaks Replicate's HTTP API, as its public reference describes it.

Predictions are made of noise, at once or when a test says so. It keeps count of what was
asked for: that is what costs money.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from support import only_this_machine
from support.galleries import SETTINGS, Gallery

TOKEN = "r8_the-secret-token-of-this-test"
VERSION = "ab" * 32
PRICE, EXPECTED = 0.01, 10  # USD a second of compute; seconds of compute for a second of audio

MODELS = "".join(
    f'\n[models.{name}]\nhub = "facebook/musicgen-{name}"\nkind = "{kind}"\nchannels = {channels}\n'
    for name, kind, channels in (
        ("large", "musicgen", 1), ("stereo-large", "musicgen", 2), ("stereo-melody-large", "melody", 2),
    )
)  # fmt: skip
PRICES = f"price_per_second = {PRICE}\ncompute_per_audio_second = {EXPECTED}\n"

# What the model's public source declares.
SCHEMA: dict[str, tuple[type, ...]] = {
    "model_version": (str,), "prompt": (str,), "input_audio": (str,), "duration": (int,),
    "continuation": (bool,), "continuation_start": (int,), "temperature": (int, float), "top_k": (int,),
    "top_p": (int, float), "classifier_free_guidance": (int,), "seed": (int,),
    "normalization_strategy": (str,), "output_format": (str,),
}  # fmt: skip


@dataclass
class Answer:
    """An answer in the place of the right one; ``taken`` if what was asked for is done all the same.

    A status of 0 closes the connection without an answer.
    """

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    taken: bool = False


@dataclass
class Script:
    """How predictions go: what tests change."""

    looks: int = 1  # looks at a prediction until it has ended
    held: bool = False  # ... but not before this is False
    free: int = 1_000_000  # ... and only so many of them
    status: str = "succeeded"
    error: str | None = None
    predict_time: float | None = EXPECTED
    echo: dict[str, Any] = field(default_factory=dict)  # changes of the input that predictions tell
    changes: dict[str, Any] = field(default_factory=dict)  # of the prediction once it has ended
    log: str = "Using seed {seed}\n"
    audio: dict[str, Any] = field(default_factory=dict)  # arguments of `noise`
    wins_race: bool = False  # a cancelled prediction turns out to be made
    asking: list[Answer] = field(default_factory=list)
    looking: list[Answer] = field(default_factory=list)
    listing: list[Answer] = field(default_factory=list)
    cancelling: list[Answer] = field(default_factory=list)
    fetching: list[Answer] = field(default_factory=list)
    answer_after: float = 0.0  # seconds that the answer to a new prediction takes
    lag: float = 0.0  # seconds until a prediction is in the list of all
    page: int = 100  # predictions on a page of the list
    predict_times: list[float] = field(default_factory=list)  # of the next that end, before `predict_time`
    compute: Callable[[dict[str, Any]], float] | None = None  # what an input takes, in place of both


def noise(seed: int, seconds: float, channels: int, rate: int = 32000, form: str = "WAV") -> bytes:
    """A file of noise that a seed makes."""
    made = io.BytesIO()
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    soundfile.write(made, samples.astype(np.float32), rate, format=form, subtype="PCM_16")
    return made.getvalue()


class StandIn:
    """The service: predictions, the calls about them, and what it was sent."""

    def __init__(self) -> None:
        self.script = Script()
        self.predictions: dict[str, dict[str, Any]] = {}
        self.inputs: list[dict[str, Any]] = []  # of all predictions, as they were asked for
        self.cancelled: list[str] = []
        self.uploads: list[bytes] = []
        self.calls: list[tuple[float, str]] = []
        self.most_at_once = 0
        self.looks: dict[str, int] = {}
        self.lock = threading.RLock()
        stand_in = self

        class Handler(_Handler):
            service = stand_in

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def asked(self) -> list[str]:
        """The prompts of all predictions that were made, each of which costs money."""
        return [given["prompt"] for given in self.inputs]

    @property
    def costs(self) -> list[float]:
        """What each prediction that has ended cost, in USD."""
        ended = [one["metrics"] for one in self.predictions.values() if "metrics" in one]
        return [metrics.get("predict_time", 0) * PRICE for metrics in ended]

    def create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body.get("version") != f"meta/musicgen:{VERSION}":
            return 422, _problem(
                422, "The specified version does not exist (or perhaps you don't have permission)"
            )
        for name, value in body["input"].items():
            if type(value) not in SCHEMA.get(name, ()):
                return 422, _problem(422, f"input.{name}: Invalid type")
        self.inputs.append(body["input"])
        made = f"prediction{len(self.inputs):016}"
        address = f"{self.address}/v1/predictions/{made}"
        self.predictions[made] = {
            "id": made, "model": "meta/musicgen", "version": VERSION, "input": body["input"], "logs": "",
            "output": None, "error": None, "status": "starting", "created_at": _now(), "data_removed": False,
            "urls": {"get": address, "cancel": f"{address}/cancel"},
        }  # fmt: skip
        self.looks[made] = 0
        running = [one for one in self.predictions.values() if one["status"] in ("starting", "processing")]
        self.most_at_once = max(self.most_at_once, len(running))
        return 201, self.predictions[made]

    def list(self, start: int) -> dict[str, Any]:
        """A page of all predictions, latest first, but for those that it does not know yet."""
        known = datetime.now(UTC) - timedelta(seconds=self.script.lag)
        listed = [
            one for one in self.predictions.values() if datetime.fromisoformat(one["created_at"]) <= known
        ]
        listed.sort(key=lambda one: one["created_at"], reverse=True)
        end = start + self.script.page
        after = f"{self.address}/v1/predictions?cursor={end}" if end < len(listed) else None
        return {"next": after, "previous": None, "results": listed[start:end]}

    def look(self, made: str) -> tuple[int, dict[str, Any]]:
        if made not in self.predictions:
            return 404, _problem(404, "The requested resource could not be found.")
        prediction, self.looks[made] = self.predictions[made], self.looks[made] + 1
        if prediction["status"] in ("starting", "processing"):
            prediction["status"] = "processing"
            held = self.script.held or list(self.predictions).index(made) >= self.script.free
            if self.looks[made] >= self.script.looks and not held:
                self.end(made, self.script.status)
        return 200, prediction

    def end(self, made: str, status: str) -> None:
        given, took = self.predictions[made]["input"], self.script.predict_time
        if self.script.predict_times:
            took = self.script.predict_times.pop(0)
        if self.script.compute:
            took = self.script.compute(given)
        self.predictions[made] |= {
            "status": status, "completed_at": _now(), "error": self.script.error,
            "logs": self.script.log.format(seed=given["seed"]) + "  1 /  50\r  2 /  50\n",
            "output": f"{self.address}/out/{made}.wav" if status == "succeeded" else None,
            "input": given | self.script.echo,
            "metrics": {} if took is None else {"predict_time": took},
        }  # fmt: skip
        self.predictions[made] |= self.script.changes

    def cancel(self, made: str) -> tuple[int, dict[str, Any]]:
        self.cancelled.append(made)
        if self.predictions[made]["status"] in ("starting", "processing"):
            self.end(made, "succeeded" if self.script.wins_race else "canceled")
        return 200, self.predictions[made]

    def audio(self, made: str) -> bytes:
        """The file that a prediction makes of its input."""
        given = self.inputs[list(self.predictions).index(made)]
        channels = 2 if "stereo" in given["model_version"] else 1
        form = {"seed": given["seed"], "seconds": given["duration"], "channels": channels}
        return noise(**(form | self.script.audio))


class _Handler(http.server.BaseHTTPRequestHandler):
    service: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def handle(self) -> None:
        # Builds that are killed hang up.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = self.service
        with service.lock:
            service.calls.append((time.monotonic(), f"{method} {self.path}"))
            kind, answer = self._scripted(method)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._send(401, _problem(401, "You did not pass a valid authentication token"))
            if answer and not answer.taken:
                return self._send(answer.status, answer.body, answer.headers)
            status, told = self._answer(method, body)
        if kind == "asking":
            time.sleep(service.script.answer_after)
        if answer:
            return self._send(answer.status, answer.body, answer.headers)
        return self._send(status, told)

    def _scripted(self, method: str) -> tuple[str, Answer | None]:
        script = self.service.script
        if (method, self.path) == ("POST", "/v1/predictions"):
            kind, answers = "asking", script.asking
        elif method == "GET" and self.path.partition("?")[0] == "/v1/predictions":
            kind, answers = "listing", script.listing
        elif self.path.startswith("/out/"):
            kind, answers = "fetching", script.fetching
        elif self.path.endswith("/cancel"):
            kind, answers = "cancelling", script.cancelling
        else:
            kind, answers = "looking", script.looking if method == "GET" else []
        return kind, answers.pop(0) if answers else None

    def _answer(self, method: str, body: bytes) -> tuple[int, Any]:
        service = self.service
        path, _, query = self.path.partition("?")
        match (method, *path.strip("/").split("/")):
            case ("POST", "v1", "predictions"):
                return service.create(json.loads(body))
            case ("GET", "v1", "predictions"):
                return 200, service.list(int(query.removeprefix("cursor=") or 0))
            case ("GET", "v1", "predictions", made):
                return service.look(made)
            case ("POST", "v1", "predictions", made, "cancel"):
                return service.cancel(made)
            case ("POST", "v1", "files"):
                service.uploads.append(_content(body, self.headers["Content-Type"]))
                return 201, _file(service.address, len(service.uploads))
            case ("GET", "out", name):
                return 200, service.audio(name.removesuffix(".wav"))
        return 404, _problem(404, "The requested resource could not be found.")

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.close_connection = status == 0
        if status == 0:
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        length = {"Content-Length": str(len(data))}
        for name, value in (length | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        # A length that is not the body's is an answer that breaks off.
        self.close_connection = bool(headers and "Content-Length" in headers)

    def log_message(self, *args: Any) -> None:
        pass


def _problem(status: int, detail: str) -> dict[str, Any]:
    return {"title": "Problem", "detail": detail, "status": status}


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _content(body: bytes, kind: str) -> bytes:
    """The one file of a form."""
    boundary = re.search("boundary=(.+)", kind)
    assert boundary
    part = body.split(b"--" + boundary[1].encode())[1]
    return part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


def _file(address: str, number: int) -> dict[str, Any]:
    return {
        "id": f"file{number}", "name": "melody.wav", "content_type": "audio/wav", "size": 1, "etag": "",
        "checksums": {}, "metadata": {}, "created_at": _now(), "expires_at": None,
        "urls": {"get": f"{address}/v1/files/file{number}"},
    }  # fmt: skip


@pytest.fixture
def service() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.http.shutdown()
    stand_in.http.server_close()


@pytest.fixture
def shop(
    gallery: Gallery, service: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gallery]:
    """A gallery that may pay; whatever it asks for is asked of the stand-in, and of nobody else."""
    settings(gallery)
    refused = tmp_path / "refused"
    (tmp_path / "guard").mkdir()
    guard = Path(only_this_machine.__file__).read_bytes()
    (tmp_path / "guard/sitecustomize.py").write_bytes(guard)
    for name, value in {
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": service.address,
        "REPLICATE_POLL_INTERVAL": "0.02",
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "guard"), os.environ.get("PYTHONPATH", "")]),
        only_this_machine.FILE: str(refused),
    }.items():
        monkeypatch.setenv(name, value)
    only_this_machine.install()
    yield gallery
    only_this_machine.remove()
    assert not refused.exists(), refused.read_text()


def settings(gallery: Gallery, *lines: str, prices: str = PRICES) -> None:
    """Write gallery.toml with these lines in [replicate]."""
    section = "\n".join(["\n[replicate]", f'version = "{VERSION}"', prices, *lines, ""])
    gallery.write("gallery.toml", SETTINGS + MODELS + section)
