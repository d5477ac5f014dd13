"""The inputs and timers still to come, and those that may be handed in now. Pure: the conductor's rules without I/O.

Within one complaint the order of events matters; between complaints it does not. So each complaint has a time
of its own. Its next event is its earliest input or its earliest timer, never both at once. The consequences
of the first must be known before the second. No complaint waits for another.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from heapq import heapify, heappop, heappush
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from hotline.lab.simulation.planned_input import PlannedInput
from shared.events import Urgency
from shared.ids import ComplaintId
from shared.policy.limits import Days
from shared.policy.ruleset import ruleset

_Planned: TypeAlias = tuple[datetime, int, PlannedInput]
"""When, in which order it was put, what."""


class Agenda:
    """All planned inputs, by time.

    A complaint stands in the queue once, by its earliest input. Its later inputs cost nothing until then.
    """

    def __init__(self) -> None:
        """Nothing is planned."""
        self._calls: list[_Planned] = []
        self._plans: dict[ComplaintId, list[_Planned]] = {}
        """Each a heap."""
        self._queue: list[tuple[datetime, int, ComplaintId]] = []
        """Complaints by their earliest input; an entry whose input is no longer the earliest is passed
        over."""
        self._near: set[ComplaintId] = set()
        """Taken from the queue, since their earliest input was near."""
        self._serial = 0
        self._size = 0

    def __len__(self) -> int:
        """The number of planned inputs."""
        return self._size

    def put(self, planned_input: PlannedInput) -> None:
        """Plan an input. Two of one complaint at the same instant keep the order in which they were put."""
        self._serial += 1
        self._size += 1
        planned = (planned_input.at, self._serial, planned_input)
        if planned_input.complaint is None:
            heappush(self._calls, planned)
            return
        plans = self._plans.setdefault(planned_input.complaint, [])
        heappush(plans, planned)
        if plans[0] is planned:
            self._enqueue(planned_input.complaint)

    def void(self, complaint: ComplaintId, about: str) -> int:
        """Drop the planned inputs of this complaint that are `about` this; returns how many there were."""
        plans = self._plans.get(complaint)
        if not plans or not about:
            return 0
        kept = [planned for planned in plans if planned[2].about != about]
        dropped = len(plans) - len(kept)
        if dropped:
            heapify(kept)
            self._keep(complaint, kept)
            self._size -= dropped
        return dropped

    def next_at(self) -> datetime | None:
        """The time of the next planned input; None if there is none."""
        while self._queue and not self._stands(self._queue[0]):
            heappop(self._queue)
        times = [plans[0][0] for complaint in self._near if (plans := self._plans.get(complaint))]
        times += [heap[0][0] for heap in (self._calls, self._queue) if heap]
        return min(times, default=None)

    def next_of(self, complaint: ComplaintId) -> datetime | None:
        """The time of the next planned input of this complaint; None if there is none."""
        plans = self._plans.get(complaint)
        return plans[0][0] if plans else None

    def near(self, until: datetime) -> Collection[ComplaintId]:
        """The complaints for which something is planned up to this instant."""
        while self._queue and self._queue[0][0] <= until:
            entry = heappop(self._queue)
            if self._stands(entry):
                self._near.add(entry[2])
        return self._near

    def take(self, until: datetime, due: Mapping[ComplaintId, datetime]) -> list[PlannedInput]:
        """Remove and return the inputs that may be handed in now, in order of time.

        `due` holds the earliest timer of each complaint that has one. An input exactly at that instant is in
        time and comes first. An input after it waits until the timer has fired.
        """
        taken: list[_Planned] = []
        while self._calls and self._calls[0][0] <= until:
            taken.append(heappop(self._calls))
        waiting: set[ComplaintId] = set()
        handed_in = list(self.near(until))
        self._near = waiting
        for complaint in handed_in:
            plans = self._plans.get(complaint)
            if not plans:
                continue
            at = plans[0][0]
            limit = due.get(complaint)
            if at > until:
                self._enqueue(complaint)
            elif limit is not None and at > limit:
                waiting.add(complaint)
            else:
                taken.append(heappop(plans))
                self._keep(complaint, plans)
        self._size -= len(taken)
        taken.sort(key=itemgetter(0, 1))
        return [planned_input for _, _, planned_input in taken]

    def _keep(self, complaint: ComplaintId, plans: list[_Planned]) -> None:
        if plans:
            self._plans[complaint] = plans
            self._enqueue(complaint)
        else:
            del self._plans[complaint]

    def _enqueue(self, complaint: ComplaintId) -> None:
        if complaint not in self._near:
            at, serial, _ = self._plans[complaint][0]
            heappush(self._queue, (at, serial, complaint))

    def _stands(self, entry: tuple[datetime, int, ComplaintId]) -> bool:
        plans = self._plans.get(entry[2])
        return plans is not None and plans[0][1] == entry[1]


class Timer(NamedTuple):
    """A timer that is set, and under which rules its complaint stands."""

    complaint: ComplaintId
    due_at: datetime
    ruleset: str
    urgency: Urgency
    arrival: bool = False
    """Whether a called unit must be there by then: the next level is told soon after."""


class Watch:
    """Every timer that is set, by complaint."""

    def __init__(self) -> None:
        """No timer is set."""
        self.due: dict[ComplaintId, datetime] = {}
        """Each complaint's earliest timer."""
        self._timers: dict[ComplaintId, list[Timer]] = {}
        self._queue: list[tuple[datetime, ComplaintId]] = []
        self._near: set[ComplaintId] = set()
        """Taken from the queue, since their earliest timer was near."""

    def put(self, complaint: ComplaintId, timers: list[Timer]) -> None:
        """These are the complaint's timers now, instead of those known before."""
        if not timers:
            self._timers.pop(complaint, None)
            self.due.pop(complaint, None)
            return
        self._timers[complaint] = timers
        first = min(timer.due_at for timer in timers)
        if self.due.get(complaint) != first:
            self.due[complaint] = first
            heappush(self._queue, (first, complaint))

    def next_at(self) -> datetime | None:
        """The earliest timer of all."""
        while self._queue and self.due.get(self._queue[0][1]) != self._queue[0][0]:
            heappop(self._queue)
        times = [self.due[complaint] for complaint in self._near if complaint in self.due]
        return min((*times, *(entry[0] for entry in self._queue[:1])), default=None)

    def fire(
        self, until: datetime, agenda: Agenda, busy: Container[ComplaintId]
    ) -> dict[ComplaintId, datetime]:
        """The complaints whose timers may fire now, each with the instant up to which they may.

        A timer may fire if it lies before `until` and no input of its complaint comes before it. A complaint
        that is `busy`, because an input of it was just handed in, waits until that is heard.
        """
        while self._queue and self._queue[0][0] < until:
            due_at, complaint = heappop(self._queue)
            if self.due.get(complaint) == due_at:
                self._near.add(complaint)
        found: dict[ComplaintId, datetime] = {}
        for complaint in list(self._near):
            due_at = self.due.get(complaint, until)
            if due_at >= until:
                self._near.discard(complaint)
                if complaint in self.due:
                    heappush(self._queue, (due_at, complaint))
                continue
            input_at = agenda.next_of(complaint)
            if complaint not in busy and (input_at is None or input_at > due_at):
                found[complaint] = fire_until(until, self._timers[complaint])
        return found


def fire_until(until: datetime, timers: Iterable[Timer]) -> datetime:
    """The instant up to which one complaint's timers may fire now, at most `until`. `timers` is not empty.

    Only the earliest limit may fire, because its consequences can undo the next one. So the instant does not
    pass the second limit. Nor does it pass a limit which the first firing brings about: nobody would have had
    time to keep it.
    """
    first, *others = sorted(timers, key=lambda timer: timer.due_at)
    later = (timer.due_at for timer in others if timer.due_at > first.due_at)
    shortest = shortest_limit(first.ruleset, first.urgency)
    if first.arrival or any(timer.arrival for timer in others):
        shortest = min(shortest, shortest_step(first.ruleset))
    return min(until, first.due_at + shortest, *later)


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


@cache
def shortest_step(version: str) -> timedelta:
    """After a missed arrival no further level is told sooner than this."""
    return min(limits.step for limits in ruleset(version).whistle.values())
