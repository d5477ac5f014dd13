"""Where programmes come from: how many complaints of one subject each district had in a period (Q5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import asyncpg
import msgspec

from hotline.governance.facts import Cluster
from hotline.governance.state import Programme
from hotline.ratio import ratio, two_decimals
from shared.text import folded

# A row counts a complaint under what it is about now, corrections and reclassifications included. The second record of
# a call is no complaint more (T7), and what was turned away is none (R5).
# Whole months are sums of their own, so a year is twelve of them and some days.
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


Counts = Mapping[tuple[str, str], int]
"""Complaints by subject and district."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints that are alike, and who takes them on already."""

    subject: str
    complaints: int
    districts: dict[str, int]
    """How many of them each district had, the most first."""
    named_by: list[str] = []
    """Titles of programmes that are open and name this subject."""
    before: int = 0
    """How many there were in the period before, which is as long."""
    growth: Decimal | None = None
    """By how many percent there are more than then; None where there were none."""
    per_10k: Decimal | None = None
    """For each 10,000 residents of all districts; None where no figures are known."""
    districts_before: dict[str, int] = {}
    districts_per_10k: dict[str, Decimal] = {}
    """For each 10,000 residents of the district; left out where none are known."""


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
    counts: Counts,
    programmes: Iterable[Programme],
    at_least: int = 1,
    *,
    before: Counts = MappingProxyType({}),
    residents: Mapping[str, int] = MappingProxyType({}),
) -> list[Candidate]:
    """The subjects with so many complaints or more, the most first; those that are equal by name.

    `before` are the counts of the period before, `residents` those of each district.
    """
    named: dict[str, list[str]] = {}
    for programme in programmes:
        if programme.closed is None:
            for cluster in _subjects(programme.clusters):
                named.setdefault(cluster, []).append(programme.title)
    then = _by_subject(before)
    found = [
        _candidate(subject, districts, then.get(subject, {}), residents, named.get(subject, []))
        for subject, districts in _by_subject(counts).items()
        if sum(districts.values()) >= at_least
    ]
    return sorted(found, key=lambda one: (-one.complaints, one.subject))


def growth(now: int, before: int) -> Decimal | None:
    """By how many percent there are more than before; None where there were none."""
    return two_decimals(ratio((now - before) * 100, before))


def per_10k(complaints: int, residents: int | None) -> Decimal | None:
    """Complaints for each 10,000 residents; None where none are known."""
    return two_decimals(ratio(complaints * 10_000, residents))


def period_before(first: date, last: date) -> tuple[date, date]:
    """The first day of the period before this one, which is as long, and the day after its last.

    Whole months are compared with as many months, whatever days those have. Before the first day there is, it is empty.
    """
    until = last + timedelta(days=1)
    if (first - date.min) < (until - first):
        return first, first
    if first.day == until.day == 1:
        months = (until.year - first.year) * 12 + until.month - first.month
        year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
        return date(year, month + 1, 1), first
    return first - (until - first), first


def _by_subject(counts: Counts) -> dict[str, dict[str, int]]:
    subjects: dict[str, dict[str, int]] = {}
    for (subject, district), number in counts.items():
        # Names recorded before they had one form count with the rest.
        districts, name = subjects.setdefault(folded(subject), {}), folded(district)
        districts[name] = districts.get(name, 0) + number
    return subjects


def _candidate(
    subject: str,
    districts: Mapping[str, int],
    before: Mapping[str, int],
    residents: Mapping[str, int],
    named_by: list[str],
) -> Candidate:
    complaints, then = sum(districts.values()), sum(before.values())
    rates = ((name, per_10k(number, residents.get(name))) for name, number in districts.items())
    return Candidate(
        subject=subject,
        complaints=complaints,
        districts=dict(sorted(districts.items(), key=lambda one: (-one[1], one[0]))),
        named_by=named_by,
        before=then,
        growth=growth(complaints, then),
        per_10k=per_10k(complaints, sum(residents.values())),
        districts_before=dict(sorted(before.items(), key=lambda one: (-one[1], one[0]))),
        districts_per_10k={name: rate for name, rate in rates if rate is not None},
    )


def _subjects(clusters: Iterable[Cluster]) -> list[str]:
    return list(dict.fromkeys(folded(cluster.subject) for cluster in clusters))
