"""What a clip is conditioned on: its prompt and its melody, encoded alone.

audiocraft's own conditioners do the encoding, for one clip at a time and with its
unconditional twin, exactly as when audiocraft renders that clip alone. A clip's
condition therefore never depends on its batch mates' prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gallery.engines.musicgen.checkpoint import CannotLoad
from gallery.engines.musicgen.melody_audio import BadMelody, fixed_shifts, load_separator, read_melody
from gallery.engines.musicgen.standins import placed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gallery.engines.musicgen.checkpoint import Checkpoint

TEXT, MELODY = "description", "self_wav"

# Encoded conditions that are kept: sweeps ask for one prompt many times.
KEPT = 256


@dataclass(frozen=True)
class Condition:
    """A clip's condition, for its conditional row and its unconditional twin.

    ``prefix`` stands before the tokens, [2, length, width]; ``cross`` is what the
    conditional row's cross-attention attends to, [length, width]. The twin's
    cross-attention is exactly zero, so it has none.
    """

    prefix: torch.Tensor | None
    cross: torch.Tensor | None


class Conditions:
    """Encodes the conditions of one model's clips, each only once."""

    def __init__(self, checkpoint: Checkpoint, melodies: Mapping[str, Path]) -> None:
        self._model, self._lm, self._melodies = checkpoint, checkpoint.lm, melodies
        self._no_separator: str | None = None
        self._waves: dict[str, torch.Tensor] = {}
        self._kept: dict[tuple[str, str | None, int | None], Condition] = {}
        fused = {name: method for method, names in self._lm.fuser.fuse2cond.items() for name in names}
        if not {"cross", "prepend"}.issuperset(fused.values()) or self._lm.fuser.cross_attention_pos_emb:
            raise CannotLoad("the model fuses its conditions in a way that is not supported")
        self._fused = fused

    @property
    def takes_melody(self) -> bool:
        """Whether the model can follow a melody."""
        return MELODY in self._lm.condition_provider.conditioners

    def lengths(self, prompt: str) -> tuple[int, int]:
        """How long a prompt's prefix and cross-attention will be, without encoding it."""
        conditioners = self._lm.condition_provider.conditioners
        lengths = {TEXT: len(conditioners[TEXT].t5_tokenizer(prompt).input_ids)}
        if self.takes_melody:
            lengths[MELODY] = conditioners[MELODY].chroma_len
        prefix = sum(length for name, length in lengths.items() if self._fused[name] == "prepend")
        return prefix, sum(lengths.values()) - prefix

    @torch.no_grad()
    def encode(self, prompt: str, melody: str | None, offset: int | None) -> Condition:
        """Encode a prompt and, by its digest, a melody. Raises BadMelody.

        ``offset`` is the first frame of one of several windows, each of which hears
        its own part of the melody, and None for a clip of one window.
        """
        key = (prompt, melody, offset if melody else None)
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._encode(*key)
        return self._kept[key]

    def _encode(self, prompt: str, melody: str | None, offset: int | None) -> Condition:
        from audiocraft.modules.conditioners import ClassifierFreeGuidanceDropout, ConditioningAttributes

        provider = self._lm.condition_provider
        attributes = ConditioningAttributes(text={TEXT: prompt})
        if self.takes_melody:
            attributes.wav[MELODY] = self._melody_condition(melody, offset)
        elif melody:
            raise BadMelody("the model takes no melody")
        twin = ClassifierFreeGuidanceDropout(p=1.0)([attributes])
        with placed(), fixed_shifts():
            encoded = provider(provider.tokenize([attributes, *twin]))
        prefix: list[torch.Tensor] = []
        cross: list[torch.Tensor] = []
        for name, (tensor, _mask) in encoded.items():
            if self._fused[name] == "prepend":
                prefix.insert(0, tensor)
            else:
                cross.append(tensor[0])
        return Condition(
            prefix=torch.cat(prefix, 1).float() if prefix else None,
            cross=torch.cat(cross).float() if cross else None,
        )

    def _melody_condition(self, melody: str | None, offset: int | None) -> Any:
        from audiocraft.modules.conditioners import WavCondition

        device, rates = self._model.device, [self._model.sample_rate]
        if melody is None:
            wave = torch.zeros((1, 1, 1), device=device)
            return WavCondition(wave, torch.tensor([0], device=device), rates, [None])
        wave = self._wave(melody)
        if offset is not None:
            first = int(offset / self._model.frame_rate * self._model.sample_rate)
            heard = int(self._model.window / self._model.frame_rate * self._model.sample_rate)
            wave = wave[..., torch.arange(first, first + heard) % wave.shape[-1]]
        length = torch.tensor([wave.shape[-1]], device=device)
        return WavCondition(wave[None].to(device), length, rates, [None], [0.0])

    def _load_separator(self) -> None:
        """Have the model's separator ready; where it can't be had, that is found out only once."""
        if self._no_separator is None:
            try:
                load_separator(self._lm.condition_provider.conditioners[MELODY], self._model.device)
            except BadMelody as error:
                self._no_separator = str(error)
        if self._no_separator is not None:
            raise BadMelody(self._no_separator)

    def _wave(self, melody: str) -> torch.Tensor:
        if melody not in self._waves:
            path = self._melodies.get(melody)
            if path is None or not path.is_file():
                raise BadMelody(f"the melody {melody[:8]} is not there")
            self._load_separator()
            self._waves[melody] = read_melody(path, self._model.sample_rate, self._model.channels)
        return self._waves[melody]
