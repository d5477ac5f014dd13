"""`hotline unit add`: the login of a unit, as `hotline login add unit` makes it."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.login import let_in
from hotline.cli.run import Json, fail
from hotline.cli.unit.app import commands
from shared import roles
from shared.text import folded_code, quoted


@commands.command()
def add(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's id.")], *, json: Json = False
) -> None:
    """Give a unit its topics and a login: the same as `hotline login add unit UNIT`."""
    from shared.topic_names import UNIT_NAME

    if not UNIT_NAME.fullmatch(folded_code(unit)):
        expected = f"expected an id of a-z, 0-9, _ and -, as {UNIT_NAME.pattern}"
        fail(f"UNIT: {expected}; got {quoted(unit)}.", code=2)
    let_in(roles.UNIT, unit, json=json)
