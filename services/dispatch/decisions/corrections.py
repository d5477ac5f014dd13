"""The record's subject or place was corrected: the order moves, or says what the record says now. Pure.

Before its unit has signed, an order follows the catalogue by itself (D1). It is sent on as after a return, so
the citizen's limit stays (T10). From the signature on, and while a return is under review, the order stays
and is amended. From there it moves only by a return or a reviewer's act. So it stays where a council left it,
and with supervision (R9). After the citizen's no the next order is unsigned again: it goes to the unit that a
correction names, unless somebody decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET

from services.dispatch.routing import Routed, routed
from services.dispatch.work_order import not_listed, sent
from shared.complaint import Answered, Complaint, Held, Matter, Order, order_open, whose_asked
from shared.events import DispatchFact, OrderAmended, OrderMoved
from shared.ids import ComplaintId, UnitId
from shared.policy.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowCorrection:
    """The record's subject or place was corrected: bring the order to it."""

    complaint_id: ComplaintId
    at: datetime


def follow_correction(
    command: FollowCorrection, case: Complaint, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    """Nothing where the order says it already, or where none stands that could be brought to the record."""
    order = case.order
    if case.ended is not None or case.reopened or not isinstance(order, Held | Answered):
        return []
    if order.written_for is None:
        return []
    to = named_since(case, order, catalogue)
    # The choice of a district or a reviewer stands as long as the catalogue names the same unit as before.
    if to is not None and to.unit != order.names and _free(case, order):
        return _moved(case, order, to, command.at, catalogue)
    return [_amended(case, order, to, command.at, catalogue)]


def next_round(case: Complaint, order: Order, at: datetime, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """After the citizen's no: the same unit again, or whom a correction names since. Somebody's word on it stands.

    A correction may come after the no: then nothing else brings it to the order, and it is said here.
    """
    to = named_since(case, order, catalogue)
    # A council's word is for good; a reviewer's is about the unit that was named then.
    decided = case.settled or (order.left and to is not None and to.unit == order.names)
    if to is not None and not decided:
        return _moved(case, order, to, at, catalogue)
    again = Routed(order.unit, order.level, f"{catalogue.version}: same unit again")
    orders = sent(case, again, at, catalogue)
    if order.written_for is None or (None if to is None else to.unit) == order.names:
        return orders
    return [_amended(case, order, to, at, catalogue), *orders]


def named_since(case: Complaint, order: Order, catalogue: Catalogue) -> Routed | None:
    """Whom the catalogue names since the record was corrected, where that is another than has the order."""
    to = routed(catalogue, case.subject, case.district, case.street)
    if case.accused is not None or to.unit == order.unit:
        return None
    before = order.written_for
    anew = before is not None and to.unit != _named(catalogue, before)
    return to if anew or to.unit == order.names else None


def _named(catalogue: Catalogue, matter: Matter) -> UnitId:
    return routed(catalogue, matter.subject, matter.district, matter.street).unit


def _free(case: Complaint, order: Order) -> bool:
    """Whether nobody has taken it on and nobody decides on it."""
    taken = order.signed_at is not None or whose_asked(order) is not None or case.settled
    return order_open(case) and not taken


def _amended(
    case: Complaint, order: Order, to: Routed | None, at: datetime, catalogue: Catalogue
) -> OrderAmended:
    return OrderAmended(
        complaint_id=case.complaint_id,
        unit=order.unit,
        assignment=order.assignment,
        subject=case.subject,
        district=case.district,
        street=case.street,
        unlisted=not_listed(case, catalogue),
        names=UNSET if to is None else to.unit,
        amended_at=at,
    )


def _moved(
    case: Complaint, order: Order, to: Routed, at: datetime, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    reason = f"the catalogue's line for {case.subject}"
    return [
        OrderMoved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            to_unit=to.unit,
            moved_at=at,
        ),
        *sent(case, to, at, catalogue, to.co_units, added_by=catalogue.version, reason=reason),
    ]
