"""The facts of a life that Open311 may tell: a table of them, each with its state and a sentence of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from unicodedata import normalize

from hotline.web.open311.offers import Locale, ServiceOffers
from shared import events as e
from shared.events.base import Outcome, TurnedAway
from shared.personal import PATTERN

OPEN: Final = "open"
INVESTIGATING: Final = "investigating"
IN_PROGRESS: Final = "in_progress"
REFERRED: Final = "internal_referral"
FIXED: Final = "fixed"
CLOSED: Final = "closed"
NO_FURTHER_ACTION: Final = "no_further_action"
NOT_OURS: Final = "not_councils_responsibility"
DUPLICATE: Final = "duplicate"
STATES: Final = (
    OPEN,
    INVESTIGATING,
    IN_PROGRESS,
    REFERRED,
    FIXED,
    CLOSED,
    NO_FURTHER_ACTION,
    NOT_OURS,
    DUPLICATE,
)
"""The states of updates, as the senders of Open311 know them."""


class UpdateOfFact(NamedTuple):
    """A fact as it is told."""

    state: str
    sentence: str


class _Line(NamedTuple):
    """How a kind of fact is told: its state, and a sentence in each language, with {unit} where a unit stands."""

    state: str
    zh: str
    en: str
    unit: str = ""
    """The field that names the unit."""
    text: str = ""
    """The field with what the unit says to the citizen: told to the request's own sender alone."""


_ENDED: Final[Mapping[Outcome, _Line]] = {
    Outcome.SOLVED: _Line(FIXED, "已结案:市民反映已解决", "Closed: the citizen says that it is solved"),
    Outcome.UNSOLVED: _Line(
        CLOSED, "已结案:市民反映未解决", "Closed: the citizen says that it is not solved"
    ),
    Outcome.UNREACHED: _Line(CLOSED, "已结案:多次回访未接通", "Closed: the citizen could not be reached"),
    Outcome.EXCEPTION: _Line(NO_FURTHER_ACTION, "已按批准的例外结案", "Closed by an approved exception"),
}
_AWAY: Final[Mapping[TurnedAway, _Line]] = {
    TurnedAway.REJECTED: _Line(NOT_OURS, "不予受理", "Not accepted"),
    TurnedAway.REDIRECTED: _Line(NOT_OURS, "已引导至其他渠道", "Pointed to another channel"),
    TurnedAway.EMERGENCY: _Line(NOT_OURS, "已转紧急服务", "Handed to an emergency service"),
    TurnedAway.RECORDED_TWICE: _Line(DUPLICATE, "重复登记", "Recorded twice"),
}
TOLD: Final[Mapping[type[e.Fact], Callable[[Any], _Line]]] = {
    e.ComplaintReceived: lambda _: _Line(OPEN, "诉求已登记", "The request is on record"),
    e.ComplaintAnsweredDirectly: lambda _: _Line(CLOSED, "已直接答复", "Answered on the spot"),
    e.ComplaintTurnedAway: lambda f: _AWAY[f.how],
    e.ComplaintWithdrawn: lambda _: _Line(NO_FURTHER_ACTION, "市民已撤回", "The citizen took it back"),
    e.ComplaintDispatched: lambda _: _Line(INVESTIGATING, "已派单至{unit}", "Sent to {unit}", "unit"),
    e.OrderSigned: lambda _: _Line(IN_PROGRESS, "{unit}已签收", "{unit} has taken it on", "unit"),
    e.OrderAssigned: lambda _: _Line(REFERRED, "已指派至{unit}", "Given on to {unit}", "to_unit"),
    e.OrderMoved: lambda _: _Line(REFERRED, "已改派至{unit}", "Moved to {unit}", "to_unit"),
    e.ReturnApproved: lambda _: _Line(REFERRED, "将改派其他单位", "It goes to another unit"),
    e.CouncilDecided: lambda _: _Line(REFERRED, "经会商由{unit}承办", "A council names {unit}", "to_unit"),
    e.ExtensionApproved: lambda _: _Line(IN_PROGRESS, "办理期限已延长", "The limit was extended"),
    e.PauseApproved: lambda _: _Line(IN_PROGRESS, "办理期限暂停计算", "The limit stands still"),
    e.PauseEnded: lambda _: _Line(IN_PROGRESS, "办理期限恢复计算", "The limit runs again"),
    e.ProgressReported: lambda _: _Line(
        IN_PROGRESS, "{unit}报告办理进展", "{unit} reports progress", "unit", "text"
    ),
    e.OrderAnswered: lambda _: _Line(IN_PROGRESS, "{unit}已反馈", "{unit} has answered", "unit", "result"),
    e.ComplaintReopened: lambda _: _Line(OPEN, "未解决,重新办理", "Not solved: it is worked on again"),
    e.ComplaintClosed: lambda f: _ENDED[f.outcome],
}
"""Every kind of fact that is told; all others are not."""
TYPES: Final = tuple(sorted(kind.__name__ for kind in TOLD))
"""Their names in the log."""
_NUMBER: Final = re.compile(PATTERN, re.ASCII)
_STANDS: Final[Mapping[str, tuple[str, str]]] = {
    "RECEIVED": ("已登记", "On record"),
    "TO_DISPATCH": ("待派单", "To be sent to a unit"),
    "AT_UNIT": ("已派单,待签收", "With a unit that has not taken it on yet"),
    "SIGNED": ("办理中", "A unit works on it"),
    "IN_REVIEW": ("承办单位审核中", "It is decided which unit has it"),
    "TERMINATED": ("待结案", "To be closed"),
    "ANSWERED": ("已反馈,待回访", "Answered: the citizen will be asked"),
    "ASKING": ("回访中", "The citizen is being asked"),
    "ENDED": ("已结束", "Ended"),
}


def told(fact: e.Fact, offers: ServiceOffers, locale: Locale, *, in_full: bool) -> UpdateOfFact | None:
    """A fact as it is told; None where it is not. `in_full`: with what the unit says to the citizen."""
    make = TOLD.get(type(fact))
    if make is None:
        return None
    line = make(fact)
    sentence = line.en if locale is Locale.EN else line.zh
    if line.unit:
        sentence = sentence.format(unit=offers.unit_named(getattr(fact, line.unit)))
    if in_full and line.text and (text := getattr(fact, line.text)):
        sentence += ": " + masked(text)
    return UpdateOfFact(line.state, sentence)


def stands(stage: str, locale: Locale) -> str:
    """Where a complaint stands, in a sentence."""
    return _STANDS.get(stage, _STANDS["RECEIVED"])[locale is Locale.EN]


def masked(text: str) -> str:
    """A text without the numbers that say who somebody is."""
    if not any(map(str.isdigit, text)):
        return text
    plain = normalize("NFKC", text)
    return _NUMBER.sub("***", plain) if _NUMBER.search(plain) else text
