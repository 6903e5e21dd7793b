"""What visitors take along from a prompt's page: requests for other tools, a remix, an embed."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gallery.catalogue.formats import prompt_fields, takeaways
from gallery.prompts.fields import FrontMatter
from gallery.prompts.request import Request
from gallery.site.pages import rows
from gallery.site.theme import addresses, labels
from gallery.site.theme.theme import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gallery.catalogue.entries import ClipEntry, PromptEntry
    from gallery.config import Model

# Fields whose names may be tags of what is heard: a melody, a long piece.
_HEARD = ("model", "duration", "melody")

EMBED_HEIGHT = {"single": 184, "several": 216}


def _names(fields: Iterable[str]) -> set[str]:
    """What tags call fields."""
    return {name for field in fields for name in (labels.label(field), field, f"{labels.label(field)}s")}


# Tags of comparisons.
_COMPARED = {"compare", "comparison", "comparisons"} | _names(
    field for field in labels.FIELD_ORDER if field not in _HEARD
)


def of_clip(entry: PromptEntry, clip: ClipEntry, models: Mapping[str, Model]) -> dict[str, Any]:
    """A clip's request in the words of other tools, and where to begin a prompt of one's own from it.

    Nothing for a clip whose model the gallery no longer lists.
    """
    model, request = models.get(clip["model"]), Request.model_validate(clip["request"])
    return {
        "tools": takeaways(request, clip["model"], model, clip.get("irreproducible", "")) if model else [],
        "remix": _remix(entry, clip, request, models) if model else "",
        "file": _file_name(entry, clip) + ("-sketch" if clip["state"] == "sketch" else ""),
    }


def _remix(entry: PromptEntry, clip: ClipEntry, request: Request, models: Mapping[str, Model]) -> str:
    """What the form for a new prompt is opened with to ask for this clip, as its address takes it."""
    name = clip["model"]
    fields = prompt_fields(request, name, models[name])
    if name == next(iter(models)):  # the one of prompts that name none
        del fields["model"]
    fields.pop("audio", None)  # what is made anew has a seed of its own
    if entry["license"] != FrontMatter.model_fields["license"].default:
        fields["license"] = entry["license"]
    if tags := _own_tags(entry):
        fields["tags"] = ", ".join(tags)
    fields |= {
        "title": f"Remix of {labels.excerpt(entry['title'], 40)}",
        "notes": f"A remix of `{entry['path']}`.",
        "folder": "remix",
        "name": _file_name(entry, clip),
    }
    # As people write numbers: 0.00001, never 1e-05.
    texts = {
        key: f"{Decimal(str(value)):f}" if isinstance(value, float) else value
        for key, value in fields.items()
    }
    return "&".join(f"{key}={quote(str(text), safe='', errors='replace')}" for key, text in texts.items())


def _own_tags(entry: PromptEntry) -> list[str]:
    """The tags that say what one clip is, and not what it was compared for."""
    about = _COMPARED | _names(rows.varied(entry))
    return [tag for tag in entry["tags"] if tag.replace(" ", "-") not in about]


def _file_name(entry: PromptEntry, clip: ClipEntry) -> str:
    """A file's name, without its suffix, for something made of one clip."""
    return f"{entry['path'].rsplit('/', 1)[-1]}-{clip['id']}"


def embed_snippet(entry: PromptEntry, base_url: str) -> str:
    """HTML that shows the prompt's clips on another site. Only where base_url is set."""
    page = escape(absolute(base_url, addresses.embed_page(entry["path"])))
    title = escape(labels.excerpt(entry["title"], 80))
    height = EMBED_HEIGHT["several" if len(entry["clips"]) > 1 else "single"]
    return (
        f'<iframe src="{page}" title="{title}" width="100%" height="{height}" loading="lazy" '
        'style="border:0;max-width:40rem"></iframe>'
    )
