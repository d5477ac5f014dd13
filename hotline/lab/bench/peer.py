"""The orders of a peer's process and its answers; the peers are `peer_eventsourcing` and `peer_dbos`.

Its orders come as one JSON object on standard input and it says `ready`. Each further line holds a number of
lives, and it says `done` when they are lived. After the line `check` it reads its lives back from PostgreSQL
and reports them as a JSON object.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import msgspec

Body = dict[str, Any]
"""The body of one fact, as JSON has it."""


class PeerOrders(msgspec.Struct, frozen=True, kw_only=True):
    """The orders of one process of a peer."""

    number: int
    """Which of the processes it is, from 0."""
    postgres: str
    """DSN of a database of the peer's own."""
    lives: list[list[Body]]
    """The bodies of lives that were lived in our system, in the order of their facts; told again in turn."""
    at_once: int
    """Lives under way at once in this process."""


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """The lives of a process, read back from PostgreSQL."""

    lives: int
    whole: int
    """Closed, with all eight facts in their order, each body as it was told."""


class PeerLife(msgspec.Struct, frozen=True):
    """One life a peer is to live."""

    complaint_id: str
    bodies: list[Body]


class Teller:
    """Gives out lives, each with an id of its own."""

    def __init__(self, lives: Sequence[Sequence[Body]]) -> None:
        """`lives`: the bodies to be told in turn."""
        self._lives = lives
        self.told: list[PeerLife] = []

    def next(self, count: int) -> list[PeerLife]:
        """So many lives more."""
        fresh: list[PeerLife] = []
        for _ in range(count):
            complaint_id = str(uuid4())
            model = self._lives[(len(self.told) + len(fresh)) % len(self._lives)]
            fresh.append(PeerLife(complaint_id, [{**body, "complaint_id": complaint_id} for body in model]))
        self.told += fresh
        return fresh


def serve(
    orders: PeerOrders, live: Callable[[PeerLife], None], facts_of: Callable[[str], list[Body] | None]
) -> None:
    """Live and check as standard input says.

    `live` lives one life to its end, in one of `at_once` threads. `facts_of` reads the facts of a complaint
    back; it returns None for a complaint that is not closed.
    """
    teller = Teller(orders.lives)
    say("ready")
    with ThreadPoolExecutor(orders.at_once) as threads:
        while line := sys.stdin.readline().strip():
            if line == "check":
                whole = sum(facts_of(told.complaint_id) == told.bodies for told in teller.told)
                say(msgspec.json.encode(ReadBack(lives=len(teller.told), whole=whole)).decode())
            else:
                for _ in threads.map(live, teller.next(int(line))):
                    pass
                say("done")


def read_orders() -> PeerOrders:
    """The first line of standard input."""
    return msgspec.json.decode(sys.stdin.readline(), type=PeerOrders)


def say(word: str) -> None:
    """A line to whoever gave the orders."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
