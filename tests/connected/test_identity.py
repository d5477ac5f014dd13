"""Who an input is, on a real Kafka and PostgreSQL: a topic for each login, a known id with other content, links."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from deploy.city.making import make_topics
from shared.cloudevents import input_headers
from shared.ids import ComplaintId, complaint_id
from shared.inputs import Input, RepeatRequest, SupplementRequest
from shared.open_batch import OTHER_CONTENT
from shared.topics import INTAKE_REQUESTS
from tests.city import City, request
from tests.desks import DoorReader, Faults, door_of_intake

pytestmark = pytest.mark.connected

LOGINS: Final = ("web", "app")


class Town:
    """A city without processes; what intake hears on each topic is taken when a test says so."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.door_readers: dict[str, DoorReader] = {}

    def topic(self, login: str) -> str:
        plain = self.city.topic(INTAKE_REQUESTS)
        return f"{plain}.{login}" if login else plain

    async def says(self, login: str, data: Input, key: str, event_id: str, *, taken: bool = True) -> None:
        """This login says it on its topic, and intake takes in what there is."""
        headers = input_headers(type(data), "/desk", event_id, datetime.now(UTC))
        value = msgspec.json.encode(data)
        await self.city.send(self.topic(login), key, value, headers, partitions=INTAKE_REQUESTS.partitions)
        if taken:
            await self.door_readers[login].take_all()

    async def aside(self) -> list[tuple[str, str | None, str]]:
        """What is parked: on which topic, of which complaint, and why."""
        rows = await self.city.parked()
        return [(row["topic"], row["complaint_id"], row["reason"]) for row in rows]


@asynccontextmanager
async def heard(city: City) -> AsyncIterator[Town]:
    """Intake's doors on the plain topic and on each login's, begun anew."""
    town = Town(city)
    wanted = {town.topic(login): INTAKE_REQUESTS for login in ("", *LOGINS)}
    await make_topics(city.endpoints.kafka, wanted, retention=False)
    async with AsyncExitStack() as doors:
        for login in ("", *LOGINS):
            door_reader, _ = await doors.enter_async_context(
                door_of_intake(city, Faults(), topic=town.topic(login))
            )
            town.door_readers[login] = door_reader
        yield town


@pytest.fixture
async def here(city: Callable[..., Awaitable[City]]) -> City:
    return await city()


async def test_two_logins_count_alike_and_two_citizens_have_two_complaints(here: City) -> None:
    """The same request number, the same source and the same event id, each on its own topic."""
    async with heard(here) as town:
        for login in ("", *LOGINS):
            await town.says(login, request("1", title=f"by {login}"), "1", "event-1")
        for login in ("", *LOGINS):
            stories = await here.story(complaint_id("1", login))
            assert stories == ["ComplaintReceived", "ComplaintClassified"], login
        assert await town.aside() == []
        # An agent adds on the plain topic to what came from the web.
        more = SupplementRequest(complaint_id=complaint_id("1", "web"), text="还没有水")
        await town.says("", more, complaint_id("1", "web"), "event-2")
        assert (await here.story(complaint_id("1", "web")))[-1] == "RequestSupplemented"
        assert (
            len(await here.story(complaint_id("1"))) == len(await here.story(complaint_id("1", "app"))) == 2
        )
    await here.verify()


@pytest.mark.parametrize("when", ["in one batch", "in two", "after a restart"])
async def test_a_known_id_with_other_content_is_seen_among_what_is_parked(here: City, when: str) -> None:
    """And nothing of the first citizen's waits behind it."""
    first = request("first")
    other: Any = replace(first, request_id="second", content="另一件事")
    async with heard(here) as town:
        await town.says("", first, "k", "7", taken=when != "in one batch")
        if when != "after a restart":
            await town.says("", other, "k", "7")
    async with heard(here) as town:
        await town.says("", other, "k", "7")
        await town.says("", first, "k", "7")
        expected = 1 if when == "after a restart" else 2
        assert await town.aside() == [(town.topic(""), None, OTHER_CONTENT)] * expected
        assert await here.story(complaint_id("second")) == []
        await town.says("", SupplementRequest(request_id="first", text="还没有水"), "first", "8")
        assert (await here.story(complaint_id("first")))[-1] == "RequestSupplemented"
    await here.verify()


async def test_a_row_of_before_this_was_kept_counts_as_a_repeat(here: City) -> None:
    async with heard(here) as town:
        await town.says("", request("old"), "k", "7")
        await here.sql("UPDATE es.inbox SET content = NULL")
        await town.says("", request("old", content="另一件事"), "k", "7")
        assert await town.aside() == []
        assert await here.story(complaint_id("old")) == ["ComplaintReceived", "ComplaintClassified"]


async def test_links_by_the_order_of_the_log_and_counted_once(here: City) -> None:
    """A household is linked, one that names nobody is not; neither ring nor repeat raises heat twice."""
    first, second = complaint_id("1", "web"), complaint_id("1", "app")
    async with heard(here) as town:
        await town.says("web", request("1", matter_of="nobody"), "1", "1")
        await town.says("app", request("1", matter_of_complaint=first), "1", "1")
        for number, (login, about, by) in enumerate(
            [("", first, second), ("app", first, second), ("web", second, first), ("web", first, first)]
        ):
            again = RepeatRequest(complaint_id=about, repeat_complaint=by, another_citizen=True)
            await town.says(login, again, about, f"again-{number}")
    linked = ["ComplaintReceived", "MatterLinked", "ComplaintClassified"]
    assert (await here.story(first))[:3] == ["ComplaintReceived", "ComplaintClassified", "IntakeRefused"]
    assert (await here.story(first))[3:] == ["RequestRepeated", "IntakeRefused"]
    assert await here.story(second) == [*linked, "IntakeRefused"]
    reasons = [told.fact.reason for told in await here.facts() if told.type == "IntakeRefused"]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "matter_of",
        "repeat_complaint",
        "repeat_complaint",
    ]
    heat = "SELECT coalesce((state::json ->> 'heat')::int, 1) FROM es.stream WHERE stream_id = $1"
    assert [await here.value(heat, ComplaintId(one)) for one in (first, second)] == [2, 1]
    await here.verify()
