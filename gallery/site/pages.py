"""Which pages a site has, what decides each, and how each is made when it is due."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gallery.progress import say
from gallery.site import (
    addresses,
    cards,
    feeds,
    guides,
    prompt,
    recording,
    rows,
    search,
    takeaways,
    words,
)
from gallery.site.theme import as_json, digest
from gallery.site.writer import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gallery.catalogue import ClipEntry, PromptEntry
    from gallery.config import Config
    from gallery.site.theme import Theme

# Tags that the filters offer at once; the rest folds away below them.
_TAGS_SHOWN = 10
_TAGS_OFFERED = 60
_AUTHORS_SHOWN = 5


@dataclass(frozen=True)
class _Item:
    """A prompt, the row that lists show of it, and digests of what pages take from it."""

    entry: PromptEntry
    row: dict[str, Any]
    facets: dict[str, list[str]]
    digest: str
    row_digest: str
    search_digest: str
    search_size: int


def newest_first(entries: Iterable[PromptEntry]) -> list[PromptEntry]:
    """Newest first, those of one day by path, undated ones last."""
    by_path = sorted(entries, key=lambda entry: entry["path"])
    return sorted(by_path, key=lambda entry: entry["date"], reverse=True)


class Pages:
    """The pages of one site."""

    def __init__(
        self,
        entries: Iterable[PromptEntry],
        config: Config,
        theme: Theme,
        files: Mapping[str, Path] | None = None,
    ) -> None:
        self.config, self.theme, self.files = config, theme, files or {}
        self.guides = guides.read_guides(config)
        self.entries = newest_first(entries)
        self.clips: dict[str, ClipEntry] = {}
        for entry in self.entries:
            for clip in entry["clips"]:
                self.clips.setdefault(clip["key"], clip)
        self.items = [self._item(entry) for entry in self.entries]
        self.search_parts = search.parts(item.search_size for item in self.items)
        self._clip_digests: dict[str, str] = {}

    def __iter__(self) -> Iterator[Page]:
        yield from self._assets()
        yield from self._index()
        yield from self._prompts()
        yield from self._tags()
        yield from self._models()
        yield from self._authors()
        yield from self._guides()
        yield from self._tools()
        yield from self._data()
        if self.config.site.base_url:
            yield from self._embeds()
            yield from self._cards()

    def _item(self, entry: PromptEntry) -> _Item:
        row, facets = rows.row(entry, self.config), rows.facets(entry)
        row_json = as_json(row)
        found = as_json([entry["text"], entry["author"], entry["date"], facets, search.ranges(entry)])
        return _Item(
            entry,
            row,
            facets,
            digest(as_json(entry)),
            digest(row_json),
            digest(row_json, found),
            search.size(entry, row),
        )

    def _page(self, address: str, template: str, data: dict[str, Any], *decided_by: str) -> Page:
        """A page of a template; ``decided_by`` stands for data that has a digest already."""
        decisive = {name: value for name, value in data.items() if name != "rows"}
        return Page(
            address,
            digest(self.theme.digest, template, as_json(decisive), *decided_by),
            lambda: self.theme.render(template, address, dict(data)),
        )

    def _assets(self) -> Iterator[Page]:
        for address, (path, version) in self.theme.assets.items():
            yield Page(address, version, path.read_bytes)

    def _index(self) -> Iterator[Page]:
        clips = sum(len(entry["clips"]) for entry in self.entries)
        totals = {"prompts": len(self.entries), "clips": clips}
        data = {
            "filters": self._filters(),
            "ranges": self._ranges(),
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
        self, template: str, folder: str, items: Sequence[_Item], data: dict[str, Any]
    ) -> Iterator[Page]:
        """A list of prompts on as many pages as it takes."""
        size = self.config.site.page_size
        last = max(1, -(-len(items) // size))
        for number in range(1, last + 1):
            part = items[(number - 1) * size : number * size]
            page = {
                **data,
                "rows": [item.row for item in part],
                "total": len(items),
                "number": number,
                "newer": addresses.paged(folder, number - 1) if number > 1 else "",
                "older": addresses.paged(folder, number + 1) if number < last else "",
                "last": last,
            }
            yield self._page(
                addresses.paged(folder, number), template, page, *(item.row_digest for item in part)
            )

    def _prompts(self) -> Iterator[Page]:
        about = self.guides.about()
        for position, item in enumerate(self.items):
            newer = self.entries[position - 1] if position else None
            older = self.entries[position + 1] if position + 1 < len(self.items) else None
            neighbours = {
                "newer": [newer["path"], newer["title"]] if newer else None,
                "older": [older["path"], older["title"]] if older else None,
            }
            kin = [self._clip_digest(key) for key in prompt.kin_keys(item.entry)]
            address = addresses.prompt_page(item.entry["path"])
            yield Page(
                address,
                digest(self.theme.digest, item.digest, as_json([neighbours, about]), *kin),
                partial(self._prompt, item.entry, address, {**neighbours, "about": about}),
            )

    def _prompt(self, entry: PromptEntry, address: str, beside: dict[str, Any]) -> bytes:
        config = self.config
        data = {
            **prompt.page_data(entry, self.clips, config),
            **beside,
            "here": "",
            "takeaways": {clip["id"]: takeaways.of_clip(entry, clip, config) for clip in entry["clips"]},
            "embed": takeaways.embed_snippet(entry, config) if config.site.base_url else "",
            "heard": recording.shown_clip(entry),
            "structured": recording.structured_data(entry, config),
        }
        return self.theme.render("prompt.html", address, data)

    def _clip_digest(self, key: str) -> str:
        """Of what another prompt's page shows of a clip."""
        if key not in self._clip_digests:
            clip = self.clips.get(key)
            self._clip_digests[key] = digest(as_json(rows.played(clip, "", ""))) if clip else ""
        return self._clip_digests[key]

    def _tags(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: item.facets["tag"])
        listed = [[tag, len(items), addresses.tag_page(tag)] for tag, items in groups.items()]
        yield self._page("tags/index.html", "names.html", {"names": listed, "here": "tags"})
        for tag, items in groups.items():
            data = {"here": "tags", "kind": "tag", "name": tag, "about": []}
            yield from self._list("list.html", addresses.tag_page(tag)[: -len("index.html")], items, data)

    def _models(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: item.facets["model"])
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
        kinds = {
            "musicgen": "text to music",
            "melody": "text and a melody to music",
            "audiogen": "text to sound",
        }
        sound = f"{model.sample_rate / 1000:g} kHz, {'stereo' if model.channels == 2 else 'mono'}"
        return [
            ["hub", model.hub],
            ["makes", kinds[model.kind]],
            ["sound", sound],
            ["weights", model.license],
        ]

    def _authors(self) -> Iterator[Page]:
        groups = self._grouped(lambda item: [item.entry["author"].lower()] if item.entry["author"] else [])
        named = {handle: min(item.entry["author"] for item in items) for handle, items in groups.items()}
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
        shelf, items = self.guides, {item.entry["path"]: item for item in self.items}
        for fault in (*shelf.faults, *shelf.missing(items)):
            say(str(fault))
        listed = [
            [language, [[guide.title, guide.summary, guide.address] for guide in shelf.of(language)]]
            for language in shelf.languages
        ]
        names = {language: guides.say(language)["language"] for language in shelf.languages}
        data = {"guides": listed, "names": names, "here": "guides"}
        yield self._page("guides/index.html", "guides.html", data)
        about = as_json([listed, shelf.about()])
        for guide in shelf:
            shown = {path: items[path] for path in guide.prompts if path in items}
            parts = as_json([[part.kind, part.text] for part in guide.parts])
            yield Page(
                guide.address,
                digest(self.theme.digest, about, parts, *(item.digest for item in shown.values())),
                partial(self._guide, guide, shown),
            )

    def _guide(self, guide: guides.Guide, shown: Mapping[str, _Item]) -> bytes:
        data = guides.page_data(guide, self.guides)
        for part in data["parts"]:
            if part["kind"] == "clips" and part["path"] in shown:
                part |= prompt.page_data(shown[part["path"]].entry, self.clips, self.config)
        return self.theme.render("guide.html", guide.address, data)

    def _embeds(self) -> Iterator[Page]:
        for item in self.items:
            address = addresses.embed_page(item.entry["path"])
            yield Page(
                address,
                digest(self.theme.digest, "embed.html", item.digest),
                partial(self._embed, item.entry, address),
            )

    def _embed(self, entry: PromptEntry, address: str) -> bytes:
        return self.theme.render("embed.html", address, prompt.page_data(entry, self.clips, self.config))

    def _cards(self) -> Iterator[Page]:
        """The pictures that stand for the site and for each prompt where they are linked from."""
        site = self.config.site
        shown = [(item.entry, recording.shown_clip(item.entry)) for item in self.items]
        for entry, clip in shown:
            facts = f"{clip['model']} · {words.quantity('duration', rows.length_of(clip))}" if clip else ""
            card = self._card(clip, " ".join(entry["text"].split()), site.title, facts)
            yield self._drawn(addresses.prompt_card(entry["path"]), card, clip)
        newest = next((clip for _, clip in shown if clip), None)
        for address, size in (("card.jpg", cards.SIZE), ("podcast.jpg", cards.SQUARE)):
            yield self._drawn(address, self._card(newest, site.description, site.title, "", size), newest)

    def _card(
        self, clip: ClipEntry | None, text: str, heading: str, facts: str, size: tuple[int, int] = cards.SIZE
    ) -> cards.Card:
        cover = self.files.get(clip["cover"]) if clip else None
        state, peaks = (clip["state"], clip["peaks"]) if clip else ("pending", "")
        return cards.Card(text, heading, facts, state, cover, peaks, size)

    def _drawn(self, address: str, card: cards.Card, clip: ClipEntry | None) -> Page:
        fonts = self.theme.fonts
        known = as_json([self.theme.assets[f"assets/fonts/{name}"][1] for name in fonts])
        key = f"{clip['key']} {clip['bytes']}" if clip else ""
        return Page(address, card.digest(key, known), lambda: cards.draw(card, fonts))

    def _grouped(self, names: Callable[[_Item], list[str]]) -> dict[str, list[_Item]]:
        groups: dict[str, list[_Item]] = {}
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

    def _ranges(self) -> list[dict[str, str]]:
        """The parameters that can be searched by range, each with the least and the most there is."""
        found = [values for entry in self.entries for values in search.ranges(entry)]
        ranges = []
        for place, field in enumerate(search.RANGES):
            values = [each for combination in found if (each := combination[place]) is not None]
            ranges.append(
                {
                    "name": words.label(field),
                    "unit": words.unit(field),
                    "low": words.number(min(values, default=0)),
                    "high": words.number(max(values, default=0)),
                }
            )
        return ranges

    def _filters(self) -> list[dict[str, Any]]:
        """The filters beside the list: each with its values, how many prompts fit them, and their pages."""
        counts = {name: Counter[str]() for name in ("model", "tag", "author", "length", "compares", "state")}
        for item in self.items:
            for name, values in item.facets.items():
                counts[name].update(values)
        tags, authors = (
            [value for value, _ in sorted(counts[name].items(), key=lambda pair: (-pair[1], pair[0]))]
            for name in ("tag", "author")
        )
        labels = [words.label(field) for field in words.FIELD_ORDER]
        known: dict[str, list[str]] = {
            "model": [*self.config.models, *sorted(counts["model"].keys() - self.config.models.keys())],
            "tag": tags[:_TAGS_OFFERED],
            "author": authors[:_TAGS_OFFERED],
            "length": list(rows.LENGTHS),
            "compares": [*labels, *sorted(counts["compares"].keys() - set(labels))],
            "state": list(rows.STATES),
        }
        page_of = {
            "model": addresses.model_page,
            "tag": addresses.tag_page,
            "author": addresses.author_page,
        }
        at_once = {"tag": _TAGS_SHOWN, "author": _AUTHORS_SHOWN}
        shown = {**rows.LENGTHS, **rows.STATES}
        return [
            {
                "name": name,
                "values": [
                    {
                        "value": value,
                        "label": shown.get(value, value) if name in ("length", "state") else value,
                        "count": counts[name][value],
                        "page": page_of[name](value) if name in page_of else "",
                    }
                    for value in values
                    if counts[name][value]
                ],
                "shown": at_once.get(name, len(values)),
            }
            for name, values in known.items()
        ]

    def _data(self) -> Iterator[Page]:
        config, theme = self.config, self.theme.digest
        for number, part in enumerate(self.search_parts):
            items = self.items[part]
            yield Page(
                f"search/{number}.js",
                digest(theme, str(number), *(item.search_digest for item in items)),
                partial(self._search_script, number, items),
            )
        for address, clips in search.clips_parts(self.entries).items():
            yield Page(
                address,
                digest(theme, as_json(search.clips_decided_by(clips))),
                partial(search.clips_script, address[len("clips/") : -len(".js")], clips),
            )
        yield Page(
            "catalogue.json",
            digest(theme, *(item.digest for item in self.items)),
            lambda: feeds.catalogue(self.entries, config),
        )
        if config.site.base_url:
            told = feeds.feed_entries(self.entries)
            by_path = {item.entry["path"]: item.digest for item in self.items} if told else {}
            yield Page(
                "feed.xml",
                digest(theme, *(by_path[entry["path"]] for entry in told)),
                lambda: feeds.feed(told, config),
            )
            heard = feeds.podcast_clips(self.entries)
            yield Page(
                "podcast.xml",
                digest(theme, as_json([[clip, entry["title"], entry["date"]] for entry, clip in heard])),
                lambda: feeds.podcast(heard, config),
            )
            decisive = [[entry["path"], entry["date"], entry["author"]] for entry in self.entries]
            lists = [item.facets for item in self.items]
            told_guides = [guide.address for guide in self.guides]
            yield Page("sitemap.xml", digest(theme, as_json([decisive, lists, told_guides])), self._sitemap)

    def _search_script(self, number: int, items: Sequence[_Item]) -> bytes:
        return search.search_script(number, [item.entry for item in items], [item.row for item in items])

    def _sitemap(self) -> bytes:
        lists = {f"{folder}index.html" for folder in ("", "tags/", "models/", "authors/", "guides/")}
        lists.update(guide.address for guide in self.guides)
        for item in self.items:
            lists.update(addresses.tag_page(tag) for tag in item.facets["tag"])
            lists.update(addresses.model_page(model) for model in item.facets["model"])
            if item.entry["author"]:
                lists.add(addresses.author_page(item.entry["author"]))
        pages = [(address, "") for address in sorted(lists)]
        pages += [(addresses.prompt_page(entry["path"]), entry["date"]) for entry in self.entries]
        return feeds.sitemap(pages, self.config)
