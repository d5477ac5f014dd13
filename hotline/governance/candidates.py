"""Where programmes come from: how many complaints of one subject each district had in a period (Q5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from hotline.governance.facts import Cluster
from hotline.governance.state import Programme
from shared.log.heads import fetch, over_heads
from shared.text import folded
from shared.unreadable import UnreadableRows

# A head knows what its complaint is about now, corrections and reclassifications included. The second record of a call
# is no complaint more (T7).
_COUNTED: Final = over_heads(
    """
SELECT state ->> 'subject' AS subject, state ->> 'district' AS district, count(*)::int AS complaints
FROM {heads}
WHERE state ->> 'subject' IS NOT NULL AND (state -> 'ended' ->> 'twice') IS NULL
  AND (state ->> 'received_at')::timestamptz >= $1 AND (state ->> 'received_at')::timestamptz < $2
GROUP BY 1, 2
"""
)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints that are alike, and who takes them on already."""

    subject: str
    complaints: int
    districts: dict[str, int]
    """How many of them each district had, the most first."""
    named_by: list[str] = []
    """Titles of programmes that are open and name this subject."""


async def counted(
    connection: asyncpg.Connection[Any],
    since: datetime,
    until: datetime,
    unread: UnreadableRows | None = None,
) -> dict[tuple[str, str], int]:
    """Complaints received from `since` on and before `until`, by subject and district; a reader's connection does.

    Heads that cannot be read are in no count, and noted in `unread`.
    """
    unread = UnreadableRows() if unread is None else unread
    rows = await fetch(connection, _COUNTED, since, until, unread=unread)
    return {(row[0], row[1] or ""): row[2] for row in rows}


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
