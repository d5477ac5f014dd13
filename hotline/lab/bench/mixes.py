"""The two mixes of the rehearsed city, lived one after the other by its conductor on the stack of a benchmark.

The conductor waits for every desk after each wave, so its rates say nothing of the most that the system carries. They
are there to compare the mixes: a life of the full mix has more facts, and more kinds of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from deploy.city import making, served
from deploy.city.endpoints import CityEndpoints
from deploy.supervision.supervisor import Supervisor
from hotline.lab.acknowledged import lost
from hotline.lab.bench.stage import TRACES_RATIO, BenchCity
from hotline.lab.desks.city import LIVED, prepare
from hotline.lab.mix import Mix
from hotline.lab.simulation.asked_for import AskedFor
from hotline.lab.simulation.city import SimulatedDay
from hotline.lab.simulation.conductor import Summary
from services.intake.knowledge.base import load_where_empty
from shared.policy.catalogue import catalogue

SCALE: Final = 0.02
"""Of Beijing's day: 1,400 calls."""
SCALE_QUICK: Final = 0.005
DIRECT_FACTS: Final = 3
"""Facts of a life that ends with a direct answer."""


class LivedMix(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one mix, lived to its end."""

    mix: Mix
    lives: int
    orders: int
    """Lives that became work orders."""
    inputs: int
    facts: int
    seconds: float
    asked_for: dict[str, AskedFor]
    wrong: list[str]

    @property
    def lives_per_second(self) -> float:
        """By the conductor, waves and all."""
        return self.lives / self.seconds

    @property
    def facts_an_order(self) -> float:
        """Facts in the log for each work order; those of direct answers are left out."""
        return (self.facts - DIRECT_FACTS * (self.lives - self.orders)) / max(self.orders, 1)


async def lived_mixes(here: BenchCity, run: str, scale: float, say: Callable[[str], None]) -> list[LivedMix]:
    """Both mixes of the same day; `run` begins the names of their cities, which no other run may have."""
    return [await _lived(here, f"{run}mix{mix}", mix, scale, say) for mix in (Mix.PLAIN, Mix.FULL)]


async def _lived(here: BenchCity, name: str, mix: Mix, scale: float, say: Callable[[str], None]) -> LivedMix:
    say(f"the mix {mix}: a day at {scale:g} of Beijing, by the conductor")
    known = catalogue()
    endpoints = await making.create(
        here.addresses, name, known.units, retention=LIVED.retention, simulated=True
    )
    await prepare(endpoints.owner_dsn)
    await load_where_empty(endpoints.login("editor"))
    logs = here.catalogue.parent / "logs" / endpoints.name
    supervisor = Supervisor(
        served.services(endpoints, logs, served=LIVED, traces_ratio=TRACES_RATIO), stack=None, say=say
    )
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    try:
        day = SimulatedDay(
            kafka=endpoints.outside,
            postgres=endpoints.owner_dsn,
            prefix=endpoints.prefix,
            catalogue=known,
            scale=scale,
            mix=mix,
        )
        summary = await day.live()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await supervisor.stop()
    return LivedMix(
        mix=mix,
        lives=summary.requests,
        orders=summary.requests - summary.answered_directly,
        inputs=sum(summary.inputs.values()),
        facts=sum(summary.facts.values()),
        seconds=summary.elapsed_seconds,
        asked_for=dict(summary.asked_for),
        wrong=await _wrong_with(endpoints, mix, summary),
    )


async def _wrong_with(endpoints: CityEndpoints, mix: Mix, summary: Summary) -> list[str]:
    gone = await lost(endpoints.logins["reader"], endpoints.prefix, summary.acknowledged_inputs)
    found = [f"mix {mix}: {one.source} {one.event_id} is lost" for one in sorted(gone)]
    return [*found, *([f"mix {mix}: {summary.open} lives are still open"] if summary.open else [])]
