"""Kafka's address with a login in it, as one setting: `user:password@host:port`, or `host:port` without one.

The login is by SCRAM-SHA-512; `?mechanism=PLAIN` behind it says otherwise. `?ca=FILE` behind it asks for TLS: the
broker's certificate must be signed by one of that file (PEM), and name the host. Both: `?mechanism=PLAIN&ca=FILE`.

The settings of aiokafka and librdkafka are made from it here, those of FastStream in `shared.doors.subscription`.
"""

from __future__ import annotations

import ssl
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

MECHANISM: Final = "SCRAM-SHA-512"
PLAIN: Final = "PLAIN"


class Address(NamedTuple):
    """An address taken apart; without a user nobody is asked who he is."""

    servers: str
    """`host:port`, or several with commas between."""
    user: str
    password: str
    mechanism: str
    ca: str = ""
    """The file of the certificates that a broker's is held against; empty: nothing is encrypted."""

    @property
    def protocol(self) -> str:
        """Kafka's name for what a listener asks."""
        transport = "SSL" if self.ca else "PLAINTEXT"
        return f"SASL_{transport}" if self.user else transport


def parsed(text: str) -> Address:
    """Take a setting apart; `ValueError` names what cannot be said behind an address."""
    login, at, rest = text.rpartition("@")
    servers, _, told = rest.partition("?")
    asked = dict(parse_qsl(told, keep_blank_values=True))
    if unknown := asked.keys() - {"mechanism", "ca"}:
        message = f"address of Kafka: {', '.join(sorted(unknown))} after the '?', expected mechanism or ca"
        raise ValueError(message)
    if not at:
        return Address(servers, "", "", "", asked.get("ca", ""))
    user, _, password = login.partition(":")
    return Address(
        servers, unquote(user), unquote(password), asked.get("mechanism") or MECHANISM, asked.get("ca", "")
    )


def with_login(text: str, user: str, password: str, mechanism: str = MECHANISM) -> str:
    """The same servers in the same way, another login."""
    address = parsed(text)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@{address.servers}"
    asked = [f"mechanism={mechanism}"] if mechanism != MECHANISM else []
    asked += [f"ca={quote(address.ca)}"] if address.ca else []
    return f"{login}?{'&'.join(asked)}" if asked else login


def with_password(text: str, password: str) -> str:
    """The same address with this password of its user; `ValueError` where it names no user."""
    address = parsed(text)
    if not address.user:
        message = "address of Kafka: expected USER@HOST:PORT beside a file with a password"
        raise ValueError(message)
    return with_login(text, address.user, password, address.mechanism)


def moved(text: str, to: str) -> str:
    """The same login at the servers of another address."""
    address = parsed(text)
    servers = parsed(to)
    if not address.user:
        return f"{servers.servers}?ca={quote(servers.ca)}" if servers.ca else servers.servers
    return with_login(to, address.user, address.password, address.mechanism)


def without_login(text: str) -> str:
    """The servers alone, which may be printed."""
    return parsed(text).servers


def trusted(ca: str) -> ssl.SSLContext:
    """The context by which a client checks a broker's certificate; `OSError` where the file cannot be read."""
    return ssl.create_default_context(cafile=ca)


def aiokafka(text: str) -> dict[str, Any]:
    """For aiokafka's clients: where, and as whom."""
    address = parsed(text)
    told: dict[str, Any] = {"bootstrap_servers": address.servers}
    if address.ca:
        told |= {"security_protocol": address.protocol, "ssl_context": trusted(address.ca)}
    if address.user:
        told |= {
            "security_protocol": address.protocol,
            "sasl_mechanism": address.mechanism,
            "sasl_plain_username": address.user,
            "sasl_plain_password": address.password,
        }
    return told


def librdkafka(text: str) -> dict[str, Any]:
    """For confluent-kafka's clients, which say nothing by themselves here."""
    address = parsed(text)
    told: dict[str, Any] = {"bootstrap.servers": address.servers, "log_level": 0}
    if address.ca:
        told |= {"security.protocol": address.protocol, "ssl.ca.location": address.ca}
    if address.user:
        told |= {
            "security.protocol": address.protocol,
            "sasl.mechanism": address.mechanism,
            "sasl.username": address.user,
            "sasl.password": address.password,
        }
    return told
