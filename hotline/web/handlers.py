"""Handlers of the routes that are no acts: events in, complaints, timelines and lists out."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec

from hotline.lookup import known_in
from hotline.readside.lists import EVERYTHING, Filter
from hotline.readside.rows import ORDERS, REVIEWS, ROLES
from hotline.web.acts import outcome_link
from hotline.web.answers import (
    AcceptedEvent,
    AcceptedEvents,
    ComplaintPage,
    ComplaintSeen,
    ComplaintTimeline,
    KeySeen,
    KnownUnit,
    KnownUnits,
    ListAsOf,
    OfferedAnswers,
)
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.events import BATCH, events_in
from hotline.web.limits import LIST_ROWS, PAGE_MAX
from hotline.web.offers import offers_to
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.reading import behind_seconds, complaint_of, lent, listed, seen, timeline_of, whistles_of
from hotline.web.roles import KeyScope
from hotline.web.speaking import SentEvent
from shared import roles
from shared.events.base import Urgency
from shared.runtime.errors import UserError
from shared.structured import CONTENT_TYPE as STRUCTURED

NO_COMPLAINT: Final = "There is no such complaint, or it is none of yours."
TRUE, FALSE = TRUTHS = ("true", "false")
NO_UNIT: Final = "There is no such unit, or it is none of yours."


async def take_events(ask: HttpAsk) -> HttpReply:
    """Check all events of the request, and send them."""
    found = events_in(ask.request.headers.raw, await ask.body())
    ask.rooms.rates.spend(ask.key, len(found) - 1)
    judged = ask.rooms.judge.judged(ask.key, found)
    sent = await ask.rooms.speakers.send(ask.key.role, judged)
    return HttpReply(202, AcceptedEvents(events=[_accepted(ask, one) for one in sent]))


async def take_signed_events(ask: HttpAsk) -> HttpReply:
    """The same of a body that is signed: only where the whole event stands in it."""
    content_type = ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in {STRUCTURED, BATCH}:
        raise HttpRefusal(
            ProblemKind.WRONG_TYPE,
            "A signature covers the body alone, so the whole event must stand in it.",
            field="content-type",
            expected=f"{STRUCTURED} or {BATCH}",
        )
    return await take_events(ask)


def _accepted(ask: HttpAsk, sent: SentEvent) -> AcceptedEvent:
    event = sent.event
    return AcceptedEvent(
        source=event.source,
        id=event.event_id,
        topic=ask.key.topic,
        partition=sent.partition,
        offset=sent.offset,
        outcome=msgspec.UNSET if event.complaint_id is None else outcome_link(sent),
    )


async def one_complaint(ask: HttpAsk) -> HttpReply:
    """A complaint by its number or its id."""
    async with lent(ask.rooms.pool) as connection:
        found = await complaint_of(connection, ask.key, ask.path("complaint"))
        if found is None:
            raise HttpRefusal(ProblemKind.NOT_FOUND, NO_COMPLAINT)
        now = ask.rooms.clock.now()
        answer: ComplaintSeen = seen(found, now, await whistles_of(connection, found.complaint_id))
    return HttpReply(200, answer)


async def one_timeline(ask: HttpAsk) -> HttpReply:
    """The life of a complaint."""
    async with lent(ask.rooms.pool) as connection:
        found = await complaint_of(connection, ask.key, ask.path("complaint"))
        if found is None:
            raise HttpRefusal(ProblemKind.NOT_FOUND, NO_COMPLAINT)
        answer: ComplaintTimeline = await timeline_of(connection, ask.key, found)
    return HttpReply(200, answer)


async def orders_of_unit(ask: HttpAsk) -> HttpReply:
    """A page of a unit's open orders."""
    unit = ask.path("unit")
    if unit != ask.key.unit and not (ask.key.role == roles.SUPERVISION and ask.key.may(KeyScope.READ_ALL)):
        raise HttpRefusal(ProblemKind.NOT_FOUND, NO_UNIT)
    only = Filter(
        role=_one_of(ask, "role", ROLES),
        subject=ask.query("subject"),
        district=ask.query("district"),
        urgency=_one_of(ask, "urgency", tuple(Urgency)),
        due_before=ask.rooms.clock.now() if _one_of(ask, "overdue", TRUTHS) == TRUE else None,
    )
    return await _page(ask, ORDERS, unit, only)


async def reviews_waiting(ask: HttpAsk) -> HttpReply:
    """A page of what waits for a reviewer or a council."""
    if ask.key.role != roles.REVIEWERS:
        raise HttpRefusal(ProblemKind.NOT_ALLOWED, "Only reviewers read what waits for them.")
    return await _page(ask, REVIEWS, "", EVERYTHING)


async def offers_of_unit(ask: HttpAsk) -> HttpReply:
    """The answers that are offered to a unit."""
    unit = ask.path("unit")
    if unit != ask.key.unit:
        raise HttpRefusal(ProblemKind.NOT_FOUND, NO_UNIT)
    async with lent(ask.rooms.pool) as connection:
        return HttpReply(200, OfferedAnswers(offers=await offers_to(connection, unit)))


async def known_units(ask: HttpAsk) -> HttpReply:
    """The units of the dispatch catalogue."""
    known = ask.rooms.catalogue
    units = [
        KnownUnit(unit=unit, names=list(names), level=known.units[unit].level)
        for unit, names in known_in(known).units.items()
    ]
    return HttpReply(200, KnownUnits(catalogue=known.version, units=units))


async def own_key(ask: HttpAsk) -> HttpReply:
    """The key of the request itself."""
    key = ask.key
    return HttpReply(
        200,
        KeySeen(
            key_id=key.key_id,
            role=key.role,
            name=key.name,
            topic=key.topic,
            scopes=sorted(key.scopes),
            sources=list(key.sources),
            rate=key.rate,
            ruleset=ask.rooms.ruleset,
        ),
    )


async def _page(ask: HttpAsk, which: str, party: str, only: Filter) -> HttpReply:
    limit = ask.query("limit") or str(LIST_ROWS)
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= PAGE_MAX):
        raise _bad("limit", f"a whole number from 1 to {PAGE_MAX}")
    async with lent(ask.rooms.pool) as connection:
        try:
            page = await listed(
                connection, which, party, only=only, after=ask.query("after"), most=int(limit)
            )
        except UserError as error:
            raise _away_or_bad(error) from None
    following: str | msgspec.UnsetType = msgspec.UNSET
    if page.more:
        asked = dict(ask.request.query_params) | {"after": page.more}
        following = f"{ask.request.url.path}?{urlencode(asked)}"
    return HttpReply(
        200,
        ComplaintPage(
            complaints=[seen(one, page.now) for one in page.rows],
            at=page.now,
            as_of=ListAsOf(position=page.as_of.position, behind_seconds=behind_seconds(page.as_of)),
            next=following,
        ),
    )


def _away_or_bad(error: UserError) -> HttpRefusal:
    """There are no lists yet, or the cursor is none."""
    if "no place in a list" in str(error):
        return _bad("after", "the place that the page before gave")
    return HttpRefusal(ProblemKind.AWAY, str(error), headers={"Retry-After": "2"})


def _one_of(ask: HttpAsk, name: str, known: tuple[str, ...]) -> str:
    given = ask.query(name)
    if given and given not in known:
        raise _bad(name, " or ".join(known))
    return given


def _bad(name: str, expected: str) -> HttpRefusal:
    return HttpRefusal(
        ProblemKind.BAD_EVENT, f"Parameter {name}: expected {expected}.", field=name, expected=expected
    )
