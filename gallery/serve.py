"""A local server: builds, serves the site, builds again on change and reloads open pages.

What it serves are drafts. A website that the user visits meanwhile could have its own name lead to this
machine (DNS rebinding) and then read them, so only requests that name this server are answered.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import threading
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from watchfiles import DefaultFilter

from gallery.build import build
from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.errors.system import told_by_the_system
from gallery.errors.text import printable, shown
from gallery.site.place import refuse_place
from gallery.utils.progress import say
from gallery.utils.root import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from watchfiles import Change

    from gallery.build import Options
    from gallery.state.outcome import Outcome

# What builds read, by its name in the gallery.
_INPUTS = (CONFIG_NAME, "CONTRIBUTING.md", "prompts", "templates", "guides")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# So many ports after one that is taken are tried.
_NEAR = 100

_RELOADER = "new EventSource('/-/changes').onmessage = () => location.reload();"

# What a served page has that a published one has not.
_LOAD_RELOADER = '<script src="/-/reload.js"></script>'


def serve_gallery(
    root: Path,
    options: Options,
    host: str,
    port: int,
    allowed: Sequence[str],
    tell: Callable[[Outcome], None],
    browse: Callable[[str], object] | None = None,
) -> None:
    """Serve until interrupted, under the names of ``host`` and those ``allowed`` beside it.

    ``browse`` is called with the site's address once there is a site.

    A faulty file is reported, and the last good site stays. Raises GalleryError, before anything is
    built, where the site cannot be served there.
    """
    import uvicorn

    refuse_place(load_config(root), options.output)
    told = False

    def rebuild() -> bool:
        """Whether the site is another now."""
        nonlocal told
        try:
            outcome = build(load_config(root), options)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next save builds again
            say(_line(error))
            return False
        changed = bool(outcome.written and (outcome.written.written or outcome.written.removed))
        if changed or outcome.faults or outcome.warnings or outcome.flaws or not told:
            tell(outcome)
        told = True
        return changed

    with closing(listen(host, port)) as listener:
        address, number = listener.getsockname()[:2]
        rebuild()
        options.output.mkdir(parents=True, exist_ok=True)  # where the first build has failed
        app = make_app(root, options, rebuild, Names(host, address, allowed))
        # Open pages hold a connection for ever: on Ctrl-C they get a second.
        settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        say(f"serving http://{f'[{host}]' if ':' in host else host}:{number}/ (Ctrl-C ends it)")
        if browse:
            name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - where to look at it
            browse(f"http://{f'[{name}]' if ':' in name else name}:{number}/")
        uvicorn.Server(settings).run(sockets=[listener])


def _line(error: Exception) -> str:
    if isinstance(error, GalleryError):
        return error.format_message()
    return told_by_the_system(error) or printable(f"nothing built: {error!r}")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; with port 0, on a free one.

    Raises GalleryError where that cannot be had: where another program has the port, with the next free one.
    """
    try:
        return _bound(host, port)
    except (OSError, UnicodeError) as error:
        code = getattr(error, "errno", None)
        if code == errno.EADDRINUSE:
            free = next(filter(partial(_is_free, host), range(port + 1, min(port + _NEAR, 65536))), None)
            advice = f"the next free one: --port {free}" if free else "name another one with --port"
            raise GalleryError(f"port {port} is taken by another program; {advice}") from error
        if code == errno.EACCES:
            raise GalleryError(f"port {port} may not be used; name one above 1023 with --port") from error
        reason = printable(str(getattr(error, "strerror", "") or error))
        raise GalleryError(f"--host {shown(host)}: no address of this machine ({reason})") from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _is_free(host: str, port: int) -> bool:
    try:
        _bound(host, port).close()
    except OSError:
        return False
    return True


class Names:
    """The names under which a server is asked for what it serves.

    That is the host that it listens on, what the user allows beside it, and on this machine's loopback
    ``localhost``. A server on all addresses has them all for names: what an address in numbers leads to
    is up to no website, so that asking for one is no rebinding.
    """

    def __init__(self, host: str, address: str, allowed: Iterable[str]) -> None:
        """``address`` is where the server listens."""
        found = ip_address(address)
        self._any = found.is_unspecified
        loopback = _LOOPBACK if found.is_loopback or self._any else ()
        self._names = {name_of(name) for name in (host, *loopback, *allowed)} - {""}

    def __contains__(self, header: str) -> bool:
        """Whether a request's Host is one of them, on whichever port."""
        name = name_of(header)
        return name in self._names or (self._any and _is_address(name))


def name_of(header: str) -> str:
    """The name in a Host header or of a host, in one form; nothing where it is none."""
    text = header.strip().lower()
    if _is_address(text):
        return str(ip_address(text))
    named = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d*)?", text)
    name = (named[1] or named[2]).removesuffix(".") if named else ""
    return str(ip_address(name)) if _is_address(name) else name


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class _OnlyNamed:
    """Answers only requests that name this server, and lets no other site load what is answered."""

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._names:
            name = shown(name_of(hosts[0]) if hosts else "")
            text = f"{name} is no name of this server; to allow it: gallery serve --allow-host NAME\n"
            return await PlainTextResponse(text, status_code=403)(scope, receive, send)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Pages of other sites could load search/0.js as their script, and have what is in it.
                MutableHeaders(scope=message)["cross-origin-resource-policy"] = "same-origin"
            await send(message)

        return await self._app(scope, receive, answer)


def make_app(root: Path, options: Options, rebuild: Callable[[], bool], names: Names) -> Starlette:
    """The site under these names, plus what makes its pages reload."""
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
    only_named = Middleware(_OnlyNamed, names=names)
    return Starlette(routes=routes, lifespan=watching, middleware=[only_named])


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
        with suppress(FileNotFoundError):  # a folder went before it could be watched
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
