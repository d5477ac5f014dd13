"""Finds complaints by number, request, subject, place and words of the title: the newest first, so many at most."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from hotline.lookup import number_typed
from hotline.readside.lists import Listed, some
from hotline.readside.words import named, words_in
from shared.complaint_number import numbered
from shared.ids import complaint_id
from shared.runtime.errors import UserError
from shared.text import folded, quoted

FOUND_MAX: Final = 200
NUMBER_MIN: Final = 4
"""Characters of a complaint's number that are looked up."""
_DIGITS: Final = 32

_FOUND: Final = "SELECT stream_id::text FROM read.found($1, $2, $3, $4, $5, $6, $7, $8)"
_NUMBERED: Final = """
SELECT stream_id::text FROM read.complaint WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id LIMIT $3
"""
_HAS: Final = "SELECT stream_id::text FROM read.complaint WHERE stream_id = $1"
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))


async def found(
    connection: asyncpg.Connection[Any],
    text: str = "",
    *,
    subject: str = "",
    district: str = "",
    street: str = "",
    unit: str = "",
    open_only: bool = False,
    before: str = "",
    most: int = 50,
) -> list[Listed]:
    """The newest complaints of which all of this is true; `text`: a number, a request, or words of the title.

    `unit`: the id of the unit with which the last order lies or lay.
    `before`: the place of the last one of the page before. Raises `UserError` where that is no place, or where the text
    is too short to look for.
    """
    most = min(most, FOUND_MAX)
    subject, district, street = map(folded, (subject, district, street))  # as names are recorded
    place = not (subject or district or street)
    if text and place and not before and (exact := await _numbered(connection, text, most)):
        known = numbered(text)
        return [
            one
            for one in await some(connection, exact)
            if not (open_only and one.ended)
            and known in {None, numbered(one.complaint_number)}
            and unit in {"", one.lead}
        ]
    words = words_in(text)
    if text and not words:
        raise UserError(
            f'Nothing can be looked for by "{text}": expected words, or the number of a complaint.'
        )
    asked = [*named(subject, district, street), *words]
    behind = since(before) if before else _AFTER_ALL
    rows = await connection.fetch(_FOUND, asked, district, subject, *behind, open_only, most, unit)
    return await some(connection, [row[0] for row in rows])


def place_of(one: Listed) -> str:
    """Behind which the next page of what was found begins."""
    return f"{one.received_at.isoformat()}/{one.complaint_id}"


def since(place: str) -> tuple[datetime, UUID]:
    """The place that `place_of` gave; `UserError` where the text is none."""
    received_at, _, complaint = place.partition("/")
    refused = UserError(f"{quoted(place)} is no place in what was found.")
    try:
        at, last = datetime.fromisoformat(received_at), UUID(complaint)
    except ValueError:
        raise refused from None
    if at.tzinfo is None:
        raise refused
    return at, last


async def _numbered(connection: asyncpg.Connection[Any], text: str, most: int) -> list[str]:
    """The complaint of this request, or those whose number begins so."""
    by_request = await connection.fetchval(_HAS, complaint_id(text.strip()))
    if by_request is not None:
        return [by_request]
    number = number_typed(text)
    if number is not None:
        first, last = UUID(number.id_first), UUID(number.id_last)
        return [row[0] for row in await connection.fetch(_NUMBERED, first, last, most)]
    digits = text.strip().lower().replace("-", "")
    if not NUMBER_MIN <= len(digits) <= _DIGITS or not set(digits) <= set("0123456789abcdef"):
        return []
    first, last = UUID(digits.ljust(_DIGITS, "0")), UUID(digits.ljust(_DIGITS, "f"))
    return [row[0] for row in await connection.fetch(_NUMBERED, first, last, most)]
