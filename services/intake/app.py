"""Intake's composition root: which doors, which log, which rule."""

from __future__ import annotations

from services.intake.inbound import calls, requests
from services.intake.rules import decide
from services.intake.settings import Settings
from shared.company import Company
from shared.process import Process
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS


async def run(settings: Settings, company: Company | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or in a company of desks."""
    async with Process("intake", settings, decide, company) as process:
        process.opens(
            "requests",
            requests(settings, process.clock),
            topic=settings.topic_prefix + INTAKE_REQUESTS.name,
        )
        process.opens(
            "calls",
            calls(process.clock),
            topic=settings.topic_prefix + TELEPHONY_CALLS.name,
            patient=True,
        )
        await process.work()
