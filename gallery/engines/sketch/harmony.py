"""Scales, chord progressions and voicings. Pitches are MIDI numbers."""

from __future__ import annotations

from gallery.engines.sketch.tables import tables


def progressions(family: str, scale: str) -> tuple[tuple[int, ...], ...]:
    """The progressions of a family that suit a scale, each a tuple of degrees."""
    theory = tables().harmony
    return theory.progressions[family]["minor" if scale in theory.minor else "major"]


def degree(scale: str, step: int) -> int:
    """Semitones above the tonic of a scale's step, which may be beyond the octave."""
    steps = tables().harmony.scales[scale]
    return steps[step % len(steps)] + 12 * (step // len(steps))


def chord(scale: str, step: int, tones: int) -> tuple[int, ...]:
    """A chord on a scale's step: every second note, as semitones above the tonic."""
    if len(tables().harmony.scales[scale]) == 5:
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
    theory = tables().harmony
    steps = theory.tunes.get(scale, theory.scales[scale])
    base = near(root, centre)
    return [base + octave + step for octave in (-24, -12, 0, 12) for step in steps]


def fifth(scale: str, chord_tones: tuple[int, ...]) -> int:
    """Semitones from a chord's root to the note that sounds most like its fifth."""
    if (chord_tones[0] + 7) % 12 in tables().harmony.scales[scale]:
        return 7
    return chord_tones[2] - chord_tones[0]


def step_below(scale: str, tone: int) -> int:
    """Semitones down from a tone to the scale's next one, at most two."""
    return 1 if (tone - 1) % 12 in tables().harmony.scales[scale] else 2
