"""The one meeting of rules and log: read the heads, decide, append; a whole batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.codec import encoded
from shared.complaint import (
    UNOPENED,
    Case,
    Complaint,
    due_deadlines,
    evolve,
    head_text,
)
from shared.envelope import GENESIS, chained
from shared.events import Fact
from shared.ids import ComplaintId, derived
from shared.log import (
    TIMER_KINDS,
    Append,
    EventLog,
    HeadMoved,
    Incoming,
    Moved,
    Parked,
    timer_shard,
)
from shared.telemetry import Telemetry

ATTEMPTS_MAX: Final = 20
"""How often a batch is decided again because heads moved. Each time another desk has made progress, and
both read the fresh head, so two or three are usual; more than this is a bug and is raised."""


class NoSuchComplaint(Exception):  # noqa: N818 -- a message to set aside, not our failure
    """A command about a complaint that is not on record; its message is parked by itself."""

    def __init__(self, complaint_id: str) -> None:
        """The complaint nobody knows."""
        super().__init__(f"complaint {complaint_id} is not on record")


Decide = Callable[[Any, Case], Sequence[Fact]]
"""A desk's rule: command and case to facts. Pure."""


class Work(NamedTuple):
    """One command, what it is about and where it came from."""

    command: Any
    complaint_id: ComplaintId
    caused_by: str
    """The message or fact that led to it; facts' ids are derived from it."""
    message: Incoming | None = None
    """The message it came in, so that it can be parked whole."""
    message_id: str | None = None
    """Identity of an input from outside, remembered once it had its effect."""
    parent: tuple[str, str] | None = None
    """The decision that led here, (caused_by, desk), for the trace."""


@dataclass(slots=True)
class Batch:
    """What a door hands over at once; its offsets move with its effects."""

    work: list[Work] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unpark: list[int] = field(default_factory=list)
    effect: tuple[str, tuple[object, ...]] | None = None


class Said(NamedTuple):
    """What came of a batch."""

    facts: int
    repeats: int
    parked: int


class Desk:
    """A desk at work: its name, its rule, its log."""

    def __init__(self, name: str, decide: Decide, log: EventLog, telemetry: Telemetry) -> None:
        """`name` is the consumer in the log and the actor of the facts."""
        self.name = name
        self.log = log
        self.telemetry = telemetry
        self._decide = decide

    async def obey(self, batch: Batch) -> Said:
        """Decide every command on the fresh head, in order, and write it all in one transaction.

        Raises `Fenced` where the offsets are no longer ours: nothing was written.
        """
        streams = list({work.complaint_id: None for work in batch.work})
        inbox = [work.message_id for work in batch.work if work.message_id is not None]
        for _ in range(ATTEMPTS_MAX):
            append = Append(
                moved=batch.moved, parked=list(batch.parked), unpark=batch.unpark, effect=batch.effect
            )
            said = await self._decided(batch, streams, inbox, append)
            if batch.unpark:  # what failed again keeps its row and its place
                again = {parked.message.parked_id for parked in append.parked}
                append.unpark = [number for number in batch.unpark if number not in again]
            if append:
                try:
                    await self.log.append(append)
                except HeadMoved:
                    self.telemetry.count("desk.decided_again")
                    continue
            self.telemetry.obeyed(self.name, append, said.repeats)
            return said
        message = f"{self.name}: heads still moved after {ATTEMPTS_MAX} decisions"
        raise RuntimeError(message)

    async def _decided(
        self, batch: Batch, streams: list[ComplaintId], inbox: list[str], append: Append
    ) -> Said:
        if not streams:
            return Said(0, 0, len(append.parked))
        known = await self.log.heads(streams, inbox)
        heads = known.heads
        done = set(known.done)
        waiting = set(known.parked)
        cases: dict[str, Case] = {}
        touched: dict[str, tuple[int, bytes, int, Case]] = {}  # version, hash, version read, case read
        repeats = 0
        for work in batch.work:
            complaint_id = work.complaint_id
            if work.message_id is not None and work.message_id in done:
                repeats += 1
                continue
            from_parking = work.message is not None and work.message.parked_id is not None
            if complaint_id in waiting and not from_parking and work.message is not None:
                append.parked.append(
                    Parked(work.message, complaint_id, "waits behind a parked message of this complaint")
                )
                continue
            case = cases.get(complaint_id)
            if case is None:
                head = heads.get(complaint_id)
                case = UNOPENED if head is None else head.case
            try:
                facts = self._decide(work.command, case)
            except NoSuchComplaint as unknown:
                if work.message is None:
                    raise
                append.parked.append(Parked(work.message, None, str(unknown)))
                continue
            except Exception as error:  # a bug in a rule must not stop the city
                if work.message is None:
                    raise
                self.telemetry.failed(self.name, complaint_id, error)
                append.parked.append(
                    Parked(work.message, complaint_id, f"could not be decided: {error!r}")
                )
                waiting.add(complaint_id)
                continue
            if work.message_id is not None:
                done.add(work.message_id)
                append.inbox.append(work.message_id)
            if facts:
                place = touched.get(complaint_id)
                if place is None:
                    head = heads.get(complaint_id)
                    place = (0, GENESIS, 0, UNOPENED) if head is None else (*head[:2], head[0], head[2])
                cases[complaint_id], touched[complaint_id] = self._said(
                    work, facts, case, place, append
                )
            elif complaint_id not in cases:
                cases[complaint_id] = case
        for complaint_id, (version, head_hash, version_read, case_read) in touched.items():
            case = cases[complaint_id]
            if not isinstance(case, Complaint):
                message = f"facts about complaint {complaint_id} before it was received"
                raise TypeError(message)
            append.head_stream.append(complaint_id)
            append.head_old.append(version_read)
            append.head_new.append(version)
            append.head_hash.append(head_hash)
            append.head_state.append(head_text(case))
            _watch(complaint_id, case_read, case, append)
        return Said(len(append.fact_id), repeats, len(append.parked))

    def _said(
        self,
        work: Work,
        facts: Sequence[Fact],
        case: Case,
        place: tuple[int, bytes, int, Case],
        append: Append,
    ) -> tuple[Case, tuple[int, bytes, int, Case]]:
        """Chain the facts to the stream and take them into account."""
        version, head_hash, version_read, case_read = place
        complaint_id = work.complaint_id
        for number, fact in enumerate(facts):
            kind = type(fact)
            name = kind.__name__
            version += 1
            fact_id = derived(complaint_id, work.caused_by, name, str(number))
            at: datetime = getattr(fact, kind.TIME)
            body = encoded(fact)
            head_hash = chained(
                head_hash,
                complaint_id,
                version,
                fact_id,
                name,
                kind.SCHEMA,
                at,
                work.caused_by,
                self.name,
                body,
            )
            append.fact_stream.append(complaint_id)
            append.fact_version.append(version)
            append.fact_id.append(fact_id)
            append.fact_type.append(name)
            append.fact_schema.append(kind.SCHEMA)
            append.fact_at.append(at)
            append.fact_cause.append(work.caused_by)
            append.fact_body.append(body)
            append.fact_hash.append(head_hash)
            case = evolve(case, fact)
        if self.telemetry.follows(complaint_id):
            self.telemetry.decided(self.name, work, facts)
        return case, (version, head_hash, version_read, case_read)


def _watch(complaint_id: str, before: Case, after: Case, append: Append) -> None:
    """Set and cancel timers so that they are what the new head says must be watched."""
    was = due_deadlines(before)
    now = due_deadlines(after)
    if was == now:
        return
    shard = timer_shard(complaint_id)
    for limit, due_at in now.items():
        if was.get(limit) != due_at:
            append.timer_stream.append(complaint_id)
            append.timer_kind.append(TIMER_KINDS[limit])
            append.timer_shard.append(shard)
            append.timer_due.append(due_at)
    for limit in was:
        if limit not in now:
            append.cancel_stream.append(complaint_id)
            append.cancel_kind.append(TIMER_KINDS[limit])
