"""The figures of the board: what lies with units and others now, what the telephone did, and how far everybody is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.call_series import RollingRate, rolling_rates
from hotline.readside.rows import CORRECTIONS, DESKS, REVIEWS, SUPERVISION, VISITS
from hotline.readside.standing import AsOf, as_of
from hotline.readside.telephone import figures_without_lowest
from services.intake.call_statistics import Figures
from shared.log import TIMER_SHARDS
from shared.policy.ruleset import TelephoneRules
from shared.times import in_zone

DUE_SOON: Final = timedelta(hours=4)
"""An order is due soon if so little is left. Assumption of the project: half a working day, so that it can be met."""
ROLLING_STEP: Final = timedelta(minutes=10)
"""From one point of the rolling rate to the next."""
ROLLING_SPAN: Final = timedelta(hours=24)
"""How far back its line goes."""

# Open ones by their sums; late ones one by one, out of the index.
_OPEN: Final = "SELECT district, unit, orders FROM read.lead WHERE orders > 0"
_DUE: Final = """
SELECT district, unit, count(*) FILTER (WHERE due_at < $1)::int AS overdue,
       count(*) FILTER (WHERE due_at >= $1)::int AS due_soon
FROM read.waiting WHERE list = 'orders' AND role = 'lead' AND due_at < $2 GROUP BY district, unit
"""
_WAITING: Final = """
SELECT list, role, count(*)::int AS waiting, count(*) FILTER (WHERE due_at < $1)::int AS overdue
FROM read.waiting WHERE list = ANY ($2::text[]) AND party = '' GROUP BY list, role
"""
_STAGES: Final = "SELECT stage, complaints FROM read.total WHERE complaints > 0"
_HEALTH: Final = "SELECT parked, parked_since, stopped, unsent, late FROM web.health($1)"
_LAST_CALL: Final = "SELECT at FROM read.call ORDER BY at DESC LIMIT 1"
_PRESENT: Final = "SELECT es.present()"
_WAITING_LISTS: Final = [REVIEWS, CORRECTIONS, SUPERVISION, VISITS, DESKS]


class OrderLoad(NamedTuple):
    """Orders that lie with somebody and are not answered."""

    open: int = 0
    overdue: int = 0
    due_soon: int = 0

    def plus(self, other: OrderLoad) -> OrderLoad:
        """Both together."""
        return OrderLoad(self.open + other.open, self.overdue + other.overdue, self.due_soon + other.due_soon)

    @property
    def overdue_share(self) -> float:
        """Overdue of open; none where nothing is open."""
        return self.overdue / self.open if self.open else 0.0


class WaitingCount(NamedTuple):
    """Rows of a list that wait."""

    waiting: int = 0
    overdue: int = 0


class CityHealth(NamedTuple):
    """How far the processes are, and what waits for a person among messages."""

    parked: int
    parked_since: datetime | None
    stopped: int
    """Topics or doors that are heard no more until a person says so."""
    unsent: timedelta
    """How old the oldest fact is that the relay has not sent."""
    late: timedelta
    """How long ago the timer was due that should have fired first."""


class BoardFigures(NamedTuple):
    """All that the board shows, as it was at one moment."""

    present: datetime
    """The city's."""
    as_of: AsOf
    stages: Mapping[str, int]
    """Complaints by stage, those that have ended among them."""
    orders: OrderLoad
    by_district: Mapping[str, OrderLoad]
    by_unit: Mapping[str, OrderLoad]
    waiting: Mapping[tuple[str, str], WaitingCount]
    """By list and role."""
    health: CityHealth

    def waits(self, which: str, *roles: str) -> WaitingCount:
        """The rows of a list; of all its roles, or of some."""
        found = [
            count
            for (name, role), count in self.waiting.items()
            if name == which and (not roles or role in roles)
        ]
        return WaitingCount(sum(one.waiting for one in found), sum(one.overdue for one in found))

    @property
    def open(self) -> int:
        """Complaints that have not ended."""
        return sum(number for stage, number in self.stages.items() if stage != "ENDED")


class BoardCalls(NamedTuple):
    """The telephone's figures."""

    present: datetime
    since: datetime
    """The city's last midnight."""
    today: Figures
    window: Figures
    """Of the time that the rate of the rules is measured over, up to now."""
    rolling: list[RollingRate]
    last_at: datetime | None
    """When the last call came; None where none ever did."""


async def board_figures(connection: asyncpg.Connection[Any]) -> BoardFigures:
    """The figures of now; `UserError` where nothing has ever made the lists."""
    # One statement after the other, over one snapshot: a share must not be of two moments.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        standing = await as_of(connection)
        present: datetime = await connection.fetchval(_PRESENT)
        stages = dict(await connection.fetch(_STAGES))
        loads = await _loads(connection, present)
        waiting = await connection.fetch(_WAITING, present, _WAITING_LISTS)
    health = await connection.fetchrow(_HEALTH, TIMER_SHARDS)
    assert health is not None  # noqa: S101 -- one row, always
    by_district: dict[str, OrderLoad] = {}
    by_unit: dict[str, OrderLoad] = {}
    orders = OrderLoad()
    for (district, unit), load in loads.items():
        by_district[district] = by_district.get(district, OrderLoad()).plus(load)
        by_unit[unit] = by_unit.get(unit, OrderLoad()).plus(load)
        orders = orders.plus(load)
    return BoardFigures(
        present=present,
        as_of=standing,
        stages=stages,
        orders=orders,
        by_district=by_district,
        by_unit=by_unit,
        waiting={(which, role): WaitingCount(*counts) for which, role, *counts in waiting},
        health=CityHealth(
            parked=health["parked"],
            parked_since=health["parked_since"],
            stopped=health["stopped"],
            unsent=max(health["unsent"] or timedelta(), timedelta()),
            late=max(health["late"] or timedelta(), timedelta()),
        ),
    )


async def _loads(
    connection: asyncpg.Connection[Any], present: datetime
) -> Mapping[tuple[str, str], OrderLoad]:
    """The orders by district and unit."""
    loads = {
        (row["district"], row["unit"]): OrderLoad(row["orders"]) for row in await connection.fetch(_OPEN)
    }
    for district, unit, overdue, due_soon in await connection.fetch(_DUE, present, present + DUE_SOON):
        load = loads.get((district, unit), OrderLoad())
        loads[district, unit] = load._replace(overdue=overdue, due_soon=due_soon)
    return loads


async def board_calls(connection: asyncpg.Connection[Any], rules: TelephoneRules, zone: tzinfo) -> BoardCalls:
    """The figures of the telephone today and over the window of the rules, up to now."""
    present: datetime = await connection.fetchval(_PRESENT)
    since = in_zone(present, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return BoardCalls(
        present=present,
        since=since,
        today=await figures_without_lowest(connection, since, present, rules),
        window=await figures_without_lowest(connection, present - rules.window, present, rules),
        rolling=await rolling_rates(connection, present - ROLLING_SPAN, present, ROLLING_STEP, rules),
        last_at=await connection.fetchval(_LAST_CALL),
    )
