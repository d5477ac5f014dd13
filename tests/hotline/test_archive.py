"""Ended lives leave the log for the archive, a month can go and come back, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from deploy.city.endpoints import GRANTED
from hotline.audit.digest import digest
from hotline.audit.verify import _Reader, verify
from hotline.casefile.timeline import show
from hotline.cli.archive import archive
from hotline.upkeep.archive import LIVES_MAX, attach, detach, months, move
from hotline.upkeep.rebuild import VIEWS, rebuild
from shared.log.projection.lives import FoldedLife, lives
from shared.log.reading import archive_held
from shared.runtime.errors import UserError
from tests import examples as eg
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import (
    LATE,
    ON_THE_SPOT,
    SOLVED,
    UNSOLVED,
    WITHDRAWN,
    drain,
    several_lives,
    unlocked,
)

pytestmark = pytest.mark.connected

MONTH = date(2021, 9, 1)
AFTER = datetime(2022, 1, 1, tzinfo=UTC)
ENDED = {SOLVED, ON_THE_SPOT, WITHDRAWN}


async def archived(desks: Desks) -> set[str]:
    return {row[0] for row in await desks.owner.fetch("SELECT DISTINCT stream_id::text FROM es.archived")}


async def in_the_log(desks: Desks) -> set[str]:
    return {row[0] for row in await desks.owner.fetch("SELECT DISTINCT stream_id::text FROM es.event")}


async def all_facts(desks: Desks) -> list[Any]:
    return list(await desks.owner.fetch("SELECT * FROM es.fact ORDER BY position"))


async def lived(desks: Desks) -> None:
    """Six lives of which three have ended, all of them sent."""
    await several_lives(desks)
    await drain(desks)


async def told_once_more(desks: Desks) -> None:
    """The unit of a life that is over answers again, and is refused: a fact more."""
    await desks.tell(replace(eg.ANSWER, complaint_id=SOLVED))


async def test_ended_lives_move_whole_and_nothing_reads_otherwise(desks: Desks) -> None:
    await lived(desks)
    facts, report, number = await all_facts(desks), await verify(desks.dsn), await digest(desks.dsn)
    told = {identity: await show(desks.dsn, identity) for identity in ENDED}

    done = await move(desks.operator, AFTER)

    assert (done.lives, done.left, done.months) == (3, 0, [MONTH])
    assert await archived(desks) == ENDED
    assert not await in_the_log(desks) & ENDED
    assert done.facts == len(facts) - await desks.owner.fetchval("SELECT count(*) FROM es.event")
    assert await all_facts(desks) == facts
    after = await verify(desks.dsn)
    after.seconds = report.seconds
    assert after == report
    assert report.problems == []
    assert await digest(desks.dsn) == number
    assert {identity: await show(desks.dsn, identity) for identity in ENDED} == told
    for view in VIEWS:
        rebuilt = await rebuild(desks.operator, view)
        assert (rebuilt.removed, rebuilt.added, rebuilt.facts) == (0, 0, len(facts))
    again = await move(desks.operator, AFTER)
    assert (again.lives, again.facts, again.left, again.months) == (0, 0, 0, [])


async def test_what_has_not_ended_in_time_stays(desks: Desks) -> None:
    await lived(desks)
    withdrawn_at = await desks.owner.fetchval(
        "SELECT (state::json #>> '{ended,at}')::timestamptz FROM es.stream WHERE stream_id = $1", WITHDRAWN
    )
    earlier = {
        row[0]
        for row in await desks.owner.fetch(
            "SELECT stream_id::text FROM es.stream WHERE (state::json #>> '{ended,at}')::timestamptz < $1",
            withdrawn_at,
        )
    }
    assert ON_THE_SPOT in earlier < ENDED
    assert (await move(desks.operator, withdrawn_at)).lives == len(earlier)
    assert await archived(desks) == earlier
    assert {UNSOLVED, LATE} <= await in_the_log(desks)


async def test_a_life_of_which_something_is_still_to_be_sent_set_or_parked_stays(desks: Desks) -> None:
    await several_lives(desks)  # nothing of it is sent
    done = await move(desks.operator, AFTER)
    assert (done.lives, done.left, done.months) == (0, 3, [])
    await drain(desks)
    await desks.owner.execute("INSERT INTO es.timer VALUES ($1, 1, 0, now())", SOLVED)
    await desks.owner.execute(
        "INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, headers, complaint_id, reason)"
        " VALUES ('intake', 't', 0, 0, 0, '[]', $1, 'why')",
        WITHDRAWN,
    )
    done = await move(desks.operator, AFTER)
    assert (done.lives, done.left) == (1, 2)
    assert await archived(desks) == {ON_THE_SPOT}
    await desks.owner.execute("DELETE FROM es.timer WHERE stream_id = $1", SOLVED)
    await desks.owner.execute("DELETE FROM es.parked")
    assert (await move(desks.operator, AFTER)).lives == 2
    assert (await verify(desks.dsn)).problems == []


async def test_a_fact_that_is_not_sent_when_another_transaction_began_before_it_stays(desks: Desks) -> None:
    """A snapshot says which transactions were under way: what one of them says later is not sent by then."""
    other = await asyncpg.connect(desks.dsn)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT pg_current_xact_id()")
    try:
        await several_lives(desks)
        await drain(desks)
        assert (await move(desks.operator, AFTER)).left == 3
    finally:
        await transaction.rollback()
        await other.close()
    await drain(desks)
    assert (await move(desks.operator, AFTER)).left == 0


async def test_a_desk_goes_on_with_a_life_that_is_archived(desks: Desks) -> None:
    await lived(desks)
    await move(desks.operator, AFTER)
    version = await desks.owner.fetchval("SELECT version FROM es.stream WHERE stream_id = $1", SOLVED)
    await told_once_more(desks)
    shown = await show(desks.dsn, SOLVED)
    assert shown.chain_right
    assert [entry.version for entry in shown.entries] == list(range(1, version + 2))
    assert shown.entries[-1].fact == "ReplyRefused"
    assert (await verify(desks.dsn)).problems == []
    assert SOLVED in await in_the_log(desks)
    await drain(desks)
    assert (await move(desks.operator, AFTER)).facts == 1
    assert (await verify(desks.dsn)).problems == []
    assert await show(desks.dsn, SOLVED) == shown


async def test_a_desk_that_speaks_while_its_life_moves_waits_or_comes_first(desks: Desks) -> None:
    await lived(desks)
    for _ in range(10):
        before = len(await all_facts(desks))
        await asyncio.gather(move(desks.operator, AFTER), told_once_more(desks))
        assert len(await all_facts(desks)) == before + 1
        await drain(desks)
    assert (await verify(desks.dsn)).problems == []


async def test_whoever_appends_waits_until_the_life_is_moved(desks: Desks) -> None:
    await lived(desks)
    await desks.owner.execute("SELECT es.archive_open($1)", MONTH)
    mover = await asyncpg.connect(desks.dsn)
    try:
        async with mover.transaction():
            await mover.execute("SELECT es.archive($1, $2)", MONTH, [SOLVED])
            speaking = asyncio.ensure_future(told_once_more(desks))
            done, _ = await asyncio.wait({speaking}, timeout=0.5)
            assert not done
        await speaking
    finally:
        await mover.close()
    assert (await verify(desks.dsn)).problems == []
    assert len((await show(desks.dsn, SOLVED)).entries) == 9


async def test_stopped_in_the_middle_all_is_as_it_was_and_it_goes_on(desks: Desks) -> None:
    await lived(desks)
    facts = await all_facts(desks)
    await desks.owner.execute("SELECT es.archive_open($1)", MONTH)
    mover = await asyncpg.connect(desks.dsn)
    transaction = mover.transaction()
    await transaction.start()
    await mover.execute("SELECT es.archive($1, $2)", MONTH, [SOLVED, WITHDRAWN])
    mover.terminate()
    for _ in range(100):
        if not await desks.owner.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"):
            break
        await asyncio.sleep(0.05)
    assert await all_facts(desks) == facts
    assert await archived(desks) == set()
    assert (await move(desks.operator, AFTER)).lives == 3
    assert await all_facts(desks) == facts


async def test_a_month_goes_and_comes_back_and_its_lives_are_still_accounted_for(desks: Desks) -> None:
    await lived(desks)
    await move(desks.operator, AFTER)
    whole, facts = await verify(desks.dsn), await all_facts(desks)

    await detach(desks.operator, MONTH)

    (month,) = await months(desks.dsn)
    assert (month.month, month.lives, month.attached) == (MONTH, 3, False)
    assert month.facts == len(facts) - len(await all_facts(desks))
    away = await verify(desks.dsn)
    assert away.problems == []
    assert (away.complaints, away.detached) == (whole.complaints, 3)
    assert away.facts == whole.facts - month.facts
    with pytest.raises(UserError, match="in a month that is detached: `hotline archive attach 2021-09`"):
        await show(desks.dsn, SOLVED)
    heads = await desks.owner.fetch("SELECT * FROM es.stream ORDER BY 1")
    for view in VIEWS:
        rebuilt = await rebuild(desks.operator, view)
        assert (rebuilt.removed, rebuilt.added) == (0, 0)
    assert await desks.owner.fetch("SELECT * FROM es.stream ORDER BY 1") == heads

    await told_once_more(desks)  # its head is there, so it is judged as ever
    assert (await verify(desks.dsn)).problems == []
    await drain(desks)
    assert (await move(desks.operator, AFTER)).lives == 0  # not while its month is away

    await attach(desks.operator, MONTH)
    assert (await verify(desks.dsn)).problems == []
    assert [entry.version for entry in (await show(desks.dsn, SOLVED)).entries][-1] == 9
    assert (await move(desks.operator, AFTER)).facts == 1


async def test_verify_names_what_is_wrong_with_a_life_whose_month_is_away(desks: Desks) -> None:
    await lived(desks)
    await move(desks.operator, AFTER)
    await detach(desks.operator, MONTH)
    await told_once_more(desks)
    await unlocked(
        desks,
        "UPDATE es.event SET body = body || ' '::bytea WHERE stream_id = $1",
        SOLVED,
    )
    await desks.owner.execute("UPDATE es.stream SET version = version + 1 WHERE stream_id = $1", WITHDRAWN)
    await desks.owner.execute("DELETE FROM es.stream WHERE stream_id = $1", ON_THE_SPOT)
    found = {(problem.complaint_id, problem.what) for problem in (await verify(desks.dsn)).problems}
    assert (
        SOLVED,
        "version 9 (ReplyRefused): the hash does not follow from the bytes and the fact before",
    ) in found
    assert (WITHDRAWN, "the head stands at version 6, the facts at 5") in found
    assert (ON_THE_SPOT, "archived, and without a head") in found
    assert {identity for identity, _ in found} == ENDED


async def test_a_month_that_is_not_what_went_does_not_come_back(desks: Desks) -> None:
    await lived(desks)
    await move(desks.operator, AFTER)
    with pytest.raises(UserError, match="The month 2021-09-01 is not detached"):
        await attach(desks.operator, MONTH)
    await detach(desks.operator, MONTH)
    with pytest.raises(UserError, match="The month 2021-09-01 is not attached"):
        await detach(desks.operator, MONTH)
    await desks.owner.execute("ALTER TABLE es.archived_2021_09 DISABLE TRIGGER USER")
    await desks.owner.execute(
        "UPDATE es.archived_2021_09 SET hash = sha256('') WHERE stream_id = $1 AND version = 2", SOLVED
    )
    with pytest.raises(
        UserError, match="holds .* facts of 3 lives, not what was detached|not the .* facts of 3 lives"
    ):
        await attach(desks.operator, MONTH)
    await desks.owner.execute("ALTER TABLE es.archived_2021_09 RENAME TO elsewhere")
    with pytest.raises(UserError, match="There is no table es.archived_2021_09: bring it back first"):
        await attach(desks.operator, MONTH)
    (month,) = await months(desks.dsn)
    assert (month.attached, month.bytes) == (False, None)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM es.archived",
        "DELETE FROM es.archived_2021_09",
        "UPDATE es.archived SET body = '{}'",
        "UPDATE es.archived_2021_09 SET body = '{}'",
        "TRUNCATE es.archived",
        "TRUNCATE es.archived_2021_09",
    ],
)
async def test_the_archive_is_append_only_too(desks: Desks, statement: str) -> None:
    await lived(desks)
    await move(desks.operator, AFTER)
    with pytest.raises(asyncpg.PostgresError, match="append-only") as refused:
        await desks.owner.execute(statement)
    assert refused.value.sqlstate == "HL003"


async def test_no_fact_leaves_the_log_that_does_not_lie_in_the_archive_as_it_was(desks: Desks) -> None:
    await lived(desks)
    await desks.owner.execute("SELECT es.archive_open($1)", MONTH)
    async with desks.owner.transaction():
        await desks.owner.execute(
            "INSERT INTO es.archived SELECT e.*, $1 FROM es.event e WHERE stream_id = $2", MONTH, SOLVED
        )
        facts = await desks.owner.execute("DELETE FROM es.event WHERE stream_id = $1", SOLVED)
        assert facts == "DELETE 8"
    async with desks.owner.transaction():
        await desks.owner.execute(
            "INSERT INTO es.archived SELECT xid, position, stream_id, version, event_id, type, schema_version,"
            " occurred_at, recorded_at, caused_by, actor, body, sha256(body), $1 FROM es.event WHERE stream_id = $2",
            MONTH,
            WITHDRAWN,
        )
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            async with desks.owner.transaction():
                await desks.owner.execute("DELETE FROM es.event WHERE stream_id = $1", WITHDRAWN)


@pytest.mark.parametrize("login", sorted(set(GRANTED) - {"operator"}))
async def test_only_the_operator_archives(city: Any, login: str) -> None:
    made = await city()
    connection = await asyncpg.connect(made.endpoints.logins[login])
    try:
        for statement in (
            "SELECT es.archive('2021-09-01', '{}')",
            "SELECT es.archive_open('2021-09-01')",
            "SELECT es.archive_detach('2021-09-01')",
            "SELECT es.archive_attach('2021-09-01')",
            "SELECT * FROM es.archivable(now())",
            "DELETE FROM es.archived",
            "INSERT INTO es.archive_month (month) VALUES ('2021-09-01')",
            "DELETE FROM es.archived_life",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        if login == "reader":
            assert await connection.fetchval("SELECT count(*) FROM es.fact") == 0
    finally:
        await connection.close()


async def test_many_lives_go_in_several_transactions(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LIVES_MAX > 2
    monkeypatch.setattr("hotline.upkeep.archive.LIVES_MAX", 2)
    await lived(desks)
    done = await move(desks.operator, AFTER)
    assert done.lives == 3
    xids = await desks.owner.fetchval("SELECT count(DISTINCT xmin::text) FROM es.archived")
    assert xids == 2


# -- while somebody reads the whole log

HELD: Final = "The whole log is being read"


async def tried(desks: Desks, act: Any) -> asyncio.Task[None]:
    """A month that goes or comes back, or has had half a second to."""
    task: asyncio.Task[None] = asyncio.create_task(act(desks.dsn, MONTH))
    await asyncio.wait([task], timeout=0.5)
    return task


async def archived_for(desks: Desks, act: Any) -> None:
    """Three lives in the archive, their month where `act` can take it from."""
    await lived(desks)
    await move(desks.operator, AFTER)
    if act is attach:
        await detach(desks.operator, MONTH)


@pytest.mark.parametrize("alone", [0, 10**6])
@pytest.mark.parametrize("act", [detach, attach])
async def test_a_month_neither_goes_nor_comes_while_the_log_is_verified(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, act: Any, alone: int
) -> None:
    monkeypatch.setattr("hotline.audit.verify.ALONE", alone)  # 0: in several processes
    monkeypatch.setattr(
        "hotline.upkeep.archive.ALONE_WITHIN", timedelta(minutes=5)
    )  # a busy machine verifies long
    await archived_for(desks, act)
    tasks = []
    read_lives = _Reader._read_lives  # what is read once the snapshot is taken

    async def read_late(*args: Any) -> None:
        tasks.append(await tried(desks, act))
        await read_lives(*args)

    monkeypatch.setattr(_Reader, "_read_lives", read_late)
    report = await verify(desks.dsn)
    assert report.problems == []
    assert report.detached == (3 if act is attach else 0)
    await asyncio.gather(*tasks)
    assert [month.attached for month in await months(desks.dsn)] == [act is attach]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("act", [detach, attach])
async def test_a_month_neither_goes_nor_comes_while_a_view_is_rebuilt(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, act: Any, view: str
) -> None:
    await archived_for(desks, act)
    tasks = []

    async def read_slowly(connection: Any) -> AsyncIterator[list[FoldedLife]]:
        async for some in lives(connection):
            yield some
        tasks.append(await tried(desks, act))

    monkeypatch.setattr("hotline.upkeep.rebuild.lives", read_slowly)
    rebuilt = await rebuild(desks.operator, view)
    assert (rebuilt.removed, rebuilt.added) == (0, 0)
    await asyncio.gather(*tasks)
    assert (await verify(desks.dsn)).problems == []
    assert [month.attached for month in await months(desks.dsn)] == [act is attach]


async def test_a_month_says_that_it_waits_for_a_reader_and_keeps_nobody_waiting(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.upkeep.archive.ALONE_WITHIN", timedelta(seconds=6))
    await archived_for(desks, detach)
    async with archive_held(desks.dsn):
        waiting = await tried(desks, detach)
        assert not waiting.done()
        async with asyncio.timeout(5):
            await show(desks.dsn, SOLVED)
        with pytest.raises(UserError, match=HELD):
            await waiting
    await detach(desks.operator, MONTH)


async def test_the_month_of_a_life_is_the_citys_and_not_utcs(desks: Desks) -> None:
    """At 02:00 on the first of October in Beijing it is still September in Greenwich."""
    await lived(desks)
    await desks.owner.execute(
        "UPDATE es.stream SET state = jsonb_set(state::jsonb, '{ended,at}', to_jsonb($2::text))::text"
        " WHERE stream_id = $1",
        SOLVED,
        "2021-09-30T18:00:00Z",
    )
    await move(desks.operator, datetime(2022, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")))
    month = await desks.owner.fetchval("SELECT month FROM es.archived_life WHERE stream_id = $1", SOLVED)
    assert month == date(2021, 10, 1)
    assert {one.month for one in await months(desks.dsn)} == {date(2021, 9, 1), date(2021, 10, 1)}


# -- as it is typed


@pytest.mark.usefixtures("city_here")
async def test_as_it_is_typed(database: str, desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert urlsplit(database).path == urlsplit(desks.dsn).path
    await lived(desks)
    assert (await typed("list")).stdout == "Nothing is archived.\n"
    moved = await typed("move", "--before", "2022-01-01")
    assert moved.exit_code == 0, moved.output
    assert "facts of 3 lives moved in" in moved.stdout
    (told,) = json.loads((await typed("list", "--json")).stdout)
    assert (told["month"], told["lives"], told["attached"]) == ("2021-09-01", 3, True)
    assert "es.archived_2021_09 stands by itself" in (await typed("detach", "2021-09")).stdout
    assert "detached" in (await typed("list")).stdout
    assert "2021-09 is attached" in (await typed("attach", "2021-09")).stdout
    for words, said in (
        (("move", "--before", "soon"), "--before: expected a date as 2025-04-01, got 'soon'"),
        (("detach", "September"), "MONTH: expected a month as 2025-01, got 'September'"),
    ):
        refused = await typed(*words)
        assert refused.exit_code == 2
        assert said in refused.output


async def typed(*words: str) -> Result:
    app = Typer()
    app.add_typer(archive, name="archive")
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(app, ["archive", *words], env={"COLUMNS": "200"})
    )
