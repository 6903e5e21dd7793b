"""Search, filters, ranges and order, and their place in the address."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gallery.site.pages import rows
from gallery.site.pages.pages import Pages
from gallery.site.theme.theme import Theme
from gallery.state.database import State
from support.entries_catalogue import EntriesCatalogue
from support.sample_site import clip, entry, make_config
from support.site_fixtures import shown, until

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

pytest_plugins = ["support.site_fixtures"]


@pytest.mark.parametrize("from_disk", [True, False])
def test_search_and_filters_live_in_the_address(
    from_disk: bool, address: str, served: str, open_page: Any
) -> None:
    page, seen = open_page(f"{address if from_disk else served}/prompts/index.html")
    assert not [url for url in seen.requests if "/search/" in url]
    page.fill("#question", "PIÁNO rain")
    until(page, "location.search.includes('q=')")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["lofi piano, rain on the window", "lofi piano, no rain"]
    assert "2 prompts found" in page.inner_text("[data-tally]")
    page.click("[data-filter=tag] [data-value='r-b'] label")
    assert shown(page) == ["lofi piano, no rain"] and "tag=r-b" in page.url
    page.reload()
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["lofi piano, no rain"]
    assert page.input_value("#question") == "PIÁNO rain"
    assert page.is_checked("[data-filter=tag] [data-value='r-b'] input")
    page.go_back()
    until(page, "!location.search.includes('tag')")
    assert len(shown(page)) == 2
    page.go_back()
    until(page, "!location.search")
    assert len(shown(page)) == 10 and page.input_value("#question") == ""


def test_filters_and_order(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html?state=sketch")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["half drawn", "church bell"]
    assert page.inner_text("[data-found] .picture .mark") == "sketch"
    page.goto(f"{address}/prompts/index.html?length=long")
    assert shown(page) == ["thunder"] and page.locator("[data-found] button.play").count() == 0
    page.goto(f"{address}/prompts/index.html?model=medium")
    assert shown(page) == ["jazz trio"]
    page.goto(f"{address}/prompts/index.html?compares=guidance&order=title")
    assert shown(page) == ["cube", "slow waltz", "lofi piano, rain on the window"] or len(shown(page)) == 3
    page.goto(f"{address}/prompts/index.html?tag=nowhere")
    page.wait_for_selector("[data-nothing]:visible")
    page.click("[data-nothing] button")
    assert len(shown(page)) == 10


def test_results_are_drawn_as_the_server_draws_rows(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html?order=shortest")
    page.wait_for_selector("[data-found] .row")
    tidy = """rows => Object.fromEntries(rows.map(row => {
      const copy = row.cloneNode(true);
      copy.querySelectorAll('noscript, .row-title[hidden]').forEach(each => each.remove());
      copy.querySelectorAll('img').forEach(each => { each.loading = ''; each.getAttributeNames().filter(n => n !== 'src').forEach(n => each.removeAttribute(n)); });
      const seen = [...copy.querySelectorAll('*'), copy].map(each => [each.tagName, each.className, ...['href', 'src', 'aria-label', 'data-clip', 'data-audio', 'data-cover', 'data-page', 'data-facts', 'data-label', 'data-state', 'data-length', 'hidden', 'disabled'].map(n => each.getAttribute(n))]);
      return [row.dataset.clip, JSON.stringify([seen, copy.textContent.replace(/\\s+/g, ' ').trim()])];
    }))"""  # noqa: E501
    drawn = page.eval_on_selector_all("[data-found] .row", tidy)
    page.goto(f"{address}/prompts/index.html")
    served = page.eval_on_selector_all("[data-rows] .row", tidy)
    assert len(served) == 10
    for key, row in served.items():
        assert drawn[key] == row


def test_hostile_words_do_nothing_in_results(address: str, open_page: Any) -> None:
    page, seen = open_page(f"{address}/prompts/index.html?q=onerror")
    page.wait_for_selector("[data-found] .row")
    assert "<script>alert(2)" in shown(page)[0]
    assert page.locator("main script, main img[src='x']").count() == 0
    page.goto(
        f"{address}/prompts/index.html?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&tag=%3Cscript%3E&model=%22%3E%3Cb%3E"
    )
    page.wait_for_selector("[data-nothing]:visible")
    assert not [url for url in seen.requests if url.startswith("http")]


def test_ten_thousand_prompts_are_searched(address: str, open_page: Any) -> None:
    page, _ = open_page("about:blank")
    page.add_init_script(
        """window.GALLERY = {__proto__: Array.prototype, length: 0, push(data) {
          const rows = Array.from({length: 10000}, (_, n) => {
            const row = [...data.rows[n % data.rows.length]];
            row[2] = data.rows[n % 9][2] + " number " + n;
            return row;
          });
          Array.prototype.push.call(this, {...data, rows});
        }};"""
    )
    page.goto(f"{address}/prompts/index.html")
    page.fill("#question", "n")
    page.wait_for_selector("[data-found] .row")
    page.fill("#question", "piano number 1234")
    until(page, "document.querySelector('[data-tally]').textContent.startsWith('1 prompt found')")


def test_ranges_narrow_and_live_in_the_address(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    page.click("[data-ranges] summary")
    page.fill("[data-range=guidance] [data-end=low]", "4")
    page.wait_for_selector("[data-found] .row")
    assert set(shown(page)) == {"slow waltz"} and page.url.endswith("?guidance=4..")
    page.fill("[data-range=guidance] [data-end=low]", "")
    page.fill("[data-range=temperature] [data-end=high]", "0.9")
    until(page, "location.search === '?temperature=..0.9'")
    assert set(shown(page)) == {"boogie", "cube", "jazz trio"}
    page.goto(f"{address}/prompts/index.html?duration=5..7&guidance=..3")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["church bell"]
    assert page.input_value("[data-range=duration] [data-end=high]") == "7"
    assert "(2)" in page.text_content(".filters summary")
    # Both ranges hold for one and the same clip, and nonsense asks for nothing.
    page.goto(f"{address}/prompts/index.html?top-k=x..y&guidance=1.2.3..")
    assert len(shown(page)) == 10


def test_authors_are_filtered_with_counts(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    count = "[data-filter=author] [data-value=octocat] .count"
    assert page.inner_text(count) == "2"
    page.fill("#question", "window")
    page.wait_for_selector("[data-found] .row")
    assert page.inner_text(count) == "1"
    page.click("[data-filter=author] [data-value=octocat] label")
    assert shown(page) == ["lofi piano, rain on the window"] and "author=octocat" in page.url


def test_orders(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html?order=slowest")
    page.wait_for_selector("[data-found] .row")
    assert shown(page)[0] == "slow waltz"
    page.select_option("#order", "oldest")
    until(page, "location.search === '?order=oldest'")
    assert "🎷" in shown(page)[0] and shown(page)[-1] == "lofi piano, rain on the window"


@pytest.mark.parametrize(
    ("text", "beats"),
    [
        ("house, 128 BPM", 128),
        ("90-bpm slow beat", 90),
        ("a slow waltz", 70),
        ("fast polka", 140),
        ("bell", 0),
    ],
)
def test_tempo_is_a_number_or_a_word(text: str, beats: int) -> None:
    assert rows.tempo(text) == beats


def test_a_prompt_by_chance(served: str, site: Path, open_page: Any) -> None:
    page, seen = open_page("about:blank")
    page.add_init_script("Math.random = () => 0")
    page.goto(f"{served}/random/index.html")
    page.wait_for_url("**/prompts/lofi/rainy/index.html")
    assert len([url for url in seen.requests if "/search/" in url]) == 1


def test_no_download_is_heavy(tmp_path: Path) -> None:
    """Ten thousand prompts with long words in many scripts: each part stays below 300 KB compressed."""
    random, kind = Random(1), clip("any")
    signs = "abcdefghijklmnopqrstuvwxyz      琴と尺八ゆっくり静かな寺の庭"
    entries = []
    for number in range(10_000):
        text = "".join(random.choices(signs, k=120 if number % 20 else 2000))
        key, peaks = f"{random.getrandbits(128):032x}", "".join(random.choices(ALPHABET, k=200))
        request = {**kind["request"], "prompt": text}
        one = {**kind, "key": key, "id": key[:8], "peaks": peaks, "request": request}
        entries.append(entry(f"p/{number}", text, [one], tags=[f"t{number % 99}"]))
    config, state = make_config(tmp_path), State.temporary()
    pages = Pages(EntriesCatalogue(entries), config, Theme(config, state), state)
    scripts = {page.address: page for page in pages._data() if page.address.startswith(("search/", "clips/"))}
    assert len([address for address in scripts if address.startswith("clips/")]) == 256
    for address in ("search/0.js", "search/1.js", "clips/00.js", "clips/7f.js", "clips/ff.js"):
        assert 1_000 < len(gzip.compress(scripts[address].make(*scripts[address].of), 6)) < 300_000
