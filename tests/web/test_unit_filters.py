"""Filters of a unit's list: what stands in the address, and what can be chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hotline.readside.unit_list import Choice, UnitFilter
from hotline.web.pages.list_filters import (
    DUES,
    TYPED_MAX,
    ListFilter,
    filter_in,
    places_of,
    subjects_of,
    tab_in,
)
from hotline.web.pages.naming import NAMES
from shared.complaint_number import number_of
from shared.ids import ComplaintId
from shared.versions import RULESET

NOW: Final = datetime(2021, 10, 1, 4, tzinfo=UTC)
ID: Final = ComplaintId("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")


def test_a_filter_is_what_its_address_says_and_no_part_that_can_be_none() -> None:
    told = {
        "subject": " 供水 ",
        "place": "海淀区/花园路街道",
        "due": "3d",
        "text": "路灯" * 99,
        "tab": "overdue",
    }
    only = filter_in(told)
    assert only == ListFilter("供水", "海淀区/花园路街道", "3d", ("路灯" * 99)[:TYPED_MAX])
    assert tab_in(told) == "overdue"
    assert filter_in({"due": "1y", "after": "x"}) == ListFilter()
    assert tab_in({"tab": "no"}) == "all"
    assert filter_in(only.parts) == only


def test_the_read_side_is_asked_for_instants_words_and_the_ids_of_a_number() -> None:
    asked = ListFilter("供水", "海淀区/花园路街道", "24h", "三天停水").only(NOW)
    due = NOW + timedelta(hours=24)
    assert asked == UnitFilter("供水", "海淀区", "花园路街道", due, ["三天", "天停", "停水"], None, None)
    assert ListFilter(place="海淀区/").only(NOW) == UnitFilter(district="海淀区", words=[])
    number = number_of(ID, NOW, RULESET)
    asked = ListFilter(text=number.lower()).only(NOW)
    assert (asked.words, asked.first_id is not None) == ([], True)
    digits = ID.replace("-", "")
    assert str(asked.first_id) <= digits <= str(asked.last_id)
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
    assert ListFilter(text=wrong).only(NOW).words


def test_what_can_be_chosen_is_what_the_list_has() -> None:
    choices = [
        Choice("供水", "甲区", "一街", 3),
        Choice("水费", "甲区", "二街", 2),
        Choice("供水", "乙区", "三街", 1),
    ]
    assert subjects_of(choices) == {"供水": 4, "水费": 2}
    assert places_of(choices) == {"乙区/三街": 1, "甲区/": 5, "甲区/一街": 3, "甲区/二街": 2}
    assert places_of([Choice("供水", "甲区", "", 1)]) == {"甲区/": 1}


def test_each_due_has_its_word() -> None:
    assert set(NAMES["due_within"]) == set(DUES)
