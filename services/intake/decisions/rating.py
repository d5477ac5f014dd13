"""The citizen rates the handling (评价), at any time (R7). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.decision_table import decides
from services.intake.on_record import on_record, refused
from shared.asked import Asked
from shared.complaint import Case
from shared.events import IntakeFact, RatingGiven
from shared.inputs import GiveRating
from shared.times import stated


@decides(GiveRating)
def rate(command: GiveRating, asked: Asked, case: Case) -> Sequence[IntakeFact]:
    """R7: the citizen may say what he thinks at any time; nothing follows from it but that it is on record."""
    case = on_record(command, asked, case)
    if case.rated_at is not None and asked.at < case.rated_at:
        why = f"a later rating is on record, of {stated(case.rated_at, case.ruleset)}"
        return [refused("rate", why, case, asked.at)]
    return [
        RatingGiven(
            complaint_id=case.complaint_id,
            satisfied=command.satisfied,
            comment=command.comment,
            channel=command.channel,
            rated_at=asked.at,
        )
    ]
