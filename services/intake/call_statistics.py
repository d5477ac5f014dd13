"""The telephone's figures (A1, A2): calls that came through, how soon, and the worst 24 hours on end. Pure.

A call belongs to the instant it was offered and counts once it has its one terminal state (T1). So the same
calls give the same figures in whatever order they were told (T13). A rate of nothing is None (T14). A time
that cannot be is not known: such a call is offered and answered, and never answered in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.policy.ruleset import TelephoneRules

ANSWERED: Final = "ANSWERED"
ABANDONED: Final = "ABANDONED"
BUSY: Final = "BUSY"
TIMEOUT: Final = "TIMEOUT"
SYSTEM_FAIL: Final = "SYSTEM_FAIL"


class CallRecord(NamedTuple):
    """One call of the register; services/intake/register.py makes it of what was told."""

    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    """Of a talk that is not over, or whose times cannot be, None."""
    outcome: str | None
    """ANSWERED, ABANDONED, BUSY, TIMEOUT, SYSTEM_FAIL; None while it waits."""
    between: timedelta = timedelta()
    """From the end of one talk to the beginning of the next, where it went on to a second agent."""
    first_at: datetime | None = None
    """The first instant told of it."""
    reached: bool = True
    """A queue had it. A telephone's own outward call ends too, and is no call to the hotline."""

    @property
    def counted_at(self) -> datetime | None:
        """The instant it belongs to: when it was offered, or the first thing told of it where nobody told that."""
        return self.first_at if self.offered_at is None else self.offered_at

    @property
    def wait(self) -> timedelta | None:
        """From offered to answered; there is no menu, so offered is when it began to wait.

        None where it is not known: the offering was not told, or a clock was set back in between.
        """
        return _span(self.offered_at, self.answered_at)

    @property
    def gave_up_after(self) -> timedelta | None:
        """From offered to ended, of a call nobody answered; None where it is not known."""
        return None if self.answered_at is not None else _span(self.offered_at, self.ended_at)

    @property
    def talk(self) -> timedelta | None:
        """From answered to ended, without what lies between two talks; None where it is not known."""
        whole = _span(self.answered_at, self.ended_at)
        return None if whole is None else whole - self.between


class Lowest(NamedTuple):
    """The worst of the rolling rate."""

    rate: float
    at: datetime
    """The first instant at which it was so low."""
    answered: int
    offered: int
    """The denominator of the rate: the calls of the window that ends then."""


class Figures(NamedTuple):
    """The telephone's figures of an interval; rates between 0 and 1."""

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
    never_offered: dict[str, int]
    """Ended, and no queue ever had them: not counted, by how they ended."""
    short_abandons: int
    wait_unknown: int
    """Answered, and nobody can say how soon: offered and answered, never answered in time."""
    talk_unknown: int
    """Answered, and not over yet, or ended at a time that cannot be."""
    connection_rate: float | None
    """Answered by offered (A2)."""
    service_level: float | None
    """Answered in time by offered: the strict one of two definitions."""
    timely_rate: float | None
    """Answered in time by answered: the other one (S22)."""
    abandon_rate: float | None
    average_wait_seconds: float | None
    """Of the answered whose wait is known (ASA)."""
    average_talk_seconds: float | None
    """Of the answered whose talk is known; what agents hold and write afterwards is not told us."""
    lowest: Lowest | None
    """Of the connection rate in the window that ends at each instant of the interval (T12)."""


def figures(calls: Iterable[CallRecord], since: datetime, until: datetime, rules: TelephoneRules) -> Figures:
    """The figures of (since, until]; `calls` reach back one window before it, for the rolling rate."""
    every = list(calls)
    inside = [call for call in every if call.counted_at is not None and since < call.counted_at <= until]
    counted = [call for call in inside if _counts(call, rules)]
    by_outcome = Counter(call.outcome for call in counted if call.outcome is not None)
    answered = [call for call in counted if call.outcome == ANSWERED]
    waits = [call.wait for call in answered if call.wait is not None]
    talks = [call.talk for call in answered if call.talk is not None]
    within = sum(wait <= rules.answer_within for wait in waits)
    aside = [call for call in inside if call.outcome is not None and not _counts(call, rules)]
    return Figures(
        offered=len(counted),
        answered=len(answered),
        within=within,
        by_outcome=dict(sorted(by_outcome.items())),
        not_over=sum(call.outcome is None for call in inside),
        excluded=_by_outcome(call for call in aside if call.reached),
        never_offered=_by_outcome(call for call in aside if not call.reached),
        short_abandons=sum(_is_short(call, rules) for call in counted),
        wait_unknown=len(answered) - len(waits),
        talk_unknown=len(answered) - len(talks),
        connection_rate=_rate(len(answered), len(counted)),
        service_level=_rate(within, len(counted)),
        timely_rate=_rate(within, len(answered)),
        abandon_rate=_rate(by_outcome[ABANDONED], len(counted)),
        average_wait_seconds=_mean(waits),
        average_talk_seconds=_mean(talks),
        lowest=lowest(every, since, until, rules),
    )


def lowest(
    calls: Sequence[CallRecord], since: datetime, until: datetime, rules: TelephoneRules
) -> Lowest | None:
    """A2, T12: the lowest connection rate of any window (t - 24 h, t] that ends in (since, until].

    A window of fewer calls than `rules.window_calls_min` is not looked at.
    """
    changes: list[tuple[datetime, int, int]] = []
    for call in calls:
        if call.counted_at is None or not _counts(call, rules):
            continue
        answered = int(call.outcome == ANSWERED)
        changes.append((call.counted_at, 1, answered))
        changes.append((call.counted_at + rules.window, -1, -answered))
    changes.sort(key=lambda change: change[0])
    worst: Lowest | None = None
    offered = answered = place = 0
    while place < len(changes) and changes[place][0] <= until:
        at = changes[place][0]
        while place < len(changes) and changes[place][0] == at:
            offered, answered = offered + changes[place][1], answered + changes[place][2]
            place += 1
        later = changes[place][0] if place < len(changes) else None
        if offered < max(rules.window_calls_min, 1) or (later is not None and later <= since):
            continue  # too few to say anything, or another state before the interval begins
        rate = answered / offered
        if worst is None or rate < worst.rate:
            worst = Lowest(rate, max(at, since), answered, offered)
    return worst


def _counts(call: CallRecord, rules: TelephoneRules) -> bool:
    return call.outcome is not None and call.outcome not in rules.excluded and call.reached


def _by_outcome(calls: Iterable[CallRecord]) -> dict[str, int]:
    return dict(sorted(Counter(call.outcome for call in calls if call.outcome is not None).items()))


def _is_short(call: CallRecord, rules: TelephoneRules) -> bool:
    after = call.gave_up_after
    return call.outcome == ABANDONED and after is not None and after < rules.short_abandon


def _span(since: datetime | None, until: datetime | None) -> timedelta | None:
    """None where an end is missing, or lies before the beginning: no negative time ever counts."""
    return None if since is None or until is None or until < since else until - since


def _rate(part: int, whole: int) -> float | None:
    return None if whole == 0 else part / whole


def _mean(spans: Sequence[timedelta]) -> float | None:
    return None if not spans else sum(spans, timedelta()).total_seconds() / len(spans)
