"""Lives that operations look at: those that are open the longest, and those in which something went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from shared.complaint_number import number_of
from shared.ids import ComplaintId

_SHOWN: Final = "c.stream_id::text, c.stage, c.unit, c.subject, c.received_at, c.ruleset"
# By the index of what is open, and by that of what was noted: neither goes through more than it shows.
_SLOWEST: Final = f"""
SELECT {_SHOWN}, c.received_at AS since, coalesce(t.why, '') AS why FROM (
    SELECT * FROM read.complaint WHERE ended = '' ORDER BY received_at, stream_id LIMIT $1
) c LEFT JOIN read.traced t USING (stream_id) ORDER BY c.received_at, c.stream_id
"""  # noqa: S608 -- our own names
_FAILING: Final = f"""
SELECT {_SHOWN}, t.since, t.why FROM (
    SELECT * FROM read.traced ORDER BY since DESC, stream_id DESC LIMIT $1
) t JOIN read.complaint c USING (stream_id) ORDER BY t.since DESC, t.stream_id DESC
"""  # noqa: S608 -- our own names


class TroubledLife(NamedTuple):
    """A life as operations see it: nothing of its words."""

    complaint_id: str
    stage: str
    unit: str
    """With whom its last order lies or lay; empty: with none."""
    subject: str
    received_at: datetime
    ruleset: str
    since: datetime
    """When it was received, or when it was noted that something went wrong."""
    why: str
    """`hotline.tracing.followed.Why`; empty where nothing did."""

    @property
    def complaint_number(self) -> str:
        """Its number."""
        return number_of(ComplaintId(self.complaint_id), self.received_at, self.ruleset)


async def slowest_lives(connection: asyncpg.Connection[Any], most: int) -> list[TroubledLife]:
    """The lives that are open the longest, at most so many, the longest first."""
    return [TroubledLife(*row) for row in await connection.fetch(_SLOWEST, most)]


async def failing_lives(connection: asyncpg.Connection[Any], most: int) -> list[TroubledLife]:
    """The lives in which something went wrong, at most so many, those first that were noted last.

    They are noted by the process that states traces; where it states none, there are none here.
    """
    return [TroubledLife(*row) for row in await connection.fetch(_FAILING, most)]
