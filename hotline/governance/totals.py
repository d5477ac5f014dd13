"""Programmes added up: by their level, by whom a list belongs to, by who owns the tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from hotline.governance.facts import ListLevel
from hotline.governance.state import Programme, Progress, Task, progress
from shared.ids import UnitId

MONTHLY: Final = "MONTHLY"
"""The level of monthly programmes, which are the city's and in no list."""
LEVELS: Final = (MONTHLY, *ListLevel)


class LevelTotal(NamedTuple):
    """The programmes of one level together."""

    level: str
    programmes: int
    units: int
    """How many units lead one or have a list."""
    progress: Progress


class UnitTotal(NamedTuple):
    """The programmes that one unit leads, or its lists."""

    unit: UnitId
    programmes: int
    progress: Progress


class OwnerTotal(NamedTuple):
    """The tasks of one owner, over all programmes."""

    owner: UnitId
    tasks: int
    done: int
    long_term: int
    overdue: int
    reviews_missed: int


class OwnedTask(NamedTuple):
    """A task with the programme it belongs to."""

    programme: Programme
    task: Task


def level_of(one: Programme) -> str:
    """Its list's level, or `MONTHLY`."""
    return MONTHLY if one.level is None else one.level.value


def by_level(programmes: Iterable[Programme], today: date) -> list[LevelTotal]:
    """A line for each level that has any, the city's first."""
    found: dict[str, list[Programme]] = {}
    for one in programmes:
        found.setdefault(level_of(one), []).append(one)
    return [
        LevelTotal(level, len(some), len({one.lead for one in some}), progress(some, today))
        for level in LEVELS
        if (some := found.get(level))
    ]


def by_unit(programmes: Iterable[Programme], today: date) -> list[UnitTotal]:
    """A line for each unit that leads a programme or has a list, by its id."""
    found: dict[UnitId, list[Programme]] = {}
    for one in programmes:
        found.setdefault(one.lead, []).append(one)
    return [UnitTotal(unit, len(some), progress(some, today)) for unit, some in sorted(found.items())]


def tasks_of(programmes: Iterable[Programme]) -> list[OwnedTask]:
    """Every task of programmes that are not closed, the earliest due first."""
    tasks = [OwnedTask(one, task) for one in programmes if one.closed is None for task in one.tasks.values()]
    return sorted(tasks, key=lambda pair: (pair.task.due, pair.programme.programme_id, pair.task.number))


def by_owner(programmes: Iterable[Programme], today: date) -> list[OwnerTotal]:
    """A line for each owner of a task, the most overdue first. Tasks of closed programmes do not wait for anybody."""
    found: dict[UnitId, list[Task]] = {}
    for _, task in tasks_of(programmes):
        found.setdefault(task.owner, []).append(task)
    made = [
        OwnerTotal(
            owner,
            len(tasks),
            sum(task.done for task in tasks),
            sum(task.kept_up for task in tasks),
            sum(task.overdue(today) for task in tasks),
            sum(task.review_missed(today) for task in tasks),
        )
        for owner, tasks in found.items()
    ]
    return sorted(made, key=lambda one: (-one.overdue, -one.reviews_missed, one.owner))
