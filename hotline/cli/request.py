"""`hotline request`: what an agent does with a request that is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from hotline.cli.asking import AsIs, Said, settled
from hotline.cli.call import Attach
from hotline.cli.listing import LISTED, After, Limit, tell_listed
from hotline.cli.outcome import say_about, say_facts
from hotline.cli.run import Json, fail, one_of, run
from hotline.cli.speaking import STOPPED, ComplaintNamed, speaks
from hotline.parsing import CHANNELS
from hotline.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.city.registry import City
    from hotline.casefile.orders import ListPage
    from hotline.cli.outcome import When
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.ids import ComplaintId
    from shared.inputs import Input
    from shared.policy.catalogue import Catalogue

request = typer.Typer(
    help="Change a request that is on record: add to it, correct it, note a repeat or a rating, withdraw it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Agent = Annotated[str, typer.Option("--as", help="The agent that writes it down.")]


@request.command()
@speaks
def add(
    complaint: ComplaintNamed,
    text: Annotated[str, typer.Option(help="A comment of the citizen.")],
    attach: Attach = None,
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Write down what the citizen adds; the unit that has it is told."""
    from hotline.recording import attachments
    from shared.inputs import SupplementRequest

    sent = attachments(attach or [])
    run(
        _say(
            complaint,
            lambda c: SupplementRequest(
                complaint_id=c.complaint_id, text=text, recorded_by=agent, attachments=sent
            ),
            json=json,
        ),
        interrupted=STOPPED,
    )


@request.command()
@speaks
def correct(
    complaint: ComplaintNamed,
    title: Annotated[str | None, typer.Option(help="The new title.")] = None,
    content: Annotated[str | None, typer.Option(help="The whole matter.")] = None,
    address: Annotated[str | None, typer.Option(help="Where exactly.")] = None,
    subject: Annotated[str | None, typer.Option(help="The subject.")] = None,
    district: Annotated[str | None, typer.Option(help="The district it happened in.")] = None,
    street: Annotated[str | None, typer.Option(help="The street or town.")] = None,
    agent: _Agent = "agent",
    *,
    no_street: Annotated[bool, typer.Option("--no-street", help="No street is known.")] = False,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Correct the record; what it said before stays readable. By subject and place an unsigned order moves."""
    said = {"title": title, "content": content, "address": address}
    if no_street and street is not None:
        fail("--street, --no-street: one of them.", code=2)
    place: Said = {"subject": subject, "district": district, "street": "" if no_street else street}
    if all(one is None for one in (*said.values(), *place.values())):
        fail(
            "Give what is right: --title, --content, --address, --subject, --district, --street or --no-street.",
            code=2,
        )
    run(_correct(complaint, said, place, agent, as_is=as_is, json=json), interrupted=STOPPED)


@request.command("to-correct")
def to_correct(*, limit: Limit = LISTED, after: After = "", json: Json = False) -> None:
    """List open requests whose subject or place the catalogue does not know; `correct` sends them to their unit."""
    from hotline.casefile.orders import line, row

    looked = run(_to_correct(after, limit))
    now = looked.now
    tell_listed(
        looked,
        lambda one: {**row(one, now), "unit": one.lead},
        lambda one: f"{', '.join(one.unlisted)}: {one.lead}  {line(one, now)}",
        nothing="Every open request names what the catalogue knows.",
        json=json,
    )


@request.command()
@speaks
def again(
    complaint: ComplaintNamed,
    note: Annotated[str, typer.Option(help="The citizen's words of this time.")] = "",
    call: Annotated[str, typer.Option(help="The call or message; noted twice it counts once.")] = "",
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Note that the same citizen brings it up again; its heat goes up, the unit is told."""
    from shared.inputs import RepeatRequest

    repeat_id = call or f"call-{uuid4()}"
    run(
        _say(
            complaint,
            lambda c: RepeatRequest(
                complaint_id=c.complaint_id, repeat_id=repeat_id, note=note, recorded_by=agent
            ),
            json=json,
        ),
        interrupted=STOPPED,
    )


@request.command()
@speaks
def rate(
    complaint: ComplaintNamed,
    comment: Annotated[str, typer.Option(help="The citizen's words about it.")] = "",
    channel: Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")] = "phone",
    *,
    satisfied: Annotated[
        bool,
        typer.Option("--satisfied/--not-satisfied", help="The citizen's view of how it is handled."),
    ],
    json: Json = False,
) -> None:
    """Write down what the citizen thinks, at any time; it is not the visit's outcome."""
    from shared.inputs import GiveRating

    channel = one_of("--channel", channel, CHANNELS)
    run(
        _say(
            complaint,
            lambda c: GiveRating(
                complaint_id=c.complaint_id, satisfied=satisfied, comment=comment, channel=channel
            ),
            json=json,
        ),
        interrupted=STOPPED,
    )


@request.command()
@speaks
def retaliation(
    complaint: ComplaintNamed,
    by: Annotated[
        str, typer.Option(metavar="UNIT", help="The unit that makes the citizen pay for complaining.")
    ],
    text: Annotated[str, typer.Option(help="The unit's deed.")],
    agent: _Agent = "agent",
    *,
    json: Json = False,
) -> None:
    """Record a report that a unit retaliates for a complaint: confidential, for supervision alone."""
    run(_accuse(complaint, by, text, agent, json=json), interrupted=STOPPED)


@request.command()
@speaks
def withdraw(
    complaint: ComplaintNamed,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    *,
    json: Json = False,
) -> None:
    """The citizen takes it back; an open order ends with it."""
    from shared.inputs import WithdrawRequest

    run(
        _say(complaint, lambda c: WithdrawRequest(complaint_id=c.complaint_id, reason=reason), json=json),
        interrupted=STOPPED,
    )


async def _accuse(complaint: str, by: str, text: str, agent: str, *, json: bool) -> None:
    """Put the report on record as a request of its own; nothing is said about the complaint it concerns."""
    from deploy.city.registry import city_up
    from hotline.client import effect, tell
    from hotline.lookup import complaint_named, unit_named
    from shared.events import RequestType
    from shared.ids import complaint_id
    from shared.inputs import RecordRequest
    from shared.topics import INTAKE_REQUESTS

    city = city_up()
    case = await complaint_named(city, complaint)
    report = RecordRequest(
        request_id=f"report-{uuid4()}",
        request_type=RequestType.REPORT,
        subject="打击报复",
        district=case.district,
        street=case.street,
        title="举报承办单位打击报复",
        content=text,
        recorded_by=agent,
        given_due_at=case.given_due_at,
        retaliation_by=unit_named(by, city.catalogue),
        retaliation_about_complaint=case.complaint_id,
    )
    told = await tell(city, INTAKE_REQUESTS, report.request_id, report)
    own = complaint_id(report.request_id)
    facts = await effect(city, own, told)
    if json:
        say_facts(facts)
    else:
        say(f"On record as complaint {own}, for supervision alone.")


async def _correct(
    complaint: str, said: dict[str, str | None], place: Said, agent: str, *, as_is: bool, json: bool
) -> None:
    from deploy.city.registry import city_up
    from shared.inputs import CorrectRequest
    from shared.policy.catalogue import catalogue

    city = city_up()
    known = catalogue(city.catalogue)

    def corrected(case: Complaint) -> Input:
        right = _right(known, case, place, as_is=as_is)
        no_street = right["street"] == ""
        right["street"] = right["street"] or None
        return CorrectRequest(
            complaint_id=case.complaint_id, **said, **right, no_street=no_street, corrected_by=agent
        )

    facts = await _say(complaint, corrected, json=json)
    if any(one is not None for one in place.values()) and facts and not json:
        await _tell_where_it_lies(city, facts[0].complaint_id)


def _right(known: Catalogue, case: Complaint, place: Said, *, as_is: bool) -> Said:
    """The corrections of subject and place; a street of before is looked at in the district of now."""
    subject, district, street = place["subject"], place["district"], place["street"]
    if district is None and street is None:
        return settled(known, subject, None, None, as_is=as_is)
    whole = settled(
        known,
        subject,
        case.district if district is None else district,
        case.street if street is None else street,
        as_is=as_is,
    )
    before: Said = {"subject": None, "district": case.district, "street": case.street}
    return {
        name: None if place[name] is None and value == before[name] else value
        for name, value in whole.items()
    }


async def _tell_where_it_lies(city: City, complaint: ComplaintId) -> None:
    """Whom the order lies with once dispatch has taken the correction up; silent where there is no order."""
    import asyncio
    import time

    from hotline.client import EFFECT_SECONDS_MAX
    from hotline.lookup import complaint_named
    from shared.complaint import order_open

    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    while True:
        case = await complaint_named(city, complaint)
        order = case.order
        if order is None or not order_open(case):
            return
        if order.written_for is None:
            break
        if time.monotonic() > give_up_at:
            say("Dispatch has not taken it up yet: `hotline status` shows whether it hangs.")
            return
        await asyncio.sleep(0.05)
    if order.names is None:
        say(f"The order lies with {order.unit}.")
        return
    say(
        f"The order stays with {order.unit}; the catalogue names {order.names}. "
        f"It moves only if {order.unit} returns it, a council decides, or the citizen says it is not solved."
    )


async def _to_correct(after: str, most: int) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.readside.rows import CORRECTIONS

    return await look(city_up(), CORRECTIONS, after=after, most=most)


async def _say(complaint: str, said: Callable[[Complaint], Input], *, json: bool) -> list[Fact]:
    """Say it at intake's door and tell what the log made of it."""
    from shared.topics import INTAKE_REQUESTS

    return await say_about(
        complaint,
        INTAKE_REQUESTS,
        lambda case, _: said(case),
        _told_of,
        json=json,
        key=lambda case: case.request_id,
    )


def _told_of(facts: list[Fact], when: When) -> str:
    del when  # no instant is told
    if not facts:
        return "It was so already; nothing changed."
    unit = next((getattr(fact, "unit", None) or getattr(fact, "recalled_unit", None) for fact in facts), None)
    return f"Done{f'; {unit} is told' if unit else ''}."
