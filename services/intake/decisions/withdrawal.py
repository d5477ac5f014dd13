"""The citizen takes the request back (撤回). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.on_record import on_record, refused
from shared.complaint import Case, holder
from shared.events import ComplaintWithdrawn, IntakeFact
from shared.ids import ComplaintId
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest:
    """The citizen takes the request back."""

    complaint_id: ComplaintId
    reason: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


def withdraw(command: WithdrawRequest, case: Case) -> Sequence[IntakeFact]:
    """At any time before the end; the unit that has the order is told."""
    case = on_record(command, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how} at {stated(case.ended.at, case.ruleset)}"
        return [refused("withdraw", why, case, command.at)]
    return [
        ComplaintWithdrawn(
            complaint_id=command.complaint_id,
            reason=command.reason,
            recalled_unit=holder(case),
            withdrawn_at=command.at,
        )
    ]
