"""The JSON Schema (2020-12) of prompt files and presets, made from the fields' one description.

It is for editors and other tools. `gallery check` knows more: which files exist, what
the combinations of a grid come to, what each model can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gallery.errors import FaultyFile
from gallery.prompts.fields import Changes, FrontMatter, Preset
from gallery.prompts.file import read_presets
from gallery.prompts.forms import DIGEST_PREFIX
from gallery.prompts.melody import SUFFIXES
from gallery.prompts.prompt import Findings
from gallery.prompts.request import plain_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from gallery.config import Config

    _Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# A tag as far as every tool can test it: few regular expressions know classes like \p{Ll},
# so that here all letters outside of ASCII pass.
# Capitals pass since they are made small.
_LETTER = r"[^\x00-/:-@[-`{-\x7f]"
_INNER = r"[^\x00-\x1f!-%(-*,/:-@[-`{-\x7f]"
_SPACE = r"[ \t\n]*"
_TAG = rf"^[# \t\n]*{_LETTER}({_INNER}{{0,28}}{_LETTER})?{_SPACE}$"
_HANDLE = rf"^[@ \t\n]*((https?://)?(www\.)?github\.com/)?([A-Za-z0-9][A-Za-z0-9-]{{0,38}})?/?{_SPACE}$"

# Regular expressions of JSON Schema have no flag for "in either case".
_ENDINGS = "|".join(
    "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in suffix[1:])
    for suffix in SUFFIXES
)
_AUDIO = rf"^{DIGEST_PREFIX}[0-9a-f]{{64}}$"
_MELODY = rf"^({DIGEST_PREFIX}[0-9a-f]{{64}}|(.*[^/])?[^/]\.({_ENDINGS}))$"


def prompt_schema(config: Config | None) -> _Schema:
    """The schema of a prompt file's front matter, with a gallery's own models, presets and limits if given.

    Raises FaultyFile where its presets have faults.
    """
    rules = _rules(config)
    changes, matter = _properties(Changes, rules), _properties(FrontMatter, rules)
    most = {"maxItems": config.limits.clips_per_prompt} if config else {}
    grid = _mapping({name: _list_of(field) | most for name, field in changes.items()})
    matter["vary"] |= {"anyOf": [grid, {"type": "null"}]}
    matter["takes"] |= {"items": _mapping(changes)} | most
    return {
        "$schema": DIALECT,
        "title": "Front matter of a prompt file",
        **_mapping(matter),
        "anyOf": [
            {"required": ["prompt"]},
            {"required": ["melody"], "properties": {"melody": {"type": "string"}}},
            {"required": ["vary"], "properties": {"vary": {"required": ["prompt"]}}},
            {
                "required": ["takes"],
                "properties": {"takes": {"minItems": 1, "items": {"required": ["prompt"]}}},
            },
        ],
        "not": {"required": ["takes", "vary"], "properties": {"vary": {"type": "object"}}},
    }


def presets_schema() -> _Schema:
    """The schema of prompts/presets.yaml."""
    return {
        "$schema": DIALECT,
        "title": "Presets: named sets of parameters",
        "type": ["object", "null"],
        "additionalProperties": _mapping(_properties(Preset, {})),
    }


def _rules(config: Config | None) -> Mapping[str, _Schema]:
    """What is accepted beyond what the fields' types tell, by field."""
    rules: dict[str, _Schema] = {
        "prompt": {"minLength": 1, "pattern": r"\S"},
        "melody": {"anyOf": [{"type": "string", "pattern": _MELODY}, {"type": "null"}]},
        "audio": {
            "anyOf": [{"type": "string", "pattern": rf"^{DIGEST_PREFIX}[0-9a-f]{{64}}$"}, {"type": "null"}]
        },
        "tags": {"items": {"type": "string", "pattern": _TAG}},
        "author": {"pattern": _HANDLE},
    }
    if config:
        limits, models = config.limits, config.models
        longest = min(limits.duration, max(model.max_duration for model in models.values()))
        rules["prompt"]["maxLength"] = limits.prompt_length
        rules["tags"]["maxItems"] = limits.tags
        rules["duration"] = {"maximum": plain_number(longest)}
        rules["model"] = {"enum": list(models), "default": config.default_model}
        presets = read_presets(config, findings := Findings())
        if findings.faults:
            raise FaultyFile(findings.faults)
        rules["preset"] = {"enum": list(presets) or [""]}
    return rules


def _properties(model: type[BaseModel], rules: Mapping[str, _Schema]) -> dict[str, _Schema]:
    fields = model.model_json_schema()["properties"]
    for field in fields.values():
        field.setdefault("form", field.get("items", {}).get("form", ""))
    return {name: _described(name, field | rules.get(name, {})) for name, field in fields.items()}


def _mapping(properties: _Schema) -> _Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _list_of(field: _Schema) -> _Schema:
    """A list of a field's values, for a grid."""
    values = _without(field, "title", "description", "default")
    about = {"title": field["title"], "description": f"A list of values. {field['description']}"}
    return {**about, "type": "array", "items": values, "minItems": 1}


def _described(name: str, field: _Schema) -> _Schema:
    """A field with its label for a title, and with unit, range and default in its description."""
    schema = _without(field, "title", "label", "unit", "form")
    unit, form = field.get("unit", ""), field.get("form", "")
    default = plain_number(schema.pop("default", None))
    sentences = [schema.get("description", "")]
    if accepted := _range(schema):
        sentences.append(f"Range: {accepted} {unit}".strip() + ".")
    if form:
        sentences.append(f"Form: {form}.")
    if default not in (None, "", []):  # these stand for a field that is left out
        sentences.append(f"Default: {default} {unit}".strip() + ".")
        schema["default"] = default
    return {"title": field.get("label", name), **schema, "description": " ".join(sentences)}


def _without(schema: _Schema, *names: str) -> _Schema:
    return {name: value for name, value in schema.items() if name not in names}


def _range(schema: _Schema) -> str:
    """``0.5 to 120``, ``above 0, below 30``, or nothing for a field that has no range."""
    for part in (schema, *schema.get("anyOf", ())):
        if "minimum" in part and "maximum" in part:
            return f"{part['minimum']} to {part['maximum']}"
        if "exclusiveMinimum" in part and "exclusiveMaximum" in part:
            return f"above {part['exclusiveMinimum']}, below {part['exclusiveMaximum']}"
    return ""
