"""The theme: templates and assets, the gallery's own before the packaged ones, file by file."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache, partial
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from rcssmin import cssmin
from rjsmin import jsmin

import gallery
from gallery.errors import Fault, FaultyFile, GalleryError
from gallery.errors.text import printable
from gallery.prompts.file import WORDLESS
from gallery.site.theme import addresses, labels, languages, notes
from gallery.state.database import Damaged
from gallery.state.tool import packaged
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Environment

    from gallery.config import Config
    from gallery.state.database import State

ASSETS = "assets"

# Scripts by the names that they had once: galleries' own templates may ask for them.
_RENAMED = {"hands.js": "actions.js", "keep.js": "storage.js"}

# The script that brings into pages what only scripts use: the parts of these names.
FURNITURE = f"{ASSETS}/furniture.js"
_SPRITES, _DOCK = "sprites", "dock"

# The macros that all pages share.
_CLIPS = "parts/clips.html"

# Templates that are no pages.
_FEEDS = ("feed.xml", "podcast.xml")

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Stands in a kept row for the way to the site's root.
_ROOT = "\0root\0"

# Rows of the state: rows of lists by their prompts' paths.
ROW = "row"

# So many rows are in memory, of some 3 KB each.
_MOST_ROWS = 5000

# So many of the tool's own files are in memory as pages have them, for the builds of one server.
_MOST_FILES = 256

# What stands before the lines of templates, for those who read them.
_INDENT = re.compile(r"(<pre\b.*?</pre>)|^ +", re.MULTILINE | re.DOTALL)

# Macros that mostly say what they said before, of other clips; and how much of it is kept.
_SAID_OFTEN = ("line", "mark")
_MOST_SAID = 4096


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def as_json(value: Any) -> str:
    """JSON in one form: the same value, the same text."""
    return _to_json(value)


class Asset(NamedTuple):
    """A file that pages load, and the digest of its content."""

    data: bytes
    digest: str


class Theme:
    """Templates and assets of one gallery, and the digest that changes with any of them.

    Files are read once, so that the digest is one of what pages are made from.
    """

    def __init__(self, config: Config, state: State) -> None:
        """``state`` keeps the rows of lists, which several pages show."""
        self.config = config
        self._state = state
        self._rows: dict[str, str] = {}
        self._homes: dict[str, str] = {}
        self._alone: dict[str, list[str]] = {}
        self._frames: dict[str, dict[str, Any]] = {}

    @cached_property
    def _files(self) -> dict[str, bytes]:
        ours = {name: _light(name, data) for name, data in _read(packaged("templates")).items()}
        return dict(sorted({**ours, **self._own}.items()))

    @cached_property
    def _own(self) -> dict[str, bytes]:
        return _read(self.config.root / "templates")

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """What pages load, by its address in the site."""
        return {
            name: Asset(data, digest(data))
            for name, data in self._files.items()
            if name.startswith(f"{ASSETS}/")
        }

    @cached_property
    def fonts(self) -> dict[str, bytes]:
        """The files of the fonts by their names."""
        return {
            name.rpartition("/")[2]: asset.data
            for name, asset in self.assets.items()
            if name.endswith(".woff2")
        }

    @cached_property
    def settings(self) -> str:
        """A digest of the settings that pages depend on."""
        config = self.config
        told = {
            "site": config.site.model_dump(mode="json"),
            "models": {name: model.model_dump(mode="json") for name, model in config.models.items()},
            "loudness": config.preview.loudness,
            "audio_url": config.store.audio_url,
        }
        return digest(as_json(told))

    @cached_property
    def digest(self) -> str:
        """Of all that goes into every page: templates, the names of assets, settings."""
        return digest(
            self.settings,
            as_json({name: asset.digest for name, asset in self.assets.items()}),
            *(name for name in self._files),
            *(data for name, data in self._files.items() if name not in self.assets),
        )

    def render(self, template: str, address: str, data: dict[str, Any]) -> bytes:
        """One page. Its links start from its own address."""
        root = data.get("root")
        with self._telling(template):
            frame = self._frame(addresses.root_of(address) if root is None else root)
            text = self._environment.get_template(template).render(data, address=address, **frame)
        if template in _FEEDS:
            text = _NOT_XML.sub("", text) + "\n"
        return text.encode(errors="replace")

    def furniture(self) -> bytes:
        """What only scripts use of every page, as a script that browsers keep."""
        with self._telling(f"parts/{_DOCK}.html"):
            part = self._frame(_ROOT)["part"]
            sprites, dock = (as_json(str(part(name))) for name in (_SPRITES, _DOCK))
        place = 'document.body.insertAdjacentHTML("afterbegin",'
        return f"{place}{sprites});\nwindow.GALLERY_DOCK={dock};\n".encode(errors="replace")

    def leave_alone(self, homes: Mapping[str, str], alone: Mapping[str, list[str]]) -> None:
        """Of tags without a page: the prompt that each leads to, and those of each prompt."""
        self._homes, self._alone = {**homes}, {**alone}

    def _tag_page(self, tag: str, number: int = 1) -> str:
        home = self._homes.get(tag)
        return addresses.prompt_page(home) if home else addresses.tag_page(tag, number)

    def _told_alone(self, tag: str) -> str:
        """What a link to a tag without a page tells to scripts, as HTML."""
        return f' data-tag="{escape(tag)}"' if tag in self._homes else ""

    def row(self, data: Mapping[str, Any]) -> str:
        """A prompt's row as HTML, to be kept in the state: lists show it by its path."""
        with self._telling(_CLIPS):
            return str(self._frame(_ROOT)["clips"].row(data))

    @contextmanager
    def _telling(self, template: str) -> Iterator[None]:
        """Whatever comes of a gallery's own templates is a mistake in one of them."""
        try:
            yield
        except (GalleryError, Damaged, MemoryError):
            raise
        except Exception as error:
            refused = isinstance(error, OSError) and error.errno  # which a template that is not found has not
            if refused or not self._own:
                raise
            from gallery.site.theme.templating import template_mistake

            raise template_mistake(error, template) from error

    def _kept_row(self, path: str) -> str:
        text = self._state.value(ROW, path)
        if text is None:
            raise Damaged
        for tag in self._alone.get(path, ()):
            to, instead = (
                f'href="{_ROOT}{addresses.escaped(page(tag))}"'
                for page in (addresses.tag_page, self._tag_page)
            )
            text = text.replace(to, f"{instead}{self._told_alone(tag)}")
        if len(self._rows) < _MOST_ROWS:
            self._rows[path] = text
        return text

    def _frame(self, root: str) -> dict[str, Any]:
        """What templates are given besides their data: the same for all pages with one way to the root."""
        if root not in self._frames:
            self._frames[root] = self._new_frame(root)
        return self._frames[root]

    def _new_frame(self, root: str) -> dict[str, Any]:
        from jinja2 import TemplateRuntimeError
        from markupsafe import Markup

        def link(target: str) -> str:
            return target if "://" in target else root + addresses.escaped(target)

        @cache
        def asset(name: str) -> str:
            address = f"{ASSETS}/{name}"
            if address not in self.assets:
                address = f"{ASSETS}/{_RENAMED.get(name, name)}"
            if address == FURNITURE and address not in self.assets:
                return f"{root}{address}?v={self.digest[:10]}"
            if address not in self.assets:
                raise TemplateRuntimeError(f"there is no file {address}")
            return f"{root}{address}?v={self.assets[address].digest[:10]}"

        @cache
        def part(name: str, here: str = "", first: bool = False) -> Markup:
            """A part of the page that has hardly any data of its own: made once."""
            text = self._environment.get_template(f"parts/{name}.html").render(frame, here=here, first=first)
            return Markup(text)  # noqa: S704 - a template's own output

        def listed(path: str, *_: object) -> Markup:
            """A prompt's row: the same in every list but for the way to the root, so it is made once.

            Galleries' own templates may give more than the path.
            """
            text = self._rows.get(path) or self._kept_row(path)
            return Markup(text.replace(_ROOT, root))  # noqa: S704 - a template's own output

        frame = {"root": root, "link": link, "asset": asset, "part": part, "listed": listed}
        # Importing them page by page would take longer than using them.
        clips = self._environment.get_template(_CLIPS).make_module({"link": link})
        for name in _SAID_OFTEN:
            setattr(clips, name, lru_cache(_MOST_SAID)(getattr(clips, name)))
        frame["clips"] = clips
        return frame

    @cached_property
    def _environment(self) -> Environment:
        # Imported late: a build with nothing to write renders nothing.
        from jinja2 import FunctionLoader, StrictUndefined
        from markupsafe import Markup

        from gallery.site.theme.templating import OWN, PACKAGED, KeysFirst, compiled_templates

        def source(name: str, data: bytes) -> str:
            text = _text(f"{OWN}{name}", data)
            return text if name in self._own else _INDENT.sub(r"\1", text)

        templates = {
            name: (
                source(name, data),
                f"{OWN if name in self._own else PACKAGED}{name}",
                None,
            )
            for name, data in self._files.items()
            if name.endswith(".html") or name in _FEEDS
        }
        environment = KeysFirst(
            loader=FunctionLoader(templates.get),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=compiled_templates(self._state.tool),
        )
        environment.globals.update(
            site=self.config.site,
            loudness=f"{self.config.preview.loudness:g}".replace("-", "\N{MINUS SIGN}"),
            media_origin=_origin(self.config.store.audio_url),
            absolute=partial(absolute, self.config.site.base_url),
            pages=SimpleNamespace(**vars(addresses) | {"tag_page": self._tag_page}),
            words=labels,
            generator=f"gallery {gallery.__version__}",
        )
        # What either returns is sanitised or escaped there. Text of XML elements keeps its quotes.
        environment.filters["notes"] = lambda text: Markup(notes.to_html(text))  # noqa: S704
        defaults = (info.default for info in type(self.config.site).model_fields.values())
        own = languages.Own(self.config.site.language, [WORDLESS, *defaults])
        environment.globals["gallery_language"] = own
        # Nothing in what these return is the text itself.
        environment.globals["told"] = lambda *texts: Markup(own.attributes(*texts))  # noqa: S704
        environment.globals["marked"] = lambda text: Markup(own.mark(text))  # noqa: S704
        environment.filters["phrases"] = lambda text: Markup(languages.phrases(text))  # noqa: S704
        environment.globals["alone"] = lambda tag: Markup(self._told_alone(tag))  # noqa: S704
        environment.filters["xml"] = lambda text, quote=False: Markup(escape(text, quote))  # noqa: S704
        # Looked at before anything is written: those of the tool are in order.
        for name in templates.keys() & self._own.keys():
            environment.get_template(name)
        return environment


def _read(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their names; hidden ones are none."""
    files: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            files[name] = path.read_bytes()
    return files


@lru_cache(_MOST_FILES)
def _light(name: str, data: bytes) -> bytes:
    """A file without what only its authors read."""
    lighter = {".js": jsmin, ".css": cssmin}.get(Path(name).suffix)
    return str(lighter(data.decode())).encode() if lighter else data


def _text(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FaultyFile([Fault(printable(file), line, "", "not UTF-8; save it as UTF-8")]) from error


def absolute(base_url: str, address: str) -> str:
    """An address with the site's own before it. Only where base_url is set."""
    return address if "://" in address else base_url + addresses.escaped(address)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    # A policy's words end at a semicolon or a comma: no address may bring one in.
    clean = parts.netloc and not set(parts.netloc) & set(";, '\"")
    return f"{parts.scheme}://{parts.netloc}" if clean else ""
