"""Search, filters, ranges and order, and their place in the address."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote_plus

import pytest

from gallery.prompts.request import parameter_fields
from gallery.site.items import Facets
from gallery.site.pages import rows
from gallery.site.pages.pages import Pages
from gallery.site.search import index, words
from gallery.site.theme import labels
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
    page, seen = open_page(f"{address if from_disk else served}/prompts/index.html", requests=True)
    assert not [url for url in seen.requests if "/search/" in url or "/query.js" in url]
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
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["thunder"] and page.locator("[data-found] button.play").count() == 0
    page.goto(f"{address}/prompts/index.html?model=medium")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["jazz trio"]
    page.goto(f"{address}/prompts/index.html?compares=guidance&order=title")
    page.wait_for_selector("[data-found] .row")
    assert shown(page) == ["cube", "lofi piano, rain on the window", "slow waltz"]
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
    page, seen = open_page(f"{address}/prompts/index.html?q=onerror", requests=True)
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


def found(page: Any, q: str) -> list[str]:
    """What the list shows for what is typed."""
    page.fill("#question", q)
    asked = quote_plus(q.strip(), safe="*-._")
    until(page, f"location.search === '?q={asked}' && !document.querySelector('[data-found]').hidden")
    return shown(page)


def test_a_search_forgives_and_says_what_it_took_for_what(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    assert found(page, "paino rain") == ["lofi piano, rain on the window", "lofi piano, no rain"]
    assert page.inner_text("[data-tally]") == "2 prompts found · no prompt says paino, this is piano"
    # Marked where they are said, and told in no other way.
    assert page.locator("[data-found] .row >> nth=0 >> mark").all_inner_texts() == ["Rain", "piano", "rain"]
    assert found(page, "lo-fi") == ["lofi piano, rain on the window", "lofi piano, no rain"]
    assert page.locator("[data-found] .tag mark").all_inner_texts() == ["lofi", "lofi"]


def test_a_search_asks_for_fields_by_name(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    for q, texts in {
        '"piano, rain"': ["lofi piano, rain on the window"],
        "lofi -window": ["lofi piano, no rain"],
        "#lofi -window": ["lofi piano, no rain"],
        "model:medium": ["jazz trio"],
        "guidance:5": ["slow waltz"],
        "cfg_coef:5 seed:1": ["slow waltz"],
        "seed:3": ["boogie"],
        "@octocat window": ["lofi piano, rain on the window"],
        "listen": ["lofi piano, rain on the window"],  # which its notes say
    }.items():
        assert found(page, q) == texts, q


def test_a_clips_id_finds_it(address: str, entries: Any, open_page: Any) -> None:
    page, seen = open_page(f"{address}/prompts/index.html", requests=True)
    key = entries[4]["clips"][5]["key"]
    for asked in (key[:8], key):
        page.fill("#question", asked)
        until(page, "document.querySelector('[data-tally]').textContent === '1 prompt found'")
        assert shown(page) == ["cube"]
        # Its play button plays that clip.
        assert page.get_attribute("[data-found] .row", "data-clip") == key
    assert {url.rpartition("/")[2] for url in seen.requests if "/clips/" in url} == {f"{key[:2]}.js"}


def test_completions_are_chosen_by_keys_and_by_pointing(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    field, options = page.locator("#question"), page.locator("[role=listbox] [role=option]")
    field.click()
    page.wait_for_selector("#question[role=combobox][aria-expanded=false]")
    field.press_sequentially("pia")
    assert options.all_inner_texts() == ["piano"]
    assert field.get_attribute("aria-expanded") == "true"
    assert field.get_attribute("aria-controls") == page.locator("[role=listbox]").get_attribute("id")
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == options.nth(0).get_attribute("id")
    assert options.nth(0).get_attribute("aria-selected") == "true"
    field.press("Enter")
    assert field.input_value() == "piano " and not page.locator("[role=listbox]").is_visible()
    assert len(shown(page)) == 2
    until(page, "location.search === '?q=piano'")
    field.press_sequentially("#l")
    options.get_by_text("piano #lofi").click()
    assert field.input_value() == "piano #lofi " and field.evaluate(
        "field => field === document.activeElement"
    )
    field.press_sequentially("wi")
    assert options.count()
    field.press("Escape")
    assert not options.count() and field.input_value() == "piano #lofi wi"


def test_where_nothing_fits_what_is_near_is_offered(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/prompts/index.html")
    near = "[data-nothing] [data-near] button"
    page.fill("#question", "japanpiano rain")
    page.wait_for_selector(near)
    assert page.locator(near).all_inner_texts() == ["without japanpiano (2)"]
    page.fill("#question", "thundorrr")
    page.wait_for_selector(near)
    assert page.locator(near).all_inner_texts() == ["thunder? (2)"]
    page.click(near)
    assert page.input_value("#question") == "thunder" and shown(page)[0] == "thunder"


def test_a_dead_end_of_filters_says_which_to_take_off(address: str, open_page: Any) -> None:
    page, _ = open_page(
        f"{address}/prompts/index.html?q=piano&tag=lofi&model=medium&duration=1..9&length=short"
    )
    page.wait_for_selector("[data-near] button")
    assert page.locator("[data-near] button").all_inner_texts() == ["without model: medium (2)"]
    chips = page.locator("[data-chips] button")
    assert chips.all_inner_texts() == ["model: medium", "tag: lofi", "length: under 5 s", "duration: 1 to 9"]
    page.click("[data-near] button")
    assert len(shown(page)) == 2 and "model" not in page.url
    # Each filter is taken off alone, and can be put on again by going back.
    page.get_by_role("button", name="Take off length: under 5 s").click()
    assert page.evaluate("document.activeElement.textContent") == "tag: lofi"
    assert chips.all_inner_texts() == ["tag: lofi", "duration: 1 to 9"]
    page.get_by_role("button", name="Take off duration: 1 to 9").click()
    page.get_by_role("button", name="Take off tag: lofi").click()
    assert page.url.endswith("?q=piano") and not chips.count()
    page.go_back()
    until(page, "location.search.includes('tag=lofi')")
    assert chips.all_inner_texts() == ["tag: lofi"]


def test_a_gallerys_own_words_go_before_the_packaged_ones(tmp_path: Path) -> None:
    packaged = words.forms([])
    assert ["lo fi", "lofi", "low fidelity"] in packaged
    once = [word for group in packaged for word in group]
    assert len(once) == len(set(once)), "a word of two groups finds only one of them"
    own = words.forms([["Lofi", "Bedroom-Pop"], ["synth"], ["kora", "Kora"]])
    assert own[0] == ["lofi", "bedroom pop"]
    assert ["lo fi", "low fidelity"] in own
    assert not [group for group in own if "synth" in group or "kora" in group]
    config = make_config(tmp_path, words=[["Lofi", "Bedroom-Pop"]])
    pages = Pages(
        EntriesCatalogue([entry("a", "a")]), config, Theme(config, State.temporary()), State.temporary()
    )
    [page] = [page for page in pages._data() if page.address == "search/words.js"]
    assert b'"forms":[["lofi","bedroom pop"],' in page.make(*page.of)


def test_every_filter_and_every_parameter_can_be_asked_for_by_name() -> None:
    fields = words.fields(Facets._fields)
    assert set(Facets._fields) < fields.keys()
    for name in parameter_fields():
        assert fields[name] == fields[labels.label(name)] == words.PARAMETERS.index(name)


def test_what_notes_say_adds_little_to_the_index() -> None:
    one = entry("a/b", "felt piano at night " * 4, tags=["calm"])
    without = index.found(one, rows.row(one))
    notes = "Felt *phrases* of <b>[bowed](https://example.org/cellos)</b> bells. " + "".join(
        f"word{number} " for number in range(900)
    )
    noted = index.found({**one, "notes": notes}, rows.row(one))
    said = json.loads(noted)[-1].split()
    assert said[:4] == ["phrases", "bowed", "bells", "word0"] and len(said) > 5
    assert len(noted) < 1.25 * len(without)


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
    page, seen = open_page("about:blank", requests=True)
    page.add_init_script("Math.random = () => 0")
    page.goto(f"{served}/random/index.html")
    page.wait_for_url("**/prompts/lofi/rainy/index.html")
    assert len([url for url in seen.requests if "/search/" in url]) == 1


@pytest.mark.slow
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
    config, state = make_config(tmp_path), State(tmp_path / "state.sqlite")  # which its processes share
    pages = Pages(EntriesCatalogue(entries), config, Theme(config, state), state)
    scripts = {page.address: page for page in pages._data() if page.address.startswith(("search/", "clips/"))}
    assert len([address for address in scripts if address.startswith("clips/")]) == 256
    for address in ("search/0.js", "search/1.js", "clips/00.js", "clips/7f.js", "clips/ff.js"):
        assert 1_000 < len(gzip.compress(scripts[address].make(*scripts[address].of), 6)) < 300_000
