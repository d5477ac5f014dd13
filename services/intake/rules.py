"""The rules of intake; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from services.intake.decisions.correction import CorrectRequest, correct
from services.intake.decisions.rating import GiveRating, rate
from services.intake.decisions.recording import RecordRequest, record
from services.intake.decisions.repeats import RepeatRequest, repeat
from services.intake.decisions.supplement import SupplementRequest, supplement
from services.intake.decisions.withdrawal import WithdrawRequest, withdraw
from services.intake.knowledge.rule import NO_BASE, Articles
from shared.complaint import Case
from shared.events import IntakeFact

IntakeCommand = (
    RecordRequest | WithdrawRequest | CorrectRequest | SupplementRequest | RepeatRequest | GiveRating
)


def decide(command: IntakeCommand, case: Case, known: Articles = NO_BASE) -> Sequence[IntakeFact]:
    """Say what must now be true; nothing, if it already is. `known`: the knowledge base, as intake knows it (B2)."""
    match command:
        case RecordRequest():
            return record(command, case, known)
        case WithdrawRequest():
            return withdraw(command, case)
        case CorrectRequest():
            return correct(command, case)
        case SupplementRequest():
            return supplement(command, case)
        case RepeatRequest():
            return repeat(command, case)
        case GiveRating():
            return rate(command, case)
        case _:
            assert_never(command)
