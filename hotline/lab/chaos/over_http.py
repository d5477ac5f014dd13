"""Faults of the HTTP door: what it acknowledged is there, and what it did not is sent again."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from deploy.city.endpoints import WEB
from hotline.lab.chaos.faults import Done, Fault, Ground
from hotline.lab.chaos.http_sender import SENDERS
from shared.runtime.patience import HAND_SECONDS


async def _door_killed(ground: Ground) -> Done:
    """Kill -9, with events under way; they are sent again, and others are taken, once it is back."""
    sender = ground.outside.http
    assert sender is not None  # noqa: S101 -- the run has made it
    os.kill((await ground.living(WEB)).pid, signal.SIGKILL)
    before = len(sender.acknowledged)
    began = asyncio.get_running_loop().time()
    with suppress(TimeoutError):
        async with asyncio.timeout(HAND_SECONDS):
            while len(sender.acknowledged) < before + SENDERS:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.05)
            return Done(
                (), f"(the door took events again after {asyncio.get_running_loop().time() - began:.1f} s)"
            )
    return Done((), "the door takes no events", needs_hand=True)


def door_faults() -> list[Fault]:
    """Those of the HTTP door."""
    return [Fault(f"kill -9 {WEB}", 3.0, _door_killed, in_every_run=True)]
