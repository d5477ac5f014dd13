"""The life of a complaint as a drawing: who had it when, which limits ran, what was claimed and what was judged. Pure.

The numbers of a drawing are made here; the template writes the SVG. Open limits are drawn as pending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hotline.web.pages.lives import LifeFact
from shared import events as e
from shared.complaint import Complaint, due_deadlines
from shared.events import Fact
from shared.events.base import Limit

_Scale = Callable[[datetime], float]
WIDTH: Final = 1200.0
EDGE: Final = 10.0
"""So much is left free at both ends."""
NARROWEST: Final = 3.0
"""A stretch is at least so wide, or nobody sees it."""
LABEL_GAP: Final = 86.0
"""Two labels of one line stand at least so far apart; a later one is left out, and the list below has it."""

HOTLINE, UNIT, WORK, ASKED, REVIEW = ("hotline", "to-sign", "in-work", "asked", "review")
_PHASE_AFTER: Final[Mapping[type[Fact], str]] = {
    e.ComplaintReceived: HOTLINE,
    e.ComplaintDispatched: UNIT,
    e.OrderSigned: WORK,
    e.OrderAnswered: ASKED,
    e.VisitScheduled: ASKED,
    e.ReturnRequested: REVIEW,
    e.DisputeRaised: REVIEW,
    e.ReturnApproved: HOTLINE,
    e.ReturnRejected: UNIT,
    e.CouncilDecided: UNIT,
    e.OrderAssigned: HOTLINE,
    e.OrderMoved: HOTLINE,
    e.AnswerSentBack: WORK,
    e.ComplaintReopened: HOTLINE,
    e.TerminationApproved: HOTLINE,
}
"""With whom it lies after such a fact."""
ENDING: Final = (
    e.ComplaintClosed,
    e.ComplaintWithdrawn,
    e.ComplaintAnsweredDirectly,
    e.ComplaintTurnedAway,
)


class DrawnPhase(NamedTuple):
    """A stretch in which it lay with somebody."""

    phase: str
    x: float
    width: float
    since: datetime
    until: datetime
    going: bool


class DrawnMark(NamedTuple):
    """A point on a line."""

    kind: str
    """claim, judged, due or missed."""
    x: float
    at: datetime
    good: bool | None
    round: int
    limit: str = ""
    labelled: bool = True


class LifeDrawing(NamedTuple):
    """All numbers of a drawing."""

    phases: list[DrawnPhase]
    claims: list[DrawnMark]
    judged: list[DrawnMark]
    limits: list[DrawnMark]
    days: list[tuple[float, datetime]]
    now_x: float


def drawing_of(facts: Sequence[LifeFact], case: Complaint | None, now: datetime) -> LifeDrawing | None:
    """The drawing; None of a life without a readable fact."""
    told = [(one.at, one.fact) for one in facts if one.fact is not None]
    if not told:
        return None
    pending = due_deadlines(case) if case is not None else {}
    begin = told[0][0]
    ended = next((at for at, fact in told if isinstance(fact, ENDING)), None)
    last = max([told[-1][0], *pending.values(), ended or now])
    long = max((last - begin).total_seconds(), 60.0)

    def x(at: datetime) -> float:
        share = min(max((at - begin).total_seconds() / long, 0.0), 1.0)
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)

    return LifeDrawing(
        phases=_phases(told, ended or max(now, begin), x, going=ended is None),
        claims=_spaced(
            [_mark("claim", at, fact, x) for at, fact in told if isinstance(fact, e.OrderAnswered)]
        ),
        judged=_spaced([_mark("judged", at, fact, x) for at, fact in told if isinstance(fact, e.VisitMade)]),
        limits=_spaced(_limits(told, pending, x)),
        days=_days(begin, last, x),
        now_x=x(now),
    )


def _mark(kind: str, at: datetime, fact: e.OrderAnswered | e.VisitMade, x: _Scale) -> DrawnMark:
    good = fact.claims_solved if isinstance(fact, e.OrderAnswered) else fact.solved
    return DrawnMark(kind, x(at), at, good, fact.round)


def _phases(
    told: Sequence[tuple[datetime, Fact]], end: datetime, x: _Scale, *, going: bool
) -> list[DrawnPhase]:
    steps: list[tuple[datetime, str]] = []
    for at, fact in told:
        phase = _PHASE_AFTER.get(type(fact))
        if phase is not None and at <= end and (not steps or steps[-1][1] != phase):
            steps.append((at, phase))
    found: list[DrawnPhase] = []
    for number, (at, phase) in enumerate(steps):
        is_last = number == len(steps) - 1
        until = end if is_last else steps[number + 1][0]
        width = max(x(until) - x(at), NARROWEST)
        found.append(DrawnPhase(phase, x(at), width, at, until, going and is_last))
    return found


def _limits(
    told: Sequence[tuple[datetime, Fact]], pending: Mapping[Limit, datetime], x: _Scale
) -> list[DrawnMark]:
    found = [
        DrawnMark("due", x(at), at, None, 0, str(limit))
        for limit, at in pending.items()
        if limit is not Limit.WARNING
    ]
    missed = {
        e.SignLimitMissed: Limit.SIGN,
        e.AnswerLimitMissed: Limit.ANSWER,
        e.DispatchLimitMissed: Limit.DISPATCH,
        e.VisitLimitMissed: Limit.VISIT,
        e.SupervisionMissed: Limit.SUPERVISION,
        e.ArrivalMissed: Limit.ARRIVAL,
    }
    for _, fact in told:
        limit = missed.get(type(fact))
        if limit is not None:
            at: datetime = fact.due_at  # type: ignore[attr-defined]  # all of these have it
            found.append(DrawnMark("missed", x(at), at, False, 0, str(limit)))  # noqa: FBT003
    return sorted(found, key=lambda one: one.x)


def _spaced(marks: list[DrawnMark]) -> list[DrawnMark]:
    """The marks, labelled where the label before leaves room."""
    found: list[DrawnMark] = []
    free = -LABEL_GAP
    for one in marks:
        labelled = one.x - free >= LABEL_GAP
        free = one.x if labelled else free
        found.append(one._replace(labelled=labelled))
    return found


_DAYS_MOST: Final = 12


def _days(begin: datetime, last: datetime, x: _Scale) -> list[tuple[float, datetime]]:
    """Instants for the axis: some ten at most, a whole number of days apart where it is days."""
    long = last - begin
    step = timedelta(days=max(1, -(-long.days // _DAYS_MOST)))
    if long < timedelta(days=2):
        step = timedelta(hours=6 if long > timedelta(hours=12) else 2)
    found = []
    at = begin
    while at <= last:
        found.append((x(at), at))
        at += step
    return found
