"""Replies of a unit about an order that it has, or helps with."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.run import Json, one_of
from hotline.cli.speaking import ComplaintNamed, speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import Reason, UnitNamed, of_order, reply
from hotline.parsing import CHANNELS

_Done = Annotated[str, typer.Option(help="The result.")]


@commands.command()
@speaks
def sign(complaint: ComplaintNamed, unit: UnitNamed, *, json: Json = False) -> None:
    """Take the order on."""
    from shared import inputs

    reply(complaint, unit, lambda order, _: inputs.SignOrder(**of_order(order)), json=json)


@commands.command()
@speaks
def answer(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    text: _Done,
    *,
    unsolved: Annotated[bool, typer.Option("--unsolved", help="You do not claim that it is solved.")] = False,
    json: Json = False,
) -> None:
    """Say what was done about it; the citizen is asked next."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.AnswerOrder(**of_order(order), result=text, claims_solved=not unsolved),
        json=json,
    )


@commands.command()
@speaks
def assign(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    to: Annotated[str, typer.Option(metavar="UNIT", help="Your street.")],
    reason: Reason,
    *,
    json: Json = False,
) -> None:
    """As a district, give the order on to your street."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, others: inputs.AssignOrder(**of_order(order), to_unit=others[0], reason=reason),
        others=(to,),
        json=json,
    )


@commands.command()
@speaks
def contact(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    failed: Annotated[str, typer.Option(metavar="CAUSE", help="You could not: why.")] = "",
    channel: Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")] = "phone",
    *,
    json: Json = False,
) -> None:
    """Say that you spoke to the citizen, or tried to."""
    from shared import inputs

    one_of("--channel", channel, CHANNELS)
    reply(
        complaint,
        unit,
        lambda order, _: (
            inputs.RecordContactFailed(**of_order(order), cause=failed, channel=channel)
            if failed
            else inputs.RecordContact(**of_order(order), channel=channel)
        ),
        json=json,
    )


@commands.command()
@speaks
def progress(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    text: Annotated[str, typer.Option(help="How far it is.")],
    *,
    stage: Annotated[bool, typer.Option("--stage", help="It is the result of one stage.")] = False,
    json: Json = False,
) -> None:
    """Tell the citizen how far it is."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.ReportProgress(**of_order(order), text=text, stage_feedback=stage),
        json=json,
    )


@commands.command()
@speaks
def report(complaint: ComplaintNamed, unit: UnitNamed, text: _Done, *, json: Json = False) -> None:
    """As a unit that helps another, say what you did."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.ReportAsCoUnit(complaint_id=order.complaint_id, result=text),
        json=json,
    )
