"""Scales, chord progressions and voicings. Pitches are MIDI numbers."""

from __future__ import annotations

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "harmonic": (0, 2, 3, 5, 7, 8, 11),
    "flamenco": (0, 1, 4, 5, 7, 8, 10),
    "arabic": (0, 1, 4, 5, 7, 8, 11),
    "hirajoshi": (0, 2, 3, 7, 8),
    "insen": (0, 1, 5, 7, 10),
    "pelog": (0, 1, 3, 7, 8),
    "blues": (0, 2, 4, 5, 7, 9, 10),
}

# What melodies walk on: fewer notes where that keeps every note agreeable over every chord.
_TUNES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 7, 9),
    "minor": (0, 3, 5, 7, 10),
    "dorian": (0, 2, 3, 5, 7, 10),
    "lydian": (0, 2, 4, 6, 7, 9),
    "mixolydian": (0, 2, 4, 7, 9),
    "harmonic": (0, 2, 3, 5, 7, 8),
    "blues": (0, 3, 4, 7, 9, 10),
}

_MINOR = frozenset(("minor", "dorian", "phrygian", "harmonic", "hirajoshi", "insen", "pelog"))

# Chord roots as degrees of the scale, counted from 0; for major-like and minor-like scales.
_PROGRESSIONS: dict[str, tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]] = {
    "pop": (
        ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 5, 4), (3, 0, 4, 5), (0, 2, 3, 4)),
        ((0, 5, 2, 6), (0, 6, 5, 6), (0, 2, 6, 3), (0, 5, 3, 6), (0, 3, 5, 6), (5, 6, 0, 0)),
    ),
    "jazz": (
        ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (3, 2, 1, 0)),
        ((0, 3, 6, 2), (0, 5, 1, 4), (3, 6, 2, 5), (0, 3, 0, 4)),
    ),
    "loop": (
        ((0, 3), (0, 4, 3, 3), (0, 6, 3, 0), (0, 0, 3, 4)),
        ((0, 3), (0, 6), (0, 0, 5, 6), (0, 0, 3, 0)),
    ),
    "still": (((0, 0, 0, 3), (0,), (0, 0, 4, 3)), ((0,), (0, 0, 0, 6), (0, 0, 5, 5))),
    "blues": (((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4)),) * 2,
    "classical": (
        ((0, 3, 4, 0), (0, 5, 1, 4), (0, 4, 5, 2, 3, 0, 3, 4), (0, 1, 4, 0)),
        ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 0, 3), (0, 3, 6, 2, 5, 1, 4, 0)),
    ),
    "film": (
        ((0, 4, 1, 3), (0, 2, 5, 3), (5, 3, 0, 4), (0, 3, 0, 4)),
        ((0, 5, 2, 6), (0, 5, 3, 4), (0, 2, 5, 6), (0, 3, 5, 4)),
    ),
    "cadence": (((3, 2, 1, 0), (0, 1, 0, 1), (0, 1, 2, 1)), ((0, 6, 5, 4), (3, 2, 1, 0), (0, 1, 0, 6))),
}


def is_minor(scale: str) -> bool:
    """Whether a scale is of the darker kind."""
    return scale in _MINOR


def progressions(family: str, scale: str) -> tuple[tuple[int, ...], ...]:
    """The progressions of a family that suit a scale, each a tuple of degrees."""
    return _PROGRESSIONS[family][is_minor(scale)]


def degree(scale: str, step: int) -> int:
    """Semitones above the tonic of a scale's step, which may be beyond the octave."""
    steps = SCALES[scale]
    return steps[step % len(steps)] + 12 * (step // len(steps))


def chord(scale: str, step: int, tones: int) -> tuple[int, ...]:
    """A chord on a scale's step: every second note, as semitones above the tonic."""
    if len(SCALES[scale]) == 5:
        tones = min(tones, 3)
    return tuple(degree(scale, step + 2 * index) for index in range(tones))


def voicing(chord_tones: tuple[int, ...], root: int, centre: int) -> list[int]:
    """A chord's pitches, low to high, all within the octave around ``centre``.

    Keeping every chord in one octave makes each voice move by small steps.
    """
    low = centre - 6
    return sorted({low + (root + tone - low) % 12 for tone in chord_tones})


def near(pitch_class: int, centre: int) -> int:
    """The pitch of a class that is nearest to ``centre``."""
    low = centre - 6
    return low + (pitch_class - low) % 12


def ladder(scale: str, root: int, centre: int) -> list[int]:
    """The pitches that melodies walk on, low to high; its middle is the tonic nearest to ``centre``."""
    steps = _TUNES.get(scale, SCALES[scale])
    base = near(root, centre)
    return [base + octave + step for octave in (-24, -12, 0, 12) for step in steps]


def fifth(scale: str, chord_tones: tuple[int, ...]) -> int:
    """Semitones from a chord's root to the note that sounds most like its fifth."""
    if (chord_tones[0] + 7) % 12 in SCALES[scale]:
        return 7
    return chord_tones[2] - chord_tones[0]


def step_below(scale: str, tone: int) -> int:
    """Semitones down from a tone to the scale's next one, at most two."""
    return 1 if (tone - 1) % 12 in SCALES[scale] else 2
