"""What a branch adds: prompts, clips, and what rendering them would take."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from markdown_it import MarkdownIt

from gallery.config import load_config
from gallery.engines import Render
from gallery.engines.provenance import Provenance
from gallery.prompts.folder import read_prompts
from gallery.store.places import Stores
from support.branches import NO_ESTIMATE, Branch, commit, git, make_branch, shelve
from support.galleries import SETTINGS


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    return make_branch(tmp_path)


def test_a_branch_without_changes(branch: Branch) -> None:
    ran = branch.since()
    assert ran.out.splitlines() == [
        f"Compared with commit {branch.start[:12]}:",
        "  0 prompts added, 0 prompts changed, 0 prompts removed",
        "To render:",
        "to render                0 clips      0.0 s of audio",
    ]


def test_what_is_added_changed_and_removed(branch: Branch) -> None:
    branch.prompt("lofi/snow", "prompt: lofi snow", "duration: 3", "vary: {seed: [1, 2]}", "title: Snow")
    branch.prompt("edm/rise", "prompt: edm rise", "duration: 2", "vary:", "  cfg_coef: [3, 5, 7]")
    (branch.root / "prompts/fx/bell.md").unlink()
    assert branch.proposed() == [
        "1 prompt added, 1 prompt changed, 1 prompt removed",
        "prompts/lofi/snow.md (Snow): 2 clips to render",
        "prompts/edm/rise.md (edm rise): 1 clip to render; 1 clip no longer asked for",
        "prompts/fx/bell.md (church bell): 1 clip no longer asked for",
        f"small                    3 clips      8.0 s of audio   {NO_ESTIMATE}",
        "to render                3 clips      8.0 s of audio",
    ]


def test_new_words_for_people_cost_nothing(branch: Branch) -> None:
    fields = ("prompt: lofi rain", "duration: 2.0", "tags: [lofi, calm]", "author: octocat")
    branch.prompt("lofi/rain", "title: Rain", *fields, "date: 2026-11-01", "license: MIT", notes="Two.")
    branch.prompt("edm/rise", "prompt: edm rise", "duration: 2", "vary:", "  cfg_coef: [5, 3, 1]")
    branch.prompt(
        "fx/bell", "# no more than a comment", "prompt: church bell", "model: audiogen", "duration: 2"
    )
    assert branch.proposed()[:-1] == [
        "0 prompts added, 2 prompts changed, 0 prompts removed",
        "prompts/edm/rise.md (edm rise): order of clips; costs nothing",
        "prompts/lofi/rain.md (Rain): title, tags, author, license, date, notes; costs nothing",
    ]


def test_clips_that_are_there_under_another_name_cost_nothing(branch: Branch) -> None:
    git(branch.root, "mv", "prompts/edm/rise.md", "prompts/edm/lift.md")
    branch.prompt("edm/more", "prompt: edm rise", "duration: 2", "vary:", "  cfg_coef: [3, 4]")
    branch.prompt("edm/and", "prompt: edm rise", "duration: 2", "cfg_coef: 4")
    assert branch.proposed() == [
        "3 prompts added, 0 prompts changed, 1 prompt removed",
        "prompts/edm/and.md (edm rise): 1 clip to render",
        "prompts/edm/lift.md (edm rise): 3 clips asked for already by prompts/edm/rise.md; costs nothing",
        "prompts/edm/more.md (edm rise): 1 clip asked for already by prompts/edm/rise.md; "
        "1 clip asked for already by prompts/edm/and.md; costs nothing",
        "prompts/edm/rise.md (edm rise): others ask for its clips",
        f"small                    1 clips      2.0 s of audio   {NO_ESTIMATE}",
        "to render                1 clips      2.0 s of audio",
    ]


def test_what_the_store_or_this_machine_has_costs_nothing(branch: Branch) -> None:
    branch.prompt("new/one", "prompt: new", "duration: 1", "vary: {seed: [1, 2]}")
    shelve(branch, "new/one", {}, {})
    branch.prompt("new/one", "prompt: new", "duration: 1", "vary: {seed: [1, 2, 3, 4]}")
    config = load_config(branch.root)
    last = read_prompts(config, [branch.root / "prompts/new"]).prompts[0].clips[-1]
    about = Provenance(engine="musicgen", engine_version=1)
    audio = np.zeros((32000, 1), np.float32)
    Stores.of(config).lossless.put(Render(last.request, audio, 32000, about))
    assert branch.proposed()[1:] == [
        "prompts/new/one.md (new): 1 clip to render; 3 clips rendered already",
        f"small                    1 clips      1.0 s of audio   {NO_ESTIMATE}",
        "to render                1 clips      1.0 s of audio",
    ]


def test_what_nobody_can_make_is_neither_rendered_nor_to_be(branch: Branch) -> None:
    branch.prompt("new/one", "prompt: new", "duration: 1", f"takes: [{{audio: 'sha256:{'ab' * 32}'}}, {{}}]")
    told = branch.proposed()
    assert told[1] == "prompts/new/one.md (new): 1 clip to render; 1 clip that nobody can make again"
    assert told[-1].startswith("to render                1 clips")


def test_the_estimate_is_the_median_of_the_stores_records(branch: Branch) -> None:
    gpu = "NVIDIA H200"
    abouts = [{"seconds": seconds, "device": gpu} for seconds in (0.5, 1, 15)]
    abouts += [{"seconds": wrong, "device": gpu} for wrong in ("7", True, -1, 0, None, 10**400)]
    abouts += [{"seconds": 100, "device": device} for device in ("Tesla T4", "cpu", "", 7)]
    abouts += [{"seconds": 100}, {"device": gpu}, {"engine": "replicate", "seconds": 100, "device": gpu}]
    seeds = list(range(len(abouts)))
    branch.prompt("done/one", "prompt: done", "duration: 1", f"vary: {{seed: {seeds}}}")
    shelve(branch, "done/one", *abouts)
    branch.prompt("done/bell", "prompt: done", "model: audiogen", "duration: 1")
    shelve(branch, "done/bell", {"seconds": 500, "device": "cpu"})
    branch.prompt("new/one", "prompt: new", "duration: 30", "vary: {seed: [1, 2], model: [small, audiogen]}")
    expected = [
        "small                    2 clips     60.0 s of audio   "
        "about 1.0 GPU minutes (median of 3 records, NVIDIA H200)",
        f"audiogen                 2 clips     60.0 s of audio   {NO_ESTIMATE}",
        "to render                4 clips    120.0 s of audio   about 1.0 GPU minutes, without audiogen",
    ]
    assert branch.proposed()[-3:] == expected
    assert branch.run("build", "--dry-run", branch.root / "prompts/new").out.splitlines() == expected
    table = branch.run("build", "--dry-run", branch.root / "prompts/new", "--format", "markdown").out
    assert table.splitlines() == [
        "| model | clips | seconds of audio | estimate |",
        "|---|--:|--:|---|",
        "| `small` | 2 | 60.0 | about 1.0 GPU minutes (median of 3 records, `NVIDIA H200`) |",
        f"| `audiogen` | 2 | 60.0 | {NO_ESTIMATE} |",
        "| to render | 4 | 120.0 | about 1.0 GPU minutes, without audiogen |",
    ]


def test_the_estimate_knows_whose_attention_a_gpu_used(branch: Branch) -> None:
    """The same GPU with its kernel and without are two, and so are clips of before that was recorded."""
    gpu = {"device": "NVIDIA H200"}
    with_kernel = [{"seconds": 1, "attention": "kernel", **gpu} for _ in range(3)]
    without = [{"seconds": 5, "attention": "torch", **gpu} for _ in range(4)]
    unknown = [{"seconds": 30, **gpu} for _ in range(2)] + [{"seconds": 30, "attention": 7, **gpu}]
    on_the_cpu = [{"seconds": 60, "device": "cpu", "attention": attention} for attention in ("torch", None)]
    for name, abouts in {"kernel": with_kernel, "torch": without, "old": unknown, "cpu": on_the_cpu}.items():
        seeds = list(range(len(abouts)))
        branch.prompt(f"done/{name}", f"prompt: done by {name}", "duration: 1", f"vary: {{seed: {seeds}}}")
        shelve(branch, f"done/{name}", *abouts)
    branch.prompt("new/one", "prompt: new", "duration: 30")
    new = branch.root / "prompts/new"

    def told(*options: str) -> str:
        return branch.run("build", "--dry-run", new, *options).out.splitlines()[0].partition("audio")[2]

    assert told() == "   about 2.5 GPU minutes (median of 4 records, NVIDIA H200, attention by torch)"
    for index in range(2):
        remove(branch, "done/torch", index)
    assert told() == "   about 0.5 GPU minutes (median of 3 records, NVIDIA H200, attention by the kernel)"
    remove(branch, "done/kernel", 0)
    assert told() == "   about 15 GPU minutes (median of 3 records, NVIDIA H200)"
    assert told("--device", "cpu") == "   about 30 CPU minutes (median of 2 records, cpu)"
    for index in range(2):
        remove(branch, "done/cpu", index)
    assert told("--device", "cpu") == "   no estimate: no record of a render on the CPU"


def remove(branch: Branch, name: str, number: int) -> None:
    """Take one of a prompt's clips out of the store."""
    config = load_config(branch.root)
    [prompt] = [prompt for prompt in read_prompts(config).prompts if prompt.path == name]
    Stores.of(config).store.remove(prompt.clips[number].key)


@pytest.mark.parametrize("changed", ["preset", "model", "melody"])
def test_what_is_changed_around_a_prompt_changes_its_clips(branch: Branch, changed: str) -> None:
    branch.write("prompts/presets.yaml", "calm:\n  cfg_coef: 2\n")
    branch.prompt("a/preset", "prompt: a", "preset: calm", "duration: 1")
    branch.prompt("a/melody", "prompt: a", "model: melody", "melody: tune.wav", "duration: 1")
    branch.prompt("a/model", "prompt: b", "duration: 1")
    tune = branch.root / "prompts/a/tune.wav"
    soundfile.write(tune, np.zeros(800), 8000)
    start = commit(branch.root)
    match changed:
        case "preset":
            branch.write("prompts/presets.yaml", "calm:\n  cfg_coef: 4\n")
        case "model":
            head, small, rest = SETTINGS.partition('[models.small]\nhub = "facebook/musicgen-small"\n')
            branch.write("gallery.toml", head + small.replace("-small", "-medium") + rest)
        case "melody":
            soundfile.write(tune, np.ones(800), 8000)
    told = branch.since(ref=start).out
    assert f"prompts/a/{changed}.md" in told
    assert ("1 prompt changed" in told) == (changed != "model")


def test_faulty_files_are_told_and_not_counted(branch: Branch) -> None:
    branch.prompt("lofi/rain", "prompt: lofi rain", "seed: x")
    branch.prompt("lofi/snow", "prompt: lofi snow", "seed: y")
    ran = branch.run("build", "--dry-run", "--since", branch.start)
    assert ran.code == 1
    assert ran.err.count("is not a whole number") == 2
    assert (
        "0 prompts added, 0 prompts changed, 0 prompts removed\n  2 files with faults, not counted" in ran.out
    )
    start = commit(branch.root)
    branch.prompt("lofi/snow", "prompt: lofi snow", "duration: 1")
    ran = branch.run("build", "--dry-run", "--since", start)
    assert "1 prompt added" in ran.out, "it was no prompt of the gallery before"
    assert "prompts/lofi/snow.md (lofi snow): 1 clip to render" in ran.out


def test_options_that_do_not_go_together(branch: Branch) -> None:
    for args in (["--since", "HEAD"], ["--format", "text"], ["--dry-run", "--since", "HEAD", branch.root]):
        assert branch.run("build", *args).code == 2
    assert not (branch.root / "site").exists()


class Tags(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name != "style"], attrs

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[here](https://example.org) https://example.org @octocat #1",
    "`code` ``more`` ` | cell | <b>",
    "`<script>`",
    "``` fence",
    "\\` <b>bold</b>",
    "**bold** _em_ ~~no~~ $x$ &lt;",
    "</code></li></ul><h1>",
    "- [ ] item",
    "::error::x ##[error]x",
)


def test_the_markdown_shows_hostile_text_as_it_is(branch: Branch) -> None:
    branch.prompt("done/one", "prompt: done", "duration: 1")
    shelve(branch, "done/one", {"seconds": 1, "device": "DEVICE"})
    [record] = (branch.root / "site/audio").glob("*.json")
    kept = record.read_text()
    for text in HOSTILE:
        record.write_text(kept.replace('"DEVICE"', json.dumps(text)))
        branch.prompt("new/a", f"title: {json.dumps(text)}", "prompt: new", "duration: 1")
        branch.prompt("lofi/rain", "prompt: lofi rain", "duration: 2", f"title: {json.dumps(text)}")
        told = branch.since("--format", "markdown").out
        assert "| to render | 1 | 1.0 | less than 0.1 GPU minutes |" in told
        page = Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(told))
        assert page.tags == {"h3", "ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"}, text
        assert " ".join(page.text.split()).count(text.replace("##[", "##\\u005b")) == 3, told
        # What GitHub makes links and mentions of, it finds in a page's text as well, but not in code.
        outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|^### ", "", told, flags=re.MULTILINE)
        assert not re.search(r"[<@$*\[#]|https", outside), outside
        assert not [line for line in told.splitlines() if line.startswith("::") or "##[" in line]


def test_the_markdown_of_a_large_branch_stays_small(branch: Branch) -> None:
    for number in range(230):
        branch.prompt(f"many/{number}", f"prompt: number {number}", "duration: 1")
    told = branch.since("--format", "markdown").out
    assert "- 230 prompts added, 0 prompts changed, 0 prompts removed\n" in told
    assert "- and 30 more\n" in told
    assert "| `small` | 230 | 230.0 |" in told
    assert branch.since().out.count("1 clip to render") == 230
