"""The tool as a wheel, and a package index of this machine: what the tests have installed, as wheels.

Each of those has the name, the version and the needs of the real package, and in place of its files a
line that has Python look for them where they are. So they are made and installed at once, and resolved
as the real ones are.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.hosting import copy_checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, built from an unpacked sdist, so that both hold all there is."""
    folder = tmp_path_factory.mktemp("dist")

    def hatch(kind: str, at: Path) -> None:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder]
        subprocess.run(command, cwd=at, check=True, capture_output=True)

    hatch("sdist", checkout)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder / "source", filter="data")
    hatch("wheel", next((folder / "source").iterdir()))
    return folder


def write_index(folder: Path, *wanted: str) -> Path:
    """Write wheels of these packages and of all that they need, as far as it is installed here."""
    wheels, links = folder / "wheels", folder / "links"
    wheels.mkdir(parents=True)
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [Requirement(line) for line in wanted]
    while left:
        need = left.pop()
        name = canonicalize_name(need.name)
        asked = (name, frozenset(need.extras))
        if asked in seen:
            continue
        seen.add(asked)
        try:
            there = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        write_wheel(wheels, there, links / name)
        for line in there.requires or ():
            more = Requirement(line)
            extras = need.extras or {""}
            if not more.marker or any(more.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(more)
    return wheels


def write_wheel(wheels: Path, there: importlib.metadata.Distribution, links: Path) -> None:
    """Write the wheel of an installed package, which leads to its files through a folder of links."""
    if links.exists():
        return
    links.mkdir(parents=True)
    name, version = there.name.replace("-", "_").replace(".", "_"), there.version
    for top in {Path(path).parts[0] for path in there.files or ()}:
        if not top.endswith((".dist-info", ".pth", "..", "__pycache__")):
            (links / top).symlink_to(there.locate_file(top))
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}_links.pth": f"{links}\n",
        f"{about}/METADATA": there.read_text("METADATA") or "",
    }
    if points := there.read_text("entry_points.txt"):
        files[f"{about}/entry_points.txt"] = points
    _write(wheels / f"{name}-{version}-py3-none-any.whl", about, files)


def write_stub(wheels: Path, name: str, version: str) -> None:
    """Write the wheel of a package that has nothing in it."""
    about = f"{name}-{version}.dist-info"
    _write(
        wheels / f"{name}-{version}-py3-none-any.whl",
        about,
        {f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"},
    )


def _write(path: Path, about: str, files: dict[str, str]) -> None:
    files[f"{about}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
