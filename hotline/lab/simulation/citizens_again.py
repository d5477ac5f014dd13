"""A citizen speaks again: adds to the request, repeats it, rates it. All is drawn from the request's own number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from hotline.lab.simulation.behaviour import Behaviour
from hotline.lab.simulation.hands import hours, in_milliseconds
from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.seeded_random import SeededRandom
from shared.inputs import GiveRating, Input, RecordRequest, RepeatRequest, SupplementRequest

ONCE_MORE: Final = 0.5
"""Of those who repeat: those who do so a second time."""
SATISFIED: Final = 0.4
"""Of ratings that nobody asked for (an assumption: who complains, rates)."""

_MORE: Final = ("补充:情况仍在持续。", "补充:现场照片已留存。", "补充:相关单位尚未联系。")


def said_again(seed: int, rates: Behaviour, recorded: PlannedInput) -> Iterator[PlannedInput]:
    """Gives the later words about a request on which somebody must act; none about a direct answer."""
    request = recorded.data
    if not isinstance(request, RecordRequest) or request.article_id is not None:
        return
    about = request.request_id
    rng = SeededRandom(seed, about, "full", "supplement")
    if rng.chance(rates.rate(SupplementRequest)):
        more = SupplementRequest(request_id=about, text=rng.pick(_MORE), recorded_by=request.recorded_by)
        yield _said(recorded, recorded.at + hours(rng.between(0.5, 48)), "supplemented", more)
    rng = SeededRandom(seed, about, "full", "repeat")
    if rng.chance(rates.rate(RepeatRequest)):
        at = recorded.at
        for number in (1, 2) if rng.chance(ONCE_MORE) else (1,):
            at += hours(rng.between(2, 60))
            again = RepeatRequest(
                request_id=about, repeat_id=f"again-{number}-{about}", recorded_by=request.recorded_by
            )
            yield _said(recorded, at, f"repeated-{number}", again)
    rng = SeededRandom(seed, about, "full", "rating")
    if rng.chance(rates.rate(GiveRating)):
        rated = GiveRating(request_id=about, satisfied=rng.chance(SATISFIED), channel="app")
        yield _said(recorded, recorded.at + hours(rng.between(24, 480)), "rated", rated)


def _said(recorded: PlannedInput, at: datetime, what: str, data: Input) -> PlannedInput:
    name = recorded.event_id.removesuffix("/recorded")
    return recorded._replace(at=in_milliseconds(at), event_id=f"{name}/{what}", data=data, times=1)
