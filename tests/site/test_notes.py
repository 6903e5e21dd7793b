"""Notes are Markdown as it looks on GitHub, in what people use; nothing in them does harm."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.site.theme import notes
from support import ROOT

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

_GITHUBS = ["~~", "~", "- [ ] ", "  - ", "www.", "https://x.y/(", "#7"]

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


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*_PIECES, *_GITHUBS]), max_size=14).map("".join))
def test_any_text_is_shown(text: str) -> None:
    html = notes.to_html(text)
    assert "\x02" not in html.replace(text, "") or "\x02" in text


LINK = '<a href="{0}" rel="nofollow noopener ugc">{1}</a>'
ON_GITHUB = {
    "Listen for:\n- rain\n- tape": "<p>Listen for:</p><ul><li>rain</li><li>tape</li></ul>",
    "Listen for:\n1. rain\n2. tape": "<p>Listen for:</p><ol><li>rain</li><li>tape</li></ol>",
    "In the year\n1998. it rained": "<p>In the year 1998. it rained</p>",
    "- a\n  - b\n    - c\n- d": "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>",
    "- a\n    - b": "<ul><li>a<ul><li>b</li></ul></li></ul>",
    "1. a\n   - b\n2. c": "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>",
    "1) a\n2) b": "<ol><li>a</li><li>b</li></ol>",
    "1. a\n\n   more\n2. b": "<ol><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>",
    "- a\n\n  more\n  - b\n- c": "<ul><li><p>a</p><p>more</p><ul><li>b</li></ul></li><li><p>c</p></li></ul>",
    "- a\n  ```sh\n  - b\n    c\n  ```\n- d": "<ul><li><p>a</p><pre><code>- b c</code></pre></li>"
    "<li><p>d</p></li></ul>",
    "- a\n  ~~~\n  b\nafter": "<ul><li>a<pre><code>b</code></pre></li></ul><p>after</p>",
    "so:\n|a|b|\n|-|:-:|\n|1|2|": "<p>so:</p><table><thead><tr><th>a</th><th>b</th></tr></thead>"
    "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    "one | two\nthree": "<p>one | two three</p>",
    "one\\\ntwo `a\\\nb`": "<p>one<br> two <code>a\\ b</code></p>",
    "<b>a</b> <i>b</i>": "<p><b>a</b> <i>b</i></p>",
    "- a\n\nafter": "<ul><li>a</li></ul><p>after</p>",
    "> quoted\n\n- a": "<blockquote><p>quoted</p></blockquote><ul><li>a</li></ul>",
    "* * *": "<hr>",
    "#lofi it is\n\n## Tape ##": "<p>#lofi it is</p><h4>Tape</h4>",
    "~~old~~ and ~so~": "<p><del>old</del> and <del>so</del></p>",
    "about ~5 s, ~6 s": "<p>about ~5 s, ~6 s</p>",
    "`~~a~~`": "<p><code>~~a~~</code></p>",
    "see https://x.org/a_b_c?d=1. So": f"<p>see {LINK.format(*['https://x.org/a_b_c?d=1'] * 2)}. So</p>",
    "(www.x.org/a_(b))": f"<p>({LINK.format('http://www.x.org/a_(b)', 'www.x.org/a_(b)')})</p>",
    "<https://x.org>": f"<p>{LINK.format(*['https://x.org'] * 2)}</p>",
    "[https://a.b](https://x.org)": f"<p>{LINK.format('https://x.org', 'https://a.b')}</p>",
    "`https://x.org`": "<p><code>https://x.org</code></p>",
    "- [ ] mix\n- [x] master\n- [y] no": "<ul><li>☐ mix</li><li>☑ master</li><li>[y] no</li></ul>",
    "|a|b|\n|-|-|\n|1|2|": "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
    "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    "so:\n```sh\n- ~~a~~ www.x.org\n```": "<p>so:</p><pre><code>- ~~a~~ www.x.org</code></pre>",
}


@pytest.mark.parametrize("text", ON_GITHUB)
def test_it_looks_as_on_github(text: str) -> None:
    html = re.sub(r" *\n *", " ", notes.to_html(text))
    html = re.sub(r" ?(</?(?:p|ul|ol|li|table|thead|tbody|tr|th|td|blockquote|pre)>) ?", r"\1", html)
    assert html.replace(" </code>", "</code>") == ON_GITHUB[text]


# What the table of docs/notes.md says is shown here, in HTML.
DIFFERS = {
    "nothing: pages load nothing from elsewhere": "<p></p>",
    "words": "<p>{text}</p>",
    "☐ mix": "<ul>\n<li>☐ mix</li>\n</ul>",
    "two levels smaller: it stands under the page's own": "<h3>Title</h3>",
    "nothing": "",
    "a quote": "<blockquote>\n<p>[!NOTE]</p>\n</blockquote>",
    "what it says": "more",
}
NOTES = (ROOT / "docs/notes.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| .* \| (.+) \|$", NOTES, re.MULTILINE)


@pytest.mark.parametrize(("text", "here"), ROWS)
def test_what_differs_is_what_the_documents_say(text: str, here: str) -> None:
    shown = re.sub(r"</?a[^>]*>", "", notes.to_html(text)).strip()
    assert shown == DIFFERS[here].format(text="more" if text.startswith("[more]") else text)


def test_all_that_differs_is_there() -> None:
    assert len(ROWS) >= 9 and {here for _, here in ROWS} == set(DIFFERS)


def test_columns_of_tables_stay_at_the_left() -> None:
    assert "A table's columns stand at the left, `:-:` and `-:` or not." in NOTES
    assert "<td>1</td>" in notes.to_html("|a|\n|-:|\n|1|")


LONG = ["~~a" * 6600, "~a " * 6600, "www." * 5000, "- a\n" * 999, "https://x.y/(" * 1500, "#" * 20000]
LONG += ["- a\n  ```\n" * 500, "|a\n" * 999 + "|-" * 999, "|-" * 9000]


@pytest.mark.parametrize("text", LONG)
def test_what_is_long_is_soon_done(text: str) -> None:
    start = time.monotonic()
    notes.to_html(text)
    assert time.monotonic() - start < 5
