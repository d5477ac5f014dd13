"""A city on a Kafka and a PostgreSQL that somebody else runs: where it is, by settings and by files of secrets.

Jobs and commands in containers find it so; on the embedded stack `city.json` says the same. A secret is a file of its
name in one folder: `kafka-intake`, `postgres-intake`, `kafka-admin`, `postgres-owner`, `contacts.key`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.city import kafka_rights
from deploy.city.endpoints import GRANTED, CityEndpoints
from shared.runtime import kafka_address, postgres_address
from shared.runtime.settings import read_secret
from shared.versions import CALENDAR, RULESET

PREFIX: Final = "CITY_"
SECRETS: Final = "/run/secrets"


class Settings(BaseSettings):
    """Prefix CITY_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=PREFIX)

    name: str = "hotline"
    """The city's name: its database, and what stands before its topics."""
    kafka: str
    """Where Kafka is, without a login: `host:port`, with `?ca=FILE` for TLS."""
    kafka_mechanism: str = kafka_address.MECHANISM
    """How the admin logs in to Kafka."""
    postgres: str
    """Where the city's database is, without a login: `postgresql://host:port/DATABASE`."""
    owner: str = "hotline"
    """The login in PostgreSQL that the database belongs to."""
    secrets: Path = Path(SECRETS)
    """The folder with the files of secrets."""
    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    ruleset: str = RULESET
    """The rule set new complaints are born under."""
    calendar: str = CALENDAR
    """The calendar new complaints are pinned to."""
    policy: str = ""
    """Path of a folder with rule sets and calendars of the city's own; empty: none."""
    inhabitants: str = ""
    """Path of its inhabitants; empty: the example."""
    retention: bool = True
    """Whether topics that are made forget in time."""
    relay_shards: int = 1
    """How many relays share the log."""


def is_told() -> bool:
    """Whether the environment names such a city."""
    return f"{PREFIX}KAFKA" in os.environ


def secret(settings: Settings, name: str) -> str | None:
    """A secret by its name; None where there is no such file: not every container is given every secret."""
    file = settings.secrets / name
    return read_secret(file) if file.exists() else None


def role_of(settings: Settings, login: str) -> str:
    """The role of a login of `GRANTED`. Roles belong to the whole server, so the city's name stands in it."""
    return f"{urlsplit(settings.postgres).path[1:]}_{login}_login"


def endpoints_of(settings: Settings) -> CityEndpoints:
    """The city with the logins whose secrets are here; the address of a login that is not here is empty."""
    logins = {
        login: postgres_address.with_login(settings.postgres, role_of(settings, login), password)
        for login in GRANTED
        if (password := secret(settings, f"postgres-{login}")) is not None
    }
    speakers = {
        name: kafka_address.with_login(settings.kafka, f"{settings.name}-{name}", password)
        for name in kafka_rights.PRINCIPALS
        if (password := secret(settings, f"kafka-{name}")) is not None
    }
    return CityEndpoints(
        name=settings.name,
        kafka=admin_address(settings) or speakers.get(kafka_rights.OPERATOR, ""),
        owner_dsn=owner_dsn(settings) or "",
        logins=logins,
        kafka_logins=speakers,
    )


def admin_address(settings: Settings) -> str | None:
    """Kafka with the admin's login; None where its secret is not here."""
    password = secret(settings, "kafka-admin")
    if password is None:
        return None
    return kafka_address.with_login(settings.kafka, "admin", password, settings.kafka_mechanism)


def owner_dsn(settings: Settings) -> str | None:
    """The database with its owner's login; None where its secret is not here."""
    password = secret(settings, "postgres-owner")
    return (
        None if password is None else postgres_address.with_login(settings.postgres, settings.owner, password)
    )
