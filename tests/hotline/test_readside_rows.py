"""The rows of a complaint on the read side, and the words that find it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hotline.readside.calls import MINUTE, end_of
from hotline.readside.lists import listed
from hotline.readside.rows import (
    ARRIVED,
    AT_DESKS,
    CALLED,
    DESKS,
    DISTRICT,
    HELP,
    LEAD,
    ORDERS,
    REVIEWS,
    SUPERVISED,
    SUPERVISION,
    TEXT_CHANGED_BY,
    TOP,
    UNASKED,
    VISITS,
    rows_of,
)
from hotline.readside.words import named, words_in
from shared.complaint import UNOPENED, Case, Complaint, evolve, holder, open_questions, stage_of
from shared.events import Fact
from shared.events.base import Level
from tests import examples as eg
from tests.lives import Life, lives


def folded(facts: Sequence[Fact]) -> Complaint:
    case: Case = UNOPENED
    for fact in facts:
        case = evolve(case, fact)
    assert isinstance(case, Complaint)
    return case


@given(lives)
def test_a_text_is_another_only_after_the_facts_that_are_named_for_it(life: Life) -> None:
    case: Case = UNOPENED
    before = None
    for fact in life.facts:
        case = evolve(case, fact)
        assert isinstance(case, Complaint)
        wording = rows_of(case, 1).wording
        if type(fact).__name__ not in TEXT_CHANGED_BY:
            assert wording == before, fact
        before = wording


@given(lives)
def test_a_life_that_is_over_has_no_order_that_stands_anywhere_and_is_not_overdue(life: Life) -> None:
    case = folded(life.facts)
    shown = listed(case)
    open_order = case.ended is None and case.order is not None
    assert bool(shown.standing) is open_order
    assert shown.ended == "" or not shown.overdue(datetime.max.replace(tzinfo=UTC))


@given(lives)
def test_whoever_holds_an_order_has_it_in_its_list_and_nobody_else_leads_it(life: Life) -> None:
    case = folded(life.facts)
    rows = rows_of(case, len(life.facts))
    assert rows.complaint.stage == stage_of(case)
    orders = [row for row in rows.waiting if row.list == ORDERS]
    leads = [row.party for row in orders if row.role == LEAD]
    unit = holder(case)
    assert leads == ([] if unit is None else [unit])
    assert {row.party for row in orders if row.role == HELP} <= {one.unit for one in case.co_units}
    reviews = [row.role for row in rows.waiting if row.list == REVIEWS]
    assert reviews == open_questions(case)
    visits = [row.number for row in rows.waiting if row.list == VISITS]
    assert visits == ([case.visit.visit] if case.visit is not None else [])
    at_desks = [row.role for row in rows.waiting if row.list == DESKS]
    stage = stage_of(case)
    unasked = any(row.list == SUPERVISION and row.role == UNASKED for row in rows.waiting)
    assert at_desks == ([stage.value] if stage in AT_DESKS and not unasked else [])
    assert len({(row.list, row.party, row.role, row.number) for row in rows.waiting}) == len(rows.waiting)


def _of_called(*facts: Fact) -> list[tuple[str, datetime]]:
    called = eg.CALLED.called
    case = folded([eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.BLOWN, eg.CALLED, *facts])
    rows = [row for row in rows_of(case, 9).waiting if row.list == ORDERS and row.party == called]
    assert all((row.number, row.unit) == (eg.BLOWN.whistle, eg.BLOWN.unit) for row in rows)
    return [(row.role, row.due_at) for row in rows]


def test_t25_a_unit_that_a_street_whistled_for_has_it_in_its_list_until_the_street_lets_it_go() -> None:
    arrive_by, due_at = eg.CALLED.arrive_by, eg.DISPATCHED.citizen_due_at
    assert arrive_by is not None
    assert _of_called() == [(CALLED, arrive_by)]
    assert _of_called(eg.ACKNOWLEDGED) == [(CALLED, arrive_by)]
    late = replace(eg.ARRIVED, arrived_at=arrive_by + timedelta(hours=1))
    for came in (eg.ARRIVED, late):
        assert _of_called(came) == [(ARRIVED, due_at)]
        assert _of_called(came, eg.MEASURED) == [(ARRIVED, due_at)]
        assert _of_called(came, eg.RELEASED) == []
    assert _of_called(eg.RELEASED) == []
    assert _of_called(eg.ARRIVED, eg.WITHDRAWN) == []


def test_each_open_question_of_an_order_is_a_row_of_its_own() -> None:
    asked = (eg.SIGNED, eg.EXTENSION_REQUESTED, eg.TERMINATION_REQUESTED, eg.EXCLUSION_REQUESTED)

    def questions(*facts: Fact) -> list[str]:
        case = folded([eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, *asked, *facts])
        return [row.role for row in rows_of(case, 9).waiting if row.list == REVIEWS]

    assert questions() == ["extension", "termination", "exclusion"]
    assert questions(eg.TERMINATION_REJECTED) == ["extension", "exclusion"]
    assert questions(eg.EXTENSION_APPROVED) == ["termination", "exclusion"]
    assert questions(eg.ANSWERED) == ["exclusion"]


def _watched(*facts: Fact) -> list[tuple[str, datetime]]:
    rows = rows_of(folded([eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, *facts]), 9).waiting
    return [(row.role, row.due_at) for row in rows if row.list == SUPERVISION]


def test_what_has_climbed_is_in_the_list_of_supervision_until_it_is_answered_or_over() -> None:
    climbed = (eg.SIGN_MISSED, eg.ESCALATED)
    top = replace(eg.ESCALATED, to_level=Level.MUNICIPAL, next_at=None)
    due = eg.DISPATCHED.citizen_due_at
    assert _watched() == []
    assert _watched(*climbed) == [(DISTRICT, due)]
    assert _watched(*climbed, eg.SIGNED) == [(DISTRICT, due)]
    assert _watched(*climbed, eg.ANSWERED) == []
    assert _watched(*climbed, eg.WITHDRAWN) == []
    assert _watched(*climbed, top) == [(TOP, due)]
    assert _watched(*climbed, top, eg.SUPERVISED) == [(SUPERVISED, eg.SUPERVISED.due_at)]


def test_what_only_an_exception_can_close_is_in_the_list_of_supervision() -> None:
    """E3: it is answered, and nobody knows whom to ask."""
    facts = [eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.SIGNED, eg.ANSWERED]

    def watched(case: Complaint) -> list[str]:
        return [row.role for row in rows_of(case, 5).waiting if row.list == SUPERVISION]

    assert watched(replace(folded(facts), anonymous=True)) == [UNASKED]
    assert watched(replace(folded(facts[:-1]), anonymous=True)) == []
    assert watched(folded(facts)) == []


def test_what_waits_for_a_desk_of_ours_is_in_a_list_of_its_own_while_it_does() -> None:
    def at_desks(*facts: Fact) -> list[str]:
        return [row.role for row in rows_of(folded(facts), 9).waiting if row.list == DESKS]

    dispatched = [eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED]
    assert at_desks(eg.RECEIVED) == ["RECEIVED"]
    assert at_desks(eg.RECEIVED, eg.CLASSIFIED) == ["TO_DISPATCH"]
    assert at_desks(*dispatched, eg.SIGNED) == []
    assert at_desks(*dispatched, eg.SIGNED, eg.ANSWERED) == ["ANSWERED"]


def test_an_order_shows_its_sign_limit_until_the_unit_reacts_also_once_it_has_passed() -> None:
    at_unit = [eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED]
    due = eg.DISPATCHED.sign_due_at
    assert due is not None
    assert rows_of(folded(at_unit), 3).complaint.sign_due_at == due
    assert rows_of(folded([*at_unit, eg.SIGN_MISSED, eg.ESCALATED]), 5).complaint.sign_due_at == due
    for reaction in (eg.SIGNED, eg.RETURN_REQUESTED, eg.WITHDRAWN):
        assert rows_of(folded([*at_unit, reaction]), 4).complaint.sign_due_at is None, reaction


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("小区停水", ["小区", "区停", "停水"]),
        ("停水 停水", ["停水"]),
        ("5号楼WiFi坏了", ["5", "号楼", "wifi", "坏了"]),
        ("ＷＩＦＩ", ["wifi"]),
        ("水", ["水"]),
        ("，。!?", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_pairs_of_characters_and_latin_words(text: str, words: list[str]) -> None:
    assert words_in(text) == words


@given(st.text("停水噪声垃圾路灯小区一二三", max_size=12), st.text("停水噪声垃圾路灯小区一二三", max_size=12))
def test_a_part_of_a_title_of_two_characters_or_more_is_among_its_words(title: str, part: str) -> None:
    if len(part) >= 2 and part in title:
        assert set(words_in(part)) <= set(words_in(title))


def test_no_title_has_the_word_of_a_subject_or_a_place() -> None:
    assert not set(words_in("s:供水 d:1区 t:2街道")) & set(named("供水", "1区", "2街道"))


@given(st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)))
def test_a_minute_holds_its_end_and_not_its_beginning(at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    end = end_of(at, MINUTE)
    assert (end - datetime(2000, 1, 1, tzinfo=UTC)) % MINUTE == timedelta()
    assert end - MINUTE < at <= end
