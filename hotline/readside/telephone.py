"""The telephone's figures and the responses to messages, from the read side: the same that all calls would give.

The worst 24 hours on end (A2) are found by minutes. At the end of a minute a window is a sum of minutes. Within it no
window is worse than one without the minute's answered calls. So few minutes are left in which the calls themselves are
looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from hotline.readside.calls import MINUTE, end_of
from services.intake.call_statistics import ABANDONED, ANSWERED, CallRecord, Figures, Lowest
from services.intake.call_statistics import lowest as lowest_of
from services.intake.response_times import ChannelSum, Response, responses_of
from shared.policy.ruleset import MessageRules, TelephoneRules
from shared.unreadable import UnreadableRows

# Whole hours by their sums, and the calls before and behind them one by one. A limit that is no number of whole seconds
# is held against each call.
_SUMS: Final = """
SELECT outcome, reached, sum(calls)::bigint AS calls, sum(waits)::bigint AS waits, sum(waited) AS waited,
       coalesce(sum(waits) FILTER (WHERE in_time), 0)::bigint AS within, sum(talks)::bigint AS talks,
       sum(talked) AS talked, coalesce(sum(quits) FILTER (WHERE soon), 0)::bigint AS short
FROM (
    SELECT outcome, reached, calls, waits, waited, talks, talked, quits,
           seconds BETWEEN 0 AND extract(epoch FROM $3::interval) AS in_time,
           seconds >= 0 AND seconds < extract(epoch FROM $4::interval) AS soon
    FROM read.call_hour WHERE hour > $5 AND hour <= $6
    UNION ALL
    SELECT outcome, reached, 1, (waited IS NOT NULL)::int, coalesce(waited, '0'), (talked IS NOT NULL)::int,
           coalesce(talked, '0'), (gave_up IS NOT NULL)::int, waited <= $3, gave_up < $4
    FROM read.call WHERE at > $1 AND at <= $5 OR at > $6 AND at <= $2
) AS c GROUP BY 1, 2 HAVING sum(calls) > 0
"""
_MINUTES: Final = """
SELECT (extract(epoch FROM minute - $5) / 60)::int, sum(calls)::bigint,
       coalesce(sum(calls) FILTER (WHERE outcome = $4), 0)::bigint
FROM read.call_minute WHERE minute > $1 AND minute <= $2 AND outcome <> '' AND outcome <> ALL ($3::text[]) AND reached
GROUP BY 1
"""
_EVENTS: Final = """
SELECT at, outcome FROM read.call
WHERE at > $1 AND at <= $2 AND outcome <> '' AND outcome <> ALL ($3::text[]) AND reached ORDER BY at
"""
# OFFSET 0 keeps each minute a look of its own into the index; joined, all calls of both days were read (200 ms).
_EVENTS_OF: Final = """
SELECT m.minute, c.at, c.outcome FROM unnest($1::timestamptz[]) AS m (minute), LATERAL (
    SELECT at, outcome FROM read.call WHERE at > m.minute - interval '1 minute' AND at <= m.minute
      AND outcome <> '' AND outcome <> ALL ($2::text[]) AND reached OFFSET 0
) AS c
"""
_MESSAGES: Final = """
SELECT m.channel, count(*) AS messages, sum(m.waited) AS waited, l.within,
       count(*) FILTER (WHERE m.waited <= l.within) AS in_time
FROM read.message m, unnest($3::interval[]) AS l (within) WHERE m.received_at > $1 AND m.received_at <= $2
GROUP BY m.channel, l.within
"""
_UNREAD: Final = "SELECT call_id, why FROM read.call_unread ORDER BY call_id"


SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
FEW: Final = 4000
"""Calls that are all looked at: minutes with hardly a call say too little to leave any out."""
AT_ONCE: Final = 50
"""Minutes of which the calls are read at once."""
_T = TypeVar("_T")


async def figures(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: TelephoneRules
) -> Figures:
    """The figures of (since, until]; see `services.intake.call_statistics.figures`."""
    found = await figures_without_lowest(connection, since, until, rules)
    return found._replace(lowest=await lowest(connection, since, until, rules))


async def figures_without_lowest(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: TelephoneRules
) -> Figures:
    """As `figures`, without the worst window, which costs several times as much as all the rest."""
    first, last = _whole_hours(since, until, rules)
    rows = await connection.fetch(_SUMS, since, until, rules.answer_within, rules.short_abandon, first, last)
    over = [row for row in rows if row["outcome"]]
    counted = [row for row in over if row["reached"] and row["outcome"] not in rules.excluded]
    aside = [row for row in over if row not in counted]
    by_outcome = _by_outcome(counted)
    (talked,) = [row for row in counted if row["outcome"] == ANSWERED] or [None]
    offered, answered = sum(by_outcome.values()), by_outcome.get(ANSWERED, 0)
    within = talked["within"] if talked else 0
    waits, talks = (talked["waits"], talked["talks"]) if talked else (0, 0)
    return Figures(
        offered=offered,
        answered=answered,
        within=within,
        by_outcome=by_outcome,
        not_over=sum(row["calls"] for row in rows if not row["outcome"]),
        excluded=_by_outcome([row for row in aside if row["reached"]]),
        never_offered=_by_outcome([row for row in aside if not row["reached"]]),
        short_abandons=sum(row["short"] for row in counted if row["outcome"] == ABANDONED),
        wait_unknown=answered - waits,
        talk_unknown=answered - talks,
        connection_rate=_rate(answered, offered),
        service_level=_rate(within, offered),
        timely_rate=_rate(within, answered),
        abandon_rate=_rate(by_outcome.get(ABANDONED, 0), offered),
        average_wait_seconds=_mean(talked["waited"] if talked else None, waits),
        average_talk_seconds=_mean(talked["talked"] if talked else None, talks),
        lowest=None,
    )


def _whole_hours(since: datetime, until: datetime, rules: TelephoneRules) -> tuple[datetime, datetime]:
    """From where to where the sums of hours count: hours, as minutes, hold their end and not their beginning."""
    first, last = end_of(since, HOUR), end_of(until, HOUR)
    last -= timedelta() if last == until else HOUR
    if first >= last or any(limit % SECOND for limit in (rules.answer_within, rules.short_abandon)):
        return until, until
    return first, last


async def responses(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: MessageRules
) -> list[Response]:
    """How soon the messages taken up in (since, until] were, by channel."""
    limits = sorted({*rules.respond_within.values(), rules.otherwise})
    rows = await connection.fetch(_MESSAGES, since, until, limits)
    sums: dict[str, ChannelSum] = {}
    for row in rows:
        one = sums.setdefault(row["channel"], ChannelSum(row["channel"], row["messages"], row["waited"], {}))
        one.in_time[row["within"]] = row["in_time"]
    return responses_of(sums.values(), rules)


async def note_unread_calls(connection: asyncpg.Connection[Any], unread: UnreadableRows) -> None:
    """The calls that are in no figure, as nobody can read what was told of them."""
    for call_id, why in await connection.fetch(_UNREAD):
        unread.note(f"call {call_id}", why)


async def lowest(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: TelephoneRules
) -> Lowest | None:
    """The lowest rate of any window; see `services.intake.call_statistics.lowest`, which this agrees with."""
    excluded = sorted(rules.excluded)
    first, last = end_of(since - rules.window, MINUTE), end_of(until, MINUTE)
    rows = await connection.fetch(_MINUTES, first - MINUTE, last, excluded, ANSWERED, first)
    whole = rules.window % MINUTE == timedelta() and rules.window >= MINUTE
    if not whole or sum(row[1] for row in rows) <= FEW:
        rows = await connection.fetch(_EVENTS, since - rules.window, until, excluded)
        return lowest_of([_record(row) for row in rows], since, until, rules)
    minutes = _Minutes(first, last, rules, rows)
    worst: Lowest | None = None
    for some in batched(sorted(minutes.bounds(since, until)), AT_ONCE):
        # The minute, and the one that leaves the window meanwhile; before it everything is a sum of minutes.
        ends = [end for _, end in some]
        asked = [*ends, *(end - rules.window for end in ends)]
        events: dict[datetime, list[Any]] = {}
        for end, at, outcome in await connection.fetch(_EVENTS_OF, asked, excluded):
            events.setdefault(end, []).append((at, outcome))
        for bound, end in some:
            if worst is not None and bound > worst.rate:
                return worst
            held = [*events.get(end - rules.window, ()), *events.get(end, ())]
            found = minutes.lowest_within(end, held, since, until)
            if found is not None and (worst is None or (found.rate, found.at) < (worst.rate, worst.at)):
                worst = found
    return worst


def batched(every: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """So many at a time."""
    for begin in range(0, len(every), size):
        yield every[begin : begin + size]


class _Window(NamedTuple):
    offered: int
    answered: int


class _Minutes:
    """How many calls were offered and answered in each minute, and what windows that makes."""

    def __init__(
        self, first: datetime, last: datetime, rules: TelephoneRules, held: Iterable[tuple[int, int, int]]
    ) -> None:
        """`held`: of each minute with calls its number from the first one on, its calls and those answered."""
        self._first = first
        self._rules = rules
        self._width = rules.window // MINUTE
        offered = [0] * ((last - first) // MINUTE + 1)
        answered = offered.copy()
        for number, calls, taken in held:
            offered[number], answered[number] = calls, taken
        self._offered = [0, *accumulate(offered)]
        self._answered = [0, *accumulate(answered)]

    def _between(self, begin: int, end: int) -> _Window:
        """The calls of the minutes from one place up to another, without that."""
        begin, end = max(begin, 0), max(end, 0)
        return _Window(self._offered[end] - self._offered[begin], self._answered[end] - self._answered[begin])

    def bounds(self, since: datetime, until: datetime) -> list[tuple[float, datetime]]:
        """Each minute that the interval touches, with a rate below which no window in it is; without the hopeless."""
        offered, answered = self._offered, self._answered
        enough = max(self._rules.window_calls_min, 1)
        begin = (end_of(since, MINUTE) - self._first) // MINUTE
        # Within the first minute, and behind the last whole one, the interval has no minute's end.
        first_end = begin + 1 if end_of(since, MINUTE) == since else begin
        last_end = (until - self._first) // MINUTE
        found: list[tuple[float, int]] = []
        best: float | None = None
        for place in range(first_end, (end_of(until, MINUTE) - self._first) // MINUTE + 1):
            # The minute that comes, those that stay, and the one that leaves the window meanwhile.
            goes, stays = max(place - self._width, 0), max(place - self._width + 1, 0)
            kept = answered[place] - answered[stays]
            lost = offered[place + 1] - offered[goes] - (answered[place + 1] - answered[goes])
            found.append((kept / (kept + lost) if kept else 0.0, place))
            calls = offered[place + 1] - offered[stays]
            if place <= last_end and calls >= enough:
                rate = (answered[place + 1] - answered[stays]) / calls
                best = rate if best is None else min(best, rate)
        return [
            (bound, self._first + place * MINUTE) for bound, place in found if best is None or bound <= best
        ]

    def lowest_within(
        self, end: datetime, events: Sequence[Any], since: datetime, until: datetime
    ) -> Lowest | None:
        """The lowest of the windows that end in this minute and in the interval."""
        place = (end - self._first) // MINUTE
        offered, answered = self._between(place - self._width, place)
        changes: list[tuple[datetime, int, int]] = []
        for at, outcome in events:
            came = int(outcome == ANSWERED)
            if at > end - MINUTE:
                changes.append((at, 1, came))
            else:
                changes.append((at + self._rules.window, -1, -came))
        changes.sort(key=lambda change: change[0])
        worst: Lowest | None = None
        at = end - MINUTE
        number = 0
        while True:
            while number < len(changes) and changes[number][0] == at:
                offered, answered = offered + changes[number][1], answered + changes[number][2]
                number += 1
            later = changes[number][0] if number < len(changes) else None
            stands = since < end if later is None else since < later
            if at <= until and stands and offered >= max(self._rules.window_calls_min, 1):
                rate = answered / offered
                if worst is None or rate < worst.rate:
                    worst = Lowest(rate, max(at, since), answered, offered)
            if later is None or later > until:
                return worst
            at = later


def _record(row: Any) -> CallRecord:
    return CallRecord(offered_at=row["at"], answered_at=None, ended_at=None, outcome=row["outcome"])


def _by_outcome(rows: Sequence[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row["outcome"]] = found.get(row["outcome"], 0) + row["calls"]
    return dict(sorted(found.items()))


def _rate(part: int, whole: int) -> float | None:
    return None if whole == 0 else part / whole


def _mean(whole: timedelta | None, number: int) -> float | None:
    return None if whole is None or number == 0 else whole.total_seconds() / number
