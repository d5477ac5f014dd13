"""Real complaints are lived again, and our missed deadlines are compared with the city's own flag.

A complaint is late if the miss of the one limit that the city gave it still stands at the end. A corrected
miss does not count. A miss of the limit for signing or of a later round does not count either: the city's
flag knows nothing of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from hotline.audit.digest import digest
from hotline.audit.report import Report
from hotline.lab.rehearsal.progress import View
from hotline.lab.rehearsal.stage import staged, verified
from hotline.lab.simulation.boston import Boston, File, catalogue_of, flags
from hotline.lab.simulation.conductor import Conductor, Summary
from shared.events import AnswerLimitMissed, ComplaintReceived, Fact, LimitMissCorrected, OrderAnswered
from shared.events.base import Limit
from shared.ids import ComplaintId
from shared.log.codec import decoded

_JUDGED_BY: Final = (ComplaintReceived, AnswerLimitMissed, LimitMissCorrected)
_SAID: Final = """
SELECT type, schema_version, body FROM es.fact WHERE type = ANY($1) ORDER BY stream_id, version
"""
_ANSWERED: Final = "SELECT DISTINCT stream_id FROM es.fact WHERE type = $1"
_FACTS: Final = "SELECT count(*) FROM es.fact"
DISAGREEMENTS_MAX: Final = 100
"""Disagreements listed by name; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The findings of a backtest."""

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


def given_limits_missed(facts: Iterable[Fact]) -> set[ComplaintId]:
    """The complaints whose given limit stands as missed after all these facts, each life's in order."""
    given_at: dict[ComplaintId, datetime | None] = {}
    missed: set[ComplaintId] = set()
    for fact in facts:
        stream = fact.complaint_id
        if isinstance(fact, ComplaintReceived):
            given_at[stream] = fact.given_due_at
        elif isinstance(fact, AnswerLimitMissed):
            if fact.round == 1 and fact.due_at == given_at.get(stream):
                missed.add(stream)
        elif (
            isinstance(fact, LimitMissCorrected)
            and fact.limit is Limit.ANSWER
            and fact.due_at == given_at.get(stream)
        ):
            missed.discard(stream)
    return missed


def compared(
    file: File,
    said: Mapping[ComplaintId, bool],
    *,
    missed: set[ComplaintId],
    answered: set[ComplaintId],
    received: set[ComplaintId],
    facts: int,
) -> Verdict:
    """The city's word on each complaint (True: overdue) against the log."""
    ours = file.ids
    judged = {complaint: overdue for complaint, overdue in said.items() if complaint in ours}
    disagreements = sorted(c for c, overdue in judged.items() if overdue != (c in missed))
    return Verdict(
        rows=file.rows,
        used=len(file.cases),
        skipped=dict(sorted(file.skipped.items())),
        received=len(received & ours),
        facts=facts,
        deadlines_missed=len(missed),
        missed_answered_late=len(missed & answered),
        missed_never_answered=len(missed - answered),
        agree=len(judged) - len(disagreements),
        disagreements=[str(c) for c in disagreements[:DISAGREEMENTS_MAX]],
    )


async def judge(reader_dsn: str, path: Path, file: File) -> Verdict:
    """Compare the misses that stand in the log with the file's flag, which is read only now."""
    connection = await asyncpg.connect(reader_dsn)
    try:
        rows = await connection.fetch(_SAID, [kind.__name__ for kind in _JUDGED_BY])
        told = [decoded(*row) for row in rows]
        answered = await connection.fetch(_ANSWERED, OrderAnswered.__name__)
        facts: int = await connection.fetchval(_FACTS)
    finally:
        await connection.close()
    return compared(
        file,
        flags(path),
        missed=given_limits_missed(told),
        answered={ComplaintId(str(row[0])) for row in answered},
        received={fact.complaint_id for fact in told if isinstance(fact, ComplaintReceived)},
        facts=facts,
    )


async def lived(
    found: File, path: Path, view: View, *, processes: int, step_hours: float, keep: bool
) -> tuple[Summary, Verdict, Report, str]:
    """Live the cases of a file through the whole system: what was said, the verdict, the audit, the facts' digest."""
    known = catalogue_of(found.cases)
    counts = dict.fromkeys(("intake", "dispatch", "escalation", "feedback"), processes)
    city = staged(
        "boston", known, ruleset="boston-311-2011", traces_ratio=0.01, counts=counts, say=view.say, keep=keep
    )
    async with city as stage:
        conductor = Conductor(
            Boston(found.cases),
            kafka=stage.endpoints.outside,
            postgres=stage.endpoints.owner_dsn,
            prefix=stage.endpoints.prefix,
            units=tuple(known.units),
            start=min(case.open_at for case in found.cases) - timedelta(seconds=1),
            step=timedelta(hours=step_hours),
        )
        summary = await conductor.live(view.show)
        view.say("Every case is lived. Comparing with the city's own flag …")
        verdict = await judge(stage.endpoints.logins["reader"], path, found)
        report = await verified(stage.endpoints, known, summary.acknowledged_inputs)
        return summary, verdict, report, await digest(stage.endpoints.logins["reader"])
