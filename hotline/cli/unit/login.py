"""`hotline unit add`: a unit gets its topics and a login."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from hotline.cli.run import Json, fail, run
from hotline.cli.unit.app import commands
from hotline.terminal import say, say_json
from shared.text import folded_code, quoted


@commands.command()
def add(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's id.")], *, json: Json = False
) -> None:
    """Give a unit its topics and a login; the password is shown this once and kept nowhere."""
    run(_add(unit, json=json))


async def _add(unit: str, *, json: bool) -> None:
    from deploy.city.registry import city_up
    from deploy.city.units import admit
    from shared.policy.catalogue import catalogue
    from shared.topic_names import UNIT_NAME

    unit = folded_code(unit)
    if not UNIT_NAME.fullmatch(unit):
        expected = f"expected an id of a-z, 0-9, _ and -, as {UNIT_NAME.pattern}"
        fail(f"UNIT: {expected}; got {quoted(unit)}.", code=2)
    city = city_up()
    told = await admit(city.realm, unit)
    if json:
        say_json(json_module.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        say(f"{name}={value}")
    say("The password is shown this once; `unit add` again makes another and the old one is void.")
    if unit not in catalogue(city.catalogue).units:
        say(f"The catalogue has no unit {unit}: nobody dispatches to it yet.")
