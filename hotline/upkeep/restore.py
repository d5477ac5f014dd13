"""A city made from a backup, on this server or another: the dump, then everything that depends on the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from deploy.city.endpoints import GRANTED, CityEndpoints, prefix_of
from deploy.city.making import create, migrate
from deploy.embedded.stack import Addresses
from deploy.supervision.stopped import renamed
from deploy.supervision.topic_ends import ends_of
from hotline.upkeep.backup import (
    DUMP_FILE,
    JOBS,
    MANIFEST_FILE,
    Manifest,
    _cluster,
    _run,
    _sha256,
    manifest_of,
)
from shared.doors.kafka_reader import last_record
from shared.doors.offsets import mark_of
from shared.log.anchoring import put
from shared.log.anchors import NOTHING, Anchor
from shared.log.heads import CANNOT_BE_READ
from shared.log.locks import ROLES
from shared.runtime.clock import SystemClock
from shared.runtime.errors import UserError
from shared.topics import COMPLAINTS_LOG

POSITIONS_AHEAD: Final = 100_000
"""More positions than the desks of a city have in hand at once: by so much the last message may not be the highest."""


# Each fact gets its id on the way in, while no index is there. A sent fact gets 1, a fact of the open batch 2 where it
# stays open, a fact still to send 3. A rewrite of the table afterwards would take longer than reading it in did.
_TRIGGER: Final = """
CREATE FUNCTION es.restoring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := CASE {cases} END;
    RETURN NEW;
END $$;
CREATE TRIGGER restoring BEFORE INSERT ON es.event FOR EACH ROW EXECUTE FUNCTION es.restoring();
"""
# A call has the id of the transaction that wrote it last; the lists go through all calls after a restore.
_CALLS_HAVE_IDS: Final = """
SELECT EXISTS (SELECT FROM information_schema.columns
               WHERE table_schema = 'intake' AND table_name = 'call' AND column_name = 'xid')
"""
_CALLS_TRIGGER: Final = """
CREATE FUNCTION intake.restoring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := '2';
    RETURN NEW;
END $$;
CREATE TRIGGER restoring BEFORE INSERT ON intake.call FOR EACH ROW EXECUTE FUNCTION intake.restoring();
"""
_NO_TRIGGERS: Final = """
DROP TRIGGER restoring ON es.event;
DROP FUNCTION es.restoring();
DROP FUNCTION IF EXISTS intake.restoring() CASCADE;
"""
_SENT: Final = (
    "WHEN {of_shard} AND pg_visible_in_snapshot(NEW.xid, '{snapshot}'::pg_snapshot) THEN '{xid}'::xid8"
)
_OPEN_LIVES: Final = """
UPDATE es.event e SET xid = '3' FROM es.stream s
WHERE s.stream_id = e.stream_id AND s.state::json -> 'ended' IS NULL
"""
# Of a head that PostgreSQL cannot read nobody knows that its life has ended: it is told again. The backup may be of
# a system that had no `es.json_of` yet.
_JSON_OF: Final = """
CREATE FUNCTION pg_temp.json_of(p_text text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    found json;
BEGIN
    found := p_text::json;
    PERFORM found ->> '';
    RETURN found;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$
"""
_OPEN_LIVES_CAREFULLY: Final = _OPEN_LIVES.replace("s.state::json", "pg_temp.json_of(s.state)")
_RELAYS: Final = "SELECT shard, batch, snap_a::text, snap_b::text FROM es.relay ORDER BY shard"
_STAYS_OPEN: Final = """
UPDATE es.relay SET epoch = epoch + 1, snap_a = '2:2:', snap_b = '3:3:' WHERE shard = $1
"""
_BEGINS: Final = """
UPDATE es.relay SET epoch = epoch + 1, snap_a = '3:3:', snap_b = NULL, pos = 0, batch = $2 WHERE shard = $1
"""
_PARKED: Final = """
UPDATE es.parked SET kafka_offset = -parked_id, topic = $3::text || substr(topic, length($4::text) + 1)
WHERE NOT $1::bool OR topic = ANY ($2::text[])
"""

_TELLS_RESULTS: Final = "SELECT to_regclass('es.parking_notice') IS NOT NULL"
# Numbers of transactions count anew on this server: 1 is what speakers were told of, 3 what they are still to hear.
_NOTICES: Final = """
UPDATE es.parking_notice n SET topic = $1::text || substr(topic, length($2::text) + 1),
    xid = CASE WHEN pg_visible_in_snapshot(n.xid, r.snap_a) THEN '1'::xid8 ELSE '3'::xid8 END
FROM es.parking_relay r
"""
_REFUSED: Final = "UPDATE es.refused_input SET topic = $1::text || substr(topic, length($2::text) + 1)"
_RESULTS_BEGIN: Final = "UPDATE es.parking_relay SET snap_a = '2:2:'"
_TELLS_PROGRAMMES: Final = "SELECT to_regclass('es.programme_relay') IS NOT NULL"
_PROGRAMMES: Final = """
UPDATE es.programme_fact f
SET xid = CASE WHEN pg_visible_in_snapshot(f.xid, r.snap_a) THEN '1'::xid8 ELSE '3'::xid8 END
FROM es.programme_relay r
"""
_PROGRAMMES_BEGIN: Final = "UPDATE es.programme_relay SET snap_a = '2:2:'"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a restore."""

    city: str
    made_at: datetime
    ruleset: str
    complaints: int
    facts: int
    same_kafka: bool
    """Whether the desks go on in the topics they were in; else they begin anew, and open lives are told again."""
    sent_again: int
    """Facts the relay will send."""


class _Relay(NamedTuple):
    """How one relay goes on."""

    shard: int
    batch: int
    stays_open: bool
    """It sends its open batch again, with the marks it had."""
    cases: tuple[tuple[str, int], ...]
    """A fact visible in this snapshot gets this id, the first that holds; 3 where none does."""


class _Plan(NamedTuple):
    """How the restored log goes on with this Kafka."""

    same_kafka: bool
    gone: list[str]
    """Topics that are not those the offsets are of, where it is the same Kafka."""
    position: int
    """As far as the last messages in complaints.log go."""
    relays: tuple[_Relay, ...]


async def restore(
    addresses: Addresses,
    folder: Path,
    name: str,
    units: Iterable[str],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[CityEndpoints, Restored]:
    """Make a city of this name from a backup; there whole or not at all. No process of the old one may still run.

    Raises `UserError` where the server has such a city, or the backup is not what it was.
    """
    manifest = manifest_of(folder)
    dump = folder / DUMP_FILE
    if not dump.exists() or await asyncio.to_thread(_sha256, dump) != manifest.dump_sha256:
        raise UserError(f"{dump} is not what was backed up: its SHA-256 is not the one in {MANIFEST_FILE}.")
    making = f"{name}_restoring"
    async with _admin(addresses, name, making) as admin:
        await admin.execute(f'CREATE DATABASE "{making}"')
        dsn = addresses.database(making)
        options = ("--no-owner", "--exit-on-error", f"--dbname={making}")
        say("its tables …")
        await _run("pg_restore", dsn, *options, "--section=pre-data", str(dump))
        early = ("--section=data", "--schema=es", "--table=relay", "--table=consumer_offset")
        await _run("pg_restore", dsn, *options, *early, str(dump))
        prefix, old = prefix_of(name), prefix_of(manifest.city)
        plan = await _planned(dsn, addresses.kafka, manifest, prefix, old)
        say("its facts …")
        await _run("pg_restore", dsn, *options, "--section=data", f"--jobs={JOBS}", str(dump))
        await _adapt(dsn, plan, prefix, old)
        say("its indexes …")
        await _run("pg_restore", dsn, *options, "--section=post-data", f"--jobs={JOBS}", str(dump))
        await migrate(dsn)
        sent_again = await _told(dsn, prefix, old)
        await admin.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    endpoints = await create(addresses, name, units, retention=manifest.retention)
    return endpoints, Restored(
        city=name,
        made_at=manifest.made_at,
        ruleset=manifest.ruleset,
        complaints=manifest.complaints,
        facts=manifest.facts,
        same_kafka=plan.same_kafka,
        sent_again=sent_again,
    )


@asynccontextmanager
async def _admin(addresses: Addresses, name: str, making: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The server, with the roles a city grants to, without such a city; what is half made goes again."""
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            raise UserError(
                f"This server has a city '{name}': restore under another name, or remove it first."
            )
        async with admin.transaction():
            await admin.execute(f"SELECT pg_advisory_xact_lock({ROLES})")
            for role in sorted({role for roles in GRANTED.values() for role in roles}):
                if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                    await admin.execute(f'CREATE ROLE "{role}" NOLOGIN')
        drop = f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)'
        await admin.execute(drop)
        try:
            yield admin
        except BaseException:
            await admin.execute(drop)
            raise
    finally:
        await admin.close()


async def _planned(dsn: str, kafka: str, manifest: Manifest, prefix: str, old: str) -> _Plan:
    """The handling of the facts that come in next, by the relays and offsets that are in already.

    Those are taken out again; they come with the rest.
    """
    connection = await asyncpg.connect(dsn)
    try:
        taken = await connection.fetch(
            "SELECT topic, part, max(next_offset) FROM es.consumer_offset GROUP BY 1, 2"
        )
        relays = await connection.fetch(_RELAYS)
        plan = await _plan(relays, taken, kafka, manifest, prefix, old)
        cases = [
            _SENT.format(
                of_shard=f"es.relay_shard(NEW.stream_id, {len(relays)}) = {relay.shard}"
                if len(relays) > 1
                else "true",
                snapshot=snapshot,
                xid=xid,
            )
            for relay in plan.relays
            for snapshot, xid in relay.cases
        ]
        await connection.execute("TRUNCATE es.relay, es.consumer_offset")
        await connection.execute(_TRIGGER.format(cases=" ".join([*cases, "ELSE '3'::xid8"])))
        if await connection.fetchval(_CALLS_HAVE_IDS):
            await connection.execute(_CALLS_TRIGGER)
        return plan
    finally:
        await connection.close()


async def _plan(
    relays: Sequence[Any], taken: Sequence[Any], kafka: str, manifest: Manifest, prefix: str, old: str
) -> _Plan:
    log = prefix + COMPLAINTS_LOG.name
    parts = [(log, part) for part in range(COMPLAINTS_LOG.partitions)]
    ends = await ends_of(kafka, {*((row[0], row[1]) for row in taken), *parts})
    gone = {row[0] for row in taken if ends.get((row[0], row[1]), -1) < row[2]}
    same = (
        prefix == old
        and await _cluster(kafka) == manifest.kafka_cluster
        and log not in gone
        and all(part in ends for part in parts)
    )
    marks = [await _last_mark(kafka, *part) for part in parts] if same else []
    made = []
    for shard, batch, snap_a, snap_b in relays:
        sent = max((batch for batch, _ in marks[shard :: len(relays)]), default=0)
        stays_open = same and snap_b is not None and sent <= batch
        cases: tuple[tuple[str, int], ...]
        if stays_open:
            cases = ((snap_a, 1), (snap_b, 2))
        elif same and snap_b is not None:
            cases = ((snap_b, 1),)  # a later batch was sent, so this one was sent whole before
        else:
            cases = ((snap_a, 1),)
        made.append(_Relay(shard, max(batch, sent), stays_open, cases))
    return _Plan(same, sorted(gone), max((at for _, at in marks), default=0), tuple(made))


async def _last_mark(kafka: str, topic: str, part: int) -> tuple[int, int]:
    record = await last_record(kafka, topic, part, lambda found: mark_of(found.headers) is not None)
    return (mark_of(record.headers) if record is not None else None) or (0, 0)


async def _adapt(dsn: str, plan: _Plan, prefix: str, old: str) -> None:
    """The other tables made true for this server and this Kafka, before there are triggers and indexes."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(_NO_TRIGGERS)
            for relay in plan.relays:
                if relay.stays_open:
                    await connection.execute(_STAYS_OPEN, relay.shard)
                else:
                    await connection.execute(_BEGINS, relay.shard, relay.batch)
            anew = (plan.same_kafka, plan.gone)
            await connection.execute(
                "DELETE FROM es.consumer_offset WHERE NOT $1::bool OR topic = ANY ($2::text[])", *anew
            )
            # An offset of a topic that begins anew comes again, and what is parked by then is another message.
            await connection.execute(_PARKED, *anew, prefix, old)
            if await connection.fetchval(_TELLS_RESULTS):
                for statement in (_NOTICES, _REFUSED):
                    await connection.execute(statement, prefix, old)
                await connection.execute(_RESULTS_BEGIN)
            if await connection.fetchval(_TELLS_PROGRAMMES):
                await connection.execute(_PROGRAMMES)
                await connection.execute(_PROGRAMMES_BEGIN)
            if plan.same_kafka:
                # Facts that are no more have marks beyond the backup's; none of ours may seem to be before them.
                await connection.execute(
                    "SELECT setval('es.position_seq', $1::bigint) FROM es.position_seq WHERE last_value < $1::bigint",
                    plan.position + POSITIONS_AHEAD,
                )
            else:
                await _tell_open_lives_again(connection)
    finally:
        await connection.close()


async def _tell_open_lives_again(connection: asyncpg.Connection[Any]) -> None:
    try:
        async with connection.transaction():
            await connection.execute(_OPEN_LIVES)
    except CANNOT_BE_READ:
        await connection.execute(_JSON_OF)
        await connection.execute(_OPEN_LIVES_CAREFULLY)


async def _told(dsn: str, prefix: str, old: str) -> int:
    """An anchor says that the log was put back: what was anchored after the backup is of a log that is no more.

    How many facts the relay will send.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("ANALYZE")
        await renamed(connection, prefix, old)
        known = await connection.fetchrow(
            "SELECT number, last, hash FROM es.anchor ORDER BY number DESC LIMIT 1"
        )
        number, last, previous = (known[0], known[1], known[2].hex()) if known else (0, 0, NOTHING)
        await put(
            connection,
            Anchor(
                number=number + 1,
                anchored_at=SystemClock().now(),
                first=last + 1,
                last=last,
                facts=0,
                root=NOTHING,
                previous=previous,
                restored=True,
            ),
        )
        owed: int = await connection.fetchval("SELECT count(*) FROM es.event WHERE xid > '1'::xid8")
        return owed
    finally:
        await connection.close()
