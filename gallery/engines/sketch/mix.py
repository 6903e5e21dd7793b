"""From notes to sound: placing, panning, echo, reverb, and a gentle master."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gallery.engines.sketch.synthesis import place, play, strike
from gallery.engines.sketch.tables import tables
from gallery.engines.sketch.waves import Wave, as_wave, decay, fade, gains, lay, noise, stream, time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gallery.engines.sketch.composition import Note, Score
    from gallery.engines.sketch.plan import Plan

_DRUMS = 0.6

# Each part's level, its place from -1 left to 1 right, and how far its low notes lean to the
# left and its high ones to the right.
_PARTS = {
    "bass": (0.62, 0.0, 0.0),
    "comp": (0.9, -0.1, 1.0),
    "counter": (0.5, -0.3, 0.4),
    "lead": (0.85, 0.06, 0.2),
}

# Echoes: (sixteenths later, share of the level, side).
_ECHOES = ((3, 0.6, 0.5), (6, 0.32, -0.5), (9, 0.16, 0.5))

# Where the loudest sample ends up, and how far it may stand above the RMS.
_PEAK, _CREST = 0.62, 4.2

# The limiter's blocks, in samples, and how many of them it looks at.
_BLOCK, _SPAN = 64, 31

# Samples that are convolved at once, so that memory doesn't grow with the clip: more than any reverb has.
_CONVOLUTION = 1 << 17


def mix(plan: Plan, score: Score, samples: int, rate: int, channels: int) -> Wave:
    """A score as sound [channels, samples], not yet mastered."""
    genre = plan.genre
    dry, wet = np.zeros((2, channels, samples), dtype=np.float32)
    for (part, name), notes in score.items():
        for note in notes:
            if part != "drums" and note.start * rate < samples:
                _lay_note(dry if part == "bass" else wet, plan, part, name, note, rate)
    if genre.pump:
        # Each beat pushes the rest aside for a moment; not at once, which would click.
        phase = time(samples, rate) * np.float32(plan.bpm / 60) % 1
        duck = 1 - np.float32(genre.pump) * (1 - phase) ** 2 * np.minimum(60 * phase, 1)
        wet *= duck
        dry *= duck
    response = _response(rate, channels, genre.room, genre.wet, genre.cutoff)
    for part, name in score:
        for hit in score[part, name] if part == "drums" else ():
            level = gains(hit.level * _DRUMS, tables().drums[name].pan, channels)
            lay(dry, strike(name, genre.kit, rate), int(hit.start * rate), level)
    hop = _CONVOLUTION - int(genre.room * rate)
    for start in range(0, samples, hop):
        block = np.fft.rfft(wet[:, start : start + hop], _CONVOLUTION) * response
        end = min(start + _CONVOLUTION, samples)
        dry[:, start:end] += np.fft.irfft(block, _CONVOLUTION)[:, : end - start]
    places = dict.fromkeys(plan.places, 1.0) | ({"vinyl": genre.crackle} if genre.crackle else {})
    for name, loud in places.items():
        dry += np.float32(loud) * place(tables().places[name], (plan.seed, name), samples, rate, channels)
    return dry


def master(audio: Wave, rate: int) -> Wave:
    """Bring [channels, samples] to a common level, tame its peaks, and free its ends of clicks."""
    audio -= audio.mean(axis=1, keepdims=True)
    # The gain of a block is the least that any block nearby needs, averaged over as many: so
    # it moves slowly and still never lets a peak through.
    samples = audio.shape[1]
    blocks = np.pad(np.abs(audio).max(axis=0), (0, -samples % _BLOCK)).reshape(-1, _BLOCK).max(axis=1)
    needed = np.minimum(1, _CREST * np.sqrt(np.mean(audio**2)) / (blocks + 1e-9))
    span = np.pad(needed, _SPAN - 1, constant_values=1)
    least = np.lib.stride_tricks.sliding_window_view(span, _SPAN).min(axis=1)
    gain = np.convolve(least, np.full(_SPAN, 1 / _SPAN), "valid")
    middles = np.arange(len(gain)) * _BLOCK + _BLOCK / 2
    audio *= as_wave(np.interp(np.arange(samples), middles, gain))
    audio *= _PEAK / (np.abs(audio).max() + 1e-9)
    fade(audio, rate // 250, min(rate // 20, samples // 4))
    return audio


def _lay_note(bus: Wave, plan: Plan, part: str, name: str, note: Note, rate: int) -> None:
    """Play a note into ``bus``, and its echoes."""
    channels, start, beat = len(bus), int(note.start * rate), 60 / plan.bpm
    voice = tables().voices[name]
    # A section's players sit to both sides.
    sides = channels if voice.spread and part != "bass" else 1
    wave = np.stack([play(name, note.pitch, note.seconds, rate, beat, side) for side in range(sides)])
    level, pan, width = _PARTS[part]
    pan = min(max(pan + width * (note.pitch - voice.centre) / 22, -0.7), 0.7)
    lay(bus, wave, start, gains(level * note.level, pan, channels))
    for sixteenths, share, side in _ECHOES if part == "lead" and plan.genre.echo else ():
        echo = gains(level * note.level * plan.genre.echo * share, side, channels)
        lay(bus, wave, start + int(sixteenths * beat / 4 * rate), echo)


@lru_cache(maxsize=64)
def _response(rate: int, channels: int, seconds: float, wet: float, cutoff: float) -> NDArray[np.complex64]:
    """Lowpass and reverb as one impulse response's spectrum [channels, bins]; each ear has its own."""
    taps = int(seconds * rate)
    tails = [noise(stream("room", side), taps, rate, (180, 2500)) for side in range(channels)]
    response = np.stack(tails) * decay(taps, rate, seconds)
    response[:, : rate // 100] = 0
    response *= np.float32(wet) / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    if cutoff < 0.42 * rate:
        lowpass = np.sinc(2 * cutoff / rate * np.arange(-32, 33)) * np.hanning(65)
        response[:, :65] += as_wave(lowpass / lowpass.sum())
    else:
        response[:, 0] += 1
    return np.fft.rfft(response, _CONVOLUTION).astype(np.complex64)
