"""The common part of a unit's verbs: the complaint, the unit that speaks, sending, telling the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.outcome import tell_outcome
from hotline.cli.run import run
from hotline.cli.speaking import STOPPED
from hotline.cli.unit.app import demand_unit, unit_door

if TYPE_CHECKING:
    from hotline.department.door import OrderNamed
    from shared.ids import UnitId
    from shared.inputs import Input

    Said = Callable[[OrderNamed, Sequence[UnitId]], Input]
    """The input, from the complaint and the other units that were named, by their ids."""

UnitNamed = Annotated[
    str,
    typer.Option(
        "--unit",
        metavar="UNIT",
        help="You: the unit's id or its name in the catalogue. Over HTTP your key says it.",
        default_factory=str,
        show_default=False,
    ),
]
Evidence = Annotated[str, typer.Option(help="The evidence.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def of_order(order: OrderNamed) -> dict[str, Any]:
    """The first fields of an input about the present order."""
    return {"complaint_id": order.complaint_id, "assignment": order.assignment}


def reply(complaint: str, unit: str, said: Said, *, json: bool, others: Sequence[str] = ()) -> None:
    """Say it as the unit and tell what came of it; `others`: units that it names."""
    demand_unit(unit)
    run(_reply(complaint, unit, said, others, json=json), interrupted=STOPPED)


async def _reply(complaint: str, unit: str, said: Said, others: Sequence[str], *, json: bool) -> None:
    from hotline.casefile import outcomes
    from hotline.lookup import unit_of

    async with unit_door() as door:
        speaker = await door.speaker(unit)
        order = await door.order(complaint)
        known = await door.units() if others else None
        named = [] if known is None else [unit_of(name, known) for name in others]
        facts = await door.say(speaker, order.complaint_id, said(order, named))
    tell_outcome(facts, outcomes.of_reply, json=json)
