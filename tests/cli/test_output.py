"""Where a site may be written, and what is left alone there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gallery.config import load_config
from gallery.errors import GalleryError
from gallery.site.place import refuse_place
from support.galleries import SETTINGS, Gallery, render_all

NONE = ("--engine", "none")


@pytest.fixture
def small(gallery: Gallery) -> Gallery:
    gallery.prompt("prompts/a", "prompt: rain", "duration: 0.5")
    return gallery


REFUSED = {
    ".": "is or holds the gallery itself",
    "..": "is or holds the gallery itself",
    "prompts": "is or lies in",
    "prompts/prompts": "is or lies in",
    "templates": "is or lies in",
    "guides/en": "is or lies in",
    ".gallery": "is or lies in",
    ".gallery/site": "is or lies in",
    ".git": "is or lies in",
    "site/audio": "is or lies in",
    "site/../prompts": "is or lies in",
    "link": "is or lies in",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["build", "serve"])
def test_a_site_is_not_written_among_what_builds_read(small: Gallery, name: str, command: str) -> None:
    (small.root / "link").symlink_to("prompts")
    before = small.files("")
    ran = small.run(command, *NONE, "--output", small.root / name)
    assert ran.code == 1
    [line] = ran.err.splitlines()
    assert line.startswith("Error: --output: /") and line.endswith("; name a folder of its own, such as site")
    assert f" {REFUSED[name]}" in line
    assert small.files("") == before


def test_a_site_does_not_hold_what_builds_read(gallery: Gallery, tmp_path: Path) -> None:
    """Prompts may lie elsewhere, by a link: a page could come over one of them."""
    (tmp_path / "other/prompts").mkdir(parents=True)
    (gallery.root / "prompts").rmdir()
    (gallery.root / "prompts").symlink_to(tmp_path / "other/prompts")
    ran = gallery.run("build", *NONE, "--output", tmp_path / "other")
    assert ran.code == 1
    assert f"holds {tmp_path}/other/prompts, which is the gallery's own" in ran.err


@pytest.mark.parametrize("url", ["site/audio", "site", "kept", "."])
def test_the_usual_folder_and_folders_of_their_own_are_right(gallery: Gallery, url: str) -> None:
    gallery.write("gallery.toml", f'{SETTINGS}\n[store]\nurl = "{url}"\n')
    config = load_config(gallery.root)
    refuse_place(config, gallery.root / "site")
    refuse_place(config, gallery.root.parent / "elsewhere")
    if url == "kept":
        with pytest.raises(GalleryError):
            refuse_place(config, gallery.root / "kept/site")


def test_a_site_does_not_lie_among_a_models_files(gallery: Gallery) -> None:
    own = '\n[models.own]\nhub = "own/model"\nkind = "musicgen"\nfolder = "checkpoints/own"\n'
    gallery.write("gallery.toml", SETTINGS + own)
    with pytest.raises(GalleryError, match="is or lies in"):
        refuse_place(load_config(gallery.root), gallery.root / "checkpoints/own")


def test_a_strangers_file_stays_and_the_exit_code_tells(small: Gallery, tmp_path: Path) -> None:
    output = tmp_path / "public"
    output.mkdir()
    for name in ("index.html", "404.html", "catalogue.json", "notes.txt"):
        (output / name).write_text(f"my {name}")
    build = ("build", *NONE, "--output", output)
    for _ in range(2):  # the second one does not take the first for one that left nothing to do
        ran = small.run(*build)
        assert ran.code == 3
        assert len(ran.err.splitlines()) == 3
        assert "3 files left out: what lies in the way is named above" in ran.out
        assert {path.read_text() for path in output.glob("*.*") if path.name in ran.err} == {
            "my index.html", "my 404.html", "my catalogue.json"
        }  # fmt: skip
        assert "rain" in (output / "prompts/prompts/a/index.html").read_text()
    for name in ("index.html", "404.html", "catalogue.json"):
        (output / name).unlink()
    assert small.run(*build).code == 0
    assert small.run(*build).code == 0
    assert (output / "notes.txt").read_text() == "my notes.txt"
    (small.root / "prompts/prompts/a.md").unlink()
    (output / "prompts/prompts/a/index.html").write_text("mine now")
    ran = small.run(*build)
    assert ran.code == 0
    assert "no page any more, but not what a build wrote; left alone" in ran.err
    assert (output / "prompts/prompts/a/index.html").read_text() == "mine now"


def test_what_a_build_in_another_checkout_wrote_is_known_by_the_list(small: Gallery, tmp_path: Path) -> None:
    """A site that came with a clone: without a workspace, and with other times."""
    small.run("build", *NONE)
    clone = Gallery(tmp_path / "clone")
    shutil.copytree(
        small.root, clone.root, ignore=shutil.ignore_patterns(".gallery"), copy_function=shutil.copy
    )
    clone.prompt("prompts/a", "prompt: snow", "duration: 0.5")
    ran = clone.run("build", *NONE)
    assert (ran.code, ran.err) == (0, "")
    assert "snow" in (clone.root / "site/prompts/prompts/a/index.html").read_text()


@pytest.mark.parametrize("engine", ["none", "sketch"])
def test_a_published_clip_is_a_file_of_its_own(small: Gallery, tmp_path: Path, engine: str) -> None:
    if engine == "none":
        render_all(small)
    ran = small.run("build", "--engine", engine, "--output", tmp_path / "public")
    assert ran.code == 0, ran.err
    published = [path for suffix in ("mp3", "webp") for path in (tmp_path / "public").rglob(f"*.{suffix}")]
    kept = [path for path in small.root.rglob("*.*") if path.suffix in (".mp3", ".webp")]
    assert len(published) == len(kept) == 2
    before = {path: path.read_bytes() for path in kept}
    for path in published:
        with path.open("r+b") as file:
            file.write(b"tags of another program")
    assert {path: path.read_bytes() for path in kept} == before
    assert small.run("store", "verify").code == 0


def test_two_outputs_know_nothing_of_each_other(small: Gallery, tmp_path: Path) -> None:
    outputs = [tmp_path / "one", tmp_path / "two"]
    for output in outputs:
        small.run("build", *NONE, "--output", output)
    (outputs[0] / "index.html").write_text("mine")
    small.prompt("prompts/a", "prompt: snow", "duration: 0.5")
    assert [small.run("build", *NONE, "--output", output).code for output in outputs] == [3, 0]
    assert "snow" in (outputs[1] / "prompts/index.html").read_text()
