"""Whatever was changed, and whenever: the next build makes what a clean build would.

Builds run a copy of the tool, each in a process of its own, and are judged by the command and the
files alone. `test_any_edits` makes edits by chance, the same ones each time; for more of them, set
GALLERY_EXAMPLES to how many times as many: `GALLERY_EXAMPLES=50 pytest tests/test_incremental.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from support.edits import GRIDS, TEXTS, AnyEdits, AnyEditsWithSketches, Clip
from support.galleries import SETTINGS
from support.incremental import (
    REVISIONS,
    VERSIONS,
    Change,
    Meanwhile,
    Ran,
    Server,
    Workplace,
    difference,
)

EXAMPLES = int(os.environ.get("GALLERY_EXAMPLES", "1"))

# To find the shortest sequence that fails takes minutes.
PHASES = (Phase.generate, Phase.shrink) if "GALLERY_EXAMPLES" in os.environ else (Phase.generate,)

# No picture for each prompt: to draw them takes longer than all the rest.
QUICK_SETTINGS = SETTINGS.replace("[site]\n", "[site]\ncards = 0\n")

SKETCHING = ("--engine", "sketch", "--jobs", "1")

PAGE = 4096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server").resolve())
    yield server
    server.close()


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Workplace:
    """A workplace with an empty gallery."""
    made = Workplace(server, tmp_path.resolve())
    made.write("gallery/gallery.toml", QUICK_SETTINGS)
    return made


@pytest.fixture
def small(place: Workplace) -> Workplace:
    """Three prompts, most clips of which differ from others in one thing."""
    rain = prompt("slow piano in the rain", "tags: [lofi]", notes="*One.*")
    snow = prompt("slow piano in the snow", notes="[Two](https://example.org)")
    grid = prompt("slow drums in the hail", "vary:", "  cfg_coef: [1, 3, 5, 7]", notes="Three.")
    place.write("gallery/prompts/lofi/rain.md", rain)
    place.write("gallery/prompts/lofi/snow.md", snow)
    place.write("gallery/prompts/grid.md", grid)
    return place


def prompt(text: str, *fields: str, notes: str = "", duration: float = 1) -> str:
    """A prompt file."""
    return "\n".join(["---", f"prompt: {text}", f"duration: {duration:g}", *fields, "---", notes, ""])


def build(place: Workplace, *options: str) -> Ran:
    """A build that must go well."""
    ran = place.build(*options)
    assert ran.code == 0 and ran.wrote, f"{ran}"
    return ran


def assert_clean(place: Workplace, *options: str) -> None:
    """The site is what a clean build makes."""
    found = difference(place.site(), place.clean_site(*options))
    assert not found, found


def sketching(*changes: Change) -> Meanwhile:
    """These changes, made when the first clip's audio is written; pages are written a while later."""
    return Meanwhile("*.mp3*", 1, changes)


def a_moment_later() -> Meanwhile:
    """What is as old as this when a build ends has not been changed just now."""
    return Meanwhile("gallery/site/*index.html*", 1, (), wait=0.2)


def test_a_prompt_changed_while_clips_are_made_is_built_next(small: Workplace) -> None:
    path, text = "gallery/prompts/lofi/rain.md", prompt("slow piano in the rain", notes="Changed meanwhile.")
    ran = small.build(*SKETCHING, meanwhile=[sketching(Change(path, text.encode())), a_moment_later()])
    assert ran.code == 0 and all(ran.reached), f"{ran}"
    assert b"Changed meanwhile." not in small.site()["prompts/lofi/rain/index.html"]
    build(small, *SKETCHING)
    assert_clean(small, *SKETCHING)


def test_a_prompt_changed_while_pages_are_written_is_built_next(small: Workplace) -> None:
    """Where no clip is made, though some are wanted."""
    path, text = "gallery/prompts/lofi/rain.md", prompt("slow piano in the rain", notes="Changed meanwhile.")
    written = Meanwhile("gallery/site/*index.html*", 1, (Change(path, text.encode()),))
    ran = small.build(meanwhile=[written, a_moment_later()])
    assert ran.code == 0 and all(ran.reached), f"{ran}"
    build(small)
    assert_clean(small)


def test_a_fault_made_while_clips_are_made_is_told_next(small: Workplace) -> None:
    path, text = "gallery/prompts/lofi/rain.md", prompt("slow piano in the rain", "temperature: 9")
    ran = small.build(*SKETCHING, meanwhile=[sketching(Change(path, text.encode())), a_moment_later()])
    assert ran.code == 0 and all(ran.reached), f"{ran}"
    for _ in range(2):
        ran = small.build(*SKETCHING)
        assert ran.code == 1, f"{ran}"
        assert ran.faulty == {"prompts/lofi/rain.md"}


def assert_keeps(place: Workplace, path: str, content: str) -> None:
    """With this content, which has a fault, the site is what it would be with the file's content before."""
    before = place.read(f"gallery/{path}")
    assert before
    place.write(f"gallery/{path}", content)
    ran = place.build()
    assert ran.code == 1 and path in ran.faulty, f"{ran}"
    found = difference(place.site(), place.clean_site(instead={path: before}))
    assert not found, found


def test_a_fault_in_a_prompt_takes_nothing_from_its_kin(small: Workplace) -> None:
    build(small)
    assert_keeps(small, "prompts/lofi/snow.md", prompt("slow piano in the snow", "bpm: 120"))


@pytest.mark.parametrize("fault", ["calm: {cfg_coef: 95}", "calm: {cfg_coef: 5}\nodd: ["])
def test_a_fault_in_the_presets_changes_no_prompt(small: Workplace, fault: str) -> None:
    small.write("gallery/prompts/presets.yaml", "calm: {cfg_coef: 5}")
    small.write("gallery/prompts/calm.md", prompt("slow drums", "preset: calm"))
    build(small)
    assert_keeps(small, "prompts/presets.yaml", fault)


def test_a_faulty_prompt_has_the_preset_as_it_is_now(small: Workplace) -> None:
    """The text that was read last is what counts, and not what it came to then."""
    small.write("gallery/prompts/presets.yaml", "calm: {cfg_coef: 5}")
    small.write("gallery/prompts/calm.md", prompt("slow drums", "preset: calm"))
    build(small)
    small.write("gallery/prompts/presets.yaml", "calm: {cfg_coef: 4}")
    assert_keeps(small, "prompts/calm.md", prompt("slow drums", "preset: calm", "bpm: 120"))


def test_another_module_makes_another_site(small: Workplace) -> None:
    """Each takes the place of the one before: that one is as it was again."""
    build(small)
    before, contents = small.site(), {}
    for revision in REVISIONS:
        put_back(small, contents)
        path = revision.file_in(small)
        contents = {path: small.read(path)}
        small.write(path, revision.apply(contents[path]))
        assert small.clean_site() != before, f"{revision.name} changes no page; name another"
        build(small)
        assert_clean(small)
    put_back(small, contents)
    build(small)
    assert not difference(small.site(), before)


def test_another_version_of_a_library_makes_another_site(small: Workplace) -> None:
    """Each takes the place of another's."""
    build(small)
    before = small.site()
    for version in VERSIONS:
        for path, content in version.files.items():
            small.write(path, content)
        assert small.clean_site() != before, version.library
        build(small)
        assert_clean(small)
        small.remove(*version.files)
    build(small)
    assert not difference(small.site(), before)


def put_back(place: Workplace, contents: dict[str, bytes]) -> None:
    """Give files these contents."""
    for path, content in contents.items():
        place.write(path, content)


def test_the_form_links_to_the_guide_for_contributors_while_there_is_one(small: Workplace) -> None:
    settings = QUICK_SETTINGS.replace("[site]\n", '[site]\nrepository = "https://github.com/o/g"\n')
    small.write("gallery/gallery.toml", settings)
    small.write("gallery/CONTRIBUTING.md", "How to.\n")
    build(small)
    before = small.site()
    small.remove("gallery/CONTRIBUTING.md")
    build(small)
    assert_clean(small)
    assert small.site() != before
    small.write("gallery/CONTRIBUTING.md", "How to.\n")
    build(small)
    assert not difference(small.site(), before)


def test_templates_of_the_gallery_count_from_when_they_are_there(small: Workplace) -> None:
    build(small)
    before = small.site()
    footer = small.read("tool/templates/parts/footer.html")
    assert footer
    small.write("gallery/templates/parts/footer.html", footer + b"<p>Our own.</p>\n")
    small.write("gallery/templates/assets/site.css", "body { color: red; }\n")
    build(small)
    assert_clean(small)
    assert b"Our own." in small.site()["index.html"]
    small.remove("gallery/templates/parts/footer.html", "gallery/templates/assets/site.css")
    build(small)
    assert not difference(small.site(), before)


def test_a_workspace_that_was_lost_leaves_nothing_behind(small: Workplace) -> None:
    build(small)
    shutil.rmtree(small.folder / "gallery/.gallery")
    small.remove("gallery/prompts/lofi/rain.md")
    build(small)
    assert not [name for name in small.site() if name.startswith("prompts/lofi/rain/")]
    assert_clean(small)


def test_how_many_jobs_there_are_changes_nothing(small: Workplace) -> None:
    build(small, *SKETCHING)
    build(small, *SKETCHING)
    for jobs in ("2", "1", "3"):
        ran = build(small, "--engine", "sketch", "--jobs", jobs)
        assert "\n0 files written, " in ran.out
        assert not ran.looked, ran.opened


def test_a_change_in_any_room_is_seen(server: Server, tmp_path: Path) -> None:
    """One module of some folders; `test_every_file_of_the_tool_counts` takes all of them, without a build.

    Two galleries take turns, so that what is changed for one has aged when it is built.
    """
    places = [Workplace(server, tmp_path.resolve() / name) for name in ("one", "two")]
    for place in places:
        place.write("gallery/gallery.toml", QUICK_SETTINGS)
        place.write("gallery/prompts/one.md", prompt("fast drums"))
        for path in sorted((place.folder / "tool/guides").rglob("*.md")):
            path.unlink()
        build(place)
    for place in places:
        assert not build(place).looked, "a build with nothing to do looks at everything"
    every = sorted(path.relative_to(server.tool).as_posix() for path in server.tool.glob("gallery/**/*.py"))
    rooms = {Path(module).parent.parts[:2]: module for module in every}
    assert len(rooms) > 14
    modules = [*rooms.values()][::4]
    overlooked, changed = [], ""
    for turn, module in enumerate([*modules, ""]):
        ours, other = places[turn % 2], places[1 - turn % 2]
        if module:
            content = ours.read(f"tool/{module}")
            assert content is not None
            ours.write(f"tool/{module}", content + b"# changed\n")
        if changed and not build(other).looked:
            overlooked.append(changed)
        changed = module
    assert not overlooked
    for place in places:
        assert not build(place).looked


@pytest.fixture(scope="module")
def many(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A gallery of so many prompts that what is known of them fills many pages of a database, built."""
    place = Workplace(server, tmp_path_factory.mktemp("many").resolve())
    place.write("gallery/gallery.toml", QUICK_SETTINGS)
    for number in range(24):
        text = f"{'slow' if number % 2 else 'fast'} drums and instrument {number}"
        place.write(f"gallery/prompts/p{number}.md", prompt(text, notes=f"On *{number}*."))
    build(place)
    return place


# The sites of these prompts, as they are when nothing is known, by the edit: there are two.
CLEAN: dict[tuple[Path, str], dict[str, bytes]] = {}


def assert_survives(place: Workplace, damage: Callable[[Path], str]) -> None:
    """Builds after an edit and damage to a database make the site, and say a line of it at most.

    ``damage`` returns what it did.
    """
    files = sorted(path for path in (place.folder / "gallery/.gallery").rglob("*") if path.is_file())
    databases = [path for path in files if path.read_bytes().startswith(b"SQLite format 3\0")]
    assert databases, "builds keep no database; there is nothing to damage"
    for file in databases:
        path = "gallery/prompts/p7.md"
        notes = "Edited again." if b"Edited.\n" in (place.read(path) or b"") else "Edited."
        place.write(path, prompt("slow drums and instrument 7", notes=notes))
        done = f"{file.name}: {damage(file)}"
        ran = place.build()
        assert ran.code == 0 and "Traceback" not in ran.err, f"{done}: {ran}"
        # On a slow machine it says how far it has come, too.
        told = [line for line in ran.err.splitlines() if not line.startswith("writing: ")]
        assert len(told) <= 1, f"{done}: {ran}"
        edited = place.folder, notes
        if edited not in CLEAN:
            CLEAN[edited] = place.clean_site()
        found = difference(place.site(), CLEAN[edited])
        assert not found, f"{done}: {found}"


def test_a_page_of_a_database_may_be_lost(many: Workplace) -> None:
    chance = random.Random(1)

    def damage(file: Path) -> str:
        content = bytearray(file.read_bytes())
        # Pages with what is kept, by what they begin with, and not those that only lead there.
        leaves = [at for at in range(0, len(content), PAGE) if content[at] in (0x0A, 0x0D)]
        at = chance.choice(leaves or [0])
        content[at : at + PAGE] = bytes(PAGE)
        file.write_bytes(content)
        return f"page {at // PAGE} of {len(content) // PAGE} has become zero"

    for _ in range(6 * EXAMPLES):
        assert_survives(many, damage)


def test_a_byte_of_a_database_may_be_another(many: Workplace) -> None:
    chance = random.Random(2)

    def damage(file: Path) -> str:
        content = bytearray(file.read_bytes())
        at = chance.randrange(len(content))
        content[at] ^= chance.randrange(1, 256)
        file.write_bytes(content)
        return f"byte {at} of {len(content)} has become {content[at]:#x}"

    for _ in range(8 * EXAMPLES):
        assert_survives(many, damage)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda content: content[: len(content) // 2 + 100],
    "its first page": lambda content: content[:PAGE],
    "noise": lambda content: random.Random(3).randbytes(len(content)),
    "noise but for its beginning": lambda content: content[:100] + random.Random(4).randbytes(5000),
    "text": lambda content: b"{}\n",
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_database_may_hold_anything(many: Workplace, kind: str) -> None:
    def damage(file: Path) -> str:
        file.write_bytes(DAMAGES[kind](file.read_bytes()))
        return kind

    assert_survives(many, damage)


def test_a_folder_may_lie_where_a_database_should(many: Workplace) -> None:
    def damage(file: Path) -> str:
        file.unlink()
        (file / "inner").mkdir(parents=True)
        (file / "inner/file").write_text("x")
        return "is a folder"

    assert_survives(many, damage)


@pytest.fixture(scope="module")
def clips(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Clips as an engine leaves them in the store; their sound is that of sketches."""
    place = Workplace(server, tmp_path_factory.mktemp("clips").resolve())
    place.write("gallery/gallery.toml", QUICK_SETTINGS)
    for number, text in enumerate(TEXTS):
        place.write(f"gallery/prompts/p{number}.md", prompt(text))
    place.write("gallery/prompts/short.md", prompt(TEXTS[0], duration=0.5))
    place.write("gallery/prompts/grid.md", prompt(TEXTS[0], *GRIDS[1]))
    build(place, *SKETCHING)
    site = place.site()
    published = json.loads(site["catalogue.json"])["prompts"]
    made = {clip["key"]: rendered(clip, site) for entry in published for clip in entry["clips"]}
    for clip in made.values():
        for suffix, content in clip.files["here"].items():
            place.write(f"gallery/site/audio/{clip.key}{suffix}", content)
    assert "pending" not in build(place).out
    return [*made.values()]


def rendered(clip: dict[str, Any], site: dict[str, bytes]) -> Clip:
    """A sketch as it would be if it were a render."""
    audio, cover = site[clip["audio"]], site[clip["cover"]]
    files = {}
    for device in ("here", "there"):
        record = {
            "version": 1,
            "key": clip["key"],
            "request": clip["request"],
            "engine": "musicgen",
            "provenance": {"engine_version": 1, "date": "2026-11-20T00:00:00Z", "device": device},
            "preview": {
                "settings": "0" * 16,
                "audio_sha256": hashlib.sha256(audio).hexdigest(),
                "cover_sha256": hashlib.sha256(cover).hexdigest(),
                "bytes": len(audio),
                "duration": clip["length"],
                "loudness_before": clip["loudness"],
                "loudness_after": clip["loudness"],
                "true_peak_before": None,
                "true_peak_after": None,
                "peaks": clip["peaks"],
            },
        }
        files[device] = {".mp3": audio, ".webp": cover, ".json": json.dumps(record).encode()}
    return Clip(clip["key"], files)


@pytest.mark.parametrize(
    ("machine", "examples", "steps"),
    [(AnyEdits, 3, 12), (AnyEditsWithSketches, 2, 5)],
    ids=["without sketches", "with sketches"],
)
def test_any_edits(
    server: Server, clips: list[Clip], tmp_path: Path, machine: type, examples: int, steps: int
) -> None:
    run_state_machine_as_test(
        lambda: machine(server, clips, tmp_path.resolve()),
        settings=settings(
            max_examples=examples * EXAMPLES,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            phases=PHASES,
            print_blob=False,
        ),
    )
