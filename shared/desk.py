"""The one meeting of rules and log: read the heads, decide, append; a whole batch at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.aside import NotTakenUp
from shared.asked import name_of
from shared.complaint import Case
from shared.events import Fact
from shared.ids import ComplaintId
from shared.log import Append, EventLog, HeadMoved, Parked
from shared.open_batch import OpenBatch
from shared.runtime.desk_spans import Decision
from shared.runtime.errors import told
from shared.runtime.processor_time import Measured, ProcessorWork, measured
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work

RACES_MAX: Final = 3
"""How often a batch is decided before it takes its complaints' locks first. Without locks it may lose for
ever: two desks on the same complaints fall into step. A large batch meets a moved head every time."""

ATTEMPTS_MAX: Final = 6
"""With the locks only a repeat of a message can still come in between; more than this is a bug and raised."""

Decide = Callable[[Any, Case], Sequence[Fact]]
"""A desk's rule: command and case to facts. Pure."""

Look = Callable[[Sequence[Work]], Awaitable[None]]
"""Looks up what the rule must know beyond the head before it decides these commands; may be harmlessly repeated."""


class Obeyed(NamedTuple):
    """The result of a batch."""

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
        telemetry.keeps("desk", *ProcessorWork)
        self._decide = decide
        self._look = look

    async def obey(self, batch: Batch) -> Obeyed:
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

    async def _attempted(self, log: EventLog, batch: Batch, streams: list[ComplaintId]) -> Obeyed:
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
            began_at = time.monotonic()
            await Measured(ProcessorWork.POSTGRES, self.telemetry.spent, log.append(append))
            self.telemetry.observe("desk.append_seconds", time.monotonic() - began_at)
        for work, facts in followed:
            self.telemetry.spans.decided(
                Decision(
                    name_of(work.command), work.complaint_id, work.caused_by, work.parent, work.message, facts
                )
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
    ) -> Obeyed:
        if not streams:
            return Obeyed(0, 0, len(append.parked), _by_topic(append.parked))
        spent = self.telemetry.spent
        opened = await Measured(ProcessorWork.POSTGRES, spent, OpenBatch.read(log, batch, streams, append))
        await Measured(ProcessorWork.POSTGRES, spent, opened.read_others(log, batch, streams))
        with measured(ProcessorWork.RULES, spent):
            self._decide_all(batch, opened, append, followed)
        parked = append.parked
        return Obeyed(len(append.fact_id), opened.repeats, len(parked), _by_topic(parked))

    def _decide_all(
        self,
        batch: Batch,
        opened: OpenBatch,
        append: Append,
        followed: list[tuple[Work, Sequence[Fact]]],
    ) -> None:
        """Every command in order, each on what those before it said; waits for nothing."""
        for work in batch.work:
            life = opened.takes_up(work)
            if life is None:
                continue
            claim = opened.claims(work, life)
            try:
                facts = self._decide(claim.command, life.case)
            except NotTakenUp as aside:
                opened.parks(work, str(aside), aside)
            except Exception as error:  # noqa: BLE001 -- a bug in a rule must not stop the city
                self.telemetry.failed(self.name, work.complaint_id, error)
                life.failed = True
                opened.parks(work, f"could not be decided: {told(error)}", error)
            else:
                if work.message_id is not None:
                    opened.had_its_effect(work.message_id, work.content)
                if facts:
                    opened.holds(claim, facts)
                    opened.opens(work.complaint_id)
                    opened.answers(work, facts)
                    opened.keeps(work, facts)
                    life.takes(facts, work, self.name, append)
                    if self.telemetry.spans.follows(work.complaint_id):
                        followed.append((work, facts))
        opened.write_heads()


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
