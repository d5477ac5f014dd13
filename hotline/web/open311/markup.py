"""Writes bodies of GeoReport as XML: by a table of tags, in the order of their fields; no XML is read here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from hotline.web.answers import HttpAnswer
from hotline.web.open311.shapes import (
    AcceptedRequest,
    AcceptedUpdate,
    AttributeValue,
    DiscoveredEndpoint,
    GeoReportError,
    GeoReportList,
    Open311Discovery,
    Open311Service,
    RequestNote,
    RequestUpdate,
    ServiceAttribute,
    ServiceDefinition,
    ServiceRequest,
    TokenAnswer,
)

HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_UPDATES: Final = "service_request_updates"
LISTS: Final[Mapping[type[HttpAnswer], tuple[str, str]]] = {
    Open311Service: ("services", "service"),
    ServiceRequest: ("service_requests", "request"),
    AcceptedRequest: ("service_requests", "request"),
    TokenAnswer: ("service_requests", "request"),
    RequestUpdate: (_UPDATES, "request_update"),
    AcceptedUpdate: (_UPDATES, "request_update"),
    GeoReportError: ("errors", "error"),
}
"""Of a list: the tag around it, and that of each member."""
ALONE: Final[Mapping[type[HttpAnswer], str]] = {
    ServiceDefinition: "service_definition",
    Open311Discovery: "discovery",
}
MEMBERS: Final[Mapping[type[HttpAnswer], str]] = {
    ServiceAttribute: "attribute",
    AttributeValue: "value",
    RequestNote: "note",
    DiscoveredEndpoint: "endpoint",
}
TEXTS: Final[Mapping[str, str]] = {"formats": "format", "photos": "photo"}
"""Of a list of texts: by its own tag the tag of each."""
_NO_CHARACTER: Final = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, and what is no character of XML 1.0."""


def xml_of(body: msgspec.Struct) -> bytes:
    """The document of this body."""
    if isinstance(body, GeoReportList):
        root, member = LISTS[body.kind]
        inside = "".join(_element(member, one) for one in body.items)
    else:
        assert isinstance(body, HttpAnswer)  # noqa: S101 -- for the type checker
        root, inside = ALONE[type(body)], "".join(_fields(body))
    return f"{HEAD}<{root}>{inside}</{root}>\n".encode()


def _element(tag: str, value: Any) -> str:
    return f"<{tag}>{_inside(tag, value)}</{tag}>"


def _inside(tag: str, value: Any) -> str:
    if isinstance(value, HttpAnswer):
        return "".join(_fields(value))
    if isinstance(value, list):
        return "".join(_element(MEMBERS.get(type(one)) or TEXTS[tag], one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    # Most texts hold nothing to be dropped, and a search is a third of what a substitution costs.
    return escape(_NO_CHARACTER.sub("", text) if _NO_CHARACTER.search(text) else text)


def _fields(body: HttpAnswer) -> Iterable[str]:
    for name in type(body).__struct_fields__:
        value = getattr(body, name)
        if value is not msgspec.UNSET:
            yield _element(name, value)
