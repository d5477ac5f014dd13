"""The notices of a fact: which units hear of it, and what each is told (decision 0055). Pure.

An owner hears of its tasks, unless it spoke itself. A unit whose complaints stand in the position of another hears
the answer that is offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from hotline.governance import facts as f
from hotline.governance.state import Programme, Task
from shared.deciding import alike
from shared.ids import UnitId
from shared.programme_notice import ProgrammeNotice, StoredNotice
from shared.topic_names import UNIT_NAME


def notices_of(state: Programme, fact: f.Recorded) -> list[tuple[UnitId, ProgrammeNotice]]:
    """The units that hear of this fact and what each is told; `state` is the one after it."""
    return [
        (unit, notice)
        for unit, notice in _told(state, fact)
        # An owner of before units were checked may have a name that no topic can have.
        if UNIT_NAME.fullmatch(unit) and alike(unit) != alike(fact.by)
    ]


def kept_notices(state: Programme | None, fact: f.Recorded) -> str | None:
    """The same as the log keeps it beside the fact; None where nobody is told."""
    told = [] if state is None else notices_of(state, fact)
    if not told:
        return None
    kept = [StoredNotice(unit=unit, body=msgspec.Raw(msgspec.json.encode(body))) for unit, body in told]
    return msgspec.json.encode(kept).decode()


def _told(state: Programme, fact: f.Recorded) -> Iterator[tuple[UnitId, ProgrammeNotice]]:
    if isinstance(fact, f.TaskSet | f.OfTask):
        task = state.tasks[fact.task]
        yield task.owner, _of_task(state, task, fact)
    elif isinstance(fact, f.AnswerOffered):
        units: dict[UnitId, list[f.Member]] = {}
        for member in fact.members:
            units.setdefault(member.unit, []).append(member)
        for unit, own in units.items():
            numbers = tuple(member.complaint_number for member in own)
            yield (
                unit,
                _notice(
                    state,
                    fact,
                    **_of_item(state, fact.item),
                    text=fact.answer,
                    offer=len(state.offers),
                    complaints=tuple(member.complaint_id for member in own),
                    complaint_numbers=numbers if all(numbers) else UNSET,
                ),
            )
    elif isinstance(fact, f.ProgrammeClosed):
        for unit in dict.fromkeys(task.owner for task in state.tasks.values() if not task.done):
            yield unit, _notice(state, fact, text=state.exception or UNSET)


def _of_task(state: Programme, task: Task, fact: f.TaskSet | f.OfTask) -> ProgrammeNotice:
    return _notice(
        state,
        fact,
        **_of_item(state, task.item),
        task=task.number,
        task_title=task.title,
        due=task.due,
        standing=task.standing.value,
        review_on=task.review_on or UNSET,
        text=_words(fact) or UNSET,
    )


def _words(fact: f.TaskSet | f.OfTask) -> str:
    match fact:
        case f.TaskProgressed():
            return fact.text
        case f.LongTermApproved():
            return fact.plan
        case f.LongTermReviewed():
            return fact.found
        case f.TaskCompleted():
            return fact.evidence
        case f.CompletionRejected():
            return fact.reason
        case f.TaskSet() | f.TaskVerified():
            return ""


def _of_item(state: Programme, number: int) -> dict[str, Any]:
    return {"item": number, "item_title": state.items[number].title}


def _notice(state: Programme, fact: f.Recorded, **more: Any) -> ProgrammeNotice:
    return ProgrammeNotice(
        programme_id=state.programme_id,
        programme=state.title,
        year=state.year,
        month=UNSET if state.month is None else state.month,
        level=UNSET if state.level is None else state.level.value,
        happened=type(fact).__name__,
        by=fact.by,
        at=fact.at,
        **more,
    )
