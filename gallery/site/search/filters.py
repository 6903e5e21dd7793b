"""What the list of prompts can be narrowed by, with how many prompts that leaves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gallery.site.items import Facets
from gallery.site.pages import rows
from gallery.site.search import index
from gallery.site.theme import addresses, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gallery.config import Model
    from gallery.site.items import Item

# So many values a filter offers, and of these the most frequent at once: the rest folds away below them.
_OFFERED = 60
_AT_ONCE = {"folder": 8, "tag": 10, "author": 5}


def ranges(items: Sequence[Item]) -> list[dict[str, str]]:
    """The parameters that can be searched by range, each with the least and the most there is."""
    found = [values for item in items for values in item.ranges]
    spans = []
    for place, field in enumerate(index.RANGES):
        values = [each for combination in found if (each := combination[place]) is not None]
        spans.append(
            {
                "name": labels.label(field),
                "unit": labels.unit(field),
                "low": labels.number(min(values, default=0)),
                "high": labels.number(max(values, default=0)),
            }
        )
    return spans


def filters(
    items: Sequence[Item], models: Mapping[str, Model], page_of: Callable[[str, str], str]
) -> list[dict[str, Any]]:
    """The filters beside the list: each with its values, how many prompts fit them, and their pages."""
    counts = {name: Counter[str]() for name in Facets._fields}
    for item in items:
        for name, values in zip(Facets._fields, item.facets, strict=True):
            counts[name].update(values)
    folders, tags, authors = (
        [value for value, _ in sorted(counts[name].items(), key=lambda pair: (-pair[1], pair[0]))]
        for name in ("folder", "tag", "author")
    )
    named = [labels.label(field) for field in labels.FIELD_ORDER]
    known: dict[str, list[str]] = {
        "folder": folders[:_OFFERED],
        "model": [*models, *sorted(counts["model"].keys() - models.keys())],
        "tag": tags[:_OFFERED],
        "author": authors[:_OFFERED],
        "length": list(rows.LENGTHS),
        "compares": [*named, *sorted(counts["compares"].keys() - set(named))],
        "state": list(rows.STATES),
    }
    shown = {**rows.LENGTHS, **rows.STATES}
    return [
        {
            "name": name,
            "values": [
                {
                    "value": value,
                    "label": shown.get(value, value) if name in ("length", "state") else value,
                    "count": counts[name][value],
                    "page": page_of(name, value) if name in addresses.LIST_PAGES else "",
                }
                for value in values
                if counts[name][value]
            ],
            "shown": _AT_ONCE.get(name, len(values)),
        }
        for name, values in known.items()
    ]
