"""Reads the whole log again, and checks everything that must hold.

It reads in one read-only snapshot, so the city may go on meanwhile. It reads a page at a time, so the log may
be of any size. A long log is cut into slices by the complaints' ids; as many processes as there are
processors judge them side by side.

Of each complaint it checks the versions (dense from 1, in order of position) and the chain of hashes over the
stored bytes. It checks that each fact was stated by the desk that may state it. Every fact must be legal
where it stands and stated once. No fact may be caused by a later fact of its complaint, or be earlier in time
than its cause. The article of a checked answer must be there. The head and the timers must equal their
rebuild. The report names the views that were compared.

The log of programmes, which is small, is read too (`hotline.governance.log.judge`). Each contact, and each
access to one, must be of a complaint in the log. A citizen's number in the facts of a complaint whose contact
is kept is a notice, not a problem. Facts stay, so the problem would stay for ever. The report says what to
do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import psutil

from deploy.supervision.topic_ends import ends_of
from hotline.audit.anchors import Anchors
from hotline.audit.digest import digest
from hotline.audit.lists import compare_lists
from hotline.audit.lives import LIMITS, LifeJudge, LogSnapshot, OverdueTimer, SliceReport, blank
from hotline.audit.report import Report
from hotline.governance.log import judge
from shared.events import REFUSALS, SPEAKERS
from shared.log.heads import fetch, over_texts
from shared.log.instants import reads_any_instant
from shared.log.log_format import must_be_read_here
from shared.log.reading import READING, archive_held
from shared.personal import PATTERN
from shared.runtime.garbage import tune_gc
from shared.topics import COMPLAINTS_LOG
from shared.unreadable import UnreadableRows

__all__ = ["Report", "digest", "verify"]


ALONE: Final = 200_000
"""Facts up to which one process is done sooner than several have started."""

SLICE: Final = 5_000_000
"""About the most facts in one slice. PostgreSQL reads the whole log for each slice and sorts it on the disk.
Small slices would read the log over and over (51 of 200,000 facts at 10 million). One of all facts would fill
the disk."""

PROCESSES_MAX: Final = 8
"""However many processors there are: each of them has the whole log read."""

FIRES_WITHIN: Final = timedelta(seconds=10)
"""A timer found overdue is looked at again for so long: it may be firing just now."""

_HEARERS: Final = tuple(desk for desk in COMPLAINTS_LOG.hearers if desk in set(SPEAKERS.values()))

_SNAPSHOT: Final = """
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
FROM (SELECT stream_id FROM vault.access UNION SELECT stream_id FROM vault.contact
      UNION SELECT stream_id FROM vault.text_number) a
WHERE NOT EXISTS (SELECT FROM es.stream s WHERE s.stream_id = a.stream_id)
  AND NOT EXISTS (SELECT FROM vault.access s WHERE s.stream_id = a.stream_id AND s.as_a = 'SENDER')
"""
# Sealed before the request was sent: it may be on its way, set aside, or never have come.
_WITHOUT_RECORD: Final = """
SELECT count(*) FROM vault.key k
WHERE NOT EXISTS (SELECT FROM es.stream s WHERE s.stream_id = k.stream_id)
  AND EXISTS (SELECT FROM vault.access s WHERE s.stream_id = k.stream_id AND s.as_a = 'SENDER')
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

    With Kafka's address (and the prefix of the city's topics) it also compares the desks with their topics.
    It reports a desk that has taken more than was ever sent. It reports a complaint that waits for a desk
    with nothing left to take in. With a file of anchors it compares the facts with their anchored form.
    """
    return await _Reader(kafka, prefix, anchors).read(reader_dsn)


class _Reader:
    """One reading of one log."""

    def __init__(self, kafka: str | None, prefix: str, anchors: Path | None = None) -> None:
        self._anchors = None if anchors is None else Anchors(anchors, kafka=kafka, prefix=prefix)
        self._kafka = kafka
        self._prefix = prefix
        compared = ["heads", "timers"] if kafka is None else ["heads", "timers", "offsets against topics"]
        self._report = blank(compared)
        self._overdue: list[OverdueTimer] = []
        self._last_position = 0

    async def read(self, reader_dsn: str) -> Report:
        """See `verify`."""
        started_at = time.monotonic()
        report = self._report
        async with archive_held(reader_dsn, _SETTINGS) as connection:
            await must_be_read_here(connection)
            if self._anchors is not None:
                await self._anchors.look()  # before the snapshot
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                snapshot = await self._read_snapshot(connection)
                await self._read_lives(reader_dsn, connection, snapshot)
                await judge(connection, report)
                await compare_lists(connection, report)
                unread = UnreadableRows()
                report.contacts_without_record = await connection.fetchval(_WITHOUT_RECORD)
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

    async def _read_snapshot(self, connection: asyncpg.Connection[Any]) -> LogSnapshot:
        report = self._report
        (snapshot,) = await connection.fetch(_SNAPSHOT)
        batches = snapshot["batches"] or ()
        if not batches:
            report.found("", "the relay has no row in es.relay: nothing can be sent")
        report.drained, report.parked = bool(snapshot["drained"]), snapshot["parked"]
        self._last_position = snapshot["position"]
        parked = frozenset((row[0], row[1]) for row in await connection.fetch(_PARKED))
        offsets = await connection.fetch(_OFFSETS)
        for row in offsets:
            where = f"{row['consumer']} in {row['topic']}/{row['part']}"
            sent = batches[row["part"] % len(batches)] if batches else 0  # by the relay of this partition
            if row["mark_batch"] > sent or row["mark_position"] > snapshot["position"]:
                report.found("", f"{where}: has the relay's mark of a fact that was never sent")
        if self._kafka is not None:
            taken = {(row["consumer"], row["topic"], row["part"]): row["next_offset"] for row in offsets}
            # Asked after the snapshot was taken: an end can only have moved away from what was taken.
            self._compare_offsets(
                taken, await ends_of(self._kafka, {key[1:] for key in taken} | self._log_parts())
            )
        articles = frozenset((row[0], row[1]) for row in await connection.fetch(_ARTICLES))
        return LogSnapshot(
            snapshot["now"], report.drained, report.heard, parked, articles, snapshot["snapshot"]
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
        self, reader_dsn: str, connection: asyncpg.Connection[Any], snapshot: LogSnapshot
    ) -> None:
        processes = min(psutil.cpu_count() or 1, PROCESSES_MAX)
        few = self._last_position <= ALONE
        slices = _slices(1 if few else max(processes, 1 + self._last_position // SLICE))
        if len(slices) == 1:
            self._take_over(await LifeJudge(snapshot).judged(connection, *slices[0]))
            return
        with ProcessPoolExecutor(processes, get_context("spawn"), initializer=tune_gc) as pool:
            loop = asyncio.get_running_loop()
            calls = [
                loop.run_in_executor(pool, _judged_slice, reader_dsn, snapshot, *part) for part in slices
            ]
            try:
                for call in calls:
                    self._take_over(await call)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _take_over(self, judged: SliceReport) -> None:
        """Add the findings of a slice to the whole."""
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
        """A timer that was overdue in the snapshot must fire in a moment."""
        give_up_at = time.monotonic() + FIRES_WITHIN.total_seconds()
        overdue = self._overdue
        while overdue:
            rows = await connection.fetch(
                _STILL_SET, *(list(column) for column in zip(*overdue, strict=True))
            )
            overdue = [OverdueTimer(*row) for row in rows]
            if overdue and time.monotonic() > give_up_at:
                for timer in overdue:
                    limit = LIMITS[timer.kind]
                    self._report.found(timer.complaint_id, f"timer {limit}: due at {timer.due_at}, not fired")
                return
            if overdue:
                await asyncio.sleep(0.2)


def _slices(count: int) -> list[tuple[UUID, UUID]]:
    """All ids there can be in so many stretches, each from its first to its last: hashes spread evenly."""
    borders = [number * 2**128 // count for number in range(count + 1)]
    return [(UUID(int=first), UUID(int=end - 1)) for first, end in pairwise(borders)]


def _judged_slice(reader_dsn: str, snapshot: LogSnapshot, first: UUID, last: UUID) -> SliceReport:
    """One slice, in a process of its own; whoever asks holds the archive's months meanwhile."""
    return asyncio.run(_judged_in(reader_dsn, snapshot, first, last))


async def _judged_in(reader_dsn: str, snapshot: LogSnapshot, first: UUID, last: UUID) -> SliceReport:
    connection = await asyncpg.connect(reader_dsn, server_settings=_SETTINGS)
    try:
        await reads_any_instant(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.snapshot}'")
            return await LifeJudge(snapshot).judged(connection, first, last)
    finally:
        await connection.close()
