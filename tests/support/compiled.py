"""Templates, compiled once for all builds of a test run: that takes longer than a small build itself."""

from __future__ import annotations

from functools import partialmethod
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from types import CodeType

    from jinja2.bccache import Bucket


class _Compiled(jinja2.BytecodeCache):
    """Code by all that decides it: the template's name, place and text, and how it is read."""

    def __init__(self) -> None:
        self._code: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(self._decided_by(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._code[self._decided_by(bucket)] = bucket.code

    @staticmethod
    def _decided_by(bucket: Bucket) -> tuple[object, ...]:
        reader = bucket.environment
        options = (reader.autoescape, reader.trim_blocks, reader.lstrip_blocks, type(reader))
        return (bucket.key, bucket.checksum, *options)


def compile_templates_once() -> None:
    """Give every environment that is made from now on, in this process, the same store of code."""
    whole = jinja2.Environment.__init__
    jinja2.Environment.__init__ = partialmethod(whole, bytecode_cache=_Compiled())  # type: ignore[assignment]
