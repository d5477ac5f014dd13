"""Fills lists that a grown log has nothing for: messages that wait for a person, marks of callers and their calls."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

PARKED: Final = 500
"""Messages that wait for a person: a bad night."""
MARKS: Final = 300
"""Marks of callers, of which a third waits for a decision: more than a list shows."""
CALLS: Final = 50_000
"""Calls of a day whose callers are known."""
_PARK: Final = """
INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, headers, value, reason)
SELECT (ARRAY['intake', 'dispatch', 'feedback'])[1 + n % 3], 'bench', 0, n, 0, '[]', '{}',
    'data: Object missing required field `title`'
FROM generate_series(1, $1) AS n
"""
_PLACE: Final = "decode(md5(n::text), 'hex')"
_MARK: Final = (
    f"INSERT INTO vault.caller_mark (index, days) SELECT {_PLACE}, 30 FROM generate_series(1, $1) AS n"  # noqa: S608 -- our own text
)
_ACT: Final = """
INSERT INTO vault.caller_mark_act (mark_id, number, act, actorid, reason, acted_at)
SELECT mark_id, number, (ARRAY['PROPOSED', 'APPROVED'])[number], 'bench-' || number, '反复来电', es.present()
FROM vault.caller_mark, generate_series(1, CASE WHEN mark_id % 3 = 0 THEN 1 ELSE 2 END) AS number
"""
_CALLED: Final = f"""
INSERT INTO intake.call_caller (call_id, caller)
SELECT 'bench-' || m, {_PLACE} FROM generate_series(1, $1) AS m, LATERAL (SELECT 1 + m % {2 * MARKS} AS n) AS one
"""  # noqa: S608 -- our own text


async def fill(owner: asyncpg.Connection[Any]) -> None:
    """Park messages, mark callers, and let callers call."""
    await owner.execute(_PARK, PARKED)
    await owner.execute(_MARK, MARKS)
    await owner.execute(_ACT)
    await owner.execute(_CALLED, CALLS)
