"""The sample site with real audio, and a browser to look at it with.

Named by the tests that need it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import http.server
import io
import json
import math
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from PIL import Image

from gallery.config import Config
from support.entries_catalogue import write_entries
from support.sample_site import make_config, make_files, sample_entries, waiting_entries, write_guides

# The first is Chromium without windows: opening a page costs it half as much.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


PLAYED = "() => window.played && !window.played.paused && window.played.currentTime > %s"

# The player keeps its <audio> out of the page; this lets the tests see all, and which one is heard: what goes
# along silently is too soft for any ear.
WATCH_AUDIO = """
window.allAudio = [];
const Native = window.Audio;
window.Audio = function () {
  const audio = new Native();
  window.allAudio.push(audio);
  return audio;
};
window.isHeard = audio => audio.src && !audio.muted && audio.volume > 0.001;
Object.defineProperty(window, "played", {
  get: () => allAudio.find(audio => isHeard(audio) && !audio.paused) || allAudio.find(isHeard) || allAudio[0],
});
"""

# Whether something was heard at every moment: looked at as often as the browser can.
NEVER_SILENT = """
window.silences = 0;
window.watchSilence = () => setInterval(() => {
  const heard = allAudio.some(audio => !audio.paused && !audio.muted && audio.volume > 0.2 && audio.readyState > 1 && !audio.seeking);
  if (!heard) window.silences++;
}, 2);
"""  # noqa: E501

# How far the clip is ahead of the clock, in seconds: the same before and after a switch, if nothing is
# lost, until the clip begins anew. Of many looks the middle one: on a busy machine the browser's own word
# on it comes late.
AHEAD = """() => new Promise(resolve => {
  const looks = [];
  const timer = setInterval(() => {
    looks.push(played.currentTime - performance.now() / 1000);
    if (looks.length === 15) { clearInterval(timer); resolve(looks.sort((a, b) => a - b)[7]); }
  }, 5);
})"""


def until(page: Any, condition: str) -> None:
    """Waits for a condition. (Playwright's own way evaluates text in the page, which the policy forbids.)"""
    from playwright.sync_api import Error

    deadline = time.monotonic() + 10
    while True:
        try:
            if page.evaluate(condition):
                return
        except Error as error:
            if "context was destroyed" not in error.message:  # another page is coming
                raise
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def arrived(page: Any, address: str) -> None:
    """Waits for a page to be there, whether it was loaded or came in place of another."""
    until(page, f"location.href === {json.dumps(address)} && document.readyState === 'complete'")
    until(page, "!document.querySelector('[aria-busy]')")


def follow(page: Any, selector: str) -> str:
    """Follows a link; the address that it leads to, once it is there. (A click alone waits for no page.)"""
    link = page.locator(selector).first
    address = str(link.evaluate("link => link.href"))
    link.click()
    arrived(page, address)
    return address


def moved(page: Any, before: float) -> float:
    """By how many seconds the clip was moved since it was so much AHEAD, to and fro, in its round."""
    length = page.evaluate("played.duration")
    return float(abs((page.evaluate(AHEAD) - before + length / 2) % length - length / 2))


def shown(page: Any) -> list[str]:
    """The prompts in the list that is seen."""
    return page.eval_on_selector_all(
        ".row",
        "rows => rows.filter(row => row.offsetParent)"
        ".map(row => row.querySelector('.row-prompt').textContent.trim())",
    )


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Path]:
    """MP3s by their length, and a cover under 0."""
    folder = tmp_path_factory.mktemp("media")
    made = {}
    for seconds in (3.0, 6.0):
        tone = 0.3 * np.sin(2 * math.pi * 220 * np.arange(int(32000 * seconds)) / 32000)
        wave, made[seconds] = folder / f"{seconds}.wav", folder / f"{seconds}.mp3"
        soundfile.write(wave, tone, 32000)
        subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", wave, made[seconds]], check=True
        )
    made[0] = folder / "cover.webp"
    Image.linear_gradient("L").resize((480, 96)).save(made[0])
    return made


@pytest.fixture(scope="session")
def entries() -> list[dict[str, Any]]:
    return sample_entries()


@pytest.fixture
def own_entries(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, for tests that change them."""
    return copy.deepcopy(entries)


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("root")
    write_guides(root)
    return make_config(
        root,
        base_url="https://octocat.github.io/gallery/",
        repository="https://github.com/o/g",
    )


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, config: Config, entries: Any, media: dict[float, Path]
) -> Path:
    """The built site. Nobody changes it."""
    output = tmp_path_factory.mktemp("served") / "gallery"
    write_entries(entries, make_files(entries, media), config, output)
    return output


@pytest.fixture(scope="session")
def address(site: Path) -> str:
    """The site as it is opened from disk."""
    return site.as_uri()


@pytest.fixture(scope="session")
def waiting_site(tmp_path_factory: pytest.TempPathFactory, config: Config, media: dict[float, Path]) -> Path:
    """A site of comparisons that are not all rendered. Nobody changes it."""
    output, entries = tmp_path_factory.mktemp("waiting") / "gallery", waiting_entries()
    write_entries(entries, make_files(entries, media), config, output)
    return output


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives parts of files, as every host does: browsers seek in what they can ask for in parts."""

    def send_head(self) -> Any:
        path, asked = Path(self.translate_path(self.path)), self.headers.get("Range", "")
        if not asked or not path.is_file():
            return super().send_head()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        data = path.read_bytes()
        part = data[int(first) : int(last or len(data)) + 1]
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.end_headers()
        return io.BytesIO(part)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def serving(site: Path) -> Iterator[str]:
    """A site under a path of a web server: its address there."""
    handler = functools.partial(_Quiet, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}"
        server.shutdown()


@pytest.fixture(scope="session")
def served(site: Path) -> Any:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Any:
    from playwright.sync_api import sync_playwright

    # Whoever debugs wants to see it.
    wanted = BROWSERS[1:] if os.environ.get("PWDEBUG") else BROWSERS
    chromium = next(filter(None, map(shutil.which, wanted)), None)
    assert chromium, "these tests look at the pages with Chromium, and there is none"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


class Seen:
    """What a page complained about, and what it asked for where that is wanted."""

    def __init__(self) -> None:
        self.asked: list[str] | None = None
        self.complaints: list[str] = []

    @property
    def requests(self) -> list[str]:
        assert self.asked is not None, "open the page with requests=True"
        return self.asked

    @property
    def audio(self) -> list[str]:
        return [url for url in self.requests if url.endswith(".mp3")]


# What a context emulates where it is not asked for anything else.
MEDIA = {
    "color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none",
    "contrast": "no-preference",
}  # fmt: skip

# Forgets what a page keeps, also while it goes.
FORGET = """() => {
  const forget = () => { localStorage.clear(); sessionStorage.clear(); };
  forget();
  window.addEventListener("pagehide", forget);
}"""

# Methods of a page whose effect the next document would meet, too.
LASTING = (
    "add_init_script", "add_locator_handler", "expose_binding", "expose_function", "on", "once", "route",
    "route_from_har", "route_web_socket", "set_default_navigation_timeout", "set_default_timeout",
    "set_extra_http_headers",
)  # fmt: skip

# So many pages wait for the next test; each is a process of the browser.
IDLE = 6


class _Tab:
    """A page, and where its complaints go: nowhere, while no test has it."""

    def __init__(self, kind: str, page: Any) -> None:
        self.kind, self.page = kind, page
        self.seen: Seen | None = None
        self.sites: set[tuple[str, str]] = set()
        self.is_changed = False  # for good
        page.on("framenavigated", lambda frame: self.sites.add(urlsplit(frame.url)[:2]))
        page.on(
            "console",
            lambda message: self._complain(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("dialog", self._answer)
        for name in LASTING:
            setattr(page, name, functools.partial(self._change, getattr(page, name)))

    def _complain(self, text: str) -> None:
        if self.seen:
            self.seen.complaints.append(text)

    def _answer(self, dialog: Any) -> None:
        self._complain(dialog.message)
        dialog.dismiss() if self.seen else dialog.accept()  # whether it may be left

    def _change(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self.is_changed = True
        return method(*arguments, **options)


class PagePool:
    """A browser's pages, each lent to one test at a time: to make one costs as much as to load it."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._idle: list[_Tab] = []  # who came last is the last
        self._contexts: dict[str, list[Any]] = {}  # without a page
        self._lent: list[_Tab] = []

    def open(
        self, seen: Seen, scripts: Sequence[str], *, cold: bool, viewport: dict[str, int], **options: Any
    ) -> Any:
        """An empty page in a context of its own; ``cold`` is one that has loaded nothing before."""
        kind = repr((scripts, options))
        tab = next((tab for tab in reversed(self._idle) if tab.kind == kind and not cold), None)
        if tab:
            self._idle.remove(tab)
            media = {name: options.get(name, usual) for name, usual in MEDIA.items()}
            tab.page.emulate_media(media="null", **media)
        else:
            if self._contexts.get(kind) and not cold:
                context = self._contexts[kind].pop()
            else:
                context = self._browser.new_context(viewport=viewport, **options)
                for script in scripts:
                    context.add_init_script(script)
            tab = _Tab(kind, context.new_page())
        tab.seen = seen
        if tab.page.viewport_size != viewport:
            tab.page.set_viewport_size(viewport)
        self._lent.append(tab)
        return tab.page

    def take_back(self) -> None:
        """Empty all pages, and forget what they kept."""
        from playwright.sync_api import Error

        while self._lent:
            tab = self._lent.pop()
            try:
                [page] = tab.page.context.pages
                [_] = tab.sites - {("about", "")}
                page.evaluate(FORGET)
                if tab.is_changed:
                    self._close(tab)
                    continue
                tab.seen = None
                page.goto("about:blank")
                page.mouse.move(-1, -1)
                tab.sites.clear()
                self._idle.append(tab)
            except (ValueError, Error):  # more than one page or site
                tab.page.context.close()
        while len(self._idle) > IDLE:
            self._close(self._idle.pop(0))

    def _close(self, tab: _Tab) -> None:
        """Keep no more than the context."""
        context = tab.page.context
        tab.page.close()
        self._contexts.setdefault(tab.kind, []).append(context)


@pytest.fixture(scope="session")
def page_pool(browser: Any) -> PagePool:
    return PagePool(browser)


@pytest.fixture
def open_page(page_pool: PagePool) -> Any:
    """Opens a page and gives it with what it asked for and complained about. No page may complain.

    ``scripts`` run before the page's own. With ``requests`` it tells what it asked for, which costs time.
    """
    watched = []

    def open_(
        url: str,
        width: int = 1360,
        height: int = 940,
        *,
        scripts: Sequence[str] = (),
        requests: bool = False,
        **options: Any,
    ) -> Any:
        seen = Seen()
        watched.append(seen)
        viewport = {"width": width, "height": height}
        page = page_pool.open(seen, scripts, cold=requests, viewport=viewport, **options)
        if requests:
            seen.asked = []
            page.on("request", lambda request: seen.requests.append(request.url))
        page.goto(url)
        return page, seen

    yield open_
    page_pool.take_back()
    assert not [complaint for seen in watched for complaint in seen.complaints]


@pytest.fixture
def watch(open_page: Any) -> Any:
    """A page whose audio the test can see; ``scripts`` run before its own."""

    def open_(url: str, *scripts: str, **options: Any) -> Any:
        return open_page(url, scripts=(WATCH_AUDIO, *scripts), **options)

    return open_
