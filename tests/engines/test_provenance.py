"""What records tell of how a clip was made: typed where it is known, kept as it is in any case."""

from __future__ import annotations

import json
import pickle
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from gallery.config import load_config
from gallery.engines.provenance import PROVENANCE_LABELS, Provenance
from gallery.store.places import Stores
from support.galleries import render_all

if TYPE_CHECKING:
    from pathlib import Path

    from support.galleries import Gallery

# As engines and importers of this and of earlier versions wrote them, and as nobody did.
KEPT: dict[str, dict[str, Any]] = {
    "musicgen": {
        "engine": "musicgen",
        "engine_version": 1,
        "model": "facebook/musicgen-small",
        "revision": "4c8334b02c6ec4e8664a91979669a501ec497792",
        "text_encoder": "t5-base@a9723ea7f1b39c1eae772870f3b547bf6ef7e6c1",
        "device": "NVIDIA H200",
        "dtype": "float16",
        "libraries": {"audiocraft": "1.3.0", "torch": "2.13.0+cu130", "transformers": "5.1.0"},
        "batch_size": 64,
        "date": "2026-11-20T00:00:00+00:00",
        "seconds": 1.274,
        "host": "node-3",
    },
    "replicate": {
        "engine": "replicate",
        "engine_version": "ab" * 32,
        "service": "meta/musicgen",
        "prediction": "prediction0000000000000001",
        "seed_in_log": 7,
        "seconds": 10.0,
    },
    "imported": {
        "engine": "musicgen",
        "engine_version": "",
        "imported_from": "TTS-WebUI",
        "reproducible": False,
        "note": "made with a random seed that was not kept; the seed 0 stands for it",
        "file": "2026__musicgen__None.wav",
        "sha256": "0" * 64,
    },
    "unknown fields": {
        "wall_seconds": 9.10,
        "engine": "musicgen",
        "weather": {"sky": ["grey", None, 1e22, -0.0]},
        "seconds": 3,
        "engine_version": "1.3.0",
        "model_revision": "f" * 40,
    },
    "fields of other kinds": {
        "seconds": "7",
        "device": 7,
        "engine_version": [1],
        "libraries": {"torch": 2},
        "date": None,
        "batch_size": 1.5,
        "reproducible": "no",
        "engine": "musicgen",
        "seed_in_log": "7",
    },
    "names of its own": {"engine": "musicgen", "to_dict": 1, "_given": 2, "model_config": 3, "self": 4},
    "nothing": {},
}


@pytest.mark.parametrize("told", KEPT.values(), ids=KEPT)
def test_a_record_is_written_back_byte_for_byte(gallery: Gallery, told: dict[str, Any]) -> None:
    path = rendered(gallery, told)
    kept = path.read_bytes()
    store = Stores.of(load_config(gallery.root)).store
    record = store.get(path.stem)
    assert record is not None
    assert record.to_json() == kept
    assert json.dumps(pickle.loads(pickle.dumps(record.provenance)).to_dict()) == json.dumps(told)


@pytest.mark.parametrize("told", KEPT.values(), ids=KEPT)
def test_a_lossless_render_keeps_what_is_told(gallery: Gallery, told: dict[str, Any]) -> None:
    gallery.prompt("drums", "prompt: drums", "duration: 1")
    [key] = render_all(gallery)
    path = gallery.root / f".gallery/renders/{key}.json"
    about = {**json.loads(path.read_text()), "provenance": {**told, "engine": "musicgen"}}
    path.write_text(json.dumps(about))
    lossless = Stores.of(load_config(gallery.root)).lossless
    render = lossless.get(key)
    assert render is not None
    lossless.put(render)
    assert path.read_text() == json.dumps(about)


def test_what_is_of_another_kind_is_not_told() -> None:
    odd = Provenance.model_validate(KEPT["fields of other kinds"])
    fields = Provenance.model_fields.items()
    assert {name for name, field in fields if getattr(odd, name) != field.default} == {"engine"}
    typed = Provenance.model_validate(KEPT["musicgen"])
    assert (typed.seconds, typed.device, typed.batch_size) == (1.274, "NVIDIA H200", 64)
    assert typed.with_fields(host="node-4", more=1).to_dict() == {
        **KEPT["musicgen"],
        "host": "node-4",
        "more": 1,
    }


@pytest.mark.parametrize("name", ["seconds", "weather", "device"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(name: str, number: str) -> None:
    for value in (number, f'[{{"a": {number}}}]'):
        with pytest.raises(ValidationError, match="not JSON compliant"):
            Provenance.model_validate_json(f'{{"engine": "musicgen", "{name}": {value}}}')


def test_a_page_names_what_it_knows_and_shows_the_rest(gallery: Gallery) -> None:
    path = rendered(gallery, {**KEPT["musicgen"], "weather": "grey", "lens_cap": 1})
    kept = path.read_bytes()
    assert gallery.run("build", "--engine", "none").code == 0
    assert path.read_bytes() == kept
    page = (gallery.root / "site/prompts/drums/index.html").read_text()
    made = page.partition("How it was made")[2].partition("</table>")[0]
    shown = " ".join(unescape(re.sub(r"<[^>]*>", " ", made)).split())
    assert "model facebook/musicgen-small model revision 4c8334b02c6e device NVIDIA H200" in shown
    assert "date 2026-11-20T00:00:00+00:00 seconds taken 1.274 batch size 64 host node-3" in shown
    assert "lens cap 1 weather grey raw loudness" in shown


def test_every_field_has_a_label() -> None:
    assert list(PROVENANCE_LABELS) == list(Provenance.model_fields)
    assert all(PROVENANCE_LABELS.values())
    assert len(set(PROVENANCE_LABELS.values())) == len(PROVENANCE_LABELS)


def rendered(gallery: Gallery, told: dict[str, Any]) -> Path:
    """A clip in the store, with this in its record; returns the record."""
    gallery.prompt("drums", "prompt: drums", "duration: 1")
    render_all(gallery)
    assert gallery.run("build", "--engine", "none").code == 0
    [path] = (gallery.root / "site/audio").glob("*.json")
    record = {**json.loads(path.read_text()), "provenance": told}
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return path
