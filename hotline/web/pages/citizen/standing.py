"""Where a complaint lies, since when, until when and what comes next, in words for its citizen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from hotline.web.pages.catalogues import N_
from shared.complaint import Answered, Complaint, Held, Stage, stage_of
from shared.complaint.limits import standing_still
from shared.events.base import Outcome

CENTRE: Final = N_("the centre of the hotline 12345")


class CitizenStanding(NamedTuple):
    """See the module."""

    where: str
    """The name of the unit, or of the centre."""
    since: datetime
    until: datetime | None
    """Until when the unit must answer; None where nobody's time runs."""
    late: bool
    """Whether that has passed."""
    comes_next: str
    round: int
    ended: bool


_NEXT: Final[Mapping[Stage, str]] = {
    Stage.RECEIVED: N_("We read your request and find the unit that answers for it."),
    Stage.TO_DISPATCH: N_("We find the unit that answers for it."),
    Stage.AT_UNIT: N_(
        "The unit takes it on, speaks to you and works on it. Then you are asked whether it is solved."
    ),
    Stage.SIGNED: N_("The unit works on it and answers. Then you are asked whether it is solved."),
    Stage.IN_REVIEW: N_("It is decided which unit has it. The time until then counts."),
    Stage.TERMINATED: N_("The unit could not do it, and a review agreed. We close it."),
    Stage.ANSWERED: N_("The unit has answered. You will be asked whether it is solved."),
}
_ENDS: Final[Mapping[str, str]] = {
    "ComplaintWithdrawn": N_("Nothing: you took it back. Anything new is a new request."),
    "ComplaintAnsweredDirectly": N_("Nothing: it was answered on the spot. Anything new is a new request."),
    "ComplaintTurnedAway": N_("Nothing: it was not taken on. Below stands why."),
}
_OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.SOLVED: N_("Nothing: you said that it is solved. Thank you."),
    Outcome.UNSOLVED: N_(
        "It is closed, and it counts as not solved. Anything new is a new request: call 12345."
    ),
    Outcome.UNREACHED: N_("It is closed, for we could not reach you. If it is not solved, call 12345."),
    Outcome.EXCEPTION: N_("It is closed by an approved exception. For the reasons call 12345."),
}
_ANONYMOUS: Final = N_("The unit has answered. You gave no name, so nobody asks you; we close it.")
_AGAIN: Final = N_("You said that it is not solved: it goes to the unit once more.")
_PAUSED: Final = N_("The unit waits for something, so its time stands still. Then it goes on.")
_ASKED_NOW: Final = N_("You are asked whether it is solved: answer below, or when we call you.")
_ASKED_BY_CALL: Final = N_("We call you and ask whether it is solved.")
_ASKED_LATER: Final = N_("We ask you once more, from %(at)s on.")
_LATE: Final = N_("The time has passed. Those above the unit are told, and the unit still owes an answer.")


def standing(
    case: Complaint,
    now: datetime,
    last_at: datetime,
    text: Callable[[str], str],
    unit: Callable[[str], str],
    shown: Callable[[datetime], str],
    *,
    answers_here: bool = True,
) -> CitizenStanding:
    """See the module. `last_at`: the last milestone; `unit` names one; `shown` tells an instant.

    `answers_here`: whether the citizen can answer a visit on the page.
    """
    stage, order = stage_of(case), case.order
    held = order if isinstance(order, Held) and not case.reopened and case.ended is None else None
    paused = None if held is None else standing_still(held, now)
    until = held.feedback_due_at if held is not None and paused is None else None
    late = until is not None and until < now
    since = last_at
    if case.ended is not None:
        since = case.ended.at
    elif held is not None:
        since = held.dispatched_at
    elif isinstance(order, Answered) and not case.reopened:
        since = order.answered_at
    return CitizenStanding(
        where=text(CENTRE) if held is None else unit(held.unit),
        since=since,
        until=until,
        late=late,
        comes_next=_comes_next(
            case, stage, now, text, shown, late=late, paused=paused is not None, answers_here=answers_here
        ),
        round=(order.round if order is not None else 1) + (1 if case.reopened else 0),
        ended=case.ended is not None,
    )


def _comes_next(
    case: Complaint,
    stage: Stage,
    now: datetime,
    text: Callable[[str], str],
    shown: Callable[[datetime], str],
    *,
    late: bool,
    paused: bool,
    answers_here: bool,
) -> str:
    if case.ended is not None:
        return text(_OUTCOMES[case.ended.outcome] if case.ended.outcome else _ENDS[case.ended.how])
    if stage is Stage.ASKING and case.visit is not None:
        at = {"at": shown(case.visit.visit_at)}
        asked = _ASKED_NOW if answers_here else _ASKED_BY_CALL
        return text(_ASKED_LATER) % at if now < case.visit.visit_at else text(asked)
    special = (
        (stage is Stage.ANSWERED and case.anonymous, _ANONYMOUS),
        (case.reopened, _AGAIN),
        (paused, _PAUSED),
        (late, _LATE),
    )
    return text(next((words for holds, words in special if holds), None) or _NEXT[stage])
