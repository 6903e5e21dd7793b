"""From decisions to notes: drums, bass, chords, melody and a counter-melody, bar by bar.

A bar depends on the plan and on its own number, never on how long the clip is: a
longer clip begins like a shorter one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from gallery.engines.sketch import harmony
from gallery.engines.sketch.melody import Melody
from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import stream

if TYPE_CHECKING:
    from gallery.engines.sketch.plan import Plan

_FORM = "AABACABB"  # a letter for every eight bars; C begins without kick and bass
_SECTION = 8

_ACCENTS = {"x": 1.0, "o": 0.62, "-": 0.34}

# Ways to end a phrase of four bars: lines for its last beat.
_FILLS = (
    {"snare": "-.oo"},
    {"snare": "o.ox", "high": "..o."},
    {"high": "xo..", "tom": "..xo"},
    {"tom": "o.xx"},
    {"clap": "..ox"},
)


@dataclass(frozen=True)
class Note:
    """A pitched note: start and length in seconds, MIDI pitch, level 0 to 1."""

    start: float
    seconds: float
    pitch: int
    level: float


@dataclass(frozen=True)
class Hit:
    """A drum's stroke: start in seconds, level 0 to 1."""

    start: float
    drum: str
    level: float


@dataclass
class Score:
    """A piece: the notes of each part, and the drums."""

    bass: list[Note] = field(default_factory=list)
    comp: list[Note] = field(default_factory=list)
    lead: list[Note] = field(default_factory=list)
    counter: list[Note] = field(default_factory=list)
    drums: list[Hit] = field(default_factory=list)


@dataclass(frozen=True)
class _Bar:
    number: int
    chord: tuple[int, ...]
    following: tuple[int, ...]  # the next bar's chord
    feel: tuple[float, ...]  # how strongly each sixteenth is played, about 1

    @property
    def section(self) -> str:
        return _FORM[self.number // _SECTION % len(_FORM)]

    @property
    def breaks_down(self) -> bool:
        return self.section == "C" and self.number % _SECTION < _SECTION // 2


def compose(plan: Plan, seconds: float) -> Score:
    """A piece of at least ``seconds``."""
    score = Score()
    melody = Melody(plan)
    bars = int(seconds / (plan.steps * _step(plan))) + 1
    for number in range(bars):
        bar = _Bar(
            number=number,
            chord=plan.chords[number % len(plan.chords)],
            following=plan.chords[(number + 1) % len(plan.chords)],
            feel=tuple((0.9 + 0.16 * stream("feel", *plan.labels, number).random(plan.steps)).tolist()),
        )
        _play_drums(plan, bar, score.drums)
        _play_bass(plan, bar, score.bass)
        _play_chords(plan, bar, score.comp)
        _play_lead(plan, bar, melody, score.lead)
        _play_counter(plan, bar, score.counter)
    return score


def _step(plan: Plan) -> float:
    """Seconds of a sixteenth."""
    return 15 / plan.bpm


def _when(plan: Plan, bar: _Bar, step: int) -> float:
    """When a bar's sixteenth sounds, swing included."""
    unit = 2 if plan.eighths else 1
    late = plan.swing * unit if step // unit % 2 else 0.0
    return (bar.number * plan.steps + step + late) * _step(plan)


@lru_cache(maxsize=256)
def _events(line: str, steps: int, number: int) -> tuple[tuple[int, str, int], ...]:
    """A line's events in one bar: (step, symbol, sixteenths held). Lines may span several bars."""
    line = _whole_bars(line, steps)
    start = number * steps % len(line)
    events = []
    for step, symbol in enumerate(line[start : start + steps]):
        if symbol not in "-.":
            rest = line[start + step + 1 :]
            events.append((step, symbol, 1 + len(rest) - len(rest.lstrip("-"))))
    return tuple(events)


def _whole_bars(line: str, steps: int) -> str:
    """A line that fits bars of ``steps``: cut short where it was written for longer ones."""
    return line[:steps] if len(line) % steps else line


def _play_drums(plan: Plan, bar: _Bar, hits: list[Hit]) -> None:
    fill = _fill(plan, bar)
    last_beat = plan.steps - 4
    for drum, written in plan.beat.items():
        if bar.breaks_down and drum in ("kick", "snare", "clap", "taiko"):
            continue
        line = _whole_bars(written, plan.steps)
        start = bar.number * plan.steps % len(line)
        for step, symbol in enumerate(line[start : start + plan.steps]):
            replaced = drum in fill and step >= last_beat
            if symbol != "." and not replaced:
                hits.append(_hit(plan, bar, step, drum, symbol))
    for drum, line in fill.items():
        hits.extend(
            _hit(plan, bar, last_beat + step, drum, symbol)
            for step, symbol in enumerate(line)
            if symbol != "."
        )
    if bar.number and bar.number % _SECTION == 0 and {"kick", "snare"} <= plan.beat.keys():
        hits.append(_hit(plan, bar, 0, "crash", "o"))


def _hit(plan: Plan, bar: _Bar, step: int, drum: str, symbol: str) -> Hit:
    level = _ACCENTS[symbol] * bar.feel[step] * plan.drum_level
    return Hit(_when(plan, bar, step), drum, level)


def _fill(plan: Plan, bar: _Bar) -> dict[str, str]:
    """What ends a phrase; nothing in the other bars, and nothing where there is no snare."""
    if bar.number % 4 != 3 or not {"snare", "rim"} & plan.beat.keys():
        return {}
    choice = int(stream("fill", *plan.labels, bar.number).integers(len(_FILLS) + 1))
    return _FILLS[choice] if choice < len(_FILLS) else {}


def _play_bass(plan: Plan, bar: _Bar, notes: list[Note]) -> None:
    if plan.bass is None or (bar.breaks_down and plan.beat):
        return
    centre = min(tables().voices[plan.bass].centre, 45)
    root = harmony.near(plan.tonic + bar.chord[0], centre)
    target = harmony.near(plan.tonic + bar.following[0], root)
    pitches = {
        "r": root,
        "3": root + bar.chord[1] - bar.chord[0],
        "5": root + harmony.fifth(plan.scale, bar.chord),
        "8": root + 12,
        "w": target - harmony.step_below(plan.scale, bar.following[0]),
    }
    for step, symbol, held in _events(plan.bass_line, plan.steps, bar.number):
        length = held * _step(plan) * 0.96
        notes.append(Note(_when(plan, bar, step), length, pitches[symbol], bar.feel[step]))


def _play_chords(plan: Plan, bar: _Bar, notes: list[Note]) -> None:
    if plan.comp is None:
        return
    voice = tables().voices[plan.comp]
    centre = min(max(voice.centre, 55), 67)
    pitches = harmony.voicing(bar.chord, plan.tonic, centre)
    if voice.sound.fifth:
        pitches = [harmony.near(plan.tonic + bar.chord[0], 44)]
    share = 1 / len(pitches) ** 0.5
    for step, symbol, held in _events(plan.rhythm, plan.steps, bar.number):
        start, length = _when(plan, bar, step), held * _step(plan)
        if symbol.isdigit():
            octave, tone = divmod(int(symbol), len(pitches))
            notes.append(Note(start, length * 1.6, pitches[tone] + 12 * octave, 0.75 * bar.feel[step]))
            continue
        level = share * _ACCENTS[symbol] ** 0.6 * bar.feel[step]
        strummed = pitches if symbol == "x" else pitches[::-1]
        for index, pitch in enumerate(strummed):
            late = index * plan.strum
            notes.append(Note(start + late, max(length - late, 0.05), pitch, level))


def _play_lead(plan: Plan, bar: _Bar, melody: Melody, notes: list[Note]) -> None:
    if plan.lead is None:
        return
    for step, pitch, held in melody.bar(bar.number, bar.section, bar.chord):
        accent = 1.0 if step % 4 == 0 else 0.84
        length = held * _step(plan) * 0.98
        notes.append(Note(_when(plan, bar, step), length, pitch, accent * bar.feel[step]))


def _play_counter(plan: Plan, bar: _Bar, notes: list[Note]) -> None:
    """Long thirds and sevenths, or, for instruments whose notes die away, a broken chord."""
    if plan.counter is None:
        return
    voice = tables().voices[plan.counter]
    pitches = harmony.voicing(bar.chord, plan.tonic, voice.centre)
    if voice.life.seconds:
        line = tables().patterns.chords["broken three" if plan.steps == 12 else "arpeggio"]
        for step, symbol, held in _events(line, plan.steps, bar.number):
            octave, tone = divmod(int(symbol), len(pitches))
            pitch = pitches[tone] + 12 * octave
            notes.append(Note(_when(plan, bar, step), held * _step(plan) * 1.5, pitch, bar.feel[step]))
        return
    guide = bar.chord[3] if len(bar.chord) > 3 and bar.number % 2 else bar.chord[1]
    pitch = harmony.near(plan.tonic + guide, voice.centre)
    notes.append(Note(_when(plan, bar, 0), plan.steps * _step(plan) * 0.97, pitch, 1.0))
