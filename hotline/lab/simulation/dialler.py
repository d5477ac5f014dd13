"""The dialler: asks citizens, and the citizens' word on whether it is solved."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.seeded_random import SeededRandom
from hotline.lab.simulation.units import claims_solved
from shared import inputs
from shared.events import VisitReason, VisitScheduled
from shared.inputs import Input
from shared.topics import FEEDBACK_VISIT_RESULTS

UNREACHED: Final = 0.12
SOLVED_AS_CLAIMED: Final = 0.90
SOLVED_THOUGH_NOT_CLAIMED: Final = 0.25
SOLVED_AT_EXPIRY: Final = 0.35
"""The limit is over and nobody has answered; some things have been done all the same."""
SATISFIED_IF_SOLVED: Final = 0.93
SATISFIED_IF_NOT: Final = 0.08

_UNREACHED: Final = ("no_answer", "busy", "switched_off")


def dial(seed: int, visit: VisitScheduled) -> PlannedInput:
    """One attempt, ten minutes to eight hours after it may be made."""
    complaint = visit.complaint_id
    rng = SeededRandom(seed, complaint, "visit", str(visit.visit), str(visit.attempt))
    data: Input
    minutes = rng.whole(10, 480)
    channel = visit.channel or "phone"
    if rng.chance(UNREACHED):
        data = inputs.RecordUnreached(
            complaint_id=complaint,
            visit=visit.visit,
            attempt=visit.attempt,
            cause=rng.pick(_UNREACHED),
            channel=channel,
        )
    else:
        if visit.reason is VisitReason.EXPIRED:
            likely = SOLVED_AT_EXPIRY
        elif claims_solved(seed, complaint, visit.round):
            likely = SOLVED_AS_CLAIMED
        else:
            likely = SOLVED_THOUGH_NOT_CLAIMED
        solved = rng.chance(likely)
        data = inputs.RecordVisit(
            complaint_id=complaint,
            visit=visit.visit,
            attempt=visit.attempt,
            channel=channel,
            solved=solved,
            satisfied=rng.chance(SATISFIED_IF_SOLVED if solved else SATISFIED_IF_NOT),
            reason="" if solved else "问题仍未解决",
        )
    return PlannedInput(
        at=max(visit.visit_at, visit.scheduled_at) + timedelta(minutes=minutes),
        line=FEEDBACK_VISIT_RESULTS,
        key=complaint,
        source="/city/dialler",
        event_id=f"{complaint}/visit-{visit.visit}-{visit.attempt}",
        data=data,
        complaint=complaint,
    )
