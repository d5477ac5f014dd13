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
from hotline.cli.speaking import ComplaintNamed, speaks
from hotline.cli.unit.app import WAY, commands, demand_unit, unit_door
from hotline.cli.unit.saying import UnitNamed
from hotline.terminal import say, say_json, say_record

if TYPE_CHECKING:
    from hotline.casefile.orders import ListPage
    from hotline.lookup import UnitNames
    from hotline.readside.lists import Filter
    from hotline.web.answers import ComplaintTimeline
    from shared.ids import UnitId


@commands.command("list")
def list_(
    unit: UnitNamed,
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
    named = bool(unit) or WAY.get() is not None
    if (all_units and unit) or not (all_units or named):
        fail("Say --unit UNIT for its open orders, or --all-units for the units there are.", code=2)
    if all_units:
        _print_units(run(_units()), json=json)
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
    demand_unit(unit)
    run(_sit(unit), interrupted="You left the desk; your orders stay where they are.")


@commands.command()
def show(complaint: ComplaintNamed, *, json: Json = False) -> None:
    """Show a complaint's life; over HTTP the part of it that you are told of or led to."""
    if WAY.get() is None:
        from hotline.cli.show import show as shown

        shown(complaint, json=json)
        return
    life = run(_life(complaint))
    if json:
        say_record(life)
        return
    from shared.times import shown as shown_at

    say(f"complaint {life.complaint_number}   id {life.complaint_id}")
    for one in life.entries:
        say(f"{one.version:>3}  {shown_at(one.at, seconds=True)}  {one.who}  {one.what}")


def _print_units(known: UnitNames, *, json: bool) -> None:
    units = {unit_id: names[0] for unit_id, names in known.units.items()}
    if json:
        say_json(json_module.dumps(units, ensure_ascii=False))
        return
    width = max(map(len, units), default=0)
    for unit_id, name in units.items():
        say(f"{unit_id:<{width}}  {name}")


async def _units() -> UnitNames:
    if WAY.get() is not None:
        async with unit_door() as door:
            return await door.units()
    from deploy.city.registry import remembered
    from hotline.lookup import known_in
    from shared.policy.catalogue import catalogue

    city = remembered()  # a catalogue can be read whether the city is up or not
    return known_in(catalogue(city.catalogue if city is not None else ""))


async def _life(complaint: str) -> ComplaintTimeline:
    from hotline.department.by_http import HttpDoor

    async with unit_door() as door:
        assert isinstance(door, HttpDoor)  # noqa: S101 -- it is that way here
        return await door.life(complaint)


async def _orders(
    name: str, only: Filter, *, overdue: bool, after: str, most: int
) -> tuple[UnitId, ListPage]:
    async with unit_door() as door:
        unit = await door.speaker(name)
        return unit, await door.orders(unit, only, overdue=overdue, after=after, most=most)


async def _sit(name: str) -> None:
    from hotline.cli.unit.interactive import sit

    async with unit_door() as door:
        await sit(door, await door.speaker(name))
