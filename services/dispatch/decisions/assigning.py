"""A district gives an order that was not clear to one of its streets (D1). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides_knowing
from services.dispatch.decisions.corrections import named_since
from services.dispatch.guards import Refusal, Said, held
from services.dispatch.routing import assigned
from services.dispatch.work_order import sent
from shared.asked import Asked
from shared.complaint import Complaint, Order
from shared.events import OrderAssigned
from shared.ids import UnitId
from shared.inputs import AssignOrder
from shared.policy.catalogue import Catalogue
from shared.text import quoted


@decides_knowing(AssignOrder, "assign")
def assign(command: AssignOrder, asked: Asked, case: Complaint, catalogue: Catalogue) -> Said:
    """The street gets an order of its own; the citizen's limit stays (T10)."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = _not_assigned(command, case, order, catalogue)
    if why is not None:
        return Refusal(why)
    return [
        OrderAssigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            to_unit=UnitId(command.to_unit),
            reason=command.reason,
            assigned_at=asked.at,
        ),
        *sent(case, assigned(catalogue, UnitId(command.to_unit)), asked.at, catalogue),
    ]


def _not_assigned(command: AssignOrder, case: Complaint, order: Order, catalogue: Catalogue) -> str | None:
    if command.to_unit not in catalogue.streets_under(order.unit):
        return f"to_unit: {quoted(command.to_unit)} is no street of {order.unit} in catalogue {catalogue.version}"
    if order.signed_at is not None:
        return "the order is signed"
    if order.written_for is not None and (to := named_since(case, order, catalogue)) is not None:
        return f"the record was corrected, and the catalogue names {to.unit} now"
    return None
