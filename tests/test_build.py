"""`gallery build` keeps what is finished, leaves what stands, and makes the same site of the same input."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from gallery import preview
from gallery.errors import GalleryError
from gallery.site.pages import prompts
from support import COMMAND
from support.galleries import SETTINGS, Gallery, catalogue, render_all


def stamps(gallery: Gallery, folder: str = "site") -> dict[str, int]:
    """When each file was last written."""
    top = gallery.root / folder
    return {p.relative_to(top).as_posix(): p.stat().st_mtime_ns for p in top.rglob("*") if p.is_file()}


@pytest.fixture
def small(gallery: Gallery) -> Gallery:
    """Three prompts, five short clips."""
    gallery.prompt(
        "lofi/rain", "prompt: lofi rain", "duration: 1", "tags: [lofi]", "date: 2026-11-01", notes="One."
    )
    gallery.prompt(
        "edm/rise", "prompt: edm rise", "duration: 1", "vary:", "  cfg_coef: [1, 3, 5]", notes="Two."
    )
    gallery.prompt(
        "fx/bell", "prompt: church bell", "model: audiogen", "duration: 1", "author: octocat", notes="Three."
    )
    return gallery


def test_every_prompt_has_its_page_and_every_clip_its_labelled_sketch(small: Gallery) -> None:
    ran = small.run("build", "--engine", "sketch")
    assert ran.code == 0, ran.err
    assert "3 prompts, 5 clips (5 sketched); 0 faults, 0 warnings" in ran.out
    for path, entry in catalogue(small).items():
        page = (small.root / f"site/prompts/{path}/index.html").read_text()
        assert entry["text"] in page
        assert "sketch" in page.lower()
        for clip in entry["clips"]:
            assert clip["state"] == "sketch"
            assert (small.root / "site" / clip["audio"]).stat().st_size == clip["bytes"]
            assert str(clip["request"]["seed"]) in page
    assert not list((small.root / "site").glob("audio/*")), "a sketch in the store"


def test_sketches_that_sound_alike_are_encoded_once(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.prompt("rain", "prompt: rain", "duration: 1", "vary: {cfg_coef: [1, 3, 5], seed: [1, 2]}")
    encode, encoded = preview.encode_mp3, []

    def watched(audio: Any, rate: int, quality: int) -> bytes:
        encoded.append(hash(audio.tobytes()))
        return encode(audio, rate, quality)

    def broken(*_: object) -> bytes:
        raise GalleryError("no encoder")

    monkeypatch.setattr(preview, "encode_mp3", broken)
    assert gallery.run("build", "--engine", "sketch").err.count("no encoder") == 6, "each is told of"
    monkeypatch.setattr(preview, "encode_mp3", watched)
    assert gallery.run("build", "--engine", "sketch").code == 0
    assert len(encoded) == len(set(encoded)) > 0
    clips = catalogue(gallery)["rain"]["clips"]
    assert len({clip["sound"] for clip in clips}) == 2
    tags = [preview.read_tags((gallery.root / "site" / clip["audio"]).read_bytes()) for clip in clips]
    assert [json.loads(tag["request"]) for tag in tags] == [clip["request"] for clip in clips]


def test_without_sketches_clips_are_pending(small: Gallery) -> None:
    ran = small.run("build", "--engine", "none", "--no-sketches")
    assert ran.code == 0
    assert {clip["state"] for entry in catalogue(small).values() for clip in entry["clips"]} == {"pending"}
    assert not list((small.root / "site").rglob("*.mp3"))


def test_a_render_takes_the_place_of_its_sketch(small: Gallery) -> None:
    small.run("build", "--engine", "sketch")
    [key] = render_all(small, "lofi/rain")
    assert "1 rendered, 4 sketched" in small.run("build", "--engine", "sketch").out
    [clip] = catalogue(small)["lofi/rain"]["clips"]
    assert clip["state"] == "render"
    assert clip["audio"] == f"audio/{key}.mp3"
    assert not (small.root / f"site/sketches/{key}.mp3").exists()
    record = json.loads((small.root / f"site/audio/{key}.json").read_text())
    assert record["engine"] == "musicgen"
    assert record["preview"]["loudness_after"] == pytest.approx(-16, abs=1.5)
    assert small.run("store", "verify").out == "1 clip, 0 problems\n"


def test_pages_that_are_made_at_once_are_as_if_each_were_made_alone(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    address = 'base_url = "https://example.org/"\ncards = 0\n'
    gallery.write("gallery.toml", SETTINGS.replace("[site]\n", f"[site]\n{address}"))
    for number in range(12):
        vary = "vary: {cfg_coef: [1, 3, 5]}" if number % 2 else "seed: 7"
        gallery.prompt(f"p{number}", f"prompt: drums {number}", vary, notes=f"Note *{number}*.")
    sites = []
    for takes in (1, 7, 200):
        monkeypatch.setattr(prompts, "MOST_AT_ONCE", takes)
        assert gallery.run("build", "--engine", "none", "--output", gallery.root / f"site{takes}").code == 0
        sites.append(gallery.files(f"site{takes}"))
    for number in range(12):
        page = sites[0][f"prompts/p{number}/index.html"]
        assert b"<em>%d</em>" % number in page and page.count(b'class="request"') == (3 if number % 2 else 1)
        assert b"drums %d<" % number in sites[0][f"prompts/p{number}/embed.html"]
    assert sites[0] == sites[1] == sites[2]


def test_a_build_with_nothing_to_do_writes_nothing(small: Gallery) -> None:
    render_all(small, "lofi/rain")
    small.run("build", "--engine", "sketch")
    before = stamps(small), stamps(small, ".gallery/sketches")
    ran = small.run("build", "--engine", "sketch")
    assert "0 files written" in ran.out
    assert (stamps(small), stamps(small, ".gallery/sketches")) == before


def test_a_changed_note_rewrites_only_what_shows_it(small: Gallery) -> None:
    small.run("build", "--engine", "sketch")
    before = stamps(small)
    small.prompt(
        "lofi/rain", "prompt: lofi rain", "duration: 1", "tags: [lofi]", "date: 2026-11-01", notes="New."
    )
    small.run("build", "--engine", "sketch")
    changed = {name for name, stamp in stamps(small).items() if before.get(name) != stamp}
    assert "prompts/lofi/rain/index.html" in changed
    assert "catalogue.json" in changed
    assert not any(
        name.startswith(("prompts/edm", "prompts/fx", "audio", "sketches", "models")) for name in changed
    )
    assert "New." in (small.root / "site/prompts/lofi/rain/index.html").read_text()


def test_title_tags_author_and_notes_change_no_audio(small: Gallery) -> None:
    [key] = render_all(small, "lofi/rain")
    small.run("build", "--engine", "sketch")
    before = stamps(small, "site/audio")
    small.prompt(
        "lofi/rain",
        "title: T",
        "prompt: lofi rain ",
        "duration: 1.0",
        "tags: [x]",
        "author: me",
        "cfg_coef: 3",
    )
    small.run("build", "--engine", "sketch")
    assert [clip["key"] for clip in catalogue(small)["lofi/rain"]["clips"]] == [key]
    assert stamps(small, "site/audio") == before


def test_changed_preview_settings_encode_anew_without_rendering(small: Gallery) -> None:
    keys = render_all(small)
    small.run("build", "--engine", "none")
    before = stamps(small, "site/audio")
    small.write("gallery.toml", SETTINGS + "\n[preview]\nloudness = -20\n")
    ran = small.run("build", "--engine", "none")
    assert ran.code == 0, ran.err
    for key in keys:
        record = json.loads((small.root / f"site/audio/{key}.json").read_text())
        assert record["preview"]["loudness_after"] == pytest.approx(-20, abs=1.5)
    assert all(stamp != before[name] for name, stamp in stamps(small, "site/audio").items())
    # Without the lossless renders the previews stay as they are.
    for path in (small.root / ".gallery/renders").glob("*"):
        path.unlink()
    small.write("gallery.toml", SETTINGS)
    ran = small.run("build", "--engine", "none")
    assert "5 previews of older preview settings" in ran.out
    assert ran.code == 0


def test_a_broken_file_loses_nothing_that_was_published(small: Gallery) -> None:
    small.run("build", "--engine", "sketch")
    before = small.files()
    small.prompt("lofi/rain", "prompt: lofi rain", "duration: -5")
    ran = small.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert "prompts/lofi/rain.md:3: duration: -5 is out of range, 0.5 to 600" in ran.err
    assert small.files() == before
    small.prompt("new/one", "prompt: another", "duration: 1")
    assert small.run("build", "--engine", "sketch").code == 1
    assert {"new/one", "lofi/rain"} <= set(catalogue(small))


def test_strict_takes_warnings_for_errors(small: Gallery) -> None:
    small.prompt("lofi/again", "prompt: lofi rain", "duration: 1")
    ran = small.run("build", "--engine", "sketch", "--strict")
    assert ran.code == 1
    assert not (small.root / "site/index.html").exists()


def test_dry_run_says_what_would_be_rendered_and_changes_nothing(small: Gallery) -> None:
    before = small.files("")
    ran = small.run("build", "--dry-run")
    assert ran.out.splitlines() == [
        "small                    4 clips      4.0 s of audio   no estimate: no record of a render on a GPU",
        "audiogen                 1 clips      1.0 s of audio   no estimate: no record of a render on a GPU",
        "to render                5 clips      5.0 s of audio",
    ]
    assert small.files("") == before


def test_paths_limit_what_is_made(small: Gallery) -> None:
    ran = small.run("build", "--engine", "sketch", small.root / "prompts/edm")
    assert "3 sketched, 2 pending" in ran.out
    assert len(catalogue(small)) == 3


def test_another_output_is_whole(small: Gallery) -> None:
    [key] = render_all(small, "lofi/rain")
    small.run("build", "--engine", "sketch", "--output", small.root / "public")
    assert (small.root / f"public/audio/{key}.mp3").is_file()
    assert (small.root / f"site/audio/{key}.json").is_file(), "the store stays where it is"
    for entry in catalogue(small, "public").values():
        assert all((small.root / "public" / clip["audio"]).is_file() for clip in entry["clips"])


def test_audio_from_another_address(small: Gallery) -> None:
    render_all(small)
    store = '\n[store]\nurl = "kept"\naudio_url = "https://audio.example.org/clips"\n'
    small.write("gallery.toml", SETTINGS + store)
    small.run("build", "--engine", "none")
    addresses = {clip["audio"] for entry in catalogue(small).values() for clip in entry["clips"]}
    assert all(address.startswith("https://audio.example.org/clips/") for address in addresses)
    assert not list((small.root / "site").rglob("*.mp3"))


@pytest.mark.slow
def test_two_builds_from_scratch_are_byte_identical(small: Gallery, tmp_path: Path) -> None:
    sites = []
    for seed in ("1", "2"):
        copy = Gallery(tmp_path / f"copy{seed}")
        for name, data in small.files("").items():
            copy.write(name, data)
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [COMMAND, "--gallery", copy.root, "build", "--engine", "sketch"]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        sites.append(copy.files())
    assert sites[0].keys() == sites[1].keys()
    assert [name for name, data in sites[0].items() if sites[1][name] != data] == []


@pytest.mark.slow
def test_two_builds_at_once(small: Gallery, tmp_path: Path) -> None:
    render_all(small, "edm/rise")
    builds = [small.start("build", "--engine", "sketch") for _ in range(2)]
    for build in builds:
        build.join(60)
    assert [build.exitcode for build in builds] == [0, 0]
    alone = Gallery(tmp_path / "alone")
    for name, data in small.files("").items():
        if not name.startswith(("site/", ".gallery/sketches", ".gallery/pages")):
            alone.write(name, data)
    assert alone.run("build", "--engine", "sketch").code == 0
    assert small.files() == alone.files()


# At how many moments of a build it is killed.
MOMENTS = 8


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing_finished(small: Gallery, tmp_path: Path) -> None:
    reference = Gallery(tmp_path / "reference")
    small.prompt(
        "more/many", "prompt: drums", "duration: 2", f"vary: {{seed: [{', '.join(map(str, range(1, 13)))}]}}"
    )
    render_all(small, "more/many", "lofi/rain")
    for name, data in small.files("").items():
        reference.write(name, data)
    start = time.monotonic()
    reference.start("build", "--engine", "sketch").join()
    whole = time.monotonic() - start
    moments = random.Random(20)
    finished: set[str] = set()
    for _ in range(MOMENTS):
        build = small.start("build", "--engine", "sketch")
        build.join(moments.uniform(0, whole))
        build.kill()
        build.join()
        assert "0 problems" in small.run("store", "verify").out or not finished
        now = {path.stem for path in (small.root / "site/audio").glob("*.json")}
        assert finished <= now
        finished = now
        for path in (small.root / "site").rglob("*.html"):
            assert path.read_text().rstrip().endswith("</html>"), path
    assert small.run("build", "--engine", "sketch").code == 0
    assert small.files() == reference.files()
    assert not list(small.root.rglob("*.tmp"))


@pytest.mark.slow
def test_killed_before_a_file_has_its_name(small: Gallery) -> None:
    """What it was written under until then is gone after the next build, in every folder."""
    clips = "sketches/*.mp3", "sketches/*.json"
    for name in (".gitignore", *clips, ".gallery.json", "index.html"):
        killed = f"""
import fnmatch, os, signal
replace = os.replace
def deadly(source, target):
    if fnmatch.fnmatch(str(target), "*/{name}"):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = deadly
"""
        build = small.start("build", "--engine", "sketch", first=killed)
        build.join()
        assert build.exitcode == -signal.SIGKILL, name
        assert list(small.root.rglob("*.tmp")), name
    assert small.run("build", "--engine", "sketch").code == 0
    assert not list(small.root.rglob("*.tmp"))


@pytest.mark.slow
def test_interrupt_ends_cleanly_and_says_what_is_kept(small: Gallery) -> None:
    small.prompt(
        "more/many", "prompt: drums", "duration: 8", f"vary: {{seed: [{', '.join(map(str, range(1, 31)))}]}}"
    )
    build = small.start("build", "--engine", "sketch")
    sketches = small.root / ".gallery/sketches"
    while not list(sketches.glob("*.json")) and build.is_alive():
        time.sleep(0.02)
    os.kill(build.pid, signal.SIGINT)
    build.join(30)
    told = small.told.read_text()
    assert build.exitcode == 130, told
    assert "Every finished clip is kept" in told
    assert "Traceback" not in told
    assert list(sketches.glob("*.json"))


def test_store_gc_lists_and_removes_what_no_prompt_asks_for(small: Gallery) -> None:
    small.write("gallery.toml", f"{SETTINGS}\n[store]\ngrace_days = 0\n")
    keys = render_all(small)
    small.run("build", "--engine", "none")
    (small.root / "prompts/lofi/rain.md").unlink()
    listed = small.run("store", "gc")
    assert 'no prompt asks for "lofi rain"' in listed.out
    assert "1 clip, 0 leftovers" in listed.out
    assert len(list((small.root / "site/audio").glob("*.mp3"))) == len(keys)
    small.run("store", "gc", "--remove")
    assert len(list((small.root / "site/audio").glob("*.mp3"))) == len(keys) - 1
    assert small.run("store", "gc").out.startswith("0 clips, 0 leftovers")
    small.prompt("broken", "prompt:")
    assert small.run("store", "gc", "--remove").code == 1


def test_without_the_workspace_pages_of_removed_prompts_go_all_the_same(small: Gallery) -> None:
    small.run("build", "--engine", "none")
    page = small.root / "site/prompts/lofi/rain/index.html"
    assert page.is_file()
    shutil.rmtree(small.root / ".gallery")
    (small.root / "prompts/lofi/rain.md").unlink()
    assert small.run("build", "--engine", "none").code == 0
    assert not page.parent.exists()
    assert (small.root / "site/prompts/edm/rise/index.html").is_file()


def test_store_verify_finds_what_is_wrong(small: Gallery) -> None:
    keys = sorted(render_all(small))
    small.run("build", "--engine", "none")
    audio = small.root / "site/audio"
    (audio / f"{keys[0]}.mp3").write_bytes(b"x")
    (audio / f"{keys[1]}.webp").unlink()
    (audio / f"{keys[2]}.json").write_text("{}")
    record = json.loads((audio / f"{keys[3]}.json").read_text())
    record["request"]["seed"] += 1
    (audio / f"{keys[3]}.json").write_text(json.dumps(record))
    ran = small.run("store", "verify")
    assert ran.code == 1
    for key, words in zip(
        keys, ("not what its record says", "missing", "not a record", "another request"), strict=False
    ):
        assert any(key in line and words in line for line in ran.err.splitlines()), words


def test_a_sketch_smuggled_into_the_store_is_not_shown_as_a_render(small: Gallery) -> None:
    small.run("build", "--engine", "sketch")
    [clip] = catalogue(small)["lofi/rain"]["clips"]
    for path in (small.root / ".gallery/sketches").glob(f"{clip['key']}.*"):
        small.write(f"site/audio/{path.name}", path.read_bytes())
    small.run("build", "--engine", "sketch")
    assert catalogue(small)["lofi/rain"]["clips"][0]["state"] == "damaged"
    assert "does not belong among renders" in small.run("store", "verify").err


def test_a_malicious_prompt_file_harms_neither_build_nor_page(small: Gallery) -> None:
    script = "<script>document.title='owned'</script>"
    # What is wrong with these is said, and the rest is built.
    small.prompt("bad/path", "prompt: a", "model: melody", "melody: ../../../etc/passwd.wav")
    small.prompt("bad/bomb", "a: &a [x, x]", "b: &b [*a, *a]", "prompt: [*b, *b]")
    small.prompt("bad/hub", "prompt: a", "model: evil/weights")
    small.prompt("bad/override", 'prompt: "a\\u202eb"')
    with (small.root / "prompts/bad/huge.wav").open("wb") as file:
        file.truncate(2**30)
    small.prompt("bad/melody", "prompt: a", "model: melody", "melody: huge.wav")
    for field in ("tags: ['{}']", "author: '{}'", "license: '{}'", "model: '{}'", "preset: '{}'"):
        small.prompt(f"bad/{field.split(':')[0]}", "prompt: a", field.format(script.replace("'", "''")))
    # These are legal, if odd: free text may hold anything that can be seen.
    text = script.replace("'", "''")
    small.prompt(
        "odd/script",
        f"prompt: '{text}'",
        f"title: '{text}'",
        "duration: 1",
        notes=f"{script}\n[x](javascript:alert(1))",
    )
    small.prompt("odd/word", f"prompt: {'x' * 2000}", "duration: 1", notes="y" * 10_000)
    around = {path for path in small.root.parent.rglob("*") if not path.is_relative_to(small.root)}
    ran = small.run("build", "--engine", "sketch")
    assert ran.code == 1
    assert len({line.split(":")[0] for line in ran.err.splitlines() if line.startswith("prompts/bad/")}) == 10
    assert {path for path in small.root.parent.rglob("*") if not path.is_relative_to(small.root)} == around
    assert set(catalogue(small)) == {"lofi/rain", "edm/rise", "fx/bell", "odd/script", "odd/word"}
    for path in (small.root / "site").rglob("*"):
        if path.suffix in (".html", ".xml"):
            page = path.read_text()
            assert "<script>document" not in page, path
            assert 'href="javascript:' not in page, path
