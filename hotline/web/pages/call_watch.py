"""Looks for calls that agents have just taken, and tells each agent's pages of the last one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.web.open_streams import OpenStreams
from hotline.web.pages.live import STREAM_SECONDS
from services.intake.register import call_of, read
from shared.log.away import is_away

POLL_SECONDS: Final = 0.25
"""How often it is looked whether somebody has taken a call: in one statement for all who wait."""
ENDED_SHOWN: Final = timedelta(minutes=10)
"""So long a call that is over is still shown: its record may be under way."""
_CALLS: Final = "SELECT staff_id, call_id, answered_at, told FROM web.calls_of_staff($1)"
_RETRY: Final = b"retry: 500\n\n"


class TakenCall(NamedTuple):
    """The last call that somebody took."""

    call_id: str
    answered_at: datetime
    ended_at: datetime | None

    def shown(self, now: datetime) -> bool:
        """Whether it still concerns the agent."""
        return self.ended_at is None or now - self.ended_at < ENDED_SHOWN


class CallWatch:
    """Looks for the calls of all agents who have a page open, as long as somebody has."""

    def __init__(self, pool: asyncpg.Pool[Any], streams: OpenStreams) -> None:
        """Nobody looks yet."""
        self._pool = pool
        self._stop = streams.stop
        self._viewers: dict[str, int] = {}
        self._calls: dict[str, TakenCall] = {}
        self._moved = asyncio.Event()
        self._looked = False
        self._task: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return sum(self._viewers.values())

    async def follow(self, staff_id: str, render: Callable[[TakenCall | None], str]) -> AsyncIterator[bytes]:
        """The stream of one agent: what `render` makes of the last call, whenever that is another text."""
        self._viewers[staff_id] = self._viewers.get(staff_id, 0) + 1
        self._looked = False
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._look())
        end_at, sent, number = time.monotonic() + STREAM_SECONDS, "", 0
        try:
            yield _RETRY
            while not self._stop.is_set() and time.monotonic() < end_at:
                moved = self._moved
                if self._looked and (html := render(self._calls.get(staff_id))) != sent:
                    sent, number = html, number + 1
                    yield _message(number, html)
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), 2.0)
        finally:
            self._viewers[staff_id] -= 1
            if not self._viewers[staff_id]:
                del self._viewers[staff_id]
                self._calls.pop(staff_id, None)

    async def _look(self) -> None:
        while self._viewers and not self._stop.is_set():
            asked = list(self._viewers)
            try:
                rows = await self._pool.fetch(_CALLS, asked)
            except Exception as error:
                if not is_away(error):
                    raise
                # The next look tells: a call that is on stays on the page meanwhile.
            else:
                found = {row["staff_id"]: _taken(row) for row in rows}
                self._looked = self._looked or set(self._viewers) <= set(asked)
                self._calls = found
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), POLL_SECONDS)


def _taken(row: Any) -> TakenCall:
    return TakenCall(row["call_id"], row["answered_at"], call_of(map(read, row["told"])).ended_at)


def _message(number: int, html: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in html.splitlines()) or "data: \n"
    return f"id: {number}\n{lines}\n".encode()
