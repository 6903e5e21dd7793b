"""gallery.toml -> Config.

Every setting is described where it is declared, those of engines in gallery/settings.py;
docs/configuration.md is made from these descriptions.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from gallery.errors import FaultyFile, GalleryError
from gallery.errors.text import printable
from gallery.errors.validation import explain
from gallery.settings import MusicGenSettings, ReplicateSettings, Settings
from gallery.state.inputs import stamp_of
from gallery.utils.root import CONFIG_NAME, WORKSPACE_NAME, WORKSPACE_VARIABLE, workspace_of

# A model's window: the longest stretch that it was trained to make at once, and
# audiocraft's default step from one window to the next, both in seconds.
WINDOWS = {"musicgen": (30.0, 18.0), "melody": (30.0, 18.0), "audiogen": (10.0, 2.0)}

# Raise it when the making of previews changes: all are then encoded anew from their
# lossless renders.
PREVIEW_VERSION = 2

# Settings of a machine, not of the gallery.
ENVIRONMENT = {
    WORKSPACE_VARIABLE: "Folder that takes the place of the gallery's own, "
    f"`{WORKSPACE_NAME}`, for what is not published: lossless renders, sketches, what builds found out, "
    "what was asked of Replicate. A whole path outside of the gallery, and one for each gallery. It is "
    "made if it isn't there; to move a workspace, move the folder's contents.",
}

WebAddress = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s\"'<>]+)?$")]
# With a slash at its end, for others to be made from it.
WebFolder = Annotated[
    WebAddress, AfterValidator(lambda url: url if url.endswith("/") or not url else f"{url}/")
]

WordForms = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=60)]], Field(min_length=1, max_length=30)
]


class Site(Settings):
    """What the catalogue calls itself and where it lives."""

    title: str = Field("Prompt gallery", min_length=1, max_length=80, description="Name of the gallery.")
    description: str = Field(
        "MusicGen turns words into music. Hear the same words again and again with one thing changed, "
        "and take the settings with you.",
        max_length=300,
        description="One sentence on the gallery, for its front page, search engines and feeds.",
    )
    headline: str = Field(
        "Hear what a *prompt* does.",
        min_length=1,
        max_length=120,
        description="What stands large on the front page. Words between asterisks are set off.",
    )
    opening: str = Field(
        "",
        max_length=400,
        description="The prompt that plays on the front page, by its path, e.g. `edm/anthem`. If left out, "
        "the newest comparison that is rendered, else one of sketches that differ, else the newest clip.",
    )
    questions: list[str] = Field(
        [],
        max_length=50,
        description="The prompts below it, by their paths, in this order. If left out, comparisons whose "
        "titles ask something.",
    )
    base_url: WebFolder = Field(
        "",
        description="Where the site is served, e.g. `https://octocat.github.io/gallery/`. "
        "Feeds, the sitemap and the 404 page need it; pages link to each other without it.",
    )
    repository: Annotated[WebAddress, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        "",
        description="The gallery's repository, e.g. `https://github.com/octocat/gallery`; "
        "pages link to their sources there.",
    )
    branch: str = Field(
        "main", pattern=r"^[\w./-]+$", description="The repository's branch that contributions go to."
    )
    author: str = Field("", max_length=80, description="Who publishes the gallery; named in the feed.")
    language: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="Language that the gallery writes in, a BCP 47 tag: its title, headline and "
        "description, and prompts with their titles, tags and notes, are marked so where their letters don't "
        "tell another; guides in it come first. The pages themselves are English.",
    )
    cards: int = Field(
        200,
        ge=0,
        le=100_000,
        description="Prompts, newest first, that get a picture of their own where their pages are shared; "
        "the others share the site's.",
    )
    tag_pages: int = Field(
        2,
        ge=1,
        le=100_000,
        description="Fewest prompts of a tag that has a page. Other tags lead to the catalogue, narrowed to "
        "them; without scripts, to their newest prompt.",
    )
    page_size: int = Field(60, ge=1, le=500, description="Prompts on one list page.")
    words: list[WordForms] = Field(
        [],
        max_length=500,
        description="Words that find each other in the [search](searching.md), a list for each: "
        '`words = [["handpan", "hang"], ["kora", "harp lute"]]`. They go before the built-in ones '
        "(`lofi` finds `lo-fi`): a word that stands here has no other forms than here, so that a list of "
        "one word takes it out of them.",
    )


class Model(Settings):
    """A model that prompts may name."""

    hub: str = Field(
        min_length=1,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="The model's id on the Hugging Face hub; part of every clip's key.",
    )
    revision: str = Field(
        "", pattern=r"^([0-9a-f]{40})?$", description="Commit of the hub repository to load, 40 hex digits."
    )
    text_encoder_revision: str = Field(
        "",
        pattern=r"^([0-9a-f]{40})?$",
        description="Commit of the text encoder that the checkpoint names, 40 hex digits. If left out, "
        "the published models have a known one, others the newest.",
    )
    codec_revision: str = Field(
        "",
        pattern=r"^([0-9a-f]{40})?$",
        description="Commit of the codec, where the checkpoint names one instead of holding its own, "
        "40 hex digits. If left out, the newest.",
    )
    folder: str = Field(
        "",
        description="A local folder that holds the checkpoint, instead of the hub; relative to gallery.toml.",
    )
    kind: Literal["musicgen", "melody", "audiogen"] = Field(
        description="`musicgen` (text to music), `melody` (text and a melody to music) "
        "or `audiogen` (text to sound)."
    )
    sample_rate: int = Field(32000, ge=8000, le=48000, description="Samples a second.")
    channels: int = Field(1, ge=1, le=2, description="1 for mono, 2 for stereo.")
    max_duration: float = Field(
        120, gt=0, le=600, description="Longest clip to ask of this model, in seconds."
    )
    license: str = Field("CC-BY-NC-4.0", description="Licence of the model's weights.")
    precision: Literal["auto", "float32"] = Field(
        "auto",
        description="What the model is computed in. `auto`: float16 on a GPU, float32 on the CPU. `float32`: "
        "that on a GPU too, without TF32, which is slower, takes twice the memory, and comes nearest to the "
        "CPU. Clips that are rendered stay as they are.",
    )
    unpickle: bool = Field(
        False,
        description="Load a checkpoint that needs unpickling, which runs code of whoever made it. "
        "Only for a source that you trust.",
    )

    @property
    def window(self) -> float:
        """Seconds the model makes at once; longer clips are made in overlapping windows."""
        return WINDOWS[self.kind][0]

    @property
    def stride(self) -> float:
        """Seconds from one window to the next where a prompt doesn't say."""
        return WINDOWS[self.kind][1]

    @property
    def takes_melody(self) -> bool:
        """Whether a prompt for this model may have a melody."""
        return self.kind == "melody"


class Limits(Settings):
    """What a prompt file may ask for."""

    duration: float = Field(120, gt=0, le=600, description="Longest clip, in seconds.")
    clips_per_prompt: int = Field(
        36, ge=1, le=1000, description="Most clips of one prompt, grids multiplied out."
    )
    prompt_length: int = Field(2000, ge=1, le=20000, description="Longest prompt text, in characters.")
    note_length: int = Field(20000, ge=0, le=200000, description="Longest note, in characters of Markdown.")
    tags: int = Field(12, ge=0, le=100, description="Most tags of one prompt.")
    melody_bytes: int = Field(10_000_000, ge=1, le=10**12, description="Largest melody file, in bytes.")
    melody_seconds: float = Field(60, gt=0, le=600, description="Longest melody, in seconds.")


class PreviewSettings(Settings):
    """How renders become the MP3s that the site plays."""

    loudness: float = Field(-16, ge=-30, le=-6, description="Loudness that previews are matched to, in LUFS.")
    true_peak: float = Field(-1, ge=-9, le=0, description="Highest true peak of the MP3, in dBTP.")
    quality: int = Field(2, ge=0, le=9, description="LAME's VBR quality: 0 is best and largest, 9 smallest.")

    @property
    def digest(self) -> str:
        """16 hex digits of all that decides how a preview is made from its audio.

        Every record keeps it, so that changed settings encode anew.
        """
        text = f"{PREVIEW_VERSION} {self.loudness:g} {self.true_peak:g} {self.quality}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class StoreSettings(Settings):
    """Where previews and their records are kept."""

    url: str = Field(
        "site/audio",
        min_length=1,
        description="Folder of previews and records, relative to gallery.toml, or the address of a bucket or "
        "server, e.g. `s3://bucket/clips`: see [scale.md](scale.md).",
    )
    audio_url: WebFolder = Field(
        "",
        description="Address from which the pages play previews, where they are not published with the site.",
    )
    id: str = Field(
        "",
        pattern=r"^[\w./:@~+-]{0,100}$",
        description="Name of this gallery, which no other gallery has: a store elsewhere belongs to the "
        "first that pushes to it. If left out, the site's `repository` is it.",
    )
    grace_days: float = Field(
        14,
        ge=0,
        le=10_000,
        description="Days that `gallery store gc` keeps a clip that no prompt asks for, from when it came.",
    )

    @property
    def remote(self) -> bool:
        """Whether the store is elsewhere, so that this machine works on a mirror of it."""
        return "://" in self.url

    @property
    def without_audio(self) -> bool:
        """Whether records may lie on this machine without their audio, which has another place."""
        return self.remote or bool(self.audio_url)

    @field_validator("url")
    @classmethod
    def _name_one_place(cls, value: str) -> str:
        if "::" in value:
            raise ValueError("addresses cannot be chained; name one place")
        if re.match(r"[^/]*://[^/@]*:[^/]*@", value):
            raise ValueError("holds a password, which everyone who has gallery.toml could read; take it out")
        return value


# Leads what gallery.toml has under a name that is a field of `Config` and no setting.
_NO_SETTING = "setting:"

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]


class Config(Settings):
    """A gallery's settings, and the folder that its gallery.toml is in."""

    root: Path = Field(exclude=True)
    stamp: str = Field("", exclude=True, description="Of gallery.toml, before it was read.")
    site: Site = Site()
    models: dict[ModelName, Model] = Field(min_length=1)
    limits: Limits = Limits()
    preview: PreviewSettings = PreviewSettings()
    store: StoreSettings = StoreSettings()
    musicgen: MusicGenSettings = MusicGenSettings()
    replicate: ReplicateSettings = ReplicateSettings()

    @property
    def prompts(self) -> Path:
        """Folder of the prompt files."""
        return self.root / "prompts"

    @property
    def workspace(self) -> Path:
        """Folder of what is not published: lossless renders, sketches, caches.

        Raises GalleryError where the environment names a place that it cannot be.
        """
        return workspace_of(self.root)

    @property
    def file(self) -> Path:
        """The gallery's gallery.toml."""
        return self.root / CONFIG_NAME

    @property
    def inputs(self) -> list[Path]:
        """What builds read, but for what they have made themselves."""
        return [self.prompts, *(self.root / name for name in ("guides", "templates", "CONTRIBUTING.md"))]

    @property
    def store_folder(self) -> Path:
        """Folder of previews and records on this machine: the store, or the mirror of one elsewhere."""
        return self.workspace / "store" if self.store.remote else self.root / self.store.url

    @property
    def gallery_id(self) -> str:
        """What all clones of this gallery call it, and no other gallery; nothing where nobody said."""
        return self.store.id or self.site.repository

    @property
    def default_model(self) -> str:
        """The model of prompts that name none: the first of gallery.toml."""
        return next(iter(self.models))

    def model_name(self, hub: str) -> str:
        """The gallery's name for a hub id, or the id itself for a model that it doesn't list."""
        return next((name for name, model in self.models.items() if model.hub == hub), hub)


def load_config(root: Path) -> Config:
    """Read and validate ``root``'s gallery.toml. Raises FaultyFile with every fault in it."""
    path = root / CONFIG_NAME
    stamp = stamp_of(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        settings = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise GalleryError(f"{CONFIG_NAME}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise GalleryError(f"{CONFIG_NAME}: not valid TOML: {printable(str(error))}") from error
    except RecursionError as error:
        raise GalleryError(f"{CONFIG_NAME}: lists or tables too deep to be read; write them flat") from error
    except ValueError as error:  # what Python's own readers of numbers and dates refuse
        line = _line_of_long_number(text)
        problem = f"a number of more than {sys.get_int_max_str_digits()} digits" if line else str(error)
        place = f"{CONFIG_NAME}:{line}" if line else CONFIG_NAME
        raise GalleryError(f"{place}: {printable(problem)}; no setting takes that") from error
    own = {f"{_NO_SETTING}{name}": settings.pop(name) for name in ("root", "stamp") if name in settings}
    try:
        config = Config.model_validate({**settings, **own, "root": root, "stamp": stamp})
    except ValidationError as error:
        named = explain(error, Config, CONFIG_NAME, lambda loc: _line_of(text, loc))
        raise FaultyFile(replace(f, field=f.field.removeprefix(_NO_SETTING)) for f in named) from error
    hubs = [model.hub for model in config.models.values()]
    twice = next((hub for hub in hubs if hubs.count(hub) > 1), None)
    if twice:
        raise GalleryError(f'{CONFIG_NAME}: models: "{twice}" has two names; keep one')
    return config


def _line_of_long_number(text: str) -> int:
    """The first line with a number that Python refuses to read, else 0."""
    digits = sys.get_int_max_str_digits()
    lines = enumerate(text.splitlines(), start=1)
    return next((n for n, line in lines if re.search(rf"\d{{{digits + 1}}}", line.replace("_", ""))), 0)


def _line_of(text: str, loc: tuple[Any, ...]) -> int:
    """The line of a setting: its key's within its table, else its table's, else 0."""
    names = [str(part).removeprefix(_NO_SETTING) for part in loc if part != "[key]"]
    for depth in range(len(names), 0, -1):
        table, key = ".".join(names[: depth - 1]), names[depth - 1]
        section, whole = "", ".".join(names[:depth])
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[([^\[\]]+)\]", line):
                section = header[1].replace('"', "").replace(" ", "")
                if section == whole:
                    return number
            elif section == table and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
                return number
    return 0
