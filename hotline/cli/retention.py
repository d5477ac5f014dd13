"""`hotline retention`: what is kept of people, how long, and the sweep that lets go what is due."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import cell, say, say_json

if TYPE_CHECKING:
    from hotline.upkeep.retention import DueData
    from shared.unreadable import UnreadableRows


def retention(
    *,
    shred: Annotated[bool, typer.Option("--shred", help="Let go what is due; type it once a day.")] = False,
    json: Json = False,
) -> None:
    """Show what is kept of people, for how long, and how much is due; or let that go.

    A backup from before still holds it: delete backups in time, and do this again after a restore.
    """
    unread = none_unread()
    found = run(_swept(unread, shred=shred))
    counts = {
        "contacts": len(found.contacts),
        "dropped_messages": len(found.dropped),
        "marks_of_callers": len(found.marks),
    }
    if json:
        say_json(
            json_module.dumps({"shredded" if shred else "due": counts, "kept": _lines()}, ensure_ascii=False)
        )
    else:
        if not shred:
            _print()
        how = "let go" if shred else "due"
        say(
            f"{counts['contacts']:,} contacts, {counts['dropped_messages']:,} dropped messages and "
            f"{counts['marks_of_callers']:,} marks of callers are {how}."
        )
    tell_unread(unread, json=json)


def _lines() -> list[dict[str, object]]:
    from deploy.city.registry import city_up
    from hotline.upkeep.retention import KEPT, told
    from shared.policy.ruleset import ruleset

    rules = ruleset(city_up().ruleset)
    return [
        {
            "name": one.name,
            "what": one.what,
            "tables": list(one.tables),
            "until": told(one, rules),
            "act": one.act,
        }
        for one in KEPT
    ]


def _print() -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "it tells", "kept", "ended by"):
        table.add_column(column, overflow="fold")
    for one in _lines():
        table.add_row(*(cell(str(one[name])) for name in ("name", "what", "until", "act")))
    Console(highlight=False, markup=False).print(table)


async def _swept(unread: UnreadableRows, *, shred: bool) -> DueData:
    from deploy.city.registry import city_up
    from hotline.client import now_of
    from hotline.upkeep.retention import due, let_go
    from shared.log.acts import acting
    from shared.policy.ruleset import ruleset

    city = city_up()
    async with acting(city.endpoints.login("operator")) as operator:
        found = await due(operator, await now_of(city), ruleset(city.ruleset), city.endpoints.prefix, unread)
        if shred:
            await let_go(operator, found)
        return found
