"""The monkey: draws faults one after another, does them, and looks whether work goes on."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from random import Random
from typing import Final

import msgspec

from hotline.lab.chaos.counts import Counts
from hotline.lab.chaos.faults import EVERYBODY, SERVERS, Fault, Ground
from hotline.lab.chaos.marks import Marks
from shared.runtime.errors import UserError
from shared.runtime.patience import HAND_SECONDS

ONE_IN: Final = 3
"""How often a fault is one of those that no run goes without: a short run has had them all after a minute or so."""
WAITS_SECONDS: Final = (0.1, 0.8)
"""Between one fault, once work goes on, and the next."""
GOES_ON_SECONDS: Final = 10.0
"""Promised after a process was killed; a server gets `GOES_ON_SERVER_SECONDS` from when it answers again."""
GOES_ON_SERVER_SECONDS: Final = 15.0


class FaultKind(msgspec.Struct, kw_only=True):
    """The outcome of one kind of fault."""

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
        self.kinds: dict[str, FaultKind] = {}
        self.done = 0

    async def play(self, *, seconds: float, most: int | None) -> None:
        """Until the time is over, or so many faults have happened; it begins once everybody is at work."""
        if await self._marks.moved(EVERYBODY, within=HAND_SECONDS) is None:
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
        kind = self.kinds.setdefault(fault.name, FaultKind(fault=fault.name))
        kind.times += 1
        self.done += 1
        done = await fault.cause(self._ground)
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
