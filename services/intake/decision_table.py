"""Which decision of intake answers which command. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.intake.knowledge.rule import Articles
from shared.complaint import Case
from shared.decision_table import DecisionTable
from shared.events import IntakeFact

DECISIONS: Final = DecisionTable[Case, Articles, Sequence[IntakeFact]]()

decides = DECISIONS.decides
decides_knowing = DECISIONS.decides_knowing
"""For a decision that looks at the knowledge base too (B2)."""
