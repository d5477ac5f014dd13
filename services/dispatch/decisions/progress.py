"""The unit says how far it is (办理进展), and the citizen is told (R7). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import OrderReply, Refusal, Said, held, overtaken, unsigned
from shared.complaint import Complaint
from shared.events import ProgressReported


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress(OrderReply):
    """The unit says how far it is."""

    ASKED = "report progress"

    text: str
    stage_feedback: bool


def report_progress(command: ReportProgress, case: Complaint) -> Said:
    """R7: the citizen may know how far it is; it meets no limit and is no answer."""
    order = held(command, case)
    if isinstance(order, Refusal):
        return order
    why = unsigned(order) or overtaken(order.progress_at, command.at, case)
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
            reported_at=command.at,
        )
    ]
