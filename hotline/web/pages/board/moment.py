"""The board's figures, read while somebody looks: once for all who look, and no oftener than they can be read."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.board import BoardCalls, BoardFigures, board_calls, board_figures
from hotline.web.pages.board.city_map import DrawnMap
from hotline.web.reading import lent
from shared.policy.city_map import CityMap
from shared.policy.ruleset import ruleset
from shared.times import zone_of

FRESH_SECONDS: Final = 1.0
"""Figures are read again when they are so old; the lists are about as far behind the log."""
CALLS_FRESH_SECONDS: Final = 3.0
"""The telephone's are sums over a day, which a few calls do not move."""
REST: Final = 4.0
"""Where reading takes long they may grow older: so many times as long as it took."""


class BoardMoment(NamedTuple):
    """All that the board shows, as it was at one moment."""

    number: int
    """Counts the readings."""
    figures: BoardFigures
    calls: BoardCalls


class BoardWatch:
    """See the module."""

    def __init__(self, pool: asyncpg.Pool[Any], rules: str, city: CityMap) -> None:
        """`rules`: the rule set by which calls are counted, and in whose zone a day begins."""
        self._pool = pool
        self.rules: Final = rules
        self.drawn: Final = DrawnMap(city)
        self._reading = asyncio.Lock()
        self._moment: BoardMoment | None = None
        self._good_until = 0.0
        self._calls_good_until = 0.0

    async def now(self) -> BoardMoment:
        """The figures of now, or of a second ago; `UserError` where nothing has ever made the lists."""
        async with self._reading:  # who comes meanwhile gets what the first one read
            if self._moment is None or time.monotonic() >= self._good_until:
                self._moment = await self._read(self._moment)
            return self._moment

    async def _read(self, before: BoardMoment | None) -> BoardMoment:
        began_at = time.monotonic()
        async with lent(self._pool) as connection:
            figures = await board_figures(connection)
            read_at = time.monotonic()
            self._good_until = read_at + max(FRESH_SECONDS, REST * (read_at - began_at))
            if before is None or read_at >= self._calls_good_until:
                telephone = ruleset(self.rules).telephone
                calls = await board_calls(connection, telephone, zone_of(self.rules))
                took = time.monotonic() - read_at
                self._calls_good_until = time.monotonic() + max(CALLS_FRESH_SECONDS, REST * took)
            else:
                calls = before.calls
        return BoardMoment(1 if before is None else before.number + 1, figures, calls)
