"""A small day of the city while everything it stands on is killed, one after another."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from hotline.city import City
from hotline.rehearse import staged, verified
from hotline.stack.state import read_state
from shared.catalogue import catalogue

pytestmark = [pytest.mark.connected, pytest.mark.timeout(400)]

VICTIMS = ("intake", "dispatch", "escalation", "feedback", "relay", "kafka", "postgres")
PAUSE_SECONDS = 1.5


async def test_each_process_is_killed_during_the_day_and_no_complaint_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STACK", str(tmp_path / "stack"))
    said: list[str] = []
    killed: list[str] = []
    async with staged(
        "fire",
        catalogue(),
        ruleset="beijing-draft-2021",
        traces_ratio=0.0,
        counts={},
        say=said.append,
        keep=False,
        zipkin=False,
    ) as stage:
        city = City(
            kafka=stage.realm.kafka,
            postgres=stage.realm.owner_dsn,
            prefix=stage.realm.prefix,
            catalogue=catalogue(),
            scale=0.03,
        )
        living = asyncio.ensure_future(city.live())

        async def kill_all() -> None:
            while not city.acknowledged_requests:
                await asyncio.sleep(0.05)
            for victim in VICTIMS:
                pids = stage.supervisor.pids()
                running = read_state(stage.stack.folder).running
                pid = pids[victim] if victim in pids else running[victim].pid
                os.kill(pid, signal.SIGKILL)
                killed.append(victim)
                await asyncio.sleep(PAUSE_SECONDS)
                if living.done():
                    return

        await asyncio.gather(kill_all(), living)
        summary = living.result()
        report = await verified(stage.realm, catalogue())
    assert killed == list(VICTIMS), said
    assert report.problems == []
    assert summary.open == 0
    assert report.complaints == len(summary.acknowledged_requests)
    assert sum(stage.supervisor.restarts.values()) >= len(VICTIMS) - 2
