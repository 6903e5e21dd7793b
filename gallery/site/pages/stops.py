"""What the takes of a comparison are called, each by what sets it apart from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gallery.catalogue.differences import word_changes
from gallery.site.theme import labels

if TYPE_CHECKING:
    from gallery.catalogue.entries import PromptEntry

_LONGEST = 40


def stop(field: str, value: Any, entry: PromptEntry) -> str:
    """What a place of an axis is called; of wordings, by what sets them apart from the prompt's."""
    if field != "prompt":
        return labels.quantity(field, value)
    came, went = _changed(entry["text"], str(value))
    if came:
        return came if went else f"+ {came}"
    if went:
        return f"without {went}"
    # The prompt's own words: what the others have in their place, or lack.
    others = [_changed(entry["text"], str(clip["request"].get("prompt", ""))) for clip in entry["clips"]]
    replaced = max((went for came, went in others if came), key=len, default="")
    return replaced or ("without" if any(came for came, _ in others) else "as written")


def _changed(before: str, after: str) -> tuple[str, str]:
    """The words that came and those that went, in short."""
    parts: dict[str, list[str]] = {"+": [], "-": []}
    for step, text in word_changes(before, after):
        if step in parts and (words := text.strip(" ,.;:、。，،؛")):
            parts[step].append(words)
    came, went = (labels.excerpt(", ".join(parts[step]), _LONGEST) for step in "+-")
    return came, went
