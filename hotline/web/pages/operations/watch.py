"""Reads the metrics of the city's processes again and again, from the list of targets that Prometheus reads."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import httpx2

from deploy.processes import EACH_ADDRESS
from hotline.web.pages.operations.readings import SeriesKey, SourceHistory, read
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry
from shared.text_file import FileUnreadable, text_of

_Reckoned = TypeVar("_Reckoned")
FETCH_SECONDS: Final = 5.0
"""How often each process is asked."""
ANSWER_SECONDS_MAX: Final = 2.0
"""How long a step of one answer may take: connecting, a part of the body."""
SOURCE_SECONDS_MAX: Final = 4.0
"""How long a whole answer may take."""
PAGE_BYTES_MAX: Final = 1024 * 1024
"""The largest page of metrics; ours have some 20 KB."""
SOURCES_MAX: Final = 100
"""Processes that are asked; the first ones by name."""
AT_ONCE_MAX: Final = 8
"""Processes that are asked at the same time."""


class MetricSource(NamedTuple):
    """A process as the list of targets names it."""

    job: str
    instance: str
    """Its lasting name."""
    address: str
    """Host and port."""
    each: bool = False
    """Each address of the host is a process of its own: the host is a name for all of them."""


class SourceAtWork(NamedTuple):
    """A process, what it said in the last hour, and whether it answers."""

    source: MetricSource
    history: SourceHistory
    away_since: datetime | None
    """Since when it has not answered, in UTC; None where it did the last time."""


Reckon = Callable[[list[SourceAtWork], float], _Reckoned]
"""Figures of all processes at a time of the readings' clock, in seconds."""


def sources_in(place: str) -> list[MetricSource]:
    """The processes of a list of targets (`file_sd_configs`): a JSON file, or all of a folder, by their names.

    A file that is no such list is passed over. The newest of one name counts.
    """
    where = Path(place)
    files = sorted(where.glob("*.json")) if where.is_dir() else [where]
    found: dict[str, MetricSource] = {}
    for file in files:
        try:
            for group in json.loads(text_of(file, "targets of Prometheus")):
                labels = group.get("labels", {})
                for address in group["targets"]:
                    job = str(labels.get("job", file.stem))
                    name = str(labels.get("instance", address))
                    found[name] = MetricSource(job, name, str(address), each=EACH_ADDRESS in labels)
        except (FileUnreadable, ValueError, KeyError, TypeError, AttributeError):
            continue
    return [found[name] for name in sorted(found)][:SOURCES_MAX]


def each_of(source: MetricSource) -> list[MetricSource]:
    """The processes behind a name, by their addresses; the name itself where it has none: it is away."""
    host, _, port = source.address.rpartition(":")
    try:
        told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return [source]
    hosts = sorted({str(one[4][0]) for one in told})
    return [
        MetricSource(source.job, f"{source.job} {one}", f"[{one}]:{port}" if ":" in one else f"{one}:{port}")
        for one in hosts
    ]


def asked_of(place: str) -> list[MetricSource]:
    """The processes of a list of targets, those behind one name told apart; it may wait for the names' server."""
    found = [one for source in sources_in(place) for one in (each_of(source) if source.each else [source])]
    return found[:SOURCES_MAX]


class OperationsWatch:
    """See the module. Nobody who looks at a page waits for it."""

    def __init__(self, targets: str, telemetry: Telemetry) -> None:
        """`targets`: the file, or the folder of files; empty: there is nothing to read."""
        self.targets: Final = targets
        self._telemetry = telemetry
        self._known: dict[str, SourceAtWork] = {}
        self._reckoned: dict[Reckon[Any], tuple[float, Any]] = {}
        self.looked_at: datetime | None = None
        """When all were asked the last time, in UTC."""

    @property
    def sources(self) -> list[SourceAtWork]:
        """All processes, by their names."""
        return [self._known[name] for name in sorted(self._known)]

    async def run(self) -> None:
        """Until cancelled. A look that fails is told in the log, and the next one comes all the same."""
        if not self.targets:
            return
        async with httpx2.AsyncClient(timeout=ANSWER_SECONDS_MAX, trust_env=False) as client:
            while True:
                began_at = time.monotonic()
                try:
                    await self.look(client)
                except Exception as error:  # noqa: BLE001 -- no figure is worth the HTTP door
                    self._telemetry.log.warning("operations_not_read", error=told(error))
                await asyncio.sleep(max(FETCH_SECONDS - (time.monotonic() - began_at), 0.0))

    async def look(self, client: httpx2.AsyncClient) -> None:
        """Ask all of them once."""
        listed = await asyncio.to_thread(asked_of, self.targets)
        turn = asyncio.Semaphore(AT_ONCE_MAX)
        asked = await asyncio.gather(*(self._ask(client, one, turn) for one in listed))
        self._known = {one.source.instance: one for one in asked}
        self._reckoned.clear()
        self.looked_at = datetime.now(UTC)

    def reckoned(self, reckon: Reckon[_Reckoned], now: float) -> _Reckoned:
        """The figures of all processes, reckoned once for each look, however many parts and readers show them.

        Where no look comes to its end, it is reckoned again all the same: figures grow old by themselves.
        """
        known = self._reckoned.get(reckon)
        if known is None or now - known[0] > FETCH_SECONDS:
            known = self._reckoned[reckon] = (now, reckon(self.sources, now))
        found: _Reckoned = known[1]
        return found

    async def _ask(
        self, client: httpx2.AsyncClient, source: MetricSource, turn: asyncio.Semaphore
    ) -> SourceAtWork:
        known = self._known.get(source.instance)
        history = known.history if known else SourceHistory()
        try:
            async with turn, asyncio.timeout(SOURCE_SECONDS_MAX):
                read_now = await _fetched(client, source.address)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            since = known.away_since if known and known.away_since else datetime.now(UTC)
            return SourceAtWork(source, history, since)
        history.add(time.monotonic(), read_now)
        return SourceAtWork(source, history, None)


async def _fetched(client: httpx2.AsyncClient, address: str) -> Mapping[SeriesKey, float]:
    """The series of a process; an error where it does not answer, or with something else."""
    parts: list[bytes] = []
    size = 0
    headers: dict[str, Any] = {"Accept": "text/plain; version=0.0.4"}
    async with client.stream("GET", f"http://{address}/metrics", headers=headers) as answer:
        if answer.status_code != httpx2.codes.OK:
            message = f"metrics: expected status 200, got {answer.status_code}"
            raise ValueError(message)
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > PAGE_BYTES_MAX:
                message = f"metrics: expected at most {PAGE_BYTES_MAX} bytes"
                raise ValueError(message)
            parts.append(part)
    return await asyncio.to_thread(read, b"".join(parts).decode("utf-8", "replace"))
