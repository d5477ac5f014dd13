"""`hotline supervise`: what has climbed, what is decided about it, and exceptions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.listing import (
    LISTED,
    After,
    District,
    Limit,
    Overdue,
    Subject,
    UrgencyOnly,
    of_urgency,
    tell_listed,
)
from hotline.cli.outcome import say_about
from hotline.cli.run import Json, one_of, run
from hotline.cli.speaking import STOPPED, ComplaintNamed, speaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotline.casefile.orders import ListPage
    from hotline.cli.outcome import When
    from hotline.readside.lists import Filter
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.inputs import Input

supervise = typer.Typer(
    help="Be supervision, or a district: see what has climbed, decide about it, let a complaint close by exception.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Supervisor = Annotated[str, typer.Option("--as", help="Your name; it stands on record.")]


@supervise.command("list")
def list_(
    *,
    watched: Annotated[
        str,
        typer.Option(
            "--watched",
            metavar="HOW",
            help="Only one of supervised, district, top, unasked.",
        ),
    ] = "",
    unit: Annotated[str, typer.Option(help="Only of this unit.")] = "",
    subject: Subject = "",
    district: District = "",
    urgency: UrgencyOnly = "",
    overdue: Overdue = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List what has climbed to a district or the top, what is supervised, and what only an exception can close."""
    from hotline.casefile.watched import last_decision, watched_line, watched_row
    from hotline.readside.lists import Filter
    from hotline.readside.rows import WATCHED_AS

    if watched:
        one_of("--watched", watched, WATCHED_AS)
    only = of_urgency(urgency, Filter(role=watched, unit=unit, subject=subject, district=district))
    looked = run(_watched(only, overdue=overdue, after=after, most=limit))
    tell_listed(
        looked,
        partial(watched_row, looked),
        partial(watched_line, looked),
        nothing="Nothing has climbed.",
        json=json,
        below=partial(last_decision, looked),
    )


@supervise.command()
@speaks
def decide(
    complaint: ComplaintNamed,
    text: Annotated[str, typer.Option(help="The unit's task, and until when.")],
    who: _Supervisor,
    *,
    json: Json = False,
) -> None:
    """Decide what is to be done about a complaint that has climbed; its unit is told, and its limits stay."""
    from shared.inputs import DecideSupervision

    run(
        _say(
            complaint,
            lambda case: DecideSupervision(complaint_id=case.complaint_id, decided_by=who, decision=text),
            json=json,
        ),
        interrupted=STOPPED,
    )


@supervise.command()
@speaks
def exception(
    complaint: ComplaintNamed,
    reason: Annotated[str, typer.Option(help="Why it may close without the citizen's judgement.")],
    who: _Supervisor,
    *,
    json: Json = False,
) -> None:
    """Let a complaint close without a visit's outcome, and say why; nobody does so for his own unit."""
    from shared.inputs import CloseByException

    run(
        _say(
            complaint,
            lambda case: CloseByException(complaint_id=case.complaint_id, approved_by=who, reason=reason),
            json=json,
        ),
        interrupted=STOPPED,
    )


async def _watched(only: Filter, *, overdue: bool, after: str, most: int) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.casefile.watched import SAID
    from hotline.readside.rows import SUPERVISION

    return await look(city_up(), SUPERVISION, only=only, overdue=overdue, after=after, most=most, said=SAID)


async def _say(complaint: str, said: Callable[[Complaint], Input], *, json: bool) -> None:
    """Say it on supervision's topic and tell what the log made of it."""
    from shared.topics import FEEDBACK_EXCEPTIONS

    await say_about(complaint, FEEDBACK_EXCEPTIONS, lambda case, _: said(case), _told_of, json=json)


def _told_of(facts: list[Fact], when: When) -> str:
    del when  # no instant is told
    from shared import events as e

    for fact in facts:
        match fact:
            case e.SupervisionDecided():
                return f"On record: {fact.unit} is told; its limits stay."
            case e.ComplaintClosed():
                recalled = f" {fact.recalled_unit} has nothing more to do." if fact.recalled_unit else ""
                return f"The complaint is closed as an exception.{recalled}"
            case _:
                continue
    return "It was so already; nothing changed."
