"""What may stand in a prompt file and in presets.yaml: the fields, their forms and their meaning."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from gallery.prompts.request import Parameters

_LETTERS = r"\p{Ll}\p{Lo}\p{Lm}\p{M}\p{N}"


def _form(words: str) -> dict[str, Any]:
    return {"form": words}


# Other white space is hidden, or part of what is not accepted.
_SPACE = " \t\n"


# Read by JavaScript, too.
PROFILE = r"^(?:https?://)?(?:www\.)?github\.com/([A-Za-z0-9-]+)/?$"


def tag_meant(value: Any) -> Any:
    """A tag as it is kept: ``Lo-Fi`` and ``#lo-fi`` are lo-fi."""
    return value.strip(_SPACE).lstrip(f"#{_SPACE}").lower() if isinstance(value, str) else value


def handle_meant(value: Any) -> Any:
    """A GitHub handle without the @ that leads mentions, or without its page's address around it."""
    if not isinstance(value, str):
        return value
    text = value.strip(_SPACE)
    page = re.fullmatch(PROFILE, text)
    return page[1] if page else text.lstrip(f"@{_SPACE}")


def _day_in_quotes(value: Any) -> Any:
    """A day that stands in quotes, where YAML takes it for text."""
    if isinstance(value, str) and len(value) == len("2026-11-20"):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    return value


Tag = Annotated[
    str,
    StringConstraints(pattern=rf"^[\p{{Ll}}\p{{Lo}}\p{{N}}]([{_LETTERS} &+'.-]{{0,28}}[{_LETTERS}])?$"),
    Field(
        json_schema_extra=_form("lowercase letters and digits, with spaces or & + ' . - between, 30 at most")
    ),
    BeforeValidator(tag_meant),
]


class Changes(Parameters):
    """The fields of a request as a prompt file writes them; a take may change any of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    prompt: str = Field(
        "", description="What the model is asked for, in words. Only beside a `melody` it may be left out."
    )
    model: str = Field("", description="A model's name in gallery.toml; its first one if left out.")
    melody: str | None = Field(
        None,
        description="An audio file beside the prompt file, for melody models: its tune is followed. "
        "Imported clips have the digest of a file that is not here, `sha256:` and 64 hex digits.",
    )
    audio: str | None = Field(
        None,
        description="In the place of a seed that nobody knows, or where another engine than audiocraft made "
        "it, in imported clips: the SHA-256 of the clip's samples, `sha256:` and 64 hex digits. Such a clip "
        "can be heard, and not be made again.",
    )


def _grid_model() -> type[BaseModel]:
    """Every field of a request, each with a list of values."""
    fields: dict[str, Any] = {}
    for name, info in Changes.model_fields.items():
        annotation: Any = info.annotation
        for rule in info.metadata:
            annotation = Annotated[annotation, rule]
        fields[name] = (
            Annotated[list[annotation], Field(min_length=1, description=f"Values of `{name}`.")],
            Field(default=[], validate_default=False),
        )
    return create_model("Vary", __config__=Changes.model_config, **fields)


if TYPE_CHECKING:

    class Vary(BaseModel):
        """A grid."""
else:
    Vary = _grid_model()


class FrontMatter(Changes):
    """The front matter of a prompt file."""

    # What people look for among the fields and does not stand there.
    ELSEWHERE: ClassVar[dict[str, str]] = dict.fromkeys(
        ("note", "notes", "description", "comment", "comments"), "notes stand below the second line of ---"
    )

    title: str = Field(
        "", max_length=120, description="Name of the prompt's page; the prompt's beginning if left out."
    )
    tags: list[Tag] = Field([], description="Words to find the prompt by.")
    author: Annotated[str, BeforeValidator(handle_meant)] = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9-]{0,38})?$",
        description="Who wrote the prompt: a GitHub handle.",
        json_schema_extra=_form("a GitHub handle without the @: letters, digits and hyphens, 39 at most"),
    )
    license: str = Field(
        "CC0-1.0",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,39}$",
        description="Licence of the prompt and the notes, an SPDX identifier.",
        json_schema_extra=_form("an SPDX identifier like CC0-1.0"),
    )
    date: Annotated[datetime.date | None, BeforeValidator(_day_in_quotes)] = Field(
        None, description="Day the prompt was written, e.g. 2026-11-20; newest stand first."
    )
    preset: str = Field("", description="Name of a set of parameters in prompts/presets.yaml.")
    vary: Vary | None = Field(
        None, description="A grid: lists of values for fields of the request; one clip for each combination."
    )
    takes: list[Changes] = Field([], description="A list of changes to the fields above; one clip for each.")


class Preset(Parameters):
    """A named set of parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    description: str = Field("", max_length=300, description="What the set is good for.")
