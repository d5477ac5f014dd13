"""One complaint while a batch is decided, and what becomes of its timers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from shared.complaint import UNOPENED, Case, evolve
from shared.events import Fact
from shared.ids import derived
from shared.log import Append, Head, timer_shard, timers_of
from shared.log.chain import GENESIS, chained
from shared.log.codec import encoded

if TYPE_CHECKING:
    from shared.work import Work


class BatchLife:
    """One complaint while a batch is decided: as it was read, and as it stands now."""

    __slots__ = ("case", "case_read", "failed", "hash", "parked", "version", "version_read")

    def __init__(self, head: Head | None, *, parked: bool) -> None:
        """As it was read; None where it is not on record."""
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
        if work.typed:
            facts = (replace(facts[0], typed=work.typed), *facts[1:])
        if work.actor_id:
            facts = [replace(fact, actorid=work.actor_id) for fact in facts]
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


def watch(complaint_id: str, before: Case, after: Case, append: Append) -> None:
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
