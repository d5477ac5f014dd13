"""The one meeting of rules and log: read the heads, decide, append; a whole batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import msgspec

from shared.aside import NotTakenUp
from shared.complaint import (
    Case,
    Complaint,
    UnreadableHead,
    head_text,
)
from shared.events import REFUSALS, Fact
from shared.ids import ComplaintId, derived
from shared.log import (
    Append,
    EventLog,
    HeadMoved,
    Incoming,
    Known,
    Moved,
    Parked,
)
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry
from shared.seeing import Seeing, held_for, holder_of
from shared.underway import Life, watch
from shared.wording import Typed

RACES_MAX: Final = 3
"""How often a batch is decided before it takes its complaints' locks first. Without them it may lose for
ever: two desks on the same complaints fall into step, and a large batch meets a moved head every time."""

ATTEMPTS_MAX: Final = 6
"""With the locks only a repeat of a message can still come in between; more than this is a bug and raised."""

OTHER_CONTENT: Final = (
    "header ce_id: an event of this ce_source and ce_id was taken in already, with other content; "
    "send what is new under an id of its own"
)
"""Why an input is set aside whose id is known and whose content is another."""

BEHIND_ALL: Final = 1 << 63
"""Behind every position of the log, PostgreSQL's bigint: where a complaint stands that this batch puts on record."""

Decide = Callable[[Any, Case], Sequence[Fact]]
"""A desk's rule: command and case to facts. Pure."""


class Claim(NamedTuple):
    """What only one complaint may be the first to say; held from the moment that one is on record."""

    id: str
    otherwise: Any
    """The command where another was first: its complaint is on record then, or goes onto it in this very batch."""
    opens: bool = True
    """Only a complaint that is not on record yet claims it; else whatever is said and not refused."""
    places: int = 1
    """So many stand in a row, and where the first is held the next free one is; where none is free, nothing is held.
    With more than one, `otherwise` has a field `seen`, and finds there who holds one, the first one first."""

    says: str | None = None
    """What comes with it and is kept beside it, as 32 hexadecimal digits; with several places that is who holds it."""
    contrary: Any = None
    """The command where who was first said something else; without one it is `otherwise`."""

    def further(self) -> tuple[str, ...]:
        """The places behind `id`."""
        return tuple(derived(self.id, str(number)) for number in range(1, self.places))


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
    content: str | None = None
    """What the input says (`shared.identity.content_of`): its id with other content is no repeat."""
    beside: tuple[ComplaintId, ...] = ()
    """Other complaints that the command names; its `begun` says of them, and of its own, where in the log they were
    put on record."""
    typed: Typed = {}
    """How names in the command were typed, where it has them in another form; the first fact keeps it."""


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
            self.telemetry.decided(
                self.name, type(work.command).__name__, work.complaint_id, work.caused_by, work.parent, facts
            )
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
        hand = await _in_hand(log, batch, streams, append)
        await _read_others(log, batch, hand, streams)
        for work in batch.work:
            life = hand.takes_up(work)
            if life is None:
                continue
            claim = hand.claims(work, life)
            try:
                facts = self._decide(claim.command, life.case)
            except NotTakenUp as aside:
                hand.parks(work, str(aside), aside)
            except Exception as error:  # noqa: BLE001 -- a bug in a rule must not stop the city
                self.telemetry.failed(self.name, work.complaint_id, error)
                life.failed = True
                hand.parks(work, f"could not be decided: {told(error)}", error)
            else:
                if work.message_id is not None:
                    hand.had_its_effect(work.message_id, work.content)
                if facts:
                    hand.holds(claim, facts)
                    hand.opens(work.complaint_id)
                    life.takes(facts, work, self.name, append)
                    if self.telemetry.follows(work.complaint_id):
                        followed.append((work, facts))
        hand.lays_down()
        parked = append.parked
        return Said(len(append.fact_id), hand.repeats, len(parked), _by_topic(parked))


class _Claiming(NamedTuple):
    """A command while it is decided, and what it claims where nobody was first."""

    command: Any
    id: str | None = None
    content: str | None = None
    others: Sequence[ComplaintId] = ()
    """The other complaints it is decided on."""


class _Hand:
    """The complaints of a batch while it is decided, and the transaction they go into."""

    def __init__(self, known: Known, append: Append) -> None:
        self.begun: dict[str, int] = {}
        """Where in the log the complaints that are named were put on record, this batch's own behind all others."""
        self.done = set(known.done)
        self.repeats = 0
        self._content: dict[str, str | None] = dict(known.content)
        self._known = known
        self._heads = dict(known.heads)
        self._append = append
        self._lives: dict[ComplaintId, Life] = {}
        self._decided_on: set[ComplaintId] = set()
        """Other complaints on which something was decided: they must not have moved when it is written."""
        self._set_aside: dict[str, list[Incoming]] = {}
        """Messages the door itself set aside, by complaint."""
        for parked in append.parked:
            if parked.complaint_id is not None:
                self._set_aside.setdefault(parked.complaint_id, []).append(parked.message)

    def takes_up(self, work: Work) -> Life | None:
        """The complaint a command is about; None where it had its effect before or must wait."""
        if work.message_id is not None and work.message_id in self.done:
            if self._said_otherwise(work):
                self.parks(work, OTHER_CONTENT, NotTakenUp(OTHER_CONTENT))
            else:
                self.repeats += 1
            return None
        complaint_id = work.complaint_id
        unreadable = self._known.unreadable.get(complaint_id)
        if unreadable is not None:
            self.parks(work, unreadable, UnreadableHead(unreadable))
            return None
        life = self._life(complaint_id)
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

    def _life(self, complaint_id: ComplaintId) -> Life:
        life = self._lives.get(complaint_id)
        if life is None:
            head = self._heads.get(complaint_id)
            life = self._lives[complaint_id] = Life(head, parked=complaint_id in self._known.parked)
        return life

    def learns(self, known: Known) -> None:
        """What was read after the rest."""
        self._heads |= known.heads
        self.done |= known.done
        self._content |= known.content

    def _standing(self, complaint_id: ComplaintId) -> Complaint | None:
        """See `shared.seeing.CaseOf`."""
        life = self._lives.get(complaint_id)
        if life is None:
            if complaint_id not in self._heads:
                return None
            life = self._life(complaint_id)
        return life.case if isinstance(life.case, Complaint) else None

    def claims_further(self, work: Work) -> tuple[str, ...]:
        """What it may claim beyond its first, where somebody was first with that."""
        claim = work.claim
        if claim is None or claim.id not in self.done:
            return ()
        return () if claim.opens and self._life(work.complaint_id).version else claim.further()

    def others(self, work: Work) -> list[ComplaintId]:
        """The other complaints a command is decided on, as far as those read so far tell."""
        found: list[ComplaintId] = []
        further = self.claims_further(work)
        if further and work.claim is not None:
            held = (one for one in (work.claim.id, *further) if one in self.done)
            holders = (holder_of(self._content.get(one)) for one in held)
            found += [holder for holder in holders if holder is not None]
        if isinstance(work.command, Seeing):
            found += work.command.sees(self._life(work.complaint_id).case, self._standing)
        return found

    def _said_otherwise(self, work: Work) -> bool:
        """Whether the input that had its effect under this id said something else; a row of before says nothing."""
        said = None if work.message_id is None else self._content.get(work.message_id)
        return said is not None and work.content is not None and said != work.content

    def had_its_effect(self, message_id: str, content: str | None) -> None:
        """It will not have it again."""
        self.done.add(message_id)
        self._content[message_id] = content
        self._append.inbox.append(message_id)
        self._append.content.append(content)

    def opens(self, complaint_id: ComplaintId) -> None:
        """It is on record from here on, behind all that were before."""
        if not self._lives[complaint_id].version:
            self.begun[complaint_id] = BEHIND_ALL + len(self.begun)

    def _begun_of(self, work: Work) -> dict[str, int]:
        """Which of the complaints that a command names, and its own, are on record, and in which order."""
        named = (work.complaint_id, *work.beside)
        return {one: self.begun[one] for one in named if one in self.begun}

    def _stands_behind(self, message: Incoming, complaint_id: ComplaintId) -> bool:
        """Whether the door set aside an earlier message of this complaint. Between partitions there is no order."""
        return any(
            (aside.topic, aside.partition) != (message.topic, message.partition)
            or aside.offset < message.offset
            for aside in self._set_aside.get(complaint_id, ())
        )

    def claims(self, work: Work, life: Life) -> _Claiming:
        """What is decided, and claimed: as a rule only for a complaint that is not on record yet."""
        command, claim = work.command, work.claim
        held: str | None = None
        content: str | None = None
        if claim is not None and not (claim.opens and life.version):
            held = claim.id
            if claim.id in self.done:
                said = self._content.get(claim.id)
                otherwise = claim.contrary is not None and said is not None and said != claim.says
                command = claim.contrary if otherwise else claim.otherwise
                held = next((one for one in claim.further() if one not in self.done), None)
            content = held_for(work.complaint_id) if claim.places > 1 else claim.says
        if work.beside:
            command = replace(command, begun=self._begun_of(work))
        seen = {one: case for one in self.others(work) if (case := self._standing(one)) is not None}
        if seen:
            command = replace(command, seen=seen)
        return _Claiming(command, held, content, tuple(seen))

    def holds(self, claiming: _Claiming, facts: Sequence[Fact]) -> None:
        """What it claimed is on record with this transaction, and its own; a refusal claims nothing."""
        self._decided_on.update(claiming.others)
        if claiming.id is not None and not all(isinstance(fact, REFUSALS) for fact in facts):
            self.had_its_effect(claiming.id, claiming.content)

    def parks(self, work: Work, reason: str, error: Exception) -> None:
        """Set a command's message aside; one that came in none is a bug of ours and is raised."""
        if work.message is None:
            raise error
        by_itself = isinstance(error, NotTakenUp)
        self._append.parked.append(Parked(work.message, None if by_itself else work.complaint_id, reason))

    def lays_down(self) -> None:
        """Write down the new heads, and the timers they ask for.

        A complaint that only was decided on keeps its head: writing it as it is finds out whether it has moved.
        """
        append = self._append
        for complaint_id, life in self._lives.items():
            if life.version == life.version_read and complaint_id not in self._decided_on:
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
            watch(complaint_id, life.case_read, case, append)


async def _in_hand(log: EventLog, batch: Batch, streams: list[ComplaintId], append: Append) -> _Hand:
    """What the log says of a batch; where its complaints began only if a command names others."""
    inbox = [work.message_id for work in batch.work if work.message_id is not None]
    inbox += [work.claim.id for work in batch.work if work.claim is not None]
    hand = _Hand(await log.heads(streams, inbox), append)
    named = {one for work in batch.work if work.beside for one in (work.complaint_id, *work.beside)}
    if named:
        hand.begun = await log.begun(sorted(named))
    return hand


async def _read_others(log: EventLog, batch: Batch, hand: _Hand, streams: list[ComplaintId]) -> None:
    """Read the other complaints a batch is decided on; where there are none, nothing is asked.

    They join `streams`: where all is decided again, they are read and held with the rest.
    """
    further = [one for work in batch.work for one in hand.claims_further(work)]
    if further:
        hand.learns(await log.heads([], further))
    read = set(streams)
    while missing := sorted({one for work in batch.work for one in hand.others(work)} - read):
        hand.learns(await log.heads(missing, []))
        read.update(missing)
        streams += missing


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
