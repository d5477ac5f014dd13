"""A stack in a folder: it comes up, comes back after a kill, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded import child, postgres
from deploy.embedded.errors import StackError
from deploy.embedded.stack import Addresses, Stack
from shared.runtime import kafka_address
from tests.shell import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.connected

PARTS = ("kafka", "postgres", "zipkin")


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Give one stack that runs when a test begins; a test that broke it leaves it for `up` to mend."""
    stack = Stack(
        tmp_path_factory.mktemp("stack") / ".stack", durable=False, kafka_heap_mb=256, die_with_parent=True
    )
    try:
        yield stack
    finally:
        await stack.down()
        stack.wipe()


async def test_up_on_a_running_stack_changes_nothing_and_says_nothing(stack: Stack) -> None:
    first = await stack.up(wait_for_all=True)
    before = await stack.check()
    said: list[str] = []

    began = time.monotonic()
    second = await stack.up(said.append)

    assert time.monotonic() - began < 2
    assert said == []
    assert second == first == Stack.addresses_of(stack.folder)
    assert await stack.check() == before
    assert sorted(name for name, health in before.items() if health.up) == sorted(PARTS)


async def test_every_part_listens_on_loopback_only(stack: Stack) -> None:
    await stack.up(wait_for_all=True)
    for health in (await stack.check()).values():
        assert health.pid is not None
        listening = [
            connection.laddr.ip.removeprefix("::ffff:")
            for connection in psutil.Process(health.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}


async def test_the_database_refuses_a_wrong_password(stack: Stack) -> None:
    address = (await stack.up()).database("postgres")
    password = (stack.folder / "postgres.password").read_text().strip()
    assert (stack.folder / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert password not in (stack.folder / "stack.json").read_text()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(address.replace(password, "guessed"))


async def test_a_topic_is_never_made_by_a_misspelt_name(stack: Stack) -> None:
    addresses = await stack.up()
    admin = AIOKafkaAdminClient(**kafka_address.aiokafka(addresses.kafka))
    await admin.start()
    try:
        (described,) = await admin.describe_topics(["complaints.lgo"])
        assert described["error_code"] == 3  # unknown topic
        assert "complaints.lgo" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_a_killed_kafka_comes_back_with_its_data_at_its_address(stack: Stack) -> None:
    addresses = await stack.up()
    await _write_to_kafka(addresses, b"kept")
    killed_pid = await _kill(stack, "kafka")

    said: list[str] = []
    assert await stack.up(said.append) == addresses

    assert said[0] == "Kafka had died; it is started again"
    assert (await stack.check())["kafka"].pid != killed_pid
    assert await _read_from_kafka(addresses) == b"kept"


async def test_a_killed_postgresql_comes_back_with_its_data_at_its_address(stack: Stack) -> None:
    addresses = await stack.up()
    connection = await asyncpg.connect(addresses.database("postgres"))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (what text); INSERT INTO kept VALUES ('kept')")
    killed_pid = await _kill(stack, "postgres")
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=1)

    said: list[str] = []
    assert await stack.up(said.append) == addresses

    assert said[0] == "PostgreSQL had died; it is started again"
    assert (await stack.check())["postgres"].pid != killed_pid
    connection = await asyncpg.connect(addresses.database("postgres"))
    assert await connection.fetchval("SELECT what FROM kept") == "kept"
    await connection.close()


async def test_postgresql_starts_though_its_old_process_id_is_somebody_elses(stack: Stack) -> None:
    await stack.up()
    await _kill(stack, "postgres")
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        pid_file = stack.folder / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]))
        await stack.up()
        assert (await stack.check())["postgres"].up
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_part_that_hangs_does_not_count_as_up(stack: Stack) -> None:
    await stack.up(wait_for_all=True)
    pid = (await stack.check())["zipkin"].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        health = (await stack.check())["zipkin"]
        assert (health.up, health.pid) == (False, pid)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await stack.check())["zipkin"].up


async def test_a_recycled_process_id_is_never_killed(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        earlier = child.Child(pid=bystander.pid, started="5e56f9ea:1")
        assert not child.is_alive(earlier)
        await child.stop(earlier, signal.SIGTERM, patience_seconds=1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_two_stacks_at_once_do_not_collide(stack: Stack, tmp_path: Path) -> None:
    first = await stack.up()
    other = Stack(tmp_path / "other", durable=False, zipkin=False, kafka_heap_mb=256, die_with_parent=True)
    try:
        second = await other.up()
        assert second.kafka != first.kafka
        assert second.postgres != first.postgres
        assert second.zipkin is None
        await _write_to_kafka(second, b"second")
        await other.down()
        assert (await stack.check())["kafka"].up
    finally:
        await other.down()
        other.wipe()


async def test_wipe_refuses_while_a_part_runs(stack: Stack) -> None:
    await stack.up()
    with pytest.raises(StackError, match="still runs"):
        stack.wipe()
    assert (stack.folder / "stack.json").exists()


async def test_down_leaves_nothing_listening_and_the_data_for_the_next_up(stack: Stack) -> None:
    addresses = await stack.up(wait_for_all=True)
    before = await stack.check()
    processes = [
        process
        for health in before.values()
        for process in (psutil.Process(health.pid), *psutil.Process(health.pid).children(recursive=True))
    ]

    await stack.down()

    assert [process for process in processes if process.is_running() and process.status() != "zombie"] == []
    assert all(health.port is not None and child.is_free(health.port) for health in before.values())
    assert {name: health.up for name, health in (await stack.check()).items()} == dict.fromkeys(PARTS, False)
    assert Stack.addresses_of(stack.folder) is None
    assert await stack.up() == addresses
    await stack.down()
    await stack.down()


async def test_a_port_taken_meanwhile_is_given_up_and_said(stack: Stack) -> None:
    addresses = await stack.up()
    await stack.down()
    port = int(kafka_address.without_login(addresses.kafka).rpartition(":")[2])
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    said: list[str] = []
    try:
        moved = await stack.up(said.append)
    finally:
        server.close()
        await server.wait_closed()
    assert moved.kafka != addresses.kafka
    assert any(line.startswith(f"port {port} of Kafka is taken by another program") for line in said)


def test_wipe_refuses_a_folder_that_is_not_a_stack(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StackError, match="not a stack"):
        Stack(tmp_path).wipe()
    assert (tmp_path / "thesis.txt").exists()


async def test_up_refuses_a_folder_that_holds_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StackError, match="holds other things"):
        await Stack(tmp_path).up()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_root_without_a_user_namespace_runs_postgresql_as_nobody(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o711)  # pytest's own are closed to others, and a worker's lie one deeper
    server, ports = _postgres(tmp_path / "stack", ways=(postgres.OTHER_USER,))
    await server.prepare(ports)
    running = child.spawn(
        server.command(ports),
        env={},
        log=server.output(),
        folder=server.folder,
        dies_with_parent_by=signal.SIGQUIT,
        become=server.become(),
    )
    try:
        async with asyncio.timeout(PATIENCE * 20):
            while not await server.answers(ports):
                await asyncio.sleep(0.1)
        assert psutil.Process(running.pid).username() == "nobody"
    finally:
        await child.stop(running, server.stop_signal, patience_seconds=10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_root_with_no_way_out_is_told_in_one_sentence(tmp_path: Path) -> None:
    server, ports = _postgres(
        tmp_path / "stack", ways=(("setpriv", "--no-such-option"), ("no-such-program",))
    )
    with pytest.raises(StackError, match=r"another user, or .* \(external\), or use containers") as refusal:
        await server.prepare(ports)
    assert "\n" not in str(refusal.value)


def test_a_crashed_parent_leaves_no_children(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys, time; from pathlib import Path; from deploy.embedded.stack import Stack;"
        "stack = Stack(Path(sys.argv[1]), durable=False, kafka_heap_mb=256, die_with_parent=True);"
        "asyncio.run(stack.up(lambda line: None));"
        "print('up', flush=True); time.sleep(600)"
    )
    folder = tmp_path / "stack"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert {"java", "postgres"} <= {process.name() for process in children}

    parent.kill()
    parent.wait()
    parent.stdout.close()

    _, alive = psutil.wait_procs(children, timeout=60)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert Stack.addresses_of(folder) is None


async def test_without_that_the_stack_outlives_who_started_it(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from deploy.embedded.stack import Stack;"
        "asyncio.run(Stack(Path(sys.argv[1]), durable=False, zipkin=False, kafka_heap_mb=256).up())"
    )
    stack = Stack(tmp_path / "stack", durable=False, zipkin=False, kafka_heap_mb=256)
    starter = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(stack.folder)],
        check=True,
        timeout=90,
        capture_output=True,
        text=True,
    )
    try:
        assert "Kafka 4.4.0 answers on 127.0.0.1:" in starter.stdout
        assert all(health.up for health in (await stack.check()).values())
    finally:
        await stack.down()
    assert Stack.addresses_of(stack.folder) is None


def _postgres(folder: Path, *, ways: tuple[tuple[str, ...], ...]) -> tuple[postgres.Postgres, dict[str, int]]:
    folder.mkdir(mode=0o700)
    server = postgres.Postgres(version="18", folder=folder, durable=False)
    return replace(server, ways=ways), {"postgres": child.free_ports(1)[0]}


async def _kill(stack: Stack, part: str) -> int:
    """Kill a part and wait until it is seen to be dead."""
    pid = (await stack.check())[part].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE * 5):
        while part not in stack.dead_parts():
            await asyncio.sleep(0.02)
    return pid


async def _write_to_kafka(addresses: Addresses, value: bytes) -> None:
    admin = AIOKafkaAdminClient(**kafka_address.aiokafka(addresses.kafka))
    await admin.start()
    try:
        await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(**kafka_address.aiokafka(addresses.kafka), acks="all") as producer:
        await producer.send_and_wait("kept", value)


async def _read_from_kafka(addresses: Addresses) -> bytes | None:
    async with AIOKafkaConsumer(
        "kept", **kafka_address.aiokafka(addresses.kafka), auto_offset_reset="earliest"
    ) as consumer:
        async with asyncio.timeout(PATIENCE * 20):
            value: bytes | None = (await consumer.getone()).value
        return value
