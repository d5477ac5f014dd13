"""Open311's part of the contract of HTTP: forms, and answers in two formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hotline.contract.schemas import REF, described_schemas
from hotline.web.open311.forms import MULTIPART, URLENCODED
from hotline.web.open311.shapes import BODIES, GeoReportError
from hotline.web.open311.wire import API_KEY, JSON, XML

SECURITY: Final = {
    API_KEY: {
        "type": "apiKey",
        "in": "query",
        "name": API_KEY,
        "description": "The same key, as Open311 sends it; of a form a field of this name will do.",
    }
}
_ATTRIBUTE: Final = r"^attribute\[[A-Za-z0-9_-]{1,100}\](\[\])?$"


def form_body(fields: Mapping[str, str], required: tuple[str, ...]) -> dict[str, Any]:
    """The body of a route that takes a form."""
    schema = {
        "type": "object",
        "properties": {
            name: (
                {"type": "array", "items": {"type": "string"}, "description": text}
                if name == "media_url"
                else {"type": "string", "description": text}
            )
            for name, text in fields.items()
        },
        "patternProperties": {_ATTRIBUTE: {"type": "string"}},
        "required": list(required),
        "additionalProperties": False,
    }
    return {"required": True, "content": {kind: {"schema": schema} for kind in (URLENCODED, MULTIPART)}}


def answered(kind: type[msgspec.Struct], *, many: bool) -> dict[str, Any]:
    """The content of an answer, in both formats."""
    reference = {"$ref": REF.format(name=kind.__name__)}
    schema = {"type": "array", "items": reference} if many else reference
    text = {"type": "string", "description": "The same as XML, as the standard has it."}
    return {JSON: {"schema": schema}, XML: {"schema": text}}


def refused() -> dict[str, Any]:
    """The content of an error, in both formats."""
    return answered(GeoReportError, many=True)


def schemas() -> dict[str, Any]:
    """The schemas of all bodies, a sentence for each field."""
    return described_schemas(BODIES)
