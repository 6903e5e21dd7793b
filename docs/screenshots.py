"""Take the documentation's pictures of the built site: `python docs/screenshots.py` after `make build`."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parent
SITE = DOCS.parent / "site"
DESKTOP, PHONE = (1360, 940), (390, 844)

PICTURES = {
    "front-dark": ("index.html", "dark", DESKTOP),
    "front-light": ("index.html", "light", DESKTOP),
    "front-phone": ("index.html", "dark", PHONE),
    "index-dark": ("prompts/index.html", "dark", DESKTOP),
    "index-light": ("prompts/index.html", "light", DESKTOP),
    "matrix-dark": ("prompts/funk-soul/boogie-matrix/index.html", "dark", DESKTOP),
    "wording-dark": ("prompts/lofi/production-words/index.html", "dark", DESKTOP),
    "prompt-light": ("prompts/lofi/rainy-desk/index.html", "light", DESKTOP),
    "guide-dark": ("guides/en/guidance/index.html", "dark", DESKTOP),
    "compare-light": ("compare/index.html", "light", DESKTOP),
    "add-dark": ("add/index.html", "dark", DESKTOP),
    "index-phone": ("prompts/index.html", "light", PHONE),
    "matrix-phone": ("prompts/funk-soul/boogie-matrix/index.html", "dark", PHONE),
}


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    folder = DOCS / "screenshots"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--mute-audio"])
        for name, (address, scheme, size) in PICTURES.items():
            view = {"width": size[0], "height": size[1]}
            hand = size == PHONE
            page = browser.new_page(viewport=view, color_scheme=scheme, is_mobile=hand, has_touch=hand)
            query = two_clips() if address.startswith("compare") else ""
            page.goto((SITE / address).as_uri() + query)
            if address.startswith("add"):
                write(page)
            else:
                play(page)
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.save(folder / f"{name}.webp", quality=88, method=6)
            page.close()
            print(folder / f"{name}.webp")
        browser.close()


def play(page: Page) -> None:
    """Let the first clip play for a while."""
    button = page.get_by_role("button", name="Play").or_(page.locator("[data-hear=b]"))
    button.locator("visible=true").first.click()
    page.wait_for_timeout(2500)


def write(page: Page) -> None:
    """Write a prompt that compares three values of guidance."""
    page.get_by_label("prompt", exact=True).fill("slow lofi beat, felt piano, train wheels far away, 72 bpm")
    page.get_by_label("title").fill("Late train")
    page.get_by_label("tags").fill("lofi, piano")
    page.get_by_label("across", exact=True).select_option("cfg_coef")
    page.get_by_label("values across").fill("1, 3, 5")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)


def two_clips() -> str:
    """A waltz and a march, as the compare page's query: their sketches differ, too."""
    prompts = json.loads((SITE / "catalogue.json").read_text(encoding="utf-8"))["prompts"]
    clips = next(entry for entry in prompts if entry["path"] == "tempo/three-or-four")["clips"]
    return f"?a={clips[0]['key']}&b={clips[-1]['key']}"


if __name__ == "__main__":
    main()
