"""Answers that are offered to a unit for complaints in the position of another (举一反三)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, fail, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.cli.unit.app import commands
from hotline.cli.unit.saying import UnitNamed
from hotline.parsing import NUMBER_MAX
from hotline.terminal import note, say, say_record

if TYPE_CHECKING:
    from deploy.city.registry import City
    from hotline.governance.state import Offer, Programme
    from shared.complaint import Complaint
    from shared.ids import UnitId


@commands.command()
def offered(unit: UnitNamed, *, json: Json = False) -> None:
    """List the answers offered for your complaints, and which of these still wait for one."""
    found = run(_offers(unit))
    if json:
        say_record([_row(*one) for one in found])
        return
    if not found:
        say("No answer is offered to it.")
    for programme, offer, waiting in found:
        say(f"{programme.programme_id[:8]} {offer.number}  {programme.title}: {offer.answer}")
        say(f"    {', '.join(case.complaint_number for case in waiting) or 'none of them waits any more'}")


@commands.command("answer-offered")
@speaks
def answer_offered(
    programme: Annotated[str, typer.Argument(metavar="PROGRAMME", help="Its id or the beginning of it.")],
    number: Annotated[
        int, typer.Argument(metavar="OFFER", min=1, max=NUMBER_MAX, help="The offer's number.")
    ],
    unit: UnitNamed,
    *,
    unsolved: Annotated[bool, typer.Option("--unsolved", help="You do not claim that it is solved.")] = False,
    json: Json = False,
) -> None:
    """Give the offered answer to each of your complaints that it is for; each citizen is then asked by a visit."""
    outcomes = run(_answer(programme, number, unit, solved=not unsolved), interrupted=STOPPED)
    refused = [why for _, why in outcomes if why]
    if json:
        say_record([{"complaint_number": one, "refused": why or None} for one, why in outcomes])
    elif not outcomes:
        say("None of its complaints waits for an answer any more.")
    else:
        say(f"Answered {len(outcomes) - len(refused):,} of {len(outcomes):,}: now each citizen is asked.")
    for complaint, why in outcomes:
        if why:
            note(f"{complaint}: {why}")
    if refused:
        fail(f"{len(refused):,} of {len(outcomes):,} were refused.")


def _row(programme: Programme, offer: Offer, waiting: list[Complaint]) -> dict[str, Any]:
    return {
        "programme_id": programme.programme_id,
        "programme": programme.title,
        "offer": offer.number,
        "answer": offer.answer,
        "waiting": [case.complaint_number for case in waiting],
    }


async def _offers(unit: str) -> list[tuple[Programme, Offer, list[Complaint]]]:
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes
    from hotline.lookup import unit_named

    city = city_up()
    named = unit_named(unit, city.catalogue)
    async with programmes(city.realm.logins["reader"]) as log:
        every = await log.all()
    return [
        (one, offer, await _waiting(city, offer, named))
        for one in every
        for offer in one.offers
        if any(member.unit == named for member in offer.members)
    ]


async def _answer(called: str, number: int, unit: str, *, solved: bool) -> list[tuple[str, str]]:
    """The number of each complaint that was answered, and why not where it was refused."""
    from deploy.city.registry import city_up
    from hotline.casefile import refusals
    from hotline.client import reply
    from hotline.governance.log import programmes
    from hotline.lookup import unit_named
    from shared.events import ReplyRefused
    from shared.inputs import AnswerOrder
    from shared.runtime.errors import UserError

    city = city_up()
    named = unit_named(unit, city.catalogue)
    async with programmes(city.realm.logins["reader"]) as log:
        one = await log.one(await log.called(called))
    if number > len(one.offers):
        raise UserError(f"{one.title} has {len(one.offers)} offers, and no {number}.")
    offer = one.offers[number - 1]
    found: list[tuple[str, str]] = []
    for case in await _waiting(city, offer, named):
        assert case.order is not None  # noqa: S101 -- it waits for its answer
        said = AnswerOrder(
            complaint_id=case.complaint_id,
            assignment=case.order.assignment,
            result=offer.answer,
            claims_solved=solved,
        )
        facts = await reply(city, named, case.complaint_id, said)
        refused = [fact for fact in facts if isinstance(fact, ReplyRefused)]
        found.append((case.complaint_number, refusals.answer(refused[0]) if refused else ""))
    return found


async def _waiting(city: City, offer: Offer, unit: UnitId) -> list[Complaint]:
    """The members of an offer whose order lies with this unit and is not answered."""
    from hotline.lookup import complaint_called
    from shared.complaint.order import Held
    from shared.log.reading import reader

    connection = await reader(city.realm.logins["reader"])
    try:
        cases = [await complaint_called(connection, member.complaint_id) for member in offer.members]
    finally:
        await connection.close()
    return [case for case in cases if isinstance(case.order, Held) and case.order.unit == unit]
