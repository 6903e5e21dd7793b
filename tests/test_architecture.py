"""The documents for people who change the code say what is so."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

import gallery
from gallery.cli import main
from support import ROOT

PACKAGE = ROOT / "gallery"
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DECISIONS = ROOT / "docs/decisions"

# What is made and not committed: by builds, by the Makefile.
MADE = ("site/", ".gallery/", ".venv/", "search/", "clips/", "catalogue.json", "<key>.")

# Python's and audiocraft's.
OTHERS = {"TYPE_CHECKING", "set_generation_params"}

SUFFIXES = (".py", ".md", ".toml", ".yaml", ".json", ".sqlite", ".html", ".js", ".mp3", ".webp", ".txt")


def pages() -> list[Path]:
    """Every Markdown file of the repository but the prompts."""
    folders = ("docs", "guides", "benchmarks", "scaffold", "templates", "tests", ".github")
    found = [*ROOT.glob("*.md"), *(page for name in folders for page in (ROOT / name).rglob("*.md"))]
    return sorted(page for page in found if ROOT / "scaffold/prompts" not in page.parents)


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *(```+).*?^ *\1`*$", "", text, flags=re.MULTILINE | re.DOTALL)


def named(text: str) -> set[str]:
    """What stands in a page as code, within its text."""
    return set(re.findall(r"`([^`\n]+)`", prose(text)))


def is_path(name: str) -> bool:
    return " " not in name and ("/" in name or name.endswith(SUFFIXES))


def layers() -> list[list[str]]:
    """The picture of the imports, from the top down."""
    block = ARCHITECTURE.split("### Who imports whom")[1].split("```text\n")[1].split("```")[0]
    lines = [line for line in block.splitlines() if not line.startswith(" ")]
    return [re.split(r" {3,}", line)[0].split("  ") for line in lines]


def units() -> set[str]:
    """The top-level packages and modules of gallery/."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    return modules | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def defined() -> frozenset[str]:
    """Every name that gallery/ defines, and every text in it that could be one."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", prose(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_picture_of_imports_has_every_package_and_module_once() -> None:
    drawn = [name for layer in layers() for name in layer]
    assert sorted(drawn) == sorted(units())


def test_the_picture_is_what_the_linter_holds_imports_to() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [held] = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    assert [layer.split(" | ") for layer in held] == layers()


def test_every_package_and_every_top_level_module_has_its_line() -> None:
    table = ARCHITECTURE.split("## Every package")[1].split("\n## ")[0]
    told = re.findall(r"^\| `gallery/([\w/]+)(?:/|\.py)` \| \S", table, re.MULTILINE)
    packages = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*/__init__.py")}
    assert sorted(told) == sorted(packages | units())


def test_every_place_that_the_architecture_names_exists() -> None:
    places = sorted(name for name in named(ARCHITECTURE) if is_path(name) and not name.startswith(MADE))
    assert len(places) > 80
    missing = [
        name
        for name in places
        if not any([*root.glob(re.sub(r"<\w+>", "*", name))] for root in (ROOT, PACKAGE))
    ]
    assert missing == []


def test_every_name_of_code_in_the_architecture_is_one() -> None:
    names = [
        name
        for name in named(ARCHITECTURE)
        if not is_path(name) and re.fullmatch(r"[\w.]+", name) and name not in OTHERS
    ]
    assert len(names) > 60
    assert [name for name in sorted(names) if not set(name.split(".")) <= defined()] == []


@pytest.mark.parametrize(
    "document", ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "docs/developing.md"]
)
def test_every_command_and_goal_that_is_named_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    told = [*named(text), *(line.strip() for line in re.findall(r"^[^|\n]+$", text, re.MULTILINE))]
    goals = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {found[1] for name in told if (found := re.match(r"make ([a-z]+)\b", name))}
    assert asked <= goals
    context = click.Context(main)
    commands = {found[1] for name in told if (found := re.match(r"gallery (?!--)([a-z]+)\b", name))}
    assert commands <= set(main.list_commands(context))


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    # What a new gallery begins with lies in scaffold/ and, where this repository uses it too, at the top.
    folders = [page.parent, ROOT] if page.is_relative_to(ROOT / "scaffold") else [page.parent]
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        path, _, fragment = target.partition("#")
        # Other sites, and pages of the repository on GitHub.
        if "://" in target or target.startswith(("mailto:", "../../new/", "../../issues/")):
            continue
        found = [folder / path for folder in folders if (folder / path).exists()] if path else [page]
        if not found or (fragment and fragment not in anchors(found[0])):
            lost.append(target)
    assert lost == []


def test_the_version_is_the_changelogs_newest() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "[Unreleased]"]
    told = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})", heading) for heading in released]
    assert all(told), released
    versions = [found[1] for found in told if found]
    assert versions[0] == gallery.__version__
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)
    days = [found[2] for found in told if found]
    assert days == sorted(days, reverse=True)


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == gallery.__version__
    assert citation["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]


def test_every_decision_is_in_the_index_and_has_its_parts() -> None:
    index = (DECISIONS / "README.md").read_text()
    files = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    assert re.findall(r"^\| \[\d+\]\((\S+)\) \|", index, re.MULTILINE) == files
    for number, name in enumerate(files, 1):
        text = (DECISIONS / name).read_text()
        assert name.startswith(f"{number:04}-")
        [title] = re.findall(r"^# (.+)$", text, re.MULTILINE)
        assert f"| [{number}]({name}) | {title.removeprefix(f'{number}. ')} |" in index
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
