"""Who stands still with work waiting is ended and comes back; who is only slow, or has nothing to do, is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.supervision.watchman import Watchman
from hotline.lab.rehearsal.stage import RehearsalCity, staged, verified
from hotline.lab.simulation import SimulatedDay
from shared.policy.catalogue import catalogue
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected

STILL_SECONDS_MIN = 3.0


@pytest.fixture(scope="module")
def still_seconds() -> float:
    """How long somebody at work may show nothing here: three starts of a process, or a slow one would be ended too."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import services.dispatch.app"], check=True)
    return max(STILL_SECONDS_MIN, 3 * (time.monotonic() - began))


@asynccontextmanager
async def small_city(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], still_seconds: float
) -> AsyncIterator[RehearsalCity]:
    monkeypatch.setenv("HOTLINE_STACK", str(folder / "stack"))
    # The watchman of the stage itself waits too long for a test; one that is quicker looks beside it.
    async with staged(
        "watched",
        catalogue(),
        ruleset="beijing-draft-2021",
        traces_ratio=0.0,
        counts={},
        say=said.append,
        keep=False,
        zipkin=False,
    ) as stage:
        quick = Watchman(
            stage.endpoints,
            catalogue(),
            stage.supervisor,
            said.append,
            still_seconds_max=still_seconds,
            look_seconds=0.5,
        )
        watching = asyncio.create_task(quick.watch())
        try:
            yield stage
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def test_each_process_that_hangs_in_the_middle_of_a_day_is_ended_and_the_day_goes_on_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still_seconds: float
) -> None:
    said: list[str] = []
    async with small_city(tmp_path, monkeypatch, said, still_seconds) as stage:
        living = asyncio.create_task(
            SimulatedDay(
                kafka=stage.endpoints.kafka,
                postgres=stage.endpoints.owner_dsn,
                prefix=stage.endpoints.prefix,
                catalogue=catalogue(),
                scale=0.004,
            ).live()
        )
        hung = {}
        for name in ("dispatch", "relay", "escalation"):
            await asyncio.sleep(1)
            if living.done():
                break
            hung[name] = stage.supervisor.pids()[name]
            os.kill(hung[name], signal.SIGSTOP)
            within = time.monotonic() + PATIENCE * (30 + 3 * still_seconds)
            while stage.supervisor.pids().get(name) in {None, hung[name]} and not living.done():
                assert time.monotonic() < within, f"{name} stands still, and nobody ended it: {said}"
                await asyncio.sleep(0.1)
        summary = await living
        assert summary.open == 0
        report = await verified(stage.endpoints, catalogue(), summary.acknowledged_inputs, all_end=True)
        assert report.problems == []
        assert hung, "the day was over before anybody could hang"
        for name, pid in hung.items():
            assert (
                stage.supervisor.restarts[name] >= 1
            )  # a busy machine may keep another look waiting too long
            assert stage.supervisor.pids()[name] != pid
            assert any(f"{name} stands still" in line for line in said), said


async def test_nobody_is_ended_who_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still_seconds: float
) -> None:
    said: list[str] = []
    async with small_city(tmp_path, monkeypatch, said, still_seconds) as stage:
        pids = dict(stage.supervisor.pids())
        os.kill(pids["feedback"], signal.SIGSTOP)  # hangs, and nobody waits for it
        await asyncio.sleep(2 * still_seconds)
        os.kill(pids["feedback"], signal.SIGCONT)
        assert stage.supervisor.pids() == pids
        assert not [line for line in said if "stands still" in line]
