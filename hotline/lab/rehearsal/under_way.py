"""Leaves a demo that is kept up with work under way: once every life has ended, the pages have nothing to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg

from deploy.city.endpoints import CityEndpoints
from hotline.lab.mix import Mix
from hotline.lab.rehearsal.period import RehearsedDays, conductor_of
from hotline.lab.rehearsal.stage import RehearsalCity
from hotline.lab.simulation.city import DAY, WATCHED_STEP
from hotline.lab.simulation.conductor import RehearsalProgress, Summary
from hotline.lab.simulation.year import midnight, period
from shared.policy.catalogue import Catalogue
from shared.versions import RULESET

DAYS: Final = 3
"""The day on which the city is left, and those before it: then some limits of hours and of a day have passed."""
LEFT_AT: Final = timedelta(hours=15, minutes=30)
"""The time of the last day at which the city is left."""
SCALE_MAX: Final = 0.05
"""Of Beijing's load: some two orders a day at each of 343 streets, and a minute to live them."""

_CLOCK: Final = "SELECT now FROM lab.city_clock"


async def leave_under_way(
    stage: RehearsalCity,
    known: Catalogue,
    *,
    seed: int,
    scale: float,
    mix: Mix,
    show: Callable[[RehearsalProgress], None] = lambda _: None,
) -> Summary:
    """Live some more days of this city, and stop in the afternoon of the last; gives what came about in them.

    `scale` 1 is Beijing's load; at most `SCALE_MAX` of it is lived.
    """
    first = await _first_day(stage.endpoints)
    load = period(first, DAYS)
    left_at = midnight(max(load)) + LEFT_AT
    days = RehearsedDays(load, min(scale, SCALE_MAX), RULESET, seed, mix)
    conductor = conductor_of(stage, known, days, step=WATCHED_STEP, ends_at=left_at)
    return replace(await conductor.live(show), city_at=left_at)


async def _first_day(endpoints: CityEndpoints) -> date:
    """The first day that begins when the city's clock is not past its midnight."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(endpoints.owner_dsn)
    try:
        now: datetime = await connection.fetchval(_CLOCK)
    finally:
        await connection.close()
    day = now.astimezone(DAY.tzinfo).date()
    return day if midnight(day) >= now else day + timedelta(days=1)
