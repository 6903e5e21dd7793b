"""What a prompt's clip is, in schema.org's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gallery.prompts.request import plain_number
from gallery.site.pages import rows
from gallery.site.theme import addresses, labels
from gallery.site.theme.theme import absolute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gallery.catalogue.entries import ClipEntry, PromptEntry
    from gallery.config import Model, Site

_LICENSES = {
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def shown_clip(entry: PromptEntry) -> ClipEntry | None:
    """The clip that stands for its prompt elsewhere: a render before a sketch, none before either."""
    ordered = sorted(entry["clips"], key=lambda clip: clip["state"] != "render")
    return next((clip for clip in ordered if rows.playable(clip)), None)


def is_gallery(author: str, site: Site) -> bool:
    """Whether an author is the gallery itself, and nobody who has a page elsewhere."""
    return author.casefold() in {"gallery", site.author.casefold(), site.title.casefold()}


def structured_data(entry: PromptEntry, site: Site, models: Mapping[str, Model]) -> str:
    """A MusicRecording as JSON that may stand in a page; nothing while there is nothing to hear."""
    clip = shown_clip(entry)
    if not clip:
        return ""
    length = f"PT{plain_number(round(rows.length_of(clip), 2))}S"
    sketch = clip["state"] == "sketch"
    prompt: dict[str, Any] = {
        "@type": "CreativeWork",
        "text": entry["text"],
        **_license(entry["license"]),
    }
    if entry["author"]:
        person = {"@type": "Person", "url": f"https://github.com/{entry['author']}"}
        kind = {"@type": "Organization"} if is_gallery(entry["author"], site) else person
        prompt["author"] = {"name": entry["author"], **kind}
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "MusicRecording",
        "name": f"{'Sketch: ' if sketch else ''}{entry['title']}",
        "description": f"A sketch for a prompt, not made by MusicGen: {labels.excerpt(entry['text'])}"
        if sketch
        else f"Made by {clip['model']} from a prompt: {labels.excerpt(entry['text'])}",
        "duration": length,
        "isAccessibleForFree": True,
        "isBasedOn": prompt,
        "encoding": {
            "@type": "AudioObject",
            "encodingFormat": "audio/mpeg",
            "contentUrl": _address(clip["audio"], entry, site.base_url),
            "duration": length,
        },
    }
    if entry["date"]:
        data["datePublished"] = entry["date"]
    if not sketch:
        request = clip["request"]
        data["creator"] = {
            "@type": "Organization",
            "name": site.author or site.title,
            "description": f"rendered with {request.get('model', clip['model'])}",
        }
        if model := models.get(clip["model"]):
            data |= _license(model.license)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # Nothing in it can end the script that it stands in.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _address(target: str, entry: PromptEntry, base_url: str) -> str:
    if base_url or "://" in target:
        return absolute(base_url, target)
    return addresses.root_of(addresses.prompt_page(entry["path"])) + addresses.escaped(target)


def _license(name: str) -> dict[str, str]:
    """A licence with its address, or SPDX's page on it. Nothing where it is not known or SPDX has none."""
    if name in ("NOASSERTION", "NONE") or name.startswith(("LicenseRef-", "DocumentRef-")):
        return {}
    return {"license": _LICENSES.get(name, f"https://spdx.org/licenses/{name}.html")}
