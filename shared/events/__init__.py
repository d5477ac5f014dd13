"""The published language: everything that can happen to a complaint. Dispatch's facts stand in three files."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from shared.events import dispatch, escalation, feedback, intake, limit_steps, whistle
from shared.events.base import *
from shared.events.dispatch import *
from shared.events.escalation import *
from shared.events.feedback import *
from shared.events.intake import *
from shared.events.limit_steps import *
from shared.events.whistle import *


def facts_of(matter: ModuleType) -> tuple[type[Fact], ...]:
    """The facts that stand in this file, in its order."""
    return tuple(
        kind
        for kind in vars(matter).values()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind.__module__ == matter.__name__
    )


SPEAKERS: Final[dict[type[Fact], DeskName]] = {
    kind: kind.SPEAKER
    for matter in (intake, dispatch, limit_steps, whistle, escalation, feedback)
    for kind in facts_of(matter)
}
"""Every fact, and the one desk that may state it."""

REFUSALS: Final = (IntakeRefused, ReplyRefused, VisitAnswerRefused)
"""The facts that change nothing of what is asked for: they may be stated at any time, even after the end."""
