"""Links for a city on this machine: one person for each role, so that the pages can be looked at at once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.web.pages import staff
from hotline.web.pages.gate import sign_in_path
from hotline.web.roles import SIGNING_IN
from shared import roles
from shared.policy.catalogue import Catalogue

NAME: Final = "local {role}"
"""The name in the register by which such a person is found again."""
_BUSIEST: Final = """
SELECT party FROM read.waiting WHERE list = 'orders' AND role = 'lead' AND party = ANY ($1::text[])
GROUP BY party ORDER BY count(*) DESC, party LIMIT 1
"""


class LocalLink(NamedTuple):
    """A link that signs in once."""

    role: str
    unit: str
    path: str


async def local_links(
    operator: asyncpg.Connection[Any], reader: asyncpg.Connection[Any], known: Catalogue
) -> list[LocalLink]:
    """A new link for each role; the person of it is made at the first call. Earlier links of it are void.

    The unit is the street that had the most open orders then.
    """
    present = {(one.name, one.unit): one for one in await staff.listed(reader) if one.revoked_at is None}
    name_of_unit = NAME.format(role=roles.UNIT)
    street = next((unit for name, unit in present if name == name_of_unit), None)
    street = street or await _busiest(reader, known)
    found: list[LocalLink] = []
    for role in SIGNING_IN:
        unit = (street or "") if role == roles.UNIT else ""
        if role == roles.UNIT and not unit:
            continue
        name = NAME.format(role=role)
        there = present.get((name, unit))
        if there is None:
            _, secret = await staff.add(operator, name, Login(role, unit))
        else:
            secret = await staff.new_link(operator, there.staff_id)
        found.append(LocalLink(role, unit, sign_in_path(secret)))
    return found


async def _busiest(reader: asyncpg.Connection[Any], known: Catalogue) -> str | None:
    streets = [unit for one in known.districts.values() for unit in one.streets.values()]
    return await reader.fetchval(_BUSIEST, streets) or next(iter(streets), None)
