"""How far a city's topics reach, and what is said of one that is not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from deploy.city.processes import behind
from deploy.supervision.topic_ends import ends_of
from shared.runtime.errors import UserError
from shared.topics import DISPATCH_REVIEWS
from tests import examples as eg
from tests.city import City

pytestmark = pytest.mark.connected


async def test_a_partition_ends_behind_its_last_message_and_an_unknown_one_is_left_out(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    reviews = town.topic(DISPATCH_REVIEWS)
    asked = {(reviews, 0), (reviews, 7), ("nobody.made.this", 0)}
    assert await ends_of(town.endpoints.kafka, asked) == {(reviews, 0): 0}
    await town.review(eg.ID)
    assert await ends_of(town.endpoints.kafka, asked) == {(reviews, 0): 1}
    assert await ends_of(town.endpoints.kafka, {("nobody.made.this", 0)}) == {}


async def test_who_is_behind_is_counted_and_a_topic_that_is_not_there_is_a_sentence(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city(units=tuple(eg.CATALOGUE.units))
    await town.review(eg.ID)
    assert await behind(town.endpoints, eg.CATALOGUE) == {
        "intake": 0,
        "dispatch": 1,
        "feedback": 0,
        "relay": 0,
    }
    known = eg.CATALOGUE.units[eg.STREET]
    grown = replace(eg.CATALOGUE, units={**eg.CATALOGUE.units, "street-nobody-made": known})
    with pytest.raises(UserError, match=r"no topic .*dispatch\.replies\.street-nobody-made: `hotline down`"):
        await behind(town.endpoints, grown)
