"""Requests of a unit that it cannot settle alone; a reviewer or a council decides."""

from __future__ import annotations

from typing import Annotated

import typer

from hotline.cli.run import Json, one_of
from hotline.cli.speaking import ComplaintNamed, speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import Evidence, Reason, UnitNamed, of_order, reply

_Days = Annotated[int, typer.Option(min=1, max=366, help="How many days.")]


@commands.command("return")
@speaks
def return_(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    reason: Reason,
    evidence: Evidence,
    suggest: Annotated[str, typer.Option(metavar="UNIT", help="The unit it belongs to instead.")] = "",
    *,
    json: Json = False,
) -> None:
    """Say that the order is not yours."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, others: inputs.RequestReturn(
            **of_order(order),
            reason=reason,
            evidence=evidence,
            suggested_unit=others[0] if others else None,
        ),
        others=(suggest,) if suggest else (),
        json=json,
    )


@commands.command()
@speaks
def dispute(
    complaint: ComplaintNamed, unit: UnitNamed, reason: Reason, evidence: Evidence, *, json: Json = False
) -> None:
    """Ask for a council after your return was rejected."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.RaiseDispute(**of_order(order), reason=reason, evidence=evidence),
        json=json,
    )


@commands.command()
@speaks
def extend(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    days: _Days,
    reason: Reason,
    *,
    citizen_told: Annotated[bool, typer.Option("--citizen-told", help="You have told the citizen.")] = False,
    json: Json = False,
) -> None:
    """Ask for more days."""
    from shared import inputs

    reply(
        complaint,
        unit,
        lambda order, _: inputs.RequestExtension(
            **of_order(order), days=days, reason=reason, citizen_told=citizen_told
        ),
        json=json,
    )


@commands.command()
@speaks
def pause(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    days: _Days,
    ground: Annotated[str, typer.Option(help="AWAITS_CITIZEN, AWAITS_AUTHORITY or SEASON.")],
    evidence: Evidence,
    *,
    json: Json = False,
) -> None:
    """Ask for your clock to stand still while you must wait for something."""
    from shared import inputs
    from shared.events import PauseGround

    one_of("--ground", ground, list(PauseGround))
    reply(
        complaint,
        unit,
        lambda order, _: inputs.RequestPause(
            **of_order(order), ground=PauseGround(ground), days=days, evidence=evidence
        ),
        json=json,
    )


@commands.command()
@speaks
def resume(complaint: ComplaintNamed, unit: UnitNamed, reason: Reason, *, json: Json = False) -> None:
    """End the pause: the thing you waited for has come."""
    from shared import inputs

    reply(complaint, unit, lambda order, _: inputs.EndPause(**of_order(order), reason=reason), json=json)


@commands.command()
@speaks
def terminate(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    ground: Annotated[str, typer.Option(help="INFORMATION_REFUSED or UNLAWFUL_OR_IMPOSSIBLE.")],
    evidence: Evidence,
    *,
    json: Json = False,
) -> None:
    """Ask to end the order unanswered."""
    from shared import inputs
    from shared.events import TerminationGround

    one_of("--ground", ground, list(TerminationGround))
    reply(
        complaint,
        unit,
        lambda order, _: inputs.RequestTermination(
            **of_order(order), ground=TerminationGround(ground), evidence=evidence
        ),
        json=json,
    )


@commands.command()
@speaks
def exclude(
    complaint: ComplaintNamed,
    unit: UnitNamed,
    ground: Annotated[str, typer.Option(help="INVALID, FORCE_MAJEURE, POLICY_IMPOSSIBLE or DUPLICATE.")],
    evidence: Evidence,
    *,
    json: Json = False,
) -> None:
    """Ask to leave the complaint out of your score."""
    from shared import inputs
    from shared.events import ExclusionGround

    one_of("--ground", ground, list(ExclusionGround))
    reply(
        complaint,
        unit,
        lambda order, _: inputs.RequestExclusion(
            complaint_id=order.complaint_id, ground=ExclusionGround(ground), evidence=evidence
        ),
        json=json,
    )
