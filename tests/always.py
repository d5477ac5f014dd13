"""What must hold of every desk's rules, whatever has happened."""

from __future__ import annotations

from functools import reduce

from hypothesis import HealthCheck, given, settings

from shared.complaint import Complaint, evolve, head_of, head_text
from shared.events import SPEAKERS, Desk, IntakeRefused, ReplyRefused, VisitAnswerRefused
from tests.examples import FACTS
from tests.lives import Life, Step, decided, desk_of, steps

REFUSALS = (IntakeRefused, ReplyRefused, VisitAnswerRefused)
LIVES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def holds_always(desk: Desk) -> None:
    """Told twice says once; only its own facts; evolve never refuses; a head comes back as it was."""

    @LIVES
    @given(steps())
    def lived(happened: list[Step]) -> None:
        life = Life()
        for step in happened:
            life.waits(step.wait)
            command = life.meant_by(step)
            if command is not None and desk_of(command) is desk:
                said = decided(command, life.case)
                assert all(SPEAKERS[type(fact)] is desk for fact in said)
                after = reduce(evolve, said, life.case)
                again = decided(command, after)
                assert all(isinstance(fact, REFUSALS) for fact in again), again
            life.lives(step._replace(wait=step.wait if isinstance(step.wait, str) else step.wait * 0))
            assert isinstance(life.case, Complaint)
            assert head_of(head_text(life.case)) == life.case
            for fact in FACTS:  # whatever fact came next, it would be taken into account
                evolve(life.case, fact)

    lived()
