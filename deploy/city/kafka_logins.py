"""Rights in Kafka: a login for each process of a city and each unit, with the rights of the table of topics.

One principal a desk, one a unit. Where Kafka asks nobody who he is (an address without a login) there are none.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from shared.doors.heard import by_login
from shared.ids import TOGETHER
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.topics import COMPLAINTS_ANCHORS, DISPATCH_ORDERS, DISPATCH_REPLIES, RESULTS, TOPICS, UNIT, Topic

DESKS: Final = ("intake", "dispatch", "escalation", "feedback")
OUTSIDE: Final = "outside"
"""Everybody who is no part of the system, in one: the simulated city, the bench, `hotline call` and `hotline unit`."""
PRINCIPALS: Final = (*DESKS, TOGETHER, "relay", OUTSIDE)
ITERATIONS: Final = 4096
"""The least Kafka takes: the passwords are random and long, more would add nothing but work."""
ANSWER_SECONDS_MAX: Final = 120
"""A broker that has just started on a busy machine needed more than 30 s to know a new login."""
ASKED_AGAIN_SECONDS: Final = 10


class Grant(NamedTuple):
    """One thing a principal may do."""

    what: ResourceType
    name: str
    prefixed: bool
    """Whether the name stands for all that begin with it."""
    may: AclOperation


def make(kafka: str, city: str, prefix: str, passwords: Mapping[str, str] | None = None) -> dict[str, str]:
    """An address with a login for each of `PRINCIPALS`, with its password, else with a new one each time. Blocks.

    Raises `UserError` where Kafka refuses.
    """
    if not kafka_address.parsed(kafka).user:
        return dict.fromkeys(PRINCIPALS, kafka)
    return _made(kafka, {f"{city}-{name}": (name, granted(name, prefix)) for name in PRINCIPALS}, passwords)


def add_unit(kafka: str, city: str, prefix: str, unit: str) -> str:
    """An address with the unit's own login, a new password whenever it is asked for. Blocks; raises as `make`."""
    if not kafka_address.parsed(kafka).user:
        return kafka
    return _made(kafka, {f"{city}-unit-{unit}": (unit, granted_unit(unit, prefix))})[unit]


def granted_unit(unit: str, prefix: str) -> list[Grant]:
    """The rights of a unit: its orders, its replies, consumer groups of its own."""
    return [
        _of_topic(prefix + DISPATCH_ORDERS.of(unit), AclOperation.READ),
        _of_topic(prefix + DISPATCH_REPLIES.of(unit), AclOperation.WRITE),
        Grant(ResourceType.GROUP, group_of(prefix, unit), True, AclOperation.READ),  # noqa: FBT003
    ]


def group_of(prefix: str, unit: str) -> str:
    """The beginning of the names of a unit's consumer groups."""
    return f"{prefix}unit.{unit}."


def remove(kafka: str, city: str) -> None:
    """Take away every login and rule of a city. Blocks."""
    if not kafka_address.parsed(kafka).user:
        return
    admin = AdminClient(kafka_address.librdkafka(kafka))
    known: Any = admin.describe_user_scram_credentials(request_timeout=ANSWER_SECONDS_MAX)
    users = [user for user in known.result() if user.startswith(f"{city}-")]
    alterations: list[UserScramCredentialAlteration] = [
        UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in users
    ]
    if alterations:
        _answered(admin.alter_user_scram_credentials(alterations))
        _answered(admin.delete_acls([_all_of(user) for user in users], request_timeout=ANSWER_SECONDS_MAX))


def _all_of(user: str) -> AclBindingFilter:
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name
        ResourcePatternType.ANY,
        f"User:{user}",
        None,  # type: ignore[arg-type]  # any host
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def granted(name: str, prefix: str) -> list[Grant]:
    """The rights of a principal of a city, from the table of topics."""
    if name == TOGETHER:
        shared = Grant(ResourceType.GROUP, f"{prefix}{TOGETHER}.", True, AclOperation.READ)  # noqa: FBT003
        return [shared, *(grant for desk in DESKS for grant in granted(desk, prefix))]
    if name in DESKS:
        lines = (line for line in TOPICS if name in line.hearers)
        heard = [grant for line in lines for grant in _of_line(line, prefix, AclOperation.READ)]
        return [Grant(ResourceType.GROUP, f"{prefix}{name}.", True, AclOperation.READ), *heard]  # noqa: FBT003
    if name == "relay":
        may = {line: [AclOperation.WRITE] for line in TOPICS if line.speaker == "relay"}
        may[COMPLAINTS_ANCHORS].append(AclOperation.READ)  # goes on from its own last line
        for line in TOPICS:
            # A unit new to the catalogue gets its two topics from who first has something for it; so does a login's
            # topic of results.
            if line.per_unit or line.name in RESULTS:
                may.setdefault(line, []).append(AclOperation.CREATE)
        return [grant for line, what in may.items() for one in what for grant in _of_line(line, prefix, one)]
    return [
        grant
        for line in TOPICS
        for grant in _of_line(
            line, prefix, AclOperation.READ if line.speaker == "relay" else AclOperation.WRITE
        )
    ]


def _of_line(line: Topic, prefix: str, may: AclOperation) -> list[Grant]:
    """On every topic of a line: those of units, and beside a plain one those of logins."""
    plain = prefix + line.name.removesuffix(UNIT)
    if line.per_unit:
        return [Grant(ResourceType.TOPIC, plain, True, may)]  # noqa: FBT003
    own = [Grant(ResourceType.TOPIC, f"{plain}.", True, may)] if by_login(line) else []  # noqa: FBT003
    return [_of_topic(plain, may), *own]


def _of_topic(name: str, may: AclOperation) -> Grant:
    return Grant(ResourceType.TOPIC, name, False, may)  # noqa: FBT003


def _made(
    kafka: str, users: Mapping[str, tuple[str, Sequence[Grant]]], told: Mapping[str, str] | None = None
) -> dict[str, str]:
    admin = AdminClient(kafka_address.librdkafka(kafka))
    passwords = {user: told[name] if told else secrets.token_urlsafe(24) for user, (name, _) in users.items()}
    logins = {
        name: kafka_address.with_login(kafka, user, passwords[user]) for user, (name, _) in users.items()
    }
    rules = [
        AclBinding(
            grant.what,
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            grant.may,
            AclPermissionType.ALLOW,
        )
        for user, (_, grants) in users.items()
        for grant in dict.fromkeys(grants)
    ]
    _answered(admin.create_acls(rules, request_timeout=ANSWER_SECONDS_MAX))
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    alterations: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, scram, password.encode()) for user, password in passwords.items()
    ]
    _answered(admin.alter_user_scram_credentials(alterations))
    *_, last = logins.values()
    _wait_for(last)
    return logins


def _wait_for(login: str) -> None:
    """Until the broker knows this login too: the controller answers first, and the broker learns in the same order."""
    until = time.monotonic() + ANSWER_SECONDS_MAX
    while True:
        try:
            # A client of its own each time: one that was refused waits longer before it asks again.
            AdminClient(kafka_address.librdkafka(login)).list_topics(timeout=ASKED_AGAIN_SECONDS)
        except KafkaException as error:
            if time.monotonic() > until:
                raise UserError(
                    f"Kafka does not take the logins it was given: {error.args[0].str()}"
                ) from error
        else:
            return


def _answered(answers: Mapping[Any, Any]) -> None:
    """Wait for all of them; the first refusal is raised."""
    try:
        for answer in answers.values():
            answer.result(ANSWER_SECONDS_MAX)
    except KafkaException as error:
        raise UserError(f"Kafka did not make the logins: {error.args[0].str()}") from error
