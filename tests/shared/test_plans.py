"""How the statements of the hot path are carried out on a log that has grown, under the settings they run with.

A plan that is right on an empty table can be a catastrophe on a full one, and a planner may change its mind
after an automatic ANALYZE; so the plans that were really used are read, before it and after it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from deploy.embedded.stack import Addresses
from hotline.casefile.timeline import _FACTS as LIFE
from hotline.lab.bench.asked import answered
from hotline.lab.bench.generator import grow
from hotline.lookup import _PREFIX as BY_PREFIX
from hotline.readside.complaints import Complaints, prepared
from hotline.readside.process import take_in
from shared.ids import derived, message_id
from shared.log import Append, Moved
from shared.log.anchoring import _BY_POSITION, _STRETCH
from shared.log.instants import reads_any_instant
from shared.log.postgres import SETTINGS, PostgresLog
from shared.log.projection.position import TOUCHED
from shared.log.projection.projector import New
from shared.log.relay.beside import _ANSWERED as ANSWERED
from shared.log.relay.beside import _HEADS as BESIDE
from shared.log.relay.beside import _VISITS as VISITS
from shared.log.relay.cursor import _NEW, _OPEN_ALL
from shared.log.relay.notices import _NEW as NOTICES
from shared.log.relay.programmes import _NEW as PROGRAMMES
from shared.work import Batch
from tests.desks import NOW, desk_on, dispatch_of, lives
from tests.hotline.conftest import logins_on
from tests.sources import Databases

pytestmark = pytest.mark.connected

EVENTS: Final = 40_000
STREAMS: Final = 5_000
TIMERS: Final = 25_000
INBOX: Final = 25_000
PAGE: Final = 500
MANY: Final = 1_000_000
"""Facts, timers and inbox rows of the log that has grown large."""

# One transaction a hundred events, as the desks write them: xids must differ for the plans to mean anything.
FILL: Final = f"""
DO $$ BEGIN
    FOR batch IN 0..{EVENTS // 100 - 1} LOOP
        INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor,
                              body, hash)
            SELECT md5('s' || (n % {STREAMS}))::uuid, n / {STREAMS} + 1, md5('e' || n)::uuid, 'OrderSigned', 1,
                   now(), 'plans', 'plans', '{{"a":1}}', sha256('')
            FROM generate_series(batch * 100, batch * 100 + 99) AS n;
        COMMIT;
    END LOOP;
END $$
"""
HEADS_MADE: Final = f"""
INSERT INTO es.stream SELECT md5('s' || n)::uuid, {EVENTS // STREAMS}, sha256(''), 1, '{{}}'
    FROM generate_series(0, {STREAMS - 1}) AS n;
"""


def _rest(timers: int, inbox: int) -> str:
    return f"""
INSERT INTO es.timer SELECT md5('s' || n)::uuid, 1, n % 4, at, at
    FROM generate_series(1, {timers}) AS n,
         LATERAL (SELECT '2021-09-24 08:00+00'::timestamptz + n * '1 s'::interval) x (at);
INSERT INTO es.inbox SELECT 'intake', md5('m' || n)::uuid FROM generate_series(1, {inbox}) AS n;
INSERT INTO es.consumer_offset SELECT 'dispatch', 'replies.' || n, 0, 5 FROM generate_series(1, 400) AS n;
"""


class Node(dict[str, Any]):
    """One node of a plan that was carried out."""

    @property
    def rows(self) -> float:
        """Rows it gave in all its loops together."""
        return float(self["Actual Rows"]) * float(self["Actual Loops"])

    @property
    def away(self) -> float:
        """Rows it read and gave to nobody."""
        names = ("Rows Removed by Filter", "Rows Removed by Join Filter")
        return sum(float(self.get(name, 0)) for name in names) * float(self["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    yield Node(plan)
    for child in plan.get("Plans", []):
        yield from _nodes(child)


class Watched:
    """A connection that tells the plan of every statement, also of those inside functions."""

    def __init__(self, dsn: str, connection: Any) -> None:
        self.dsn = dsn
        self.connection = connection
        self.lives = 0
        """Of the log that has grown large."""
        self.plans: list[tuple[str, list[Node]]] = []
        connection.add_log_listener(self._heard)

    def _heard(self, _: Any, message: Any) -> None:
        text = str(message.message)
        if "plan:\n" in text:
            told = json.loads(text.partition("plan:\n")[2])
            self.plans.append((told["Query Text"], list(_nodes(told["Plan"]))))

    async def of(self, statement: str, *values: Any) -> list[Node]:
        """Carry a statement out and give the nodes of all plans it took."""
        self.plans.clear()
        await self.connection.fetch(statement, *values)
        await asyncio.sleep(0)  # listeners are called soon, not at once
        assert self.plans, f"no plan was told for: {statement}"
        return [node for _, nodes in self.plans for node in nodes]


async def _watched(dsn: str) -> Watched:
    connection = await asyncpg.connect(
        dsn, server_settings={**SETTINGS, "session_preload_libraries": "auto_explain"}
    )
    for name, value in {
        "log_min_duration": "0",
        "log_analyze": "on",
        "log_nested_statements": "on",
        "log_format": "json",
        "log_level": "notice",
    }.items():
        await connection.execute(f"SET auto_explain.{name} = '{value}'")
    return Watched(dsn, connection)


GUESSED: Final = "as the planner guesses"
ANALYZED: Final = "after ANALYZE"
LARGE: Final = "a million facts"


@pytest.fixture(scope="module", params=[GUESSED, ANALYZED, LARGE])
async def grown(
    request: pytest.FixtureRequest, stack: Addresses, databases: Databases
) -> AsyncIterator[Watched]:
    """A log of 40,000 facts, or of a million true ones. The connection has carried out its statements while
    everything was empty."""
    name = await databases.make()
    owner = await asyncpg.connect(stack.database(name))
    watched = await _watched(stack.database(name))
    try:
        empty = await watched.connection.fetchval("SELECT pg_current_snapshot()::text")
        await watched.connection.fetch(_NEW, empty, empty, 0, PAGE)
        await watched.connection.fetch(HEADS, "intake", [derived("x")], [derived("x")])
        await watched.connection.fetch(DUE, [0, 1, 2, 3], NOW, NOW, PAGE)
        if request.param == LARGE:
            watched.lives = (await grow(stack.database(name), MANY, open_of_ten=4)).lives
            await owner.execute(_rest(MANY, MANY))
        else:
            await owner.execute(FILL)
            await owner.execute(HEADS_MADE + _rest(TIMERS, INBOX))
        if request.param != GUESSED:
            await owner.execute("ANALYZE")
        yield watched
    finally:
        await watched.connection.close()
        await owner.close()
        await databases.drop(name)


HEADS: Final = "SELECT * FROM es.heads($1, $2, $3)"
DUE: Final = "SELECT * FROM es.due($1, $2, $3, $4)"
BIG: Final = ("event", "stream", "timer", "inbox")


def _by_index(nodes: list[Node], rows_max: float) -> None:
    """Nothing reads a whole big table, and nothing brings or sorts more rows than the question is about."""
    for node in nodes:
        where = f"{node['Node Type']} {node.get('Relation Name', '')} {node.get('Index Name', '')}"
        if node.get("Relation Name") in BIG:
            assert node["Node Type"] != "Seq Scan", where
            touched = node.rows + node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
            assert touched <= rows_max, f"{where} touched {touched:.0f} rows"
        if "Sort" in node["Node Type"]:
            assert node.rows <= rows_max, f"{where} sorted {node.rows:.0f} rows"


def _indexes(nodes: list[Node], table: str) -> set[str]:
    """The indexes by which a table was read."""
    return {
        node["Index Name"]
        for node in nodes
        if "Index Name" in node
        and (node.get("Relation Name") == table or node["Index Name"].startswith(table))
    }


async def _new_facts(watched: Watched, count: int) -> tuple[str, str]:
    """Facts of one transaction; the snapshots before and after it."""
    look = "SELECT pg_current_snapshot()::text"
    before = await watched.connection.fetchval(look)
    await watched.connection.execute(
        "INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor,"
        " body, hash) SELECT gen_random_uuid(), 1, gen_random_uuid(), 'OrderSigned', 1, now(), 'plans', 'plans',"
        " '{}', sha256('') FROM generate_series(1, $1::int)",
        count,
    )
    return before, await watched.connection.fetchval(look)


async def test_a_stretch_is_read_by_position_and_no_further_than_it_goes(grown: Watched) -> None:
    end = await grown.connection.fetchval("SELECT max(position) FROM es.event")
    await grown.connection.execute(_BY_POSITION)
    try:
        nodes = await grown.of(_STRETCH, 0, end, PAGE)
    finally:
        await grown.connection.execute("RESET enable_bitmapscan")
    _by_index(nodes, rows_max=PAGE)
    assert _indexes(nodes, "event") == {"event_pkey"}


async def test_a_rebuild_finds_what_happened_meanwhile_by_transaction(grown: Watched) -> None:
    before, _ = await _new_facts(grown, 50)
    nodes = await grown.of(TOUCHED, before)
    _by_index(nodes, rows_max=51)  # several workers may share them, and each tells a rounded mean
    assert _indexes(nodes, "event") == {"event_xid_position"}


async def test_the_relay_reads_what_is_new_by_transaction_and_sorts_nothing_else(grown: Watched) -> None:
    before, after = await _new_facts(grown, 50)
    nodes = await grown.of(_OPEN_ALL, before, after, 0, PAGE, 0, 0, 1)
    _by_index(nodes, rows_max=50)
    assert _indexes(nodes, "event") == {"event_xid_position"}  # not event_pkey: a walk over the whole log


async def test_the_relay_reads_a_page_of_a_large_batch_without_walking_the_log(grown: Watched) -> None:
    before, after = await _new_facts(grown, 3 * PAGE)
    nodes = await grown.of(_NEW, before, after, 0, PAGE)
    _by_index(nodes, rows_max=3 * PAGE)
    assert _indexes(nodes, "event") == {"event_xid_position"}
    assert nodes[0].rows == PAGE


async def test_the_relay_finds_what_was_in_progress_at_its_last_look_by_its_xid(grown: Watched) -> None:
    late = await _watched_again(grown)
    try:
        transaction = late.transaction()
        await transaction.start()
        await late.execute(
            "INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by,"
            " actor, body, hash) SELECT gen_random_uuid(), 1, gen_random_uuid(), 'OrderSigned', 1, now(), 'plans',"
            " 'plans', '{}', sha256('') FROM generate_series(1, 5)"
        )
        _, looked = await _new_facts(grown, 20)
        assert looked.split(":")[2], "nothing was in progress"
        await transaction.commit()
        after = await grown.connection.fetchval("SELECT pg_current_snapshot()::text")
        nodes = await grown.of(_NEW, looked, after, 0, PAGE)
        assert nodes[0].rows == 5
        _by_index(nodes, rows_max=5)
        assert _indexes(nodes, "event") == {"event_xid_position"}
    finally:
        await late.close()


async def _watched_again(watched: Watched) -> Any:
    """Another connection to the same database."""
    address = watched.connection._params
    host, port = watched.connection._addr
    return await asyncpg.connect(
        host=host, port=port, user=address.user, password=address.password, database=address.database
    )


async def test_an_idle_tick_of_the_relay_touches_no_fact(grown: Watched) -> None:
    now = await grown.connection.fetchval("SELECT pg_current_snapshot()::text")
    nodes = await grown.of(_OPEN_ALL, now, now, 0, PAGE, 0, 0, 1)
    _by_index(nodes, rows_max=0)


async def test_what_is_told_beside_a_page_is_read_by_key_alone(grown: Watched) -> None:
    rows = await grown.connection.fetch("SELECT stream_id::text FROM es.stream LIMIT 200")
    lives = [row[0] for row in rows]
    nodes = await grown.of(BESIDE, lives)
    _by_index(nodes, rows_max=200)
    assert _indexes(nodes, "stream") == {"stream_pkey"}
    nodes = await grown.of(VISITS, lives, [3] * len(lives))
    _by_index(nodes, rows_max=200)
    assert _indexes(nodes, "event") == {"event_stream_id_version_key"}
    await grown.connection.execute(
        "INSERT INTO es.refused_input SELECT 'm' || n, 'dispatch', 't', '/s', n FROM generate_series(1, 5000) AS n"
        " ON CONFLICT DO NOTHING"
    )
    nodes = await grown.of(ANSWERED, [f"m{n}" for n in range(100)])
    _by_index(nodes, rows_max=100)


async def test_an_idle_look_for_parkings_touches_none(grown: Watched) -> None:
    await grown.connection.execute(
        "INSERT INTO es.parking_notice (consumer, topic, part, kafka_offset, sent_at_ms, reason)"
        " SELECT 'dispatch', 't', 0, n, 1, 'r' FROM generate_series(1, 5000) AS n ON CONFLICT DO NOTHING"
    )
    now = await grown.connection.fetchval("SELECT pg_current_snapshot()::text")
    nodes = await grown.of(NOTICES, now, now, PAGE, 0)
    _by_index(nodes, rows_max=0)
    assert _indexes(nodes, "parking_notice") == {"parking_notice_xid"}


async def test_a_look_for_notices_of_programmes_reads_none_of_those_that_were_sent(grown: Watched) -> None:
    await grown.connection.execute(
        "INSERT INTO es.programme_fact (programme_id, position, kind, occurred_at, recorded_by, body, notices)"
        " SELECT md5('p' || n % 50)::uuid, n / 50 + 1, 'TaskSet', now(), 'x', '{}', '[]'"
        " FROM generate_series(0, 4999) AS n ON CONFLICT DO NOTHING"
    )
    now = await grown.connection.fetchval("SELECT pg_current_snapshot()::text")
    nodes = await grown.of(PROGRAMMES, now, now, PAGE, UUID(int=0), 0)
    _by_index(nodes, rows_max=0)
    assert _indexes(nodes, "programme_fact") == {"programme_fact_xid"}


async def test_whether_all_is_relayed_is_answered_without_reading_the_log(grown: Watched) -> None:
    await grown.connection.execute("UPDATE es.relay SET snap_a = pg_current_snapshot()")
    nodes = await grown.of("SELECT es.drained()")
    _by_index(nodes, rows_max=1)
    assert _indexes(nodes, "event") == {"event_xid_position"}


async def test_heads_are_read_by_key_alone(grown: Watched) -> None:
    rows = await grown.connection.fetch("SELECT stream_id::text FROM es.stream LIMIT 200")
    nodes = await grown.of(
        HEADS, "intake", [row[0] for row in rows], [message_id("door", "a", str(n)) for n in range(200)]
    )
    _by_index(nodes, rows_max=200)
    assert _indexes(nodes, "stream") == {"stream_pkey"}
    assert _indexes(nodes, "inbox") == {"inbox_pkey"}


async def test_a_life_is_shown_by_its_key_alone(grown: Watched) -> None:
    stream = await grown.connection.fetchval("SELECT stream_id FROM es.event WHERE version = 3 LIMIT 1")
    nodes = await grown.of(LIFE, stream)
    _by_index(nodes, rows_max=20)
    assert _indexes(nodes, "event") == {"event_stream_id_version_key"}
    begin = stream.int >> 112 << 112  # the shortest beginning that is looked up
    first, last = UUID(int=begin), UUID(int=begin + 2**112 - 1)
    nodes = await grown.of(BY_PREFIX, first, last, 4)
    _by_index(nodes, rows_max=4)
    assert _indexes(nodes, "stream") == {"stream_pkey"}


async def test_offsets_are_read_by_key_alone(grown: Watched) -> None:
    nodes = await grown.of(
        "SELECT * FROM es.offsets($1, $2, $3)", "dispatch", ["replies.7", "replies.9"], [0, 0]
    )
    assert _indexes(nodes, "consumer_offset") == {"consumer_offset_pkey"}
    for node in nodes:
        if node.get("Relation Name") == "consumer_offset" and node["Node Type"] != "ModifyTable":
            assert node.rows <= 400, node[
                "Node Type"
            ]  # all partitions of this consumer, however long the log


@pytest.mark.parametrize("due", [0, 100])
async def test_a_tick_reads_what_is_due_however_many_timers_are_open(grown: Watched, due: int) -> None:
    start = datetime(2021, 9, 24, 8, 0, tzinfo=UTC)
    until = start + timedelta(seconds=due, milliseconds=500)
    nodes = await grown.of(DUE, [0, 1, 2, 3], start, until, 2000)
    assert nodes[0].rows == due
    _by_index(nodes, rows_max=max(due, 1))
    assert _indexes(nodes, "timer") == {"timer_due"}


async def test_a_backlog_of_due_timers_is_read_a_page_at_a_time(grown: Watched) -> None:
    start = datetime(2021, 9, 24, 8, 0, tzinfo=UTC)
    nodes = await grown.of(DUE, [0, 1, 2, 3], start, start + timedelta(days=1), PAGE)
    assert nodes[0].rows == PAGE
    for node in nodes:
        if node.get("Relation Name") == "timer":
            assert node.rows <= 4 * PAGE


async def test_an_append_touches_its_own_rows_only(grown: Watched) -> None:
    """Every statement inside es.append, for a batch of ten complaints among five thousand."""
    log = PostgresLog("", "dispatch", "plans")
    log._connection = grown.connection
    marks = f"plans {id(grown)}"
    streams = await lives(desk_on("intake", log), [f"{marks} {n}" for n in range(10)])
    await log.places([("replies.7", 0)])
    place = (await log.places([("replies.7", 0)]))["replies.7", 0]
    append = Append(
        moved=[Moved("replies.7", 0, place.offset, place._replace(offset=place.offset + 1))],
        inbox=[message_id("door", "plans", f"{marks} {n}") for n in range(10)],
    )
    desk = desk_on("dispatch", log)
    await desk._decided(log, Batch(work=[dispatch_of(stream) for stream in streams]), streams, append, [])
    assert len(append.timer_stream) == 20
    grown.plans.clear()
    await log.append(append)
    await asyncio.sleep(0)
    assert len(grown.plans) >= 5
    _by_index([node for _, nodes in grown.plans for node in nodes], rows_max=20)


# -- the read side

LIVES_TAKEN_IN: Final = 400
ROWS_A_LIFE: Final = 20
"""Of any one table: no life of these has more facts."""


@pytest.mark.parametrize("grown", [LARGE], indirect=True)
async def test_taking_in_lives_reads_no_more_than_they_have(grown: Watched) -> None:
    """Otherwise twice as many at once would take four times as long."""
    watched = await _watched(grown.dsn)
    rows = await watched.connection.fetch("SELECT stream_id FROM es.stream LIMIT $1", LIVES_TAKEN_IN)
    await reads_any_instant(watched.connection)
    await prepared(watched.connection)
    taking = watched.connection.transaction()
    await taking.start()
    try:
        for _ in range(2):  # into empty tables, and onto what is there
            watched.plans.clear()
            await Complaints().put(watched.connection, New([row[0] for row in rows], []))
            await asyncio.sleep(0)
            assert len(watched.plans) > 10
            for text, nodes in watched.plans:
                read = max(one.rows + one.away for one in nodes)
                assert read <= LIVES_TAKEN_IN * ROWS_A_LIFE, text
    finally:
        await taking.rollback()
        await watched.connection.close()


TOUCHED_MAX: Final = 3000
"""Rows that one node of an answer may read: two thousand newest complaints are looked through, each in two tables."""
OF_MANY: Final = {
    "calls and messages of a day",
    "the board's calls",
    "candidates of a year",
    "counts by stage and unit",
    "the board",
    "a district's late orders",
}
"""Answers over a day's calls, a year's sums or what is open: they read as many rows as those have, and no more."""


@pytest.mark.parametrize("grown", [LARGE], indirect=True)
async def test_no_question_to_the_read_side_reads_more_than_it_is_about(grown: Watched) -> None:
    logins = await logins_on(grown.dsn)
    await take_in(logins["projector"])
    owner = await asyncpg.connect(grown.dsn)
    try:
        await owner.execute("ANALYZE")
    finally:
        await owner.close()
    for one in await answered(logins["reader"], grown.dsn, 3, lives=grown.lives):
        assert one.scans == [], one
        if one.question not in OF_MANY:
            assert one.touched <= TOUCHED_MAX, one
