"""The base of every part: a stack of its own, a catalogue of 200 units, and the settings of the run."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from deploy.city.endpoints import CityEndpoints
from deploy.embedded.stack import Addresses, Stack
from deploy.embedded.state import read_state
from hotline.lab.bench.city import Target, catalogue_of, written
from hotline.lab.bench.clients import quiet
from hotline.lab.bench.machine import Machine, machine_of
from hotline.lab.bench.result import Fixed
from shared.cloudevents import fact_headers, input_headers
from shared.inputs import RecordRequest
from shared.log.relay.loop import PAGE_MAX
from shared.log.relay.sink import BATCH_BYTES_MAX
from shared.runtime.settings import CommonSettings
from shared.topic_names import names
from shared.topics import TOPICS

UNITS: Final = 200
TRACES_RATIO: Final = 0.01
BATCH_MAX: Final = int(CommonSettings.model_fields["batch_max"].default)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCity:
    """A stack that is up, and a city to be served on it."""

    stack: Stack
    addresses: Addresses
    catalogue: Path
    units: list[str]
    targets: list[Target]
    """For each unit the request that reaches it."""
    servers: Mapping[str, int]
    """Process ids of Kafka, PostgreSQL and Zipkin."""

    def machine(self) -> Machine:
        """This machine and these versions."""
        return machine_of(self.stack.folder, read_state(self.stack.folder).versions)

    async def drop(self, endpoints: CityEndpoints) -> None:
        """Give the disk back: what comes next may need it."""
        admin = await asyncpg.connect(self.addresses.database("postgres"))
        try:
            await admin.execute(f'DROP DATABASE "{endpoints.name}" WITH (FORCE)')
        finally:
            await admin.close()

    async def fixed(self, endpoints: CityEndpoints, gc_threshold: tuple[int, int, int]) -> Fixed:
        """The settings under which this city was served."""
        database = await asyncpg.connect(endpoints.owner_dsn)
        try:
            postgres = {
                name: await database.fetchval("SELECT current_setting($1)", name)
                for name in ("fsync", "synchronous_commit", "wal_compression", "shared_buffers")
            }
        finally:
            await database.close()
        return Fixed(
            units=len(self.units),
            topics=len(names("", self.units)),
            partitions={line.name: line.partitions for line in TOPICS if not line.per_unit},
            batch_max=BATCH_MAX,
            page_max=PAGE_MAX,
            batch_bytes_max=BATCH_BYTES_MAX,
            gc_threshold=gc_threshold,
            fact_headers=len(fact_headers(b"", "", "", 1, "", b"", datetime.now(UTC))),
            input_headers=len(input_headers(RecordRequest, "", "", datetime.now(UTC))),
            traces="zipkin" if endpoints.zipkin else "none",
            traces_ratio=TRACES_RATIO,
            postgres=postgres,
        )


@asynccontextmanager
async def stage(
    folder: Path, *, say: Callable[[str], None], units: int = UNITS, zipkin: bool = True
) -> AsyncIterator[BenchCity]:
    """A durable stack in this folder, down again afterwards; its data stays for who looks into it."""
    quiet()
    stack = Stack(folder, durable=True, zipkin=zipkin, die_with_parent=True)
    try:
        addresses = await stack.up(say, wait_for_all=True)  # a viewer that starts would be measured too
        catalogue, targets = catalogue_of(units)
        health = await stack.check()
        yield BenchCity(
            stack=stack,
            addresses=addresses,
            catalogue=written(catalogue, stack.folder / "bench-catalogue.json"),
            units=list(catalogue.units),
            targets=targets,
            servers={name: part.pid for name, part in health.items() if part.pid is not None},
        )
    finally:
        await stack.down()


def folder_for_a_run() -> Path:
    """A new folder where it lies on a disk: /tmp may be memory, /var/tmp is not by custom."""
    lasting = Path("/var/tmp")  # noqa: S108 -- a folder of our own is made in it
    made = tempfile.mkdtemp(prefix="hotline-bench-", dir=lasting if lasting.is_dir() else None)
    return Path(made)
