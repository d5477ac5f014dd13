"""Answers that are offered to a unit for complaints in the position of another (举一反三)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, fail, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.cli.unit.app import commands, demand_unit, unit_door
from hotline.cli.unit.saying import UnitNamed
from hotline.parsing import NUMBER_MAX
from hotline.terminal import note, say, say_record

if TYPE_CHECKING:
    from hotline.department.door import OfferToUnit


@commands.command()
def offered(unit: UnitNamed, *, json: Json = False) -> None:
    """List the answers offered for your complaints, and which of these still wait for one."""
    demand_unit(unit)
    found = run(_offers(unit))
    if json:
        say_record([_row(one) for one in found])
        return
    if not found:
        say("No answer is offered to it.")
    for offer in found:
        say(f"{offer.programme_id[:8]} {offer.offer}  {offer.programme}: {offer.answer}")
        waiting = ", ".join(one.complaint_number for one in offer.waiting)
        say(f"    {waiting or 'none of them waits any more'}")


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
    demand_unit(unit)
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


def _row(offer: OfferToUnit) -> dict[str, Any]:
    return {
        "programme_id": offer.programme_id,
        "programme": offer.programme,
        "offer": offer.offer,
        "answer": offer.answer,
        "waiting": [one.complaint_number for one in offer.waiting],
    }


async def _offers(unit: str) -> list[OfferToUnit]:
    async with unit_door() as door:
        return await door.offers(await door.speaker(unit))


async def _answer(called: str, number: int, unit: str, *, solved: bool) -> list[tuple[str, str]]:
    """The number of each complaint that was answered, and why not where it was refused."""
    from hotline.casefile import refusals
    from shared.events import ReplyRefused
    from shared.inputs import AnswerOrder

    async with unit_door() as door:
        named = await door.speaker(unit)
        offer = _called(called, number, await door.offers(named))
        found: list[tuple[str, str]] = []
        for one in offer.waiting:
            said = AnswerOrder(
                complaint_id=one.complaint_id,
                assignment=one.assignment,
                result=offer.answer,
                claims_solved=solved,
            )
            facts = await door.say(named, one.complaint_id, said)
            refused = [fact for fact in facts if isinstance(fact, ReplyRefused)]
            found.append((one.complaint_number, refusals.answer(refused[0]) if refused else ""))
        return found


def _called(called: str, number: int, offers: list[OfferToUnit]) -> OfferToUnit:
    """The offer of this number in the programme with this id, or the only one whose id begins so."""
    from hotline.parsing import id_of
    from shared.runtime.errors import UserError

    digits = id_of(called)
    if digits is None:
        raise UserError(
            f"'{called}' is no programme's id: expected hexadecimal digits, at least the first 4."
        )
    known = [one for one in offers if one.programme_id.replace("-", "").startswith(digits)]
    if not known:
        raise UserError(
            f"No programme {called} offers you anything: `hotline unit offered` lists what there is."
        )
    if len({one.programme_id for one in known}) > 1:
        raise UserError(f"More than one id begins with {called}: give more of it.")
    for one in known:
        if one.offer == number:
            return one
    raise UserError(f"{known[0].programme} offers you no answer {number}.")
