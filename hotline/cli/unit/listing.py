"""Which units there are, which orders lie with one, and its desk."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, fail, run
from hotline.cli.speaking import speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import UnitNamed
from hotline.cli.unread import none_unread, tell_cases
from hotline.terminal import say, say_json

if TYPE_CHECKING:
    from datetime import datetime

    from shared.complaint import Complaint
    from shared.ids import UnitId
    from shared.unreadable import UnreadableRows


@commands.command("list")
def list_(
    unit: UnitNamed = "",
    *,
    all_units: Annotated[bool, typer.Option("--all-units", help="The catalogue's units instead.")] = False,
    json: Json = False,
) -> None:
    """List the open orders of a unit, the earliest limit first."""
    if all_units == bool(unit):
        fail("Say --unit UNIT for its open orders, or --all-units for the units there are.", code=2)
    if all_units:
        _print_units(json=json)
        return
    from hotline.casefile.orders import line, row

    unread = none_unread()
    name, (cases, now) = run(_open_orders(unit, unread))
    tell_cases(
        cases,
        unread,
        lambda case: row(case, now),
        lambda case: line(case, now),
        nothing=f"No open order lies with {name}.",
        json=json,
    )


@commands.command()
@speaks
def desk(unit: UnitNamed) -> None:
    """Sit at the unit's desk: orders appear as they come, replies are typed."""
    run(_sit(unit), interrupted="You left the desk; your orders stay where they are.")


def _print_units(*, json: bool) -> None:
    from deploy.city.registry import remembered
    from shared.policy.catalogue import catalogue

    city = remembered()
    units = catalogue(city.catalogue if city is not None else "").units
    if json:
        say_json(
            json_module.dumps({unit_id: unit.name for unit_id, unit in units.items()}, ensure_ascii=False)
        )
        return
    width = max(map(len, units), default=0)
    for unit_id, unit in units.items():
        say(f"{unit_id:<{width}}  {unit.name}")


async def _open_orders(name: str, unread: UnreadableRows) -> tuple[UnitId, tuple[list[Complaint], datetime]]:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import open_orders
    from hotline.lookup import unit_named

    city = city_up()
    unit = unit_named(name, city.catalogue)
    return unit, await open_orders(city, unit, unread)


async def _sit(name: str) -> None:
    from deploy.city.registry import city_up
    from hotline.cli.unit.interactive import sit
    from hotline.lookup import unit_named

    city = city_up()
    await sit(city, unit_named(name, city.catalogue))
