"""The page on which a prompt file is written, and the script with the rules that its form goes by.

The rules are the checker's own: ranges, forms and limits from the one description of the fields,
and from `gallery.errors.messages` the words for what is refused.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gallery.errors.messages import Wording
from gallery.errors.offers import CLOCK, DECIMAL_COMMA, SECONDS
from gallery.errors.validation import KINDS, bounds
from gallery.prompts.fields import PROFILE, FrontMatter
from gallery.prompts.file import COSTLY_SIGNS, MOST_FOLDERS, MOST_LINES, MOST_SIGNS
from gallery.prompts.forms import DIGEST_PREFIX, FILE_NAME, HIDDEN, MELODY_DIGEST, NAME_FORM
from gallery.prompts.melody import SUFFIXES
from gallery.prompts.request import MOST_MARKS, parameter_fields, plain_number
from gallery.site.theme import labels
from gallery.site.theme.theme import as_json
from gallery.site.writer import Page
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gallery.config import Config
    from gallery.prompts.file import Presets
    from gallery.site.theme.theme import Theme

ADDRESS = "add/index.html"
RULES_ADDRESS = "add/rules.js"

# GitHub answers longer addresses with an error.
LONGEST_ADDRESS = 7_500

# Tags that are offered while one is typed.
_TAGS_OFFERED = 500

# What the form's grid may go over. A melody is not written but laid beside the file.
_GRID = tuple(name for name in labels.FIELD_ORDER if name != "melody")


def add_pages(
    prompts: Iterable[tuple[str, Iterable[str]]], presets: Presets, config: Config, theme: Theme
) -> Iterator[Page]:
    """The page and its rules; ``prompts`` are those there are: their paths and tags."""
    names, tags = _taken(prompts)
    data = {**_rules(config, presets), "names": names, "tags": tags}
    script = f"window.GALLERY_RULES={json.dumps(data, separators=(',', ':'))};\n".encode()
    version = digest(script)
    yield Page(RULES_ADDRESS, version, lambda: script)
    rules = f"{RULES_ADDRESS}?v={version[:10]}"
    shown = {**_page_data(config, presets), "rules": rules, "here": "add a prompt"}
    decided_by = digest(theme.digest, as_json(shown))
    yield Page(ADDRESS, decided_by, theme.render, ("add.html", ADDRESS, shown))


def _taken(prompts: Iterable[tuple[str, Iterable[str]]]) -> tuple[dict[str, list[str]], list[str]]:
    """The names of the prompt files by their folders, and the tags, the commonest first."""
    names: dict[str, list[str]] = {}
    tags = Counter[str]()
    for path, own_tags in prompts:
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, []).append(name)
        tags.update(own_tags)
    ranked = sorted(tags, key=lambda tag: (-tags[tag], tag))
    return {folder: sorted(names[folder]) for folder in sorted(names)}, ranked[:_TAGS_OFFERED]


def _rules(config: Config, presets: Presets) -> dict[str, Any]:
    """What the form checks by, and the words for what it refuses."""
    fields = _fields()
    site, longest = config.site, config.limits.duration
    forms = {"tags": fields["tags"]["items"], "author": fields["author"], "license": fields["license"]}
    return {
        "wording": {word.name: word.value for word in Wording},
        "numbers": {name: _number_rules(name, fields[name]) for name in parameter_fields()},
        "forms": {
            "name": [f"^(?:{FILE_NAME.pattern})$", NAME_FORM],
            **{name: [schema["pattern"], schema["form"]] for name, schema in forms.items()},
        },
        "hidden": HIDDEN.pattern,
        "marks": MOST_MARKS,
        "folders": MOST_FOLDERS,
        "notes": {"lines": MOST_LINES, "signs": COSTLY_SIGNS, "most": MOST_SIGNS},
        "digits": sys.int_info.default_max_str_digits,
        "meant": {"comma": DECIMAL_COMMA, "seconds": SECONDS, "clock": CLOCK, "profile": PROFILE},
        "digest": [DIGEST_PREFIX, f"^(?:{MELODY_DIGEST.pattern})$"],
        "suffixes": SUFFIXES,
        "title": fields["title"]["maxLength"],
        "limits": config.limits.model_dump(),
        "models": {
            name: {
                "longest": min(model.max_duration, longest),
                "short": model.max_duration < longest,
                "window": model.window,
                "melody": model.takes_melody,
            }
            for name, model in config.models.items()
        },
        "presets": presets,
        # How the address of the repository's page for a new file is put together, as GitHub takes it.
        "new": {
            "page": f"{site.repository}/new/{quote(site.branch)}?filename=",
            "text": "&value=",
            "longest": LONGEST_ADDRESS,
        }
        if site.repository
        else None,
    }


@cache
def _fields() -> dict[str, Any]:
    """The fields of prompt files as JSON Schema has them."""
    schema: dict[str, Any] = FrontMatter.model_json_schema()["properties"]
    return schema


def _number_rules(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's range, by JSON Schema's names and in words, and the words for what it must be."""
    limits = schema.get("anyOf", [schema])[0]
    whole = limits["type"] == "integer"
    return {
        **{limit: value for limit, value in limits.items() if limit.lower().endswith(("minimum", "maximum"))},
        "whole": whole,
        "unit": labels.unit(name),
        "kind": KINDS["int" if whole else "float"],
        "bounds": bounds(FrontMatter.model_fields[name]),
        "usual": plain_number(schema["default"]),
    }


def _duration_bounds(config: Config) -> str:
    """The lengths that this gallery takes: the longest is that of its models, within its limit."""
    least, _, most = bounds(FrontMatter.model_fields["duration"]).rpartition(" ")
    longest = max((model.max_duration for model in config.models.values()), default=float(most))
    return f"{least} {labels.number(min(longest, config.limits.duration))}"


def _page_data(config: Config, presets: Presets) -> dict[str, Any]:
    return {
        "models": [
            [name, labels.MAKES[model.kind], labels.number(min(model.max_duration, config.limits.duration))]
            for name, model in config.models.items()
        ],
        "presets": {
            name: ", ".join(labels.named(field, value) for field, value in values.items())
            for name, values in presets.items()
        },
        "parameters": [
            {
                "name": name,
                "label": labels.label(name),
                "unit": labels.unit(name),
                "accepts": _duration_bounds(config) if name == "duration" else bounds(info),
                "usual": labels.number(info.default) if info.default is not None else "",
                "help": info.description,
            }
            for name, info in parameter_fields().items()
        ],
        "grid": [[name, labels.label(name)] for name in _GRID],
        "license": FrontMatter.model_fields["license"].default,
        "limits": config.limits.model_dump(include={"melody_seconds", "clips_per_prompt", "tags"}),
        "guide": (config.root / "CONTRIBUTING.md").is_file(),
    }
