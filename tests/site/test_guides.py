"""Guides: read, led to, rendered, and put to the ear."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gallery.prompts.request import parameter_fields
from gallery.site.pages import guides
from support import ROOT
from support.entries_catalogue import write_entries
from support.galleries import Gallery
from support.sample_site import make_config, make_files, sample_entries, tree, write_guides

pytest_plugins = ["support.site_fixtures"]


MATTER = "---\ntitle: A\nsummary: B\n---\n"


@pytest.fixture
def gallery(gallery: Gallery) -> Gallery:
    """Its guides are the tests' own matter."""
    shutil.rmtree(gallery.root / "guides")
    return gallery


def test_a_guide_is_a_page_in_each_language(site: Path) -> None:
    english, german = ((site / f"guides/{name}/guidance/index.html").read_text() for name in ("en", "de"))
    assert '<html lang="en"' in english and '<html lang="de"' in german
    assert '<h1 class="headline">Führung</h1>' in german
    # What stands around a German guide is English, and says so.
    assert '<header class="top" lang="en">' in german and '<header class="top">' in english
    for page in (english, german):
        for language in ("en", "de"):
            where = f"https://octocat.github.io/gallery/guides/{language}/guidance/index.html"
            assert f'<link rel="alternate" hreflang="{language}" href="{where}">' in page
        assert 'hreflang="x-default" href="https://octocat.github.io/gallery/guides/en/' in page
    assert '<a href="../../../guides/de/guidance/index.html" hreflang="de" lang="de">Auf Deutsch' in english
    listed = (site / "guides/index.html").read_text()
    assert listed.index('lang="en"') < listed.index('lang="de"') and "Führung" in listed


def test_the_sites_own_language_comes_first(entries: Any, tmp_path: Path) -> None:
    write_guides(tmp_path)
    write_entries(entries, {}, make_config(tmp_path, language="de-AT"), tmp_path / "site")
    listed = (tmp_path / "site/guides/index.html").read_text()
    assert listed.index('<section class="guide-list" lang="de"') < listed.index(
        '<section class="guide-list" lang="en"'
    )
    page = (tmp_path / "site/prompts/lofi/rainy/index.html").read_text()
    assert 'href="../../../guides/de/guidance/index.html">guidance</a>' in page


def test_labels_of_parameters_lead_to_their_guides(site: Path) -> None:
    page = (site / "prompts/lofi/rainy/index.html").read_text()
    assert '<a href="../../../guides/en/guidance/index.html">guidance</a>' in page
    assert '<a href="../../../guides/en/seeds/index.html">seed</a>' in page
    assert re.search(r'<th scope="row" title="[^"]+">temperature</th>', page)


def test_text_is_sanitised_and_led_to_other_guides(site: Path) -> None:
    page = (site / "guides/en/guidance/index.html").read_text()
    assert '<a href="../seeds/index.html">seeds</a>' in page
    assert '<a href="https://example.com/a">elsewhere</a>' in page
    assert "javascript:" not in page and "alert(2)" not in page and ">nothing</a>" in page
    assert '<a href="nothing.md"' not in page
    assert '<h2 id="in-short">In short</h2>' in page
    assert "[[compare/strip]]\n</code>" in page  # within code it is code


def test_clips_stand_in_the_guide_to_be_played(site: Path, entries: Any) -> None:
    page = (site / "guides/de/guidance/index.html").read_text()
    shown = {item["path"]: item for item in entries}
    for path in ("compare/strip", "compare/matrix", "compare/takes", "sound/sketched"):
        for clip in shown[path]["clips"]:
            assert f'data-clip="{clip["key"]}"' in page, path
            assert f' id="{clip["id"]}"' not in page  # those belong to the prompt's own page
    assert page.count('<figure class="heard" data-group data-name="') == 5
    assert "3 Takes, verschieden nur in" in page and page.count('<table class="matrix"') == 1


def test_sketches_demonstrate_nothing_and_say_so(site: Path) -> None:
    page = (site / "guides/en/guidance/index.html").read_text()
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    told = [figure for figure in figures if "demonstrates nothing yet" in figure]
    assert len(told) == 1 and 'data-state="sketch"' in told[0] and ">sketch</span>" in told[0]
    assert "belegt noch nichts" in (site / "guides/de/guidance/index.html").read_text()


def test_the_table_of_parameters_is_made_from_their_description(site: Path) -> None:
    page = (site / "guides/en/guidance/index.html").read_text()
    for name, info in parameter_fields().items():
        assert f"<code>{name}</code>" in page and str(info.description)[:30] in page
    assert "<td>0 to 2048</td>" in page and "<td>0 to 4\u202f294\u202f967\u202f295</td>" in page
    assert "<td>above 0, below 30</td>" in page


def test_what_is_missing_is_told_once_and_stops_nothing(entries: Any, tmp_path: Path) -> None:
    write_guides(tmp_path)
    config = make_config(tmp_path)
    write_entries(entries, {}, config, tmp_path / "site")
    told = guides.read_guides(config).missing(item["path"] for item in entries)
    assert [str(fault) for fault in told] == [
        f"guides/{language}/guidance.md:33: no prompt no/such/prompt" for language in ("en", "de")
    ]
    page = (tmp_path / "site/guides/en/guidance/index.html").read_text()
    assert "clips are not in this gallery: <code>no/such/prompt</code>" in page


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.md", "no front matter", "guides/en/a.md:1: no front matter; the first line must be ---"),
        ("a.md", "---\ntitle: A\n---\n", "guides/en/a.md:2: summary: is missing; it is required"),
        ("a.md", f"{MATTER[:-4]}ordr: 1\n---\n", 'guides/en/a.md:4: ordr: unknown field'),
        ("a.md", f"{MATTER[:-4]}parameter: cfg\n---\n", 'guides/en/a.md:4: parameter: "cfg" is no field'),
        ("A b.md", MATTER, "guides/en/A b.md: use lowercase letters"),
        ("a.md", f"{MATTER}schön".encode("latin-1"), "guides/en/a.md:5: not UTF-8; save it as UTF-8"),
        ("a.md", None, "guides/en/a.md: cannot be read: Is a directory"),
    ],
)  # fmt: skip
def test_a_guide_that_cannot_be_read_is_told_and_left_out(
    name: str, text: str | bytes | None, said: str, gallery: Gallery
) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    gallery.write("guides/en/good.md", f"\ufeff{MATTER}Text.\n")
    if text is None:
        (gallery.root / "guides/en" / name).mkdir()
    else:
        gallery.write(f"guides/en/{name}", text)
    for _ in range(2):  # told for as long as it is so
        ran = gallery.run("build", "--engine", "none")
        assert ran.code == 1 and ran.err.startswith(said) and "1 fault" in ran.out, ran
        found = sorted((gallery.root / "site/guides/en").glob("*/*"))
        assert [path.parent.name for path in found] == ["good"]
    strict = gallery.run("build", "--engine", "none", "--strict")
    assert strict.code == 1 and "nothing built" in strict.out


def test_where_no_own_guide_can_be_read_those_that_come_along_stay(gallery: Gallery) -> None:
    gallery.prompt("a", "prompt: a", "duration: 1")
    assert gallery.run("build", "--engine", "none").code == 0
    before = gallery.files("site/guides")
    guide = gallery.write("guides/en/own.md", "---\ntitle: A\n---\n")
    ran = gallery.run("build", "--engine", "none")
    assert (ran.code, ran.err) == (1, "guides/en/own.md:2: summary: is missing; it is required\n")
    assert gallery.files("site/guides") == before and len(before) > 18
    guide.write_text(f"{MATTER}[[no/such]]\n")
    ran = gallery.run("build", "--engine", "none")
    assert (ran.code, ran.err) == (0, "warning: guides/en/own.md:5: no prompt no/such\n")
    assert sorted(gallery.files("site/guides")) == ["en/own/index.html", "index.html"]


def test_a_gallery_without_guides_gets_those_that_come_along(
    entries: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(tmp_path)
    shutil.rmtree(tmp_path / "guides")
    write_entries(entries, {}, config, tmp_path / "site")
    found = {path.parent.name for path in (tmp_path / "site/guides/de").glob("*/index.html")}
    assert found == {path.stem for path in (ROOT / "guides" / "de").glob("*.md")}
    # They speak of prompts that this gallery never had: nobody's mistake.
    assert capsys.readouterr().err == ""


def test_an_own_folder_takes_the_place_of_all(entries: Any, tmp_path: Path) -> None:
    config = make_config(tmp_path)
    (tmp_path / "guides/en/listening.md").unlink()
    write_entries(entries, {}, config, tmp_path / "site")
    assert "None yet." in (tmp_path / "site/guides/index.html").read_text()


def test_only_guides_that_show_a_prompt_follow_its_changes(media: Any, tmp_path: Path) -> None:
    write_guides(tmp_path)
    (tmp_path / "guides/de/guidance.md").unlink()
    config, items = make_config(tmp_path), sample_entries()
    write_entries(items, make_files(items, media), config, tmp_path / "site")
    before = tree(tmp_path / "site")
    next(item for item in items if item["path"] == "compare/strip")["notes"] = "Other words."
    write_entries(items, make_files(items, media), config, tmp_path / "site")
    after = tree(tmp_path / "site")
    changed = {name for name in after if after[name][0] != before[name][0]}
    assert {name for name in changed if name.startswith("guides/")} == set()  # the clips are as they were
    (tmp_path / "guides/en/seeds.md").write_text("---\ntitle: Seeds\nsummary: New.\n---\nA number.\n")
    write_entries(items, make_files(items, media), config, tmp_path / "site")
    assert "New." in (tmp_path / "site/guides/en/seeds/index.html").read_text()
    assert "New." in (tmp_path / "site/guides/index.html").read_text()


class TestTheGuidesThatShip:
    """Both languages have the same guides, with the same clips in them, and all of those exist."""

    @pytest.fixture
    def shelf(self) -> guides.Guides:
        from gallery.config import load_config

        return guides.read_guides(load_config(ROOT))

    def test_they_are_whole(self, shelf: guides.Guides) -> None:
        assert shelf.faults == [] and shelf.languages == ["en", "de"]
        english, german = ({guide.slug: guide for guide in shelf.of(name)} for name in ("en", "de"))
        assert english.keys() == german.keys() >= {"prompting", "guidance", "seeds", "melody", "licence"}
        for slug, guide in english.items():
            other = german[slug]
            assert (guide.prompts, guide.order, guide.parameter) == (
                other.prompts,
                other.order,
                other.parameter,
            )
        missing = set(parameter_fields()) - set(shelf.about())
        assert missing == {"extend_stride"}  # part of the guide to duration

    def test_their_prompts_and_links_exist(self, shelf: guides.Guides) -> None:
        prompts = [
            path.relative_to(ROOT / "prompts").with_suffix("").as_posix()
            for path in (ROOT / "prompts").rglob("*.md")
        ]
        assert shelf.missing(prompts) == []
        assert "edm/anthem-guidance" in next(g for g in shelf if g.slug == "guidance").prompts
        for guide in shelf:
            html = "".join(guides.to_html(guide, part.text, shelf) for part in guide.parts)
            written = sum(part.text.count("](") for part in guide.parts)
            assert html.count("<a href=") == written, guide.file

    @pytest.mark.parametrize("name", ["temperature", "top_k", "cfg_coef"])
    def test_the_ranges_that_they_tell_are_accepted(self, shelf: guides.Guides, name: str) -> None:
        least, most = parameter_fields()[name].metadata
        told = {guide.language: guide for guide in shelf if guide.parameter == name}
        for language, to in (("en", "to"), ("de", "bis")):
            text = " ".join(part.text for part in told[language].parts)
            assert f" {least.ge} {to} {most.le}" in text
