"""The rules of intake; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake import decisions
from services.intake.decision_table import DECISIONS
from services.intake.knowledge.rule import NO_BASE, Articles
from shared.asked import Asked
from shared.complaint import Case
from shared.events import IntakeFact
from shared.topics import INTAKE_REQUESTS

DECISIONS.read(decisions, INTAKE_REQUESTS)

IntakeCommand = Asked
"""Intake tells itself nothing: citizens and agents ask for everything."""


def decide(command: IntakeCommand, case: Case, known: Articles = NO_BASE) -> Sequence[IntakeFact]:
    """Say what must now be true; nothing, if it already is. `known`: the knowledge base, as intake knows it (B2)."""
    return DECISIONS.decide(command, case, known)
