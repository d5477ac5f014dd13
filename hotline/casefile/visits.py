"""Visits that wait for a person, and the act of taking one: the citizen's number is read for the visit alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from deploy.city.registry import City
from hotline.casefile.orders import ListPage, line, look, row
from hotline.client import facts_of, present
from hotline.contact_details import key_of
from hotline.lookup import complaint_named
from hotline.readside.lists import EVERYTHING, Filter, Listed
from hotline.readside.rows import VISITS
from services.dispatch.contact_policy import Asker, visit_due
from services.dispatch.contact_reading import WAITING, Reading, read
from shared import times
from shared.complaint import Complaint, Visit
from shared.contacts.details import CannotUnseal
from shared.deciding import concerned, may_decide
from shared.events import OrderAnswered, VisitScheduled
from shared.log.acts import acting
from shared.log.reading import reader
from shared.policy.catalogue import catalogue
from shared.policy.ruleset import ruleset
from shared.runtime.errors import UserError

VISIT_HELD: Final = timedelta(minutes=30)
"""So long nobody else takes a visit that a person has taken. A call back takes three minutes on the mean (175 s,
Changzhou 2021), so this is ten times as long."""

_TAKEN: Final = """
SELECT stream_id::text, visit, attempt, who, taken_at FROM vault.visit_taken WHERE stream_id = ANY ($1::uuid[])
"""


class TakenBy(NamedTuple):
    """The person who asks the citizen just now."""

    who: str
    taken_at: datetime


class VisitPage(NamedTuple):
    """A page of the list of visits."""

    looked: ListPage
    taken: dict[str, TakenBy]
    """By complaint: those that a person has taken, and nobody has written down yet."""


class VisitTaken(NamedTuple):
    """A visit that a person has taken: all that he needs to ask."""

    case: Complaint
    visit: Visit
    reading: Reading
    """The contact, as far as one is kept."""
    answer: str
    """The unit's own words on this round; empty where it gave none."""


async def due_visits(
    city: City,
    *,
    only: Filter = EVERYTHING,
    later: bool = False,
    overdue: bool = False,
    after: str = "",
    most: int,
) -> VisitPage:
    """A page of the visits that may be made now, the longest due first; `later`: those of later too.

    `overdue`: those whose limit by the city's rule set has passed; none where it has no such limit.
    """
    within = ruleset(city.ruleset).visit_within
    if overdue and within is None:
        raise UserError(f"Rule set {city.ruleset} has no limit for visits.")
    looked = await look(
        city,
        VISITS,
        only=only,
        overdue=overdue or not later,
        ago=within if overdue and within is not None else timedelta(),
        after=after,
        most=most,
        said=(VisitScheduled,),
    )
    connection = await reader(city.endpoints.logins["reader"])
    try:
        rows = await connection.fetch(_TAKEN, [one.complaint_id for one in looked.rows])
    finally:
        await connection.close()
    taken = {
        complaint: TakenBy(who, at)
        for complaint, visit, attempt, who, at in rows
        if (scheduled := _scheduled(looked, complaint)) is not None
        and (scheduled.visit, scheduled.attempt) == (visit, attempt)
    }
    return VisitPage(looked, taken)


async def take(city: City, named: str, who: str) -> VisitTaken:
    """Take the visit of this complaint and read its contact; both are written down with who did it.

    Raises `UserError` where no visit is to be made now, somebody else has it, or `who` has a part in the complaint.
    """
    case = await complaint_named(city, named)
    visit = visit_of(case)
    connection = await reader(city.endpoints.logins["reader"])
    try:
        now = await present(connection)
        facts = await facts_of(connection, case.complaint_id)
    finally:
        await connection.close()
    if not visit_due(case, now):
        when = times.shown(visit.visit_at, times.zone_of(case.ruleset))
        raise UserError(f"The citizen is not to be asked before {when}.")
    if (why := may_decide("--as", who, concerned(case, catalogue(city.catalogue)))) is not None:
        raise UserError(f"{why[:1].upper()}{why[1:]}.")
    answers = [fact.result for fact in facts if isinstance(fact, OrderAnswered) and fact.round == visit.round]
    return VisitTaken(case, visit, await _read(city, case, visit, who, now), answers[-1] if answers else "")


async def _read(city: City, case: Complaint, visit: Visit, who: str, now: datetime) -> Reading:
    async with acting(city.endpoints.login("visitor"), WAITING) as visitor:
        await visitor.execute(
            "SELECT vault.take_visit($1, $2, $3, $4, $5)",
            case.complaint_id,
            visit.visit,
            visit.attempt,
            who,
            VISIT_HELD,
        )
        asker = Asker(visitor=who, at=now)
        try:
            return await read(visitor, key_of(city), case.complaint_id, asker, through="COMMAND")
        except CannotUnseal as error:
            raise UserError(f"The contact cannot be read: {error}.") from None


def visit_of(case: Complaint) -> Visit:
    """The visit that is under way; `UserError` where there is none."""
    if case.ended is not None:
        raise UserError(
            f"Complaint {case.complaint_number} has ended with {case.ended.how}: nobody is asked."
        )
    if case.visit is None:
        raise UserError(f"No visit of complaint {case.complaint_number} is under way.")
    return case.visit


def visit_row(page: VisitPage, one: Listed) -> dict[str, Any]:
    """A visit for a program."""
    scheduled = _scheduled(page.looked, one.complaint_id)
    by = None if scheduled is None or scheduled.visit_by is UNSET else scheduled.visit_by
    held = page.taken.get(one.complaint_id)
    return {
        **row(one, page.looked.now),
        "unit": one.lead,
        "visit": one.number,
        "attempt": None if scheduled is None else scheduled.attempt,
        "reason": one.role,
        "channel": _channel(scheduled),
        "visit_at": one.due_at.isoformat(),
        "visit_by": None if by is None else by.isoformat(),
        "overdue": by is not None and by < page.looked.now,
        "taken_by": None if held is None else held.who,
        "taken_at": None if held is None else held.taken_at.isoformat(),
    }


def visit_line(page: VisitPage, one: Listed) -> str:
    """A visit for a person."""
    zone, scheduled = times.zone_of(one.ruleset), _scheduled(page.looked, one.complaint_id)
    attempt = "" if scheduled is None or scheduled.attempt == 1 else f" attempt {scheduled.attempt}"
    by = ""
    if scheduled is not None and scheduled.visit_by is not UNSET:
        by = f", by {times.shown(scheduled.visit_by, zone)}"
        by += " OVERDUE" if scheduled.visit_by < page.looked.now else ""
    held = page.taken.get(one.complaint_id)
    taken = "" if held is None else f" [{held.who} asks]"
    return (
        f"visit {one.number}{attempt} by {_channel(scheduled)} from {times.shown(one.due_at, zone)}{by}{taken}  "
        f"{one.role.lower()}: {one.lead}  {line(one, page.looked.now)}"
    )


def _channel(scheduled: VisitScheduled | None) -> str:
    return "phone" if scheduled is None or scheduled.channel is UNSET else scheduled.channel


def _scheduled(looked: ListPage, complaint: str) -> VisitScheduled | None:
    return next((fact for fact in looked.said.get(complaint, ()) if isinstance(fact, VisitScheduled)), None)
