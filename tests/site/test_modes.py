"""The site in the system's few colours (forced-colors), and on paper."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from support import axe
from support.sample_site import sample_entries

pytest_plugins = ["support.site_fixtures"]

KEYS = [clip["key"] for entry in sample_entries() for clip in entry["clips"]]
COMPARISON = f"compare/index.html?a={KEYS[0]}&b={KEYS[1]}"
MARGIN = 6  # pixels around an element, where its outline is


def luminances(picture: bytes) -> NDArray[np.float64]:
    """The relative luminance of each pixel, as WCAG 2.2 defines it: what is left without hues."""
    colours = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one: Any, other: Any) -> Any:
    return (np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05)


def look(page: Any, name: str) -> NDArray[np.float64]:
    """An element with what is drawn around it."""
    box = page.locator(name).first.bounding_box()
    clip = {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }
    return luminances(page.screenshot(clip=clip))


@pytest.fixture(params=["light", "dark"])
def forced(request: pytest.FixtureRequest, served: str, open_page: Any) -> Callable[[str], Any]:
    """Opens a page of the site in the system's colours, which are dark ones or light ones."""

    def open_(address: str) -> Any:
        page, _ = open_page(
            f"{served}/{address}",
            forced_colors="active",
            color_scheme=request.param,
            reduced_motion="reduce",
            bypass_csp=True,
        )
        return page

    return open_


def play(page: Any, name: str) -> None:
    page.locator(name).first.click()
    page.wait_for_selector(".dock.is-playing")


def filter_by_tag(page: Any) -> None:
    page.click("[data-filter=tag] [data-value=compare] label")
    page.wait_for_selector("[data-found] .row")


# What is chosen on a page, what says so, and how it came to be chosen.
CHOSEN: dict[str, list[tuple[str, str, Callable[[Any], Any] | None]]] = {
    "index.html": [
        (".stage > .play", "is-playing", lambda page: play(page, ".stage > .play")),
        (".stop input", "checked", None),
    ],
    "prompts/index.html": [
        (".ways a:nth-child(2)", "aria-current", None),
        (".row [data-star]", "aria-pressed", lambda page: page.click(".row [data-star]")),
        (".row [data-compare]", "aria-pressed", lambda page: page.click(".row [data-compare]")),
        (".row .play", "is-playing", lambda page: play(page, ".row .play")),
        (".row .take", "is-current", lambda page: play(page, ".row .take")),
        ("[data-filter=tag] [data-value=compare] input", "checked", filter_by_tag),
    ],
    "prompts/compare/strip/index.html": [
        (".tile", "is-current", lambda page: play(page, ".tile")),
        (".queue button", "aria-current", lambda page: page.click("[popovertarget=dock-panel]")),
    ],
    "prompts/compare/strip/embed.html": [("[data-take]", "aria-pressed", None)],
    "guides/en/guidance/index.html": [(".guide-ways ol a", "aria-current", None)],
    COMPARISON: [("[data-hear=a]", "aria-pressed", lambda page: page.click("[data-hear=a]"))],
}

# Takes the state off an element, or off what holds it.
UNCHOOSE = """(element, state) => {
  for (let each = element; each; each = each.parentElement) {
    each.classList.remove(state);
    if (state === "checked") each.checked = false;
    else if (state.startsWith("aria")) each.removeAttribute(state);
  }
  element.blur();
}"""


@pytest.mark.parametrize("address", CHOSEN)
def test_forced_colours_tell_what_is_chosen(address: str, forced: Callable[[str], Any]) -> None:
    """By more than a hue: pixels turn light or dark."""
    page = forced(address)
    for name, state, act in CHOSEN[address]:
        if act:
            act(page)
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(0, 0)
        chosen = look(page, name)
        page.locator(name).first.evaluate(UNCHOOSE, state)
        assert np.count_nonzero(contrast(chosen, look(page, name)) > 3) >= 30, name


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("index.html", [".stop input", ".find input", ".stage > .play"]),
        ("prompts/index.html", [".question input", "[data-filter] input", ".row .play", ".row-prompt a"]),
        ("prompts/compare/matrix/index.html", [".tile"]),
        ("add/index.html", ["form[data-add] textarea", "#f-title", "#f-model"]),
    ],
)
def test_forced_colours_show_where_the_focus_is(
    address: str, names: list[str], forced: Callable[[str], Any]
) -> None:
    page = forced(address)
    page.keyboard.press("Shift")  # from now on the focus is the keyboard's
    for name in names:
        page.locator(name).first.scroll_into_view_if_needed()
        before = look(page, name)
        page.locator(name).first.focus()
        assert np.count_nonzero(contrast(before, look(page, name)) > 3) >= 60, name


def test_forced_colours_show_every_control(forced: Callable[[str], Any]) -> None:
    page = forced("prompts/index.html")
    play(page, ".row .play")
    page.click(".dock [data-star]")
    for name in (
        ".theme-switch", ".row .play", ".row:nth-of-type(2) .play", ".row [data-star]", ".row [data-compare]",
        ".dock .play", ".dock [data-step]", ".dock [data-star]", ".dock [data-compare]",
        ".dock [popovertarget]",
    ):  # fmt: skip
        picture = luminances(page.locator(name).first.screenshot())
        high, wide = (size // 4 for size in picture.shape)
        sign = picture[high:-high, wide:-wide]
        assert contrast(sign.max(), sign.min()) > 4.5, name


@pytest.mark.parametrize("kind", ["prompts/compare/strip/index.html", "guides/en/guidance/index.html"])
def test_axe_finds_nothing_in_forced_colours(kind: str, forced: Callable[[str], Any]) -> None:
    page = forced(kind)
    axe.bring(page)
    found = page.evaluate("async () => (await axe.run({preload: false})).violations.map(each => each.id)")
    assert found == []
    # What only its ground set off has a border.
    border = "getComputedStyle(document.querySelector('main .picture')).borderTopWidth"
    assert page.evaluate(border) == "1px"


# ---- paper

A4 = {"width": 700, "height": 1000}  # in CSS pixels, less margins

# What is of no use on paper. Takes in a list are words there, and tiles are pictures.
CONTROLS = "button:not(.take, .tile), input, select, textarea, audio, video, [role=search], .dock, .playhead"

# All of some kind that take up room and are not hidden.
SEEN = """names => [...document.querySelectorAll(names)].filter(each => {
  const {width, height} = each.getBoundingClientRect();
  return width && height && getComputedStyle(each).visibility === "visible";
}).map(each => each.outerHTML)"""


@pytest.mark.parametrize(
    "kind",
    [
        *("index.html", "prompts/index.html", "tags/index.html"),
        *("guides/en/guidance/index.html", "add/index.html", COMPARISON),
        *(f"prompts/{path}/index.html" for path in ("lofi/rainy", "compare/takes", "compare/matrix")),
        *("prompts/sound/waiting/index.html", "prompts/compare/strip/embed.html"),
    ],
)  # fmt: skip
def test_paper_has_no_controls(kind: str, served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/{kind}", **A4)
    if page.locator("main [data-play]").count():
        play(page, "main [data-play]")
    page.emulate_media(media="print")
    assert page.evaluate(SEEN, CONTROLS) == []
    assert page.locator("h1, .wordmark").first.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_is_white_and_shows_where_links_lead(theme: str, served: str, open_page: Any) -> None:
    page, _ = open_page(f"{served}/prompts/lofi/rainy/index.html", color_scheme=theme, **A4)
    page.emulate_media(media="print", color_scheme=theme)
    style = "([name, pseudo]) => getComputedStyle(document.querySelector(name), pseudo)"
    assert page.evaluate(f"({style})(['body', null]).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(f"({style})(['body', null]).color") == "rgb(0, 0, 0)"
    assert "https://github.com/o/g" in page.evaluate(f"({style})(['.rights a', '::after']).content")
    for name in (".wordmark", ".quote", ".single .picture", ".notes", ".kin li", ".request table"):
        assert page.locator(name).first.is_visible(), name


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("prompts/lofi/rainy/index.html", ".kin li > div"),
        ("prompts/compare/takes/index.html", ".take-row > div"),
        ("prompts/index.html", ".row-words"),
    ],
)
def test_paper_gives_words_their_room(kind: str, words: str, served: str, open_page: Any) -> None:
    """Where a control is left out, nothing slips into its narrow column."""
    page, _ = open_page(f"{served}/{kind}")
    page.emulate_media(media="print")
    for width in (700, 1000):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.locator(words).first.bounding_box()["width"] > 250, width
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, width
