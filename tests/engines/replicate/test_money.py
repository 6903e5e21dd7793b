"""What a build on Replicate may cost: nobody pays who did not agree, nor more than was agreed to."""

from __future__ import annotations

import os
import pty
import random
import subprocess

import pytest

from gallery.engines.replicate.spending import Ledger, Task, TooDear
from gallery.settings import ReplicateSettings
from support import COMMAND
from support.galleries import Gallery, Ran
from support.replicate_stand_in import Answer, StandIn, settings

pytest_plugins = ["support.replicate_stand_in"]


def build(shop: Gallery, *args: object) -> Ran:
    return shop.run("build", "--engine", "replicate", "--no-sketches", *args)


def drums(shop: Gallery, clips: int = 1) -> None:
    seeds = ", ".join(map(str, range(1, clips + 1)))
    shop.prompt("drums", "prompt: drums", "model: large", "duration: 1", f"vary: {{seed: [{seeds}]}}")


def test_without_a_terminal_and_without_yes_nothing_is_paid(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    ran = build(shop)
    assert ran.code == 1
    assert (
        "1 prediction to pay for, 1 s of audio: about 10 s of compute, USD 0.10; no maximum is set" in ran.err
    )
    assert (
        "Error: this costs money, and nobody is here to be asked: add --yes, best with --max-cost" in ran.err
    )
    assert service.calls == []


@pytest.mark.parametrize(("reply", "code", "asked"), [("n", 1, 0), ("", 1, 0), ("y", 0, 1)])
def test_on_a_terminal_it_asks_first(
    shop: Gallery, service: StandIn, reply: str, code: int, asked: int
) -> None:
    drums(shop)
    ours, theirs = pty.openpty()
    command = [COMMAND, "--gallery", shop.root, "build", "--engine", "replicate", "--max-cost", "2"]
    run = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(theirs)
    os.write(ours, f"{reply}\n".encode())
    _, told = run.communicate(timeout=60)
    os.close(ours)
    assert b"USD 0.10; at most USD 2.00\nPay for it? [y/N]: " in told
    assert (run.returncode, len(service.asked)) == (code, asked)
    assert (b"nothing was paid for, and nothing rendered" in told) == (not asked)


def test_a_dry_run_tells_the_cost_and_asks_nobody(shop: Gallery, service: StandIn) -> None:
    drums(shop, 3)
    ran = build(shop, "--dry-run")
    assert ran.code == 0
    cost = "3 predictions to pay for, 3 s of audio: about 30 s of compute, USD 0.30"
    assert f"Replicate: {cost}" in ran.out
    assert service.calls == []


def test_a_maximum_is_not_passed(shop: Gallery, service: StandIn) -> None:
    drums(shop, 5)
    service.script.held = True
    service.script.wins_race = True
    settings(shop, "timeout = 0.3")
    ran = build(shop, "--yes", "--max-cost", "0.25")
    assert ran.code == 3
    assert len(service.asked) == 2
    reason = (
        "not asked for: about USD 0.10 more than the USD 0.20 of this build so far would pass --max-cost 0.25"
    )
    assert ran.err.count(reason) == 3
    assert "2 predictions asked for, 20 s of compute, about USD 0.20" in ran.err
    # What was left out comes when it may cost as much.
    service.script.held = False
    assert build(shop, "--yes", "--max-cost", "0.3").code == 0
    assert len(service.asked) == 5


@pytest.mark.parametrize(("took", "asked"), [(5, 4), (10, 2), (13, 1), (None, 2)])
def test_a_price_is_the_highest_of_what_was_expected_and_what_was_taken(
    shop: Gallery, service: StandIn, took: float | None, asked: int
) -> None:
    settings(shop, "concurrency = 1")
    drums(shop, 5)
    service.script.predict_time = took
    build(shop, "--yes", "--max-cost", "0.25")
    assert len(service.asked) == asked


def test_an_estimate_that_is_far_too_low_costs_one_prediction(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 5")
    drums(shop, 5)
    service.script.predict_time = 800
    ran = build(shop, "--yes", "--max-cost", "0.5")
    assert ran.code == 3
    assert "1 prediction asked for, 800 s of compute, about USD 8.00" in ran.err
    assert len(service.asked) == 1
    reason = "not asked for: about USD 8.00 more than the USD 8.00 of this build so far would pass"
    assert ran.err.count(f"{reason} --max-cost 0.5") == 4


def test_an_estimate_that_is_too_low_for_another_length_too(shop: Gallery, service: StandIn) -> None:
    """What was measured is a price for a second of audio."""
    settings(shop, "concurrency = 4")
    shop.prompt("a-short", "prompt: short", "model: large", "duration: 1")
    shop.prompt("long", "prompt: long", "model: large", "duration: 8")
    service.script.predict_time = 20
    ran = build(shop, "--yes", "--max-cost", "1.7")
    assert service.asked == ["short"]
    assert "about USD 1.60 more than the USD 0.20 of this build so far would pass --max-cost 1.7" in ran.err


def test_the_first_runs_alone_and_then_several(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 3")
    drums(shop, 7)
    service.script.looks = 6
    assert build(shop, "--yes", "--max-cost", "9").code == 0
    ended = min(one["completed_at"] for one in service.predictions.values())
    begun = sorted(one["created_at"] for one in service.predictions.values())
    assert begun[0] < ended < begun[1]
    assert service.most_at_once == 3


def test_without_a_maximum_none_waits_for_the_first(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 3")
    drums(shop, 3)
    service.script.looks = 6
    assert build(shop, "--yes").code == 0
    assert service.most_at_once == 3


@pytest.mark.parametrize("took", [[10, 20, 20, 20, 20, 20], [10, 11, 20, 25, 45, 80], [5, 5, 9, 9, 15, 15]])
def test_a_maximum_is_passed_by_one_prediction_at_most(
    shop: Gallery, service: StandIn, took: list[float]
) -> None:
    settings(shop, "concurrency = 4")
    drums(shop, 6)
    service.script.looks, service.script.predict_times = 4, list(took)
    build(shop, "--yes", "--max-cost", "0.55")
    spent = took[: len(service.asked)]
    assert sum(spent) * 0.01 <= 0.55 + max(spent) * 0.01
    assert len(spent) > 1


def test_dear_models_after_cheap_ones_pass_a_maximum_by_one_prediction_at_most(
    shop: Gallery, service: StandIn
) -> None:
    """Each model has a price of its own, and its first prediction has no company."""
    settings(shop, "concurrency = 4")
    takes = {"large": 10, "stereo-large": 80, "stereo-melody-large": 300}
    for name in takes:
        shop.prompt(f"{name}", "prompt: x", f"model: {name}", "duration: 1", "vary: {seed: [1, 2, 3, 4]}")
    service.script.looks, service.script.compute = 3, lambda given: takes[given["model_version"]]
    build(shop, "--yes", "--max-cost", "1.4")
    assert sum(service.costs) <= 1.4 + max(service.costs)
    asked = [given["model_version"] for given in service.inputs]
    assert [asked.count(name) for name in takes] == [4, 1, 1]
    assert build(shop, "--yes", "--max-cost", "50").code == 0
    spans = [(one["created_at"], one["completed_at"]) for one in service.predictions.values()]
    for name in ("stereo-large", "stereo-melody-large"):
        number = next(n for n in range(6, 12) if service.inputs[n]["model_version"] == name)
        begun, ended = spans[number]
        assert not any(start < ended and begun < end for n, (start, end) in enumerate(spans) if n != number)
    assert len(spans) == 12 and service.most_at_once > 1


def test_short_clips_after_a_long_one_pass_a_maximum_by_one_prediction_at_most(
    shop: Gallery, service: StandIn
) -> None:
    """Most of what a short one takes may be what each prediction takes."""
    settings(shop, "concurrency = 6", prices="price_per_second = 0.01\ncompute_per_audio_second = 1\n")
    shop.prompt("a-long", "prompt: long", "model: large", "duration: 8")
    shop.prompt("b-short", "prompt: short", "model: large", "duration: 1", "vary: {seed: [1, 2, 3, 4, 5, 6]}")
    service.script.looks, service.script.compute = 3, lambda given: 20 + given["duration"]
    build(shop, "--yes", "--max-cost", "0.75")
    assert sum(service.costs) <= 0.75 + max(service.costs)
    assert service.asked == ["long", "short", "short"]


@pytest.mark.parametrize(("workers", "asked"), [(3, 4), (1, 2)])
def test_what_turns_out_too_dear_in_company_ends_the_asking(
    shop: Gallery, service: StandIn, workers: int, asked: int
) -> None:
    """What was asked for with it costs, too, and that cannot be known; alone, one passes the maximum."""
    settings(shop, f"concurrency = {workers}")
    drums(shop, 8)
    service.script.looks, service.script.compute = 3, lambda given: 10 if given["seed"] == 1 else 100
    build(shop, "--yes", "--max-cost", "0.8")
    assert len(service.costs) == asked
    assert (sum(service.costs) <= 0.8 + max(service.costs)) == (workers == 1)


def test_what_a_clip_is_expected_to_take() -> None:
    prices = ReplicateSettings(price_per_second=1, compute_per_audio_second=1)
    ledger, (other, older) = Ledger(prices), (Task("b", "1", 4), Task("a", "0", 4))

    def expected() -> list[float]:
        return [ledger.expected(Task("a", "1", seconds)) for seconds in (1, 2, 4, 8, 16)]

    assert expected() == [1, 2, 4, 8, 16]
    # No clip of another model or version, and no failure, tells what those of this one take.
    for task, made in ((other, True), (older, True), (Task("a", "1", 8), False)):
        ledger.settle("", task, 9, made=made)
    assert expected() == [1, 2, 4, 9, 16]
    assert [ledger.expected(task) for task in (other, older)] == [9, 9]
    # A shorter one takes no more, a longer one no more a second; nothing less than was estimated.
    ledger.settle("", Task("a", "1", 4), 20, made=True)
    assert expected() == [20, 20, 20, 40, 80]
    ledger.settle("", Task("a", "1", 1), 17, made=True)
    assert expected() == [17, 20, 20, 40, 80]
    ledger.settle("", Task("a", "1", 16), 25, made=True)
    assert expected() == [17, 20, 20, 25, 25]
    # The dearest of like ones counts, and a longer one is not expected to take less.
    ledger.settle("", Task("a", "1", 2), 30, made=True)
    assert expected() == [17, 30, 30, 30, 30]


@pytest.mark.parametrize("start", range(5))
def test_a_maximum_holds_whatever_predictions_take(start: int) -> None:
    """A model's first may take any time, and so may what runs alone; others up to twice what is expected."""
    for number in range(start * 100, start * 100 + 100):
        dice = random.Random(number)
        prices = ReplicateSettings(price_per_second=1, compute_per_audio_second=dice.uniform(0.01, 2))
        maximum, workers = dice.uniform(1, 300), dice.randint(1, 8)
        ledger, lengths = Ledger(prices, maximum), dice.choice([[1], [4], [1, 2, 8, 30]])
        models, most = dice.choice(["a", "ab", "abcd"]), dice.choice([[0.5, 1], [1, 2], [2]])
        left = [Task(dice.choice(models), "1", dice.choice(lengths)) for _ in range(30)]
        running: dict[str, tuple[Task, float]] = {}
        costs: list[float] = []
        while left or running:
            key = str(len(left))
            if left and len(running) < workers and (asked := asks(ledger, key, left[-1])) is not False:
                task = left.pop()
                if not asked:
                    continue
                took, surprise = ledger.expected(task) * dice.choice(most), dice.uniform(0, 50)
                is_first = ledger.is_first(task)
                costs.append(surprise if is_first else took)
                running[key] = task, costs[-1]
                if is_first or running.keys() != {key} or dice.random() < 0.8:
                    continue
                # It has ended before any other was asked for.
                costs[-1] = surprise
                running[key] = task, surprise
            else:
                key = dice.choice(sorted(running))
            task, took = running.pop(key)
            if dice.random() < 0.1:
                ledger.leave(key, may_cost=True)
            else:
                ledger.settle(key, task, took, made=dice.random() < 0.9)
        assert sum(costs) <= maximum + max(costs, default=0) + 1e-6


def asks(ledger: Ledger, key: str, task: Task) -> bool | None:
    """Whether a prediction is asked for; False if it waits, None if it is too dear."""
    try:
        return ledger.reserve(key, task)
    except TooDear:
        return None


def test_with_a_maximum_nothing_follows_a_first_one_that_tells_no_price(
    shop: Gallery, service: StandIn
) -> None:
    settings(shop, "concurrency = 3")
    drums(shop, 3)
    service.script.asking, service.script.lag = [Answer(502, taken=True)], 3600
    service.script.predict_time = 800
    ran = build(shop, "--yes", "--max-cost", "0.5")
    assert len(service.asked) == 1
    assert ran.err.count("the first prediction of a model has to tell what one costs") == 2
    assert "1 prediction asked for, 10 s of compute, about USD 0.10; 1 of them not settled" in ran.err


def test_what_fails_costs_too(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 1")
    drums(shop, 3)
    service.script.status, service.script.predict_time = "failed", 15
    ran = build(shop, "--yes", "--max-cost", "0.29")
    assert len(service.asked) == 1
    assert "1 prediction asked for, 15 s of compute, about USD 0.15" in ran.err


def test_what_was_not_taken_costs_nothing(shop: Gallery, service: StandIn) -> None:
    settings(shop, "concurrency = 1")
    drums(shop, 3)
    service.script.asking = [Answer(422, {"detail": "no"})] * 2
    ran = build(shop, "--yes", "--max-cost", "0.1")
    assert ran.err.count("Replicate answered 422: no") == 2
    assert len(service.asked) == 1
    assert "3 predictions asked for, 2 of them not taken, 10 s of compute, about USD 0.10" in ran.err


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("price_per_second = 0.01\n", "set compute_per_audio_second in [replicate] of gallery.toml"),
        ("compute_per_audio_second = 10\n", "set price_per_second in [replicate] of gallery.toml"),
        ("", "set price_per_second and compute_per_audio_second in [replicate] of gallery.toml"),
    ],
)
def test_without_a_price_nothing_is_rendered(
    shop: Gallery, service: StandIn, missing: str, told: str
) -> None:
    drums(shop)
    settings(shop, prices=missing)
    ran = build(shop, "--yes")
    assert ran.code == 1
    assert f"Error: Replicate cannot be used here: {told}, see docs/replicate.md\n" == ran.err
    assert f"cost unknown: {told}" in build(shop, "--dry-run").out
    assert told in shop.run("doctor").out
    assert service.calls == []


def test_a_missing_token_is_one_clear_line(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    drums(shop)
    assert "replicate    can be used with --engine replicate" in shop.run("doctor").out
    where = "put your token of replicate.com/account/api-tokens into it"
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_\N{EN DASH}")
    told = f"REPLICATE_API_TOKEN holds what no token does: {where}"
    assert build(shop, "--yes").err == f"Error: Replicate cannot be used here: {told}\n"
    monkeypatch.setenv("REPLICATE_API_TOKEN", " ")
    told = f"REPLICATE_API_TOKEN is not set: {where}"
    assert build(shop, "--yes").err == f"Error: Replicate cannot be used here: {told}\n"
    assert f"ok  replicate    not to be used: {told}" in shop.run("doctor").out
    assert service.calls == []


def test_money_is_spent_only_where_replicate_is_named(shop: Gallery, service: StandIn) -> None:
    drums(shop)
    assert shop.run("build", "--engine", "auto").code == 0
    for option in (["--yes"], ["--max-cost", "1"]):
        ran = shop.run("build", *option)
        assert (ran.code, "are for --engine replicate" in ran.err) == (2, True)
    ran = shop.run("serve", "--engine", "replicate")
    assert (ran.code, "use --engine replicate with build" in ran.err) == (2, True)
    assert build(shop, "--max-cost", "0").code == 2
    assert service.calls == []


def test_where_the_store_cannot_be_reached_nothing_is_paid(shop: Gallery, service: StandIn) -> None:
    """It might have the clips already."""
    drums(shop)
    where = f"file://{shop.write('no folder', '')}/clips"
    settings(shop, "[store]", f'url = "{where}"')
    ran = build(shop, "--yes")
    assert ran.code == 1
    assert ran.err == f"Error: {where} cannot be used: [Errno 20] Not a directory: '{where[7:]}'\n"
    settings(shop, "[store]", f'url = "file://{shop.root}/mnt/clips"')
    ran = build(shop, "--yes")
    assert (ran.code, "there is no store, there is no such folder; mount" in ran.err) == (1, True)
    assert service.calls == []


@pytest.mark.parametrize(
    "line", ["price_per_second = 0", "concurrency = 0", "timeout = -1", "version = 'latest'", "token = 'r8'"]
)
def test_settings_are_checked(shop: Gallery, line: str) -> None:
    shop.write("gallery.toml", (shop.root / "gallery.toml").read_text().split("[replicate]")[0])
    with (shop.root / "gallery.toml").open("a") as file:
        file.write(f"[replicate]\n{line}\n")
    ran = shop.run("check")
    assert ran.code == 1
    assert f"replicate.{line.split(' ')[0]}: " in ran.err
