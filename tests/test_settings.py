"""A gallery.toml with a mistake is a line with its place; none is a traceback."""

from __future__ import annotations

import pytest

from support.galleries import SETTINGS, Gallery

LINE = SETTINGS.count("\n") + 2

# What stands below other settings, its place, and what is said.
MISTAKES = {
    "5,000 digits": (f"[limits]\ntags = {'9' * 5000}", f":{LINE}: a number of more than 4300 digits"),
    "digits with signs": (f"[limits]\ntags = 1{'_1' * 5000}", f":{LINE}: a number of more than 4300 digits"),
    "many hex digits": (
        f"[limits]\nmelody_bytes = 0x{'f' * 9000}",
        f":{LINE}: limits.melody_bytes: a number",
    ),
    "a long fraction": (f"[limits]\nduration = {'9' * 5000}.5", f":{LINE}: limits.duration: inf is not"),
    "lists in lists": (f"[limits]\ntags = {'[' * 5000}", ": lists or tables too deep to be read"),
    "tables in tables": (f"[limits]\ntags = {'{a=' * 3000}1{'}' * 3000}", ": lists or tables too deep"),
    "keys in keys": (f"{'a.' * 2_000}a = 1", ":17: models.audiogen.a: unknown field"),
    "no such day": ("[limits]\ntags = 2026-02-31", ": not valid TOML: Invalid date"),
    "a control character": ("\x1b[31m = 3", ": not valid TOML: "),
    "UTF-16": (None, ": not UTF-8"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_settings_is_a_line(gallery: Gallery, mistake: str) -> None:
    text, told = MISTAKES[mistake]
    written = SETTINGS.encode("utf-16") if text is None else f"{SETTINGS}{text}\n".encode()
    gallery.write("gallery.toml", written)
    ran = gallery.run("check")
    assert ran.code == 1
    [line] = ran.err.splitlines()
    assert line.startswith(f"Error: gallery.toml{told}"), line
    assert line.isprintable()


def test_a_byte_order_mark_is_no_part_of_the_settings(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a")
    gallery.write("gallery.toml", b"\xef\xbb\xbf" + SETTINGS.replace("\n", "\r\n").encode())
    assert gallery.run("check").code == 0
