"""What holds of escalation's rules whatever has happened: see tests/always.py."""

from __future__ import annotations

from shared.events import Desk
from tests.always import holds_always


def test_told_twice_says_once_and_only_what_escalation_may_say() -> None:
    holds_always(Desk.ESCALATION)
