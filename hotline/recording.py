"""Records a request as an agent does, and tells what became of it: answered on the spot, or an order of a unit."""

from __future__ import annotations

import asyncio
import mimetypes
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from deploy.city.registry import City, typed
from hotline.casefile import refusals
from hotline.client import EFFECT_SECONDS_MAX, Mistyped, effect, facts_of, now_of, on_record, tell
from hotline.lookup import complaint_named
from services.intake.knowledge.base import listed
from services.intake.knowledge.rule import Valid, unusable
from shared.complaint import ANSWER, LINK
from shared.events import (
    Attachment,
    ComplaintAnsweredDirectly,
    ComplaintDispatched,
    ComplaintTurnedAway,
    Fact,
    IntakeRefused,
    TurnedAway,
)
from shared.ids import ComplaintId, complaint_id
from shared.inputs import RecordRequest, RepeatRequest
from shared.log.reading import reader
from shared.policy.catalogue import Catalogue, To, catalogue
from shared.runtime.errors import UserError
from shared.text import folded
from shared.times import zone_of
from shared.topics import INTAKE_REQUESTS


async def record(city: City, data: RecordRequest, note: Callable[[str], None]) -> dict[str, str | None]:
    """Record it and wait for what becomes of it; `note` is told what beside could not be done.

    With an article: its name. Turned away: how, where to and why. Else the unit, the rule it was found by, and its
    limits as RFC 3339. `UserError` where it is refused, `Unknown` where it is on record and the rest is not known.
    """
    complaint = complaint_id(data.request_id)
    told = await tell(city, INTAKE_REQUESTS, data.request_id, data)
    _refused(await effect(city, complaint, told), complaint, note)
    with on_record(complaint):
        return await _became(city, complaint, data, note)


async def holds(city: City, article_id: str, version: int) -> None:
    """`Mistyped` where nobody can answer from this version now; an empty base checks nothing (B2)."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        every = await listed(connection)
    finally:
        await connection.close()
    known = {(one.id, one.version): Valid(one.valid_from, one.withdrawn_at) for one in every}
    why = unusable(article_id, version, await now_of(city), known, zone_of(city.ruleset))
    if why is not None:
        raise Mistyped(f"Not sent: --article: {why}. Without it a unit gets the complaint.")


def attachments(paths: Iterable[Path]) -> tuple[Attachment, ...]:
    """The record of these files; they stay where they are. `Mistyped` where one is none."""
    found: list[Attachment] = []
    for path in paths:
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        try:
            fields = {
                "uri": path.resolve().as_uri(),
                "media_type": media_type,
                "sha256": sha256(path.read_bytes()).hexdigest(),
            }
            found.append(msgspec.convert(fields, Attachment))
        except (OSError, msgspec.ValidationError) as error:
            raise Mistyped(f"--attach: {path}: {error}") from None
    return tuple(found)


def fallback(known: Catalogue, subject: str, rule: str) -> str | None:
    """Why the order went to the district's government or the hotline's own desk where no rule sends it there."""
    line = known.subjects.get(folded(subject))
    if rule.endswith("→centre"):
        return "no rule of the catalogue names it, nor its district: the hotline's own desk"
    if not rule.endswith("→district") or (line is not None and line.to is To.DISTRICT):
        return None
    if line is None:
        return "no rule of the catalogue names it: the district government"
    return "the catalogue knows no such street there: the district government"


def _refused(said: list[Fact], complaint: ComplaintId, note: Callable[[str], None]) -> None:
    """Note what intake refused of it; `UserError` where it goes no further."""
    for fact in said:
        if isinstance(fact, IntakeRefused) and fact.asked == ANSWER:
            note(f"note: {fact.reason}; a unit gets it")
        elif isinstance(fact, IntakeRefused) and fact.asked == LINK:
            note(f"note: on record, but not with that other complaint: {fact.reason}")
        elif isinstance(fact, IntakeRefused):
            raise UserError(refusals.answer(fact))
        if isinstance(fact, ComplaintTurnedAway) and fact.how is TurnedAway.RECORDED_TWICE:
            raise UserError(
                f"Recorded already: {fact.reason}. It is on record as {complaint} and ended. Where it is another "
                f"matter, record it with --another-matter."
            )


async def _became(
    city: City, complaint: ComplaintId, data: RecordRequest, note: Callable[[str], None]
) -> dict[str, str | None]:
    """The outcome of a request that is on record."""
    if data.matter_of_complaint is not None:
        await _tell_of_another(city, data, complaint, note)
    number = (await complaint_named(city, complaint)).complaint_number
    if data.article_id is not None and await _answered(city, complaint):
        return {
            "complaint_id": complaint,
            "complaint_number": number,
            "request_id": data.request_id,
            "article": f"{data.article_id}@{data.article_version}",
        }
    if data.turned_away is not None:
        return {
            "complaint_id": complaint,
            "complaint_number": number,
            "request_id": data.request_id,
            "turned_away": data.turned_away,
            "to": data.turned_away_to,
            "reason": data.turned_away_reason,
        }
    known = catalogue(city.catalogue)
    order = await _dispatched(city, complaint)
    return {
        "complaint_id": complaint,
        "complaint_number": number,
        "request_id": data.request_id,
        "unit": order.unit,
        "name": known.units[order.unit].name,
        "rule": order.rule,
        "fallback": fallback(known, data.subject, order.rule),
        "sign_by": _local(order.sign_due_at, city),
        "answer_by": _local(order.unit_due_at if order.round > 1 else order.citizen_due_at, city),
    }


async def _answered(city: City, complaint: ComplaintId) -> bool:
    """Whether its life ended on the spot."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        facts = await facts_of(connection, complaint)
    finally:
        await connection.close()
    return any(isinstance(fact, ComplaintAnsweredDirectly) for fact in facts)


async def _tell_of_another(
    city: City, data: RecordRequest, own: ComplaintId, note: Callable[[str], None]
) -> None:
    """The complaint that was first learns that one more citizen has the same matter (R11)."""
    first = ComplaintId(data.matter_of_complaint or "")
    again = RepeatRequest(
        complaint_id=first, repeat_complaint=own, another_citizen=True, recorded_by=data.recorded_by
    )
    try:
        said = await effect(city, first, await tell(city, INTAKE_REQUESTS, first, again))
    except UserError as error:
        note(f"note: whether the first complaint of this matter was told is not known: {error}")
        return
    for fact in said:
        if isinstance(fact, IntakeRefused):
            note(f"note: the first complaint of this matter was not told: {fact.reason}")


async def _dispatched(city: City, complaint: ComplaintId) -> ComplaintDispatched:
    """The latest order of a complaint; waits for it."""
    connection = await reader(city.endpoints.logins["reader"])
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            orders = [f for f in await facts_of(connection, complaint) if isinstance(f, ComplaintDispatched)]
            if orders:
                return orders[-1]
            await asyncio.sleep(0.03)
    finally:
        await connection.close()
    raise UserError(f"It is not dispatched yet: see {typed('status')}.")


def _local(at: datetime | None, city: City) -> str | None:
    """RFC 3339 with the offset of the city."""
    return None if at is None else at.astimezone(zone_of(city.ruleset)).isoformat(timespec="seconds")
