"""What is written, what is left alone, and what is removed."""

from __future__ import annotations

import copy
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
    return make_config(root)


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
    assert changed == {"prompts/lofi/rainy/index.html", "catalogue.json"}
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
    older.write_text(json.dumps({"output": str(out), "whole": True, "files": dict.fromkeys(files, "x 1 2")}))
    own_entries[:] = [item for item in own_entries if item["path"] != "sound/sketched"]
    build(own_entries, media, own_config, out)
    assert not (out / "prompts/sound/sketched").exists() and not older.exists()


def test_lost_and_altered_pages_come_back(
    own_entries: Any, media: Any, own_config: Config, out: Path
) -> None:
    build(own_entries, media, own_config, out)
    (out / "404.html").unlink()
    (out / "tags/index.html").write_text("graffiti")
    assert build(own_entries, media, own_config, out).written == 2
    assert "graffiti" not in (out / "tags/index.html").read_text()


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
    copied.write_bytes(b"broken")
    assert build(own_entries, media, config, out).written == 1
    assert copied.read_bytes() == media[3.0].read_bytes()
    build([], media, config, out)
    assert not (out / "audio").exists()


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
    rewrite_list(out, **dict.fromkeys(evil, ""))
    build(own_entries, media, own_config, out)
    assert (outside / "file").read_text() == "precious"
    assert (out / "link").is_symlink()


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
    import gallery.site.writer as writer

    real, written = writer.write_changed, []

    def killed(target: str, data: Any) -> tuple[bool, str]:
        path = Path(target)
        written.append(path)
        if len(written) == 15:
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / f".{path.name}.abcd1234.tmp").write_bytes(b"half a pa")
            raise KeyboardInterrupt
        return real(target, data)

    monkeypatch.setattr(writer, "write_changed", killed)
    with pytest.raises(KeyboardInterrupt):
        build([entry("a", "one"), entry("b", "two", tags=["gone"])], media, own_config, out)
    monkeypatch.undo()
    build([entry("a", "one")], media, own_config, out)
    assert not list(out.rglob(".*.tmp"))
    fresh = out.parent / "fresh"
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
    assert "No prompts yet" in (out / "index.html").read_text() or number > 1


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
