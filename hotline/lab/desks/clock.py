"""The clock of a desk in the laboratory: everything happens when it says, and the present is the conductor's."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

import asyncpg

from shared.log.postgres import connect
from shared.runtime.clock import FIRST, INPUT_AGE_DAYS_MAX, LAST, SystemClock, shifted
from shared.runtime.settings import CommonSettings

REHEARSED_AHEAD_MAX: Final = timedelta(days=366)
"""How far ahead of its conductor's present an input may be. The conductor hands in nothing before its time. The bound
is this wide so that no message is taken in at one speed of a rehearsal and parked at another."""

REHEARSED_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The earliest time an input may carry where nobody has conducted yet: no rehearsal is of a year before."""

_CONDUCTED: Final = "SELECT lab.conducted()"


class RehearsalClock:
    """See `Clock`: everything happens when it says; the conductor hands in nothing before its time."""

    def __init__(
        self, now: datetime | None = None, *, input_age_max: timedelta = timedelta(days=INPUT_AGE_DAYS_MAX)
    ) -> None:
        """`now`: how far city time has come; None as long as nobody conducts."""
        self._now = now
        self._input_age_max = input_age_max

    def move_to(self, now: datetime) -> None:
        """Set the time; it never goes back."""
        self._now = now if self._now is None else max(self._now, now)

    async def catch_up(self) -> None:
        """See `Clock.catch_up`: somebody else moves it."""

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.earliest_input`."""
        del arrived_at
        return REHEARSED_SINCE if self._now is None else shifted(self._now, -self._input_age_max)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return shifted(self._now or SystemClock().now(), REHEARSED_AHEAD_MAX)

    def stamps(self) -> tuple[datetime, datetime]:
        """See `Clock.stamps`: nothing is decided by them here."""
        return FIRST, LAST

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`: when it says."""
        del arrived_at
        return said_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`: the fact's own time."""
        return fact_at


class ConductedClock(RehearsalClock):
    """One that asks the city's database how far its conductor has come."""

    def __init__(self, name: str, settings: CommonSettings) -> None:
        """Connects with the first question; `name` is the desk's."""
        super().__init__(input_age_max=timedelta(days=settings.input_age_days_max))
        self._dsn = settings.postgres
        self._name = f"{name}.clock"
        self._connection: asyncpg.Connection[Any] | None = None
        self._turn = asyncio.Lock()

    async def catch_up(self) -> None:
        """See `Clock.catch_up`. Raises what asyncpg raises where PostgreSQL is away; then it may be asked again."""
        async with self._turn:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._dsn, self._name)
                now: datetime | None = await self._connection.fetchval(_CONDUCTED)
            except BaseException:
                await self._close()
                raise
        if now is not None:
            self.move_to(now)

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close(timeout=5)

    async def __aenter__(self) -> Self:
        """Ready to be asked."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connection back."""
        await self._close()
