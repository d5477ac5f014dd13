"""One complaint's life as a timeline: when, who, what, why, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Final, NoReturn

import asyncpg
import msgspec
from msgspec.structs import replace

from deploy.city.registry import typed
from hotline.casefile import refusals
from hotline.lookup import id_named
from services.intake.views import call as call_of
from shared import events as e
from shared.complaint import (
    UNOPENED,
    Case,
    Complaint,
    UnreadableHead,
    Waiting,
    due_deadlines,
    evolve,
    stage_of,
    stored_head,
    waits_for,
)
from shared.events.base import Limit
from shared.log.chain import GENESIS, chained
from shared.log.codec import decoded
from shared.log.instants import implausible
from shared.log.reading import archive_held
from shared.runtime.errors import UserError
from shared.runtime.telemetry import is_followed, trace_id_of
from shared.text import quoted
from shared.times import in_zone, shown_beside, zone_of
from shared.unreadable import UnreadableRows

_FACTS: Final = """
SELECT version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.fact WHERE stream_id = $1 ORDER BY version
"""

_ARTICLE: Final = "SELECT title FROM intake.article WHERE article_id = $1 AND version = $2"

_HEAD: Final = "SELECT state, state_schema FROM es.stream WHERE stream_id = $1"

_AWAY: Final = "SELECT month FROM es.detached_life WHERE stream_id = $1"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact for a reader."""

    version: int
    at: datetime
    """City time, in the zone of the complaint's rule set."""
    who: str
    what: str
    why: str
    """What led to it: a message from outside, an earlier fact of this life, or the clock."""
    fact: str
    caused_by: str
    weight: str
    """plain, missed, refused or ended."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What the unit claims and what the citizen says, beside each other (T18); none where it is not said."""

    round: int
    unit: str
    claims_solved: bool | None = None
    solved: bool | None = None
    satisfied: bool | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A life for a reader."""

    complaint_id: str
    request_id: str
    title: str
    timezone: str
    stage: str
    waiting: Waiting | None
    """Who must act next, and the next deadline; none where nobody must."""
    deadlines: dict[str, datetime]
    """The limits that run, by kind."""
    call: str
    chain_right: bool
    trace_id: str
    trace: str
    """The address of the life's trace; empty where this life is not traced or no viewer runs."""
    entries: list[Entry]
    words: list[Word] = []
    """A line a round, as far as anybody has said something."""
    unreadable: str = ""
    """A sentence on what of it could not be read; empty where all could."""


_REASONS: Final = {
    e.VisitReason.ANSWERED: "the unit answered",
    e.VisitReason.EXPIRED: "the limit expired",
}

_GROUNDS: Final = {
    e.TerminationGround.INFORMATION_REFUSED: "the citizen will not say what it must know",
    e.TerminationGround.UNLAWFUL_OR_IMPOSSIBLE: "against law, policy or morals",
}

_PAUSES: Final = {
    e.PauseGround.AWAITS_CITIZEN: "the citizen must act first",
    e.PauseGround.AWAITS_AUTHORITY: "somebody else must decide first",
    e.PauseGround.SEASON: "season or weather does not let it be done",
}

_TURNED_AWAY: Final = {
    e.TurnedAway.REJECTED: "not accepted",
    e.TurnedAway.REDIRECTED: "pointed",
    e.TurnedAway.EMERGENCY: "handed as an emergency",
    e.TurnedAway.RECORDED_TWICE: "recorded twice, left",
}


def _with(fact: Any) -> str:
    """What came with it (R6)."""
    sent = fact.attachments or ()
    return f" [with {', '.join(f'{one.uri} ({one.media_type})' for one in sent)}]" if sent else ""


def _unlisted(fact: Any) -> str:
    """Said of an order whose subject or place the catalogue does not know."""
    return f"; to be corrected, not in the catalogue: {', '.join(fact.unlisted)}" if fact.unlisted else ""


def _unsure(fact: Any) -> str:
    """Said of a limit that may still move (T16)."""
    return " (provisional: its year's days are not announced yet)" if fact.provisional is True else ""


_SAYS: Final[dict[type[e.Fact], Callable[[Any, Callable[[datetime], str]], tuple[str, str, str]]]] = {
    e.ComplaintReceived: lambda f, _: (f.channel, f"received: {f.title}{_with(f)}", "plain"),
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
    e.IdentityProtected: lambda f, _: (
        "citizen",
        "wants to be known to nobody" if f.anonymous else "wants to be known to the hotline alone",
        "plain",
    ),
    e.MatterLinked: lambda f, _: (
        f.linked_by,
        f"{'of the same call' if f.same_call is True else 'the same matter'} as complaint {f.matter_of}",
        "plain",
    ),
    e.ComplaintTurnedAway: lambda f, _: (
        "agent",
        f"{_TURNED_AWAY[f.how]}{f' to {f.to}' if f.to else ''}" + (f": {f.reason}" if f.reason else ""),
        "ended",
    ),
    e.RetaliationReported: lambda f, _: (
        "citizen",
        f"reports that {f.accused} retaliates" + (f" for complaint {f.about}" if f.about else ""),
        "plain",
    ),
    e.RatingGiven: lambda f, _: (
        "citizen",
        f"rates it on {f.channel}: {'satisfied' if f.satisfied else 'not satisfied'}"
        + (f", {f.comment}" if f.comment else ""),
        "plain",
    ),
    e.RequestCorrected: lambda f, _: (
        f.corrected_by,
        "corrected: "
        + "; ".join(f"{c.field} was {quoted(c.old)}, is {quoted(c.new)}" for c in f.corrections),
        "plain",
    ),
    e.RequestSupplemented: lambda f, _: ("citizen", f"adds: {f.text}{_with(f)}", "plain"),
    e.RequestRepeated: lambda f, _: (
        "another citizen" if f.by else "citizen",
        f"brings it up again, {f.heat} times by now ({f.by or f.repeat_id})"
        + (f": {f.note}" if f.note else ""),
        "plain",
    ),
    e.CalendarAmended: lambda f, t: (
        f.amended_by,
        f"goes by calendar {f.calendar} now, was {f.old_calendar}: {f.reason}; answer by {t(f.new_due_at)}"
        + (f" instead of {t(f.old_due_at)}" if f.new_due_at != f.old_due_at else ", as before")
        + _unsure(f),
        "plain",
    ),
    e.ConfidentialityRequired: lambda f, _: ("dispatch", f"{f.unit} must keep it confidential", "plain"),
    e.ComplaintWithdrawn: lambda f, _: ("citizen", f"withdrawn: {f.reason or 'no reason given'}", "ended"),
    e.IntakeRefused: lambda f, _: (*refusals.worded(f), "refused"),
    e.ComplaintDispatched: lambda f, t: (
        "dispatch",
        f"order {f.assignment} to {f.unit} (round {f.round}; {f.rule}); "
        + (f"sign by {t(f.sign_due_at)}, " if f.sign_due_at else "")
        + f"answer by {t(f.citizen_due_at if f.round == 1 else f.unit_due_at)}{_unsure(f)}{_unlisted(f)}",
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
    e.OrderAssigned: lambda f, _: (f.unit, f"gave order {f.assignment} to {f.to_unit}: {f.reason}", "plain"),
    e.OrderMoved: lambda f, _: (
        "dispatch",
        f"order {f.assignment} moves from {f.unit} to {f.to_unit}, by the corrected record",
        "plain",
    ),
    e.OrderAmended: lambda f, _: (
        "dispatch",
        f"order {f.assignment} of {f.unit} says now: {f.subject}, {f.district}{f.street or ''}{_unlisted(f)}"
        + (f"; the catalogue names {f.names}" if f.names else ""),
        "plain",
    ),
    e.ExtensionRequested: lambda f, _: (
        f.unit,
        f"wants {f.days} days more: {f.reason}" + ("" if f.citizen_told else " (the citizen is not told)"),
        "plain",
    ),
    e.ExtensionApproved: lambda f, t: (
        f.reviewer,
        f"extension approved: answer by {t(f.new_due_at)} instead of {t(f.old_due_at)}{_unsure(f)}",
        "plain",
    ),
    e.ExtensionRejected: lambda f, _: (
        f.reviewer,
        f"extension rejected: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.PauseRequested: lambda f, _: (
        f.unit,
        f"wants its clock to stand still for {f.days} days, {_PAUSES[f.ground]}: {f.evidence}",
        "plain",
    ),
    e.PauseApproved: lambda f, t: (
        f.reviewer,
        f"the clock stands still until {t(f.until)}, {_PAUSES[f.ground]}: answer by {t(f.new_due_at)} instead of "
        + t(f.old_due_at)
        + _unsure(f),
        "plain",
    ),
    e.PauseRejected: lambda f, _: (
        f.reviewer,
        f"the clock runs on: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.PauseEnded: lambda f, t: (
        f.unit,
        f"the clock runs again, {f.reason}: answer by {t(f.new_due_at)} instead of {t(f.old_due_at)}{_unsure(f)}",
        "plain",
    ),
    e.TerminationRequested: lambda f, _: (
        f.unit,
        f"wants to end order {f.assignment} unanswered, {_GROUNDS[f.ground]}: {f.evidence}",
        "plain",
    ),
    e.TerminationApproved: lambda f, _: (
        f.reviewer,
        f"order {f.assignment} ended unanswered, {_GROUNDS[f.ground]}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.TerminationRejected: lambda f, _: (
        f.reviewer,
        f"termination rejected: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.DisputeRaised: lambda f, _: (
        f.unit,
        f"disputes that order {f.assignment} is its own: {f.reason} ({f.evidence})",
        "plain",
    ),
    e.CouncilDecided: lambda f, _: (
        "council",
        f"{', '.join(f.participants)} met: it is {f.to_unit}'s, {f.reason}",
        "plain",
    ),
    e.CoUnitAdded: lambda f, _: (f.added_by, f"{f.co_unit} must help {f.unit}: {f.reason}", "plain"),
    e.CoUnitReported: lambda f, _: (f.co_unit, f"reported to {f.unit}: {f.result}", "plain"),
    e.ComplaintReclassified: lambda f, t: (
        f.reclassified_by,
        f"is {f.urgency} now, was {f.old_urgency}: {f.reason}; answer by {t(f.due_at)} instead of "
        + t(f.old_due_at)
        + _unsure(f),
        "plain",
    ),
    e.ExclusionRequested: lambda f, _: (
        f.unit,
        f"wants it left out of its score, {f.ground.lower().replace('_', ' ')}: {f.evidence}",
        "plain",
    ),
    e.ExclusionApproved: lambda f, _: (
        f.reviewer,
        f"left out of the score of {f.unit}, {f.ground.lower().replace('_', ' ')}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.ExclusionRejected: lambda f, _: (
        f.reviewer,
        f"it counts for {f.unit}: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.CitizenContacted: lambda f, _: (
        f.unit,
        f"spoke to the citizen for the first time ({f.channel})",
        "plain",
    ),
    e.ContactFailed: lambda f, _: (
        f.unit,
        f"could not reach the citizen for the first contact ({f.channel}, {f.cause})",
        "plain",
    ),
    e.ProgressReported: lambda f, _: (
        f.unit,
        f"tells the citizen {'the result of a stage' if f.stage_feedback else 'how far it is'}: {f.text}",
        "plain",
    ),
    e.AnswerSentBack: lambda f, _: (
        f.reviewer,
        f"sent the answer of {f.unit} back, the citizen is not asked about it: {f.reason}",
        "missed",
    ),
    e.ReplyRefused: lambda f, _: (*refusals.worded(f), "refused"),
    e.DispatchLimitMissed: lambda f, t: (
        "escalation",
        f"not dispatched by {t(f.due_at)}, {f.told} is told",
        "missed",
    ),
    e.VisitLimitMissed: lambda f, t: (
        "escalation",
        f"nobody had asked the citizen by {t(f.due_at)} (visit {f.visit}), {f.told} is told",
        "missed",
    ),
    e.SignLimitMissed: lambda f, t: (f.unit, f"did not sign by {t(f.due_at)}", "missed"),
    e.FeedbackLimitMissed: lambda f, t: (f.unit, f"did not answer by {t(f.due_at)}", "missed"),
    e.ComplaintEscalated: lambda f, t: (
        "escalation",
        f"{f.to_level.lower()} level told ({f.told}): {f.unit} missed its {f.because.lower()} limit"
        + (f"; the next level at {t(f.next_at)}" if f.next_at else ""),
        "missed",
    ),
    e.WarningGiven: lambda f, t: (
        "escalation",
        f"{f.colour.lower()} warning: {f.unit} must answer by {t(f.due_at)}",
        "plain",
    ),
    e.SupervisionOpened: lambda f, t: (
        f.leader,
        f"supervision opened ({f.told}) by the {f.because.lower()} limit {f.unit} missed, until {t(f.due_at)}",
        "missed",
    ),
    e.SupervisionMissed: lambda f, t: (
        f.leader,
        f"supervision did not bring it to an end by {t(f.due_at)}",
        "missed",
    ),
    e.SupervisionClosed: lambda f, _: (
        f.leader,
        f"supervision closed with {f.outcome.lower() if f.outcome else f.how}",
        "plain",
    ),
    e.ArrivalMissed: lambda f, t: (
        f.called,
        f"was not there by {t(f.due_at)} (whistle {f.whistle}); {f.to_level.lower()} level told ({f.told})",
        "missed",
    ),
    e.WhistleBlown: lambda f, _: (
        f.unit,
        f"whistle {f.whistle}, {f.kind}, {f.lead} leads: {f.reason} ({f.scene})",
        "plain",
    ),
    e.UnitCalled: lambda f, t: (
        f.unit,
        f"calls {f.called}" + (f", to be there by {t(f.arrive_by)}" if f.arrive_by else ""),
        "plain",
    ),
    e.WhistleAcknowledged: lambda f, _: (f.called, f"comes (whistle {f.whistle})", "plain"),
    e.WhistleArrived: lambda f, _: (f.called, f"is there with {f.persons} (whistle {f.whistle})", "plain"),
    e.WhistleMeasureRecorded: lambda f, _: (f.called, f"does: {f.measure}", "plain"),
    e.WhistleReleased: lambda f, _: (
        f.unit,
        f"lets {f.called} go (whistle {f.whistle})" + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.WhistleRated: lambda f, _: (
        f.rated_by,
        f"rates {f.rated} {f.stars} of 5" + (f": {f.comment}" if f.comment else ""),
        "plain",
    ),
    e.LimitMissCorrected: lambda f, t: (
        "escalation",
        f"the {f.limit.lower()} limit counts as kept: {f.unit or 'the hotline'} acted at {t(f.done_at)}",
        "plain",
    ),
    e.VisitScheduled: lambda f, t: (
        "feedback",
        f"visit {f.visit} attempt {f.attempt} asked for"
        + (f" by {f.channel}" if f.channel else "")
        + f", not before {t(f.visit_at)} ({_REASONS[f.reason]})",
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
    e.VisitAnswerRefused: lambda f, _: (*refusals.worded(f), "refused"),
}
"""For each fact: who, what, and how it weighs on a reader."""


async def show(reader_dsn: str, named: str, zipkin: str | None = None, traces_ratio: float = 1.0) -> Shown:
    """The life of a complaint named by its id, a beginning of it, or its request's id.

    `UserError` in one sentence where that is nobody or several.
    """
    async with archive_held(reader_dsn, {"timezone": "UTC"}) as connection:
        complaint_id = await id_named(connection, named)
        if away := await connection.fetchval(_AWAY, complaint_id):
            raise UserError(
                f"Complaint {complaint_id} has ended and lies in the archive, in a month that is detached: "
                f"{typed(f'archive attach {away:%Y-%m}')} brings it back."
            )
        rows = await connection.fetch(_FACTS, complaint_id)
        unread = UnreadableRows()
        case, entries, words, right = _told(complaint_id, rows, unread)
        if not isinstance(case, Complaint):
            case = await _by_head(connection, complaint_id)
        entries = [await _titled(connection, entry, row) for entry, row in zip(entries, rows, strict=True)]
        call = "" if case.call_id is None else await _call(connection, case.call_id)
    trace_id = f"{trace_id_of(complaint_id):032x}"
    due = unread.read("its limits", lambda: due_deadlines(case))
    traced = zipkin is not None and is_followed(complaint_id, traces_ratio)
    return Shown(
        complaint_id=complaint_id,
        request_id=case.request_id,
        title=case.title,
        timezone=str(_zone_of(case)),
        stage=unread.read("where it stands", lambda: stage_of(case)) or "UNKNOWN",
        waiting=unread.read("whom it waits for", lambda: waits_for(case)),
        deadlines={str(limit): due for limit, due in (due or {}).items() if limit is not Limit.WARNING},
        call=call,
        chain_right=right,
        trace_id=trace_id,
        trace=f"{zipkin}/zipkin/traces/{trace_id}" if traced else "",
        entries=entries,
        words=words,
        unreadable=unread.line(),
    )


async def _by_head(connection: asyncpg.Connection[Any], complaint_id: str) -> Complaint:
    """Where nobody can read how it began: as its head says it stands. `UserError` where that is unreadable too."""
    row = await connection.fetchrow(_HEAD, complaint_id)
    try:
        return stored_head(complaint_id, *row) if row is not None else _nothing(complaint_id)
    except UnreadableHead:
        return _nothing(complaint_id)


def _nothing(complaint_id: str) -> NoReturn:
    raise UserError(f"Complaint {complaint_id} has no first fact: `hotline verify` says more.")


def _read(
    case: Case, name: str, schema: int, body: bytes, at: datetime
) -> tuple[e.Fact, Case, tuple[str, str, str]]:
    """A fact, the case after it, and how it is told."""
    fact = decoded(name, schema, body)
    after = evolve(case, fact)
    return fact, after, _SAYS[type(fact)](fact, _local(at, _zone_of(after)))


def _told(
    complaint_id: str, rows: Sequence[Any], unread: UnreadableRows
) -> tuple[Case, list[Entry], list[Word], bool]:
    case: Case = UNOPENED
    entries: list[Entry] = []
    said_by: dict[str, str] = {}
    words: dict[int, Word] = {}
    before, right = GENESIS, True
    for version, event_id, name, schema, at, caused_by, actor, body, stored in rows:
        fact_id = str(event_id)
        expected = chained(before, complaint_id, version, fact_id, name, schema, at, caused_by, actor, body)
        right = right and expected == stored and version == len(entries) + 1
        before = stored
        read = unread.read(
            f"version {version} ({name})",
            partial(_read, case, name, schema, body, at),
        )
        told = (actor, f"cannot be read: {unread.last}", "missed")
        if read is not None:
            fact, case, told = read
            _take(words, fact)
            who, what, weight = _SAYS[type(fact)](fact, _local(at, _zone_of(case)))
            told = who, what + _as_typed(fact), weight
            for odd in implausible(fact):
                unread.note(f"version {version} ({name})", odd)
        said_by[fact_id] = f"after {version} {name}"
        entries.append(
            Entry(
                version=version,
                at=in_zone(at, _zone_of(case)),
                who=told[0],
                what=told[1],
                why=said_by.get(caused_by)
                or ("the clock" if caused_by.startswith("clock/") else "a message"),
                fact=name,
                caused_by=caused_by,
                weight=told[2],
            )
        )
    return case, entries, [words[number] for number in sorted(words)], right


def _as_typed(fact: e.Fact) -> str:
    """How names were typed that are recorded in another form."""
    if fact.typed is msgspec.UNSET:
        return ""
    return f" [typed {', '.join(f'{field}: {quoted(text)}' for field, text in fact.typed.items())}]"


def _take(words: dict[int, Word], fact: e.Fact) -> None:
    """Put what is claimed and what is judged side by side, a line a round; the last answer of a round counts."""
    match fact:
        case e.OrderAnswered():
            # A visit at expiry may have been made before the answer came.
            said = words.get(fact.round, Word(round=fact.round, unit=fact.unit))
            words[fact.round] = replace(said, unit=fact.unit, claims_solved=fact.claims_solved)
        case e.VisitScheduled():
            words.setdefault(fact.round, Word(round=fact.round, unit=fact.unit))
        case e.VisitMade():
            said = words.get(fact.round, Word(round=fact.round, unit=""))
            words[fact.round] = replace(said, solved=fact.solved, satisfied=fact.satisfied)
        case _:
            pass


def _zone_of(case: Case) -> tzinfo:
    """Where its days begin and end; UTC as long as nobody knows."""
    return zone_of(case.ruleset if isinstance(case, Complaint) else None)


def _local(said_at: datetime, zone: tzinfo) -> Callable[[datetime], str]:
    """Instants as short as can be understood beside the time they are told at."""
    return lambda instant: shown_beside(instant, said_at, zone)


async def _titled(connection: asyncpg.Connection[Any], entry: Entry, row: Any) -> Entry:
    """With the title of the article an answer on the spot names, where the knowledge base has it."""
    if entry.fact != e.ComplaintAnsweredDirectly.__name__:
        return entry
    try:
        fact = decoded(row["type"], row["schema_version"], row["body"])
    except Exception:  # noqa: BLE001 -- the entry says so
        return entry
    if not isinstance(fact, e.ComplaintAnsweredDirectly):
        return entry
    title = await connection.fetchval(_ARTICLE, fact.article_id, fact.article_version)
    return entry if title is None else replace(entry, what=f"{entry.what}: {title}")


async def _call(connection: asyncpg.Connection[Any], call_id: str) -> str:
    call = await call_of(connection, call_id)
    if call is None:
        return f"call {call_id}: the telephone system told nothing of it"
    if call.answered_at is None:
        return f"call {call_id}: {call.outcome or 'not over'}"
    if call.wait is None:
        return f"call {call_id}: answered, how soon is not known"
    return f"call {call_id}: answered after {call.wait.total_seconds():.0f} s"
