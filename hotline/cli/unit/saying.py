"""The common part of a unit's verbs: the complaint, the unit that speaks, sending, telling the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.outcome import tell_outcome
from hotline.cli.run import run
from hotline.cli.speaking import STOPPED

if TYPE_CHECKING:
    from shared.complaint import Complaint
    from shared.ids import UnitId
    from shared.inputs import Input

    Said = Callable[[Complaint, Callable[[str], UnitId]], Input]
    """The input, from the complaint and from what finds a unit of the catalogue by its id or name."""

UnitNamed = Annotated[
    str, typer.Option("--unit", metavar="UNIT", help="You: the unit's id or its name in the catalogue.")
]
Evidence = Annotated[str, typer.Option(help="The evidence.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def of_order(case: Complaint) -> dict[str, Any]:
    """The first fields of an input about the present order."""
    return {
        "complaint_id": case.complaint_id,
        "assignment": case.order.assignment if case.order is not None else 1,
    }


def reply(complaint: str, unit: str, said: Said, *, json: bool) -> None:
    """Say it as the unit and tell what came of it."""
    run(_reply(complaint, unit, said, json=json), interrupted=STOPPED)


async def _reply(complaint: str, unit: str, said: Said, *, json: bool) -> None:
    from functools import partial

    from deploy.city.registry import city_up
    from hotline import client
    from hotline.casefile import outcomes
    from hotline.lookup import complaint_named, unit_named

    city = city_up()
    speaker = unit_named(unit, city.catalogue)
    case = await complaint_named(city, complaint)
    data = said(case, partial(unit_named, path=city.catalogue))
    facts = await client.reply(city, speaker, case.complaint_id, data)
    tell_outcome(facts, outcomes.of_reply, json=json)
