"""A gallery of captions: as many as MusicCaps has.

How they are tagged is chosen by us, after what people do without a list to choose from: each has eight
tags, and most tags have one caption alone.
"""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import yaml

from gallery.prompts.request import Request
from sites import synthetic

if TYPE_CHECKING:
    from pathlib import Path

CAPTIONS, TAGS_OF_ONE, OTHER_TAGS, TAGS_EACH = 5_521, 6_686, 3_057, 8

SETTINGS = """[site]
title = "Captions"

[models.small]
hub = "facebook/musicgen-small"
kind = "musicgen"

[store]
audio_url = "https://audio.example.org/"
"""

_FOLDERS = ("rock", "pop", "ambient", "techno", "folk", "classical", "hip-hop", "jazz", "metal", "world")
_HOW = (
    "soft mellow bright noisy distant plucked bowed muffled steady driving warm harsh emotional "
    "simple wide dense groovy energetic sad joyful crisp boomy shimmering breathy raspy syncopated "
    "sustained arpeggiated layered dissonant gentle punchy tinny echoing reverberant vintage live "
    "amateur melodic percussive ascending passionate relaxing spooky upbeat haunting minor major "
    "acoustic electric digital sparse loud quiet slow fast medium uptempo low high wet dry thin fat "
    "dark sweet smooth rough pulsating flowing repetitive catchy sentimental nostalgic dreamy "
    "hypnotic suspenseful epic playful cheerful funky soulful romantic chill aggressive frantic "
    "ethereal cinematic lofi mono stereo panned filtered distorted clean compressed swelling fading "
    "staccato legato improvised rehearsed"
)
_WHAT = (
    "piano guitar bass drums vocals strings synth pad organ flute trumpet violin cello harp choir "
    "snare kick hi-hats cymbals toms congas shaker tambourine claps bells marimba vibraphone "
    "accordion harmonica banjo mandolin ukulele sitar tabla clarinet oboe saxophone trombone horn "
    "tuba brass woodwinds melody harmony rhythm groove beat loop riff lead arpeggio chord progression "
    "drone texture noise hiss crackle echo reverb delay recording performance arrangement atmosphere "
    "mood tempo feel style song instrumental ballad anthem lullaby march waltz jingle soundtrack "
    "theme solo duet chorus verse bridge intro outro backing harmonics percussion timpani "
    "glockenspiel xylophone koto erhu didgeridoo bagpipes fiddle whistle humming rapping shouting "
    "whispering crowd applause birds rain wind traffic"
)
_LINKS = ("with a", "over the", "and a", "while the", "followed by a", "played on the", "accompanied by a")


def write_gallery(folder: Path, captions: int = CAPTIONS) -> list[int]:
    """A gallery of captions, all rendered, whose audio and covers lie elsewhere. How long each caption is."""
    (folder / "site" / "audio").mkdir(parents=True)
    (folder / "gallery.toml").write_text(SETTINGS)
    tagged, lengths = tags(captions), []
    for number in range(captions):
        chance = random.Random(number)
        text = _caption(chance)
        lengths.append(len(text))
        fields = {
            "prompt": text,
            "tags": tagged[number],
            "date": date(2026, 1, 1) + timedelta(number % 300),
            "duration": 10,
            "seed": number + 1,
        }
        path = folder / "prompts" / _FOLDERS[number % len(_FOLDERS)] / f"caption-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{yaml.safe_dump(fields, sort_keys=False, width=10_000)}---\n")
        synthetic.write_record(
            folder, Request(model="facebook/musicgen-small", prompt=text, duration=10, seed=number + 1)
        )
    return lengths


def _caption(chance: random.Random) -> str:
    how, what, words = _HOW.split(), _WHAT.split(), ["This is a"]
    for _ in range(chance.randint(9, 15)):
        words += [chance.choice(how), chance.choice(what), chance.choice(_LINKS)]
    return " ".join([*words, chance.choice(how), chance.choice(what)]) + "."


def tags(captions: int) -> list[list[str]]:
    """The tags of each caption: of few tags many have a share, most have one caption alone."""
    names = [" ".join(pair) for pair in itertools.product(_HOW.split(), _WHAT.split())]
    random.Random(0).shuffle(names)
    share = captions / CAPTIONS
    alone, others = round(TAGS_OF_ONE * share), round(OTHER_TAGS * share)
    slots = TAGS_EACH * captions - alone
    counts = [2] * others
    weights = [1 / (place + 3) ** 0.9 for place in range(others)]
    for place in random.Random(1).choices(range(others), weights, k=slots - 2 * others):
        counts[place] += 1
    drawn = [name for name, count in zip(names, [*counts, *[1] * alone], strict=False) for _ in range(count)]
    return [drawn[number::captions] for number in range(captions)]
