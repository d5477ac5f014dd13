"""`python -m hotline.lab.bench.simulator`: the agents' desk, all units and the dialler, in one process.

First it lives the lives that warm everything up. Then, when a line on standard input tells it to, it lives
the measured ones. It is a closed loop: the number of lives under way is fixed. It sends a new request when an
old life comes to its visit. Each unit signs and answers an order as two messages at once. Every citizen is
reached and satisfied. It works as fast as it can, and its own cost lies inside the measured window.

Its orders come as one JSON object on standard input, and a second line sends it on. It reports its progress
on standard output.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from hotline.lab.bench.city import ADDRESS, Target, request_of
from hotline.lab.bench.clients import Outbox, consumer_of, partitions_of, producer_of, quiet, topics_of
from shared import inputs
from shared.cloudevents import header, input_headers
from shared.events import ComplaintDispatched, VisitScheduled
from shared.log.codec import ce_type_of
from shared.runtime.garbage import tune_gc
from shared.topic_names import partition_of
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    Topic,
)

SAY_SECONDS: Final = 0.05
POLL_MS: Final = 50
REQUESTS_MAX: Final = 1000
"""Requests put into one go, so that orders do not wait behind them."""

RESULT: Final = "已派人到场,查明为管道破裂,现已抢修完毕恢复供水,并向居民说明情况,来电人表示认可。"


class SimulatorOrders(msgspec.Struct, frozen=True, kw_only=True):
    """The orders of the simulator."""

    kafka: str
    prefix: str
    units: list[str]
    targets: list[Target]
    lives: int
    warm_up: int
    """How many of them are lived before the rest begins."""
    under_way: int
    """Lives under way at once; also how many requests are there before the first is answered."""
    batch_max: int
    """Records taken at once."""


class SimulatorProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the simulator is, and by which settings it works."""

    sent: int = 0
    visited: int = 0
    gc_threshold: tuple[int, int, int] = (0, 0, 0)


class _About(msgspec.Struct):
    """The fields that a unit or the dialler reads to answer."""

    complaint_id: str
    assignment: int = 0
    visit: int = 0
    attempt: int = 0


class Simulator:
    """Everybody outside, for one run."""

    def __init__(
        self, orders: SimulatorOrders, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        """Nothing is sent yet."""
        self._orders = orders
        self._consumer = consumer
        self._outbox = Outbox(producer)
        self._order_topic = orders.prefix + DISPATCH_ORDERS.of("")
        self._replies = orders.prefix + DISPATCH_REPLIES.of("")
        self._dispatched = ce_type_of(ComplaintDispatched.__name__, ComplaintDispatched.SCHEMA)
        self._scheduled = ce_type_of(VisitScheduled.__name__, VisitScheduled.SCHEMA)
        self._about = msgspec.json.Decoder(_About)
        self._seen: set[tuple[str, bytes]] = set()
        self.sent = 0
        self.visited = 0

    async def run(self, lives: int) -> None:
        """Go on until so many lives have come to their visit."""
        while self.visited < lives:
            due = min(lives - self.sent, self.visited + self._orders.under_way - self.sent, REQUESTS_MAX)
            for _ in range(due):
                self._ask()
            await self._outbox.send()
            if due == REQUESTS_MAX:
                continue  # the first requests all lie there before anybody is answered
            got = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=self._orders.batch_max)
            for tp, records in got.items():
                if tp.topic.startswith(self._order_topic):
                    unit = tp.topic[len(self._order_topic) :]
                    for record in records:
                        self._obey(unit, record)
                else:
                    for record in records:
                        self._visit(record)
            await self._outbox.send()

    def _ask(self) -> None:
        number = self.sent
        target = self._orders.targets[number % len(self._orders.targets)]
        request_id = f"{self._orders.prefix}{number}"
        request = request_of(request_id, target, address=ADDRESS)
        self._tell(INTAKE_REQUESTS, INTAKE_REQUESTS.name, request_id.encode(), request, "/desk", "")
        self.sent += 1

    def _obey(self, unit: str, record: Any) -> None:
        if header(record.headers, "ce_type") != self._dispatched or self._again("order", record.key):
            return
        order = self._about.decode(record.value)
        topic = DISPATCH_REPLIES.of(unit)
        signed = inputs.SignOrder(complaint_id=order.complaint_id, assignment=order.assignment)
        answered = inputs.AnswerOrder(
            complaint_id=order.complaint_id, assignment=order.assignment, result=RESULT, claims_solved=True
        )
        source = f"/units/{unit}"
        self._tell(DISPATCH_REPLIES, topic, record.key, signed, source, "-signed")
        self._tell(DISPATCH_REPLIES, topic, record.key, answered, source, "-answered")

    def _visit(self, record: Any) -> None:
        if header(record.headers, "ce_type") != self._scheduled or self._again("visit", record.key):
            return
        asked = self._about.decode(record.value)
        made = inputs.RecordVisit(
            complaint_id=asked.complaint_id,
            visit=asked.visit,
            attempt=asked.attempt,
            solved=True,
            satisfied=True,
        )
        self._tell(FEEDBACK_VISIT_RESULTS, FEEDBACK_VISIT_RESULTS.name, record.key, made, "/dialler", "")
        self.visited += 1

    def _again(self, what: str, key: bytes) -> bool:
        """Whether the relay has told this before; a life here has one order and one visit."""
        if (what, key) in self._seen:
            return True
        self._seen.add((what, key))
        return False

    def _tell(
        self, topic: Topic, name: str, key: bytes, data: inputs.Input, source: str, suffix: str
    ) -> None:
        headers = input_headers(type(data), source, key.decode() + suffix, datetime.now(UTC))
        partition = partition_of(key, topic.partitions)
        self._outbox.put(self._orders.prefix + name, partition, key, msgspec.json.encode(data), headers)


async def run(orders: SimulatorOrders) -> None:
    """Play until every life has had its visit."""
    spoken = topics_of(
        orders.prefix, (INTAKE_REQUESTS, DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS), orders.units
    )
    heard = [
        tp
        for topic in (DISPATCH_ORDERS, FEEDBACK_VISITS)
        for tp in partitions_of(orders.prefix, topic, orders.units)
    ]
    async with (
        producer_of(orders.kafka, "simulator", spoken) as producer,
        consumer_of(orders.kafka, "simulator", heard) as consumer,
    ):
        simulator = Simulator(orders, producer, consumer)
        tune_gc()

        def say() -> None:
            said = SimulatorProgress(
                sent=simulator.sent, visited=simulator.visited, gc_threshold=gc.get_threshold()
            )
            sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
            sys.stdout.flush()

        async def keep_saying() -> None:
            while True:
                say()
                await asyncio.sleep(SAY_SECONDS)

        saying = asyncio.ensure_future(keep_saying())
        try:
            await simulator.run(orders.warm_up)
            await asyncio.to_thread(sys.stdin.buffer.readline)
            await simulator.run(orders.lives)
            await asyncio.to_thread(sys.stdin.buffer.readline)  # stay, so that what it cost can be read
        finally:
            saying.cancel()


def main() -> None:
    """Read the orders, play."""
    quiet()
    asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=SimulatorOrders)))


if __name__ == "__main__":
    main()
