"""Puts the people of a city's folder into the register, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.own_city.staff_file import StaffRow, units_called
from hotline.web.pages import staff
from hotline.web.pages.gate import sign_in_path
from shared.policy.catalogue import Catalogue
from shared.text import folded_code


class AddedPerson(NamedTuple):
    """A person who was not in the register."""

    name: str
    role: str
    path: str
    """Of the link that signs in once."""


async def add_people(
    operator: asyncpg.Connection[Any],
    reader: asyncpg.Connection[Any],
    rows: Sequence[StaffRow],
    known: Catalogue,
) -> list[AddedPerson]:
    """Add those who are not there yet; nobody is revoked who stands in no row."""
    present = {(one.name, one.role, one.unit) for one in await staff.listed(reader) if one.revoked_at is None}
    found: list[AddedPerson] = []
    for row in rows:
        role = folded_code(row.role)
        unit = units_called(row.unit, known)[0] if row.unit else ""
        if (row.name, role, unit) not in present:
            _, secret = await staff.add(operator, row.name, Login(role, unit))
            found.append(AddedPerson(row.name, role, sign_in_path(secret)))
    return found
