"""`gallery serve`: what is saved is built, whenever it is saved."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support import COMMAND
from support.galleries import Gallery


@contextmanager
def serving(gallery: Gallery) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [COMMAND, "--gallery", gallery.root, "serve", "--no-sketches", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(2)
        _, told = server.communicate(timeout=20)
        assert b"Traceback" not in told, told.decode()


def until(text: str, url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                if text in response.read().decode():
                    return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"not within 30 s: {text}")


def test_a_save_before_the_first_build_has_ended_is_seen(gallery: Gallery) -> None:
    for number in range(60):
        gallery.prompt(f"p{number}", f"prompt: words {number}", "duration: 1")
    with serving(gallery) as url:
        until("", f"{url}/-/reload.js")
        # The first build is at work by now; what it has read already is read again.
        for number in range(60):
            gallery.prompt(f"p{number}", f"prompt: other words {number}", "duration: 1")
        for number in (0, 30, 59):
            until(f"other words {number}", f"{url}/prompts/p{number}/index.html")


@pytest.mark.parametrize(
    ("name", "text", "address"),
    [
        ("templates/parts/footer.html", "<footer>ours</footer>", "index.html"),
        ("prompts/new/folder/one.md", "---\nprompt: ours\n---\n", "prompts/new/folder/one/index.html"),
        ("guides/en/ours.md", "---\ntitle: ours\nsummary: ours\n---\nours\n", "guides/en/ours/index.html"),
        ("CONTRIBUTING.md", "ours", "add/index.html"),
    ],
)
def test_what_is_made_after_the_start_is_seen(gallery: Gallery, name: str, text: str, address: str) -> None:
    settings = (gallery.root / "gallery.toml").read_text()
    gallery.write("gallery.toml", settings.replace("[site]", '[site]\nrepository = "https://github.com/o/g"'))
    gallery.prompt("a", "prompt: rain", "duration: 1")
    with serving(gallery) as url:
        until("rain", f"{url}/index.html")
        gallery.write(name, text)
        until("CONTRIBUTING.md" if name == "CONTRIBUTING.md" else "ours", f"{url}/{address}")
