"""Where a complaint stands, and who must act next. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from shared.complaint.limits import due_deadlines, misses, watched
from shared.complaint.order import (
    Answered,
    DisputeAsked,
    ExtensionAsked,
    Held,
    Order,
    PauseAsked,
    Question,
    Recalled,
    ReturnAsked,
    Terminated,
    TerminationAsked,
    question,
    whose_asked,
)
from shared.complaint.state import Case, Complaint
from shared.events import DeskName
from shared.events.base import Limit
from shared.ids import UnitId


class Stage(StrEnum):
    """Where in its life a complaint stands."""

    UNOPENED = "UNOPENED"
    RECEIVED = "RECEIVED"
    """On record, not yet classified."""
    TO_DISPATCH = "TO_DISPATCH"
    """Classified or reopened: the order is still to be written."""
    AT_UNIT = "AT_UNIT"
    """With a unit that has not taken it on."""
    SIGNED = "SIGNED"
    IN_REVIEW = "IN_REVIEW"
    """The unit wants to give it back, or disputes that it is its own."""
    TERMINATED = "TERMINATED"
    """A review ended the order unanswered: the complaint is still to be closed."""
    ANSWERED = "ANSWERED"
    """The unit has said what it did; the citizen is still to be asked."""
    ASKING = "ASKING"
    """The citizen is being asked."""
    ENDED = "ENDED"


class Awaited(StrEnum):
    """The kind of party that must act next."""

    UNIT = "UNIT"
    REVIEWER = "REVIEWER"
    DIALLER = "DIALLER"
    SUPERVISOR = "SUPERVISOR"
    DESK = "DESK"
    """One of ours: it needs no person, only that the desk takes in what is in the log."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The party that must act next."""

    kind: Awaited
    name: str
    """The unit's id, the desk's name, `reviewers` or `dialler`."""
    what: str
    """The awaited act, to be read after "to"."""
    by: datetime | None
    """The complaint's next deadline; none where nothing is being watched any more."""


def stage_of(case: Case) -> Stage:  # noqa: C901, PLR0911 -- a line a stage
    """Where the complaint stands."""
    if not isinstance(case, Complaint):
        return Stage.UNOPENED
    if case.ended is not None:
        return Stage.ENDED
    if case.urgency is None:
        return Stage.RECEIVED
    if case.reopened:
        return Stage.TO_DISPATCH
    match case.order:
        case None | Recalled():
            return Stage.TO_DISPATCH
        case Terminated():
            return Stage.TERMINATED
        case Answered() | Held() if case.visit is not None:
            return Stage.ASKING
        case Answered():
            return Stage.ANSWERED
        case Held() as order if whose_asked(order) is not None:
            return Stage.IN_REVIEW
        case Held() as order:
            return Stage.AT_UNIT if order.signed_at is None else Stage.SIGNED


def waits_for(case: Case) -> Waiting | None:
    """The party that must act next; None where nobody must, because nothing has begun or all is said."""
    by = min((at for limit, at in due_deadlines(case).items() if limit is not Limit.WARNING), default=None)
    awaited = _awaited(case)
    if awaited is None or (by is None and isinstance(case, Complaint) and case.ended is not None):
        return None
    kind, name, what = awaited
    return Waiting(kind=kind, name=name, what=what, by=by)


def _awaited(case: Case) -> tuple[Awaited, str, str] | None:
    standing = stage_of(case)
    if not isinstance(case, Complaint) or case.order is None or standing in _BY_STAGE:
        return _BY_STAGE.get(standing)
    order = case.order
    if order.written_for is not None:
        return Awaited.DESK, DeskName.DISPATCH, "bring the order to what the record says now"
    overdue = watched(case, Limit.ANSWER, order.round)
    if standing is Stage.ANSWERED:
        return _after_answer(case, late=overdue is not None)
    expired = overdue is None and misses(case, Limit.ANSWER, order.round)
    if expired and case.visited_round != order.round and not case.anonymous:
        return Awaited.DESK, DeskName.FEEDBACK, "have the citizen asked, the limit expired (R8)"
    if standing is Stage.IN_REVIEW:
        disputed = question(order, DisputeAsked) is not None
        what = "decide as a council whose it is" if disputed else "decide on the return"
        return Awaited.REVIEWER, "reviewers", what
    what = "sign or answer the order" if standing is Stage.AT_UNIT else "answer the order"
    return Awaited.UNIT, order.unit, what


def _after_answer(case: Complaint, *, late: bool) -> tuple[Awaited, str, str]:
    if late:
        return Awaited.DESK, DeskName.ESCALATION, "state that the answer came late"
    if case.anonymous:
        return Awaited.SUPERVISOR, "supervisors", "let it close: nobody knows whom to ask (E3)"
    return Awaited.DESK, DeskName.FEEDBACK, "have the citizen asked about the answer"


_BY_STAGE: Final[dict[Stage, tuple[Awaited, str, str]]] = {
    Stage.RECEIVED: (Awaited.DESK, DeskName.INTAKE, "classify it"),
    Stage.TO_DISPATCH: (Awaited.DESK, DeskName.DISPATCH, "write the order"),
    Stage.TERMINATED: (Awaited.DESK, DeskName.FEEDBACK, "close it as the exception that was approved"),
    Stage.ASKING: (Awaited.DIALLER, "dialler", "ask the citizen"),
    Stage.ENDED: (Awaited.DESK, DeskName.ESCALATION, "state what is still owed"),
}


def goes_on(case: Complaint) -> bool:
    """Whether somebody still acts for the citizen: its life is not over, nor is its order ended unanswered."""
    return case.ended is None and not isinstance(case.order, Terminated)


def order_open(case: Complaint) -> bool:
    """Whether a unit holds an order it has not answered."""
    return case.ended is None and isinstance(case.order, Held)


def whose_is_open(case: Complaint, order: Order) -> bool:
    """Whether a council may say whose it is: somebody asked, or a correction of the record did."""
    return whose_asked(order) is not None or (order.names is not None and order_open(case))


def holder(case: Complaint) -> UnitId | None:
    """The unit whose open order it is about; None where no order is open."""
    return case.order.unit if case.ended is None and isinstance(case.order, Held) else None


def open_questions(case: Complaint) -> list[str]:
    """Each question that waits for a decision: return, dispute, extension, pause, termination or exclusion.

    A question that holds the order up goes first.
    """
    held = case.order if case.ended is None and isinstance(case.order, Held) else None
    found = [name for kind, name in _ASKED.items() if held is not None and question(held, kind) is not None]
    if case.exclusion is not None and case.exclusion.approved is None:
        found.append("exclusion")
    return found


_ASKED: Final[dict[type[Question], str]] = {
    ReturnAsked: "return",
    DisputeAsked: "dispute",
    ExtensionAsked: "extension",
    PauseAsked: "pause",
    TerminationAsked: "termination",
}
"""A question that holds the order up goes first."""
