"""Opening a gallery's state."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gallery.errors import GalleryError
from gallery.state.database import STATE_NAME, Damaged, State, remove_state
from gallery.state.tool import is_as_loaded, tool_digest
from gallery.utils.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def open_state(workspace: Path) -> Iterator[State]:
    """A gallery's state, for this version of the tool. One that cannot be used is made anew.

    Damage that shows only later ends what is done with it in a line; `discard` is the way to go on.
    """
    path, tool = workspace / STATE_NAME, tool_digest()
    if not is_as_loaded():
        # Nobody knows what of it is loaded: nothing that comes of it is believed by the next build.
        tool = secrets.token_hex(16)
    try:
        state = State(path, tool)
    except Damaged:
        say_damaged(path)
        remove_state(path)
        state = State(path, tool)
    with state:
        try:
            yield state
        except Damaged as error:
            state.discard()
            name = f"{path.parent.name}/{path.name}"
            raise GalleryError(f"{name} was damaged and begins anew; run the same command again") from error


@contextmanager
def borrow_state(workspace: Path, kind: str, names: Sequence[str] | None = None) -> Iterator[State]:
    """A state that goes with this process, and knows a kind of rows, or some of them, from the gallery's.

    For commands that change nothing and are to find out nothing twice.
    """
    path = workspace / STATE_NAME
    with State.temporary() as state:
        if path.is_file() and not workspace.is_symlink():
            with suppress(Damaged, GalleryError), State(path) as own:
                if own.is_of(tool_digest()):
                    state.put(kind, own.load(kind) if names is None else own.some(kind, names))
        yield state


def say_damaged(path: Path) -> None:
    """Tell that a state is lost, and what that means."""
    name = f"{path.parent.name}/{path.name}"
    say(f"{name} is damaged, or was made elsewhere; what it told is found out anew")
