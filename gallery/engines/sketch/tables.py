"""The tables in ``data/``: genres, instruments, drums, rhythms, harmony and the words for them.

They are read once, when they are first needed, and checked as they are read. Where a
genre has several voices or rhythms, a sketch takes one.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

Names = tuple[str, ...]
Pair = tuple[float, float]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Genre(_Row):
    """What a genre wants of each part, and where it is heard."""

    bpm: tuple[int, int]  # slowest and fastest usual tempo
    swing: float = 0.0  # how late off-beats are, as a share of their length
    eighths: bool = False  # the eighths swing instead of the sixteenths
    steps: int = 16  # sixteenths in a bar
    kit: str = "acoustic"
    beats: Names = ()
    bass: Names = ()  # voices, as for the chords (comp) and the lead
    bass_lines: Names = ("whole",)
    comp: Names
    rhythms: Names = ("whole",)  # of the chords
    strum: float = 0.0  # seconds from one note of a chord to the next
    lead: Names
    tune: str = "song"  # a row of `tunes`, or `riff` (a bar over and over) or `arp`
    echo: float = 0.0  # level of the lead's echo
    modes: Names = ("major", "minor")
    family: str = "pop"  # of progressions
    tones: int = 3  # notes of a chord
    slow: bool = False  # a chord lasts two bars
    wet: float = 0.16  # level of the reverb
    room: float = 0.9  # seconds of reverb, to -60 dB
    cutoff: float = 9000  # lowpass over all that is not drums and bass, Hz
    pump: float = 0.0  # how far each kick pushes the rest aside
    crackle: float = 0.0  # level of a record's crackle


class Voice(_Row):
    """An instrument: its comfortable range in MIDI pitches, its spectrum, its notes' life in seconds."""

    range: tuple[int, int]
    role: Literal["bass", "chords", "tune", "either"] = "tune"
    slope: float = 1.2  # harmonic k has the level k**-slope
    even: float = 1.0  # level of the even harmonics: low for clarinets, square waves
    pluck: float = 0.0  # where along the string it is plucked, 0 to 0.5
    formants: tuple[Pair, ...] = ()  # resonances: (Hz, strength)
    partials: tuple[Pair, ...] = ()  # instead of harmonics: (ratio, level)
    spread: float = 0.0  # how far a section's players are apart, in cents; 0: a soloist
    mellow: float = 4.0  # harmonics well above this one make the edge
    breath: float = 0.0  # level of blown or bowed noise
    knock: float = 0.0  # level of a hammer's or pick's noise
    drive: float = 0.0  # distortion
    fifth: bool = False  # doubled a fifth above
    ceiling: float = 9000.0  # little above this, in Hz
    attack: float = 0.004
    seconds: float = 0.0  # decay to -60 dB; 0: the note sounds as long as it is held
    release: float = 0.08  # after it is let go
    edge_seconds: float = 0.0  # the edge's own decay; 0: it stays
    edge_attack: float = 0.0  # how late the edge blooms
    vibrato: float = 0.0  # in cents
    glide: float = 0.0  # semitones that the pitch falls at the start
    wobble: bool = False  # the edge comes and goes with the beat

    @property
    def centre(self) -> int:
        """The middle of the comfortable range."""
        return sum(self.range) // 2


class Drum(_Row):
    """A drum: tones whose pitch falls, a band of noise, and where it stands."""

    kit: Literal["kick", "snare", "cymbal", ""] = ""  # what a kit scales it by
    level: float  # beside the kick's
    pan: float = 0.0  # -1 left to 1 right
    tones: tuple[Pair, ...] = ()  # (Hz, level)
    seconds: float = 0.0  # to -60 dB
    bend: float = 1.0  # how many times its pitch it starts at
    noise: float = 0.0  # level
    band: Pair = (100, 1000)  # Hz
    noise_seconds: float = 0.0  # to -60 dB
    rise: float = 0.0  # seconds until the noise is loudest
    strokes: int = 1  # hands that clap, one after another
    drive: float = 0.0  # distortion


class Kit(_Row):
    """What tells a drum kit from the plain one: factors of (pitch, length, bend and noise)."""

    kick: tuple[float, float, float] = (1, 1, 1)
    snare: tuple[float, float, float] = (1, 1, 1)
    cymbal: tuple[float, float, float] = (1, 1, 1)
    room: float = 0.12  # level of the room around it
    dull: float = 0.0  # lowpass over everything, Hz; 0: none


class Place(_Row):
    """A sound beneath the music: noise that swells, and chirps."""

    band: Pair  # of the noise, Hz
    bed: float  # its level
    swell: float = 0.0  # how far it goes down, 0 to 1
    turn: float = 1.0  # seconds from a swell to the next
    chirps: int = 0  # a second
    pitch: Pair = (1000, 2000)  # of the chirps, Hz
    rise: float = 1.0  # how many times its pitch a chirp ends at
    seconds: float = 0.1  # of a chirp
    chirp: float = 0.0  # its level


class _Patterns(_Row):
    # Rhythms, in the notation that the table's head explains.
    fills: tuple[dict[str, str], ...]
    arpeggios: Names
    beats: dict[str, dict[str, str]]
    extras: dict[str, str]
    chords: dict[str, str]
    basses: dict[str, str]
    tunes: dict[str, Names]


class _Theory(_Row):
    minor: frozenset[str]  # the scales of the darker kind
    scales: dict[str, tuple[int, ...]]
    tunes: dict[str, tuple[int, ...]]
    progressions: dict[str, dict[str, tuple[tuple[int, ...], ...]]]


class Colour(_Row):
    """What words for a mood, a tempo or a sound change."""

    words: str = ""
    modes: Names = ()
    pace: float = 1.0  # factor of the tempo
    bright: float = 1.0  # factor of the lowpass
    energy: int = 0
    wet: float = 0.0
    echo: float = 0.0
    crackle: float = 0.0
    swing: float = 0.0


class _Words(_Row):
    genres: dict[str, str]
    instruments: dict[str, str]
    drums: dict[str, str]
    places: dict[str, str]
    colours: dict[str, Colour]
    other: dict[str, str]
    hints: dict[str, str]  # the genre that an instrument suggests
    plain: dict[str, Names]  # genres where nothing names one


class Tables(_Row):
    """Each a file, its rows by name."""

    genres: dict[str, Genre]
    voices: dict[str, Voice]
    drums: dict[str, Drum]
    kits: dict[str, Kit]
    places: dict[str, Place]
    patterns: _Patterns
    harmony: _Theory
    words: _Words


@cache
def tables() -> Tables:
    """All of them."""
    folder = files(__package__) / "data"
    texts = {name: (folder / f"{name}.toml").read_text(encoding="utf-8") for name in Tables.model_fields}
    return Tables.model_validate({name: tomllib.loads(text) for name, text in texts.items()})
