"""A complaint's number is read out and typed: what is misheard is found, what is typed otherwise is understood."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.complaint_number import ALPHABET, ComplaintNumberError, number_of, numbered
from shared.ids import ComplaintId
from shared.versions import RULESET

ids = st.integers(0, 2**128 - 1).map(lambda value: ComplaintId(str(UUID(int=value))))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2150, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(ids, instants)
def test_a_number_says_the_day_and_the_id(complaint: ComplaintId, at: datetime) -> None:
    said = numbered(number_of(complaint, at, RULESET))
    assert said is not None
    assert said.day == (at + timedelta(hours=8)).date()
    digits = complaint.replace("-", "")
    assert said.id_first <= digits <= said.id_last
    assert said.id_first[:12] == digits[:12]


@given(ids, instants, st.data())
def test_one_character_misheard_or_two_that_changed_places_are_found(
    complaint: ComplaintId, at: datetime, data: st.DataObject
) -> None:
    right = number_of(complaint, at, RULESET).replace("-", "")
    place = data.draw(st.integers(0, len(right) - 1))
    alphabet = "0123456789" if place < 8 else ALPHABET
    other = data.draw(st.sampled_from(alphabet).filter(lambda one: one != right[place]))
    with pytest.raises(ComplaintNumberError):
        numbered(right[:place] + other + right[place + 1 :])
    # A digit of the day and a character of the id never change places: the hyphen between them is heard.
    at_ = data.draw(st.integers(0, len(right) - 2).filter(lambda one: one != 7))
    swapped = right[:at_] + right[at_ + 1] + right[at_] + right[at_ + 2 :]
    if swapped != right:
        with pytest.raises(ComplaintNumberError):
            numbered(swapped)


COMPLAINT = ComplaintId("0123456a-89ab-8def-8123-456789abcdef")
RECEIVED = datetime(2021, 9, 30, 16, 30, tzinfo=UTC)


def test_the_day_is_the_citys() -> None:
    assert number_of(COMPLAINT, RECEIVED, RULESET).startswith("20211001-")


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: f"  {text}\n",
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c != "-" else "－" for c in text),
    ],
)
def test_a_number_is_understood_however_it_is_typed(change: object) -> None:
    assert callable(change)
    right = number_of(COMPLAINT, RECEIVED, RULESET)
    assert numbered(change(right)) == numbered(right)
    said = numbered(right)
    assert said is not None
    assert said.day == date(2021, 10, 1)


@pytest.mark.parametrize(
    "text", ["", "0123456a-89ab-8def-8123-456789abcdef", "0123456a", "boston-101", "20211001"]
)
def test_an_id_or_a_requests_id_is_no_number(text: str) -> None:
    assert numbered(text) is None


@pytest.mark.parametrize("left_out", "0O1IL")
def test_what_sounds_alike_is_named(left_out: str) -> None:
    right = number_of(COMPLAINT, RECEIVED, RULESET).replace("-", "")
    with pytest.raises(ComplaintNumberError, match=f"{left_out} is in no number"):
        numbered(right[:9] + left_out + right[10:])


def test_a_day_that_is_none_is_named() -> None:
    body = "20210230" + "2" * 10
    fitting = []
    for last in ALPHABET:
        try:
            numbered(body + last)
        except ComplaintNumberError as wrong:
            fitting.append(str(wrong))
    assert "20210230 is no day" in fitting
