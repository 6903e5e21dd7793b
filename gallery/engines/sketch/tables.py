"""The tables in ``data/``: genres, instruments, drum kits, rhythms, harmony and the words for them.

They are read once, when they are first needed, and checked as they are read. Where a
genre has several voices or rhythms, a sketch takes one.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Tempo(_Row):
    bpm: tuple[int, int]  # slowest and fastest usual tempo
    swing: float = 0.0  # how late off-beats are, as a share of their length
    eighths: bool = False  # the eighths swing instead of the sixteenths
    steps: int = 16  # sixteenths in a bar


class _Drums(_Row):
    kit: str = "acoustic"
    beats: tuple[str, ...] = ()


class _Bass(_Row):
    voices: tuple[str, ...] = ()
    lines: tuple[str, ...] = ("whole",)


class _Chords(_Row):
    voices: tuple[str, ...]
    rhythms: tuple[str, ...] = ("whole",)
    strum: float = 0.0  # seconds from one note of a chord to the next


class _Lead(_Row):
    voices: tuple[str, ...]
    tune: str = "song"  # a row of `tunes`, or `riff` (a bar over and over) or `arp`
    echo: float = 0.0  # level of its echo


class _Harmony(_Row):
    modes: tuple[str, ...] = ("major", "minor")
    family: str = "pop"  # of progressions
    tones: int = 3  # notes of a chord
    slow: bool = False  # a chord lasts two bars


class _Room(_Row):
    wet: float = 0.16  # level of the reverb
    seconds: float = 0.9  # length of the reverb, to -60 dB
    cutoff: float = 9000  # lowpass over all that is not drums and bass, Hz
    pump: float = 0.0  # how far each kick pushes the rest aside
    crackle: float = 0.0  # level of a record's crackle


class Genre(_Row):
    """What a genre wants of each part, and where it is heard."""

    tempo: _Tempo
    drums: _Drums = _Drums()
    bass: _Bass = _Bass()
    chords: _Chords
    lead: _Lead
    harmony: _Harmony = _Harmony()
    room: _Room = _Room()


class _Sound(_Row):
    slope: float = 1.2  # harmonic k has the level k**-slope
    even: float = 1.0  # level of the even harmonics: low for clarinets, square waves
    pluck: float = 0.0  # where along the string it is plucked, 0 to 0.5
    formants: tuple[tuple[float, float], ...] = ()  # resonances: (Hz, strength)
    partials: tuple[tuple[float, float], ...] = ()  # instead of harmonics: (ratio, level)
    spread: float = 0.0  # width of each harmonic in cents: a section, not a soloist
    mellow: float = 4.0  # harmonics well above this one make the edge
    edge: float = 1.0  # level of the edge
    breath: float = 0.0  # level of blown or bowed noise
    knock: float = 0.0  # level of a hammer's or pick's noise
    drive: float = 0.0  # distortion
    fifth: bool = False  # doubled a fifth above
    ceiling: float = 9000.0  # little above this, in Hz


class _Life(_Row):
    # How its notes go on, in seconds (to -60 dB) where nothing else is said.
    attack: float = 0.004
    seconds: float = 0.0  # decay; 0: the note sounds as long as it is held
    release: float = 0.08  # after it is let go
    edge_seconds: float = 0.0  # the edge's own decay; 0: it stays
    edge_attack: float = 0.0  # how late the edge blooms
    vibrato: float = 0.0  # in cents
    glide: float = 0.0  # semitones that the pitch falls at the start
    wobble: bool = False  # the edge comes and goes with the beat


class Voice(_Row):
    """An instrument: its spectrum, its notes' life, its comfortable range in MIDI pitches."""

    sound: _Sound = _Sound()
    life: _Life = _Life()
    range: tuple[int, int]
    role: Literal["bass", "chords", "tune", "either"] = "tune"

    @property
    def centre(self) -> int:
        """The middle of the comfortable range."""
        return sum(self.range) // 2


class Kit(_Row):
    """What tells one drum kit from another."""

    kick: float = 52.0  # Hz, where the kick's pitch settles
    kick_seconds: float = 0.35
    punch: float = 3.0  # how many times that the kick starts at
    snare: float = 190.0  # Hz
    snare_seconds: float = 0.22
    rattle: float = 0.8  # snare wires against drum
    hat: float = 7500.0  # Hz
    hat_seconds: float = 0.07
    room: float = 0.12  # level of the room around it
    dull: float = 0.0  # lowpass over everything, Hz; 0: none


class _Patterns(_Row):
    # Rhythms, in the notation that the table's head explains.
    beats: dict[str, dict[str, str]]
    extras: dict[str, str]
    chords: dict[str, str]
    basses: dict[str, str]
    tunes: dict[str, tuple[str, ...]]


class _Theory(_Row):
    minor: frozenset[str]  # the scales of the darker kind
    scales: dict[str, tuple[int, ...]]
    tunes: dict[str, tuple[int, ...]]
    progressions: dict[str, dict[str, tuple[tuple[int, ...], ...]]]


class Change(_Row):
    """What a word for a mood, a tempo or a sound changes."""

    modes: tuple[str, ...] = ()
    pace: float = 1.0  # factor of the tempo
    bright: float = 1.0  # factor of the lowpass
    energy: int = 0
    wet: float = 0.0
    echo: float = 0.0
    crackle: float = 0.0
    swing: float = 0.0


class _Colour(_Row):
    words: str
    change: Change


class _Words(_Row):
    genres: dict[str, str]
    instruments: dict[str, str]
    drums: dict[str, str]
    atmospheres: dict[str, str]
    colours: dict[str, _Colour]
    other: dict[str, str]
    hints: dict[str, str]  # the genre that an instrument suggests
    plain: dict[str, tuple[str, ...]]  # genres where nothing names one


class Tables(_Row):
    """Each a file, its rows by name."""

    genres: dict[str, Genre]
    voices: dict[str, Voice]
    kits: dict[str, Kit]
    patterns: _Patterns
    harmony: _Theory
    words: _Words


@cache
def tables() -> Tables:
    """All of them."""
    folder = files(__package__) / "data"
    texts = {name: (folder / f"{name}.toml").read_text(encoding="utf-8") for name in Tables.model_fields}
    return Tables.model_validate({name: tomllib.loads(text) for name, text in texts.items()})
