"""Kafka's address with a login in it, as one setting: `user:password@host:port`, or `host:port` without one.

The login is by SCRAM-SHA-512; `?mechanism=PLAIN` behind it says otherwise.

The settings of aiokafka and librdkafka are made from it here, those of FastStream in `shared.doors.subscription`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

MECHANISM: Final = "SCRAM-SHA-512"
PLAIN: Final = "PLAIN"


class Address(NamedTuple):
    """An address taken apart; without a user nobody is asked who he is."""

    servers: str
    """`host:port`, or several with commas between."""
    user: str
    password: str
    mechanism: str


def parsed(text: str) -> Address:
    """Take a setting apart."""
    login, at, rest = text.rpartition("@")
    servers, _, mechanism = rest.partition("?mechanism=")
    if not at:
        return Address(servers, "", "", "")
    user, _, password = login.partition(":")
    return Address(servers, unquote(user), unquote(password), mechanism or MECHANISM)


def with_login(text: str, user: str, password: str, mechanism: str = MECHANISM) -> str:
    """The same servers, another login."""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@{parsed(text).servers}"
    return login if mechanism == MECHANISM else f"{login}?mechanism={mechanism}"


def moved(text: str, to: str) -> str:
    """The same login at the servers of another address."""
    address = parsed(text)
    servers = parsed(to).servers
    return with_login(servers, address.user, address.password, address.mechanism) if address.user else servers


def without_login(text: str) -> str:
    """The address without its login, which may be printed."""
    return parsed(text).servers


def aiokafka(text: str) -> dict[str, Any]:
    """For aiokafka's clients: where, and as whom."""
    address = parsed(text)
    if not address.user:
        return {"bootstrap_servers": address.servers}
    return {
        "bootstrap_servers": address.servers,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": address.mechanism,
        "sasl_plain_username": address.user,
        "sasl_plain_password": address.password,
    }


def librdkafka(text: str) -> dict[str, Any]:
    """For confluent-kafka's clients, which say nothing by themselves here."""
    address = parsed(text)
    told: dict[str, Any] = {"bootstrap.servers": address.servers, "log_level": 0}
    if address.user:
        told |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": address.mechanism,
            "sasl.username": address.user,
            "sasl.password": address.password,
        }
    return told
