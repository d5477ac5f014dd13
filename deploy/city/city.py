"""A city on a stack: one database, one prefix of topics, and the processes that serve it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import kafka_logins, kafka_rights
from deploy.embedded.stack import Addresses
from deploy.supervision.supervisor import Service
from shared.ids import TOGETHER
from shared.runtime import kafka_address, postgres_address
from shared.runtime.errors import UserError
from shared.runtime.topic_admin import make_missing
from shared.topic_names import names
from shared.topics import Topic
from shared.versions import RULESET

DESKS: Final = kafka_rights.DESKS
PROCESSES: Final = (*DESKS, "relay")
"""The processes by which a life goes on."""
PROJECTOR: Final = "projector"
"""The process that keeps the read side up; no desk waits for it, and it speaks to PostgreSQL alone."""
WEB: Final = "web"
"""The process that answers HTTP."""
STAFF: Final = "staff"
"""The login of the listener for staff, which reads contacts for units; on one machine `web` is both listeners."""
GRANTED: Final = {
    **{desk: ("hotline_desk", f"hotline_{desk}") for desk in DESKS},
    "relay": ("hotline_relay",),
    "projector": ("hotline_projector",),
    "web": ("hotline_web",),
    STAFF: ("hotline_web", "hotline_staff"),
    "reader": ("hotline_reader",),
    "editor": ("hotline_editor",),
    "governor": ("hotline_governor",),
    "visitor": ("hotline_visitor",),
    "agent": ("hotline_agent",),
    "operator": ("hotline_reader", "hotline_operator"),
}
"""The logins of a city, and the roles each is a member of; what a role may do stands in the migrations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where a city lives: addresses, names and logins."""

    name: str
    kafka: str
    """With the admin's login: for making and judging a city, never for serving it."""
    owner_dsn: str
    """The schema's owner: for making, backing up and restoring a city, never for serving it or acting in it."""
    logins: Mapping[str, str] = field(default_factory=dict)
    """A DSN for each of `GRANTED`."""
    kafka_logins: Mapping[str, str] = field(default_factory=dict)
    """Kafka's address for each principal of `kafka_rights`, each with its own login; of `outside` in a laboratory."""
    reached: str = ""
    """Where systems on other machines reach Kafka: `host:port?ca=FILE`; empty: Kafka answers on this machine alone."""
    zipkin: str | None = None

    def login(self, name: str) -> str:
        """The DSN of one of `GRANTED`; `UserError` where the city has none yet, or its secret is not here."""
        try:
            return self.logins[name]
        except KeyError:
            raise UserError(
                f"City '{self.name}' has no login '{name}' here. An older release opened the city: `hotline down`, "
                f"then `hotline up`. Or a container lacks the secret postgres-{name}."
            ) from None

    @property
    def outside(self) -> str:
        """Kafka's address for who plays everybody in a laboratory: speaks at every door, hears what goes out."""
        return self.kafka_logins[kafka_rights.OUTSIDE]

    @property
    def looks(self) -> str:
        """Kafka's address for who only sees how far its topics go; of a city of an older release the admin's."""
        return self.kafka_logins.get(kafka_rights.OPERATOR, self.kafka)

    def commands_of(self, role: str) -> str:
        """Kafka's address for the commands that act for this role; `UserError` where there is none here."""
        try:
            return self.kafka_logins[kafka_rights.command_of(role)]
        except KeyError:
            raise UserError(
                f"City '{self.name}' has no login for commands of the role '{role}' here. An older release opened the "
                f"city: `hotline down`, then `hotline up`. Or a container lacks the secret "
                f"kafka-{kafka_rights.command_of(role)}."
            ) from None

    @property
    def speakers_of_web(self) -> dict[str, str]:
        """By role Kafka's address for the HTTP door where it speaks for that role."""
        known = {role: self.kafka_logins.get(kafka_rights.web_of(role), "") for role in kafka_rights.AT_DOORS}
        return {role: address for role, address in known.items() if address}

    @property
    def prefix(self) -> str:
        """The prefix of every topic's name."""
        return prefix_of(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Which program sits at a city's desks, and what it is told beside addresses and logins."""

    program: str = "services"
    """`python -m PROGRAM.DESK` is one desk, `python -m PROGRAM` all of them in one process."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By their names without a prefix; every process is told all of them."""
    retention: bool = True
    """Whether its topics forget in time."""


AS_EVERYWHERE: Final = Served()


def prefix_of(city: str) -> str:
    """The prefix of every topic's name in this city."""
    return "" if city == "hotline" else f"{city}."


async def create(
    addresses: Addresses,
    name: str,
    units: Iterable[str],
    *,
    retention: bool = True,
    simulated: bool = False,
) -> Realm:
    """Make the city's database and topics, or bring an older one up to date.

    `simulated`: it is the laboratory's, where one login plays everybody outside.
    """
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await admin.execute(f'CREATE DATABASE "{name}"')
        await migrate(addresses.database(name))
        logins = await make_logins(admin, addresses.database(name))
    finally:
        await admin.close()
    prefix = prefix_of(name)
    await make_topics(addresses.kafka, names(prefix, units), retention=retention)
    return Realm(
        name=name,
        kafka=addresses.kafka,
        owner_dsn=addresses.database(name),
        logins=logins,
        kafka_logins=await asyncio.to_thread(
            kafka_logins.make, addresses.kafka, name, prefix, simulated=simulated
        ),
        zipkin=addresses.zipkin,
    )


async def migrate(dsn: str) -> None:
    """Bring a database to the newest schema; a second one at the same time waits."""
    dbmate = Path(sys.executable).with_name("dbmate")
    program = str(dbmate) if dbmate.exists() else shutil.which("dbmate")
    if program is None:
        message = "dbmate is not installed: run `uv sync` in the project's folder"
        raise UserError(message)
    migrations = files("deploy").joinpath("migrations")
    process = await asyncio.create_subprocess_exec(
        program,
        "--no-dump-schema",
        "--migrations-dir",
        str(migrations),
        "--migration-lock",
        "migrate",
        # In the environment, not on the command line: that would show the password to everybody.
        env={**os.environ, "DATABASE_URL": postgres_address.saying_how(dsn)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        message = f"the database could not be migrated: {output.decode(errors='replace').strip()[-800:]}"
        raise UserError(message)


async def make_logins(
    admin: asyncpg.Connection[asyncpg.Record], dsn: str, passwords: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Each of `GRANTED` with its password, else with a new one, as a DSN; `dsn` is the owner's of the city's database.

    Roles belong to the whole server, so the city's name stands in them.
    """
    logins: dict[str, str] = {}
    database = urlsplit(dsn).path[1:]
    for process, granted in GRANTED.items():
        # Not just `_{process}`: the city `hotline` would take the names of the roles that are granted.
        role = f"{database}_{process}_login"
        password = passwords[process] if passwords else secrets.token_urlsafe(24)
        known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        verb = "ALTER" if known else "CREATE"
        quoted = password.replace("'", "''")
        await admin.execute(f"{verb} ROLE \"{role}\" LOGIN PASSWORD '{quoted}'")
        await admin.execute(f'GRANT {", ".join(granted)} TO "{role}"')
        logins[process] = postgres_address.with_login(dsn, role, password)
    return logins


async def make_topics(kafka: str, wanted: Mapping[str, Topic], *, retention: bool = True) -> None:
    """Make the topics that are missing, and wait until all can be seen."""
    try:
        await asyncio.to_thread(make_missing, kafka, wanted, retention=retention)
    except KafkaException as error:
        raise UserError(error.args[0].str()) from error
    admin = AdminClient(kafka_address.librdkafka(kafka))
    seen: set[str] = set()
    while not set(wanted) <= seen:  # in another process, nobody could tell us
        seen = set((await asyncio.to_thread(admin.list_topics, timeout=30)).topics)
        await asyncio.sleep(0 if set(wanted) <= seen else 0.05)


def services(
    realm: Realm,
    logs: Path,
    *,
    served: Served = AS_EVERYWHERE,
    traces_ratio: float = 0.01,
    ruleset: str = RULESET,
    catalogue: str = "",
    counts: Mapping[str, int] | None = None,
    extra: Mapping[str, str] | None = None,
    metrics: bool = True,
    one_process: bool = False,
    anchors: Path | None = None,
    contacts_public: Path | None = None,
) -> list[Service]:
    """The processes of a city; `counts` says how many of each, `extra` adds settings by their full name.

    With `one_process` all desks sit in one, called `desks`; each is told the same. `anchors`: the file the log's
    anchors go to, beside their topic. `contacts_public`: the file of the public part of the contacts' key.
    """
    own: dict[str, dict[str, str]] = {name: {} for name in PROCESSES}
    if anchors is not None:
        own["relay"]["ANCHORS_FILE"] = str(anchors)
    if contacts_public is not None:
        own["intake"]["CONTACTS_PUBLIC_KEY_FILE"] = str(contacts_public)
    own["intake"]["RULESET"] = ruleset
    for name in ("dispatch", "escalation", "feedback"):
        own[name]["CATALOGUE"] = catalogue
    told: dict[str, dict[str, str]] = {}
    for name in PROCESSES:
        settings = _common_settings(
            realm, name, served, traces_ratio, metrics=metrics, one_process=one_process
        )
        upper = name.upper()
        told[name] = {f"{upper}_{key}": value for key, value in (settings | own[name]).items()}
        told[name] |= {k: v for k, v in (extra or {}).items() if k.startswith(upper + "_")}
    processes = {name: (f"{served.program}.{name}", told[name]) for name in DESKS}
    if one_process:
        every = {key: value for name in DESKS for key, value in told[name].items()}
        processes = {TOGETHER: (served.program, every)}
    processes["relay"] = ("shared.log", told["relay"])
    return [
        Service(
            name=name if count == 1 else f"{name}-{number}",
            command=(sys.executable, "-m", module),
            # A lasting name: who comes back after a kill has its partitions at once, not after the session.
            env=environment | {f"{name.upper()}_INSTANCE": f"{name}-{number}"},
            log=logs / f"{name if count == 1 else f'{name}-{number}'}.log",
        )
        for name, (module, environment) in processes.items()
        for count in ((counts or {}).get(name, 1),)
        for number in range(1, count + 1)
    ]


def projector(
    realm: Realm, logs: Path, *, traces_ratio: float = 0.0, metrics: bool = True, **more: str
) -> Service:
    """The process that keeps the lists of a city up with its log; `more`: settings without their prefix."""
    told = {
        "POSTGRES": realm.login(PROJECTOR),
        **_traces(realm, traces_ratio),
        "METRICS_PORT": "0" if metrics else "-1",
        **more,
    }
    return Service(
        name=PROJECTOR,
        command=(sys.executable, "-m", "hotline.readside"),
        env={f"{PROJECTOR.upper()}_{name}": value for name, value in told.items()},
        log=logs / f"{PROJECTOR}.log",
    )


def web(realm: Realm, logs: Path, *, ruleset: str = RULESET, metrics: bool = True, **more: str) -> Service:
    """The process that answers HTTP; `more`: settings without their prefix."""
    told = {
        "POSTGRES": realm.login(WEB),
        "CONTACTS_POSTGRES": realm.login(STAFF),
        "SPEAKERS": json.dumps(realm.speakers_of_web),
        "TOPIC_PREFIX": realm.prefix,
        "RULESET": ruleset,
        "METRICS_PORT": "0" if metrics else "-1",
        **more,
    }
    return Service(
        name=WEB,
        command=(sys.executable, "-m", "hotline.web"),
        env={f"{WEB.upper()}_{name}": value for name, value in told.items()},
        log=logs / f"{WEB}.log",
    )


def _traces(realm: Realm, ratio: float) -> dict[str, str]:
    return {
        "TRACES": "zipkin" if realm.zipkin else "none",
        "TRACES_ENDPOINT": realm.zipkin or "",
        "TRACES_RATIO": str(ratio),
    }


def _common_settings(
    realm: Realm,
    name: str,
    served: Served,
    traces_ratio: float,
    *,
    metrics: bool,
    one_process: bool,
) -> dict[str, str]:
    """The settings of every process, by names without its prefix."""
    return {
        "KAFKA": realm.kafka_logins[TOGETHER if one_process and name in DESKS else name],
        "POSTGRES": realm.logins[name],
        "TOPIC_PREFIX": realm.prefix,
        "RETENTION": str(served.retention),
        **_traces(realm, traces_ratio),
        "METRICS_PORT": "0" if metrics else "-1",
        **served.settings,
    }
