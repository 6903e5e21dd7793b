"""Compiled templates are kept, and nothing depends on them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from jinja2 import DictLoader, pass_context, pass_environment, pass_eval_context

from gallery.site.theme.templating import KeysFirst
from support.compiled import compiled_on_disk

SOURCE = "{{ clip.items }} of {{ clip.name }}"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _render(tool: str = "tool", source: str = SOURCE) -> str:
    environment = KeysFirst(loader=DictLoader({"page": source}), bytecode_cache=compiled_on_disk(tool))
    return environment.get_template("page").render(clip={"items": 3, "name": "dub"})


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_keys_come_before_the_methods_of_a_dict(kept: Path) -> None:
    assert _render() == "3 of dub"


def test_what_asks_for_jinjas_context_gets_it() -> None:
    asking = {
        "context": pass_context(lambda context, clip: f"{clip} of {context['of']}"),
        "environment": pass_environment(lambda environment: type(environment).__name__),
        "escaping": pass_eval_context(lambda escaping: escaping.autoescape),
        "plain": lambda *clips: len(clips),
    }
    environment = KeysFirst(autoescape=True)
    environment.globals.update(asking)
    source = (
        "{% macro marked() %}<b>{% endmacro %}{{ context(3) }} {{ environment() }} {{ plain(1, 2) }}"
        "{{ escaping() }} {{ marked() is escaped }}"
        "{% autoescape false %} {{ escaping() }} {{ marked() is escaped }}{% endautoescape %}"
    )
    assert environment.from_string(source).render(of="dub") == "3 of dub KeysFirst 2True True False False"


def test_a_template_is_compiled_once(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _render()
    monkeypatch.setattr(KeysFirst, "compile", None)  # called, it raises
    assert _render() == first
    with pytest.raises(TypeError):
        _render("another version of the tool")
    with pytest.raises(TypeError):
        _render(source="other words")


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "other"])
def test_a_damaged_one_is_compiled_anew(kept: Path, damage: str) -> None:
    first = _render()
    [file] = _files(kept)
    data = file.read_bytes()
    file.write_bytes(
        {
            "empty": b"",
            "truncated": data[: len(data) // 3],
            "flipped": data[:20] + bytes([data[20] ^ 255]) + data[21:],
            "other": b"no code at all",
        }[damage]
    )
    assert _render() == first


def test_a_disk_that_refuses_is_no_obstacle(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", _full)
    assert _render() == "3 of dub"
    assert not _files(kept)
    monkeypatch.setattr(tempfile, "gettempdir", _full)
    assert _render() == "3 of dub"


def test_a_folder_that_is_not_this_users_is_not_used(kept: Path) -> None:
    _render()
    [file] = _files(kept)
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("in the way")
    assert _render() == "3 of dub"


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")
