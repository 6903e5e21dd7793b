"""What a dry run estimates from, and that it says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gallery.engines import measured
from support.branches import NO_ESTIMATE, shelve
from support.galleries import Gallery
from support.machine import Machine, make_machine

HERE, ELSEWHERE, OTHER = "Tesla T4", "NVIDIA H200", "NVIDIA GeForce RTX 4090"
T4, RTX_4090 = (7, 5), (8, 9)


@pytest.fixture
def rendered(gallery: Gallery) -> Gallery:
    """Two clips of 30 s that are to be rendered, and more records of another card than of the one here."""
    gallery.prompt("done/one", "prompt: done", "duration: 1", "vary: {seed: [1, 2, 3]}")
    shelve(
        gallery,
        "done/one",
        {"seconds": 4, "device": HERE},
        {"seconds": 1, "device": ELSEWHERE},
        {"seconds": 1, "device": ELSEWHERE},
    )
    gallery.prompt("new/one", "prompt: new", "duration: 30", "vary: {seed: [1, 2]}")
    return gallery


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of which tests say which card it has."""
    return make_machine(tmp_path / "machine", monkeypatch)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published table: of the card here, and of another one."""
    path = tmp_path / "measured.toml"
    rows = ((HERE, "musicgen-small", 2), (HERE, "audiogen-medium", 0.5), (OTHER, "musicgen-melody", 9))
    row = '[[measured]]\ncard = "{}"\nmodel = "facebook/{}"\nseconds = {}\nhow = "made up"\n'
    path.write_text("".join(row.format(*fields) for fields in rows))
    monkeypatch.setattr(measured, "TABLE", path)
    return path


def estimates(gallery: Gallery) -> dict[str, str]:
    """What is said of each model, and of all together."""
    ran = gallery.run("build", "--dry-run")
    assert ran.code == 0, ran.err
    lines = [
        re.match(r"(\S+|to render) +\d+ clips +[\d.]+ s of audio *(.*)", line)
        for line in ran.out.splitlines()
    ]
    return {found[1]: found[2] for found in lines if found}


def test_the_records_of_the_card_that_is_here_go_first(
    rendered: Gallery, machine: Machine, table: Path
) -> None:
    machine.driver(T4, RTX_4090)
    told = f"about 4.0 GPU minutes (median of 1 record, {HERE})"
    assert estimates(rendered) == {"small": told, "to render": "about 4.0 GPU minutes"}


def test_without_a_card_most_records_decide(rendered: Gallery, machine: Machine) -> None:
    assert estimates(rendered)["small"] == f"about 1.0 GPU minutes (median of 2 records, {ELSEWHERE})"


def test_records_of_another_card_are_told_as_such(rendered: Gallery, machine: Machine) -> None:
    machine.driver(RTX_4090)
    assert estimates(rendered)["small"] == (
        f"about 1.0 GPU minutes (median of 2 records, {ELSEWHERE}, not of {OTHER}, which is here)"
    )


def test_a_published_figure_of_the_card_goes_before_records_of_another(
    rendered: Gallery, machine: Machine, table: Path
) -> None:
    table.write_text(table.read_text().replace(HERE, OTHER))
    machine.driver(RTX_4090)
    rendered.prompt("new/bell", "prompt: bell", "duration: 30", "model: audiogen")
    assert estimates(rendered) == {
        "small": f"about 2.0 GPU minutes (published figure, {OTHER})",
        "audiogen": f"about 0.2 GPU minutes (published figure, {OTHER})",
        "to render": "about 2.2 GPU minutes",
    }


def test_what_nobody_measured_is_not_estimated(gallery: Gallery, machine: Machine, table: Path) -> None:
    machine.driver(T4)
    gallery.prompt("new/one", "prompt: new", "duration: 30", "model: melody")
    assert estimates(gallery)["melody"] == f"{NO_ESTIMATE}, and no published figure of {HERE}"


@pytest.mark.parametrize("tool", ["exit 9", "echo", "echo 'No devices were found'; exit 6"])
def test_a_driver_that_names_no_card_is_as_none(rendered: Gallery, machine: Machine, tool: str) -> None:
    machine.tool(tool)
    assert ELSEWHERE in estimates(rendered)["small"]


def test_a_cards_name_steers_no_terminal(gallery: Gallery, machine: Machine) -> None:
    machine.tool("printf 'T4\\033[2J, 580.1, 1 MiB, 7.5, x, [N/A]\\n'")
    gallery.prompt("new/one", "prompt: new")
    told = gallery.run("build", "--dry-run").out
    assert "T4" in told
    assert "\x1b" not in told


def test_the_table_that_ships_holds_what_was_measured_and_says_how() -> None:
    import tomllib

    from support import ROOT

    rows = tomllib.loads(measured.TABLE.read_text()).get("measured", [])
    models = {model["hub"] for model in tomllib.loads((ROOT / "gallery.toml").read_text())["models"].values()}
    for row in rows:
        assert set(row) == {"card", "model", "seconds", "how"}
        assert row["model"] in models
        assert row["seconds"] > 0
        assert re.match(r"\d{4}-\d\d-\d\d", row["how"]), "the day"
