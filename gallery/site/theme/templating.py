"""What is particular about our use of Jinja."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.runtime import Context

from gallery.errors import Fault, FaultyFile
from gallery.errors.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from jinja2.bccache import Bucket

# What the files of a gallery's own templates are called, and those that come with the tool.
OWN, PACKAGED = "templates/", "the tool's own templates/"


# What takes Jinja's context along only if it is marked so itself; of other objects, their class may be.
_PLAIN = {FunctionType, type(lru_cache(len))}


class _QuickCalls(Context):
    """Calls functions at once: Jinja looks for more at every callable, a hundred times a page."""

    def call(
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        _loop_vars: Any = None,
        _block_vars: Any = None,
        **named: Any,
    ) -> Any:
        """The value of ``function(...)`` in a template."""
        if type(function) in _PLAIN and not hasattr(function, "jinja_pass_arg"):
            return function(*args, **named)
        return super().call(function, *args, _loop_vars=_loop_vars, _block_vars=_block_vars, **named)


class KeysFirst(Environment):
    """Looks for ``x.y`` among a dict's keys first: what pages are made from are dicts."""

    context_class = _QuickCalls

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


def template_mistake(error: Exception, template: str) -> FaultyFile:
    """What is wrong in a gallery's own templates, by what came of rendering ``template``.

    The place is the innermost of the gallery's own on the way to the error: a template that comes with
    the tool is seldom to blame for what is not there.
    """
    if isinstance(error, TemplateSyntaxError):
        places = [(error.filename or error.name or f"{OWN}{template}", error.lineno)]
    else:
        places = [*_places(error.__traceback__)] or [(f"{OWN}{template}", 0)]
    file, line = ([place for place in places if place[0].startswith(OWN)] or places)[-1]
    if isinstance(error, TemplateNotFound):
        said = f"there is no template {one_line(str(error.name))}"
    else:
        said = one_line(error.message or "" if isinstance(error, TemplateError) else error)
    return FaultyFile([Fault(printable(file), line, "", said)])


def _places(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    """Where in templates an error came by: file and line."""
    while traceback:
        known = traceback.tb_frame.f_globals
        if "__jinja_exception__" in known:  # of Jinja's making, for people who read tracebacks
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        elif template := known.get("__jinja_template__"):
            yield template.filename, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
