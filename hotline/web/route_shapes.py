"""The shape of a line of the table of routes, and the problems that each has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from hotline.web.asking import HttpAsk, HttpReply, HttpStream
from hotline.web.open311.wire import status_of as geo_status_of
from hotline.web.problems import ProblemKind
from hotline.web.roles import LISTENER_OF, HttpListener, KeyScope
from shared.inputs import Input

Handler = Callable[[HttpAsk], Awaitable[HttpReply | HttpStream]]


class TakenBody(StrEnum):
    """The kind of body that a route reads."""

    NONE = "none"
    EVENTS = "events"
    """CloudEvents in one of three modes."""
    INPUT = "input"
    """The data of one input, as JSON."""
    CONTACT = "contact"
    """The contact of a request, as JSON."""
    FORM = "form"
    """A form, urlencoded or multipart."""


class WireName(StrEnum):
    """How a route is spoken."""

    HOTLINE = "hotline"
    """JSON, problems of RFC 9457, the key in a header."""
    OPEN311 = "open311"
    """JSON or XML by the ending of the path, errors as GeoReport has them, the key as `api_key` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpParameter:
    """A parameter of a path, a query or a header."""

    name: str
    at: str
    """path, query or header."""
    text: str
    required: bool = False
    values: tuple[str, ...] = ()
    """The values there are; empty: any text."""
    whole: bool = False
    """Whether it is a whole number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HttpRoute:
    """One line of the table."""

    method: str
    path: str
    name: str
    """The name of the operation, which stays."""
    summary: str
    roles: tuple[str, ...]
    """The roles whose keys may use it."""
    scope: KeyScope | None
    """The scope that such a key must have; None where any key of these roles may."""
    handle: Handler
    signed: bool = False
    """Whether a signature of the body proves who asks, and not the key itself."""
    takes: TakenBody = TakenBody.NONE
    input: type[Input] | None = None
    """The input it takes, where it takes one."""
    beside: bool = False
    """Whether the citizen's contact may stand beside the input's own fields."""
    parameters: Sequence[HttpParameter] = ()
    answers: Mapping[int, type[msgspec.Struct]] = field(default_factory=dict)
    many: bool = False
    """Whether the answer is a list of them, with nothing around it."""
    form: Mapping[str, str] = field(default_factory=dict)
    """The fields of its form, and what each is for; `attribute[CODE]` comes beside them."""
    form_required: tuple[str, ...] = ()
    """Those of them that must be there."""
    wire: WireName = WireName.HOTLINE
    keyless: bool = False
    """Whether anybody may use it, with a key or without."""
    streams: bool = False
    """Whether the answer 200 is a stream of server-sent events."""
    problems: Sequence[ProblemKind] = ()
    """Beside those that every route has."""

    @property
    def queries(self) -> frozenset[str]:
        """The names of its parameters of the query; another one is refused."""
        return frozenset(one.name for one in self.parameters if one.at == "query")

    @property
    def never_empty(self) -> tuple[HttpParameter, ...]:
        """Its parameters of the query and of headers that are a number or one of several values."""
        return tuple(one for one in self.parameters if one.at != "path" and (one.whole or one.values))

    @property
    def listeners(self) -> frozenset[HttpListener]:
        """The listeners that answer it: those of its roles."""
        return frozenset(LISTENER_OF[role] for role in self.roles)

    def status_of(self, problem: ProblemKind) -> int:
        """The status of a problem where it happens here."""
        return geo_status_of(problem) if self.wire is WireName.OPEN311 else problem.status


EVERYWHERE: Final = (
    ProblemKind.BAD_EVENT,
    ProblemKind.NO_KEY,
    ProblemKind.NOT_ALLOWED,
    ProblemKind.TOO_MANY,
    ProblemKind.AWAY,
)
"""The problems of every route."""
WITH_BODY: Final = (ProblemKind.TOO_SLOW, ProblemKind.TOO_LARGE, ProblemKind.WRONG_TYPE)
"""And of every route that reads a body."""
