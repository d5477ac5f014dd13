"""Whether every life of a run is whole: a fast run of a wrong system is worth nothing."""

from __future__ import annotations

from typing import Final

import asyncpg

from shared.events import (
    ComplaintClassified,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    OrderAnswered,
    OrderSigned,
    VisitMade,
    VisitScheduled,
)
from shared.log.chain import GENESIS, chained

LIFE: Final = (
    ComplaintReceived,
    ComplaintClassified,
    ComplaintDispatched,
    OrderSigned,
    OrderAnswered,
    VisitScheduled,
    VisitMade,
    ComplaintClosed,
)
"""The life that is measured, fact by fact."""

SHOWN_MAX: Final = 5

_FACTS: Final = """
SELECT stream_id::text, version, event_id::text, type, schema_version, occurred_at, caused_by, actor,
       body, hash
FROM es.event WHERE position > $1 ORDER BY stream_id, version
"""
_PARKED: Final = "SELECT consumer, topic, reason FROM es.parked ORDER BY parked_id LIMIT $1"
_TIMERS: Final = "SELECT count(*) FROM es.timer"


async def wrong_with(dsn: str, lives: int, *, after: int = 0) -> list[str]:
    """Faults of the lives behind this position; empty if each of `lives` lives has its eight facts.

    Facts in their order, versions dense, chains of hashes unbroken, nothing parked, no timer left.
    """
    names = [kind.__name__ for kind in LIFE]
    wrong: list[str] = []
    found = whole = version = 0
    stream, head = "", GENESIS
    database = await asyncpg.connect(dsn)
    try:
        async with database.transaction(readonly=True):
            async for row in database.cursor(_FACTS, after, prefetch=2000):
                fact_id, kind, schema, at, cause, actor, body, stored = row[2:]
                if row[0] != stream:
                    stream, head, version = row[0], GENESIS, 0
                    found += 1
                version += 1
                head = chained(head, stream, version, fact_id, kind, schema, at, cause, actor, body)
                if row[1] != version or version > len(names) or kind != names[version - 1]:
                    wrong.append(f"complaint {stream}: fact {version} is {kind}, version {row[1]}")
                elif head != stored:
                    wrong.append(f"complaint {stream}: the chain breaks at version {version}")
                elif version == len(names):
                    whole += 1
        parked = [tuple(row) for row in await database.fetch(_PARKED, SHOWN_MAX)]
        timers = await database.fetchval(_TIMERS)
    finally:
        await database.close()
    if (found, whole) != (lives, lives):
        wrong.insert(0, f"{lives} lives were asked for, {found} are in the log, {whole} of them whole")
    wrong = wrong[:SHOWN_MAX]
    wrong.extend(f"parked by {consumer} from {topic}: {reason}" for consumer, topic, reason in parked)
    if timers:
        wrong.append(f"{timers} timers are set although every life has ended")
    return wrong
