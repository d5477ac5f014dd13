"""Lets a system of somebody else into a city, and out again: a login of a role, with the topics it alone speaks on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import kafka_logins
from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import OPERATOR, Login
from deploy.city.making import make_topics
from shared.runtime import kafka_address
from shared.runtime.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """All that a system must know to connect."""

    login: Login
    address: str
    """Kafka's address with the login and its password."""
    writes: Mapping[str, int]
    """The topics it may write, each with its number of partitions."""
    reads: tuple[str, ...]
    groups: str
    """The beginning of the names of its consumer groups; empty where it hears nothing."""


async def admit(endpoints: CityEndpoints, login: Login) -> Admission:
    """Make a login that the city does not have, with its own topics; `UserError` where it has it, or Kafka refuses."""
    if login in await listed(endpoints):
        raise UserError(
            f"The login {login.principal} is there already. `hotline login renew {_typed(login)}` gives it another "
            "password; then the old one is void."
        )
    return await _let_in(endpoints, login)


async def renew(endpoints: CityEndpoints, login: Login) -> Admission:
    """Give a login that the city has another password; the old one is void. `UserError` where the city has it not."""
    await _demand(endpoints, login)
    return await _let_in(endpoints, login)


async def expel(endpoints: CityEndpoints, login: Login) -> None:
    """Take away a login that the city has; its topics stay. `UserError` where the city has it not."""
    await _demand(endpoints, login)
    await asyncio.to_thread(kafka_logins.drop, endpoints.kafka, endpoints.name, login)


async def own_topic(endpoints: CityEndpoints, login: Login) -> None:
    """Make the topics of a login with a name that are not there; `UserError` where nobody here may make topics.

    A plain login speaks on a topic that every city has.
    """
    spoken = {endpoints.prefix + topic: line for topic, line in login.topics_spoken.items()}
    missing = set(spoken) - await asyncio.to_thread(_topics_of, endpoints)
    if not missing:
        return
    if kafka_address.parsed(endpoints.kafka).user == f"{endpoints.name}-{OPERATOR}":
        raise UserError(f"{', '.join(sorted(missing))} is missing, and only Kafka's admin makes topics.")
    used = login.topics_heard | login.topics_spoken
    await make_topics(endpoints.kafka, {endpoints.prefix + topic: line for topic, line in used.items()})


def _topics_of(endpoints: CityEndpoints) -> set[str]:
    try:
        return set(AdminClient(kafka_address.librdkafka(endpoints.looks)).list_topics(timeout=30).topics)
    except KafkaException as error:
        raise UserError(f"Kafka did not say which topics it has: {error.args[0].str()}.") from error


async def listed(endpoints: CityEndpoints) -> list[Login]:
    """The logins of roles that the city has; `UserError` where nobody here may ask Kafka that."""
    if not endpoints.kafka or kafka_address.parsed(endpoints.kafka).user == f"{endpoints.name}-{OPERATOR}":
        raise UserError(_NO_ADMIN)
    return await asyncio.to_thread(kafka_logins.known, endpoints.kafka, endpoints.name)


_NO_ADMIN: Final = (
    "Logins are made by Kafka's admin, whose password is not here. In compose, secrets/kafka-ROLE holds the password "
    "of each role's login. In Kubernetes, Strimzi keeps it in the secret of the KafkaUser."
)


async def _demand(endpoints: CityEndpoints, login: Login) -> None:
    if login not in await listed(endpoints):
        raise UserError(
            f"The city has no login {login.principal}: `hotline login list` shows those it has, "
            f"`hotline login add {_typed(login)}` makes it."
        )


async def _let_in(endpoints: CityEndpoints, login: Login) -> Admission:
    prefix = endpoints.prefix
    used = login.topics_heard | login.topics_spoken
    await make_topics(endpoints.kafka, {prefix + topic: line for topic, line in used.items()})
    address = await asyncio.to_thread(kafka_logins.add, endpoints.kafka, endpoints.name, prefix, login)
    return Admission(
        login=login,
        address=kafka_address.moved(address, endpoints.reached) if endpoints.reached else address,
        writes={prefix + topic: line.partitions for topic, line in login.topics_spoken.items()},
        reads=tuple(prefix + topic for topic in login.topics_heard),
        groups=login.groups(prefix),
    )


def _typed(login: Login) -> str:
    return f"{login.role} {login.name}".rstrip()
