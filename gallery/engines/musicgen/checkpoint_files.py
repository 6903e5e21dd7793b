"""Whether a checkpoint's files are on this machine; told without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gallery.config import Model

LM_FILE = "state_dict.bin"
CODEC_FILE = "compression_state_dict.bin"


def has_weights(model: Model, root: Path) -> bool:
    """Whether both of a checkpoint's files are in its folder, or in the hub's cache."""
    if model.folder:
        return all((root / model.folder / name).is_file() for name in (LM_FILE, CODEC_FILE))
    from huggingface_hub import try_to_load_from_cache

    revision = model.revision or None
    return all(
        isinstance(try_to_load_from_cache(model.hub, name, revision=revision), str)
        for name in (LM_FILE, CODEC_FILE)
    )
