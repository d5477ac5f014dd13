"""A unit's way into a city: its two topics and a login that may use them."""

from __future__ import annotations

import asyncio

from deploy.city.city import Realm, make_topics
from deploy.city.kafka_logins import add_unit, group_of
from shared.runtime import kafka_address
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES


async def admit(realm: Realm, unit: str) -> dict[str, str]:
    """Make its topics and a new login; the settings of a client of Kafka, and where the unit reads and writes.

    A login it had before is void. Raises `UserError` where Kafka refuses.
    """
    lines = (DISPATCH_ORDERS, DISPATCH_REPLIES)
    await make_topics(realm.kafka, {realm.prefix + line.of(unit): line for line in lines})
    login = kafka_address.parsed(
        await asyncio.to_thread(add_unit, realm.kafka, realm.name, realm.prefix, unit)
    )
    return {
        "bootstrap.servers": login.servers,
        "security.protocol": login.protocol,
        "sasl.mechanism": login.mechanism,
        "sasl.username": login.user,
        "sasl.password": login.password,
        "orders": realm.prefix + DISPATCH_ORDERS.of(unit),
        "replies": realm.prefix + DISPATCH_REPLIES.of(unit),
        "group.id": f"{group_of(realm.prefix, unit)}desk",
    }
