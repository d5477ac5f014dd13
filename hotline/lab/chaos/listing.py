"""Faults of the projector: no desk may notice them, and in the end the lists must be what the log says."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

import asyncpg

from deploy.city.endpoints import PROJECTOR
from hotline.lab.chaos.faults import (
    CUT_SECONDS,
    SLOW_BY_SECONDS,
    SLOW_SECONDS,
    Done,
    Fault,
    Ground,
    commit_broken,
    disturbed,
    killed,
    restarted,
    stopped,
    two_owners,
)
from hotline.lab.chaos.wire import Wire
from shared.log.away import AWAY

STEP_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.001

_IN_A_STEP: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND backend_xid IS NOT NULL
"""


async def _killed_in_a_step(ground: Ground) -> Done:
    """Kill -9 while its transaction has written rows and not committed them."""
    process = await ground.living(PROJECTOR)
    note = "no step came by"
    with suppress(*AWAY):
        connection = await asyncpg.connect(ground.stage.endpoints.owner_dsn, timeout=5)
        try:
            async with asyncio.timeout(STEP_SECONDS_MAX):
                while not await connection.fetchval(_IN_A_STEP, PROJECTOR):  # noqa: ASYNC110 -- another process
                    await asyncio.sleep(LOOK_SECONDS)
                note = ""
        finally:
            await connection.close(timeout=1)
    os.kill(process.pid, signal.SIGKILL)
    return Done((PROJECTOR,), note)


def _slow(wire: Wire) -> None:
    wire.delay_seconds = SLOW_BY_SECONDS


def projector_faults() -> list[Fault]:
    """All kinds there are."""
    return [
        Fault("kill -9 projector", 1.0, killed(PROJECTOR)),
        Fault("kill -9 projector in a step", 2.0, _killed_in_a_step, in_every_run=True),
        Fault("SIGSTOP projector", 0.4, stopped(PROJECTOR)),
        Fault("restart projector", 1.0, restarted(PROJECTOR)),
        Fault("projector cut off postgres", 0.8, disturbed("postgres", PROJECTOR, Wire.cut, CUT_SECONDS)),
        Fault(
            "projector far from postgres (500 ms)", 0.5, disturbed("postgres", PROJECTOR, _slow, SLOW_SECONDS)
        ),
        Fault("projector: connections to postgres reset", 1.5, disturbed("postgres", PROJECTOR, Wire.reset)),
        Fault("projector: a commit unsaid", 2.0, commit_broken(PROJECTOR, "unsaid")),
        Fault("projector: a commit unheard", 2.0, commit_broken(PROJECTOR, "unheard")),
        Fault("two owners of the read side", 1.0, two_owners(PROJECTOR, PROJECTOR)),
    ]
