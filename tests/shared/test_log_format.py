"""A log that a version with another format wrote is refused, by one sentence that says so and what to do."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from deploy.city.making import migrate
from hotline.audit.verify import verify
from shared.log.log_format import LOG_FORMAT
from shared.log.postgres import PostgresLog
from shared.runtime.errors import UserError

pytestmark = pytest.mark.connected

BEFORE = "DROP FUNCTION es.log_format; DELETE FROM schema_migrations WHERE version = '0044'"
A_LIFE = "INSERT INTO es.stream VALUES ($1, 1, '\\x00', 1, '{}')"


@pytest.fixture
async def owner(database: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(database)


async def test_the_newest_migration_makes_the_format_that_is_read_here(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    assert await owner.fetchval("SELECT es.log_format()") == LOG_FORMAT
    await owner.close()


@pytest.mark.parametrize("other", [None, LOG_FORMAT + 1])
async def test_no_desk_and_no_audit_reads_a_log_of_another_format(
    database: str, owner: asyncpg.Connection[asyncpg.Record], other: int | None
) -> None:
    await owner.execute(BEFORE)
    if other is not None:
        await owner.execute(f"CREATE FUNCTION es.log_format() RETURNS int LANGUAGE sql AS 'SELECT {other}'")
    await owner.close()
    log = PostgresLog(database, "intake", "intake.requests")
    said = f"its format is {other or 1}, and this version reads {LOG_FORMAT}.*make the city anew"
    with pytest.raises(UserError, match=said):
        await log.heads([], [])
    with pytest.raises(UserError, match=said):
        await verify(database)


async def test_a_log_from_before_is_brought_up_to_date_only_where_it_is_empty(
    database: str, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    await owner.execute(BEFORE)
    await migrate(database)
    await owner.execute(BEFORE)
    await owner.execute(A_LIFE, uuid4())
    with pytest.raises(UserError, match="an earlier version wrote this log.*make the city anew"):
        await migrate(database)
    await owner.close()
