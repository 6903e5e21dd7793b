"""What a value that is not accepted as it stands can only mean.

The site's form mends what is typed by the same patterns, which are read by JavaScript too.
"""

from __future__ import annotations

import re
from datetime import date

# 0,8 for 0.8; not 1,000, which is a thousand to many.
DECIMAL_COMMA = r"^([+-]?(?:[0-9]+(?=,[0-9]{1,2}$)|0)),([0-9]+)$"
SECONDS = r"^([+-]?[0-9]+(?:[.,][0-9]+)?) ?(?:s|sec|secs|second|seconds)\.?$"
CLOCK = r"^([0-9]{1,2}):([0-5][0-9])$"

# Longer ones would fill the line.
_LONGEST = 60

_DAYS = (
    re.compile(r"(?P<y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<d>[0-9]{1,2})\. ?(?P<m>[0-9]{1,2})\. ?(?P<y>[0-9]{4})"),
)
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?")
_WORDS = re.compile(r"[\w&+'-][\w &+'.-]*")


def number_meant(text: str, unit: str = "", *, whole: bool = False) -> str:
    """The number that a text can only mean, as YAML writes it; nothing where it could mean others.

    Numbers with the unit ``s`` may be written with it, or as minutes and seconds.
    """
    if unit == "s":
        text = re.sub(SECONDS, r"\1", text.lower())
        text = re.sub(CLOCK, lambda found: str(int(found[1]) * 60 + int(found[2])), text)
    if not whole:
        text = re.sub(DECIMAL_COMMA, r"\1.\2", text)
    return text if _NUMBER.fullmatch(text) else ""


def day_meant(text: str) -> str:
    """The day that a text can only mean, as ``2026-11-20``; nothing where there is none, or two."""
    for form in _DAYS:
        if found := form.fullmatch(text):
            try:
                return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
            except ValueError:
                return ""
    return ""


def list_meant(value: object, *, numbers: bool) -> str:
    """The list that one value, or several with commas between, can only mean: ``[lofi, piano]``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    items = [item.strip() for item in text.split(",")]
    form = _NUMBER if numbers else _WORDS
    alike = all(form.fullmatch(item) and (numbers or not _NUMBER.fullmatch(item)) for item in items)
    return f"[{', '.join(items)}]" if alike and len(text) <= _LONGEST else ""
