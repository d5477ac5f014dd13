"""A small day of the city while everything it stands on is killed, one after another."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from deploy.city.endpoints import PROCESSES, PROJECTOR, WEB
from deploy.city.registry import ANCHORS_FILE, city_folder
from deploy.embedded import child
from deploy.embedded.state import read_state
from hotline.audit.verify import verify
from hotline.lab.chaos.http_sender import HttpSender
from hotline.lab.rehearsal.stage import RehearsalCity, staged, verified
from hotline.lab.simulation import SimulatedDay
from hotline.lab.simulation.conductor import RehearsalProgress
from shared.policy.catalogue import catalogue

pytestmark = pytest.mark.connected

PARTS: Final = ("kafka", "postgres")
VICTIMS: Final = (*PROCESSES, PROJECTOR, WEB, *PARTS)
FACTS_BETWEEN: Final = 250
"""How far the city moves on from one kill to the next. Not seconds: on a slow machine it is the same day."""


class Fire:
    """Kills the next victim whenever the city has moved on far enough, and the victim lives."""

    def __init__(self, stage: RehearsalCity) -> None:
        self.killed: dict[str, int] = {}
        """The process that was killed, by its name."""
        self.facts_at: list[int] = []
        """How many facts the city had stated at each kill."""
        self.begun = asyncio.Event()
        """Set once the city's clock stands in the day that is lived."""
        self._stage = stage
        self._coming = list(VICTIMS)

    def look(self, progress: RehearsalProgress) -> None:
        facts = sum(progress.facts.values())
        if facts:
            self.begun.set()
        if not self._coming or facts < FACTS_BETWEEN + (self.facts_at[-1] if self.facts_at else 0):
            return
        pid = self.living().get(self._coming[0])
        if pid is None:
            return  # it is just being brought back
        victim = self._coming.pop(0)
        os.kill(pid, signal.SIGKILL)
        self.killed[victim] = pid
        self.facts_at.append(facts)

    def living(self) -> dict[str, int]:
        """The process of each possible victim that lives."""
        parts = read_state(self._stage.stack.folder).running
        alive = {name: parts[name].pid for name in PARTS if name in parts and child.is_alive(parts[name])}
        return self._stage.supervisor.pids() | alive


async def sends_over_http(stage: RehearsalCity, fire: Fire, sender: HttpSender) -> None:
    """Send from the day's first fact on: what comes from another time is no input of that day."""
    await fire.begun.wait()
    connection = await asyncpg.connect(stage.endpoints.owner_dsn)
    try:
        present = await connection.fetchval("SELECT es.present()")
    finally:
        await connection.close()
    await sender.open(present - timedelta(hours=1))
    await sender.send()


async def test_each_process_is_killed_during_the_day_and_no_complaint_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STACK", str(tmp_path / "stack"))
    said: list[str] = []
    async with staged(
        "fire",
        catalogue(),
        ruleset="beijing-draft-2021",
        traces_ratio=0.0,
        counts={},
        say=said.append,
        keep=False,
        zipkin=False,
        # The day may be over within the minute after which the log is anchored by default.
        wired=lambda service: replace(service, env={**service.env, "RELAY_ANCHOR_SECONDS": "1"}),
    ) as stage:
        city = SimulatedDay(
            kafka=stage.endpoints.kafka,
            postgres=stage.endpoints.owner_dsn,
            prefix=stage.endpoints.prefix,
            catalogue=catalogue(),
            scale=0.02,
        )
        fire = Fire(stage)
        first = fire.living()
        log = next(service.log for service in stage.supervisor.services if service.name == WEB)
        http = HttpSender(stage.endpoints, log)
        sending = asyncio.ensure_future(sends_over_http(stage, fire, http))
        try:
            summary = await city.live(fire.look)
            assert not sending.done()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        last = fire.living()
        acknowledged = [*summary.acknowledged_inputs, *http.acknowledged]
        report = await verified(stage.endpoints, catalogue(), acknowledged, all_end=True)
        restarts = dict(stage.supervisor.restarts)
        endpoints = stage.endpoints
        anchored = await verify(
            endpoints.logins["reader"],
            kafka=endpoints.kafka,
            prefix=endpoints.prefix,
            anchors=city_folder("fire") / ANCHORS_FILE,
        )
    assert tuple(fire.killed) == VICTIMS, f"{fire.facts_at} of {sum(summary.facts.values())} facts; {said}"
    assert fire.killed == first  # each of those that began the day, and
    assert set(last) == set(VICTIMS)
    assert all(last[name] != pid for name, pid in first.items())  # another one came in its place
    assert all(restarts[name] >= 1 for name in (*PROCESSES, PROJECTOR, WEB))
    assert report.problems == []
    assert len(http.acknowledged) > len(VICTIMS)
    assert http.again > 0  # whatever was not acknowledged was sent again, and had one effect
    assert anchored.problems == []
    assert anchored.anchored > 0
    assert summary.open == 0
    assert report.complaints == len(summary.acknowledged_requests) > 0
