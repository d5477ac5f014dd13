"""The facts of a life that its citizen is told, each in a sentence; every other fact is not. Pure.

They are those that Open311 tells (`hotline.web.open311.history`), and the citizen's own words beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from hotline.web.open311.history import masked
from hotline.web.pages.catalogues import N_
from shared import events as e
from shared.events.base import Outcome, TurnedAway

GOOD: Final = "good"
ENDED: Final = "ended"


class _Words(NamedTuple):
    """How a kind of fact is told: a sentence, with %(unit)s where a unit stands."""

    sentence: str
    unit: str = ""
    """The field that names the unit."""
    said: str = ""
    """The field with what somebody said in his own words."""
    weight: str = ""


class Milestone(NamedTuple):
    """A fact as the page tells it."""

    at: datetime
    sentence: str
    said: str
    weight: str


_CLOSED: Final[Mapping[Outcome, _Words]] = {
    Outcome.SOLVED: _Words(N_("Closed: you said that it is solved"), weight=ENDED),
    Outcome.UNSOLVED: _Words(N_("Closed: you said that it is not solved"), weight=ENDED),
    Outcome.UNREACHED: _Words(N_("Closed: we could not reach you"), weight=ENDED),
    Outcome.EXCEPTION: _Words(N_("Closed by an approved exception"), weight=ENDED),
}
_AWAY: Final[Mapping[TurnedAway, _Words]] = {
    TurnedAway.REJECTED: _Words(N_("We cannot take it on"), said="reason", weight=ENDED),
    TurnedAway.REDIRECTED: _Words(N_("Another channel is right for it"), said="to", weight=ENDED),
    TurnedAway.EMERGENCY: _Words(N_("Handed to an emergency service"), said="to", weight=ENDED),
    TurnedAway.RECORDED_TWICE: _Words(N_("It was recorded twice: the other record goes on"), weight=ENDED),
}
_MADE: Final = {
    (True, True): N_("You said: solved, and satisfied"),
    (True, False): N_("You said: solved, and not satisfied"),
    (False, True): N_("You said: not solved, and satisfied with the effort"),
    (False, False): N_("You said: not solved, and not satisfied"),
}
_RATED: Final = {True: N_("You rated: satisfied"), False: N_("You rated: not satisfied")}
MILESTONES: Final[Mapping[type[e.Fact], Callable[[Any], _Words]]] = {
    e.ComplaintReceived: lambda _: _Words(N_("Your request is on record")),
    e.RequestCorrected: lambda _: _Words(N_("The record was corrected")),
    e.RequestSupplemented: lambda _: _Words(N_("You added"), said="text"),
    e.RatingGiven: lambda f: _Words(_RATED[f.satisfied], said="comment"),
    e.ComplaintAnsweredDirectly: lambda _: _Words(N_("Answered on the spot"), weight=ENDED),
    e.ComplaintTurnedAway: lambda f: _AWAY[f.how],
    e.ComplaintWithdrawn: lambda _: _Words(N_("You took it back"), said="reason", weight=ENDED),
    e.ComplaintDispatched: lambda _: _Words(N_("Sent to %(unit)s"), "unit"),
    e.OrderSigned: lambda _: _Words(N_("%(unit)s has taken it on"), "unit"),
    e.OrderAssigned: lambda _: _Words(N_("Given on to %(unit)s"), "to_unit"),
    e.OrderMoved: lambda _: _Words(N_("Moved to %(unit)s"), "to_unit"),
    e.ReturnApproved: lambda _: _Words(N_("It goes to another unit")),
    e.CouncilDecided: lambda _: _Words(N_("It was decided that %(unit)s has it"), "to_unit"),
    e.ExtensionApproved: lambda _: _Words(N_("The unit was given more time")),
    e.PauseApproved: lambda _: _Words(N_("The unit's time stands still for now")),
    e.PauseEnded: lambda _: _Words(N_("The unit's time runs again")),
    e.ProgressReported: lambda _: _Words(N_("%(unit)s tells how far it is"), "unit", "text"),
    e.OrderAnswered: lambda _: _Words(N_("%(unit)s has answered"), "unit", "result"),
    e.VisitScheduled: lambda _: _Words(N_("You are asked whether it is solved")),
    e.VisitUnreached: lambda _: _Words(N_("We did not reach you")),
    e.VisitMade: lambda f: _Words(
        _MADE[f.solved, f.satisfied], said="reason", weight=GOOD if f.solved else ""
    ),
    e.ComplaintReopened: lambda _: _Words(N_("Not solved: it is worked on again")),
    e.ComplaintClosed: lambda f: _CLOSED[f.outcome],
}
"""Every kind of fact that is told."""
OF_CITIZEN: Final = (
    e.RequestCorrected,
    e.RequestSupplemented,
    e.RatingGiven,
    e.VisitScheduled,
    e.VisitUnreached,
    e.VisitMade,
)
"""Those of them that Open311 does not tell: what the citizen said, and was asked."""


def milestones(
    facts: Sequence[e.Fact | None],
    times: Sequence[datetime],
    text: Callable[[str], str],
    unit: Callable[[str], str],
) -> list[Milestone]:
    """The facts that are told, the latest first. `times`: when each happened; `unit`: the name of one."""
    found: list[Milestone] = []
    for fact, at in zip(facts, times, strict=True):
        make = None if fact is None else MILESTONES.get(type(fact))
        if make is None:
            continue
        words = make(fact)
        sentence = text(words.sentence)
        if words.unit:
            sentence %= {"unit": unit(getattr(fact, words.unit) or "")}
        said = masked(getattr(fact, words.said) or "") if words.said else ""
        found.append(Milestone(at, sentence, said, words.weight))
    return found[::-1]
