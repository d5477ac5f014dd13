"""How much a door may set aside before it stops taking in: poison is rare, and much of it is something else.

A sender that changed its format, or a rule of ours that fails on everything, would have the whole city parked,
message by message. Then it is better that nothing is taken in: what lies in Kafka keeps its order and its place.
"""

from __future__ import annotations

from collections import deque
from typing import Final

PARKED_MIN: Final = 100
"""Fewer than this among the last messages stop no door: a quiet one may hear nothing but nonsense for a while."""

PARDONED: Final = 10_000
"""Messages taken in whatever they are, once a person has said that the door may go on."""


class Share:
    """What was parked of the last messages of a door."""

    def __init__(self, window: int, share_max: float) -> None:
        """`window`: how many messages are looked at; `share_max`: from 0 to 1, 1 stops no door."""
        self._window = window
        self._share_max = share_max
        self._batches: deque[tuple[int, int]] = deque()
        self._heard = 0
        self._parked = 0
        self._pardoned = 0

    def add(self, heard: int, parked: int) -> None:
        """A batch was taken in."""
        if self._pardoned > 0:
            self._pardoned -= heard
            return
        self._batches.append((heard, parked))
        self._heard += heard
        self._parked += parked
        while self._batches and self._heard - self._batches[0][0] >= self._window:
            gone = self._batches.popleft()
            self._heard -= gone[0]
            self._parked -= gone[1]

    def too_much(self, heard: int = 0, parked: int = 0) -> str | None:
        """Why the door must stop, with a batch more taken in like this one; None where it need not."""
        heard, parked = heard + self._heard, parked + self._parked
        if self._pardoned > 0 or parked < PARKED_MIN or parked <= self._share_max * heard:
            return None
        return f"{parked:,} of the last {heard:,} messages could not be taken in, at most {self._share_max:.0%} may"

    def pardon(self) -> None:
        """Begin anew, and look away for a while."""
        self._batches.clear()
        self._heard = self._parked = 0
        self._pardoned = PARDONED
