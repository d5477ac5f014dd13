"""The supervisor: what dies comes back, not too fast, and somebody is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from deploy.embedded.errors import StackError
from deploy.embedded.stack import Stack
from deploy.supervision.supervisor import Service, Supervisor
from tests.shell import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.programs

STAYS = "import time; print('alive', flush=True); time.sleep(600)"
FAILS = "raise SystemExit(3)"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)"
)


def _service(name: str, program: str, folder: Path) -> Service:
    return Service(
        name=name,
        command=(sys.executable, "-c", program),
        env={"PATH": os.environ["PATH"]},
        log=folder / f"{name}.log",
    )


@asynccontextmanager
async def _supervised(
    services: Sequence[Service], *, stack: Stack | None = None
) -> AsyncIterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    supervisor = Supervisor(services, stack=stack, say=said.append)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.watch())
    try:
        yield supervisor, said
    finally:
        await supervisor.stop()
        await asyncio.wait_for(watching, PATIENCE * 5)


async def test_a_killed_service_is_started_again_and_that_is_said_in_one_line(tmp_path: Path) -> None:
    async with _supervised([_service("dispatch", STAYS, tmp_path), _service("intake", STAYS, tmp_path)]) as (
        supervisor,
        said,
    ):
        before = supervisor.pids()
        os.kill(before["dispatch"], signal.SIGKILL)
        async with asyncio.timeout(PATIENCE * 5):
            while supervisor.restarts["dispatch"] == 0:
                await asyncio.sleep(0.02)
        after = supervisor.pids()
        assert after["dispatch"] != before["dispatch"]
        assert after["intake"] == before["intake"]
        assert supervisor.restarts == {"dispatch": 1, "intake": 0}
        assert len(said) == 1
        assert said[0].startswith("dispatch ended by SIGKILL after ")
        assert "it is started again in 0.2 s" in said[0]


async def test_a_service_that_fails_at_once_is_started_ever_more_slowly(tmp_path: Path) -> None:
    async with _supervised([_service("dispatch", FAILS, tmp_path)]) as (_, said):
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE * 20):
            while len(said) < 4:
                await asyncio.sleep(0.02)
        assert time.monotonic() - began >= 0.2 + 0.4 + 0.8
    assert all(line.startswith("dispatch ended with code 3") for line in said)
    pauses = [line.partition("again in ")[2].partition(" s")[0] for line in said[:4]]
    assert pauses == ["0.2", "0.4", "0.8", "1.6"]


async def test_what_a_service_prints_is_added_to_its_log(tmp_path: Path) -> None:
    service = _service("dispatch", "import sys; print('out'); print('err', file=sys.stderr)", tmp_path)
    service.log.write_text("from before\n")
    async with _supervised([service]) as (_, said), asyncio.timeout(PATIENCE * 20):
        while len(said) < 2:
            await asyncio.sleep(0.02)
    lines = service.log.read_text().splitlines()
    assert lines[0] == "from before"
    assert sorted(lines[1:5]) == ["err", "err", "out", "out"]


async def test_stop_ends_even_a_service_that_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.supervision.supervisor.STOP_SECONDS_MAX", 0.5)
    service = _service("deaf", DEAF, tmp_path)
    async with _supervised([service]) as (supervisor, said):
        async with asyncio.timeout(PATIENCE * 5):
            while not service.log.exists() or "deaf" not in service.log.read_text():
                await asyncio.sleep(0.02)
        process = psutil.Process(supervisor.pids()["deaf"])
    assert not process.is_running()
    assert supervisor.pids() == {}
    assert said == []


async def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    service = Service(name="dispatch", command=("/no/such/program",), env={}, log=tmp_path / "dispatch.log")
    supervisor = Supervisor([service], stack=None, say=print, die_with_parent=False)
    with pytest.raises(StackError, match="dispatch cannot be started: /no/such/program: No such file"):
        await supervisor.start()


def test_services_die_with_a_crashed_supervisor(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from deploy.supervision.supervisor import *\n"
        "async def main():\n"
        "    service = Service(name='s', command=('sleep', '600'), env={}, log=Path(sys.argv[1]) / 's.log')\n"
        "    supervisor = Supervisor([service], stack=None, say=print)\n"
        "    await supervisor.start()\n"
        "    print(supervisor.pids()['s'], flush=True)\n"
        "    await supervisor.watch()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    service = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs([service], timeout=60)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.connected
async def test_a_killed_part_of_the_stack_is_brought_back_and_down_ends_the_services(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", durable=False, zipkin=False, kafka_heap_mb=256, die_with_parent=True)
    try:
        addresses = await stack.up()
        async with _supervised([_service("dispatch", STAYS, tmp_path)], stack=stack) as (supervisor, said):
            pid = (await stack.check())["postgres"].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE * 20):
                while not any("answers on" in line for line in said):
                    await asyncio.sleep(0.05)
            assert said[0] == "PostgreSQL had died; it is started again"
            assert await stack.up() == addresses
            assert supervisor.restarts == {"dispatch": 0}
            assert stack.services()["dispatch"].pid == supervisor.pids()["dispatch"]
            roster = json.loads((stack.folder / "services.json").read_text())
            assert roster["supervisor"]["pid"] == os.getpid()
        assert stack.services() == {}
    finally:
        await stack.down()
        stack.wipe()


@pytest.mark.connected
async def test_down_from_another_process_ends_services_that_nobody_watches(tmp_path: Path) -> None:
    (tmp_path / "stack").mkdir()
    stack = Stack(tmp_path / "stack")
    (stack.folder / "stack.json").write_text(json.dumps({"ports": {}, "running": {}, "versions": {}}))
    program = (
        "import asyncio, sys; from pathlib import Path; from deploy.supervision.supervisor import *\n"
        "from deploy.embedded.stack import Stack\n"
        "folder = Path(sys.argv[1])\n"
        "service = Service(name='s', command=('sleep', '600'), env={}, log=folder / 's.log')\n"
        "asyncio.run(Supervisor([service], stack=Stack(folder), say=print, die_with_parent=False).start())\n"
    )
    subprocess.run([sys.executable, "-c", program, str(stack.folder)], check=True, timeout=30)
    health = stack.services()["s"]
    assert health.up
    assert health.pid is not None
    with pytest.raises(StackError, match="still runs"):
        stack.wipe()

    await stack.down()

    assert not psutil.pid_exists(health.pid) or psutil.Process(health.pid).status() == psutil.STATUS_ZOMBIE
    assert stack.services() == {}
    stack.wipe()
