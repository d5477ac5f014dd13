"""The blind index of callers for the listener for staff: what a caller has open, and by which number it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import asyncpg

from shared.contacts.callers import CallersKey, is_number
from shared.contacts.details import Contact, ContactInvalid
from shared.ids import ComplaintId
from shared.runtime.telemetry import Telemetry

FOUND_MAX: Final = 20
"""Complaints of a caller that are looked at, the newest contact first."""
_OF_CALL: Final = "SELECT of_call::text FROM vault.of_call($1, $2, $3)"
_OF_NUMBER: Final = "SELECT of_caller_on_page::text FROM vault.of_caller_on_page($1, $2, $3)"
_PUT: Final = "SELECT vault.index_sealed($1, $2, $3)"


class CallerIndex:
    """Finds complaints of a caller, each finding noted; no number is kept, and none stands in an address."""

    def __init__(
        self, pool: asyncpg.Pool[Any], key: Callable[[], CallersKey | None], telemetry: Telemetry
    ) -> None:
        """`pool`: of the login that reads for staff. `key` is asked each time; one put back is used at once."""
        self._pool = pool
        self._key = key
        self._telemetry = telemetry

    async def of_call(self, call_id: str, staff_id: str) -> list[str]:
        """The ids of the complaints of who calls; none where this person did not take the call. Errors of asyncpg."""
        return [row[0] for row in await self._pool.fetch(_OF_CALL, call_id, staff_id, FOUND_MAX)]

    def place(self, number: str) -> bytes | None:
        """Where a number stands in the index; None where it is no number, or no key is here."""
        key = self._found_key()
        return None if key is None or not is_number(number) else key.index(number)

    async def of_number(self, number: str, staff_id: str) -> list[str]:
        """The ids of the complaints of this number; none where it is no number, or no key is here."""
        place = self.place(number)
        if place is None:
            return []
        return [row[0] for row in await self._pool.fetch(_OF_NUMBER, place, staff_id, FOUND_MAX)]

    async def put(self, complaint: ComplaintId, sender: str, contact: Contact) -> None:
        """Let a complaint be found by the numbers of its contact, which this sender has sealed."""
        key = self._found_key()
        if key is not None and (indexes := key.indexes(contact)):
            await self._pool.execute(_PUT, complaint, sender, indexes)

    def _found_key(self) -> CallersKey | None:
        try:
            key = self._key()
        except (ContactInvalid, OSError):
            key = None
        if key is None:
            self._telemetry.log.error("callers_without_key")
        return key
