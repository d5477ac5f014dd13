"""The first receiver leads (R12): what is linked to a complaint goes to the unit that has that one."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.complaint import head_of
from shared.events import CoUnitAdded, MatterLinked, RequestType
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.log import Append
from shared.log.memory import MemoryLog
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, INTAKE_REQUESTS
from tests import examples as eg
from tests.examples import DISTRICT, OTHER_STREET, STREET, SUPERVISION, WATER
from tests.journeys.test_whose_it_is import council, disputes
from tests.story import Story

FIRST: Final = "household-01"
NOT_CLEAR: Final = {"street": None}
"""Nobody said which street: it falls to the district (D1)."""


def unit_of(story: Story, name: str) -> UnitId | None:
    """Who has its order."""
    order = head_of(story.memory.heads[complaint_id(name)][2]).order
    return None if order is None else order.unit


async def given_by_a_council(story: Story, to: UnitId = STREET, helps: tuple[UnitId, ...] = (WATER,)) -> None:
    """The first fell to the district, and a council gave it to a street."""
    await story.records(request_id=FIRST, **NOT_CLEAR)
    await story.gives_back(to=WATER)
    await story.review(approves=False)
    await disputes(story)
    await council(story, to, helps)


async def test_what_is_linked_goes_to_the_street_a_council_named_and_its_helpers_help() -> None:
    """R12: fifty households are not fifty times the district's to find out about."""
    story = Story()
    await given_by_a_council(story)
    for number in range(2, 7):
        await story.records(request_id=f"household-0{number}", matter_of=FIRST, **NOT_CLEAR)
        order = story.order()
        assert (order.unit, order.level, order.rule) == (
            STREET,
            "UNIT",
            "test-1: with the first of its matter",
        )
        assert [fact.co_unit for fact in story.facts(CoUnitAdded)] == [WATER]  # type: ignore[attr-defined]
    assert unit_of(story, FIRST) == STREET
    story.holds()


@pytest.mark.parametrize("how", ["assigned", "returned", "closed", "withdrawn", "terminated"])
async def test_it_goes_to_whom_the_first_lies_with_by_now_or_lay_with_at_its_end(how: str) -> None:
    """R12, D1, D3."""
    story = Story()
    first = await story.records(request_id=FIRST, **NOT_CLEAR)
    if how == "returned":
        await story.gives_back(to=OTHER_STREET)
        await story.review(approves=True)
    else:
        assign = replace(eg.ASSIGN_REPLY, complaint_id=first, to_unit=OTHER_STREET)
        await story.tells(DISPATCH_REPLIES, assign, unit=DISTRICT)
    match how:
        case "closed":
            await story.signs()
            await story.answers()
            await story.citizen_says(solved=True)
        case "withdrawn":
            await story.withdraws()
        case "terminated":
            await story.signs()
            asked = replace(eg.TERMINATION_REPLY, complaint_id=first, assignment=2)
            await story.tells(DISPATCH_REPLIES, asked, unit=OTHER_STREET)
            review = replace(eg.TERMINATION_REVIEW, complaint_id=first, assignment=2)
            await story.tells(DISPATCH_REVIEWS, review)
        case _:
            pass
    await story.records(request_id="second", matter_of=FIRST, **NOT_CLEAR)
    assert story.order().unit == OTHER_STREET
    await story.records(request_id="third", matter_of="second", **NOT_CLEAR)
    assert story.order().unit == OTHER_STREET
    story.holds()


@pytest.mark.parametrize(
    "first",
    [
        {"turned_away": "EMERGENCY", "turned_away_to": "119"},
        {"request_type": RequestType.CONSULT, "article_id": "kb-1"},
        {"retaliation_by": OTHER_STREET},
    ],
    ids=str,
)
async def test_what_no_unit_leads_leads_nothing(first: dict[str, object]) -> None:
    """R12, R9: what is supervision's alone leads nobody to it."""
    story = Story()
    await story.records(request_id=FIRST, **first)
    await story.records(request_id="second", matter_of=FIRST)
    assert story.facts(MatterLinked)
    assert story.order().unit == STREET
    assert story.order().rule == "test-1: 停车→street"


async def test_a_report_of_retaliation_is_supervisions_whatever_it_is_linked_to() -> None:
    """R9."""
    story = Story()
    await story.records(request_id=FIRST)
    await story.records(request_id="second", matter_of=FIRST, retaliation_by=STREET)
    assert story.order().unit == SUPERVISION


async def test_an_order_that_is_written_stays_and_a_return_of_it_goes_to_the_first() -> None:
    """R12: a council's word about one complaint takes no order from a unit that received another."""
    story = Story()
    await story.records(request_id=FIRST, **NOT_CLEAR)
    second = await story.records(request_id="second", matter_of=FIRST, **NOT_CLEAR)
    story.id = complaint_id(FIRST)
    await story.gives_back(to=WATER)
    await story.review(approves=False)
    await disputes(story)
    await council(story, OTHER_STREET)
    assert unit_of(story, "second") == DISTRICT
    story.id = second
    await story.gives_back()
    await story.review(approves=True)
    assert story.order().unit == OTHER_STREET
    story.holds()


async def test_a_wish_goes_before_the_first_and_a_unit_never_gets_back_what_it_returned() -> None:
    """D3."""
    story = Story()
    await story.records(request_id=FIRST)
    await story.records(request_id="second", matter_of=FIRST)
    await story.gives_back()
    await story.review(approves=True)
    assert story.order().unit == DISTRICT, "the first lies with who returned this one"
    await story.records(request_id="third", matter_of="second")
    assert story.order().unit == DISTRICT
    await story.gives_back(to=WATER)
    await story.review(approves=True)
    assert story.order().unit == WATER


async def test_what_is_reopened_goes_to_its_own_unit_again() -> None:
    story = Story()
    await story.records(request_id=FIRST)
    second = await story.records(request_id="second", matter_of=FIRST)
    await story.signs()
    await story.answers()
    story.id = complaint_id(FIRST)
    await story.gives_back(to=OTHER_STREET)
    await story.review(approves=True)
    story.id = second
    await story.citizen_says(solved=False)
    assert (story.order().unit, story.order().round) == (STREET, 2)


async def test_heard_again_it_is_the_same_order() -> None:
    story = Story()
    await given_by_a_council(story)
    await story.records(request_id="second", matter_of=FIRST, **NOT_CLEAR)
    facts = list(story.memory.facts)
    await story.relayed("dispatch", [one for one in facts if one.type == "ComplaintClassified"])
    assert story.memory.facts == facts


async def test_a_first_that_moves_at_the_same_moment_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two desks at once: the order is written on where the first lies as it is written."""
    story = Story()
    await story.records(request_id=FIRST, **NOT_CLEAR)
    append, turn = MemoryLog.append, {"left": 1}

    async def overtaken(log: MemoryLog, appended: Append) -> None:
        if turn["left"] and "ComplaintDispatched" in appended.fact_type:
            turn["left"] -= 1
            assign = replace(eg.ASSIGN_REPLY, complaint_id=complaint_id(FIRST), to_unit=STREET)
            await story.tells(DISPATCH_REPLIES, assign, unit=DISTRICT, heard=False)
        await append(log, appended)

    monkeypatch.setattr(MemoryLog, "append", overtaken)
    await story.records(request_id="second", matter_of=FIRST, **NOT_CLEAR)
    assert turn["left"] == 0
    assert unit_of(story, "second") == STREET
    story.holds()


async def test_who_is_linked_to_nothing_asks_the_log_for_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One reading a batch, as ever; one more for the whole batch where something in it is linked."""
    story = Story()
    asked: list[list[str]] = []
    heads = MemoryLog.heads

    async def counted(log: MemoryLog, streams: list[str], inbox: list[str]) -> object:
        asked.append(list(streams))
        return await heads(log, streams, inbox)

    monkeypatch.setattr(MemoryLog, "heads", counted)
    for name in ("a", "b"):
        await story.tells(INTAKE_REQUESTS, replace(eg.REQUEST, request_id=name, call_id=None))
    assert len(asked) == 4, "intake and dispatch, once each"
    for name in ("c", "d"):
        linked = replace(eg.REQUEST, request_id=name, call_id=None, matter_of="a")
        await story.tells(INTAKE_REQUESTS, linked, heard=False)
    asked.clear()
    await story.hears()
    assert asked == [[complaint_id("c"), complaint_id("d")], [complaint_id("a")]]


# --- in any order

HOUSEHOLDS: Final = ("a", "b", "c", "d", "e")
STREETS: Final = {None: DISTRICT, "花园路街道": STREET, "小关街道": OTHER_STREET}


@given(
    st.tuples(*(st.sampled_from((None, *range(n))) for n in range(1, len(HOUSEHOLDS)))),
    st.lists(st.sampled_from(list(STREETS)), min_size=5, max_size=5),
    st.permutations(range(len(HOUSEHOLDS))),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
@settings(max_examples=80, deadline=None)
def test_whichever_is_dispatched_sooner_all_of_a_matter_go_where_the_first_goes(
    links: tuple[int | None, ...], streets: list[str | None], order: list[int], apart: list[bool]
) -> None:
    """R12: linked in rows and bunches, and heard in any order, in one batch or in several."""
    asyncio.run(_dispatched(links, streets, order, apart))


async def _dispatched(
    links: tuple[int | None, ...], streets: list[str | None], order: list[int], apart: list[bool]
) -> None:
    story = Story()
    root: dict[int, int] = {}
    for number, name in enumerate(HOUSEHOLDS):
        to = None if number == 0 else links[number - 1]
        root[number] = number if to is None else root[to]
        request = replace(
            eg.REQUEST,
            request_id=name,
            call_id=None,
            street=streets[number],
            matter_of=None if to is None else HOUSEHOLDS[to],
        )
        await story.tells(INTAKE_REQUESTS, request, heard=False)
    classified = {
        stored.complaint_id: stored for stored in story.memory.facts if stored.type == "ComplaintClassified"
    }
    batch = []
    for number, alone in zip(order, apart, strict=True):
        batch.append(classified[ComplaintId(complaint_id(HOUSEHOLDS[number]))])
        if alone:
            await story.relayed("dispatch", batch)
            batch = []
    if batch:
        await story.relayed("dispatch", batch)
    assert {name: unit_of(story, name) for name in HOUSEHOLDS} == {
        name: STREETS[streets[root[number]]] for number, name in enumerate(HOUSEHOLDS)
    }
    story.holds()
