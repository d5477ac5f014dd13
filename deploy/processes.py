"""Every process of a deployed city: one line each. Images, compose, Kubernetes and their checks are made from this.

A process is told its settings under the prefix of its name: `INTAKE_KAFKA`. Its rights in Kafka come from the table of
topics, those in PostgreSQL from `deploy.city.city.GRANTED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from shared.doors.heard import by_login, door_of
from shared.runtime.patience import SEND_SECONDS, STOP_SECONDS
from shared.topics import TOPICS, Topic

METRICS_PORT: Final = 9090
"""Where each process answers `/metrics`, `/live` and `/ready` in its container."""
GRACE_SECONDS: Final = round(SEND_SECONDS + STOP_SECONDS) + 7
"""How long a process is given to stop: the relay may wait for Kafka as long as it waits for one send."""


class Sharing(Enum):
    """How several of one process share its work, and so what says how many there are."""

    BY_LAG = "partitions of the topics it hears, so as many as messages wait"
    BY_SHARDS = "shards that each take by a lock, so a fixed number and one to stand by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One line of the table."""

    name: str
    module: str
    """`python -m MODULE`; the argument of the image."""
    shared: Sharing
    memory_mb: int
    """The most that `hotline bench memory` saw (docs/performance.md), and room."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its settings beside addresses and logins, by names without its prefix."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Settings that name the file of a secret, and the secret: `contacts.key`."""
    speaks_kafka: bool = True
    """Whether it is told of Kafka, and of traces; else it speaks to PostgreSQL alone."""
    log_shards: bool = False
    """Whether it is told by `_SHARDS` how many share the log, as the relay is."""
    http_port: int | None = None
    """Where it answers people and machines from outside; None: it opens no such port."""

    @property
    def heard(self) -> tuple[Topic, ...]:
        """The lines of the table of topics that it hears."""
        return tuple(line for line in TOPICS if self.name in line.hearers)

    def groups(self, prefix: str) -> dict[str, str]:
        """Its consumer groups, each with the one topic it reads, "" where that is several."""
        return {
            f"{prefix}{self.name}.{door_of(line)}": ""
            if line.per_unit or by_login(line)
            else prefix + line.name
            for line in self.heard
        }

    @property
    def replicas_max(self) -> int:
        """So many processes have something to do: the partitions of the widest topic it hears."""
        return max((line.partitions for line in self.heard), default=1)


PROGRAMS: Final = (
    Program(name="intake", module="services.intake", shared=Sharing.BY_LAG, memory_mb=256),
    Program(
        name="dispatch",
        module="services.dispatch",
        shared=Sharing.BY_LAG,
        memory_mb=256,
        secrets={"CONTACTS_KEY_FILE": "contacts.key"},
    ),
    Program(name="escalation", module="services.escalation", shared=Sharing.BY_SHARDS, memory_mb=192),
    Program(name="feedback", module="services.feedback", shared=Sharing.BY_LAG, memory_mb=256),
    Program(name="relay", module="shared.log", shared=Sharing.BY_SHARDS, memory_mb=192, log_shards=True),
    Program(
        name="projector",
        module="hotline.readside",
        shared=Sharing.BY_SHARDS,
        memory_mb=256,
        speaks_kafka=False,
    ),
)
"""A new process is a line here, and one in `GRANTED`."""
PREPARES: Final = "deploy.city.prepare"
"""The module of the job that brings a city's database, and where nobody else does its topics and logins, up to date."""
