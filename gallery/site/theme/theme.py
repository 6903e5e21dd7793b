"""The theme: templates and assets, the gallery's own before the packaged ones, file by file."""

from __future__ import annotations

import json
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gallery
from gallery.site.theme import addresses, labels, notes
from gallery.state.texts import Texts
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

    from gallery.config import Config

ASSETS = "assets"

# Stands in a kept row for the way to the site's root.
_ROOT = "\0root\0"

# Macros that mostly say what they said before, of other clips; and how much of it is kept.
_SAID_OFTEN = ("fact", "line", "mark")
_MOST_SAID = 4096


def packaged() -> Path:
    """The default theme: inside the wheel, or beside the package in a checkout."""
    inside = Path(gallery.__file__).parent / "templates"
    return inside if inside.is_dir() else Path(gallery.__file__).parent.parent / "templates"


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def as_json(value: Any) -> str:
    """JSON in one form: the same value, the same text."""
    return _to_json(value)


class Theme:
    """Templates and assets of one gallery, and the digest that changes with any of them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._rows: dict[str, int] = {}
        self._row_texts = Texts()
        self._frames: dict[str, dict[str, Any]] = {}
        self._folders = [folder for folder in (config.root / "templates", packaged()) if folder.is_dir()]

    @cached_property
    def _files(self) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for folder in reversed(self._folders):
            for path in folder.rglob("*"):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
                    files[name] = path
        return dict(sorted(files.items()))

    @cached_property
    def assets(self) -> dict[str, tuple[Path, str]]:
        """What pages load: site-relative address -> file and digest of its content."""
        return {
            name: (path, digest(path.read_bytes()))
            for name, path in self._files.items()
            if name.startswith(f"{ASSETS}/")
        }

    @cached_property
    def fonts(self) -> dict[str, Path]:
        """The files of the fonts by their names."""
        return {path.name: path for path, _ in self.assets.values() if path.suffix == ".woff2"}

    @cached_property
    def digest(self) -> str:
        """Of all that goes into every page: templates, assets, settings, and this package's own code."""
        config = self.config
        settings = {
            "site": config.site.model_dump(mode="json"),
            "models": {name: model.model_dump(mode="json") for name, model in config.models.items()},
            "loudness": config.preview.loudness,
            "audio_url": config.store.audio_url,
        }
        package = Path(gallery.__file__).parent
        code = [
            *sorted(Path(__file__).parent.glob("*.py")),
            *(package / name for name in ("request.py", "takeaway.py")),
        ]
        return digest(
            gallery.__version__,
            as_json(settings),
            as_json({name: version for name, (_, version) in self.assets.items()}),
            *(name for name in self._files),
            *(path.read_bytes() for name, path in self._files.items() if name not in self.assets),
            *(path.read_bytes() for path in code if path.is_file()),
        )

    def render(self, template: str, address: str, data: dict[str, Any]) -> bytes:
        """One page. Its links start from its own address."""
        root = data.pop("root", None)
        frame = self._frame(addresses.root_of(address) if root is None else root)
        text = self._environment.get_template(template).render(data, address=address, **frame)
        return text.encode(errors="replace")

    def _frame(self, root: str) -> dict[str, Any]:
        """What templates are given besides their data: the same for all pages with one way to the root."""
        if root not in self._frames:
            self._frames[root] = self._new_frame(root)
        return self._frames[root]

    def _new_frame(self, root: str) -> dict[str, Any]:
        from markupsafe import Markup

        def link(target: str) -> str:
            return target if "://" in target else root + addresses.escaped(target)

        @cache
        def asset(name: str) -> str:
            return f"{root}{ASSETS}/{name}?v={self.assets[f'{ASSETS}/{name}'][1][:10]}"

        @cache
        def part(name: str, here: str = "", first: bool = False) -> Markup:
            """A part of the page that has hardly any data of its own: made once."""
            text = self._environment.get_template(f"parts/{name}.html").render(frame, here=here, first=first)
            return Markup(text)  # noqa: S704 - a template's own output

        def listed(path: str, row: Callable[[str], dict[str, Any]]) -> Markup:
            """A prompt's row: the same in every list but for the way to the root, so it is made once."""
            if path not in self._rows:
                self._rows[path] = self._row_texts.add(self._frame(_ROOT)["clips"].row(row(path)))
            text = self._row_texts[self._rows[path]]
            return Markup(text.replace(_ROOT, root))  # noqa: S704 - a template's own output

        frame = {"root": root, "link": link, "asset": asset, "part": part, "listed": listed}
        # The macros that all pages share; importing them page by page would take longer than using them.
        clips = self._environment.get_template("parts/clips.html").make_module({"link": link})
        for name in _SAID_OFTEN:
            setattr(clips, name, lru_cache(_MOST_SAID)(getattr(clips, name)))
        frame["clips"] = clips
        return frame

    @cached_property
    def _environment(self) -> Environment:
        # Imported late: a build with nothing to write renders nothing.
        from jinja2 import FileSystemLoader, StrictUndefined
        from markupsafe import Markup

        from gallery.site.theme.templating import Environment

        environment = Environment(
            loader=FileSystemLoader(self._folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(
            site=self.config.site,
            loudness=f"{self.config.preview.loudness:g}".replace("-", "\N{MINUS SIGN}"),
            media_origin=_origin(self.config.store.audio_url),
            absolute=self._absolute,
            pages=addresses,
            words=labels,
            generator=f"gallery {gallery.__version__}",
        )
        environment.filters["notes"] = lambda text: Markup(notes.to_html(text))  # noqa: S704 - sanitised there
        return environment

    def _absolute(self, address: str) -> str:
        return absolute(self.config, address)


def absolute(config: Config, address: str) -> str:
    """An address with the site's own before it. Only where base_url is set."""
    return address if "://" in address else config.site.base_url + addresses.escaped(address)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    # A policy's words end at a semicolon or a comma: no address may bring one in.
    clean = parts.netloc and not set(parts.netloc) & set(";, '\"")
    return f"{parts.scheme}://{parts.netloc}" if clean else ""
