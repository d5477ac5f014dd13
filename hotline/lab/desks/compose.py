"""The desks' composition roots with the laboratory's ports."""

from __future__ import annotations

from hotline.lab.desks.clock import ConductedClock
from hotline.lab.desks.due import ConductedTimers
from services.dispatch import app as dispatch_app
from services.dispatch.settings import Settings as DispatchSettings
from services.escalation import app as escalation_app
from services.escalation.settings import Settings as EscalationSettings
from services.feedback import app as feedback_app
from services.feedback.settings import Settings as FeedbackSettings
from services.intake import app as intake_app
from services.intake.settings import Settings as IntakeSettings
from shared.doors.host import Host


async def intake(settings: IntakeSettings, host: Host | None = None) -> None:
    """See `services.intake.app.run`."""
    async with ConductedClock("intake", settings) as clock:
        await intake_app.run(settings, host, clock)


async def dispatch(settings: DispatchSettings, host: Host | None = None) -> None:
    """See `services.dispatch.app.run`."""
    async with ConductedClock("dispatch", settings) as clock:
        await dispatch_app.run(settings, host, clock)


async def escalation(settings: EscalationSettings, host: Host | None = None) -> None:
    """See `services.escalation.app.run`."""
    await escalation_app.run(settings, host, ConductedTimers())


async def feedback(settings: FeedbackSettings, host: Host | None = None) -> None:
    """See `services.feedback.app.run`."""
    async with ConductedClock("feedback", settings) as clock:
        await feedback_app.run(settings, host, clock)
