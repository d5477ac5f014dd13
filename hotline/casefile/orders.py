"""Lists of what waits for somebody, and one complaint in them: for a program and for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from deploy.city.registry import City
from hotline import contact_details
from hotline.client import present
from hotline.contact_details import callers_key_of
from hotline.lookup import unit_named
from hotline.readside.behind import behind
from hotline.readside.lists import EVERYTHING, Filter, Listed, page_of, some, whole_list
from hotline.readside.rows import LEAD
from hotline.readside.search import found, place_of
from hotline.readside.standing import AsOf, caught_up, unread_complaints
from hotline.terminal import LISTED_MAX
from shared import times
from shared.contacts.details import ContactInvalid, telephone_number
from shared.events import Fact
from shared.log.codec import decoded
from shared.log.postgres import SETTINGS
from shared.log.reading import reader
from shared.runtime.errors import UserError
from shared.text import shown
from shared.unreadable import NAMED_MAX, UnreadableRows

_LAST_FACTS: Final = """
SELECT DISTINCT ON (stream_id, type) stream_id::text, type, schema_version, body FROM es.fact
WHERE stream_id = ANY ($1::uuid[]) AND type = ANY ($2::text[]) ORDER BY stream_id, type, version DESC
"""


class Whereabouts(NamedTuple):
    """The subject, place and unit of a complaint; an empty value leaves nothing out."""

    subject: str = ""
    district: str = ""
    street: str = ""
    unit: str = ""
    """As people name it."""


class ListPage(NamedTuple):
    """A page of a list."""

    rows: list[Listed]
    now: datetime
    """The city's present."""
    as_of: AsOf
    unread: UnreadableRows
    """Complaints that are in no list, as they cannot be read."""
    more: str = ""
    """Behind which the next page begins; empty where there is none."""
    said: Mapping[str, Sequence[Fact]] = MappingProxyType({})
    """By complaint the last fact of each kind that was asked for."""


async def look(
    city: City,
    which: str,
    party: str = "",
    *,
    only: Filter = EVERYTHING,
    overdue: bool = False,
    ago: timedelta = timedelta(),
    after: str = "",
    most: int | None = None,
    said: Sequence[type[Fact]] = (),
) -> ListPage:
    """A page of one of `readside.rows.LISTS`, the earliest due first; the whole of it without `most`.

    It holds what was in the log when it was asked for. `overdue`: only what was due by the present, so long `ago`.
    `said`: of each complaint the last fact of these kinds beside it.
    The unit of `only` is named as people name it.
    Raises `UserError` where `after` is no place in a list, no such unit is, or there are no lists yet.
    """
    if only.unit:
        only = only._replace(unit=unit_named(only.unit, city.catalogue))
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        now = await present(connection)
        if overdue:
            only = only._replace(due_before=now - ago)
        if most is None:
            rows = await whole_list(connection, which, party, only=only)
        else:
            rows = await page_of(connection, which, party, only=only, after=after, most=most + 1)
        unread = UnreadableRows()
        for complaint, why in await unread_complaints(connection, NAMED_MAX):
            unread.note(f"the head of complaint {complaint}", why)
        more = "" if most is None or len(rows) <= most else rows[most - 1].cursor
        rows = rows[:most]
        found = await last_facts(connection, [one.complaint_id for one in rows], said) if said else {}
    finally:
        await connection.close()
    return ListPage(rows, now, as_of, unread, more, found)


async def last_facts(
    connection: asyncpg.Connection[Any], complaints: Sequence[str], kinds: Sequence[type[Fact]]
) -> dict[str, list[Fact]]:
    """Of each complaint its last fact of each of these kinds; one that cannot be read is left out."""
    rows = await connection.fetch(_LAST_FACTS, complaints, [kind.__name__ for kind in kinds])
    facts = UnreadableRows().each(rows, lambda row: f"a fact of {row[0]}", lambda row: decoded(*row[1:]))
    said: dict[str, list[Fact]] = {}
    for fact in facts:
        said.setdefault(fact.complaint_id, []).append(fact)
    return said


async def found_in(
    city: City, text: str, *, place: Whereabouts, open_only: bool = False, after: str = "", most: int
) -> ListPage:
    """A page of what is found by a number, a request, words of the title or a place, the newest first.

    Raises `UserError` where the text is too short to look for, no such unit is, or `after` is no place in what was
    found.
    """
    if place.unit:
        place = place._replace(unit=unit_named(place.unit, city.catalogue))
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        now = await present(connection)
        rows = await found(
            connection, text, **place._asdict(), open_only=open_only, before=after, most=most + 1
        )
        return _page_of_found(rows, now, as_of, most)
    finally:
        await connection.close()


async def page_behind(
    city: City, subject: str, district: str, period: tuple[date, date], *, after: str = "", most: int
) -> ListPage:
    """A page of the complaints of a subject, received from a day on and before another, the newest first.

    Raises `UserError` where `after` is no place in what was found.
    """
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        now = await present(connection)
        rows = await behind(connection, subject, district, period, before=after, most=most + 1)
        return _page_of_found(rows, now, as_of, most)
    finally:
        await connection.close()


async def of_caller(city: City, number: str, agent: str, *, open_only: bool = False, most: int) -> ListPage:
    """The complaints of a telephone number whose contact is kept, the newest first; each search is noted.

    Raises `UserError` where the text is no telephone number.
    """
    try:
        dialled = telephone_number("--caller", number)
    except ContactInvalid as error:
        raise UserError(f"{error}.") from None
    login = city.endpoints.login("agent")
    ids = await contact_details.of_caller(login, callers_key_of(city), dialled, agent, most)
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        now = await present(connection)
        rows = [one for one in await some(connection, ids) if not (open_only and one.ended)]
        return ListPage(rows, now, as_of, UnreadableRows())
    finally:
        await connection.close()


def _page_of_found(rows: list[Listed], now: datetime, as_of: AsOf, most: int) -> ListPage:
    more = place_of(rows[most - 1]) if len(rows) > most else ""
    return ListPage(rows[:most], now, as_of, UnreadableRows(), more)


def row(one: Listed, now: datetime) -> dict[str, Any]:
    """A listed complaint for a program, at the city's present."""
    return {
        "complaint_id": one.complaint_id,
        "complaint_number": one.complaint_number,
        "role": one.role,
        "assignment": one.assignment,
        "round": one.round,
        "state": _state(one, now),
        "due_at": one.due_at.isoformat(),
        "overdue": one.overdue(now),
        "provisional": one.provisional,
        "paused_until": one.paused_until.isoformat() if one.paused_until is not None else None,
        "sign_by": one.sign_due_at.isoformat() if one.sign_due_at is not None else None,
        "urgency": one.urgency,
        "heat": one.heat,
        "subject": one.subject,
        "title": one.title,
        "content": one.content,
        "attachments": [msgspec.to_builtins(kept) for kept in one.attachments],
        "district": one.district,
        "street": one.street or None,
        "address": one.address,
        "unlisted": list(one.unlisted),
        "cursor": one.cursor,
    }


def line(one: Listed, now: datetime) -> str:
    """A listed complaint for a person, at the city's present."""
    zone = times.zone_of(one.ruleset)
    due_at = times.shown(one.due_at, zone)
    sign = ""
    if one.sign_due_at is not None:
        sign = f"sign by {times.shown(one.sign_due_at, zone)}{' OVERDUE' if one.sign_due_at < now else ''}, "
    heat = f" (brought up {one.heat} times)" if one.heat > 1 else ""
    role = "" if one.role in {"", LEAD} else f" [{one.role}]"
    sent = f" [{len(one.attachments)} attached]" if one.attachments else ""
    again = f" (round {one.round})" if one.round > 1 else ""
    unknown = f" (not in the catalogue: {', '.join(one.unlisted)})" if one.unlisted else ""
    late = " OVERDUE" if one.overdue(now) else ""
    unsure = " (provisional)" if one.provisional else ""  # the limit may still move (T16)
    place = f" {one.street or one.district}{shown(one.address, LISTED_MAX)}"
    return (
        f"{one.complaint_number}  {_state(one, now):9} {one.urgency:12} {sign}due {due_at}{unsure}{late}{role}  "
        f"{one.subject}: {shown(one.title, LISTED_MAX)}{place}{heat}{again}{sent}{unknown}"
    )


def _state(one: Listed, now: datetime) -> str:
    if one.standing in {"disputed", "in review"} or one.paused_until is None or not one.stands_still(now):
        return one.standing or "new"
    return f"paused until {times.shown(one.paused_until, times.zone_of(one.ruleset))}"
