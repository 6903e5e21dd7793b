"""Notes are Markdown as Python-Markdown reads it, whatever of it is left out for speed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown

from gallery.site.theme import notes

# All that Markdown is made of, and words.
_SIGNS = r"` ``` ~~~ \ [ ![ ] ( ) < > & | * ** _ # = --- : { } ! 1. - \" |-|-| a|b &amp;"
_PIECES = [
    *_SIGNS.split(),
    "  \n",
    "\n",
    "\n\n",
    "\t",
    "    ",
    "\n# ",
    "\n- ",
    "\n1. ",
    "\n> ",
    "\x02",
    "\x03",
]
_PIECES += ["a", "b c", "http://x.y", "a@b.c", "<b>", "</b>", "<div>", "</div>", "<!--", "-->"]

_stock = Markdown(extensions=["tables", "fenced_code", "sane_lists"], output_format="html")


# What HTML takes to run to its end, wherever that is: elements, comments, quotes, and parts of them.
_SWALLOWING = [
    *("<style>", "<STYLE\t>", "<style/>", "<style>\n</styl>", "<style></style ", "<style a='>'>"),
    *("<script>", "<script src=x>", "<script><!--<script>", "<script><!--<script></script>", "<scr<script>"),
    *("<title>", "<textarea>", "<xmp>", "<iframe>", "<noscript>", "<noembed>", "<noframes>", "<plaintext>"),
    *(
        "<template>",
        "<template><template></template>",
        "<svg>",
        "<svg><title>",
        "<svg><style>",
        "<math><mtext>",
    ),
    *(
        "<mtext>",
        "<desc>",
        "<math><annotation-xml>",
        "<select>",
        "<select><style>",
        "<table><style>",
        "<object>",
    ),
    *(
        "<!--",
        "<!-- a -- >",
        "<style><!--",
        "<![CDATA[",
        "<?php",
        "<!x",
        "</",
        "</a",
        "<div title='",
        '<a href="',
    ),
    *("<div>\n\n<b title='", "<scr<script></script>ipt>", "<sty<style></style>le>", "<\u017fcript>"),
]


@pytest.mark.parametrize("piece", _SWALLOWING)
def test_nothing_in_a_note_swallows_what_comes_after_it(piece: str) -> None:
    for form in ("before\n\n{}\n\nafter\n\n*last*", "before {} after\n\n*last*", "- {}\n- after\n\n*last*"):
        for html in (
            notes.to_html(form.format(piece)),
            notes.to_page_html(form.format(piece), lambda target: target),
        ):
            assert "before" in html or not form.startswith("before")
            assert "after" in html and "last" in html, html


def test_a_script_or_style_that_is_closed_goes_with_all_it_holds() -> None:
    html = notes.to_html("a <style>p > b { color: red }</style> b <SCRIPT x>alert(1)</script\t> *c*")
    assert html == "<p>a   b   <em>c</em></p>"
    assert notes.to_html("a `<style>` b") == "<p>a <code>&lt;style&gt;</code> b</p>"


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_what_a_text_cannot_hold_is_not_missed(text: str) -> None:
    assert notes._to_raw_html(text) == _stock.reset().convert(text)
