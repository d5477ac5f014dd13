"""Feedback's composition root: which doors, which log, which rule."""

from __future__ import annotations

from services.feedback import rules
from services.feedback.inbound import answers, exceptions
from services.feedback.settings import Settings
from shared.company import Company
from shared.process import Process
from shared.topics import FEEDBACK_ANSWERS, FEEDBACK_EXCEPTIONS


async def run(settings: Settings, company: Company | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or in a company of desks."""
    async with Process("feedback", settings, rules.decide, company) as process:
        process.hears_log(rules.REACTS, rules.react, patient=True)
        process.opens(FEEDBACK_ANSWERS, answers(process.clock), patient=True)
        process.opens(FEEDBACK_EXCEPTIONS, exceptions(process.clock))
        await process.work()
