"""Which pages a site has, what decides each, and how each is made when it is due."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gallery.site import cards, feeds
from gallery.site.pages import add, guides, prompt, rows, structured, takeaway
from gallery.site.search import filters, index
from gallery.site.search.items import Item, make_items
from gallery.site.theme import addresses, labels
from gallery.site.theme.theme import as_json
from gallery.site.writer import Page
from gallery.utils.digest import digest
from gallery.utils.progress import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.catalogue.entries import Catalogue, ClipEntry
    from gallery.config import Config
    from gallery.prompts.file import Presets
    from gallery.site.theme.theme import Theme
    from gallery.state.database import State


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
    ) -> None:
        self.catalogue, self.config, self.theme, self.files = catalogue, config, theme, files or {}
        self.state, self.presets, self.guides = state, presets or {}, guides.read_guides(config)
        self.items = make_items(catalogue, theme.settings, state)
        theme.forget_rows(catalogue.paths)
        self._about = self.guides.about()
        self.search_parts = index.parts(item.size for item in self.items)

    def __iter__(self) -> Iterator[Page]:
        yield from self._assets()
        yield from self._index()
        yield from self._prompts()
        yield from self._tags()
        yield from self._models()
        yield from self._authors()
        yield from self._guides()
        yield from self._tools()
        yield from add.add_pages(
            ((item.path, item.facets.tag) for item in self.items), self.presets, self.config, self.theme
        )
        yield from self._data()
        if self.config.site.base_url:
            yield from self._cards()

    def _page(self, address: str, template: str, data: dict[str, Any]) -> Page:
        """A page of a template."""
        decided_by = digest(self.theme.digest, template, as_json(data))
        return Page(address, decided_by, self._render, (address, template, data))

    def _render(self, address: str, template: str, data: dict[str, Any]) -> bytes:
        return self.theme.render(template, address, {**data})

    def _assets(self) -> Iterator[Page]:
        for address, asset in self.theme.assets.items():
            yield Page(address, asset.digest, asset.data.__bytes__)

    def _index(self) -> Iterator[Page]:
        clips = sum(len(self.catalogue.keys(path)) for path in self.catalogue.paths)
        totals = {"prompts": len(self.items), "clips": clips}
        data = {
            "filters": filters.filters(self.items, self.config),
            "ranges": filters.ranges(self.items),
            "parts": len(self.search_parts),
            "totals": totals,
            "here": "prompts",
        }
        yield from self._list("index.html", "", self.items, data)
        missing = {"here": "", **({"root": self._path_of_site()} if self.config.site.base_url else {})}
        yield self._page("404.html", "404.html", missing)

    def _path_of_site(self) -> str:
        """The site's path on its server: the 404 page is shown at any depth."""
        return "/" + self.config.site.base_url.split("://", 1)[1].partition("/")[2]

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
                digest(decided_by, str(number), *(item.digest for item in part)),
                self._list_page,
                (template, folder, number, shared, [item.path for item in part]),
                lists=True,
            )

    def _list_page(
        self, template: str, folder: str, number: int, shared: dict[str, Any], paths: Sequence[str]
    ) -> bytes:
        data = {
            **shared,
            "rows": paths,
            "row": _Rows(self.catalogue, self._digests, self.config),
            "number": number,
            "newer": addresses.paged(folder, number - 1) if number > 1 else "",
            "older": addresses.paged(folder, number + 1) if number < shared["last"] else "",
        }
        return self.theme.render(template, addresses.paged(folder, number), data)

    def _prompts(self) -> Iterator[Page]:
        about = digest(self.theme.digest, as_json(self._about))
        for number, item in enumerate(self.items):
            near = [about, *(each.digest for each in self.items[max(0, number - 1) : number + 2])]
            kin = [self.catalogue.clip_digest(key) for key in self.catalogue.kin_keys(item.path)]
            yield Page(
                addresses.prompt_page(item.path),
                digest(item.digest, str(number < self.config.site.cards), *near, *kin),
                self._prompt,
                (number,),
            )
            if self.config.site.base_url:
                yield self._embed_page(item)

    def _beside(self, number: int) -> dict[str, Any]:
        """What a prompt's page takes from its place in the list: its neighbours, and whose card it shows."""

        def heading(place: int) -> list[str] | None:
            if not 0 <= place < len(self.items):
                return None
            path = self.items[place].path
            return [path, self.catalogue.title(path)]

        own_card = number < self.config.site.cards
        card = addresses.prompt_card(self.items[number].path) if own_card else "card.jpg"
        return {"newer": heading(number - 1), "older": heading(number + 1), "card": card}

    def _prompt(self, number: int) -> bytes:
        config, path = self.config, self.items[number].path
        entry = self.catalogue.entry(path)
        data = {
            **prompt.page_data(entry, self.catalogue, config),
            **self._beside(number),
            "about": self._about,
            "here": "",
            "takeaways": {clip["id"]: takeaway.of_clip(entry, clip, config) for clip in entry["clips"]},
            "embed": takeaway.embed_snippet(entry, config) if config.site.base_url else "",
            "heard": structured.shown_clip(entry),
            "structured": structured.structured_data(entry, config),
        }
        return self.theme.render("prompt.html", addresses.prompt_page(path), data)

    def _tags(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: item.facets.tag)
        listed = [[tag, len(items), addresses.tag_page(tag)] for tag, items in groups.items()]
        yield self._page("tags/index.html", "names.html", {"names": listed, "here": "tags"})
        for tag, items in groups.items():
            data = {"here": "tags", "kind": "tag", "name": tag, "about": []}
            yield from self._list("list.html", addresses.tag_page(tag)[: -len("index.html")], items, data)

    def _models(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: item.facets.model)
        names = [*self.config.models, *(name for name in groups if name not in self.config.models)]
        listed = [
            {"name": name, "count": len(groups.get(name, [])), "about": self._about_model(name)}
            for name in names
        ]
        yield self._page("models/index.html", "models.html", {"models": listed, "here": "models"})
        for name, items in groups.items():
            data = {"here": "models", "kind": "model", "name": name, "about": self._about_model(name)}
            yield from self._list("list.html", addresses.model_page(name)[: -len("index.html")], items, data)

    def _about_model(self, name: str) -> list[list[str]]:
        """What is known of a model: pairs of a label and a value; the first is its hub id."""
        model = self.config.models.get(name)
        if not model:
            return []
        sound = f"{model.sample_rate / 1000:g} kHz, {'stereo' if model.channels == 2 else 'mono'}"
        return [
            ["hub", model.hub],
            ["makes", labels.MAKES[model.kind]],
            ["sound", sound],
            ["weights", model.license],
        ]

    def _authors(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: item.facets.author)
        named = {
            handle: min(self.catalogue.author(item.path) for item in items)
            for handle, items in groups.items()
        }
        listed = [
            [named[handle], len(items), addresses.author_page(handle)] for handle, items in groups.items()
        ]
        yield self._page("authors/index.html", "names.html", {"names": listed, "here": "authors"})
        for handle, items in groups.items():
            data = {"here": "authors", "kind": "author", "name": named[handle], "about": []}
            yield from self._list(
                "list.html", addresses.author_page(handle)[: -len("index.html")], items, data
            )

    def _guides(self) -> Iterator[Page]:
        """A list of all guides, and each on its page."""
        found, items = self.guides, {item.path: item for item in self.items}
        for fault in (*found.faults, *found.missing(items)):
            say(str(fault))
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
                entry = self.catalogue.entry(part["path"], wordings=False)
                part |= prompt.page_data(entry, self.catalogue, self.config)
        return self.theme.render("guide.html", guide.address, data)

    def _embed_page(self, item: Item) -> Page:
        decided_by = digest(self.theme.digest, "embed.html", item.digest)
        return Page(addresses.embed_page(item.path), decided_by, self._embed, (item.path,))

    def _embed(self, path: str) -> bytes:
        address = addresses.embed_page(path)
        entry = self.catalogue.entry(path, wordings=False)
        return self.theme.render("embed.html", address, prompt.embed_data(entry))

    def _cards(self) -> Iterator[Page]:
        """The pictures that stand for the site and for the newest prompts where they are linked from."""
        site, shown = self.config.site, self.items[: self.config.site.cards]
        first: ClipEntry | None = None
        for item in shown:
            entry = self.catalogue.entry(item.path, wordings=False)
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

    def _grouped(self, names: Callable[[Item], Iterable[str]]) -> dict[str, list[Item]]:
        groups: dict[str, list[Item]] = {}
        for item in self.items:
            for name in names(item):
                groups.setdefault(name, []).append(item)
        return dict(sorted(groups.items()))

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
                digest(theme, str(number), *(item.digest for item in items)),
                self._search_script,
                (number, [item.path for item in items]),
            )
        for address, clips in index.clips_parts(catalogue).items():
            digests = {path: self._digests[path] for path in clips.values()}
            yield Page(
                address,
                digest(theme, *clips, *digests.values()),
                self._clips_script,
                (address[len("clips/") : -len(".js")], clips),
            )
        whole = digest(theme, *(item.digest for item in self.items))
        yield Page(
            "catalogue.json", whole, lambda: feeds.catalogue(catalogue, self._digests, self.state, config)
        )
        if config.site.base_url:
            dated = [item.path for item in self.items if item.date]
            newest = digest(theme, *(self._digests[path] for path in dated[: feeds.FEED_LENGTH]))
            yield Page("feed.xml", newest, lambda: feeds.feed(feeds.feed_entries(catalogue), config))
            yield Page("podcast.xml", whole, lambda: feeds.podcast(feeds.podcast_clips(catalogue), config))
            told_guides = as_json([guide.address for guide in self.guides])
            yield Page("sitemap.xml", digest(whole, told_guides), self._sitemap)

    def _search_script(self, number: int, paths: Sequence[str]) -> bytes:
        entries = [self.catalogue.entry(path, wordings=False) for path in paths]
        return index.search_script(number, entries, [rows.row(entry, self.config) for entry in entries])

    def _clips_script(self, name: str, clips: Mapping[str, str]) -> bytes:
        return index.clips_script(name, self.catalogue, clips)

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {item.path: item.digest for item in self.items}

    def _sitemap(self) -> Iterator[bytes]:
        lists = {f"{folder}index.html" for folder in ("", "tags/", "models/", "authors/", "guides/", "add/")}
        lists.update(guide.address for guide in self.guides)
        for item in self.items:
            lists.update(addresses.tag_page(tag) for tag in item.facets.tag)
            lists.update(addresses.model_page(model) for model in item.facets.model)
            lists.update(addresses.author_page(author) for author in item.facets.author)
        dated = ((addresses.prompt_page(item.path), item.date) for item in self.items)
        return feeds.sitemap(
            itertools.chain(((address, "") for address in sorted(lists)), dated), self.config
        )


class _Rows:
    """Rows of lists: see `gallery.site.theme.theme.RowMaker`."""

    def __init__(self, catalogue: Catalogue, digests: Mapping[str, str], config: Config) -> None:
        self._catalogue, self._digests, self._config = catalogue, digests, config

    def __call__(self, path: str) -> dict[str, Any]:
        return rows.row(self._catalogue.entry(path, wordings=False), self._config)

    def decided_by(self, path: str) -> str:
        return self._digests[path]
