"""The settings that every process of the system takes from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.policy.own_versions import look_in
from shared.runtime import kafka_address, postgres_address
from shared.runtime.clock import INPUT_AGE_DAYS_MAX
from shared.runtime.patience import METADATA_SECONDS, OFFSETS_IDLE_SECONDS
from shared.text_file import text_of


class ProcessSettings(BaseSettings):
    """The settings of every process that serves a city; each reads them under its own prefix."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="HOTLINE_")

    postgres: str
    """DSN of the log's database, with the process's own login. `?sslmode=verify-full&sslrootcert=FILE` asks for TLS."""
    postgres_password_file: str = ""
    """Path of a file that holds the password of the DSN's user; the DSN then names the user alone."""
    metrics_port: int = -1
    """Port for Prometheus and for `/live` and `/ready`; 0 takes a free one, -1 serves none."""
    metrics_address: str = "127.0.0.1"
    """The address that port is opened on: a container whose probes come from outside needs `0.0.0.0`."""
    metrics_targets: str = ""
    """Folder in which the process writes down where it answers, as Prometheus reads targets; empty: nowhere."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    policy: str = ""
    """Path of a folder with rule sets and calendars of the city's own (`shared.policy.own_versions`); empty: none."""

    def model_post_init(self, _: Any) -> None:
        """Know the city's own versions before any rule is asked: each process reads its settings first."""
        look_in(self.policy)

    @model_validator(mode="before")
    @classmethod
    def _passwords(cls, told: Any) -> Any:
        """Put the passwords that lie in files into the addresses."""
        if not isinstance(told, dict):
            return told
        for name, with_password in (
            ("kafka", kafka_address.with_password),
            ("postgres", postgres_address.with_password),
        ):
            file = told.get(f"{name}_password_file")
            if file and name in told:
                told = {**told, name: with_password(told[name], read_secret(file))}
        return told


class TracedSettings(ProcessSettings):
    """Settings of every process that tells of traces."""

    traces: Literal["zipkin", "otlp", "none"] = "none"
    traces_endpoint: str = ""
    traces_ratio: float = Field(default=0.01, ge=0, le=1)
    """Share of all lives that is traced, each whole."""


class CommonSettings(TracedSettings):
    """Settings all desks and the relay share; a missing address stops the start.

    Each desk reads them under its own prefix, `INTAKE_KAFKA` for intake, so one host can run them all.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="HOTLINE_")

    kafka: str
    """Bootstrap address, host:port or user:password@host:port; see `shared.runtime.kafka_address`."""
    kafka_password_file: str = ""
    """Path of a file that holds the password of the address's user; the address then names the user alone."""
    topic_prefix: str = ""
    """Put before every topic's name; lets several cities share one Kafka."""
    instance: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,200}$")
    """This process's own name among those of its desk, the same after a restart: Kafka keeps its partitions for it
    meanwhile (static membership). Empty where nobody gives lasting names: two of one name would oust each other."""
    retention: bool = True
    """Whether the topics that this process makes forget in time; else they keep every message."""
    input_age_days_max: int = Field(default=INPUT_AGE_DAYS_MAX, ge=1, le=36_525)
    """How many days ago what an input tells of may have happened; an earlier one is parked."""
    metadata_max_age_ms: int = Field(default=round(METADATA_SECONDS * 1000), ge=100)
    """After how long a client asks Kafka again which topics there are: so soon a new unit or login is heard. With 343
    units a look costs a door some 10 ms, and the broker too; a new speaker comes a few times a year."""
    batch_max: int = Field(default=2000, ge=1, le=8000)
    """Messages taken at once. With a million messages waiting a desk held at most 177 MB with 2,000, 218 with
    3,000, 262 with 4,000 (`bench memory`). Whole lives a second with 2,000 were 0.97 of those with 4,000
    (`bench lives`)."""
    parked_window: int = Field(default=1000, ge=1)
    """Of how many of a topic's last messages a door looks how many it had to park."""
    parked_share_max: float = Field(default=0.5, gt=0, le=1)
    """The share of them above which the topic stops and a person is called for; 1 stops none."""
    offsets_idle_ms: int = Field(default=round(OFFSETS_IDLE_SECONDS * 1000), ge=1)
    """After how long without effect the offsets are written alone."""
    gather_bytes: int = Field(default=262_144, ge=1)
    """How much a door that is in no hurry lets the broker gather before it answers at once."""
    gather_ms: int = Field(default=100, ge=1)
    """Milliseconds that the broker gathers for a door that is in no hurry. A fetch over 200 units' topics
    costs 3.5 ms of client and broker, however little it brings. With 100 instead of 30 an idle system spends
    two fifths less."""


def read_secret(file: str | Path) -> str:
    """The content of a file of a secret, without the end of its line.

    `FileUnreadable` names a file that cannot be read.
    """
    return text_of(file, "a secret in UTF-8").rstrip("\n")
