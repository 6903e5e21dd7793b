"""From wishes to decisions: everything that a sketch settles before its first note.

Each decision draws from a stream of its own, named after what it decides and after
the words that have a say in it. So a word changes what it names: "flute" for "piano"
changes the instrument and not the tune, "140 bpm" for "80 bpm" nothing but the tempo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gallery.engines.sketch import harmony
from gallery.engines.sketch.tables import Change, Genre, tables
from gallery.engines.sketch.vocabulary import Wishes, understand
from gallery.engines.sketch.waves import stream

_T = TypeVar("_T")

_SLOWEST, _FASTEST = 42.0, 200.0

# Tunes from sparse to busy; lively words move one to the right, calm ones to the left.
_TUNES = ("drift", "calm", "song", "busy")

# Beats for genres that have none, where the prompt wants drums all the same.
_ANY_BEATS = ("ballad", "pop", "folk", "soul")

# Beats for prompts that are about drums and nothing else: plain ones.
_DRUMMERS_BEATS = ("rock", "rock two", "pop")
_CHORDAL = ("chords", "either")


@dataclass(frozen=True)
class Plan:
    """A sketch's decisions. Instruments and rhythms are names from the tables."""

    labels: tuple[object, ...]  # for streams of what is left to chance later
    tune_labels: tuple[object, ...]
    bpm: float
    steps: int  # sixteenths in a bar
    swing: float
    eighths: bool
    scale: str
    tonic: int  # semitones above C
    chords: tuple[tuple[int, ...], ...]  # one a bar, then over again; semitones above the tonic
    kit: str
    beat: dict[str, str]  # a line for each drum
    drum_level: float
    bass: str | None
    bass_line: str
    comp: str | None  # who plays the chords
    rhythm: str
    strum: float
    lead: str | None
    tune: str
    counter: str | None
    featured: bool  # the lead was asked for by name
    echo: float
    wet: float
    room: float
    cutoff: float
    pump: float
    crackle: float
    atmospheres: tuple[str, ...]


def make_plan(prompt: str, seed: int) -> Plan:
    """Decide on a piece for a prompt and a seed."""
    wishes = understand(prompt)
    change = _change(wishes)
    words = (*wishes.genre_words, "|", *wishes.unknown)
    genre_name = _genre_name(wishes, change, words)
    genre = _blend(tables().genres[genre_name], [tables().genres[name] for name in wishes.genres[1:2]])
    labels = (seed, genre_name, *words)
    tune_labels = (*labels, "|", *wishes.nuances)
    scale = _pick(stream("mode", *labels, *wishes.moods), change.modes or genre.harmony.modes)
    players = _players(wishes, genre, labels)
    three = wishes.three or any(
        tables().genres[name].tempo.steps == 12 for name in (genre_name, *wishes.genres)
    )
    made_three = three and genre.tempo.steps != 12
    bass_line, rhythm = _rhythms(genre, made_three, labels)
    if wishes.solo and players["comp"] and tables().voices[players["comp"]].life.seconds:
        # Someone who plays alone on notes that die away keeps the chords flowing.
        rhythm = tables().patterns.chords["broken three" if three else "rolling"]
    return Plan(
        labels=labels,
        tune_labels=tune_labels,
        bpm=_bpm(wishes, genre, change, labels),
        steps=12 if three else 16,
        swing=min(genre.tempo.swing + change.swing, 0.34),
        eighths=genre.tempo.eighths,
        scale=scale,
        tonic=int(stream("tonic", *labels).integers(12)) if wishes.tonic is None else wishes.tonic,
        chords=_chords(genre, scale, stream("chords", *labels, *wishes.moods)),
        kit=genre.drums.kit,
        beat=_beat(wishes, genre, made_three, tune_labels),
        drum_level=1 + 0.15 * change.energy,
        bass_line=bass_line,
        rhythm=rhythm,
        strum=genre.chords.strum,
        tune=_tune(genre.lead.tune, change.energy),
        featured=bool(players["lead"] in wishes.instruments),
        echo=min(genre.lead.echo + change.echo, 0.6),
        # A soloist is given more of the room.
        wet=min(max(genre.room.wet + change.wet + 0.1 * wishes.solo, 0.03), 0.5),
        room=genre.room.seconds,
        cutoff=genre.room.cutoff * change.bright,
        pump=genre.room.pump,
        crackle=min(genre.room.crackle + change.crackle, 1.5),
        atmospheres=wishes.atmospheres[:2],
        **players,
    )


def _pick(dice: np.random.Generator, options: tuple[_T, ...]) -> _T:
    return options[int(dice.integers(len(options)))]


def _change(wishes: Wishes) -> Change:
    """All colours together. The first that has a mode decides on it."""
    named = [tables().words.colours[name].change for name in wishes.colours]
    modes = [change.modes for change in named if change.modes]
    return Change(
        modes=modes[-1] if wishes.tonic is not None and modes else modes[0] if modes else (),
        pace=float(np.clip(np.prod([change.pace for change in named]), 0.6, 1.5)),
        bright=float(np.clip(np.prod([change.bright for change in named]), 0.4, 1.8)),
        energy=int(np.clip(sum(change.energy for change in named), -1, 1)),
        wet=sum(change.wet for change in named),
        echo=sum(change.echo for change in named),
        crackle=sum(change.crackle for change in named),
        swing=sum(change.swing for change in named),
    )


def _genre_name(wishes: Wishes, change: Change, words: tuple[str, ...]) -> str:
    """The genre that is named, else hinted at, else one that the words choose; the seed has no say."""
    if wishes.genres:
        return wishes.genres[0]
    hints = tables().words.hints
    hinted = [hints[name] for name in wishes.instruments if name in hints]
    if hinted:
        return hinted[0]
    if _is_about_drums(wishes):
        return "rock" if change.energy > 0 else "pop"
    liveliness = ("calm", "even", "lively")[change.energy + 1]
    return _pick(stream("genre", *words), tables().words.plain[liveliness])


def _blend(genre: Genre, others: list[Genre]) -> Genre:
    """A genre with the second one's melody, and its drums and bass where it has none itself."""
    for other in others:
        genre = genre.model_copy(update={"lead": other.lead})
        if not genre.drums.beats:
            genre = genre.model_copy(update={"drums": other.drums, "bass": other.bass})
    return genre


def _bpm(wishes: Wishes, genre: Genre, change: Change, labels: tuple[object, ...]) -> float:
    if wishes.bpm:
        return wishes.bpm
    slow, fast = genre.tempo.bpm
    usual = slow + (fast - slow) * float(stream("bpm", *labels).random())
    return round(min(max(usual * change.pace, _SLOWEST), _FASTEST), 1)


def _chords(genre: Genre, scale: str, dice: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    progression = _pick(dice, harmony.progressions(genre.harmony.family, scale))
    bars = 2 if genre.harmony.slow else 1
    return tuple(
        harmony.chord(scale, degree, genre.harmony.tones) for degree in progression for _ in range(bars)
    )


def _rhythms(genre: Genre, in_three: bool, labels: tuple[object, ...]) -> tuple[str, str]:
    """The bass line and the chords' rhythm."""
    lines = ("waltz",) if in_three else genre.bass.lines
    rhythms = ("broken three", "waltz") if in_three else genre.chords.rhythms
    table = tables().patterns
    line = table.basses[_pick(stream("bass line", *labels), lines)]
    return line, table.chords[_pick(stream("chord rhythm", *labels), rhythms)]


def _beat(wishes: Wishes, genre: Genre, in_three: bool, labels: tuple[object, ...]) -> dict[str, str]:
    """The drums' lines: the genre's beat, and whatever the prompt adds to it."""
    if "all" in wishes.banned:
        return {}
    table = tables().patterns
    options = ("slow three", "waltz") if in_three else genre.drums.beats
    beat: dict[str, str] = {}
    if {"all", "only"} & set(wishes.drums):
        options = options or _ANY_BEATS
        if _is_about_drums(wishes) and not in_three:
            options = _DRUMMERS_BEATS
    if options and not (wishes.solo and not wishes.drums):
        beat.update(table.beats[_pick(stream("beat", *labels), options)])
    beat.update({name: table.extras[name] for name in wishes.drums if name in table.extras})
    return {name: line for name, line in beat.items() if name not in wishes.banned}


def _tune(tune: str, energy: int) -> str:
    """A genre's kind of tune, made busier or calmer; only drifting genres drift."""
    if tune not in _TUNES:
        return tune
    usual = _TUNES.index(tune)
    return _TUNES[min(max(usual + energy, min(usual, 1)), len(_TUNES) - 1)]


def _players(wishes: Wishes, genre: Genre, labels: tuple[object, ...]) -> dict[str, str | None]:
    """Who plays what: instruments that the prompt names first, then the genre's own."""
    band = _named_players(wishes)
    if "only" in wishes.drums:
        return dict.fromkeys(("bass", "comp", "lead", "counter")) | band
    if wishes.solo and wishes.instruments:
        lead = band["lead"] or band["comp"] or band["bass"]
        can_accompany = lead is not None and tables().voices[lead].role in _CHORDAL
        return {**band, "lead": lead, "comp": band["comp"] or (lead if can_accompany else None)}
    for part, choice in (
        ("bass", genre.bass.voices),
        ("comp", genre.chords.voices),
        ("lead", genre.lead.voices),
    ):
        options = tuple(name for name in choice if name not in wishes.banned)
        # Drawn even where it isn't needed, so that naming one player keeps the others.
        drawn = _pick(stream(part, *labels), options) if options else None
        band[part] = band[part] or drawn
    if _is_about_drums(wishes):
        band["lead"] = band["comp"] = None
    return band


def _is_about_drums(wishes: Wishes) -> bool:
    return bool(wishes.drums) and not wishes.instruments and not wishes.genres


def _named_players(wishes: Wishes) -> dict[str, str | None]:
    band: dict[str, str | None] = dict.fromkeys(("bass", "comp", "lead", "counter"))
    for name in wishes.instruments:
        role = tables().voices[name].role
        wanted = {
            "bass": ("bass",),
            "chords": ("comp", "counter", "lead"),
            "tune": ("lead", "counter"),
            "either": ("lead", "comp", "counter"),
        }[role]
        part = next((part for part in wanted if band[part] is None), None)
        if part:
            band[part] = name
    return band
