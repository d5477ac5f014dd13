"""What a list says of an order goes by the present it is given, which is the city's."""

from __future__ import annotations

from msgspec.structs import replace

from hotline.casefile.orders import line, row
from hotline.readside.lists import listed
from shared.complaint import Answered, Complaint, Pause
from shared.complaint.order import common
from tests.examples import CALLED_AT, DAY, INSTANT
from tests.story import Story


async def held(pause: Pause | None = None, **changes: object) -> Complaint:
    story = Story()
    await story.records()
    case = story.case()
    assert case.order is not None
    return replace(case, order=replace(case.order, pause=pause, **changes))


async def test_a_paused_order_is_paused_to_the_last_instant_of_its_pause() -> None:
    until = CALLED_AT + 3 * DAY
    case = await held(Pause(days=3, since=CALLED_AT, until=until))
    assert str(row(listed(case), until)["state"]).startswith("paused until ")
    assert " paused until " in line(listed(case), until)
    assert row(listed(case), until + INSTANT)["state"] == "new"
    assert "paused" not in line(listed(case), until + INSTANT)


async def test_an_order_is_overdue_from_the_instant_after_its_limit_on_until_it_is_answered() -> None:
    case = await held()
    assert case.order is not None
    due_at = case.order.feedback_due_at
    assert [row(listed(case), at)["overdue"] for at in (due_at, due_at + INSTANT)] == [False, True]
    assert [" OVERDUE " in line(listed(case), at) for at in (due_at, due_at + INSTANT)] == [False, True]
    answered = replace(case, order=Answered(*common(case.order), answered_at=due_at))
    assert row(listed(answered), due_at + INSTANT)["overdue"] is False
    moved = await held(extended_due_at=due_at + DAY)
    assert [row(listed(moved), at)["overdue"] for at in (due_at + DAY, due_at + DAY + INSTANT)] == [
        False,
        True,
    ]
