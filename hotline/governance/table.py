"""Programmes as a table: a row a task, out of a spreadsheet, and a row an act on one. Pure.

A table is taken in whole or not at all. Taken in twice it changes nothing, so one that was cut short is typed again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from hotline.governance import facts as f
from hotline.governance.state import Programme
from shared.ids import UnitId
from shared.runtime.errors import UserError
from shared.text import folded, folded_code, has_words, quoted

COLUMNS: Final = (
    "year", "month", "level", "programme", "lead", "item", "item_lead", "with", "task", "owner", "due",
)  # fmt: skip
"""The heading of a table of programmes."""
ERRORS_SHOWN: Final = 20
"""Faults of a table that are named; all are counted."""
_BETWEEN: Final = re.compile(r"[,，、;；]")
_YEARS: Final = range(2000, 3000)
_MONTHS: Final = range(1, 13)


class TableInvalid(UserError):  # noqa: N818 -- a state of a file, said to a person
    """A table that cannot be taken in; the text names its rows and what was expected there."""

    exit_code = 2


@dataclass(slots=True)
class TabledItem:
    """A problem or project of a table, with its tasks."""

    title: str
    lead: UnitId
    cooperating: tuple[UnitId, ...]
    tasks: dict[tuple[str, UnitId, date], int] = field(default_factory=dict)
    """Title, owner and last day of each task, with the row it stands in."""


@dataclass(slots=True)
class TabledProgramme:
    """A programme of a table."""

    programme_id: f.ProgrammeId
    year: int
    month: int | None
    level: f.ListLevel | None
    title: str
    lead: UnitId
    items: dict[str, TabledItem] = field(default_factory=dict)
    """By title."""

    @property
    def tasks(self) -> int:
        """How many it has."""
        return sum(len(item.tasks) for item in self.items.values())


class Faults:
    """The faults of a table, row by row."""

    def __init__(self, name: str) -> None:
        """`name` is the table's, for a person."""
        self._name = name
        self._found: list[str] = []

    def note(self, line: int, error: Exception | str) -> None:
        """This row is wrong, and so."""
        self._found.append(f"row {line}: {error}".rstrip("."))

    def judge(self) -> None:
        """Raise `TableInvalid` where any row is wrong."""
        if not self._found:
            return
        more = len(self._found) - ERRORS_SHOWN
        rest = f"; and {more:,} more" if more > 0 else ""
        raise TableInvalid(
            f"{self._name}: nothing is recorded. {'; '.join(self._found[:ERRORS_SHOWN])}{rest}."
        )


def programmes_in(
    rows: Iterable[Mapping[str, str]], name: str, unit: Callable[[str], UnitId]
) -> list[TabledProgramme]:
    """The programmes of this table; `unit` finds a unit of the catalogue. Raises `TableInvalid`."""
    faults = Faults(name)
    found: dict[f.ProgrammeId, TabledProgramme] = {}
    for line, row in enumerate(rows, 2):
        try:
            one = _programme(row, unit)
            _with_task(found.setdefault(one.programme_id, one), row, line, unit)
        except UserError as error:
            faults.note(line, error)
    faults.judge()
    return list(found.values())


def missing(one: TabledProgramme, state: Programme | None, by: str, now: datetime) -> list[f.Wanted]:
    """The wishes that make of this state what the table says; none where it is so. Raises `UserError` on a conflict."""
    common: dict[str, Any] = {"programme_id": one.programme_id, "by": by}
    wanted: list[f.Wanted] = []
    if state is None:
        wanted.append(_beginning(one, common, now))
    if state is None or not state.adopted:
        wanted.append(f.ProgrammeAdopted(**common, adopted_at=now))
    items = {} if state is None else {item.title: item for item in state.items.values()}
    tasks = {} if state is None else {(task.item, task.title): task for task in state.tasks.values()}
    known = set() if state is None else {(t.item, t.title, t.owner, t.due) for t in state.tasks.values()}
    next_item, next_task = len(items) + 1, (0 if state is None else len(state.tasks)) + 1
    for tabled in one.items.values():
        there = items.get(tabled.title)
        number = next_item if there is None else there.number
        if there is None:
            next_item += 1
            wanted.append(
                f.ItemNamed(
                    **common,
                    item=number,
                    title=tabled.title,
                    lead=tabled.lead,
                    cooperating=tabled.cooperating,
                    named_at=now,
                )
            )
        elif (there.lead, there.cooperating) != (tabled.lead, tabled.cooperating):
            raise UserError(
                f"{one.title}: {number}. {there.title} is led by {there.lead} or helped otherwise"
            )
        for title, owner, due in tabled.tasks:
            if (number, title, owner, due) in known:
                continue
            if (other := tasks.get((number, title))) is not None:
                raise UserError(f"{one.title}: task {other.number} {title}: {other.owner} by {other.due}")
            task = f.TaskSet(
                **common, item=number, task=next_task, title=title, owner=owner, due=due, set_at=now
            )
            wanted.append(task)
            next_task += 1
    return wanted


def _beginning(one: TabledProgramme, common: dict[str, Any], now: datetime) -> f.Wanted:
    named: dict[str, Any] = {**common, "year": one.year, "title": one.title}
    if one.level is not None:
        return f.ListDrawnUp(**named, level=one.level, owner=one.lead, drawn_up_at=now)
    assert one.month is not None  # noqa: S101 -- a table's row has one of both
    return f.ProgrammeProposed(**named, month=one.month, lead=one.lead, proposed_at=now)


def _programme(row: Mapping[str, str], unit: Callable[[str], UnitId]) -> TabledProgramme:
    """The programme that this row names."""
    year, title = _number(row, "year", _YEARS), _words(row, "programme")
    month = _number(row, "month", _MONTHS) if has_words(row["month"]) else None
    level = _level(row) if has_words(row["level"]) else None
    if (month is None) == (level is None):
        raise UserError("month, level: expected one of both")
    lead = unit(_words(row, "lead"))
    if level is not None:
        made = f.list_id(year, level, lead, title)
    else:
        assert month is not None  # noqa: S101 -- one of both is given
        made = f.programme_id_of(year, month, title)
    return TabledProgramme(made, year, month, level, title, lead)


def _with_task(
    one: TabledProgramme, row: Mapping[str, str], line: int, unit: Callable[[str], UnitId]
) -> None:
    """Add what this row says of the programme: an item, and a task where there is one."""
    lead = unit(_words(row, "lead"))
    if lead != one.lead:
        raise UserError(f"lead: {lead}, and {one.lead} in a row before")
    title = _words(row, "item")
    item_lead = unit(row["item_lead"]) if has_words(row["item_lead"]) else lead
    cooperating = tuple(unit(part) for part in _BETWEEN.split(row["with"]) if has_words(part))
    item = one.items.setdefault(title, TabledItem(title, item_lead, cooperating))
    if (item.lead, item.cooperating) != (item_lead, cooperating):
        raise UserError(f"item_lead, with: {title} has others in a row before")
    if not has_words(row["task"]):
        if has_words(row["owner"]) or has_words(row["due"]):
            raise UserError("task: empty, expected its name beside owner and due")
        return
    owner = unit(row["owner"]) if has_words(row["owner"]) else item_lead
    task = (_words(row, "task"), owner, day_in(row, "due"))
    if any(task[0] == other for other, _, _ in item.tasks):
        raise UserError(f"task: {task[0]} stands in row {next(iter(_lines(item, task[0])))} already")
    item.tasks[task] = line


def _lines(item: TabledItem, title: str) -> list[int]:
    return [line for (other, _, _), line in item.tasks.items() if other == title]


def _words(row: Mapping[str, str], column: str) -> str:
    if not has_words(row[column]):
        raise UserError(f"{column}: empty")
    return folded(row[column])


def _number(row: Mapping[str, str], column: str, among: range) -> int:
    text = folded_code(row[column])
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(among.stop)) else None
    if number is None or number not in among:
        raise UserError(
            f"{column}: {quoted(row[column])}, expected a number from {among.start} to {among.stop - 1}"
        )
    return number


def _level(row: Mapping[str, str]) -> f.ListLevel:
    try:
        return f.ListLevel(folded_code(row["level"]).upper())
    except ValueError:
        raise UserError(f"level: {quoted(row['level'])}, expected one of {', '.join(f.ListLevel)}") from None


def day_in(row: Mapping[str, str], column: str) -> date:
    """The day in this column; `UserError` where there is none."""
    try:
        return date.fromisoformat(folded_code(row[column]))
    except ValueError:
        raise UserError(f"{column}: {quoted(row[column])}, expected a day such as 2021-12-31") from None
