"""The form for a new prompt, kept open in the browser, beside a gallery that its files are checked in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import soundfile

from gallery.config import load_config
from gallery.prompts.folder import read_prompts
from gallery.prompts.prompt import Prompt
from support.entries_catalogue import write_entries
from support.galleries import SETTINGS, Gallery
from support.sample_site import sample_entries

SITE = 'base_url = "https://octocat.github.io/gallery/"\nrepository = "https://github.com/o/g"\n'
LIMITS = """
[limits]
duration = 110
clips_per_prompt = 30
prompt_length = 1500
note_length = 15000
tags = 10
"""
PRESETS = "faithful:\n  cfg_coef: 5\nlong:\n  duration: 100\n"

# Types into fields, and leaves each.
TYPE = """texts => {
  const form = document.querySelector("[data-add]");
  for (const [name, text] of Object.entries(texts)) {
    const field = form.elements[name];
    field.value = text;
    field.dispatchEvent(new Event("input", {bubbles: true}));
    field.dispatchEvent(new Event("change", {bubbles: true}));
  }
}"""

# The same in an empty form.
TYPE_ANEW = f"""texts => {{
  document.querySelector("[data-reset]").click();
  ({TYPE})(texts);
}}"""

# What every field says is wrong with it, if it says so to everybody.
AT_FIELDS = """() => Object.fromEntries([...document.querySelectorAll("[aria-invalid=true]")].map(field => [
  field.name,
  field.getAttribute("aria-describedby").split(" ").map(id => document.getElementById(id))
    .filter(each => each.matches(".fault") && each.offsetParent).map(each => each.textContent).join()
]))"""

# What keeps the file from going on, once somebody wants to copy it.
FAULTS = """() => {
  document.querySelector("[data-copy-file]").click();
  const faults = [...document.querySelectorAll("[data-faults] a")];
  return faults.filter(fault => fault.checkVisibility()).map(fault => fault.textContent);
}"""


def front_matter(*fields: str, notes: str = "") -> str:
    """The text of a prompt file with these lines of front matter."""
    return "\n".join(["---", *fields, "---", notes, ""])


@dataclass
class Form:
    """The page with its form, and the gallery whose site it belongs to."""

    page: Any
    gallery: Gallery

    def type(self, **texts: str) -> None:
        """Empty the form, then fill these fields, one after the other."""
        self.page.evaluate(TYPE_ANEW, texts)

    def told(self, part: str) -> str:
        """What a part of the page says. (Asking hundreds of times, the page itself is asked.)"""
        return str(self.page.evaluate("part => document.querySelector(`[data-${part}]`).textContent", part))

    @property
    def path(self) -> str:
        return self.told("path")

    @property
    def text(self) -> str:
        return self.told("text")

    @property
    def asks(self) -> str:
        return self.told("asks")

    def at_fields(self) -> dict[str, str]:
        """The messages that are seen at the fields."""
        return dict(self.page.evaluate(AT_FIELDS))

    def faults(self) -> list[str]:
        """All that keeps the file from going on: ``place: message``."""
        return sorted(self.page.evaluate(FAULTS))

    def checked(self) -> list[str]:
        """The same in the words of `gallery check`, for the file as the form has it."""
        name = self.path
        path = self.gallery.write(name, self.text)
        told = self.gallery.run("check", path).err.splitlines()
        path.unlink()
        place = re.escape(name)
        # That a clip is asked for twice is no fault, and only the gallery as a whole can tell.
        return sorted(re.sub(rf"^{place}(:\d+)?: ", "", line) for line in told if "same request" not in line)

    def read(self) -> Prompt:
        """What the gallery reads in the file, which is in order."""
        path = self.gallery.write(self.path, self.text)
        reading = read_prompts(load_config(self.gallery.root), [path])
        path.unlink()
        assert reading.faults == []
        return reading.prompts[0]


@pytest.fixture(scope="module")
def writing_gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery with four models, limits of its own, presets, a melody and a site."""
    made = Gallery(tmp_path_factory.mktemp("writing") / "gallery")
    made.write("gallery.toml", SETTINGS.replace("[models.small]", f"{SITE}\n[models.small]", 1) + LIMITS)
    made.write("prompts/presets.yaml", PRESETS)
    soundfile.write(made.write("prompts/tune.wav", b""), np.zeros(8000, np.float32), 8000)
    write_entries(sample_entries(), {}, load_config(made.root), made.root / "site")
    return made


@pytest.fixture(scope="module")
def form(writing_gallery: Gallery, browser: Any) -> Any:
    """The form as it is opened from disk. Nothing may be complained of as long as it is open."""
    context = browser.new_context()
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((writing_gallery.root / "site/add/index.html").as_uri())
    yield Form(page, writing_gallery)
    context.close()
    assert not complaints, set(complaints)
