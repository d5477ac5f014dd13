"""A small city for a test: its own database and topics, and the services it is asked to run.

Three streets and a waterworks in one district. What a test tells it goes through the real doors; what came of
it is read from the log.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.request import urlopen

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import RecordMetadata, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from deploy.city import making, served
from deploy.city.endpoints import DESKS, PROCESSES, PROJECTOR, CityEndpoints
from deploy.embedded.stack import Addresses, Stack
from deploy.supervision.supervisor import Supervisor
from deploy.supervision.topic_ends import ends_of
from hotline.audit.verify import verify
from hotline.lab.desks.city import LIVED, prepare
from shared.cloudevents import input_headers
from shared.doors.heard import of_login
from shared.events import Fact
from shared.events.base import RequestType, Urgency
from shared.ids import TOGETHER, ComplaintId, complaint_id
from shared.inputs import (
    AnswerOrder,
    Input,
    RecordRequest,
    RecordVisit,
    RequestReturn,
    ReviewReturn,
    SignOrder,
)
from shared.log.chain import GENESIS, chained
from shared.log.codec import decoded
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.topic_names import names, partition_of
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    Topic,
)
from tests.forked import ForkingSupervisor
from tests.shell import PATIENCE
from tests.sources import Databases

DISTRICT: Final = "海淀区"
STREETS: Final = {
    "花园路街道": "street-huayuanlu",
    "中关村街道": "street-zhongguancun",
    "学院路街道": "street-xueyuanlu",
}
STREET: Final = "花园路街道"
UNIT: Final = STREETS[STREET]
OTHER_UNIT: Final = STREETS["中关村街道"]
DISTRICT_UNIT: Final = "district-haidian"
QUIET_STREET: Final = "学院路街道"
QUIET_UNIT: Final = STREETS[QUIET_STREET]
"""Only acts on pages lie here: the unit's list stays within a page however many tests share the city."""
SUPERVISION: Final = "municipal-supervision"
WATER: Final = "供水"
CATALOGUE: Final = {
    "version": "test-1",
    "centre": "hotline-centre",
    "supervision": SUPERVISION,
    "units": {
        "hotline-centre": {"name": "市民热线服务中心", "level": "MUNICIPAL"},
        SUPERVISION: {"name": "市督办", "level": "MUNICIPAL"},
        DISTRICT_UNIT: {"name": DISTRICT, "level": "DISTRICT"},
        "waterworks": {"name": "自来水集团", "level": "UNIT"},
        **{unit: {"name": street, "level": "UNIT"} for street, unit in STREETS.items()},
    },
    "districts": {DISTRICT: {"unit": DISTRICT_UNIT, "streets": STREETS}},
    "subjects": {WATER: {"to": "street"}, "水费": {"to": "unit", "unit": "waterworks"}},
}

HEARD: Final = (
    ("intake", TELEPHONY_CALLS),
    ("intake", INTAKE_REQUESTS),
    ("dispatch", DISPATCH_REPLIES),
    ("dispatch", DISPATCH_REVIEWS),
    ("feedback", FEEDBACK_VISIT_RESULTS),
    ("feedback", FEEDBACK_EXCEPTIONS),
)
"""Which desk takes in which door."""

_Value = TypeVar("_Value")


class Told(NamedTuple):
    """A fact as the log holds it."""

    position: int
    complaint_id: ComplaintId
    version: int
    fact_id: str
    type: str
    caused_by: str
    actor: str
    recorded_at: datetime
    body: bytes
    fact: Any
    """The fact itself, of the class its type names."""


def request(request_id: str, **fields: Any) -> RecordRequest:
    """A request about water in a street of ours; `fields` where a test is about them."""
    told: dict[str, Any] = {
        "request_type": RequestType.HELP,
        "subject": WATER,
        "urgency": Urgency.GENERAL_7D,
        "district": DISTRICT,
        "street": STREET,
        "address": "小关街5号",
        "title": "没有水",
        "content": "三天没有水",
    }
    return RecordRequest(request_id=request_id, **{**told, **fields})


async def until(
    ask: Callable[[], Awaitable[_Value]], *, within: float = 10.0, what: str = "", every: float = 0.02
) -> _Value:
    """Ask until the answer is true and give it.

    `within`: the seconds that a quiet machine needs at most. `AssertionError` with the last answer where it takes
    `PATIENCE` times as long.
    """
    deadline = time.monotonic() + within * PATIENCE
    while not (value := await ask()):
        if time.monotonic() > deadline:
            message = f"{what or 'this'} did not come about within {within * PATIENCE} s; the last answer was {value!r}"
            raise AssertionError(message)
        await asyncio.sleep(every)
    return value


async def partitions_of(kafka: str, topic: str) -> list[TopicPartition]:
    """All partitions of a topic; waits for them: a broker may not know those of a topic that was just made."""
    admin = AdminClient(kafka_address.librdkafka(kafka))

    async def ask() -> list[TopicPartition]:
        known = await asyncio.to_thread(admin.list_topics, topic, timeout=10)
        return [TopicPartition(topic, number) for number in sorted(known.topics[topic].partitions)]

    return await until(ask, what=f"partitions of {topic}")


class City:
    """See the module. Made by `open_city`."""

    def __init__(
        self,
        made: CityEndpoints,
        folder: Path,
        *,
        units: Sequence[str],
        stack: Stack | None,
        options: Mapping[str, Any],
        idle_ms: int,
    ) -> None:
        """`options` go to `deploy.city.served.services`."""
        self.endpoints = made
        self.folder = folder
        self.said: list[str] = []
        """What the supervisor said of services that died."""
        self.kills = 0
        self.more: list[str] = []
        """Topics beside those of the table of topics; gone with the city."""
        self._units = units
        self._stack = stack
        self._options = options
        self._idle_ms = idle_ms
        self._supervisors: list[tuple[Supervisor, asyncio.Task[None]]] = []
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._pool: Any = None
        self._numbers = 0

    # -- services

    async def start(
        self,
        *which: str,
        counts: Mapping[str, int] | None = None,
        extra: Mapping[str, str] | None = None,
        one_process: bool = False,
        within: float = 60.0,
    ) -> None:
        """Start these services, all five without a name, and wait until they work; kept alive until `stop`.

        A desk's name means all of its processes by `counts`, `dispatch-3` only that one.
        """
        idle = {f"{name.upper()}_OFFSETS_IDLE_MS": str(self._idle_ms) for name in PROCESSES}
        told: dict[str, Any] = {
            **self._options,
            "extra": {**idle, **self._options.get("extra", {}), **(extra or {})},
        }
        services = [
            service
            for service in served.services(
                self.endpoints, self.folder / "logs", counts=counts, one_process=one_process, **told
            )
            if not which or {service.name, service.name.partition("-")[0]} & set(which)
        ]
        # What an earlier start of the same service has said is no sign of this one.
        before = {s.log: s.log.stat().st_size for s in services if s.log.exists()}
        supervisor = ForkingSupervisor(services, stack=self._stack, say=self.said.append)
        await supervisor.start()
        self._supervisors.append((supervisor, asyncio.create_task(supervisor.watch())))
        for service in services:
            await until(
                lambda path=service.log, name=service.name: self._works(path, name, before.get(path, 0)),
                within=within,
                what=f"{service.name} at work",
                every=0.1,
            )

        desks = {service.name.partition("-")[0] for service in services}
        if TOGETHER in desks:
            desks |= set(DESKS)
        await until(
            lambda: self._hear(desks), within=within, what="every door with its partitions", every=0.1
        )

    async def _hear(self, desks: set[str]) -> bool:
        """A door asks the log where to go on when it is given its partitions."""
        rows = await self.sql("SELECT consumer, topic, part FROM es.consumer_offset")
        return self._heard_by(desks) <= {tuple(row) for row in rows}

    def _heard_by(self, desks: set[str]) -> set[tuple[str, str, int]]:
        lines = [*HEARD, ("dispatch", COMPLAINTS_LOG), ("feedback", COMPLAINTS_LOG)]
        return {
            (desk, topic, number)
            for topic, of in names(self.endpoints.prefix, self._units).items()
            for desk, line in lines
            if of is line and desk in desks
            for number in range(line.partitions)
        }

    async def _works(self, log: Path, name: str, before: int) -> bool:
        desk, _, number = name.partition("-")
        owns = {"relay": "relay_owns", "escalation": "timer_shard_owned", PROJECTOR: "projector_owns"}
        sign = owns.get(desk, "doors_open")
        if number not in {"", "1"} and sign != "doors_open":
            return True  # it may have to wait for what another one owns
        return log.exists() and f'"{sign}"'.encode() in log.read_bytes()[before:]

    async def stop(self) -> None:
        """Stop every service; `start` may follow."""
        supervisors, self._supervisors = self._supervisors, []
        for supervisor, watching in supervisors:
            await supervisor.stop()
            await asyncio.wait_for(watching, PATIENCE * 20)
        restarts = sum(sum(supervisor.restarts.values()) for supervisor, _ in supervisors)
        if restarts > self.kills:
            message = f"services died that nobody killed: {self.said}\n{self.logs()}"
            raise AssertionError(message)

    def pids(self) -> dict[str, int]:
        """The living services."""
        found: dict[str, int] = {}
        for supervisor, _ in self._supervisors:
            found |= supervisor.pids()
        return found

    def signal(self, service: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send one service a signal; the supervisor starts it again if it dies of it."""
        if number is signal.SIGKILL:
            self.kills += 1
        os.kill(self.pids()[service], number)

    def logs(self, lines: int = 12) -> str:
        """The last lines of every service's log."""
        return "\n".join(
            f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in sorted((self.folder / "logs").glob("*.log"))
        )

    async def metric(self, service: str, name: str) -> float:
        """What a service has counted under this name (spelled as in `shared/runtime/telemetry.py`)."""

        async def port() -> int:
            path = self.folder / "logs" / f"{service}.log"
            told = [line for line in path.read_text().splitlines() if '"metrics_served"' in line]
            return int(json.loads(told[-1])["port"]) if told else 0

        address = f"http://127.0.0.1:{await until(port, what='a port for metrics')}/metrics"
        page = await asyncio.to_thread(lambda: urlopen(address, timeout=30).read().decode())
        wanted = f"hotline_{name.replace('.', '_')}_total"
        return sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == wanted
        )

    # -- telling

    def topic(self, line: Topic, unit: str = "", login: str = "") -> str:
        """The full name of a topic here; of a login's own, where one is named."""
        return self.endpoints.prefix + (of_login(line, login) if login else line.of(unit))

    async def speaker(self, line: Topic, login: str, *, heard: bool = True) -> str:
        """Make the topic of a login, and wait until its desk hears it; its full name."""
        topic = self.topic(line, login=login)
        self.more.append(topic)
        await making.make_topics(self.endpoints.kafka, {topic: line})
        if heard:
            await until(lambda: self.hears(topic), within=60, what=f"{topic} heard")
        return topic

    async def hears(self, topic: str) -> bool:
        """Whether a door has been given this topic."""
        return bool(await self.value("SELECT count(*) FROM es.consumer_offset WHERE topic = $1", topic))

    async def send(
        self,
        topic: str,
        key: str | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        *,
        partitions: int = 0,
    ) -> RecordMetadata:
        """Send a message as it is; returns when Kafka has it. `topic` is the full name."""
        producer = await self._sender()
        raw = None if key is None else key.encode()
        partition = partition_of(raw, partitions) if raw is not None and partitions else None
        return await producer.send_and_wait(topic, value, key=raw, partition=partition, headers=list(headers))

    async def tell(
        self,
        line: Topic,
        key: str,
        data: Input,
        *,
        unit: str = "",
        login: str = "",
        at: datetime | None = None,
        source: str = "/test",
        event_id: str | None = None,
    ) -> RecordMetadata:
        """Send an input as its speaker would; returns when Kafka has it. Each is an event of its own."""
        self._numbers += 1
        identity = event_id or f"{key}/{type(data).__name__}/{self._numbers}/{time.time_ns()}"
        headers = input_headers(type(data), source, identity, at or datetime.now(UTC))
        return await self.send(
            self.topic(line, unit, login), key, msgspec.json.encode(data), headers, partitions=line.partitions
        )

    async def record(
        self, request_id: str, *, at: datetime | None = None, login: str = "", **fields: Any
    ) -> ComplaintId:
        """Put a request on record at intake's door; returns the complaint it becomes."""
        await self.tell(INTAKE_REQUESTS, request_id, request(request_id, **fields), at=at, login=login)
        return complaint_id(request_id, login)

    async def sign(self, complaint: str, unit: str = UNIT, assignment: int = 1, **how: Any) -> None:
        """A unit takes an order on."""
        data = SignOrder(complaint_id=complaint, assignment=assignment)
        await self.tell(DISPATCH_REPLIES, complaint, data, unit=unit, **how)

    async def answer(
        self, complaint: str, unit: str = UNIT, assignment: int = 1, result: str = "修好了", **how: Any
    ) -> None:
        """A unit says what it did."""
        data = AnswerOrder(complaint_id=complaint, assignment=assignment, result=result, claims_solved=True)
        await self.tell(DISPATCH_REPLIES, complaint, data, unit=unit, **how)

    async def ask_return(self, complaint: str, unit: str = UNIT, assignment: int = 1, **how: Any) -> None:
        """A unit says the order is not its own."""
        data = RequestReturn(
            complaint_id=complaint,
            assignment=assignment,
            reason="NOT_OURS",
            evidence="不在辖区内",
            suggested_unit=OTHER_UNIT,
        )
        await self.tell(DISPATCH_REPLIES, complaint, data, unit=unit, **how)

    async def review(self, complaint: str, assignment: int = 1, *, approved: bool = True, **how: Any) -> None:
        """The reviewer's decision on a return."""
        data = ReviewReturn(
            complaint_id=complaint, assignment=assignment, approved=approved, reviewer="审核员"
        )
        await self.tell(DISPATCH_REVIEWS, complaint, data, **how)

    async def visit(
        self, complaint: str, visit: int = 1, attempt: int = 1, *, solved: bool = True, **how: Any
    ) -> None:
        """The citizen was reached and judged, once the visit was asked for."""

        async def asked() -> bool:  # not by its facts: a test of two releases has some that cannot be read
            kinds = await self.sql("SELECT type FROM es.event WHERE stream_id::text = $1", complaint)
            return "VisitScheduled" in {row[0] for row in kinds}

        await until(asked, what="a visit that is asked for")
        data = RecordVisit(
            complaint_id=complaint, visit=visit, attempt=attempt, solved=solved, satisfied=solved
        )
        await self.tell(FEEDBACK_VISIT_RESULTS, complaint, data, **how)

    # -- reading

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask the city's database as its owner."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self.endpoints.owner_dsn, min_size=0, max_size=3, timeout=60
            )
        rows: list[asyncpg.Record] = await self._pool.fetch(statement, *values)
        return rows

    async def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row; None where there is none."""
        rows = await self.sql(statement, *values)
        return rows[0][0] if rows else None

    async def facts(self, complaint: str | None = None) -> list[Told]:
        """The facts of one complaint by version, or of all by position."""
        rows = await self.sql(
            "SELECT position, stream_id::text, version, event_id::text, type, caused_by, actor, recorded_at, body,"
            " schema_version FROM es.event WHERE $1::uuid IS NULL OR stream_id = $1 ORDER BY position",
            complaint,
        )
        return [
            Told._make((*row[:9], decoded(row["type"], row["schema_version"], row["body"]))) for row in rows
        ]

    async def story(self, complaint: str) -> list[str]:
        """The names of a complaint's facts in order."""
        return [told.type for told in await self.facts(complaint)]

    async def until_fact(
        self, complaint: str, kind: type[Fact], *, count: int = 1, within: float = 15.0
    ) -> Told:
        """Wait for the `count`-th fact of a kind in a complaint's life."""

        async def ask() -> list[Told]:
            found = [told for told in await self.facts(complaint) if told.type == kind.__name__]
            return found if len(found) >= count else []

        try:
            return (await until(ask, within=within, what=kind.__name__))[count - 1]
        except AssertionError as error:
            message = f"{error}; its story so far: {await self.story(complaint)}\n{self.logs()}"
            raise AssertionError(message) from None

    async def parked(self, topic: str | None = None) -> list[asyncpg.Record]:
        """What lies parked, oldest first."""
        return await self.sql(
            "SELECT * FROM es.parked WHERE $1::text IS NULL OR topic = $1 ORDER BY parked_id", topic
        )

    async def settled(self, *, within: float = 20.0) -> None:
        """Wait until the relay has sent everything and every desk has taken in everything."""
        await until(self._is_settled, within=within, what="a settled city", every=0.05)

    async def _is_settled(self) -> bool:
        if not await self.value("SELECT es.drained()"):
            return False
        wanted = self._heard_by(set(DESKS))
        ends = await self.ends(sorted({(topic, number) for _, topic, number in wanted}))
        rows = await self.sql("SELECT consumer, topic, part, next_offset FROM es.consumer_offset")
        stands = {(row[0], row[1], row[2]): row[3] for row in rows}
        return all(stands.get(at, 0) >= ends[at[1:]] for at in wanted) and bool(
            await self.value("SELECT es.drained()")
        )

    async def ends(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Where each partition ends."""
        return await ends_of(self.endpoints.kafka, partitions)

    async def messages(self, topic: str, *, count: int = 0, within: float = 10.0) -> list[Any]:
        """Every message of a topic (full name) so far, by partition and offset; waits for `count` of them."""
        consumer = AIOKafkaConsumer(
            **kafka_address.aiokafka(self.endpoints.kafka), group_id=None, enable_auto_commit=False
        )
        try:
            await consumer.start()
            tps = await partitions_of(self.endpoints.kafka, topic)
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            found: list[Any] = []
            deadline = time.monotonic() + within
            while True:
                ends = await consumer.end_offsets(tps)
                if len(found) >= count and len(found) >= sum(ends.values()):
                    return sorted(found, key=lambda record: (record.partition, record.offset))
                if time.monotonic() > deadline:
                    message = f"{topic}: {len(found)} of {count} messages within {within} s"
                    raise AssertionError(message)
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(records)
        finally:
            await consumer.stop()

    async def verify(self, *, from_kafka: bool = True) -> Counter[str]:
        """Every stream is dense, its chain of hashes is right and its head is its last fact; counts by type.

        Worked out here once more on purpose, and then by `hotline verify`, which also judges each life. Messages
        that a test hands over itself never were in Kafka: then not `from_kafka`.
        """
        rows = await self.sql("SELECT * FROM es.event ORDER BY stream_id, version")
        heads = {str(row["stream_id"]): row for row in await self.sql("SELECT * FROM es.stream")}
        last: dict[str, tuple[int, bytes]] = {}
        for row in rows:
            stream = str(row["stream_id"])
            version, head_hash = last.get(stream, (0, GENESIS))
            assert row["version"] == version + 1, f"{stream}: version {row['version']} follows {version}"
            body_hash = chained(
                head_hash,
                stream,
                row["version"],
                str(row["event_id"]),
                row["type"],
                row["schema_version"],
                row["occurred_at"],
                row["caused_by"],
                row["actor"],
                row["body"],
            )
            assert row["hash"] == body_hash, f"{stream} version {row['version']}: the chain of hashes breaks"
            last[stream] = (row["version"], body_hash)
        assert {s: (h["version"], h["head_hash"]) for s, h in heads.items()} == last
        assert len({row["event_id"] for row in rows}) == len(rows), "a fact was stated twice"
        report = await verify(
            self.endpoints.logins["reader"],
            kafka=self.endpoints.kafka if from_kafka else None,
            prefix=self.endpoints.prefix,
        )
        assert report.problem_count == 0, report.problems
        assert report.facts == len(rows)
        return Counter(row["type"] for row in rows)

    async def release(self, *parked_ids: int) -> None:
        """What an operator does: hand parked messages back to the desk that parked them."""
        await self.sql(
            "UPDATE es.parked SET released_at = now() WHERE parked_id = ANY ($1::bigint[])", list(parked_ids)
        )

    # -- rehearsal

    async def clock_to(self, now: datetime) -> None:
        """Rehearsal: inputs and timers may reach up to `now`."""
        await self.sql(
            "INSERT INTO lab.city_clock (now, settled) VALUES ($1, $1)"
            " ON CONFLICT (one) DO UPDATE SET now = excluded.now, settled = excluded.settled",
            now,
        )

    async def close(self) -> None:
        """Stop what runs, close what is open."""
        try:
            await self.stop()
        finally:
            if self._producer is not None:
                with suppress(Exception):
                    await asyncio.wait_for(self._producer.stop(), PATIENCE * 10)
            if self._pool is not None:
                self._pool.terminate()

    async def _sender(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **kafka_address.aiokafka(self.endpoints.kafka),
                    enable_idempotence=True,
                    max_request_size=4 * 1024 * 1024,
                )
                await producer.start()
                self._producer = producer
            return self._producer


@asynccontextmanager
async def open_city(
    addresses: Addresses,
    databases: Databases,
    folder: Path,
    *,
    stack: Stack | None = None,
    units: Sequence[str] = (),
    retention: bool = True,
    lived: bool = False,
    at: datetime | None = None,
    idle_ms: int = 20,
    **options: Any,
) -> AsyncIterator[City]:
    """A city on this stack; no service runs yet. Gone at the end, with database, logins and topics.

    `stack`: the stack to mend when parts of it are killed. `lived`: whether it is the laboratory's, whose time
    `clock_to` moves; `at`: where it begins.
    `options` go to `deploy.city.served.services` (ruleset, extra, …).
    """
    path = folder / "catalogue.json"
    path.write_text(json.dumps(CATALOGUE, ensure_ascii=False), encoding="utf-8")
    name = await databases.make()
    topics: dict[str, Topic] = {}
    try:
        wanted = [*catalogue(str(path)).units, *units]
        made = await making.create(addresses, name, wanted, retention=retention, simulated=True)
        topics = names(made.prefix, wanted)
        if lived:
            await prepare(made.owner_dsn)
        told = {"catalogue": str(path), **({"served": LIVED} if lived else {}), **options}
        city = City(made, folder, units=wanted, stack=stack, options=told, idle_ms=idle_ms)
        try:
            if at is not None:
                await city.clock_to(at)
            yield city
        finally:
            topics |= dict.fromkeys(city.more, INTAKE_REQUESTS)
            await city.close()
    finally:
        await databases.drop(name)
        if topics:
            await asyncio.to_thread(_delete_topics, addresses.kafka, list(topics))


def _delete_topics(kafka: str, topics: list[str]) -> None:
    """Best effort: the stack of a session goes as a whole, and an external one keeps no test's data."""
    admin = AdminClient(kafka_address.librdkafka(kafka))
    for gone in admin.delete_topics(topics, operation_timeout=30).values():
        with suppress(Exception):
            gone.result()
