"""A city that the laboratory lives: how it is served, and what is added to its database."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import asyncpg

from deploy.city.registry import City
from deploy.city.served import AS_EVERYWHERE, Served

LIVED: Final = Served(
    program="hotline.lab.desks",
    # Every wave waits for the slowest door, so none lets the broker gather: it answers with the first message. Short
    # looks instead (8 ms) cost Kafka a third of a core over 343 units' topics.
    settings={"OFFSETS_IDLE_MS": "3", "GATHER_BYTES": "1", "TICK_MS": "5"},
    retention=False,
)

_IS_THERE: Final = "SELECT to_regclass('lab.city_clock') IS NOT NULL"


async def prepare(owner_dsn: str) -> None:
    """Give a city's database the conductor's clock. It may be done again at any time, and must be after a migration."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        async with connection.transaction():
            await connection.execute(files("hotline.lab.desks").joinpath("lab.sql").read_text("utf-8"))
    finally:
        await connection.close()


async def served_in(owner_dsn: str) -> Served:
    """How the city of this database is served. A city of the laboratory stays one, also in a backup."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        lived = bool(await connection.fetchval(_IS_THERE))
    finally:
        await connection.close()
    if not lived:
        return AS_EVERYWHERE
    await prepare(owner_dsn)
    return LIVED


def is_lived(city: City) -> bool:
    """Whether the time of this city stands still as long as no rehearsal lives in it."""
    return city.served.program == LIVED.program
