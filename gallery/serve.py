"""A local server: builds, serves the site, builds again on change and reloads open pages."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from watchfiles import DefaultFilter

from gallery.build import build
from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.utils.progress import say
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import Scope
    from watchfiles import Change

    from gallery.build import Options
    from gallery.state.outcome import Outcome

# What builds read, by its name in the gallery.
_INPUTS = (CONFIG_NAME, "CONTRIBUTING.md", "prompts", "templates", "guides")

_RELOADER = "new EventSource('/-/changes').onmessage = () => location.reload();"

# What a served page has that a published one has not.
_LOAD_RELOADER = '<script src="/-/reload.js"></script>'


def serve_gallery(
    root: Path, options: Options, host: str, port: int, tell: Callable[[Outcome], None]
) -> None:
    """Serve until interrupted. A faulty file is reported and the last good site stays."""
    import uvicorn

    told = False

    def rebuild() -> bool:
        """Whether the site is another now."""
        nonlocal told
        try:
            outcome = build(load_config(root), options)
        except GalleryError as error:
            say(error.format_message())
            return False
        changed = bool(outcome.written and (outcome.written.written or outcome.written.removed))
        if changed or outcome.faults or outcome.warnings or outcome.flaws or not told:
            tell(outcome)
        told = True
        return changed

    rebuild()
    app = make_app(root, options, rebuild)
    # Open pages hold a connection for ever: on Ctrl-C they get a second.
    settings = uvicorn.Config(app, host, port, log_level="warning", timeout_graceful_shutdown=1)
    say(f"serving http://{host}:{port}/ (Ctrl-C ends it)")
    uvicorn.Server(settings).run()


def make_app(root: Path, options: Options, rebuild: Callable[[], bool]) -> Starlette:
    """The site, plus what makes its pages reload."""
    changed = _Changes()

    @asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        stop = threading.Event()
        task = asyncio.create_task(_watch(root, rebuild, changed, stop))
        yield
        stop.set()
        changed.tell()
        await task

    async def changes(_: Request) -> StreamingResponse:
        return StreamingResponse(changed.stream(), media_type="text/event-stream")

    async def reloader(_: Request) -> Response:
        return Response(_RELOADER, media_type="text/javascript")

    routes = [
        Route("/-/changes", changes),
        Route("/-/reload.js", reloader),
        Mount("/", _Site(directory=options.output, html=True, check_dir=False)),
    ]
    return Starlette(routes=routes, lifespan=watching)


class _Site(StaticFiles):
    """The site's files; pages load the reloader too."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        if response.media_type != "text/html" or not (page := getattr(response, "path", None)):
            return response
        text = Path(page).read_text(encoding="utf-8")
        text = text.replace("</body>", f"{_LOAD_RELOADER}</body>", 1)
        return Response(text, response.status_code, media_type="text/html")


class _Changes:
    """Tells every open page that the site has changed."""

    def __init__(self) -> None:
        self.waiting: set[asyncio.Event] = set()

    def tell(self) -> None:
        for event in self.waiting:
            event.set()

    async def stream(self) -> AsyncIterator[str]:
        event = asyncio.Event()
        self.waiting.add(event)
        try:
            yield "retry: 500\n\n"
            await event.wait()
            yield "data: changed\n\n"
        finally:
            self.waiting.discard(event)


async def _watch(root: Path, rebuild: Callable[[], bool], changed: _Changes, stop: threading.Event) -> None:
    """Build, and build again after every change from then on, until told to stop.

    A folder that is not there yet cannot be watched, and watching everything would take in the site
    that builds write. So each folder is watched by itself, and where another one has come, watching
    begins anew; what changes meanwhile is seen by the build that comes first each time.
    """
    from watchfiles import awatch

    while not stop.is_set():
        watched, first = _folders(root), True
        async for found in awatch(
            *watched,
            watch_filter=_only_inputs(root),
            recursive=False,
            stop_event=stop,
            debounce=300,
            rust_timeout=200,
            yield_on_timeout=True,
        ):
            if not found and not first:
                continue
            first = False
            if await asyncio.to_thread(rebuild):
                changed.tell()
            if _folders(root) != watched:
                break


def _folders(root: Path) -> list[Path]:
    """Every folder that builds read, and the gallery's own."""
    return [root, *(Path(folder) for name in _INPUTS for folder, _, _ in os.walk(root / name))]


def _only_inputs(root: Path) -> Callable[[Change, str], bool]:
    """Of what changes in these folders, what builds read."""
    is_usual = DefaultFilter()

    def is_input(change: Change, path: str) -> bool:
        folder, name = os.path.split(path)
        return (folder != str(root) or name in _INPUTS) and is_usual(change, path)

    return is_input
