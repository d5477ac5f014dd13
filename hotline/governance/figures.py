"""How a programme stands, in figures: for a person a line, for a program a row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hotline.governance.state import Programme, Progress, progress
from hotline.ratio import two_decimals


def figures(some: list[Programme], today: date) -> str:
    """How far these programmes are: done of all, in percent; "-" where there is nothing to divide by."""
    return progress_line(progress(some, today))


def progress_line(found: Progress) -> str:
    """How far it is, for a person."""
    items, tasks = two_decimals(found.item_rate), two_decimals(found.task_rate)
    text = (
        f"items {found.items_done:,}/{found.items:,} ({_percent(items)}), "
        f"tasks {found.tasks_done:,}/{found.tasks:,} ({_percent(tasks)}), "
        f"long-term {found.long_term:,}, overdue {found.overdue:,}"
    )
    return text + (f", reviews missed {found.reviews_missed:,}" if found.reviews_missed else "")


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate} %"


def _when(one: Programme) -> str:
    return f"{one.year}-{one.month:02}" if one.month is not None else f"{one.year} {one.level}"


def stage(one: Programme) -> str:
    """Proposed, adopted or closed."""
    if one.closed is not None:
        return f"closed ({one.closed})"
    return "adopted" if one.adopted else "proposed"


def line(one: Programme, today: date) -> str:
    """A programme for a person."""
    return (
        f"{one.programme_id[:8]}  {_when(one)}  {one.title}  {one.lead}  {stage(one)}  "
        f"{figures([one], today)}"
    )


def row(one: Programme, today: date) -> dict[str, Any]:
    """A programme for a program."""
    return {
        "programme_id": one.programme_id,
        "when": _when(one),
        "title": one.title,
        "lead": one.lead,
        "standing": stage(one),
        **progress_row(progress([one], today)),
    }


def progress_row(found: Progress) -> dict[str, Any]:
    """How far it is, for a program."""
    rates = {"item_rate": two_decimals(found.item_rate), "task_rate": two_decimals(found.task_rate)}
    return {
        **{name: getattr(found, name) for name in found.__struct_fields__},
        **{name: None if rate is None else float(rate) for name, rate in rates.items()},
    }
