"""No name where nobody is to be named: what a topic withholds of the facts it carries."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from shared.deciding import DECIDERS
from shared.events import ExtensionApproved, Fact
from shared.log.codec import decoded, encoded
from shared.outward import OUTWARD
from shared.topics import CITIZEN_NOTICES, DISPATCH_ORDERS
from tests import examples as eg

CARRIED: Final = [
    fact
    for fact in vars(eg).values()
    if isinstance(fact, Fact)
    and any(topic is CITIZEN_NOTICES for topic, _ in OUTWARD.get(type(fact).__name__, ()))
]


def test_the_examples_hold_each_fact_that_citizens_are_told() -> None:
    assert {type(fact) for fact in CARRIED} == set(CITIZEN_NOTICES.carries)


@pytest.mark.parametrize("fact", CARRIED, ids=lambda fact: type(fact).__name__)
def test_a_citizen_is_told_everything_but_who_decided(fact: Fact) -> None:
    heard = decoded(type(fact).__name__, fact.SCHEMA, CITIZEN_NOTICES.tells(encoded(fact)))
    assert type(heard) is type(fact)
    named = {field for field in DECIDERS if hasattr(fact, field)}
    assert all(getattr(heard, field) == "" for field in named)
    assert all(
        getattr(heard, field) == getattr(fact, field)
        for field in fact.__struct_fields__
        if field not in named
    )


def test_a_unit_is_told_who_decided() -> None:
    body = encoded(eg.EXTENSION_APPROVED)
    assert DISPATCH_ORDERS.tells(body) == body
    assert isinstance(eg.EXTENSION_APPROVED, ExtensionApproved)
    assert eg.EXTENSION_APPROVED.reviewer.encode() in body


def test_a_body_nobody_can_read_is_told_to_nobody_where_something_is_withheld() -> None:
    with pytest.raises(msgspec.DecodeError):
        CITIZEN_NOTICES.tells(b'{"reviewer": ')
