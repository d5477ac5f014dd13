"""The year estimated from a rehearsal of some of its days."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import msgspec

from deploy.city.endpoints import CityEndpoints
from hotline.lab.mix import Mix
from hotline.lab.simulation.asked_for import AskedFor
from hotline.lab.simulation.conductor import Summary
from hotline.lab.simulation.year import ORDERS
from shared.events import VisitMade
from shared.log.heads import fetch, over_bodies
from shared.unreadable import UnreadableRows

BAR_MINUTES: Final = 90
"""In how many minutes a year is to be lived through."""

_JUDGED: Final = over_bodies(
    "SELECT count(*) FILTER (WHERE satisfied), count(DISTINCT stream_id), count(*) FILTER (WHERE satisfied AND last)"
    " FROM (SELECT stream_id, ({json} ->> 'satisfied')::boolean AS satisfied,"
    " version = max(version) OVER (PARTITION BY stream_id) AS last FROM es.fact WHERE type = $1) AS visit"
)
_DATABASE: Final = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedPeriod:
    """The outcome of the days that were lived, and the year estimated from it."""

    from_day: str
    days: int
    scale: float
    ruleset: str
    seed: int
    mix: Mix
    requests: int
    orders: int
    """Requests that became work orders."""
    facts: int
    facts_by_type: Mapping[str, int]
    asked_for: Mapping[str, AskedFor]
    """The wishes by name: how many were asked for, granted and refused."""
    sign_limits_missed: int
    answer_limits_missed: int
    escalations: int
    visits: int
    """Visits that citizens answered; a complaint that was reopened is asked about again."""
    satisfied_visits: int
    asked: int
    """Complaints about which a citizen was asked and answered."""
    satisfied: int
    """Of those: satisfied in the last visit."""
    seconds: float
    """From the first call to the end of the last life."""
    rounds: int
    lives_per_second: float
    """Ended lives, direct answers included."""
    disk_bytes: int
    """The growth of database and topics."""

    @property
    def year_share(self) -> float:
        """Work orders lived, of the year's."""
        return self.orders / ORDERS

    @property
    def year_minutes(self) -> float | None:
        """The year at this speed; None if nothing was lived.

        The estimate goes by work orders, so each life counts the fixed cost of a wave. At a small scale this
        is more than the year would take.
        """
        return self.seconds / 60 / self.year_share if self.orders else None

    @property
    def month_bytes(self) -> int | None:
        """Disk of a twelfth of the year; None where nothing was lived."""
        return round(self.disk_bytes / self.year_share / 12) if self.orders else None

    def as_dict(self) -> dict[str, object]:
        """For a program to read."""
        minutes, month = self.year_minutes, self.month_bytes
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "asked_for": msgspec.to_builtins(self.asked_for),
            "seconds": round(self.seconds, 3),
            "lives_per_second": round(self.lives_per_second, 1),
            "year_minutes": None if minutes is None else round(minutes, 1),
            "year_minutes_bar": BAR_MINUTES,
            "year_orders": ORDERS,
            "year_share": self.year_share,
            "month_bytes": month,
        }


class Judged(NamedTuple):
    """The citizens' answers when they were asked, by visit and by complaint."""

    satisfied_visits: int
    asked: int
    satisfied: int


def lived(
    summary: Summary,
    *,
    from_day: str,
    days: int,
    scale: float,
    ruleset: str,
    seed: int,
    mix: Mix,
    word: Judged,
    disk: int,
) -> LivedPeriod:
    """The result of a rehearsal."""
    facts: Mapping[str, int] = summary.facts
    return LivedPeriod(
        from_day=from_day,
        days=days,
        scale=scale,
        ruleset=ruleset,
        seed=seed,
        mix=mix,
        requests=summary.requests,
        orders=summary.requests - summary.answered_directly,
        facts=sum(facts.values()),
        facts_by_type=dict(sorted(facts.items())),
        asked_for=summary.asked_for,
        sign_limits_missed=facts.get("SignLimitMissed", 0),
        answer_limits_missed=facts.get("AnswerLimitMissed", 0),
        escalations=summary.escalated,
        visits=summary.visited,
        satisfied_visits=word.satisfied_visits,
        asked=word.asked,
        satisfied=word.satisfied,
        seconds=summary.elapsed_seconds,
        rounds=summary.rounds,
        lives_per_second=summary.lives_per_second,
        disk_bytes=disk,
    )


async def judged(reader_dsn: str) -> Judged:
    """The citizens' answers when they were asked."""
    unread = UnreadableRows()  # the reading of the whole log names them
    connection = await asyncpg.connect(reader_dsn)
    try:
        rows = await fetch(connection, _JUDGED, VisitMade.__name__, unread=unread)
    finally:
        await connection.close()
    return Judged(*(int(number) for number in rows[0]))


async def disk_of(endpoints: CityEndpoints, stack: Path) -> int:
    """Bytes that a city takes: its database, and its topics where the stack lies in this folder."""
    connection = await asyncpg.connect(endpoints.owner_dsn)
    try:
        database: int = await connection.fetchval(_DATABASE)
    finally:
        await connection.close()
    return database + await asyncio.to_thread(_topics_bytes, stack, endpoints.prefix)


def _topics_bytes(stack: Path, prefix: str) -> int:
    # Blocks, not sizes: Kafka's indexes are set up large and empty.
    found = 0
    for folder, _, files in os.walk(stack):
        if Path(folder).name.startswith(prefix):
            for file in files:
                with suppress(FileNotFoundError):  # Kafka clears away what an earlier city left
                    found += (Path(folder) / file).stat().st_blocks * 512
    return found
