"""What visitors take along from a prompt's page, and what other programs learn of it."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from PIL import Image

from gallery.site import cards
from gallery.state.tool import packaged
from support.entries_catalogue import write_entries
from support.sample_site import HOSTILE, clip, entry, make_config, make_files, tree

pytest_plugins = ["support.site_fixtures"]

ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
HOME = "https://octocat.github.io/gallery/"


def blocks(page: str) -> dict[str, str]:
    """The texts to copy of a page's first clip, by their tools."""
    found = re.findall(r"<summary>([^<]+)</summary>\s*<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return {name: unescape(text) for name, text in reversed(found)}


def test_a_page_has_its_requests_for_every_tool(site: Path, entries: Any) -> None:
    page = (site / "prompts/compare/strip/index.html").read_text()
    assert page.count("<summary>Python for audiocraft</summary>") == 3
    assert page.count("Replicate has no facebook/musicgen-small") == 3
    texts = blocks(page)
    assert "set_generation_params(duration=3" in texts["Python for audiocraft"]
    assert json.loads(texts["TTS-WebUI parameters"])["cfg_coef"] == 1
    assert "cfg_coef: 1" in texts["Prompt file"]


def test_a_remix_drops_what_was_about_the_comparison(tmp_path: Path) -> None:
    tags = ["piano", "compare", "guidance", "top k", "seeds", "wording", "melody"]
    entries = [entry("lofi/a", "piano", tags=tags)]
    write_entries(entries, {}, make_config(tmp_path), tmp_path / "site")
    page = (tmp_path / "site/prompts/lofi/a/index.html").read_text()
    remix = re.search(r'class="remix" href="[^"#]*#([^"]*)"', page)
    assert remix and parse_qs(unescape(remix[1]))["tags"] == ["piano, melody"]


def test_downloads_have_names(site: Path, entries: Any) -> None:
    page = (site / "prompts/lofi/rainy/index.html").read_text()
    assert page.count(f'download="rainy-{entries[0]["clips"][0]["id"]}.mp3"') == 2


def test_without_an_address_less_is_offered(entries: Any, tmp_path: Path) -> None:
    write_entries(entries, {}, make_config(tmp_path), tmp_path / "site")
    page = (tmp_path / "site/prompts/lofi/rainy/index.html").read_text()
    assert "iframe" not in page and "og:image" not in page
    assert not (tmp_path / "site/embed").exists() and not list((tmp_path / "site").rglob("*.jpg"))
    assert "<summary>Python for audiocraft</summary>" in page


def test_the_embed_snippet_leads_to_a_page(site: Path) -> None:
    snippet = blocks((site / "prompts/compare/strip/index.html").read_text())["Embed these clips"]
    assert f'<iframe src="{HOME}prompts/compare/strip/embed.html" title="slow waltz"' in snippet
    page = (site / "prompts/compare/strip/embed.html").read_text()
    assert page.count("data-take=") == 3 and page.count("<audio controls") == 1
    links = re.findall(r"<a [^>]*>", page)
    assert links and all('target="_blank" rel="noopener"' in link for link in links)
    assert "not made by MusicGen" in (site / "prompts/sound/sketched/embed.html").read_text()


def test_hostile_words_break_out_of_nothing(site: Path, entries: Any) -> None:
    page = (site / "prompts/words/hostile/index.html").read_text()
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in data and json.loads(data)["name"] == HOSTILE
    assert page.count("<script") == (site / "prompts/lofi/rainy/index.html").read_text().count("<script")


def structured(site: Path, path: str) -> dict[str, Any]:
    page = (site / f"prompts/{path}/index.html").read_text()
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else {}


def test_recordings_are_described(site: Path, entries: Any) -> None:
    data = structured(site, "lofi/rainy")
    audio = f"{HOME}audio/{entries[0]['clips'][0]['key']}.mp3"
    assert data["@type"] == "MusicRecording" and data["name"] == "Rainy window"
    assert data["duration"] == "PT3S" and data["isAccessibleForFree"] is True
    assert data["encoding"]["contentUrl"] == audio and data["encoding"]["encodingFormat"] == "audio/mpeg"
    assert data["license"] == "https://creativecommons.org/licenses/by-nc/4.0/"
    assert data["isBasedOn"]["license"].endswith("/zero/1.0/")
    assert data["isBasedOn"]["author"]["name"] == "octocat"
    assert structured(site, "sound/waiting") == {}


def test_a_sketch_is_never_passed_off_as_a_recording_by_a_model(site: Path, entries: Any) -> None:
    data = structured(site, "sound/sketched")
    assert data["name"].startswith("Sketch: ") and "not made by MusicGen" in data["description"]
    assert "creator" not in data and "license" not in data
    # Of a prompt that has both, the render stands for it.
    half = next(item for item in entries if item["path"] == "compare/half")
    assert structured(site, "compare/half")["encoding"]["contentUrl"].endswith(
        f"{half['clips'][0]['key']}.mp3"
    )


def test_the_podcast_has_every_render_and_no_sketch(site: Path, entries: Any) -> None:
    channel = ElementTree.parse(site / "podcast.xml").getroot().find("channel")
    assert channel is not None and channel.findtext("title") == "Test gallery"
    rendered = {
        each["key"]: each
        for item in entries
        for each in item["clips"]
        if each["state"] == "render" and item["date"]
    }
    items = {item.findtext("guid"): item for item in channel.findall("item")}
    assert items.keys() == rendered.keys() and len(items) == len(channel.findall("item"))
    for key, item in items.items():
        enclosure = item.find("enclosure")
        assert enclosure is not None
        assert enclosure.attrib == {"url": f"{HOME}audio/{key}.mp3", "length": "12345", "type": "audio/mpeg"}
        assert item.findtext(f"{ITUNES}duration") == "3"
        assert re.fullmatch(r"\w{3}, \d\d Nov 2026 00:00:00 GMT", item.findtext("pubDate", ""))
    first = channel.findall("item")[0]
    assert first.findtext("title") == "Rainy window" and "lofi piano" in first.findtext("description", "")
    with Image.open(site / "podcast.jpg") as image:
        assert image.size == (1400, 1400)


def test_a_podcast_without_renders_is_empty(tmp_path: Path) -> None:
    items = [entry("a/b", "bell", [clip("bell", state="sketch")])]
    write_entries(
        items,
        {},
        make_config(tmp_path, base_url="https://example.org/"),
        tmp_path / "site",
    )
    assert ElementTree.parse(tmp_path / "site/podcast.xml").getroot().findall("channel/item") == []


def test_cards_are_pictures_of_the_clips(site: Path) -> None:
    page = (site / "prompts/lofi/rainy/index.html").read_text()
    assert f'<meta property="og:image" content="{HOME}prompts/lofi/rainy/card.jpg">' in page
    assert f'<meta property="og:image" content="{HOME}card.jpg">' in (site / "index.html").read_text()
    pictures = sorted(site.rglob("card.jpg"))
    assert len(pictures) == 17
    for path in pictures:
        with Image.open(path) as image:
            assert image.size == (1200, 630) and image.format == "JPEG"
    with Image.open(site / "prompts/lofi/rainy/card.jpg") as image:
        colours = [image.getpixel((x, 620)) for x in range(0, 1200, 60)]
    assert any(red > 2 * blue for red, _, blue in colours)  # ember
    with Image.open(site / "prompts/sound/sketched/card.jpg") as image:
        sketched = [image.getpixel((x, 600)) for x in range(0, 1200, 60)]
    assert all(abs(red - blue) < 40 for red, _, blue in sketched)  # pencil


def test_a_card_is_the_same_each_time(media: Any) -> None:
    fonts = {
        path.name: path.read_bytes() for path in (packaged("templates") / "assets/fonts").glob("*.woff2")
    }
    text = "euphoric festival anthem, supersaw chord stabs, four-on-the-floor kick, 128 bpm"
    card = cards.Card(text, "Test gallery", "small · 8 s", "render", media[0], "AZ" * 100)
    first = cards.draw(card, fonts)
    assert cards.draw(card, fonts) == first
    # Words are drawn where the fonts know them, and left out where they don't or are not there.
    plain = cards.draw(cards.Card("琴と尺八", "", "", "render", media[0], ""), fonts)
    assert plain == cards.draw(cards.Card("", "", "", "render", media[0], ""), fonts)
    assert cards.draw(card, {}) != first
    with Image.open(
        BytesIO(cards.draw(cards.Card("boom" * 900, "", "", "sketch", None, ""), fonts))
    ) as image:
        assert image.size == cards.SIZE


def test_notes_and_templates_draw_no_card_anew(own_entries: Any, media: Any, tmp_path: Path) -> None:
    config = make_config(tmp_path, base_url="https://example.org/")
    files = make_files(own_entries, media)
    write_entries(own_entries, files, config, tmp_path / "site")
    before = tree(tmp_path / "site")
    own_entries[0]["notes"] = "Other words."
    own_entries[1]["text"] = "Other words."
    write_entries(own_entries, files, config, tmp_path / "site")
    after = tree(tmp_path / "site")
    assert {name for name in after if name.endswith(".jpg") and after[name] != before[name]} == {
        "prompts/lofi/dry/card.jpg"
    }


def test_requests_can_be_copied(served: str, open_page: Any) -> None:
    page, _ = open_page(
        f"{served}/prompts/compare/strip/index.html", permissions=["clipboard-read", "clipboard-write"]
    )
    page.click(".request:visible [aria-label='Copy as Python for audiocraft']")
    page.wait_for_selector(".carry button >> text=copied")
    assert "cfg_coef=1" in page.evaluate("navigator.clipboard.readText()")
    assert page.inner_text("[data-copied]") == "Copied."
    page.click("[aria-label='Copy the embed snippet']")
    page.wait_for_selector(".carry-page button >> text=copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("<iframe ")


def test_all_settings_are_one_block_that_is_copied_at_once(served: str, open_page: Any) -> None:
    page, _ = open_page(
        f"{served}/prompts/compare/matrix/index.html", permissions=["clipboard-read", "clipboard-write"]
    )
    block = page.locator(".request:visible")
    assert block.count() == 1 and block.locator("table").count() == 1
    assert block.locator(".request-prompt").inner_text() == "boogie"
    assert "GPU" in block.locator("table").inner_text()
    # What is taken along comes below it.
    below = block.locator("h3").bounding_box()["y"]
    assert (
        below > block.locator("table").bounding_box()["y"] + block.locator("table").bounding_box()["height"]
    )
    page.click(".tile >> nth=4")
    page.click("[aria-label='Copy all generation data']:visible")
    page.wait_for_selector(".settings button >> text=copied")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        "prompt: boogie", "model: facebook/musicgen-small", "duration: 3", "seed: 2", "temperature: 1",
        "top_k: 250", "top_p: 0", "cfg_coef: 3",
    ]  # fmt: skip


def test_requests_can_be_read_without_scripts(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/lofi/rainy/index.html", java_script_enabled=False)
    page.click("text=Python for audiocraft")
    assert "import soundfile" in page.inner_text(".carry pre >> nth=0")
    assert page.locator(".carry button:visible").count() == 0


@pytest.mark.parametrize("width", [280, 640])
def test_embeds_fit_their_frame_and_play(width: int, address: str, open_page: Any) -> None:
    page, seen = open_page(
        f"{address}/prompts/compare/strip/embed.html", width=width, height=216, requests=True
    )
    assert not seen.audio
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, 216]
    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_timeout(400)
    page.click("[data-take] >> nth=1")
    page.wait_for_timeout(300)
    state = "(a => [a.paused, a.currentTime > 0.3, a.getAttribute('src')])(document.querySelector('audio'))"
    paused, further, source = page.evaluate(state)
    assert not paused and further
    assert source == page.get_attribute("[data-take] >> nth=1", "data-take")
    assert page.get_attribute("[data-take] >> nth=1", "aria-pressed") == "true"
    assert page.get_attribute("[data-take] >> nth=0", "aria-pressed") == "false"
    page.goto(f"{address}/prompts/sound/sketched/embed.html")
    page.set_viewport_size({"width": width, "height": 184})
    assert page.evaluate("document.documentElement.scrollHeight") == 184
    assert page.inner_text(".picture .mark") == "sketch"
