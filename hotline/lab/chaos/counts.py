"""Repeats and parked messages as the processes' own metrics count them; a killed process begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.request import urlopen

from deploy.city.processes import running

ANSWER_SECONDS_MAX: Final = 1.0
_DROPPED: Final = ("hotline_door_repeats_total", "hotline_door_relay_repeats_total")
_PARKED: Final = ("hotline_door_parked_total",)


class FaultCount(NamedTuple):
    """Of one process, or of all."""

    dropped: int = 0
    parked: int = 0


class Counts:
    """Asks every process of a city, and says what came to pass since it was asked last."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        """`pids`: the living processes by name."""
        self._pids = pids
        self._known: dict[tuple[str, int], FaultCount] = {}

    async def since(self) -> FaultCount:
        """Since the last time; one that does not answer is asked the next time."""
        dropped = parked = 0
        for name, pid in self._pids().items():
            found = await asyncio.to_thread(_asked, pid)
            if found is None:
                continue
            before = self._known.get((name, pid), FaultCount())
            self._known[name, pid] = found
            dropped += max(found.dropped - before.dropped, 0)
            parked += max(found.parked - before.parked, 0)
        return FaultCount(dropped, parked)


def _asked(pid: int) -> FaultCount | None:
    process = running(pid)
    if process is None or process.listens is None:
        return None
    try:
        with urlopen(f"http://127.0.0.1:{process.listens}/metrics", timeout=ANSWER_SECONDS_MAX) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    wanted = (*_DROPPED, *_PARKED)
    pairs = (line.partition(" ") for line in lines)
    values = {name: float(value) for name, _, value in pairs if name in wanted}
    return FaultCount(
        round(sum(values.get(name, 0.0) for name in _DROPPED)),
        round(sum(values.get(name, 0.0) for name in _PARKED)),
    )
