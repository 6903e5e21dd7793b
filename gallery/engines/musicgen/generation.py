"""A clip while it is made: what its request asks for, and the tokens it has so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from gallery.engines.musicgen.sampler import Choice
from gallery.engines.musicgen.windows import Window, windows

if TYPE_CHECKING:
    from torch import Tensor

    from gallery.engines.musicgen.noise import Noise
    from gallery.prompts.request import Request


@dataclass
class Generation:
    """How one clip is made, and how far it is. It can be begun anew at any time.

    ``plan`` are its windows, ``parts`` the tokens of those that are made, ``known`` those that the
    next one begins with. ``noise`` goes on from window to window; a batch begins it.
    """

    request: Request
    prompt: str
    melody: str | None
    choice: Choice
    seed: int
    plan: list[Window]
    stride: int
    parts: list[Tensor] = field(default_factory=list)
    known: Tensor | None = None
    seconds: float = 0.0
    noise: Noise | None = None

    @property
    def frames(self) -> int:
        """Frames that the request asks for."""
        return self.request.frames

    @property
    def window(self) -> Window:
        """The window that is being made."""
        return self.plan[len(self.parts)]

    @property
    def melody_offset(self) -> int | None:
        """Where in the melody this window is; None for a clip of one window."""
        return self.window.offset if len(self.plan) > 1 else None

    @property
    def done(self) -> bool:
        """Whether every window is made."""
        return len(self.parts) == len(self.plan)

    @property
    def tokens(self) -> Tensor:
        """The clip's tokens [codebooks, frames]."""
        return torch.cat(self.parts, -1)

    def forget(self) -> None:
        """Forget all tokens: the clip will be begun anew."""
        self.parts, self.known, self.noise = [], None, None

    @property
    def made(self) -> int:
        """Frames in the windows that are made."""
        return sum(part.shape[-1] for part in self.parts)

    def add(self, tokens: Tensor) -> None:
        """Take a finished window's tokens, the known ones included."""
        known = self.window.known
        self.parts.append(tokens[:, known:])
        self.known = None if self.done else tokens[:, self.stride :]
        if self.done:
            self.noise = None


def generation_of(request: Request, window: int, stride: int) -> Generation:
    """A request's clip, not begun yet. What cannot change the sound is left out, as in its key."""
    said = request.canonical()
    return Generation(
        request=request,
        prompt=said["prompt"],
        melody=said.get("melody"),
        choice=Choice(
            temperature=float(said["temperature"]),
            top_k=int(said.get("top_k", 0)),
            top_p=float(said.get("top_p", 0)),
            guidance=float(said["cfg_coef"]),
        ),
        seed=int(said.get("seed", 0)),
        plan=windows(request.frames, window, stride),
        stride=stride,
    )
