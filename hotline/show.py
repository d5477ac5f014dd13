"""One complaint's life as a timeline: when, who, what, why, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from hotline.stack.errors import StackError
from services.intake.views import call as call_of
from shared import events as e
from shared.codec import decoded
from shared.complaint import UNOPENED, Case, Complaint, due_deadlines, evolve
from shared.envelope import GENESIS, chained
from shared.ids import complaint_id as complaint_of_request
from shared.life import stage, waits_for
from shared.ruleset import ruleset
from shared.telemetry import trace_id_of

PREFIX_MIN: Final = 4
"""The shortest beginning of an id that is looked up."""

_FACTS: Final = """
SELECT version, event_id, type, schema_version, occurred_at, recorded_at, caused_by, actor, body, hash
FROM es.event WHERE stream_id = $1 ORDER BY version
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact for a reader."""

    version: int
    at: datetime
    who: str
    what: str
    fact: str
    caused_by: str
    weight: str
    """plain, missed, refused or ended."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A life for a reader."""

    complaint_id: str
    request_id: str
    title: str
    timezone: str
    stage: str
    waits_for: str
    deadlines: dict[str, datetime]
    call: str
    chain_right: bool
    trace_id: str
    trace: str
    entries: list[Entry]


_SAYS: Final[dict[type[e.Fact], Callable[[Any, Callable[[datetime], str]], tuple[str, str, str]]]] = {
    e.ComplaintReceived: lambda f, _: (f.channel, f"received: {f.title}", "plain"),
    e.ComplaintClassified: lambda f, _: (
        f.classified_by,
        f"classified as {f.request_type}, {f.subject}, {f.urgency}",
        "plain",
    ),
    e.ComplaintAnsweredDirectly: lambda f, _: (
        "agent",
        f"answered on the spot from article {f.article_id} v{f.article_version}",
        "ended",
    ),
    e.ComplaintWithdrawn: lambda f, _: ("citizen", f"withdrawn: {f.reason or 'no reason given'}", "ended"),
    e.IntakeRefused: lambda f, _: ("intake", f"refused to {f.asked}: {f.reason}", "refused"),
    e.ComplaintDispatched: lambda f, t: (
        "dispatch",
        f"order {f.assignment} to {f.unit} (round {f.round}; {f.rule}); "
        + (f"sign by {t(f.sign_due_at)}, " if f.sign_due_at else "")
        + f"answer by {t(f.citizen_due_at if f.round == 1 else f.unit_due_at)}",
        "plain",
    ),
    e.OrderSigned: lambda f, _: (f.unit, f"signed order {f.assignment}", "plain"),
    e.OrderAnswered: lambda f, _: (
        f.unit,
        f"answered{', claims it is solved' if f.claims_solved else ''}: {f.result}",
        "plain",
    ),
    e.ReturnRequested: lambda f, _: (
        f.unit,
        f"wants to return order {f.assignment}: {f.reason} ({f.evidence})"
        + (f", suggests {f.suggested_unit}" if f.suggested_unit else ""),
        "plain",
    ),
    e.ReturnApproved: lambda f, _: (f.reviewer, f"return of order {f.assignment} approved", "plain"),
    e.ReturnRejected: lambda f, _: (f.reviewer, f"return rejected: {f.reason or 'no reason given'}", "plain"),
    e.ReplyRefused: lambda f, _: ("dispatch", f"{f.unit} refused to {f.asked}: {f.reason}", "refused"),
    e.SignLimitMissed: lambda f, t: (f.unit, f"did not sign by {t(f.due_at)}", "missed"),
    e.FeedbackLimitMissed: lambda f, t: (f.unit, f"did not answer by {t(f.due_at)}", "missed"),
    e.ComplaintEscalated: lambda f, t: (
        "escalation",
        f"{f.to_level.lower()} level told: {f.told}" + (f"; the next at {t(f.next_at)}" if f.next_at else ""),
        "missed",
    ),
    e.LimitMissCorrected: lambda f, t: (
        "escalation",
        f"the {f.limit.lower()} limit counts as kept: {f.unit} acted at {t(f.done_at)}",
        "plain",
    ),
    e.VisitScheduled: lambda f, t: (
        "feedback",
        f"visit {f.visit} attempt {f.attempt} asked for, not before {t(f.visit_at)} "
        f"({'the limit expired' if f.reason is e.VisitReason.EXPIRED else 'the unit answered'})",
        "plain",
    ),
    e.VisitMade: lambda f, _: (
        "citizen",
        f"{'solved' if f.solved else 'not solved'}, {'satisfied' if f.satisfied else 'not satisfied'}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.VisitUnreached: lambda f, _: (
        "dialler",
        f"attempt {f.attempt} did not reach the citizen ({f.cause})",
        "plain",
    ),
    e.ComplaintReopened: lambda f, _: ("feedback", f"reopened, round {f.round} to {f.unit}", "missed"),
    e.ComplaintClosed: lambda f, _: (
        f.approved_by or "feedback",
        f"closed: {f.outcome.lower()}" + (f", by exception: {f.reason}" if f.approved_by else ""),
        "ended",
    ),
    e.VisitAnswerRefused: lambda f, _: ("feedback", f"refused to {f.asked}: {f.reason}", "refused"),
}
"""For each fact: who, what, and how it weighs on a reader."""


async def show(reader_dsn: str, named: str, zipkin: str | None) -> Shown:
    """The life of a complaint named by its id, a beginning of it, or its request's id."""
    connection = await asyncpg.connect(reader_dsn)
    try:
        complaint_id = await _found(connection, named)
        rows = await connection.fetch(_FACTS, complaint_id)
        case, entries, right = _told(complaint_id, rows)
        call = "" if case.call_id is None else await _call(connection, case.call_id)
    finally:
        await connection.close()
    waiting = waits_for(case)
    trace_id = f"{trace_id_of(complaint_id):032x}"
    return Shown(
        complaint_id=complaint_id,
        request_id=case.request_id,
        title=case.title,
        timezone=ruleset(case.ruleset).timezone,
        stage=stage(case),
        waits_for="nobody" if waiting is None else f"{waiting.name} to {waiting.what}",
        deadlines={str(limit): due for limit, due in due_deadlines(case).items()},
        call=call,
        chain_right=right,
        trace_id=trace_id,
        trace=f"{zipkin}/zipkin/traces/{trace_id}" if zipkin else "",
        entries=entries,
    )


def _told(complaint_id: str, rows: list[Any]) -> tuple[Complaint, list[Entry], bool]:
    case: Case = UNOPENED
    entries: list[Entry] = []
    before, right = GENESIS, True
    for version, event_id, name, schema, at, _, caused_by, actor, body, stored in rows:
        fact = decoded(name, schema, body)
        expected = chained(
            before, complaint_id, version, str(event_id), name, schema, at, caused_by, actor, body
        )
        right = right and expected == stored and version == len(entries) + 1
        before = stored
        case = evolve(case, fact)
        zone = ZoneInfo(ruleset(case.ruleset).timezone if isinstance(case, Complaint) else "UTC")

        def local(instant: datetime, zone: ZoneInfo = zone) -> str:
            return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"

        who, what, weight = _SAYS[type(fact)](fact, local)
        entries.append(
            Entry(
                version=version,
                at=at.astimezone(zone),
                who=who,
                what=what,
                fact=name,
                caused_by=caused_by,
                weight=weight,
            )
        )
    if not isinstance(case, Complaint):
        raise StackError(f"Complaint {complaint_id} has no first fact: `hotline verify` says more.")
    return case, entries, right


async def _found(connection: asyncpg.Connection[Any], named: str) -> str:
    text = named.strip().lower()
    by_request = complaint_of_request(named.strip())
    if await connection.fetchval("SELECT 1 FROM es.stream WHERE stream_id = $1", by_request):
        return by_request
    if len(text) < PREFIX_MIN:
        raise StackError(f"{named!r} is too short: at least {PREFIX_MIN} characters of the complaint's id.")
    rows = await connection.fetch(
        "SELECT stream_id FROM es.stream WHERE stream_id::text LIKE $1 || '%' LIMIT 3",
        text.replace("%", "").replace("_", ""),
    )
    if not rows:
        raise StackError(f"No complaint begins with {named!r}, and no request has that id.")
    if len(rows) > 1:
        raise StackError(f"More than one complaint begins with {named!r}: give more of its id.")
    return str(rows[0][0])


async def _call(connection: asyncpg.Connection[Any], call_id: str) -> str:
    call = await call_of(connection, call_id)
    if call is None:
        return f"call {call_id}: the telephone system told nothing of it"
    if call.offered_at is None or call.answered_at is None:
        return f"call {call_id}: {call.outcome or 'not over'}"
    waited = (call.answered_at - call.offered_at).total_seconds()
    return f"call {call_id}: answered after {waited:.0f} s"
