"""A rehearsed city is scored while it lives and after it: the same as its whole log, read once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from deploy.city.registry import City, remembered
from hotline.scoring.inhabitants import population
from hotline.scoring.ledger import scores
from hotline.scoring.life import Counted, counted
from hotline.scoring.month import By, Month, published, tallied
from shared.log.codec import decoded
from shared.policy.catalogue import catalogue
from shared.policy.ruleset import ruleset
from tests.small_city import streets_in
from tests.typed import environment_on

pytestmark = pytest.mark.connected

ZONE = ZoneInfo("Asia/Shanghai")
APRIL = date(2025, 4, 1)
LOOKS = 3


async def from_scratch(dsn: str) -> list[Counted]:
    """What each life of the log counts for, by the pure rule."""
    connection = await asyncpg.connect(dsn)
    try:
        lives: dict[str, list[Any]] = {}
        for row in await connection.fetch(
            "SELECT stream_id::text, type, schema_version, body FROM es.fact ORDER BY stream_id, version"
        ):
            lives.setdefault(row[0], []).append(decoded(*row[1:]))
    finally:
        await connection.close()
    return [one for facts in lives.values() if (one := counted(facts, ZONE)) is not None]


async def looked_at(stack: Path, ended: asyncio.Future[int]) -> list[int]:
    """Bring the scores up to date again and again while the city lives; how many facts each look read."""
    read: list[int] = []
    while not ended.done():
        await asyncio.sleep(0.1)
        city = remembered(stack)
        if city is None:
            continue
        try:
            async with scores(city.endpoints.logins["governor"], ZONE) as view:
                read.append((await view.catch_up()).facts)
        except asyncpg.PostgresError:  # its database is only just being made
            continue
    return read


async def month(city: City, which: date) -> Month:
    rules = ruleset(city.ruleset)
    async with scores(city.endpoints.logins["governor"], ZONE) as view:
        await view.catch_up()
        return await view.month(which, By(rules, catalogue(city.catalogue), population()))


async def test_f1_the_scores_kept_up_while_a_city_lives_are_those_of_its_whole_log(typed_stack: Path) -> None:
    """F1-F5, R14: some days of the city, looked at as they go by."""
    living = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", "rehearse", "year",
        "--month", "4", "--days", "3", "--scale", "0.002", "--json", "--streets", streets_in(typed_stack.parent),
        cwd=typed_stack.parent, env=environment_on(typed_stack),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said = asyncio.ensure_future(living.communicate())
    ended = asyncio.ensure_future(living.wait())
    read = await looked_at(typed_stack, ended)
    out, err = await said
    assert living.returncode == 0, out + err
    city = remembered(typed_stack)
    assert city is not None
    ones = await from_scratch(city.endpoints.owner_dsn)
    assert sum(number > 0 for number in read) >= LOOKS, "the city was looked at while it lived"
    for which in (APRIL, date(2025, 5, 1)):
        tallies = tallied(((one, 1) for one in ones), which)
        made = await month(city, which)
        assert made.tallies == tallies
    april = tallied(((one, 1) for one in ones), APRIL)
    whole = list(april.units.values())
    assert sum(tally.countable for tally in whole) > 50
    assert sum(tally.visited for tally in whole) > sum(tally.satisfied for tally in whole) > 0
    async with scores(city.endpoints.logins["governor"], ZONE) as view:
        anew = await view.anew()
    assert (anew.removed, anew.added) == (0, 0)
    assert anew.rows == len(ones)
    # As it is typed, through another process.
    told = await asyncio.to_thread(_typed, typed_stack)
    lines = published(
        april,
        None,
        month=APRIL,
        rules=ruleset(city.ruleset).score,
        catalogue=catalogue(city.catalogue),
        population=population(),
    )
    ranked = [(line.rank, line.unit) for line in lines if line.district is not None]
    assert [(line["rank"], line["unit"]) for line in told["lines"]] == ranked
    assert len(ranked) == sum(len(d.streets) for d in catalogue(city.catalogue).districts.values())


def _typed(stack: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "hotline", "rank", "show", "2025-04", "--json"],
        cwd=stack.parent,
        env=environment_on(stack),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
