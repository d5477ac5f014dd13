"""A co-unit (协办单位) helps the unit that leads, which is the first receiver (R12). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides, decides_knowing
from services.dispatch.guards import Refusal, Said, dispatched
from services.dispatch.work_order import helped
from shared.asked import Asked
from shared.complaint import Complaint, Order, helping
from shared.events import CoUnitReported
from shared.ids import UnitId
from shared.inputs import AddCoUnit, ReportAsCoUnit
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted
from shared.times import stated


@decides_knowing(AddCoUnit, "add a co-unit")
def add_co_unit(command: AddCoUnit, asked: Asked, case: Complaint, catalogue: Catalogue) -> Said:
    """R12: the first receiver leads, the others help; reviewers may ask one more."""
    order = dispatched(case)
    co_unit = UnitId(command.co_unit)
    why = order.why if isinstance(order, Refusal) else _not_added(co_unit, case, order, catalogue)
    if why is not None:
        return Refusal(why, co_unit)
    return helped(case, (co_unit,), added_by=command.added_by, reason=command.reason, at=asked.at)


def _not_added(co_unit: UnitId, case: Complaint, order: Order, catalogue: Catalogue) -> str | None:
    most = ruleset(case.ruleset).co_units_max
    if case.accused is not None:
        return "nobody helps with a report of retaliation (R9)"
    if co_unit not in catalogue.units:
        return f"co_unit: {quoted(co_unit)} is not in catalogue {catalogue.version}"
    if co_unit == order.unit:
        return f"co_unit: {co_unit} leads"
    if helping(case, co_unit) is not None:
        return f"co_unit: {co_unit} helps already"
    if len(case.co_units) >= most:
        return f"{len(case.co_units)} units help already, at most {most}"
    return None


@decides(ReportAsCoUnit, "report")
def report_as_co_unit(command: ReportAsCoUnit, asked: Asked, case: Complaint) -> Said:
    """The helper's report goes to the unit that leads; it ends nothing."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    co_unit = helping(case, asked.unit)
    if co_unit is None or case.order is None:
        return Refusal(f"{asked.unit} was not asked to help")
    if co_unit.reported_at is not None:
        return Refusal(f"it reported at {stated(co_unit.reported_at, case.ruleset)}")
    return [
        CoUnitReported(
            complaint_id=case.complaint_id,
            co_unit=asked.unit,
            unit=case.order.unit,
            result=command.result,
            reported_at=asked.at,
        )
    ]
