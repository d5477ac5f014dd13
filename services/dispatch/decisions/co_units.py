"""A co-unit (协办单位) helps the unit that leads, which is the first receiver (R12). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import Refusal, Reply, ReviewerAct, Said, dispatched
from services.dispatch.work_order import helped
from shared.complaint import Complaint, Order, helping
from shared.events import CoUnitReported
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCoUnit(ReviewerAct):
    """Another unit must help."""

    ASKED = "add a co-unit"

    co_unit: UnitId
    reason: str
    added_by: str


def add_co_unit(command: AddCoUnit, case: Complaint, catalogue: Catalogue) -> Said:
    """R12: the first receiver leads, the others help; reviewers may ask one more."""
    order = dispatched(case)
    why = order.why if isinstance(order, Refusal) else _not_added(command, case, order, catalogue)
    if why is not None:
        return Refusal(why, command.co_unit)
    return helped(case, (command.co_unit,), added_by=command.added_by, reason=command.reason, at=command.at)


def _not_added(command: AddCoUnit, case: Complaint, order: Order, catalogue: Catalogue) -> str | None:
    most = ruleset(case.ruleset).co_units_max
    if case.accused is not None:
        return "nobody helps with a report of retaliation (R9)"
    if command.co_unit not in catalogue.units:
        return f"co_unit: {quoted(command.co_unit)} is not in catalogue {catalogue.version}"
    if command.co_unit == order.unit:
        return f"co_unit: {command.co_unit} leads"
    if helping(case, command.co_unit) is not None:
        return f"co_unit: {command.co_unit} helps already"
    if len(case.co_units) >= most:
        return f"{len(case.co_units)} units help already, at most {most}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsCoUnit(Reply):
    """A helping unit says what it did."""

    ASKED = "report"

    result: str


def report_as_co_unit(command: ReportAsCoUnit, case: Complaint) -> Said:
    """The helper's report goes to the unit that leads; it ends nothing."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    co_unit = helping(case, command.unit)
    if co_unit is None or case.order is None:
        return Refusal(f"{command.unit} was not asked to help")
    if co_unit.reported_at is not None:
        return Refusal(f"it reported at {stated(co_unit.reported_at, case.ruleset)}")
    return [
        CoUnitReported(
            complaint_id=case.complaint_id,
            co_unit=command.unit,
            unit=case.order.unit,
            result=command.result,
            reported_at=command.at,
        )
    ]
