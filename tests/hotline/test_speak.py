"""What a command says is looked at as its door would, before it is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City
from hotline.client import as_a_door_would
from shared.cloudevents import input_headers
from shared.inputs import RecordRequest
from shared.log import Incoming
from shared.runtime.errors import UserError
from tests import examples as eg

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
CITY: Final = City(endpoints=CityEndpoints(name="any", kafka="not asked", owner_dsn="not asked"))


def said(**fields: Any) -> None:
    data = msgspec.structs.replace(eg.REQUEST, call_id=None, **fields)
    headers = tuple(input_headers(RecordRequest, "/hotline/command", "1", NOW))
    message = Incoming("intake.requests", 0, 0, 0, b"k", headers, msgspec.json.encode(data))
    as_a_door_would(CITY, data, message, NOW)


@pytest.mark.parametrize("at", [NOW, NOW - timedelta(days=60)])
def test_what_its_door_takes_in_is_sent(at: datetime) -> None:
    said(sent_at=at, given_due_at=NOW + timedelta(days=9))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"sent_at": datetime(1, 1, 1, tzinfo=UTC)},
            "data: sent_at: 0001-01-01T00:00:00+00:00 lies too far back",
        ),
        (
            {"sent_at": datetime(9999, 12, 31, tzinfo=UTC)},
            "data: sent_at: 9999-12-31T00:00:00+00:00 lies ahead",
        ),
        (
            {"given_due_at": datetime(1970, 1, 1, tzinfo=UTC)},
            "data: given_due_at: 1970-01-01T00:00:00+00:00 lies too",
        ),
        ({"title": "x\0"}, "data: title: holds the character U+0000"),
        ({"title": "x" * 201}, "data: Expected `str` of length <= 200 - at `$.title`"),
    ],
)
def test_what_it_would_set_aside_is_not_sent_and_said_in_the_same_words(
    fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(UserError) as error:
        said(**fields)
    assert str(error.value).startswith(f"Nothing was sent. {why}")
