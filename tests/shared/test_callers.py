"""A caller's number in one normal form, and the index under a key."""

from __future__ import annotations

import pytest

from shared.contacts.callers import INDEX_BYTES, CallersKey, normal_form
from shared.contacts.details import contact_of

KEY = CallersKey(b"k" * 32)


@pytest.mark.parametrize(
    ("alike", "form"),
    [
        (
            ("13800138000", "138-0013-8000", "+8613800138000", "+86 138 0013 8000", "008613800138000"),
            "13800138000",
        ),
        (("010-65129876", "010 65129876", "+86 010 65129876", "0086-01065129876"), "01065129876"),
        (("65129876", "6512 9876"), "65129876"),
        (("86123456", "8612-3456"), "86123456"),
        (("12345", "1 2345"), "12345"),
        (("+1 212 555 0100", "12125550100"), "12125550100"),
    ],
)
def test_a_number_has_one_form_however_it_is_written(alike: tuple[str, ...], form: str) -> None:
    assert {normal_form(one) for one in alike} == {form}
    assert len({KEY.index(one) for one in alike}) == 1


def test_another_number_or_another_key_gives_another_index() -> None:
    assert KEY.index("13800138000") != KEY.index("13800138001")
    assert KEY.index("13800138000") != CallersKey(b"l" * 32).index("13800138000")
    assert len(KEY.index("13800138000")) == INDEX_BYTES


def test_a_contact_is_found_by_each_of_its_numbers_once() -> None:
    both = contact_of("李", "13800138000", "010-65129876")
    assert KEY.indexes(both) == sorted([KEY.index("13800138000"), KEY.index("01065129876")])
    assert KEY.indexes(contact_of("李", "13800138000", "+8613800138000")) == [KEY.index("13800138000")]
