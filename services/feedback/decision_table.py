"""Which decision of feedback answers which command. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.complaint import Complaint
from shared.decision_table import DecisionTable
from shared.events import FeedbackFact
from shared.policy.catalogue import Catalogue

DECISIONS: Final = DecisionTable[Complaint, Catalogue, Sequence[FeedbackFact]]()

decides = DECISIONS.decides
decides_knowing = DECISIONS.decides_knowing
"""For a decision that looks at the catalogue too."""
