"""Judges the lives of one slice of the log: every fact where it stands, and heads and timers beside the facts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from hotline.audit.amiss import unreadable_heads, why_not_shown
from hotline.audit.legality.life import illegal, unfinished
from hotline.audit.report import Report
from shared.complaint import STATE_SCHEMA, UNOPENED, Awaited, Case, Complaint, evolve, head_text, waits_for
from shared.events import SPEAKERS, ComplaintAnsweredDirectly, Fact
from shared.events.base import Limit
from shared.log import TIMER_KINDS, timer_shard, timers_of
from shared.log.chain import GENESIS, chained
from shared.log.codec import UnknownType, decoded
from shared.log.instants import implausible
from shared.unreadable import reason

PAGE: Final = 5000
"""Rows read at once."""
_SHARING: Final = (Limit.WARNING, Limit.DISPATCH)
LIMITS: Final = {kind: limit for limit, kind in TIMER_KINDS.items() if limit not in _SHARING}
"""By the number in its row; a warning shares the row of its limit, the limit for dispatch that of the one after it."""

_FACTS: Final = """
SELECT stream_id, position, version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.fact WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id, version
"""
_HEADS: Final = """
SELECT stream_id, version, head_hash, state_schema, state
FROM es.stream WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id
"""
# The archive's row of each life whose month is away: its first facts cannot be read, so judging begins behind them.
_AWAY: Final = """
SELECT stream_id, version, hash FROM es.detached_life WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id
"""
_TIMERS: Final = """
SELECT stream_id, kind, shard, due_at FROM es.timer WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id, kind
"""


class OverdueTimer(NamedTuple):
    """A timer that should have fired by the snapshot."""

    complaint_id: str
    kind: int
    due_at: datetime


class LifeRead:
    """One complaint while its facts are read."""

    __slots__ = ("away", "case", "causes", "hash", "id", "last", "position", "stream", "told_at", "version")

    def __init__(self, stream: UUID, away: Sequence[Any] | None) -> None:
        """Nothing of it is read yet; `away`: the row of `es.detached_life`, where its beginning is in no table here."""
        self.stream = stream
        self.id = str(stream)
        self.position = 0
        self.away = away is not None
        """Its beginning lies in a month that is detached: what is read follows it, and adds up to no state."""
        self.version: int = 0 if away is None else away[1]
        self.hash: bytes = GENESIS if away is None else away[2]
        self.case: Case = UNOPENED
        self.last: Fact | None = None
        self.told_at: dict[str, datetime] = {}
        """Each fact by its id, with its time."""
        self.causes: dict[str, Sequence[Any]] = {}
        """The cause of a fact that is no fact before it, with the row: an input, the clock, or nonsense."""


class LogSnapshot(NamedTuple):
    """The knowledge needed to judge a life, as of the snapshot."""

    now: datetime
    """Of the city."""
    drained: bool
    heard: dict[str, bool]
    parked: frozenset[tuple[str, str]]
    """Desk and complaint."""
    articles: frozenset[tuple[str, int]]
    """Every version the knowledge base has (B2)."""
    snapshot: str
    """By which another connection sees the same."""


class SliceReport(NamedTuple):
    """The findings in one slice."""

    report: Report
    overdue: list[OverdueTimer]


def blank(compared: Sequence[str] = ()) -> Report:
    """A report in which nothing is counted or found yet."""
    return Report(compared=list(compared), ended={}, by_type={}, waiting_for={}, heard={}, problems=[])


class LifeJudge:
    """Reads the lives of one slice."""

    def __init__(self, snapshot: LogSnapshot) -> None:
        """Nothing is judged yet."""
        self._snapshot = snapshot
        self._report = blank()
        self._types: Counter[str] = Counter()
        self._away: dict[UUID, Sequence[Any]] = {}
        self._unreadable: dict[UUID, str] = {}
        self._overdue: list[OverdueTimer] = []

    async def judged(self, connection: asyncpg.Connection[Any], first: UUID, last: UUID) -> SliceReport:
        """All complaints from the first id to the last."""
        self._unreadable = await unreadable_heads(connection, first, last)
        await self._read_lives(connection, first, last)
        self._report.by_type = dict(self._types)
        return SliceReport(self._report, self._overdue)

    async def _read_lives(self, connection: asyncpg.Connection[Any], first: UUID, last: UUID) -> None:
        heads = OrderedRows(await connection.cursor(_HEADS, first, last))
        timers = OrderedRows(await connection.cursor(_TIMERS, first, last))
        away = OrderedRows(await connection.cursor(_AWAY, first, last))
        facts = await connection.cursor(_FACTS, first, last)
        life: LifeRead | None = None
        page = await facts.fetch(PAGE)
        while page:
            self._away.update((row[0], row) for row in await away.until(page[-1][0]))
            # PostgreSQL gets the next page ready while this one is judged.
            coming = asyncio.ensure_future(facts.fetch(PAGE))
            await asyncio.sleep(0)
            done: list[LifeRead] = []
            began = 0
            for place, row in enumerate(page):
                if life is None or row[0] != life.stream:
                    if life is not None:
                        self._take(life, page[began:place])
                        done.append(life)
                    life, began = LifeRead(row[0], self._away.get(row[0])), place
            if life is not None:
                self._take(life, page[began:])
            page = await coming
            if done:
                last = done[-1].stream
                self._compare(done, await heads.until(last), await timers.until(last))
        self._away.update((row[0], row) for row in await away.until(None))
        rest = [] if life is None else [life]
        self._compare(rest, await heads.until(None), await timers.until(None))
        for stream in self._away:
            self._report.found(str(stream), "archived, and without a head")

    def _take(self, life: LifeRead, rows: Sequence[Sequence[Any]]) -> None:  # noqa: C901, PLR0912 -- one loop, for speed
        """Facts onto their life, one after another, with everything that is wrong with them.

        One loop with all its state at hand: it is gone through for every fact there is.
        """
        types, told_at, causes, complaint_id = self._types, life.told_at, life.causes, life.id
        unknown = life.away
        position, version, head, case, last = life.position, life.version, life.hash, life.case, life.last
        for row in rows:
            _, place, number, event_id, name, schema, at, caused_by, actor, body, stored = row
            fact_id = str(event_id)
            types[name] += 1
            if number != version + 1:
                self._wrong(life, row, f"follows version {version}")
            if place <= position:
                self._wrong(life, row, "lies before the version it follows")
            if fact_id in told_at:
                self._wrong(life, row, "the same decision was written twice")
            told_at[fact_id] = at
            caused_at = told_at.get(caused_by)
            if caused_at is None:
                causes[caused_by] = row
            elif at < caused_at:  # a reaction is never before what it reacts to, see Clock.of_reaction
                self._wrong(life, row, f"is earlier than the fact that caused it, of {caused_at}")
            if stored != chained(
                head, complaint_id, number, fact_id, name, schema, at, caused_by, actor, body
            ):
                self._wrong(life, row, "the hash does not follow from the bytes and the fact before")
            position, version, head = place, number, stored
            try:
                fact = decoded(name, schema, body)
            except (UnknownType, msgspec.DecodeError) as error:
                self._wrong(life, row, f"cannot be read: {error}")
                continue
            except Exception as error:  # noqa: BLE001 -- it is named, and all others are judged
                self._wrong(life, row, f"cannot be read: {reason(error)}")
                continue
            for odd in implausible(fact):
                self._wrong(life, row, odd)
            kind = type(fact)
            if SPEAKERS[kind] != actor:
                self._wrong(life, row, f"stated by {actor}, only {SPEAKERS[kind]} may")
            if getattr(fact, kind.TIME) != at:
                self._wrong(life, row, "the row's time is not the fact's own")
            if kind is ComplaintAnsweredDirectly:
                self._judge_article(life, row, fact)
            if unknown:
                continue
            try:
                why = illegal(case, fact, last)
                if why is not None:
                    self._wrong(life, row, why)
                case, last = evolve(case, fact), fact
            except Exception as error:  # noqa: BLE001 -- as above
                self._wrong(life, row, f"cannot be judged: {reason(error)}")
        life.position, life.version, life.hash, life.case, life.last = position, version, head, case, last

    def _judge_article(self, life: LifeRead, row: Sequence[Any], fact: Fact) -> None:
        """B2: an answer that was checked names a version that is there; versions are never removed."""
        assert isinstance(fact, ComplaintAnsweredDirectly)  # noqa: S101 -- for the type checker
        named = (fact.article_id, fact.article_version)
        if fact.checked is True and named not in self._snapshot.articles:
            self._wrong(life, row, f"answered from article {named[0]} v{named[1]}, which is not there")

    def _wrong(self, life: LifeRead, row: Sequence[Any], what: str) -> None:
        self._report.found(life.id, f"version {row[2]} ({row[4]}): {what}")

    def _compare(
        self, lives: Sequence[LifeRead], heads: Sequence[Sequence[Any]], timers: Sequence[Sequence[Any]]
    ) -> None:
        """These lives with the heads and timers there are in the same stretch of the log."""
        report = self._report
        head_of = {row[0]: row for row in heads}
        set_for: dict[UUID, dict[int, Sequence[Any]]] = {}
        for row in timers:
            set_for.setdefault(row[0], {})[row[1]] = row
        for life in lives:
            report.complaints += 1
            head = head_of.pop(life.stream, None)
            for judged in (
                partial(self._compare_head, life, head),
                partial(self._compare_timers, life, set_for.pop(life.stream, {})),
                partial(self._judge_causes, life),
                partial(self._judge_end, life),
            ):
                try:
                    judged()
                except Exception as error:  # noqa: BLE001 -- this life is named, and all others are judged
                    report.found(life.id, f"it cannot be judged: {reason(error)}")
            if life.away:
                report.detached += 1
                del self._away[life.stream]
        for stream, head in head_of.items():
            if (why := self._unreadable.get(stream)) is not None:
                report.found(str(stream), f"no view can read the head: {why}")
            away = self._away.pop(stream, None)
            if away is None:
                report.found(str(stream), "a head without a fact")
                continue
            report.complaints += 1
            report.detached += 1
            self._compare_end(str(stream), head, away[1], away[2])
        for stream in set_for:
            report.found(str(stream), "a timer of a complaint that nothing is known of")

    def _compare_head(self, life: LifeRead, head: Sequence[Any] | None) -> None:
        if head is None:
            self._report.found(life.id, "facts without a head")
            return
        if (why := self._unreadable.get(life.stream)) is not None:
            self._report.found(life.id, f"no view can read the head: {why}")
        self._compare_end(life.id, head, life.version, life.hash)
        _, _, _, schema, state = head
        if life.away:
            return
        if not isinstance(life.case, Complaint) or schema != STATE_SCHEMA or state != head_text(life.case):
            self._report.found(life.id, "the head's state is not what the facts add up to")
        if (why := why_not_shown(life.id, state, schema)) is not None:
            self._report.found(life.id, f"a view cannot show the head: {why}")

    def _compare_end(self, complaint_id: str, head: Sequence[Any], version: int, last_hash: bytes) -> None:
        if head[1] != version:
            self._report.found(complaint_id, f"the head stands at version {head[1]}, the facts at {version}")
        elif head[2] != last_hash:
            self._report.found(complaint_id, "the head's hash is not that of the last fact")

    def _compare_timers(self, life: LifeRead, timers: Mapping[int, Sequence[Any]]) -> None:
        report = self._report
        report.timers += len(timers)
        due = timers_of(life.case)
        for kind, (_, _, shard, due_at) in timers.items():
            limit = LIMITS.get(kind)
            expected_at = due.pop(kind, None)
            if expected_at is None:
                report.found(life.id, f"timer {limit or kind}: the facts ask for none")
            elif expected_at != due_at:
                report.found(life.id, f"timer {limit}: set to {due_at}, the facts say {expected_at}")
            elif shard != timer_shard(life.id):
                report.found(life.id, f"timer {limit}: in shard {shard}, where nobody looks for it")
            elif due_at < self._snapshot.now:
                self._overdue.append(OverdueTimer(life.id, kind, due_at))
        for kind, expected_at in due.items():
            report.found(life.id, f"timer {LIMITS[kind]}: none is set, the facts say {expected_at}")

    def _judge_causes(self, life: LifeRead) -> None:
        """A fact that no fact before caused was caused from outside: by an input or by the clock."""
        for cause in life.causes.keys() & life.told_at.keys():
            self._wrong(life, life.causes[cause], "is caused by itself or by a fact after it")
        if "" in life.causes:
            self._wrong(life, life.causes[""], "nothing caused it")

    def _judge_end(self, life: LifeRead) -> None:
        """How the life stands at its last fact."""
        if life.away:
            return
        report, case = self._report, life.case
        why = None if life.last is None else unfinished(case, life.last)
        if why is not None:
            report.found(life.id, f"the life stops short: {why}")
        if not isinstance(case, Complaint):
            return
        if case.ended is not None:
            how = str(case.ended.outcome or case.ended.how)
            report.ended[how] = report.ended.get(how, 0) + 1
            return
        report.open += 1
        waiting = waits_for(case)
        if waiting is None:
            report.found(life.id, "open, without a deadline and without anybody it waits for")
            return
        if waiting.by is not None:
            report.waiting_with_deadline += 1
        who = waiting.name if waiting.kind is Awaited.DESK else waiting.kind.lower()
        if waiting.kind is Awaited.DESK:
            if (waiting.name, life.id) in self._snapshot.parked:
                who = "operator"
            elif self._snapshot.drained and self._snapshot.heard.get(waiting.name, False):
                report.found(
                    life.id, f"waits for {waiting.name} to {waiting.what}, which has heard all there is"
                )
        report.waiting_for[who] = report.waiting_for.get(who, 0) + 1


class OrderedRows:
    """A cursor ordered by complaint, read up to one complaint at a time."""

    def __init__(self, cursor: Any) -> None:
        """Nothing of the cursor is read yet."""
        self._cursor = cursor
        self._rows: list[Any] = []
        self._next = 0

    async def until(self, last: UUID | None) -> list[Any]:
        """The rows up to this complaint, itself included; all that are left where none is named."""
        taken: list[Any] = []
        while True:
            for place in range(self._next, len(self._rows)):
                row = self._rows[place]
                if last is not None and row[0] > last:
                    self._next = place
                    return taken
                taken.append(row)
            self._rows, self._next = await self._cursor.fetch(PAGE), 0
            if not self._rows:
                return taken
