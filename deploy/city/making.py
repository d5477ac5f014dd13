"""Makes a city on a stack: its database, its logins, its topics."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import kafka_logins
from deploy.city.endpoints import GRANTED, CityEndpoints, prefix_of
from deploy.embedded.stack import Addresses
from shared.runtime import kafka_address, postgres_address
from shared.runtime.errors import UserError
from shared.runtime.topic_admin import make_missing
from shared.topic_names import names
from shared.topics import Topic


async def create(
    addresses: Addresses,
    name: str,
    units: Iterable[str],
    *,
    retention: bool = True,
    simulated: bool = False,
) -> CityEndpoints:
    """Make the city's database and topics, or bring an older one up to date.

    `simulated`: it is the laboratory's, where one login plays everybody outside.
    """
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await admin.execute(f'CREATE DATABASE "{name}"')
        await migrate(addresses.database(name))
        logins = await make_logins(admin, addresses.database(name))
    finally:
        await admin.close()
    prefix = prefix_of(name)
    await make_topics(addresses.kafka, names(prefix, units), retention=retention)
    return CityEndpoints(
        name=name,
        kafka=addresses.kafka,
        owner_dsn=addresses.database(name),
        logins=logins,
        kafka_logins=await asyncio.to_thread(
            kafka_logins.make, addresses.kafka, name, prefix, simulated=simulated
        ),
        zipkin=addresses.zipkin,
    )


async def migrate(dsn: str) -> None:
    """Bring a database to the newest schema; a second one at the same time waits."""
    dbmate = Path(sys.executable).with_name("dbmate")
    program = str(dbmate) if dbmate.exists() else shutil.which("dbmate")
    if program is None:
        message = "dbmate is not installed: run `uv sync` in the project's folder"
        raise UserError(message)
    migrations = files("deploy").joinpath("migrations")
    process = await asyncio.create_subprocess_exec(
        program,
        "--no-dump-schema",
        "--migrations-dir",
        str(migrations),
        "--migration-lock",
        "migrate",
        # In the environment, not on the command line: that would show the password to everybody.
        env={**os.environ, "DATABASE_URL": postgres_address.saying_how(dsn)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        message = f"the database could not be migrated: {output.decode(errors='replace').strip()[-800:]}"
        raise UserError(message)


async def make_logins(
    admin: asyncpg.Connection[asyncpg.Record], dsn: str, passwords: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Each of `GRANTED` with its password, else with a new one, as a DSN; `dsn` is the owner's of the city's database.

    Roles belong to the whole server, so the city's name stands in them.
    """
    logins: dict[str, str] = {}
    database = urlsplit(dsn).path[1:]
    for process, granted in GRANTED.items():
        # Not just `_{process}`: the city `hotline` would take the names of the roles that are granted.
        role = f"{database}_{process}_login"
        password = passwords[process] if passwords else secrets.token_urlsafe(24)
        known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        verb = "ALTER" if known else "CREATE"
        quoted = password.replace("'", "''")
        await admin.execute(f"{verb} ROLE \"{role}\" LOGIN PASSWORD '{quoted}'")
        await admin.execute(f'GRANT {", ".join(granted)} TO "{role}"')
        logins[process] = postgres_address.with_login(dsn, role, password)
    return logins


async def make_topics(kafka: str, wanted: Mapping[str, Topic], *, retention: bool = True) -> None:
    """Make the topics that are missing, and wait until all can be seen."""
    try:
        await asyncio.to_thread(make_missing, kafka, wanted, retention=retention)
    except KafkaException as error:
        raise UserError(error.args[0].str()) from error
    admin = AdminClient(kafka_address.librdkafka(kafka))
    seen: set[str] = set()
    while not set(wanted) <= seen:  # in another process, nobody could tell us
        seen = set((await asyncio.to_thread(admin.list_topics, timeout=30)).topics)
        await asyncio.sleep(0 if set(wanted) <= seen else 0.05)
