"""A door waits while PostgreSQL is away, and tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from shared.log.away import AWAY, is_away
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry

RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits while PostgreSQL is away; the last one repeats."""


class Retry:
    """Does something of the log's, however long PostgreSQL is away. The act must be harmless to repeat."""

    def __init__(self, telemetry: Telemetry, door: str) -> None:
        """`door` is named in the log line and in `/ready`."""
        self._telemetry = telemetry
        self._door = door

    async def __call__(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Return the act's result; raise any error of it that does not mean that PostgreSQL is away."""
        tried = 0
        while True:
            try:
                return await act()
            except AWAY as error:
                if not is_away(error):
                    raise
                self._telemetry.count("door.retries", label=self._door)
                self._telemetry.health.waits("PostgreSQL", self._door)
                if tried == 0 or tried % 30 == 0:
                    self._telemetry.log.warning("waiting_for_postgres", door=self._door, error=told(error))
                await asyncio.sleep(RETRY_SECONDS[min(tried, len(RETRY_SECONDS) - 1)])
                tried += 1
