"""Measures processors, memory and WAL between two instants, and the share other programs took."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import msgspec
import psutil

from shared.runtime.errors import UserError

KERNEL: Final = "kernel (interrupts)"
"""Time of the network's interrupts on loopback: caused by the run, billed to no process."""


class MeterReading(msgspec.Struct, frozen=True, kw_only=True):
    """The meters at one instant, all counted from some beginning."""

    at: datetime
    cpu_seconds: dict[str, float]
    """User and system time of each process or server, its finished children with it."""
    busy_seconds: float
    """Seconds all processors of the machine worked, with the time the machine's host withheld."""
    wal_bytes: int


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """The difference of two readings."""

    seconds: float
    cpu_seconds: dict[str, float]
    others_share: float
    """Share of the machine's processors that neither the run nor its interrupts took."""
    busy_share: float
    """Share of the machine's processors that was in use at all."""
    wal_bytes: int


class Meter:
    """Reads processes, machine and PostgreSQL; one reading costs a few milliseconds."""

    def __init__(self, processes: Mapping[str, int], postgres: asyncpg.Connection[Any]) -> None:
        """Process ids by name. A server's children are counted with it, those that have ended too."""
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._postgres = postgres

    async def read(self) -> MeterReading:
        """Read all meters, the processors last. `UserError` names a process that has ended meanwhile."""
        wal: int = await self._postgres.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        cpu = {name: _cpu_seconds(name, process) for name, process in self._processes.items()}
        machine = psutil.cpu_times()
        cpu[KERNEL] = getattr(machine, "irq", 0.0) + getattr(machine, "softirq", 0.0)
        worked = machine.user + machine.system + getattr(machine, "nice", 0.0)
        return MeterReading(
            at=datetime.now(UTC),
            cpu_seconds=cpu,
            busy_seconds=worked + cpu[KERNEL] + getattr(machine, "steal", 0.0),
            wal_bytes=int(wal),
        )

    def memory_bytes(self) -> dict[str, int]:
        """Resident memory of each process; of a server with children what they hold, shared pages once."""
        return {name: _memory_bytes(process) for name, process in self._processes.items()}


def spent(first: MeterReading, last: MeterReading) -> Spent:
    """The difference of two readings."""
    seconds = (last.at - first.at).total_seconds()
    cpu = {name: until - first.cpu_seconds[name] for name, until in last.cpu_seconds.items()}
    capacity = seconds * (psutil.cpu_count() or 1)
    busy = last.busy_seconds - first.busy_seconds
    return Spent(
        seconds=seconds,
        cpu_seconds=cpu,
        others_share=max(0.0, busy - sum(cpu.values())) / capacity,
        busy_share=busy / capacity,
        wal_bytes=last.wal_bytes - first.wal_bytes,
    )


def _cpu_seconds(name: str, process: psutil.Process) -> float:
    """A parent's times hold those of the children it has reaped, so an exited backend is not lost."""
    total = 0.0
    try:
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        raise UserError(f"{name} ended while it was measured; its log says why.") from None
    for member in (process, *children):
        with suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory_bytes(process: psutil.Process) -> int:
    children = process.children()
    if not children:
        return int(process.memory_info().rss)
    held = 0
    for member in (process, *children):
        with suppress(psutil.Error):
            full = member.memory_full_info()
            held += int(getattr(full, "pss", full.rss))
    return held
