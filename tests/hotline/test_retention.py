"""One table says how long data of people is kept, and a sweep lets go the data that is due (R9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import pytest

from hotline.upkeep.parked import drop
from hotline.upkeep.retention import KEPT, due, let_go, told
from shared.log.acts import acting
from shared.policy.ruleset import ruleset
from shared.topics import INTAKE_REQUESTS
from shared.unreadable import UnreadableRows
from shared.versions import RULESET
from tests.city import City, until

pytestmark = pytest.mark.connected

_TABLES: Final = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'lab', 'public')
"""


async def test_every_table_of_the_database_stands_in_one_line(database: str) -> None:
    async with acting(database) as owner:
        tables = {row[0] for row in await owner.fetch(_TABLES)}
    named = [table for line in KEPT for table in line.tables]
    assert len(named) == len(set(named))
    by_itself = {table for table in named if not table.endswith(".*")}
    assert by_itself <= tables
    schemas = {table.removesuffix(".*") for table in named if table.endswith(".*")}
    missing = {table for table in tables - by_itself if table.partition(".")[0] not in schemas}
    assert missing == set(), (
        "say in hotline/upkeep/retention.py what it tells of people, and how long it is kept"
    )
    assert not {"vault", "web"} & schemas, "each of these is thought of by itself"


def test_a_line_says_how_long_by_the_values_of_the_rule_set() -> None:
    rules = ruleset(RULESET)
    said = [told(line, rules) for line in KEPT]
    assert said[0].startswith(f"{rules.contact_days} days after the life has ended; 24 hours")
    assert not [text for text in said if "{" in text]


async def test_a_dropped_message_goes_as_its_topic_would_forget_it(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start("intake", "relay")
    await town.send(town.topic(INTAKE_REQUESTS), "r", b"13800138000", ())

    async def parked() -> int:
        return int(await town.value("SELECT coalesce(max(parked_id), 0) FROM es.parked"))

    number = await until(parked, what="it parked")
    rules, prefix = ruleset(RULESET), town.endpoints.prefix
    async with acting(town.endpoints.login("operator")) as operator:
        now = await operator.fetchval("SELECT clock_timestamp()")
        await drop(operator, number, "nonsense")
        assert (await due(operator, now, rules, prefix, UnreadableRows())).dropped == []
        for days, wanted in ((6, []), (8, [number])):
            await town.sql(
                "UPDATE es.parked_dropped SET dropped_at = clock_timestamp() - make_interval(days => $1)",
                days,
            )
            found = await due(operator, now, rules, prefix, UnreadableRows())
            assert found.dropped == wanted
        assert await let_go(operator, found) == (0, 1)
    assert await town.value("SELECT count(*) FROM es.parked_dropped") == 0
    reader = await asyncpg.connect(town.endpoints.login("reader"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("SELECT es.shred_dropped(ARRAY[1]::bigint[])")
    await reader.close()
