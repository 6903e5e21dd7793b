"""Where pages are: addresses relative to the site's root, safe on any file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_LONGEST = 80

# Where all prompts are listed, searched and filtered.
CATALOGUE = "prompts/index.html"


@lru_cache(maxsize=4096)
def segment(name: str) -> str:
    """A name as a folder's name; no two names have the same.

    Lowercase letters and digits of any script stay, spaces become ``_``. A name that
    cannot be read back from that ("r&b") gets its digest after a ``~``, which no
    other slug holds: the address depends on the name alone, never on its neighbours.
    """
    base = "".join(c if _stays(c) else "_" if c == " " else "-" for c in name.lower())
    whole = (
        base.replace("_", " ") == name
        and unicodedata.normalize("NFC", name) == name
        and base[:1].isalnum()
        and base[-1:].isalnum()
        and len(base.encode()) <= _LONGEST
        and not _RESERVED.fullmatch(base)
    )
    if whole:
        return base
    short = re.sub(r"[-_]+", "-", unicodedata.normalize("NFC", base)).strip("-")
    short = short.encode()[: _LONGEST // 2].decode(errors="ignore")
    return f"{short}~{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:12]}"


def _stays(character: str) -> bool:
    return character.isalnum() or character == "-" or unicodedata.category(character)[0] == "M"


def prompt_page(path: str) -> str:
    """A prompt's page."""
    return f"prompts/{path}/index.html"


def prompt_card(path: str) -> str:
    """The picture that stands for a prompt's page where it is linked from."""
    return f"prompts/{path}/card.jpg"


def embed_page(path: str) -> str:
    """A prompt's clips as a small page for other sites' frames."""
    return f"prompts/{path}/embed.html"


def folder_page(folder: str, number: int = 1) -> str:
    """The page of a folder of prompts, those of the folders in it included."""
    return paged(f"folders/{segment(folder)}/", number)


def tag_page(tag: str, number: int = 1) -> str:
    """A tag's page."""
    return paged(f"tags/{segment(tag)}/", number)


def model_page(model: str, number: int = 1) -> str:
    """A model's page."""
    return paged(f"models/{segment(model)}/", number)


def author_page(author: str, number: int = 1) -> str:
    """An author's page. GitHub handles are the same in any case."""
    return paged(f"authors/{segment(author.lower())}/", number)


def paged(folder: str, number: int) -> str:
    """The nth page of a list that lives in ``folder``; in none lives the catalogue, the list of all.

    Its own place is among the prompts' pages, whose names have no dots; but a folder of prompts may be
    called ``page``, so that its other pages are elsewhere.
    """
    if number > 1:
        return f"{folder}page/{number}/index.html"
    return f"{folder}index.html" if folder else CATALOGUE


# Prompts are listed by these facets; each says where the page of one of its values is.
LIST_PAGES = {"folder": folder_page, "tag": tag_page, "model": model_page, "author": author_page}


def root_of(address: str) -> str:
    """The way from a page to the site's root: ``../../`` or nothing."""
    return "../" * address.count("/")


@lru_cache(maxsize=4096)
def escaped(address: str) -> str:
    """An address as it stands in a link; absolute ones are left as they are."""
    return address if address.startswith(("https://", "http://")) else quote(address, safe="/~#")
