"""Reading the whole log again, and saying whether everything that must hold holds.

All of it is read in one read-only snapshot, by position, so the city may go on meanwhile. What is checked
of each complaint: versions dense from 1, the chain of hashes over the stored bytes, the desk that spoke,
every fact legal where it stands, and beside the facts the head and the timers equal to their rebuild.
"""

from __future__ import annotations

import time
from collections import Counter
from hashlib import sha256
from typing import Any, Final

import asyncpg
import msgspec

from shared.codec import UnknownType, decoded
from shared.complaint import STATE_SCHEMA, UNOPENED, Case, Complaint, due_deadlines, evolve, head_text
from shared.envelope import GENESIS, chained
from shared.events import SPEAKERS, Fact
from shared.ids import ComplaintId
from shared.life import Awaited, illegal, unfinished, waits_for
from shared.log import TIMER_KINDS, timer_shard

PROBLEMS_MAX: Final = 100
"""Problems listed; all are counted."""

PAGE: Final = 5000

_FACTS: Final = """
SELECT stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.event ORDER BY position
"""
_HEADS: Final = "SELECT stream_id, version, head_hash, state_schema, state FROM es.stream"
_TIMERS: Final = "SELECT stream_id, kind, shard, due_at FROM es.timer"
_STANDING: Final = """
SELECT es.drained(), coalesce((SELECT settled FROM es.city_clock), clock_timestamp()),
       (SELECT count(*) FROM es.parked)
"""
_REFUSALS: Final = ("IntakeRefused", "ReplyRefused", "VisitAnswerRefused")

_LEFT_OUT: Final = "noticed_at"


class Problem(msgspec.Struct, frozen=True):
    """Something that does not hold, and of which complaint."""

    complaint_id: str
    what: str


class Report(msgspec.Struct, kw_only=True):
    """What was read and what was found."""

    complaints: int = 0
    open: int = 0
    ended: dict[str, int] = {}
    """Lives that are over, by outcome or by the fact that ended them."""
    facts: int = 0
    by_type: dict[str, int] = {}
    refusals: int = 0
    waiting_with_deadline: int = 0
    """Open complaints with a next deadline."""
    waiting_for: dict[str, int] = {}
    """Whom open complaints wait for."""
    timers: int = 0
    parked: int = 0
    drained: bool = False
    """Whether the relay has sent all there is; only then can a complaint that waits for a desk be stuck."""
    seconds: float = 0.0
    problem_count: int = 0
    problems: list[Problem] = []

    def found(self, complaint_id: str, what: str) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(complaint_id, what))

    def print(self) -> None:
        """The report as a table for a person, and the problems by name."""
        from rich.console import Console
        from rich.table import Table

        console = Console()
        table = Table(title="verify", title_justify="left", show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right", overflow="fold")
        for name, value in (
            ("complaints", f"{self.complaints:,}"),
            ("  open", f"{self.open:,}"),
            *((f"  {how}", f"{number:,}") for how, number in sorted(self.ended.items())),
            ("facts", f"{self.facts:,}"),
            ("  of them refusals", f"{self.refusals:,}"),
            ("open with a next deadline", f"{self.waiting_with_deadline:,}"),
            (
                "open, waiting for",
                ", ".join(f"{n:,} {who}" for who, n in sorted(self.waiting_for.items())) or "nobody",
            ),
            ("timers set", f"{self.timers:,}"),
            ("parked", f"{self.parked:,}"),
            ("read in", f"{self.seconds:.1f} s ({self.facts / max(self.seconds, 0.001):,.0f} facts/s)"),
        ):
            table.add_row(name, value)
        console.print(table)
        if not self.problem_count:
            console.print(
                "[green]All holds:[/] versions dense, hash chains right, every life legal, heads and timers "
                "equal to their rebuild, every open complaint has a deadline or somebody it waits for."
            )
            return
        console.print(f"[red]{self.problem_count:,} problems[/]")
        for problem in self.problems:
            console.print(f"  {problem.complaint_id}  {problem.what}", highlight=False)
        if self.problem_count > len(self.problems):
            console.print(f"  … and {self.problem_count - len(self.problems):,} more")


class _Life:
    """One complaint while its facts are read."""

    __slots__ = ("case", "hash", "last", "version")

    def __init__(self) -> None:
        self.version = 0
        self.hash = GENESIS
        self.case: Case = UNOPENED
        self.last: Fact | None = None


async def verify(reader_dsn: str) -> Report:
    """Read the log of a city and report; a DSN that may only read is enough."""
    started = time.monotonic()
    report = Report(ended={}, by_type={}, waiting_for={}, problems=[])
    connection = await asyncpg.connect(reader_dsn, server_settings={"jit": "off"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            lives = await _read_facts(connection, report)
            await _compare_heads(connection, lives, report)
            standing = await connection.fetchrow(_STANDING)
            if standing is None:
                raise LookupError(_STANDING)
            report.drained, settled, report.parked = standing
            await _compare_timers(connection, lives, settled, report)
            for complaint_id, life in lives.items():
                _judge_end(complaint_id, life, report)
    finally:
        await connection.close()
    report.complaints = len(lives)
    report.seconds = time.monotonic() - started
    return report


async def _read_facts(connection: asyncpg.Connection[Any], report: Report) -> dict[str, _Life]:
    lives: dict[str, _Life] = {}
    types: Counter[str] = Counter()
    async for row in connection.cursor(_FACTS, prefetch=PAGE):
        complaint_id = str(row[0])
        life = lives.get(complaint_id)
        if life is None:
            life = lives[complaint_id] = _Life()
        types[row[3]] += 1
        _take(complaint_id, life, row, report)
    report.by_type = dict(types)
    report.facts = types.total()
    report.refusals = sum(types[name] for name in _REFUSALS)
    return lives


def _take(complaint_id: str, life: _Life, row: Any, report: Report) -> None:
    """One fact onto its life, with everything that is wrong with it."""
    _, version, event_id, name, schema, at, caused_by, actor, body, stored = row
    where = f"version {version} ({name})"
    if version != life.version + 1:
        report.found(complaint_id, f"{where}: follows version {life.version}")
    expected = chained(
        life.hash, complaint_id, version, str(event_id), name, schema, at, caused_by, actor, body
    )
    if expected != stored:
        report.found(complaint_id, f"{where}: the hash does not follow from the bytes and the fact before")
    life.version, life.hash = version, stored
    try:
        fact = decoded(name, schema, body)
    except (UnknownType, msgspec.DecodeError) as error:
        report.found(complaint_id, f"{where}: {error}")
        return
    if SPEAKERS[type(fact)] != actor:
        report.found(complaint_id, f"{where}: stated by {actor!r}, only {SPEAKERS[type(fact)]} may")
    if getattr(fact, fact.TIME) != at:
        report.found(complaint_id, f"{where}: the row's time is not the fact's own")
    why = illegal(life.case, fact, life.last)
    if why is not None:
        report.found(complaint_id, f"{where}: {why}")
    life.case = evolve(life.case, fact)
    life.last = fact


async def _compare_heads(
    connection: asyncpg.Connection[Any], lives: dict[str, _Life], report: Report
) -> None:
    without = set(lives)
    async for row in connection.cursor(_HEADS, prefetch=PAGE):
        complaint_id = str(row[0])
        without.discard(complaint_id)
        life = lives.get(complaint_id)
        if life is None:
            report.found(complaint_id, "a head without a fact")
            continue
        version, head_hash, schema, state = row[1:]
        if version != life.version:
            report.found(complaint_id, f"the head stands at version {version}, the facts at {life.version}")
        elif head_hash != life.hash:
            report.found(complaint_id, "the head's hash is not that of the last fact")
        if not isinstance(life.case, Complaint):
            continue
        if schema != STATE_SCHEMA or state != head_text(life.case):
            report.found(complaint_id, "the head's state is not what the facts add up to")
    for complaint_id in without:
        report.found(complaint_id, "facts without a head")


async def _compare_timers(
    connection: asyncpg.Connection[Any], lives: dict[str, _Life], settled: Any, report: Report
) -> None:
    kinds = {number: limit for limit, number in TIMER_KINDS.items()}
    expected = {
        (complaint_id, limit): due
        for complaint_id, life in lives.items()
        for limit, due in due_deadlines(life.case).items()
    }
    async for stream, kind, shard, due_at in connection.cursor(_TIMERS, prefetch=PAGE):
        complaint_id = str(stream)
        report.timers += 1
        limit = kinds.get(kind)
        due = expected.pop((complaint_id, limit), None) if limit is not None else None
        if due is None:
            report.found(complaint_id, f"a timer ({limit or kind}) that the facts do not ask for")
        elif due != due_at:
            report.found(complaint_id, f"the timer {limit} is set to {due_at}, the facts say {due}")
        elif shard != timer_shard(complaint_id):
            report.found(complaint_id, f"the timer {limit} is in shard {shard}, nobody looks for it there")
        elif report.drained and (settled - due_at).total_seconds() > _LATE_SECONDS_MAX:
            report.found(complaint_id, f"the timer {limit} was due at {due_at} and has not fired")
    for (complaint_id, limit), due in expected.items():
        report.found(complaint_id, f"no timer is set for {limit} at {due}")


_LATE_SECONDS_MAX: Final = 60.0
"""A timer that has not fired this long after its limit will not fire by itself."""


def _judge_end(complaint_id: ComplaintId | str, life: _Life, report: Report) -> None:
    """How the life stands at its last fact."""
    case = life.case
    if life.last is not None:
        why = unfinished(case, life.last)
        if why is not None:
            report.found(complaint_id, f"the life stops short: {why}")
    if not isinstance(case, Complaint):
        return
    if case.ended is not None:
        how = str(case.ended.outcome or case.ended.how)
        report.ended[how] = report.ended.get(how, 0) + 1
        return
    report.open += 1
    waiting = waits_for(case)
    if waiting is None:
        report.found(complaint_id, "open, without a deadline and without anybody it waits for")
        return
    if waiting.by is not None:
        report.waiting_with_deadline += 1
    who = waiting.name if waiting.kind is Awaited.DESK else waiting.kind.lower()
    report.waiting_for[who] = report.waiting_for.get(who, 0) + 1
    if waiting.kind is Awaited.DESK and report.drained and not report.parked and waiting.by is None:
        report.found(complaint_id, f"waits for {waiting.name} to {waiting.what}, and nothing is under way")


async def digest(reader_dsn: str) -> str:
    """One number for all facts of a city: the same facts give the same, whatever the speed.

    In it: of each complaint, in order of its id, every fact's type, city time and body, in order of city
    time, then type, then body. Not in it: positions, versions, ids and causes, times of recording, and
    when a miss was noticed.
    """
    connection = await asyncpg.connect(reader_dsn, server_settings={"jit": "off"})
    whole = sha256()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            present: str | None = None
            facts: list[tuple[Any, str, bytes]] = []
            async for stream, name, at, body in connection.cursor(
                "SELECT stream_id, type, occurred_at, body FROM es.event ORDER BY stream_id", prefetch=PAGE
            ):
                if str(stream) != present:
                    _fold(whole, facts)
                    present, facts = str(stream), []
                facts.append((at, name, _timeless(body)))
            _fold(whole, facts)
    finally:
        await connection.close()
    return whole.hexdigest()


def _fold(whole: Any, facts: list[tuple[Any, str, bytes]]) -> None:
    for at, name, body in sorted(facts):
        whole.update(f"{name}\x1f{at.isoformat()}\x1f".encode())
        whole.update(body)
        whole.update(b"\x1e")


def _timeless(body: bytes) -> bytes:
    """The body without when it was noticed."""
    if _LEFT_OUT.encode() not in body:
        return body
    fields = msgspec.json.decode(body)
    fields.pop(_LEFT_OUT, None)
    return msgspec.json.encode(fields)
