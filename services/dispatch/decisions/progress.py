"""The unit says how far it is (办理进展), and the citizen is told (R7). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held, overtaken, unsigned
from shared.asked import Asked
from shared.complaint import Complaint
from shared.events import ProgressReported
from shared.inputs import ReportProgress


@decides(ReportProgress, "report progress")
def report_progress(command: ReportProgress, asked: Asked, case: Complaint) -> Said:
    """R7: the citizen may know how far it is; it meets no limit and is no answer."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = unsigned(order) or overtaken(order.progress_at, asked.at, case)
    if why is not None:
        return Refusal(why)
    return [
        ProgressReported(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            stage_feedback=command.stage_feedback,
            text=command.text,
            reported_at=asked.at,
        )
    ]
