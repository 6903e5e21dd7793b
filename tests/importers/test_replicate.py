"""Predictions of Replicate: audio beside them, and at their address."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from gallery.importers import audio, fetch, keep, replicate
from gallery.preview.mp3 import encode_mp3
from support.others_clips import music, only_clip, prediction, prompts_of, stamps

if TYPE_CHECKING:
    from support.galleries import Gallery


@pytest.fixture
def stereo(gallery: Gallery) -> Gallery:
    more = "".join(
        f'\n[models.{name}]\nhub = "facebook/musicgen-{name}"\nkind = "{kind}"\nchannels = 2\n'
        for name, kind in (("stereo-large", "musicgen"), ("stereo-melody-large", "melody"))
    )
    gallery.write("gallery.toml", (gallery.root / "gallery.toml").read_text() + more)
    return gallery


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serves tmp_path/served; /away/... leads elsewhere."""
    served = tmp_path / "served"
    served.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/away/"):
                self.send_response(302)
                self.send_header("Location", "http://localhost:9/x")
                self.end_headers()
            else:
                super().do_GET()

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(served))

        def log_message(self, *args: Any) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(fetch, "PLAIN_HOSTS", frozenset({"127.0.0.1"}))
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


def put(folder: Path, name: str, data: Any, channels: int = 2, suffix: str = ".wav") -> Path:
    """A prediction with its audio beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data))
    if suffix == ".wav":
        soundfile.write(folder / f"{name}.wav", music(channels=channels), 32000)
    elif suffix == ".mp3":
        (folder / f"{name}.mp3").write_bytes(encode_mp3(music(channels=channels), 32000, 2))
    return folder / f"{name}.json"


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_a_prediction_with_its_audio_beside_it(stereo: Gallery, tmp_path: Path, suffix: str) -> None:
    put(tmp_path / "p", "one", prediction(), suffix=suffix)
    ran = stereo.run("import", tmp_path / "p")
    assert ran.code == 0, ran.err
    request, kept = only_clip(stereo)
    said = request.model_dump(exclude_defaults=True)
    assert said == {
        "model": "facebook/musicgen-stereo-large",
        "prompt": "epic drums",
        "duration": 1,
        "seed": 1234567,
        "temperature": 0.9,
        "cfg_coef": 5,
    }
    assert kept["engine"] == "replicate"
    told = kept["provenance"]
    assert told["imported_from"] == "Replicate"
    assert told["normalization"] == "peak"
    assert told["original"] == "gm3qorzdhgbfurvjtvhg6dckhu"
    assert told["date"] == "2026-11-20T10:00:41Z"
    assert told["file"] == f"one{suffix}"
    before = stamps(stereo)
    assert stereo.run("import", tmp_path / "p").out == "0 clips imported, 1 there already, 0 refused\n"
    assert stamps(stereo) == before
    assert "1 clip (1 rendered)" in stereo.run("build", "--engine", "none").out


def test_inputs_that_were_not_given_are_the_defaults(stereo: Gallery, tmp_path: Path) -> None:
    given = {"prompt": "rain", "seed": 5}
    put(tmp_path / "p", "one", prediction(logs="") | {"input": given | {"duration": 1}})
    assert stereo.run("import", tmp_path / "p/one.json").code == 0
    request, kept = only_clip(stereo)
    assert request.model == "facebook/musicgen-stereo-melody-large"
    assert (request.seed, request.cfg_coef, request.top_k, request.top_p) == (5, 3, 250, 0)
    assert kept["provenance"]["normalization"] == "loudness"


def test_older_inputs_are_understood(gallery: Gallery, tmp_path: Path) -> None:
    old = {"prompt": "absent", "description": "rain", "model_version": "melody", "strategy": "clip"}
    old["normalization_strategy"] = "absent"
    put(tmp_path / "p", "one", prediction(input=old), channels=1)
    assert gallery.run("import", tmp_path / "p").code == 0
    request, kept = only_clip(gallery)
    assert (request.prompt, request.model) == ("rain", "facebook/musicgen-melody")
    assert kept["provenance"]["normalization"] == "clip"


@pytest.mark.parametrize("form", ["list", "page", "jsonl"])
def test_many_predictions_in_one_file(stereo: Gallery, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    found = [prediction(id=f"id{n}", logs=f"Using seed {n}\n") for n in (1, 2)]
    found.append(prediction(id="id3", status="failed", error="CUDA out of memory\nmore"))
    for n in (1, 2):
        soundfile.write(folder / f"id{n}.wav", music(1, n, channels=2), 32000)
    if form == "jsonl":
        (folder / "all.jsonl").write_text("\n".join(json.dumps(one) for one in found) + "\n")
    else:
        (folder / "all.json").write_text(json.dumps(found if form == "list" else {"results": found}))
    ran = stereo.run("import", folder)
    assert "2 clips imported, 0 there already, 1 refused" in ran.out
    assert "prediction 3: the prediction failed: CUDA out of memory" in ran.err
    [prompt] = prompts_of(stereo).values()
    assert [clip.request.seed for clip in prompt.clips] == [1, 2]


def test_audio_is_fetched_from_its_address_once(stereo: Gallery, tmp_path: Path, server: str) -> None:
    soundfile.write(tmp_path / "served/out.wav", music(channels=2), 32000)
    source = put(tmp_path / "p", "one", prediction(output=[f"{server}/out.wav"]), suffix="")
    dry = stereo.run("import", source, "--dry-run")
    assert "1 clip would come" in dry.out
    assert stereo.run("import", source).code == 0
    assert only_clip(stereo)[1]["provenance"]["file"] == "one.json"
    (tmp_path / "served/out.wav").unlink()
    assert stereo.run("import", source).out == "0 clips imported, 1 there already, 0 refused\n"


def test_a_dry_run_asks_nobody_and_promises_nothing_of_an_address(
    stereo: Gallery, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"model_version": "stereo-melody-large", "input_audio": f"{server}/tune.mp3"}
    put(tmp_path / "p", "a", prediction(id="a", input=given))
    put(tmp_path / "p", "b", prediction(id="b", output=f"{server}/out.wav"), suffix="")
    plain = prediction(id="c", input={"prompt": "rain"}, output="http://192.0.2.1/out.wav")
    put(tmp_path / "p", "c", plain, suffix="")
    put(tmp_path / "p", "d", prediction(id="d", input={**given, "input_audio": "ftp://192.0.2.1/x"}))
    for module in (replicate, keep):
        monkeypatch.setattr(module, "fetch", None)
    ran = stereo.run("import", tmp_path / "p", "--dry-run")
    assert "2 clips would come, 0 there already, 2 refused" in ran.out
    lines = [line for line in ran.out.splitlines() if " from " in line]
    assert len(lines) == 2 and all(line.endswith("if what is at its address can be had") for line in lines)
    assert "c.json: its address is of the kind http" in ran.err
    assert "d.json: its address is of the kind ftp" in ran.err


def test_a_melody_is_known_by_its_file(stereo: Gallery, tmp_path: Path, server: str) -> None:
    (tmp_path / "served/tune.mp3").write_bytes(b"a tune")
    inline = "data:audio/mpeg;base64," + base64.b64encode(b"another").decode()
    for name, tune in (("a", f"{server}/tune.mp3"), ("b", inline)):
        given = {"model_version": "stereo-melody-large", "input_audio": tune}
        put(tmp_path / "p", name, prediction(id=name, input=given))
    ran = stereo.run("import", tmp_path / "p")
    assert ran.code == 0, ran.err
    [prompt] = prompts_of(stereo).values()
    wanted = {hashlib.sha256(tune).hexdigest() for tune in (b"a tune", b"another")}
    assert {clip.request.melody for clip in prompt.clips} == wanted


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "failed", "error": "no GPU"}, "the prediction failed: no GPU"),
        ({"status": "canceled"}, "was canceled"),
        ({"status": "processing"}, "was not finished"),
        ({"status": ["x"]}, "status is a list"),
        ({"input": {"continuation": True, "input_audio": "https://x.invalid/a"}}, "goes on from other audio"),
        ({"input": {"multi_band_diffusion": True}}, "multi-band diffusion"),
        ({"input": {"model_version": "encode-decode"}}, "encode-decode makes nothing"),
        ({"input": {"model_version": "melody-large"}}, "add [models.melody-large]"),
        ({"input": {"seed": "five"}, "logs": None}, 'its seed is "five", not a number'),
        ({"input": {"prompt": "absent"}}, "prompt: is empty"),
    ],
)
def test_what_cannot_be_taken_is_told(
    stereo: Gallery, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    put(tmp_path / "p", "one", prediction(**changes))
    ran = stereo.run("import", tmp_path / "p")
    assert ran.code == 3
    assert "one.json: " in ran.err
    assert reason in ran.err


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("{server}/none.wav", "404"),
        ("{server}/away/x", "only https is fetched"),
        ("{server}/big.wav", "larger than"),
        ("http://example.invalid/out.wav", "of the kind http; only https is fetched"),
        ("file:///etc/passwd", "of the kind file"),
        ("https://localhost/out.wav", "in a private network"),
        ("https://[::1/out.wav", "its address is none"),
        ("data:audio/wav;base64,AAAA", "cannot be decoded"),
        ("out.wav", "of the kind none"),
        (None, "names no audio"),
    ],
)
def test_an_address_is_not_trusted(
    stereo: Gallery, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, output: Any, reason: str
) -> None:
    monkeypatch.setattr("gallery.importers.keep.MAX_BYTES", 1_000_000)
    assert audio.MAX_BYTES == 200_000_000
    (tmp_path / "served/big.wav").write_bytes(bytes(1_100_000))
    where = output.replace("{server}", server) if output else output
    source = put(tmp_path / "p", "one", prediction(output=where), suffix="")
    ran = stereo.run("import", source)
    assert ran.code == 3
    assert reason in ran.err
    assert not list((stereo.root / "prompts").rglob("*.md"))


def test_without_its_log_a_prediction_has_no_seed(stereo: Gallery, tmp_path: Path) -> None:
    put(tmp_path / "p", "one", prediction(logs=""))
    put(tmp_path / "p", "two", prediction(logs="", id="another"))
    soundfile.write(tmp_path / "p/two.wav", music(1, 1, channels=2), 32000)
    assert stereo.run("import", tmp_path / "p").code == 0
    [prompt] = prompts_of(stereo).values()
    assert len({clip.request.audio for clip in prompt.clips} - {None}) == 2


def test_where_a_prediction_has_no_seed_its_audio_is_fetched_for_the_key(
    stereo: Gallery, tmp_path: Path, server: str
) -> None:
    soundfile.write(tmp_path / "served/out.wav", music(channels=2), 32000, subtype="FLOAT")
    source = put(tmp_path / "p", "one", prediction(output=f"{server}/out.wav", logs=""), suffix="")
    assert "1 clip would come" in stereo.run("import", source, "--dry-run").out
    assert stereo.run("import", source).code == 0
    request, kept = only_clip(stereo)
    assert request.audio == hashlib.sha256(music(channels=2).tobytes()).hexdigest()
    assert kept["provenance"]["file"] == "one.json"


OTHERS = (
    "sakemin/musicgen-stereo-chord",
    "nateraw/musicgen-songstarter-v0.2",
    "stackadoc/stable-audio-open-1.0",
)
AUDIOGEN_VERSION = "154b3e5141493cb1b8cec976d9aa90f2b691137e39ad906d2421b74c2a8c52b8"


def test_of_a_list_of_predictions_only_known_models_come(stereo: Gallery, tmp_path: Path) -> None:
    """And a dry run promises no others."""
    folder = tmp_path / "p"
    folder.mkdir()
    sound = {"prompt": "dog barking", "duration": 1, "classifier_free_guidance": 3, "output_format": "wav"}
    found = [prediction(id=f"other{n}", model=name, version=f"{n}" * 64) for n, name in enumerate(OTHERS)]
    found.append(
        prediction(id="sound", model="sepal/audiogen", version=AUDIOGEN_VERSION, logs="") | {"input": sound}
    )
    found.append(prediction(id="music"))
    for one in found:
        name, channels = one["id"], 1 if one["id"] == "sound" else 2
        rate = 16000 if name == "sound" else 32000
        soundfile.write(folder / f"{name}.wav", music(1, 0, rate, channels), rate)
    (folder / "all.json").write_text(json.dumps({"results": found}))
    ran = stereo.run("import", folder, "--dry-run")
    assert "2 clips would come, 0 there already, 3 refused" in ran.out
    ran = stereo.run("import", folder)
    assert "2 clips imported, 0 there already, 3 refused" in ran.out
    for number, name in enumerate(OTHERS, start=1):
        assert f'prediction {number}: made by "{name}", not by meta/musicgen or sepal/audiogen' in ran.err
    requests = {clip.request.model for prompt in prompts_of(stereo).values() for clip in prompt.clips}
    assert requests == {"facebook/audiogen-medium", "facebook/musicgen-stereo-large"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": None, "version": "9" * 64}, "no model that is known here"),
        ({"model": None, "version": None}, "says neither model nor version"),
        ({"model": ["meta/musicgen"]}, "not by meta/musicgen"),
        ({"version": AUDIOGEN_VERSION}, 'made by "meta/musicgen", not by'),
        (
            {"input": {"text_chords": "C G"}},
            'meta/musicgen was given "text_chords", an input that is not known',
        ),
        ({"input": {"\x1b[31m": 1}}, "an input that is not known"),
        ({"model": "sepal/audiogen", "version": AUDIOGEN_VERSION}, 'was given "model_version"'),
    ],
)
def test_another_model_or_input_is_refused_by_name(
    stereo: Gallery, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    put(tmp_path / "p", "one", prediction(**changes))
    ran = stereo.run("import", tmp_path / "p", "--dry-run")
    assert ran.code == 3
    assert reason in ran.err
    assert "\x1b" not in ran.err


def test_an_old_prediction_tells_its_version_alone(stereo: Gallery, tmp_path: Path) -> None:
    put(tmp_path / "p", "one", prediction(model=None))
    assert stereo.run("import", tmp_path / "p").code == 0


def test_a_melody_needs_no_words(stereo: Gallery, tmp_path: Path) -> None:
    tune = "data:audio/mpeg;base64," + base64.b64encode(b"a tune").decode()
    given = {"prompt": "absent", "model_version": "stereo-melody-large", "input_audio": tune}
    put(tmp_path / "p", "one", prediction(input=given))
    ran = stereo.run("import", tmp_path / "p")
    assert ran.code == 0, ran.err
    assert only_clip(stereo)[0].prompt == ""
    assert stereo.run("check", "--strict").code == 0
    assert "1 clip (1 rendered)" in stereo.run("build", "--engine", "none").out
    stereo.prompt("none", "model: melody", f"melody: sha256:{'0' * 64}", "takes: [{}, {melody: null}]")
    assert "prompt: is missing" in stereo.run("check").err
