"""The tables in ``data/``: genres, instruments, rhythms and the words for them.

They are read once, when they are first needed, and checked as they are read.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tempo(_Row):
    """How a genre moves."""

    bpm: tuple[int, int] = Field(description="Slowest and fastest usual tempo.")
    swing: float = Field(0.0, description="How late off-beats are, as a share of their length.")
    eighths: bool = Field(False, description="The eighths swing instead of the sixteenths.")
    steps: int = Field(16, description="Sixteenths in a bar.")


class Drums(_Row):
    """A genre's drums."""

    kit: str = "acoustic"
    beats: tuple[str, ...] = ()


class Bass(_Row):
    """A genre's bass."""

    voices: tuple[str, ...] = ()
    lines: tuple[str, ...] = ("whole",)


class Chords(_Row):
    """A genre's accompaniment."""

    voices: tuple[str, ...]
    rhythms: tuple[str, ...] = ("whole",)
    strum: float = Field(0.0, description="Seconds from one note of a chord to the next.")


class Lead(_Row):
    """A genre's melody."""

    voices: tuple[str, ...]
    tune: str = Field("song", description="A row of `tunes`, or `riff` (a bar over and over) or `arp`.")
    echo: float = Field(0.0, description="Level of its echo.")


class Harmony(_Row):
    """A genre's scales and chords."""

    modes: tuple[str, ...] = ("major", "minor")
    family: str = Field("pop", description="Of progressions.")
    tones: int = Field(3, description="Notes of a chord.")
    slow: bool = Field(False, description="A chord lasts two bars.")


class Room(_Row):
    """Where a genre is heard."""

    wet: float = Field(0.16, description="Level of the reverb.")
    seconds: float = Field(0.9, description="Length of the reverb, to -60 dB.")
    cutoff: float = Field(9000, description="Lowpass over all that is not drums and bass, Hz.")
    pump: float = Field(0.0, description="How far each kick pushes the rest aside.")
    crackle: float = Field(0.0, description="Level of a record's crackle.")


class Genre(_Row):
    """What a genre wants. Where there are several voices or rhythms, a sketch takes one."""

    tempo: Tempo
    drums: Drums = Drums()
    bass: Bass = Bass()
    chords: Chords
    lead: Lead
    harmony: Harmony = Harmony()
    room: Room = Room()


class Sound(_Row):
    """An instrument's spectrum."""

    slope: float = Field(1.2, description="Harmonic k has the level k**-slope.")
    even: float = Field(1.0, description="Level of the even harmonics: low for clarinets, square waves.")
    pluck: float = Field(0.0, description="Where along the string it is plucked, 0 to 0.5.")
    formants: tuple[tuple[float, float], ...] = Field((), description="Resonances: (Hz, strength).")
    partials: tuple[tuple[float, float], ...] = Field((), description="Instead of harmonics: (ratio, level).")
    spread: float = Field(0.0, description="Width of each harmonic in cents: a section, not a soloist.")
    mellow: float = Field(4.0, description="Harmonics well above this one make the edge.")
    edge: float = Field(1.0, description="Level of the edge.")
    breath: float = Field(0.0, description="Level of blown or bowed noise.")
    knock: float = Field(0.0, description="Level of a hammer's or pick's noise.")
    drive: float = Field(0.0, description="Distortion.")
    fifth: bool = Field(False, description="Doubled a fifth above.")
    ceiling: float = Field(9000.0, description="Little above this, in Hz.")


class Life(_Row):
    """How an instrument's notes go on, in seconds (to -60 dB) where nothing else is said."""

    attack: float = 0.004
    seconds: float = Field(0.0, description="Decay; 0: the note sounds as long as it is held.")
    release: float = Field(0.08, description="After it is let go.")
    edge_seconds: float = Field(0.0, description="The edge's own decay; 0: it stays.")
    edge_attack: float = Field(0.0, description="How late the edge blooms.")
    vibrato: float = Field(0.0, description="In cents.")
    glide: float = Field(0.0, description="Semitones that the pitch falls at the start.")
    wobble: bool = Field(False, description="The edge comes and goes with the beat.")


class Voice(_Row):
    """An instrument. `range` is its comfortable one, in MIDI pitches."""

    sound: Sound = Sound()
    life: Life = Life()
    range: tuple[int, int]
    role: Literal["bass", "chords", "tune", "either"] = "tune"

    @property
    def centre(self) -> int:
        """The middle of the comfortable range."""
        return sum(self.range) // 2


class Patterns(_Row):
    """Rhythms, in the notation that the table's head explains."""

    beats: dict[str, dict[str, str]]
    extras: dict[str, str]
    chords: dict[str, str]
    basses: dict[str, str]
    tunes: dict[str, tuple[str, ...]]


class Change(_Row):
    """What a word for a mood, a tempo or a sound changes."""

    modes: tuple[str, ...] = ()
    pace: float = Field(1.0, description="Factor of the tempo.")
    bright: float = Field(1.0, description="Factor of the lowpass.")
    energy: int = 0
    wet: float = 0.0
    echo: float = 0.0
    crackle: float = 0.0
    swing: float = 0.0


@lru_cache(maxsize=1)
def genres() -> dict[str, Genre]:
    """Every genre by name."""
    return {name: Genre.model_validate(row) for name, row in read("genres").items()}


@lru_cache(maxsize=1)
def voices() -> dict[str, Voice]:
    """Every instrument by name."""
    return {name: Voice.model_validate(row) for name, row in read("voices").items()}


@lru_cache(maxsize=1)
def patterns() -> Patterns:
    """Every rhythm."""
    return Patterns.model_validate(read("patterns"))


@lru_cache(maxsize=8)
def read(name: str) -> dict[str, Any]:
    """A table as it is written; not to be changed."""
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))
