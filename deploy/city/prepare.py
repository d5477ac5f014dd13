"""`python -m deploy.city.prepare [database] [logins] [kafka]`: brings a deployed city up to date before it serves.

`database` migrates and says how many relays share the log. `logins` gives each process its role. `kafka` makes topics
and logins. Where an operator makes roles, topics and users, only `database` is left. Run it as often as you like.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from ssl import SSLCertVerificationError
from typing import Final

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import kafka_logins, kafka_rights, making
from deploy.city.deployed import Settings, admin_address, owner_dsn, secret
from deploy.city.endpoints import GRANTED, prefix_of
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.runtime.errors import UserError, not_believed
from shared.topic_names import names

STEPS: Final = ("database", "logins", "kafka")
SERVERS_SECONDS_MAX: Final = 120.0
"""How long it waits for a server that does not answer yet: those of a compose file start beside it."""
ASKED_AGAIN_SECONDS: Final = 3.0
"""After how long without an answer Kafka is asked anew."""


async def prepare(settings: Settings, steps: Sequence[str] = STEPS) -> None:
    """Do these steps in their order; `UserError` says in one sentence what is missing."""
    await _answers(settings)
    if "database" in steps:
        await _database(settings)
    if "logins" in steps:
        await _logins(settings)
    if "kafka" in steps:
        await _kafka(settings)


async def _answers(settings: Settings) -> None:
    """Wait for PostgreSQL; raises the last `OSError` or `PostgresError`. A certificate that does not hold ends it."""
    give_up_at = time.monotonic() + SERVERS_SECONDS_MAX
    while True:
        try:
            await (await asyncpg.connect(_owner(settings), timeout=5)).close()
        except SSLCertVerificationError as error:
            raise UserError(not_believed(error)) from None  # no waiting makes it another certificate
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.InvalidCatalogNameError):
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(1)
        else:
            return


async def _database(settings: Settings) -> None:
    dsn = _owner(settings)
    await making.migrate(dsn)
    owner = await asyncpg.connect(dsn)
    try:
        known = await owner.fetchval("SELECT count(*) FROM es.relay")
        if known != settings.relay_shards:
            await owner.execute("SELECT es.set_relay_shards($1)", settings.relay_shards)
    finally:
        await owner.close()
    print(f"the database of {settings.name} is up to date, {settings.relay_shards} relays share its log")


async def _logins(settings: Settings) -> None:
    dsn = _owner(settings)
    passwords = {login: _needed(settings, f"postgres-{login}") for login in GRANTED}
    owner = await asyncpg.connect(dsn)
    try:
        await making.make_logins(owner, dsn, passwords)
    finally:
        await owner.close()
    print(f"{len(passwords)} logins in PostgreSQL")


async def _kafka(settings: Settings) -> None:
    admin = admin_address(settings)
    if admin is None:
        raise UserError(f"{settings.secrets / 'kafka-admin'} is missing: the password of Kafka's admin.")
    prefix = prefix_of(settings.name)
    passwords = {name: _needed(settings, f"kafka-{name}") for name in kafka_rights.PRINCIPALS}
    passwords |= {
        role: password
        for role in kafka_rights.PLAIN_LOGINS
        if (password := secret(settings, f"kafka-{role}")) is not None
    }
    wanted = names(prefix, catalogue(settings.catalogue).units)
    await _kafka_answers(admin)
    await making.make_topics(admin, wanted, retention=settings.retention)
    await asyncio.to_thread(kafka_logins.make, admin, settings.name, prefix, passwords)
    print(f"{len(wanted)} topics and {len(passwords)} logins in Kafka")


async def _kafka_answers(admin: str) -> None:
    """Wait for Kafka. A client of its own each time: one that was refused waits longer before it asks again."""

    def ask() -> None:
        AdminClient(kafka_address.librdkafka(admin)).list_topics(timeout=ASKED_AGAIN_SECONDS)

    give_up_at = time.monotonic() + SERVERS_SECONDS_MAX
    while True:
        try:
            await asyncio.to_thread(ask)
        except KafkaException as error:
            if time.monotonic() > give_up_at:
                raise UserError(f"Kafka does not answer: {error.args[0].str()}") from error
            await asyncio.sleep(1)
        else:
            return


def _owner(settings: Settings) -> str:
    dsn = owner_dsn(settings)
    if dsn is None:
        raise UserError(
            f"{settings.secrets / 'postgres-owner'} is missing: the password of the database's owner."
        )
    return dsn


def _needed(settings: Settings, name: str) -> str:
    password = secret(settings, name)
    if password is None:
        raise UserError(f"{settings.secrets / name} is missing: the password of that login.")
    return password


if __name__ == "__main__":
    asked = sys.argv[1:] or list(STEPS)
    if set(asked) - set(STEPS):
        sys.exit(__doc__)
    try:
        asyncio.run(prepare(Settings(), asked))
    except (UserError, OSError, asyncpg.PostgresError) as error:
        sys.exit(f"deploy.city.prepare: {error}")
