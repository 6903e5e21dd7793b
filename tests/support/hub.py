"""A server on this machine that answers as the Hugging Face hub does."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAIN = "f" * 40


@dataclass
class Hub:
    """Repositories by their ids: files by their names. What is asked of it is written down."""

    address: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    stall: int | None = None  # after so many bytes of a file nothing more comes

    def answer(self, path: str, asked: str) -> tuple[int, dict[str, str], bytes]:
        if found := re.match(r"/api/models/([\w.-]+(?:/[\w.-]+)?)(?:/revision/(\w+))?\?", path):
            files = self.repositories.get(found[1])
            if files is None:
                return 404, {"X-Error-Code": "RepoNotFound"}, b""
            told = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
            about = {"id": found[1], "sha": _commit(found[2]), "siblings": told}
            return 200, {"Content-Type": "application/json"}, json.dumps(about).encode()
        found = re.match(r"/([\w./-]+)/resolve/(\w+)/([\w./-]+)", path)
        data = self.repositories.get(found[1], {}).get(found[3]) if found else None
        if not found or data is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        headers = {"X-Repo-Commit": _commit(found[2]), "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        if begin := re.match(r"bytes=(\d+)-", asked):
            rest = data[int(begin[1]) :]
            span = f"bytes {begin[1]}-{len(data) - 1}/{len(data)}"
            return 206, {**headers, "Content-Range": span}, rest
        return 200, headers, data


def _commit(revision: str | None) -> str:
    return revision if revision and re.fullmatch("[0-9a-f]{40}", revision) else _MAIN


@pytest.fixture
def hub() -> Iterator[Hub]:
    served, over = Hub(), threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(b"")

        def do_GET(self) -> None:
            if "/resolve/" in self.path:
                repository, _, file = self.path[1:].partition("/resolve/")
                served.fetched.append(f"{repository} {file.partition('/')[2]}")
                served.ranges += [self.headers["Range"]] if "Range" in self.headers else []
            self.answer(None)

        def answer(self, instead: bytes | None) -> None:
            code, headers, data = served.answer(self.path, self.headers.get("Range", ""))
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if instead is None and served.stall and len(data) > served.stall:
                self.wfile.write(data[: served.stall])
                over.wait()
            else:
                self.wfile.write(data if instead is None else instead)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield served
        over.set()
        server.shutdown()
