"""The answers of an operation in the contract of HTTP: their bodies, their headers, each problem by its status."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from hotline.contract.schemas import REF
from hotline.web.answers import UndecidedAct
from hotline.web.events import JSON
from hotline.web.open311 import contract as open311
from hotline.web.problems import CONTENT_TYPE, HttpProblem, ProblemKind
from hotline.web.route_shapes import EVERYWHERE, WITH_BODY, HttpRoute, TakenBody, WireName

EVENT_STREAM: Final = "text/event-stream"
_STREAMED: Final[Mapping[str, Any]] = {
    "title": "StreamedEvent",
    "description": "Each event of the stream.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Its place; the next one comes first after `Last-Event-ID`."},
        "event": {"type": "string", "description": "The type of the CloudEvent; bye where the stream ends."},
        "data": {
            "type": "string",
            "description": "The CloudEvent in structured mode; an empty object with bye.",
            "contentMediaType": JSON,
            "contentSchema": {"type": "object"},
        },
        "retry": {"type": "integer", "minimum": 0, "description": "Milliseconds until a client comes again."},
    },
    "required": ["event", "data"],
    "additionalProperties": False,
}
"""The schema of an event of a stream: OpenAPI 3.1 has no place for the stream as a whole."""
_AGAIN: Final[Mapping[str, Any]] = {
    "Retry-After": {
        "description": "After how many seconds the same request may be sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
_HEADERS: Final[Mapping[ProblemKind, Mapping[str, Any]]] = {
    ProblemKind.TOO_MANY: _AGAIN,
    ProblemKind.AWAY: _AGAIN,
    ProblemKind.NO_KEY: {
        "WWW-Authenticate": {
            "description": "The way in which a key is sent.",
            "required": True,
            "schema": {"const": "Bearer"},
        }
    },
}
"""The headers that come with a problem."""
_LOCATION: Final[Mapping[str, Any]] = {
    "Location": {
        "description": "Where to ask again; the body says the same.",
        "required": True,
        "schema": {"type": "string"},
    }
}


def responses(route: HttpRoute) -> dict[str, Any]:
    """The answers of an operation, by their status."""
    found: dict[str, Any] = {}
    geo = route.wire is WireName.OPEN311
    for status, kind in route.answers.items():
        own = {JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}}}
        found[str(status)] = {
            "description": inspect.cleandoc(kind.__doc__ or ""),
            "content": open311.answered(kind, many=route.many) if geo else own,
        }
        if kind is UndecidedAct:
            found[str(status)]["headers"] = dict(_LOCATION)
    if route.streams:
        found["200"] = {
            "description": "Server-sent events, as they come; a comment says that the stream is still there.",
            "content": {EVENT_STREAM: {"schema": _STREAMED}},
        }
    for problem in problems_of(route):
        code = str(route.status_of(problem))
        before = found.get(code, {}).get("description", "")
        told: dict[str, Any] = {
            "description": f"{before} {problem.title}".strip(),
            "content": open311.refused()
            if geo
            else {CONTENT_TYPE: {"schema": {"$ref": REF.format(name=HttpProblem.__name__)}}},
        }
        if problem in _HEADERS and not (geo and problem is ProblemKind.NO_KEY):
            told["headers"] = dict(_HEADERS[problem])
        found[code] = told
    return dict(sorted(found.items()))


def problems_of(route: HttpRoute) -> list[ProblemKind]:
    """Every problem that a route answers, in the order of their statuses."""
    own = (*EVERYWHERE, *route.problems, *(WITH_BODY if route.takes is not TakenBody.NONE else ()))
    return sorted(dict.fromkeys(own), key=lambda kind: kind.status)
