"""A clip's random numbers: drawn on the CPU, whatever device they are used on, and ahead.

A GPU's own generator gives other numbers on other cards. The CPU's gives each clip
those that audiocraft draws for it alone, in the shape [codebooks, card] at each step:
a block drawn at once holds the very numbers of as many single draws. While one block
is used, a thread draws the next, so that no step waits for its noise.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from concurrent.futures import Future

    from torch import Tensor

# Steps that noise is drawn for at once.
BLOCK = 32

# A user of the noise holds the block that is in use, and the next: block n in half n % 2.
RING = 2 * BLOCK


def drawing_pool() -> ThreadPoolExecutor:
    """Threads that draw. They end when nothing refers to the pool any more."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="noise")


class Noise:
    """One clip's noise, from its seed on. It goes on from window to window.

    ``shape`` is that of one step. With ``pinned``, blocks lie in memory that a GPU
    copies from by itself.
    """

    def __init__(
        self, seed: int, shape: tuple[int, int], pool: ThreadPoolExecutor, *, pinned: bool = False
    ) -> None:
        self.used = 0  # steps
        self._pool = pool
        self._generator = torch.Generator().manual_seed(seed)
        self._blocks = torch.empty(2, BLOCK, *shape, pin_memory=pinned)
        self._taken = 0  # blocks
        self._next = self._draw()

    def _draw(self) -> Future[Tensor]:
        """Have the next block drawn. Never two at once: the generator serves one thread at a time."""
        block = self._blocks[self._taken % 2]
        return self._pool.submit(block.exponential_, generator=self._generator)

    @property
    def begun(self) -> tuple[slice, Tensor] | None:
        """The block that is used in part, and where it belongs in a ring of `RING` steps."""
        return self._placed(self.used // BLOCK) if self.used % BLOCK else None

    def go_on(self, count: int) -> tuple[slice, Tensor] | None:
        """Use ``count`` more steps, at most `BLOCK`. Returns the block that this begins, and its place.

        What was returned before is drawn over from now on: whoever copies from it must be done.
        """
        self.used += count
        if self.used <= self._taken * BLOCK:
            return None
        self._next.result()
        self._taken += 1
        self._next = self._draw()
        return self._placed(self._taken - 1)

    def _placed(self, number: int) -> tuple[slice, Tensor]:
        half = number % 2
        return slice(half * BLOCK, (half + 1) * BLOCK), self._blocks[half]
