"""The telephone's figures and the responses to messages, from the read side: the same that all calls would give.

The worst 24 hours on end (A2) are found by minutes. At the end of a minute a window is a sum of minutes. Within it no
window is worse than one without the minute's answered calls. So few minutes are left in which the calls themselves are
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from hotline.readside.calls import MINUTE, minute_of
from services.intake.call_statistics import ABANDONED, ANSWERED, CallRecord, Figures, Lowest
from services.intake.call_statistics import lowest as lowest_of
from services.intake.response_times import ChannelSum, Response, responses_of
from shared.policy.ruleset import MessageRules, TelephoneRules
from shared.unreadable import UnreadableRows

_SUMS: Final = """
SELECT outcome, reached, count(*) AS calls, count(waited) AS waits, sum(waited) AS waited,
       count(*) FILTER (WHERE waited <= $3) AS within, count(talked) AS talks, sum(talked) AS talked,
       count(*) FILTER (WHERE gave_up < $4) AS short
FROM read.call WHERE at > $1 AND at <= $2 GROUP BY 1, 2
"""
_MINUTES: Final = """
SELECT minute, sum(calls)::bigint, coalesce(sum(calls) FILTER (WHERE outcome = $4), 0)::bigint
FROM read.call_minute WHERE minute > $1 AND minute <= $2 AND outcome <> '' AND outcome <> ALL ($3::text[]) AND reached
GROUP BY 1
"""
_EVENTS: Final = """
SELECT at, outcome FROM read.call
WHERE at > $1 AND at <= $2 AND outcome <> '' AND outcome <> ALL ($3::text[]) AND reached ORDER BY at
"""
_EVENTS_OF: Final = """
SELECT m.minute, c.at, c.outcome FROM unnest($1::timestamptz[]) AS m (minute), LATERAL (
    SELECT at, outcome FROM read.call WHERE at > m.minute - interval '1 minute' AND at <= m.minute
      AND outcome <> '' AND outcome <> ALL ($2::text[]) AND reached
) AS c
"""
_MESSAGES: Final = """
SELECT m.channel, count(*) AS messages, sum(m.waited) AS waited, l.within,
       count(*) FILTER (WHERE m.waited <= l.within) AS in_time
FROM read.message m, unnest($3::interval[]) AS l (within) WHERE m.received_at > $1 AND m.received_at <= $2
GROUP BY m.channel, l.within
"""
_UNREAD: Final = "SELECT call_id, why FROM read.call_unread ORDER BY call_id"


FEW: Final = 4000
"""Calls that are all looked at: minutes with hardly a call say too little to leave any out."""
AT_ONCE: Final = 50
"""Minutes of which the calls are read at once."""
_T = TypeVar("_T")


async def figures(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: TelephoneRules
) -> Figures:
    """The figures of (since, until]; see `services.intake.call_statistics.figures`."""
    rows = await connection.fetch(_SUMS, since, until, rules.answer_within, rules.short_abandon)
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
        lowest=await lowest(connection, since, until, rules),
    )


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
    first, last = minute_of(since - rules.window), minute_of(until)
    rows = await connection.fetch(_MINUTES, first - MINUTE, last, excluded, ANSWERED)
    whole = rules.window % MINUTE == timedelta() and rules.window >= MINUTE
    if not whole or sum(row[1] for row in rows) <= FEW:
        rows = await connection.fetch(_EVENTS, since - rules.window, until, excluded)
        return lowest_of([_record(row) for row in rows], since, until, rules)
    minutes = _Minutes(first, last, rules, {row[0]: (row[1], row[2]) for row in rows})
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
        self, first: datetime, last: datetime, rules: TelephoneRules, held: Mapping[datetime, tuple[int, int]]
    ) -> None:
        self._first = first
        self._rules = rules
        self._width = rules.window // MINUTE
        number = (last - first) // MINUTE + 1
        each = [held.get(first + place * MINUTE, (0, 0)) for place in range(number)]
        self._offered = [0, *accumulate(one[0] for one in each)]
        self._answered = [0, *accumulate(one[1] for one in each)]

    def _between(self, begin: int, end: int) -> _Window:
        """The calls of the minutes from one place up to another, without that."""
        begin, end = max(begin, 0), max(end, 0)
        return _Window(self._offered[end] - self._offered[begin], self._answered[end] - self._answered[begin])

    def bounds(self, since: datetime, until: datetime) -> list[tuple[float, datetime]]:
        """Each minute that the interval touches, with a rate below which no window in it is; without the hopeless."""
        found: list[tuple[float, datetime]] = []
        best: float | None = None
        end = minute_of(since)
        if end == since:  # the window that stands then stands in the minute that begins
            end += MINUTE
        while end - MINUTE < until:
            place = (end - self._first) // MINUTE
            whole = self._between(place - self._width + 1, place + 1)
            if since < end <= until and whole.offered >= max(self._rules.window_calls_min, 1):
                rate = whole.answered / whole.offered
                best = rate if best is None else min(best, rate)
            stays = self._between(place - self._width + 1, place)
            comes, goes = (
                self._between(place, place + 1),
                self._between(place - self._width, place - self._width + 1),
            )
            lost = sum(one.offered - one.answered for one in (stays, comes, goes))
            found.append((stays.answered / (stays.answered + lost) if stays.answered else 0.0, end))
            end += MINUTE
        return found if best is None else [one for one in found if one[0] <= best]

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
