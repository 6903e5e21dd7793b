"""Write the reference pages of docs/ from the code they describe; `--check` only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from gallery import config
from gallery.cli import main
from gallery.errors.validation import bounds, form_of
from gallery.prompts import fields, json_schema, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

DOCS = Path(__file__).parent
NOTE = "<!-- Made by docs/generate.py from the code; edit the descriptions there. -->\n"

COMMANDS = r"""# Commands

`gallery`, or `python -m gallery` where the command is not on the path.

| exit code | everywhere it means |
|---|---|
| 0 | all went well |
| 1 | something is wrong in what it works on: files, settings, a store. One line says what |
| 2 | it was used wrongly: an option or a path that does not exist, or options that do not go together |
| 3 | a part failed or was left out, and the rest is done |
| 130 | it was interrupted; what is finished is kept |

A shell completes commands and options after a line in its start-up file:

| shell | line |
|---|---|
| bash, `~/.bashrc` | `eval "$(_GALLERY_COMPLETE=bash_source gallery)"` |
| zsh, `~/.zshrc` | `eval "$(_GALLERY_COMPLETE=zsh_source gallery)"` |
| fish, `~/.config/fish/completions/gallery.fish` | `_GALLERY_COMPLETE=fish_source gallery \| source` |
"""


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "commands.md": NOTE + commands(),
        "configuration.md": NOTE + configuration(),
        "presets.schema.json": json_file(json_schema.presets_schema()),
        "prompt-files.md": NOTE + prompt_files(),
        "prompt.schema.json": json_file(json_schema.prompt_schema(config.load_config(DOCS.parent))),
    }


def json_file(document: dict[str, Any]) -> str:
    """A schema as `gallery schema` prints it."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def commands() -> str:
    """The command reference, from the commands' own help."""
    contexts = _walk("gallery", main, None)
    parts = (f"## {each.command_path}\n\n```text\n{each.get_help()}\n```\n" for each in contexts)
    return "\n".join((COMMANDS, *parts))


def _walk(name: str, command: click.Command, parent: click.Context | None) -> Iterator[click.Context]:
    """Contexts as the command line makes them: they decide how options for help are called."""
    settings = {"terminal_width": 90, "max_content_width": 90, **command.context_settings}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    if isinstance(command, click.Group):
        for child in sorted(command.list_commands(context)):
            if found := command.get_command(context, child):
                yield from _walk(child, found, context)


def configuration() -> str:
    """Every setting of gallery.toml."""
    parts = [
        "# gallery.toml\n\nSettings in brackets are optional and show their default. "
        "A mistake is reported with its line when any command starts.\n"
    ]
    for name, info in config.Config.model_fields.items():
        if info.exclude:  # no setting
            continue
        model = _model(info)
        heading = "[models.NAME]" if name == "models" else f"[{name}]"
        about = (
            "One table a model, NAME being what prompts call it: lowercase letters, digits, dots and "
            "hyphens. Prompts can use these models and no others; the first is the default."
            if name == "models"
            else model.__doc__
        )
        parts.append(f"## `{heading}`\n\n{about}\n\n{table(model)}")
    variables = "\n".join(f"| `{name}` | {_cell(about)} |" for name, about in config.ENVIRONMENT.items())
    parts.append(
        "## Environment variables\n\nWhat a machine decides, and no gallery.toml. Replicate's are in "
        f"[replicate.md](replicate.md).\n\n| variable | |\n|---|---|\n{variables}\n"
    )
    return "\n".join(parts)


def prompt_files() -> str:
    """Every field of a prompt file."""
    return (
        "# Prompt files\n\n"
        "A prompt file is `prompts/<folder>/<name>.md`: fields between two lines of `---`, then [notes in "
        "Markdown](notes.md). Only `prompt` is required.\n\n"
        "```markdown\n---\nprompt: lofi beat, mellow Rhodes chords, vinyl crackle, 80 bpm\n"
        "tags: [lofi, calm]\nauthor: octocat\nseed: 3921188458\nvary:\n  cfg_coef: [1, 3, 5, 7]\n---\n"
        "Listen for how much of the crackle each guidance keeps.\n```\n\n"
        "`vary` makes a grid, one clip for each combination of its values; `takes` makes a list, one clip "
        "for each set of changes. A prompt has one of them or neither. `gallery check` reports every mistake "
        "with file, line and field.\n\n"
        f"{table(fields.FrontMatter)}\n"
        "## prompts/presets.yaml\n\nNamed sets of parameters, for `preset`. "
        "A field in the prompt file wins over its preset.\n\n"
        "```yaml\nfaithful:\n  description: Close to the words.\n  cfg_coef: 5\n```\n"
    )


def table(model: type[BaseModel]) -> str:
    """A table of a model's fields."""
    rows = ["| field | accepts | default | |", "|---|---|---|---|"]
    for name, info in _in_reading_order(model):
        default = "required" if info.is_required() or name == "prompt" else _default(info)
        rows.append(f"| `{name}` | {_accepts(info)} | {default} | {_cell(info.description or '')} |")
    return "\n".join(rows) + "\n"


def _in_reading_order(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """As declared, but a prompt file's prompt first, and its grid and list last."""
    places = {"prompt": -2, "model": -1, "melody": -1, "vary": 2, "takes": 2}
    parameters = request.Parameters.model_fields
    return sorted(
        model.model_fields.items(), key=lambda item: places.get(item[0], 1 if item[0] in parameters else 0)
    )


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    if isinstance(value, float):
        return f"`{value:g}`"
    if value is None or value == "" or value == []:
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _accepts(info: FieldInfo) -> str:
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    kinds = [kind for kind in (info.annotation, *get_args(info.annotation)) if kind in names]
    text = names[kinds[0]] if kinds else _other(info)
    detail = form_of(info) or bounds(info)
    return _cell(f"{text}, {detail}" if detail else text)


def _other(info: FieldInfo) -> str:
    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(f"`{choice}`" for choice in choices)
    text = str(info.annotation)
    for sign, words in (
        ("date", "date"),
        ("Vary", "fields, each with a list of values"),
        ("Changes", "list of changes"),
        ("list[typing.Annotated[list", "list of lists of text"),
    ):
        if sign in text:
            return words
    return "list of text"


def _model(info: FieldInfo) -> type[BaseModel]:
    kind: Any = info.annotation
    return kind if isinstance(kind, type) else get_args(kind)[1]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def run(check: bool) -> int:
    """Write the pages, or tell which are out of date."""
    stale = []
    for name, text in pages().items():
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8", newline="\n")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(run(check="--check" in sys.argv[1:]))
