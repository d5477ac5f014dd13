"""Answers that programmes offer to a unit, for its orders that still wait for one (举一反三)."""

from __future__ import annotations

from typing import Any

import asyncpg

from hotline.governance.log import Programmes
from hotline.readside.lists import Filter, Listed, whole_list
from hotline.readside.rows import LEAD, ORDERS
from hotline.readside.standing import caught_up
from hotline.web.answers import OfferedAnswer, WaitingOrder
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from shared.ids import UnitId


async def offers_to(connection: asyncpg.Connection[Any], unit: str) -> list[OfferedAnswer]:
    """Every offer with a complaint of this unit, as the lists have its orders."""
    await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
    open_here = {
        one.complaint_id: one
        for one in await whole_list(connection, ORDERS, unit, only=Filter(role=LEAD, unit=unit))
    }
    named = UnitId(unit)
    return [
        OfferedAnswer(
            programme_id=programme.programme_id,
            programme=programme.title,
            offer=offer.number,
            answer=offer.answer,
            waiting=[
                _waiting(open_here[member.complaint_id])
                for member in offer.members
                if member.complaint_id in open_here
            ],
        )
        for programme in await Programmes(connection).all()
        for offer in programme.offers
        if any(member.unit == named for member in offer.members)
    ]


def _waiting(one: Listed) -> WaitingOrder:
    return WaitingOrder(
        complaint_id=one.complaint_id, complaint_number=one.complaint_number, assignment=one.assignment
    )
