"""`python -m services`: all four desks in one process, for a small town; the relay stays its own.

Each desk is told what it is always told, by the same variables (`INTAKE_KAFKA`, `DISPATCH_CATALOGUE`, …), and
nothing it leaves in Kafka or PostgreSQL says in which process it sat: a city may change from four processes
to one and back at any start.
"""

from __future__ import annotations

import asyncio

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


async def run(
    to_intake: IntakeSettings,
    to_dispatch: DispatchSettings,
    to_escalation: EscalationSettings,
    to_feedback: FeedbackSettings,
) -> None:
    """Have all four work until told to stop; where one cannot go on, all end."""
    in_one_place(to_intake, to_dispatch, to_escalation, to_feedback)
    host = Host(TOGETHER, to_intake, desks=4)
    async with asyncio.TaskGroup() as desks:
        desks.create_task(intake.run(to_intake, host))
        desks.create_task(dispatch.run(to_dispatch, host))
        desks.create_task(escalation.run(to_escalation, host))
        desks.create_task(feedback.run(to_feedback, host))


def in_one_place(*settings: CommonSettings) -> None:
    """Refuse settings that put desks of one process at different Kafkas or in different cities."""
    places = {(one.kafka, one.topic_prefix, one.time) for one in settings}
    if len(places) > 1:
        message = f"desks in one process need the same KAFKA, TOPIC_PREFIX and TIME, not {sorted(places)}"
        raise ValueError(message)


if __name__ == "__main__":
    asyncio.run(run(IntakeSettings(), DispatchSettings(), EscalationSettings(), FeedbackSettings()))
