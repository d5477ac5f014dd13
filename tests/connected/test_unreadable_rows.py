"""A running city goes on around rows that nobody can read: the relay sends, the clock ticks, a reader reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from deploy.city.processes import counts
from hotline.audit.verify import verify
from hotline.readside.lists import page_of
from hotline.readside.process import take_in
from hotline.readside.rows import LISTS
from shared.events import ComplaintDispatched, ComplaintEscalated
from shared.log.heads import fetch, over_bodies, over_texts
from shared.log.reading import reader
from shared.topics import COMPLAINTS_LOG, DISPATCH_ORDERS
from shared.unreadable import UnreadableRows
from tests.city import UNIT, City, until

pytestmark = pytest.mark.connected

_FORGED = """
INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash)
SELECT stream_id, version + (SELECT 50 * count(*) FROM es.event WHERE stream_id = $1 AND type = $3),
       gen_random_uuid(), type, schema_version, '-infinity', caused_by, actor, $2, hash
FROM es.event WHERE stream_id = $1 AND type = $3 ORDER BY version LIMIT 1
"""


async def test_the_relay_sends_what_lies_before_and_behind_a_fact_nobody_can_read(
    city: Callable[..., Awaitable[City]],
) -> None:
    """Also one whose time is -infinity, and one that names no unit whose topic it would go to."""
    made = await city()
    await made.start("intake", "dispatch", "relay")
    first = await made.record("before")
    await made.until_fact(first, ComplaintDispatched)
    for body in (b"{", b"\xff\xfe", b"[" * 50_000):
        await made.sql(_FORGED, first, body, ComplaintDispatched.__name__)
    last = await made.record("behind")
    await made.until_fact(last, ComplaintDispatched)

    async def all_sent() -> bool:
        return bool(await made.value("SELECT es.drained()"))

    await until(all_sent, what="the relay has sent all there is")
    sent = [record.key.decode() for record in await made.messages(made.topic(DISPATCH_ORDERS, UNIT))]
    assert sent == [first, last]
    whole = await made.messages(made.topic(COMPLAINTS_LOG))
    assert len(whole) == await made.value("SELECT count(*) FROM es.event")
    assert [record.value for record in whole].count(b"{") == 1, "the very bytes, for whoever can read them"


@pytest.mark.parametrize("odd", ["-infinity", "4000-01-01 BC", "0001-01-01"])
async def test_a_timer_whose_limit_is_no_time_stops_no_other(
    city: Callable[..., Awaitable[City]], odd: str
) -> None:
    made = await city(ruleset="boston-311-2011")
    await made.start()
    now = await made.value("SELECT clock_timestamp()")
    bad = await made.record(
        "bad", given_due_at=await made.value("SELECT $1::timestamptz + interval '1 d'", now)
    )
    await made.until_fact(bad, ComplaintDispatched)
    await made.sql(f"UPDATE es.timer SET due_at = '{odd}' WHERE stream_id = $1", bad)
    good = await made.record(
        "good", given_due_at=await made.value("SELECT clock_timestamp() + interval '2 s'")
    )
    await made.until_fact(good, ComplaintEscalated)


async def test_who_may_only_read_reads_around_them_too(city: Callable[..., Awaitable[City]]) -> None:
    """The careful statements and their functions are granted to a reader, and to nobody who may write."""
    made = await city()
    await made.sql(
        "INSERT INTO es.stream (stream_id, version, head_hash, state_schema, state) VALUES"
        " ('00000000-0000-8000-8000-000000000001', 1, repeat('x', 32)::bytea, 4, $1),"
        " ('00000000-0000-8000-8000-000000000002', 1, repeat('x', 32)::bytea, 4, '{}')",
        '{"a": "\\u0000"}',
    )
    connection = await reader(made.endpoints.logins["reader"])
    try:
        unread = UnreadableRows()
        for which in LISTS:
            assert await page_of(connection, which, UNIT) == []
        assert await fetch(connection, over_bodies("SELECT {json} FROM es.fact"), unread=unread) == []
        assert await fetch(connection, over_texts("SELECT {text} FROM es.fact"), unread=unread) == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM es.archivable_read(now())")
    finally:
        await connection.close()
    await take_in(made.endpoints.logins["projector"])
    unread = UnreadableRows()
    told = await counts(made.endpoints, unread)
    assert (told["complaints"], told["open"]) == (0, 0)
    assert [one.row[-2:] for one in unread] == ["01", "02"]
    report = await verify(made.endpoints.logins["reader"])
    named = [(one.complaint_id[-1], one.what.partition(":")[0]) for one in report.problems]
    assert named == [
        ("1", "no view can read the head"),
        ("1", "a head without a fact"),
        ("2", "a head without a fact"),
    ]
