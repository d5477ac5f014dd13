"""How a refusal reads: which desk did not let whom do what, and why."""

from __future__ import annotations

from typing import Protocol

from shared.events import IntakeRefused, ReplyRefused, VisitAnswerRefused

Refusal = IntakeRefused | ReplyRefused | VisitAnswerRefused


class Refused(Protocol):
    """Any refusal; only its reason is read."""

    @property
    def reason(self) -> str:
        """Why it cannot be, without a full stop."""
        ...


def worded(refusal: Refusal) -> tuple[str, str]:
    """The desk that refused, and what it did not let somebody do; for all who were not there."""
    match refusal:
        case IntakeRefused():
            return "intake", f"refused to {refusal.asked}: {refusal.reason}"
        case ReplyRefused():
            who = refusal.asked_by or refusal.unit
            return "dispatch", f"did not let {who} {refusal.asked}: {refusal.reason}"
        case VisitAnswerRefused():
            if refusal.asked_by:
                return "feedback", f"did not let {refusal.asked_by} {refusal.asked}: {refusal.reason}"
            return "feedback", f"refused to {refusal.asked}: {refusal.reason}"


def answer(refusal: Refused) -> str:
    """The sentence for the person who asked."""
    return f"Refused: {refusal.reason}."
