"""Opening a gallery's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.state.database import STATE_NAME, Damaged, State, remove_state
from gallery.state.tool import tool_digest
from gallery.utils.progress import say

if TYPE_CHECKING:
    from pathlib import Path


def open_state(workspace: Path) -> State:
    """A gallery's state, for this version of the tool. One that cannot be used is made anew."""
    path = workspace / STATE_NAME
    try:
        return State(path, tool_digest())
    except Damaged:
        say_damaged(path)
        remove_state(path)
        return State(path, tool_digest())


def say_damaged(path: Path) -> None:
    """Tell that a state is lost, and what that means."""
    name = f"{path.parent.name}/{path.name}"
    say(f"{name} is damaged, or was made elsewhere; what it told is found out anew")
