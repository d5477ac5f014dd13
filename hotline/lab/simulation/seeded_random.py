"""Random numbers that repeat: a seed and a name always give the same numbers, in whatever order they are asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from struct import Struct
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_SIXTEEN: Final = Struct("<16I")
_ONE: Final = float(1 << 32)


class Weighted(Generic[T]):
    """Things to draw from, each as often as its weight says."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        """Weights are positive and need not add up to one."""
        self.things = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def at(self, share: float) -> T:
        """The thing that lies at this share of the whole, 0 to 1."""
        return self.things[min(bisect_right(self._sums, share * self._sums[-1]), len(self.things) - 1)]


class SeededRandom:
    """A row of numbers that belongs to a name.

    A hash instead of `random.Random`: seeding that costs ten times as much, and a day needs several
    hundred thousand names.
    """

    __slots__ = ("_block", "_left", "_name")

    def __init__(self, seed: int, *name: str) -> None:
        """The same seed and name always give the same row."""
        self._name = "\x1f".join((str(seed), *name)).encode()
        self._block = 0
        self._left: list[int] = []

    def share(self) -> float:
        """The next number, from 0 up to but not including 1."""
        if not self._left:
            digest = blake2b(self._name, digest_size=64, salt=self._block.to_bytes(8, "little")).digest()
            self._left = list(_SIXTEEN.unpack(digest))
            self._block += 1
        return self._left.pop() / _ONE

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self.share() < probability

    def between(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int((high - low + 1) * self.share())

    def pick(self, things: Sequence[T]) -> T:
        """One of them, each as often as the others."""
        return things[int(len(things) * self.share())]

    def of(self, weighted: Weighted[T]) -> T:
        """One of them, each as often as its weight says."""
        return weighted.at(self.share())
