"""A history of appends, and whether it can be one: several writers want the same complaints at the same time.

Each attempt records the version it decided on, the facts and versions it wanted, its begin and its end. It
also records the answer: written, refused because the head had moved, or no answer at all.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Final

import asyncpg

from services.intake.decisions.recording import AskedToRecord
from services.intake.rules import decide
from shared import inputs
from shared.asked import Asked
from shared.desk import Desk
from shared.events import Urgency
from shared.events.base import RequestType
from shared.ids import RequestId, complaint_id, message_id
from shared.log import Append, EventLog, HeadMoved
from shared.log.away import AWAY, is_away
from shared.log.postgres import PostgresLog
from shared.log.through import Through
from shared.policy.catalogue import Catalogue
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work

WRITERS: Final = 4
WORDS_A_LIFE: Final = 40
"""Appends a writer makes to one complaint before all go on to the next."""
PAUSE_SECONDS: Final = 1.0
"""Between two words of a writer: a rehearsal goes on only in moments when the log is read to its end."""

_FACTS: Final = """
SELECT stream_id::text, version, event_id::text FROM es.fact WHERE stream_id = ANY ($1::uuid[]) ORDER BY 1, 2
"""


class AppendAnswer(Enum):
    """The answer a writer got for its attempt."""

    WRITTEN = "written"
    MOVED = "moved"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One append of one complaint's facts."""

    stream: str
    decided_on: int
    """The version the writer had read."""
    facts: tuple[str, ...]
    """Ids, for the versions from `decided_on` + 1 on."""
    began_at: float
    ended_at: float
    """Monotonic seconds."""
    answer: AppendAnswer


class NotedLog(Through):
    """See `EventLog`: another one, with every attempt to append noted."""

    def __init__(self, log: EventLog, history: list[Attempt]) -> None:
        """The history is shared by all writers."""
        super().__init__(log)
        self._history = history

    async def append(self, append: Append) -> None:
        """See `EventLog.append`."""
        began_at = time.monotonic()
        answer = AppendAnswer.NOTHING
        try:
            await self._log.append(append)
            answer = AppendAnswer.WRITTEN
        except HeadMoved:
            answer = AppendAnswer.MOVED
            raise
        finally:
            ended_at = time.monotonic()
            for stream, old in zip(append.head_stream, append.head_old, strict=True):
                facts = [
                    fact for of, fact in zip(append.fact_stream, append.fact_id, strict=True) if of == stream
                ]
                if not facts:  # decided on beside another complaint, and left as it is
                    continue
                self._history.append(
                    Attempt(
                        stream=stream,
                        decided_on=old,
                        facts=tuple(facts),
                        began_at=began_at,
                        ended_at=ended_at,
                        answer=answer,
                    )
                )

    @asynccontextmanager
    async def holding(self, streams: Sequence[str]) -> AsyncIterator[EventLog]:
        """See `EventLog.holding`; what is written in there is known to be only once the block has ended."""
        within: list[Attempt] = []
        try:
            async with self._log.holding(streams) as held:
                yield NotedLog(held, within)
        except BaseException as error:
            answer = AppendAnswer.MOVED if isinstance(error, HeadMoved) else AppendAnswer.NOTHING
            self._history += [replace(attempt, answer=answer) for attempt in within]
            raise
        ended_at = time.monotonic()
        self._history += [replace(attempt, ended_at=ended_at) for attempt in within]


class Writers:
    """Some who hand in requests that are answered at once, and then all want to take them back, again and again."""

    def __init__(
        self, dsn: str, catalogue: Catalogue, *, ruleset: str, calendar: str, began_at: datetime, seed: int
    ) -> None:
        """`dsn`: intake's login, by a wire that breaks."""
        self.history: list[Attempt] = []
        self._dsn = dsn
        self._district = next(iter(catalogue.districts))
        self._ruleset, self._calendar, self._began_at = ruleset, calendar, began_at
        self._seed = seed
        self._lives = 0
        self.said = 0
        """Inputs they handed in, each once."""
        self._stop = asyncio.Event()

    async def write(self) -> None:
        """Write until told to stop; PostgreSQL may be away for any time."""
        telemetry = Telemetry("writers")
        logs = [PostgresLog(self._dsn, "intake", f"writer {number}") for number in range(WRITERS)]
        desks = [Desk("intake", decide, NotedLog(log, self.history), telemetry) for log in logs]
        random = Random(self._seed)
        try:
            while not self._stop.is_set():
                self._lives += 1
                request = RequestId(f"chaos-{self._seed}-{self._lives}")
                at = self._began_at + timedelta(minutes=self._lives)
                await self._said(desks[0], self._record(request, at))
                for word in range(WORDS_A_LIFE):
                    withdrawn = [
                        self._withdraw(request, at, f"{word}.{number}") for number in range(len(desks))
                    ]
                    random.shuffle(withdrawn)
                    await asyncio.gather(
                        *(self._said(desk, work) for desk, work in zip(desks, withdrawn, strict=True))
                    )
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PAUSE_SECONDS):
                            await self._stop.wait()
                    if self._stop.is_set():
                        break
        finally:
            for log in logs:
                with suppress(Exception):
                    await log.close()

    def stop(self) -> None:
        """Finish the word in hand."""
        self._stop.set()

    async def _said(self, desk: Desk, work: Work) -> None:
        """Have it written, however long PostgreSQL is away: a repeat of what was written has no effect."""
        while True:
            try:
                await desk.obey(Batch(work=[work]))
            except AWAY as error:
                if not is_away(error):
                    raise
                await asyncio.sleep(0.1)
            else:
                self.said += 1
                return

    def _record(self, request: RequestId, at: datetime) -> Work:
        about = complaint_id(request)
        recorded = inputs.RecordRequest(
            request_id=request,
            request_type=RequestType.CONSULT,
            subject="chaos",
            urgency=Urgency.GENERAL_7D,
            district=self._district,
            title="asked by a writer",
            article_id="chaos",
        )
        command = AskedToRecord(
            complaint_id=about, command=recorded, ruleset=self._ruleset, calendar=self._calendar, at=at
        )
        return Work(command, about, f"writer/{request}", None, message_id("writers", "chaos", request))

    def _withdraw(self, request: RequestId, at: datetime, word: str) -> Work:
        about = complaint_id(request)
        command = Asked(
            command=inputs.WithdrawRequest(request_id=request, reason=word), complaint_id=about, at=at
        )
        said = f"{request}-{word}"
        return Work(command, about, f"writer/{said}", None, message_id("writers", "chaos", said))


async def judged(reader_dsn: str, history: Sequence[Attempt]) -> list[str]:
    """Contradictions between a history and the log it led to; empty is good."""
    streams = sorted({attempt.stream for attempt in history})
    connection = await asyncpg.connect(reader_dsn)
    try:
        rows = await connection.fetch(_FACTS, streams)
    finally:
        await connection.close()
    lies: dict[str, dict[int, str]] = defaultdict(dict)
    for stream, version, fact in rows:
        lies[stream][version] = fact
    return impossible(history, lies)


def impossible(history: Iterable[Attempt], log: dict[str, dict[int, str]]) -> list[str]:
    """Contradictions: `log` has the facts of each complaint by version.

    A fact was written and is not there, or was refused and is there all the same. Two facts were accepted on one
    version, or the versions have a gap. A fact is there that nobody wrote. A fact lies behind another, although it was
    written before that one began.
    """
    found: list[str] = []
    by_stream: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in history:
        by_stream[attempt.stream].append(attempt)
    for stream, attempts in by_stream.items():
        facts = log.get(stream, {})
        if sorted(facts) != list(range(1, len(facts) + 1)):
            found.append(f"{stream}: its versions are {sorted(facts)}")
        wanted = {fact for attempt in attempts for fact in attempt.facts}
        if strangers := set(facts.values()) - wanted:
            found.append(f"{stream}: nobody wrote {sorted(strangers)}")
        accepted: dict[int, Attempt] = {}
        for attempt in attempts:
            place = attempt.decided_on + 1
            there = tuple(facts.get(place + n, "") for n in range(len(attempt.facts))) == attempt.facts
            if attempt.answer is AppendAnswer.WRITTEN and not there:
                found.append(f"{stream}: version {place} was acknowledged and is not in the log")
            if attempt.answer is AppendAnswer.MOVED and there and not _said_again(attempt, attempts):
                found.append(f"{stream}: version {place} was refused and is in the log")
            if attempt.answer is AppendAnswer.WRITTEN:
                other = accepted.setdefault(attempt.decided_on, attempt)
                if other is not attempt and other.facts != attempt.facts:
                    found.append(f"{stream}: two writers were accepted on version {attempt.decided_on}")
        found += _out_of_order(stream, sorted(accepted.values(), key=lambda one: one.decided_on))
    return found


def _said_again(refused: Attempt, attempts: Sequence[Attempt]) -> bool:
    """Whether the same facts were handed in before without an answer: the refusal is that of the repeat."""
    return any(
        one.answer is not AppendAnswer.MOVED
        and one.facts == refused.facts
        and one.began_at < refused.ended_at
        for one in attempts
    )


def _out_of_order(stream: str, accepted: Sequence[Attempt]) -> list[str]:
    """Those acknowledged, by version: none may have ended before one that lies in front of it began."""
    found: list[str] = []
    latest_began = float("-inf")
    for attempt in accepted:
        if attempt.ended_at < latest_began:
            found.append(f"{stream}: version {attempt.decided_on + 1} was written before one in front of it")
        latest_began = max(latest_began, attempt.began_at)
    return found
