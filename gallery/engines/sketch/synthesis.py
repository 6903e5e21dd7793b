"""Every sound that a sketch can play, from the numbers of its row: voices, drums, places."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gallery.engines.sketch import waves
from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import Wave, as_wave, decay, fade, noise, stream, time

if TYPE_CHECKING:
    from gallery.engines.sketch.tables import Place, Voice

# Notes are kept in these lengths (seconds), so that few differ and most are found again.
_LENGTHS = (0.3, 0.7, 1.4, 2.8, 5.6, 8.0)

# Samples of a section's loop; two seconds at 32 kHz.
_SECTION = 1 << 16

# A section's players, beside the one who keeps to the pitch, and the level of each:
# more makes it less steady.
_PLAYERS, _PLAYER = 8, 0.2

# The level (RMS of its first part) that every note is brought to, and the highest peak
# of those that are over before that.
_LEVEL, _HIGHEST = 0.12, 0.42


def play(name: str, pitch: int, seconds: float, rate: int, beat: float, side: int = 0) -> Wave:
    """One note, held for ``seconds``, with its release: a new array [samples].

    ``beat`` is the length of a beat, for voices that move with it. A section's
    ``side`` 1 is the same note from other players, for the other ear.
    """
    voice = tables().voices[name]
    low, high = voice.range
    pitch = low + (pitch - low) % 12 if pitch < low else min(pitch, high - (high - pitch) % 12)
    ring = seconds + voice.release
    kept = next((length for length in _LENGTHS if length >= ring), _LENGTHS[-1])
    note = _note(name, pitch, kept, rate, beat if voice.wobble else 0, side)[: int(ring * rate)].copy()
    fade(note, 0, int(min(voice.release, ring) * rate))
    return note


@lru_cache(maxsize=256)
def _note(name: str, pitch: int, seconds: float, rate: int, beat: float, side: int) -> Wave:
    """A note as long as it is kept."""
    voice = tables().voices[name]
    samples, hz = int(seconds * rate), 440.0 * 2.0 ** ((pitch - 69) / 12)
    wave = _body(voice, hz, samples, rate, beat, stream("players", name, pitch, side))
    if voice.breath:
        wave += voice.breath * noise(stream("breath", pitch), samples, rate, (hz, hz * 3))
    if voice.seconds:  # High notes die sooner.
        wave *= decay(samples, rate, voice.seconds * (262 / hz) ** 0.4)
    if voice.knock:
        length = min(samples, rate // 20)
        thud = noise(stream("knock"), length, rate, (60, 1200)) * decay(length, rate, 0.035)
        wave[:length] += thud * np.float32(3 * voice.knock * np.abs(wave).max())
    if voice.drive:
        wave *= voice.drive / (np.abs(wave).max() + 1e-9)
        wave = waves.smooth(np.tanh(wave), rate, voice.ceiling)
    start = int(voice.attack * rate)
    fade(wave, start, 0)
    heard = wave[start : start + rate // 4]
    wave *= min(_LEVEL / (np.sqrt(np.mean(heard**2)) + 1e-9), _HIGHEST / (np.abs(wave).max() + 1e-9))
    wave.flags.writeable = False
    return wave


def _body(voice: Voice, hz: float, samples: int, rate: int, beat: float, dice: np.random.Generator) -> Wave:
    """The sound before its envelope; the upper harmonics, its edge, may have a life of their own."""
    ratios, levels = _spectrum(voice, hz, rate)
    seconds = time(samples, rate)
    sway = _sway(voice, hz, seconds, rate)

    def sound(levels: Wave, transposed: float = 1) -> Wave:
        if voice.spread or voice.partials:
            return np.resize(_section(ratios * np.float32(hz / rate), levels, voice.spread, dice), samples)
        return waves.oscillate(waves.cycle(levels), hz * transposed, samples, rate, sway)

    if not (voice.edge_seconds or voice.edge_attack or voice.wobble):
        wave = sound(levels)
    else:
        share = as_wave(1 / (1 + (ratios / voice.mellow) ** 3))
        wave, edge = sound(levels * share), sound(levels * (1 - share))
        if voice.edge_seconds:
            edge *= decay(samples, rate, voice.edge_seconds) * np.float32(0.9) + np.float32(0.1)
        if voice.edge_attack:
            edge *= 1 - np.exp(seconds * np.float32(-1 / voice.edge_attack))
        if voice.wobble:
            edge *= np.float32(1.4) * (0.5 - 0.5 * np.cos(seconds * np.float32(4 * np.pi / beat))) ** 2
        wave += edge
    if voice.fifth:
        wave += np.float32(0.8) * sound(levels, 1.4983)
    return wave


def _spectrum(voice: Voice, hz: float, rate: int) -> tuple[Wave, Wave]:
    """Ratios to the fundamental, and levels, of what the voice sounds below its ceiling."""
    top = min(voice.ceiling * 1.6, 0.45 * rate) / hz
    if voice.partials:
        ratios, levels = as_wave([pair for pair in voice.partials if pair[0] < top]).reshape(-1, 2).T
        return ratios, levels
    order = np.arange(1, min(400, max(2, int(top) + 1)), dtype=np.float32)
    levels = order**-voice.slope
    levels[1::2] *= voice.even
    if voice.pluck:
        levels *= np.abs(np.sin(np.pi * order * voice.pluck)) + 0.05
    if voice.formants:
        levels *= 0.5 + sum(
            strength / (1 + ((order * hz - centre) / (0.25 * centre)) ** 2)
            for centre, strength in voice.formants
        )
    return order, as_wave(levels / np.sqrt(1 + (order * hz / voice.ceiling) ** 6))


def _section(cycles: Wave, levels: Wave, spread: float, dice: np.random.Generator) -> Wave:
    """A loop of partials (in cycles a sample), each played by several players, somewhat apart."""
    apart = [0.0, *dice.standard_normal(_PLAYERS if spread else 0)]
    bins = np.rint(np.outer(cycles * _SECTION, np.exp2(np.multiply(apart, spread / 1200)))).astype(np.int64)
    lines = np.outer(levels, np.where(apart, _PLAYER, 1)) * np.exp(2j * np.pi * dice.random(bins.shape))
    spectrum = np.zeros(_SECTION // 2 + 1, dtype=np.complex64)
    np.add.at(spectrum, np.minimum(bins, _SECTION // 2), lines.astype(np.complex64))
    return as_wave(np.fft.irfft(spectrum * np.float32(_SECTION / 2), _SECTION))


def _sway(voice: Voice, hz: float, seconds: Wave, rate: int) -> Wave | None:
    """What vibrato and glide add to the phase, in cycles."""
    if not (voice.vibrato or voice.glide):
        return None
    late = np.clip((seconds - 0.15) * 4, 0, 1)
    cents = late * np.float32(voice.vibrato) * waves.oscillate(waves.SINE, 5.3, len(seconds), rate)
    cents += np.float32(100 * voice.glide) * np.exp(seconds * np.float32(-1 / 0.035))
    bend = (np.exp2(cents / 1200) - 1) * np.float32(hz / rate)
    return as_wave(np.cumsum(bend, dtype=np.float64))


@lru_cache(maxsize=160)
def strike(name: str, kit_name: str, rate: int) -> Wave:
    """One stroke of a drum [samples], peak at its level, its room included."""
    drum, kit = tables().drums[name], tables().kits[kit_name]
    pitch, length, bite = getattr(kit, drum.kit) if drum.kit else (1, 1, 1)
    seconds, noise_seconds = drum.seconds * length, drum.noise_seconds * length
    samples = int(max(seconds, noise_seconds) * rate)
    at = time(samples, rate)
    fall = 1 + np.float32(drum.bend * bite - 1) * np.exp(at * np.float32(-1 / 0.022))
    wave = np.zeros(samples, dtype=np.float32)
    for hz, level in drum.tones:
        wave += level * waves.sweep(hz * pitch * fall, rate) * decay(samples, rate, seconds)
    if drum.noise:
        low, high = drum.band
        hiss = noise(stream("drum", name, kit_name), samples, rate, (low * pitch, high * pitch))
        hiss *= decay(samples, rate, noise_seconds) * np.float32(drum.noise * bite)
        fade(hiss, int(drum.rise * rate), 0)
        for hand in range(drum.strokes):
            late = int(0.011 * hand * rate)
            wave[late:] += hiss[: samples - late]
    if drum.drive:
        wave = np.tanh(drum.drive * wave)
    # A few soft early reflections; cheaper than a reverb and enough for drums.
    soft = waves.smooth(wave, rate, 3000) * np.float32(kit.room)
    wave = np.pad(wave, (0, rate // 8))
    for seconds, level in ((0.013, 1), (0.021, -0.8), (0.034, 0.64), (0.067, -0.5), (0.12, 0.3)):
        wave[int(seconds * rate) :][: len(soft)] += np.float32(level) * soft
    if kit.dull:
        wave = waves.smooth(wave, rate, kit.dull)
    wave *= drum.level / (np.abs(wave).max() + 1e-9)
    fade(wave, 0, rate // 40)
    wave.flags.writeable = False
    return wave


def place(row: Place, labels: tuple[object, ...], samples: int, rate: int, channels: int) -> Wave:
    """A place's sounds, [channels, samples]."""
    # Loops of one length, so that a longer clip begins like a shorter one.
    loops = [noise(stream(*labels, side), waves.LOOP, rate, row.band) for side in range(channels)]
    audio = np.stack([np.resize(loop, samples) for loop in loops]) * np.float32(row.bed)
    if row.swell:
        knots = stream(*labels, "swell").random(int(samples / rate / row.turn) + 2)
        turns = np.arange(samples) / (rate * row.turn)
        audio *= as_wave(1 - row.swell * np.interp(turns, np.arange(len(knots)), knots))
    length = int(row.seconds * rate)
    pitches = np.geomspace(*row.pitch, 8)[:, None] * np.linspace(1, row.rise, length)
    chirps = as_wave(waves.sweep(as_wave(pitches), rate) * np.hanning(length))
    for second in range(-(-samples // rate) if row.chirps else 0):
        for start, pitch, pan in stream(*labels, "chirps", second).random((row.chirps, 3)):
            gains = waves.gains(row.chirp, 1.6 * pan - 0.8, channels)
            waves.lay(audio, chirps[int(8 * pitch)], int((second + start) * rate), gains)
    return audio
