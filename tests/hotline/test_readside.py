"""The read side is what the log says, however it was brought there: in pages, by two at once, killed, put back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest
from msgspec.structs import replace as changed

from hotline.audit.verify import verify
from hotline.lab.bench.generator import grow
from hotline.readside.comparing import SUMS
from hotline.readside.complaints import TABLES, Complaints, prepared
from hotline.readside.lists import Filter, by_other_calendar, page_of, whole_list
from hotline.readside.process import take_in
from hotline.readside.rows import LEAD, LISTS, ORDERS, VERSION
from hotline.readside.search import found, place_of
from hotline.readside.standing import as_of, caught_up
from hotline.upkeep.archive import move
from hotline.upkeep.lists import rebuild_lists
from hotline.upkeep.rebuild import Rebuilt
from shared.complaint_number import number_of
from shared.desk import Desk
from shared.events import SPEAKERS, DeskName, Fact
from shared.ids import ComplaintId, complaint_id
from shared.log.postgres import PostgresLog, connect
from shared.log.projection.projector import Projector
from shared.runtime.errors import UserError
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work
from tests import examples as eg
from tests.city import until
from tests.examples import told
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import RETURNED, UNSOLVED, several_lives

pytestmark = pytest.mark.connected

CALLS: Final = """
INSERT INTO intake.call (call_id, told)
SELECT 'c-' || n, ARRAY[intake.told($1::timestamptz + n * interval '7 s', 'offered'),
                        intake.told($1::timestamptz + n * interval '7 s' + interval '4 s',
                                    CASE WHEN n % 5 = 0 THEN 'ended hangup' ELSE 'answered' END)]
FROM generate_series(1, 200) AS n
"""
POSITION: Final = "SELECT position FROM read.projection WHERE name = 'lists'"
EVERY: Final = (
    *(f"read.{table.name}" for table in TABLES),
    *(f"read.{one.name}" for one in SUMS),
    "read.call",
)


async def every_kind(desks: Desks) -> None:
    """A life for each kind of fact: recorded, with a unit, and that fact; one more that names no known subject."""
    begins = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
    lives = [(*begins, *(() if fact in begins else (fact,))) for fact in eg.FACTS]
    lives.append((eg.RECEIVED, eg.CLASSIFIED, changed(eg.DISPATCHED, unlisted=("subject",))))
    lives.append((changed(eg.RECEIVED, request_id="open311:portal:1"), eg.CLASSIFIED, eg.DISPATCHED))
    for place in range(4):
        stated: dict[DeskName, list[Fact]] = {}
        for number, life in enumerate(lives):
            if place < len(life):
                own = changed(life[place], complaint_id=complaint_id(f"kind-{number}"))
                stated.setdefault(SPEAKERS[type(own)], []).append(own)
        for name, facts in stated.items():
            log = PostgresLog(desks.dsn, name, f"test.{name}")
            forger = Desk(name, lambda said, _: [said], log, Telemetry(name))
            work = [Work(one, one.complaint_id, f"forged/{place}/{one.complaint_id}") for one in facts]
            await forger.obey(Batch(work=work))
            await log.close()


class Dying:
    """A connection that is gone before its so many'th statement that writes."""

    def __init__(self, connection: asyncpg.Connection[Any], after: int) -> None:
        self._connection = connection
        self.left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, statement: str, *values: Any) -> str:
        self.left -= 1
        if self.left == 0:
            self._connection.terminate()
        return await self._connection.execute(statement, *values)


async def tables(desks: Desks) -> dict[str, list[Any]]:
    """All rows there are; a sum of nothing is none."""
    found: dict[str, list[Any]] = {}
    for name in EVERY:
        size = next((one.size for one in SUMS if name == f"read.{one.name}"), None)
        where = f"WHERE {size} <> 0" if size else ""
        rows = await desks.owner.fetch(f"SELECT * FROM {name} {where}")
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def emptied(desks: Desks) -> None:
    await desks.owner.execute(f"TRUNCATE {', '.join(EVERY)}, read.projection, read.unread")


async def rebuilt(desks: Desks) -> Rebuilt:
    return await rebuild_lists(desks.operator)


async def true(desks: Desks) -> None:
    """The tables are what their rebuild says, and `verify` says so too."""
    report = await verify(desks.dsn)
    assert "lists" in report.compared
    assert [one.what for one in report.problems if "list" in one.what or "sums" in one.what] == []
    done = await rebuilt(desks)
    assert (done.removed, done.added) == (0, 0)


@pytest.fixture
async def projector_dsn(desks: Desks, logins: dict[str, str]) -> str:
    del desks
    return logins["projector"]


@pytest.mark.parametrize("page", [1, 3, 50_000])
async def test_facts_taken_in_by_any_pages_give_what_a_rebuild_gives(
    desks: Desks, projector_dsn: str, page: int
) -> None:
    await take_in(projector_dsn)  # everything from here on comes as facts
    await several_lives(desks)
    await desks.forge(
        DeskName.INTAKE, changed(eg.RECEIVED, complaint_id=complaint_id("f"), request_id="open311::1")
    )
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    facts = await desks.owner.fetchval("SELECT count(*) FROM es.event")
    assert await take_in(projector_dsn, page=page) == facts + 200
    await true(desks)
    assert (await as_of(desks.owner)).position == await desks.owner.fetchval(
        "SELECT max(position) FROM es.event"
    )
    before = await tables(desks)
    assert all(before[name] for name in EVERY if name != "read.message")
    await emptied(desks)
    await take_in(projector_dsn)  # by going through everything
    assert await tables(desks) == before


async def test_every_kind_of_fact_is_taken_in_one_by_one(desks: Desks, projector_dsn: str) -> None:
    await take_in(projector_dsn)
    await every_kind(desks)
    await take_in(projector_dsn, page=1)
    await true(desks)
    assert await desks.owner.fetchval("SELECT count(*) FROM read.unread") == 0
    seen = {row[0] for row in await desks.owner.fetch("SELECT DISTINCT list FROM read.waiting")}
    assert seen == set(LISTS)


async def test_an_act_is_in_the_lists_after_the_next_step(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    before = await whole_list(desks.owner, ORDERS, eg.STREET)
    assert UNSOLVED in {one.complaint_id for one in before}
    unsolved = next(one for one in before if one.complaint_id == UNSOLVED)
    assert (unsolved.role, unsolved.round, unsolved.standing) == (LEAD, 2, "new")
    await desks.tell(told(eg.SIGN, complaint_id=UNSOLVED, assignment=unsolved.assignment))
    await take_in(projector_dsn)
    after = {one.complaint_id: one for one in await whole_list(desks.owner, ORDERS, eg.STREET)}
    assert after[UNSOLVED].standing == "signed"


async def test_a_list_goes_on_where_its_page_ended_and_is_filtered(desks: Desks, projector_dsn: str) -> None:
    await every_kind(desks)
    await take_in(projector_dsn)
    whole = await whole_list(desks.owner, ORDERS, eg.STREET)
    assert len(whole) > 10
    paged: list[Any] = []
    while page := await page_of(
        desks.owner, ORDERS, eg.STREET, after=paged[-1].cursor if paged else "", most=3
    ):
        paged += page
    assert paged == whole
    one = whole[0]
    only = Filter(subject=one.subject, urgency=one.urgency, role=one.role, district=one.district)
    assert await page_of(desks.owner, ORDERS, eg.STREET, only=only)
    assert await page_of(desks.owner, ORDERS, eg.STREET, only=Filter(subject="nothing")) == []
    assert await page_of(desks.owner, ORDERS, eg.STREET, only=Filter(due_before=one.due_at)) == []
    with pytest.raises(UserError, match="is no place in a list"):
        await page_of(desks.owner, ORDERS, eg.STREET, after="nowhere")


async def test_complaints_are_found_by_number_request_subject_place_and_words(
    desks: Desks, projector_dsn: str
) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    owner = desks.owner
    (one,) = await found(owner, UNSOLVED)
    assert (await found(owner, UNSOLVED[:8]))[0] == one
    assert await found(owner, one.complaint_number.lower().replace("-", " ")) == [one]
    other_day = number_of(ComplaintId(UNSOLVED), one.received_at + timedelta(days=1), one.ruleset)
    assert await found(owner, other_day) == []
    with pytest.raises(UserError, match="its last character does not fit"):
        await found(owner, one.complaint_number[:-1] + ("2" if one.complaint_number[-1] != "2" else "3"))
    assert await found(owner, one.request_id) == [one]
    assert one in await found(owner, one.title)
    assert one in await found(owner, one.title[:2], subject=one.subject, district=one.district)
    assert one in await found(owner, subject=one.subject, street=one.street, open_only=True)
    assert await found(owner, one.title, subject="no such subject") == []
    assert one in await found(owner, one.title[:2], unit=one.lead, open_only=True)
    assert {row.lead for row in await found(owner, unit=one.lead)} == {one.lead}
    assert await found(owner, one.title, unit="municipal-nobody") == []
    assert await found(owner, UNSOLVED, unit="municipal-nobody") == []
    assert await found(owner, UNSOLVED, unit=one.lead) == [one]
    every = await found(owner)
    assert len(every) == 6
    assert await found(owner, before=place_of(every[1])) == every[2:]
    assert {row.ended for row in await found(owner, open_only=True)} == {""}
    with pytest.raises(UserError, match="Nothing can be looked for"):
        await found(owner, "!!")


async def test_a_rare_word_is_found_behind_many_newer_complaints(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    (rare,) = await desks.owner.fetch("SELECT title FROM es.stream, json_to_record(state::json) AS s (title text)"
                                      " WHERE stream_id = $1", UNSOLVED)  # fmt: skip
    await grow(desks.dsn, 15_000)  # four years later, with another title
    await take_in(projector_dsn)
    assert await desks.owner.fetchval("SELECT count(*) FROM read.complaint") > 1500
    assert UNSOLVED in {one.complaint_id for one in await found(desks.owner, rare[0])}
    assert len(await found(desks.owner, "停水", most=20)) == 20
    (unsolved,) = await found(desks.owner, UNSOLVED)
    assert unsolved in await found(desks.owner, rare[0], unit=unsolved.lead)
    others = {one.lead for one in await found(desks.owner, "停水", most=20)} - {""}
    assert others
    for unit in others:  # those of a unit lie behind many of others too
        mine = await found(desks.owner, "停水", unit=unit, most=20)
        assert {one.lead for one in mine} == {unit}
    assert await found(desks.owner, "停水", unit="municipal-nobody") == []
    await true(desks)


async def test_those_who_go_by_another_calendar_are_named(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    assert await by_other_calendar(desks.owner, "cn-1") == []
    found = await by_other_calendar(desks.owner, "zz-1")
    assert {RETURNED, UNSOLVED} <= set(found)


# -- what can go wrong


async def test_two_projectors_at_once_and_a_rebuild_while_the_desks_go_on(
    desks: Desks, projector_dsn: str
) -> None:
    await take_in(projector_dsn)

    async def projects() -> None:
        for _ in range(30):
            await take_in(projector_dsn, page=5)

    async def rebuilds() -> None:
        for _ in range(5):
            await rebuilt(desks)
            await asyncio.sleep(0.05)

    async def works() -> None:
        await several_lives(desks)
        await desks.owner.execute(CALLS, eg.CALLED_AT)
        await every_kind(desks)

    await asyncio.gather(projects(), projects(), rebuilds(), works())
    await take_in(projector_dsn)
    await true(desks)


@pytest.mark.parametrize("after", [1, 2, 4, 6])
async def test_killed_in_the_middle_of_a_step_nothing_of_it_is_there(
    desks: Desks, projector_dsn: str, after: int
) -> None:
    """The connection is gone between two statements of the step: as after kill -9."""
    await take_in(projector_dsn)
    await several_lives(desks)
    before, position = await tables(desks), await _position(desks)
    connection = await connect(projector_dsn, "dies")
    await prepared(connection)
    dying = Dying(connection, after)
    work = Projector(dying, Complaints())  # type: ignore[arg-type]  # it is one but for its end
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await work.step()
    assert dying.left == 0
    assert (await tables(desks), await _position(desks)) == (before, position)
    await take_in(projector_dsn)
    await true(desks)


async def _position(desks: Desks) -> Any:
    return await desks.owner.fetchval(POSITION)


async def test_the_process_is_killed_again_and_again_and_catches_up(desks: Desks, projector_dsn: str) -> None:
    env = {**os.environ, "PROJECTOR_POSTGRES": projector_dsn, "PROJECTOR_PAGE": "4"}

    async def started() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hotline.readside", env=env, stdout=asyncio.subprocess.DEVNULL
        )

    async def lives_on() -> None:
        await several_lives(desks)
        await every_kind(desks)

    watching = await asyncpg.connect(desks.dsn)
    working = asyncio.ensure_future(lives_on())
    kills = 0
    while not working.done() or kills < 4:
        process = await started()
        before = await watching.fetchval(POSITION)
        for _ in range(100):
            await asyncio.sleep(0.05)
            if await watching.fetchval(POSITION) != before:
                break
        process.send_signal(signal.SIGKILL)
        await process.wait()
        kills += 1
    await working
    await watching.close()
    process = await started()
    try:
        await until(lambda: _at_work(desks), within=30, what="the projector at work")
        standing = await until(lambda: _whole(desks), within=30, what="the projector to catch up")
        assert standing
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    await true(desks)


async def _at_work(desks: Desks) -> bool:
    """It has opened its connection; before that it hears no signal to end."""
    return bool(
        await desks.owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'projector'"
            " AND datname = current_database()"
        )
    )


async def _whole(desks: Desks) -> bool:
    try:
        standing = await caught_up(desks.owner, within=0.2)
    except UserError:
        return False
    last = await desks.owner.fetchval("SELECT max(position) FROM es.event")
    return standing.position == last and not standing.behind


async def test_of_what_a_sender_follows_it_is_known_when_it_changed_last(
    desks: Desks, projector_dsn: str
) -> None:
    await several_lives(desks)
    for login, request_id in (("portal", "open311:portal:1"), ("", "open311::2")):
        own = complaint_id(request_id, login)
        await desks.forge(DeskName.INTAKE, changed(eg.RECEIVED, complaint_id=own, request_id=request_id))
    await take_in(projector_dsn)
    found = "SELECT login, changed_at FROM read.followed ORDER BY login"
    last = "SELECT recorded_at FROM es.event WHERE stream_id = $1 ORDER BY version DESC LIMIT 1"
    portal = complaint_id("open311:portal:1", "portal")
    for fact in (None, changed(eg.CLASSIFIED, complaint_id=portal)):
        if fact is not None:
            await desks.forge(DeskName.INTAKE, fact)
            await take_in(projector_dsn)
        rows = dict([tuple(row) for row in await desks.owner.fetch(found)])
        assert set(rows) == {"", "portal"}
        assert rows["portal"] == await desks.owner.fetchval(last, portal)
    await true(desks)


async def test_rows_that_somebody_spoiled_are_found_and_put_right(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await desks.forge(DeskName.INTAKE, changed(eg.RECEIVED, request_id="open311:portal:1"))
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    await take_in(projector_dsn)
    right = await tables(desks)
    for spoils in (
        "UPDATE read.complaint SET subject = 'x' WHERE stream_id = (SELECT stream_id FROM read.complaint LIMIT 1)",
        "DELETE FROM read.wording",
        "DELETE FROM read.followed",
        "UPDATE read.followed SET changed_at = changed_at - interval '1 second'",
        "UPDATE read.waiting SET party = 'nobody'",
        "UPDATE read.count SET complaints = complaints + 1",
        "UPDATE read.total SET facts = 0",
        "DELETE FROM read.received",
        "UPDATE read.call_minute SET calls = calls + 1",
        "UPDATE read.call SET outcome = 'BUSY' WHERE call_id = 'c-1'",
        "DELETE FROM read.complaint WHERE stream_id = (SELECT stream_id FROM read.complaint LIMIT 1)",
    ):
        assert not (await desks.owner.execute(spoils)).endswith(" 0"), spoils
        assert [one for one in (await verify(desks.dsn)).problems if "rebuild lists" in one.what], spoils
        await rebuilt(desks)
        assert await tables(desks) == right, spoils
        await true(desks)


async def test_a_head_nobody_can_read_is_named_and_hides_no_other(desks: Desks, projector_dsn: str) -> None:
    await several_lives(desks)
    await desks.owner.execute("UPDATE es.stream SET state = '{' WHERE stream_id = $1", UNSOLVED)
    await take_in(projector_dsn)
    assert [
        tuple(row) for row in await desks.owner.fetch("SELECT stream_id::text, why FROM read.unread")
    ] == [(UNSOLVED, f"complaint {UNSOLVED}: its head cannot be read, `hotline verify` says more")]
    assert await desks.owner.fetchval("SELECT count(*) FROM read.complaint") == 5


async def test_what_a_projector_of_the_release_before_could_not_read_is_read_by_the_next_one(
    desks: Desks, projector_dsn: str
) -> None:
    await several_lives(desks)
    await desks.owner.execute(CALLS, eg.CALLED_AT)
    written = "UPDATE es.stream SET state_schema = state_schema + $2 WHERE stream_id = $1"
    await desks.owner.execute(written, UNSOLVED, 1)  # by a desk of the next release
    await take_in(projector_dsn)
    noted = "SELECT stream_id::text FROM read.unread UNION ALL SELECT call_id FROM read.call_unread"
    assert [row[0] for row in await desks.owner.fetch(noted)] == [UNSOLVED]
    await desks.owner.execute("INSERT INTO read.call_unread VALUES ('c-1', 'a word of the next release')")
    await desks.owner.execute(written, UNSOLVED, -1)  # which this release knows: no fact has come since
    await take_in(projector_dsn)
    assert await desks.owner.fetch(noted) == []
    assert await desks.owner.fetchval("SELECT count(*) FROM read.complaint") == 6
    await true(desks)


async def test_a_value_postgresql_does_not_take_is_named_and_hides_no_other(
    desks: Desks, projector_dsn: str
) -> None:
    await several_lives(desks)
    await desks.owner.execute(
        """UPDATE es.stream SET state = replace(state, '"title":"', '"title":"' || chr(92) || 'u0000')"""
        " WHERE stream_id = $1",
        UNSOLVED,
    )
    await take_in(projector_dsn)
    assert [row[0] for row in await desks.owner.fetch("SELECT stream_id::text FROM read.unread")] == [
        UNSOLVED
    ]
    assert await desks.owner.fetchval("SELECT count(*) FROM read.complaint") == 5


async def test_what_went_into_the_archive_before_it_was_taken_in_is_not_missed(
    desks: Desks, projector_dsn: str
) -> None:
    await take_in(projector_dsn)
    await several_lives(desks)
    await desks.owner.execute("UPDATE es.relay SET snap_a = pg_current_snapshot(), snap_b = NULL")
    moved = await move(desks.operator, datetime(2030, 1, 1, tzinfo=UTC))
    assert moved.facts
    await take_in(projector_dsn)
    assert await desks.owner.fetchval("SELECT count(*) FROM read.complaint") == 6
    await true(desks)


async def test_lists_of_another_database_are_brought_up_by_their_versions(
    desks: Desks, projector_dsn: str
) -> None:
    """As after a backup was put back: the snapshot in it counts transactions of a server that is no more."""
    await several_lives(desks)
    await take_in(projector_dsn)
    await desks.tell(told(eg.SIGN, complaint_id=RETURNED, unit=eg.OTHER_STREET, assignment=2))
    await desks.owner.execute("UPDATE read.projection SET made_in = 'elsewhere/1', seen = '3:3:'")
    await take_in(projector_dsn)
    await true(desks)
    assert (
        await desks.owner.fetchval("SELECT made_in FROM read.projection WHERE name = 'lists'")
        != "elsewhere/1"
    )


async def test_another_version_of_the_fold_goes_through_everything(
    desks: Desks, projector_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several_lives(desks)
    await take_in(projector_dsn)
    await desks.owner.execute("UPDATE read.complaint SET standing = 'as it was called before'")
    monkeypatch.setattr(Complaints, "version", VERSION + 1)
    assert await take_in(projector_dsn) >= 6
    assert (
        await desks.owner.fetchval("SELECT version FROM read.projection WHERE name = 'lists'") == VERSION + 1
    )
    done = await rebuilt(desks)
    assert (done.removed, done.added) == (0, 0)


async def test_who_may_only_read_asks_and_writes_nothing(desks: Desks, logins: dict[str, str]) -> None:
    await several_lives(desks)
    await take_in(logins["projector"])
    reading = await asyncpg.connect(logins["reader"])
    try:
        assert await whole_list(reading, ORDERS, eg.STREET)
        assert await found(reading, UNSOLVED)
        assert (await as_of(reading)).position
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reading.execute("DELETE FROM read.complaint")
    finally:
        await reading.close()
