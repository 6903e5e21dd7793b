"""What the form for a new prompt refuses is what `gallery check` refuses, word for word; all else arrives."""

from __future__ import annotations

import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.prompts.request import normalise_text
from support.add_form import Form

pytest_plugins = ["support.site_fixtures", "support.add_form"]

# One wrong value each, besides a prompt that is in order.
WRONG: dict[str, dict[str, str]] = {
    "no prompt": {"prompt": ""},
    "blank prompt": {"prompt": " \n\t "},
    "long prompt": {"prompt": "la" * 750 + "!"},
    "long prompt once composed": {"prompt": "e\u0301" * 1501},
    "bell in the prompt": {"prompt": "bell \x07"},
    "override in the prompt": {"prompt": "a \u202egnorw"},
    "isolate in the prompt": {"prompt": "a\u2066b"},
    "nul": {"prompt": "a\0b"},
    "next line": {"prompt": "a\x85b"},
    "line separator": {"prompt": "a\u2028b"},
    "paragraph separator": {"title": "a\u2029b"},
    "byte order mark": {"title": "a\ufeffb"},
    "space of no width": {"axis1": "prompt", "axis1values": "a\u200bb"},
    "soft hyphen": {"notes": "soft\u00adly"},
    "flag made of tags": {"title": "🏴\U000e0067\U000e0062\U000e007f"},
    "pile of marks": {"prompt": "o" + "\u0308" * 13},
    "pile of marks of all kinds": {"title": "o" + "\u0334\u0345\u0344\u0301\u0f71\u1dce\U0001e8d0" * 2},
    "long pile of marks": {"prompt": "o" + "\u0308" * 2001},
    "escape in the title": {"title": "\x1b[31mred"},
    "long title": {"title": "x" * 121},
    "long title of astral letters": {"title": "𝄞" * 121},
    "long tag": {"tags": "a" * 31},
    "tag that ends in a dot": {"tags": "vol."},
    "tag with a slash": {"tags": "../x"},
    "tag with an emoji": {"tags": "🎷"},
    "tag with an override": {"tags": "a\u202eb"},
    "long emoji tag": {"tags": "🎷" * 70},
    "tag with a command": {"tags": "a ##[group]"},
    "many tags": {"tags": ",".join("abcdefghijk")},
    "author with an at within": {"author": "octo@cat"},
    "author with a space": {"author": "octo cat"},
    "long author": {"author": "a" * 40},
    "author that begins with a hyphen": {"author": "-octocat"},
    "author with an umlaut": {"author": "jürgen"},
    "licence in words": {"license": "all mine"},
    "licence of a kind": {"license": "-CC"},
    "guidance too high": {"cfg_coef": "42"},
    "guidance too high by little": {"cfg_coef": "20.000001"},
    "negative guidance": {"cfg_coef": "-0.5"},
    "guidance in words": {"cfg_coef": "loud"},
    "guidance with an exponent": {"cfg_coef": "1e1"},
    "guidance in YAML's infinity": {"cfg_coef": ".inf"},
    "endless guidance": {"cfg_coef": f"{'9' * 400}.5"},
    "endless whole guidance": {"cfg_coef": "9" * 400},
    "endlessly negative guidance": {"cfg_coef": f"-{'9' * 400}.5"},
    "guidance of 21 digits": {"cfg_coef": "1" + "0" * 20},
    "guidance of 20 digits": {"cfg_coef": "9" * 20},
    "guidance of 30 digits and a half": {"cfg_coef": "123456789012345678901234567890.5"},
    "guidance of more digits than are read": {"cfg_coef": "9" * 5000},
    "guidance with a minus of print": {"cfg_coef": "−1"},
    "two numbers": {"cfg_coef": "1 2"},
    "a day": {"cfg_coef": "2026-11-20"},
    "no day": {"seed": "2026-02-30"},
    "no day of any calendar": {"seed": "0000-01-01"},
    "a truth": {"seed": "yes"},
    "seed with a fraction": {"seed": "1.5"},
    "seed with a point": {"seed": "5."},
    "seed with a nought behind the point": {"seed": "05.0"},
    "tiny seed": {"seed": "0.00001"},
    "large seed with a fraction": {"seed": "10000000000000000.5"},
    "negative seed": {"seed": "-1"},
    "large seed": {"seed": "4294967296"},
    "seed in hex": {"seed": "0xff"},
    "seed with a line through": {"seed": "1_000"},
    "time for a seed": {"seed": "1:30"},
    "hot": {"temperature": "5.01"},
    "top-k too high": {"top_k": "2049"},
    "top-k with a fraction": {"top_k": "0.5"},
    "top-p too high": {"top_p": "1.51"},
    "no duration": {"duration": "0"},
    "short": {"duration": "0.49"},
    "long": {"duration": "601"},
    "longer than the gallery makes": {"duration": "110.5"},
    "longer than the model makes": {"model": "audiogen", "duration": "31"},
    "preset longer than the model makes": {"preset": "long", "model": "audiogen"},
    "stride of nothing": {"extend_stride": "0"},
    "stride of a whole window": {"extend_stride": "30"},
    "stride of the model's window": {"model": "audiogen", "extend_stride": "10"},
    "melody of a kind": {"model": "melody", "melody": "tune.mid"},
    "melody without a kind": {"model": "melody", "melody": ".wav"},
    "melody outside": {"model": "melody", "melody": "../../secret.wav"},
    "melody of the system": {"model": "melody", "melody": "/etc/passwd.wav"},
    "digest of a melody": {"model": "melody", "melody": "sha256:abc"},
    "melody for a model without": {"melody": "tune.wav"},
    "grid without values": {"axis1": "cfg_coef"},
    "grid with a wrong value": {"axis1": "cfg_coef", "axis1values": "1, 99"},
    "grid with words": {"axis1": "top_k", "axis1values": "1, many, 2.5"},
    "grid with an unknown model": {"axis1": "model", "axis1values": "smal"},
    "grid with a model's beginning": {"axis1": "model", "axis1values": "small, st"},
    "grid with a strange model": {"axis1": "model", "axis1values": "Ω, small"},
    "grid with a long prompt": {"axis1": "prompt", "axis1values": "fine\n" + "la " * 700},
    "grid with a control character": {"axis1": "prompt", "axis1values": "fine\nfi\x08ne"},
    "two wrong axes": {"axis1": "seed", "axis1values": "-1", "axis2": "top_p", "axis2values": "2"},
    "large grid": {"axis1": "seed", "axis1values": ",".join(map(str, range(31)))},
    "large grid of two": {
        "axis1": "seed", "axis1values": "1,2,3,4,5,6,7", "axis2": "top_k", "axis2values": "1,2,3,4,5,6",
    },
    "long clips in a grid": {"axis1": "duration", "axis1values": "100, 121"},
    "long clips of one model": {"axis1": "model", "axis1values": "small, audiogen", "duration": "60"},
    "wide strides of one model": {
        "axis1": "model", "axis1values": "small, audiogen", "axis2": "extend_stride", "axis2values": "5, 18",
    },
    "melody for one model": {"axis1": "model", "axis1values": "melody, small", "melody": "tune.wav"},
    "long notes": {"notes": "x" * 15001},
    "many brackets in the notes": {"notes": "[" * 501},
    "many lines in the notes": {"notes": "a\n" * 1000 + "a"},
    "override in the notes": {"notes": "see \u202eevil"},
    "device for a name": {"name": "con"},
    "name of other letters": {"name": "日本"},
    "guidance with a thousand's comma": {"cfg_coef": "1,000"},
    "guidance in seconds": {"cfg_coef": "5s"},
    "name that climbs": {"name": ".."},
    "folder that climbs": {"folder": "../elsewhere"},
    "folder of a device": {"folder": "lofi/aux"},
    "deep folder": {"folder": "a/b/c/d/e/f/g/h/i"},
}  # fmt: skip

# What `gallery check` cannot say: a name that leaves no file to check, and one that is read as no prompt.
ONLY_HERE = {"name that climbs", "folder that climbs"}


@pytest.mark.parametrize("name", WRONG)
def test_it_refuses_in_the_checkers_words(name: str, form: Form) -> None:
    form.type(**{"prompt": "rain", **WRONG[name]})
    if name in ONLY_HERE:
        form_words = "is no name to use; use lowercase letters, digits, hyphens and underscores"
        assert form.faults() == [f'{"name" if "name" in WRONG[name] else "folder"}: ".." {form_words}']
        return
    expected, faults = form.checked(), form.faults()
    assert expected
    # The checker has no field for a wrong name of a file, or of a folder.
    assert [re.sub(r"^(name|folder): (?=\".*is no name|lies)", "", fault) for fault in faults] == expected
    # Each is told at a field, to everybody.
    at_fields = "\n".join(form.at_fields().values()).split("\n")
    assert sorted(at_fields) == sorted(re.sub(r"^[\w.\[\]]+: ", "", fault) for fault in faults)


NASTY = [
    "yes", "No", "on", "null", "~", "true", "1", "1.0", "0x1F", "1:30", "1_000", ".5", "-", "---", "- a",
    "? a", ": a", "a: b", "a:b", "a #b", "# x", "#", "a\\b", '"', "'", "it's", '"quoted"', "\\n",
    "{a: 1}", "[a, b]", "a, b", "&a", "*a", "!a", "!!str a", "%a", "@a", "`a`", "| a", "> a", "= a", "<<",
    "2026-11-20", "a - b", "a?", "a -- b", "a\u00a0b", "a\ufffeb", "\uffff", "👨‍👩‍👧 sax 🎷", "🏴", "é",
    "e\u0301", "琴と尺八、ゆっくり", "عود هادئ: في الليل", "می‌خواهم", "𝄞", "a\tb", "x" * 110, "%00",
    "a&value=b", "a+b", "<script>", "{value}", "$&", "$1", "...", "a ...", "NaN", "inf", "e1", "0o17",
    "=", "a\\", "\\", "'' \"\"", "ß", "Ǆ", "½", "a:", "key:", "a\u200eb", "a\u2007b\u3000", "a\ue000b",
    "o\u0308\u0304", "🏳️‍🌈",
]  # fmt: skip


@pytest.mark.parametrize("words", NASTY)
def test_any_words_arrive(words: str, form: Form) -> None:
    several = f"{words}\nsecond line, {words}\n\n {words}"
    notes = f"{words}\n---\n{words}\n"
    form.type(
        title=words, prompt=several, notes=notes, axis1="prompt", axis1values=f"{words} one\n{words} two"
    )
    assert form.faults() == [] == form.checked()
    prompt = form.read()
    assert prompt.title == normalise_text(words)
    assert prompt.text == normalise_text(several)
    assert prompt.notes == notes.strip()
    # A line end for Python is none in the form: values end with the line that is typed.
    one, two = (normalise_text(f"{words} {number}") for number in ("one", "two"))
    assert [clip.request.prompt for clip in prompt.clips] == [one, two]
    query = parse_qs(urlsplit(str(form.page.get_attribute("[data-propose]", "href"))).query)
    assert query == {"filename": [form.path], "value": [form.text]}


def test_what_can_only_mean_one_thing_is_mended(form: Form) -> None:
    form.type(
        prompt="a", tags="Lo-Fi, #Rain, lo-fi", author="@@octocat", temperature="0,85", duration="10s",
        axis1="extend_stride", axis1values="5 sec, 0:07", folder="Neue Klänge/Lo-Fi", name="My Prompt.md",
    )  # fmt: skip
    assert form.faults() == [] == form.checked()
    assert form.path == "prompts/neue-klange/lo-fi/my-prompt.md"
    prompt = form.read()
    assert (prompt.tags, prompt.author) == (("lo-fi", "rain"), "octocat")
    assert {(clip.request.temperature, clip.request.duration) for clip in prompt.clips} == {(0.85, 10)}
    assert [clip.changes["extend_stride"] for clip in prompt.clips] == [5, 7]


def test_numbers_arrive(form: Form) -> None:
    typed = [
        "1",
        "+1",
        "01",
        "1.",
        "1.0",
        ".5",
        "0.50",
        "-0",
        "0",
        "00.5",
        "19.999999999999999",
        "3.0000000000000001",
        "7" + "0" * 0,
    ]
    form.type(
        prompt="a", axis1="cfg_coef", axis1values=",".join(typed), seed="007", duration="12.34", top_k="+0"
    )
    assert form.faults() == [] == form.checked()
    requests = [clip.request for clip in form.read().clips]
    assert [request.cfg_coef for request in requests] == [float(text) for text in typed]
    assert {(request.seed, request.duration, request.top_k) for request in requests} == {(7, 12.34, 0)}


RIGHT: dict[str, dict[str, str]] = {
    "only a prompt": {},
    "everything": {
        "title": "Late train", "tags": "lofi,  piano , r&b, 日本, lofi,", "author": "octocat",
        "license": "CC-BY-4.0", "model": "melody", "preset": "faithful", "duration": "12",
        "seed": "4294967295", "temperature": "0.85", "top_k": "0", "top_p": "1.5", "cfg_coef": "20",
        "extend_stride": "29.9", "melody": "../../tune.wav", "notes": "Listen.",
        "axis1": "seed", "axis1values": "1, 2", "axis2": "model", "axis2values": "melody",
        "folder": "lofi/late", "name": "train_2",
    },
    "an end that nobody sees": {"notes": "Listen.\x1c\x85", "title": "a\x1f", "tags": "\x85lofi"},
    "a preset": {"preset": "long"},
    "a preset and more": {"preset": "long", "duration": "3"},
    "a digest": {"model": "melody", "melody": "sha256:" + "0a" * 32},
    "clips of several lengths": {
        "axis1": "duration", "axis1values": "1, 2.5\n3", "axis2": "seed", "axis2values": "1,2",
    },
    "only wordings": {"prompt": "", "axis1": "prompt", "axis1values": "one, two\n\nthree"},
    "what each model can do": {
        "axis1": "model", "axis1values": "small, audiogen", "duration": "30", "extend_stride": "9.99",
    },
    "spaces": {
        "author": " octocat ", "license": "\tMIT ", "seed": " 7 ", "folder": " /a//b/ ", "name": " c ",
        "tags": " a , b ",
    },
    "the last that is accepted": {
        "title": "x" * 120, "author": "a" * 39, "tags": "a" * 30, "duration": "110", "notes": "x" * 15000,
    },
    "a folder with a name of JavaScript's": {"folder": "constructor", "name": "tostring"},
    "deep": {"folder": "a/b/c/d/e/f/g/h"},
    "as long once composed": {"prompt": "e\u0301" * 1500},
    "as many marks as are accepted": {"title": "o" + "\u0308\u0301" * 6 + "o\u0308"},
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_every_field_arrives(name: str, form: Form) -> None:
    typed = {"prompt": "rain", "folder": "fine", **RIGHT[name]}
    form.type(**typed)
    assert form.faults() == [] == form.checked()
    prompt = form.read()
    tags = [tag.strip() for tag in typed.get("tags", "").split(",") if tag.strip()]
    assert prompt.tags == tuple(dict.fromkeys(tags))
    assert prompt.author == typed.get("author", "").strip() and prompt.notes == typed.get("notes", "").strip()
    assert prompt.license == typed.get("license", "CC0-1.0").strip()
    axes = {typed[axis]: typed[f"{axis}values"] for axis in ("axis1", "axis2") if axis in typed}
    assert {clip.model for clip in prompt.clips} == set(
        axes.get("model", typed.get("model", "small")).split(", ")
    )
    for clip in prompt.clips:
        for field in ("duration", "seed", "temperature", "top_k", "top_p", "cfg_coef"):
            if field in typed and field not in clip.changes:
                assert getattr(clip.request, field) == float(typed[field])
    seconds = sum(clip.request.duration for clip in prompt.clips)
    clips = "1 clip" if len(prompt.clips) == 1 else f"{len(prompt.clips)} clips"
    assert form.asks == f"{clips}, {seconds:g} s of audio"


# Texts that hold what YAML, Python or JavaScript take for something.
SIGNS = "\t -:#'\"\\[]{},&*!|>%@`?=~.\u00a0\u2028\ufeff\u200d\u202e\x07é🎷"
LETTERS = st.sampled_from(SIGNS) | st.characters(exclude_categories=["Cs", "Cn"])
TEXTS = st.text(LETTERS, max_size=30)
NUMBERS = st.one_of(
    st.integers(-3, 2100).map(str),
    st.decimals(-2, 40, places=3).map(str),
    st.text("0123456789.+-", max_size=26),
    st.sampled_from(["", "x"]),
)
PARAMETERS = ("duration", "seed", "temperature", "top_k", "top_p", "cfg_coef", "extend_stride")
FIELDS = st.fixed_dictionaries(
    {"prompt": TEXTS},
    optional={
        **dict.fromkeys(("title", "notes"), TEXTS),
        "tags": st.lists(
            st.sampled_from(["lofi", "r&b", "Lofi", "#lofi", "é", "a" * 31, "日本"]) | TEXTS, max_size=14
        ).map(",".join),
        "author": st.sampled_from(["octocat", "@x"]) | TEXTS,
        "license": st.sampled_from(["MIT", "a b"]) | TEXTS,
        "model": st.sampled_from(["melody", "audiogen"]),
        "preset": st.sampled_from(["faithful", "long"]),
        **dict.fromkeys(
            ("duration", "seed", "temperature", "top_k", "top_p", "cfg_coef", "extend_stride"), NUMBERS
        ),
        "axis1": st.sampled_from(["cfg_coef", "duration", "model"]),
        "axis1values": st.lists(
            NUMBERS | st.sampled_from(["small", "audiogen", "audio", "smal"]), max_size=7
        ).map(",".join),
        "axis2": st.sampled_from(["seed", "extend_stride", "prompt"]),
        "axis2values": st.lists(NUMBERS | TEXTS, max_size=7).map("\n".join),
    },
)


@settings(max_examples=80)
@given(typed=FIELDS)
def test_it_finds_what_the_checker_finds(typed: dict[str, str], form: Form) -> None:
    form.type(**typed)
    checked, faults = form.checked(), form.faults()
    # The checker stops where a file's fields are no good; the form looks at the others as well.
    assert set(checked) <= set(faults)
    assert bool(checked) == bool(faults)


def test_names_that_are_near_are_near_for_python_too(form: Form) -> None:
    chance = random.Random(5)
    names = ["small", "melody", "stereo-small", "audiogen", "musicgen-stereo-melody"]
    typed = ["s", "m", "medoly", "smalls", "stereo", "stereo-smal", "llams", "aud", "gen", "a" * 70]
    # Python takes the first of two letters that fit as well.
    typed += ["smmmalmal", "meoyol", "seae-mall", "iadoge", "alal"]
    for _ in range(50):
        letters = list(chance.choice(names))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(letters))
            letters[place : place + chance.randint(0, 2)] = chance.choice(["", "a", "s", "-", "é"])
            letters = letters or ["x"]
        typed.append("".join(letters))
    hints = 0
    for start in range(0, len(typed), 20):
        form.type(prompt="a", axis1="model", axis1values="\n".join(typed[start : start + 20]))
        told = form.checked()
        assert told == form.faults()
        hints += sum("did you mean" in fault for fault in told)
    assert hints > 20


def test_names_of_files_are_made_as_the_command_makes_them(form: Form) -> None:
    titles = ["Rainy window", "  Für Élise: No. 7  ", "x" * 50, "A" + "b " * 30, "90's — rock/metal", "a_b"]
    for title in titles:
        ran = form.gallery.run("new", "--title", title, "--prompt", "p", "--folder", "named")
        assert ran.code == 0, ran.err
        path = re.search(r"prompts/named/[a-z0-9-]+\.md", ran.out + ran.err)
        assert path
        form.type(prompt="p", title=title, folder="named")
        assert form.path == path[0]
        (form.gallery.root / path[0]).unlink()


def test_names_that_are_no_good_are_not_proposed(form: Form) -> None:
    for typed, path in {
        ("Con", ""): "prompts/prompt-con.md",
        ("README", ""): "prompts/prompt-readme.md",
        ("rainy", "lofi"): "prompts/lofi/rainy-2.md",
        ("rainy", ""): "prompts/rainy.md",
    }.items():
        form.type(prompt="p", title=typed[0], folder=typed[1])
        assert form.path == path and form.faults() == []
    form.type(prompt="p", title="琴と尺八")
    assert re.fullmatch(r"prompts/prompt-[0-9a-f]{6}\.md", form.path)
    form.type(prompt="p", name="readme")
    assert form.faults() == [
        'name: "readme" is no name to use; use lowercase letters, digits, hyphens and underscores'
    ]
    form.type(prompt="p", folder="lofi", name="rainy")
    assert form.faults() == ["name: prompts/lofi/rainy.md is there already; give another name"]


def test_a_file_for_an_address_that_is_too_long(form: Form) -> None:
    def address() -> Any:
        return form.page.get_attribute("[data-propose]", "href")

    form.type(prompt="a", notes="琴" * 700)
    assert len(address()) < 7500 and "value=" in address() and not form.page.text_content("[data-long]")
    form.type(prompt="a", notes="琴" * 900)
    assert address() == "https://github.com/o/g/new/main?filename=prompts%2Fa.md"
    assert "too long for an address" in form.page.text_content("[data-long]")
