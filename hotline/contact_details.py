"""Contacts from the command's side: put into the vault, shredding; and the files of their keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import CALLERS_KEY_FILE, CONTACTS_KEY_FILE, CONTACTS_PUBLIC_FILE, City
from deploy.embedded.atomic import write_atomically
from shared.complaint import stored_head
from shared.contacts.callers import CallersKey, callers_key
from shared.contacts.details import (
    Contact,
    ContactInvalid,
    MasterKey,
    master_key,
    new_key,
    public_written,
)
from shared.ids import ComplaintId
from shared.log.acts import acting
from shared.log.heads import fetch, over_heads
from shared.policy.ruleset import RuleSet, ruleset
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows
from shared.versions import RULESET

Key = TypeVar("Key")

SHREDDED_AT_ONCE: Final = 10_000
_ACCESSES: Final = """
SELECT at, as_a, who, through, outcome, standing, reason FROM vault.access WHERE stream_id = $1 ORDER BY number
"""
_ENDED: Final = over_heads(
    """
SELECT s.stream_id::text, s.state ->> 'ruleset', (s.state #>> '{ended,at}')::timestamptz
FROM (SELECT stream_id FROM vault.key UNION SELECT stream_id FROM vault.text_number) k JOIN {heads} s USING (stream_id)
WHERE s.state -> 'ended' IS NOT NULL
"""
)


_WITHOUT_RECORD: Final = """
SELECT stream_id::text FROM vault.key JOIN vault.contact USING (stream_id)
WHERE taken_at + $1 < $2 AND NOT EXISTS (SELECT FROM es.stream s WHERE s.stream_id = key.stream_id)
"""


async def keep_key(home: Path, endpoints: CityEndpoints) -> str | None:
    """The keys of contacts and of callers in the city's folder, its owner's alone to read; made where there are none.

    Beside them lies the public part of the contacts' key, written anew from it.

    Where contacts are kept under a key that is missing none is made: it would read nothing, and hide that the
    old one is needed. The sentence says so.
    """
    missing = [home / name for name in (CONTACTS_KEY_FILE, CALLERS_KEY_FILE) if not (home / name).exists()]
    if not missing:
        _keep_public(home)
        return None
    async with acting(endpoints.login("operator")) as operator:
        kept = await operator.fetchval(
            "SELECT (SELECT count(*) FROM vault.key) + (SELECT count(DISTINCT stream_id) FROM vault.text_number)"
        )
    if kept:
        files = " and ".join(map(str, missing))
        return (
            f"{files} is missing, and {kept:,} contacts were kept with it: put it back, see docs/runbook.md."
        )
    for file in missing:
        write_atomically(file, new_key() + "\n", mode=0o600)
    _keep_public(home)
    return None


def _keep_public(home: Path) -> None:
    try:
        key = master_key("", str(home / CONTACTS_KEY_FILE))
    except ContactInvalid:
        return  # nobody reads a contact with it either, and each who tries says so
    if key is not None:
        write_atomically(home / CONTACTS_PUBLIC_FILE, public_written(key) + "\n")


def key_of(city: City) -> MasterKey:
    """The city's master key: HOTLINE_CONTACTS_KEY, else the file in its folder; `UserError` where there is none."""
    return _kept(
        city, CONTACTS_KEY_FILE, "HOTLINE_CONTACTS_KEY", master_key, "the master key of the contacts"
    )


def callers_key_of(city: City) -> CallersKey:
    """The city's key of callers: HOTLINE_CALLERS_KEY, else the file in its folder; `UserError` where there is none."""
    return _kept(city, CALLERS_KEY_FILE, "HOTLINE_CALLERS_KEY", callers_key, "the key of callers")


def _kept(city: City, name: str, variable: str, read: Callable[[str, str], Key | None], what: str) -> Key:
    file = Path(city.logs).with_name(name)
    try:
        found = read(os.environ.get(variable, ""), str(file))
    except FileNotFoundError:
        found = None
    except ValueError as error:
        raise UserError(f"{error}.") from None
    if found is None:
        raise UserError(f"{file} is missing: {what}, see docs/runbook.md.")
    return found


class Keys(NamedTuple):
    """The keys that a contact is kept with."""

    master: MasterKey
    callers: CallersKey


async def put(dsn: str, keys: Keys, complaint_id: ComplaintId, contact: Contact, agent: str) -> str:
    """Keep a contact as an agent took it down, in place of the one before; `dsn` is the agents'.

    Returns the complaint's number. Raises `UserError` where the complaint is not on record, is anonymous or has ended.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            row = await connection.fetchrow("SELECT * FROM vault.look($1)", complaint_id)
            if row is None:
                raise UserError(f"No complaint {complaint_id} is on record.")
            case = stored_head(complaint_id, row["state"], row["state_schema"])
            if case.anonymous:
                raise UserError(f"Complaint {complaint_id} is anonymous: no contact is kept of it.")
            if case.ended is not None:
                raise UserError(f"Complaint {complaint_id} has ended: no contact is kept of it any more.")
            sealed = keys.master.seal(complaint_id, contact)
            await connection.execute("SELECT vault.put($1, $2, $3, $4, $5)", complaint_id, *sealed, agent)
            await connection.execute(
                "SELECT vault.put_callers($1, $2)", complaint_id, keys.callers.indexes(contact)
            )
            return case.complaint_number
    finally:
        await connection.close()


async def of_caller(dsn: str, key: CallersKey, number: str, agent: str, most: int) -> list[ComplaintId]:
    """The complaints of this number whose contact is kept, the newest first; each is noted in its access log.

    `dsn` is the agents'.
    """
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("SELECT vault.of_caller($1, $2, $3)", key.index(number), agent, most)
        return [ComplaintId(str(row[0])) for row in found]
    finally:
        await connection.close()


async def accesses(reader: asyncpg.Connection[Any], complaint_id: ComplaintId) -> list[dict[str, Any]]:
    """Each time a complaint's contact was asked for, in order: when, by whom, through what, and the outcome."""
    return [dict(row) for row in await reader.fetch(_ACCESSES, complaint_id)]


async def overdue(
    operator: asyncpg.Connection[Any],
    now: datetime,
    unread: UnreadableRows | None = None,
    rules: RuleSet | None = None,
) -> list[ComplaintId]:
    """The complaints whose contact is to be shredded: ended longer ago than their rule set keeps it.

    So are contacts whose request was never put on record: refused, set aside, or lost before it was sent. `rules`: by
    which new complaints live; they say how long such a contact is kept.

    Where a head cannot be read, nobody knows when its life ended: its contact stays, and it is noted in `unread`.
    """
    unread = UnreadableRows() if unread is None else unread
    judged = unread.each(
        await fetch(operator, _ENDED, unread=unread),
        lambda row: f"the head of complaint {row[0]}",
        lambda row: (ComplaintId(row[0]), row[2] + timedelta(days=ruleset(row[1]).contact_days) < now),
    )
    kept = (rules or ruleset(RULESET)).contact_without_record
    alone = await operator.fetch(_WITHOUT_RECORD, kept, now)
    return [*(complaint for complaint, over in judged if over), *(ComplaintId(row[0]) for row in alone)]


async def shred(operator: asyncpg.Connection[Any], complaints: Sequence[ComplaintId], reason: str) -> int:
    """Delete the keys of these complaints for good; how many there were."""
    gone = 0
    for first in range(0, len(complaints), SHREDDED_AT_ONCE):
        some = list(complaints[first : first + SHREDDED_AT_ONCE])
        gone += await operator.fetchval("SELECT vault.shred($1, $2)", some, reason)
    if gone:
        # A deleted row lies in its page until then.
        await operator.execute("VACUUM vault.key, vault.text_number")
    return gone
