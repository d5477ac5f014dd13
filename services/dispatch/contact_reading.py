"""Reading a contact: the decision and its row in the access log in one transaction, before anything goes out.

Units read through the HTTP door for staff (`hotline.web.contacts`), people through commands.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.dispatch.contact_policy import Asker, Seen, Sight, has_contact, may_see
from shared.aside import NoSuchComplaint
from shared.complaint import stored_head
from shared.contacts.details import Contact, MasterKey
from shared.contacts.sealing import Sealed
from shared.contacts.texts import WHAT, TextNumber, numbers_read
from shared.ids import ComplaintId

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 10.0
READINGS_MAX: Final = 4
"""Readings of a process at a time; more wait for their turn."""
WAITING: Final = {
    # A reading holds up what is said of its complaint: neither it nor its wait may last.
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
    "application_name": "contacts",
}


class Reading(NamedTuple):
    """The answer to one request for a contact."""

    sight: Sight
    contact: Contact | None
    """As much as he may see."""
    texts: tuple[TextNumber, ...] = ()
    """The numbers that stood in the citizen's texts, in the order in which they came; as much as he may see."""


async def read(
    connection: asyncpg.Connection[Any] | PoolConnectionProxy[Any],
    key: MasterKey,
    complaint_id: ComplaintId,
    asker: Asker,
    *,
    through: Literal["DOOR", "COMMAND", "PAGE"],
    reason: str = "",
) -> Reading:
    """Decide, write it down, commit, and only then unseal.

    Raises `NoSuchComplaint`, with no row, as there is nothing to read; `UnreadableHead`; and `CannotUnseal`, when the
    row is written and nobody has seen anything.
    """
    async with connection.transaction():
        row = await connection.fetchrow("SELECT * FROM vault.look($1)", complaint_id)
        if row is None:
            raise NoSuchComplaint(complaint_id)
        case = stored_head(complaint_id, row["state"], row["state_schema"])
        sight = may_see(asker, case, row["taken_by"], reason, texts=row["texts"])
        rows = await connection.fetch(
            "SELECT * FROM vault.note($1, $2, $3, $4, $5, $6, $7)",
            complaint_id,
            asker.name,
            asker.kind,
            through,
            sight.seen,
            sight.standing,
            reason,
        )
    contact: Contact | None = None
    texts: list[TextNumber] = []
    for *sealed, message_id in rows:
        if message_id is not None:
            texts += numbers_read(key.opened(complaint_id, Sealed(*sealed), WHAT))
        elif has_contact(case, row["taken_by"]):
            contact = key.unseal(complaint_id, Sealed(*sealed))
    if sight.seen is not Seen.FULL:
        contact = None if contact is None else contact.masked()
        texts = [one.masked() for one in texts]
    return Reading(sight, contact, tuple(texts))
