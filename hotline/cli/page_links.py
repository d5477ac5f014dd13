"""Links to the pages of a city on this machine, one for each role, as `hotline up` and a kept demo print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hotline.terminal import say

if TYPE_CHECKING:
    from deploy.city.registry import City
    from hotline.own_city.staff_file import StaffRow
    from shared.policy.catalogue import Catalogue


async def print_links(city: City, known: Catalogue) -> None:
    """A link to the pages of each role; they answer on this machine alone."""
    from hotline.web.pages.local_links import local_links
    from shared.log.acts import acting
    from shared.log.reading import reader

    connection = await reader(city.endpoints.login("reader"))
    try:
        async with acting(city.endpoints.login("operator")) as operator:
            links = await local_links(operator, connection, known)
    finally:
        await connection.close()
    say("Pages, each link signs in once (`hotline staff add` makes people of your own):")
    for one in links:
        say(f"  {one.role:12} http://127.0.0.1:{city.staff_port}{one.path}")


async def print_people(city: City, known: Catalogue, rows: Sequence[StaffRow]) -> None:
    """A link for each person of these rows who is new in the register; they answer on this machine alone."""
    from hotline.own_city.people import add_people
    from shared.log.acts import acting
    from shared.log.reading import reader

    if not rows:
        return
    connection = await reader(city.endpoints.login("reader"))
    try:
        async with acting(city.endpoints.login("operator")) as operator:
            added = await add_people(operator, connection, rows, known)
    finally:
        await connection.close()
    if added:
        say("People of staff.csv, each link signs in once, within a day:")
    for person in added:
        say(f"  {person.role:12} http://127.0.0.1:{city.staff_port}{person.path}  {person.name}")
