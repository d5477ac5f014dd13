"""Live regions of the part `pages`: 200 people look at one, and how soon it says that its lists are stale."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from hotline.lab.bench.page_run import PagesProcess
from hotline.web.pages.live import LOOK_SECONDS
from shared.runtime.errors import UserError

HEARD_SECONDS_MAX: Final = 60.0
"""So long a viewer waits for what must come."""
LINE_BYTES_MAX: Final = 4 * 2**20
"""A map is one line."""
END_OF_CHUNKS: Final = b"0\r\n"
LATE: Final = b'"late":true'
_RENDERED: Final = "hotline_web_regions_rendered_total"
_SECONDS: Final = "hotline_web_region_seconds"


class LiveTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of live regions that many look at."""

    page: str
    viewers: int
    regions: int
    """Regions in the stream, each rendered for itself."""
    seconds: float
    rendered: int
    """Renderings while they looked, of all regions together."""
    rendered_max: int
    """As many as there may be, however many look: one for each look at whether the lists have moved on."""
    milliseconds: float
    """Of one rendering, in the mean, its reading with it."""


class StaleTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a page called itself stale."""

    page: str
    seconds: list[float]
    """From the first fact that the lists lack; the projector had been stopped before."""


class Viewer:
    """Somebody who looks at a stream, over a bare connection: a library would cost more than the page."""

    def __init__(self) -> None:
        """It hears nothing yet."""
        self.messages = 0
        self.as_of = 0
        self.late = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self, client: httpx2.AsyncClient, path: str) -> None:
        """Look at this stream in the session of this person; `UserError` where it is not answered."""
        reader = await self._asked(client, path)
        self._following = asyncio.ensure_future(self._follow(client, path, reader))

    def heard(self) -> int:
        """How often it was told as of when the lists are; raises where it could not go on to look."""
        if self._following is not None and self._following.done():
            self._following.result()
        return self.as_of

    async def _asked(self, client: httpx2.AsyncClient, path: str) -> asyncio.StreamReader:
        where = urlsplit(str(client.base_url))
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        reader, self._writer = await asyncio.open_connection(where.hostname, where.port, limit=LINE_BYTES_MAX)
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {cookies}\r\n"
            "Accept: text/event-stream\r\n\r\n"
        )
        self._writer.write(head.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise UserError(f"{path} answered {status.decode().strip()}.")
        return reader

    async def _follow(self, client: httpx2.AsyncClient, path: str, reader: asyncio.StreamReader) -> None:
        """Hear the stream, and come again where it ends, as a browser does."""
        while True:
            while line := await reader.readline():
                self.messages += line.startswith(b"id: ")
                self.as_of += line.startswith(b"event: as-of")
                if LATE in line:
                    self.late.set()
                if line == END_OF_CHUNKS:
                    break
            await self._end()
            reader = await self._asked(client, path)

    async def close(self) -> None:
        """Look away."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._end()

    async def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()


async def looked_at(
    pages: PagesProcess,
    client: httpx2.AsyncClient,
    stream: tuple[str, int],
    viewers: int,
    changes: int,
    move: Callable[[], Awaitable[None]],
) -> tuple[LiveTimes, list[str]]:
    """Let so many look at a stream (its path, and how many regions it has) while the log moves on so often.

    Returns what it cost, and what was wrong: a viewer that heard nothing, or renderings that grow with the viewers.
    """
    path, regions = stream
    every = [Viewer() for _ in range(viewers)]
    before, began_at = await pages.figures(), time.monotonic()
    try:
        for one in every:
            await one.open(client, path)
        await _until(lambda: all(one.heard() for one in every), f"{path} for all {viewers}")
        for _ in range(changes):
            heard = [one.heard() for one in every]
            await move()
            await _until(
                lambda heard=heard: all(
                    one.heard() > number for one, number in zip(every, heard, strict=True)
                ),  # type: ignore[misc]
                f"{path} after a change",
            )
        after, seconds = await pages.figures(), time.monotonic() - began_at
    finally:
        await asyncio.gather(*(one.close() for one in every))
    rendered = round(_grown(before, after, _RENDERED))
    most = regions * (2 + int(seconds // LOOK_SECONDS))
    wrong = (
        []
        if rendered <= most
        else [f"{path}: {rendered:,} renderings for {viewers} viewers, at most {most:,}"]
    )
    times = LiveTimes(
        page=path,
        viewers=viewers,
        regions=regions,
        seconds=seconds,
        rendered=rendered,
        rendered_max=most,
        milliseconds=_grown(before, after, f"{_SECONDS}_sum") / max(rendered, 1) * 1000,
    )
    return times, wrong


async def stale_after(
    pages: PagesProcess,
    clients: Mapping[str, httpx2.AsyncClient],
    move: Callable[[], Awaitable[None]],
) -> Mapping[str, float]:
    """Stop the projector, let the log move on, and look how soon each stream says so, in seconds."""
    every = {path: Viewer() for path in clients}
    try:
        for path, client in clients.items():
            await every[path].open(client, path)
        await _until(lambda: all(one.heard() for one in every.values()), "every stream")
        await pages.without_projector()
        await move()
        began_at = time.monotonic()
        found: dict[str, float] = {}

        async def hear(path: str) -> None:
            await asyncio.wait_for(every[path].late.wait(), HEARD_SECONDS_MAX)
            found[path] = time.monotonic() - began_at

        try:
            await asyncio.gather(*(hear(path) for path in every))
        except TimeoutError:
            silent = ", ".join(path for path in every if path not in found)
            raise UserError(f"{silent} did not say that its lists are stale.") from None
        return found
    finally:
        await asyncio.gather(*(one.close() for one in every.values()))
        await pages.with_projector()


def _grown(before: Mapping[str, float], after: Mapping[str, float], name: str) -> float:
    return after.get(name, 0.0) - before.get(name, 0.0)


async def _until(holds: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(HEARD_SECONDS_MAX):
            while not holds():  # noqa: ASYNC110 -- hundreds of viewers, and no event of all
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise UserError(f"nothing was heard of {what}.") from None
