"""Which decision of dispatch answers which command, and how a refusal names the command. Pure."""

from __future__ import annotations

from typing import Final

from services.dispatch.guards import Said
from shared.complaint import Complaint
from shared.decision_table import DecisionTable
from shared.inputs import Input
from shared.policy.catalogue import Catalogue

DECISIONS: Final = DecisionTable[Complaint, Catalogue, Said]()

decides = DECISIONS.decides
decides_knowing = DECISIONS.decides_knowing
"""For a decision that looks at the catalogue too."""


def asked_for(command: Input) -> str:
    """How a refusal names the command; of a review it says which way it went."""
    words = DECISIONS.words_of(command)
    approved: bool | None = getattr(command, "approved", None)
    return words if approved is None else f"{'approve' if approved else 'reject'} the {words}"
