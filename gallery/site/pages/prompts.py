"""The pages of all prompts, and their small pages for other sites' frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gallery.site import feeds
from gallery.site.pages import prompt, structured, takeaway
from gallery.site.pages.near import Neighbourhood
from gallery.site.search import index
from gallery.site.theme import addresses, notes
from gallery.site.theme.theme import as_json
from gallery.site.writer import Page
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gallery.catalogue.entries import Catalogue, PromptEntry
    from gallery.config import Config
    from gallery.site.items import Item
    from gallery.site.pages.near import Neighbour
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State

# Pages of prompts with so many takes are made at once, so that what is in memory has an end.
MOST_AT_ONCE = 200


class PromptPages:
    """The pages of the prompts of one site. What they are made from is read for all that are made at once."""

    def __init__(
        self,
        items: Sequence[Item],
        catalogue: Catalogue,
        config: Config,
        theme: Theme,
        state: State,
        about: Mapping[str, str],
    ) -> None:
        """``about`` has the addresses of guides by the field that they explain."""
        self._items, self._catalogue, self._about = items, catalogue, about
        self._config, self._theme, self._state = config, theme, state
        # The last that were read: pages of prompts are made together, then their small pages for frames.
        self._read: dict[str, PromptEntry] = {}

    def pages(self, listed: Mapping[str, str]) -> Iterator[Page]:
        """All of them; ``listed`` has a digest for each prompt of how lists show it."""
        about, site = digest(self._theme.digest, as_json(self._about)), self._config.site
        neighbourhood = Neighbourhood(self._items, self._catalogue)
        for number, item in enumerate(self._items):
            near = neighbourhood.of(number)
            beside = [f"{self._items[place].digest} {why}" for place, why in near]
            kin = [self._catalogue.clip_digest(key) for key in self._catalogue.kin_keys(item.path)]
            decided_by = digest(listed[item.path], str(number < site.cards), about, *beside, "", *kin)
            address = addresses.prompt_page(item.path)
            yield Page(address, decided_by, self._prompts, (number, near), together=True)
            if site.base_url:
                decided_by = digest(self._theme.digest, "embed.html", item.digest)
                address = addresses.embed_page(item.path)
                yield Page(address, decided_by, self._embeds, (number,), together=True)

    def entry(self, path: str) -> PromptEntry:
        """A prompt's entry."""
        return self._entries([path])[0]

    def _entries(self, paths: Sequence[str]) -> list[PromptEntry]:
        """Prompts' entries, from their lines of the catalogue: to make them anew is far more work."""
        known = {path: self._read[path] for path in paths if path in self._read}
        if lacking := [path for path in paths if path not in known]:
            self._read = known | feeds.read_entries(lacking, self._state)
        return [self._read[path] for path in paths]

    def _prompts(self, asked: Sequence[tuple[int, Sequence[Neighbour]]]) -> Iterator[bytes]:
        """The pages of prompts, by their numbers in the list, each with what is near it."""
        for part in index.parts((self._items[number].takes for number, _ in asked), MOST_AT_ONCE):
            yield from self._prompts_at_once(asked[part])

    def _prompts_at_once(self, asked: Sequence[tuple[int, Sequence[Neighbour]]]) -> list[bytes]:
        site, models = self._config.site, self._config.models
        entries = self._entries([self._items[number].path for number, _ in asked])
        notes.prepare(entry["notes"] for entry in entries)
        shown = [prompt.page_data(entry, self._catalogue, self._about) for entry in entries]
        takeaways = [
            {clip["id"]: takeaway.of_clip(entry, clip, models) for clip in entry["clips"]}
            for entry in entries
        ]
        data = [
            {
                **told,
                **self._beside(number, near),
                "about": self._about,
                "here": "",
                "by_gallery": structured.is_gallery(entry["author"], site),
                "takeaways": taken,
                "embed": takeaway.embed_snippet(entry, site.base_url) if site.base_url else "",
                "heard": structured.shown_clip(entry),
                "structured": structured.structured_data(entry, site, models),
            }
            for (number, near), entry, told, taken in zip(asked, entries, shown, takeaways, strict=True)
        ]
        return [
            self._theme.render("prompt.html", addresses.prompt_page(told["entry"]["path"]), told)
            for told in data
        ]

    def _beside(self, number: int, near: Sequence[Neighbour]) -> dict[str, Any]:
        """What a prompt's page takes from its place in the list: its neighbours, and whose card it shows."""
        paths = [(self._items[place].path, why) for place, why in near]
        own_card = number < self._config.site.cards
        return {
            "neighbours": [[path, self._catalogue.title(path), why] for path, why in paths],
            "card": addresses.prompt_card(self._items[number].path) if own_card else "card.jpg",
        }

    def _embeds(self, asked: Sequence[tuple[int]]) -> Iterator[bytes]:
        items = [self._items[number] for (number,) in asked]
        for part in index.parts((item.takes for item in items), MOST_AT_ONCE):
            for entry in self._entries([item.path for item in items[part]]):
                address = addresses.embed_page(entry["path"])
                yield self._theme.render("embed.html", address, prompt.embed_data(entry))
