"""How a clip came to be: what engines and importers tell of it, records keep and pages show.

The fields are described here and nowhere else: what engines fill is what pages look for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_serializer,
    model_validator,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


# What `imported_from` says of clips of TTS-WebUI, which knows a melody by the digest of its samples.
TTS_WEBUI = "TTS-WebUI"


def _label(label: str) -> Any:
    return Field(json_schema_extra={"label": label})


class Provenance(BaseModel):
    """What is known of how a clip was made; the fields stand in the order in which people read them.

    Records are shared, and other versions of gallery say other things in them: in JSON this is
    exactly what it was made from, unknown fields included, in the same order. A value of another
    kind than its field's is kept there, too; here it counts as not told.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    engine: Annotated[str, _label("engine")] = ""
    engine_version: Annotated[int | str, _label("version")] = ""
    model: Annotated[str | None, _label("model")] = None
    revision: Annotated[str | None, _label("model revision")] = None
    device: Annotated[str | None, _label("device")] = None
    dtype: Annotated[str | None, _label("precision")] = None
    date: Annotated[str | None, _label("date")] = None
    seconds: Annotated[float | None, _label("seconds taken")] = None
    attention: Annotated[str | None, _label("attention")] = None
    batch_size: Annotated[int | None, _label("batch size")] = None
    host: Annotated[str | None, _label("host")] = None
    text_encoder: Annotated[str | None, _label("text encoder")] = None
    codec: Annotated[str | None, _label("codec")] = None
    libraries: Annotated[dict[str, str] | None, _label("libraries")] = None
    service: Annotated[str | None, _label("service")] = None
    prediction: Annotated[str | None, _label("prediction id")] = None
    normalization: Annotated[str | None, _label("normalization")] = None
    seed_in_log: Annotated[int | None, _label("seed in the log")] = None
    imported_from: Annotated[str | None, _label("imported from")] = None
    original: Annotated[str | None, _label("original id")] = None
    file: Annotated[str | None, _label("imported file")] = None
    sha256: Annotated[str | None, _label("SHA-256 of the file")] = None
    reproducible: Annotated[bool | None, _label("reproducible")] = None
    note: Annotated[str | None, _label("note")] = None

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_as_given(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, dict):
            return validate(given)
        try:
            made = validate(given)
        except ValidationError as error:
            unlike = {finding["loc"][0] for finding in error.errors(include_url=False)}
            made = validate({name: value for name, value in given.items() if name not in unlike})
            _refuse_nan(given)
        if made.model_extra:
            _refuse_nan(made.model_extra)
        made._given = given
        return made

    @model_serializer
    def to_dict(self) -> dict[str, Any]:
        """The fields that are known, as JSON has them."""
        return dict(self._given)

    def with_fields(self, **fields: Any) -> Provenance:
        """The same with these fields, too."""
        return Provenance.model_validate({**self._given, **fields})

    def without_empty(self) -> Provenance:
        """The same without fields that say nothing, but for the engine's version, which is always there."""
        return Provenance.model_validate(
            {
                name: value
                for name, value in self._given.items()
                if value not in ("", None) or name == "engine_version"
            }
        )


def _refuse_nan(fields: dict[str, Any]) -> None:
    """Raise ValueError for numbers that JSON doesn't have, and that no browser would read."""
    json.dumps(fields, allow_nan=False)


def _label_of(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["label"]) if isinstance(extra, dict) else ""


# What people call the fields, in the order in which they read them.
PROVENANCE_LABELS = {name: _label_of(field) for name, field in Provenance.model_fields.items()}
