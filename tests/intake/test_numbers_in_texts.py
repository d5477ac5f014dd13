"""Numbers that tell who somebody is leave a citizen's text before a fact holds it; look-alikes stay (R9)."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.numbers_in_texts import FIELDS, KINDS, is_card, is_identity, without_numbers
from shared.contacts.texts import TextNumber, numbers_read, written
from shared.inputs import INPUTS, RecordRequest, SupplementRequest
from shared.inputs.requests import AboutRequest
from tests.examples import REQUEST
from tests.shared.test_personal import HOLDS, HOLDS_NONE

MOBILE: Final = "13800138000"
IDENTITY: Final = "11010519491231002X"
CARD: Final = "6222021234567890128"
VISA: Final = "4111111111111111"

PHONES: Final = (
    *(text for text in HOLDS if "1949" not in text),
    "1 3 8 0 0 1 3 8 0 0 0", "1-3-8-0-0-1-3-8-0-0-0", "1380 013 8000", "１３８－００１３－８０００",
    "138\u200b0013\u200b8000", "138\u20100013\u20108000", "①③⑧００１３８０００", f"打{MOBILE}找我",
    f"微信同号{MOBILE}", f"（{MOBILE}）", f"{MOBILE}/{MOBILE}",
)  # fmt: skip
IDENTITIES: Final = (
    IDENTITY, "11010519491231002x", "110105 19491231 002X", "110105-19491231-002X",
    "１１０１０５１９４９１２３１００２Ｘ", f"身份证号：{IDENTITY}。",
)  # fmt: skip
CARDS: Final = (
    CARD, "6222 0212 3456 7890 128", "6222-0212-3456-7890-128", "６２２２０２１２３４５６７８９０１２８", VISA,
    "4111 1111 1111 1111", f"卡号{CARD}，户名李梅", "378282246310005", f"{VISA} 123",
)  # fmt: skip
LOOK_ALIKES: Final = (
    *HOLDS_NONE,
    "12345", "110", "119", "400-810-8888", "95588", "96006", "010-12345", "订单号2021092413050012",
    "单号SF1380013800012", "2021-09-24 13:05:11", "20210924130511", "2021年9月24日13点05分",
    "小关街5号院12号楼1301室", "海淀区中关村大街27号1101-1105", "¥13,800,138.00", "13800138000.50元", "138001380元",
    "wxid_13800138000", "wxid13800138000a", "qq 138001380", "京A·12345", "9111 0105 7889 9999 99",
    "110105194912310020", "110105194913310027", "6222021234567890127", "4111111111111112", "0001234567890123",
    "2222222222222222", "1380013800", "23800138000", "第13800138000a号", "a1b2c3d4e5f613800138000", "１２３４５",
    "一三八〇〇一三八〇〇〇", "13:80:01:38:00:01", "192.168.100.200:8080", "13.80.01.38.00.0",
)  # fmt: skip


def taken(text: str) -> tuple[str, list[TextNumber]]:
    data, numbers = without_numbers(SupplementRequest(request_id="r", text=text or "x"))
    assert isinstance(data, SupplementRequest)
    return data.text, numbers


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *((text, "电话") for text in PHONES),
        *((text, "身份证") for text in IDENTITIES),
        *((text, "银行卡") for text in CARDS),
    ],
)
def test_a_number_leaves_the_text_however_it_is_written_and_nothing_else_does(text: str, name: str) -> None:
    left, numbers = taken(text)
    assert numbers
    assert {one.mark[:-2] for one in numbers} == {f"〔{name}"}
    for one in numbers:
        assert left.count(one.mark) == 1
        left = left.replace(one.mark, one.number)
    assert left == text
    assert taken(taken(text)[0]) == (taken(text)[0], [])


@pytest.mark.parametrize("text", [text for text in LOOK_ALIKES if text])
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert taken(text) == (text, [])


def test_each_number_has_a_mark_of_its_own_across_the_fields_of_an_input() -> None:
    data = msgspec.structs.replace(
        REQUEST, title=f"打{MOBILE}", content=f"卡{CARD}，证{IDENTITY}，另{MOBILE}和010-65121234"
    )
    changed, numbers = without_numbers(data)
    assert isinstance(changed, RecordRequest)
    assert (changed.title, changed.content) == (
        "打〔电话1〕",
        "卡〔银行卡1〕，证〔身份证1〕，另〔电话2〕和〔电话3〕",
    )
    assert [(one.field, one.mark) for one in numbers] == [
        ("title", "〔电话1〕"),
        ("content", "〔银行卡1〕"),
        ("content", "〔身份证1〕"),
        ("content", "〔电话2〕"),
        ("content", "〔电话3〕"),
    ]
    assert numbers_read(written(numbers)) == numbers
    assert numbers[1].masked().number == "*" * 9 + CARD[-2:]
    assert CARD not in repr(numbers)


def test_a_run_of_cards_and_a_phone_behind_it_are_told_apart() -> None:
    left, numbers = taken(f"{VISA} {VISA} {MOBILE}")
    assert left == "〔银行卡1〕 〔银行卡2〕 〔电话1〕"
    assert [one.number for one in numbers] == [VISA, VISA, MOBILE]


def test_a_wrong_check_digit_is_no_number() -> None:
    right = [last for last in "0123456789X" if is_identity(IDENTITY[:-1] + last)]
    assert right == ["X"]
    assert [last for last in "0123456789" if is_card(CARD[:-1] + last)] == [CARD[-1]]


def test_every_text_of_a_citizen_is_looked_at() -> None:
    """A new input about a request, or a new long text of one, is thought of here."""
    about = {kind for kind in INPUTS.values() if issubclass(kind, AboutRequest)} | {RecordRequest}
    assert set(FIELDS) == about
    names = {"title", "content", "address", "text", "note", "reason", "comment", "turned_away_reason"}
    for kind, fields in FIELDS.items():
        assert set(fields) == names & set(kind.__struct_fields__), kind
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@given(st.text(max_size=200))
def test_whatever_is_typed_comes_back_when_the_numbers_are_put_back(text: str) -> None:
    left, numbers = taken(text or "x")
    for one in numbers:
        left = left.replace(one.mark, one.number, 1)
    assert left == (text or "x")


@given(
    st.lists(
        st.sampled_from(["13800138000", "4111111111111111", IDENTITY, " ", "号", "1", "-", "ａ"]), max_size=12
    )
)
def test_no_number_of_the_table_is_left(parts: list[str]) -> None:
    left, _ = taken("".join(parts) or "x")
    assert taken(left)[1] == []
