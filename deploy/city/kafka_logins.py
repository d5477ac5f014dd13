"""Logins in Kafka: users with a password, and their rules, which are always what `kafka_rights` says.

Where Kafka asks nobody who he is (an address without a login) there are none.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

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

from deploy.city.kafka_rights import OUTSIDE, PRINCIPALS, Grant, Login, granted, granted_to, login_of
from shared.runtime import kafka_address
from shared.runtime.errors import UserError

ITERATIONS: Final = 4096
"""The least Kafka takes: the passwords are random and long, more would add nothing but work."""
ANSWER_SECONDS_MAX: Final = 120
"""A broker that has just started on a busy machine needed more than 30 s to know a new login."""
ASKED_AGAIN_SECONDS: Final = 10

Rights = Mapping[str, Sequence[Grant]]
"""Of each user."""


def make(
    kafka: str, city: str, prefix: str, passwords: Mapping[str, str] | None = None, *, simulated: bool = False
) -> dict[str, str]:
    """An address with a login for each of `PRINCIPALS`, with its password, else with a new one each time. Blocks.

    Logins that last keep their passwords. Their rules become what the table of topics says now. `passwords` may name
    roles too: then their logins are made, or get that password. `simulated`: one more login plays everybody, as in the
    laboratory; a city that is not simulated loses it. Raises `UserError` where Kafka refuses.
    """
    wanted = (*PRINCIPALS, *((OUTSIDE,) if simulated else ()))
    if not kafka_address.parsed(kafka).user:
        return dict.fromkeys(wanted, kafka)
    lasting = {one.principal: one for one in known(kafka, city)}
    given = {name: one for name in passwords or () if (one := login_of(name)) is not None}
    rights = {name: granted(name, prefix) for name in wanted}
    rights |= {name: granted_to(login, prefix) for name, login in (lasting | given).items()}
    _rule(kafka, {_user(city, name): grants for name, grants in rights.items()})
    if not simulated:
        _drop(kafka, [_user(city, OUTSIDE)])
    told = passwords or {name: _password() for name in wanted}
    return _let_in(kafka, city, {name: told[name] for name in (*wanted, *given)})


def add(kafka: str, city: str, prefix: str, login: Login) -> str:
    """An address with this login, made or given a new password. Blocks; raises as `make`."""
    if not kafka_address.parsed(kafka).user:
        return kafka
    _rule(kafka, {_user(city, login.principal): granted_to(login, prefix)})
    return _let_in(kafka, city, {login.principal: _password()})[login.principal]


def drop(kafka: str, city: str, login: Login) -> None:
    """Take a login away; its topics and what lies in them stay. Blocks; raises as `make`."""
    _drop(kafka, [_user(city, login.principal)])


def known(kafka: str, city: str) -> list[Login]:
    """Every login of a role that this city has. Blocks; raises as `make`."""
    names = (user.removeprefix(_user(city, "")) for user in _users(kafka, city))
    return sorted(
        (login for name in names if (login := login_of(name)) is not None), key=lambda one: one.principal
    )


def remove(kafka: str, city: str) -> None:
    """Take away every login and rule of a city. Blocks."""
    _drop(kafka, _users(kafka, city))


def _user(city: str, principal: str) -> str:
    return f"{city}-{principal}"


def _password() -> str:
    return secrets.token_urlsafe(24)


def _users(kafka: str, city: str) -> list[str]:
    if not kafka_address.parsed(kafka).user:
        return []
    admin = AdminClient(kafka_address.librdkafka(kafka))
    try:
        there: Any = admin.describe_user_scram_credentials(request_timeout=ANSWER_SECONDS_MAX)
        return [user for user in there.result() if user.startswith(_user(city, ""))]
    except KafkaException as error:
        raise UserError(f"Kafka did not say which logins it has: {error.args[0].str()}.") from error


def _drop(kafka: str, users: Iterable[str]) -> None:
    gone = list(users)
    if not gone or not kafka_address.parsed(kafka).user:
        return
    admin = AdminClient(kafka_address.librdkafka(kafka))
    _answered(admin.delete_acls([_all_of(user) for user in gone], request_timeout=ANSWER_SECONDS_MAX))
    there: Any = admin.describe_user_scram_credentials(request_timeout=ANSWER_SECONDS_MAX)
    deletions: list[UserScramCredentialAlteration] = [
        UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)
        for user in gone
        if user in there.result()
    ]
    if deletions:
        _answered(admin.alter_user_scram_credentials(deletions))


def _all_of(user: str | None) -> AclBindingFilter:
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name
        ResourcePatternType.ANY,
        f"User:{user}" if user is not None else None,  # type: ignore[arg-type]  # any principal
        None,  # type: ignore[arg-type]  # any host
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def _rule(kafka: str, rights: Rights) -> None:
    """Give each of these users exactly these rights: what is missing is made first, then the surplus goes."""
    admin = AdminClient(kafka_address.librdkafka(kafka))
    wanted = {
        AclBinding(
            grant.what,
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            grant.may,
            AclPermissionType.ALLOW,
        )
        for user, grants in rights.items()
        for grant in grants
    }
    principals = {f"User:{user}" for user in rights}
    answer: Any = admin.describe_acls(_all_of(None), request_timeout=ANSWER_SECONDS_MAX)
    try:
        there = {rule for rule in answer.result(ANSWER_SECONDS_MAX) if rule.principal in principals}
    except KafkaException as error:
        raise UserError(f"Kafka did not say which rules it has: {error.args[0].str()}.") from error
    if missing := wanted - there:
        _answered(admin.create_acls(list(missing), request_timeout=ANSWER_SECONDS_MAX))
    if surplus := there - wanted:
        _answered(admin.delete_acls([_only(rule) for rule in surplus], request_timeout=ANSWER_SECONDS_MAX))


def _only(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )


def _let_in(kafka: str, city: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Let each of these principals in with its password; an address for each."""
    admin = AdminClient(kafka_address.librdkafka(kafka))
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    alterations: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(_user(city, name), scram, password.encode())
        for name, password in passwords.items()
    ]
    _answered(admin.alter_user_scram_credentials(alterations))
    logins = {
        name: kafka_address.with_login(kafka, _user(city, name), password)
        for name, password in passwords.items()
    }
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
