"""What is written, what is left alone, and what is removed."""

from __future__ import annotations

import copy
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gallery.config import Config
from gallery.site.theme.addresses import segment
from gallery.state.outcome import Written
from gallery.utils.digest import digest
from support import ROOT, TESTS
from support.entries_catalogue import write_entries
from support.sample_site import clip, entry, make_config, make_files, tree

pytest_plugins = ["support.site_fixtures"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


@pytest.fixture
def own_config(root: Path) -> Config:
    return make_config(root, tag_pages=1)


@pytest.fixture
def out(root: Path) -> Path:
    return root / "site"


def build(entries: Any, media: Any, config: Config, out: Path) -> Written:
    return write_entries(entries, make_files(entries, media), config, out)


def rewrite_list(out: Path, **files: Any) -> None:
    path = out / ".gallery.json"
    told = json.loads(path.read_text())
    told["files"].update({name.replace("__", "/"): value for name, value in files.items()})
    path.write_text(json.dumps(told))


def interrupt(monkeypatch: Any, pattern: str, *, leave: bool = False) -> None:
    """Have the next build end when it is about to give a file its name.

    ``leave`` has it remove nothing any more, as one that is killed.
    """
    replace = os.replace

    def ending(source: Any, target: Any) -> None:
        if fnmatch.fnmatch(str(target), pattern):
            if leave:
                monkeypatch.setattr(os, "unlink", lambda *_: None)
                monkeypatch.setattr(os, "replace", lambda *_: None)
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", ending)


def test_nothing_changed_writes_nothing(own_entries: Any, media: Any, own_config: Config, out: Path) -> None:
    first = build(own_entries, media, own_config, out)
    before = tree(out)
    own_entries.reverse()
    started = time.perf_counter()
    again = build(own_entries, media, own_config, out)
    assert time.perf_counter() - started < 0.5
    assert first.written == len(before) and first.unchanged == first.removed == 0
    assert again == Written(0, first.written, 0)
    assert tree(out) == before


def test_one_note_changes_only_the_pages_that_show_it(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    build(own_entries, media, own_config, out)
    before = tree(out)
    own_entries[0]["notes"] = "Other words."
    build(own_entries, media, own_config, out)
    after = tree(out)
    changed = {name for name in after if after[name] != before.get(name)}
    # Notes are searched, too.
    assert changed == {"prompts/lofi/rainy/index.html", "catalogue.json", "search/0.js"}
    assert after.keys() == before.keys()


def test_a_removed_prompt_takes_its_files_along(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    build(own_entries, media, own_config, out)
    (out / "CNAME").write_text("example.com")
    (out / "prompts/sound/own.txt").write_text("mine")
    before = tree(out)
    gone = next(item for item in own_entries if item["path"] == "sound/sketched")
    own_entries.remove(gone)
    written = build(own_entries, media, own_config, out)
    missing = before.keys() - tree(out).keys()
    key = gone["clips"][0]["key"]
    tag = "tags/sound_effect/index.html"
    parts = {name for name in missing if name.startswith("clips/")}
    assert missing - parts == {"prompts/sound/sketched/index.html", tag, f"sketches/{key}.mp3"} | (
        {f"sketches/{key}.webp"}
    )
    assert written.removed == len(missing)
    assert not (out / "prompts/sound/sketched").exists() and not (out / "tags/sound_effect").exists()


def test_a_page_that_others_changed_is_not_removed(
    own_entries: Any, media: Any, own_config: Config, out: Path, capsys: Any
) -> None:
    build(own_entries, media, own_config, out)
    own_entries[:] = [item for item in own_entries if item["path"] != "lofi/dry"]
    page = out / "prompts/lofi/dry/index.html"
    page.write_text("mine now")
    build(own_entries, media, own_config, out)
    assert page.read_text() == "mine now"
    assert (
        "prompts/lofi/dry/index.html: no page any more, but not what a build wrote" in capsys.readouterr().err
    )


def test_without_the_state_the_output_tells_what_was_written(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    build(own_entries, media, own_config, out)
    told = json.loads((out / ".gallery.json").read_text())["files"]
    assert told == {name: digest for name, (digest, _) in tree(out).items()}
    shutil.rmtree(own_config.workspace)
    gone = next(item for item in own_entries if item["path"] == "sound/sketched")
    own_entries.remove(gone)
    written = build(own_entries, media, own_config, out)
    assert written.removed and not (out / "prompts/sound/sketched").exists()
    fresh = out.parent / "fresh"
    build(own_entries, media, own_config, fresh)
    assert {n: d for n, (d, _) in tree(out).items()} == {n: d for n, (d, _) in tree(fresh).items()}


def test_the_list_of_an_earlier_version_is_read_once(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    build(own_entries, media, own_config, out)
    files = json.loads((out / ".gallery.json").read_text())["files"]
    shutil.rmtree(own_config.workspace)
    (out / ".gallery.json").unlink()
    older = own_config.workspace / "pages" / f"{digest(str(out.resolve()))}.json"
    older.parent.mkdir(parents=True)
    stamps = {name: (out / name).stat() for name in files}
    told = {name: f"x {stamp.st_size} {stamp.st_mtime_ns}" for name, stamp in stamps.items()}
    older.write_text(json.dumps({"output": str(out), "whole": True, "files": told}))
    (out / "tags/index.html").write_text("mine since")
    own_entries[0]["notes"] = "Other words."
    own_entries[:] = [item for item in own_entries if item["path"] != "sound/sketched"]
    written = build(own_entries, media, own_config, out)
    assert not (out / "prompts/sound/sketched").exists() and not older.exists()
    assert "Other words." in (out / "prompts/lofi/rainy/index.html").read_text()
    assert written.blocked == 1
    assert (out / "tags/index.html").read_text() == "mine since"


def test_lost_pages_come_back(own_entries: Any, media: Any, own_config: Config, out: Path) -> None:
    build(own_entries, media, own_config, out)
    (out / "404.html").unlink()
    shutil.rmtree(out / "tags")
    before = len(list(out.rglob("*")))
    written = build(own_entries, media, own_config, out).written
    assert written > 1 and len(list(out.rglob("*"))) > before + 1
    assert (out / "404.html").exists() and (out / "tags/index.html").exists()


IN_THE_WAY = "in the way; no build wrote it as it is, so it stays: move it away or delete it"


@pytest.mark.parametrize("lost", ["nothing", "the state", "the list"])
def test_what_no_build_wrote_stays_and_all_else_is_written(
    media: Any, own_config: Config, out: Path, capsys: Any, lost: str
) -> None:
    """An edited page, and a stranger's file where a page is going to be; whatever else is known."""
    entries = [entry("a", "one")]
    build(entries, media, own_config, out)
    mine = {"404.html": "edited", "prompts/new/one/index.html": "<p>mine</p>"}
    for name, text in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    if lost == "the state":
        shutil.rmtree(own_config.workspace)
    if lost == "the list":
        (out / ".gallery.json").unlink()
    entries.append(entry("new/one", "a new one"))
    for _ in range(2):
        assert build(entries, media, own_config, out).blocked == 2
        told = capsys.readouterr().err.splitlines()
        assert sorted(told) == [f"{out / name}: {IN_THE_WAY}" for name in mine]
        assert {name: (out / name).read_text() for name in mine} == mine
    for name in mine:
        (out / name).unlink()
    assert build(entries, media, own_config, out).blocked == 0
    fresh = out.parent / "fresh"
    build(entries, media, own_config, fresh)
    assert {n: d for n, (d, _) in tree(out).items()} == {n: d for n, (d, _) in tree(fresh).items()}


def test_where_nothing_is_known_nothing_is_taken_for_a_builds_own(
    media: Any, own_config: Config, out: Path
) -> None:
    entries = [entry("a", "one")]
    build(entries, media, own_config, out)
    shutil.rmtree(own_config.workspace)
    (out / ".gallery.json").unlink()
    before = {name: digest for name, (digest, _) in tree(out).items()}
    entries.append(entry("new/one", "a new one"))
    assert build(entries, media, own_config, out).blocked > 3
    after = {name: digest for name, (digest, _) in tree(out).items()}
    assert after == before | {name: after[name] for name in after.keys() - before.keys()}


def test_a_page_that_was_edited_is_a_builds_own_again_once_it_is_put_back(
    media: Any, own_config: Config, out: Path
) -> None:
    entries = [entry("a", "one")]
    build(entries, media, own_config, out)
    page = out / "prompts/a/index.html"
    written = page.read_bytes()
    page.write_text("edited")
    shutil.rmtree(own_config.workspace)
    entries[0]["notes"] = "Other words."
    assert build(entries, media, own_config, out).blocked == 1
    page.write_bytes(written)
    assert build(entries, media, own_config, out).blocked == 0
    assert "Other words." in page.read_text()


def test_a_strangers_first_file_is_not_listed(media: Any, own_config: Config, out: Path) -> None:
    entries = [entry("a", "one")]
    out.mkdir(parents=True)
    (out / "index.html").write_text("mine")
    build(entries, media, own_config, out)
    assert (out / "index.html").read_text() == "mine"
    assert "index.html" not in json.loads((out / ".gallery.json").read_text())["files"]


def test_what_a_page_is_going_to_be_may_lie_there_already(media: Any, own_config: Config, out: Path) -> None:
    """As in a clone of a site: it is the build's own from then on."""
    entries = [entry("a", "one")]
    build(entries, media, own_config, out)
    before = tree(out)
    shutil.rmtree(own_config.workspace)
    (out / ".gallery.json").unlink()
    assert build(entries, media, own_config, out) == Written(0, len(before), 0)
    assert tree(out) == before
    build([], media, own_config, out)
    assert not (out / "prompts/a").exists()


@pytest.mark.parametrize(
    "kind", ["link", "dangling link", "folder", "file for a folder", "link for a folder"]
)
def test_what_is_no_file_is_in_the_way_too(
    kind: str, media: Any, own_config: Config, out: Path, tmp_path: Path, capsys: Any
) -> None:
    entries = [entry("a", "one")]
    out.mkdir(parents=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("precious")
    name = "tags" if kind.endswith("for a folder") else "404.html"
    place = out / name
    if kind == "folder":
        place.mkdir()
    elif kind == "file for a folder":
        place.write_text("precious")
    else:
        place.symlink_to(other / {"link": "file", "dangling link": "none"}.get(kind, ""))
    written = build(entries, media, own_config, out)
    assert written.blocked == 1 or name == "tags"
    assert capsys.readouterr().err.splitlines() == [f"{place}: {IN_THE_WAY}"]
    assert [path.name for path in other.iterdir()] == ["file"]
    assert (other / "file").read_text() == "precious"
    place.rmdir() if kind == "folder" else place.unlink()
    assert build(entries, media, own_config, out).written == written.blocked


def test_very_many_files_in_the_way_are_told_in_short(
    media: Any, own_config: Config, out: Path, capsys: Any
) -> None:
    some = [entry(f"p/{number}", f"text {number}") for number in range(30)]
    for number in range(30):
        (out / f"prompts/p/{number}").mkdir(parents=True)
        (out / f"prompts/p/{number}/index.html").write_text("mine")
    assert build(some, media, own_config, out).blocked == 30
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 21 and told[-1] == "and 10 more"


def test_a_file_makes_room_for_a_folder_and_the_other_way_round(
    media: Any, own_config: Config, out: Path
) -> None:
    assets = own_config.root / "templates/assets"
    assets.mkdir(parents=True)
    (assets / "one").write_text("file")
    (assets / "two").mkdir()
    (assets / "two/inner").write_text("inner")
    build([], media, own_config, out)
    shutil.rmtree(assets / "two")
    (assets / "two").write_text("file")
    (assets / "one").unlink()
    (assets / "one").mkdir()
    (assets / "one/inner").write_text("inner")
    assert build([], media, own_config, out).blocked == 0
    assert (out / "assets/one/inner").read_text() == "inner" and (out / "assets/two").read_text() == "file"


def test_a_store_inside_the_site_is_left_alone(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    store = out / "audio"
    store.mkdir(parents=True)
    files = make_files(own_entries, media)
    for address in [name for name in files if name.startswith("audio/")]:
        (out / address).write_bytes(files[address].read_bytes())
        files[address] = out / address
    before = tree(store)
    write_entries(own_entries, files, own_config, out)
    told = json.loads((out / ".gallery.json").read_text())["files"]
    assert not [name for name in told if name.startswith("audio/")]
    rewrite_list(out, **{name.replace("/", "__"): "" for name in files if name.startswith("audio/")})
    write_entries([], {}, own_config, out)
    assert tree(store) == before


def test_copies_follow_their_sources(own_entries: Any, media: Any, tmp_path: Path) -> None:
    config = make_config(tmp_path / "gallery")
    out = tmp_path / "elsewhere"
    build(own_entries, media, config, out)
    key = own_entries[0]["clips"][0]["key"]
    copied = out / "audio" / f"{key}.mp3"
    copied.unlink()
    assert build(own_entries, media, config, out).written == 1
    assert copied.read_bytes() == media[3.0].read_bytes()
    build([], media, config, out)
    assert not (out / "audio").exists()


@pytest.mark.parametrize("before", ["nothing", "a link of an earlier version"])
def test_what_is_written_into_a_published_file_changes_no_source(
    before: str, own_entries: Any, media: Any, own_config: Config, out: Path, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"store/{name}" for name in make_files(own_entries, media)}
    for name, source in make_files(own_entries, media).items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, files[name])
    write_entries(own_entries, files, own_config, out)
    if before != "nothing":
        shutil.rmtree(own_config.workspace)  # as with another version of the tool
        for name, source in files.items():
            (out / name).unlink()
            (out / name).hardlink_to(source)
        write_entries(own_entries, files, own_config, out)
    contents = {name: source.read_bytes() for name, source in files.items()}
    for name in files:
        with (out / name).open("r+b") as file:
            file.write(b"written in place")
    assert {name: source.read_bytes() for name, source in files.items()} == contents


def test_a_tampered_list_removes_nothing_outside(
    own_entries: Any, media: Any, own_config: Config, out: Path, tmp_path: Path
) -> None:
    build(own_entries, media, own_config, out)
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "file").write_text("precious")
    (out / "door").symlink_to(outside)
    (out / "link").symlink_to(outside / "file")
    evil = [
        "../../precious/file",
        str(outside / "file"),
        "door/file",
        "link",
        "a/../../../precious/file",
        "",
        "..",
        "bad\0name",
    ]
    evil += [f"{'n' * 300}/file", "\ud800/file"]
    own = {"own.txt": "", "CNAME": "0" * 64}
    for name in own:
        (out / name).write_text("mine")
    digest = hashlib.sha256(b"precious").hexdigest()
    rewrite_list(out, **dict.fromkeys(evil, digest), **own)
    own_entries.append(entry("new/one", "a new one"))
    build(own_entries, media, own_config, out)
    assert (outside / "file").read_text() == "precious"
    assert (out / "link").is_symlink()
    assert all((out / name).read_text() == "mine" for name in own)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"a": 1}}', '{"files": []}', "null", "\x00"])
def test_an_unreadable_list_is_as_none(text: str, media: Any, own_config: Config, out: Path) -> None:
    build([entry("a", "a")], media, own_config, out)
    before = {name: digest for name, (digest, _) in tree(out).items()}
    shutil.rmtree(own_config.workspace)
    (out / ".gallery.json").write_text(text)
    build([entry("a", "a")], media, own_config, out)
    assert {name: digest for name, (digest, _) in tree(out).items()} == before


def test_a_killed_build_leaves_nothing_unknown(
    media: Any, own_config: Config, out: Path, monkeypatch: Any
) -> None:
    pages = [entry("a", "one"), entry("b", "two", tags=["gone"])]
    interrupt(monkeypatch, "*/prompts/b/index.html", leave=True)
    with pytest.raises(KeyboardInterrupt):
        build(pages, media, own_config, out)
    monkeypatch.undo()
    assert list(out.rglob(".*.tmp"))
    build([entry("a", "one")], media, own_config, out)
    assert not list(out.rglob(".*.tmp"))
    fresh = out.parent / "fresh"
    build([entry("a", "one")], media, own_config, fresh)
    assert {n: d for n, (d, _) in tree(out).items()} == {n: d for n, (d, _) in tree(fresh).items()}


def test_what_killed_builds_left_is_known_for_theirs(
    media: Any, own_config: Config, tmp_path: Path, monkeypatch: Any
) -> None:
    """Whatever it is by then, and however often: each one was about to make other pages."""
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    build([entry("a", "one"), entry("b", "two")], media, own_config, out)
    moments = ("*/prompts/b/*", "*/prompts/a/*", "*/catalogue.json", "*/prompts/c/index.html")
    for number, pattern in enumerate(moments):
        pages = [entry(name, f"words {number} of {name}") for name in "abc"]
        interrupt(monkeypatch, pattern, leave=True)
        with pytest.raises(KeyboardInterrupt):
            build(pages, media, own_config, out)
        monkeypatch.undo()
    pages = [entry(name, f"last words of {name}") for name in "ab"]
    assert build(pages, media, own_config, out).blocked == 0
    build(pages, media, own_config, fresh)
    assert {n: d for n, (d, _) in tree(out).items()} == {n: d for n, (d, _) in tree(fresh).items()}


def test_a_build_that_ended_early_tells_the_output_what_it_wrote(
    media: Any, own_config: Config, tmp_path: Path, monkeypatch: Any
) -> None:
    """So that the state may be lost then, too."""
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    build([entry("a", "one")], media, own_config, out)
    interrupt(monkeypatch, "*/prompts/c/index.html")
    with pytest.raises(KeyboardInterrupt):
        build([entry(name, f"words of {name}") for name in "abc"], media, own_config, out)
    monkeypatch.undo()
    shutil.rmtree(own_config.workspace)
    assert build([entry("a", "one")], media, own_config, out).blocked == 0
    build([entry("a", "one")], media, own_config, fresh)
    assert {n: d for n, (d, _) in tree(out).items()} == {n: d for n, (d, _) in tree(fresh).items()}


@pytest.mark.slow
def test_the_same_bytes_for_any_hash_seed_and_order(tmp_path: Path) -> None:
    script = """
import sys; sys.path.insert(0, sys.argv[2])
from pathlib import Path
from support.sample_site import make_config, sample_entries
from support.entries_catalogue import write_entries
entries = sample_entries()
if sys.argv[3] == "1": entries.reverse()
root = Path(sys.argv[1])
config = make_config(root, base_url="https://example.org/x/")
write_entries(entries, {}, config, root / "site")
"""
    found = []
    for seed in ("0", "1"):
        root = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", script, root, TESTS, seed],
            env={**os.environ, "PYTHONHASHSEED": seed}, check=True, cwd=ROOT,
        )  # fmt: skip
        found.append({name: digest for name, (digest, _) in tree(root / "site").items()})
    assert found[0] == found[1]


def test_a_gallery_overrides_templates_and_assets(
    media: Any, own_config: Config, root: Path, out: Path
) -> None:
    build([entry("a", "one")], media, own_config, out)
    (root / "templates/parts").mkdir(parents=True)
    (root / "templates/assets").mkdir()
    (root / "templates/parts/footer.html").write_text("<footer>Our own</footer>")
    (root / "templates/assets/extra.css").write_text("/* ours */")
    build([entry("a", "one")], media, own_config, out)
    assert "<footer>Our own</footer>" in (out / "index.html").read_text()
    assert (out / "assets/extra.css").read_text() == "/* ours */"
    assert (out / "assets/site.css").exists()


def test_a_nothing_to_do_build_imports_no_template_engine(media: Any, own_config: Config, out: Path) -> None:
    script = """
import sys; sys.path.insert(0, sys.argv[2])
from pathlib import Path
from support.sample_site import make_config, sample_entries
from support.entries_catalogue import write_entries
root = Path(sys.argv[1])
for loaded in (1, 0):
    for name in ("jinja2", "markdown", "nh3"): sys.modules.pop(name, None)
    write_entries(sample_entries(), {}, make_config(root), root / "site")
    assert [name in sys.modules for name in ("jinja2", "nh3")] == [bool(loaded)] * 2
"""
    subprocess.run(
        [sys.executable, "-c", script, own_config.root, TESTS],
        check=True,
        cwd=ROOT,
    )


def test_an_entry_that_came_from_a_catalogue_makes_the_same_pages(
    own_entries: Any, media: Any, tmp_path: Path
) -> None:
    config = make_config(tmp_path / "gallery")
    first, second = tmp_path / "one", tmp_path / "two"
    build(own_entries, media, config, first)
    read = json.loads((first / "catalogue.json").read_text())
    assert read["version"] == 1 and read["title"] == "Test gallery"
    dates = [item["date"] for item in read["prompts"]]
    assert dates == sorted(dates, reverse=True)
    build(read["prompts"], media, config, second)
    assert {n: d for n, (d, _) in tree(first).items()} == {n: d for n, (d, _) in tree(second).items()}


def test_a_clip_that_was_rendered_changes_its_kins_pages(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    own_entries = copy.deepcopy(own_entries)
    dry = own_entries[1]
    real = dry["clips"][0]
    dry["clips"][0] = {
        **real,
        "state": "sketch",
        "engine": "sketch",
        "audio": real["audio"].replace("audio/", "sketches/"),
    }
    build(own_entries, media, own_config, out)
    page = out / "prompts/lofi/rainy/index.html"
    assert f"sketches/{real['key']}.mp3" in page.read_text()
    dry["clips"][0] = real
    build(own_entries, media, own_config, out)
    assert f"sketches/{real['key']}.mp3" not in page.read_text()


@pytest.mark.parametrize("number", range(1, 5))
def test_empty_and_small_galleries(number: int, media: Any, own_config: Config, out: Path) -> None:
    some = [entry(f"p/{index}", f"text {index}", [clip(f"text {index}")]) for index in range(number - 1)]
    assert build(some, media, own_config, out).written > 10
    assert "No prompts yet" in (out / "prompts/index.html").read_text() or number > 1


def test_slugs_are_unique_and_safe() -> None:
    names = [
        "r&b",
        "r-b",
        "r b",
        "r.b",
        "r+b",
        "sound effect",
        "con",
        "日本",
        "a" * 300,
        "é",
        "e\u0301",
        "..",
        "-",
        "",
        "A",
        "a",
    ]
    names += ["<script>", "a/b", "a\\b", "..\\x", "trailing ", " x", "ünï", "x~y"]
    slugs = [segment(name) for name in names]
    assert len({each.casefold() for each in slugs}) == len(names)
    for each in slugs:
        assert (
            each not in ("", ".", "..", "con")
            and not set(each) & set('/\\:*?"<>|% #')
            and len(each.encode()) <= 120
        )
    assert [segment("r-b"), segment("sound effect"), segment("日本")] == ["r-b", "sound_effect", "日本"]
