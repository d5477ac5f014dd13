"""How much of a citizen's contact a person may see now, by a table (R9, I1, T29)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from shared.complaint import Answered, Complaint, Held, helping
from shared.events.base import RequestType
from shared.ids import UnitId
from shared.text import has_words


class Seen(StrEnum):
    """How much of it."""

    FULL = "FULL"
    MASKED = "MASKED"
    NOTHING = "NOTHING"
    """He may, and there is none."""
    REFUSED = "REFUSED"


class Standing(StrEnum):
    """How somebody stands to a complaint; what a reading was granted or refused for."""

    ASSIGNEE = "ASSIGNEE"
    """The order lies with this unit now."""
    HELPER = "HELPER"
    """A co-unit of it."""
    AGENT = "AGENT"
    """Took the contact down himself."""
    VISITOR = "VISITOR"
    """Asks the citizen: a visit of it is to be made now."""
    STRANGER = "STRANGER"
    """None of these: it never was his, or is no more, by a return, another dispatch or a reopening (T29)."""
    ACCUSED = "ACCUSED"
    """The unit that is said to retaliate."""
    OVER = "OVER"
    """The life has ended: the unit that had it last, or helped, has it no more."""


class Asker(NamedTuple):
    """The unit that asks, the agent, or the person who asks the citizen."""

    unit: UnitId | None = None
    agent: str = ""
    visitor: str = ""
    at: datetime | None = None
    """When the visitor asks, in city time."""

    @property
    def name(self) -> str:
        """As it stands in the access log."""
        return self.unit or self.visitor or self.agent

    @property
    def kind(self) -> Literal["UNIT", "VISITOR", "AGENT"]:
        """As it stands in the access log."""
        if self.unit is not None:
            return "UNIT"
        return "VISITOR" if self.visitor else "AGENT"


class Sight(NamedTuple):
    """How much the asker may see, and on what standing."""

    seen: Seen
    standing: Standing


_OPEN, _PROTECTED, _REASONED = "open", "protected", "protected, and a reason given"

_TABLE: Final[dict[tuple[Standing, str], Seen]] = {
    (Standing.ASSIGNEE, _OPEN): Seen.FULL,
    (Standing.ASSIGNEE, _PROTECTED): Seen.MASKED,
    (Standing.ASSIGNEE, _REASONED): Seen.FULL,
    (Standing.HELPER, _OPEN): Seen.MASKED,
    # A helper of a confidential order is not told where and what exactly, so neither who (R9).
    (Standing.HELPER, _PROTECTED): Seen.REFUSED,
    (Standing.HELPER, _REASONED): Seen.REFUSED,
    **{
        (standing, kind): Seen.FULL
        for standing in (Standing.AGENT, Standing.VISITOR)
        for kind in (_OPEN, _PROTECTED, _REASONED)
    },
}
"""A standing that is not in the table is refused."""


def may_see(
    asker: Asker, case: Complaint, taken_by: str | None, reason: str = "", *, texts: bool = False
) -> Sight:
    """How much of the contact he sees as things stand, and of the numbers that stood in the citizen's texts.

    `taken_by`: the agent who took the contact down, None where there is none. `reason`: why the assignee of a
    report or a confidential complaint needs to know who it was; it is written down. `texts`: whether numbers of
    texts are kept.
    """
    standing = _standing(asker, case, taken_by)
    protected = case.confidential or case.request_type is RequestType.REPORT
    kind = _OPEN if not protected else _REASONED if has_words(reason) else _PROTECTED
    seen = _TABLE.get((standing, kind), Seen.REFUSED)
    if seen is not Seen.REFUSED and not texts and not has_contact(case, taken_by):
        return Sight(Seen.NOTHING, standing)
    return Sight(seen, standing)


def has_contact(case: Complaint, taken_by: str | None) -> bool:
    """Whether there is a contact to be seen: of an anonymous complaint there is none, whatever is kept."""
    return not case.anonymous and taken_by is not None


def _standing(asker: Asker, case: Complaint, taken_by: str | None) -> Standing:
    if asker.visitor:
        return Standing.VISITOR if visit_due(case, asker.at) else Standing.STRANGER
    if asker.unit is None:
        return Standing.AGENT if asker.agent and asker.agent == taken_by else Standing.STRANGER
    if asker.unit == case.accused:
        return Standing.ACCUSED
    order = case.order
    helper = helping(case, asker.unit) is not None
    if case.ended is not None:
        last = order is not None and order.unit == asker.unit
        return Standing.OVER if last or helper else Standing.STRANGER
    if isinstance(order, Held | Answered) and order.unit == asker.unit:
        return Standing.ASSIGNEE
    return Standing.HELPER if helper else Standing.STRANGER


def refused_for(standing: Standing) -> Standing:
    """The standing that a unit is told with a refusal: none says more than that it is a stranger to it.

    So it learns neither whether a complaint is on record, nor that somebody reported it.
    """
    return Standing.STRANGER if standing is Standing.ACCUSED else standing


def visit_due(case: Complaint, at: datetime | None) -> bool:
    """Whether the citizen may be asked then: the visit is under way, and not to be made later."""
    visit = case.visit
    return case.ended is None and visit is not None and at is not None and at >= visit.visit_at
