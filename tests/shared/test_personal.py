"""Numbers that tell who somebody is are found in what is typed, and nothing else is (R9)."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from shared.log.codec import encoded
from shared.personal import numbers_in, personal_in
from tests.examples import FACTS, INPUTS, REQUEST

MOBILE: Final = "13800138000"
IDENTITY: Final = "11010519491231002X"

HOLDS: Final = (
    MOBILE, f"电话{MOBILE}", f"请打 {MOBILE}。", "138 0013 8000", "138-0013-8000", f"+86 {MOBILE}", f"86{MOBILE}",
    "010-65121234", "(010)65121234", "（010）65121234", "0755 12345678", "01065121234",
    "１３８００１３８０００", f"\n{MOBILE}\n", f"{MOBILE}，{MOBILE}", IDENTITY, f"身份证{IDENTITY}",
    "110105194912310021", "110105 194912310021", "110105 19491231 0021",
    f"Tel.{MOBILE}", f"tel{MOBILE}", f"微信wx{MOBILE}", f"No.{MOBILE}", "138.0013.8000", "138—0013—8000",
    f"{MOBILE}-转2", "86-010-65121234", "+86 10 65121234", f"{MOBILE}.",
)  # fmt: skip
HOLDS_NONE: Final = (
    "", "12345", "96006", "110", "2021-09-24 13:05", "小关街5号楼1301室", "call-13800138000", "13800138000-1",
    "1.13800138000", "99999999999", "12800138000", "138001380001", "req_13800138000", "20210924-0001",
    "a52e94b4-90fa-8b15-ba6b-0586e8a3bf0b", "911101057889999999", "京A12345",
    "0f13800138000", "a52e94b4-90fa-8b15-ba6b-b13800138000", "13800138000-15", "3.13800138000",
)  # fmt: skip


@pytest.mark.parametrize("text", HOLDS)
def test_a_number_of_a_phone_or_an_identity_card_is_found_however_it_is_written(text: str) -> None:
    found = numbers_in(text)
    assert found
    kind = "an identity number" if "1949" in text else "a phone number"
    assert {one for one, _ in found} == {kind}


@pytest.mark.parametrize("text", HOLDS_NONE)
def test_other_numbers_are_none(text: str) -> None:
    assert numbers_in(text) == []


def test_two_numbers_are_two_and_of_each_only_its_end_is_told() -> None:
    data = msgspec.structs.replace(REQUEST, title=f"{MOBILE}或139-0013-9099", content=IDENTITY)
    told = [str(one) for one in personal_in(data)]
    assert told == [
        "title: what looks like a phone number stands in it, ending in 00",
        "title: what looks like a phone number stands in it, ending in 99",
        "content: what looks like an identity number stands in it, ending in 2X",
    ]
    assert MOBILE not in "".join(told)


@pytest.mark.parametrize("data", INPUTS, ids=lambda data: type(data).__name__)
def test_it_is_looked_for_in_every_text_of_every_input(data: msgspec.Struct) -> None:
    """Whoever may type something may type that: a new field is looked at without further code."""
    assert personal_in(data) == []
    whole = msgspec.to_builtins(data)
    texts = [name for name, value in whole.items() if isinstance(value, str)]
    for name in texts:
        held = msgspec.defstruct("Held", [(name, str)])(MOBILE)
        assert [one.field for one in personal_in(held)] == [name]
    assert texts


def test_in_what_comes_without_any_none_is_found() -> None:
    assert [type(fact).__name__ for fact in FACTS if numbers_in(encoded(fact).decode())] == []
