"""Judging a replay: our missed deadlines against the city's own flag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from hotline.city.boston import File, flags
from shared.events import FeedbackLimitMissed, OrderAnswered
from shared.ids import ComplaintId

_ANSWERED: Final = "SELECT DISTINCT stream_id FROM es.event WHERE type = $1"
_MISSED: Final = """
SELECT stream_id FROM es.event
WHERE type = $1 AND convert_from(body, 'UTF8')::json ->> 'round' = '1'
"""
_RECEIVED: Final = "SELECT stream_id FROM es.event WHERE type = 'ComplaintReceived'"
_FACTS: Final = "SELECT count(*) FROM es.event"
DISAGREEMENTS_MAX: Final = 100
"""Disagreements listed by name; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a replay found."""

    rows: int
    used: int
    skipped: dict[str, int]
    received: int
    """Complaints in the log: as many as were used, or something was lost."""
    facts: int
    deadlines_missed: int
    missed_answered_late: int
    missed_never_answered: int
    agree: int
    disagreements: list[str]

    @property
    def right(self) -> bool:
        """Whether log and city say the same of every complaint."""
        return self.agree == self.used == self.received


async def judge(reader_dsn: str, path: Path, file: File) -> Verdict:
    """Compare the misses that escalation stated with the file's flag, which is read only now."""
    connection = await asyncpg.connect(reader_dsn)
    try:
        missed = await _streams(connection, _MISSED, FeedbackLimitMissed.__name__)
        answered = await _streams(connection, _ANSWERED, OrderAnswered.__name__)
        received = await _streams(connection, _RECEIVED)
        facts: int = await connection.fetchval(_FACTS)
    finally:
        await connection.close()
    ours = file.ids
    said = {complaint: overdue for complaint, overdue in flags(path).items() if complaint in ours}
    disagreements = sorted(c for c, overdue in said.items() if overdue != (c in missed))
    return Verdict(
        rows=file.rows,
        used=len(file.cases),
        skipped=dict(sorted(file.skipped.items())),
        received=len(received & ours),
        facts=facts,
        deadlines_missed=len(missed),
        missed_answered_late=len(missed & answered),
        missed_never_answered=len(missed - answered),
        agree=len(said) - len(disagreements),
        disagreements=[str(c) for c in disagreements[:DISAGREEMENTS_MAX]],
    )


async def _streams(
    connection: asyncpg.Connection[asyncpg.Record], statement: str, *values: object
) -> set[ComplaintId]:
    return {ComplaintId(str(row[0])) for row in await connection.fetch(statement, *values)}
