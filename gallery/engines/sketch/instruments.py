"""The voices: every pitched sound that a sketch can play.

A voice is a row of numbers in ``data/voices.toml``. Three kinds of synthesis read them: a wavetable
whose upper harmonics fade on their own (strings that are plucked or struck, winds),
single partials (bells), and a spread spectrum that shimmers (sections, choirs, pads).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gallery.engines.sketch.tables import Voice, tables
from gallery.engines.sketch.waves import (
    Wave,
    as_wave,
    cycle,
    decay,
    fade_in,
    fade_out,
    frequency,
    oscillate,
    shaped_noise,
    sine_cycle,
    smooth,
    stream,
    time,
)

# Notes are kept in these lengths (seconds), so that few differ and most are found again.
_LENGTHS = (0.3, 0.7, 1.4, 2.8, 5.6)

# Samples of a section's loop; two seconds at 32 kHz.
_LOOP = 1 << 16

# The level (RMS of its first part) that every note is brought to, and the highest peak
# of those that are over before that.
_LEVEL, _HIGHEST = 0.12, 0.42

# How much of a section keeps exactly to the pitch: more makes it steadier.
_UNISON = 0.92


def play(name: str, pitch: int, seconds: float, rate: int, beat: float, side: int = 0) -> Wave:
    """One note, held for ``seconds``, with its release: a new array [samples].

    ``beat`` is the length of a beat, for voices that move with it. A section's
    ``side`` 1 is the same note from other players, for the other ear.
    """
    voice = tables().voices[name]
    pitch = fit(pitch, voice)
    ring = seconds + voice.life.release
    if voice.sound.spread:
        loop = _section(name, pitch, rate)
        samples = int(ring * rate)
        if side:
            loop = np.roll(loop, _LOOP // 2)
        note = np.resize(loop, samples)
        fade_in(note, int(voice.life.attack * rate))
    else:
        bucket = next((length for length in _LENGTHS if length >= ring), _LENGTHS[-1])
        note = _tone(name, pitch, bucket, rate, beat if voice.life.wobble else 0)[: int(ring * rate)].copy()
    fade_out(note, int(min(voice.life.release, ring) * rate))
    return note


def fit(pitch: int, voice: Voice) -> int:
    """The pitch, moved by octaves into the voice's range."""
    low, high = voice.range
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


@lru_cache(maxsize=192)
def _section(name: str, pitch: int, rate: int) -> Wave:
    """A loop in which every harmonic is a narrow band instead of a line.

    It is made by one inverse transform, so it costs the same for any number of
    players and has no seam.
    """
    voice = tables().voices[name]
    ratios, levels = _spectrum(voice, frequency(pitch), rate)
    centres = ratios * frequency(pitch) * _LOOP / rate
    # At least half a bin wide, so that a band between two bins keeps its pitch.
    widths = np.maximum(centres * (2 ** (voice.sound.spread / 1200) - 1), 0.5)
    reach = np.arange(-12, 13)
    spectrum = np.zeros(_LOOP // 2 + 1, dtype=np.complex64)
    dice = stream("section", name, pitch)
    spans = np.maximum(1, np.ceil(widths / 4)).astype(np.int64)
    for centre, width, span, level in zip(centres, widths, spans, levels, strict=True):
        bins = np.unique(np.round(centre + reach * span).astype(np.int64))
        bins = bins[(bins > 0) & (bins < len(spectrum))]
        weight = np.exp(-0.5 * ((bins - centre) / width) ** 2)
        weight *= level * (1 - _UNISON**2) ** 0.5 / (np.sqrt(np.sum(weight**2)) + 1e-9)
        turns = np.exp(2j * np.pi * dice.random(len(bins) + 1))
        spectrum[bins] += weight * turns[1:]
        spectrum[round(float(centre))] += level * _UNISON * turns[0]
    wave = np.fft.irfft(spectrum, _LOOP).astype(np.float32)
    wave *= _LEVEL / (np.sqrt(np.mean(wave**2)) + 1e-9)
    wave.flags.writeable = False
    return wave


@lru_cache(maxsize=320)
def _tone(name: str, pitch: int, seconds: float, rate: int, beat: float) -> Wave:
    """A note of one player, as long as it is kept."""
    voice = tables().voices[name]
    samples = int(seconds * rate)
    hz = frequency(pitch)
    wave = (
        _partials(voice, hz, samples, rate)
        if voice.sound.partials
        else _harmonics(voice, hz, samples, rate, beat)
    )
    if voice.sound.breath:
        wave += _breath(voice, hz, samples, rate)
    if voice.life.seconds and not voice.sound.partials:
        wave *= decay(samples, rate, _ring(voice, hz))
    if voice.sound.knock:
        wave += _knock(voice, wave, rate)
    if voice.sound.drive:
        wave *= voice.sound.drive / (np.abs(wave).max() + 1e-9)
        wave = smooth(np.tanh(wave), rate, voice.sound.ceiling)
    fade_in(wave, int(voice.life.attack * rate))
    start = int(voice.life.attack * rate)
    heard = wave[start : start + rate // 4]
    wave *= min(_LEVEL / (np.sqrt(np.mean(heard**2)) + 1e-9), _HIGHEST / (np.abs(wave).max() + 1e-9))
    wave.flags.writeable = False
    return wave


def _ring(voice: Voice, hz: float) -> float:
    """Seconds to -60 dB: high notes die sooner."""
    return float(voice.life.seconds * (262 / hz) ** 0.4)


def _spectrum(voice: Voice, hz: float, rate: int) -> tuple[Wave, Wave]:
    """Ratios to the fundamental, and levels, of what the voice sounds below its ceiling."""
    top = min(voice.sound.ceiling * 1.6, 0.45 * rate)
    if voice.sound.partials:
        pairs = [(ratio, level) for ratio, level in voice.sound.partials if ratio * hz < top] or [(1.0, 1.0)]
        return as_wave([ratio for ratio, _ in pairs]), as_wave([level for _, level in pairs])
    order = np.arange(1, max(2, int(top / hz) + 1))[:400]
    levels = order.astype(np.float64) ** -voice.sound.slope
    levels[1::2] *= voice.sound.even
    if voice.sound.pluck:
        levels *= np.abs(np.sin(np.pi * order * voice.sound.pluck)) + 0.05
    if voice.sound.formants:
        gain = np.full(len(order), 0.5)
        for centre, strength in voice.sound.formants:
            gain += strength / (1 + ((order * hz - centre) / (0.25 * centre)) ** 2)
        levels *= gain
    levels /= np.sqrt(1 + (order * hz / voice.sound.ceiling) ** 6)
    return as_wave(order), as_wave(levels)


def _harmonics(voice: Voice, hz: float, samples: int, rate: int, beat: float) -> Wave:
    """The body of the sound and its edge, each a wavetable, the edge with its own life."""
    order, levels = _spectrum(voice, hz, rate)
    share = 1 / (1 + (order / voice.sound.mellow) ** 3)
    body, edge = cycle(levels * share), cycle(levels * (1 - share))
    seconds = time(samples, rate)
    sway = _sway(voice, hz, seconds, rate)
    upper = oscillate(edge, hz, samples, rate, sway)
    if voice.life.edge_seconds:
        upper *= decay(samples, rate, voice.life.edge_seconds) * 0.9 + np.float32(0.1)
    if voice.life.edge_attack:
        upper *= 1 - np.exp(seconds * np.float32(-1 / voice.life.edge_attack))
    if voice.life.wobble:
        upper *= (0.5 - 0.5 * np.cos(seconds * np.float32(2 * np.pi * 2 / beat))) ** 2
    wave = oscillate(body, hz, samples, rate, sway)
    wave += np.float32(voice.sound.edge) * upper
    if voice.sound.fifth:
        wave += np.float32(0.8) * oscillate(body, hz * 1.4983, samples, rate, sway)
    return wave


def _sway(voice: Voice, hz: float, seconds: Wave, rate: int) -> Wave | None:
    """What vibrato and glide add to the phase, in cycles."""
    if not (voice.life.vibrato or voice.life.glide):
        return None
    cents = np.zeros_like(seconds)
    if voice.life.vibrato:
        late = np.clip((seconds - 0.15) * 4, 0, 1)
        cents += late * np.float32(voice.life.vibrato) * oscillate(sine_cycle(), 5.3, len(seconds), rate)
    if voice.life.glide:
        cents += np.float32(100 * voice.life.glide) * np.exp(seconds * np.float32(-1 / 0.035))
    bend = (np.exp2(cents / 1200) - 1) * np.float32(hz / rate)
    return np.cumsum(bend, dtype=np.float64).astype(np.float32)


def _partials(voice: Voice, hz: float, samples: int, rate: int) -> Wave:
    """Sines that die the sooner the higher they are."""
    wave = np.zeros(samples, dtype=np.float32)
    ratios, levels = _spectrum(voice, hz, rate)
    for ratio, level in zip(ratios.tolist(), levels.tolist(), strict=True):
        part = oscillate(sine_cycle(), hz * ratio, samples, rate)
        part *= decay(samples, rate, _ring(voice, hz) / max(ratio, 1.0) ** 0.7)
        wave += np.float32(level) * part
    return wave


def _breath(voice: Voice, hz: float, samples: int, rate: int) -> Wave:
    """Air around the note's own octave."""
    air = ((hz * 0.5, -30.0), (hz * 1.2, 0.0), (hz * 3, -6.0), (hz * 8, -24.0))
    noise = shaped_noise(stream("breath", round(hz)), samples, rate, air)
    return noise * np.float32(voice.sound.breath)


def _knock(voice: Voice, wave: Wave, rate: int) -> Wave:
    """A short thud or scrape where the note begins."""
    samples = len(wave)
    noise = shaped_noise(stream("knock"), min(samples, rate // 20), rate, ((80, 0), (900, -3), (5000, -24)))
    noise *= decay(len(noise), rate, 0.035) * np.float32(voice.sound.knock * np.abs(wave).max() * 3)
    return np.pad(noise, (0, samples - len(noise)))
