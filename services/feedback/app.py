"""Feedback's composition root: which doors, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.feedback import rules
from services.feedback.inbound import answers, exceptions
from services.feedback.settings import Settings
from shared.complaint import Case
from shared.doors.host import Company
from shared.doors.process import Process
from shared.events import FeedbackFact
from shared.policy.catalogue import catalogue
from shared.topics import FEEDBACK_ANSWERS, FEEDBACK_EXCEPTIONS


async def run(settings: Settings, company: Company | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or in a company of desks."""
    known = catalogue(settings.catalogue)

    def decide(command: Any, case: Case) -> Sequence[FeedbackFact]:
        return rules.decide(command, case, known)

    async with Process("feedback", settings, decide, company) as process:
        process.hears_log(rules.REACTS, rules.react, patient=True)
        process.opens(FEEDBACK_ANSWERS, answers(process.clock, settings.topic_prefix), patient=True)
        process.opens(FEEDBACK_EXCEPTIONS, exceptions(process.clock, settings.topic_prefix))
        await process.work()
