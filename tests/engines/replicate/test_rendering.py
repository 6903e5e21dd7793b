"""`gallery build --engine replicate`: what is asked of Replicate, and what comes of its answers."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
import soundfile

from support.galleries import Gallery, Ran
from support.replicate_stand_in import TOKEN, VERSION, Answer, Script, StandIn, noise, settings

pytest_plugins = ["support.replicate_stand_in"]


def build(shop: Gallery, *args: object) -> Ran:
    return shop.run("build", "--engine", "replicate", "--yes", "--no-sketches", *args)


def records(shop: Gallery) -> dict[str, dict[str, Any]]:
    """The store's records by their prompts."""
    found = [json.loads(path.read_text()) for path in (shop.root / "site/audio").glob("*.json")]
    return {record["request"]["prompt"]: record for record in found}


def drums(shop: Gallery, *fields: str) -> None:
    shop.prompt("drums", "prompt: drums", "model: large", "duration: 1", "seed: 7", *fields)


def test_a_clip_is_rendered_and_says_how(shop: Gallery, service: StandIn) -> None:
    settings(shop, 'hardware = "Big GPU"')
    drums(shop, "temperature: 0.85", "cfg_coef: 4")
    shop.prompt("rain", "prompt: ' rain '", "model: stereo-large", "duration: 2", "seed: 9", "top_p: 1.5")
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert "2 clips (2 rendered)" in ran.out
    given = {one["prompt"]: one for one in service.inputs}
    # A number that does nothing without input audio, and is new each time.
    assert given["drums"].pop("continuation_start") != given["rain"]["continuation_start"]
    assert given["drums"] == {
        "model_version": "large", "prompt": "drums", "duration": 1, "temperature": 0.85, "top_k": 250,
        "top_p": 0, "classifier_free_guidance": 4, "seed": 7, "normalization_strategy": "peak",
        "output_format": "wav",
    }  # fmt: skip
    assert (given["rain"]["model_version"], given["rain"]["top_p"]) == ("stereo-large", 1)
    [made] = [one for one in service.predictions.values() if one["input"]["prompt"] == "drums"]
    record = records(shop)["drums"]
    assert record["engine"] == "replicate"
    assert record["provenance"] == {
        "engine": "replicate", "engine_version": VERSION, "service": "meta/musicgen",
        "prediction": made["id"], "model": "facebook/musicgen-large", "device": "Big GPU",
        "normalization": "peak", "seed_in_log": 7, "date": made["completed_at"], "seconds": 10,
    }  # fmt: skip
    assert "2 predictions to pay for, 3 s of audio: about 30 s of compute, USD 0.30; no maximum" in ran.err
    assert "2 predictions asked for, 20 s of compute, about USD 0.20" in ran.err


def test_its_audio_is_kept_sample_for_sample(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    build(shop)
    [kept] = (shop.root / ".gallery/renders").glob("*.wav")
    [made] = service.predictions
    given, rate = soundfile.read(io.BytesIO(service.audio(made)), dtype="float32")
    ours, own_rate = soundfile.read(kept, dtype="float32")
    assert rate == own_rate and (ours == given).all()
    assert not list((shop.root / ".gallery/replicate").iterdir()), "an entry is left"


def test_what_is_rendered_is_never_paid_for_again(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    build(shop)
    drums(shop, "title: Another title")
    ran = build(shop)
    assert (ran.code, service.asked) == (0, ["drums"])
    # The key is that of the same clip on a GPU of one's own.
    assert "1 clip (1 rendered)" in shop.run("build", "--engine", "auto").out


def test_the_token_is_nowhere_but_in_requests(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.status, service.script.error = "failed", "no memory"
    told = [build(shop), build(shop, "--dry-run"), shop.run("doctor")]
    service.script.status = "succeeded"
    told.append(build(shop))
    assert not any(TOKEN in ran.out + ran.err for ran in told)
    assert [name for name, data in shop.files("").items() if TOKEN.encode() in data] == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (["model: small"], "Replicate has no facebook/musicgen-small; it has stereo-melody-large"),
        (["model: melody"], "Replicate has no facebook/musicgen-melody; it has"),
        (["model: audiogen"], "Replicate has no facebook/audiogen-medium; it has"),
        (["model: large", "cfg_coef: 3.5"], "Replicate takes whole numbers for cfg_coef, not 3.5"),
        (["model: large", "duration: 1.5"], "Replicate takes whole numbers for duration, not 1.5"),
        (["model: large", "seed: 0"], "Replicate takes the seed 0 for a random one"),
        (
            ["model: large", "duration: 31", "extend_stride: 5"],
            "Replicate cannot set the stride, which is 5 s",
        ),
    ],
)
def test_what_replicate_cannot_do_is_refused_before_anything_is_paid(
    shop: Gallery, service: StandIn, fields: list[str], reason: str
) -> None:
    shop.prompt("no", "prompt: bells", *fields)
    dry = build(shop, "--dry-run")
    assert 'failed: "bells" (facebook/' in dry.err and reason in dry.err
    assert "Replicate: 0 predictions to pay for" in dry.out
    # Nothing to pay for: nobody needs to agree.
    ran = shop.run("build", "--engine", "replicate", "--no-sketches")
    assert ran.code == 3
    assert reason in ran.err
    assert service.calls == []


def test_a_refused_clip_stops_no_other(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    shop.prompt("no", "prompt: bells", "model: small")
    ran = build(shop)
    assert ran.code == 3
    assert (service.asked, list(records(shop))) == (["drums"], ["drums"])


def test_long_clips_and_seeds_that_do_nothing(shop: Gallery, service: StandIn) -> None:
    drums(shop, "temperature: 0")
    shop.prompt("long", "prompt: long", "model: large", "duration: 31", "extend_stride: 18")
    service.script.log = "Using seed 12345\n"
    ran = build(shop)
    # At temperature 0 the seed is inert; in the other clip it is not.
    assert list(records(shop)) == ["drums"]
    assert 'failed: "long" (facebook/musicgen-large): Replicate used the seed 12345, not 1;' in ran.err
    service.script.log = "Using seed {seed}\n"
    next((shop.root / ".gallery/replicate").glob("*.json")).unlink()
    assert build(shop).code == 0


@pytest.mark.parametrize(
    ("host", "theirs"),
    [
        ("replicate.delivery", True),
        ("pbxt.replicate.delivery", True),
        ("api.replicate.com", True),
        ("replicate.delivery.example.org", False),
        ("notreplicate.delivery", False),
    ],
)
def test_only_replicate_is_sent_the_token(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch, host: str, theirs: bool
) -> None:
    """An output may lie anywhere that https reaches; here the wire ends at the stand-in."""
    import httpx

    drums(shop)
    service.script.changes = {"output": f"https://{host}/out/prediction{1:016}.wav"}
    send, sent = httpx.HTTPTransport.handle_request, []

    def rerouted(wire: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.host == host:
            sent.append(request.headers.get("Authorization"))
            here = f"{service.address}{request.url.path}"
            request = httpx.Request("GET", here, headers={"Authorization": f"Bearer {TOKEN}"})
        return send(wire, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", rerouted)
    assert build(shop).code == 0
    assert sent == [f"Bearer {TOKEN}" if theirs else None]


def test_guidance_0_ignores_the_prompt(shop: Gallery, service: StandIn) -> None:
    drums(shop, "cfg_coef: 0")
    assert build(shop).code == 0
    assert service.asked == [""]


def test_a_melody_is_uploaded_once(shop: Gallery, service: StandIn) -> None:
    tune = noise(5, 1, 1)
    shop.write("prompts/tune.wav", tune)
    fields = ["model: stereo-melody-large", "duration: 1", "melody: tune.wav", "vary: {seed: [1, 2, 3]}"]
    shop.prompt("follow", "prompt: follow", *fields)
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert service.uploads == [tune]
    assert {one["input_audio"] for one in service.inputs} == {f"{service.address}/v1/files/file1"}
    assert {one["continuation"] for one in service.inputs} == {False}


def test_as_many_at_once_as_is_set(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 3")
    drums(shop, "vary: {temperature: [0.5, 0.6, 0.7, 0.8, 0.9, 1]}")
    service.script.looks = 4
    assert build(shop).code == 0
    assert service.most_at_once == 3
    assert len(service.asked) == 6


def looked_at(service: StandIn) -> list[float]:
    """When the one prediction was looked at."""
    return [at for at, call in service.calls if call.startswith("GET /v1/predictions/")]


def test_looks_grow_rarer(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.looks = 8
    assert build(shop).code == 0
    times = looked_at(service)
    assert len(times) == 8
    assert times[-1] - times[-2] > 0.2 > times[1] - times[0]


WAIT = Answer(429, {"detail": "Request was throttled. Your rate limit resets in ~1s.", "status": 429})


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, WAIT.body, {"Retry-After": "1"}),
        Answer(429, WAIT.body | {"retry_after": 1}),
    ],
    ids=["header", "body"],
)
def test_a_rate_limit_is_waited_out(shop: Gallery, service: StandIn, answer: Answer) -> None:
    drums(shop, "vary: {seed: [1, 2, 3]}")
    service.script.asking = [answer]
    assert build(shop).code == 0
    asked = [at for at, call in service.calls if call == "POST /v1/predictions"]
    # All of them wait, not only the clip that was told to.
    assert len(asked) == 4 and asked[1] - asked[0] >= 1
    assert service.asked == ["drums"] * 3


def test_a_rate_limit_on_looks_is_waited_out(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.looking = [Answer(429, WAIT.body, {"Retry-After": "1"})]
    assert build(shop).code == 0
    first, second, *_ = looked_at(service)
    assert second - first >= 1


def test_a_wait_without_end_is_no_wait(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.asking = [Answer(429, WAIT.body, {"Retry-After": "86400"})]
    ran = build(shop)
    assert ran.code == 3
    assert "Replicate answered 429: Request was throttled." in ran.err
    assert service.asked == []


def test_passing_errors_pass(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.asking = [Answer(429), Answer(429, {}, {"Retry-After": "0"})]
    service.script.looking = [Answer(0), Answer(502), Answer(500), Answer(0), Answer(200, {"odd": 1})]
    service.script.fetching = [Answer(503), Answer(0), Answer(200, {}, {"Content-Length": "100000"})]
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert service.asked == ["drums"]
    assert list(records(shop)) == ["drums"]


def test_a_service_that_is_gone_is_asked_for_one_clip_only(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    drums(shop, "vary: {temperature: [0.5, 0.6, 0.7, 0.8, 0.9, 1]}")
    monkeypatch.setenv("REPLICATE_BASE_URL", "http://127.0.0.1:9")
    start = time.monotonic()
    ran = build(shop)
    assert ran.code == 3
    assert ran.err.count("Replicate cannot be reached (") == 6
    assert time.monotonic() - start < 15
    assert not list((shop.root / ".gallery/replicate").glob("*"))


def test_a_wrong_token_is_said_once_and_clearly(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(shop, "concurrency = 1")
    drums(shop, "vary: {temperature: [0.5, 0.6, 0.7]}")
    monkeypatch.setenv("REPLICATE_API_TOKEN", "another")
    ran = build(shop)
    assert "Replicate answered 401: You did not pass a valid authentication token" in ran.err
    assert [call for _, call in service.calls] == ["POST /v1/predictions"]


def test_a_version_that_is_not_there(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    settings(shop, 'model = "other/musicgen"')
    assert build(shop).code == 3
    shop.write("gallery.toml", (shop.root / "gallery.toml").read_text().replace(VERSION, "cd" * 32))
    ran = build(shop)
    assert ran.code == 3
    assert "Replicate answered 422: The specified version does not exist" in ran.err
    assert service.asked == []


def test_what_fails_or_is_cancelled_there_can_be_asked_for_again(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.status, service.script.error = "failed", "CUDA out of memory\n  at line 5"
    assert "failed: CUDA out of memory at line 5" in build(shop).err
    service.script.status, service.script.error = "canceled", None
    assert "was cancelled: Replicate gives no reason" in build(shop).err
    service.script.status = "succeeded"
    assert build(shop).code == 0
    assert service.asked == ["drums"] * 3


def test_a_slow_prediction_is_cancelled(shop: Gallery, service: StandIn) -> None:
    settings(shop, "timeout = 0.3")
    drums(shop)
    service.script.held = True
    ran = build(shop)
    assert "was cancelled: it took longer than the 0.3 s of timeout in [replicate]" in ran.err
    assert service.cancelled == list(service.predictions)
    # One that is made in the last moment is paid for, and kept.
    service.script.wins_race = True
    assert build(shop).code == 0
    assert len(service.asked) == 2


DELETED = "Replicate has deleted its audio, which it keeps for an hour"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"fetching": [Answer(404)]}, DELETED),
        ({"fetching": [Answer(410)]}, DELETED),
        ({"changes": {"output": None, "input": {}, "logs": "", "data_removed": True}}, DELETED),
        ({"changes": {"version": "cd" * 32}}, "Replicate ran its version cdcdcdcdcdcd, not abababababab"),
        ({"log": "Using seed 8\n"}, "Replicate used the seed 8, not 7"),
        ({"log": "Loading\n"}, "Replicate used a seed that its log does not tell, not 7"),
        ({"echo": {"prompt": "flutes"}}, "with another prompt"),
        ({"audio": {"seconds": 0.5}}, "Replicate delivered 0.50 s of audio, not 1 s"),
        ({"audio": {"seconds": 1.5}}, "Replicate delivered 1.50 s of audio, not 1 s"),
        ({"audio": {"channels": 2}}, "WAV with 2 channels at 32000 Hz, not WAV with 1 channel at 32000 Hz"),
        ({"audio": {"rate": 44100}}, "WAV with 1 channel at 44100 Hz, not WAV with 1 channel at 32000 Hz"),
        ({"audio": {"form": "FLAC"}}, "Replicate delivered FLAC with 1 channel"),
        ({"audio": {"seconds": 60}}, "its audio is larger than"),
        ({"fetching": [Answer(200, {"detail": "no"})]}, "Replicate delivered no audio that can be read"),
        ({"changes": {"output": "http://127.0.0.1:9/out.wav"}}, "its audio is not at https but at http"),
        (
            {"fetching": [Answer(302, {}, {"Location": "http://127.0.0.1:9/x"})]},
            "is not at https but at http",
        ),
    ],
)
def test_what_was_not_asked_for_is_never_kept_nor_paid_for_again(
    shop: Gallery, service: StandIn, script: dict[str, Any], reason: str
) -> None:
    drums(shop)
    for name, value in script.items():
        setattr(service.script, name, value)
    ran = build(shop)
    assert ran.code == 3
    assert reason in ran.err
    [entry] = (shop.root / ".gallery/replicate").iterdir()
    assert f"it was paid for: to ask and pay for it again, remove .gallery/replicate/{entry.name}" in ran.err
    assert records(shop) == {}
    # Said again, and not asked for again.
    service.script = Script()
    assert reason in build(shop).err
    assert service.asked == ["drums"]


def test_what_was_paid_for_in_vain_is_paid_for_again_where_that_is_wanted(
    shop: Gallery, service: StandIn
) -> None:
    drums(shop)
    service.script.log = "Using seed 8\n"
    build(shop)
    service.script = Script()
    dry = build(shop, "--dry-run")
    assert "Replicate used the seed 8, not 7; it was paid for" in dry.err
    assert "Replicate: 0 predictions to pay for" in dry.out
    [entry] = (shop.root / ".gallery/replicate").iterdir()
    entry.unlink()
    assert build(shop).code == 0
    assert service.asked == ["drums", "drums"]
