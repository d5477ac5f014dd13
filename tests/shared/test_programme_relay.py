"""The relay's cursor over the programmes' own log: nothing is lost or told out of order, whoever commits late or dies.

Real PostgreSQL; what is sent is kept in a list, as Kafka would have it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from shared.ids import derived
from shared.log.relay.cursor import RelayFenced
from shared.log.relay.notice_cursor import NOTICES_MAX
from shared.log.relay.programmes import PROGRAMMES, ProgrammeRow
from shared.programme_notice import CE_TYPE
from tests.notices import NoticePlace, all_of, looked

pytestmark = pytest.mark.connected

_APPEND = "SELECT es.append_programme($1::text::uuid, $2, $3, $4::text[]::timestamptz[], $5, $6, $7)"
AT = "2021-01-04T09:00:00+08:00"


def arguments(programme: str, expected: int, number: int, units: tuple[str, ...] = ("a",)) -> tuple[Any, ...]:
    """So many facts behind this position, each told to these units; to nobody where there are none."""
    told = (
        msgspec.json.encode([{"unit": unit, "body": {"n": 1}} for unit in units]).decode() if units else None
    )
    return (
        derived("p", programme), expected, ["TaskSet"] * number, [AT] * number, ["x"] * number, ["{}"] * number,
        [told] * number,
    )  # fmt: skip


@pytest.fixture
async def place(database: str) -> AsyncIterator[NoticePlace[ProgrammeRow]]:
    made = NoticePlace(database, PROGRAMMES)
    yield made
    await made.close()


def positions(rows: list[ProgrammeRow]) -> list[int]:
    return [row.position for row in rows]


async def test_each_is_told_once_in_order_and_what_tells_nobody_is_passed_over(
    place: NoticePlace[ProgrammeRow],
) -> None:
    cursor, writer = await place.cursor(), await place.connection()
    assert await all_of(cursor) == []
    assert await writer.fetchval(_APPEND, *arguments("one", 0, 2))
    assert await writer.fetchval(_APPEND, *arguments("one", 2, 1, ()))
    assert positions(await all_of(cursor)) == [1, 2]
    assert await writer.fetchval(_APPEND, *arguments("one", 3, 1))
    assert not await writer.fetchval(_APPEND, *arguments("one", 3, 1)), "somebody was faster"
    assert positions(await all_of(cursor)) == [4]
    assert await all_of(cursor) == []
    assert await all_of(await place.cursor()) == []


async def test_more_than_a_page_of_them_are_told_in_pages_each_programme_in_its_order(
    place: NoticePlace[ProgrammeRow],
) -> None:
    cursor, writer = await place.cursor(), await place.connection()
    for programme in range(5):
        await writer.fetchval(_APPEND, *arguments(str(programme), 0, NOTICES_MAX // 2))
    pages: list[list[ProgrammeRow]] = []
    await looked(cursor)
    while rows := await cursor.new():
        pages.append(rows)
        await cursor.sent(rows)
    assert [len(page) for page in pages] == [NOTICES_MAX, NOTICES_MAX, NOTICES_MAX // 2]
    told = [row for page in pages for row in page]
    for programme in range(5):
        mine = [row.position for row in told if str(row.programme_id) == derived("p", str(programme))]
        assert mine == list(range(1, NOTICES_MAX // 2 + 1))
    await writer.fetchval(_APPEND, *arguments("full", 0, NOTICES_MAX))  # a page that is just full
    assert len(await all_of(cursor)) == NOTICES_MAX
    assert await all_of(await place.cursor()) == []


async def test_one_that_commits_late_is_told_although_others_were(place: NoticePlace[ProgrammeRow]) -> None:
    cursor, writer, late = await place.cursor(), await place.connection(), await place.connection()
    held = late.transaction()
    await held.start()
    await late.fetchval(_APPEND, *arguments("late", 0, 1))
    await writer.fetchval(_APPEND, *arguments("soon", 0, 2))
    assert positions(await all_of(cursor)) == [1, 2]
    await held.commit()
    (told,) = await all_of(cursor)
    assert str(told.programme_id) == derived("p", "late")


async def test_many_writers_and_a_relay_that_dies_lose_none_and_invert_none(
    place: NoticePlace[ProgrammeRow],
) -> None:
    """Two write to each programme; the second of them waits for the first one's commit."""
    chosen = random.Random(21)
    told: list[ProgrammeRow] = []
    writing, programmes, each = True, 4, 40

    async def write(programme: str) -> None:
        connection = await place.connection()
        while True:
            async with connection.transaction():
                last = await connection.fetchval(
                    "SELECT coalesce(max(position), 0) FROM es.programme_fact WHERE programme_id = $1::text::uuid",
                    derived("p", programme),
                )
                if last >= each:
                    return
                await connection.fetchval(_APPEND, *arguments(programme, last, 1))
                await asyncio.sleep(chosen.random() * 0.01)

    relaying = asyncio.create_task(place.relayed(told, lambda: writing, chosen, dies=0.3))
    await asyncio.gather(*(write(str(number % programmes)) for number in range(2 * programmes)))
    writing = False
    await relaying
    assert len(told) > programmes * each  # it died, and told some again
    for number in range(programmes):
        mine = (row.position for row in told if str(row.programme_id) == derived("p", str(number)))
        assert list(dict.fromkeys(mine)) == list(range(1, each + 1))


async def test_who_was_overtaken_cannot_move_it(place: NoticePlace[ProgrammeRow]) -> None:
    old, writer = await place.cursor(), await place.connection()
    await writer.fetchval(_APPEND, *arguments("one", 0, 1))
    await looked(old)
    rows = await old.new()
    new = await place.cursor()
    with pytest.raises(RelayFenced):
        await old.sent(rows)
    assert positions(await all_of(new)) == [1]


async def test_a_row_is_a_message_to_each_unit_and_one_that_cannot_be_read_stops_nobody(
    place: NoticePlace[ProgrammeRow],
) -> None:
    cursor, writer = await place.cursor(), await place.connection()
    await writer.fetchval(_APPEND, *arguments("one", 0, 1, ("a", "b")))
    (row,) = await all_of(cursor)
    sent = PROGRAMMES.messages(row, "city.")
    assert [(one.topic, one.key, one.body) for one in sent] == [
        ("city.dispatch.orders.a", derived("p", "one").encode(), b'{"n":1}'),
        ("city.dispatch.orders.b", derived("p", "one").encode(), b'{"n":1}'),
    ]
    identities = {dict(one.headers)["ce_id"] for one in sent}
    assert len(identities) == 2
    assert {dict(one.headers)["ce_id"] for one in PROGRAMMES.messages(row, "city.")} == identities
    assert {dict(one.headers)["ce_type"] for one in sent} == {CE_TYPE.encode()}
    assert PROGRAMMES.messages(row._replace(notices='["x"]'), "city.") == ()


async def test_the_release_before_records_by_its_own_function_and_tells_nobody(
    place: NoticePlace[ProgrammeRow],
) -> None:
    cursor, writer = await place.cursor(), await place.connection()
    programme, expected, *rest, _ = arguments("old", 0, 1)
    before = "SELECT es.append_programme($1::text::uuid, $2, $3, $4::text[]::timestamptz[], $5, $6)"
    assert await writer.fetchval(before, programme, expected, *rest)
    assert await all_of(cursor) == []
    assert await writer.fetchval(_APPEND, *arguments("old", 1, 1))
    assert positions(await all_of(cursor)) == [2]
