"""Any bytes come to a result, or to one line that says why not: by structure, and guided by coverage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.prompts.fields import FrontMatter
from support import TESTS
from support import fuzz_targets as targets

often = settings(max_examples=200)
seldom = settings(max_examples=40)

ODD = [
    *(
        "",
        "~",
        "yes",
        "0x1F",
        "1:30",
        "1e999",
        ".nan",
        "-.inf",
        "2026-02-30",
        "'",
        '"',
        "*a",
        "&a b",
        "!!str a",
    ),
    *("|", ">", "? a", "- a", "{", "[", "]", "#", "%", "@", "`", "a: b", "<<", "sha256:" + "ab" * 32, "\\"),
    *("small", "melody", "faithful", "../x.wav", "a.wav", "\x00", "\x85", "\u2028", "\ufeff", "\U000e0041"),
]
SCALARS = st.sampled_from(ODD) | st.integers().map(str) | st.floats().map(repr) | st.text(max_size=30)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(st.sampled_from(sorted(FrontMatter.model_fields)), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"
        ),
        st.lists(inner, max_size=3).map(lambda items: "".join(f"\n  - {item}" for item in items)),
    ),
    max_leaves=8,
)
NAMES = st.sampled_from([*sorted(FrontMatter.model_fields), "<<", "__proto__", "Prompt", '"a b"', "? x"])
LINES = st.tuples(NAMES, st.sampled_from([": ", ":", " : ", ":\t"]), VALUES).map("".join)
FILES = st.tuples(st.lists(LINES, max_size=6), st.text(max_size=200)).map(
    lambda parts: "\n".join(["---", "prompt: a", *parts[0], "---", parts[1]])
)


@often
@given(text=FILES)
def test_any_prompt_file(text: str) -> None:
    targets.prompt_file(text.encode("utf-8", "surrogatepass"))


def edited(data: bytes) -> st.SearchStrategy[bytes]:
    """Real bytes with a few changes: flipped, put in, left out, moved."""
    place = st.integers(0, len(data))
    change = st.tuples(place, place, st.binary(max_size=6), st.sampled_from(["flip", "put", "cut", "move"]))

    def apply(changes: list[tuple[int, int, bytes, str]]) -> bytes:
        made = bytearray(data)
        for at, other, piece, kind in changes:
            if kind == "flip":
                made[at : at + len(piece)] = bytes(
                    a ^ b for a, b in zip(made[at : at + len(piece)], piece, strict=False)
                )
            elif kind == "put":
                made[at:at] = piece
            elif kind == "cut":
                del made[min(at, other) : min(at, other) + 50]
            else:
                made[at:at] = made[other : other + 50]
        return bytes(made)

    return st.lists(change, min_size=1, max_size=4).map(apply)


@often
@given(data=st.sampled_from(list(targets.TARGETS["prompt_file"][1]())).flatmap(edited))
def test_prompt_files_with_a_few_changes(data: bytes) -> None:
    targets.prompt_file(data)


@often
@given(data=st.sampled_from(list(targets.TARGETS["sidecar"][1]())).flatmap(edited))
def test_metadata_with_a_few_changes(data: bytes) -> None:
    targets.sidecar(data)


@seldom
@given(data=st.sampled_from(list(targets.TARGETS["manifest"][1]())).flatmap(edited))
def test_manifests_with_a_few_changes(data: bytes) -> None:
    targets.manifest(data)


@seldom
@given(
    chosen=st.sampled_from(["wav", "flac", "ogg", "tags"]).flatmap(
        lambda name: st.tuples(
            st.just(name), st.sampled_from(list(targets.TARGETS[name][1]())).flatmap(edited)
        )
    )
)
def test_audio_with_a_few_changes(chosen: tuple[str, bytes]) -> None:
    name, data = chosen
    targets.TARGETS[name][0](data)


def test_what_coverage_leads_to(tmp_path: Path) -> None:
    """Three seconds of every target; more by hand, with fuzz/fuzz.py."""
    command = [sys.executable, TESTS / "fuzz/fuzz.py", "all", "3", tmp_path / "corpus"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]
