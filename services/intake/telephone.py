"""The telephone's figures (A1, A2): how many came through, how soon, and the worst any 24 hours on end have been. Pure.

A call belongs to the instant it was offered and counts once it has its one terminal state (T1), so the same calls give
the same figures in whatever order they were told (T13). A rate of nothing is None (T14).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.ruleset import TelephoneRules

ANSWERED = "ANSWERED"
ABANDONED = "ABANDONED"


class CallRecord(NamedTuple):
    """One call of the register."""

    offered_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    """ANSWERED, ABANDONED, BUSY, TIMEOUT, SYSTEM_FAIL; None while it waits."""

    @property
    def wait(self) -> timedelta | None:
        """From offered to answered; there is no menu, so offered is when it began to wait."""
        return None if self.answered_at is None else self.answered_at - self.offered_at


class Lowest(NamedTuple):
    """The worst of the rolling rate."""

    rate: float
    at: datetime
    """The first instant at which it was so low."""


class Figures(NamedTuple):
    """What the telephone did in an interval; rates between 0 and 1."""

    offered: int
    """Calls that count: over or answered, and not excluded."""
    answered: int
    within: int
    """Answered within the time the rule set gives; the last instant counts (T11)."""
    by_outcome: dict[str, int]
    not_over: int
    """Still waiting: they count once they are over."""
    excluded: dict[str, int]
    """Not counted, by the reason the rule set excludes them for; published, never hidden."""
    short_abandons: int
    connection_rate: float | None
    """Answered by offered (A2)."""
    service_level: float | None
    """Answered in time by offered: the strict one of two definitions."""
    timely_rate: float | None
    """Answered in time by answered: the other one (S22)."""
    abandon_rate: float | None
    average_wait_seconds: float | None
    """Of the answered (ASA)."""
    average_talk_seconds: float | None
    """From answered to ended; what agents hold and write afterwards is not told us."""
    lowest: Lowest | None
    """Of the connection rate in the window that ends at each instant of the interval (T12)."""


def figures(calls: Iterable[CallRecord], since: datetime, until: datetime, rules: TelephoneRules) -> Figures:
    """The figures of (since, until]; `calls` reach back one window before it, for the rolling rate."""
    every = list(calls)
    inside = [call for call in every if since < call.offered_at <= until]
    excluded: dict[str, int] = {}
    by_outcome: dict[str, int] = {}
    counted: list[CallRecord] = []
    not_over = 0
    for call in inside:
        if call.outcome is None:
            not_over += 1
        elif call.outcome in rules.excluded:
            excluded[call.outcome] = excluded.get(call.outcome, 0) + 1
        else:
            by_outcome[call.outcome] = by_outcome.get(call.outcome, 0) + 1
            counted.append(call)
    waits = [call.wait for call in counted if call.wait is not None]
    talks = [
        call.ended_at - call.answered_at
        for call in counted
        if call.answered_at is not None and call.ended_at is not None
    ]
    within = sum(wait <= rules.answer_within for wait in waits)
    abandoned = by_outcome.get(ABANDONED, 0)
    return Figures(
        offered=len(counted),
        answered=len(waits),
        within=within,
        by_outcome=dict(sorted(by_outcome.items())),
        not_over=not_over,
        excluded=dict(sorted(excluded.items())),
        short_abandons=sum(_is_short(call, rules) for call in counted),
        connection_rate=_rate(len(waits), len(counted)),
        service_level=_rate(within, len(counted)),
        timely_rate=_rate(within, len(waits)),
        abandon_rate=_rate(abandoned, len(counted)),
        average_wait_seconds=_mean(waits),
        average_talk_seconds=_mean(talks),
        lowest=lowest(every, since, until, rules),
    )


def lowest(
    calls: Sequence[CallRecord], since: datetime, until: datetime, rules: TelephoneRules
) -> Lowest | None:
    """A2, T12: the lowest connection rate of any window (t - 24 h, t] that ends in (since, until]."""
    changes: list[tuple[datetime, int, int]] = []
    for call in calls:
        if call.outcome is None or call.outcome in rules.excluded:
            continue
        answered = int(call.answered_at is not None)
        changes.append((call.offered_at, 1, answered))
        changes.append((call.offered_at + rules.window, -1, -answered))
    changes.sort(key=lambda change: change[0])
    worst: Lowest | None = None
    offered = answered = place = 0
    while place < len(changes) and changes[place][0] <= until:
        at = changes[place][0]
        while place < len(changes) and changes[place][0] == at:
            offered, answered = offered + changes[place][1], answered + changes[place][2]
            place += 1
        later = changes[place][0] if place < len(changes) else None
        if offered == 0 or (later is not None and later <= since):
            continue  # nothing to divide by, or another state before the interval begins
        rate = answered / offered
        if worst is None or rate < worst.rate:
            worst = Lowest(rate, max(at, since))
    return worst


def _is_short(call: CallRecord, rules: TelephoneRules) -> bool:
    if call.outcome != ABANDONED or call.ended_at is None:
        return False
    return call.ended_at - call.offered_at < rules.short_abandon


def _rate(part: int, whole: int) -> float | None:
    return None if whole == 0 else part / whole


def _mean(spans: Sequence[timedelta]) -> float | None:
    return None if not spans else sum(spans, timedelta()).total_seconds() / len(spans)
