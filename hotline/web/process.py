"""The HTTP door as a process: two listeners, started apart or together, and a stop that waits for answers."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
import uvloop

from hotline.scoring.inhabitants import PopulationInvalid, population
from hotline.web.app import application
from hotline.web.asking import Rooms, TraceViewer
from hotline.web.caller_index import CallerIndex
from hotline.web.caller_indexing import CallerIndexing
from hotline.web.caller_warnings import CallerMarks
from hotline.web.city_clock import CityClock
from hotline.web.contact_reader import ContactReader
from hotline.web.contact_seal import ContactSeal
from hotline.web.identity_provider import IdentityProvider
from hotline.web.judging import Judge
from hotline.web.kept_texts import KeptTexts
from hotline.web.keys import KeyRing
from hotline.web.limits import (
    KEY_USED_SECONDS,
    READ_SECONDS_MAX,
    READINGS_MAX,
)
from hotline.web.open311.offers import ServiceOffers
from hotline.web.open_streams import OpenStreams
from hotline.web.outcomes import OutcomeWatch
from hotline.web.pages.board.moment import BoardWatch
from hotline.web.pages.call_watch import CallWatch
from hotline.web.pages.live import LiveRegions
from hotline.web.pages.operations.watch import OperationsWatch
from hotline.web.pages.provider_sign_in import BACK
from hotline.web.pages.recent_acts import RecentActs
from hotline.web.pages.staff import ProvidedStaff
from hotline.web.parked_messages import ParkedMessages
from hotline.web.rate import RateLimits
from hotline.web.roles import HttpListener
from hotline.web.serving import QuietServer, server_of, taken
from hotline.web.settings import Settings
from hotline.web.speaking import Speakers
from services.dispatch import contact_reading
from shared.contacts.callers import CallersKey, callers_key
from shared.contacts.details import MasterKey, master_key, sealing_key
from shared.contacts.sealing import SealingKey
from shared.log.away import is_away
from shared.log.instants import reads_any_instant
from shared.log.postgres import SETTINGS
from shared.policy.calendar import CalendarUnknown, calendar
from shared.policy.catalogue import CatalogueInvalid, catalogue
from shared.policy.city_map import MapInvalid, city_map
from shared.runtime.errors import UserError, told
from shared.runtime.garbage import tune_gc
from shared.runtime.telemetry import Telemetry, set_up_logs

NAME: Final = "web"
POSTGRES: Final = "postgres"
"""The name of PostgreSQL in the process's health."""
BEAT_SECONDS: Final = 1.0
"""How often it looks what time it is in the city, and whether PostgreSQL answers."""


class WebProcess:
    """Both listeners, and what they share."""

    def __init__(
        self, settings: Settings, telemetry: Telemetry, rooms: Rooms, keys: KeyRing, indexing: CallerIndexing
    ) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._indexing = indexing
        self._telemetry = telemetry
        self._rooms = rooms
        self._keys = keys
        self._servers: list[tuple[QuietServer, socket.socket]] = []
        self._used_at = time.monotonic()
        telemetry.health.expects(POSTGRES)

    def open(self) -> dict[str, str]:
        """Take the ports; the address of each listener. `UserError` names a port that somebody else has."""
        told = self._settings
        where = {
            HttpListener.PUBLIC: (told.public_address, told.public_port),
            HttpListener.STAFF: (told.staff_address, told.staff_port),
        }
        addresses: dict[str, str] = {}
        for listener, (host, port) in where.items():
            if port < 0:
                continue
            mine = taken(host, port)
            app = application(listener, self._rooms, self._keys)
            self._servers.append((server_of(app, told.proxies), mine))
            addresses[listener] = f"{host}:{mine.getsockname()[1]}"
        return addresses

    async def work(self, stop: asyncio.Event) -> None:
        """Answer until told to stop; then finish the answers that are under way, and take no more."""
        beats = [asyncio.ensure_future(self._beat())]
        if self._settings.staff_port >= 0:
            beats.append(asyncio.ensure_future(self._indexing.run()))
        if self._rooms.speakers.roles:
            beats.append(asyncio.ensure_future(self._rooms.speakers.watch()))
        observing = asyncio.ensure_future(self._rooms.operations.run())
        serving = [asyncio.ensure_future(server.serve(sockets=[mine])) for server, mine in self._servers]
        waiting = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([waiting, *beats, *serving], return_when=asyncio.FIRST_COMPLETED)
            self._rooms.streams.stop.set()  # else an open stream would keep its server from stopping
            for server, _ in self._servers:
                server.should_exit = True
            await asyncio.gather(*serving)
            for beat in beats:
                if beat.done():
                    beat.result()
        finally:
            tasks = (waiting, *beats, observing)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(Exception):
                await self._note_used()

    async def _beat(self) -> None:
        health = self._telemetry.health
        while True:
            try:
                present = await self._rooms.pool.fetchval("SELECT es.present()")
                self._rooms.clock.told(present)
                if time.monotonic() - self._used_at > KEY_USED_SECONDS:
                    await self._note_used()
            except Exception as error:
                if not is_away(error):
                    raise
                self._telemetry.log.warning("waiting_for_postgres", error=told(error))
                health.waits("PostgreSQL", POSTGRES)
            else:
                self._telemetry.progressed(POSTGRES)
            await asyncio.sleep(BEAT_SECONDS)

    async def _note_used(self) -> None:
        self._used_at = time.monotonic()
        if used := self._keys.take_used():
            await self._rooms.pool.execute("SELECT web.note_used($1)", used)


@asynccontextmanager
async def opened(settings: Settings, telemetry: Telemetry) -> AsyncIterator[WebProcess]:
    """The process with all it needs; PostgreSQL and Kafka may come later."""
    async with AsyncExitStack() as close:
        pool: asyncpg.Pool[Any] = await asyncpg.create_pool(
            settings.postgres,
            min_size=0,
            max_size=READINGS_MAX,
            timeout=READ_SECONDS_MAX,
            command_timeout=READ_SECONDS_MAX,
            init=reads_any_instant,
            server_settings={**SETTINGS, "application_name": NAME},
        )
        close.callback(pool.terminate)
        contacts: asyncpg.Pool[Any] = await asyncpg.create_pool(
            settings.contacts_postgres or settings.postgres,
            min_size=0,
            max_size=contact_reading.READINGS_MAX,
            timeout=contact_reading.CONNECT_SECONDS,
            command_timeout=contact_reading.STATEMENT_SECONDS,
            server_settings=contact_reading.WAITING,
        )
        close.callback(contacts.terminate)
        speakers = Speakers(settings.speakers, telemetry)
        close.push_async_callback(speakers.close)
        watch = OutcomeWatch(pool)
        close.push_async_callback(watch.close)
        clock = CityClock(settings.input_age_days_max)
        streams = OpenStreams()
        known = catalogue(settings.catalogue)
        callers, indexing, readings, seal = _of_the_vault(settings, pool, contacts, telemetry)
        rooms = Rooms(
            prefix=settings.topic_prefix,
            ruleset=settings.ruleset,
            calendar=calendar(settings.calendar).version,
            catalogue=known,
            inhabitants=population(settings.inhabitants),
            offers=ServiceOffers(known),
            pool=pool,
            judge=Judge(settings.topic_prefix, settings.ruleset, clock),
            speakers=speakers,
            watch=watch,
            streams=streams,
            clock=clock,
            rates=RateLimits(),
            board=BoardWatch(pool, settings.ruleset, city_map(settings.map)),
            traces=TraceViewer(settings.viewer, settings.traces_ratio),
            acted=RecentActs(),
            live=LiveRegions(pool, streams, telemetry),
            operations=OperationsWatch(settings.observed_targets, telemetry),
            calls=CallWatch(pool, streams),
            callers=callers,
            readings=readings,
            contacts=seal,
            parked=ParkedMessages(contacts),
            marks=CallerMarks(contacts, callers),
            kept=KeptTexts(contacts),
            provided=_provided(settings, contacts),
            telemetry=telemetry,
        )
        yield WebProcess(settings, telemetry, rooms, KeyRing(pool), indexing)


def _provided(settings: Settings, staff: asyncpg.Pool[Any]) -> ProvidedStaff | None:
    """The people of the identity provider; `staff`: as the login that may admit them."""
    told = settings.provider
    return None if told is None else ProvidedStaff(IdentityProvider(told, BACK), staff)


def _of_the_vault(
    settings: Settings, pool: asyncpg.Pool[Any], contacts: asyncpg.Pool[Any], telemetry: Telemetry
) -> tuple[CallerIndex, CallerIndexing, ContactReader, ContactSeal]:
    """Those that know of contacts, each with its keys. Keys are asked for each time: a file may be put back."""

    def callers() -> CallersKey | None:
        return callers_key(settings.callers_key.get_secret_value(), settings.callers_key_file)

    def master() -> MasterKey | None:
        return master_key(settings.contacts_key.get_secret_value(), settings.contacts_key_file)

    def public() -> SealingKey | None:
        return sealing_key(settings.contacts_public_key, settings.contacts_public_key_file)

    return (
        CallerIndex(contacts, callers, telemetry),
        CallerIndexing(contacts, master, callers, telemetry),
        ContactReader(contacts, master, telemetry),
        ContactSeal(pool, public, telemetry),
    )


async def run(settings: Settings) -> None:
    """Answer until told to stop (SIGTERM, SIGINT)."""
    set_up_logs(settings.log_level)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    telemetry = Telemetry(NAME)
    telemetry.hear_kafka()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, telemetry) as process:
        telemetry.serve(settings)
        telemetry.log.info("doors_open", **process.open())
        tune_gc()
        await process.work(stop)


def main() -> None:
    """Run; a port or setting that cannot be is one sentence."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(Settings()))
    except (UserError, CalendarUnknown, CatalogueInvalid, MapInvalid, PopulationInvalid) as error:
        raise SystemExit(f"web: {error}") from None
