"""`python -m services`: all four desks in one process, for a small town; the relay stays its own.

Each desk takes the same variables as in a process of its own (`INTAKE_KAFKA`, `DISPATCH_CATALOGUE`, …).
Nothing it leaves in Kafka or PostgreSQL depends on its process. So a city may change from four processes to
one and back at any start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from services.dispatch import app as dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.escalation import app as escalation
from services.escalation.settings import Settings as EscalationSettings
from services.feedback import app as feedback
from services.feedback.settings import Settings as FeedbackSettings
from services.intake import app as intake
from services.intake.settings import Settings as IntakeSettings
from shared.doors.host import Host
from shared.ids import TOGETHER
from shared.runtime.settings import CommonSettings

Run = Callable[[Any, Host], Coroutine[Any, Any, None]]
"""A desk's composition root: its own settings, and the host it sits on."""


async def run(at_intake: Run, at_dispatch: Run, at_escalation: Run, at_feedback: Run) -> None:
    """Have all four work until told to stop; where one cannot go on, all end."""
    told: list[tuple[Run, CommonSettings]] = [
        (at_intake, IntakeSettings()),
        (at_dispatch, DispatchSettings()),
        (at_escalation, EscalationSettings()),
        (at_feedback, FeedbackSettings()),
    ]
    in_one_place(*(settings for _, settings in told))
    host = Host(TOGETHER, told[0][1], desks=len(told))
    async with asyncio.TaskGroup() as desks:
        for works, settings in told:
            desks.create_task(works(settings, host))


def in_one_place(*settings: CommonSettings) -> None:
    """Refuse settings that put desks of one process at different Kafkas or in different cities."""
    places = {(one.kafka, one.topic_prefix) for one in settings}
    if len(places) > 1:
        message = f"desks in one process need the same KAFKA and TOPIC_PREFIX, not {sorted(places)}"
        raise ValueError(message)


if __name__ == "__main__":
    asyncio.run(run(intake.run, dispatch.run, escalation.run, feedback.run))
