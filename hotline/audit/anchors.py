"""Compares the log with its anchors: finds facts that were anchored and are missing or changed now.

The file is read twice. The first reading checks its own order: no line missing, changed or cut off. The
second compares it with the facts in order of position, root against root. Where a root differs, the leaves
say which facts do.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from deploy.supervision.topic_ends import ends_of
from hotline.audit.report import Report
from shared.log.anchoring import last_on_topic
from shared.log.anchors import LEAF_HASH_BYTES, NOTHING, Leaf, anchor_of, hash_of, leaves_of, root_of
from shared.runtime.errors import UserError
from shared.times import shown
from shared.topics import COMPLAINTS_ANCHORS

PAGE: Final = 5000
"""Facts read at once."""

COPIED_WITHIN: Final = 5.0
"""Seconds in which what is anchored just now reaches the file."""

_LAST: Final = "SELECT number, hash FROM es.anchor ORDER BY number DESC LIMIT 1"
_FACTS: Final = """
SELECT position, stream_id, version, hash FROM es.fact WHERE position BETWEEN $1 AND $2 ORDER BY position
"""
_BEYOND: Final = "SELECT count(*) FROM es.event WHERE position > $1"
_AWAY: Final = "SELECT stream_id, version FROM es.detached_life WHERE stream_id = ANY ($1::uuid[])"
_UNKNOWN: Final = """
SELECT s FROM unnest($1::uuid[]) AS s WHERE NOT EXISTS (SELECT FROM es.stream t WHERE t.stream_id = s)
"""
_LEFT: Final = "SELECT DISTINCT stream_id FROM es.fact WHERE stream_id = ANY ($1::uuid[])"


class _Line(NamedTuple):
    """A line of the file, without its leaves."""

    offset: int
    size: int
    hash: str
    number: int
    first: int
    last: int
    facts: int
    root: str
    at: datetime


class Anchors:
    """One file of anchors. Look at it before the log: what it holds by then, the log must hold as well."""

    def __init__(self, file: Path, *, kafka: str | None = None, prefix: str = "") -> None:
        """With Kafka's address the last line on the topic must be in the file."""
        self._file = file
        self._kafka = kafka
        self._prefix = prefix
        self._size = 0
        self._on_topic: bytes | None = None
        self._void: list[_Line] = []
        """Lines of a log that was given up by a restore."""

    async def look(self) -> None:
        """Remember how far the file goes now; raises `UserError` where there is none."""
        try:
            self._size = self._file.stat().st_size
        except OSError as error:
            raise UserError(f"{self._file}: {error.strerror}; expected a file of anchors.") from None
        if self._kafka is not None:
            topic = self._prefix + COMPLAINTS_ANCHORS.name
            if await ends_of(self._kafka, {(topic, 0)}):  # else Kafka does not know it
                self._on_topic = await last_on_topic(self._kafka, topic)

    async def compare(self, connection: asyncpg.Connection[Any], report: Report) -> None:
        """Report each part that the log does not hold any more; inside a snapshot that is later than `look`."""
        report.compared.append("anchors")
        lines = self._in_order(report)
        await self._judge_end(connection, lines, report)
        report.anchors = sum(line.facts > 0 for line in lines)
        report.anchors_void = len(self._void)
        report.anchored = sum(line.facts for line in lines)
        report.not_anchored = await connection.fetchval(_BEYOND, lines[-1].last if lines else 0)
        comparison = _Comparison(connection, report, self._file)
        await comparison.run(lines)
        await comparison.judge_given_up(self._void)

    # -- the file by itself

    def _in_order(self, report: Report) -> list[_Line]:
        """The lines that count, with everything that is wrong in how they follow each other."""
        lines: list[_Line] = []
        before: _Line | None = None
        seen: set[str] = set()
        for place, (offset, raw) in enumerate(_raw_lines(self._file, self._size), start=1):
            try:
                said = anchor_of(raw)
            except msgspec.DecodeError as error:
                report.found("", f"line {place} of the anchors cannot be read: {error}")
                continue
            line = _Line(
                offset, len(raw), hash_of(raw).hex(), said.number, said.first, said.last, said.facts, said.root,
                said.anchored_at,
            )  # fmt: skip
            if line.hash in seen:
                continue  # handed on twice
            seen.add(line.hash)
            if said.restored:
                kept = _up_to(lines, said.previous)
                if kept is None:
                    report.found(
                        "", f"anchor {said.number} tells of a restore from a backup the anchors do not know"
                    )
                    kept = lines
                report.restores += 1
                self._void += [given_up for given_up in lines[len(kept) :] if given_up.facts]
                lines, before = [*kept, line], line
                continue
            follows = before.hash if before is not None else NOTHING
            if said.previous != follows:
                report.found("", _gap(line, before))
            elif line.first != (before.last + 1 if before is not None else 1):
                report.found("", f"anchor {line.number} begins at position {line.first}, out of its order")
            lines.append(line)
            before = line
        return lines

    async def _judge_end(
        self, connection: asyncpg.Connection[Any], lines: list[_Line], report: Report
    ) -> None:
        """Nothing may be cut off: the log and the topic know how far the anchors went."""
        known = await connection.fetchrow(_LAST)
        wanted = {}
        if known is not None:
            wanted[known["hash"].hex()] = (known["number"], "the log")
        if self._on_topic is not None:
            wanted.setdefault(
                hash_of(self._on_topic).hex(), (anchor_of(self._on_topic).number, "the topic of anchors")
            )
        give_up_at = time.monotonic() + COPIED_WITHIN
        missing = wanted
        while True:
            there = {hash_of(raw).hex() for _, raw in _raw_lines(self._file, None)}
            missing = {line: who for line, who in wanted.items() if line not in there}
            if not missing or time.monotonic() > give_up_at:
                break
            await asyncio.sleep(0.2)
        for number, who in missing.values():
            last = lines[-1].number if lines else 0
            report.found(
                "", f"{who} goes on to anchor {number}, which is not in the file: that ends with {last}"
            )
        if lines and (known is None or known["number"] < lines[-1].number):
            went = known["number"] if known is not None else 0
            report.found("", f"the log has lost its own anchors {went + 1} to {lines[-1].number}")


def _raw_lines(file: Path, size: int | None) -> Iterator[tuple[int, bytes]]:
    """Each whole line up to this size, with its place."""
    offset = 0
    with file.open("rb") as source:
        for raw in source:
            if (size is not None and offset >= size) or not raw.endswith(b"\n"):
                return
            yield offset, raw[:-1]
            offset += len(raw)


def _up_to(lines: list[_Line], hash_: str) -> list[_Line] | None:
    """The lines up to the one of this hash; None where there is none."""
    if hash_ == NOTHING:
        return []
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].hash == hash_:
            return lines[: place + 1]
    return None


def _gap(line: _Line, before: _Line | None) -> str:
    if before is None:
        return f"the anchors begin with number {line.number}: what was before it is missing"
    if line.number != before.number + 1:
        return f"anchor {line.number} follows number {before.number}: what was between is missing"
    return f"anchor {before.number} is not the line that anchor {line.number} follows: it was changed"


def _named(line: _Line) -> str:
    return f"anchor {line.number} of {shown(line.at, UTC, seconds=True)} UTC"


# -- the file beside the facts


class _Missed(NamedTuple):
    version: int
    line: _Line


class _Comparison:
    """Facts and anchors side by side."""

    def __init__(self, connection: asyncpg.Connection[Any], report: Report, file: Path) -> None:
        self._connection = connection
        self._report = report
        self._file = file
        self._missing: defaultdict[UUID, list[_Missed]] = defaultdict(list)
        """Facts that were anchored and are not in the log, by complaint."""

    async def run(self, lines: list[_Line]) -> None:
        """Root against root, stretch by stretch."""
        if not lines:
            return
        facts = self._facts(lines[0].first, max(line.last for line in lines))
        pending: list[Any] = []
        ended = False
        for line in lines:
            while not ended and (not pending or pending[-1][0] <= line.last):
                page = await anext(facts, None)
                if page is None:
                    ended = True
                else:
                    pending += page
            end = next((at for at, row in enumerate(pending) if row[0] > line.last), len(pending))
            mine, pending = [row for row in pending[:end] if row[0] >= line.first], pending[end:]
            if len(mine) != line.facts or root_of(b"".join([row[3] for row in mine])) != line.root:
                self._differs(line, mine)
        await self._tell_missing()

    async def _facts(self, first: int, last: int) -> AsyncIterator[list[Any]]:
        cursor = await self._connection.cursor(_FACTS, first, last)
        while page := await cursor.fetch(PAGE):
            yield page

    async def judge_given_up(self, void: list[_Line]) -> None:
        """Of anchors that a restore has made void: what was decided again may differ, but no complaint may be gone.

        Else whoever takes one out need only say that there was a restore.
        """
        for line in void:
            streams = list({leaf.stream for leaf in self._leaves(line)})
            for (stream,) in await self._connection.fetch(_UNKNOWN, streams):
                self._report.found(str(stream), f"gone with a restore: {_named(line)} held it")

    def _leaves(self, line: _Line) -> list[Leaf]:
        """The facts a line names; none where it cannot be understood, which is told."""
        with self._file.open("rb") as source:
            source.seek(line.offset)
            packed = anchor_of(source.read(line.size)).leaves
        try:
            leaves = list(leaves_of(packed))
        except struct.error:
            leaves = []
        if len(leaves) != line.facts:
            self._report.found("", f"anchor {line.number} names {len(leaves)} facts and counts {line.facts}")
        return leaves

    def _differs(self, line: _Line, facts: list[Any]) -> None:
        """Which facts of this stretch are gone, changed or new."""
        anchored = {(leaf.stream, leaf.version): leaf.hash for leaf in self._leaves(line)}
        where = _named(line)
        as_it_was = True
        for _, stream, version, stored in facts:
            known = anchored.pop((stream, version), None)
            if known is None:
                self._report.found(
                    str(stream), f"version {version}: is not in {where}, which covers its position"
                )
            elif known != stored[:LEAF_HASH_BYTES]:
                self._report.found(str(stream), f"version {version}: is not what it was in {where}")
            as_it_was = as_it_was and known == stored[:LEAF_HASH_BYTES]
        for stream, version in anchored:
            self._missing[stream].append(_Missed(version, line))
        if as_it_was and not anchored:
            self._report.found("", f"{where}: its root is not that of the facts at its positions")

    async def _tell_missing(self) -> None:
        """Facts that are gone: out of a life, the whole of one, or with a month of the archive that is away."""
        streams = list(self._missing)
        away = {row[0]: row[1] for row in await self._connection.fetch(_AWAY, streams)}
        left = {row[0] for row in await self._connection.fetch(_LEFT, streams)}
        for stream, missed in self._missing.items():
            gone = [one for one in missed if one.version > away.get(stream, 0)]
            self._report.not_checkable += len(missed) - len(gone)
            if not gone:
                continue
            where = _named(gone[-1].line)
            if stream in left or stream in away:
                numbers = ", ".join(str(one.version) for one in gone)
                many = "s" if len(gone) > 1 else ""
                self._report.found(str(stream), f"version{many} {numbers}: gone since {where}")
            else:
                self._report.found(
                    str(stream), f"the whole complaint is gone, its {len(gone)} facts, since {where}"
                )
