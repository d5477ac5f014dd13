"""A dispute (派单异议): a council (会商) says whose the order is, once a review has rejected its return (Q2). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides, decides_knowing
from services.dispatch.guards import Refusal, Said, decidable, held
from services.dispatch.routing import by_council
from services.dispatch.work_order import helped, sent
from shared.asked import Asked
from shared.complaint import Complaint, Order, whose_is_open
from shared.events import CouncilDecided, DisputeRaised
from shared.ids import UnitId
from shared.inputs import DecideCouncil, RaiseDispute
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted


@decides(RaiseDispute, "dispute")
def raise_dispute(command: RaiseDispute, asked: Asked, case: Complaint) -> Said:
    """After a rejected return, or when no more are left: a council says whose it is; the limit runs on (R12)."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = _not_disputed(case, order)
    if why is not None:
        return Refusal(why)
    return [
        DisputeRaised(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reason=command.reason,
            evidence=command.evidence,
            raised_at=asked.at,
        )
    ]


def _not_disputed(case: Complaint, order: Order) -> str | None:
    if case.accused is not None:
        return "supervision keeps it (R9)"
    if case.settled:
        return "a council has named the unit already"
    if order.kept:
        return "the order is signed"
    if not order.return_rejected and case.returns < ruleset(case.ruleset).returns_max:
        return "it can be returned: a council meets about what a review rejected"
    return None


@decides_knowing(DecideCouncil, "decide as a council")
def decide_council(command: DecideCouncil, asked: Asked, case: Complaint, catalogue: Catalogue) -> Said:
    """The council names one unit, maybe the same, and who helps; from then on nobody returns it."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    why = _not_decided(command, case, order, catalogue)
    if why is not None:
        return Refusal(why)
    to_unit = UnitId(command.to_unit)
    co_units = tuple(UnitId(unit) for unit in command.co_units)
    decided = CouncilDecided(
        complaint_id=case.complaint_id,
        unit=order.unit,
        assignment=order.assignment,
        to_unit=to_unit,
        participants=command.participants,
        reason=command.reason,
        decided_at=asked.at,
    )
    if command.to_unit == order.unit:
        return [
            decided,
            *helped(case, co_units, added_by="council", reason=command.reason, at=asked.at),
        ]
    to = by_council(catalogue, to_unit)
    return [
        decided,
        *sent(case, to, asked.at, catalogue, co_units, added_by="council", reason=command.reason),
    ]


def _not_decided(command: DecideCouncil, case: Complaint, order: Order, catalogue: Catalogue) -> str | None:
    if case.reopened or not whose_is_open(case, order):
        return "nothing about whose order it is is under review"
    for field, unit in (("to_unit", command.to_unit), *(("co_units", unit) for unit in command.co_units)):
        if unit not in catalogue.units:
            return f"{field}: {quoted(unit)} is not in catalogue {catalogue.version}"
    if len({command.to_unit, *command.co_units}) <= len(command.co_units):
        return f"co_units: each unit once, and not {command.to_unit}, which leads"
    return None
