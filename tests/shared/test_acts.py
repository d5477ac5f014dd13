"""What a person at the centre does in PostgreSQL: each act one role may call, and no role writes what is not its own.

Desks are tried in test_roles.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.city.endpoints import GRANTED, CityEndpoints
from deploy.city.making import make_logins
from deploy.embedded.stack import Addresses
from services.intake.knowledge import base
from services.intake.knowledge.file import articles
from shared.log.acts import acting
from shared.runtime.errors import UserError

pytestmark = pytest.mark.connected

ACTS: Final = {
    "editor": {"intake.add_article", "intake.withdraw_article"},
    "governor": {"es.append_programme", "es.hold_log", "es.freeze_month"},
    "visitor": {"vault.take_visit"},
    "agent": {
        "vault.put",
        "vault.put_callers",
        "vault.of_caller",
        "vault.propose_mark",
        "vault.object_to_mark",
        "web.make_link",
        "web.revoke_link",
    },
    "operator": {
        "es.release_parked",
        "es.drop_parked",
        "es.resume_door",
        "es.hold_views",
        "es.archive_open",
        "es.archivable",
        "es.archivable_read",
        "es.archive",
        "es.archive_close",
        "es.archive_detach",
        "es.archive_attach",
        "es.archive_alone",
        "es.set_relay_shards",
        "vault.shred",
        "vault.decide_mark",
        "vault.marks_over",
        "vault.forget_marks",
        "es.shred_dropped",
        "web.add_key",
        "web.revoke_key",
        "web.add_secret",
        "web.revoke_secret",
        "web.add_staff",
        "web.add_link",
        "web.name_agent",
        "web.revoke_staff",
        "web.readmit_staff",
    },
}
READ_SIDE: Final = (
    *("projection", "complaint", "wording", "waiting", "message", "count", "total", "received", "unread"),
    *("call", "call_minute", "call_total", "call_unread", "followed", "leg"),
)
WRITES: Final = {
    *(
        ("governor", f"es.score_{view}", how)
        for view in ("life", "correction", "unread")
        for how in ("INSERT", "DELETE")
    ),
    ("governor", "es.score_view", "INSERT"),
    ("governor", "es.score_view", "UPDATE"),
    *(("operator", f"es.{view}", how) for view in ("stream", "timer") for how in ("INSERT", "DELETE")),
    *(
        (login, f"read.{table}", how)
        for login in ("projector", "operator")  # who projects, and who makes it anew
        for table in READ_SIDE
        for how in ("INSERT", "UPDATE", "DELETE")
    ),
    *(
        ("operator", f"read.{sums}", how)  # else a trigger writes them
        for sums in ("call_hour", "lead", "leg_hour")
        for how in ("INSERT", "UPDATE", "DELETE")
    ),
    *(("projector", "read.traced", how) for how in ("INSERT", "DELETE")),
    ("relay", "es.relay", "UPDATE"),
    ("relay", "es.parking_relay", "UPDATE"),
    ("relay", "es.programme_relay", "UPDATE"),
    ("relay", "es.anchor", "INSERT"),
}
"""All that any login may write without a function."""

_HELD: Final = {"es.archive_held"}
"""No act: whoever reads the whole log holds the archive's months where they are."""

_GUARDED: Final = {"vault.look", "vault.note"}
"""Each role that reads contacts may call them; `vault.note` lets each write down only its own kind of asker."""

ON_PAGES: Final = {"vault.take_visit", "vault.decide_mark"}
"""The acts that people do on pages too: the login of the listener for staff may call them."""

_FUNCTIONS: Final = """
SELECT n.nspname || '.' || p.proname AS name, p.oid::regprocedure::text AS called, p.pronargs, p.prosecdef AS definer,
       p.proconfig::text AS config, p.proretset AS rows
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('es', 'intake', 'vault', 'read', 'web')
"""
_TABLES: Final = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('es', 'intake', 'vault', 'read', 'web') AND c.relkind IN ('r', 'p')
"""
_COLUMN: Final = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 LIMIT 1"


@pytest.fixture
async def endpoints(stack: Addresses, database: str) -> CityEndpoints:
    """A city's database and its logins, without topics."""
    name = urlsplit(database).path[1:]
    admin = await asyncpg.connect(database)
    try:
        logins = await make_logins(admin, database)
    finally:
        await admin.close()
    return CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=database, logins=logins)


@pytest.fixture
async def connections(endpoints: CityEndpoints) -> AsyncIterator[dict[str, asyncpg.Connection[Any]]]:
    """One of each login, and the owner's."""
    made = {name: await asyncpg.connect(endpoints.login(name)) for name in GRANTED}
    made["owner"] = await asyncpg.connect(endpoints.owner_dsn)
    yield made
    for connection in made.values():
        await connection.close()


async def rows_of(endpoints: CityEndpoints, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Ask the database as its owner."""
    async with acting(endpoints.owner_dsn) as owner:
        rows: list[asyncpg.Record] = await owner.fetch(statement, *values)
        return rows


async def refused(connection: asyncpg.Connection[Any], statement: str) -> bool:
    """Whether the login lacks the right to it; whatever else it says, and whatever it did, is undone."""
    work = connection.transaction()
    await work.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.PostgresError:
        return False
    finally:
        await work.rollback()
    return False


async def test_each_act_is_permitted_to_one_role_and_the_owner(
    connections: dict[str, asyncpg.Connection[Any]],
) -> None:
    acts = {act: role for role, some in ACTS.items() for act in some}
    known = [row for row in await connections["owner"].fetch(_FUNCTIONS) if row["name"] in acts]
    assert {row["name"] for row in known} == set(acts)
    for row in known:
        call = f"SELECT {row['name']}({', '.join(['NULL'] * row['pronargs'])})"
        may = {name for name, connection in connections.items() if not await refused(connection, call)}
        pages = {"staff"} & may if row["name"] in ON_PAGES else set()
        assert may == {acts[row["name"]], "owner", *pages}, row["called"]


async def test_a_role_of_the_centre_may_call_its_acts_and_no_others(endpoints: CityEndpoints) -> None:
    found = await rows_of(endpoints, _FUNCTIONS)
    reading = await _callable(endpoints, "reader")
    for role, acts in ACTS.items():
        others = (await _callable(endpoints, role)) - acts
        assert others <= reading | _HELD | (_GUARDED if role in {"visitor", "agent"} else set()), role
        assert acts <= await _callable(endpoints, role), role
    for row in found:
        if any(row["name"] in acts for acts in ACTS.values()):
            assert row["definer"], row["called"]
            assert "search_path=" in (row["config"] or ""), row["called"]


async def _callable(endpoints: CityEndpoints, login: str) -> set[str]:
    user = urlsplit(endpoints.login(login)).username
    rows = await rows_of(
        endpoints,
        f"SELECT name FROM ({_FUNCTIONS}) f WHERE has_function_privilege($1, called, 'EXECUTE')",
        user,
    )
    return {row["name"] for row in rows}


async def test_no_login_writes_a_table_that_is_not_its_own(
    connections: dict[str, asyncpg.Connection[Any]],
) -> None:
    owner = connections["owner"]
    may: set[tuple[str, str, str]] = set()
    for (table,) in await owner.fetch(_TABLES):
        column = await owner.fetchval(_COLUMN, table)
        tries = {
            "INSERT": f"INSERT INTO {table} DEFAULT VALUES",
            "UPDATE": f"UPDATE {table} SET {column} = DEFAULT",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table}",
        }
        for login in GRANTED:
            for how, statement in tries.items():
                if not await refused(connections[login], statement):
                    may.add((login, table, how))
    assert may == WRITES


async def test_a_version_of_an_article_is_never_written_again(endpoints: CityEndpoints) -> None:
    async with acting(endpoints.login("editor")) as editor:
        await base.load(editor, articles().articles)
        known = {(one.id, one.version) for one in await base.listed(editor)}
    article, version = min(known)
    again = "SELECT intake.add_article($1, $2, '综合', 't', 't', 't', 't', now(), 's')"
    withdraw = "SELECT intake.withdraw_article($1, $2, now(), 'why')"
    for statement, number, said in (
        (again, version, "already"),
        (withdraw, 99, "has no"),
    ):
        with pytest.raises(UserError, match=said):
            async with acting(endpoints.login("editor")) as editor:
                await editor.fetchval(statement, article, number)
    with pytest.raises(asyncpg.PostgresError, match="title: expected words"):
        async with acting(endpoints.login("editor")) as editor:
            await editor.fetchval(again.replace("'t'", "' '"), article, 99)


async def test_a_month_is_frozen_by_what_the_bytes_and_the_log_say(endpoints: CityEndpoints) -> None:
    said = '{"month": "2021-09-01", "frozen_at": "2021-10-01T00:00:00+08:00", "frozen_by": "Li Wei", "through": 1}'
    freeze = "SELECT es.freeze_month(convert_to($1, 'UTF8'), 'Asia/Shanghai')"
    counted = (
        "INSERT INTO es.score_view (seen, made_in, made_by, archived)"
        " VALUES (pg_current_snapshot()::text, '', '', 0)"
    )
    async with acting(endpoints.login("governor")) as governor:
        for wrong, why in (
            (said.replace("Li Wei", " "), "frozen_by: expected words"),
            (said.replace("2021-10-01T", "2021-09-30T"), "2021-09 is not over"),
            (said, "behind the log"),
        ):
            with pytest.raises(asyncpg.PostgresError, match=why):
                await governor.execute(freeze, wrong)
        await governor.execute(counted)
        with pytest.raises(asyncpg.PostgresError, match="behind the log"):
            await governor.execute(freeze, said.replace("1}", "2}"))
        await governor.execute(freeze, said)
        with pytest.raises(asyncpg.PostgresError, match="2021-09 is frozen already"):
            await governor.execute(freeze, said)
    rows = await rows_of(endpoints, "SELECT published, login FROM es.score_month")
    login = urlsplit(endpoints.login("governor")).username
    assert [tuple(row) for row in rows] == [(said.encode(), login)]


async def test_a_month_that_is_away_is_not_closed_anew(endpoints: CityEndpoints) -> None:
    """Else a table that came back otherwise could be made what it had to be."""
    await rows_of(endpoints, "SELECT es.archive_open('2021-09-01')")
    async with acting(endpoints.login("operator")) as operator:
        await operator.execute("SELECT es.archive_close('2021-09-01'), es.archive_detach('2021-09-01')")
    with pytest.raises(UserError, match="The month 2021-09-01 is not attached"):
        async with acting(endpoints.login("operator")) as operator:
            await operator.execute("SELECT es.archive_close('2021-09-01')")


async def test_a_row_says_which_login_wrote_it(endpoints: CityEndpoints) -> None:
    async with acting(endpoints.login("editor")) as editor:
        made = await base.add(
            editor, "kb-1", subject="综合", title="t", text="t", valid_from=datetime.now(UTC), source="s"
        )
        await base.withdraw(editor, "kb-1", made.version, datetime.now(UTC), "why")
    login = urlsplit(endpoints.login("editor")).username
    for table in ("article", "article_withdrawn"):
        assert [row[0] for row in await rows_of(endpoints, f"SELECT login FROM intake.{table}")] == [login]


def test_a_city_opened_before_a_login_was_made_says_how_it_comes() -> None:
    with pytest.raises(UserError, match="then `hotline up`. Or a container lacks the secret postgres-editor"):
        CityEndpoints(name="old", kafka="", owner_dsn="", logins={"reader": ""}).login("editor")


async def test_a_visitor_writes_down_no_reading_of_a_unit_or_an_agent(endpoints: CityEndpoints) -> None:
    note = "SELECT vault.note(gen_random_uuid(), 'x', $1, 'COMMAND', 'FULL', 'ASSIGNEE', '')"
    async with acting(endpoints.login("visitor")) as visitor:
        for kind in ("UNIT", "AGENT"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await visitor.execute(note, kind)
        await visitor.execute(note, "VISITOR")


async def test_two_people_never_ask_a_citizen_at_once(endpoints: CityEndpoints) -> None:
    take = "SELECT vault.take_visit($1, 1, $2, $3, $4)"
    life, other = uuid4(), uuid4()
    half_an_hour, no_time = timedelta(minutes=30), timedelta()

    async def taken(stream: UUID, attempt: int, who: str, held: timedelta = half_an_hour) -> None:
        async with acting(endpoints.login("visitor")) as visitor:
            await visitor.execute(take, stream, attempt, who, held)

    await taken(life, 1, "Li Wei")
    await taken(life, 1, "Li Wei")
    await taken(other, 1, "Wang Fang")
    with pytest.raises(UserError, match="Li Wei asks the citizen: wait 30 minutes"):
        await taken(life, 1, "Wang Fang")
    await taken(life, 1, "Wang Fang", no_time)
    await taken(life, 2, "Li Wei")
    rows = await rows_of(
        endpoints, "SELECT who, attempt, login FROM vault.visit_taken WHERE stream_id = $1", life
    )
    assert [tuple(row) for row in rows] == [("Li Wei", 2, urlsplit(endpoints.login("visitor")).username)]
