"""Names of files from people's words."""

from __future__ import annotations

import re
import unicodedata


def slug(text: str, longest: int) -> str:
    """Lowercase ASCII words with hyphens, cut between words where that can be; empty where none are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(name) > longest:
        name = name[: longest + 1].rpartition("-")[0] or name[:longest]
    return name.strip("-")
