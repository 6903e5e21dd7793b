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


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
def test_what_a_text_cannot_hold_is_not_missed(text: str) -> None:
    assert notes._to_raw_html(text) == _stock.reset().convert(text)
