"""Messages between a street and the units it whistles for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, listed, one_of
from hotline.cli.speaking import ComplaintNamed, speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import Reason, UnitNamed, of_order, reply

if TYPE_CHECKING:
    from hotline.department.door import OrderNamed

_Number = Annotated[int, typer.Option(min=0, max=10_000, help="Which whistle; the last one without it.")]


@commands.command()
@speaks
def whistle(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    kind: Annotated[str, typer.Option(help="KEY_WORK, JOINT_ENFORCEMENT or EMERGENCY.")],
    called: Annotated[
        str,
        typer.Option("--call", metavar="UNITS", help="Whom you call, with commas between; the first leads."),
    ],
    scene: Annotated[str, typer.Option(help="Where to come to.")],
    reason: Reason,
    number: _Number = 0,
    *,
    json: Json = False,
) -> None:
    """As a street, call other units to the order."""
    from shared import inputs
    from shared.events import WhistleKind

    one_of("--kind", kind, list(WhistleKind))
    reply(
        complaint,
        unit,
        lambda order, others: inputs.BlowWhistle(
            **of_order(order),
            whistle=number or order.whistles + 1,
            kind=WhistleKind(kind),
            called=tuple(others),
            scene=scene,
            reason=reason,
        ),
        others=listed(called),
        json=json,
    )


@commands.command()
@speaks
def acknowledge(
    complaint: ComplaintNamed, unit: UnitNamed, number: _Number = 0, *, json: Json = False
) -> None:
    """You were whistled for: say that you come."""
    from shared import inputs

    reply(
        complaint, unit, lambda order, _: inputs.AcknowledgeWhistle(**_of_whistle(order, number)), json=json
    )


@commands.command()
@speaks
def arrive(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    persons: Annotated[int, typer.Option(min=1, max=10_000, help="How many you are.")] = 1,
    number: _Number = 0,
    *,
    json: Json = False,
) -> None:
    """You were whistled for: say that you are there."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.ArriveAtWhistle(**_of_whistle(order, number), persons=persons),
        json=json,
    )


@commands.command()
@speaks
def measure(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    text: Annotated[str, typer.Option(help="Your measure.")],
    number: _Number = 0,
    *,
    json: Json = False,
) -> None:
    """You were whistled for: say what you do."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.RecordMeasure(**_of_whistle(order, number), measure=text),
        json=json,
    )


@commands.command()
@speaks
def release(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    of: Annotated[str, typer.Option(metavar="UNIT", help="Only this one; all without it.")] = "",
    reason: Reason = "",
    number: _Number = 0,
    *,
    json: Json = False,
) -> None:
    """As a street, let the units go that you called."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, others: inputs.ReleaseWhistle(
            **_of_whistle(order, number), called=others[0] if others else None, reason=reason
        ),
        others=(of,) if of else (),
        json=json,
    )


@commands.command()
@speaks
def rate(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    of: Annotated[str, typer.Option(metavar="UNIT", help="Whom you rate.")],
    stars: Annotated[int, typer.Option(min=1, max=5, help="1 to 5.")],
    text: Annotated[str, typer.Option(help="A comment.")] = "",
    number: _Number = 0,
    *,
    json: Json = False,
) -> None:
    """Street and called unit rate each other."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, others: inputs.RateWhistle(
            **_of_whistle(order, number), rated=others[0], stars=stars, comment=text
        ),
        others=(of,),
        json=json,
    )


def _of_whistle(order: OrderNamed, number: int) -> dict[str, Any]:
    """The first fields of an input about a whistle: the last one, where no number was typed."""
    return {"complaint_id": order.complaint_id, "whistle": number or max(order.whistles, 1)}
