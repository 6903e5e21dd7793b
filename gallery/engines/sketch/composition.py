"""From decisions to notes: drums, bass, chords, melody and a counter-melody, bar by bar.

A bar depends on the plan and on its own number, never on how long the clip is: a
longer clip begins like a shorter one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import stream

if TYPE_CHECKING:
    import numpy as np

    from gallery.engines.sketch.plan import Plan
    from gallery.engines.sketch.tables import Voice

_FORM = "AABACABB"  # a letter for every eight bars; C begins without kick and bass
_SECTION = 8

# How a tune moves from note to note, in steps of its scale, and where it turns back.
_MOVES = (-2, -1, -1, -1, -1, 0, 1, 1, 1, 1, 2, 3)
_LOWEST, _HIGHEST = -4, 5

# A bar of a tune: (step, scale steps from the middle, sixteenths held).
_Contour = list[tuple[int, int, int]]

_ACCENTS = {"x": 1.0, "o": 0.62, ",": 0.34}


class Note(NamedTuple):
    """Start and length in seconds, level 0 to 1, MIDI pitch (no drum's)."""

    start: float
    seconds: float
    level: float
    pitch: int


# Each part's notes, by the part's name and the voice's or drum's.
Score = dict[tuple[str, str], list[Note]]


def compose(plan: Plan, seconds: float) -> Score:
    """A piece of at least ``seconds``."""
    score: Score = defaultdict(list)
    tunes = {letter: _tune(plan, letter) for letter in "AB"}
    for number in range(int(seconds * plan.bpm / 15 / plan.steps) + 1):
        bar = _Bar(plan, number, tunes)
        for drum, strokes in bar.drums().items():
            score["drums", drum] += strokes
        for part, player in plan.players.items():
            if player:
                score[part, player] += getattr(bar, part)(tables().voices[player])
    return score


class _Bar:
    """One bar: what is fixed for all of its parts, and each part's notes."""

    def __init__(self, plan: Plan, number: int, tunes: dict[str, list[_Contour]]) -> None:
        self.plan, self.number = plan, number
        self.chord = plan.chords[number % len(plan.chords)]
        self.following = plan.chords[(number + 1) % len(plan.chords)]
        # How strongly each sixteenth is played, about 1.
        self.feel = (0.9 + 0.16 * stream("feel", *plan.labels, number).random(plan.steps)).tolist()
        section = _FORM[number // _SECTION % len(_FORM)]
        self.tune = tunes["B" if section == "B" else "A"][number % 4]
        self.sparse = section == "C" and number % _SECTION < _SECTION // 2 and bool(plan.beat)

    def note(self, step: int, held: float, pitch: int, level: float = 1.0, late: float = 0.0) -> Note:
        """A note of so many sixteenths, swung, and ``late`` by some seconds."""
        unit, sixteenth = 2 if self.plan.genre.eighths else 1, 15 / self.plan.bpm
        swing = self.plan.genre.swing * unit if step // unit % 2 else 0.0
        start = (self.number * self.plan.steps + step + swing) * sixteenth + late
        return Note(start, max(held * sixteenth - late, 0.05), level * self.feel[step], pitch)

    def events(self, line: str, symbols: str = "[^.-]-*") -> list[tuple[int, str, int]]:
        """A line's events in this bar: (step, symbol, sixteenths held). It may span several bars."""
        steps = self.plan.steps
        if len(line) % steps:  # Written for longer bars.
            line = line[:steps]
        start = self.number * steps % len(line)
        events = [(event.start() - start, event[0][0], len(event[0])) for event in re.finditer(symbols, line)]
        return [event for event in events if 0 <= event[0] < steps]

    def broken(self, pitches: list[int], line: str, held: float, level: float = 1.0) -> list[Note]:
        """Single notes of a chord; higher digits go on in the next octave."""
        count = len(pitches)
        return [
            self.note(step, held * length, pitches[int(digit) % count] + 12 * (int(digit) // count), level)
            for step, digit, length in self.events(line, r"\d-*")
        ]

    def drums(self) -> dict[str, list[Note]]:
        """The beat; a fill at the end of a phrase; a cymbal where a section begins."""
        plan, fills, fill = self.plan, tables().patterns.fills, {}
        if self.number % 4 == 3 and {"snare", "rim"} & plan.beat.keys():
            fill = fills[int(stream("fill", *plan.labels, self.number).integers(len(fills)))]
        strokes = {
            drum: [self.note(step, 0, 0, _ACCENTS[symbol]) for step, symbol, _ in self.events(line)]
            for drum, line in plan.beat.items()
            if not (self.sparse and drum in ("kick", "snare", "clap", "taiko"))
        }
        for drum, line in fill.items():
            rest = "." * (plan.steps - 4) + line
            strokes[drum] = [self.note(step, 0, 0, _ACCENTS[symbol]) for step, symbol, _ in self.events(rest)]
        if self.number and self.number % _SECTION == 0 and {"kick", "snare"} <= plan.beat.keys():
            strokes["crash"] = [self.note(0, 0, 0, _ACCENTS["o"])]
        return strokes

    def bass(self, voice: Voice) -> list[Note]:
        """The bass line on this bar's chord."""
        plan, chord, following = self.plan, self.chord, self.following[0]
        scale = tables().harmony.scales[plan.scale]
        root = _near(plan.tonic + chord[0], min(voice.centre, 45))
        pitches = {
            "r": root,
            "3": root + chord[1] - chord[0],
            "5": root + (7 if (chord[0] + 7) % 12 in scale else chord[2] - chord[0]),
            "8": root + 12,
            "w": _near(plan.tonic + following, root) - (1 if (following - 1) % 12 in scale else 2),
        }
        events = [] if self.sparse else self.events(tables().patterns.basses[plan.bass_line])
        return [self.note(step, held * 0.96, pitches[symbol]) for step, symbol, held in events]

    def comp(self, voice: Voice) -> list[Note]:
        """The chords: struck together, or broken."""
        line = tables().patterns.chords[self.plan.rhythm]
        pitches = _voicing(self.chord, self.plan.tonic, min(max(voice.centre, 55), 67))
        if voice.fifth:
            pitches = [_near(self.plan.tonic + self.chord[0], 44)]
        level, strum = len(pitches) ** -0.5, self.plan.genre.strum
        struck = [
            self.note(step, held, pitch, level * _ACCENTS[symbol] ** 0.6, index * strum)
            for step, symbol, held in self.events(line, "[xo]-*")
            for index, pitch in enumerate(pitches if symbol == "x" else pitches[::-1])
        ]
        return struck + self.broken(pitches, line, 1.6, 0.75)

    def lead(self, voice: Voice) -> list[Note]:
        """The tune, above the chords where the instrument reaches that high."""
        plan, centre = self.plan, min(max(voice.centre, min(69, voice.range[1] - 9)), 84)
        if plan.tune == "arp":
            lines = tables().patterns.arpeggios
            line = lines[int(stream("arpeggio", *plan.labels).integers(len(lines)))]
            return self.broken(_voicing(self.chord, plan.tonic, centre), line, 0.98)
        theory, tonic = tables().harmony, _near(plan.tonic, centre)
        steps = theory.tunes.get(plan.scale, theory.scales[plan.scale])
        ladder = [tonic + octave + step for octave in (-24, -12, 0, 12) for step in steps]
        notes = []
        for step, height, held in self.tune:
            pitch = middle = ladder[min(max(len(ladder) // 2 + height, 0), len(ladder) - 1)]
            if step % 8 == 0 or held >= 4:  # Notes that are dwelt on are the chord's.
                pitch = min(_voicing(self.chord, plan.tonic, pitch), key=lambda tone: abs(tone - middle))
            notes.append(self.note(step, held * 0.98, pitch, 1.0 if step % 4 == 0 else 0.84))
        return notes

    def counter(self, voice: Voice) -> list[Note]:
        """A broken chord, or, for instruments whose notes don't die away, long thirds and sevenths."""
        if voice.seconds:
            line = tables().patterns.chords["broken three" if self.plan.steps == 12 else "arpeggio"]
            return self.broken(_voicing(self.chord, self.plan.tonic, voice.centre), line, 1.5)
        guide = self.chord[3] if len(self.chord) > 3 and self.number % 2 else self.chord[1]
        return [self.note(0, self.plan.steps * 0.97, _near(self.plan.tonic + guide, voice.centre))]


def _near(pitch_class: int, centre: int) -> int:
    """The pitch of a class that is nearest to ``centre``."""
    low = centre - 6
    return low + (pitch_class - low) % 12


def _voicing(chord: tuple[int, ...], tonic: int, centre: int) -> list[int]:
    """A chord's pitches, low to high, all in one octave, which makes each voice move by small steps."""
    return sorted({_near(tonic + tone, centre) for tone in chord})


def _tune(plan: Plan, letter: str) -> list[_Contour]:
    """A phrase of four bars: a motif, its variation, an answer and an end."""
    dice = stream("tune", letter, *plan.labels)
    rows = tables().patterns.tunes.get(plan.tune) or tables().patterns.tunes["song"]
    motif, answer, ending = (
        _contour(rows[row][: plan.steps], dice) for row in dice.permutation(len(rows))[:3]
    )
    turn = int(dice.choice((-2, -1, 1, 2)))
    # The variation's last notes go elsewhere; the end comes to rest on a long note.
    varied = motif[:-2] + [(step, level + turn, held) for step, level, held in motif[-2:]]
    if plan.tune == "riff":
        return [motif, motif, motif, varied]
    ending = [*(note for note in ending if note[0] < 8), (8, 0, plan.steps - 8)]
    return [motif, varied, answer, ending] if dice.random() < 0.5 else [motif, answer, varied, ending]


def _contour(rhythm: str, dice: np.random.Generator) -> _Contour:
    """A wandering line on a rhythm."""
    level = int(dice.integers(-1, 3))
    contour: _Contour = []
    for note in re.finditer("x-*", rhythm):
        contour.append((note.start(), level, len(note[0])))
        level += _MOVES[int(dice.integers(len(_MOVES)))]
        # Turn back at the edges instead of lingering there.
        level = max(min(level, 2 * _HIGHEST - level), 2 * _LOWEST - level)
    return contour
