"""Lets complaints that came over HTTP be found by the caller's number: the listener that took them has no key for it.

A contact is sealed by the public listener, which can read none. The process that serves the staff holds the master key
and the key of callers. It opens each such contact once, and keeps the place of its numbers in the blind index.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import asyncpg
import msgspec

from shared.contacts.callers import CallersKey
from shared.contacts.details import CannotUnseal, ContactInvalid, MasterKey
from shared.contacts.sealing import Sealed
from shared.ids import ComplaintId
from shared.log.away import is_away
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry

LOOK_SECONDS: Final = 1.0
"""How often it looks for contacts, where the last look found few."""
TAKEN_MAX: Final = 100
"""Contacts of one look; each takes 0.2 ms to open."""
AGAIN: Final = timedelta(minutes=5)
"""A contact that was taken and not placed, as the process ended, is taken again after so long."""
_TAKE: Final = "SELECT stream_id::text, taken_at, sealed, key, master FROM vault.take_unindexed($1, $2)"
_PLACE: Final = "SELECT vault.index_taken($1, $2, $3)"


class CallerIndexing:
    """Places the numbers of contacts that nobody has placed yet."""

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        master: Callable[[], MasterKey | None],
        callers: Callable[[], CallersKey | None],
        telemetry: Telemetry,
    ) -> None:
        """`pool`: of the login that reads for staff. Keys are asked each time; one put back is used at once."""
        self._pool = pool
        self._master = master
        self._callers = callers
        self._telemetry = telemetry
        self._keyless = False

    async def run(self) -> None:
        """Look again and again until cancelled. Without one of the keys nothing is taken, and the log says so once."""
        while True:
            taken = 0
            try:
                taken = await self.place()
            except Exception as error:  # noqa: BLE001 -- callers who are found late are no reason to close the doors
                log = self._telemetry.log
                (log.warning if is_away(error) else log.error)("callers_not_indexed", error=told(error))
            if taken < TAKEN_MAX:
                await asyncio.sleep(LOOK_SECONDS)

    async def place(self) -> int:
        """Place the numbers of the contacts that are due; how many contacts it took. Errors of asyncpg."""
        try:
            master, callers = self._master(), self._callers()
        except (ContactInvalid, OSError):
            master = callers = None
        if master is None or callers is None:
            if not self._keyless:
                self._telemetry.log.error(
                    "callers_not_indexed", error="the master key or that of callers is not here"
                )
            self._keyless = True
            return 0
        self._keyless = False
        rows = await self._pool.fetch(_TAKE, TAKEN_MAX, AGAIN)
        for stream, taken_at, *sealed in rows:
            indexes = self._indexes(master, callers, ComplaintId(stream), Sealed(*sealed))
            await self._pool.execute(_PLACE, stream, taken_at, indexes)
        return len(rows)

    def _indexes(
        self, master: MasterKey, callers: CallersKey, complaint: ComplaintId, sealed: Sealed
    ) -> list[bytes]:
        """Those of this contact; none where it cannot be read: who seals may seal what is no contact."""
        try:
            return callers.indexes(master.unseal(complaint, sealed))
        except CannotUnseal as error:
            why = str(error)
        except msgspec.MsgspecError:  # its own words may repeat what stands in it
            why = "it holds no contact"
        self._telemetry.log.error("contact_not_indexed", complaint_id=complaint, error=why)
        return []
