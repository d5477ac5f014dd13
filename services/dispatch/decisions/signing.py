"""The unit takes its order on (签收). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import OrderReply, Refusal, Said, held
from shared.complaint import Complaint
from shared.events import OrderSigned
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOrder(OrderReply):
    """The unit takes its order on."""

    ASKED = "sign"


def sign(command: SignOrder, case: Complaint) -> Said:
    """Once an assignment."""
    order = held(command, case)
    if isinstance(order, Refusal):
        return order
    if order.signed_at is not None:
        return Refusal(f"the order was signed at {stated(order.signed_at, case.ruleset)}")
    return [
        OrderSigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            signed_at=command.at,
        )
    ]
