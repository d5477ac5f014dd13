"""Regions of pages that change by themselves: each is rendered once, however many look at it, and sent to all of them.

A region is rendered anew when the lists have moved on, and every few seconds, as limits pass without a fact.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from hotline.web.limits import STOP_SECONDS
from hotline.web.open_streams import OpenStreams
from shared.log.away import is_away
from shared.runtime.telemetry import Telemetry

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether the lists have moved on."""
FRESH_SECONDS: Final = 3.0
"""A region is rendered anew at least so often, and its readers hear as of when it is.

Lists are late after 10 s: with this, a look and a rendering, a page says so within 15 s.
"""
STREAM_SECONDS: Final = 60.0
"""How long a stream lasts: then the browser comes again, and its session is looked at anew."""
VIEWERS_MAX: Final = 1_500
"""Streams of pages in one process; below the connections of a listener, so that acts still pass."""
_THROUGH: Final = "SELECT through FROM read.standing()"
_RETRY: Final = b"retry: 500\n\n"


class RenderedRegion(NamedTuple):
    """A region as it is sent."""

    html: str
    as_of: str
    """As of when it is, in words."""
    late: bool
    """Whether that is too long ago."""


Render = Callable[[], Awaitable[RenderedRegion]]


class _Region:
    """One region that somebody looks at."""

    def __init__(self) -> None:
        self.viewers = 0
        self.number = 0
        self.html: str | None = None
        """None until it was rendered; what became empty is sent too."""
        self.as_of = b""
        self.moved = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Wake all who look at it."""
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


class LiveRegions:
    """All regions that somebody looks at in this process."""

    def __init__(self, pool: asyncpg.Pool[Any], streams: OpenStreams, telemetry: Telemetry) -> None:
        """Nobody looks yet."""
        self._pool = pool
        self._stop = streams.stop
        self._telemetry = telemetry
        self._regions: dict[Hashable, _Region] = {}
        self._through = (-1, 0.0)
        self.viewers = 0
        self.rendered = 0

    def follow(self, key: Hashable, render: Render) -> AsyncIterator[bytes]:
        """The stream of a region: its content whenever it is another, and as of when it is."""
        return self.follow_parts({"": (key, render)})

    async def follow_parts(self, parts: Mapping[str, tuple[Hashable, Render]]) -> AsyncIterator[bytes]:
        """The stream of several regions of one page, each by the id of the element that it fills.

        An empty id is the page's own target. As of when they are is that of the first.
        """
        regions = {place: self._looked_at(key, render) for place, (key, render) in parts.items()}
        self.viewers += 1
        try:
            async for chunk in self._chunks(regions):
                yield chunk
        finally:
            self.viewers -= 1
            for key, _ in parts.values():
                self._left(key)

    def _looked_at(self, key: Hashable, render: Render) -> _Region:
        region = self._regions.setdefault(key, _Region())
        region.viewers += 1
        if region.task is None:
            region.task = asyncio.ensure_future(self._keep(region, render))
        return region

    def _left(self, key: Hashable) -> None:
        region = self._regions[key]
        region.viewers -= 1
        if not region.viewers:
            assert region.task is not None  # noqa: S101 -- who looked began it
            region.task.cancel()
            del self._regions[key]

    async def _chunks(self, regions: Mapping[str, _Region]) -> AsyncIterator[bytes]:
        end_at = time.monotonic() + STREAM_SECONDS
        sent: dict[str, int] = {}
        first = next(iter(regions.values()))
        yield _RETRY
        while not self._stop.is_set() and time.monotonic() < end_at:
            moved = [region.moved for region in regions.values()]
            for place, region in regions.items():
                if region.html is not None and region.number != sent.get(place):
                    sent[place] = region.number
                    yield _message(region.number, region.html, place)
            if first.as_of:
                yield b"event: as-of\ndata: " + first.as_of + b"\n\n"
            await _either(moved, self._stop)

    async def _keep(self, region: _Region, render: Render) -> None:
        """Render it whenever there is a reason to, as long as somebody looks."""
        rendered_at, through = 0.0, -1
        while True:
            try:
                now_through = await self._now_through()
                if now_through != through or time.monotonic() - rendered_at > FRESH_SECONDS:
                    began_at = time.monotonic()
                    made = await render()
                    rendered_at, through = time.monotonic(), now_through
                    self.rendered += 1
                    self._telemetry.count("web.regions_rendered")
                    self._telemetry.observe("web.region_seconds", rendered_at - began_at)
                    if made.html != region.html:
                        region.html, region.number = made.html, region.number + 1
                    region.as_of = msgspec.json.encode({"text": made.as_of, "late": made.late})
                    region.tell()
            except Exception as error:
                if not is_away(error):
                    raise
                # Nobody is told anything: a page that hears nothing for a while says so itself.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_SECONDS)
                return

    async def _now_through(self) -> int:
        """How far the lists are; asked once for all regions."""
        through, asked_at = self._through
        if time.monotonic() - asked_at > LOOK_SECONDS / 2:
            through = await self._pool.fetchval(_THROUGH) or 0
            self._through = (through, time.monotonic())
        return through


def _message(number: int, html: str, place: str) -> bytes:
    if place:
        html = f'<hx-partial hx-target="#{place}" hx-swap="innerMorph">{html}</hx-partial>'
    # An event without data is none: the content of an element that became empty is a blank.
    lines = "".join(f"data: {line}\n" for line in (html or " ").splitlines())
    return f"id: {number}\n{lines}\n".encode()


async def _either(moved: Sequence[asyncio.Event], stop: asyncio.Event) -> None:
    """Wait for one of them, and for so long at most as the process has to stop."""
    waiting = [asyncio.ensure_future(one.wait()) for one in (*moved, stop)]
    try:
        await asyncio.wait(waiting, timeout=FRESH_SECONDS + STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
