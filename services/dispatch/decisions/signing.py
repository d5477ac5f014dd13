"""The unit takes its order on (签收). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held
from shared.asked import Asked
from shared.complaint import Complaint
from shared.events import OrderSigned
from shared.inputs import SignOrder
from shared.times import stated


@decides(SignOrder, "sign")
def sign(command: SignOrder, asked: Asked, case: Complaint) -> Said:
    """Once an assignment."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    if order.signed_at is not None:
        return Refusal(f"the order was signed at {stated(order.signed_at, case.ruleset)}")
    return [
        OrderSigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            signed_at=asked.at,
        )
    ]
