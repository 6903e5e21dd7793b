"""What visitors take along from a prompt's page: requests for other tools, a remix, an embed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import ValidationError

from gallery.request import Request
from gallery.schema import FrontMatter
from gallery.site import addresses, words
from gallery.site.theme import absolute
from gallery.takeaway import front_matter, takeaways

if TYPE_CHECKING:
    from gallery.catalogue import ClipEntry, PromptEntry
    from gallery.config import Config

# GitHub answers longer addresses with an error.
_LONGEST_ADDRESS = 7_500

EMBED_HEIGHT = {"single": 184, "several": 216}


def of_clip(entry: PromptEntry, clip: ClipEntry, config: Config) -> dict[str, Any]:
    """A clip's request in the words of other tools, and where to begin a prompt of one's own from it.

    Nothing for a clip whose model the gallery no longer lists.
    """
    model = config.models.get(clip["model"])
    try:
        request = Request.model_validate(clip["request"])
    except ValidationError:
        # Of a catalogue that was published before, and by another version.
        model = None
    if not model:
        return {"tools": [], "remix": "", "file": _file_name(entry, clip)}
    return {
        "tools": takeaways(request, clip["model"], model),
        "remix": _remix(entry, clip, request, config) if config.site.repository else "",
        "file": _file_name(entry, clip),
    }


def _remix(entry: PromptEntry, clip: ClipEntry, request: Request, config: Config) -> str:
    """The repository's page for a new file, with this clip's prompt file filled in."""
    shown: dict[str, Any] = {"title": f"Remix of {words.excerpt(entry['title'], 40)}"}
    if entry["tags"]:
        shown["tags"] = entry["tags"]
    if entry["license"] != FrontMatter.model_fields["license"].default:
        shown["license"] = entry["license"]
    text = front_matter(request, clip["model"], config.models[clip["model"]], **shown)
    text += f"A remix of `{entry['path']}`.\n"
    name = f"prompts/remix/{_file_name(entry, clip)}.md"
    site = config.site
    page = f"{site.repository}/new/{quote(site.branch)}?filename={quote(name, safe='')}"
    whole = f"{page}&value={quote(text, safe='')}"
    return whole if len(whole) <= _LONGEST_ADDRESS else page


def _file_name(entry: PromptEntry, clip: ClipEntry) -> str:
    """A file's name, without its suffix, for something made of one clip."""
    return f"{entry['path'].rsplit('/', 1)[-1]}-{clip['id']}"


def embed_snippet(entry: PromptEntry, config: Config) -> str:
    """HTML that shows the prompt's clips on another site. Only where base_url is set."""
    page = escape(absolute(config, addresses.embed_page(entry["path"])))
    title = escape(words.excerpt(entry["title"], 80))
    height = EMBED_HEIGHT["several" if len(entry["clips"]) > 1 else "single"]
    return (
        f'<iframe src="{page}" title="{title}" width="100%" height="{height}" loading="lazy" '
        'style="border:0;max-width:40rem"></iframe>'
    )
