"""Feedback's composition root: which doors, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.feedback import rules
from services.feedback.inbound import answers, exceptions
from services.feedback.settings import Settings
from shared.complaint import Case
from shared.doors.host import Host
from shared.doors.process import Process
from shared.events import FeedbackFact
from shared.policy.catalogue import catalogue
from shared.runtime.clock import Clock
from shared.topics import FEEDBACK_EXCEPTIONS, FEEDBACK_VISIT_RESULTS


async def run(settings: Settings, host: Host | None = None, clock: Clock | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or on a host with others.

    It goes by real time where no `clock` is given.
    """
    known = catalogue(settings.catalogue)

    def decide(command: Any, case: Case) -> Sequence[FeedbackFact]:
        return rules.decide(command, case, known)

    async with Process("feedback", settings, decide, host, clock=clock) as process:
        process.hears_log(rules.REACTS, rules.react, patient=True)
        process.opens(FEEDBACK_VISIT_RESULTS, answers(process.clock, settings.topic_prefix), patient=True)
        process.opens(FEEDBACK_EXCEPTIONS, exceptions(process.clock, settings.topic_prefix))
        await process.work()
