"""Finds what a person names: a complaint by its number, its id or its request's, a unit by its id or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from deploy.city.registry import City
from shared.complaint import Complaint, UnreadableHead, stored_head
from shared.complaint_number import ComplaintNumberError, Numbered, numbered
from shared.deciding import called_so
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.log.reading import reader
from shared.policy.catalogue import Catalogue, catalogue
from shared.runtime.errors import UserError
from shared.text import folded, folded_code, quoted

PREFIX_MIN: Final = 4
"""The shortest beginning of an id that is looked up."""
_DIGITS: Final = 32
_NAMED_MAX: Final = 3
"""Complaints named where a beginning fits several."""
_NEAR_MAX: Final = 4
"""Units named beside a name that no unit has."""
# By the column, not by its text of the same name: so the index gives the order.
_PREFIX: Final = """
SELECT s.stream_id::text FROM es.stream s
WHERE s.stream_id BETWEEN $1 AND $2 ORDER BY s.stream_id LIMIT $3
"""
_HEAD: Final = "SELECT stream_id::text, state, state_schema FROM es.stream WHERE stream_id = $1"


async def complaint_called(connection: asyncpg.Connection[Any], text: str) -> Complaint:
    """The complaint with this id, or the only one whose id begins so; `UserError` where there is none."""
    row = await connection.fetchrow(_HEAD, await id_named(connection, text))
    assert row is not None  # noqa: S101 -- it was found just now, and no head is ever removed
    try:
        return stored_head(*row)
    except UnreadableHead as error:
        raise UserError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


async def id_named(connection: asyncpg.Connection[Any], named: str) -> ComplaintId:
    """The complaint's id; its number or a request's id says it exactly, the beginning of an id must fit one only."""
    text = named.strip()
    by_request: ComplaintId = complaint_id(text)
    if await connection.fetchval("SELECT 1 FROM es.stream WHERE stream_id = $1", by_request):
        return by_request
    if (by_number := await _by_number(connection, text)) is not None:
        return by_number
    digits = folded_code(text).replace("-", "")
    if not set(digits) <= set("0123456789abcdef") or len(digits) > _DIGITS:
        raise UserError(f"No request has the id {quoted(text)}, and no complaint's id begins with it.")
    if len(digits) < PREFIX_MIN:
        raise UserError(
            f"{quoted(text)} is too short: at least {PREFIX_MIN} characters of the complaint's id."
        )
    rows = await connection.fetch(
        _PREFIX,
        UUID(digits.ljust(_DIGITS, "0")),
        UUID(digits.ljust(_DIGITS, "f")),
        _NAMED_MAX + 1,
    )
    if not rows:
        raise UserError(f"No complaint's id begins with {quoted(text)}, and no request has that id.")
    if len(rows) > 1:
        several = ", ".join(row[0] for row in rows[:_NAMED_MAX]) + (" …" if len(rows) > _NAMED_MAX else "")
        raise UserError(
            f"More than one complaint's id begins with {quoted(text)}, give more of it: {several}"
        )
    return ComplaintId(rows[0][0])


def number_typed(text: str) -> Numbered | None:
    """The complaint's number that a person typed; None where the text is none. `UserError` says which part is wrong."""
    try:
        return numbered(text)
    except ComplaintNumberError as error:
        raise UserError(f"{quoted(text)} is no complaint's number: {error}.") from None


async def _by_number(connection: asyncpg.Connection[Any], text: str) -> ComplaintId | None:
    """The complaint with this number; None where the text is none. `UserError` where no complaint has it."""
    number = number_typed(text)
    if number is None:
        return None
    between = UUID(number.id_first), UUID(number.id_last)
    ids = [row[0] for row in await connection.fetch(_PREFIX, *between, _NAMED_MAX)]
    for one in ids:
        row = await connection.fetchrow(_HEAD, one)
        assert row is not None  # noqa: S101 -- it was found just now, and no head is ever removed
        try:
            if numbered(stored_head(*row).complaint_number) == number:
                return ComplaintId(one)
        except UnreadableHead as error:
            raise UserError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    raise UserError(f"No complaint has the number {quoted(text)}.")


async def complaint_named(city: City, text: str) -> Complaint:
    """As `complaint_called`, by a connection of its own."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        return await complaint_called(connection, text)
    finally:
        await connection.close()


def unit_named(name: str, path: str) -> UnitId:
    """The unit's id, by its id or name in the catalogue at `path`; else `UserError` names the nearest ones."""
    return unit_of(name, known_in(catalogue(path)))


class UnitNames(NamedTuple):
    """The units of a catalogue, each with the names it goes by, its own first."""

    catalogue: str
    """The version of the catalogue."""
    units: Mapping[UnitId, Sequence[str]]


def known_in(known: Catalogue) -> UnitNames:
    """The units of this catalogue."""
    return UnitNames(
        known.version,
        {unit: tuple(name for name in known.names_of(unit) if name != unit) for unit in known.units},
    )


def unit_of(name: str, known: UnitNames) -> UnitId:
    """The unit's id, by its id or a name of it; else `UserError` names the nearest ones."""
    called = called_so(name, known.units)
    if len(called) == 1:
        return called[0]
    name = folded(name)
    if called:
        raise UserError(f"{len(called)} units are called {quoted(name)}: {', '.join(sorted(called))}.")
    names = {of[0]: unit_id for unit_id, of in known.units.items()}
    near = [unit_id for text, unit_id in names.items() if name in text or name in unit_id][:_NEAR_MAX]
    alike = get_close_matches(name, [*known.units, *names], n=_NEAR_MAX, cutoff=0.4)
    near += [names.get(text, UnitId(text)) for text in alike]
    shown = ", ".join(f"{unit_id} ({known.units[unit_id][0]})" for unit_id in dict.fromkeys(near[:_NEAR_MAX]))
    raise UserError(
        f"No unit {quoted(name)} in catalogue {known.catalogue}{f'; near: {shown}' if shown else ''}. "
        f"`hotline unit list --all-units` lists all {len(known.units)}."
    )
