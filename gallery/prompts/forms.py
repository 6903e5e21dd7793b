"""The forms that names, characters and digests have to have in prompt files."""

from __future__ import annotations

import re
import unicodedata

from gallery.utils.slug import slug

# Names that are one name on every file system and in every address; no device of Windows.
FILE_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9][a-z0-9_-]*")
NAME_FORM = "use lowercase letters, digits, hyphens and underscores"

# Control characters, direction overrides, fillers and tags: nobody sees them, and they can make
# text read as what it is not, or carry more than it says. Joiners and the marks of right-to-left
# scripts are not among them: emoji, Persian and Hebrew are written with them.
HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Leads the melody of an imported clip: a file that nobody here has, known by its SHA-256.
DIGEST_PREFIX = "sha256:"
MELODY_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_LONGEST_NAME = 255


def name_meant(text: str) -> str:
    """The name of a file or folder that a text can only mean; nothing where letters would be lost."""
    name = slug(text, _LONGEST_NAME)
    lost = any(char.isalnum() and not char.isascii() for char in unicodedata.normalize("NFKD", text))
    return name if FILE_NAME.fullmatch(name) and not lost else ""
