"""No page runs anything but the site's own scripts, whatever stands in prompt files, notes and records."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from gallery.site.theme.addresses import embed_page, prompt_page
from support.galleries import Gallery, render_all
from support.hostile import LINKS, WORDS, hostile_gallery

pytest_plugins = ["support.site_fixtures"]

IN_NOTES = """
h2 h3 h4 h5 h6 div p br hr em strong del ins code pre blockquote a sub sup kbd s ul ol li
dl dt dd table thead tbody tr th td
"""
NOWHERE = "style iframe frame object embed applet base"

# The same in a browser's own words, and whether anything reached its objects.
FIND_CODE = """() => {
  const found = Object.keys(Object.prototype);
  for (const element of document.querySelectorAll("*")) {
    for (const {name, value} of element.attributes)
      if (/^on|^style$|^srcdoc$/i.test(name)
          || (/^(xlink:)?href$|^src$|action$|^data$|^poster$/i.test(name)
              && /^[\\s\\0]*(javascript|data|vbscript|blob):/i.test(value)))
        found.push(name + "=" + value);
    if (element.matches("script:not([src], [type='application/ld+json']), style, iframe, object, base"))
      found.push(element.outerHTML);
  }
  return found;
}"""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """The hostile gallery, built, with renders whose records are hostile too."""
    gallery = hostile_gallery(tmp_path_factory.mktemp("hostile") / "gallery")
    assert gallery.run("check").err == ""
    [key] = render_all(gallery, "words/w00")
    assert gallery.run("build", "--engine", "none").code == 0
    path = gallery.root / f"site/audio/{key}.json"
    record = json.loads(path.read_text())
    record["provenance"] |= {f"{words}": [words, {words: words}] for words in WORDS}
    record["provenance"] |= dict(zip(("device", "date", "note", "file", "original"), WORDS, strict=False))
    path.write_text(json.dumps(record))
    ran = gallery.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    return gallery


@pytest.fixture(scope="session")
def pages(hostile: Gallery) -> dict[str, str]:
    """Every page of it by its address."""
    site = hostile.root / "site"
    found = {path.relative_to(site).as_posix(): path.read_text() for path in sorted(site.rglob("*.html"))}
    assert len(found) > 150
    return found


def test_every_page_has_the_policy_before_anything_can_run(pages: dict[str, str]) -> None:
    for address, text in pages.items():
        policies = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert len(policies) == 1, address
        directives = dict(part.strip().partition(" ")[::2] for part in policies[0].split(";"))
        assert directives["default-src"] == "'none'", address
        assert directives["script-src"] == directives["style-src"] == "'self' file:", address
        assert directives["media-src"] == "'self' file: blob:", address
        assert "blob:" not in policies[0].replace(directives["media-src"], ""), address
        assert directives.get("connect-src", "'self'") == "'self'", address
        assert directives["base-uri"] == "'none'", address
        assert directives["form-action"] in ("'self'", "'none'"), address
        assert not re.search(r"unsafe|\*|https?:", policies[0]), address
        before = text[: text.index("Content-Security-Policy")]
        assert not re.search(r"<(script|link|style|img|body)", before), address


class Elements(HTMLParser):
    """Every element of a page with its attributes, and whether it stands in notes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], bool]] = []
        self._depth = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.found.append((tag, attributes, self._depth > 0))
        if tag == "section":
            self._depth += self._depth > 0 or attributes.get("class") == "notes"

    def handle_endtag(self, tag: str) -> None:
        if tag == "section" and self._depth:
            self._depth -= 1


LEADING = ("href", "src", "action", "formaction", "xlink:href", "data", "poster")


def test_no_page_holds_code_of_others(pages: dict[str, str]) -> None:
    noted = 0
    for address, text in pages.items():
        for element, attributes, in_notes in Elements(text).found:
            assert element not in NOWHERE.split(), (address, element)
            assert not [name for name in attributes if re.match("on|style$|srcdoc$", name)], address
            for name in LEADING:
                assert not re.match(
                    r"[\s\0]*(javascript|data|vbscript|blob|file):", attributes.get(name, ""), re.I
                )
            if element == "script" and "src" not in attributes:
                assert attributes == {"type": "application/ld+json"}, address
            if element == "meta":
                assert attributes.get("http-equiv", "Content-Security-Policy") == "Content-Security-Policy"
            if in_notes:
                noted += 1
                assert element in IN_NOTES.split(), (address, element)
                if element == "a" and "href" in attributes:
                    assert re.match(r"https?://(www\.)?example\.com|mailto:", attributes["href"]), address
                    assert attributes["rel"] == "nofollow noopener ugc"
    assert noted > 200


def test_a_browser_finds_none_either_and_shows_words_as_words(hostile: Gallery, open_page: Any) -> None:
    """`open_page` lets no page complain: not of what the policy refused, nor of a dialog."""
    site = hostile.root / "site"
    paths = ["takes", "grid", "words/w00", *(f"many/m{number:02}" for number in range(0, len(LINKS), 8))]
    page, seen = open_page((site / "prompts/index.html").as_uri(), requests=True)
    page.fill("#question", "alert(1)")
    page.wait_for_selector("[data-found] .row")
    assert "<script>alert(1)</script>" in page.text_content("[data-found]")
    assert page.evaluate(FIND_CODE) == []
    for path in paths:
        page.goto((site / prompt_page(path)).as_uri())
        assert page.evaluate(FIND_CODE) == [], path
    page.goto((site / prompt_page("takes")).as_uri())
    told = page.eval_on_selector_all(".request-prompt", "parts => parts.map(part => part.textContent)")
    assert told == WORDS
    assert all(url.startswith("file:") for url in seen.requests)


def test_feeds_and_data_are_what_they_say(hostile: Gallery, pages: dict[str, str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    site = hostile.root / "site"
    for name in ("feed.xml", "podcast.xml", "sitemap.xml"):
        assert ElementTree.parse(site / name).getroot() is not None
        assert "<script" not in (site / name).read_text()
    json.loads((site / "catalogue.json").read_text(), parse_constant=refuse)
    for text in pages.values():
        for data in re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL):
            assert "<" not in data
            json.loads(data, parse_constant=refuse)


ASKED = {
    "index.html": ["?q={}", "?tag={}", "#{}", "#k={}"],
    "prompts/index.html": ["?q={}", "?tag={0}&folder={0}&order={0}&guidance={0}", "#{}"],
    "compare/index.html": ["?a={}", "?b=0&a={}"],
    "favourites/index.html": ["?k={}", "#k={}"],
    "add/index.html": ["?prompt={}", "?model={}", "#{}"],
    "random/index.html": ["#{}"],
    prompt_page("words/w00"): ["#{}", "#k={}", "#t=1&k={}"],
    embed_page("words/w00"): ["#{}", "?t={}"],
}

# There is little to see, and that much less to draw.
LOW = {"width": 1280, "height": 200}


@pytest.mark.parametrize("place", ASKED)
def test_what_an_address_asks_for_is_data(hostile: Gallery, browser: Any, place: str) -> None:
    """Addresses are links that others send: nothing in them runs, breaks the page or takes long."""
    words = ["javascript:alert(1)//<img src=x onerror=alert(1)>", "__proto__"]
    asked = [form.format(quote(word)) for form in ASKED[place] for word in words]
    asked += [ASKED[place][0].format("%E0%A4%A")]
    complaints: list[str] = []
    page = browser.new_page(viewport=LOW)
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    for number, address in enumerate(asked):
        # Where but the part after # is another, a page stays.
        anew = f"?{number}" if address.startswith("#") else ""
        page.goto((hostile.root / "site" / place).as_uri() + anew + address)
        assert page.evaluate(FIND_CODE) == [], address[:80]
        assert complaints == [], address[:80]
    page.close()


def test_an_address_asks_for_no_more_than_a_page_can_bear(hostile: Gallery, open_page: Any) -> None:
    site = hostile.root / "site"
    tags = "&".join(f"tag=x{number}" for number in range(3000))
    page, _ = open_page((site / "prompts/index.html").as_uri() + f"?q={'a+' * 20_000}&{tags}&order=__proto__")
    page.wait_for_selector("[data-nothing]:not([hidden])")
    assert len(page.input_value("#question")) <= 200
    assert page.locator("[data-value^=x]").count() <= 50
    known = json.loads((site / "catalogue.json").read_text())["prompts"][0]["clips"][0]["key"]
    lost = ",".join([f"{known[:2]}{'0' * 30}"] * 3000)
    page.goto("about:blank")
    page.goto((site / "favourites/index.html").as_uri() + f"?k={lost}")
    page.wait_for_selector("text=1 more is not in this gallery any more")


def test_what_others_wrote_into_the_storage_is_data(hostile: Gallery, browser: Any) -> None:
    spoil = """
      const root = new URL(document.documentElement.dataset.root || ".", location.href).pathname;
      const names = ["favourites", "heard", "volume", "repeat", "letters", "compare", "theme", "draft"];
      for (const storage of [localStorage, sessionStorage])
        for (const name of names)
          for (const before of ["", "gallery " + root + " "]) storage.setItem(before + name, %s);"""
    image = "<img src=x onerror=alert(1)>"
    fields = {"key": image, "name": image, "prompt": image, "title": [image], "__proto__": {"x": 1}}
    values = [json.dumps(fields), json.dumps(["0" * 32, image]), "[[null]]", "{"]
    complaints: list[str] = []
    page = browser.new_context(viewport=LOW).new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto((hostile.root / "site/index.html").as_uri())
    for place in ASKED:
        for value in values:
            page.evaluate("() => {" + spoil % json.dumps(value) + "}")
            page.goto((hostile.root / "site" / place).as_uri())
            assert page.evaluate(FIND_CODE) == [], (value, place)
            assert complaints == [], (value, place)
    page.context.close()
