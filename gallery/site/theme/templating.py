"""What is particular about our use of Jinja."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemBytecodeCache

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class KeysFirst(Environment):
    """Looks for ``x.y`` among a dict's keys first: what pages are made from are dicts."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value of ``obj.attribute`` in a template."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


class _CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates of all of a user's galleries, in a folder of that user alone.

    As Python keeps modules, and as little missed: where the disk refuses them, they are compiled anew.
    """

    def __init__(self, tool: str) -> None:
        super().__init__()
        self._tool = tool

    def get_source_checksum(self, source: str) -> str:
        """Decides whether what is kept is of this source: and of this tool and its libraries."""
        return hashlib.sha256(f"{self._tool}\0{source}".encode(errors="surrogatepass")).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a template's bucket, if it is here."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - whatever pickle makes of a damaged file
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's bucket."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_templates(tool: str) -> FileSystemBytecodeCache | None:
    """The cache of compiled templates; None where this machine has no safe place for one.

    ``tool`` is the digest of the tool that compiles them.
    """
    try:
        return _CompiledTemplates(tool)
    except (OSError, RuntimeError):  # no temporary folder; one that somebody else has made for this user
        return None
