"""A city being served: made or made anew, its processes, whether they hear, how far behind they are."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city import served
from deploy.city.endpoints import PROCESSES, PROJECTOR, CityEndpoints
from deploy.city.registry import (
    ANCHORS_FILE,
    CALLERS_KEY_FILE,
    CONTACTS_KEY_FILE,
    CONTACTS_PUBLIC_FILE,
    City,
)
from deploy.embedded import child
from deploy.embedded.server import last_line
from deploy.supervision.stalled import look
from deploy.supervision.supervisor import Service
from deploy.watching import laptop
from shared.log import locks
from shared.policy.catalogue import Catalogue
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows

PROMETHEUS: Final = "prometheus"
"""Its name among the services, and the folder of its data beside the city's."""
OPEN_SECONDS_MAX: Final = 180.0
"""For a process that hangs; on a machine with far too much to do the doors open after more than a minute."""
POLL_SECONDS: Final = 0.05

# The first number of the advisory lock that says who owns the relay's shard, the timers' and the read side.
OWNERS: Final = {"relay": locks.RELAY, "escalation": locks.TIMERS, PROJECTOR: locks.PROJECTOR}
_OWNED: Final = """
SELECT DISTINCT l.classid::int FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
"""
# Of every figure a sum that moves with the lists; parked messages are few, and a person looks after each.
COUNTS: Final = """
SELECT coalesce(sum(complaints), 0)::bigint AS complaints,
       coalesce(sum(complaints) FILTER (WHERE stage <> 'ENDED'), 0)::bigint AS open,
       coalesce(sum(unlisted), 0)::bigint AS to_correct,
       coalesce(sum(facts), 0)::bigint AS facts,
       coalesce(sum(timers), 0)::bigint AS timers,
       (SELECT count(*) FROM es.parked) AS parked,
       (SELECT coalesce(sum(calls), 0)::bigint FROM read.call_total) AS calls
FROM read.total
"""
_UNREAD: Final = "SELECT stream_id::text, why FROM read.unread ORDER BY stream_id"


def services_of(city: City, counts: Mapping[str, int] | None = None) -> list[Service]:
    """The processes of a city as it is remembered; `counts` says how many of each."""
    targets = str(targets_of(city))
    desks = served.services(
        city.endpoints,
        Path(city.logs),
        extra={
            "INTAKE_CALENDAR": city.calendar,
            **{f"{name.upper()}_METRICS_TARGETS": targets for name in PROCESSES},
        },
        served=replace(city.served, settings={**city.served.settings, "POLICY": city.policy}),
        traces_ratio=city.traces_ratio,
        ruleset=city.ruleset,
        catalogue=city.catalogue,
        counts=counts,
        one_process=city.one_process,
        anchors=Path(city.logs).with_name(ANCHORS_FILE),
        contacts_public=Path(city.logs).with_name(CONTACTS_PUBLIC_FILE),
    )
    logs = Path(city.logs)
    web = served.web(
        city.endpoints,
        logs,
        ruleset=city.ruleset,
        CATALOGUE=city.catalogue,
        METRICS_TARGETS=targets,
        OBSERVED_TARGETS=targets,
        CALENDAR=city.calendar,
        POLICY=city.policy,
        MAP=city.map,
        INHABITANTS=city.inhabitants,
        VIEWER=city.endpoints.zipkin or "",
        TRACES_RATIO=str(city.traces_ratio),
        PUBLIC_PORT=str(city.public_port),
        STAFF_PORT=str(city.staff_port),
        CALLERS_KEY_FILE=str(logs.with_name(CALLERS_KEY_FILE)),
        CONTACTS_KEY_FILE=str(logs.with_name(CONTACTS_KEY_FILE)),
        CONTACTS_PUBLIC_KEY_FILE=str(logs.with_name(CONTACTS_PUBLIC_FILE)),
    )
    lists = served.projector(
        city.endpoints, logs, traces_ratio=city.traces_ratio, METRICS_TARGETS=targets, POLICY=city.policy
    )
    return [*desks, lists, web]


def targets_of(city: City) -> Path:
    """The folder in which each process of the city writes down where it answers Prometheus."""
    return Path(city.logs).with_name("targets")


def with_ports(city: City) -> City:
    """The city with ports for HTTP: those it had, where they are free; they stay the same when a process comes back."""
    had = (city.public_port, city.staff_port)
    fresh = child.free_ports(len(had))
    public, staff = (
        port if port and child.is_free(port) else other for port, other in zip(had, fresh, strict=True)
    )
    return replace(city, public_port=public, staff_port=staff)


def observed(city: City) -> City:
    """The city with a port for a Prometheus: the one it had, where that is free."""
    had = city.prometheus_port
    return city if had and child.is_free(had) else replace(city, prometheus_port=child.free_ports(1)[0])


def prometheus_of(city: City) -> list[Service]:
    """The Prometheus that reads this city; none where it was not asked for, or is gone from the machine."""
    program = laptop.found() if city.prometheus_port else None
    if program is None:
        return []
    logs = Path(city.logs)
    command = laptop.command(program, logs.with_name(PROMETHEUS), targets_of(city), city.prometheus_port)
    return [Service(name=PROMETHEUS, command=tuple(command), env={}, log=logs / f"{PROMETHEUS}.log")]


def leave_running(city: City, folder: Path) -> subprocess.Popen[bytes]:
    """Start the city's supervisor so that it outlives this command; `hotline down` ends it."""
    for of_before in targets_of(city).glob("*.json"):
        of_before.unlink(missing_ok=True)
    log = folder.absolute() / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 -- ourselves
            [sys.executable, "-m", "hotline", "supervisor", city.endpoints.name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "HOTLINE_STACK": str(folder.absolute())},
            start_new_session=True,
        )


class Opening:
    """Waits until every process of a city that is about to start hears its doors.

    A desk says `doors_open` once it has its partitions; relay and escalation are at work once they own
    their lock. Make it before the start: what the logs held by then is of an earlier run.
    """

    def __init__(self, city: City) -> None:
        """Remember where the logs end now."""
        self._city = city
        self._logs = {service.name: service.log for service in services_of(city)}
        self._from = {name: log.stat().st_size if log.exists() else 0 for name, log in self._logs.items()}

    async def wait(self, *, failed: Callable[[], str | None] = lambda: None) -> None:
        """Return when all are open; `UserError` where one is not in time, or `failed` gives a reason."""
        give_up_at = time.monotonic() + OPEN_SECONDS_MAX
        connection = await asyncpg.connect(self._city.endpoints.logins["reader"])
        try:
            while closed := await self._closed(connection):
                if (why := failed()) is not None:
                    raise UserError(why)
                if time.monotonic() > give_up_at:
                    said = last_line(self._logs[closed[0]])
                    raise UserError(
                        f"{' and '.join(closed)} did not open within {OPEN_SECONDS_MAX:.0f} s; the last line "
                        f"of {self._logs[closed[0]]}: {said or '(nothing)'}"
                    )
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await connection.close()

    async def _closed(self, connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
        silent = [
            name
            for name, log in self._logs.items()
            if name.partition("-")[0] not in OWNERS and not _says_open(log, self._from[name])
        ]
        owned = {row[0] for row in await connection.fetch(_OWNED)}
        return silent + [name for name, number in OWNERS.items() if number not in owned]


def _says_open(log: Path, offset: int) -> bool:
    try:
        with log.open("rb") as file:
            file.seek(offset)
            return b'"doors_open"' in file.read()
    except FileNotFoundError:
        return False


async def behind(endpoints: CityEndpoints, catalogue: Catalogue) -> dict[str, int]:
    """For each desk how many messages lie in Kafka that it has not taken in, for the relay how many facts."""
    return (await look(endpoints, catalogue)).behind


async def counts(endpoints: CityEndpoints, unread: UnreadableRows) -> dict[str, int]:
    """The content of the log in a few numbers; a complaint that cannot be read is in none of them, and noted."""
    connection = await asyncpg.connect(endpoints.logins["reader"])
    try:
        row = await connection.fetchrow(COUNTS)
        for complaint, why in await connection.fetch(_UNREAD):
            unread.note(f"the head of complaint {complaint}", why)
    finally:
        await connection.close()
    assert row is not None  # noqa: S101 -- one row, always
    return dict(row)


class Running(NamedTuple):
    """A process as the system sees it."""

    since: float
    """Unix time."""
    memory_mb: int
    cpu_seconds: float
    listens: int | None
    """The loopback port it answers on, None where it has none."""


def running(pid: int, beside: Collection[int] = ()) -> Running | None:
    """The operating system's figures of a process; None where it is gone. `beside`: ports that serve no metrics."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            ports = [
                c.laddr.port for c in process.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN
            ]
            cpu = process.cpu_times()
            return Running(
                since=process.create_time(),
                memory_mb=process.memory_info().rss >> 20,
                cpu_seconds=round(cpu.user + cpu.system, 1),
                listens=min((port for port in ports if port not in beside), default=None),
            )
    except psutil.Error:
        return None


def restarts(file: Path, services: Sequence[str]) -> Mapping[str, int]:
    """How often each service was brought back, as its supervisor wrote it down."""
    try:
        noted: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        noted = {}
    return {name: int(noted.get(name, 0)) for name in services}
