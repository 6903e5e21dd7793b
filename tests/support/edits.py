"""Edits by chance: everything that decides a site is changed, broken, mended, removed and brought back.

A file is broken when the tool finds a fault in it. Then the site shows what it held when a build last
read it well, so this remembers what that was; once a build has found the file gone, there is no such
content. Where an edit is made while a build reads, nobody can say which content it read: another build
is run before such a file is broken.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from support.incremental import (
    QUICK,
    REVISIONS,
    VERSIONS,
    Change,
    Meanwhile,
    Server,
    Workplace,
    difference,
    long_ago,
)

PRESETS = "gallery/prompts/presets.yaml"
PROMPTS = tuple(f"gallery/prompts/{name}.md" for name in ("rain", "lofi/rain", "lofi/snow", "a/b/c"))
AUDIO = "gallery/site/audio"

# What the clips are made of: few texts, so that prompts ask for the same clips and for kin.
TEXTS = ("slow piano in the rain", "slow drums in the snow", "fast drums, 120 bpm")

PLAIN = b"---\nprompt: fast drums, 120 bpm\nduration: 1\n---\n"

SETTINGS = """\
[site]
title = "{title}"
cards = {cards}
page_size = {page_size}
{addresses}
[limits]
clips_per_prompt = {clips}

[models.small]
hub = "facebook/musicgen-small"
kind = "musicgen"

[models.audiogen]
hub = "facebook/audiogen-medium"
kind = "audiogen"
sample_rate = 16000
"""


def front_matter(fault: bytes) -> Callable[[bytes], bytes]:
    """What puts a line of its own into a prompt file."""
    return lambda content: content.replace(b"---\n", b"---\n" + fault + b"\n", 1)


# What is wrong with a file, and how it comes into one that is in order.
PROMPT_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "no YAML": front_matter(b"tags: [lofi"),
    "unknown field": front_matter(b"bpm: 120"),
    "out of range": front_matter(b"temperature: 9"),
    "unknown preset": front_matter(b"preset: nowhere"),
    "not UTF-8": lambda content: content + b"\xff\n",
    "no fields": lambda content: content.replace(b"---", b"", 1),
    "empty": lambda content: b"",
}
PRESETS_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "no YAML": lambda content: content + b"odd: [\n",
    "unknown field": lambda content: content + b"odd:\n  bpm: 1\n",
    "out of range": lambda content: content.replace(b"cfg_coef: ", b"cfg_coef: 9"),
    "not UTF-8": lambda content: content + b"# \xff\n",
}


# --- what is edited -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Write:
    """New content of a file; ``bears`` is the time that it then has: now, a while ago, or as before."""

    path: str
    content: str
    bears: str = "now"


@dataclass(frozen=True)
class Break:
    """A fault put into a file as it is."""

    path: str
    fault: str
    bears: str = "now"


@dataclass(frozen=True)
class Remove:
    path: str


@dataclass(frozen=True)
class Rename:
    path: str
    to: str


@dataclass(frozen=True)
class Restore:
    """What a file held so many contents ago."""

    path: str
    ago: int
    bears: str = "now"


@dataclass(frozen=True)
class Touch:
    """A new time, and nothing else."""

    path: str


@dataclass(frozen=True)
class PutClip:
    """A clip comes into the store, as it was rendered by this device."""

    number: int
    device: str


@dataclass(frozen=True)
class TakeClip:
    """Some of a clip's files leave the store."""

    number: int
    suffixes: tuple[str, ...]


@dataclass(frozen=True)
class Install:
    """Another version of a library, or again the installed one."""

    number: int
    newer: bool


@dataclass(frozen=True)
class Revise:
    """Another version of a module of the tool, or again the first one."""

    number: int
    revised: bool


Edit = Write | Break | Remove | Rename | Restore | Touch | PutClip | TakeClip | Install | Revise


def _prompt_file(text: str, fields: Sequence[str], duration: float, clips: Sequence[str], notes: str) -> str:
    return "\n".join(["---", f"prompt: {text}", f"duration: {duration:g}", *fields, *clips, "---", notes, ""])


def _settings(title: str, cards: int, page_size: int, clips: int, base: bool, repository: bool) -> str:
    addresses = 'base_url = "https://example.org/gallery/"\n' if base else ""
    addresses += 'repository = "https://github.com/octocat/gallery"\n' if repository else ""
    return SETTINGS.format(title=title, cards=cards, page_size=page_size, clips=clips, addresses=addresses)


def _guide(title: str, text: str) -> str:
    return f"---\ntitle: {title}\nsummary: On it.\n---\n{text}\n"


FIELDS = {
    "title": st.sampled_from(["Rain", "'A & <b>'"]),
    "tags": st.sampled_from(["[lofi]", "[lofi, calm]", "[loud]"]),
    "date": st.sampled_from(["2026-11-01", "2026-11-20"]),
    "author": st.sampled_from(["octocat", "Mona"]),
    "preset": st.sampled_from(["faithful", "wild"]),
    "model": st.just("audiogen"),
}
GRIDS = (
    (),
    ("vary:", "  cfg_coef: [1, 3]"),
    ("vary:", "  cfg_coef: [1, 3, 5]", "  seed: [1, 2]"),
    ("takes:", "- seed: 2", "- prompt: slow piano in the hail"),
)
NOTES = ("", "Plain.", "See *[there](https://example.org)*, <b>x</b>.", "| a | b |\n|-|-|\n| 1 | 2 |")

fields = st.fixed_dictionaries({}, optional=FIELDS).map(
    lambda chosen: tuple(f"{name}: {value}" for name, value in chosen.items())
)
bears = st.sampled_from(["a while ago", "now", "as before"])
prompt_files = st.builds(
    _prompt_file,
    st.sampled_from(TEXTS),
    fields,
    st.just(1.0),
    st.sampled_from(GRIDS),
    st.sampled_from(NOTES),
)
short_prompt_files = st.builds(
    _prompt_file, st.sampled_from(TEXTS[:2]), fields, st.just(0.5), st.just(()), st.sampled_from(NOTES[:2])
)
presets_files = st.builds(
    "faithful:\n  description: {}\n  cfg_coef: {}\nwild:\n  temperature: {}\n".format,
    st.sampled_from(["Close.", "Near."]),
    st.sampled_from([4, 5]),
    st.sampled_from([1.5, 2]),
)
settings_files = st.builds(
    _settings,
    st.sampled_from(["One", "Two & more"]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([60, 2, 1]),
    st.sampled_from([36, 30]),
    st.booleans(),
    st.booleans(),
)
# Files of all other kinds, by their paths, and what they may hold.
OTHERS: dict[str, st.SearchStrategy[str]] = {
    "gallery/CONTRIBUTING.md": st.sampled_from(["How to.\n", "How else.\n"]),
    "gallery/guides/en/own.md": st.builds(
        _guide, st.sampled_from(["Own", "Ours"]), st.sampled_from(["Text.", "[[lofi/rain]]", "*So.*"])
    ),
    "gallery/guides/de/own.md": st.builds(_guide, st.just("Eigenes"), st.just("Text.\n\n{{parameters}}")),
    "gallery/templates/parts/footer.html": st.sampled_from(
        ["<footer>Ours.</footer>\n", "<footer></footer>\n"]
    ),
    "gallery/templates/assets/site.css": st.sampled_from(["body { margin: 0 }\n", "body { margin: 1 }\n"]),
    "gallery/templates/assets/own.js": st.just("1;\n"),
    "tool/templates/parts/footer.html": st.sampled_from(
        ["<footer>The tool's.</footer>\n", "<footer></footer>\n"]
    ),
    "tool/templates/assets/site.css": st.sampled_from(["body { margin: 2 }\n", "body { margin: 3 }\n"]),
    "tool/guides/en/seeds.md": st.builds(_guide, st.just("Seeds"), st.sampled_from(["One.", "Two."])),
}
REMOVABLE = (*PROMPTS, *(path for path in OTHERS if not path.startswith("tool/")))
SETTLED = ("gallery/gallery.toml", PRESETS, *(path for path in OTHERS if path.startswith("tool/")))

others = st.sampled_from(sorted(OTHERS)).flatmap(
    lambda path: st.builds(Write, st.just(path), OTHERS[path], bears)
)


def edits(prompts: st.SearchStrategy[str]) -> st.SearchStrategy[Edit]:
    """Any edit; ``prompts`` are what prompt files may hold."""
    prompt_paths = st.sampled_from(PROMPTS)
    clip = st.integers(0, 9)
    return st.one_of(
        st.builds(Write, prompt_paths, prompts, bears),
        st.builds(Break, prompt_paths, st.sampled_from(sorted(PROMPT_FAULTS)), bears),
        st.builds(Rename, prompt_paths, prompt_paths),
        st.builds(Remove, st.sampled_from(REMOVABLE)),
        st.builds(Write, st.just(PRESETS), presets_files, bears),
        st.builds(Break, st.just(PRESETS), st.sampled_from(sorted(PRESETS_FAULTS)), bears),
        st.builds(Write, st.just("gallery/gallery.toml"), settings_files, bears),
        others,
        st.builds(Restore, st.sampled_from((*REMOVABLE, *SETTLED)), st.integers(1, 3), bears),
        st.builds(Touch, st.sampled_from((*REMOVABLE, *SETTLED))),
        st.builds(PutClip, clip, st.sampled_from(["here", "there"])),
        st.builds(TakeClip, clip, st.sampled_from([(".mp3", ".webp", ".json"), (".json",), (".mp3",)])),
        st.builds(Install, st.integers(0, len(VERSIONS) - 1), st.booleans()),
        st.builds(Revise, st.integers(0, len(REVISIONS) - 1), st.booleans()),
    )


def _moments(pattern: str, most: int) -> st.SearchStrategy[tuple[str, int]]:
    return st.tuples(st.just(pattern), st.integers(1, most))


# When an edit is made while a build runs, by what it is about to deal with, for the how-many-th time.
moments = st.one_of(
    _moments("gallery/prompts*", 8),
    _moments("gallery/.gallery*", 16),
    _moments("gallery/site/*", 80),
    _moments("*/templates*", 60),
    _moments("*/guides*", 4),
    _moments("gallery/*", 120),
    _moments("tool/gallery/*", 150),
)


# --- what has become of the files --------------------------------------------------------------------


@dataclass(frozen=True)
class Content:
    """What a file holds, and whether it is in order."""

    data: bytes
    good: bool = True

    @property
    def uses_preset(self) -> bool:
        return b"\npreset: " in self.data


@dataclass
class Files:
    """What is known of the files that are edited; all of it is by their paths in the workplace."""

    holds: dict[str, Content] = field(default_factory=dict)
    held: dict[str, list[Content]] = field(default_factory=dict)
    # What a build read last that found nothing wrong with the file.
    read_well: dict[str, bytes] = field(default_factory=dict)
    # Files of which nobody can say yet what that is.
    unsure: set[str] = field(default_factory=set)

    @property
    def broken(self) -> set[str]:
        return {path for path, content in self.holds.items() if not content.good}

    def put(self, path: str, content: Content | None) -> None:
        before = self.holds.pop(path, None)
        if before and before != content:
            self.held.setdefault(path, []).append(before)
        if content:
            self.holds[path] = content

    def is_known(self, path: str) -> bool:
        """Whether it makes no difference if a build reads this file before it is broken, or after."""
        content = self.holds.get(path)
        if path in self.unsure:
            return False
        if content and not content.good:
            return True
        return (content.data if content else None) == self.read_well.get(path)

    def were_read(self, faulty: set[str], edited: set[str]) -> None:
        """A build has come to its end; these were edited meanwhile, so that what it read is not known."""
        for path in {*self.holds, *self.read_well} - edited:
            content = self.holds.get(path)
            if not content:
                del self.read_well[path]
            elif content.good and path not in faulty:
                self.read_well[path] = content.data
        self.unsure = set(edited)


@dataclass(frozen=True)
class Clip:
    """A rendered clip: its three files by their suffixes, for each device that might have rendered it."""

    key: str
    files: dict[str, dict[str, bytes]]


@dataclass(frozen=True)
class Edited:
    """What an edit makes of files: their contents, None for those that go, and the time that they bear."""

    contents: dict[str, Content | None]
    changed: float | None = None

    @property
    def breaks(self) -> set[str]:
        """Files that it leaves with a fault."""
        return {path for path, content in self.contents.items() if content and not content.good}

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(
            Change(path, content.data if content else None, self.changed)
            for path, content in self.contents.items()
        )


class Edits(RuleBasedStateMachine):
    """Edits between builds and while they run; a build that nobody disturbs is held against a clean one."""

    options: tuple[str, ...] = QUICK

    def __init__(self, server: Server, clips: Sequence[Clip], folder: Path) -> None:
        super().__init__()
        self.place = Workplace(server, Path(mkdtemp(dir=folder)))
        self.clips, self.files, self.faulty = clips, Files(), set[str]()
        self.failing = False

    @initialize()
    def begin(self) -> None:
        first = {
            "gallery/gallery.toml": _settings("One", 0, 60, 36, base=False, repository=False),
            PRESETS: "faithful:\n  cfg_coef: 5\nwild:\n  temperature: 1.5\n",
            PROMPTS[0]: _prompt_file(TEXTS[0], ["tags: [lofi]"], 1, GRIDS[0], NOTES[1]),
            PROMPTS[1]: _prompt_file(TEXTS[1], ["preset: faithful"], 1, GRIDS[0], NOTES[2]),
        }
        for path in OTHERS:
            if data := self.place.read(path):
                self.files.put(path, Content(data))
        self._make(Edited({path: Content(text.encode()) for path, text in first.items()}, long_ago()))
        self._build()

    @rule(jobs=st.sampled_from([1, 2]))
    def build_and_compare(self, jobs: int) -> None:
        self._build(jobs)
        self.failing = True
        instead = {path.removeprefix("gallery/"): self.files.read_well.get(path) for path in self.faulty}
        found = difference(self.place.site(), self.place.clean_site(*self.options, instead=instead))
        assert not found, found
        self.failing = False

    @precondition(lambda self: not self.files.broken)
    @rule()
    def lose_the_workspace(self) -> None:
        """With it goes what was ever read well; where nothing is broken that is no loss."""
        shutil.rmtree(self.place.folder / "gallery/.gallery", ignore_errors=True)
        self.files.unsure = {PRESETS, *PROMPTS}

    def teardown(self) -> None:
        try:
            if not self.failing:
                self.build_and_compare(jobs=1)
        finally:
            shutil.rmtree(self.place.folder)

    def _between_builds(self, edited: Edited) -> None:
        """Make an edit while no build runs."""
        # A faulty file of presets may keep any prompt from being read.
        if self.files.unsure & edited.breaks or (self.files.unsure and PRESETS in edited.breaks):
            self._build()
        self._make(edited)

    def _while_building(self, wanted: Sequence[tuple[Edited, tuple[str, int]]], jobs: int) -> None:
        """Make edits of files that have nothing to do with each other while a build runs."""
        edits: list[tuple[Edited, tuple[str, int]]] = []
        touched: set[str] = set()
        for edited, moment in wanted:
            if not touched & edited.contents.keys():
                edits.append((edited, moment))
                touched.update(edited.contents)
        if PRESETS in touched or PRESETS in self.files.broken:
            # Nobody could say then whether a prompt that is edited meanwhile was read well.
            early = [edit for edit in edits if edit[0].contents.keys() & {*PROMPTS}]
            edits = [edit for edit in edits if edit not in early]
            for edited, _ in early:
                self._between_builds(edited)
        if not all(self._may_break(path) for edited, _ in edits for path in edited.breaks):
            self._build()
        meanwhile = [Meanwhile(*moment, edited.changes) for edited, moment in edits]
        unsure = {
            path
            for edited, _ in edits
            for path, content in edited.contents.items()
            if path not in edited.breaks and content != self.files.holds.get(path)
        }
        self.failing = True
        ran = self.place.build(*self._with(jobs), meanwhile=meanwhile)
        hypothesis.note(f"disturbed, {ran.reached}: {ran.told}")
        for edited, _ in edits:
            self._note(edited)
        self.failing = False
        if ran.wrote:
            self.files.were_read(_paths(ran.faulty), unsure)
        else:
            hypothesis.event("a build that was disturbed did not come to its end")
            self._build()

    def _may_break(self, path: str) -> bool:
        """Whether it is clear what a build that runs meanwhile, and those after it, take for read well."""
        if path == PRESETS and path not in self.files.broken:
            return all(self.files.is_known(each) for each in (*PROMPTS, PRESETS))
        return self.files.is_known(path)

    def _build(self, jobs: int = 1) -> None:
        """A build that nobody disturbs: it tells of the broken files, and of no others."""
        self.failing = True
        ran = self.place.build(*self._with(jobs))
        hypothesis.note(ran.told)
        assert ran.wrote and "Traceback" not in ran.err, ran
        faulty, broken = _paths(ran.faulty), self.files.broken
        assert broken <= faulty, f"no word of {broken - faulty}: {ran}"
        using = {path for path in PROMPTS if path in self.files.holds and self.files.holds[path].uses_preset}
        excused = using if PRESETS in broken else set()
        assert faulty <= broken | excused, f"nothing is wrong with {faulty - broken - excused}: {ran}"
        assert ran.code == (1 if faulty else 0), ran
        self.files.were_read(faulty, set())
        self.faulty, self.failing = faulty, False

    def _with(self, jobs: int) -> list[str]:
        return [*self.options, "--jobs", str(jobs)]

    def _make(self, edited: Edited) -> None:
        self.place.change(*edited.changes)
        self._note(edited)

    def _note(self, edited: Edited) -> None:
        for path, content in edited.contents.items():
            self.files.put(path, content)

    def _edited(self, edit: Edit) -> Edited:
        """What an edit comes to, as the files are; nothing where there is nothing to do."""
        holds, held = self.files.holds, self.files.held
        match edit:
            case Write(path, text, bears):
                return Edited({path: Content(text.encode())}, self._time(path, bears))
            case Break(path, fault, bears):
                whole = [each for each in (*held.get(path, ()), holds.get(path)) if each and each.good]
                data = (PRESETS_FAULTS if path == PRESETS else PROMPT_FAULTS)[fault](
                    whole[-1].data if whole else PLAIN
                )
                return Edited({path: Content(data, good=False)}, self._time(path, bears))
            case Remove(path):
                return Edited({path: None} if path in holds else {})
            case Rename(path, to):
                there = path in holds and path != to
                return Edited({path: None, to: holds[path]} if there else {}, self._time(path, "as before"))
            case Restore(path, ago, bears):
                earlier = held.get(path, [])
                return Edited({path: earlier[-ago]} if len(earlier) >= ago else {}, self._time(path, bears))
            case Touch(path):
                return Edited({path: holds[path]} if path in holds else {})
            case PutClip(number, device):
                clip = self.clips[number % len(self.clips)]
                files = clip.files[device].items()
                return Edited({f"{AUDIO}/{clip.key}{suffix}": Content(data) for suffix, data in files})
            case TakeClip(number, suffixes):
                key = self.clips[number % len(self.clips)].key
                paths = (f"{AUDIO}/{key}{suffix}" for suffix in suffixes)
                return Edited({path: None for path in paths if path in holds})
            case Install(number, newer):
                files = VERSIONS[number].files.items()
                return Edited(
                    {
                        path: Content(data) if newer else None
                        for path, data in files
                        if newer != (path in holds)
                    }
                )
            case Revise(number, revised):
                revision = REVISIONS[number]
                path = revision.file_in(self.place)
                data = self.place.read(path) or b""
                other = revision.apply(data) if revised else revision.revert(data)
                return Edited({path: Content(other)} if other != data else {}, long_ago())

    def _time(self, path: str, bears: str) -> float | None:
        """The time that a file is to bear after an edit; None for now."""
        file = self.place.folder / path
        if bears == "as before" and file.is_file():
            return file.stat().st_mtime
        return long_ago() if bears == "a while ago" else None


def _paths(files: Iterable[str]) -> set[str]:
    """Files that a build tells of, by their paths in the workplace."""
    return {f"gallery/{file}" for file in files}


class AnyEdits(Edits):
    """Of galleries without sketches, as builds of them take least time."""

    any_edit = edits(prompt_files)

    @rule(edit=any_edit)
    def edit(self, edit: Edit) -> None:
        self._between_builds(self._edited(edit))

    @rule(edits=st.lists(st.tuples(any_edit, moments), min_size=1, max_size=2), jobs=st.sampled_from([1, 2]))
    def edit_while_building(self, edits: list[tuple[Edit, tuple[str, int]]], jobs: int) -> None:
        self._while_building([(self._edited(edit), moment) for edit, moment in edits], jobs)


class AnyEditsWithSketches(Edits):
    """Of galleries in which each clip has a sketch until it is rendered."""

    options = ("--engine", "sketch")
    any_edit = edits(short_prompt_files)

    @rule(edit=any_edit)
    def edit(self, edit: Edit) -> None:
        self._between_builds(self._edited(edit))

    @rule(edits=st.lists(st.tuples(any_edit, moments), min_size=1, max_size=2))
    def edit_while_building(self, edits: list[tuple[Edit, tuple[str, int]]]) -> None:
        self._while_building([(self._edited(edit), moment) for edit, moment in edits], 1)
