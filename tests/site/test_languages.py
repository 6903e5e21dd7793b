"""Texts carry their language and direction; titles stand with their prompts; play stays within reach."""

from __future__ import annotations

import json
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import pytest

from gallery.site.theme.addresses import embed_page
from gallery.site.theme.languages import Own, is_rtl, language, phrases
from support.entries_catalogue import write_entries
from support.sample_site import LONG_TEXT, LONG_WORD, entry, grid, make_config, make_files
from support.site_fixtures import PLAYED, until

pytest_plugins = ["support.site_fixtures"]

# The lines in which a text is set, each as it stands.
LINES = """name => {
  const lines = [];
  let before = null;
  const walker = document.createTreeWalker(document.querySelector(name), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.length; at++) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const { top } = range.getBoundingClientRect();
      if (before === null || Math.abs(top - before) > 5) lines.push("");
      before = top;
      lines[lines.length - 1] += node.data[at];
    }
  }
  return lines;
}"""

TEXTS = {
    "lofi piano, 90 bpm": "",
    "Gemütliche Streicher": "",
    "琴と尺八、ゆっくり": "ja",
    "ローファイ": "ja",
    "koto 琴": "",
    "古琴，慢": "und-Hani",
    "느린 발라드": "ko",
    "عود هادئ في الليل": "ar",
    "سه تار آرام، گوشه": "und-Arab",
    "עוד בלילה": "he",
    "медленный вальс": "und-Cyrl",
    "αργό ρεμπέτικο": "el",
    "เพลงช้า": "th",
    "धीमा राग": "und-Deva",
    "🎷🌃": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_letters_tell_the_language(text: str) -> None:
    assert language(text) == TEXTS[text]


def test_a_title_stands_at_the_side_of_its_prompt() -> None:
    assert is_rtl("90 عود") and not is_rtl("90 oud عود") and not is_rtl("")
    assert Own("en").attributes("Oud", "عود هادئ") == 'dir="rtl"'
    assert Own("en").attributes("عود هادئ", "slow oud") == 'dir="ltr" lang="ar"'
    assert Own("en").attributes("عود هادئ") == 'dir="auto" lang="ar"'


GALLERIES = {
    "de-AT": {
        "Gemütliche Streicher": "de-AT",
        "lofi, 90 bpm": "de-AT",
        "琴と尺八": "ja",
        "вальс": "und-Cyrl",
    },
    "ja": {"lofi, 90 bpm": "", "琴と尺八": "ja", "琴、夜": "ja", "느린": "ko"},
    "zh-Hant": {"古琴，慢": "zh-Hant", "琴と尺八": "ja", "slow guqin": ""},
    "uk": {"повільний вальс": "uk", "slow waltz": ""},
    "fa": {"عود هادئ": "fa", "سه تار آرام، گوشه": "fa"},
    "sr-Latn": {"spori valcer": "sr-Latn", "спори валцер": "und-Cyrl"},
    "en-GB": {"slow waltz": "", "медленный вальс": "und-Cyrl"},
}


@pytest.mark.parametrize("own", GALLERIES)
def test_what_a_gallery_writes_is_in_its_language_unless_letters_tell_another(own: str) -> None:
    assert {text: Own(own).of(text) for text in GALLERIES[own]} == GALLERIES[own]


def test_pages_are_english_and_what_a_gallery_writes_is_marked(
    media: Any, tmp_path: Path, open_page: Any
) -> None:
    about = {"title": "Welche?", "notes": "Leise *anhören*."}
    entries = [
        grid("a/one", "gemütliche Streicher", [("cfg_coef", [1, 3])], **about),
        entry("a/two", "琴と尺八"),
    ]
    config = make_config(
        tmp_path, language="de-AT", title="Klänge", headline="*Hör* hin.", base_url="https://a.b/"
    )
    write_entries(entries, make_files(entries, media), config, tmp_path / "site")
    marked = {
        "index.html": [".wordmark", "title", ".welcome h1", ".stage-quote p"],
        "prompts/index.html": ['.row-prompt:has-text("gemütliche")', '.row-title:has-text("Welche?")'],
        "prompts/a/one/index.html": ["title", ".crumbs [aria-current]", ".eyebrow", ".quote", ".notes div"],
        embed_page("a/one"): ["title", "h1", ".embed-from a"],
        "prompts/index.html?q=streicher": ["[data-found] .row-prompt", "[data-found] .row-title"],
    }
    page, _ = open_page("about:blank")
    for address, places in marked.items():
        page.goto(f"{(tmp_path / 'site').as_uri()}/{address}")
        assert page.get_attribute("html", "lang") == "en"
        for place in places:
            page.wait_for_selector(place, state="attached")
            assert page.get_attribute(place, "lang") == "de-AT", f"{address}: {place}"
        # What the tool says, and what letters tell of another.
        assert page.locator("nav a[lang]:not(.wordmark), footer [lang]").count() == 0
    page.goto(f"{(tmp_path / 'site').as_uri()}/index.html")
    assert page.get_attribute(".welcome p", "lang") is None, "the description is the tool's own"
    page.goto(f"{(tmp_path / 'site').as_uri()}/prompts/a/two/index.html")
    assert page.get_attribute(".quote", "lang") == "ja"


def test_what_scripts_show_is_in_the_language_of_its_words(
    media: Any, tmp_path: Path, open_page: Any
) -> None:
    """The dock, what follows in it, and what waits to be compared; labels of takes are the page's."""
    oud = "عود هادئ في الليل"
    entries = [
        grid("a/one", "gemütliche Streicher", [("cfg_coef", [1, 3])], tags=["leise"], date="2026-11-03"),
        entry("a/two", "琴と尺八", tags=["尺八", "leise"], date="2026-11-02"),
        entry("a/three", oud, date="2026-11-01"),
    ]
    config = make_config(tmp_path, language="de", description="Klänge aus Worten")
    write_entries(entries, make_files(entries, media), config, tmp_path / "site")
    site = (tmp_path / "site").as_uri()
    page, _ = open_page(f"{site}/prompts/index.html")
    told = "element => [element.lang, element.dir, element.textContent]"
    page.click(".row:has-text('Streicher') .play")
    assert page.eval_on_selector("[data-dock-name]", told) == ["de", "auto", "gemütliche Streicher"]
    page.wait_for_selector("[data-queue] button", state="attached")
    names = page.locator("[data-queue] [data-place] span").evaluate_all(f"all => all.map({told})")
    texts = ["gemütliche Streicher", "琴と尺八", oud]
    assert names == [
        list(each) for each in zip(("de", "ja", "ar"), ("ltr", "ltr", "rtl"), texts, strict=True)
    ]
    edges = page.locator("[data-queue] [data-place]").evaluate_all("all => all.map(({ dir }) => dir)")
    assert edges == ["ltr", "ltr", "rtl"]
    page.click(".row:has-text('Streicher') .take:last-of-type")
    page.click(".row:has-text('Streicher') [data-compare]")
    name = page.locator("[data-pick-name]")
    assert name.text_content() == "gemütliche Streicher, guidance 3"
    assert name.locator("span").evaluate(told) == ["de", "ltr", "gemütliche Streicher"]
    # And what stands there from the beginning.
    tags = [["leise", "de"], ["尺八", "und-Hani"], ["leise", "de"]]
    found = "all => all.map(each => [each.textContent.trim().replace('#', ''), each.lang])"
    assert page.locator(".row .tag").evaluate_all(found) == tags
    assert page.get_attribute("[data-filter=tag] li", "lang") == "de"
    page.fill("#question", "尺八")
    page.wait_for_selector("[data-found] .tag")
    assert page.locator("[data-found] .tag").evaluate_all(found) == tags[1:]
    descriptions = {
        "index.html": "de",
        "prompts/index.html": None,  # the tool's words
        "prompts/a/two/index.html": "ja",
    }
    for address, language_there in descriptions.items():
        page.goto(f"{site}/{address}")
        assert page.get_attribute("meta[name=description]", "lang") == language_there, address
    assert page.locator(".byline .tag").evaluate_all(found) == tags[1:]
    page.goto(f"{site}/tags/index.html")
    assert page.locator(".names a").evaluate_all(found) == [["leise", "de"], ["尺八", "und-Hani"]]


def test_an_english_gallery_marks_nothing_of_that(media: Any, tmp_path: Path) -> None:
    """So that its pages weigh what they did."""
    entries = [entry("a/one", "slow strings", tags=["lofi"])]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    for name in ("index.html", "prompts/index.html", "prompts/a/one/index.html", "tags/index.html"):
        assert (tmp_path / "site" / name).read_text().count("lang=") == 1, name


def test_scripts_tell_the_same(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    found = page.evaluate(
        """texts => texts.map(text => {
          const element = document.createElement("p");
          gallery.clips.tell(element, text, text);
          return [element.lang, element.dir];
        })""",
        list(TEXTS),
    )
    assert found == [[language(text), "rtl" if is_rtl(text) else "ltr"] for text in TEXTS]


def test_words_are_marked_wherever_they_stand(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/words/japanese/index.html")
    assert page.get_attribute(".quote", "lang") == "ja"
    page.goto(f"{address}/prompts/index.html?q=%E7%90%B4")
    page.wait_for_selector("[data-found] .row")
    assert page.get_attribute("[data-found] .row-prompt", "lang") == "ja"


def test_japanese_is_broken_between_phrases() -> None:
    parts = ["深夜の", "駅で", "鳴る、", "柔らかい", "フェルトピアノと", "遠い", "雨<音"]
    told = phrases("".join(parts))
    assert told.removeprefix('<span class="phrases">').removesuffix("</span>").split("<wbr>") == [
        escape(part) for part in parts
    ]
    for text in ("slow & <warm>", "古琴，慢", "느린 발라드", ""):
        assert phrases(text) == escape(text)


def test_what_breaks_japanese_is_loaded_for_japanese_alone() -> None:
    program = """if True:
        import sys
        from gallery.site.theme.languages import phrases
        for text in ("slow koto", "琴と尺八"):
            phrases(text)
            print("budoux" in sys.modules)"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


PIANO = "深夜の駅で鳴る、柔らかいフェルトピアノと遠い雨音、ゆっくりとした三拍子の静かな子守唄"


@pytest.mark.parametrize("width", [390, 1360])
def test_lines_of_japanese_end_with_phrases(width: int, media: Any, tmp_path: Any, open_page: Any) -> None:
    """On the front door and on the prompt's page, in whole phrases; and what is copied is the prompt."""
    entries = [entry("j/piano", PIANO, title="真夜中の駅で聞こえる音は何ですか？")]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    granted = ["clipboard-read", "clipboard-write"]
    page, _ = open_page("about:blank", width=width, permissions=granted)
    for address, name in (("index.html", ".stage-quote p"), ("prompts/j/piano/index.html", ".quote")):
        page.goto(f"{(tmp_path / 'site').as_uri()}/{address}")
        lines = page.evaluate(LINES, name)
        assert "".join(lines) == PIANO and len(lines) > 1
        whole = phrases(PIANO).removeprefix('<span class="phrases">').removesuffix("</span>").split("<wbr>")
        ends = {"".join(whole[:place]) for place in range(1, len(whole) + 1)}
        assert {"".join(lines[:place]) for place in range(1, len(lines) + 1)} <= ends, lines
    page.click("[data-copy-prompt]")
    until(page, "document.querySelector('[data-copied]').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == PIANO
    page.click(".single .play")
    assert page.inner_text("[data-dock-name]") == PIANO


def test_a_diff_of_japanese_stays_one(media: Any, tmp_path: Any, watch: Any) -> None:
    """Words that come and go are found in it as in any text."""
    texts = ["静かな琴と尺八", "静かな琴と尺八、レコードの雑音"]
    entries = [grid("j/koto", texts[0], [("prompt", texts)])]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    page, _ = watch(f"{(tmp_path / 'site').as_uri()}/prompts/j/koto/index.html")
    assert page.inner_text(".quote .word") == "レコードの雑音"
    page.click(".quote .word")
    until(page, PLAYED % 0)
    assert page.get_attribute(".quote", "data-wording") == texts[1]
    assert entries[0]["clips"][1]["key"] in page.evaluate("played.src")


def test_titles_and_prompts_end_at_one_edge(media: Any, tmp_path: Any, open_page: Any) -> None:
    oud, tar = "عود هادئ في الليل مع إيقاع بطيء", "slow tar, desert night"
    entries = [
        entry("r/latin", oud, title="Oud, at night?"),
        entry("r/own", oud, title="ليلة"),
        entry("r/other", tar, title="ليلة"),
    ]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    page, _ = open_page("about:blank")
    for path, edge in (("latin", "right"), ("own", "right"), ("other", "left")):
        page.goto(f"{(tmp_path / 'site').as_uri()}/prompts/r/{path}/index.html")
        assert page.get_attribute(".quote", "lang") == ("ar" if edge == "right" else None)
        ends = page.evaluate(
            """edge => [".eyebrow", ".quote"].map(name => {
              const range = document.createRange();
              range.selectNodeContents(document.querySelector(name));
              return range.getBoundingClientRect()[edge];
            })""",
            edge,
        )
        assert ends[0] == pytest.approx(ends[1], abs=4), path


def test_on_the_front_door_titles_stand_with_their_prompts(media: Any, tmp_path: Any, open_page: Any) -> None:
    oud = "عود هادئ في الليل مع إيقاع بطيء"
    seeds = [("seed", [1, 2])]
    entries = [
        grid("r/one", oud, seeds, title="ليلة هادئة", date="2026-11-02"),
        grid("r/two", oud[:20], seeds, title="هل يهم؟", date="2026-11-01"),
    ]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    page, _ = open_page(f"{(tmp_path / 'site').as_uri()}/index.html")
    for title, words in (("#opening", ".stage-quote p"), (".asked h3", ".asked-words")):
        ends = page.evaluate(
            """names => names.map(name => {
              const range = document.createRange();
              range.selectNodeContents(document.querySelector(name));
              return range.getBoundingClientRect().right;
            })""",
            [title, words],
        )
        assert ends[0] == pytest.approx(ends[1], abs=4), title
        assert page.get_attribute(title, "lang") == "ar"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1360, 940)])
def test_play_is_on_the_first_screen_however_long_the_words(
    width: int, height: int, media: Any, tmp_path: Any, open_page: Any
) -> None:
    japanese = (PIANO * 4)[:129]  # a letter of it takes the room of two and a half
    texts = [LONG_TEXT, LONG_TEXT[:318], LONG_TEXT[:129], LONG_WORD, japanese, japanese[:47]]
    entries = [entry(f"p/{place}", text, title="A title of its own") for place, text in enumerate(texts)]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    page, _ = open_page("about:blank", width=width, height=height)
    for place in range(len(texts)):
        page.goto(f"{(tmp_path / 'site').as_uri()}/prompts/p/{place}/index.html")
        box = page.locator(".single .play").bounding_box()
        assert box["y"] + box["height"] <= height, place
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_author_that_is_the_gallery_links_nowhere(media: Any, tmp_path: Any) -> None:
    entries = [entry("a/own", "one", author="Gallery"), entry("a/other", "two", author="octocat")]
    write_entries(entries, make_files(entries, media), make_config(tmp_path), tmp_path / "site")
    own, other = ((tmp_path / f"site/prompts/a/{name}/index.html").read_text() for name in ("own", "other"))
    assert (
        "by Gallery" in own
        and "github.com/Gallery" not in own
        and 'href="../../../authors/gallery' not in own
    )
    assert "https://github.com/octocat" in other and 'href="../../../authors/octocat' in other
    data = json.loads(own.split('ld+json">')[1].split("</script>")[0])
    assert data["isBasedOn"]["author"] == {"name": "Gallery", "@type": "Organization"}


@pytest.mark.parametrize("path", ["lofi/rainy", "sound/sketched", "compare/strip", "compare/takes"])
@pytest.mark.parametrize("width", [390, 1360])
def test_a_page_has_one_left_edge(path: str, width: int, address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/{path}/index.html", width=width)
    names = [
        ".crumbs",
        ".quote",
        ".byline",
        ".clips .play, .strip .tile",
        ".clips > p:not(.unseen)",
        ".notes h2",
    ]
    edges = {
        name: page.locator(name).first.bounding_box()["x"] for name in names if page.locator(name).count()
    }
    assert max(edges.values()) - min(edges.values()) <= 1, edges
