"""Values out of other people's metadata: plain and in bounds, or `Unusable`."""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from gallery.errors.text import shown
from gallery.importers.found import Unusable
from gallery.prompts.request import plain_number
from gallery.utils.slug import slug

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Config

MAX_JSON_BYTES = 10_000_000
MAX_JSON_DEPTH = 32
MAX_TEXT_LENGTH = 100_000

_NAME_LENGTH = 30

LARGEST_NUMBER = 1e15
LARGEST_SEED = 2**32 - 1
_LARGEST_SAID = 1e30  # of seeds of others

UNKNOWN_SEED = "nobody said what its seed was"
RANDOM_SEED = "made with a random seed that was not kept"
OTHER_SEED = "its seed is said to be {seed}, which is none that a clip has here"

_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")
_HUB = re.compile(r"[\w.-]+/[\w.-]+")
_DATE_FORMS = ("%Y-%m-%d_%H-%M-%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


def read_bytes(path: Path, limit: int) -> bytes:
    """A file's bytes. Raises Unusable for one that is no file, or is larger than ``limit``."""
    try:
        if not path.is_file():
            raise Unusable("not a file")
        size = path.stat().st_size
        if size > limit:
            raise Unusable(f"larger than {limit / 1e6:g} MB")
        with path.open("rb") as file:
            return file.read(size)  # and no more, should it grow meanwhile
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror or error}") from error


def load_json(data: bytes | str) -> Any:
    """A JSON value of bounded size and depth. Raises Unusable."""
    if len(data) > MAX_JSON_BYTES:
        raise Unusable(f"its JSON is larger than {MAX_JSON_BYTES / 1e6:g} MB")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value = json.loads(text, strict=False, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Unusable("its JSON is not UTF-8") from error
    except RecursionError as error:
        raise Unusable("its JSON is nested too deep") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unusable(f"its JSON is damaged ({error.msg} at {place})") from error
    except ValueError as error:  # a number of thousands of digits
        raise Unusable("its JSON holds a number of too many digits") from error
    _refuse_depth(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Unusable("its JSON has a field twice")
    return fields


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return
    raise Unusable("its JSON is nested too deep")


def clean_line(value: Any, length: int = 200) -> str:
    """A value as text of one line that cannot steer a terminal, and that every file can hold."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:length])


def text_of(fields: dict[str, Any], name: str) -> str:
    """A field that is text; nothing where it is missing or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable(f"its {name} is {shown(value)}, not text")
    if len(value) > MAX_TEXT_LENGTH:
        raise Unusable(f"its {name} is {len(value):,} characters long")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unusable(f"its {name} holds half a character, {shown(value[error.start])}") from error
    return value


def number_of(
    fields: dict[str, Any], name: str, default: float | None = None, largest: float = LARGEST_NUMBER
) -> Any:
    """A field that is a number, or text that is one; 3.0 is 3. Raises Unusable if it is neither."""
    value = fields.get(name)
    if value is None and default is not None:
        return default
    if value is None:
        raise Unusable(f"its metadata has no {name}")
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        digits = value.strip()
        value = float(digits) if re.search(r"[.eE]", digits) else int(digits)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"its {name} is {shown(value)}, not a number")
    if value != value or abs(value) > largest:
        raise Unusable(f"its {name}, {shown(value)}, is not a number that can be used")
    return plain_number(value)


def seed_of(
    fields: dict[str, Any], random: tuple[int, ...] = (-1,), missing: str = UNKNOWN_SEED
) -> tuple[int | None, str]:
    """The seed that was used, or None and why nobody knows it. Raises Unusable for what is no whole number.

    ``random`` are the seeds that have the tool draw one, ``missing`` is why there may be none.
    """
    said = fields.get("seed")
    if said is None or (isinstance(said, str) and not said.strip()):
        return None, missing
    seed = number_of(fields, "seed", largest=_LARGEST_SAID)
    if seed in random:
        return None, RANDOM_SEED
    if not isinstance(seed, int):
        raise Unusable(f"its seed is {shown(said)}, not a whole number")
    if 0 <= seed <= LARGEST_SEED:
        return seed, ""
    return None, OTHER_SEED.format(seed=seed)


def iso_date(value: Any) -> str:
    """A date of TTS-WebUI or Replicate in ISO 8601, to the second; nothing if it is none.

    TTS-WebUI writes local times without a zone, and so they stay.
    """
    text = str(value or "").strip()[:40]
    zone = "Z" if text.endswith(("Z", "+00:00")) else ""
    for form in _DATE_FORMS:
        try:
            read = datetime.strptime(re.split(r"\.|Z$|\+00:00$", text)[0], form)
        except ValueError:
            continue
        return read.isoformat(timespec="seconds") + zone
    return ""


def model_name(config: Config, name: str) -> str:
    """The gallery's name of a model that is named as a tool names it, short or in full.

    Raises Unusable, with what to add to gallery.toml, for one that the gallery doesn't list.
    """
    hub = name
    if "/" not in hub:
        hub = f"facebook/{hub}" if hub.startswith(("musicgen", "audiogen")) else f"facebook/musicgen-{hub}"
    if not name or len(hub) > 100 or not _HUB.fullmatch(hub):
        raise Unusable(f"its model, {shown(name)}, is none of the Hugging Face hub")
    known = next((own for own, model in config.models.items() if model.hub == hub), None)
    if known:
        return known
    base = hub.rpartition("/")[2].lower()
    if "musicgen" not in base and "audiogen" not in base:
        raise Unusable(f"its model, {shown(hub)}, is neither MusicGen nor AudioGen")
    kind = "audiogen" if "audiogen" in base else "melody" if "melody" in base else "musicgen"
    own = _free_name(base, kind, config)
    settings = [f'hub = "{hub}"', f'kind = "{kind}"']
    settings += ["channels = 2"] if "stereo" in base else []
    settings += ["sample_rate = 16000"] if kind == "audiogen" else []
    raise Unusable(
        f"its model is not in gallery.toml; to have it, add [models.{own}] with {' and '.join(settings)}",
        advice="\n".join([f"[models.{own}]", *settings]),
    )


def _free_name(base: str, kind: str, config: Config) -> str:
    """A name for a model that the gallery doesn't list, and that is none of those that it lists."""
    plain = base.removeprefix("musicgen-").removesuffix("-medium" if kind == "audiogen" else "")
    name = slug(plain, _NAME_LENGTH) or "imported"
    numbered = (f"{name}{'' if number == 1 else f'-{number}'}" for number in count(1))
    return next(free for free in numbered if free not in config.models)
