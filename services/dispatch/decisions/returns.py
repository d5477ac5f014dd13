"""A return (退回): the unit says that the order is not its own, and a review decides (D3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.dispatch.decision_table import decides, decides_knowing
from services.dispatch.decisions.corrections import named_since
from services.dispatch.guards import Refusal, Said, decidable, held
from services.dispatch.matters import firsts, followed
from services.dispatch.reviewed import reviewed
from services.dispatch.routing import after_return
from services.dispatch.work_order import sent
from shared.asked import Asked
from shared.complaint import Case, Complaint, DisputeAsked, Held, Order, ReturnAsked, question
from shared.events import DispatchFact, ReturnApproved, ReturnRejected, ReturnRequested
from shared.ids import ComplaintId, UnitId
from shared.inputs import RequestReturn, ReviewReturn
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.seeing import CaseOf, Seeing
from shared.text import quoted


@decides(RequestReturn, "return")
def request_return(command: RequestReturn, asked: Asked, case: Complaint) -> Said:
    """Unsigned, and at most so often; each request counts, approved or not."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = _not_returned(command, case, order)
    if why is not None:
        return Refusal(why)
    return [
        ReturnRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reason=command.reason,
            evidence=command.evidence,
            suggested_unit=None if command.suggested_unit is None else UnitId(command.suggested_unit),
            requested_at=asked.at,
        )
    ]


def _not_returned(command: RequestReturn, case: Complaint, order: Order) -> str | None:
    returns_max = ruleset(case.ruleset).returns_max
    if order.kept:  # T4: one wins, the other is refused and recorded
        return "the order is signed"
    if case.accused is not None:
        return "supervision keeps it (R9)"
    if case.settled:
        return "a council has named the unit"
    if command.suggested_unit == order.unit:
        return f"suggested_unit: {order.unit} is who returns it"
    if case.returns >= returns_max:
        return (
            f"a return was asked for {case.returns} times already, at most {returns_max}; "
            "the present unit leads, or a council decides (R12)"
        )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedToReviewReturn(Asked, Seeing):
    """A review of a return: it is decided on the complaints this one is linked to, if nobody says where."""

    command: ReviewReturn

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        """See `Seeing.sees`."""
        if not isinstance(case, Complaint) or not self.command.approved:
            return ()
        return firsts(case, case_of)


@decides_knowing(ReviewReturn, "return")
def review_return(command: ReviewReturn, asked: Asked, case: Complaint, catalogue: Catalogue) -> Said:
    """Approved, the order is sent on: to whom the reviewer names, else the unit, else a correction, else the first."""
    order = decidable(case, command.assignment)
    if isinstance(order, Held) and not case.reopened and question(order, DisputeAsked) is not None:
        return Refusal("a council decides on what is disputed")
    return reviewed(
        command,
        asked,
        case,
        ReturnRejected,
        of=ReturnAsked,
        cannot=lambda order: _not_reviewed(command, order, catalogue),
        approved=lambda order, wanted: _returned(command, asked, case, order, wanted, catalogue),
    )


def _not_reviewed(command: ReviewReturn, order: Held, catalogue: Catalogue) -> str | None:
    if command.to_unit is not None and command.to_unit not in catalogue.units:
        return f"to_unit: {quoted(command.to_unit)} is not in catalogue {catalogue.version}"
    if command.approved and command.to_unit == order.unit:
        return f"to_unit: {order.unit} is who returns it; to leave it there the return is rejected"
    return None


def _returned(
    command: ReviewReturn,
    asked: Asked,
    case: Complaint,
    order: Held,
    wanted: ReturnAsked,
    catalogue: Catalogue,
) -> Sequence[DispatchFact]:
    led = followed(case, asked.seen, catalogue)
    # A correction that is not followed yet counts too; a record's own correction goes before the first's unit.
    named = named_since(case, order, catalogue)
    told = None if command.to_unit is None else UnitId(command.to_unit)
    wished = (told, wanted.suggested_unit, *(one.unit for one in (named, led) if one is not None))
    return [
        ReturnApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reviewer=command.reviewer,
            approved_at=asked.at,
        ),
        *sent(case, after_return(catalogue, wished, case.district, order.unit), asked.at, catalogue),
    ]
