"""A life is stated while it is lived where it is sampled, and whole where something went wrong; twice does no harm."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.city import served
from deploy.embedded.stack import Addresses
from hotline.tracing import exporter, followed
from hotline.tracing.exporter import LifeExporter
from shared.events import ComplaintClosed, ComplaintDispatched, OrderAnswered, ReplyRefused, VisitScheduled
from shared.log.locks import TRACES
from shared.runtime.telemetry import Telemetry
from shared.runtime.zipkin import ZipkinSpans
from shared.trace_ids import is_followed
from tests.city import UNIT, City, open_city, until
from tests.connected.test_traces import Collector, Span, collecting
from tests.sources import Databases

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def lived(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    async with open_city(stack, databases, tmp_path_factory.mktemp("lived")) as made:
        await made.start()
        yield made


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@asynccontextmanager
async def stating(city: City, collector: Collector, ratio: float) -> AsyncIterator[Telemetry]:
    """The exporter at work, as the projector's process runs it."""
    telemetry = Telemetry("projector")
    lives = LifeExporter(city.endpoints.login("projector"), ZipkinSpans(collector.address), ratio, telemetry)
    task = asyncio.create_task(lives.run())
    try:
        yield telemetry
    finally:
        task.cancel()
        await asyncio.wait([task])


def of(collector: Collector, complaint: str) -> list[Span]:
    """The spans of a life that the collector has."""
    return [span for span in collector.spans if span.tags.get("complaint.id") == complaint]


def has(collector: Collector, complaint: str, *names: str) -> Callable[[], Awaitable[bool]]:
    """Whether these spans of a life have come."""

    async def told() -> bool:
        return {span.name for span in of(collector, complaint)} >= set(names)

    return told


async def closed(city: City, complaint: str) -> None:
    """Let a life be lived to its end."""
    await city.until_fact(complaint, ComplaintDispatched)
    await city.answer(complaint)
    await city.until_fact(complaint, VisitScheduled)
    await city.visit(complaint)
    await city.until_fact(complaint, ComplaintClosed)


async def test_a_sampled_life_is_stated_stage_by_stage_each_once(lived: City, collector: Collector) -> None:
    async with stating(lived, collector, 1.0):
        complaint = await lived.record("stage-by-stage")
        await lived.until_fact(complaint, ComplaintDispatched)
        await until(has(collector, complaint, "dispatch"), what="the first stage")
        assert {span.name for span in of(collector, complaint)} == {"dispatch"}
        await lived.answer(complaint)
        await lived.until_fact(complaint, OrderAnswered)
        await until(has(collector, complaint, f"order 1 at {UNIT}"), what="the order")
        assert not await has(collector, complaint, "life")()
        await lived.until_fact(complaint, VisitScheduled)
        await lived.visit(complaint)
        await until(has(collector, complaint, "life", "visit 1"), what="the whole")
    assert set(Counter(span.id for span in of(collector, complaint)).values()) == {1}


async def test_after_a_start_and_after_the_viewer_was_away_the_last_day_is_stated_again(
    lived: City, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "AWAY_SECONDS", 0.2)
    first = await lived.record("before-the-start")
    await closed(lived, first)
    async with stating(lived, collector, 1.0):
        await until(has(collector, first, "life"), what="the life of before")
        whole = {span.id: span for span in of(collector, first)}
        collector.away = True
        second = await lived.record("while-it-was-away")
        await closed(lived, second)
        await asyncio.sleep(2 * exporter.LOOK_SECONDS)
        collector.spans.clear()
        collector.away = False
        await until(has(collector, second, "life", "dispatch", "visit 1"), what="the life it missed")
        await until(has(collector, first, "life"), what="the life it had forgotten")
    assert {span.id: span for span in of(collector, first)} == whole


async def _refused(city: City, complaint: str) -> None:
    for number in range(2):
        await city.sign(complaint, assignment=7, source="/u", event_id=f"{complaint}-{number}")
    await city.until_fact(complaint, ReplyRefused, count=2)


async def _parked(city: City, complaint: str) -> None:
    """A message about a complaint waits where a rule fails on it: of that, the notice remains."""
    await city.sql(
        "INSERT INTO es.parking_notice (consumer, topic, part, kafka_offset, sent_at_ms, complaint_id, reason) "
        "VALUES ('dispatch', 'dispatch.replies.x', 0, 0, 0, $1::text::uuid, 'could not be decided')",
        complaint,
    )


@pytest.mark.parametrize(
    ("goes_wrong", "why"), [(_refused, followed.Why.REFUSED), (_parked, followed.Why.PARKED)]
)
async def test_a_life_in_which_something_went_wrong_is_stated_whole_from_then_on(
    lived: City,
    collector: Collector,
    goes_wrong: Callable[[City, str], Awaitable[None]],
    why: followed.Why,
) -> None:
    async with stating(lived, collector, 0.0):
        well = await lived.record(f"goes-well {why}")
        wrong = await lived.record(f"goes-wrong {why}")
        for complaint in (well, wrong):
            await lived.until_fact(complaint, ComplaintDispatched)
        assert of(collector, wrong) == []
        await goes_wrong(lived, wrong)
        await until(has(collector, wrong, "dispatch"), what="what was before it went wrong")
        await lived.answer(wrong)
        await until(has(collector, wrong, f"order 1 at {UNIT}"), what="what came after")
    assert of(collector, well) == []
    assert not is_followed(wrong, 0.0)
    rows = await lived.sql("SELECT why FROM read.traced WHERE stream_id::text = $1", wrong)
    assert [row[0] for row in rows] == [why]


async def test_a_slow_order_is_stated_and_no_more_in_a_minute_than_a_viewer_can_keep(
    lived: City, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "SLOW", timedelta(0))
    monkeypatch.setattr(exporter, "ALWAYS_MAX", 2)
    monkeypatch.setattr(exporter, "RESTATED", timedelta(0))
    monkeypatch.setattr(exporter, "WINDOW_SECONDS", 1e9)  # no second one begins
    async with stating(lived, collector, 0.0) as telemetry:
        await until(_owned(lived), what="the exporter at work")
        streams = [await lived.record(f"slow-{number}") for number in range(5)]
        for complaint in streams:
            await lived.until_fact(complaint, ComplaintDispatched)

        async def all_seen() -> bool:
            left = telemetry.registry.get_sample_value("hotline_traces_left_out_total") or 0
            return (left, len({complaint for complaint in streams if of(collector, complaint)})) == (3, 2)

        await until(all_seen, what="two lives stated, three left out")
        told = {complaint for complaint in streams if of(collector, complaint)}

        async def remembered() -> bool:  # a moment after they were stated
            return {row[0] for row in await lived.sql(_SLOW)} == told

        await until(remembered, what="a note of each life that was stated")


async def test_a_collector_that_the_environment_names_hears_every_process(
    lived: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> set[tuple[str, str]]:
        services = [*served.services(lived.endpoints, tmp_path), served.projector(lived.endpoints, tmp_path)]
        return {
            (service.env[f"{prefix}TRACES"], service.env[f"{prefix}TRACES_ENDPOINT"])
            for service in services
            for prefix in (f"{service.name.upper()}_",)
        }

    monkeypatch.delenv(served.COLLECTOR, raising=False)
    assert told() == {("zipkin", lived.endpoints.zipkin) if lived.endpoints.zipkin else ("none", "")}
    monkeypatch.setenv(served.COLLECTOR, "http://127.0.0.1:4318")
    assert told() == {("otlp", "http://127.0.0.1:4318")}


_SLOW = "SELECT stream_id::text FROM read.traced WHERE why = 'slow'"


def _owned(city: City) -> Callable[[], Awaitable[bool]]:
    async def owned() -> bool:
        held = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.classid = $1"
        (row,) = await city.sql(f"{held} AND d.datname = current_database()", TRACES)
        return bool(row[0])

    return owned
