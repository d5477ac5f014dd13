"""The citizen takes the request back (撤回). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.decision_table import decides
from services.intake.on_record import on_record, refused
from shared.asked import Asked
from shared.complaint import Case, holder
from shared.events import ComplaintWithdrawn, IntakeFact
from shared.inputs import WithdrawRequest
from shared.times import stated


@decides(WithdrawRequest)
def withdraw(command: WithdrawRequest, asked: Asked, case: Case) -> Sequence[IntakeFact]:
    """At any time before the end; the unit that has the order is told."""
    case = on_record(command, asked, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how} at {stated(case.ended.at, case.ruleset)}"
        return [refused("withdraw", why, case, asked.at)]
    return [
        ComplaintWithdrawn(
            complaint_id=asked.complaint_id,
            reason=command.reason,
            recalled_unit=holder(case),
            withdrawn_at=asked.at,
        )
    ]
