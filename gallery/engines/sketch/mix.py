"""From notes to sound: placing, panning, echo, reverb, and a gentle master."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gallery.engines.sketch import instruments, percussion
from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import Wave, as_wave, convolve, fade_in, fade_out, lay, shaped_noise, stream

if TYPE_CHECKING:
    from gallery.engines.sketch.composition import Hit, Note, Score
    from gallery.engines.sketch.plan import Plan

# Levels of the parts.
_DRUMS, _BASS, _COMP, _LEAD, _COUNTER = 0.6, 0.62, 0.9, 0.85, 0.5

# Where the loudest sample ends up.
_PEAK = 0.62

# How far the loudest samples may stand above the RMS of the loud parts (12 dB) and of
# the whole (14 dB), and how slowly the limiter that sees to it moves: its blocks, and
# how many it looks at.
_CREST, _CREST_OF_ALL = 4.0, 5.0
_LIMITER_BLOCKS_A_SECOND, _LIMITER_SPAN = 500, 31

# Echoes: (sixteenths later, share of the level, side).
_ECHOES = ((3, 0.6, 0.5), (6, 0.32, -0.5), (9, 0.16, 0.5))


def mix(plan: Plan, score: Score, samples: int, rate: int, channels: int) -> Wave:
    """A score as sound [channels, samples], not yet mastered."""
    dry = np.zeros((channels, samples), dtype=np.float32)
    wet = np.zeros((channels, samples), dtype=np.float32)
    beat = 60 / plan.bpm

    def lay_part(bus: Wave, name: str | None, notes: list[Note], level: float, **place: float) -> None:
        if name:
            for note in notes:
                _lay_note(bus, name, note, level * note.level, rate, beat, **place)

    lay_part(wet, plan.comp, score.comp, _COMP, pan=-0.1, width=1.0)
    lay_part(wet, plan.counter, score.counter, _COUNTER, pan=-0.3, width=0.4)
    lead_level = _LEAD * (1.15 if plan.featured else 1.0)
    lay_part(wet, plan.lead, score.lead, lead_level, pan=0.06, width=0.2, echo=plan.echo)
    lay_part(dry, plan.bass, score.bass, _BASS)
    if plan.pump:
        duck = _duck(score.drums, plan.pump, beat, samples, rate)
        wet *= duck
        dry *= duck
    wet = convolve(wet, _response(rate, channels, plan.room, plan.wet, plan.cutoff))
    for hit in score.drums:
        wave = percussion.strike(hit.drum, plan.kit, rate)
        lay(
            dry, wave, int(hit.start * rate), _gains(hit.level * _DRUMS, percussion.place(hit.drum), channels)
        )
    dry += wet
    if plan.crackle:
        dry += _crackle(plan, samples, rate)
    return dry


def master(audio: Wave, rate: int) -> Wave:
    """Bring [channels, samples] to a common level, tame its peaks, and free its ends of clicks."""
    rms = float(np.sqrt(np.mean(audio**2)))
    _limit(audio, rate, min(_CREST * _loud_rms(audio, rate), _CREST_OF_ALL * rms))
    audio -= audio.mean(axis=1, keepdims=True)
    audio *= _PEAK / (np.abs(audio).max() + 1e-9)
    fade_in(audio, rate // 250)
    fade_out(audio, min(rate // 20, audio.shape[1] // 4))
    return audio


def _limit(audio: Wave, rate: int, ceiling: float) -> None:
    """Turn the sound down around its peaks, in place, smoothly and before they come.

    The gain of a block is the least that any block nearby needs, averaged over the
    same span: so it moves slowly and still never lets a peak through.
    """
    size = rate // _LIMITER_BLOCKS_A_SECOND
    samples = audio.shape[1]
    count = -(-samples // size)
    peaks = np.zeros(count * size, dtype=np.float32)
    peaks[:samples] = np.abs(audio).max(axis=0)
    needed = np.minimum(1, ceiling / (peaks.reshape(count, size).max(axis=1) + 1e-9))
    if needed.min() == 1:
        return
    span = np.pad(needed, _LIMITER_SPAN - 1, constant_values=1)
    least = np.lib.stride_tricks.sliding_window_view(span, _LIMITER_SPAN).min(axis=1)
    gain = np.convolve(least, np.full(_LIMITER_SPAN, 1 / _LIMITER_SPAN), "valid")
    blocks = np.arange(count) * size + size / 2
    audio *= np.interp(np.arange(samples), blocks, gain).astype(np.float32)


def _loud_rms(audio: Wave, rate: int) -> float:
    """RMS of the louder parts, so that pauses don't count."""
    block = max(1, rate // 5)
    whole = audio[:, : audio.shape[1] // block * block]
    if whole.shape[1] == 0:
        return float(np.sqrt(np.mean(audio**2)))
    power = np.mean(whole.reshape(audio.shape[0], -1, block) ** 2, axis=(0, 2))
    return float(np.sqrt(np.mean(power[power >= 0.25 * power.mean()])))


def _lay_note(
    bus: Wave,
    name: str,
    note: Note,
    level: float,
    rate: int,
    beat: float,
    pan: float = 0.0,
    width: float = 0.0,
    echo: float = 0.0,
) -> None:
    """Play a note into ``bus``; ``width`` leans low notes to the left, high ones to the right."""
    channels, samples = bus.shape
    start = int(note.start * rate)
    if start >= samples:
        return
    voice = tables().voices[name]
    # A section's players sit to both sides.
    sides = channels if voice.sound.spread and voice.role != "bass" else 1
    wave = np.stack(
        [instruments.play(name, note.pitch, note.seconds, rate, beat, side) for side in range(sides)]
    )
    lean = width * (note.pitch - voice.centre) / 22
    lay(bus, wave, start, _gains(level, min(max(pan + lean, -0.7), 0.7), channels))
    if echo:
        for sixteenths, share, side in _ECHOES:
            later = start + int(sixteenths * beat / 4 * rate)
            lay(bus, wave, later, _gains(level * echo * share, side, channels))


def _gains(level: float, pan: float, channels: int) -> Wave:
    """A gain for each channel [channels, 1]; equal power at every pan."""
    if channels == 1:
        return np.array([[level]], dtype=np.float32)
    angle = (pan + 1) * np.pi / 4
    return np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32) * np.float32(level * 2**0.5)


def _duck(hits: list[Hit], depth: float, beat: float, samples: int, rate: int) -> Wave:
    """The curve by which each kick pushes the rest aside, for a moment [samples]."""
    curve = np.ones(samples, dtype=np.float32)
    length = int(beat * 0.8 * rate)
    rise = np.linspace(0, 1, length, dtype=np.float32)
    dip = 1 - np.float32(depth) * (1 - rise) ** 2
    # Down within a few milliseconds, not at once: that would click.
    down = min(length, rate // 125)
    dip[:down] = np.linspace(1, dip[down - 1], down, dtype=np.float32)
    for hit in hits:
        if hit.drum == "kick":
            start = int(hit.start * rate)
            part = curve[start : start + length]
            np.minimum(part, dip[: len(part)], out=part)
    return curve


@lru_cache(maxsize=64)
def _response(rate: int, channels: int, seconds: float, wet: float, cutoff: float) -> Wave:
    """Lowpass and reverb as one impulse response [channels, taps].

    The ears hear different reflections, which is most of what makes a room.
    """
    taps = int(seconds * rate)
    response = np.zeros((channels, taps), dtype=np.float32)
    for channel in range(channels):
        tail = shaped_noise(
            stream("room", channel), taps, rate, ((60, -24), (200, -2), (1500, 0), (5000, -12), (12000, -30))
        )
        tail *= np.exp(np.arange(taps, dtype=np.float32) * np.float32(-6.9 / taps))
        tail[: rate // 100] = 0
        tail /= np.sqrt(np.sum(tail**2)) + 1e-9
        response[channel] = tail * np.float32(wet)
    lowpass = _lowpass(rate, cutoff)
    response[:, : len(lowpass)] += lowpass
    return response


def _lowpass(rate: int, cutoff: float) -> Wave:
    """A short lowpass with little delay: a decaying, smoothed impulse."""
    if cutoff >= 0.42 * rate:
        return np.ones(1, dtype=np.float32)
    order = np.arange(-32, 33)
    taps = np.sinc(2 * cutoff / rate * order) * np.hanning(len(order))
    return as_wave(taps / taps.sum())


def _crackle(plan: Plan, samples: int, rate: int) -> Wave:
    """A record's hiss and pops [samples]."""
    dice = stream("crackle", *plan.labels)
    bed = shaped_noise(dice, samples, rate, ((60, -6), (400, -10), (4000, -8), (9000, -20)))
    bed *= np.float32(0.0022 * plan.crackle)
    pops = dice.integers(0, samples, int(9 * samples / rate))
    bed[pops] += (dice.standard_normal(len(pops)) * 0.035 * plan.crackle).astype(np.float32)
    # A pop is a little wider than a sample.
    return bed + np.float32(0.5) * np.roll(bed, 1)
