"""Reads the facts of whole lives, for a view that is folded from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from shared.complaint import UNOPENED, Case, evolve
from shared.log.codec import decoded
from shared.unreadable import Unreadable, reason

PAGE: Final = 5000
"""Facts read at once."""

# A life whose month is away cannot be made anew: what is known of it stays as it is.
_FACTS: Final = """
SELECT {columns} FROM es.fact f
WHERE {which} AND NOT EXISTS (SELECT FROM es.detached_life d WHERE d.stream_id = f.stream_id)
ORDER BY stream_id, version
"""


class FactsOfLives(NamedTuple):
    """Statements that read whole lives, each life's facts in order."""

    all: str
    some: str
    """Of the complaints of its last argument."""
    between: str
    """Of the complaints from its last argument but one to its last."""


def facts_of_lives(columns: str, arguments: int = 0) -> FactsOfLives:
    """The statements with these columns of a fact, which name so many arguments."""
    one, two = arguments + 1, arguments + 2
    return FactsOfLives(
        _FACTS.format(columns=columns, which="true"),
        _FACTS.format(columns=columns, which=f"stream_id = ANY (${one}::uuid[])"),
        _FACTS.format(columns=columns, which=f"stream_id BETWEEN ${one} AND ${two}"),
    )


_WHOLE: Final = facts_of_lives("stream_id, version, type, schema_version, body, hash")


class FoldedLife(NamedTuple):
    """One complaint, as its facts add up."""

    stream: UUID
    version: int
    hash: bytes
    case: Case
    amiss: Unreadable | None = None
    """The part of it that cannot be read; then `case` is not where it stands."""


async def lives(
    connection: asyncpg.Connection[Any],
    streams: Collection[UUID] | tuple[UUID, UUID] | None = None,
    hear: Callable[[UUID, str, Any], None] | None = None,
) -> AsyncIterator[list[FoldedLife]]:
    """All complaints of the log, those of a list, or those from one to another (a pair), folded from their facts.

    They come some at a time, inside a transaction. Where a fact cannot be read, its complaint says so: what it says is
    in no view then. `hear` is told each fact, with its complaint and its type.
    """
    if streams is None:
        asked: Sequence[Any] = (_WHOLE.all,)
    elif isinstance(streams, tuple):
        asked = (_WHOLE.between, *streams)
    else:
        asked = (_WHOLE.some, streams)
    cursor = await connection.cursor(*asked)
    stream: UUID | None = None
    version, head = 0, b""
    case: Case = UNOPENED
    amiss: Unreadable | None = None
    while page := await cursor.fetch(PAGE):
        done: list[FoldedLife] = []
        for row_stream, row_version, name, schema, body, row_hash in page:
            if row_stream != stream:
                if stream is not None:
                    done.append(FoldedLife(stream, version, head, case, amiss))
                stream, case, amiss = row_stream, UNOPENED, None
            version, head = row_version, row_hash
            try:
                fact = decoded(name, schema, body)
                case = evolve(case, fact)
                if hear is not None:
                    hear(row_stream, name, fact)
            except Exception as error:  # noqa: BLE001 -- this complaint is left as it is, all others are folded
                row = f"complaint {row_stream}, version {row_version}"
                amiss = amiss or Unreadable(row, f"cannot be read: {reason(error)}")
        yield done
    if stream is not None:
        yield [FoldedLife(stream, version, head, case, amiss)]
