"""A local server: builds, serves the site, builds again on change and reloads open pages."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gallery.build import build
from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.utils.progress import say
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import Scope

    from gallery.build import Options
    from gallery.state.outcome import Outcome

_RELOADER = "new EventSource('/-/changes').onmessage = () => location.reload();"

# What a served page has that a published one has not.
_LOAD_RELOADER = '<script src="/-/reload.js"></script>'


def serve_gallery(
    root: Path, options: Options, host: str, port: int, tell: Callable[[Outcome], None]
) -> None:
    """Serve until interrupted. A faulty file is reported and the last good site stays."""
    import uvicorn

    def rebuild() -> None:
        try:
            tell(build(load_config(root), options))
        except GalleryError as error:
            say(error.format_message())

    rebuild()
    app = make_app(root, options, rebuild)
    # Open pages hold a connection for ever: on Ctrl-C they get a second.
    settings = uvicorn.Config(app, host, port, log_level="warning", timeout_graceful_shutdown=1)
    say(f"serving http://{host}:{port}/ (Ctrl-C ends it)")
    uvicorn.Server(settings).run()


def make_app(root: Path, options: Options, rebuild: Callable[[], None]) -> Starlette:
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


async def _watch(root: Path, rebuild: Callable[[], None], changed: _Changes, stop: threading.Event) -> None:
    from watchfiles import awatch

    watched = [
        root / name for name in (CONFIG_NAME, "prompts", "templates", "guides") if (root / name).exists()
    ]
    async for _ in awatch(*watched, stop_event=stop, debounce=300):
        await asyncio.to_thread(rebuild)
        changed.tell()
