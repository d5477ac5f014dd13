"""The whole benchmark, in one go on one stack: the system, the same one by one, and the floor."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from hotline import realm as city
from hotline.bench.check import LIFE, wrong_with
from hotline.bench.city import Target, catalogue_of, written
from hotline.bench.clients import quiet
from hotline.bench.floor import Floor, floor_of
from hotline.bench.meter import Spent
from hotline.bench.place import IN_MEMORY, Place, place_of
from hotline.bench.whole import Lived, Load, lived
from hotline.realm import Realm
from hotline.stack.stack import Addresses, Stack
from hotline.stack.state import read_state
from shared.cloudevents import fact_headers, input_headers
from shared.inputs import RequestRecorded
from shared.log.relay import BATCH_BYTES_MAX, PAGE_MAX
from shared.settings import CommonSettings
from shared.topics import TOPICS, names

UNITS: Final = 200
UNDER_WAY: Final = 30_000
TRACES_RATIO: Final = 0.01
WARM_UP: Final = 0.15
WARM_UP_LIVES_MIN: Final = 6000
"""A broker just started takes so many lives until its code is compiled; before, a life costs it four times
as much. The floor, which comes later, would find it warm."""
OTHERS_SHARE_MAX: Final = 0.10
TIMES_ONE_BY_ONE_MIN: Final = 25.0
LIVES_PER_SECOND_MIN: Final = 1000.0
ONE_BY_ONE: Final = {
    **{f"{desk.upper()}_BATCH_MAX": "1" for desk in city.DESKS},
    "RELAY_PAGE_MAX": "1",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was fixed: the floor moves with these by a factor of three, so they belong to every figure."""

    lives: int
    warm_up_lives: int
    lives_one_by_one: int
    under_way: int
    """Lives under way at once."""
    units: int
    topics: int
    partitions: dict[str, int]
    """Of the topics that are not a unit's own; those have one each."""
    batch_max: int
    """Messages a desk takes at once."""
    page_max: int
    """Facts the relay takes at once."""
    batch_bytes_max: int
    gc_threshold: tuple[int, int, int]
    fact_headers: int
    input_headers: int
    traces: str
    traces_ratio: float
    postgres: dict[str, str]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured, and what is to be thought of it."""

    place: Place
    settings: Settings
    system: Lived
    one_by_one: Lived
    floor: Floor
    times_one_by_one: float
    """Lives a second by those of one message, one transaction."""
    share_of_floor: float
    """Lives a second by the floor's."""
    share_of_floor_cpu: float
    """The floor's processor time for a life by the system's: what others on the machine take is not in it."""
    warnings: list[str]
    """Why a figure is not to be trusted, or which bar it misses."""
    wrong: list[str]
    """What is wrong with the lives that were lived: empty, or the run counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    lives: int
    warm_up: int
    lives_one_by_one: int

    @classmethod
    def of(cls, lives: int, *, quick: bool) -> Size:
        """So many measured lives, and what goes with them."""
        warm_up = 2000 if quick else max(WARM_UP_LIVES_MIN, round(lives * WARM_UP))
        return cls(lives=lives, warm_up=warm_up, lives_one_by_one=100 if quick else 400)


async def run(size: Size, *, units: int, zipkin: bool, folder: Path, say: Callable[[str], None]) -> Result:
    """Measure all three on a stack of their own in this folder, and take it down again.

    Raises `StackError` with one sentence where something does not start or stops moving.
    """
    quiet()
    stack = Stack(folder, durable=True, zipkin=zipkin, die_with_parent=True)
    try:
        addresses = await stack.up(say)
        bench = await _Bench.on(stack, addresses, units, say)
        return await bench.run(size)
    finally:
        await stack.down()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """A stack that is up, and a city to be served on it."""

    stack: Stack
    addresses: Addresses
    catalogue: Path
    units: list[str]
    targets: list[Target]
    servers: Mapping[str, int]
    say: Callable[[str], None]

    @classmethod
    async def on(cls, stack: Stack, addresses: Addresses, units: int, say: Callable[[str], None]) -> _Bench:
        catalogue, targets = catalogue_of(units)
        health = await stack.check()
        return cls(
            stack=stack,
            addresses=addresses,
            catalogue=written(catalogue, stack.folder / "bench-catalogue.json"),
            units=list(catalogue.units),
            targets=targets,
            servers={name: part.pid for name, part in health.items() if part.pid is not None},
            say=say,
        )

    async def run(self, size: Size) -> Result:
        batch_max = int(CommonSettings.model_fields["batch_max"].default)
        load = Load(
            lives=size.warm_up + size.lives,
            warm_up=size.warm_up,
            under_way=UNDER_WAY,
            batch_max=batch_max,
            traces_ratio=TRACES_RATIO,
        )
        self.say(f"whole lives: {size.warm_up} to warm up, {size.lives} measured")
        whole = await city.create(self.addresses, "bench", self.units)
        system = await self._live(whole, load)
        self.say(f"the floor: {size.lives} lives' facts and messages, nothing else")
        floor = await floor_of(
            whole,
            lives=size.lives,
            facts_a_life=len(LIFE),
            messages={line: round(number / load.lives) for line, number in system.messages.items()},
            units=self.units,
            batch_max=batch_max,
            servers=self.servers,
        )
        self.say(f"one by one: {size.lives_one_by_one} lives, one message and one transaction at a time")
        single = replace(
            load,
            lives=size.lives_one_by_one,
            warm_up=round(size.lives_one_by_one * WARM_UP),
            under_way=size.lives_one_by_one // 4,
            extra=ONE_BY_ONE,
        )
        one_by_one = await self._live(await city.create(self.addresses, "single", self.units), single)
        settings = await self._settings(whole, size, load, system)
        place = place_of(self.stack.folder, read_state(self.stack.folder).versions)
        return judged(place, settings, system, one_by_one, floor)

    async def _live(self, realm: Realm, load: Load) -> Lived:
        run = await lived(
            realm,
            load,
            catalogue=self.catalogue,
            targets=self.targets,
            units=self.units,
            servers=self.servers,
            say=self.say,
        )
        self.say(f"  {run.lives_per_second:,.0f} lives/s; every life is checked")
        wrong = [*run.wrong, *await wrong_with(realm.owner_dsn, load.lives)]
        return msgspec.structs.replace(run, wrong=wrong)

    async def _settings(self, realm: Realm, size: Size, load: Load, system: Lived) -> Settings:
        database = await asyncpg.connect(realm.owner_dsn)
        try:
            postgres = {
                name: await database.fetchval("SELECT current_setting($1)", name)
                for name in ("fsync", "synchronous_commit", "wal_compression", "shared_buffers")
            }
        finally:
            await database.close()
        return Settings(
            lives=size.lives,
            warm_up_lives=size.warm_up,
            lives_one_by_one=size.lives_one_by_one,
            under_way=load.under_way,
            units=len(self.units),
            topics=len(names("", self.units)),
            partitions={line.name: line.partitions for line in TOPICS if not line.per_unit},
            batch_max=load.batch_max,
            page_max=PAGE_MAX,
            batch_bytes_max=BATCH_BYTES_MAX,
            gc_threshold=system.gc_threshold,
            fact_headers=len(fact_headers(b"", "", "", 1, "", b"")),
            input_headers=len(input_headers(RequestRecorded, "", "", datetime.now(UTC))),
            traces="zipkin" if realm.zipkin else "none",
            traces_ratio=load.traces_ratio,
            postgres=postgres,
        )


def judged(place: Place, settings: Settings, system: Lived, one_by_one: Lived, floor: Floor) -> Result:
    """The ratios, and what is to be said about them."""
    times = system.lives_per_second / one_by_one.lives_per_second
    warnings = [
        f"others on the machine took {spent.others_share:.0%} of its processors during {what}: "
        f"the rates are not to be trusted, the processor times a life are nearer the truth"
        for what, spent in (
            ("the whole lives", system.spent),
            ("the floor", floor.spent),
            ("one by one", one_by_one.spent),
        )
        if spent.others_share > OTHERS_SHARE_MAX
    ]
    if place.file_system in IN_MEMORY:
        warnings.append(f"the stack lay in memory ({place.file_system}), where fsync costs nothing")
    if settings.traces == "none":
        warnings.append("no trace viewer ran and no life was traced")
    if settings.warm_up_lives < WARM_UP_LIVES_MIN:
        warnings.append(
            f"only {settings.warm_up_lives} lives to warm up: Kafka is still being compiled while the system "
            f"runs and is warm for the floor, so the share of the floor comes out too small"
        )
    if system.lives_per_second < LIVES_PER_SECOND_MIN:
        warnings.append(f"below the bar of {LIVES_PER_SECOND_MIN:,.0f} lives a second")
    if times < TIMES_ONE_BY_ONE_MIN:
        warnings.append(f"below the bar of {TIMES_ONE_BY_ONE_MIN:.0f} times one by one")
    return Result(
        place=place,
        settings=settings,
        system=system,
        one_by_one=one_by_one,
        floor=floor,
        times_one_by_one=times,
        share_of_floor=system.lives_per_second / floor.lives_per_second,
        share_of_floor_cpu=_cpu_a_life(floor.spent, floor.lives) / _cpu_a_life(system.spent, system.closed),
        warnings=warnings,
        wrong=[*system.wrong, *(f"one by one: {what}" for what in one_by_one.wrong)],
    )


def _cpu_a_life(spent: Spent, lives: int) -> float:
    return sum(spent.cpu_seconds.values()) / lives


def folder_for_a_run() -> Path:
    """A new folder where it lies on a disk: /tmp may be memory, /var/tmp is not by custom."""
    lasting = Path("/var/tmp")  # noqa: S108 -- a folder of our own is made in it
    made = tempfile.mkdtemp(prefix="hotline-bench-", dir=lasting if lasting.is_dir() else None)
    return Path(made)
