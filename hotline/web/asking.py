"""One request as it is answered: who asks, what was given, what it is answered with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

import asyncpg
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hotline.scoring.inhabitants import InhabitantFigures
from hotline.web.caller_index import CallerIndex
from hotline.web.caller_warnings import CallerMarks
from hotline.web.city_clock import CityClock
from hotline.web.contact_reader import ContactReader
from hotline.web.contact_seal import ContactSeal
from hotline.web.judging import Judge
from hotline.web.kept_texts import KeptTexts
from hotline.web.keys import Key
from hotline.web.limits import BODY_BYTES_MAX, BODY_SECONDS_MAX
from hotline.web.open311.offers import ServiceOffers
from hotline.web.open_streams import OpenStreams
from hotline.web.outcomes import OutcomeWatch
from hotline.web.pages.board.moment import BoardWatch
from hotline.web.pages.call_watch import CallWatch
from hotline.web.pages.live import LiveRegions
from hotline.web.pages.operations.watch import OperationsWatch
from hotline.web.pages.recent_acts import RecentActs
from hotline.web.pages.staff import ProvidedStaff
from hotline.web.parked_messages import ParkedMessages
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.rate import RateLimits
from hotline.web.speaking import Speakers
from shared.policy.catalogue import Catalogue
from shared.runtime.telemetry import Telemetry
from shared.trace_ids import is_followed, trace_page


class TraceViewer(NamedTuple):
    """Where lives can be looked at as traces."""

    address: str
    """Of Zipkin; empty where none is known."""
    ratio: float
    """The share of lives that are traced."""

    def address_of(self, complaint: str, *, noted: bool = False) -> str:
        """The address of this life's trace; empty where it has none. `noted`: it is stated though not sampled."""
        if not self.address or not (noted or is_followed(complaint, self.ratio)):
            return ""
        return trace_page(self.address, complaint)


class Rooms(NamedTuple):
    """The things every answer may need; one of each in the process."""

    prefix: str
    ruleset: str
    """The rule set that new complaints are born under."""
    calendar: str
    """The calendar that new complaints are pinned to."""
    catalogue: Catalogue
    inhabitants: InhabitantFigures
    offers: ServiceOffers
    """The services of Open311, made of it."""
    pool: asyncpg.Pool[Any]
    judge: Judge
    speakers: Speakers
    watch: OutcomeWatch
    streams: OpenStreams
    clock: CityClock
    rates: RateLimits
    board: BoardWatch
    traces: TraceViewer
    acted: RecentActs
    live: LiveRegions
    operations: OperationsWatch
    calls: CallWatch
    callers: CallerIndex
    contacts: ContactSeal
    readings: ContactReader
    parked: ParkedMessages
    marks: CallerMarks
    kept: KeptTexts
    provided: ProvidedStaff | None
    """People of the city's identity provider; None where there is none."""
    telemetry: Telemetry


class HttpAsk(NamedTuple):
    """A request whose key may do what it asks for."""

    request: Request
    key: Key
    rooms: Rooms
    taken: bytes | None = None
    """The body, where it was read already: a signature covers it."""

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the query; empty where it is not given."""
        return str(self.request.query_params.get(name, ""))

    async def body(self) -> bytes:
        """The whole body; `HttpRefusal` where it is too large or does not come in time."""
        return await body_of(self.request) if self.taken is None else self.taken


class HttpStream(NamedTuple):
    """An answer that goes on: server-sent events."""

    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    """Called once it has ended, however that came about."""


class HttpReply(NamedTuple):
    """The answer to a request."""

    status: int
    body: msgspec.Struct
    headers: Mapping[str, str] = {}


class HttpWire(Protocol):
    """How requests and answers of some routes are spoken."""

    async def typed_key(self, request: Request) -> str:
        """The key that came with a request; empty where none did. `HttpRefusal` where the request is none."""

    def answer(self, request: Request, reply: HttpReply | HttpStream) -> Response:
        """The response of a reply."""

    def refusal(self, request: Request, refused: HttpRefusal) -> Response:
        """The response of a problem."""


async def body_of(request: Request) -> bytes:
    """See `HttpAsk.body`."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise HttpRefusal(ProblemKind.TOO_SLOW, "The connection ended before the body did.")
                part = message.get("body", b"")
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise _too_large()
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        detail = f"The body did not arrive within {BODY_SECONDS_MAX:.0f} s."
        raise HttpRefusal(ProblemKind.TOO_SLOW, detail, headers={"Connection": "close"}) from None
    return b"".join(parts)


def _too_large() -> HttpRefusal:
    detail = f"The body is larger than {BODY_BYTES_MAX} bytes."
    # The rest is read and dropped: a connection that is closed meanwhile would lose the answer.
    return HttpRefusal(ProblemKind.TOO_LARGE, detail)
