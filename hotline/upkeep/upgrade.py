"""The steps that a city needs before the processes of this release may serve it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from importlib.resources import files
from typing import Final, NamedTuple

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city.endpoints import GRANTED
from deploy.city.registry import City
from shared.log.reading import reader
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.topic_names import names

ANSWER_SECONDS_MAX: Final = 30
NAMED_MAX: Final = 5
"""Names told of what is missing; the rest is a number."""
_MIGRATED: Final = "SELECT version FROM public.schema_migrations"
_ROLES: Final = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, current_database() || '_')"


class UpgradeStep(NamedTuple):
    """One thing to do, and how."""

    what: str
    how: str


async def steps(city: City) -> list[UpgradeStep]:
    """All of them, in the order in which they are to be done; empty where processes may start.

    `UserError` where the database is of a later release than this one, or Kafka does not answer.
    """
    connection = await reader(city.endpoints.login("reader"))
    try:
        migrated = {row[0] for row in await connection.fetch(_MIGRATED)}
        roles = {row[0] for row in await connection.fetch(_ROLES)}
        database: str = await connection.fetchval("SELECT current_database()")
    except asyncpg.InsufficientPrivilegeError:
        # The grant is a migration itself: a database that has not had it needs that one at least.
        return [UpgradeStep("migrations: the database has not had 0055 and perhaps others", _DATABASE)]
    finally:
        await connection.close()
    if later := sorted(migrated - known_migrations()):
        raise UserError(
            f"The database is of a later release: it has had {_some(later)}, which this one has not."
        )
    wanted = names(city.endpoints.prefix, catalogue(city.catalogue).units)
    there = await asyncio.to_thread(_topics, city.endpoints.looks)
    missing = (
        ("migrations", sorted(known_migrations() - migrated), _DATABASE),
        ("logins in PostgreSQL", sorted({f"{database}_{login}_login" for login in GRANTED} - roles), _LOGINS),
        ("topics in Kafka", sorted(wanted.keys() - there), _KAFKA),
    )
    return [UpgradeStep(f"{what}: {_some(lacking)}", how) for what, lacking, how in missing if lacking]


_DATABASE: Final = "`hotline up`, or `python -m deploy.city.prepare database` before any process is replaced"
_LOGINS: Final = "`hotline up`, or `python -m deploy.city.prepare logins`"
_KAFKA: Final = "`hotline up`, or `python -m deploy.city.prepare kafka`"


def known_migrations() -> set[str]:
    """The numbers of this release's migrations."""
    listed = files("deploy").joinpath("migrations").iterdir()
    return {file.name.partition("_")[0] for file in listed if file.name.endswith(".sql")}


def _topics(kafka: str) -> Collection[str]:
    try:
        admin = AdminClient(kafka_address.librdkafka(kafka))
        found: Collection[str] = admin.list_topics(timeout=ANSWER_SECONDS_MAX).topics
    except KafkaException as error:
        raise UserError(f"Kafka does not say which topics there are: {error.args[0].str()}") from error
    return found


def _some(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
