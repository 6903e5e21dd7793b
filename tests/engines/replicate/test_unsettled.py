"""Questions to Replicate without a clear answer: not asked again before it is known what became of them."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")  # `make check` goes without

from gallery.engines.replicate import client, journal, pool  # noqa: E402
from support import replicate_stand_in  # noqa: E402
from support.galleries import Gallery, Ran  # noqa: E402
from support.replicate_stand_in import VERSION, Answer, StandIn, noise, settings  # noqa: E402

pytest_plugins = ["support.replicate_stand_in"]

LOST = Answer(502, taken=True)
# What the list lacks in every build of a test.
LONG = 3600.0


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch, shop: Gallery) -> None:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.01")
    monkeypatch.setattr(pool, "_LOOKS", 5)


def build(shop: Gallery, *args: object) -> Ran:
    return shop.run("build", "--engine", "replicate", "--yes", "--no-sketches", *args)


def drums(shop: Gallery, clips: int = 1) -> None:
    seeds = ", ".join(map(str, range(1, clips + 1)))
    shop.prompt("drums", "prompt: drums", "model: large", "duration: 1", f"vary: {{seed: [{seeds}]}}")


def seeds_asked(service: StandIn) -> list[int]:
    return sorted(given["seed"] for given in service.inputs)


def entries(shop: Gallery) -> list[Path]:
    return sorted((shop.root / ".gallery/replicate").glob("*.json"))


def lists_read(service: StandIn) -> int:
    return sum(call.partition("?")[0] == "GET /v1/predictions" for _, call in service.calls)


@pytest.mark.parametrize("lost", [1, 3])
def test_a_list_that_lags_costs_no_second_payment(shop: Gallery, service: StandIn, lost: int) -> None:
    """Whether one answer is lost or each that is given: one clip is one payment."""
    drums(shop)
    service.script.asking, service.script.lag = [LOST] * lost, LONG
    before = datetime.now().replace(second=0, microsecond=0)
    ran = build(shop)
    assert ran.code == 3
    assert (
        "Replicate answered 502: Bad Gateway: this may have been paid for, and is not asked for " in ran.err
    )
    told = ran.err.split("build again at ")[1].split("\n")[0]
    settles = datetime.strptime(told, "%H:%M (%Y-%m-%d)")
    assert timedelta(minutes=10) <= settles - before <= timedelta(minutes=12)
    assert "1 prediction asked for, 10 s of compute, about USD 0.10; 1 of them not settled" in ran.err
    # A later build is no wiser, says so, and does not pay.
    dry = build(shop, "--dry-run")
    assert "1 prediction to pay for" in dry.out and "1 of them may have been paid for before" in dry.out
    assert "an earlier build ended before Replicate answered: this may have been paid for" in build(shop).err
    service.script.lag = 0
    assert build(shop).code == 0
    assert service.asked == ["drums"]
    assert entries(shop) == []


@pytest.mark.parametrize("options", [[], ["--max-cost", "5"]])
def test_a_list_that_catches_up_is_enough(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """The other clips go on meanwhile."""
    monkeypatch.setattr(pool, "_LOOKS", 7)
    settings(shop, "concurrency = 1")
    drums(shop, 3)
    service.script.asking, service.script.lag = [LOST], 0.2
    ran = build(shop, *options)
    assert ran.code == 0, ran.err
    assert seeds_asked(service) == [1, 2, 3]
    assert "3 predictions asked for, 30 s of compute, about USD 0.30\n" in ran.err


def test_no_unclear_answer_is_asked_again(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [
        Answer(500), Answer(503, {}, {"Retry-After": "0"}), Answer(504), Answer(408), Answer(0),
        Answer(201, {"odd": 1}), Answer(201, {}, {"Content-Length": "100000"}),
    ]  # fmt: skip
    drums(shop, len(kinds))
    for kind in kinds:
        kind.taken = True
    service.script.asking, service.script.lag = [*kinds], LONG
    ran = build(shop)
    assert ran.err.count("this may have been paid for, and is not asked for again") == len(kinds)
    assert f"{len(kinds)} predictions asked for" in ran.err and f"{len(kinds)} of them not settled" in ran.err
    service.script.lag = 0
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert seeds_asked(service) == [1, 2, 3, 4, 5, 6, 7]
    # One that no answer at all came to in time.
    monkeypatch.setattr(client, "_TIMEOUT", httpx.Timeout(0.2))
    drums(shop, 8)
    service.script.answer_after = 0.4
    assert build(shop).code == 0
    assert seeds_asked(service) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_what_a_late_list_lacks_is_asked_again(shop: Gallery, service: StandIn) -> None:
    settings(shop, "settle_after = 0.1")
    drums(shop)
    service.script.asking = [Answer(502)]
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert service.asked == ["drums"]
    # Both attempts are counted, one of which cost something.
    assert "2 predictions asked for, 1 of them not taken, 10 s of compute, about USD 0.10\n" in ran.err


def test_a_list_that_cannot_be_read_to_its_end_settles_nothing(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 2)
    monkeypatch.setattr(client, "_PAGES", 3)
    drums(shop)
    service.script.asking, service.script.lag = [LOST], LONG
    build(shop)
    settings(shop, "settle_after = 0.01")
    # Newer ones of others, so that ours is on the third page.
    service.script.page = 1
    for _ in range(2):
        service.create({"version": f"meta/musicgen:{VERSION}", "input": {"prompt": "others'", "seed": 1}})
    service.script.lag = 0
    whole = {"next": f"{service.address}/v1/predictions?cursor=1", "previous": None, "results": []}
    for answers in (
        [Answer(403)],
        [Answer(200, whole), Answer(403)],
        [Answer(200, {"results": None})] * 2,
        [Answer(200, whole | {"results": [{"id": "x"}]})] * 2,
        [Answer(200, whole)] * 3,
    ):
        service.script.listing = answers
        ran = build(shop)
        assert "the list that would tell cannot be read: Replicate" in ran.err
        assert service.asked.count("drums") == 1
        service.script.listing = []
    before = lists_read(service)
    assert build(shop).code == 0
    assert lists_read(service) - before == 3
    assert service.asked.count("drums") == 1


def test_the_list_is_read_to_before_the_time_of_asking(shop: Gallery, service: StandIn) -> None:
    settings(shop, "settle_after = 0.01")
    drums(shop)
    for _ in range(5):
        _, made = service.create({"version": f"meta/musicgen:{VERSION}", "input": {"prompt": "others'"}})
        made["created_at"] = "2026-01-01T00:00:00Z"
    service.script.asking, service.script.page = [Answer(502)], 1
    assert build(shop).code == 0
    assert lists_read(service) == 1
    # This machine's clock may be set to the time of another zone.
    drums(shop, 2)
    service.script.asking, service.script.lag = [LOST], 0
    service.script.page = 100
    create = service.create

    def create_elsewhere(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, made = create(body)
        made["created_at"] = (datetime.now(UTC) - timedelta(hours=12)).isoformat()
        return status, made

    service.create = create_elsewhere  # type: ignore[method-assign]
    assert build(shop).code == 0
    assert seeds_asked_of(service, "drums") == [1, 2]


def seeds_asked_of(service: StandIn, prompt: str) -> list[int]:
    return sorted(given["seed"] for given in service.inputs if given["prompt"] == prompt)


def test_the_same_question_of_another_gallery_is_not_taken_for_ours(shop: Gallery, service: StandIn) -> None:
    settings(shop, "settle_after = 0.1", "timeout = 0.2")
    drums(shop)
    build(shop)
    [first] = service.inputs
    theirs = [{name: value for name, value in first.items() if name != "continuation_start"}]
    theirs.append(first | {"continuation_start": first["continuation_start"] + 1})
    for given in theirs:
        service.create({"version": f"meta/musicgen:{VERSION}", "input": given})
    for path in [*(shop.root / "site/audio").iterdir(), *(shop.root / ".gallery/renders").iterdir()]:
        path.unlink()
    service.script.asking = [Answer(502)]
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert len(service.asked) == 4
    # Nor is theirs cancelled.
    service.script.held, service.script.asking, service.script.lag = True, [LOST], 0
    shop.prompt("drums", "prompt: drums", "model: large", "duration: 1", "seed: 5")
    build(shop)
    assert service.cancelled == [list(service.predictions)[-1]]


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_what_is_found_is_ours_however_it_ended(shop: Gallery, service: StandIn, status: str) -> None:
    drums(shop)
    service.script.asking, service.script.status = [LOST], status
    ran = build(shop)
    [made] = service.predictions
    assert (f"the prediction {made} failed" in ran.err) == (status == "failed")
    assert "1 prediction asked for, 10 s of compute, about USD 0.10\n" in ran.err
    assert entries(shop) == []


def test_a_version_of_the_model_that_takes_no_mark(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(replicate_stand_in.SCHEMA, "continuation_start")
    settings(shop, "concurrency = 1")
    drums(shop, 3)
    service.script.asking = [Answer(422, {"detail": "input.continuation_start: Invalid type"}), LOST]
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert seeds_asked(service) == [1, 2, 3]
    assert "4 predictions asked for, 1 of them not taken, 30 s of compute" in ran.err


def test_a_melody_is_a_mark(shop: Gallery, service: StandIn) -> None:
    shop.write("prompts/tune.wav", noise(5, 1, 1))
    fields = ["model: stereo-melody-large", "duration: 1", "melody: tune.wav", "seed: 3"]
    shop.prompt("follow", "prompt: follow", *fields)
    service.script.asking, service.script.lag = [LOST], LONG
    build(shop)
    assert "continuation_start" not in service.inputs[0]
    service.script.lag = 0
    assert build(shop).code == 0
    assert service.asked == ["follow"]


def test_what_replicate_has_forgotten_is_not_asked_again_unseen(shop: Gallery, service: StandIn) -> None:
    settings(shop, "settle_after = 0.01")
    drums(shop)
    service.script.asking, service.script.lag = [LOST], LONG
    service.script.listing = [Answer(403)]
    build(shop)
    service.script.lag = 0
    [prediction] = service.predictions.values()
    prediction |= {"input": {}, "logs": "", "output": None, "status": "succeeded", "data_removed": True}
    [path] = entries(shop)
    for _ in range(2):
        ran = build(shop)
        assert "by now it cannot be told whether this was paid for; look at replicate.com/pred" in ran.err
        assert f"then remove .gallery/replicate/{path.name}" in ran.err
    assert service.asked == ["drums"]
    path.unlink()
    assert build(shop).code == 0
    assert service.asked == ["drums", "drums"]


def test_an_entry_of_an_earlier_version_is_found(shop: Gallery, service: StandIn) -> None:
    """Without a mark, by its input; one that brought nothing may be another's."""
    drums(shop)
    service.script.asking, service.script.lag = [LOST], LONG
    build(shop)
    [path] = entries(shop)
    entry = json.loads(path.read_text())
    [prediction] = service.predictions.values()
    for given in (entry["input"], prediction["input"]):
        given.pop("continuation_start")
    path.write_text(json.dumps(entry))
    service.script.lag, prediction["status"] = 0, "failed"
    assert "this may have been paid for" in build(shop).err
    prediction["status"] = "processing"
    assert build(shop).code == 0
    assert service.asked == ["drums"]


def test_a_service_that_answers_nothing_else_is_left_alone(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "ATTEMPTS", 3)
    drums(shop, 6)
    service.script.asking = [Answer(503)] * 20
    ran = build(shop)
    assert sum(call == "POST /v1/predictions" for _, call in service.calls) == 3
    assert "3 predictions asked for" in ran.err
    assert ran.err.count("this may have been paid for") == 3
    assert ran.err.count("): Replicate answered 503: Service Unavailable\n") == 3
    assert len(entries(shop)) == 3


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells files by /proc")
def test_the_journal_is_on_the_disk_before_anything_is_asked(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync, create = os.fsync, service.create

    def fsync(file: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{file}").readlink()))
        sync(file)

    def checked(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        [entry] = entries(shop)
        assert json.loads(entry.read_text())["input"] == body["input"]
        written, *folders = [name.partition("/.gallery/")[2] for name in synced if "/.gallery" in name][-3:]
        assert written.startswith(f"replicate/.{entry.name}.")
        assert folders == ["replicate", ""]
        return create(body)

    monkeypatch.setattr(os, "fsync", fsync)
    service.create = checked  # type: ignore[method-assign]
    drums(shop)
    ran = build(shop)
    assert ran.code == 0, ran.err
    assert service.asked == ["drums"]


@pytest.mark.parametrize(("written", "asked"), [(0, 0), (1, 1)], ids=["before", "after"])
def test_a_disk_that_is_full(
    shop: Gallery, service: StandIn, monkeypatch: pytest.MonkeyPatch, written: int, asked: int
) -> None:
    """What cannot be written down is not asked for; what cannot be any more is found later."""
    left, write = [written], journal.write_atomic

    def full(path: Path, data: bytes, **options: Any) -> None:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        left[0] -= 1
        write(path, data, **options)

    drums(shop)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_atomic", full)
        ran = build(shop, "--max-cost", "5")
    assert ran.code == 3
    assert "No space left on device" in ran.err and "Traceback" not in ran.err
    assert ("1 prediction asked for" in ran.err) == bool(asked)
    assert len(service.asked) == asked
    assert build(shop).code == 0
    assert service.asked == ["drums"]
