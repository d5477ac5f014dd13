"""The projector: a process that keeps the read side up with the log, a second behind, four under full load."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import Any, Final

import asyncpg
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from hotline.readside.calls import Calls
from hotline.readside.city_metrics import CityFigures, FigureReader
from hotline.readside.complaints import Complaints, prepared
from hotline.tracing.exporter import LifeExporter
from shared.log.away import AWAY, is_away
from shared.log.instants import reads_any_instant
from shared.log.locks import PROJECTOR, TRY_ONE
from shared.log.log_format import must_be_read_here
from shared.log.postgres import connect
from shared.log.projection.projector import PAGE, Projection, Projector
from shared.runtime.errors import UserError, told
from shared.runtime.garbage import tune_gc
from shared.runtime.settings import TracedSettings
from shared.runtime.telemetry import Telemetry, exporter_of, set_up_logs

LOOK_SECONDS: Final = 0.25
"""How long it waits between two looks. A longer wait takes in more facts of one life at once: it is folded once."""
REST: Final = 4.0
"""It waits so many times as long as its last look took: under full load it works a fifth of the time.

A life of eight facts is then folded about twice, and not at each look (docs/performance.md)."""
REST_SECONDS_MAX: Final = 3.0
"""It never waits longer: what a list shows is then at most some 4 s old, however many facts there are a second."""
STAND_BY_SECONDS: Final = 0.5
NICE: Final = 5
"""It gives way to the desks where the processors are short: lists may be a second late, orders may not."""
WAKE: Final = "hotline_lists"
"""A command that waits for a list says so on this channel, and the projector looks at once."""
PART: Final = "projector"


class Settings(TracedSettings):
    """Prefix PROJECTOR_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="PROJECTOR_")

    look_seconds: float = Field(default=LOOK_SECONDS, gt=0, le=1)
    """How long it waits between two looks."""
    page: int = Field(default=PAGE, ge=1, le=200_000)
    """Facts taken in at once."""


class ProjectorLoop:
    """Own the read side, take in what is new, wait; forever."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        """Nothing is owned yet."""
        self._settings = settings
        self._telemetry = telemetry
        self._woken = asyncio.Event()
        telemetry.health.expects(PART)
        telemetry.keeps("projector")
        self._figures = FigureReader(settings.postgres, telemetry, CityFigures(telemetry))

    async def run(self) -> None:
        """Until cancelled; PostgreSQL may go and come back. Raises `UserError` on a log of another format."""
        while True:
            try:
                await self._own_and_take_in()
            except (*AWAY, asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
                if isinstance(error, AWAY) and not is_away(error):
                    raise
                self._telemetry.log.warning("waiting_for_postgres", error=told(error))
                self._telemetry.count("projector.retries")
                self._telemetry.health.waits("PostgreSQL", PART)
            await asyncio.sleep(0.2)

    async def _own_and_take_in(self) -> None:
        connection = await connect(self._settings.postgres, PART)
        figures: asyncio.Future[None] | None = None
        try:
            await must_be_read_here(connection)
            await reads_any_instant(connection)
            while not await connection.fetchval(TRY_ONE, PROJECTOR):
                self._telemetry.progressed(PART)
                await asyncio.sleep(STAND_BY_SECONDS)
            await prepared(connection)
            await connection.add_listener(WAKE, self._wake)
            self._telemetry.log.info("projector_owns")
            figures = asyncio.ensure_future(self._figures.run())
            projections: tuple[Projection, ...] = (Complaints(), Calls())
            works = [Projector(connection, one, page=self._settings.page) for one in projections]
            for work in works:
                await work.read_again()
            while True:
                self._woken.clear()
                began_at = time.monotonic()
                more = False
                for work in works:
                    more |= await self._step(work)
                self._telemetry.progressed(PART)
                if not more:
                    await self._wait(_rest(self._settings.look_seconds, time.monotonic() - began_at))
        finally:
            if figures is not None:
                figures.cancel()
                await asyncio.gather(figures, return_exceptions=True)
            with suppress(Exception):
                await connection.close(timeout=5)

    async def _step(self, work: Projector) -> bool:
        if not await work.look():
            return False
        began_at = time.monotonic()
        step = await work.step()
        self._telemetry.count("projector.taken", step.taken)
        self._telemetry.observe("projector.step_seconds", time.monotonic() - began_at)
        return step.more

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.01)):
                await self._woken.wait()

    def _wake(self, *_: Any) -> None:
        self._woken.set()


def _rest(look_seconds: float, took: float) -> float:
    """How long to wait after a look that took so long, in seconds."""
    return max(look_seconds - took, min(took * REST, REST_SECONDS_MAX))


async def take_in(dsn: str, *, page: int = PAGE) -> int:
    """Bring the read side up once, by the projector's login or the owner's; how many facts and calls were taken in.

    For a city whose projector does not run.
    """
    connection = await connect(dsn, PART)
    taken = 0
    try:
        await reads_any_instant(connection)
        await prepared(connection)
        for one in (Complaints(), Calls()):
            work = Projector(connection, one, page=page)
            await work.read_again()
            more = True
            while more:
                step = await work.step()
                taken, more = taken + step.taken, step.more
    finally:
        await connection.close()
    return taken


async def run(settings: Settings) -> None:
    """Project until told to stop."""
    set_up_logs(settings.log_level)
    telemetry = Telemetry(PART)
    telemetry.serve(settings)
    task = asyncio.ensure_future(_work(settings, telemetry))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    tune_gc()
    await task


async def _work(settings: Settings, telemetry: Telemetry) -> None:
    """Keep the lists, and beside it state lives to a trace viewer where there is one."""
    exporter = exporter_of(settings.traces, settings.traces_endpoint)
    lives: asyncio.Task[None] | None = None
    if exporter is not None:
        lives = asyncio.create_task(
            LifeExporter(settings.postgres, exporter, settings.traces_ratio, telemetry).run()
        )
    try:
        await ProjectorLoop(settings, telemetry).run()
    finally:
        if lives is not None:
            lives.cancel()


def main() -> None:
    """Run; being told to stop is no failure."""
    with suppress(OSError):  # where a system refuses, it runs as the others do
        os.nice(NICE)
    try:
        asyncio.run(run(Settings()))
    except asyncio.CancelledError:
        return
    except UserError as error:
        raise SystemExit(f"projector: {error}") from None
