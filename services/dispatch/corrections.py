"""The record's subject or place was corrected: the order moves, or says what the record says now. Pure.

Before its unit has signed, an order follows the catalogue by itself (D1): it is sent on as after a return, so the
citizen's limit stays (T10). From the signature on, and while a return is under review, it stays and is amended: from
there it moves only by a return or a reviewer's act. So it stays where a council left it, and with supervision (R9).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from services.dispatch.commands import FollowCorrection
from services.dispatch.orders import not_listed, sent
from services.dispatch.routing import Routed, routed
from shared.complaint import Complaint, Matter, Order, order_open
from shared.events import DispatchFact, OrderAmended, OrderMoved
from shared.policy.catalogue import Catalogue


def follow_correction(
    command: FollowCorrection, case: Complaint, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    """Nothing where the order says it already, or where none stands that could be brought to the record."""
    order = case.order
    if case.ended is not None or order is None or order.recalled or order.terminated or case.reopened:
        return []
    before = order.written_for
    if before is None:
        return []
    to = routed(catalogue, case.subject, case.district, case.street)
    others = case.accused is None and to.unit != order.unit and to.unit != _named(catalogue, before)
    if others and _free(case, order):
        return _moved(command, case, order, to, catalogue)
    # What a district or a reviewer decided stands as long as the catalogue names the same unit as before.
    names = others or (to.unit == order.names and to.unit != order.unit)
    return [
        OrderAmended(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            subject=case.subject,
            district=case.district,
            street=case.street,
            unlisted=not_listed(case, catalogue),
            names=to.unit if names else UNSET,
            amended_at=command.at,
        )
    ]


def _named(catalogue: Catalogue, matter: Matter) -> str:
    return routed(catalogue, matter.subject, matter.district, matter.street).unit


def _free(case: Complaint, order: Order) -> bool:
    """Whether nobody has taken it on and nobody decides on it."""
    taken = order.signed_at is not None or order.review_since is not None or case.settled
    return order_open(case) and not taken


def _moved(
    command: FollowCorrection, case: Complaint, order: Order, to: Routed, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    reason = f"the catalogue's line for {case.subject}"
    return [
        OrderMoved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            to_unit=to.unit,
            moved_at=command.at,
        ),
        *sent(case, to, command.at, catalogue, to.co_units, added_by=catalogue.version, reason=reason),
    ]
