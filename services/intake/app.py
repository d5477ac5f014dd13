"""Intake's composition root: which doors, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.intake import rules
from services.intake.inbound import calls, requests
from services.intake.settings import Settings
from services.intake.views import KnowledgeBase
from shared.complaint import Case
from shared.doors.host import Host
from shared.doors.process import Process
from shared.events import IntakeFact
from shared.runtime.clock import Clock
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS


async def run(settings: Settings, host: Host | None = None, clock: Clock | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or on a host with others.

    It goes by real time where no `clock` is given.
    """
    base = KnowledgeBase(settings.postgres, settings.knowledge_seconds)

    def decide(command: Any, case: Case) -> Sequence[IntakeFact]:
        return rules.decide(command, case, base.articles)

    async with base, Process("intake", settings, decide, host, clock=clock, look=base.look) as process:
        process.opens(INTAKE_REQUESTS, requests(settings, process.clock))
        process.opens(TELEPHONY_CALLS, calls(process.clock), patient=True)
        await process.work()
