"""Links for a city on this machine: one person for each role, so that the pages can be looked at at once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.web.pages import staff
from hotline.web.pages.gate import sign_in_path
from hotline.web.pages.staff import SIGNING_IN
from shared import roles
from shared.policy.catalogue import Catalogue

NAME: Final = "local {role}"
"""The name in the register by which such a person is found again."""


class LocalLink(NamedTuple):
    """A link that signs in once."""

    role: str
    unit: str
    path: str


async def local_links(
    operator: asyncpg.Connection[Any], reader: asyncpg.Connection[Any], known: Catalogue
) -> list[LocalLink]:
    """A new link for each role; the person of it is made at the first call. Earlier links of it are void."""
    street = next((unit for one in known.districts.values() for unit in one.streets.values()), None)
    present = {(one.name, one.unit): one for one in await staff.listed(reader) if one.revoked_at is None}
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
