"""What came of a build, and whether the next one would come to the same: stamps alone tell.

So a build with nothing to do reads no settings, no prompt file and no page.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gallery.errors import Fault
from gallery.state.database import STATE_NAME, Damaged, Row, State
from gallery.state.inputs import Inputs
from gallery.state.output import site_in_place
from gallery.utils.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


# Rows of the state: what a build that was asked for in some way came to.
_BUILD = "build"


class Failed(Protocol):
    """A clip that could not be made, and why: see `gallery.engines.Failure`."""

    @property
    def request(self) -> Any:
        """The clip's request."""

    @property
    def reason(self) -> str:
        """What went wrong, in a line."""


@dataclass(frozen=True)
class Written:
    """What a build did to the site's files."""

    written: int
    unchanged: int
    removed: int


@dataclass
class Outcome:
    """What came of a build.

    ``states`` counts clips by what the site plays of them. ``outdated`` counts previews of other
    settings whose lossless render is not here. ``flaws`` tell of clips that are damaged or of a newer
    version, a line each. ``note`` says why there was no engine to render.
    ``written`` is None where nothing was built.
    """

    prompts: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    outdated: int = 0
    flaws: list[str] = field(default_factory=list)
    note: str = ""
    written: Written | None = None


def begin(state: State) -> None:
    """A build begins: until it has ended well, no build before it says what there is to do."""
    state.put(_BUILD, {}, state.names(_BUILD))


def asked_for(output: Path, engine: str, paths: Iterable[Path], *, sketches: bool, strict: bool) -> str:
    """What a build is asked for, as far as it decides what there is to do."""
    return json.dumps([str(output), engine, [str(path.absolute()) for path in paths], sketches, strict])


def keep_outcome(state: State, asked: str, inputs: Inputs, outcome: Outcome) -> None:
    """Remember what a build came to that has left nothing to do."""
    result = {
        "prompts": outcome.prompts,
        "warnings": [astuple(warning) for warning in outcome.warnings],
        "states": outcome.states,
        "outdated": outcome.outdated,
        "note": outcome.note,
    }
    state.put(_BUILD, {asked: Row(inputs.to_text(), json.dumps(result))})


def last_outcome(state: State, output: Path, asked: str, inputs: Inputs | None = None) -> Outcome | None:
    """What the last build came to that was ``asked`` for the same, if this one would do nothing.

    ``inputs`` is None where they have not been looked at yet.
    """
    row = state.get(_BUILD, asked)
    if not row or not (inputs.are if inputs else Inputs.still_are)(row.decided_by):
        return None
    if not (files := site_in_place(state, str(output))):
        return None
    told = json.loads(row.value)
    told["warnings"] = [Fault(*warning) for warning in told["warnings"]]
    told["states"] = Counter(told["states"])
    outcome = Outcome(**told, written=Written(written=0, unchanged=files, removed=0))
    if outcome.note:
        say(outcome.note)
    return outcome


def outcome_at_once(workspace: Path, output: Path, asked: str) -> Outcome | None:
    """The same of a gallery of which nothing else is known yet."""
    path = workspace / STATE_NAME
    if workspace.is_symlink() or not path.is_file():
        return None
    try:
        with State(path) as state:
            return last_outcome(state, output, asked)
    except Damaged:
        return None
