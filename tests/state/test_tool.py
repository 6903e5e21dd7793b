"""The tool as an input: nothing of it can change without a trace."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from gallery.engines import choice
from support import ROOT

DIGEST = "import sys; sys.path.insert(0, sys.argv[1]); from gallery.state.tool import tool_digest"

# Asks for the digest once at the beginning, and again after every line that it is given.
ASK = f"{DIGEST}\nprint(tool_digest(), flush=True)\nfor _ in sys.stdin: print(tool_digest(), flush=True)"


@pytest.mark.slow
def test_every_file_of_the_tool_counts(tmp_path: Path) -> None:
    for name in ("gallery", "guides", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert sum(path.suffix == ".py" for path in files) > 100
    process = subprocess.Popen(
        [sys.executable, "-c", ASK, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout

    def asked() -> str:
        process.stdin.write("\n")
        process.stdin.flush()
        return process.stdout.readline()

    first = process.stdout.readline()
    assert len(first) == 33 and asked() == first
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert asked() != first, path
        path.write_bytes(content)
    assert asked() == first
    added = tmp_path / "gallery/site/pages/more.py"
    added.touch()
    assert asked() != first
    added.rename(added.with_name("other.py"))
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_every_library_counts(tmp_path: Path) -> None:
    def asked() -> str:
        program = f"import sys; sys.path.append({str(tmp_path)!r}); {DIGEST}; print(tool_digest())"
        return subprocess.run(
            [sys.executable, "-c", program, ROOT], capture_output=True, text=True, check=True
        ).stdout

    first = asked()
    for name in ("nh3", "Markdown", "jinja2", "some_library_of_a_library"):
        folder = tmp_path / f"{name}-99.0.dist-info"
        folder.mkdir()
        assert asked() != first, name
        folder.rmdir()
    assert asked() == first


def test_sketches_know_all_that_makes_them() -> None:
    """What the synthesiser and the encoder import is named where sketches ask what decided them."""
    graph = grimp.build_graph("gallery", exclude_type_checking_imports=True, cache_dir=None)
    makers = ("gallery.engines.sketch", "gallery.preview", "gallery.store.keep")
    imported = set(makers)
    for maker in makers:
        for module in {maker, *graph.find_descendants(maker)}:
            imported |= graph.find_upstream_modules(module)
    named = {f"gallery.{place.removesuffix('.py').replace('/', '.')}" for place in choice._SKETCH_CODE}

    def is_named(module: str) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in named)

    # What the gallery's settings are goes in by itself; where things are remembered decides no byte.
    apart = {"gallery", "gallery.config", "gallery.prompts", "gallery.engines", "gallery.store"}
    apart |= {module for module in imported if module.startswith("gallery.state")}
    assert {module for module in imported - apart if not is_named(module)} == set()
