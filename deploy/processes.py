"""Every process of a deployed city: one line each. Images, compose, Kubernetes and their checks are made from this.

A process is told its settings under the prefix of its name: `INTAKE_KAFKA`. Its rights in Kafka come from the table of
topics, those in PostgreSQL from `deploy.city.endpoints.GRANTED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from shared import roles
from shared.doors.heard import by_login, door_of
from shared.runtime.patience import SEND_SECONDS, STOP_SECONDS
from shared.topics import TOPICS, Topic

METRICS_PORT: Final = 9090
"""Where each process answers `/metrics`, `/live` and `/ready` in its container."""
EACH_ADDRESS: Final = "each_address"
"""The label of a target whose name stands for several processes: each of its addresses is one."""
HTTP_PORT: Final = 8080
"""Where the HTTP door answers systems of citizens and callers, in its container."""
STAFF_PORT: Final = 8081
"""Where it answers those who act on complaints: in a container of its own, which the public one cannot speak for."""
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 -- of the container; a network policy says who reaches it
GRACE_SECONDS: Final = round(SEND_SECONDS + STOP_SECONDS) + 7
"""How long a process is given to stop: the relay may wait for Kafka as long as it waits for one send."""


class Sharing(Enum):
    """How several of one process share its work, and so what says how many there are."""

    BY_LAG = "partitions of the topics it hears, so as many as messages wait"
    BY_SHARDS = "shards that each take by a lock, so a fixed number and one to stand by"
    BY_REQUESTS = "requests, which a proxy gives to any of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One line of the table."""

    name: str
    module: str
    """`python -m MODULE`; the argument of the image."""
    shared: Sharing
    memory_mb: int
    """The most that `hotline bench memory` saw, or `hotline bench http` of its door (docs/performance.md), and room."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its settings beside addresses and logins, by names without its prefix."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Settings that name the file of a secret, and the secret: `contacts.key`."""
    speaks_kafka: bool = True
    """Whether it is told of Kafka; else it speaks to PostgreSQL alone."""
    traces: bool = True
    """Whether it is told where traces go."""
    log_shards: bool = False
    """Whether it is told by `_SHARDS` how many share the log, as the relay is."""
    speaks: tuple[str, ...] = ()
    """The roles it speaks for over HTTP, or `citizens`: it has the login `web-ROLE` of each, and of no other."""
    own_files: str = ""
    """The name of settings and a secret that a city may give it: they need not be there."""
    observes: bool = False
    """Whether it reads the metrics of all processes, for the operations page."""
    own_prefix: str = ""
    """Of its settings, where that is not its name: two lines may be one program."""
    http_port: int | None = None
    """Where it answers people and machines from outside; None: it opens no such port."""

    @property
    def prefix(self) -> str:
        """The prefix of its settings, without the line below."""
        return self.own_prefix or self.name.upper()

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


IDENTITY_PROVIDER: Final = "oidc"
"""Of the city's identity provider: settings WEB_OIDC_… in a file or object of this name, and its client's secret."""
PROGRAMS: Final = (
    Program(
        name="intake",
        module="services.intake",
        shared=Sharing.BY_LAG,
        memory_mb=256,
        secrets={"CONTACTS_PUBLIC_KEY_FILE": "contacts.public"},
    ),
    Program(
        name="dispatch",
        module="services.dispatch",
        shared=Sharing.BY_LAG,
        memory_mb=256,
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
    Program(
        name="web",
        module="hotline.web",
        shared=Sharing.BY_REQUESTS,
        memory_mb=160,
        secrets={"CONTACTS_PUBLIC_KEY_FILE": "contacts.public"},
        settings={"PUBLIC_ADDRESS": EVERY_ADDRESS, "PUBLIC_PORT": str(HTTP_PORT), "STAFF_PORT": "-1"},
        speaks_kafka=False,
        traces=False,
        speaks=(roles.TELEPHONY, roles.AGENTS, roles.CITIZENS),
        http_port=HTTP_PORT,
    ),
    Program(
        name="staff",
        module="hotline.web",
        shared=Sharing.BY_REQUESTS,
        memory_mb=192,
        secrets={"CONTACTS_KEY_FILE": "contacts.key", "CALLERS_KEY_FILE": "callers.key"},
        settings={"PUBLIC_PORT": "-1", "STAFF_ADDRESS": EVERY_ADDRESS, "STAFF_PORT": str(STAFF_PORT)},
        speaks_kafka=False,
        traces=False,
        speaks=(roles.AGENTS, roles.UNIT, roles.REVIEWERS, roles.DIALLER, roles.SUPERVISION),
        own_files=IDENTITY_PROVIDER,
        observes=True,
        own_prefix="WEB",
        http_port=STAFF_PORT,
    ),
)
"""A new process is a line here, and one in `GRANTED`."""
PREPARES: Final = "deploy.city.prepare"
"""The module of the job that brings a city's database, and where nobody else does its topics and logins, up to date."""
