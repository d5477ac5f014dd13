"""A log of any size for measurements: true lives, chained and headed as the desks write them, by COPY.

The lives are those of `hotline.lab.bench.templates`, repeated for as many complaints as are asked for. The
rows equal those that the desks would have written: dense versions, valid chains, positions of the log's own
sequence, heads. The facts of many lives lie between each other. No timer is set, for every life has ended,
and the relay has sent everything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import zip_longest
from multiprocessing import get_context
from typing import Any, Final

import asyncpg
import msgspec

from hotline.lab.bench.open_lives import TITLE, open_templates, title_of
from hotline.lab.bench.templates import FRACTION_MAX, Row, Template, templates
from shared.complaint import STATE_SCHEMA
from shared.runtime.garbage import tune_gc

CHUNK: Final = 2000
"""Lives in one transaction; their facts lie between each other as if they had been led at the same time."""
PRIME: Final = 611_953
"""Spreads the lives over the fractions of a second."""

_HEADS: Final = ("stream_id", "version", "head_hash", "state_schema", "state")
_SENT: Final = "UPDATE es.relay SET snap_a = pg_current_snapshot(), snap_b = NULL, pos = 0"


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a generated log."""

    lives: int
    facts: int
    seconds: float


async def grow(
    owner_dsn: str,
    facts: int,
    *,
    first: int = 0,
    processes: int = 2,
    open_of_ten: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Grown:
    """Write whole lives until there are at least so many new facts; none of the city's services may run.

    `open_of_ten`: so many of ten lives go on, and all have titles of their own (`open_lives`). `first` is the number of
    the first life's request: a log that is grown again goes on with `first + lives` of the time before. Raises
    `asyncpg.UniqueViolationError` where a life is in the log already.
    """
    return await grow_lives(
        owner_dsn, lives_of(facts), first=first, processes=processes, open_of_ten=open_of_ten, say=say
    )


async def grow_lives(
    owner_dsn: str,
    lives: int,
    *,
    first: int = 0,
    processes: int = 2,
    open_of_ten: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Grown:
    """The same for so many lives."""
    began = time.monotonic()
    chunks = [(start, min(start + CHUNK, first + lives)) for start in range(first, first + lives, CHUNK)]
    written = done = 0
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=tune_gc) as pool:
        loop = asyncio.get_running_loop()
        shares = [chunks[number::processes] for number in range(processes)]
        # A call for a few chunks each, so that a long growth can say how far it is.
        calls = [
            loop.run_in_executor(pool, _write, owner_dsn, share[start : start + 8], open_of_ten)
            for start in range(0, len(shares[0]), 8)
            for share in shares
            if share[start : start + 8]
        ]
        for number, call in enumerate(asyncio.as_completed(calls), 1):
            written += await call
            if number * 10 // len(calls) > done:
                done = number * 10 // len(calls)
                say(f"  {written:,} facts, {written / (time.monotonic() - began):,.0f} a second")
    database = await asyncpg.connect(owner_dsn)
    try:
        await database.execute(_SENT)
        # As autovacuum would, but not while something is measured.
        await database.execute("VACUUM (ANALYZE) es.event, es.stream")
    finally:
        await database.close()
    return Grown(lives=lives, facts=written, seconds=time.monotonic() - began)


async def append_lives(owner_dsn: str, first: int, lives: int, *, open_of_ten: int = 0) -> int:
    """Write a few more lives in one transaction, while a projector may run; how many facts they have.

    Nothing is sent and nothing is vacuumed. Errors as `grow`.
    """
    return await _copied(owner_dsn, [(first, first + lives)], open_of_ten)


def lives_of(facts: int) -> int:
    """How many lives have at least so many facts together, whichever comes first."""
    sizes = [len(template.facts) for template in templates()]
    turns, left = divmod(facts, sum(sizes))
    lives = turns * len(sizes)
    # The lives before `first` may end anywhere in the round of templates, so the shortest stretch counts.
    while left > 0:
        left -= min(sizes)
        lives += 1
    return lives


def _write(owner_dsn: str, chunks: list[tuple[int, int]], open_of_ten: int) -> int:
    return asyncio.run(_copied(owner_dsn, chunks, open_of_ten))


@cache
def _ended() -> list[Template]:
    return templates()


def _told(number: int, open_of_ten: int) -> tuple[list[Row], str]:
    fraction = number * PRIME % (FRACTION_MAX - 1) + 1
    if not open_of_ten:
        models = _ended()
        return models[number % len(models)].told_of(number, fraction)
    ten, one = divmod(number, 10)
    if one < open_of_ten:
        models, place = open_templates(), ten * open_of_ten + one
    else:
        models, place = _ended(), ten * (10 - open_of_ten) + one - open_of_ten
    return models[place % len(models)].told_of(number, fraction, (TITLE, title_of(number)))


async def _copied(owner_dsn: str, chunks: list[tuple[int, int]], open_of_ten: int) -> int:
    """Write the lives from one number up to another, a transaction for each such stretch."""
    written = 0
    database: asyncpg.Connection[Any] = await asyncpg.connect(owner_dsn, server_settings={"timezone": "UTC"})
    try:
        for start, end in chunks:
            lives: list[list[Row]] = []
            heads: list[tuple[str, int, bytes, int, str]] = []
            for number in range(start, end):
                rows, state = _told(number, open_of_ten)
                lives.append(rows)
                last = rows[-1]
                heads.append((last.stream_id, last.version, last.hash, STATE_SCHEMA, state))
            async with database.transaction():
                await database.copy_records_to_table(
                    "event", schema_name="es", columns=Row._fields, records=_mixed(lives)
                )
                await database.copy_records_to_table(
                    "stream", schema_name="es", columns=_HEADS, records=heads
                )
            written += sum(map(len, lives))
    finally:
        await database.close()
    return written


def _mixed(lives: list[list[Row]]) -> Iterator[Row]:
    """First the first fact of every life, then the second, and so on."""
    for step in zip_longest(*lives):
        yield from (row for row in step if row is not None)
