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
from hotline.casefile.sentences.operator import FOR_OPERATOR
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
from shared.text import quoted
from shared.times import in_zone, shown_beside, zone_of
from shared.trace_ids import is_followed, trace_hex_of, trace_page
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
    """Its cause: a message from outside, an earlier fact of this life, or the clock."""
    fact: str
    caused_by: str
    weight: str
    """plain, missed, refused or ended."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """The unit's claim and the citizen's word beside each other (T18); none where it is not said."""

    round: int
    unit: str
    claims_solved: bool | None = None
    solved: bool | None = None
    satisfied: bool | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A life for a reader."""

    complaint_id: str
    complaint_number: str
    request_id: str
    title: str
    timezone: str
    stage: str
    waiting: Waiting | None
    """The party that must act next, and the next deadline; none where nobody must."""
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


async def show(reader_dsn: str, named: str, zipkin: str | None = None, traces_ratio: float = 1.0) -> Shown:
    """The life of a complaint named by its number, its id, a beginning of it, or its request's id.

    `UserError` in one sentence where that is nobody or several.
    """
    async with archive_held(reader_dsn, {"timezone": "UTC"}) as connection:
        complaint_id, rows = await rows_of(connection, named)
        unread = UnreadableRows()
        case, entries, words, right = _told(complaint_id, rows, unread)
        if not isinstance(case, Complaint):
            case = await _by_head(connection, complaint_id)
        entries = [await _titled(connection, entry, row) for entry, row in zip(entries, rows, strict=True)]
        call = "" if case.call_id is None else await _call(connection, case.call_id)
    due = unread.read("its limits", lambda: due_deadlines(case))
    return Shown(
        complaint_id=complaint_id,
        complaint_number=case.complaint_number,
        request_id=case.request_id,
        title=case.title,
        timezone=str(_zone_of(case)),
        stage=unread.read("where it stands", lambda: stage_of(case)) or "UNKNOWN",
        waiting=unread.read("whom it waits for", lambda: waits_for(case)),
        deadlines={str(limit): due for limit, due in (due or {}).items() if limit is not Limit.WARNING},
        call=call,
        chain_right=right,
        trace_id=trace_hex_of(complaint_id),
        trace=trace_page(zipkin, complaint_id)
        if zipkin is not None and is_followed(complaint_id, traces_ratio)
        else "",
        entries=entries,
        words=words,
        unreadable=unread.line(),
    )


async def rows_of(connection: asyncpg.Connection[Any], named: str) -> tuple[str, list[Any]]:
    """The id of the complaint named, and its facts as they are stored, in order; `UserError` as for `show`."""
    complaint_id = await id_named(connection, named)
    if away := await connection.fetchval(_AWAY, complaint_id):
        raise UserError(
            f"Complaint {complaint_id} has ended and lies in the archive, in a month that is detached: "
            f"{typed(f'archive attach {away:%Y-%m}')} brings it back."
        )
    return complaint_id, await connection.fetch(_FACTS, complaint_id)


def entries_of(complaint_id: str, rows: Sequence[Any], unread: UnreadableRows) -> list[Entry]:
    """The facts of a life in words: version, id, type, schema, time, cause, actor, body and hash of each, in order."""
    return _told(complaint_id, rows, unread)[1]


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
    return fact, after, FOR_OPERATOR[type(fact)](fact, _local(at, _zone_of(after)))


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
            who, what, weight = FOR_OPERATOR[type(fact)](fact, _local(at, _zone_of(case)))
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
