"""A complaint goes to the one unit that must act: at first, and in each further round (D1, R12). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.dispatch.decisions.corrections import next_round
from services.dispatch.matters import firsts, followed
from services.dispatch.routing import routed, to_supervision
from services.dispatch.work_order import sent
from shared.complaint import Case, Complaint
from shared.events import DispatchFact
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue
from shared.seeing import CaseOf, Seeing


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchComplaint(Seeing):
    """Send the complaint to the unit that must act; after a reopening, to the same unit or whom a correction names."""

    complaint_id: ComplaintId
    seen: Mapping[ComplaintId, Complaint] = field(default_factory=dict)
    """The complaints it is linked to, for its first order."""
    at: datetime

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        """See `Seeing.sees`."""
        if not isinstance(case, Complaint) or case.order is not None or case.accused is not None:
            return ()
        return firsts(case, case_of)


def dispatch(command: DispatchComplaint, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """Nothing where it has its order, or where its life has ended."""
    if case.ended is not None or (case.order is not None and not case.reopened):
        return []
    if case.order is not None:
        return next_round(case, case.order, command.at, catalogue)
    reason = f"the catalogue's line for {case.subject}"
    if case.accused is not None:
        to = to_supervision(catalogue, case.accused)
    else:
        led = followed(case, command.seen, catalogue)
        to = led or routed(catalogue, case.subject, case.district, case.street)
        reason = reason if led is None else "helps with the first complaint of this matter"
    return sent(case, to, command.at, catalogue, to.co_units, added_by=catalogue.version, reason=reason)
