"""How many complaints there are: by stage, district, unit and subject, each sum kept up with its rows."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

GROUPS: Final = ("stage", "district", "unit", "subject")

_COUNTED: Final = """
SELECT {groups}, sum(complaints)::bigint AS complaints FROM read.count
WHERE ($1 = '' OR stage = $1) AND ($2 = '' OR district = $2) AND ($3 = '' OR unit = $3) AND ($4 = '' OR subject = $4)
GROUP BY {groups} HAVING sum(complaints) > 0 ORDER BY complaints DESC, {groups} LIMIT $5
"""


class CountedGroup(NamedTuple):
    """One group of complaints."""

    group: tuple[str, ...]
    """Its stage, district, unit or subject, in the order they were asked for."""
    complaints: int


async def counted_by(
    connection: asyncpg.Connection[Any],
    *by: str,
    stage: str = "",
    district: str = "",
    unit: str = "",
    subject: str = "",
    most: int = 1000,
) -> list[CountedGroup]:
    """How many complaints each group has, the most first; `by`: some of `GROUPS`, the rest narrows.

    Raises `ValueError` for a group there is not.
    """
    if not by or not set(by) <= set(GROUPS):
        message = f"expected some of {', '.join(GROUPS)}, got {', '.join(by) or 'none'}"
        raise ValueError(message)
    rows = await connection.fetch(_COUNTED.format(groups=", ".join(by)), stage, district, unit, subject, most)
    return [CountedGroup(tuple(row)[:-1], row["complaints"]) for row in rows]
