"""Melodies: phrases of four bars, made of a motif, its variation, an answer and an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.engines.sketch import harmony
from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import stream

if TYPE_CHECKING:
    import numpy as np

    from gallery.engines.sketch.plan import Plan

# How a contour moves from note to note, in steps of the melody's scale.
_MOVES = (-2, -1, -1, -1, -1, 0, 1, 1, 1, 1, 2, 3)
_LOWEST, _HIGHEST = -4, 5

_ARPEGGIOS = (
    "0120321032103210",
    "0213021302130213",
    "0.120.120.120.12",
    "3210321032103210",
    "01.201.201.20123",
)

# A contour is a list of (step, scale steps from the middle, sixteenths held).
_Contour = list[tuple[int, int, int]]


class Melody:
    """A plan's tune. Each letter of the form has its own phrase."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._phrases: dict[str, list[_Contour]] = {}
        voice = tables().voices[plan.lead or "piano"]
        # Above the chords, where the instrument reaches that high.
        self._centre = min(max(voice.centre, min(69, voice.range[1] - 9)), 84)
        self._ladder = harmony.ladder(plan.scale, plan.tonic, self._centre)

    def bar(self, number: int, section: str, chord: tuple[int, ...]) -> list[tuple[int, int, int]]:
        """A bar's notes: (step, MIDI pitch, sixteenths held)."""
        if self._plan.tune == "arp":
            return self._arpeggio(chord)
        phrase = self._phrase(section)
        # Counted from the tonic, so that the tune is the same for an instrument of another range.
        middle = len(self._ladder) // 2
        notes = []
        for step, contour, held in phrase[number % 4]:
            pitch = self._ladder[min(max(middle + contour, 0), len(self._ladder) - 1)]
            if step % 8 == 0 or held >= 4:
                pitch = self._nearest(chord, pitch)
            notes.append((step, pitch, held))
        return notes

    def _nearest(self, chord: tuple[int, ...], pitch: int) -> int:
        """The chord's note that is nearest to ``pitch``."""
        candidates = [harmony.near(self._plan.tonic + tone, pitch) for tone in chord]
        return min(candidates, key=lambda candidate: (abs(candidate - pitch), candidate))

    def _arpeggio(self, chord: tuple[int, ...]) -> list[tuple[int, int, int]]:
        dice = stream("arpeggio", *self._plan.tune_labels)
        line = _ARPEGGIOS[int(dice.integers(len(_ARPEGGIOS)))][: self._plan.steps]
        pitches = harmony.voicing(chord, self._plan.tonic, self._centre)
        pitches += [pitches[0] + 12]
        return [(step, pitches[int(tone) % len(pitches)], 1) for step, tone in enumerate(line) if tone != "."]

    def _phrase(self, section: str) -> list[_Contour]:
        letter = "B" if section == "B" else "A"
        if letter not in self._phrases:
            self._phrases[letter] = self._invent(stream("tune", letter, *self._plan.tune_labels))
        return self._phrases[letter]

    def _invent(self, dice: np.random.Generator) -> list[_Contour]:
        riff = self._plan.tune == "riff"
        rows = tables().patterns.tunes["song" if riff else self._plan.tune]
        rhythms = [rows[int(index)] for index in dice.permutation(len(rows))]
        motif = self._contour(rhythms[0], dice)
        varied = _varied(motif, dice)
        if riff:
            return [motif, motif, motif, varied]
        answer = self._contour(rhythms[1], dice)
        ending = self._ended(self._contour(rhythms[2], dice))
        return [motif, varied, answer, ending] if dice.random() < 0.5 else [motif, answer, varied, ending]

    def _contour(self, rhythm: str, dice: np.random.Generator) -> _Contour:
        """A wandering line on a rhythm."""
        rhythm = rhythm[: self._plan.steps]
        level = int(dice.integers(-1, 3))
        contour: _Contour = []
        for step, symbol in enumerate(rhythm):
            if symbol != "x":
                continue
            held = 1
            while step + held < len(rhythm) and rhythm[step + held] == "-":
                held += 1
            contour.append((step, level, held))
            level += _MOVES[int(dice.integers(len(_MOVES)))]
            # Turn back at the edges instead of lingering there.
            level = min(level, 2 * _HIGHEST - level)
            level = max(level, 2 * _LOWEST - level)
        return contour

    def _ended(self, contour: _Contour) -> _Contour:
        """A contour that comes to rest in the middle of the range on a long note."""
        kept = [note for note in contour if note[0] < 8]
        return [*kept, (8, 0, self._plan.steps - 8)]


def _varied(motif: _Contour, dice: np.random.Generator) -> _Contour:
    """A motif whose last notes go elsewhere."""
    turn = int(dice.integers(1, 3)) * (1 if dice.random() < 0.5 else -1)
    keep = max(1, len(motif) - 2)
    return [
        (step, level + (turn if index >= keep else 0), held)
        for index, (step, level, held) in enumerate(motif)
    ]
