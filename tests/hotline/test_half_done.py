"""What fails behind a message that is sent is never told as nothing: whoever reads that types it again."""

from __future__ import annotations

import socket

import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City
from hotline.client import SentInput, Unknown, effect, on_record
from shared.ids import MessageId
from shared.runtime.errors import UserError
from tests.examples import ID


def nowhere() -> City:
    """A city whose PostgreSQL has gone since."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dsn = f"postgresql://reader@127.0.0.1:{port}/hotline"
    return City(endpoints=CityEndpoints(name="hotline", kafka="", owner_dsn=dsn, logins={"reader": dsn}))


async def test_where_nobody_can_be_asked_what_came_of_it_it_is_sent_all_the_same() -> None:
    with pytest.raises(Unknown) as ended:
        await effect(nowhere(), ID, SentInput(MessageId("1"), "intake.requests", 0, 0))
    told = str(ended.value)
    assert told.startswith("It is sent, and what came of it is not known (ConnectionRefusedError).")
    assert f"Do not type it again: `hotline show {ID[:8]}` tells." in told


@pytest.mark.parametrize("error", [UserError("It hangs."), OSError("gone"), TimeoutError("late")], ids=repr)
def test_behind_a_record_every_failure_begins_with_what_is_on_record(error: Exception) -> None:
    with pytest.raises(Unknown) as ended, on_record(ID):
        raise error
    assert (
        str(ended.value)
        == f"Complaint {ID} is on record: do not record it again. What came after is not known: {error}"
    )


def test_a_bug_of_ours_is_not_told_as_that() -> None:
    with pytest.raises(ZeroDivisionError), on_record(ID):
        raise ZeroDivisionError
