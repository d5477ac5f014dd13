"""Reads contacts for units and visits: with the master key and a login that the public listener has not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import asyncpg

from hotline.casefile.visits import VISIT_HELD, visit_of
from hotline.web.limits import AGAIN_SECONDS
from hotline.web.problems import HttpRefusal, ProblemKind
from services.dispatch.contact_policy import Asker, Seen, Sight, Standing, refused_for, visit_due
from services.dispatch.contact_reading import Reading, read
from shared import times
from shared.aside import NoSuchComplaint
from shared.complaint import Complaint, UnreadableHead
from shared.contacts.details import CannotUnseal, ContactInvalid, MasterKey
from shared.ids import ComplaintId, UnitId
from shared.log.acts import REFUSED
from shared.runtime.errors import UserError
from shared.runtime.telemetry import Telemetry

_TAKE: Final = "SELECT vault.take_visit($1, $2, $3, $4, $5)"


class ContactReader:
    """The readings of one process; each is decided and written down before anything is unsealed."""

    def __init__(
        self, pool: asyncpg.Pool[Any], key: Callable[[], MasterKey | None], telemetry: Telemetry
    ) -> None:
        """`pool`: of the login that reads for units. `key` is asked at each reading; one put back is used at once."""
        self._pool = pool
        self._key = key
        self._telemetry = telemetry

    async def read(self, complaint: ComplaintId, unit: UnitId, reason: str) -> Reading:
        """As much as this unit may see; a refusal tells it no more than that it is a stranger.

        `HttpRefusal` where it cannot be read just now; errors of asyncpg.
        """
        key = self._master()
        try:
            async with self._pool.acquire() as connection:
                found = await read(connection, key, complaint, Asker(unit), through="DOOR", reason=reason)
        except NoSuchComplaint:
            return Reading(Sight(Seen.REFUSED, Standing.STRANGER), None)
        except (CannotUnseal, UnreadableHead) as error:
            raise self._not_read(complaint, str(error)) from None
        seen, standing = found.sight
        self._telemetry.log.info(
            "contact_read", complaint_id=complaint, unit=unit, seen=seen, standing=standing
        )
        return found._replace(sight=Sight(seen, refused_for(standing)))

    async def read_for_visit(self, case: Complaint, who: str, now: datetime) -> Reading:
        """Take the visit that is under way for this person, and read the whole contact: both are written down.

        `UserError` where somebody else has taken it, or it is not to be made yet. `HttpRefusal` where it cannot be
        read just now. Errors of asyncpg.
        """
        key, visit = self._master(), visit_of(case)
        if not visit_due(case, now):
            at = times.shown(visit.visit_at, times.zone_of(case.ruleset))
            raise UserError(f"the citizen is not to be asked before {at}")
        try:
            async with self._pool.acquire() as connection:
                taken = (case.complaint_id, visit.visit, visit.attempt, who, VISIT_HELD)
                await connection.execute(_TAKE, *taken)
                asker = Asker(visitor=who, at=now)
                return await read(connection, key, case.complaint_id, asker, through="PAGE")
        except asyncpg.PostgresError as error:
            if error.sqlstate != REFUSED:
                raise
            raise UserError(str(error)) from None
        except (CannotUnseal, UnreadableHead) as error:
            raise self._not_read(case.complaint_id, str(error)) from None

    def _not_read(self, complaint: ComplaintId, why: str) -> HttpRefusal:
        self._telemetry.log.error("contact_not_read", complaint_id=complaint, error=why)
        return _not_now()

    def _master(self) -> MasterKey:
        try:
            key = self._key()
        except (ContactInvalid, OSError):
            key = None
        if key is None:
            self._telemetry.log.error("contacts_without_master_key")
            raise _not_now()
        return key


def _not_now() -> HttpRefusal:
    return HttpRefusal(
        ProblemKind.AWAY,
        "Contacts cannot be read just now; the log of the process says why.",
        headers={"Retry-After": str(AGAIN_SECONDS)},
    )
