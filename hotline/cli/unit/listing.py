"""Which units there are, which orders lie with one, and its desk."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.listing import (
    LISTED,
    After,
    Content,
    District,
    Limit,
    Overdue,
    Subject,
    UrgencyOnly,
    of_urgency,
    tell_listed,
)
from hotline.cli.run import Json, fail, one_of, run
from hotline.cli.speaking import speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import UnitNamed
from hotline.terminal import say, say_json

if TYPE_CHECKING:
    from hotline.casefile.orders import ListPage
    from hotline.readside.lists import Filter
    from shared.ids import UnitId


@commands.command("list")
def list_(
    unit: UnitNamed = "",
    *,
    all_units: Annotated[bool, typer.Option("--all-units", help="The catalogue's units instead.")] = False,
    role: Annotated[
        str,
        typer.Option(
            help="Only what it leads (lead), helps with (help), is called to (called) or has come to (arrived)."
        ),
    ] = "",
    subject: Subject = "",
    district: District = "",
    urgency: UrgencyOnly = "",
    overdue: Overdue = False,
    content: Content = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List the open orders of a unit, and what it helps with or is called to, the earliest limit first."""
    if all_units == bool(unit):
        fail("Say --unit UNIT for its open orders, or --all-units for the units there are.", code=2)
    if all_units:
        _print_units(json=json)
        return
    from hotline.casefile.orders import line, row
    from hotline.readside.lists import Filter
    from hotline.readside.rows import ROLES

    if role:
        one_of("--role", role, ROLES)
    only = of_urgency(urgency, Filter(role=role, subject=subject, district=district))
    name, looked = run(_orders(unit, only, overdue=overdue, after=after, most=limit))
    tell_listed(
        looked,
        lambda one: row(one, looked.now),
        lambda one: line(one, looked.now),
        nothing=f"No open order lies with {name}.",
        json=json,
        below=lambda one: one.content if content else "",
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


async def _orders(
    name: str, only: Filter, *, overdue: bool, after: str, most: int
) -> tuple[UnitId, ListPage]:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.lookup import unit_named
    from hotline.readside.rows import ORDERS

    city = city_up()
    unit = unit_named(name, city.catalogue)
    return unit, await look(city, ORDERS, unit, only=only, overdue=overdue, after=after, most=most)


async def _sit(name: str) -> None:
    from deploy.city.registry import city_up
    from hotline.cli.unit.interactive import sit
    from hotline.lookup import unit_named

    city = city_up()
    await sit(city, unit_named(name, city.catalogue))
