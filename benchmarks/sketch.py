"""How long sketches take: seconds of CPU for a 10 s clip, by genre.

    python benchmarks/sketch.py [--seconds 10] [--rate 32000] [--channels 1] [--clips 20]

"first" is a genre's first clip, whose instruments are not yet in the caches; "later"
is the mean of the clips after it, each with a seed of its own.
"""

from __future__ import annotations

import argparse
import time

from sites.machine import processor

from gallery.engines.sketch import sketch
from gallery.prompts.request import Request

MUSIC = (
    "lofi hip hop with piano and rain",
    "house",
    "techno 130 bpm",
    "drum and bass",
    "trance",
    "ambient pads",
    "jazz with saxophone",
    "rock with distorted guitar",
    "chiptune",
    "epic orchestral cinematic",
    "string quartet",
    "bossa nova",
    "gamelan",
    "solo koto",
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the sketch engine.")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=32000)
    parser.add_argument("--channels", type=int, default=1, choices=(1, 2))
    parser.add_argument("--clips", type=int, default=20, help="clips of each prompt")
    options = parser.parse_args()

    print(f"{processor()}\n")
    # Tables are read and vocabularies built once, whatever is sketched: not part of any clip.
    started = time.process_time()
    timed("warm-up", 0, options, False)
    print(f"start (tables, first clip): {time.process_time() - started:.3f} s\n")
    print(f"{'CPU seconds for ' + format(options.seconds, 'g') + ' s of audio':36} first   later")
    later = [row(prompt, options, False) for prompt in MUSIC]
    print(f"{'mean of the music':36}         {sum(later) / len(later):.3f}\n")
    row("any sound effect", options, True)


def row(prompt: str, options: argparse.Namespace, sound_effect: bool) -> float:
    """Time a prompt, print its row, and return the mean of its later clips."""
    first, *rest = (timed(prompt, seed, options, sound_effect) for seed in range(1, options.clips + 1))
    later = sum(rest) / max(1, len(rest))
    print(f"{prompt:36} {first:.3f}   {later:.3f}")
    return later


def timed(prompt: str, seed: int, options: argparse.Namespace, sound_effect: bool) -> float:
    request = Request(model="benchmark/none", prompt=prompt, duration=options.seconds, seed=seed)
    started = time.process_time()
    sketch(request, options.rate, options.channels, sound_effect)
    return time.process_time() - started


if __name__ == "__main__":
    main()
