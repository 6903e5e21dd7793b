"""From wishes to decisions: everything that a sketch settles before its first note.

Each decision draws from a stream of its own, named after what it decides and after
the words that have a say in it. So a usual word changes what it names and no more:
"flute" for "piano" the instrument and not the tune, "140 bpm" for "80 bpm" the tempo.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, TypeVar

from gallery.engines.sketch.tables import Colour, Genre, tables
from gallery.engines.sketch.vocabulary import Wishes, understand
from gallery.engines.sketch.waves import stream

if TYPE_CHECKING:
    import numpy as np

_T = TypeVar("_T")

_SLOWEST, _FASTEST = 42.0, 200.0

# Tunes from sparse to busy; lively words move one to the right, calm ones to the left.
_TUNES = ("drift", "calm", "song", "busy")

# Beats for prompts that are about drums, and for genres that have none where drums are wanted.
_PLAIN_BEATS = ("rock", "rock two", "pop")

# The parts that a named instrument may take, by its role.
_PARTS = {
    "bass": ("bass",),
    "chords": ("comp", "counter", "lead"),
    "tune": ("lead", "counter"),
    "either": ("lead", "comp", "counter"),
}

Players = dict[str, str | None]


@dataclass(frozen=True)
class Plan:
    """A sketch's decisions. Instruments and rhythms are names from the tables."""

    seed: int
    labels: tuple[object, ...]  # for streams of what is left to chance later
    genre: Genre  # as the prompt's words have changed it
    bpm: float
    steps: int  # sixteenths in a bar
    scale: str
    tonic: int  # semitones above C
    chords: tuple[tuple[int, ...], ...]  # one a bar, then over again; semitones above the tonic
    beat: dict[str, str]  # a line for each drum
    bass_line: str
    rhythm: str
    tune: str
    players: Players  # who plays each part: bass, comp (the chords), lead, counter
    places: tuple[str, ...]


def make_plan(prompt: str, seed: int) -> Plan:
    """Decide on a piece for a prompt and a seed."""
    wishes = understand(prompt)
    change = _change(wishes)
    name = _genre_name(wishes, change)
    genre = _genre(name, wishes, change)
    labels = (seed, name, *wishes.unusual)
    scale = _pick(stream("mode", *labels), change.modes or genre.modes)
    bpm = stream("bpm", *labels).uniform(*genre.bpm) * change.pace
    players = _players(wishes, genre, labels)
    named = (name, *wishes.names("genres"))
    three = wishes.three or any(tables().genres[genre].steps == 12 for genre in named)
    made_three = three and genre.steps != 12
    rhythm = _pick(stream("rhythm", *labels), ("broken three", "waltz") if made_three else genre.rhythms)
    if wishes.solo and players["comp"] and tables().voices[players["comp"]].seconds:
        # Someone who plays alone on notes that die away keeps the chords flowing.
        rhythm = "broken three" if three else "rolling"
    tune = genre.tune
    if tune in _TUNES:  # Only drifting genres drift.
        usual = _TUNES.index(tune)
        tune = _TUNES[min(max(usual + change.energy, min(usual, 1)), len(_TUNES) - 1)]
    return Plan(
        seed=seed,
        labels=labels,
        genre=genre,
        bpm=wishes.bpm or round(min(max(bpm, _SLOWEST), _FASTEST), 1),
        steps=12 if three else 16,
        scale=scale,
        tonic=int(stream("tonic", *labels).integers(12)) if wishes.tonic is None else wishes.tonic,
        chords=_chords(genre, scale, stream("chords", *labels)),
        beat=_beat(wishes, genre, made_three, labels),
        bass_line=_pick(stream("bass line", *labels), ("waltz",) if made_three else genre.bass_lines),
        rhythm=rhythm,
        tune=tune,
        players=players,
        places=wishes.names("places")[:2],
    )


def _pick(dice: np.random.Generator, options: tuple[_T, ...]) -> _T:
    return options[int(dice.integers(len(options)))]


def _change(wishes: Wishes) -> Colour:
    """All colours together. The first that has a mode decides on it, unless a key is named."""
    named = [tables().words.colours[name] for name in wishes.names("colours")]
    modes = [change.modes for change in named if change.modes] or [()]
    return Colour(
        modes=modes[0] if wishes.tonic is None else modes[-1],
        pace=prod(change.pace for change in named),
        bright=prod(change.bright for change in named),
        energy=min(max(sum(change.energy for change in named), -1), 1),
        wet=sum(change.wet for change in named),
        echo=sum(change.echo for change in named),
        crackle=sum(change.crackle for change in named),
        swing=sum(change.swing for change in named),
    )


def _genre_name(wishes: Wishes, change: Colour) -> str:
    """The genre that is named, else hinted at, else one that the words choose; the seed has no say."""
    hints = tables().words.hints
    named = (*wishes.names("genres"), *(hints[name] for name in wishes.names("instruments") if name in hints))
    if named:
        return named[0]
    if wishes.about_drums:
        return "rock" if change.energy > 0 else "pop"
    liveliness = ("calm", "even", "lively")[change.energy + 1]
    return _pick(stream("genre", *wishes.unusual), tables().words.plain[liveliness])


def _genre(name: str, wishes: Wishes, change: Colour) -> Genre:
    """A genre with the second one's melody (and drums and bass where it has none), as words change it."""
    genre = tables().genres[name]
    update: dict[str, object] = {
        "swing": min(genre.swing + change.swing, 0.34),
        # A soloist is given more of the room.
        "wet": min(max(genre.wet + change.wet + 0.1 * wishes.solo, 0.03), 0.5),
        "cutoff": genre.cutoff * change.bright,
        "crackle": min(genre.crackle + change.crackle, 1.5),
    }
    melodic = genre
    for second in wishes.names("genres")[1:2]:
        melodic = tables().genres[second]
        borrowed = ("lead", "tune") + (() if genre.beats else ("kit", "beats", "bass", "bass_lines"))
        update |= {field: getattr(melodic, field) for field in borrowed}
    return genre.model_copy(update={**update, "echo": min(melodic.echo + change.echo, 0.6)})


def _chords(genre: Genre, scale: str, dice: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """A progression's chords: every second note of the scale."""
    theory = tables().harmony
    steps, kind = theory.scales[scale], "minor" if scale in theory.minor else "major"
    tones = min(genre.tones, 3) if len(steps) == 5 else genre.tones
    return tuple(
        tuple(
            steps[step % len(steps)] + 12 * (step // len(steps)) for step in range(root, root + 2 * tones, 2)
        )
        for root in _pick(dice, theory.progressions[genre.family][kind])
        for _ in range(2 if genre.slow else 1)
    )


def _beat(wishes: Wishes, genre: Genre, in_three: bool, labels: tuple[object, ...]) -> dict[str, str]:
    """The drums' lines: the genre's beat, and whatever the prompt adds to it."""
    drums, table = wishes.names("drums"), tables().patterns
    options = ("slow three", "waltz") if in_three else genre.beats
    if {"all", "only"} & set(drums) and not in_three and (wishes.about_drums or not options):
        options = _PLAIN_BEATS
    if "all" in wishes.banned:
        return {}
    beat: dict[str, str] = {}
    if options and (drums or not wishes.solo):
        beat.update(table.beats[_pick(stream("beat", *labels), options)])
    beat.update({name: table.extras[name] for name in drums if name in table.extras})
    return {name: line for name, line in beat.items() if name not in wishes.banned}


def _players(wishes: Wishes, genre: Genre, labels: tuple[object, ...]) -> Players:
    """Who plays what: instruments that the prompt names first, then the genre's own."""
    voices = tables().voices
    band: Players = dict.fromkeys(("bass", "comp", "lead", "counter"))
    for name in wishes.names("instruments"):
        part = next((part for part in _PARTS[voices[name].role] if band[part] is None), None)
        if part:
            band[part] = name
    if "only" in wishes.names("drums"):
        return band
    if wishes.solo and wishes.names("instruments"):
        lead = band["lead"] or band["comp"] or band["bass"]
        can_accompany = lead is not None and "comp" in _PARTS[voices[lead].role]
        return {**band, "lead": lead, "comp": band["comp"] or (lead if can_accompany else None)}
    for part in ("bass", "comp", "lead"):
        options = tuple(name for name in getattr(genre, part) if name not in wishes.banned)
        # Drawn even where it isn't needed, so that naming one player keeps the others.
        drawn = _pick(stream(part, *labels), options) if options else None
        band[part] = band[part] or drawn
    if wishes.about_drums:
        band["lead"] = band["comp"] = None
    return band
