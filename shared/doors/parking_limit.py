"""How much of a topic may be set aside before it stops: poison is rare, and much of it is something else.

A sender that changed its format would have all it says parked, message by message. So would a rule of ours that
fails on everything. Then it is better that nothing is taken in: what lies in Kafka keeps its order and its place.
"""

from __future__ import annotations

from collections import deque
from typing import Final

PARKED_MIN: Final = 100
"""Fewer than this among the last messages stop no topic: a quiet one may bring nothing but nonsense for a while."""

PARDONED: Final = 10_000
"""Messages of a topic taken in whatever they are, once a person has said that it may go on."""

STEPS: Final = 20
"""A window is remembered in so many parts. A door has a window for each of its topics, and hundreds of topics."""


class Share:
    """The share of a topic's last messages that were parked.

    While nothing was parked it keeps one number: the messages that came, at most a window of them.
    """

    __slots__ = ("_heard", "_pardoned", "_parked", "_parts", "_share_max", "_window")

    def __init__(self, window: int, share_max: float) -> None:
        """`window`: how many messages are looked at; `share_max`: from 0 to 1, 1 stops no topic."""
        self._window = window
        self._share_max = share_max
        self._parts: deque[tuple[int, int]] = deque()
        """Heard and parked, the oldest first; none while nothing was parked."""
        self._heard = 0
        self._parked = 0
        self._pardoned = 0

    @property
    def size(self) -> int:
        """How many parts are remembered."""
        return len(self._parts)

    def add(self, heard: int, parked: int) -> None:
        """Of a batch so much was taken in."""
        if self._pardoned > 0:
            self._pardoned -= heard
            return
        if not (parked or self._parts):
            self._heard = min(self._heard + heard, self._window)
            return
        step = max(self._window // STEPS, 1)
        if not self._parts:  # all that came before was good, so any order of it is the same
            whole, rest = divmod(self._heard, step)
            self._parts.extend([(rest, 0)] * (rest > 0) + [(step, 0)] * whole)
        if self._parts and self._parts[-1][0] + heard <= step:
            last = self._parts.pop()
            self._parts.append((last[0] + heard, last[1] + parked))
        else:
            self._parts.append((heard, parked))
        self._heard += heard
        self._parked += parked
        while self._heard - self._parts[0][0] >= self._window:
            gone = self._parts.popleft()
            self._heard -= gone[0]
            self._parked -= gone[1]
        if not self._parked:
            self._parts.clear()
            self._heard = min(self._heard, self._window)

    def too_much(self, heard: int = 0, parked: int = 0) -> str | None:
        """Why the topic must stop, with a batch more taken in like this one; None where it need not."""
        heard, parked = heard + self._heard, parked + self._parked
        if self._pardoned > 0 or parked < PARKED_MIN or parked <= self._share_max * heard:
            return None
        return f"{parked:,} of the last {heard:,} messages could not be taken in, at most {self._share_max:.0%} may"

    def pardon(self) -> None:
        """Begin anew, and look away for a while."""
        self._parts.clear()
        self._heard = self._parked = 0
        self._pardoned = PARDONED
