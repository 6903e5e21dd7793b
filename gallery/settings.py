"""What tables of gallery.toml have in common, and the tables of engines."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """One table of gallery.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MusicGenSettings(Settings):
    """How the engine `musicgen` renders: see [musicgen.md](musicgen.md)."""

    batch_size: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Most clips that are decoded at once, halved where memory runs out. If left out, what "
        "all of a GPU's memory has room for, 64 at most; on the CPU what is available, 4 at most.",
    )


class ReplicateSettings(Settings):
    """What the engine `replicate` renders on, and what that costs: see [replicate.md](replicate.md)."""

    model: str = Field(
        "meta/musicgen", pattern=r"^[\w.-]+/[\w.-]+$", description="The model's name on Replicate."
    )
    version: str = Field(
        "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        pattern=r"^[0-9a-f]{64}$",
        description="Version of the model to run, 64 hex digits.",
    )
    hardware: str = Field(
        "", max_length=80, description="What the model runs on, as its page says; kept in the records."
    )
    price_per_second: float | None = Field(
        None, gt=0, description="Price of a second of that hardware, in USD. Nothing is rendered without it."
    )
    compute_per_audio_second: float | None = Field(
        None,
        gt=0,
        description="Seconds of that hardware that a second of audio takes, for estimates until the first "
        "predictions have told. Nothing is rendered without it.",
    )
    concurrency: int = Field(4, ge=1, le=64, description="Predictions in flight at once.")
    timeout: float = Field(
        1800,
        gt=0,
        le=86400,
        description="Longest wait for one prediction, its start included, in seconds; then it is cancelled.",
    )
    settle_after: float = Field(
        600,
        gt=0,
        le=86400,
        description="Where it is not known whether Replicate took a prediction: seconds after the asking "
        "from which a list of your predictions that lacks it shows that it did not.",
    )
