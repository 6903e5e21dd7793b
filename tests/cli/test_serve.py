"""`gallery serve`: what is saved is built, whenever it is saved."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from gallery.serve import Names
from support import COMMAND
from support.galleries import Gallery

GUIDE = "---\ntitle: a guide\nsummary: ours\n---\nours\n"


@contextmanager
def serving(gallery: Gallery, *options: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [COMMAND, "--gallery", gallery.root, "serve", "--no-sketches", "--port", str(port), *options]
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


def test_what_is_made_after_the_start_is_seen(gallery: Gallery) -> None:
    settings = (gallery.root / "gallery.toml").read_text()
    gallery.write("gallery.toml", settings.replace("[site]", '[site]\nrepository = "https://github.com/o/g"'))
    gallery.prompt("a", "prompt: rain", "duration: 1")
    with serving(gallery) as url:
        until("rain", f"{url}/prompts/index.html")
        for name, text, words, address in (
            ("templates/parts/footer.html", "<footer>a footer</footer>", "a footer", "index.html"),
            ("prompts/b/one.md", "---\nprompt: a sound\n---\n", "a sound", "prompts/b/one/index.html"),
            ("guides/en/ours.md", GUIDE, "a guide", "guides/en/ours/index.html"),
            ("CONTRIBUTING.md", "how to", "CONTRIBUTING.md", "add/index.html"),
        ):
            gallery.write(name, text)
            until(words, f"{url}/{address}")


def test_a_mistake_ends_no_server(gallery: Gallery) -> None:
    """Whether it is there from the start or comes later, the next save builds again."""
    gallery.prompt("a", "prompt: rain", "duration: 1")
    settings = (gallery.root / "gallery.toml").read_text()
    footer, toml = "templates/parts/footer.html", "gallery.toml"
    gallery.write(footer, "{% if %}")
    with serving(gallery) as url:
        until("EventSource", f"{url}/-/reload.js")
        assert ask(url, "localhost", "/index.html")[0] == 404, "nothing is built yet"
        gallery.write(footer, "<footer>ours</footer>")
        until("ours", f"{url}/prompts/a/index.html")
        for name, wrong, right, words in (
            (footer, "{{ none.such }}", "<footer>theirs</footer>", "theirs"),
            (toml, "[site", settings.replace("Test gallery", "Renamed"), "Renamed"),
        ):
            gallery.write(name, wrong)
            time.sleep(0.5)  # until the server has seen it, mostly
            gallery.write(name, right)
            until(words, f"{url}/prompts/a/index.html")


def ask(url: str, host: str, path: str = "/") -> tuple[int, str, dict[str, str]]:
    """What is answered to a browser that takes the server for ``host``."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        connection.putrequest("GET", path, skip_host=True)
        if host:
            connection.putheader("Host", host)
        connection.endheaders()
        response = connection.getresponse()
        text = response.read(40 if path == "/-/changes" and response.status == 200 else None).decode()
        return response.status, text, dict(response.getheaders())


def test_only_who_names_the_server_is_answered(gallery: Gallery) -> None:
    """A website's own name may lead here (DNS rebinding): its pages are to read nothing."""
    gallery.prompt("a", "prompt: a secret draft", "duration: 1")
    with serving(gallery, "--allow-host", "Drafts.example") as url:
        port = url.rpartition(":")[2]
        until("a secret draft", f"{url}/prompts/a/index.html")
        pages = ("/", "/prompts/a/index.html", "/catalogue.json", "/none", "/-/changes", "/-/reload.js")
        for path in pages:
            for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1"):
                status, text, _ = ask(url, host, path)
                assert status == 403, (host, path)
                assert len(text.splitlines()) == 1 and "gallery serve --allow-host NAME" in text
                assert "secret" not in text and "retry" not in text
        for host in ("localhost", f"LOCALHOST:{port}", "127.0.0.1:1", "[::1]:8000", "drafts.example"):
            status, text, headers = ask(url, host, "/prompts/a/index.html")
            assert status == 200 and "a secret draft" in text, host
            # Nor may a page of another site load what is served as its script.
            assert headers["cross-origin-resource-policy"] == "same-origin"
        assert ask(url, "")[0] in (400, 403)


@pytest.mark.parametrize(
    ("host", "address", "answered", "refused"),
    [
        (
            "127.0.0.1",
            "127.0.0.1",
            "localhost localhost. 127.0.0.1:80 [::1]",
            "evil.example 192.168.0.2 mybox",
        ),
        ("localhost", "127.0.0.1", "localhost:8000 127.0.0.1", "evil.example localhost.evil.example"),
        ("127.0.0.2", "127.0.0.2", "127.0.0.2 localhost", "127.0.0.3"),
        ("::1", "::1", "[::1]:8000 [0:0:0:0:0:0:0:1] localhost", "[::2] evil.example"),
        ("192.168.0.2", "192.168.0.2", "192.168.0.2:8000", "192.168.0.3 localhost 127.0.0.1 evil.example"),
        ("mybox.lan", "192.168.0.2", "MyBox.lan:8000 mybox.lan.", "mybox evil.example 192.168.0.3"),
        (
            "0.0.0.0",
            "0.0.0.0",
            "192.168.0.2:8000 10.1.2.3 127.0.0.1 localhost [fe80::1]:80",
            "evil.example mybox",
        ),
        ("::", "::", "[2001:db8::1]:80 127.0.0.1 localhost", "evil.example 1.2.3.4.evil.example"),
        ("", "0.0.0.0", "127.0.0.1 localhost", "evil.example"),
    ],
)
def test_the_names_of_a_server(host: str, address: str, answered: str, refused: str) -> None:
    names = Names(host, address, ["Allowed.example", ""])
    assert [name for name in (*answered.split(), "allowed.example:81") if name not in names] == []
    odd = ("", " ", ":80", "[", "[]", "a b", "localhost:x", "allowed.example@evil.example", "01.02.03.04")
    assert [name for name in (*refused.split(), *odd) if name in names] == []


def test_only_a_named_engine_renders_with_musicgen(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("gallery.serve.serve_gallery", lambda root, options, *_: asked.append(options.engine))
    for options in ([], ["--engine", "auto"], ["--engine", "musicgen"]):
        assert gallery.run("serve", *options).code == 0
    assert asked == ["sketch", "auto", "musicgen"]


def test_a_port_in_use_is_told_before_anything_is_built(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = gallery.run("serve", "--port", port)
        assert ran.code == 1
        line = rf"Error: port {port} is taken by another program; the next free one: --port (\d+)\n"
        match = re.fullmatch(line, ran.err)
        assert match, ran.err
        assert port < int(match[1]) < port + 100
        with socket.create_server(("127.0.0.1", int(match[1]))):
            pass
    assert not (gallery.root / "site").exists() and not (gallery.root / ".gallery").exists()


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_a_host_that_is_none_is_told_before_anything_is_built(gallery: Gallery, host: str) -> None:
    ran = gallery.run("serve", "--port", 0, "--host", host)
    assert ran.code == 1
    assert f'--host "{host}": no address of this machine (' in ran.err and len(ran.err.splitlines()) == 1
    assert not (gallery.root / ".gallery").exists()


@pytest.mark.parametrize("name", ["http://box.lan", "box.lan/", " ", "a b", "[box"])
def test_a_name_to_allow_is_one(gallery: Gallery, name: str) -> None:
    ran = gallery.run("serve", "--allow-host", name)
    assert ran.code == 2
    assert "--allow-host takes a name such as box.lan" in ran.err


def test_a_folder_that_goes_does_not_end_the_watching(gallery: Gallery) -> None:
    for number in range(3):
        gallery.prompt(f"gone/{number}/p", f"prompt: words {number}", "duration: 1")
    with serving(gallery) as url:
        until("", f"{url}/prompts/gone/0/p/index.html")
        shutil.rmtree(gallery.root / "prompts/gone")
        gallery.prompt("new/one", "prompt: ours", "duration: 1")
        until("ours", f"{url}/prompts/new/one/index.html")
