"""Templates, compiled once for all builds of a test process: that takes longer than a small build itself.

The tool keeps them on the disk, for one version of itself. Here there are several, side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2

from gallery.site.theme import templating

# The product's own, for its tests.
compiled_on_disk = templating.compiled_templates

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
    """Give every theme that is made from now on, in this process, the same store of code.

    The product's own lies on the disk, where tests with other versions of the tool would replace it in turn.
    """
    kept = _Compiled()
    templating.compiled_templates = lambda _tool: kept  # type: ignore[assignment,return-value]
