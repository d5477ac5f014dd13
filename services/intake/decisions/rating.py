"""The citizen rates the handling (评价), at any time (R7). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.on_record import on_record, refused
from shared.complaint import Case
from shared.events import IntakeFact, RatingGiven
from shared.ids import ComplaintId
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRating:
    """The citizen says what he thinks of how it is handled."""

    complaint_id: ComplaintId
    satisfied: bool
    comment: str
    channel: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


def rate(command: GiveRating, case: Case) -> Sequence[IntakeFact]:
    """R7: the citizen may say what he thinks at any time; nothing follows from it but that it is on record."""
    case = on_record(command, case)
    if case.rated_at is not None and command.at < case.rated_at:
        why = f"a later rating is on record, of {stated(case.rated_at, case.ruleset)}"
        return [refused("rate", why, case, command.at)]
    return [
        RatingGiven(
            complaint_id=case.complaint_id,
            satisfied=command.satisfied,
            comment=command.comment,
            channel=command.channel,
            rated_at=command.at,
        )
    ]
