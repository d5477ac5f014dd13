"""The one meeting of rules and log: read the heads, decide, append; a whole batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import msgspec

from shared.codec import encoded
from shared.complaint import (
    UNOPENED,
    Case,
    Complaint,
    NoSuchComplaint,
    UnreadableHead,
    evolve,
    head_text,
)
from shared.envelope import GENESIS, chained
from shared.errors import told
from shared.events import Fact
from shared.ids import ComplaintId, derived
from shared.log import (
    Append,
    EventLog,
    Head,
    HeadMoved,
    Incoming,
    Known,
    Moved,
    Parked,
    timer_shard,
    timers_of,
)
from shared.telemetry import Telemetry

RACES_MAX: Final = 3
"""How often a batch is decided before it takes its complaints' locks first. Without them it may lose for
ever: two desks on the same complaints fall into step, and a large batch meets a moved head every time."""

ATTEMPTS_MAX: Final = 6
"""With the locks only a repeat of a message can still come in between; more than this is a bug and raised."""

Decide = Callable[[Any, Case], Sequence[Fact]]
"""A desk's rule: command and case to facts. Pure."""


class Claim(NamedTuple):
    """What only one complaint may be the first to say; held from the moment that one is on record."""

    id: str
    otherwise: Any
    """The command where another was first: its complaint is on record then, or goes onto it in this very batch."""


class Work(msgspec.Struct, frozen=True, gc=False):
    """One command, what it is about and where it came from."""

    command: Any
    complaint_id: ComplaintId
    caused_by: str
    """The message or fact that led to it; facts' ids are derived from it, but for those with a cause of their own."""
    message: Incoming | None = None
    """The message it came in, so that it can be parked whole."""
    message_id: str | None = None
    """Identity of an input from outside, remembered once it had its effect."""
    parent: tuple[str, str] | None = None
    """The decision that led here, (caused_by, desk), for the trace."""
    claim: Claim | None = None


@dataclass(slots=True)
class Batch:
    """What a door hands over at once; its offsets move with its effects."""

    work: list[Work] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unpark: list[int] = field(default_factory=list)
    effect: tuple[str, tuple[object, ...]] | None = None


Look = Callable[[Sequence[Work]], Awaitable[None]]
"""Looks up what the rule must know beyond the head before it decides these commands; may be harmlessly repeated."""


class Said(NamedTuple):
    """What came of a batch."""

    facts: int
    repeats: int
    parked: int
    parked_of: Mapping[str, int]
    """Of each topic; only those of which something was parked."""


class Desk:
    """A desk at work: its name, its rule, its log."""

    def __init__(
        self,
        name: str,
        decide: Decide,
        log: EventLog,
        telemetry: Telemetry,
        look: Look | None = None,
    ) -> None:
        """`name` is the consumer in the log and the actor of the facts; `look` goes before each batch's decisions."""
        self.name = name
        self.log = log
        self.telemetry = telemetry
        self._decide = decide
        self._look = look

    async def obey(self, batch: Batch) -> Said:
        """Decide every command on the fresh head, in order, and write it all in one transaction.

        Raises `Fenced` where the offsets are no longer ours: nothing was written.
        """
        streams = list({work.complaint_id: None for work in batch.work})
        if self._look is not None:
            await self._look(batch.work)
        for attempt in range(ATTEMPTS_MAX):
            try:
                if attempt < RACES_MAX:
                    return await self._attempted(self.log, batch, streams)
                async with self.log.holding(streams) as log:
                    return await self._attempted(log, batch, streams)
            except HeadMoved:
                self.telemetry.count("desk.decided_again")
        message = f"{self.name}: heads still moved after {ATTEMPTS_MAX} decisions"
        raise RuntimeError(message)

    async def _attempted(self, log: EventLog, batch: Batch, streams: list[ComplaintId]) -> Said:
        """Decide on the heads as they are and write; raises `HeadMoved` where they are so no more."""
        append = Append(
            moved=batch.moved,
            parked=[
                parked
                if parked.complaint_id is not None
                else parked._replace(complaint_id=parked.message.parked_for)
                for parked in batch.parked
            ],
            unpark=batch.unpark,
            effect=batch.effect,
        )
        followed: list[tuple[Work, Sequence[Fact]]] = []
        said = await self._decided(log, batch, streams, append, followed)
        append.parked = _in_order(append.parked, len(batch.parked))
        if batch.unpark:  # what failed again keeps its row and its place
            again = {parked.message.parked_id for parked in append.parked}
            append.unpark = [number for number in batch.unpark if number not in again]
        if append:
            await log.append(append)
        for work, facts in followed:
            self.telemetry.decided(self.name, work, facts)
        self.telemetry.obeyed(self.name, append, said.repeats)
        return said

    async def _decided(
        self,
        log: EventLog,
        batch: Batch,
        streams: list[ComplaintId],
        append: Append,
        followed: list[tuple[Work, Sequence[Fact]]],
    ) -> Said:
        if not streams:
            return Said(0, 0, len(append.parked), _by_topic(append.parked))
        inbox = [work.message_id for work in batch.work if work.message_id is not None]
        inbox += [work.claim.id for work in batch.work if work.claim is not None]
        hand = _Hand(await log.heads(streams, inbox), append)
        for work in batch.work:
            life = hand.takes_up(work)
            if life is None:
                continue
            claim = hand.claims(work, life)
            try:
                facts = self._decide(claim.otherwise if claim.taken else work.command, life.case)
            except NoSuchComplaint as unknown:
                hand.parks(work, str(unknown), unknown)
            except Exception as error:  # noqa: BLE001 -- a bug in a rule must not stop the city
                self.telemetry.failed(self.name, work.complaint_id, error)
                life.failed = True
                hand.parks(work, f"could not be decided: {told(error)}", error)
            else:
                if work.message_id is not None:
                    hand.done.add(work.message_id)
                    append.inbox.append(work.message_id)
                if facts:
                    hand.holds(claim)
                    life.takes(facts, work, self.name, append)
                    if self.telemetry.follows(work.complaint_id):
                        followed.append((work, facts))
        hand.lays_down()
        parked = append.parked
        return Said(len(append.fact_id), hand.repeats, len(parked), _by_topic(parked))


class _Life:
    """One complaint while a batch is decided: as it was read, and as it stands now."""

    __slots__ = ("case", "case_read", "failed", "hash", "parked", "version", "version_read")

    def __init__(self, head: Head | None, *, parked: bool) -> None:
        if head is None:
            self.version, self.hash, self.case = 0, GENESIS, cast("Case", UNOPENED)
        else:
            self.version, self.hash, self.case = head.version, head.hash, head.case
        self.version_read = self.version
        self.case_read = self.case
        self.parked = parked
        """Something of it was parked before: what is new waits, what was released does not."""
        self.failed = False
        """Something of it could not be decided just now: all that follows in the batch waits."""

    def takes(self, facts: Sequence[Fact], work: Work, desk: str, append: Append) -> None:
        """Chain the facts to the stream and take them into account."""
        complaint_id, caused_by = work.complaint_id, work.caused_by
        version, head_hash, case = self.version, self.hash, self.case
        for number, fact in enumerate(facts):
            kind = type(fact)
            name = kind.__name__
            version += 1
            own_cause = fact.own_cause
            if own_cause is None:
                fact_id = derived(complaint_id, caused_by, name, str(number))
            else:
                fact_id = derived(complaint_id, own_cause, name)
            at: datetime = getattr(fact, kind.TIME)
            body = encoded(fact)
            head_hash = chained(
                head_hash, complaint_id, version, fact_id, name, kind.SCHEMA, at, caused_by, desk, body
            )
            append.fact_stream.append(complaint_id)
            append.fact_version.append(version)
            append.fact_id.append(fact_id)
            append.fact_type.append(name)
            append.fact_schema.append(kind.SCHEMA)
            append.fact_at.append(at)
            append.fact_cause.append(caused_by)
            append.fact_body.append(body)
            append.fact_hash.append(head_hash)
            case = evolve(case, fact)
        self.version, self.hash, self.case = version, head_hash, case


class _Claiming(NamedTuple):
    """A claim while it is decided."""

    id: str
    otherwise: Any
    taken: bool


_NOTHING: Final = _Claiming("", None, taken=False)


class _Hand:
    """The complaints of a batch while it is decided, and the transaction they go into."""

    def __init__(self, known: Known, append: Append) -> None:
        self.done = set(known.done)
        self.repeats = 0
        self._known = known
        self._append = append
        self._lives: dict[ComplaintId, _Life] = {}
        self._set_aside: dict[str, list[Incoming]] = {}
        """Messages the door itself set aside, by complaint."""
        for parked in append.parked:
            if parked.complaint_id is not None:
                self._set_aside.setdefault(parked.complaint_id, []).append(parked.message)

    def takes_up(self, work: Work) -> _Life | None:
        """The complaint a command is about; None where it had its effect before or must wait."""
        if work.message_id is not None and work.message_id in self.done:
            self.repeats += 1
            return None
        complaint_id = work.complaint_id
        unreadable = self._known.unreadable.get(complaint_id)
        if unreadable is not None:
            self.parks(work, unreadable, UnreadableHead(unreadable))
            return None
        life = self._lives.get(complaint_id)
        if life is None:
            head = self._known.heads.get(complaint_id)
            life = self._lives[complaint_id] = _Life(head, parked=complaint_id in self._known.parked)
        message = work.message
        if message is not None and (
            life.failed
            or (life.parked and message.parked_id is None)
            or self._stands_behind(message, complaint_id)
        ):
            reason = "waits behind a parked message of this complaint"
            self._append.parked.append(Parked(message, complaint_id, reason))
            return None
        return life

    def _stands_behind(self, message: Incoming, complaint_id: ComplaintId) -> bool:
        """Whether the door set aside an earlier message of this complaint. Between partitions there is no order."""
        return any(
            (aside.topic, aside.partition) != (message.topic, message.partition)
            or aside.offset < message.offset
            for aside in self._set_aside.get(complaint_id, ())
        )

    def claims(self, work: Work, life: _Life) -> _Claiming:
        """What this command claims for a complaint that is not on record yet, and whether another was first."""
        claim = None if life.version else work.claim
        if claim is None:
            return _NOTHING
        return _Claiming(claim.id, claim.otherwise, taken=claim.id in self.done)

    def holds(self, claiming: _Claiming) -> None:
        """Its complaint is on record with this transaction, so what it claimed is its own."""
        if claiming.id and not claiming.taken:
            self.done.add(claiming.id)
            self._append.inbox.append(claiming.id)

    def parks(self, work: Work, reason: str, error: Exception) -> None:
        """Set a command's message aside; one that came in none is a bug of ours and is raised."""
        if work.message is None:
            raise error
        unknown = isinstance(error, NoSuchComplaint)
        self._append.parked.append(Parked(work.message, None if unknown else work.complaint_id, reason))

    def lays_down(self) -> None:
        """Write down the new heads, and the timers they ask for."""
        append = self._append
        for complaint_id, life in self._lives.items():
            if life.version == life.version_read:
                continue
            case = life.case
            if not isinstance(case, Complaint):
                message = f"facts about complaint {complaint_id} before it was received"
                raise TypeError(message)
            append.head_stream.append(complaint_id)
            append.head_old.append(life.version_read)
            append.head_new.append(life.version)
            append.head_hash.append(life.hash)
            append.head_state.append(head_text(case))
            _watch(complaint_id, life.case_read, case, append)


def _by_topic(parked: Sequence[Parked]) -> Mapping[str, int]:
    return Counter(one.message.topic for one in parked) if parked else {}


def _in_order(parked: list[Parked], by_door: int) -> list[Parked]:
    """As the messages came: the door set the first `by_door` aside, the desk the others.

    They get their numbers in this order, and are released in it.
    """
    if not 0 < by_door < len(parked):
        return parked
    ranks: dict[tuple[str, int], int] = {}
    for one in (*parked[by_door:], *parked[:by_door]):
        ranks.setdefault((one.message.topic, one.message.partition), len(ranks))
    return sorted(
        parked, key=lambda one: (ranks[one.message.topic, one.message.partition], one.message.offset)
    )


def _watch(complaint_id: str, before: Case, after: Case, append: Append) -> None:
    """Set and cancel timers so that they are what the new head says must be watched."""
    was = timers_of(before)
    now = timers_of(after)
    if was == now:
        return
    shard = timer_shard(complaint_id)
    for kind, due_at in now.items():
        if was.get(kind) != due_at:
            append.timer_stream.append(complaint_id)
            append.timer_kind.append(kind)
            append.timer_shard.append(shard)
            append.timer_due.append(due_at)
    for kind in was:
        if kind not in now:
            append.cancel_stream.append(complaint_id)
            append.cancel_kind.append(kind)
