"""A list for supervision: complaints that have climbed to a district or the top, or that only an exception ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hotline.casefile.orders import ListPage, line, row
from hotline.readside.lists import Listed
from hotline.readside.rows import DISTRICT, SUPERVISED, TOP, UNASKED
from shared import times
from shared.events import ComplaintEscalated, Fact, SupervisionDecided, SupervisionOpened

SAID: Final = (ComplaintEscalated, SupervisionOpened, SupervisionDecided)
"""The facts that such a list needs of each complaint."""

_WHY: Final[Mapping[str, str]] = {
    SUPERVISED: "supervised",
    DISTRICT: "climbed to its district",
    TOP: "climbed to the top",
    UNASKED: "answered, and nobody knows whom to ask: it closes by an exception alone",
}


def watched_row(page: ListPage, one: Listed) -> dict[str, Any]:
    """A complaint that supervision watches, for a program."""
    climbed, opened, decided = (_last(page, one, kind) for kind in SAID)
    return {
        **row(one, page.now),
        "unit": one.lead,
        "watched_as": one.role,
        "because": getattr(climbed, "because", None),
        "told": getattr(climbed, "told", None),
        "leader": getattr(opened, "leader", None) if one.role == SUPERVISED else None,
        "watched_by": one.due_at.isoformat() if one.role == SUPERVISED else None,
        "overdue": one.due_at < page.now,
        "decision": getattr(decided, "decision", None),
        "decided_by": getattr(decided, "decided_by", None),
    }


def watched_line(page: ListPage, one: Listed) -> str:
    """The same for a person."""
    climbed, opened, _ = (_last(page, one, kind) for kind in SAID)
    told = f" ({climbed.told})" if isinstance(climbed, ComplaintEscalated) and one.role != UNASKED else ""
    why = f"{_WHY[one.role]}{told}"
    if one.role == SUPERVISED and isinstance(opened, SupervisionOpened):
        until = times.shown(one.due_at, times.zone_of(one.ruleset))
        why = f"supervised by {opened.leader} until {until}{' OVERDUE' if one.due_at < page.now else ''}"
    return f"{why}: {one.lead}  {line(one, page.now)}"


def last_decision(page: ListPage, one: Listed) -> str:
    """The last decision of supervision, for a person; "" where there is none."""
    decided = _last(page, one, SupervisionDecided)
    return f"{decided.decided_by}: {decided.decision}" if isinstance(decided, SupervisionDecided) else ""


def _last(page: ListPage, one: Listed, kind: type[Fact]) -> Fact | None:
    return next((fact for fact in page.said.get(one.complaint_id, ()) if isinstance(fact, kind)), None)
