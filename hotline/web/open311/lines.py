"""The lines of Open311 in the table of routes: `hotline/web/routes.py` makes routes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hotline.web.answers import HttpAnswer
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.open311 import recording, updates
from hotline.web.open311.instants import SPAN_DAYS_MAX
from hotline.web.open311.reading import REQUESTS_MAX
from hotline.web.open311.requests_in import resolve_token, take_request
from hotline.web.open311.requests_out import STATUSES, many_requests, one_request
from hotline.web.open311.serving import ROOT, definition, discovery, services
from hotline.web.open311.shapes import (
    AcceptedRequest,
    AcceptedUpdate,
    Open311Discovery,
    Open311Service,
    RequestUpdate,
    ServiceDefinition,
    ServiceRequest,
    TokenAnswer,
)
from hotline.web.problems import ProblemKind
from hotline.web.roles import KeyScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Open311Line:
    """A line of the table, with what is Open311's own."""

    method: str
    path: str
    """Behind the root, before the format."""
    name: str
    summary: str
    scope: KeyScope
    handle: Callable[[HttpAsk], Awaitable[HttpReply]]
    answer: type[HttpAnswer]
    many: bool = True
    """Whether the answer is a list of them."""
    keyless: bool = False
    """Whether anybody may use it, with a key or without."""
    at_path: Mapping[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    """The fields of its form, where it takes one."""
    required: tuple[str, ...] = ()
    """Those of them that must be there."""
    problems: tuple[ProblemKind, ...] = ()


QUERY: Final = {
    "jurisdiction_id": "Not read: there is one city here.",
    "api_key": "ID.SECRET of `hotline key add agents`; in a header or a field of the form it will do as well.",
}
"""The parameters that every path takes."""
_LOCALE: Final = {"locale": "The language of names and sentences: zh, or en."}
_DATES: Final = {
    "start_date": "The first instant, such as 2021-09-24T00:00:00+08:00.",
    "end_date": f"The last instant, at most {SPAN_DAYS_MAX} days later.",
}
_REQUESTS: Final = {
    "service_request_id": "Numbers with commas between; no other filter counts then.",
    "service_code": "Only these services, with commas between.",
    **_DATES,
    "status": f"Only {' or '.join(STATUSES)}, or both with a comma between.",
}
_EXTENSIONS: Final = {"extensions": "true: with history and photographs."}

LINES: Final = (
    Open311Line(
        method="GET",
        path="/discovery",
        name="open311.discovery",
        summary="Where Open311 answers, in which formats, and whom to ask for a key.",
        scope=KeyScope.READ,
        handle=discovery,
        answer=Open311Discovery,
        many=False,
        keyless=True,
    ),
    Open311Line(
        method="GET",
        path="/services",
        name="open311.services",
        summary="The services: each subject of the dispatch catalogue by its code.",
        scope=KeyScope.READ,
        handle=services,
        answer=Open311Service,
        keyless=True,
        query=_LOCALE,
    ),
    Open311Line(
        method="GET",
        path="/services/{service_code}",
        name="open311.service",
        summary="The attributes of a service.",
        scope=KeyScope.READ,
        handle=definition,
        answer=ServiceDefinition,
        many=False,
        keyless=True,
        at_path={"service_code": "A code of `services`."},
        query=_LOCALE,
        problems=(ProblemKind.NOT_FOUND,),
    ),
    Open311Line(
        method="GET",
        path="/requests",
        name="open311.requests",
        summary=f"The newest requests that fit, at most {REQUESTS_MAX} of at most {SPAN_DAYS_MAX} days.",
        scope=KeyScope.READ,
        handle=many_requests,
        answer=ServiceRequest,
        keyless=True,
        query={**_REQUESTS, **_EXTENSIONS, **_LOCALE},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    Open311Line(
        method="POST",
        path="/requests",
        name="open311.request.send",
        summary="Put a request on record; the answer is a token, once Kafka has it.",
        scope=KeyScope.ACTS,
        handle=take_request,
        answer=AcceptedRequest,
        query=_LOCALE,
        headers={"Idempotency-Key": "The same again with the same one is the same request."},
        form=recording.FIELDS,
        required=("service_code",),
        problems=(ProblemKind.NOT_FOUND,),
    ),
    Open311Line(
        method="GET",
        path="/requests/{service_request_id}",
        name="open311.request",
        summary="One request.",
        scope=KeyScope.READ,
        handle=one_request,
        answer=ServiceRequest,
        keyless=True,
        at_path={"service_request_id": "The number of a complaint."},
        query={**_EXTENSIONS, **_LOCALE},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    Open311Line(
        method="GET",
        path="/tokens/{token}",
        name="open311.token",
        summary="The number of the request that a token stands for, once it is on record.",
        scope=KeyScope.READ,
        handle=resolve_token,
        answer=TokenAnswer,
        keyless=True,
        at_path={"token": "As it was answered."},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    Open311Line(
        method="GET",
        path="/servicerequestupdates",
        name="open311.updates",
        summary="The changes of the requests that the key's login sent, the oldest first.",
        scope=KeyScope.READ,
        handle=updates.read_updates,
        answer=RequestUpdate,
        query={**_DATES, **_LOCALE},
    ),
    Open311Line(
        method="POST",
        path="/servicerequestupdates",
        name="open311.update.send",
        summary="Say what a citizen has to add, that it is solved, or that it is not.",
        scope=KeyScope.ACTS,
        handle=updates.take_update,
        answer=AcceptedUpdate,
        form=updates.FIELDS,
        required=("service_request_id", "update_id", "status"),
        problems=(ProblemKind.NOT_FOUND, ProblemKind.REFUSED, ProblemKind.SET_ASIDE),
    ),
)
"""A new path of Open311 is a line here."""


def path_of(line: Open311Line) -> str:
    """The whole path, with its format."""
    return f"{ROOT}{line.path}.{{format}}"
