"""The generic cell rate algorithm: one instant for each sender, and no timer.

It is kept in this process: with several processes each lets so many through.
"""

from __future__ import annotations

import math
import time
from typing import Final

from hotline.web.keys import Key
from hotline.web.limits import (
    BATCH_EVENTS_MAX,
    BURST_SECONDS,
    GUESS_ADDRESS_BURST,
    GUESS_ADDRESS_SECONDS,
    GUESS_NUMBER_BURST,
    GUESS_NUMBER_SECONDS,
    RATED_MAX,
    SAID_BURST,
    SAID_SECONDS,
    STRANGERS_BURST,
    STRANGERS_PER_SECOND,
)
from hotline.web.problems import HttpRefusal, ProblemKind

_EXACT: Final = 1e-9
"""Seconds that arithmetic may be wrong by."""


class Rates:
    """When each sender may send again."""

    def __init__(self, most: int = RATED_MAX) -> None:
        """Nobody has sent anything. `most`: senders that are remembered at once."""
        self._due: dict[str, float] = {}
        self._most = most

    def wait(self, sender: str, now: float, *, per_second: float, burst: int, cost: int = 1) -> float:
        """Seconds until the sender may send this; 0 where it may now, and then it counts.

        `burst`: so many may come at once. `cost`: how many it is; a larger one than the burst counts as the burst.
        """
        gap = 1.0 / per_second
        due = max(self._due.get(sender, now), now) + min(cost, burst) * gap
        over = due - now - burst * gap
        if over > _EXACT:
            return over
        if sender not in self._due and len(self._due) >= self._most:
            self._forget(now)
        self._due[sender] = due
        return 0.0

    def give_back(self, sender: str, per_second: float) -> None:
        """Count one of this sender less."""
        if sender in self._due:
            self._due[sender] -= 1.0 / per_second

    def _forget(self, now: float) -> None:
        """Forget those that are at rest, and where nobody is, everybody: a flood of names must not fill the memory."""
        self._due = {sender: due for sender, due in self._due.items() if due > now}
        if len(self._due) >= self._most:
            self._due = {}


class RateLimits:
    """Counts the requests of keys and strangers, by the limits of the door."""

    def __init__(self) -> None:
        """Nobody has sent anything."""
        self._rates = Rates()

    def spend(self, key: Key, cost: int) -> None:
        """Count so many events or requests of this key; `HttpRefusal` where they are too many."""
        if cost > 0:
            burst = max(key.rate * BURST_SECONDS, BATCH_EVENTS_MAX)
            over = self._rates.wait(key.key_id, time.monotonic(), per_second=key.rate, burst=burst, cost=cost)
            self._check(over, f"The key may send {key.rate} a second.")

    def spend_stranger(self, address: str) -> None:
        """Count a request without a valid key from this address; `HttpRefusal` where they are too many."""
        over = self._rates.wait(
            f"from {address}", time.monotonic(), per_second=STRANGERS_PER_SECOND, burst=STRANGERS_BURST
        )
        self._check(over, "Too many requests came without a valid key.")

    def spend_guess(self, address: str, number: str) -> None:
        """Count an attempt to open a citizen's page, of its address and its number; `HttpRefusal` as above."""
        now = time.monotonic()
        for sender, seconds, burst in _guesses(address, number):
            over = self._rates.wait(sender, now, per_second=1 / seconds, burst=burst)
            self._check(over, "Too many attempts to open a page.")

    def was_right(self, address: str, number: str) -> None:
        """Take the last attempt back: it was no guess. Many citizens may come from one address."""
        for sender, seconds, _ in _guesses(address, number):
            self._rates.give_back(sender, 1 / seconds)

    def spend_page(self, complaint: str) -> None:
        """Count a view of the page of this complaint; `HttpRefusal` where they are too many."""
        over = self._rates.wait(
            f"page of {complaint}", time.monotonic(), per_second=STRANGERS_PER_SECOND, burst=STRANGERS_BURST
        )
        self._check(over, "Too many views of this page.")

    def spend_said(self, complaint: str) -> None:
        """Count an act of a citizen about this complaint; `HttpRefusal` where they are too many."""
        over = self._rates.wait(
            f"said of {complaint}", time.monotonic(), per_second=1 / SAID_SECONDS, burst=SAID_BURST
        )
        self._check(over, "Too many acts came of this page.")

    def _check(self, over: float, detail: str) -> None:
        if over > 0:
            raise HttpRefusal(ProblemKind.TOO_MANY, detail, headers={"Retry-After": str(math.ceil(over))})


def _guesses(address: str, number: str) -> tuple[tuple[str, float, int], ...]:
    """The senders that an attempt counts for: name, seconds between two attempts, and how many may come at once."""
    return (
        (f"guess from {address}", GUESS_ADDRESS_SECONDS, GUESS_ADDRESS_BURST),
        (f"guess of {number}", GUESS_NUMBER_SECONDS, GUESS_NUMBER_BURST),
    )
