"""Handlers of requests that are read: one by its number, and many by the standard's filters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.open311.forms import bad
from hotline.web.open311.history import TYPES, stands, told
from hotline.web.open311.instants import asked_span, stamp
from hotline.web.open311.offers import Locale, ServiceOffers
from hotline.web.open311.reading import (
    REQUESTS_MAX,
    FoundRequest,
    ReadFact,
    RequestFilter,
    facts_of,
    found,
    lists_caught_up,
    named,
)
from hotline.web.open311.recording import without_media, without_point
from hotline.web.open311.serving import language
from hotline.web.open311.shapes import ExtendedAttributes, GeoReportList, RequestNote, ServiceRequest
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.reading import Connection, lent
from shared.complaint_number import ComplaintNumberError, Numbered, numbered
from shared.times import zone_of

OPEN, CLOSED = STATUSES = ("open", "closed")
_BETWEEN: Final = """
SELECT c.stream_id::text FROM unnest($1::uuid[], $2::uuid[]) AS n (first, last)
CROSS JOIN LATERAL (
    SELECT stream_id FROM read.complaint WHERE stream_id BETWEEN n.first AND n.last ORDER BY stream_id LIMIT 3
) c
"""


async def many_requests(ask: HttpAsk) -> HttpReply:
    """The requests that are named, or the newest that fit the filters."""
    numbers = _listed(ask.query("service_request_id"))
    async with lent(ask.rooms.pool) as connection:
        if numbers:
            if len(numbers) > REQUESTS_MAX:
                raise bad("service_request_id", f"at most {REQUESTS_MAX} of them")
            rows = await _by_number(ask, connection, numbers)
        else:
            if ask.key.key_id:
                await lists_caught_up(connection)
            rows = await found(connection, ask.key, _filter(ask))
        return await _shown(ask, connection, rows)


async def one_request(ask: HttpAsk) -> HttpReply:
    """One request by its number."""
    async with lent(ask.rooms.pool) as connection:
        rows = await _by_number(ask, connection, [ask.path("service_request_id")])
        if not rows:
            raise HttpRefusal(
                ProblemKind.NOT_FOUND, "service_request_id: there is no such request, or you may not see it."
            )
        return await _shown(ask, connection, rows)


async def _by_number(ask: HttpAsk, connection: Connection, numbers: Sequence[str]) -> list[FoundRequest]:
    """The requests with these numbers or ids."""
    await lists_caught_up(connection)
    ids: set[str] = set()
    asked: set[Numbered] = set()
    for text in numbers:
        try:
            ids.add(str(UUID(text)))
        except ValueError:
            with suppress(ComplaintNumberError):
                number = numbered(text)
                asked |= set() if number is None else {number}
    firsts, lasts = [UUID(one.id_first) for one in asked], [UUID(one.id_last) for one in asked]
    rows = await connection.fetch(_BETWEEN, firsts, lasts) if asked else []
    # A number says the day as well: a complaint whose id fits and whose day does not is another one.
    every = await named(connection, ask.key, [*ids, *(row[0] for row in rows)])
    return [one for one in every if one.complaint in ids or numbered(one.number) in asked]


def _filter(ask: HttpAsk) -> RequestFilter:
    span = asked_span(ask.query("start_date"), ask.query("end_date"), ask.rooms.clock.now())
    statuses = _listed(ask.query("status")) or list(STATUSES)
    if unknown := set(statuses) - set(STATUSES):
        raise bad("status", f"{' or '.join(STATUSES)}, and not {min(unknown)[:40]!r}")
    codes, offers = _listed(ask.query("service_code")), ask.rooms.offers
    subjects: list[str] = []
    for code in codes:
        subject = offers.subject_of(code)
        if subject is None:
            raise HttpRefusal(ProblemKind.NOT_FOUND, "service_code: there is no such service.")
        subjects.append(subject)
    return RequestFilter(span, subjects if codes else None, OPEN in statuses, CLOSED in statuses)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


async def _shown(ask: HttpAsk, connection: Connection, rows: Sequence[FoundRequest]) -> HttpReply:
    notes: dict[str, list[ReadFact]] | None = None
    if ask.query("extensions").lower() == "true":
        notes = {}
        for row in await facts_of(connection, [one.complaint for one in rows], TYPES):
            notes.setdefault(row.complaint, []).append(row)
    offers, locale = ask.rooms.offers, language(ask)
    items = [
        shown(one, offers, locale, None if notes is None else notes.get(one.complaint, [])) for one in rows
    ]
    return HttpReply(200, GeoReportList(kind=ServiceRequest, items=items))


def shown(
    one: FoundRequest, offers: ServiceOffers, locale: Locale, facts: Sequence[ReadFact] | None = None
) -> ServiceRequest:
    """A request as its reader may see it; `facts`: with what happened, where that was asked for."""
    zone = zone_of(one.ruleset)
    words, media = without_media(one.content) if one.in_full else ("", [])
    place, point = without_point(one.address) if one.in_full else ("", None)
    media += one.attachments if one.in_full else []
    name = offers.name_of(one.subject, locale)
    address = " ".join(part for part in (place, *_area(one, offers)) if part)
    return ServiceRequest(
        service_request_id=one.number,
        status=CLOSED if one.closed else OPEN,
        status_notes=stands(one.stage, locale),
        service_name=UNSET if name is None else name,
        service_code=offers.code_of(one.subject),
        description=_or_none(words),
        agency_responsible=_or_none(offers.unit_named(one.unit) if one.unit else ""),
        requested_datetime=stamp(one.received_at, zone),
        updated_datetime=stamp(one.updated_at, zone),
        expected_datetime=UNSET if one.closed or one.due_at is None else stamp(one.due_at, zone),
        address=_or_none(address),
        lat=UNSET if point is None else point.lat,
        long=UNSET if point is None else point.long,
        media_url=media[0] if media else UNSET,
        notes=UNSET if facts is None else _notes(one, facts, offers, locale),
        extended_attributes=UNSET if facts is None or not media else ExtendedAttributes(photos=media),
    )


def _notes(
    one: FoundRequest, facts: Sequence[ReadFact], offers: ServiceOffers, locale: Locale
) -> list[RequestNote]:
    zone = zone_of(one.ruleset)
    said = [(row.at, told(row.fact, offers, locale, in_full=one.in_full)) for row in facts]
    return [
        RequestNote(datetime=stamp(at, zone), description=line.sentence, type=line.state)
        for at, line in said
        if line is not None
    ]


def _area(one: FoundRequest, offers: ServiceOffers) -> tuple[str, str]:
    """Street and district by names of the catalogue; to the public no other, for anybody may have typed them."""
    known = offers.catalogue.districts.get(one.district)
    if one.in_full:
        return one.street, one.district
    if known is None:
        return "", ""
    return (one.street if one.street in known.streets else ""), one.district


def _or_none(text: str) -> str | UnsetType:
    return text or UNSET
