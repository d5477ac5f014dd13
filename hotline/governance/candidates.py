"""Where programmes come from: how many complaints of one subject each district had in a period (Q5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from hotline.governance.facts import Cluster
from hotline.governance.state import Programme
from shared.text import folded

# A row counts a complaint under what it is about now, corrections and reclassifications included. The second record of
# a call is no complaint more (T7). Whole months are sums of their own, so a year is twelve of them and some days.
_COUNTED: Final = """
SELECT subject, district, sum(complaints)::int AS complaints FROM read.received
WHERE (span = 'month' AND day >= $1 AND day < $2)
   OR (span = 'day' AND ((day >= $3 AND day < $1) OR (day >= $2 AND day < $4)))
GROUP BY 1, 2 HAVING sum(complaints) > 0
"""
_DAYS: Final = """
SELECT subject, district, sum(complaints)::int AS complaints FROM read.received
WHERE span = 'day' AND day >= $1 AND day < $2 GROUP BY 1, 2 HAVING sum(complaints) > 0
"""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints that are alike, and who takes them on already."""

    subject: str
    complaints: int
    districts: dict[str, int]
    """How many of them each district had, the most first."""
    named_by: list[str] = []
    """Titles of programmes that are open and name this subject."""


async def counted(
    connection: asyncpg.Connection[Any], first: date, until: date
) -> dict[tuple[str, str], int]:
    """Complaints received from the day `first` on and before the day `until`, by subject and district.

    Days are those of the complaints' own rules; a reader's connection does.
    """
    begin = first if first.day == 1 else (first.replace(day=1) + timedelta(days=31)).replace(day=1)
    end = until.replace(day=1)
    if begin < end:
        rows = await connection.fetch(_COUNTED, begin, end, first, until)
    else:
        rows = await connection.fetch(_DAYS, first, until)
    return {(row[0], row[1]): row[2] for row in rows}


def candidates(
    counts: Mapping[tuple[str, str], int], programmes: Iterable[Programme], at_least: int = 1
) -> list[Candidate]:
    """The subjects with so many complaints or more, the most first; those that are equal by name."""
    named: dict[str, list[str]] = {}
    for programme in programmes:
        if programme.closed is None:
            for cluster in _subjects(programme.clusters):
                named.setdefault(cluster, []).append(programme.title)
    subjects: dict[str, dict[str, int]] = {}
    for (subject, district), number in counts.items():
        # Names recorded before they had one form count with the rest.
        districts, name = subjects.setdefault(folded(subject), {}), folded(district)
        districts[name] = districts.get(name, 0) + number
    found = [
        Candidate(
            subject=subject,
            complaints=sum(districts.values()),
            districts=dict(sorted(districts.items(), key=lambda one: (-one[1], one[0]))),
            named_by=named.get(subject, []),
        )
        for subject, districts in subjects.items()
        if sum(districts.values()) >= at_least
    ]
    return sorted(found, key=lambda one: (-one.complaints, one.subject))


def _subjects(clusters: Iterable[Cluster]) -> list[str]:
    return list(dict.fromkeys(folded(cluster.subject) for cluster in clusters))
