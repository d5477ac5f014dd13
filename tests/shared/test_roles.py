"""Who may do what in PostgreSQL: each desk its own functions, none as another; the owner serves nobody.

That no desk touches a table is tried in test_append.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.city.endpoints import DESKS, PROCESSES
from deploy.city.served import services
from tests.city import City

pytestmark = pytest.mark.connected


@pytest.fixture
async def city_made(city: Callable[..., Awaitable[City]]) -> City:
    """A city whose services do not run."""
    return await city()


COMMON: Final = {
    "heads", "append", "offsets", "released", "release_for", "stop_door", "door_stopped", "log_format",
    "note_results",
}  # fmt: skip
OWN: Final = {
    "intake": {"note_calls", "articles", "begun"},
    "escalation": {"due", "present", "timer_writers", "pass_over"},
}

_FUNCTIONS: Final = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('es', 'intake') AND has_function_privilege($1, p.oid, 'EXECUTE')
"""


def user(town: City, name: str) -> str:
    return urlsplit(town.endpoints.logins[name]).username or ""


async def refused(dsn: str, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(statement, *values)
    finally:
        await connection.close()


@pytest.mark.parametrize("desk", DESKS)
async def test_a_desk_may_call_its_own_functions_only(city_made: City, desk: str) -> None:
    found = {row[0] for row in await city_made.sql(_FUNCTIONS, user(city_made, desk))}
    assert found == COMMON | OWN.get(desk, set())


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("other", DESKS)
async def test_no_desk_speaks_as_another(city_made: City, desk: str, other: str) -> None:
    dsn = city_made.endpoints.logins[desk]
    statement, values = "SELECT * FROM es.offsets($1, $2, $3)", (other, ["no topic"], [0])
    stop = "SELECT es.stop_door($1, 'no door', 'no topic', 'no reason')"
    release = "SELECT es.release_for($1, '{}')"
    append = "SELECT es.append($1" + ", NULL" * 39 + ")"
    if desk == other:
        connection = await asyncpg.connect(dsn)
        try:
            assert len(await connection.fetch(statement, *values)) == 1
        finally:
            await connection.close()
        return
    await refused(dsn, statement, *values)
    await refused(dsn, stop, other)
    await refused(dsn, release, other)
    await refused(dsn, append, other)


def test_no_process_is_told_the_owners_login(city_made: City, tmp_path: Path) -> None:
    owner = urlsplit(city_made.endpoints.owner_dsn)
    assert owner.password
    told = {service.name: service for service in services(city_made.endpoints, tmp_path)}
    assert set(told) == set(PROCESSES)
    for name, service in told.items():
        text = " ".join([*service.command, *service.env.values()])
        assert owner.password not in text, name
        others = [login for other, login in city_made.endpoints.logins.items() if other != name]
        assert not [login for login in others if login in text], name
        assert not [word for word in service.command if "@" in word], "a login on a command line"


async def test_every_way_in_asks_for_a_password(city_made: City) -> None:
    methods = {row[0] for row in await city_made.sql("SELECT DISTINCT auth_method FROM pg_hba_file_rules")}
    assert methods == {"scram-sha-256"}
