"""A new prompt file, from answers or options."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import yaml

from gallery.errors import GalleryError
from gallery.errors.messages import Wording
from gallery.errors.offers import number_meant
from gallery.prompts.fields import handle_meant, tag_meant
from gallery.prompts.file import read_file, read_presets, relative
from gallery.prompts.folder import is_prompt_file
from gallery.prompts.forms import FILE_NAME
from gallery.prompts.prompt import Findings
from gallery.prompts.request import parameter_fields, parameter_unit, plain_number
from gallery.utils.files import write_atomic
from gallery.utils.git import refuse_link
from gallery.utils.slug import slug

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config
    from gallery.errors import Fault

_ASKED_PARAMETERS = ("duration", "seed")

_LONGEST_NAME = 40


def ask(config: Config, options: dict[str, Any]) -> dict[str, Any]:
    """Ask for what the options left open, each question until its answer is one.

    What is left empty takes its default. Raises GalleryError, before anything is asked, where an option
    is none that a prompt file takes.
    """
    fields = parameter_fields()
    answers = {name: _mended(name, option) for name, option in options.items()}
    _refuse([fault for name in answers for fault in _faults(config, {"prompt": "?", **answers}, name)])
    # The last answer that the file is named after.
    naming = "folder" if "title" in answers else "title"

    def prompt(name: str, text: str, default: Any = "") -> None:
        def accepted(typed: Any) -> Any:
            answer = _mended(name, typed)
            whole = answers | {name: answer}
            faults = _faults(config, whole, name) if typed != "" else []
            if faults:
                raise click.UsageError("; ".join(fault.message for fault in faults))
            if name == naming and (path := _path(config, whole)).exists():
                raise click.UsageError(Wording.TAKEN.format(file=relative(path, config)))
            return answer

        if name not in answers:
            usual = None if name == "prompt" else default
            answer = click.prompt(text, usual, show_default=default != "", value_proc=accepted)
            if answer != "":
                answers[name] = answer

    prompt("prompt", "What should it sound like?")
    folders = sorted(path.name for path in config.prompts.glob("*/")) if config.prompts.is_dir() else []
    prompt("folder", f"Folder ({', '.join(folders) or 'none yet'})", folders[0] if folders else "")
    prompt("title", "Title (empty: the prompt's beginning)")
    prompt("tags", "Tags, separated by commas")
    prompt("author", "Your GitHub handle (empty: none)")
    prompt("model", f"Model ({', '.join(config.models)})", config.default_model)
    prompt("duration", "Duration in seconds", plain_number(fields["duration"].default))
    prompt("seed", "Seed", secrets.randbelow(2**32 - 1) + 1)
    if click.confirm("Other parameters?", default=False):
        for name, info in fields.items():
            if name not in _ASKED_PARAMETERS:
                default = "" if info.default is None else plain_number(info.default)
                prompt(name, f"{name} ({info.description})", default)
    prompt("note", "A note on it (empty: none)")
    return answers


def write_prompt(config: Config, answers: dict[str, Any]) -> Path:
    """Write a prompt file.

    Raises GalleryError where the file exists, and where the answers make no valid one. Nothing
    is written then.
    """
    refuse_link(config.prompts, config.prompts.name, "publish what lies")
    answers = {name: _mended(name, answer) for name, answer in answers.items()}
    path = _path(config, answers)
    if path.exists():
        raise GalleryError(f"{relative(path, config)} is there already; give another --title")
    _refuse(_faults(config, answers))
    write_atomic(path, _text(config, answers), sync=True)
    return path


def _mended(name: str, answer: Any) -> Any:
    """What an answer can only mean, as a value of its field."""
    if name == "tags":
        tags = answer.split(",") if isinstance(answer, str) else answer
        return [tag for tag in map(tag_meant, tags) if tag]
    if not isinstance(answer, str):
        return answer
    answer = answer.strip()
    if name == "author":
        return handle_meant(answer)
    if info := parameter_fields().get(name):
        whole = info.annotation is int
        number = number_meant(answer, parameter_unit(name), whole=whole) or answer
        try:
            return int(number) if number.lstrip("+-").isdigit() else float(number)
        except ValueError:
            return answer
    return answer


def _refuse(faults: list[Fault]) -> None:
    if faults:
        lines = [f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in faults]
        raise GalleryError("\n".join([*lines, "nothing is written"]))


def _faults(config: Config, answers: dict[str, Any], name: str = "") -> list[Fault]:
    """What `gallery check` would say of the file; with ``name``, of that answer alone."""
    presets = read_presets(config, Findings())
    _, findings = read_file(_path(config, answers), config, presets, _text(config, answers))
    place = "notes" if name == "note" else name
    return [
        fault
        for fault in sorted(findings.faults)
        if not name or fault.field.partition("[")[0] == ("" if name == "folder" else place)
    ]


def _text(config: Config, answers: dict[str, Any]) -> bytes:
    written = ("title", "prompt", "tags", "author")
    matter = {name: answers[name] for name in written if answers.get(name)}
    matter["date"] = datetime.now(UTC).date()
    for name, info in parameter_fields().items():
        if name in answers and answers[name] != info.default:
            matter[name] = plain_number(answers[name])
    if answers.get("model") and answers["model"] != config.default_model:
        matter["model"] = answers["model"]
    text = yaml.safe_dump(matter, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{text}---\n{answers.get('note', '')}\n".encode()


def _path(config: Config, answers: dict[str, Any]) -> Path:
    name = _name(str(answers.get("title") or answers["prompt"])) or f"prompt-{secrets.token_hex(3)}"
    folders = map(_name, str(answers.get("folder") or "").split("/"))
    return config.prompts.joinpath(*filter(None, folders), f"{name}.md")


def _name(text: str) -> str:
    """The name of a file or folder that a prompt can have, made of words; empty where no letters are left."""
    name = slug(text, _LONGEST_NAME)
    usable = not name or (FILE_NAME.fullmatch(name) and is_prompt_file(f"{name}.md"))
    return name if usable else f"prompt-{name}"
