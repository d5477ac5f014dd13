"""What is to come, and what may be handed in now. Pure: the conductor's rules without its I/O.

Within one complaint order is everything, between complaints it is nothing. So of each complaint only
its earliest act is handed in at a time, and never past a limit whose timer has not fired: what the act
leads to, and what the timer leads to, must be known before anything later happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from typing import NamedTuple

from hotline.city.act import Act
from shared.events import Urgency
from shared.ids import ComplaintId
from shared.ruleset import Days, ruleset


class Agenda:
    """Everything that will be done, by time."""

    def __init__(self) -> None:
        """Nothing is planned."""
        self._heap: list[tuple[datetime, int, Act]] = []
        self._plans: dict[ComplaintId, dict[int, str]] = {}
        self._serial = 0
        self._size = 0

    def __len__(self) -> int:
        """How many acts are planned."""
        return self._size

    def put(self, act: Act) -> None:
        """Plan an act. Two of one complaint at the same instant keep the order in which they were put."""
        self._serial += 1
        self._size += 1
        if act.complaint is not None:
            self._plans.setdefault(act.complaint, {})[self._serial] = act.about
        heappush(self._heap, (act.at, self._serial, act))

    def void(self, complaint: ComplaintId, about: str) -> int:
        """Drop what is planned for this complaint and is about this; returns how many acts that were."""
        plans = self._plans.get(complaint)
        if not plans or not about:
            return 0
        dropped = [serial for serial, what in plans.items() if what == about]
        for serial in dropped:
            del plans[serial]
        self._size -= len(dropped)
        return len(dropped)

    def next_at(self) -> datetime | None:
        """When the next act is planned."""
        while self._heap:
            at, serial, act = self._heap[0]
            if self._stands(serial, act):
                return at
            heappop(self._heap)
        return None

    def take(self, until: datetime, due: Mapping[ComplaintId, datetime]) -> list[Act]:
        """What may be handed in now, in order of time, and is then no longer planned.

        `due` holds the earliest timer of each complaint that has one before `until`. An act exactly at
        that instant is in time and comes first; one after it waits until the timer has fired.
        """
        taken: list[Act] = []
        waiting: list[tuple[datetime, int, Act]] = []
        seen: set[ComplaintId] = set()
        while self._heap and self._heap[0][0] <= until:
            entry = heappop(self._heap)
            at, serial, act = entry
            if not self._stands(serial, act):
                continue
            complaint = act.complaint
            if complaint is not None:
                limit = due.get(complaint)
                if complaint in seen or (limit is not None and at > limit):
                    seen.add(complaint)
                    waiting.append(entry)
                    continue
                seen.add(complaint)
                plans = self._plans[complaint]
                del plans[serial]
                if not plans:
                    del self._plans[complaint]
            self._size -= 1
            taken.append(act)
        for entry in waiting:
            heappush(self._heap, entry)
        return taken

    def _stands(self, serial: int, act: Act) -> bool:
        return act.complaint is None or serial in self._plans.get(act.complaint, ())


class Timer(NamedTuple):
    """A timer that is due, and under which rules its complaint stands."""

    complaint: ComplaintId
    due_at: datetime
    ruleset: str
    urgency: Urgency


def fire_until(until: datetime, timers: Iterable[Timer]) -> datetime:
    """How far timers may fire now, at most `until`: each fires whose limit lies before it.

    Of one complaint only the earliest limit may fire, because what follows from it can undo the next
    one: not past the second, and not so far that a limit which the first firing brings about would be
    fired before anybody has had time to keep it.
    """
    limits: dict[ComplaintId, datetime] = {}
    reach = until
    for timer in sorted(timers, key=lambda timer: timer.due_at):
        first = limits.setdefault(timer.complaint, timer.due_at)
        if timer.due_at > first:
            reach = min(reach, timer.due_at)
        else:
            reach = min(reach, first + shortest_limit(timer.ruleset, timer.urgency))
    return reach


@cache
def shortest_limit(version: str, urgency: Urgency) -> timedelta:
    """No limit that begins to run later ends sooner than this after its beginning."""
    limits = ruleset(version).classes[urgency]
    spans = [limits.ladder_step]
    for limit in (limits.sign, limits.feedback):
        if isinstance(limit, Days):
            spans.append(timedelta(days=limit.n))  # it ends with its day, so it is longer
        elif limit is not None:
            spans.append(limit)
    return min(spans)
