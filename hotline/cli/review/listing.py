"""Lists for reviewers: questions of units, and answers that the citizen has not been asked about."""

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
from hotline.cli.review.app import commands
from hotline.cli.run import Json, one_of, run

if TYPE_CHECKING:
    from hotline.casefile.orders import ListPage
    from hotline.readside.lists import Filter

_Unit = Annotated[str, typer.Option(help="Only of this unit.")]


@commands.command("list")
def list_(
    *,
    asked: Annotated[
        str,
        typer.Option(help="Only return, dispute, extension, pause, termination or exclusion."),
    ] = "",
    unit: _Unit = "",
    subject: Subject = "",
    district: District = "",
    urgency: UrgencyOnly = "",
    overdue: Overdue = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List the requests that wait for a decision, the earliest due first: days, reason and evidence below each."""
    from hotline.casefile.orders import line, row
    from hotline.casefile.questions import QUESTIONS, in_words, question
    from hotline.readside.lists import Filter

    if asked:
        one_of("--asked", asked, QUESTIONS)
    only = of_urgency(urgency, Filter(role=asked, unit=unit, subject=subject, district=district))
    looked = run(_waiting(only, overdue=overdue, after=after, most=limit))
    now = looked.now
    tell_listed(
        looked,
        lambda one: {**row(one, now), "unit": one.about, "asked_for": one.role, **question(looked, one)},
        lambda one: f"{one.role:11} {one.about}  {line(one, now)}",
        nothing="Nothing waits for a decision.",
        json=json,
        below=partial(in_words, looked),
    )


@commands.command()
def answers(
    *,
    unit: _Unit = "",
    subject: Subject = "",
    district: District = "",
    urgency: UrgencyOnly = "",
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List the answers of units that the citizen is still to be asked about; `send-back` sends one back."""
    from hotline.casefile.orders import line, row
    from hotline.casefile.questions import answer_of
    from hotline.readside.lists import Filter
    from shared.events.base import VisitReason

    only = of_urgency(
        urgency, Filter(role=VisitReason.ANSWERED, unit=unit, subject=subject, district=district)
    )
    looked = run(_answers(only, after=after, most=limit))
    now = looked.now
    tell_listed(
        looked,
        lambda one: {**row(one, now), "unit": one.about, "answer": answer_of(looked, one)},
        lambda one: f"{one.about}  {line(one, now)}",
        nothing="No answer waits for its visit.",
        json=json,
        below=partial(answer_of, looked),
    )


async def _waiting(only: Filter, *, overdue: bool, after: str, most: int) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.casefile.questions import QUESTIONS
    from hotline.readside.rows import REVIEWS

    said = tuple(QUESTIONS.values())
    return await look(city_up(), REVIEWS, only=only, overdue=overdue, after=after, most=most, said=said)


async def _answers(only: Filter, *, after: str, most: int) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.readside.rows import VISITS
    from shared.events import OrderAnswered

    return await look(city_up(), VISITS, only=only, after=after, most=most, said=(OrderAnswered,))
