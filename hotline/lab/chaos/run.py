"""One run of chaos: a city, a monkey, and at the end the question whether anything is lost, doubled or stuck."""

from __future__ import annotations

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from deploy.city.city import PROCESSES, Realm, moved
from deploy.city.registry import ANCHORS_FILE, city_folder, folder
from deploy.embedded import child
from deploy.embedded.kafka import Listener
from deploy.embedded.stack import Stack
from deploy.embedded.state import read_state
from deploy.supervision.supervisor import Service
from deploy.supervision.topic_ends import ends_of
from deploy.supervision.watchman import ENDED
from hotline.lab.chaos.appends import Writers, judged
from hotline.lab.chaos.counts import Counts
from hotline.lab.chaos.disk import Disk
from hotline.lab.chaos.faults import SERVERS, Fault, Ground, faults
from hotline.lab.chaos.letters import unstated
from hotline.lab.chaos.marks import Marks
from hotline.lab.chaos.nonsense import NEVER, PARKED, Parked, amiss
from hotline.lab.chaos.outside import Outside
from hotline.lab.chaos.wire import Wire, Wires
from hotline.lab.rehearsal.stage import staged, verified
from hotline.lab.simulation.act import Act, Heard, Reaction
from hotline.lab.simulation.conductor import Conductor, Progress, Summary
from hotline.lab.simulation.population import Population
from hotline.lab.simulation.year import BeijingYear, midnight, requests_by_day
from services.intake.inbound import SAME_CALL_MAX, claim_id
from shared.ids import ComplaintId
from shared.inputs import Input
from shared.log.heads import fetch, over_bodies
from shared.policy.catalogue import Catalogue
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.runtime.patience import HAND_SECONDS
from shared.topic_names import names
from shared.topics import COMPLAINTS_LOG
from shared.unreadable import UnreadableRows
from shared.versions import RULESET
from shared.work import Claim

CITY: Final = "chaos"
CALENDAR: Final = "cn-1"
FIRST_DAY: Final = date(2025, 3, 3)
STEP: Final = timedelta(minutes=10)
"""Of city time: so short that calls, replies, visits and limits come side by side and every process has work."""
CALL_SECONDS: Final = 0.5
"""How often somebody calls by the clock on the wall: so intake has something to take in at night too."""
ONE_IN: Final = 3
"""How often a fault is one of those that no run goes without: a short run has had them all after a minute or so."""
WAITS_SECONDS: Final = (0.1, 0.8)
"""Between one fault, once work goes on, and the next."""
ANCHOR_SECONDS: Final = 5.0
"""How often the log is anchored: much in a short run too."""
GOES_ON_SECONDS: Final = 10.0
"""Promised after a process was killed; a server gets `GOES_ON_SERVER_SECONDS` from when it answers again."""
GOES_ON_SERVER_SECONDS: Final = 15.0

# A limit's instant may come twice: over before the order was sent, it is stated, and then its correction is.
DOUBLED: Final = """
SELECT stream_id::text, actor, caused_by, string_agg(version || ' ' || type, ', ' ORDER BY version) AS facts
FROM es.fact
GROUP BY 1, 2, 3, CASE WHEN caused_by LIKE 'clock/%' THEN type END
HAVING count(DISTINCT xid) > 1 ORDER BY 1 LIMIT 20
"""
_EARLY: Final = over_bodies(
    """
SELECT stream_id::text, version FROM es.fact, LATERAL (SELECT {json} AS b) x
WHERE type IN ('SignLimitMissed', 'FeedbackLimitMissed')
  AND (b ->> 'noticed_at')::timestamptz < (b ->> 'due_at')::timestamptz LIMIT 20
"""
)
_INBOX: Final = "SELECT message_id::text FROM es.inbox WHERE consumer = ANY ($1)"
_OF_CALLS: Final = """
SELECT r.body AS received, c.body AS classified
FROM es.fact r JOIN es.fact c ON c.stream_id = r.stream_id AND c.type = 'ComplaintClassified'
WHERE r.type = 'ComplaintReceived' AND r.version = 1
"""
_CALLS: Final = """
SELECT coalesce(sum((offered_at IS NOT NULL)::int + (answered_at IS NOT NULL)::int + (ended_at IS NOT NULL)::int), 0)
FROM intake.call
"""


class Kind(msgspec.Struct, kw_only=True):
    """What came of one kind of fault."""

    fault: str
    times: int = 0
    seconds: list[float] = msgspec.field(default_factory=list)
    """From the end of the fault until work went on, each time."""
    dropped: int = 0
    """Repeats that had no effect, from these faults to the next ones, as the processes counted them."""
    parked: int = 0
    """Messages set aside, counted likewise."""
    hands: int = 0
    """How often somebody would have had to come."""
    notes: list[str] = msgspec.field(default_factory=list)

    @property
    def p50(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def max(self) -> float:
        """Seconds."""
        return max(self.seconds, default=0.0)

    @property
    def late(self) -> int:
        """How often later than promised."""
        promised = GOES_ON_SERVER_SECONDS if self.fault.split()[-1] in SERVERS else GOES_ON_SECONDS
        return sum(seconds > promised for seconds in self.seconds)


class Outcome(msgspec.Struct, kw_only=True):
    """A run of chaos, judged."""

    seed: int
    minutes: float
    faults: int
    kinds: list[Kind]
    left_out: list[str]
    """Kinds this machine does not allow."""
    facts: int
    complaints: int
    inputs: int
    """Acknowledged, each once."""
    lost: list[str]
    doubled: list[str]
    illegal: list[str]
    """What `verify` found: lives, chains, views unlike their rebuild, who waits for nobody."""
    early: list[str]
    appends: int
    """Attempts in the writers' history."""
    impossible: list[str]
    parked_wrong: list[str]
    """Nonsense that was not parked once by each who heard it, or for another reason; or something else that was."""
    letters: int
    """Requests typed in days and weeks late."""
    letters_unstated: list[str]
    """Those of which a limit was over, and no fact says so."""
    parked: int
    inputs_dropped: int
    """Repeats of inputs that had no effect."""
    relay_dropped: int
    """Messages the relay sent again."""
    died: list[str]
    """Processes that ended without being told to."""
    ended: list[str]
    """Processes that were taken for hung: none does, for no fault is as long as that."""
    still_open: int

    @property
    def zeros(self) -> dict[str, int]:
        """What must be zero."""
        return {
            "acknowledged inputs lost": len(self.lost),
            "effects doubled": len(self.doubled),
            "problems found by verify": len(self.illegal),
            "early timers": len(self.early),
            "impossible histories of appends": len(self.impossible),
            "nonsense not parked as it should": len(self.parked_wrong),
            "letters whose overdue limits were not stated": len(self.letters_unstated),
            "lives still open at the end": self.still_open,
            "processes ended as if they hung": len(self.ended),
            "processes that needed a hand": sum(kind.hands for kind in self.kinds),
        }

    @property
    def good(self) -> bool:
        """All of them are."""
        return not any(self.zeros.values())


class Closing:
    """A population that goes home when told to: nobody calls any more, what is under way goes on.

    Letters are told of long after they came. Nobody does anything about one before he can have read of it.
    """

    def __init__(self, lives: Population, began_at: datetime) -> None:
        """Open, at the city's first instant."""
        self._lives = lives
        self._closed = False
        self._present = self._reached = began_at

    def close(self) -> None:
        """From now on nobody calls."""
        self._closed = True

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return None if self._closed else self._lives.next_at()

    def first_acts(self, until: datetime) -> Iterable[Act]:
        """See `Population.first_acts`."""
        self._present, self._reached = self._reached, until
        return () if self._closed else self._lives.first_acts(until)

    def react(self, heard: Heard) -> Reaction:
        """See `Population.react`; what a letter's own days would have led to happens now."""
        reaction = self._lives.react(heard)
        acts = [act._replace(at=max(act.at, self._present)) for act in reaction.acts]
        return reaction._replace(acts=acts)

    def forget(self, complaint: ComplaintId) -> None:
        """See `Population.forget`."""
        self._lives.forget(complaint)


def drawn(known: Sequence[Fault], random: Random) -> Iterator[Fault]:
    """Faults by their weights, without end; each third one of those that no run goes without, until all were there."""
    weights = [fault.weight for fault in known]
    left = [fault for fault in known if fault.in_every_run]
    random.shuffle(left)
    for number in count(1):
        if left and number % ONE_IN == 0:
            yield left.pop()
        else:
            yield random.choices(known, weights)[0]


class Monkey:
    """Does one thing at a time, drawn from a seed, and takes the time until work goes on."""

    def __init__(
        self,
        ground: Ground,
        marks: Marks,
        counts: Counts,
        known: Sequence[Fault],
        *,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        """`known`: what it may do."""
        self._ground, self._marks, self._known, self._say = ground, marks, known, say
        self._counts = counts
        self._random = Random(f"monkey {seed}")
        self.kinds: dict[str, Kind] = {}
        self.done = 0

    async def play(self, *, seconds: float, most: int | None) -> None:
        """Until the time is over, or so many faults have happened; it begins once everybody is at work."""
        if await self._marks.moved(PROCESSES, within=HAND_SECONDS) is None:
            raise UserError(f"The city was not at work after {HAND_SECONDS:.0f} s: nothing was made to fail.")
        await self._counts.since()
        end = time.monotonic() + seconds
        coming = drawn(self._known, self._random)
        while time.monotonic() < end and (most is None or self.done < most):
            fault = next(coming)
            self._ground.random = Random(self._random.random())
            pause = self._random.uniform(*WAITS_SECONDS)
            await self._do(fault)
            await asyncio.sleep(pause)
            count, kind = await self._counts.since(), self.kinds[fault.name]
            kind.dropped += count.dropped
            kind.parked += count.parked

    async def _do(self, fault: Fault) -> None:
        kind = self.kinds.setdefault(fault.name, Kind(fault=fault.name))
        kind.times += 1
        self.done += 1
        done = await fault.act(self._ground)
        seconds = await self._marks.moved(done.victims, within=HAND_SECONDS)
        if seconds is None or done.needs_hand:
            kind.hands += 1
            missing = done.note or "work has not gone on"
            self._say(f"{self.done}. {fault.name}: {missing}, for {HAND_SECONDS:.0f} s")
        else:
            kind.seconds.append(seconds)
            self._say(f"{self.done}. {fault.name}: work went on after {seconds:.1f} s {done.note}".rstrip())
        if done.note:
            kind.notes.append(done.note)


async def lived(
    catalogue: Catalogue,
    *,
    seed: int,
    minutes: float,
    most: int | None,
    scale: float,
    say: Callable[[str], None],
    show: Callable[[Progress], None],
) -> Outcome:
    """Live under fire for so long (or so many faults), then to the end, and judge it all from outside."""
    died: list[str] = []
    ended: list[str] = []

    def hear(text: str) -> None:
        say(text)
        if ENDED in text:
            ended.append(text)
        if "it is started again in" in text and "SIGKILL" not in text and "with code 0" not in text:
            died.append(text)

    async with AsyncExitStack() as put_away:
        stack, wires, laid, disk = await put_away.enter_async_context(_ground(folder(), hear))
        began_at = midnight(FIRST_DAY)
        postgres_wires: dict[str, Wire] = {}

        def wired(service: Service) -> Service:
            return _rewired(service, wires, laid, postgres_wires)

        stage = await put_away.enter_async_context(
            staged(
                CITY,
                catalogue,
                ruleset=RULESET,
                traces_ratio=0.0,
                counts={},
                say=hear,
                keep=False,
                stack=stack,
                wired=wired,
            )
        )
        realm = stage.realm
        outside = Outside(realm.kafka, realm.prefix, catalogue, began_at)
        put_away.push_async_callback(outside.close)
        marks = Marks(realm.owner_dsn)
        put_away.push_async_callback(marks.close)
        postgres_wires["writers"] = wires.lay("writers", urlsplit(realm.owner_dsn).port or 0, commits=True)
        writers = Writers(
            moved(realm.logins["intake"], postgres_wires["writers"].address),
            catalogue,
            ruleset=RULESET,
            calendar=CALENDAR,
            began_at=began_at,
            seed=seed,
        )
        ground = Ground(
            stage=stage,
            services={service.name: service for service in stage.supervisor.services},
            wires={"kafka": laid, "postgres": postgres_wires},
            outside=outside,
            disk=disk,
            random=Random(seed),
            log=stack.folder / "logs",
        )
        counts = Counts(stage.supervisor.pids)
        monkey = Monkey(ground, marks, counts, faults(disk=disk is not None), seed=seed, say=say)
        population = Closing(
            BeijingYear(
                catalogue, seed=seed, scale=scale, days=[d for d in requests_by_day() if d >= FIRST_DAY]
            ),
            began_at,
        )
        conductor = Conductor(
            population,
            kafka=realm.outside,
            postgres=realm.owner_dsn,
            prefix=realm.prefix,
            units=tuple(catalogue.units),
            start=began_at,
            step=STEP,
        )
        summary = await _under_fire(
            conductor, population, monkey, writers, outside, seconds=minutes * 60, most=most, show=show
        )
        say("The last complaint has ended. Everything is read, from outside …")
        return await _judged(
            realm,
            catalogue,
            summary,
            monkey,
            writers,
            outside,
            seed=seed,
            minutes=minutes,
            died=died,
            ended=ended,
            left_out=[] if disk is not None else ["the log's disk full"],
        )


async def _under_fire(
    conductor: Conductor,
    population: Closing,
    monkey: Monkey,
    writers: Writers,
    outside: Outside,
    *,
    seconds: float,
    most: int | None,
    show: Callable[[Progress], None],
) -> Summary:
    """The city, those who write, those who call and the monkey; then the city alone, to its end."""

    async def calls() -> None:
        while True:
            await outside.call()
            await asyncio.sleep(CALL_SECONDS)

    async def fire() -> None:
        begun = [asyncio.ensure_future(writers.write()), asyncio.ensure_future(calls())]
        playing = asyncio.ensure_future(monkey.play(seconds=seconds, most=most))
        try:
            await asyncio.wait([playing, *begun], return_when=asyncio.FIRST_COMPLETED)
            for task in begun:
                if task.done():
                    task.result()
            await playing
        finally:
            playing.cancel()
            writers.stop()
            begun[1].cancel()
            await asyncio.gather(playing, *begun, return_exceptions=True)
            population.close()

    burning = asyncio.ensure_future(fire())
    living = asyncio.ensure_future(conductor.live(show))
    try:
        await asyncio.wait([burning, living], return_when=asyncio.FIRST_COMPLETED)
        if burning.done():
            burning.result()
        return await living
    finally:
        for task in (burning, living):
            task.cancel()
        await asyncio.gather(burning, living, return_exceptions=True)


# -- what it stands on


@asynccontextmanager
async def _ground(
    where: Path, say: Callable[[str], None]
) -> AsyncIterator[tuple[Stack, Wires, dict[str, Wire], Disk | None]]:
    """A stack of its own, made anew, with a wire to Kafka for each process and its log on a small disk."""
    old = Stack(where)
    await old.down()
    old.wipe()
    with Wires() as wires:
        ports = child.free_ports(2 * len(PROCESSES))
        listeners = [
            Listener(f"WIRE_{name.upper()}", port, by)
            for name, port, by in zip(PROCESSES, ports[::2], ports[1::2], strict=True)
        ]
        laid = {
            name: wires.lay(name, listener.port, port=listener.advertised)
            for name, listener in zip(PROCESSES, listeners, strict=True)
        }
        stack = Stack(where, zipkin=False, listeners=listeners)
        disk = Disk(where.with_name(f"{where.name}-disk"))
        mounted = False
        try:
            await stack.up(say)
            mounted = await disk.mount()
            if mounted:
                await _onto(disk, stack, say)
            yield stack, wires, laid, disk if mounted else None
        finally:
            await stack.down()
            if mounted:
                await disk.unmount()


async def _onto(disk: Disk, stack: Stack, say: Callable[[str], None]) -> None:
    """PostgreSQL's data onto the small disk."""
    running = read_state(stack.folder).running["postgres"]
    await child.stop(running, signal.SIGINT, patience_seconds=20)
    disk.take_in(stack.folder / "postgres")
    await stack.up(lambda _: None)
    say("The log lies on a small disk that can be filled.")


def _rewired(service: Service, wires: Wires, kafka: Mapping[str, Wire], postgres: dict[str, Wire]) -> Service:
    """A process that reaches Kafka and PostgreSQL through wires of its own."""
    upper = service.name.upper()
    env = dict(service.env)
    dsn = env[f"{upper}_POSTGRES"]
    if service.name not in postgres:
        postgres[service.name] = wires.lay(service.name, urlsplit(dsn).port or 0, commits=True)
    env[f"{upper}_POSTGRES"] = moved(dsn, postgres[service.name].address)
    env[f"{upper}_KAFKA"] = kafka_address.moved(env[f"{upper}_KAFKA"], kafka[service.name].address)
    if service.name == "relay":
        env["RELAY_ANCHOR_SECONDS"] = str(ANCHOR_SECONDS)
    return replace(service, env=env)


# -- what it came to


async def _judged(
    realm: Realm,
    catalogue: Catalogue,
    summary: Summary,
    monkey: Monkey,
    writers: Writers,
    outside: Outside,
    *,
    seed: int,
    minutes: float,
    died: list[str],
    ended: list[str],
    left_out: list[str],
) -> Outcome:
    reader = realm.logins["reader"]
    told = [*summary.acknowledged_inputs, *outside.acknowledged]
    anchors = city_folder(CITY) / ANCHORS_FILE
    report = await verified(realm, catalogue, told, all_end=True, anchors=anchors)
    problems = [f"{one.complaint_id} {one.what}".strip() for one in report.problems]
    lost = [text for text in problems if "acknowledged by Kafka, and lost" in text]
    unread = UnreadableRows()  # verify has named them
    connection = await asyncpg.connect(reader)
    try:
        doubled = [" ".join(row) for row in await connection.fetch(DOUBLED)]
        early = [f"{row[0]} version {row[1]}" for row in await fetch(connection, _EARLY, unread=unread)]
        parked = {row[0]: Parked(row[1], row[2]) for row in await connection.fetch(PARKED)}
        marks = {row[0] for row in await connection.fetch(_INBOX, ["intake", "dispatch", "feedback"])}
        of_calls = await connection.fetch(_OF_CALLS)
        marks -= {held for row in of_calls for held in _held_by(row["received"], row["classified"])}
        heard = len(marks) + await connection.fetchval(_CALLS)
    finally:
        await connection.close()
    ends = await _ends(realm, catalogue)
    said = sum(end for (topic, _), end in ends.items() if _is_door(realm, catalogue, topic))
    sent = sum(end for (topic, _), end in ends.items() if topic == realm.prefix + COMPLAINTS_LOG.name)
    nonsense = [(piece.desks, parked.get(key, NEVER).times) for key, piece in outside.poisoned.items()]
    at_doors = sum(times for desks, times in nonsense if desks == 1)
    in_log = sum(times // desks for desks, times in nonsense if desks > 1)
    return Outcome(
        seed=seed,
        minutes=minutes,
        faults=monkey.done,
        kinds=sorted(monkey.kinds.values(), key=lambda kind: kind.fault),
        left_out=left_out,
        facts=report.facts,
        complaints=report.complaints,
        inputs=len(told),
        lost=lost,
        doubled=doubled,
        illegal=[text for text in problems if text not in lost],
        early=early,
        appends=len(writers.history),
        impossible=await judged(reader, writers.history),
        parked_wrong=amiss(outside.poisoned, parked),
        parked=sum(one.times for one in parked.values()),
        inputs_dropped=said - at_doors - (heard - writers.said),
        relay_dropped=sent - report.facts - in_log,
        letters=len(outside.letters),
        letters_unstated=await unstated(reader, outside.letters),
        died=died,
        ended=ended,
        still_open=report.open,
    )


def _held_by(received: bytes, classified: bytes) -> tuple[str, ...]:
    """What the records of a call may hold beside the messages that were heard, as they were recorded first (T7)."""
    said, subject = msgspec.json.decode(received), msgspec.json.decode(classified)["subject"]
    if said.get("call_id") is None:
        return ()
    first = claim_id(said["call_id"], subject, said["district"], said.get("street"))
    return (first, *Claim(first, None, places=SAME_CALL_MAX).further())


async def _ends(realm: Realm, catalogue: Catalogue) -> Mapping[tuple[str, int], int]:
    asked = {
        (name, part)
        for name, line in names(realm.prefix, catalogue.units).items()
        for part in range(line.partitions)
    }
    return await ends_of(realm.kafka, asked)


def _is_door(realm: Realm, catalogue: Catalogue, topic: str) -> bool:
    line = names(realm.prefix, catalogue.units)[topic]
    return any(issubclass(kind, Input) for kind in line.carries)
