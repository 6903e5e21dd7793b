"""Builds on Replicate that are killed, interrupted or met with damage: nothing is paid for twice."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import soundfile

from gallery.config import load_config
from gallery.engines.replicate.prediction import prediction_input
from gallery.prompts.folder import read_prompts
from support.galleries import Gallery, Ran
from support.replicate_stand_in import VERSION, Answer, StandIn, settings

pytest_plugins = ["support.replicate_stand_in"]


def build(shop: Gallery) -> Ran:
    return shop.run("build", "--engine", "replicate", "--yes", "--no-sketches")


def start(shop: Gallery, *args: str) -> BaseProcess:
    guard = "from support import only_this_machine; only_this_machine.install()"
    return shop.start("build", "--engine", "replicate", "--yes", "--no-sketches", *args, first=guard)


def interrupt(run: BaseProcess) -> None:
    """Ctrl-C; returns when the build has ended."""
    assert run.pid
    os.kill(run.pid, signal.SIGINT)
    run.join(60)


def in_flight(service: StandIn) -> set[str]:
    """The predictions that Replicate is at work on."""
    return {made for made, one in service.predictions.items() if one["status"] == "processing"}


def kill(run: BaseProcess) -> None:
    run.kill()
    run.join()


def drums(shop: Gallery, clips: int = 3) -> None:
    seeds = ", ".join(map(str, range(1, clips + 1)))
    shop.prompt("drums", "prompt: drums", "model: large", "duration: 1", f"vary: {{seed: [{seeds}]}}")


def until(true: Callable[[], object], run: BaseProcess | None = None) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        assert run is None or run.is_alive(), run.exitcode
        time.sleep(0.01)


def seeds_asked(service: StandIn) -> list[int]:
    return sorted(given["seed"] for given in service.inputs)


def entries(shop: Gallery) -> list[Path]:
    return sorted((shop.root / ".gallery/replicate").glob("*.json"))


def answered(shop: Gallery) -> list[Path]:
    """The entries whose prediction is known."""
    return [path for path in entries(shop) if '"prediction0' in path.read_text()]


def renders(shop: Gallery) -> list[Path]:
    return sorted((shop.root / ".gallery/renders").glob("*.json"))


def kept(shop: Gallery) -> set[str]:
    """The keys of all clips whose audio is here: rendered, or still with their entries."""
    return {
        path.stem
        for folder in ("renders", "replicate")
        for path in (shop.root / ".gallery" / folder).glob("*.wav")
    }


def left_behind(shop: Gallery, service: StandIn) -> list[Path]:
    """An entry for each clip, as a killed build leaves them with its predictions."""
    config = load_config(shop.root)
    for clip in [clip for prompt in read_prompts(config).prompts for clip in prompt.clips]:
        given = prediction_input(clip.request, config.models[clip.model], "")
        _, made = service.create({"version": f"meta/musicgen:{VERSION}", "input": given})
        entry = {
            "version": 1,
            "key": clip.key,
            "model_version": VERSION,
            "input": given,
            "asked_at": made["created_at"],
            "prediction": made["id"],
        }
        shop.write(f".gallery/replicate/{clip.key}.json", json.dumps(entry))
    return entries(shop)


def test_a_killed_build_is_paid_for_once(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    service.script.held = True
    run = start(shop)
    until(lambda: len(answered(shop)) == 3, run)
    kill(run)
    service.script.held = False
    dry = shop.run("build", "--engine", "replicate", "--dry-run")
    assert "0 predictions to pay for" in dry.out and "; 3 paid for before" in dry.out
    # Nothing is left to pay for, so nobody is asked.
    ran = shop.run("build", "--engine", "replicate", "--no-sketches")
    assert ran.code == 0, ran.err
    assert "3 clips (3 rendered)" in ran.out
    assert seeds_asked(service) == [1, 2, 3]
    assert service.cancelled == []
    assert list((shop.root / ".gallery/replicate").iterdir()) == []


def test_a_build_that_is_killed_while_it_asks_is_paid_for_once(shop: Gallery, service: StandIn) -> None:
    drums(shop, 1)
    service.script.answer_after = 3
    run = start(shop)
    until(lambda: service.inputs, run)
    kill(run)
    service.script.answer_after = 0
    [entry] = entries(shop)
    assert json.loads(entry.read_text())["prediction"] == ""
    assert build(shop).code == 0
    assert seeds_asked(service) == [1]


def test_a_build_that_is_killed_before_it_was_heard_asks_again(shop: Gallery, service: StandIn) -> None:
    settings(shop, "settle_after = 1")
    drums(shop, 1)
    service.script.answer_after = 3
    run = start(shop)
    until(lambda: service.inputs, run)
    kill(run)
    service.script.answer_after = 0
    # The question never arrived.
    service.predictions.clear()
    service.inputs.clear()
    assert build(shop).code == 0
    assert seeds_asked(service) == [1]


def test_a_build_that_is_killed_while_it_asks_waits_for_a_list_that_lags(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.01")
    drums(shop, 1)
    service.script.answer_after, service.script.lag = 3, 3600
    run = start(shop)
    until(lambda: service.inputs, run)
    kill(run)
    service.script.answer_after = 0
    ran = build(shop)
    assert ran.code == 3
    assert "an earlier build ended before Replicate answered: this may have been paid for" in ran.err
    service.script.lag = 0
    assert build(shop).code == 0
    assert seeds_asked(service) == [1]


def test_killed_at_any_moment(shop: Gallery, service: StandIn) -> None:
    # A build that is killed before its question is sent is asked again once that has settled.
    settings(shop, "concurrency = 3", "settle_after = 1")
    drums(shop, 8)
    service.script.looks, service.script.answer_after, service.script.lag = 4, 0.05, 0.3
    service.script.asking = [Answer(502, taken=True)] * 2
    moments, kept = random.Random(3), 0
    for _ in range(5):
        run = start(shop)
        run.join(moments.uniform(0, 1.0))
        kill(run)
        assert len(renders(shop)) >= kept
        kept = len(renders(shop))
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert "8 clips (8 rendered)" in ran.out
    assert seeds_asked(service) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert shop.run("store", "verify").out == "8 clips, 0 problems\n"


def test_an_interrupted_build_cancels_what_is_in_flight_and_keeps_what_is_made(
    shop: Gallery, service: StandIn
) -> None:
    settings(shop, "concurrency = 3")
    drums(shop, 6)
    run = start(shop)
    until(lambda: renders(shop), run)
    service.script.held = True
    until(lambda: len(in_flight(service)) == 3, run)
    cancelled = in_flight(service)
    interrupt(run)
    told = shop.told.read_text()
    assert run.exitcode == 130, told
    assert "Every finished clip is kept" in told and "Traceback" not in told
    assert set(service.cancelled) == cancelled
    made = [one for one in service.predictions.values() if one["status"] == "succeeded"]
    assert len(kept(shop)) == len(made) == len(service.asked) - 3
    service.script.held = False
    assert build(shop).code == 0
    # Only what was cancelled is asked for again.
    asked = Counter(seeds_asked(service))
    again = {service.predictions[made]["input"]["seed"] for made in cancelled}
    assert asked == Counter([*range(1, 7), *again])


def test_what_is_made_while_it_is_cancelled_is_kept(shop: Gallery, service: StandIn) -> None:
    drums(shop, 1)
    service.script.held = service.script.wins_race = True
    # Errors that pass are waited out even now.
    service.script.cancelling, service.script.fetching = [Answer(502)] * 2, [Answer(503)]
    run = start(shop)
    until(lambda: len(in_flight(service)) == 1, run)
    interrupt(run)
    told = shop.told.read_text()
    assert run.exitcode == 130, told
    assert len(kept(shop)) == 1
    assert build(shop).code == 0
    assert len(service.asked) == 1


def test_an_interruption_while_previews_are_made_cancels_too(shop: Gallery, service: StandIn) -> None:
    """Ctrl-C where the build is not waiting for Replicate, but busy with what came."""
    settings(shop, "concurrency = 8")
    drums(shop, 16)
    service.script.free = 8
    run = start(shop, "--jobs", "1")
    # Previews of four wait to be made, one after the other, and others are in flight.
    until(lambda: len(renders(shop)) >= 3 and len(in_flight(service)) == 8, run)
    interrupt(run)
    told = shop.told.read_text()
    assert run.exitcode == 130, told
    assert in_flight(service) == set()
    made = [one for one in service.predictions.values() if one["status"] == "succeeded"]
    assert len(kept(shop)) == len(made) == 8


def test_what_was_bought_needs_replicate_no_more(shop: Gallery, service: StandIn) -> None:
    """As a build leaves it that is killed between the download and the render."""
    drums(shop, 1)
    [path] = left_behind(shop, service)
    entry = json.loads(path.read_text())
    entry["bought"] = {"seed": 1, "predict_time": 10, "completed_at": "2026-11-20T10:00:00Z"}
    path.write_text(json.dumps(entry))
    path.with_suffix(".wav").write_bytes(service.audio(entry["prediction"]))
    assert build(shop).code == 0
    assert service.calls == []
    [render] = renders(shop)
    told = json.loads(render.read_text())["provenance"]
    assert (told["prediction"], told["seed_in_log"], told["seconds"]) == (entry["prediction"], 1, 10)
    ours, _ = soundfile.read(render.with_suffix(".wav"))
    assert (ours == soundfile.read(io.BytesIO(service.audio(entry["prediction"])))[0]).all()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: "",
        lambda entry: "[" * 100_000,
        lambda entry: json.dumps(entry | {"prediction": "../../v1/account"}),
        lambda entry: json.dumps(entry | {"key": "0" * 32}),
        lambda entry: json.dumps(entry | {"token": "x"}),
        lambda entry: json.dumps(entry | {"asked_at": "yesterday"}),
        lambda entry: json.dumps(entry | {"bought": {"seed": 1, "predict_time": 1, "completed_at": "2026"}}),
    ],
    ids=["empty", "deep", "path", "key", "field", "date", "no audio"],
)
def test_a_damaged_entry_is_said_and_not_paid_for_again(
    shop: Gallery, service: StandIn, damage: Callable[[dict], str]
) -> None:
    drums(shop, 1)
    [path] = left_behind(shop, service)
    path.write_text(damage(json.loads(path.read_text())))
    ran = build(shop)
    assert ran.code == 3
    assert f".gallery/replicate/{path.name} cannot be read, and this may have been paid for" in ran.err
    assert len(service.asked) == 1


def test_an_entry_of_another_clip_brings_nothing_wrong(shop: Gallery, service: StandIn) -> None:
    drums(shop, 2)
    first, second = left_behind(shop, service)
    swapped = json.loads(first.read_text())["prediction"]
    second.write_text(json.dumps(json.loads(second.read_text()) | {"prediction": swapped}))
    ran = build(shop)
    assert ran.code == 3
    assert f"Replicate ran the prediction {swapped} with another seed; it was paid for" in ran.err
    assert len(renders(shop)) == 1
    assert len(service.asked) == 2


def test_a_prediction_that_was_deleted(shop: Gallery, service: StandIn) -> None:
    drums(shop, 1)
    left_behind(shop, service)
    service.predictions.clear()
    ran = build(shop)
    assert "Replicate has deleted the prediction; it was paid for: to ask and pay for it again" in ran.err
    assert len(service.asked) == 1


def test_what_came_with_a_commit_is_taken_for_nothing_that_was_paid_for(shop: Gallery) -> None:
    """Whoever can make a pull request could put an entry with a sound of their own into the workspace."""
    drums(shop, clips=1)
    shop.write(".gallery/replicate/of-others.json", "{}")
    for command in (["init", "-q"], ["add", "-f", ".gallery"]):
        subprocess.run(["git", "-C", shop.root, *command], check=True)
    ran = build(shop)
    assert ran.code == 1
    assert ".gallery holds files that came with git" in ran.err
