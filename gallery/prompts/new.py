"""A new prompt file, from answers or options."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import yaml

from gallery.errors import FaultyFile, GalleryError
from gallery.prompts.folder import read_prompts
from gallery.prompts.request import parameter_fields, plain_number
from gallery.utils.files import write_atomic
from gallery.utils.git import refuse_link
from gallery.utils.slug import slug

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config

_ASKED_PARAMETERS = ("duration", "seed")

_LONGEST_NAME = 40


def ask(config: Config, answers: dict[str, Any]) -> dict[str, Any]:
    """Ask for what the options left open. What is left empty takes its default."""
    fields = parameter_fields()
    asked = dict(answers)

    def prompt(name: str, text: str, default: Any = "", kind: Any = str) -> None:
        if name not in asked:
            value = click.prompt(text, default=default, show_default=default != "", type=kind)
            if value != "":
                asked[name] = value

    asked["prompt"] = click.prompt("What should it sound like?")
    folders = sorted(path.name for path in config.prompts.glob("*/")) if config.prompts.is_dir() else []
    prompt("folder", f"Folder ({', '.join(folders) or 'none yet'})", folders[0] if folders else "prompts")
    prompt("title", "Title (empty: the prompt's beginning)")
    if "tags" not in asked:
        tags = click.prompt("Tags, with commas between", default="", show_default=False)
        asked["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    prompt("author", "Your GitHub handle (empty: none)")
    prompt("model", "Model", config.default_model, click.Choice(list(config.models)))
    prompt("duration", "Duration in seconds", fields["duration"].default, float)
    prompt("seed", "Seed", secrets.randbelow(2**32 - 1) + 1, int)
    if click.confirm("Other parameters?", default=False):
        for name, info in fields.items():
            if name not in _ASKED_PARAMETERS:
                kind = int if info.annotation is int else float
                default = "" if info.default is None else info.default
                prompt(name, f"{name} ({info.description})", default, kind if default != "" else str)
        if isinstance(asked.get("extend_stride"), str):
            asked["extend_stride"] = float(asked["extend_stride"])
    prompt("note", "A note on it (empty: none)")
    return asked


def write_prompt(config: Config, answers: dict[str, Any]) -> Path:
    """Write a prompt file and read it back.

    Raises GalleryError where the file exists, and FaultyFile, leaving no file, where
    the answers make no valid one.
    """
    refuse_link(config.prompts, config.prompts.name, "publish what lies")
    written = ("title", "prompt", "tags", "author")
    matter = {name: answers[name] for name in written if answers.get(name)}
    matter["date"] = datetime.now(UTC).date()
    for name, info in parameter_fields().items():
        if name in answers and answers[name] != info.default:
            matter[name] = plain_number(answers[name])
    if answers.get("model") and answers["model"] != config.default_model:
        matter["model"] = answers["model"]
    name = _name(answers.get("title") or answers["prompt"])
    folder = config.prompts / _name(answers.get("folder") or "prompts")
    path = folder / f"{name}.md"
    if path.exists():
        raise GalleryError(
            f"{path.relative_to(config.root).as_posix()} is there already; give another --title"
        )
    text = yaml.safe_dump(matter, allow_unicode=True, sort_keys=False, width=1000)
    write_atomic(path, f"---\n{text}---\n{answers.get('note', '')}\n".encode(), sync=True)
    reading = read_prompts(config, [path])
    if reading.faults:
        path.unlink()
        raise FaultyFile(reading.faults)
    return path


def _name(text: str) -> str:
    return slug(text, _LONGEST_NAME) or f"prompt-{secrets.token_hex(3)}"
