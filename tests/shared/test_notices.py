"""The relay's cursor over the notices of parkings: nothing is lost or told out of order, whoever commits late or dies.

Real PostgreSQL; what is sent is kept in a list, as Kafka would have it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.log import Append, Incoming, Parked, RefusedInput
from shared.log.postgres import PostgresLog
from shared.log.relay.cursor import RelayFenced
from shared.log.relay.notice_cursor import NOTICES_MAX
from shared.log.relay.notices import PARKINGS, NoticeRow
from tests.notices import NoticePlace, all_of, looked

pytestmark = pytest.mark.connected

TOPIC = "dispatch.replies.a"
_NOTE = "SELECT es.note_results('dispatch', '{}', '{}', '{}', '{}', $1, $2, $3, $4, $5, $6, $7, $8)"


def nonsense(
    offset: int, *, topic: str = TOPIC, sent_at_ms: int = 1, parked_id: int | None = None
) -> Incoming:
    headers = (("ce_source", b"/units/a"), ("ce_id", b"%d" % offset))
    return Incoming(topic, 0, offset, sent_at_ms, None, headers, b"nonsense", parked_id=parked_id)


class Place(NoticePlace[NoticeRow]):
    """The same with a desk that parks."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, PARKINGS)
        self.log = PostgresLog(dsn, "dispatch", "dispatch")
        self.open.append(self.log)

    async def park(self, *offsets: int, reason: str = "header ce_time: missing", **how: Any) -> None:
        await self.log.append(Append(parked=[Parked(nonsense(n, **how), None, reason) for n in offsets]))


@pytest.fixture
async def place(database: str) -> AsyncIterator[Place]:
    made = Place(database)
    yield made
    await made.close()


def offsets(rows: list[NoticeRow]) -> list[int]:
    return [row.offset for row in rows]


async def test_each_is_told_once_and_in_order(place: Place) -> None:
    cursor = await place.cursor()
    assert await all_of(cursor) == []
    await place.park(1, 2, 3)
    assert offsets(await all_of(cursor)) == [1, 2, 3]
    assert await all_of(cursor) == []
    await place.park(4)
    await place.park(5)
    (four, five) = await all_of(cursor)
    assert (four.offset, five.offset) == (4, 5)
    assert (four.consumer, four.topic, four.partition, four.source, four.event_id, four.reason) == (
        "dispatch", TOPIC, 0, "/units/a", "4", "header ce_time: missing",
    )  # fmt: skip
    assert await all_of(await place.cursor()) == []


async def test_more_than_a_page_of_them_are_told_in_pages(place: Place) -> None:
    cursor = await place.cursor()
    await place.park(*range(2 * NOTICES_MAX + 3))
    pages = []
    await looked(cursor)
    while rows := await cursor.new():
        pages.append(len(rows))
        await cursor.sent(rows)
    assert pages == [NOTICES_MAX, NOTICES_MAX, 3]
    await place.park(*range(3000, 3000 + NOTICES_MAX))  # a page that is just full
    assert len(await all_of(cursor)) == NOTICES_MAX
    assert await all_of(cursor) == []
    assert await all_of(await place.cursor()) == []


async def test_one_parked_again_is_told_again_only_for_another_reason(place: Place) -> None:
    cursor = await place.cursor()
    await place.park(1)
    await place.park(1, parked_id=1)
    assert offsets(await all_of(cursor)) == [1]
    await place.park(1, parked_id=1, reason="complaint x is not on record")
    (again,) = await all_of(cursor)
    assert again.reason == "complaint x is not on record"
    await place.park(1, sent_at_ms=2)  # the topic was made anew: another message
    assert offsets(await all_of(cursor)) == [1]


async def test_one_that_commits_late_is_told_although_later_ones_were(place: Place) -> None:
    """The control is a cursor by number: it has passed the late one."""
    cursor, late = await place.cursor(), await place.connection()
    columns = [[TOPIC], [1], [9], [1], ["/late"], ["9"], [None], ["late"]]
    held = late.transaction()
    await held.start()
    await late.execute(_NOTE, *columns)
    await place.park(1, 2)
    first = await all_of(cursor)
    assert offsets(first) == [1, 2]
    await held.commit()
    (told,) = await all_of(cursor)
    assert told.source == "/late"
    assert told.notice_id < first[0].notice_id
    after = await place.connection()
    last = max(row.notice_id for row in first)
    by_number = await after.fetch("SELECT FROM es.parking_notice WHERE notice_id > $1", last)
    assert by_number == []
    # One that is rolled back is told to nobody.
    held = late.transaction()
    await held.start()
    await late.execute(_NOTE, *columns[:2], [10], *columns[3:])
    await held.rollback()
    assert await all_of(cursor) == []


async def test_many_writers_and_a_relay_that_dies_lose_none_and_invert_none(place: Place) -> None:
    writers, each = 8, 40
    chosen = random.Random(21)
    told: list[NoticeRow] = []
    writing = True

    async def write(number: int) -> None:
        log = PostgresLog(place.dsn, "dispatch", "dispatch")
        connection = await place.connection()
        place.open.append(log)
        topic = f"dispatch.replies.u{number}"
        for offset in range(each):
            if offset % 3:
                await log.append(
                    Append(parked=[Parked(nonsense(offset, topic=topic), None, "header ce_time: missing")])
                )
            else:
                async with connection.transaction():
                    await connection.execute(_NOTE, [topic], [0], [offset], [1], ["/u"], ["1"], [None], ["r"])
                    await asyncio.sleep(chosen.random() * 0.02)

    relaying = asyncio.create_task(place.relayed(told, lambda: writing, chosen, dies=0.2))
    await asyncio.gather(*(write(number) for number in range(writers)))
    writing = False
    await relaying
    assert len(told) > writers * each  # it died, and told some again
    for number in range(writers):
        mine = list(dict.fromkeys(row.offset for row in told if row.topic == f"dispatch.replies.u{number}"))
        assert mine == list(range(each))


async def test_who_was_overtaken_cannot_move_it(place: Place) -> None:
    old = await place.cursor()
    await place.park(1)
    rows = await old.new()
    new = await place.cursor()
    with pytest.raises(RelayFenced):
        await old.sent(rows)
    assert offsets(await all_of(new)) == [1]


async def test_a_parking_that_fails_leaves_no_notice(place: Place) -> None:
    """Both are one transaction with the offset."""
    cursor = await place.cursor()
    bad = Append(parked=[Parked(nonsense(1), None, "r")], unpark=[77])
    with pytest.raises(Exception, match="taken up or dropped"):
        await place.log.append(bad)
    assert await all_of(cursor) == []


async def test_which_input_a_refusal_answers_is_kept_where_source_and_id_are_text(place: Place) -> None:
    unnamed = Incoming(TOPIC, 0, 2, 1, None, (("ce_source", b"/a"),), b"")
    await place.log.append(Append(refused=[RefusedInput("m-1", nonsense(1)), RefusedInput("m-2", unnamed)]))
    await place.log.append(Append(refused=[RefusedInput("m-1", nonsense(1))]))
    reader = await place.connection()
    rows = await reader.fetch("SELECT message_id, consumer, topic, source, event_id FROM es.refused_input")
    assert [tuple(row) for row in rows] == [("m-1", "dispatch", TOPIC, "/units/a", "1")]
