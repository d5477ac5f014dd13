"""Escalation's composition root: the tick, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.escalation import rules
from services.escalation.inbound import Ticker
from services.escalation.settings import Settings
from shared.complaint import Case
from shared.doors.host import Company
from shared.doors.process import Process
from shared.events import EscalationFact
from shared.policy.catalogue import catalogue


async def run(settings: Settings, company: Company | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or in a company of desks."""
    known = catalogue(settings.catalogue)

    def decide(command: Any, case: Case) -> Sequence[EscalationFact]:
        return rules.decide(command, case, known)

    async with Process("escalation", settings, decide, company) as process:
        await process.work(Ticker(settings, process.desk("tick")).run())
