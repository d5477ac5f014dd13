"""`hotline request`: what an agent does with a request that is on record."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from hotline.arguments import CHANNELS
from hotline.commands.call import Attach, attachments
from hotline.commands.run import Json, fail, one_of, run
from hotline.terminal import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.complaint import Complaint
    from shared.inputs import Input

request = typer.Typer(
    help="A request that is on record: add to it, correct it, note that it was brought up again, take it back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Complaint = Annotated[str, typer.Argument(metavar="COMPLAINT", help="Its id or the beginning of it.")]
_Agent = Annotated[str, typer.Option("--as", help="Who writes it down.")]


@request.command()
def add(
    complaint: _Complaint,
    text: Annotated[str, typer.Option(help="What the citizen has to say beside.")],
    attach: Attach = None,
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Write down what the citizen adds; the unit that has it is told."""
    from shared.inputs import RequestSupplemented

    sent = attachments(attach or [])
    run(
        _say(
            complaint,
            lambda c: RequestSupplemented(
                complaint_id=c.complaint_id, text=text, recorded_by=agent, attachments=sent
            ),
            json=json,
        )
    )


@request.command()
def correct(
    complaint: _Complaint,
    title: Annotated[str, typer.Option(help="What it is about.")] = "",
    content: Annotated[str, typer.Option(help="The whole matter.")] = "",
    address: Annotated[str, typer.Option(help="Where exactly.")] = "",
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Correct the record; what it said before stays readable."""
    from shared.inputs import RequestCorrected

    if not (title or content or address):
        fail("Give what is right: --title, --content or --address.", code=2)
    run(
        _say(
            complaint,
            lambda c: RequestCorrected(
                complaint_id=c.complaint_id,
                title=title or None,
                content=content or None,
                address=address or None,
                corrected_by=agent,
            ),
            json=json,
        )
    )


@request.command()
def again(
    complaint: _Complaint,
    note: Annotated[str, typer.Option(help="What was said this time.")] = "",
    call: Annotated[str, typer.Option(help="The call or message; noted twice it counts once.")] = "",
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Note that the same citizen brings it up again; its heat goes up, the unit is told."""
    from shared.inputs import RequestRepeated

    repeat_id = call or f"call-{uuid4()}"
    run(
        _say(
            complaint,
            lambda c: RequestRepeated(
                complaint_id=c.complaint_id, repeat_id=repeat_id, note=note, recorded_by=agent
            ),
            json=json,
        )
    )


@request.command()
def rate(
    complaint: _Complaint,
    comment: Annotated[str, typer.Option(help="What the citizen says about it.")] = "",
    channel: Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")] = "phone",
    *,
    satisfied: Annotated[
        bool,
        typer.Option("--satisfied/--not-satisfied", help="What the citizen thinks of how it is handled."),
    ],
    json: Json = False,
) -> None:
    """Write down what the citizen thinks, at any time; it is not the visit's outcome."""
    from shared.inputs import RatingGiven

    channel = one_of("--channel", channel, CHANNELS)
    run(
        _say(
            complaint,
            lambda c: RatingGiven(
                complaint_id=c.complaint_id, satisfied=satisfied, comment=comment, channel=channel
            ),
            json=json,
        )
    )


@request.command()
def retaliation(
    complaint: _Complaint,
    by: Annotated[str, typer.Option(metavar="UNIT", help="Who makes the citizen pay for complaining.")],
    text: Annotated[str, typer.Option(help="What it did.")],
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Record a report that a unit retaliates for a complaint: confidential, for supervision alone."""
    run(_accuse(complaint, by, text, agent, json=json))


@request.command()
def withdraw(
    complaint: _Complaint,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    *,
    json: Json = False,
) -> None:
    """The citizen takes it back; an open order ends with it."""
    from shared.inputs import RequestWithdrawn

    run(_say(complaint, lambda c: RequestWithdrawn(complaint_id=c.complaint_id, reason=reason), json=json))


async def _accuse(complaint: str, by: str, text: str, agent: str, *, json: bool) -> None:
    """Put the report on record as a request of its own; nothing is said about the complaint it concerns."""
    from hotline.commands.unit import fields_of, known_unit
    from hotline.speak import complaint_named, effect, tell
    from hotline.where import city_up
    from shared.events import RequestType
    from shared.ids import complaint_id
    from shared.inputs import RequestRecorded
    from shared.topics import INTAKE_REQUESTS

    city = city_up()
    case = await complaint_named(city, complaint)
    report = RequestRecorded(
        request_id=f"report-{uuid4()}",
        request_type=RequestType.REPORT,
        subject="打击报复",
        district=case.district,
        street=case.street,
        title="举报承办单位打击报复",
        content=text,
        recorded_by=agent,
        given_due_at=case.given_due_at,
        retaliation_by=known_unit(by, city.catalogue),
        retaliation_about_complaint=case.complaint_id,
    )
    told = await tell(city, INTAKE_REQUESTS, report.request_id, report)
    own = complaint_id(report.request_id)
    facts = await effect(city, own, told)
    if json:
        rows = [{"type": type(fact).__name__, **fields_of(fact)} for fact in facts]
        say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
    else:
        say(f"On record as complaint {own}, for supervision alone.")


async def _say(complaint: str, said: Callable[[Complaint], Input], *, json: bool) -> None:
    """Say it at intake's door and tell what the log made of it."""
    from hotline import refusals
    from hotline.commands.unit import fields_of
    from hotline.speak import complaint_named, effect, tell
    from hotline.where import city_up
    from shared.events import IntakeRefused
    from shared.topics import INTAKE_REQUESTS

    city = city_up()
    case = await complaint_named(city, complaint)
    told = await tell(city, INTAKE_REQUESTS, case.request_id, said(case))
    facts = await effect(city, case.complaint_id, told)
    refused = [fact for fact in facts if isinstance(fact, IntakeRefused)]
    if json:
        rows = [{"type": type(fact).__name__, **fields_of(fact)} for fact in facts]
        say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
    elif not refused:
        unit = next(
            (getattr(fact, "unit", None) or getattr(fact, "recalled_unit", None) for fact in facts), None
        )
        say(f"Done{f'; {unit} is told' if unit else ''}." if facts else "It was so already; nothing changed.")
    if refused:
        fail(refusals.answer(refused[0]))
