"""The stream that keeps the parts of a page up: HTML, which htmx puts in its place.

Where nothing can be read, nothing is sent: the page says after some seconds that it is old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from starlette.responses import Response

from hotline.web.asking import HttpStream, Rooms
from hotline.web.limits import STREAM_SECONDS_MAX, VIEWERS_MAX
from hotline.web.pages.regions import RegionDrawing, event_of
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.streaming import streamed
from shared.log.away import is_away
from shared.runtime.errors import told

LOOK_SECONDS: Final = 1.0
"""How often a stream looks whether something is another; the lists are about as far behind the log."""
ALIVE: Final = b"event: alive\ndata: \n\n"
"""Nothing has changed, and that was looked at just now."""
BYE: Final = b"event: bye\ndata: \nretry: 1000\n\n"

Regions = Callable[[], Awaitable[Mapping[str, RegionDrawing]]]
"""The parts of a page as they are now, by the id of their place."""


def followed(rooms: Rooms, regions: Regions) -> Response:
    """The stream of these parts; `HttpRefusal` where too many look already."""
    if rooms.streams.viewers >= VIEWERS_MAX:
        detail = f"{VIEWERS_MAX} pages are open here already."
        raise HttpRefusal(ProblemKind.AWAY, detail, headers={"Retry-After": "10"})
    rooms.streams.viewers += 1

    async def close() -> None:
        rooms.streams.viewers -= 1

    return streamed(HttpStream(_events(rooms, regions), close))


async def _events(rooms: Rooms, regions: Regions) -> AsyncIterator[bytes]:
    seen: dict[str, int] = {}
    end_at = (
        time.monotonic() + STREAM_SECONDS_MAX
    )  # then the browser comes again, and its session is looked at anew
    stop = rooms.streams.stop
    yield b"retry: 1000\n\n"
    while time.monotonic() < end_at and not stop.is_set():
        try:
            now = await regions()
        except Exception as error:
            if not is_away(error):
                raise
            rooms.telemetry.log.warning("waiting_for_postgres", error=told(error))
        else:
            changed = {place: one for place, one in now.items() if seen.get(place) != one.version}
            seen |= {place: one.version for place, one in changed.items()}
            yield event_of({place: one.html for place, one in changed.items()}) if changed else ALIVE
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stop.wait()
    yield BYE
