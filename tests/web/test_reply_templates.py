"""Reply templates of a unit: what is kept, and what is filled in."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import pytest

from hotline.web.pages import filter_pages, list_filters
from hotline.web.pages.list_filters import QUERY_MAX, filter_in
from hotline.web.pages.reply_templates import (
    NAME_MAX,
    PLACES,
    TEMPLATED,
    filled,
    flaw_of,
    id_of,
    joined,
    name_in,
    values_of,
)
from hotline.web.pages.verbs import UNIT_VERBS

VALUES: Final = values_of("20211001-7K4MQ-9XR2B-C", "学院路街道", "12-03 15:00")
TEXT: Final = "关于{编号}:{单位}已于{期限}前办结。"


def test_places_of_both_languages_are_filled_in_and_other_braces_stay() -> None:
    both = "{编号} ｛number｝ { unit } {due} {x} {}"
    assert filled(both, VALUES) == (
        "20211001-7K4MQ-9XR2B-C 20211001-7K4MQ-9XR2B-C 学院路街道 12-03 15:00 {x} {}"
    )
    assert set(PLACES.values()) == set(VALUES)


@pytest.mark.parametrize(
    ("verb", "name", "text", "field"),
    [
        ("sign", "名称", TEXT, "verb"),
        ("nothing", "名称", TEXT, "verb"),
        ("answer", "", TEXT, "name"),
        ("answer", "长" * (NAME_MAX + 1), TEXT, "name"),
        ("answer", "\u200b\u3164", TEXT, "name"),
        ("answer", "名\0称", TEXT, "name"),
        ("answer", "名\u202e称", TEXT, "name"),
        ("answer", "名称", "", "text"),
        ("answer", "名称", "\u200b\n\u2800", "text"),
        ("answer", "名称", "您\0好", "text"),
        ("answer", "名称", "您好,{姓名}", "text"),
        ("answer", "名称", "长" * 3_995 + "{编号}", "text"),
        ("return", "名称", "长" * 201, "text"),
        ("answer", "找张三13800138000", TEXT, "name"),
        ("answer", "名称", "请拨打 １３８ 0013 8000", "text"),
        ("answer", "名称", "请拨打 010-87654321", "text"),
        ("answer", "名称", "身份证11010519491231002X", "text"),
    ],
)
def test_what_is_not_kept_says_which_field_is_wrong(verb: str, name: str, text: str, field: str) -> None:
    flaw = flaw_of(verb, name, text, "学院路街道")
    assert flaw is not None
    assert flaw.field == field


@pytest.mark.parametrize("name", ["", "\u200b", "\u3164\u2800", "a\0b", "待\u202e办", "长" * 21])
def test_a_filters_name_is_a_link_that_people_can_read(name: str) -> None:
    only = filter_in({"due": "3d"})
    flaw = filter_pages.flaw_of(name_in({"name": name}), only, urlencode(only.parts))
    assert flaw is not None
    assert flaw.field == "name"
    assert filter_pages.flaw_of(name_in({"name": f" 三日\u3000内 {chr(9)}"}), only, "due=3d") is None


def test_a_filter_whose_address_is_too_long_is_refused() -> None:
    long = filter_in(dict.fromkeys(("subject", "place", "text"), "漏" * 200))
    query = urlencode({"tab": "all", **long.parts})
    assert len(query) > QUERY_MAX
    flaw = filter_pages.flaw_of("长", long, query)
    assert flaw is not None
    assert flaw.field == "text"
    short = filter_in({"subject": "漏" * list_filters.TYPED_MAX, "text": "漏" * list_filters.TYPED_MAX})
    assert filter_pages.flaw_of("短", short, urlencode({"tab": "all", **short.parts})) is None


def test_what_a_unit_writes_is_kept() -> None:
    for verb in TEMPLATED:
        assert flaw_of(verb, "名称", TEXT, "学院路街道") is None
    assert {UNIT_VERBS[verb].templated for verb in TEMPLATED} == {
        "result",
        "text",
        "reason",
        "evidence",
        "measure",
    }
    assert [name for name in TEMPLATED if UNIT_VERBS[name].filled_field is None] == []


def test_a_text_comes_behind_the_draft_and_never_twice() -> None:
    assert joined("", "甲", one_line=False) == "甲"
    assert joined("已到场", "甲", one_line=False) == "已到场\n甲"
    assert joined("已到场\n甲", "甲", one_line=False) == "已到场\n甲"
    assert joined("已到场 ", "甲\n乙", one_line=True) == "已到场 甲 乙"


@pytest.mark.parametrize(
    ("typed", "found"), [("12", 12), ("", None), ("-1", None), ("９", None), ("9" * 30, None)]
)
def test_an_id_is_digits_of_a_row(typed: str, found: int | None) -> None:
    assert id_of(typed) == found
