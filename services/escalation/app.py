"""Escalation's composition root: the tick, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.escalation import rules
from services.escalation.due import DueTimers
from services.escalation.settings import Settings
from services.escalation.ticker import Ticker
from shared.complaint import Case
from shared.doors.host import Host
from shared.doors.process import Process
from shared.events import EscalationFact
from shared.policy.catalogue import catalogue


async def run(settings: Settings, host: Host | None = None, due: DueTimers | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or on a host with others.

    `due` says which timers are due, the log's own present where it is not given.
    """
    known = catalogue(settings.catalogue)

    def decide(command: Any, case: Case) -> Sequence[EscalationFact]:
        return rules.decide(command, case, known)

    async with Process("escalation", settings, decide, host) as process:
        await process.work(Ticker(settings, process.desk("tick"), due).run())
