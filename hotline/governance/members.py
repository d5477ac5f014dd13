"""The complaints of a matter: who else is in the position of one, and what came of the answer that was offered."""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg

from hotline.client import facts_of
from hotline.governance.facts import Member
from hotline.governance.likeness import ComplaintPosition, Likeness, LikenessSought, in_this_position
from hotline.governance.state import Offer
from hotline.lookup import complaint_called
from hotline.readside.behind import near
from hotline.readside.lists import Listed, some
from shared.complaint import Complaint
from shared.complaint.order import Held
from shared.events import OrderAnswered, VisitMade
from shared.ids import UnitId
from shared.runtime.errors import UserError


class Alike(NamedTuple):
    """A complaint in the position of another, and how much it is like it."""

    listed: Listed
    likeness: Likeness


class MemberStanding(NamedTuple):
    """A complaint that an answer was offered for, and what came of it."""

    listed: Listed
    unit: UnitId
    """The unit that the answer was offered to."""
    answered_so: bool
    """Whether its unit gave that answer."""
    solved: bool | None
    """The word of its own citizen after that answer; None before its visit."""
    satisfied: bool | None


def position_of(one: Listed) -> ComplaintPosition:
    """The part of a listed complaint that is compared."""
    return ComplaintPosition(**{name: getattr(one, name) for name in ComplaintPosition.__struct_fields__})


async def alike_to(
    connection: asyncpg.Connection[Any], first: Complaint, sought: LikenessSought, *, open_only: bool = False
) -> list[Alike]:
    """Those in the position of this complaint, the most alike first; `UserError` where no list has it yet."""
    (mine,) = await some(connection, [first.complaint_id]) or (None,)
    if mine is None:
        raise UserError(f"No list has complaint {first.complaint_id} yet: try again in a moment.")
    others = {one.complaint_id: one for one in await near(connection, mine, sought.days)}
    found = in_this_position(position_of(mine), map(position_of, others.values()), sought)
    made = [Alike(others[one.complaint_id], one) for one in found]
    return [one for one in made if not (open_only and one.listed.ended)]


async def answer_of(connection: asyncpg.Connection[Any], first: Complaint) -> str:
    """The last answer that its unit gave; `UserError` where there is none, or where it must not be passed on."""
    number = first.complaint_number
    if first.confidential:
        raise UserError(f"{number} is confidential: give the words that may be offered with --answer.")
    answers = [
        one.result for one in await facts_of(connection, first.complaint_id) if isinstance(one, OrderAnswered)
    ]
    if not answers:
        raise UserError(f"{number} was not answered yet: give the answer with --answer.")
    return answers[-1]


async def member_called(connection: asyncpg.Connection[Any], text: str) -> Member:
    """The complaint called so, with the unit that has its order; `UserError` where nobody can answer it any more."""
    case = await complaint_called(connection, text)
    if case.ended is not None:
        raise UserError(f"{case.complaint_number} has ended: nobody answers it any more.")
    if not isinstance(case.order, Held):
        raise UserError(f"{case.complaint_number} lies with no unit that could answer it now.")
    return Member(
        complaint_id=case.complaint_id, unit=case.order.unit, complaint_number=case.complaint_number
    )


async def standings(connection: asyncpg.Connection[Any], offer: Offer) -> list[MemberStanding]:
    """The members of an offer and what came of it, in the order of the offer; those that no list has are left out."""
    listed = {
        one.complaint_id: one for one in await some(connection, [one.complaint_id for one in offer.members])
    }
    found: list[MemberStanding] = []
    for member in offer.members:
        if member.complaint_id not in listed:
            continue
        answered, visit = False, None
        for fact in await facts_of(connection, member.complaint_id):
            if isinstance(fact, OrderAnswered):
                answered, visit = fact.result == offer.answer, None
            elif isinstance(fact, VisitMade) and answered:
                visit = fact
        found.append(
            MemberStanding(
                listed[member.complaint_id],
                member.unit,
                answered,
                None if visit is None else visit.solved,
                None if visit is None else visit.satisfied,
            )
        )
    return found
