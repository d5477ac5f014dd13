"""The schemas of all messages: each field with its sentence, a message that says more than its fact by what is more."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from hotline.contract.fields import described
from shared.events import SPEAKERS, Attachment, Correction, Fact
from shared.inputs import Input
from shared.log.anchors import Anchor
from shared.programme_notice import ProgrammeNotice
from shared.results import AnsweredInput, InputParked, as_told
from shared.structured import CONTENT_TYPE, REQUIRED

Kind = type[Fact | Input | Anchor | InputParked | ProgrammeNotice]
STORED: Final[dict[type[Any], type[Fact]]] = {as_told(fact): fact for fact in SPEAKERS}
"""The fact that a message is, where it says more than that."""
STRUCTURED: Final = "Structured"
"""The suffix of an input's message and schema in structured mode."""
REF: Final = "#/components/schemas/{name}"

_ENVELOPE: Final[dict[str, Any]] = {
    "title": STRUCTURED,
    "description": "A CloudEvent in structured mode: with `data`, or in its place with `data_base64`.",
    "type": "object",
    "properties": {
        "specversion": {"type": "string", "const": "1.0", "description": "Always 1.0."},
        "type": {"type": "string", "description": "The message's type and version."},
        "source": {"type": "string", "minLength": 1, "description": "Who speaks."},
        "id": {"type": "string", "minLength": 1, "description": "Unique within the source."},
        "time": {"type": "string", "format": "date-time", "description": "When it happened, with zone."},
        "datacontenttype": {"type": "string", "description": "application/json, where it is said."},
        "data_base64": {
            "type": "string",
            "description": "The data in Base64, where there is no member data.",
        },
    },
    "required": list(REQUIRED),
}
_ENVELOPE_HEADERS: Final[dict[str, Any]] = {
    "title": f"{STRUCTURED}Headers",
    "description": "The one header of an event in structured mode.",
    "type": "object",
    "properties": {
        "content-type": {"type": "string", "description": f"{CONTENT_TYPE}, with or without charset=utf-8."}
    },
    "required": ["content-type"],
}


def schemas_of(kinds: Iterable[Kind]) -> dict[str, Any]:
    """The schemas of these messages and of what they hold, by name; no two have one title."""
    known = list(kinds)
    whole: list[type[msgspec.Struct]] = [kind for kind in known if kind not in STORED]
    whole += [fact for kind, fact in STORED.items() if kind in known]
    held: list[type[msgspec.Struct]] = [Attachment, Correction, AnsweredInput]
    made = described_schemas([*dict.fromkeys([*whole, *held, *known])])
    for kind in known:
        if (fact := STORED.get(kind)) is not None:
            made[kind.__name__] = _more_than(made[kind.__name__], made[fact.__name__])
        elif issubclass(kind, Input):
            made[kind.__name__ + STRUCTURED] = _structured(kind)
    made[STRUCTURED] = _ENVELOPE
    made[f"{STRUCTURED}Headers"] = _ENVELOPE_HEADERS
    return dict(sorted(made.items()))


def described_schemas(kinds: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """The schemas of these structures and of what they hold, by name, with a sentence for each field of these."""
    _, made = msgspec.json.schema_components(kinds, ref_template=REF)
    for kind in kinds:
        _describe(made[kind.__name__], kind)
    return dict(made)


def _describe(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    schema["description"] = inspect.cleandoc(kind.__doc__ or "")
    for name, text in described(kind).items():
        field = schema["properties"][name]
        if "$ref" in field:  # what stands beside a reference is not read
            field = {"allOf": [{"$ref": field.pop("$ref")}], **field}
        kind_of_text = field.pop("description", "")
        schema["properties"][name] = {**field, "description": f"{text} {kind_of_text}".strip()}


def _more_than(schema: dict[str, Any], fact: dict[str, Any]) -> dict[str, Any]:
    """The schema of a message that says more than its fact: the fact's by reference, and what is more."""
    more = {n: field for n, field in schema["properties"].items() if n not in fact["properties"]}
    return {
        "title": schema["title"],
        "description": schema["description"],
        "allOf": [
            {"$ref": REF.format(name=fact["title"])},
            {
                "type": "object",
                "properties": more,
                "required": [name for name in schema["required"] if name in more],
            },
        ],
    }


def _structured(kind: type[Input]) -> dict[str, Any]:
    own = {
        "type": {"type": "string", "const": kind.TYPE, "description": "The message's type and version."},
        "data": {"allOf": [{"$ref": REF.format(name=kind.__name__)}], "description": "What is said."},
    }
    return {
        "title": kind.__name__ + STRUCTURED,
        "description": f"`{kind.TYPE}` in structured mode.",
        "allOf": [{"$ref": REF.format(name=STRUCTURED)}, {"type": "object", "properties": own}],
    }
