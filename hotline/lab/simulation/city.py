"""Beijing's day, lived to the end of its last complaint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hotline.lab.mix import Mix
from hotline.lab.simulation.conductor import LATER, Conductor, RehearsalProgress, Summary
from hotline.lab.simulation.full_mix import people_of
from hotline.lab.simulation.population import Beijing
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue

DAY: Final = datetime(2021, 9, 27, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A Monday, the first after the Regulation; the National Day holidays lie in its complaints' way."""

STEP: Final = timedelta(days=40)
"""The day and what follows from it in one: how large a step is changes no fact."""
WATCHED_STEP: Final = timedelta(minutes=30)
WATCHED_LATER: Final = timedelta(days=1)
"""The steps of a day that somebody watches: pages then show a time at which what they show is so."""


class SimulatedDay:
    """One day of the city on a running system. The services must run with `time` = rehearsal."""

    def __init__(
        self,
        *,
        kafka: str,
        postgres: str,
        prefix: str,
        catalogue: Catalogue,
        seed: int = 1,
        scale: float = 1.0,
        start: datetime = DAY,
        step: timedelta = STEP,
        later: timedelta = LATER,
        mix: Mix = Mix.FULL,
    ) -> None:
        """`postgres` may read the log and write lab.city_clock; `scale` 1 is 70,000 calls; `start` a midnight.

        The catalogue must be the one the desks use.
        """
        people = Beijing(catalogue, seed=seed, scale=scale, day=start)
        self._conductor = Conductor(
            people_of(mix, people, catalogue, seed=seed),
            kafka=kafka,
            postgres=postgres,
            prefix=prefix,
            units=tuple(catalogue.units),
            start=start,
            step=step,
            later=later,
        )

    @property
    def acknowledged_requests(self) -> set[ComplaintId]:
        """The complaints whose request Kafka has acknowledged so far: none may be missing from the log."""
        return self._conductor.acknowledged_requests

    async def live(self, on_progress: Callable[[RehearsalProgress], None] = lambda _: None) -> Summary:
        """Live the day until its last complaint has ended; see `Conductor.live`."""
        return await self._conductor.live(on_progress)
