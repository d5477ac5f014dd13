"""A batch while it is decided: what the log said of its complaints, and the transaction that it goes into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from shared.aside import NotTakenUp
from shared.complaint import Complaint, UnreadableHead, head_text
from shared.events import REFUSALS, Fact
from shared.ids import ComplaintId
from shared.log import Append, EventLog, Incoming, Known, Parked, RefusedInput, SealedText
from shared.seeing import Seeing, held_for, holder_of
from shared.underway import BatchLife, watch
from shared.work import Batch, Work

OTHER_CONTENT: Final = (
    "header ce_id: an event of this ce_source and ce_id was taken in already, with other content; "
    "send what is new under an id of its own"
)
"""Why an input is set aside whose id is known and whose content is another."""

_REFUSED: Final = frozenset(REFUSALS)

BEHIND_ALL: Final = 1 << 63
"""Behind every position of the log, PostgreSQL's bigint: where a complaint stands that this batch puts on record."""


class Claiming(NamedTuple):
    """A command while it is decided, and what it claims where nobody was first."""

    command: Any
    id: str | None = None
    content: str | None = None
    others: Sequence[ComplaintId] = ()
    """The other complaints it is decided on."""


class OpenBatch:
    """The complaints of a batch while it is decided, and the transaction they go into."""

    def __init__(self, known: Known, append: Append) -> None:
        """`append` is the transaction; see `read`."""
        self.begun: dict[str, int] = {}
        """Where in the log the complaints that are named were put on record, this batch's own behind all others."""
        self.done = set(known.done)
        self.repeats = 0
        self._content: dict[str, str | None] = dict(known.content)
        self._known = known
        self._heads = dict(known.heads)
        self._append = append
        self._lives: dict[ComplaintId, BatchLife] = {}
        self._decided_on: set[ComplaintId] = set()
        """Other complaints on which something was decided: they must not have moved when it is written."""
        self._set_aside: dict[str, list[Incoming]] = {}
        """Messages the door itself set aside, by complaint."""
        for parked in append.parked:
            if parked.complaint_id is not None:
                self._set_aside.setdefault(parked.complaint_id, []).append(parked.message)

    @classmethod
    async def read(
        cls, log: EventLog, batch: Batch, streams: Sequence[ComplaintId], append: Append
    ) -> OpenBatch:
        """Read the log for a batch; the places where complaints began only if a command names others."""
        inbox = [work.message_id for work in batch.work if work.message_id is not None]
        inbox += [work.claim.id for work in batch.work if work.claim is not None]
        opened = cls(await log.heads(streams, inbox), append)
        named = {one for work in batch.work if work.beside for one in (work.complaint_id, *work.beside)}
        if named:
            opened.begun = await log.begun(sorted(named))
        return opened

    async def read_others(self, log: EventLog, batch: Batch, streams: list[ComplaintId]) -> None:
        """Read the other complaints a batch is decided on; where there are none, nothing is asked.

        They join `streams`: where all is decided again, they are read and held with the rest.
        """
        further = [one for work in batch.work for one in self._claims_further(work)]
        if further:
            self._learn(await log.heads([], further))
        read = set(streams)
        while missing := sorted({one for work in batch.work for one in self._others(work)} - read):
            self._learn(await log.heads(missing, []))
            read.update(missing)
            streams += missing

    def takes_up(self, work: Work) -> BatchLife | None:
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

    def _life(self, complaint_id: ComplaintId) -> BatchLife:
        life = self._lives.get(complaint_id)
        if life is None:
            head = self._heads.get(complaint_id)
            life = self._lives[complaint_id] = BatchLife(head, parked=complaint_id in self._known.parked)
        return life

    def _learn(self, known: Known) -> None:
        """Add heads and messages that were read later."""
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

    def _claims_further(self, work: Work) -> tuple[str, ...]:
        """The further claims it may make, where somebody was first with its first one."""
        claim = work.claim
        if claim is None or claim.id not in self.done:
            return ()
        return () if claim.opens and self._life(work.complaint_id).version else claim.further()

    def _others(self, work: Work) -> list[ComplaintId]:
        """The other complaints a command is decided on, as far as those read so far tell."""
        found: list[ComplaintId] = []
        further = self._claims_further(work)
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

    def claims(self, work: Work, life: BatchLife) -> Claiming:
        """The command to decide and the claim it makes; as a rule only a complaint not yet on record claims."""
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
        seen = {one: case for one in self._others(work) if (case := self._standing(one)) is not None}
        if seen:
            command = replace(command, seen=seen)
        return Claiming(command, held, content, tuple(seen))

    def holds(self, claiming: Claiming, facts: Sequence[Fact]) -> None:
        """Note that its claim is on record with this transaction; a refusal claims nothing."""
        self._decided_on.update(claiming.others)
        if claiming.id is not None and not all(isinstance(fact, REFUSALS) for fact in facts):
            self.had_its_effect(claiming.id, claiming.content)

    def answers(self, work: Work, facts: Sequence[Fact]) -> None:
        """Note which input a refusal answers: its speaker is told."""
        if (
            work.message is not None
            and work.message_id is not None
            and not _REFUSED.isdisjoint(map(type, facts))
        ):
            self._append.refused.append(RefusedInput(work.message_id, work.message))

    def keeps(self, work: Work, facts: Sequence[Fact]) -> None:
        """Keep what was taken out of its text, as the facts hold the marks; a refusal holds none."""
        if (
            work.sealed is not None
            and work.message_id is not None
            and not _REFUSED.issuperset(map(type, facts))
        ):
            self._append.sealed.append(SealedText(work.complaint_id, work.message_id, *work.sealed))

    def parks(self, work: Work, reason: str, error: Exception) -> None:
        """Set a command's message aside; one that came in none is a bug of ours and is raised."""
        if work.message is None:
            raise error
        by_itself = isinstance(error, NotTakenUp)
        self._append.parked.append(Parked(work.message, None if by_itself else work.complaint_id, reason))

    def write_heads(self) -> None:
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
