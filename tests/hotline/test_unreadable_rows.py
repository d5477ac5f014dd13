"""One row that nobody can read ends no report about all the others, and is named; whatever row and column it is.

Planted by the superuser, past every trigger and function, as a driver, an older system or a repair might have left it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace as changed
from typer.testing import CliRunner

from deploy.city.endpoints import CityEndpoints
from deploy.city.processes import counts
from deploy.supervision.stalled import _OVERDUE
from hotline.__main__ import app
from hotline.audit.digest import digest
from hotline.audit.verify import verify
from hotline.cli.run import sentence
from hotline.governance.log import programmes
from hotline.readside.process import take_in
from hotline.scoring.inhabitants import population
from hotline.scoring.ledger import scores
from hotline.scoring.month import By
from services.escalation.settings import Settings
from services.escalation.ticker import Ticker
from services.intake.views import KnowledgeBase
from shared.complaint import UNOPENED, Complaint, evolve
from shared.complaint_number import number_of
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS
from shared.log.codec import TYPES
from shared.log.instants import EARLIEST, FIRST, LAST, LATEST, _instants, implausible, reads_any_instant
from shared.log.postgres import PostgresLog, connect
from shared.policy.ruleset import ruleset
from shared.unreadable import NAMED_MAX, UnreadableRows
from shared.versions import RULESET
from tests import examples as eg
from tests.desks import desk_on
from tests.hotline.conftest import Desks
from tests.hotline.test_proactive import BEGUN, ID
from tests.hotline.test_verify import LATE, ON_THE_SPOT, RETURNED, SOLVED, UNSOLVED, WITHDRAWN, several_lives

RULES = ruleset("beijing-draft-2021")
ODD = ("-infinity", "infinity", "4000-01-01 BC", "20000-01-01")
"""What a timestamptz holds and no city has seen; Python has only two of them."""

NUL = '"attachments":[{"uri":"s3:\\u0000photo.jpg","media_type":"image/jpeg"}],"complaint_id"'


BESIDE = f"""
INSERT INTO intake.call (call_id, told) VALUES
    ('c-1', ARRAY[intake.told(now() - interval '5 min', 'offered'), intake.told(now() - interval '4 min', 'answered'),
                  intake.told(now(), 'ended hangup')]),
    ('c-2', ARRAY[intake.told(now() - interval '3 min', 'offered'), intake.told(now() - interval '2 min', 'answered'),
                  intake.told(now(), 'ended hangup')]);
INSERT INTO intake.article (article_id, version, subject, title, body, title_words, body_words, valid_from, source)
VALUES ('kb-1', 1, 's', 't', 'b', 't', 'b', now() - interval '1 d', 'x'),
       ('kb-2', 1, 's', 't', 'b', 't', 'b', now() - interval '1 d', 'x');
INSERT INTO intake.article_withdrawn VALUES ('kb-2', 1, now(), 'old');
INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, key, headers, value, reason)
SELECT 'dispatch', 't', 0, n, 0, 'k', '[]', 'v', 'why' FROM generate_series(1, 2) AS n;
INSERT INTO es.door_stopped (consumer, door, topic, reason) VALUES ('dispatch', 'replies', '', 'many');
INSERT INTO vault.contact VALUES ('{SOLVED}', 'x', 'agent'), ('{UNSOLVED}', 'x', 'agent');
INSERT INTO vault.key SELECT stream_id, 'x', '12345678' FROM vault.contact;
INSERT INTO vault.access (stream_id, who, as_a, through, outcome, standing, reason)
SELECT '{SOLVED}', 'agent', 'AGENT', 'COMMAND', 'PUT', 'AGENT', '' FROM generate_series(1, 2);
UPDATE es.relay SET snap_a = pg_current_snapshot(), snap_b = NULL;
"""


@pytest.fixture
async def lived(desks: Desks) -> Desks:
    """A city in which a little of everything has happened."""
    await several_lives(desks)
    async with programmes(desks.governor) as log:
        await log.record(BEGUN)
    await desks.owner.execute(BESIDE)
    return desks


@pytest.fixture
def city_there(city_here: None, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The city of `city_here`, with the units of the examples."""
    del city_here
    from deploy.city.registry import city_up

    file = tmp_path / "catalogue.json"
    file.write_bytes(msgspec.json.encode(eg.CATALOGUE))
    city = replace(city_up(), catalogue=str(file))
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: city)


def _characters(complaint: str) -> str:
    """The part of its number that says the id."""
    return number_of(ComplaintId(complaint), LATEST, RULESET)[9:20]


async def plant(desks: Desks, statement: str, *arguments: object) -> str:
    """Past every trigger; what was done."""
    async with desks.owner.transaction():
        await desks.owner.execute("SET LOCAL session_replication_role = replica")
        return str(await desks.owner.execute(statement, *arguments))


def typed(*words: str) -> Callable[[Desks], Awaitable[str]]:
    """A command as it is typed; what it printed, or the test fails where an error came out that is no sentence."""

    async def told(_: Desks) -> str:
        result = await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words), env={"COLUMNS": "400"}))
        error = result.exception
        if error is not None and not isinstance(error, SystemExit):
            assert isinstance(error, Exception)
            said = sentence(error)
            assert "should not have happened" not in said, f"{words}: {error!r}"
            assert "refused" not in said, f"{words}: {error!r}"
            return said
        return result.output

    return told


async def ticks(desks: Desks) -> str:
    log = PostgresLog(desks.dsn, "escalation", "escalation.tick")
    connection = await connect(desks.dsn, "escalation.tick")
    try:
        await reads_any_instant(connection)
        ticker = Ticker(Settings(kafka="", postgres=desks.dsn), desk_on("escalation", log))
        await ticker.own(connection)
        await ticker.tick(connection)
        await ticker.tick(connection)
    finally:
        await log.close()
        await connection.close()
    return ""


async def views(desks: Desks) -> str:
    unread = UnreadableRows()
    connection = await asyncpg.connect(desks.dsn)
    try:
        await reads_any_instant(connection)
        overdue = [tuple(row) for row in await connection.fetch(_OVERDUE, TIMER_SHARDS)]
        assert min((row[3] for row in overdue), default=FIRST).tzinfo is not None
    finally:
        await connection.close()
    told = await counts(CityEndpoints(name="x", kafka="", owner_dsn="", logins={"reader": desks.dsn}), unread)
    assert told["complaints"] + unread.count >= 5
    async with KnowledgeBase(desks.dsn, 0) as base:
        base.articles = await base._read()
        assert all(one.since.tzinfo is not None for one in base.articles.values())
    return unread.line()


async def freezes(desks: Desks) -> str:
    by = By(RULES, eg.CATALOGUE, population())
    async with scores(desks.governor, ZoneInfo(RULES.timezone), RULES.score.counting) as view:
        await view.catch_up()
        return str((await view.month(datetime(2021, 9, 1, tzinfo=UTC).date(), by)).unreadable)


async def verified(desks: Desks) -> str:
    report = await verify(desks.dsn)
    assert report.complaints >= 6
    return "\n".join(f"{problem.complaint_id} {problem.what}" for problem in report.problems)


CANDIDATES = "programme candidates --since 2021-01-01 --until 2021-12-31"
MOVE = "archive move --before 2022-01-01"
REPORTS: dict[str, Callable[[Desks], Awaitable[str]]] = {
    "verify": verified,
    "digest": lambda desks: digest(desks.dsn),
    "views": views,
    "escalation's tick": ticks,
    "scores": freezes,
    **{f"show {one}": typed("show", one) for one in (SOLVED, UNSOLVED, LATE, RETURNED)},
    **{
        " ".join(words): typed(*words)
        for words in (
            ("unit", "list", "--unit", eg.STREET),
            ("unit", "list", "--unit", eg.STREET, "--json"),
            ("unit", "list", "--unit", eg.WATER),
            ("review", "list"),
            ("review", "list", "--json"),
            tuple(CANDIDATES.split()),
            ("programme", "list"),
            ("programme", "show", ID),
            ("calls",),
            ("calls", "--since", "2021-09-01T00:00+08:00", "--until", "2021-10-01T00:00+08:00"),
            ("rank", "show", "2021-09"),
            ("rank", "corrections", "2021-09"),
            ("knowledge", "list"),
            ("knowledge", "show", "kb-2"),
            ("knowledge", "search", "b"),
            ("parked", "list"),
            ("parked", "show", "1"),
            ("contact", "log", SOLVED),
            ("contact", "shred"),
            ("archive", "list"),
            tuple(MOVE.split()),
            # Last: they put right what they can.
            ("rebuild", "heads"),
            ("rebuild", "timers"),
            ("rebuild", "scores"),
        )
    },
}
"""Every report there is about rows of the log or of what lies beside it."""


async def every_report(desks: Desks) -> dict[str, str]:
    """What each report says; where one of them ends in an error the test fails, with all that did."""
    await take_in(desks.dsn)
    told: dict[str, str] = {}
    failed: list[str] = []
    for name, report in REPORTS.items():
        try:
            told[name] = await report(desks)
        except Exception as error:  # noqa: BLE001 -- named, with the report
            failed.append(f"{name}: {error!r}")
    assert failed == []
    return told


@pytest.mark.connected
@pytest.mark.usefixtures("city_there")
@pytest.mark.parametrize("odd", ODD)
async def test_no_time_in_any_column_ends_any_report(lived: Desks, odd: str) -> None:
    """Every column of the city's tables that holds a time gets it, in one row; all reports go on."""
    columns = await lived.owner.fetch(
        "SELECT format('%s.%s', c.table_schema, c.table_name), c.column_name, c.data_type"
        " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema IN ('es', 'intake', 'vault') AND t.table_type = 'BASE TABLE'"
        " AND c.data_type = 'timestamp with time zone' AND c.is_generated = 'NEVER'"
        " AND c.table_name NOT LIKE 'archived%'"
    )
    assert len(columns) >= 15
    for table, column, kind in columns:
        await plant(
            lived,
            f"UPDATE {table} SET {column} = '{odd}'::{kind} WHERE ctid = (SELECT min(ctid) FROM {table})",
        )
    await every_report(lived)


@pytest.mark.connected
@pytest.mark.usefixtures("city_there")
@pytest.mark.parametrize(
    "at", [FIRST, datetime(1900, 1, 1, tzinfo=UTC), datetime.fromtimestamp(0, UTC), LAST]
)
async def test_a_fact_with_a_time_no_city_has_seen_is_named_by_complaint_version_fact_and_field(
    lived: Desks, at: datetime
) -> None:
    row = await lived.owner.fetchrow("SELECT * FROM es.event WHERE stream_id = $1 AND version = 1", RETURNED)
    body = msgspec.json.encode({**msgspec.json.decode(row["body"]), "received_at": at})
    await plant(
        lived,
        "UPDATE es.event SET body = $1, occurred_at = $2 WHERE position = $3",
        body,
        at,
        row["position"],
    )
    named = f"version 1 (ComplaintReceived): received_at is {at.isoformat()}"
    report = await verify(lived.dsn)
    assert [one.complaint_id for one in report.problems if one.what.startswith(named)] == [RETURNED]
    told = await typed("show", RETURNED)(lived)
    assert "1 row could not be read: " + named in told
    assert f"order 1 to {eg.STREET}" in told, "the rest of the life is shown"
    assert f"complaint {RETURNED}, version 1: received_at is" in await typed("rank", "show", "2021-09")(lived)
    assert "could not be read" not in await typed("show", SOLVED)(lived)


UNLISTED_HEADS = {"no JSON", "not an object", "no time", "half a character"}
"""Those that no list can show."""
UNREADABLE_HEADS = {
    "U+0000 in a string": "UPDATE es.stream SET state = replace(state, '\"complaint_id\"', $2) WHERE stream_id = $1",
    "no JSON": "UPDATE es.stream SET state = '{' || $2 WHERE stream_id = $1",
    "not an object": "UPDATE es.stream SET state = '[]' WHERE stream_id = $1 AND $2::text <> ''",
    "no time": 'UPDATE es.stream SET state = regexp_replace(state, \'"received_at":"[^"]*"\', '
    "'\"received_at\":\"soon\"') WHERE stream_id = $1 AND $2::text <> ''",
    "half a character": "UPDATE es.stream SET state = replace(state, '\"complaint_id\"',"
    ' \'"x":"\\ud83d","complaint_id"\') WHERE stream_id = $1 AND $2::text <> \'\'',
    "an unknown rule set": "UPDATE es.stream SET state = replace(state, 'beijing-draft-2021', 'nowhere-1')"
    " WHERE stream_id = $1 AND $2::text <> ''",
}


@pytest.mark.connected
@pytest.mark.usefixtures("city_there")
@pytest.mark.parametrize("hows", [["U+0000 in a string"], list(UNREADABLE_HEADS)])
async def test_a_head_that_no_view_can_read_is_named_and_hides_no_other(
    lived: Desks, hows: list[str]
) -> None:
    """`verify` names each, and so does each list that meets it; all other rows are shown."""
    rows = await lived.owner.fetch("SELECT stream_id::text, state FROM es.stream WHERE stream_id <> $1", LATE)
    broken = dict(zip([UNSOLVED, *(row[0] for row in rows if row[0] != UNSOLVED)], hows, strict=False))
    for complaint, how in broken.items():
        assert await plant(lived, UNREADABLE_HEADS[how], complaint, NUL) == "UPDATE 1"
    told = await every_report(lived)
    for complaint in broken:
        assert f"{complaint} no view can read the head: " in told["verify"] or (
            f"{complaint} a view cannot show the head: " in told["verify"]
        )
    (unit,) = [eg.STREET]
    for name in (f"unit list --unit {unit}", f"unit list --unit {unit} --json"):
        assert _characters(LATE) in told[name]
    met = [
        complaint
        for complaint, how in broken.items()
        if how not in {"an unknown rule set", "not an object", "no time"}
    ]
    for name in (MOVE, "contact shred"):
        for complaint in met:
            assert f"the head of complaint {complaint}: " in told[name], name
        assert "could not be read: " in told[name]
    # The lists read a head by its fields, and stumble over no others.
    met = [complaint for complaint, how in broken.items() if how in UNLISTED_HEADS]
    for name in ("views", "review list", f"unit list --unit {unit}", CANDIDATES) if met else ():
        for complaint in met:
            assert f"the head of complaint {complaint}: " in told[name], name
        assert "could not be read: " in told[name]
    archived = await lived.owner.fetch("SELECT stream_id::text FROM es.archived_life")
    ended = [row[0] for row in rows if '"ended"' in row[1]]
    assert {row[0] for row in archived} == set(ended) - set(broken)


UNREADABLE_BODIES = {
    "no JSON": b"{",
    "no text": b'{"complaint_id":"\xff\xfe"}',
    "a zero byte": b'{"complaint_id":"\x00"}',
    "empty": b"",
    "too deep": b"[" * 100_000,
}


@pytest.mark.connected
@pytest.mark.usefixtures("city_there")
async def test_a_fact_that_nobody_can_read_is_named_and_hides_no_other(lived: Desks) -> None:
    """The first of a life, or one within: of all others the views are made anew, and of its own nothing is changed."""
    lives = [SOLVED, UNSOLVED, ON_THE_SPOT, WITHDRAWN, RETURNED]
    for number, (complaint, body) in enumerate(zip(lives, UNREADABLE_BODIES.values(), strict=True)):
        await plant(
            lived,
            "UPDATE es.event SET body = $1 WHERE stream_id = $2 AND version = $3",
            body,
            complaint,
            1 + number % 2,
        )
    before = await lived.owner.fetch("SELECT * FROM es.stream ORDER BY stream_id")
    await plant(lived, "DELETE FROM es.stream WHERE stream_id = $1", LATE)
    told = await every_report(lived)
    for number, complaint in enumerate(lives):
        version = 1 + number % 2
        assert f"{complaint} version {version} (" in told["verify"]
        assert f"complaint {complaint}, version {version}: cannot be read" in told["rebuild heads"]
        if version == 1:  # what a complaint is classified as counts for nothing
            assert f"complaint {complaint}, version 1: " in told["rank show 2021-09"]
        if f"show {complaint}" in told:
            assert f"1 row could not be read: version {version} (" in told[f"show {complaint}"]
    assert "closed: solved" in told[f"show {SOLVED}"], "the rest of its life is shown"
    assert _characters(UNSOLVED) in told[f"unit list --unit {eg.STREET}"]
    assert await lived.owner.fetch("SELECT * FROM es.stream ORDER BY stream_id") == before


@pytest.mark.connected
async def test_what_postgresql_reads_is_read_back_and_compared_as_ever(database: str) -> None:
    """A connection that takes any instant writes what the driver alone writes, arrays and copies included."""
    plain, careful = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        await reads_any_instant(careful)
        for at in (FIRST, EARLIEST, datetime(2021, 9, 1, 8, 30, 0, 123_456, tzinfo=UTC), LATEST, LAST):
            same = "SELECT $1::timestamptz::text, $2::timestamptz[]::text"
            assert await careful.fetchrow(same, at, [at]) == await plain.fetchrow(same, at, [at])
            assert await careful.fetchval("SELECT $1::timestamptz", at) == at
            assert await careful.fetchval("SELECT $1::timestamptz[]", [at]) == [at]
            assert await careful.fetchval("SELECT $1::date", at.date()) == at.date()
        assert await careful.fetchval("SELECT '4000-01-01 BC'::timestamptz") == FIRST
        assert await careful.fetchval("SELECT '20000-01-01'::timestamptz") == LAST
        assert await careful.fetchval("SELECT 'infinity'::date") == LAST.date()
        with pytest.raises(asyncpg.DataError, match="no time zone"):
            await careful.fetchval("SELECT $1::timestamptz", datetime(2021, 1, 1))
    finally:
        await plain.close()
        await careful.close()


# -- pure


def test_every_instant_of_every_fact_is_looked_at() -> None:
    """By the types themselves: a fact with a field more is looked at without a word about it anywhere."""
    for kind in TYPES.values():
        plain, deep = _instants(kind)
        assert kind.TIME in plain
        assert not deep, (
            "an instant deeper in a fact: the test below holds for heads what must hold for it too"
        )


def test_an_instant_is_looked_for_in_what_a_record_holds_at_any_depth() -> None:
    case = reduce(evolve, (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED), UNOPENED)
    assert isinstance(case, Complaint)
    assert case.order is not None
    assert implausible(case) == []
    limits = tuple(changed(one, due_at=LAST) for one in case.deadlines)
    odd = changed(case, order=changed(case.order, dispatched_at=LATEST), deadlines=limits, received_at=FIRST)
    named = [what.partition(" is ")[0] for what in implausible(odd)]
    assert named == [
        "received_at",
        "order.dispatched_at",
        *(f"deadlines[{n}].due_at" for n in range(len(limits))),
    ]
    assert limits


def test_rows_that_cannot_be_read_are_counted_named_once_and_listed_briefly() -> None:
    unread = UnreadableRows()
    assert unread.line() == ""

    def half(number: int) -> int:
        return 1 // (number % 2)

    assert unread.each(range(2 * NAMED_MAX + 20), str, half) == [1] * (NAMED_MAX + 10)
    assert (unread.count, len(unread.named)) == (NAMED_MAX + 10, NAMED_MAX)
    unread.note("0", "a time in it is out of range")
    assert unread.count == NAMED_MAX + 10, "told twice it counts once"
    assert unread.line().startswith("110 rows could not be read: 0: a time in it is out of range; 2: ")
    assert "; and 105 more. `hotline verify` says more." in unread.line()
    assert "\n" not in unread.line()


def test_a_row_that_cannot_even_be_named_is_told_of() -> None:
    unread = UnreadableRows()
    assert unread.each([None], lambda row: row.name, lambda row: row.value) == []  # type: ignore[attr-defined]
    assert unread.line().startswith("1 row could not be read: a row without a name")
