"""The contract of HTTP as OpenAPI 3.1, made from the table of routes and the messages' own schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from hotline.contract.examples.told import input_example
from hotline.contract.schemas import REF, described_schemas, schemas_of
from hotline.web import limits
from hotline.web.answers import (
    AcceptedEvent,
    AcceptedEvents,
    ActOutcome,
    ComplaintPage,
    ComplaintSeen,
    ComplaintTimeline,
    ContactSeen,
    KeySeen,
    KnownUnit,
    KnownUnits,
    ListAsOf,
    OfferedAnswer,
    OfferedAnswers,
    PlacedOrder,
    SealedContact,
    StatedFact,
    TextNumberSeen,
    TimelineEntry,
    UndecidedAct,
    WaitingOrder,
)
from hotline.web.contact_seal import BESIDE, GivenContact
from hotline.web.contacts import RequestContact
from hotline.web.documented_answers import responses
from hotline.web.events import BATCH, JSON
from hotline.web.open311 import contract as open311
from hotline.web.problems import HttpProblem
from hotline.web.roles import LINE_OF
from hotline.web.route_shapes import HttpParameter, HttpRoute, TakenBody, WireName
from hotline.web.signing import SIGNATURE
from shared.cloudevents import ATTRIBUTE_BYTES_MAX, VALUE_BYTES_MAX
from shared.events import Attachment
from shared.inputs import Input
from shared.structured import CONTENT_TYPE as STRUCTURED
from shared.structured import REQUIRED
from shared.versions import release

ANSWERS: Final = (
    AcceptedEvent,
    AcceptedEvents,
    StatedFact,
    PlacedOrder,
    ActOutcome,
    UndecidedAct,
    SealedContact,
    TextNumberSeen,
    ContactSeen,
    ComplaintSeen,
    ListAsOf,
    ComplaintPage,
    TimelineEntry,
    ComplaintTimeline,
    KeySeen,
    KnownUnit,
    KnownUnits,
    WaitingOrder,
    OfferedAnswer,
    OfferedAnswers,
    HttpProblem,
)
LIMITS: Final[Mapping[str, float]] = {
    "bodyBytesMax": limits.BODY_BYTES_MAX,
    "bodySecondsMax": limits.BODY_SECONDS_MAX,
    "headBytesMax": limits.HEAD_BYTES_MAX,
    "headSecondsMax": limits.HEAD_SECONDS_MAX,
    "eventBytesMax": VALUE_BYTES_MAX,
    "attributeBytesMax": ATTRIBUTE_BYTES_MAX,
    "batchEventsMax": limits.BATCH_EVENTS_MAX,
    "depthMax": limits.DEPTH_MAX,
    "ratePerSecond": limits.RATE_PER_SECOND,
    "burstSeconds": limits.BURST_SECONDS,
    "outcomeSecondsMax": limits.OUTCOME_SECONDS_MAX,
    "kafkaSecondsMax": limits.KAFKA_SECONDS_MAX,
    "connectionsMax": limits.CONNECTIONS_MAX,
    "pageRowsMax": limits.PAGE_MAX,
    "signedSecondsMax": limits.SIGNED_SECONDS_MAX,
    "signaturesMax": limits.SIGNATURES_MAX,
    "secretsMax": limits.SECRETS_MAX,
}
"""Every limit of a client, by its name in the contract."""
_DESCRIPTION: Final = f"""\
The HTTP door of a city hotline. `hotline key add ROLE` makes a key; each request carries it as `Authorization: Bearer`.

An event is a CloudEvent of `docs/asyncapi.json`; it goes to the topic on which the key's role speaks. The answer 202 \
says that Kafka has it. An act carries the data of one event and waits for what comes of it, at most \
{limits.OUTCOME_SECONDS_MAX:.0f} seconds. The same event or act sent again has one effect. Every error is a problem of \
RFC 9457. A number of limits has names in `x-limits`; a key may have another rate.
"""
_EVENT: Final = "CloudEvent"
_EVENTS: Final = "CloudEventBatch"
_EXTENSION: Final = {"^(?!data$)[a-z0-9]{1,64}$": {"type": ["string", "number", "boolean"]}}
"""Of an event in structured mode every member but `data`, which is no attribute."""
_BINARY: Final[Mapping[str, str]] = {
    "ce-specversion": "Of an event in binary mode: always 1.0.",
    "ce-type": "Of an event in binary mode: the message's type and version.",
    "ce-source": "Of an event in binary mode: a source that the key may speak for, percent-encoded.",
    "ce-id": "Of an event in binary mode: unique within the source, percent-encoded.",
    "ce-time": "Of an event in binary mode: when it happened, RFC 3339 with zone.",
}


def document(routes: Sequence[HttpRoute]) -> dict[str, Any]:
    """The contract of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hotline over HTTP",
            "version": release(),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "x-limits": dict(LIMITS),
        },
        "servers": [
            {
                "url": "http://{host}:{port}",
                "description": "The listener of the key's role, as `hotline up` shows it.",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "8080"}},
            }
        ],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "ID.SECRET of `hotline key add`."},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": SIGNATURE,
                    "description": "A signature of Standard Webhooks by a secret of `hotline key secret`.",
                },
                **(open311.SECURITY if any(one.wire is WireName.OPEN311 for one in routes) else {}),
            },
            "schemas": _schemas(routes),
        },
    }


def _operation(route: HttpRoute) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "x-roles": list(route.roles),
        "x-scope": None if route.scope is None else str(route.scope),
        "x-listeners": sorted(route.listeners),
    }
    if route.signed:
        told["security"] = [{"signature": []}]
    parameters = [_parameter(one) for one in route.parameters]
    if route.takes is TakenBody.EVENTS:
        if not route.signed:
            parameters += [
                _parameter(HttpParameter(name=name, at="header", text=text)) for name, text in _BINARY.items()
            ]
        told["requestBody"] = {"required": True, "content": _event_content(route)}
    elif route.input is not None:
        example = input_example(route.input)["payload"]
        name = _with_contact(route.input) if route.beside else route.input.__name__
        content = {"schema": _ref(name), "example": example}
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    elif route.takes is TakenBody.CONTACT:
        content = {"schema": _ref(RequestContact.__name__)}
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    elif route.takes is TakenBody.FORM:
        told["requestBody"] = open311.form_body(route.form, route.form_required)
    if route.wire is WireName.OPEN311:
        keys: list[dict[str, list[str]]] = [{name: []} for name in ("key", *open311.SECURITY)]
        told["security"] = [*keys, {}] if route.keyless else keys
    if parameters:
        told["parameters"] = parameters
    told["responses"] = responses(route)
    return told


def _event_content(route: HttpRoute) -> dict[str, Any]:
    # Several inputs have the same fields, so `oneOf` would refuse what is one of them.
    data = {"anyOf": [_ref(kind.__name__) for role in route.roles for kind in LINE_OF[role].inputs]}
    whole = {STRUCTURED: {"schema": _ref(_EVENT)}, BATCH: {"schema": _ref(_EVENTS)}}
    return whole if route.signed else {JSON: {"schema": data}, **whole}


def _parameter(one: HttpParameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": 0} if one.whole else {"type": "string"}
    if one.values:
        schema["enum"] = list(one.values)
    return {
        "name": one.name,
        "in": one.at,
        "description": one.text,
        "required": one.required,
        "schema": schema,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _schemas(routes: Iterable[HttpRoute]) -> dict[str, Any]:
    kinds = {kind for route in routes if route.input is not None for kind in (route.input,)}
    carried = {
        kind
        for route in routes
        if route.takes is TakenBody.EVENTS
        for role in route.roles
        for kind in LINE_OF[role].inputs
    }
    known = sorted(kinds | carried, key=lambda kind: kind.__name__)
    made = {name: schema for name, schema in _inputs().items() if name in _reached(known)}
    made |= open311.schemas() if any(route.wire is WireName.OPEN311 for route in routes) else {}
    made |= _contacts() if any(route.takes is TakenBody.CONTACT for route in routes) else {}
    made |= {
        _with_contact(route.input): _beside(made[route.input.__name__])
        for route in routes
        if route.beside and route.input is not None
    }
    return dict(sorted((made | _answers() | _envelopes(known)).items()))


def _with_contact(kind: type[Input]) -> str:
    return f"{kind.__name__}WithContact"


def _beside(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an input that the citizen's contact may stand beside."""
    text = "The citizen's contact: it is sealed into the vault and sent nowhere."
    contact = {"allOf": [_ref(GivenContact.__name__)], "description": text}
    title = f"{schema['title']}WithContact"
    return {**schema, "title": title, "properties": {**schema["properties"], BESIDE: contact}}


def _reached(known: Sequence[type[Input]]) -> set[str]:
    """The names of the schemas of these inputs, and of what they refer to."""
    every = _inputs()
    found: set[str] = set()
    names = [kind.__name__ for kind in known]
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += _referred(every[name])
    return found


def _referred(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
        return own + [name for value in schema.values() for name in _referred(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _referred(value)]
    return []


@cache
def _inputs() -> dict[str, Any]:
    """The schemas of all inputs, closed: no field but those that are named."""
    kinds = [kind for line in LINE_OF.values() for kind in line.inputs]
    made = schemas_of(kinds)
    for name in (Attachment.__name__, *(kind.__name__ for kind in kinds)):
        made[name] = {**made[name], "additionalProperties": False}
    return made


@cache
def _contacts() -> dict[str, Any]:
    """The schemas of contacts that are given."""
    return described_schemas((GivenContact, RequestContact))


@cache
def _answers() -> dict[str, Any]:
    made = described_schemas(ANSWERS)
    made[StatedFact.__name__]["properties"]["data"]["type"] = "object"
    return made | {name: told for name, told in _inputs().items() if name in made}


def _envelopes(known: Sequence[type[Input]]) -> dict[str, Any]:
    """An event in structured mode, and a batch of them."""
    if not known:
        return {}
    text = {"type": "string", "minLength": 1}
    event: dict[str, Any] = {
        "title": _EVENT,
        "description": "A CloudEvent in structured mode: with `data`, or in its place with `data_base64`.",
        "type": "object",
        "properties": {
            "specversion": {"type": "string", "const": "1.0", "description": "Always 1.0."},
            "type": {"enum": [kind.TYPE for kind in known], "description": "The message's type and version."},
            "source": {**text, "description": "A source that the key may speak for."},
            "id": {**text, "description": "Unique within the source."},
            "time": {"type": "string", "format": "date-time", "description": "When it happened, with zone."},
            "datacontenttype": {"type": "string", "description": "application/json, where it is said."},
            "dataschema": {"type": "string", "description": "Not read."},
            "subject": {"type": "string", "description": "Not read."},
            "data": {"anyOf": [_ref(kind.__name__) for kind in known], "description": "What is said."},
            "data_base64": {"type": "string", "description": "The data in Base64, where there is no `data`."},
        },
        "patternProperties": _EXTENSION,
        "required": list(REQUIRED),
        "additionalProperties": False,
    }
    batch = {
        "title": _EVENTS,
        "description": "Events in structured mode; all are taken, or none.",
        "type": "array",
        "items": _ref(_EVENT),
        "minItems": 1,
        "maxItems": limits.BATCH_EVENTS_MAX,
    }
    return {_EVENT: event, _EVENTS: batch}
