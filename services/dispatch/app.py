"""Dispatch's composition root: which doors, which log, which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.dispatch import rules
from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings
from shared.complaint import Case
from shared.doors.host import Host
from shared.doors.process import Process
from shared.events import DispatchFact
from shared.policy.catalogue import catalogue
from shared.runtime.clock import Clock
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS


async def run(settings: Settings, host: Host | None = None, clock: Clock | None = None) -> None:
    """Open what production needs, work until told to stop, close in reverse; alone, or on a host with others.

    It goes by real time where no `clock` is given.
    """
    known = catalogue(settings.catalogue)

    def decide(command: Any, case: Case) -> Sequence[DispatchFact]:
        return rules.decide(command, case, known)

    async with Process("dispatch", settings, decide, host, clock=clock) as process:
        process.hears_log(rules.REACTS, rules.react)
        process.opens(DISPATCH_REPLIES, replies(settings, process.clock), patient=True)
        process.opens(DISPATCH_REVIEWS, reviews(process.clock, settings.topic_prefix))
        await process.work()
