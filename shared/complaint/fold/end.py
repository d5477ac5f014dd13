"""Applies the facts that end a life, of all desks. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from shared.complaint.fold.whistle import let_go
from shared.complaint.state import Complaint, Deadline, Ended
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClosed,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    Fact,
)
from shared.events.base import TurnedAway


def _apply_end(
    case: Complaint,
    fact: ComplaintAnsweredDirectly | ComplaintTurnedAway | ComplaintWithdrawn | ComplaintClosed,
) -> Complaint:
    at: datetime = getattr(fact, fact.TIME)
    outcome = fact.outcome if isinstance(fact, ComplaintClosed) else None
    ended = Ended(how=type(fact).__name__, at=at, outcome=outcome)
    if isinstance(fact, ComplaintTurnedAway):
        if fact.how is TurnedAway.RECORDED_TWICE:
            ended = replace(ended, twice=True)
        else:
            ended = replace(ended, turned_away=fact.how, to=fact.to, reason=fact.reason)
    elif isinstance(fact, ComplaintAnsweredDirectly):
        case = replace(case, article_id=fact.article_id, article_version=fact.article_version)
    deadlines: tuple[Deadline, ...] = ()
    if case.deadlines:
        deadlines = tuple(
            d if d.done_at is not None else replace(d, done_at=at)
            for d in case.deadlines
            if d.done_at is not None or d.due_at < at
        )
    return replace(
        case,
        ended=ended,
        deadlines=deadlines,
        missed=tuple(
            m if m.done_at is not None else replace(m, done_at=at)
            for m in case.missed
            if m.done_at is not None or at <= m.due_at
        ),
        visit=None,
        whistles=tuple(
            replace(w, called=tuple(let_go(called, at) for called in w.called)) for w in case.whistles
        ),
    )


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    ComplaintAnsweredDirectly: _apply_end,
    ComplaintTurnedAway: _apply_end,
    ComplaintWithdrawn: _apply_end,
    ComplaintClosed: _apply_end,
}
