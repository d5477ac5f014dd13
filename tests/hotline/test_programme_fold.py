"""Facts are added to a programme at the same price however many tasks it has, and an earlier state stays as it was."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.governance.log import decided, told
from hotline.governance.state import ProgrammeFold, evolve, folded
from tests.hotline.test_proactive import BEGUN, COMPLETE, GO_ON, HOUSING, ID, MARKET, PROBLEM, TASK, after

TASKS: Final = 14_435
"""A city's streets have so many in a year (Q5)."""
MOVED: Final = f.LeadChanged(
    programme_id=ID,
    by="city-office",
    item=1,
    lead=HOUSING,
    cooperating=(MARKET,),
    reason="换了牵头单位",
    changed_at=TASK.set_at,
)


def test_14_435_tasks_of_one_programme_are_never_copied_while_facts_are_added() -> None:
    """Q5. A copy for each fact made it a hundred million steps."""
    fold = ProgrammeFold(after(*BEGUN))
    assert fold.state is not None
    tasks = fold.state.tasks
    for number in range(2, TASKS + 1):
        fold.add(replace(TASK, task=number))
        state = fold.add(replace(GO_ON, task=number))
        assert state is not None
        assert state.tasks is tasks
    assert len(tasks) == TASKS


def test_so_many_are_decided_told_and_folded_to_the_same_state() -> None:
    wishes = [replace(TASK, task=number) for number in range(2, TASKS + 1)]
    said, state = decided(after(*BEGUN), wishes)
    assert said == wishes
    assert state == folded([*BEGUN, *said])
    assert len(told(after(*BEGUN), said)) == len(said)


def test_a_state_stays_what_it_was_when_a_fact_follows_it() -> None:
    before = after(*BEGUN)
    kept = replace(before, tasks=dict(before.tasks), items=dict(before.items))
    for fact in (replace(TASK, task=2), GO_ON, COMPLETE, replace(PROBLEM, item=2), MOVED):
        assert evolve(before, fact) != before
        assert before == kept
    fold = ProgrammeFold(before)
    fold.add(COMPLETE)
    assert before == kept


def test_what_begins_a_programme_begins_it_without_items_and_tasks() -> None:
    fold = ProgrammeFold(after(*BEGUN))
    begun = fold.add(BEGUN[0])
    assert begun is not None
    assert (begun.items, begun.tasks) == ({}, {})
    assert folded([]) is None
    assert ProgrammeFold().add(f.WishRefused(
        programme_id=ID, by="x", wanted=TASK, reason="nothing has begun it", refused_at=TASK.set_at
    )) is None  # fmt: skip
