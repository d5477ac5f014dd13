"""Units that were whistled for and did not come in time: which are late, since when, and who was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from hotline.casefile.late_calls import LateCall, late_among
from hotline.readside.lists import Listed, listed
from hotline.readside.rows import CALLED
from shared.complaint import UNOPENED, Case, Complaint, evolve
from shared.events import Fact
from shared.events.base import Level
from tests import examples as eg

assert eg.CALLED.arrive_by is not None
LIMIT: datetime = eg.CALLED.arrive_by
LATER = LIMIT + timedelta(hours=1)
BEFORE = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.BLOWN, eg.CALLED)


def awaited(facts: Sequence[Fact] = BEFORE) -> Listed:
    """The row of the called unit in the list, as the statement gives it."""
    case: Case = UNOPENED
    for fact in facts:
        case = evolve(case, fact)
    assert isinstance(case, Complaint)
    return replace(listed(case), role=CALLED, number=eg.CALLED.whistle, about=eg.CALLED.called)


def late(*facts: Fact, now: datetime = LATER) -> list[LateCall]:
    return late_among([awaited()], (*BEFORE, *facts), now)


def test_a_unit_is_late_from_the_instant_behind_its_limit_on() -> None:
    assert late(now=LIMIT - timedelta(seconds=1)) == []
    (call,) = late()
    assert (call.unit, call.street, call.whistle) == (eg.CALLED.called, eg.CALLED.unit, eg.CALLED.whistle)
    assert (call.due_at, call.called_at, call.kind) == (LIMIT, eg.CALLED.called_at, eg.CALLED.kind)
    assert (call.acknowledged_at, call.told) == (None, Level.UNIT)


def test_its_limit_stays_what_it_was_however_high_it_has_climbed() -> None:
    top = replace(eg.NOT_THERE, to_level=Level.MUNICIPAL, next_at=None)
    (call,) = late(eg.ACKNOWLEDGED, eg.NOT_THERE, top)
    assert (call.due_at, call.told) == (LIMIT, Level.MUNICIPAL)
    assert call.acknowledged_at == eg.ACKNOWLEDGED.acknowledged_at


def test_a_whistle_without_a_limit_makes_nobody_late() -> None:
    assert late_among([awaited()], [replace(eg.CALLED, arrive_by=None)], LATER) == []


def test_the_longest_late_stands_first_and_a_row_without_its_fact_is_left_out() -> None:
    other = replace(eg.CALLED, called="waterworks", arrive_by=LIMIT - timedelta(hours=2))
    rows = [awaited(), replace(awaited(), about="waterworks"), replace(awaited(), about="nobody")]
    found = late_among(rows, [*BEFORE, other], LATER)
    assert [call.unit for call in found] == ["waterworks", eg.CALLED.called]
