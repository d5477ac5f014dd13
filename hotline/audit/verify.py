"""Reading the whole log again, and saying whether everything that must hold holds.

All of it is read in one read-only snapshot, so the city may go on meanwhile, and a page at a time, so the log
may be of any size. A long log is cut into slices by the complaints' ids, which are judged side by side by as
many processes as there are processors.

What is checked of each complaint: versions dense from 1 and in order of position, the chain of hashes over the
stored bytes, the desk that spoke, every fact legal where it stands, none stated twice, none caused by a later
fact of its complaint or earlier in time than the fact that caused it, the article of a checked answer there, and
beside the facts the head and the timers, equal to their rebuild. The report names the views that were compared. The
log of monthly topics and project lists, which is small, is read too (`hotline.governance.log.judge`). Of contacts: that
each, and each access to one, is of a complaint in the log. A number of a citizen in the facts of a complaint whose
contact is kept is a notice: facts stay, so as a problem it would be one for ever; the report says what to do.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import psutil

from deploy.supervision.topic_ends import ends_of
from hotline.audit.amiss import unreadable_heads, why_not_shown
from hotline.audit.anchors import Anchors
from hotline.audit.digest import digest
from hotline.audit.legality.life import illegal, unfinished
from hotline.audit.report import Report
from hotline.governance.log import judge
from shared.complaint import STATE_SCHEMA, UNOPENED, Awaited, Case, Complaint, evolve, head_text, waits_for
from shared.events import REFUSALS, SPEAKERS, ComplaintAnsweredDirectly, Fact
from shared.events.base import Limit
from shared.log import TIMER_KINDS, timer_shard, timers_of
from shared.log.chain import GENESIS, chained
from shared.log.codec import UnknownType, decoded
from shared.log.heads import fetch, over_texts
from shared.log.instants import implausible, reads_any_instant
from shared.log.reading import READING, archive_held
from shared.personal import PATTERN
from shared.runtime.garbage import tune_gc
from shared.topics import COMPLAINTS_LOG
from shared.unreadable import UnreadableRows, reason

__all__ = ["Report", "digest", "verify"]

PAGE: Final = 5000
"""Rows read at once."""

ALONE: Final = 200_000
"""Facts up to which one process is done sooner than several have started."""

SLICE: Final = 5_000_000
"""Facts in one slice at most, about. PostgreSQL goes through the whole log for each slice and sorts it on the disk:
small slices would read the log over and over (51 of 200,000 facts at 10 million), one of all would fill the disk."""

PROCESSES_MAX: Final = 8
"""However many processors there are: each of them has the whole log read."""

FIRES_WITHIN: Final = timedelta(seconds=10)
"""A timer found overdue is looked at again for so long: it may be firing just now."""

_HEARERS: Final = tuple(desk for desk in COMPLAINTS_LOG.hearers if desk in set(SPEAKERS.values()))
_SHARING: Final = (Limit.WARNING, Limit.DISPATCH)
_LIMITS: Final = {kind: limit for limit, kind in TIMER_KINDS.items() if limit not in _SHARING}
"""By the number in its row; a warning shares the row of its limit, the limit for dispatch that of the one after it."""

_FACTS: Final = """
SELECT stream_id, position, version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.fact WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id, version
"""
_HEADS: Final = """
SELECT stream_id, version, head_hash, state_schema, state
FROM es.stream WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id
"""
# What the archive holds of lives whose month is away: nothing can be read there, so what follows begins here.
_AWAY: Final = """
SELECT stream_id, version, hash FROM es.detached_life WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id
"""
_TIMERS: Final = """
SELECT stream_id, kind, shard, due_at FROM es.timer WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id, kind
"""
_STANDING: Final = """
SELECT es.drained() AS drained, es.timers_until() AS now,
       (SELECT array_agg(batch ORDER BY shard) FROM es.relay) AS batches,
       (SELECT last_value FROM es.position_seq) AS position,
       pg_export_snapshot() AS snapshot,
       (SELECT count(*) FROM es.parked) AS parked
"""
_ARTICLES: Final = "SELECT article_id, version FROM intake.article"
_PARKED: Final = "SELECT DISTINCT consumer, complaint_id::text FROM es.parked WHERE complaint_id IS NOT NULL"
_CONTACTS: Final = """
SELECT stream_id::text, 'its contact or the access to it is on record, and the complaint is not'
FROM (SELECT stream_id FROM vault.access UNION SELECT stream_id FROM vault.contact) a
WHERE NOT EXISTS (SELECT FROM es.stream s WHERE s.stream_id = a.stream_id)
"""
# A line break in a text is the letter n behind a backslash in JSON.
_PERSONAL: Final = over_texts(
    r"""
SELECT f.stream_id::text, f.version, f.type FROM vault.contact c JOIN es.fact f USING (stream_id)
WHERE regexp_replace(normalize({text}, NFKC), '\\[bfnrt]', ' ', 'g') ~ $1
ORDER BY f.stream_id, f.version
"""
)
PERSONAL: Final = "what looks like a phone or identity number stands in it"
_OFFSETS: Final = (
    "SELECT consumer, topic, part, next_offset, mark_batch, mark_position FROM es.consumer_offset"
)
_STILL_SET: Final = """
SELECT t.stream_id::text, t.kind, t.due_at FROM es.timer t
JOIN unnest($1::uuid[], $2::smallint[], $3::timestamptz[]) AS u (stream_id, kind, due_at)
    USING (stream_id, kind, due_at)
"""
_SETTINGS: Final = {
    **READING,
    "work_mem": "64MB",
    # There are as many of us as processors already.
    "max_parallel_workers_per_gather": "0",
}


async def verify(
    reader_dsn: str, *, kafka: str | None = None, prefix: str = "", anchors: Path | None = None
) -> Report:
    """Read the log of a city and report; a DSN that may only read is enough.

    With Kafka's address (and the prefix of the city's topics) it is also judged whether a desk has taken more
    than was ever sent, and whether a complaint waits for a desk that has nothing left to take in. With a file of
    anchors the facts are held against what they were when they were anchored.
    """
    return await _Reader(kafka, prefix, anchors).read(reader_dsn)


class _Timer(NamedTuple):
    complaint_id: str
    kind: int
    due_at: datetime


class _Life:
    """One complaint while its facts are read."""

    __slots__ = ("away", "case", "causes", "hash", "id", "last", "position", "stream", "told_at", "version")

    def __init__(self, stream: UUID, away: Sequence[Any] | None) -> None:
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
        """What caused a fact and is no fact before it, with the row: an input, the clock, or nonsense."""


class _Standing(NamedTuple):
    """What must be known to judge a life, as of the snapshot."""

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


class _Judged(NamedTuple):
    """What came of one slice."""

    report: Report
    overdue: list[_Timer]


class _Reader:
    """One reading of one log."""

    def __init__(self, kafka: str | None, prefix: str, anchors: Path | None = None) -> None:
        self._anchors = None if anchors is None else Anchors(anchors, kafka=kafka, prefix=prefix)
        self._kafka = kafka
        self._prefix = prefix
        compared = ["heads", "timers"] if kafka is None else ["heads", "timers", "offsets against topics"]
        self._report = _blank(compared)
        self._overdue: list[_Timer] = []
        self._last_position = 0

    async def read(self, reader_dsn: str) -> Report:
        """See `verify`."""
        started_at = time.monotonic()
        report = self._report
        async with archive_held(reader_dsn, _SETTINGS) as connection:
            if self._anchors is not None:
                await self._anchors.look()  # before the snapshot
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                standing = await self._read_standing(connection)
                await self._read_lives(reader_dsn, connection, standing)
                await judge(connection, report)
                unread = UnreadableRows()
                for complaint, what in await connection.fetch(_CONTACTS):
                    report.found(complaint, what)
                for complaint, version, kind in await fetch(connection, _PERSONAL, PATTERN, unread=unread):
                    report.noticed(complaint, f"version {version} ({kind}): {PERSONAL}")
                for one in unread:
                    report.found("", f"{one.row}: {one.why}")
                if self._anchors is not None:
                    await self._anchors.compare(connection, report)
            report.seconds = time.monotonic() - started_at
            await self._look_again(connection)
        report.facts = sum(report.by_type.values())
        report.refusals = sum(report.by_type.get(kind.__name__, 0) for kind in REFUSALS)
        return report

    # -- how far everybody has come

    async def _read_standing(self, connection: asyncpg.Connection[Any]) -> _Standing:
        report = self._report
        (standing,) = await connection.fetch(_STANDING)
        batches = standing["batches"] or ()
        if not batches:
            report.found("", "the relay has no row in es.relay: nothing can be sent")
        report.drained, report.parked = bool(standing["drained"]), standing["parked"]
        self._last_position = standing["position"]
        parked = frozenset((row[0], row[1]) for row in await connection.fetch(_PARKED))
        offsets = await connection.fetch(_OFFSETS)
        for row in offsets:
            where = f"{row['consumer']} in {row['topic']}/{row['part']}"
            sent = batches[row["part"] % len(batches)] if batches else 0  # by the relay of this partition
            if row["mark_batch"] > sent or row["mark_position"] > standing["position"]:
                report.found("", f"{where}: has the relay's mark of a fact that was never sent")
        if self._kafka is not None:
            taken = {(row["consumer"], row["topic"], row["part"]): row["next_offset"] for row in offsets}
            # Asked after the snapshot was taken: an end can only have moved away from what was taken.
            self._compare_offsets(
                taken, await ends_of(self._kafka, {key[1:] for key in taken} | self._log_parts())
            )
        articles = frozenset((row[0], row[1]) for row in await connection.fetch(_ARTICLES))
        return _Standing(
            standing["now"], report.drained, report.heard, parked, articles, standing["snapshot"]
        )

    def _log_parts(self) -> set[tuple[str, int]]:
        return {(self._prefix + COMPLAINTS_LOG.name, part) for part in range(COMPLAINTS_LOG.partitions)}

    def _compare_offsets(
        self, taken: Mapping[tuple[str, str, int], int], ends: Mapping[tuple[str, int], int]
    ) -> None:
        for (consumer, topic, part), offset in taken.items():
            end = ends.get((topic, part), 0)
            if offset > end:
                self._report.found(
                    "",
                    f"{consumer} in {topic}/{part}: has taken {offset:,} messages, Kafka holds {end:,}: "
                    "the topic was made anew or has lost some",
                )
        self._report.heard = {
            desk: all(taken.get((desk, *part), 0) >= ends.get(part, 0) for part in self._log_parts())
            for desk in _HEARERS
        }

    # -- the lives, slice by slice

    async def _read_lives(
        self, reader_dsn: str, connection: asyncpg.Connection[Any], standing: _Standing
    ) -> None:
        processes = min(psutil.cpu_count() or 1, PROCESSES_MAX)
        few = self._last_position <= ALONE
        slices = _slices(1 if few else max(processes, 1 + self._last_position // SLICE))
        if len(slices) == 1:
            self._take_over(await _Judge(standing).judged(connection, *slices[0]))
            return
        with ProcessPoolExecutor(processes, get_context("spawn"), initializer=tune_gc) as pool:
            loop = asyncio.get_running_loop()
            calls = [
                loop.run_in_executor(pool, _judged_slice, reader_dsn, standing, *part) for part in slices
            ]
            try:
                for call in calls:
                    self._take_over(await call)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _take_over(self, judged: _Judged) -> None:
        """What a slice holds, into the whole."""
        whole, part = self._report, judged.report
        whole.complaints += part.complaints
        whole.open += part.open
        whole.detached += part.detached
        whole.timers += part.timers
        whole.waiting_with_deadline += part.waiting_with_deadline
        for sums, more in (
            (whole.by_type, part.by_type),
            (whole.ended, part.ended),
            (whole.waiting_for, part.waiting_for),
        ):
            for name, number in more.items():
                sums[name] = sums.get(name, 0) + number
        for problem in part.problems:
            whole.found(problem.complaint_id, problem.what)
        whole.problem_count += part.problem_count - len(part.problems)
        self._overdue += judged.overdue

    # -- timers that should have fired

    async def _look_again(self, connection: asyncpg.Connection[Any]) -> None:
        """What was overdue in the snapshot must fire in a moment."""
        give_up_at = time.monotonic() + FIRES_WITHIN.total_seconds()
        overdue = self._overdue
        while overdue:
            rows = await connection.fetch(
                _STILL_SET, *(list(column) for column in zip(*overdue, strict=True))
            )
            overdue = [_Timer(*row) for row in rows]
            if overdue and time.monotonic() > give_up_at:
                for timer in overdue:
                    limit = _LIMITS[timer.kind]
                    self._report.found(timer.complaint_id, f"timer {limit}: due at {timer.due_at}, not fired")
                return
            if overdue:
                await asyncio.sleep(0.2)


def _blank(compared: Sequence[str] = ()) -> Report:
    return Report(compared=list(compared), ended={}, by_type={}, waiting_for={}, heard={}, problems=[])


def _slices(count: int) -> list[tuple[UUID, UUID]]:
    """All ids there can be in so many stretches, each from its first to its last: hashes spread evenly."""
    borders = [number * 2**128 // count for number in range(count + 1)]
    return [(UUID(int=first), UUID(int=end - 1)) for first, end in pairwise(borders)]


def _judged_slice(reader_dsn: str, standing: _Standing, first: UUID, last: UUID) -> _Judged:
    """One slice, in a process of its own; whoever asks holds the archive's months meanwhile."""
    return asyncio.run(_judged_in(reader_dsn, standing, first, last))


async def _judged_in(reader_dsn: str, standing: _Standing, first: UUID, last: UUID) -> _Judged:
    connection = await asyncpg.connect(reader_dsn, server_settings=_SETTINGS)
    try:
        await reads_any_instant(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{standing.snapshot}'")
            return await _Judge(standing).judged(connection, first, last)
    finally:
        await connection.close()


class _Judge:
    """Reads the lives of one slice."""

    def __init__(self, standing: _Standing) -> None:
        self._standing = standing
        self._report = _blank()
        self._types: Counter[str] = Counter()
        self._away: dict[UUID, Sequence[Any]] = {}
        self._unreadable: dict[UUID, str] = {}
        self._overdue: list[_Timer] = []

    async def judged(self, connection: asyncpg.Connection[Any], first: UUID, last: UUID) -> _Judged:
        """All complaints from the first id to the last."""
        self._unreadable = await unreadable_heads(connection, first, last)
        await self._read_lives(connection, first, last)
        self._report.by_type = dict(self._types)
        return _Judged(self._report, self._overdue)

    async def _read_lives(self, connection: asyncpg.Connection[Any], first: UUID, last: UUID) -> None:
        heads = _Sorted(await connection.cursor(_HEADS, first, last))
        timers = _Sorted(await connection.cursor(_TIMERS, first, last))
        away = _Sorted(await connection.cursor(_AWAY, first, last))
        facts = await connection.cursor(_FACTS, first, last)
        life: _Life | None = None
        page = await facts.fetch(PAGE)
        while page:
            self._away.update((row[0], row) for row in await away.until(page[-1][0]))
            # PostgreSQL gets the next page ready while this one is judged.
            coming = asyncio.ensure_future(facts.fetch(PAGE))
            await asyncio.sleep(0)
            done: list[_Life] = []
            began = 0
            for place, row in enumerate(page):
                if life is None or row[0] != life.stream:
                    if life is not None:
                        self._take(life, page[began:place])
                        done.append(life)
                    life, began = _Life(row[0], self._away.get(row[0])), place
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

    def _take(self, life: _Life, rows: Sequence[Sequence[Any]]) -> None:  # noqa: C901, PLR0912 -- one loop, for speed
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

    def _judge_article(self, life: _Life, row: Sequence[Any], fact: Fact) -> None:
        """B2: an answer that was checked names a version that is there; versions are never removed."""
        assert isinstance(fact, ComplaintAnsweredDirectly)  # noqa: S101 -- for the type checker
        named = (fact.article_id, fact.article_version)
        if fact.checked is True and named not in self._standing.articles:
            self._wrong(life, row, f"answered from article {named[0]} v{named[1]}, which is not there")

    def _wrong(self, life: _Life, row: Sequence[Any], what: str) -> None:
        self._report.found(life.id, f"version {row[2]} ({row[4]}): {what}")

    def _compare(
        self, lives: Sequence[_Life], heads: Sequence[Sequence[Any]], timers: Sequence[Sequence[Any]]
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

    def _compare_head(self, life: _Life, head: Sequence[Any] | None) -> None:
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

    def _compare_timers(self, life: _Life, timers: Mapping[int, Sequence[Any]]) -> None:
        report = self._report
        report.timers += len(timers)
        due = timers_of(life.case)
        for kind, (_, _, shard, due_at) in timers.items():
            limit = _LIMITS.get(kind)
            expected_at = due.pop(kind, None)
            if expected_at is None:
                report.found(life.id, f"timer {limit or kind}: the facts ask for none")
            elif expected_at != due_at:
                report.found(life.id, f"timer {limit}: set to {due_at}, the facts say {expected_at}")
            elif shard != timer_shard(life.id):
                report.found(life.id, f"timer {limit}: in shard {shard}, where nobody looks for it")
            elif due_at < self._standing.now:
                self._overdue.append(_Timer(life.id, kind, due_at))
        for kind, expected_at in due.items():
            report.found(life.id, f"timer {_LIMITS[kind]}: none is set, the facts say {expected_at}")

    def _judge_causes(self, life: _Life) -> None:
        """What no fact before caused was caused from outside: by an input or by the clock."""
        for cause in life.causes.keys() & life.told_at.keys():
            self._wrong(life, life.causes[cause], "is caused by itself or by a fact after it")
        if "" in life.causes:
            self._wrong(life, life.causes[""], "nothing caused it")

    def _judge_end(self, life: _Life) -> None:
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
            if (waiting.name, life.id) in self._standing.parked:
                who = "operator"
            elif self._standing.drained and self._standing.heard.get(waiting.name, False):
                report.found(
                    life.id, f"waits for {waiting.name} to {waiting.what}, which has heard all there is"
                )
        report.waiting_for[who] = report.waiting_for.get(who, 0) + 1


class _Sorted:
    """A cursor ordered by complaint, read up to one complaint at a time."""

    def __init__(self, cursor: Any) -> None:
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
