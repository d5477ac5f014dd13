"""A city being served: leave its supervisor running, wait until it hears, see how far behind it is."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from hotline.realm import Realm
from hotline.stack.errors import StackError
from hotline.where import folder
from shared.topics import COMPLAINTS_LOG, FEEDBACK_ANSWERS, INTAKE_REQUESTS, TELEPHONY_CALLS

OPEN_SECONDS_MAX: Final = 60.0

_DOORS: Final = {
    "intake": (INTAKE_REQUESTS.name, TELEPHONY_CALLS.name),
    "dispatch": (COMPLAINTS_LOG.name,),
    "feedback": (COMPLAINTS_LOG.name, FEEDBACK_ANSWERS.name),
}


def leave_running(city: str) -> None:
    """Start the city's supervisor so that it outlives this command; `hotline down` ends it."""
    log = folder() / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        subprocess.Popen(  # noqa: S603 -- ourselves
            [sys.executable, "-m", "hotline", "supervise", city],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "HOTLINE_STACK": str(folder().absolute())},
            start_new_session=True,
        )


async def wait_until_open(realm: Realm) -> None:
    """Until every desk has its partitions and the relay has its shard.

    A desk that gets a partition looks its place up in the log first, so the row says that it hears.
    """
    give_up_at = time.monotonic() + OPEN_SECONDS_MAX
    connection = await asyncpg.connect(realm.owner_dsn)
    try:
        expected = {(desk, realm.prefix + topic) for desk, topics in _DOORS.items() for topic in topics}
        while time.monotonic() < give_up_at:
            rows = await connection.fetch("SELECT DISTINCT consumer, topic FROM es.consumer_offset")
            owned = await connection.fetchval("SELECT epoch > 0 FROM es.relay WHERE shard = 0")
            if owned and expected <= {(row[0], row[1]) for row in rows}:
                return
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    message = f"The services did not open within {OPEN_SECONDS_MAX:.0f} s; their logs are in {folder()}/logs."
    raise StackError(message)


async def behind(realm: Realm) -> dict[str, int]:
    """For each desk how many messages lie in Kafka that it has not taken in."""
    connection = await asyncpg.connect(realm.logins["reader"])
    try:
        rows = await connection.fetch("SELECT consumer, topic, part, next_offset FROM es.consumer_offset")
        drained = await connection.fetchval("SELECT es.drained()")
    finally:
        await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=realm.kafka)
    await consumer.start()
    try:
        partitions = sorted({TopicPartition(row[1], row[2]) for row in rows})
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions) if partitions else {}
    finally:
        await consumer.stop()
    lag: dict[str, int] = {}
    for desk, topic, part, offset in rows:
        lag[desk] = lag.get(desk, 0) + ends[TopicPartition(topic, part)] - offset
    lag["relay"] = 0 if drained else 1
    return lag


async def counts(realm: Realm) -> dict[str, int]:
    """What the log holds, in a few numbers."""
    connection = await asyncpg.connect(realm.logins["reader"])
    try:
        row = await connection.fetchrow(
            """
            SELECT (SELECT count(*) FROM es.stream) AS complaints,
                   (SELECT count(*) FROM es.stream WHERE state::json -> 'ended' IS NULL) AS open,
                   (SELECT count(*) FROM es.event) AS facts,
                   (SELECT count(*) FROM es.timer) AS timers,
                   (SELECT count(*) FROM es.parked) AS parked,
                   (SELECT count(*) FROM intake.call) AS calls
            """
        )
    finally:
        await connection.close()
    return dict(row) if row is not None else {}
