"""pydantic's findings in the words of this project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gallery.errors import Fault, did_you_mean
from gallery.errors.messages import Wording
from gallery.errors.offers import day_meant, list_meant, number_meant
from gallery.errors.text import field_name, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationError

    from gallery.errors.text import Location

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list, like [a, b]",
    "dict": "a mapping, like {a: 1}",
    "model": "a mapping, like {a: 1}",
    "date": "a day of the calendar, like 2026-11-20",
    "tuple": "a list, like [a, b]",
}


def explain(
    error: ValidationError,
    model: type[BaseModel],
    file: str,
    line_of: Callable[[Location], int],
    within: str = "",
) -> list[Fault]:
    """Every finding as a fault: what is wrong with the value, and what is accepted.

    ``within`` is the key of the file's mapping whose value was validated, if not all of it.
    """
    faults = []
    for finding in error.errors(include_url=False):
        loc = tuple(part for part in finding["loc"] if part != "[key]")
        message = _message(dict(finding), model, loc)
        place = (within, *loc) if within else loc
        faults.append(Fault(file, line_of(place), field_name(place), message))
    return faults


def _message(finding: dict[str, Any], model: type[BaseModel], loc: Location) -> str:
    kind, value, context = finding["type"], finding["input"], finding.get("ctx", {})
    field = _field_at(model, loc)
    match kind:
        case "missing":
            return Wording.MISSING
        case "extra_forbidden":
            owner = _model_at(model, loc[:-1])
            known = [name for name, info in owner.model_fields.items() if not info.exclude] if owner else []
            if place := getattr(owner, "ELSEWHERE", {}).get(str(loc[-1]).lower()):
                return f"unknown field; {place}"
            near = did_you_mean(_by_label(str(loc[-1]), owner), known)
            return f"unknown field{near or '; known: ' + ', '.join(known)}"
        case "less_than_equal" | "greater_than_equal" | "less_than" | "greater_than":
            accepted = bounds(field) if field else ""
            return Wording.OUT_OF_RANGE.format(value=shown(value), bounds=accepted).rstrip(", ")
        case "finite_number":
            return Wording.UNUSABLE_NUMBER.format(value=shown(value))
        case "literal_error":
            known = [str(choice) for choice in get_args(field.annotation)] if field else []
            return f"{shown(value)} is not known{did_you_mean(str(value), known)}; known: {', '.join(known)}"
        case "string_pattern_mismatch":
            form = form_of(field) or f"text of the form {context['pattern']}"
            return Wording.NOT_OF_FORM.format(value=shown(value), form=form)
        case "string_too_long":
            return Wording.TOO_LONG.format(count=len(value), limit=context["max_length"])
        case "string_too_short":
            return "is empty"
        case "too_long":
            return f"has {context['actual_length']} entries; at most {context['max_length']} are accepted"
        case "too_short":
            return Wording.NO_VALUES
        case "value_error":
            return str(context["error"])
    wanted = KINDS.get(kind.split("_")[0], "another kind of value")
    if value is None:
        return f"has no value; expected {wanted}"
    if isinstance(value, str) and kind.startswith(("int", "float")) and _is_quoted(value):
        return f"{shown(value)} is text, since it is in quotes; leave the quotes out"
    if kind == "string_type" and isinstance(value, list | dict):
        bracket = "{" if isinstance(value, dict) else "["
        return f"{shown(value)} is not text; put text that starts with {bracket} in quotes"
    if kind == "string_type":
        return f'{shown(value)} is not text here; put it in quotes: "{shown(value)}"'
    offer = _offer(kind, value, model, loc)
    if kind.startswith("list") and offer:
        wanted = "a list"
    return Wording.NOT_OF_KIND.format(value=shown(value), kind=wanted) + offer


def _offer(kind: str, value: Any, model: type[BaseModel], loc: Location) -> str:
    """What to write instead, where the value can only mean one thing."""
    if kind.startswith("list") and loc[-1] not in ("prompt", "takes"):
        numbers = "unit" in _extras(model.model_fields.get(_name_in(loc)))
        if meant := list_meant(value, numbers=numbers):
            return f"; write {meant}"
    if not isinstance(value, str):
        return ""
    if kind.startswith("date") and (meant := day_meant(value)):
        return f"; write {meant}"
    if kind.startswith(("int", "float")):
        unit = _extra(model.model_fields.get(_name_in(loc)), "unit")
        if meant := number_meant(value, unit, whole=kind.startswith("int")):
            bare = number_meant(value, whole=kind.startswith("int"))
            return f"; write {meant}" + ("" if bare else ": seconds, without the unit")
    return ""


def _name_in(loc: Location) -> str:
    return next((part for part in reversed(loc) if isinstance(part, str)), "")


def _by_label(name: str, owner: type[BaseModel] | None) -> str:
    """The field that people call by this name (``guidance`` is ``cfg_coef``), else the name itself."""
    fields = owner.model_fields if owner else {}
    wanted = name.lower().replace("-", "_")
    return next((field for field in fields if wanted in (field, _extra(fields[field], "label"))), name)


def _is_quoted(text: str) -> bool:
    """Whether a text would be a number if it stood without quotes."""
    return bool(re.fullmatch(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{0,30})?", text))


# How ranges are put into words; guides say it in their own language.
RANGE = {"to": "to", "above": "above", "below": "below", "at_least": "at least", "at_most": "at most"}


def bounds(field: FieldInfo, words: Mapping[str, str] = RANGE, number: Callable[[Any], str] = str) -> str:
    """The accepted range: ``0 to 20``, ``above 0, below 30``, ``at least 1``."""
    limits = {
        name: number(value)
        for rule in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if (value := getattr(rule, name, None)) is not None
    }
    if "ge" in limits and "le" in limits:
        return f"{limits['ge']} {words['to']} {limits['le']}"
    told = {"ge": words["at_least"], "gt": words["above"], "le": words["at_most"], "lt": words["below"]}
    return ", ".join(f"{told[name]} {limits[name]}" for name in told if name in limits)


def form_of(field: FieldInfo | None) -> str:
    """What a text field must look like, in words, where its declaration says so."""
    return _extra(field, "form")


def _extra(field: FieldInfo | None, name: str) -> str:
    return str(_extras(field).get(name, ""))


def _extras(field: FieldInfo | None) -> dict[str, Any]:
    extra = field.json_schema_extra if field else None
    return extra if isinstance(extra, dict) else {}


def _field_at(model: type[BaseModel], loc: Location) -> FieldInfo | None:
    names = [part for part in loc if isinstance(part, str)]
    owner = _model_at(model, tuple(names[:-1]))
    field = owner.model_fields.get(names[-1]) if owner and names else None
    if field and isinstance(loc[-1], int) and (items := get_args(field.annotation)):
        return FieldInfo.from_annotation(items[0])
    return field


def _model_at(model: type[BaseModel], loc: Location) -> type[BaseModel] | None:
    """The model that holds the value at ``loc``: through fields, lists and mappings."""
    owner: type[BaseModel] | None = model
    skip_key = False
    for part in loc:
        if skip_key or isinstance(part, int):
            skip_key = False
            continue
        if owner is None or part not in owner.model_fields:
            return None
        annotation = owner.model_fields[part].annotation
        owner, skip_key = _model_within(annotation), get_origin(annotation) is dict
    return owner


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
