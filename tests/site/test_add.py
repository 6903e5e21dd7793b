"""The page on which a prompt is written: what it tells and when, where it leads, and what it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gallery.config import load_config
from gallery.prompts.folder import read_prompts
from support.add_form import AT_FIELDS, TYPE, Form
from support.entries_catalogue import write_entries
from support.galleries import SETTINGS, Gallery
from support.sample_site import entry, make_config, sample_entries, tree

pytest_plugins = ["support.site_fixtures", "support.add_form"]

WRONG = {
    "tags": "lo_fi",
    "seed": "abc",
    "cfg_coef": "42",
    "axis1": "model",
    "axis1values": "smal",
    "folder": "Löß",
}


@pytest.fixture
def github(open_page: Any) -> Any:
    """Opens the form; what the browser then asks GitHub for is kept in a list, and answered with a page."""

    def open_(url: str, **options: Any) -> Any:
        page, _ = open_page("about:blank", **options)
        asked: list[str] = []

        def answer(route: Any) -> None:
            asked.append(route.request.url)
            route.fulfill(body="<title>GitHub</title>", content_type="text/html")

        page.route("https://github.com/**", answer)
        page.goto(f"{url}/add/index.html")
        return page, asked

    return open_


def text(page: Any) -> str:
    return str(page.text_content("[data-text]"))


def told(page: Any) -> dict[str, str]:
    return dict(page.evaluate(AT_FIELDS))


def test_what_is_being_typed_is_left_in_peace(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/add/index.html")
    page.focus("#f-prompt")
    page.keyboard.press("Tab")
    assert told(page) == {}
    page.focus("#f-cfg_coef")
    page.keyboard.type("42")
    assert told(page) == {} and page.get_attribute("#f-cfg_coef", "aria-invalid") == "false"
    page.keyboard.press("Tab")
    assert told(page) == {"cfg_coef": "42 is out of range, 0 to 20"}
    # What was told is corrected as it is typed.
    page.focus("#f-cfg_coef")
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    assert told(page) == {} and "cfg_coef: 4\n" in text(page)
    page.keyboard.type("3")
    assert told(page) == {"cfg_coef": "43 is out of range, 0 to 20"}


def test_choices_tell_what_they_do_to_other_fields(form: Form) -> None:
    form.page.reload()
    form.page.select_option("#f-preset", "long")
    assert (
        form.page.get_attribute("#f-duration", "placeholder") == "100"
        and form.asks == "1 clip, 100 s of audio"
    )
    form.page.select_option("#f-model", "audiogen")
    assert form.at_fields() == {"duration": '100 s is more than model "audiogen" makes, 30 s at most'}
    assert form.asks == ""
    form.page.select_option("#f-axis1", "seed")
    assert "axis1values" not in form.at_fields()
    assert form.page.locator("#f-axis2 option[value=seed]").is_disabled()
    form.page.select_option("#f-axis1", "")
    form.page.select_option("#f-preset", "")
    assert form.at_fields() == {}


@pytest.mark.parametrize("way", ["propose", "copy-file", "save-file"])
def test_going_on_tells_everything(way: str, address: str, github: Any) -> None:
    page, asked = github(address)
    page.evaluate(TYPE, WRONG)
    page.click(f"[data-{way}]")
    assert told(page).keys() == {"prompt", "tags", "seed", "cfg_coef", "axis1values", "folder"}
    assert page.evaluate("document.activeElement.id") == "faults" and not asked
    assert page.text_content("[role=status][data-faults-count]") == "6 faults are left:"
    links = page.locator("[data-faults] a")
    assert links.first.text_content() == "prompt: is missing; it is required"
    links.nth(4).click()
    assert page.evaluate("document.activeElement.id") == "f-axis1values"
    page.evaluate(TYPE, {"prompt": "rain", "tags": "", "seed": "", "cfg_coef": "", "axis1values": "small"})
    assert page.text_content("[data-faults-count]") == "One fault is left:"
    page.fill("#f-folder", "lofi")
    assert not page.is_visible("[data-faults]") and told(page) == {}
    assert "#" not in page.url


@pytest.mark.parametrize("how", ["disk", "server"])
def test_it_opens_the_new_file_filled_in(how: str, address: str, served: str, github: Any) -> None:
    page, asked = github(address if how == "disk" else served)
    typed = {
        "prompt": 'lofi: "rain" & 100 % ☔',
        "title": "Wet #1",
        "folder": "lofi",
        "notes": "a + b\n\n---\nc = d?",
    }
    page.evaluate(TYPE, typed)
    whole, path = text(page), page.text_content("[data-path]")
    page.click("[data-propose]")
    page.wait_for_url("https://github.com/**")
    assert len(asked) == 1
    parts = urlsplit(asked[0])
    assert parts.path == "/o/g/new/main"
    assert parse_qs(parts.query) == {"filename": [path], "value": [whole]} and path == "prompts/lofi/wet-1.md"
    # Whoever comes back finds everything as it was.
    page.go_back()
    assert text(page) == whole


def test_it_takes_no_mouse(served: str, github: Any) -> None:
    page, asked = github(served)
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            if page.evaluate("document.activeElement.name || document.activeElement.dataset.propose") == name:
                return
        raise AssertionError(name)

    tab_to("prompt")
    keys.type("rain on a roof")
    keys.press("Enter")
    keys.type("far away")
    tab_to("tags")
    keys.type("rain, calm!")
    keys.press("Enter")  # sends nothing
    tab_to("model")
    keys.press("ArrowDown")
    tab_to("axis1")
    keys.type("gui")
    tab_to("axis1values")
    keys.type("1, 3")
    tab_to("")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "faults"
    keys.press("Tab")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.name") == "tags" and not asked
    keys.press("End")
    keys.press("Backspace")
    tab_to("")
    whole = text(page)
    keys.press("Enter")
    page.wait_for_url("https://github.com/**")
    assert parse_qs(urlsplit(asked[0]).query)["value"] == [whole]
    assert 'prompt: "rain on a roof\\nfar away"\ntags: [rain, calm]\n' in whole
    assert "model: medium\nvary:\n  cfg_coef: [1, 3]\n" in whole


def test_it_copies_and_saves(served: str, open_page: Any, tmp_path: Path) -> None:
    page, _ = open_page(f"{served}/add/index.html", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(TYPE, {"prompt": "琴 🎷", "title": "Koto"})
    page.click("[data-copy-file]")
    page.wait_for_selector("text=Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == text(page)
    with page.expect_download() as saved:
        page.click("[data-save-file]")
    assert saved.value.suggested_filename == "koto.md"
    saved.value.save_as(tmp_path / "koto.md")
    assert (tmp_path / "koto.md").read_text() == text(page)


def test_a_draft_stays_until_it_is_dropped(served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/add/index.html")
    page.evaluate(
        TYPE, {"prompt": "rain", "cfg_coef": "42", "model": "medium", "axis1": "seed", "axis1values": "1, 2"}
    )
    whole = text(page)
    page.reload()
    assert text(page) == whole and told(page).keys() == {"cfg_coef"}
    page.click("[data-reset]")
    assert re.fullmatch(r"---\ndate: [0-9-]{10}\n---\n", text(page)) and told(page) == {}
    page.click("text=bring it back")
    assert text(page) == whole
    page.click("text=start over")
    page.fill("#f-prompt", "wind")
    assert not page.is_visible("text=bring it back")
    page.reload()
    assert page.input_value("#f-prompt") == "wind" and "medium" not in text(page)


def test_a_draft_of_other_hands_does_no_harm(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/add/index.html")
    page.fill("#f-prompt", "rain")
    for kept in (
        '{"model": "gone", "prompt": ["x"], "constructor": "x", "seed": "7"}',
        "[]",
        "null",
        "3",
        "{",
    ):
        page.evaluate(
            "text => { for (const key of Object.keys(localStorage)) localStorage.setItem(key, text); }", kept
        )
        page.reload()
        assert page.input_value("#f-prompt") == ""
        assert page.evaluate("document.querySelector('#f-model').selectedIndex") == 0
        assert ("seed: 7" in text(page)) == ("seed" in kept)


def test_a_page_may_be_opened_with_fields_filled_in(served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/add/index.html")
    page.fill("#f-prompt", "my own")
    page.goto("about:blank")
    page.goto(f"{served}/add/index.html#prompt=given%20words&cfg_coef=99&nonsense=1&axis1=seed")
    assert "prompt: given words\n" in text(page) and told(page).keys() == {"cfg_coef"}
    page.fill("#f-prompt", "given words, changed")
    page.reload()
    assert page.input_value("#f-prompt") == "given words, changed"
    page.click("[data-reset]")
    assert page.input_value("#f-prompt") == "given words"
    page.goto("about:blank")
    page.goto(f"{served}/add/index.html")
    assert page.input_value("#f-prompt") == "my own"


def test_a_remix_is_the_same_clip_until_it_is_changed(
    address: str, site: Path, entries: Any, open_page: Any, tmp_path: Path
) -> None:
    page, _ = open_page("about:blank")
    config = make_config(tmp_path)
    for item, number in (
        ("lofi/rainy", 0),
        ("compare/matrix", 3),
        ("words/hostile", 0),
        ("words/arabic", 0),
        ("compare/takes", 1),
    ):
        clip = next(each for each in entries if each["path"] == item)["clips"][number]
        page.goto(f"{address}/prompts/{item}/index.html#{clip['id']}")
        page.click(".remix:visible")
        page.wait_for_selector("[data-add]")
        if item == "words/hostile":
            assert told(page).keys() == {"tags"}  # a tag that no prompt file can have
            page.fill("#f-tags", "")
        assert told(page) == {}
        path = tmp_path / str(page.text_content("[data-path]"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(page))
        reading = read_prompts(config, [path])
        assert reading.faults == [] and [each.key for each in reading.prompts[0].clips] == [clip["key"]]
        assert path.stem == f"{item.rpartition('/')[2]}-{clip['id']}" and path.parent.name == "remix"
        assert reading.prompts[0].title.startswith("Remix of ") and f"`{item}`" in reading.prompts[0].notes
        if item == "lofi/rainy":
            assert (
                reading.prompts[0].tags == ("lofi", "r&b")
                and reading.prompts[0].title == "Remix of Rainy window"
            )


def test_known_tags_and_folders_are_offered(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/add/index.html")
    offered = "list => [...document.getElementById(list).options].map(option => option.value)"
    assert {"lofi", "compare", "words"} <= set(page.evaluate(offered, "folders-known"))
    assert page.evaluate(offered, "tags-known")[0] == "compare"
    page.fill("#f-tags", "compare, r")
    assert page.evaluate(offered, "tags-known") == ["compare, r&b", "compare, r-b"]
    page.fill("#f-tags", "compare, comp")
    assert page.evaluate(offered, "tags-known") == []


def test_seeds_are_drawn(address: str, open_page: Any) -> None:
    page, _ = open_page(f"{address}/add/index.html")
    seeds = set()
    for _ in range(5):
        page.click("[data-draw-seed]")
        seeds.add(int(page.input_value("#f-seed")))
        assert f"seed: {page.input_value('#f-seed')}\n" in text(page) and told(page) == {}
    assert len(seeds) == 5


def test_a_melody_that_must_lie_beside_is_told(form: Form) -> None:
    form.type(prompt="rain", model="melody", melody="tune.mp3", folder="lofi")
    assert form.faults() == []
    assert "Put tune.mp3 into prompts/lofi/, too" in form.page.inner_text("[data-beside]")
    form.type(prompt="rain", model="melody", melody="sha256:" + "0a" * 32)
    assert not form.page.is_visible("[data-beside]")


def test_without_a_repository_it_copies_and_saves(tmp_path: Path, open_page: Any) -> None:
    write_entries([], {}, make_config(tmp_path), tmp_path / "site")
    page, _ = open_page((tmp_path / "site/add/index.html").as_uri())
    assert page.locator("[data-propose]").count() == 0 and "GitHub" not in page.inner_text(".result")
    assert "pull request" not in page.content()
    page.evaluate(TYPE, {"prompt": "rain", "folder": "calm"})
    assert page.inner_text("[data-goes]") == "prompts/calm/rain.md"
    with page.expect_download() as saved:
        page.click("[data-save-file]")
    assert saved.value.suggested_filename == "rain.md"
    assert not page.is_visible("#f-preset")


def test_its_limits_are_the_gallerys(tmp_path: Path, open_page: Any) -> None:
    config = make_config(tmp_path)
    limits = config.limits.model_copy(update={"duration": 20, "tags": 3})
    config = config.model_copy(update={"limits": limits})
    write_entries([], {}, config, tmp_path / "site")
    page, _ = open_page((tmp_path / "site/add/index.html").as_uri())
    assert "0.5 to 20." in page.inner_text("#help-duration")
    assert "up to 3." in page.inner_text("#help-tags")


def test_without_scripts_it_says_how(served: str, site: Path, open_page: Any, gallery: Gallery) -> None:
    page, _ = open_page(f"{served}/add/index.html", java_script_enabled=False)
    assert not page.is_visible("form[data-add]") and not page.is_visible("[data-path]")
    gallery.prompt("empty", "prompt: a")
    gallery.write("prompts/lofi/late-train.md", page.inner_text(".by-hand pre"))
    ran = gallery.run("check", "--strict")
    assert ran.code == 0 and "2 prompts in order, 4 clips" in ran.out
    assert "CONTRIBUTING" not in page.content()
    new = "https://github.com/o/g/new/main?filename=prompts/"
    assert page.get_attribute(".by-hand a", "href") == new
    assert "From 0.5 to 120 s." in page.inner_text(".by-hand dl")
    # Where the gallery has more to say on contributing, that is linked.
    gallery.write("gallery.toml", SETTINGS.replace("[site]", '[site]\nrepository = "https://github.com/o/g"'))
    gallery.write("CONTRIBUTING.md", "# Contributing\n")
    write_entries([], {}, load_config(gallery.root), gallery.root / "site")
    page = (gallery.root / "site/add/index.html").read_text()
    assert page.count("https://github.com/o/g/blob/main/CONTRIBUTING.md") == 2


def test_it_is_written_where_its_input_changed(tmp_path: Path) -> None:
    def build(items: Any) -> dict[str, tuple[str, int]]:
        write_entries(items, {}, make_config(tmp_path), tmp_path / "site")
        return {name: stamp for name, stamp in tree(tmp_path / "site").items() if name.startswith("add/")}

    items = sample_entries()
    first = build(items)
    assert first.keys() == {"add/index.html", "add/rules.js"}
    items[0]["notes"], items[1]["text"] = "other notes", "other words"
    assert build(items) == first
    after = build([*items, entry("lofi/new", "new")])
    assert (
        after["add/rules.js"] != first["add/rules.js"]
        and "new" in (tmp_path / "site/add/rules.js").read_text()
    )
    assert after["add/index.html"] != first["add/index.html"]  # it says which rules it goes with
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/presets.yaml").write_text("calm:\n  temperature: 0.5\n")
    build(items)
    assert (
        '<option value="calm">calm: temperature 0.5</option>'
        in (tmp_path / "site/add/index.html").read_text()
    )
