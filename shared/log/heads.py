"""Reads heads and facts as JSON, fast, and past any row that PostgreSQL cannot read as JSON.

A head is text. PostgreSQL parses it as JSON when a statement asks for a field. One head that it cannot parse,
such as one with U+0000 in a string, ends the whole statement. Then the statement is sent once more in its
careful form. That form tries each row by itself, leaves out the rows that fail and names them (migration
0029).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

from shared.unreadable import UnreadableRows

CANNOT_BE_READ: Final = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""The errors PostgreSQL raises for a value it cannot read: of its form, its characters, its range or its depth."""

_HEADS: Final = """
SELECT 'the head of complaint ' || stream_id, amiss FROM es.head_unreadable ORDER BY stream_id
"""
_BODIES: Final = """
SELECT format('complaint %s, version %s (%s)', stream_id, version, type), 'its body is no {} that PostgreSQL takes'
FROM es.fact WHERE {} IS NULL ORDER BY stream_id, version
"""
_TEXT: Final = "es.text_of(body)"
_JSON: Final = f"es.json_of({_TEXT})"


class Statement(NamedTuple):
    """One question in two forms, and which rows the careful one leaves out."""

    fast: str
    careful: str
    left_out: str


def over_heads(text: str) -> Statement:
    """A statement that reads `{heads}`: rows of stream_id, version, state_schema, text and state, the text as JSON."""
    return Statement(text.replace("{heads}", "es.head"), text.replace("{heads}", "es.head_read"), _HEADS)


def over_bodies(text: str) -> Statement:
    """A statement that reads `{json}`, the body of a fact as JSON."""
    fast = text.replace("{json}", "convert_from(body, 'UTF8')::json")
    return Statement(fast, text.replace("{json}", _JSON), _BODIES.format("JSON", _JSON))


def over_texts(text: str) -> Statement:
    """A statement that reads `{text}`, the body of a fact as text."""
    fast = text.replace("{text}", "convert_from(body, 'UTF8')")
    return Statement(fast, text.replace("{text}", _TEXT), _BODIES.format("text", _TEXT))


async def fetch(
    connection: asyncpg.Connection[Any], statement: Statement, *arguments: object, unread: UnreadableRows
) -> list[Any]:
    """The rows there are; those that PostgreSQL cannot read are noted."""
    try:
        if not connection.is_in_transaction():
            return await connection.fetch(statement.fast, *arguments)
        async with connection.transaction():  # what fails must not end the transaction around it
            return await connection.fetch(statement.fast, *arguments)
    except CANNOT_BE_READ:
        rows = await connection.fetch(statement.careful, *arguments)
        for row, why in await connection.fetch(statement.left_out):
            unread.note(row, why)
        return list(rows)
