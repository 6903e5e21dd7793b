"""Which pages a site has, what decides each, and how each is made when it is due."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gallery.site import cards, feeds
from gallery.site.items import Facets, Item, listed_digests, make_items, tags_alone
from gallery.site.pages import add, front, guides, hear, prompt, rows, structured
from gallery.site.pages.prompts import PromptPages
from gallery.site.search import filters, index
from gallery.site.theme import addresses, labels
from gallery.site.theme.theme import FURNITURE, as_json
from gallery.site.writer import Page
from gallery.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.catalogue.entries import Catalogue, ClipEntry
    from gallery.config import Config
    from gallery.prompts.file import Presets
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State

# So many names of tags, folders or authors stand on a page.
MOST_NAMES = 500


class Pages:
    """The pages of one site."""

    def __init__(
        self,
        catalogue: Catalogue,
        config: Config,
        theme: Theme,
        state: State,
        files: Mapping[str, Path] | None = None,
        presets: Presets | None = None,
        shelf: guides.Guides | None = None,
    ) -> None:
        self.catalogue, self.config, self.theme, self.files = catalogue, config, theme, files or {}
        self.state, self.presets, self.guides = state, presets or {}, shelf or guides.read_guides(config)
        self.items = make_items(catalogue, theme, state)
        self._about = self.guides.about()
        self._prompts = PromptPages(self.items, catalogue, config, theme, state, self._about)
        self._homes, alone = tags_alone(self.items, config.site.tag_pages)
        theme.leave_alone(self._homes, alone)
        self._listed = listed_digests(self.items, self._homes, alone)
        self.search_parts = index.parts(item.size for item in self.items)

    def __iter__(self) -> Iterator[Page]:
        # What tells of all prompts comes first: begun last, it would keep one process busy alone.
        yield from self._data()
        yield from self._assets()
        yield from self._catalogue()
        yield self._front()
        yield from self._prompts.pages(self._listed)
        for kind in addresses.LIST_PAGES:
            yield from self._groups(kind)
        yield from self._guides()
        yield from self._tools()
        yield from hear.hear_pages(self._pairs, self.theme)
        yield from add.add_pages(
            ((item.path, item.facets.tag) for item in self.items), self.presets, self.config, self.theme
        )
        if self.config.site.base_url:
            yield from self._cards()

    def _page(self, address: str, template: str, data: dict[str, Any]) -> Page:
        """A page of a template."""
        decided_by = digest(self.theme.digest, template, as_json(data))
        return Page(address, decided_by, self.theme.render, (template, address, data))

    def _assets(self) -> Iterator[Page]:
        for address, asset in self.theme.assets.items():
            yield Page(address, asset.digest, asset.data.__bytes__)
        if FURNITURE not in self.theme.assets:
            yield Page(FURNITURE, digest(self.theme.digest, FURNITURE), self.theme.furniture)

    def _front(self) -> Page:
        """The front door. It leads on who asks it for a search, which was its own once."""
        asked = ["q", "order", *Facets._fields, *map(labels.label, index.RANGES)]
        site, items = self.config.site, {item.path: item for item in self.items}
        first = front.opening(self.items, site)
        questions, shelves = front.questions(self.items, site, first), front.shelves(self.items)
        latest = [] if shelves else [path for path in items if path != first][: front.MOST_LATEST]
        shown = dict.fromkeys(
            [*filter(None, [first]), *questions, *latest, *(each[0] for each in shelves.values())]
        )
        data = {
            "here": "listen",
            "asked": asked,
            "headline": site.headline.split("*"),
            "shelves": [[name, len(paths), paths[0]] for name, paths in shelves.items()][
                : front.MOST_FOLDERS
            ],
            "latest": latest,
            "totals": self._totals,
            "test": bool(self._pairs),
        }
        decided_by = digest(
            self.theme.digest,
            as_json([data, first, questions, self._about]),
            *(self._listed[path] for path in shown),
        )
        return Page("index.html", decided_by, self._front_page, (first, questions, data))

    def _front_page(self, first: str, questions: Sequence[str], data: dict[str, Any]) -> bytes:
        shelves = [
            front.shelf(name, count, self._prompts.entry(path)) for name, count, path in data["shelves"]
        ]
        found = {
            "stage": front.stage(self._prompts.entry(first), self._about) if first else None,
            "questions": [front.question(self._prompts.entry(path)) for path in questions],
            "shelves": shelves,
        }
        return self.theme.render("front.html", "index.html", data | found)

    @cached_property
    def _totals(self) -> dict[str, int]:
        clips = sum(len(self.catalogue.keys(path)) for path in self.catalogue.paths)
        return {"prompts": len(self.items), "clips": clips}

    def _catalogue(self) -> Iterator[Page]:
        """The list of all prompts. Its template has the name of its first address."""
        data = {
            "filters": filters.filters(self.items, self.config.models, self._page_of),
            "ranges": filters.ranges(self.items),
            "parts": len(self.search_parts),
            "totals": self._totals,
            "here": "prompts",
        }
        yield from self._list("index.html", "", self.items, data)
        missing = {"here": ""}
        if self.config.site.base_url:
            # Shown at any depth: its links begin with the site's path on its server.
            missing["root"] = "/" + self.config.site.base_url.split("://", 1)[1].partition("/")[2]
        yield self._page("404.html", "404.html", missing)

    def _list(
        self, template: str, folder: str, items: Sequence[Item], data: dict[str, Any]
    ) -> Iterator[Page]:
        """A list of prompts on as many pages as it takes."""
        size = self.config.site.page_size
        last = max(1, -(-len(items) // size))
        shared = {**data, "total": len(items), "last": last}
        decided_by = digest(self.theme.digest, template, as_json(shared))
        for number in range(1, last + 1):
            part = items[(number - 1) * size : number * size]
            yield Page(
                addresses.paged(folder, number),
                digest(decided_by, str(number), *(self._listed[item.path] for item in part)),
                self._list_page,
                (template, folder, number, shared, [item.path for item in part]),
            )

    def _list_page(
        self, template: str, folder: str, number: int, shared: dict[str, Any], paths: Sequence[str]
    ) -> bytes:
        data = {
            **shared,
            "rows": paths,
            "number": number,
            "newer": addresses.paged(folder, number - 1) if number > 1 else "",
            "older": addresses.paged(folder, number + 1) if number < shared["last"] else "",
        }
        # The catalogue is searched and filtered from its first page: the others are lists alone.
        later = template == "index.html" and number > 1
        return self.theme.render("later.html" if later else template, addresses.paged(folder, number), data)

    def _page_of(self, kind: str, name: str) -> str:
        """Where the prompts of a folder, tag, model or author are: a tag without a page leads to one."""
        home = self._homes.get(name) if kind == "tag" else None
        return addresses.prompt_page(home) if home else addresses.LIST_PAGES[kind](name)

    def _groups(self, kind: str) -> Iterator[Page]:
        """The page of all folders, tags, models or authors, and the prompts of each."""
        here = f"{kind}s"
        groups: dict[str, list[Item]] = {}
        for item in self.items:
            for name in getattr(item.facets, kind):
                groups.setdefault(name, []).append(item)
        shown = {name: name for name in sorted(groups)}
        if kind == "model":
            listed: list[Any] = [
                {
                    "name": name,
                    "count": len(groups.get(name, [])),
                    "about": labels.about_model(self.config.models.get(name)),
                }
                for name in dict.fromkeys([*self.config.models, *shown])
            ]
            yield self._page("models/index.html", "models.html", {"models": listed, "here": here})
        else:
            if kind == "author":
                # Handles are the same in any case: shown as one of their prompts has them.
                shown = {
                    name: min(self.catalogue.author(item.path) for item in groups[name]) for name in shown
                }
            listed = [[label, len(groups[name]), self._page_of(kind, name)] for name, label in shown.items()]
            yield from self._names(here, listed)
        for name, label in shown.items():
            if kind == "tag" and name in self._homes:
                continue
            about = labels.about_model(self.config.models.get(name)) if kind == "model" else []
            data = {"here": here, "kind": kind, "name": label, "about": about}
            template = "folder.html" if kind == "folder" else "list.html"
            folder = addresses.LIST_PAGES[kind](name).removesuffix("index.html")
            yield from self._list(template, folder, groups[name], data)

    def _names(self, here: str, listed: Sequence[Any]) -> Iterator[Page]:
        """A list of names, in alphabetical order, on as many pages as it takes."""
        starts = range(0, max(1, len(listed)), MOST_NAMES)
        addressed = [addresses.paged(f"{here}/", number) for number, _ in enumerate(starts, 1)]
        parts = [[listed[start][0], page] for start, page in zip(starts, addressed, strict=True) if listed]
        for number, (start, page) in enumerate(zip(starts, addressed, strict=True), 1):
            names = listed[start : start + MOST_NAMES]
            data = {"names": names, "here": here, "number": number, "parts": parts}
            yield self._page(page, "names.html", data)

    def _guides(self) -> Iterator[Page]:
        """A list of all guides, and each on its page."""
        found, items = self.guides, {item.path: item for item in self.items}
        listed = [
            [language, [[guide.title, guide.summary, guide.address] for guide in found.of(language)]]
            for language in found.languages
        ]
        names = {language: guides.say(language)["language"] for language in found.languages}
        data = {"guides": listed, "names": names, "here": "guides"}
        yield self._page("guides/index.html", "guides.html", data)
        about = as_json([listed, found.about()])
        for guide in found:
            shown = {path: items[path] for path in guide.prompts if path in items}
            parts = as_json([[part.kind, part.text] for part in guide.parts])
            yield Page(
                guide.address,
                digest(self.theme.digest, about, parts, *(item.digest for item in shown.values())),
                self._guide,
                (guide, [*shown]),
            )

    def _guide(self, guide: guides.Guide, shown: Collection[str]) -> bytes:
        data = guides.page_data(guide, self.guides)
        for part in data["parts"]:
            if part["kind"] == "clips" and part["path"] in shown:
                part |= prompt.page_data(self._prompts.entry(part["path"]), self.catalogue)
        return self.theme.render("guide.html", guide.address, data)

    def _cards(self) -> Iterator[Page]:
        """The pictures that stand for the site and for the newest prompts where they are linked from."""
        site, shown = self.config.site, self.items[: self.config.site.cards]
        first: ClipEntry | None = None
        for item in shown:
            entry = self._prompts.entry(item.path)
            clip = structured.shown_clip(entry)
            first = first or clip
            facts = f"{clip['model']} · {labels.quantity('duration', rows.length_of(clip))}" if clip else ""
            card = self._card(clip, " ".join(entry["text"].split()), site.title, facts)
            yield self._drawn(addresses.prompt_card(entry["path"]), card, clip)
        for address, size in (("card.jpg", cards.SIZE), ("podcast.jpg", cards.SQUARE)):
            yield self._drawn(address, self._card(first, site.description, site.title, "", size), first)

    def _card(
        self, clip: ClipEntry | None, text: str, heading: str, facts: str, size: tuple[int, int] = cards.SIZE
    ) -> cards.Card:
        cover = self.files.get(clip["cover"]) if clip else None
        state, peaks = (clip["state"], clip["peaks"]) if clip else ("pending", "")
        return cards.Card(text, heading, facts, state, cover, peaks, size)

    def _drawn(self, address: str, card: cards.Card, clip: ClipEntry | None) -> Page:
        fonts = self.theme.fonts
        known = as_json([self.theme.assets[f"assets/fonts/{name}"].digest for name in fonts])
        key = self.catalogue.clip_digest(clip["key"]) if clip else ""
        return Page(address, card.digest(key, known), lambda: cards.draw(card, fonts))

    def _tools(self) -> Iterator[Page]:
        """Pages that scripts fill: two clips side by side, favourites, and a prompt by chance."""
        yield self._page("compare/index.html", "compare.html", {"here": ""})
        yield self._page("favourites/index.html", "favourites.html", {"here": "favourites"})
        counts = [part.stop - part.start for part in self.search_parts]
        yield self._page("random/index.html", "random.html", {"here": "random", "counts": counts})

    def _data(self) -> Iterator[Page]:
        config, theme, catalogue = self.config, self.theme.digest, self.catalogue
        for number, part in enumerate(self.search_parts):
            items = self.items[part]
            yield Page(
                f"search/{number}.js",
                digest(theme, str(number), *(self._listed[item.path] for item in items)),
                index.search_script,
                (number, [item.path for item in items], self.state, self._homes),
            )
        yield Page(index.WORDS, theme, index.words_script, (Facets._fields, config.site.words))
        for address, clips in index.clips_parts(catalogue).items():
            digests = {path: self._digests[path] for path in clips.values()}
            yield Page(
                address,
                digest(theme, *clips, *digests.values()),
                index.clips_script,
                (address[len("clips/") : -len(".js")], clips, self.state),
            )
        whole = digest(theme, *(item.digest for item in self.items))
        yield Page("catalogue.json", whole, feeds.catalogue, (catalogue.paths, self.state, config.site))
        if config.site.base_url:
            dated = [item.path for item in self.items if item.date]
            newest = digest(theme, *(self._digests[path] for path in dated[: feeds.FEED_LENGTH]))
            yield Page("feed.xml", newest, feeds.feed, (catalogue, self.theme))
            yield Page("podcast.xml", whole, feeds.podcast, (catalogue, self.theme))
            told_guides = as_json([guide.address for guide in self.guides])
            yield Page("sitemap.xml", digest(whole, told_guides), self._sitemap)

    @cached_property
    def _pairs(self) -> list[hear.Pair]:
        return hear.pairs(self.catalogue, self.state)

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {item.path: item.digest for item in self.items}

    def _sitemap(self) -> Iterator[bytes]:
        lists = {"index.html", addresses.CATALOGUE, "guides/index.html", "add/index.html"}
        lists.update([hear.ADDRESS] if self._pairs else [])
        lists.update(f"{kind}s/index.html" for kind in addresses.LIST_PAGES)
        lists.update(guide.address for guide in self.guides)
        for item in self.items:
            for kind, page_of in addresses.LIST_PAGES.items():
                named = getattr(item.facets, kind)
                lists.update(page_of(name) for name in named if kind != "tag" or name not in self._homes)
        dated = ((addresses.prompt_page(item.path), item.date) for item in self.items)
        return feeds.sitemap(
            itertools.chain(((address, "") for address in sorted(lists)), dated), self.config.site.base_url
        )
