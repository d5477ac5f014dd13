"""The score (考评): what one life counts for, and what a month's counts add up to. Pure, from facts alone.

A complaint that was dispatched counts once it has ended, in the month in which the visit closes that its end rests on
(the rule set says so; which month is unknown for Beijing), for the unit which that visit was about. Who judges is
the citizen (E2): the unit's own claim is not looked at (T18). Numbers are integers until they are published; what
divides by nothing is None, never 0 (T14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from hotline.ratio import ratio, two_decimals
from hotline.scoring.inhabitants import Count, Population, people_of
from shared.events import (
    CitizenContacted,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    ExclusionApproved,
    Fact,
    FeedbackLimitMissed,
    LimitMissCorrected,
    Outcome,
    RequestCorrected,
    TerminationApproved,
    UnitCalled,
    VisitMade,
    VisitScheduled,
    WhistleArrived,
    WhistleRated,
)
from shared.events.base import ExclusionGround, Limit, TurnedAway
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.scoring import Counting, CountsIn, Cut, Measure, RespondsBy, Scoring

KINDS: Final = (
    CitizenContacted,
    ComplaintReceived,
    ComplaintTurnedAway,
    RequestCorrected,
    ComplaintDispatched,
    FeedbackLimitMissed,
    LimitMissCorrected,
    TerminationApproved,
    VisitScheduled,
    VisitMade,
    ComplaintClosed,
    ComplaintWithdrawn,
    ExclusionApproved,
    UnitCalled,
    WhistleArrived,
    WhistleRated,
)
"""The facts a score is made of; all others change nothing in it."""

WITHDRAWN: Final = "withdrawn"
TERMINATED: Final = "terminated"
EXCEPTION: Final = "exception"
_AS_SHIPPED: Final = Counting()
LEFT_OUT: Final = (WITHDRAWN, TERMINATED, EXCEPTION, *(ground.lower() for ground in ExclusionGround))
"""Why a complaint counts for nothing (F3); each number is published."""


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of a whistle says of the unit that was called, and of the street (R16, G3)."""

    unit: UnitId
    street: UnitId
    has_limit: bool
    """Whether it had to be there by an instant (G2)."""
    in_time: bool
    """It was there by then."""
    stars: int | None = None
    """What the street thinks of it, 1 to 5."""
    stars_of_street: int | None = None
    """What it thinks of the street."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one life adds; `unit` and what follows are None until it counts."""

    requested: date | None
    """First day of the month in which it was received; None for the second record of a call: no request more (T7)."""
    district: str
    street: str | None
    month: date | None = None
    """First day of the month it counts in."""
    unit: UnitId | None = None
    left_out: str | None = None
    """One of `LEFT_OUT`: then it is in none of the rates."""
    responded: bool = False
    """The unit answered each of its rounds within the limit, or had spoken to the citizen by then."""
    visited: bool = False
    """The citizen was reached and judged; whoever was not is in no judgement (T19)."""
    solved: bool = False
    satisfied: bool = False
    whistled: bool = False
    """The unit called others to it."""
    calls: tuple[Called, ...] = ()
    """Of all its whistles; they count in its month whether it is left out or not."""


@dataclass(slots=True)
class Life:
    """One complaint while its facts are read, in their order."""

    received: ComplaintReceived | None = None
    twice: bool = False
    """It is the second record of a call, whose first goes on."""
    district: str = ""
    street: str | None = None
    """Where it happened, by the record as it was corrected last: there its request counts (F5)."""
    unit: UnitId | None = None
    dispatched_at: datetime | None = None
    """For the first time."""
    asked: dict[int, UnitId] = field(default_factory=dict)
    """Whom each visit was about: its first attempt says whose answer or limit it follows."""
    judged: VisitMade | None = None
    missed: dict[tuple[UnitId, datetime], int] = field(default_factory=dict)
    """Limits for an answer, with their round."""
    contacted: dict[tuple[UnitId, int], datetime] = field(default_factory=dict)
    """When a unit first spoke to the citizen in a round."""
    terminated: bool = False
    excluded: dict[UnitId, ExclusionGround] = field(default_factory=dict)
    """From whose score a review has left it out."""
    blown_by: set[UnitId] = field(default_factory=set)
    calls: dict[tuple[int, UnitId], Called] = field(default_factory=dict)
    """By the whistle and whom it called."""
    arrive_by: dict[tuple[int, UnitId], datetime | None] = field(default_factory=dict)
    ended: ComplaintClosed | ComplaintWithdrawn | None = None

    def takes(self, fact: Fact) -> None:
        """Take the next fact in; those not in `KINDS` may be left out."""
        match fact:
            case ComplaintReceived():
                self.received = fact
                self.district, self.street = fact.district, fact.street
            case ComplaintDispatched():
                self.unit = fact.unit
                self.dispatched_at = self.dispatched_at or fact.dispatched_at
            case FeedbackLimitMissed():
                self.missed[fact.unit, fact.due_at] = fact.round
            case LimitMissCorrected() if fact.limit is Limit.FEEDBACK:
                self.missed.pop((fact.unit, fact.due_at), None)
            case TerminationApproved():
                self.terminated = True
            case ExclusionApproved():
                self.excluded[fact.unit] = fact.ground
            case VisitScheduled() if fact.attempt == 1:
                self.asked[fact.visit] = fact.unit
            case VisitMade():
                self.judged = fact
            case ComplaintClosed() | ComplaintWithdrawn():
                self.ended = fact
            case _:
                self._takes_beside(fact)

    def _corrected(self, fact: RequestCorrected) -> None:
        for one in fact.corrections:
            if one.field == "district":
                self.district = one.new
            elif one.field == "street":
                self.street = one.new or None

    def _takes_beside(self, fact: Fact) -> None:
        match fact:
            case ComplaintTurnedAway():
                self.twice = fact.how is TurnedAway.RECORDED_TWICE
            case RequestCorrected():
                self._corrected(fact)
            case CitizenContacted():
                self.contacted.setdefault((fact.unit, fact.round), fact.contacted_at)
            case UnitCalled():
                self.blown_by.add(fact.unit)
                has_limit = fact.arrive_by is not None
                call = Called(unit=fact.called, street=fact.unit, has_limit=has_limit, in_time=False)
                self.calls[fact.whistle, fact.called] = call
                self.arrive_by[fact.whistle, fact.called] = fact.arrive_by
            case WhistleArrived():
                which = (fact.whistle, fact.called)
                by = self.arrive_by.get(which)
                if by is not None:
                    self.calls[which] = replace(self.calls[which], in_time=fact.arrived_at <= by)
            case WhistleRated():
                # Who was called is rated by the street, or rates it.
                by_street = (fact.whistle, fact.rated) in self.calls
                which = (fact.whistle, fact.rated if by_street else fact.rated_by)
                if which in self.calls:
                    stars = {"stars" if by_street else "stars_of_street": fact.stars}
                    self.calls[which] = replace(self.calls[which], **stars)
            case _:
                pass

    def counted(self, zone: ZoneInfo, how: Counting = _AS_SHIPPED) -> Counted | None:
        """What it adds as far as it is read; None before it is on record."""
        if self.received is None:
            return None
        told = self.received
        requested = None if self.twice else month_of(told.received_at, zone)
        at = Counted(requested=requested, district=self.district, street=self.street)
        end = self.ended
        if end is None or self.unit is None or self.dispatched_at is None:
            return at
        ended_at: datetime = getattr(end, end.TIME)
        month = month_of(ended_at if how.counts_in is CountsIn.VISIT else self.dispatched_at, zone)
        at = replace(at, calls=tuple(self.calls.values()))
        left_out = self._left_out(end)
        if left_out is not None or isinstance(end, ComplaintWithdrawn):
            return replace(at, month=month, unit=self.unit, left_out=left_out)
        unit = self.asked.get(end.visit, self.unit)
        if unit in self.excluded:
            return replace(at, month=month, unit=unit, left_out=self.excluded[unit].lower())
        judged = self.judged if end.outcome is not Outcome.UNREACHED else None
        return replace(
            at,
            month=month,
            unit=unit,
            responded=not any(self._silent(*late, how) for late in self.missed.items() if late[0][0] == unit),
            visited=judged is not None,
            solved=judged is not None and judged.solved,
            satisfied=judged is not None and judged.satisfied,
            whistled=unit in self.blown_by,
        )

    def _silent(self, limit: tuple[UnitId, datetime], number: int, how: Counting) -> bool:
        """The limit passed, and nothing that counts as a response had come."""
        unit, due_at = limit
        at = self.contacted.get((unit, number))
        return how.responds_by is RespondsBy.ANSWER or at is None or at > due_at

    def _left_out(self, end: ComplaintClosed | ComplaintWithdrawn) -> str | None:
        if isinstance(end, ComplaintWithdrawn):
            return WITHDRAWN
        if end.outcome is Outcome.EXCEPTION:
            return TERMINATED if self.terminated else EXCEPTION
        return None


def within(one: Counted | None, month: date) -> Counted | None:
    """What of it belongs to this month alone; None where nothing does."""
    if one is None or month not in (one.month, one.requested):
        return None
    if one.month == month:
        return one
    # It counts in another month, or not yet; here it is only a request.
    return Counted(requested=one.requested, district=one.district, street=one.street)


def counted(facts: Iterable[Fact], zone: ZoneInfo, how: Counting = _AS_SHIPPED) -> Counted | None:
    """What a life of these facts adds."""
    life = Life()
    for fact in facts:
        life.takes(fact)
    return life.counted(zone, how)


def month_of(at: datetime, zone: ZoneInfo) -> date:
    """The first day of the city's month in which this instant lies (T15: midnight belongs to the new day)."""
    return at.astimezone(zone).date().replace(day=1)


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return (month - timedelta(days=1)).replace(day=1)


# -- a month's counts


class Tally(msgspec.Struct, kw_only=True):
    """What a unit's complaints of one month add up to."""

    countable: int = 0
    """In the base (基数): all that were not left out."""
    responded: int = 0
    visited: int = 0
    solved: int = 0
    satisfied: int = 0
    left_out: dict[str, int] = {}
    whistled: int = 0
    called: int = 0
    """With a limit for being there."""
    arrived: int = 0
    """Of those, in time."""
    stars: int = 0
    """As one that was called, all together."""
    ratings: int = 0
    stars_as_street: int = 0
    ratings_as_street: int = 0

    def add(self, one: Counted, number: int = 1) -> None:
        """Take in so many complaints that count like this one."""
        if one.left_out is not None:
            self.left_out[one.left_out] = self.left_out.get(one.left_out, 0) + number
            return
        self.countable += number
        self.responded += number * one.responded
        self.visited += number * one.visited
        self.solved += number * one.solved
        self.satisfied += number * one.satisfied
        self.whistled += number * one.whistled

    def add_called(self, call: Called, number: int = 1) -> None:
        """Take in how it came when it was called, and what the street thinks of it."""
        self.called += number * call.has_limit
        self.arrived += number * call.in_time
        if call.stars is not None:
            self.stars += number * call.stars
            self.ratings += number

    def add_street(self, call: Called, number: int = 1) -> None:
        """Take in what a unit it called thinks of it."""
        if call.stars_of_street is not None:
            self.stars_as_street += number * call.stars_of_street
            self.ratings_as_street += number


class Tallies(msgspec.Struct, kw_only=True):
    """A month: what each unit's complaints add up to, and how many requests came from where."""

    units: dict[UnitId, Tally] = {}
    requests: list[tuple[str, str | None, int]] = []
    """District, street, how many were received in the month; sorted."""


def tallied(lives: Iterable[tuple[Counted, int]], month: date) -> Tallies:
    """What so many lives of each sort add up to in this month."""
    units: dict[UnitId, Tally] = {}
    requests: dict[tuple[str, str | None], int] = {}
    for one, number in lives:
        if one.month == month and one.unit is not None:
            units.setdefault(one.unit, Tally()).add(one, number)
            for call in one.calls:
                units.setdefault(call.unit, Tally()).add_called(call, number)
                units.setdefault(call.street, Tally()).add_street(call, number)
        if one.requested == month:
            where = (one.district, one.street)
            requests[where] = requests.get(where, 0) + number
    for tally in units.values():
        tally.left_out = {why: tally.left_out[why] for why in sorted(tally.left_out)}
    return Tallies(
        units={unit: units[unit] for unit in sorted(units)},
        requests=sorted(
            ((*where, number) for where, number in requests.items()),
            key=lambda row: (row[0], row[1] or ""),
        ),
    )


# -- what is published


class Line(msgspec.Struct, kw_only=True):
    """A unit's month as it is published; rates and score in percent, with two decimals.

    None: there is nothing to divide by, or too few to tell (`suppressed`).
    """

    rank: int | None = None
    """1 is the best; who has the same score shares the rank, and the next rank is free."""
    unit: UnitId
    name: str
    district: str | None = None
    countable: int | None = None
    responded: int | None = None
    visited: int | None = None
    solved: int | None = None
    satisfied: int | None = None
    left_out: dict[str, int] = {}
    response_rate: Decimal | None = None
    resolution_rate: Decimal | None = None
    satisfaction_rate: Decimal | None = None
    whistle_rate: Decimal | None = None
    """Of the base, in how many it called others; in percent."""
    report_on_time_rate: Decimal | None = None
    """Of the calls it had to be there for by an instant, to how many it came in time; in percent."""
    report_rating: Decimal | None = None
    """What streets think of how it reported, 1 to 5."""
    whistle_rating: Decimal | None = None
    """What those it called think of it, 1 to 5."""
    score: Decimal | None = None
    gain: Decimal | None = None
    """Of the score on the month before."""
    requests: int | None = None
    """Received in the month from its territory; None for who has none."""
    inhabitants: int | None = None
    per_10k: Decimal | None = None
    suppressed: bool = False
    """Some of it is not told: fewer than the rule set's small cell."""
    lists: list[str] = []


class Exact(msgspec.Struct, kw_only=True):
    """The same unrounded: what is ranked and cut by."""

    score: Fraction | None
    gain: Fraction | None = None
    requests: int | None = None
    per_10k: Fraction | None = None

    def by(self, measure: Measure) -> Fraction | int | None:
        """What a list looks at."""
        match measure:
            case Measure.SCORE:
                return self.score
            case Measure.GAIN:
                return self.gain if self.gain is not None and self.gain > 0 else None
            case Measure.REQUESTS:
                return self.requests or None
            case Measure.PER_10K:
                return self.per_10k or None


def score_of(tally: Tally, rules: Scoring) -> Fraction | None:
    """F2: the weighted sum of the three rates, in percent; None where a rate that has a weight is none."""
    if 0 < tally.countable < rules.small_cell or 0 < tally.visited < rules.small_cell:
        return None
    total = Fraction(0)
    for weight, rate in (
        (rules.response, ratio(tally.responded, tally.countable)),
        (rules.resolution, ratio(tally.solved, tally.visited)),
        (rules.satisfaction, ratio(tally.satisfied, tally.visited)),
    ):
        if not weight:
            continue
        if rate is None:
            return None
        total += Fraction(weight) * rate * 100
    return total


def published(
    tallies: Tallies,
    before: Tallies | None,
    *,
    month: date,
    rules: Scoring,
    catalogue: Catalogue,
    population: Population,
) -> list[Line]:
    """A month as it is published: the streets and towns ranked, then every other unit that has a complaint in it.

    `before`: the month before, by which gains are told. Ranks and lists are the streets' alone; a street without
    complaints stands in it without a rate.
    """
    streets = {
        unit: (district, street)
        for district, known in catalogue.districts.items()
        for street, unit in known.streets.items()
    }
    people = population.at(month_after(month) - timedelta(days=1))
    requests: dict[UnitId, int] = dict.fromkeys(streets, 0)
    for district, street, number in tallies.requests:
        known = catalogue.districts.get(district)
        unit = None if known is None or street is None else known.streets.get(street)
        if unit is not None:
            requests[unit] += number
    lines: list[Line] = []
    exact: dict[UnitId, Exact] = {}
    for unit in (*streets, *(u for u in tallies.units if u not in streets)):
        tally = tallies.units.get(unit, Tally())
        line, measures = _line(unit, tally, rules, catalogue)
        if unit in streets:
            _territory(line, measures, streets[unit][0], requests[unit], people)
            was = None if before is None else score_of(before.units.get(unit, Tally()), rules)
            if measures.score is not None and was is not None:
                measures.gain = measures.score - was
                line.gain = two_decimals(measures.gain)
            exact[unit] = measures
        lines.append(line)
    ranks = ranked({unit: measures.score for unit, measures in exact.items()})
    lists = listed(exact, rules.lists)
    for line in lines:
        line.rank = ranks.get(line.unit)
        line.lists = [name for name, chosen in lists.items() if line.unit in chosen]
    return sorted(
        lines,
        key=lambda line: (line.unit not in streets, line.rank is None, line.rank or 0, line.unit),
    )


def _line(unit: UnitId, tally: Tally, rules: Scoring, catalogue: Catalogue) -> tuple[Line, Exact]:
    known = catalogue.units.get(unit)
    line = Line(unit=unit, name=unit if known is None else known.name, left_out=tally.left_out, lists=[])
    score = score_of(tally, rules)
    few = 0 < tally.countable < rules.small_cell
    few_visits = few or 0 < tally.visited < rules.small_cell
    line.suppressed = few_visits
    if not few:
        line.countable, line.responded = tally.countable, tally.responded
        line.response_rate = _percent(tally.responded, tally.countable)
        line.whistle_rate = _percent(tally.whistled, tally.countable)
    if not few_visits:
        line.visited, line.solved, line.satisfied = tally.visited, tally.solved, tally.satisfied
        line.resolution_rate = _percent(tally.solved, tally.visited)
        line.satisfaction_rate = _percent(tally.satisfied, tally.visited)
    # Of these units judge each other: no citizen is told of by a small cell.
    line.report_on_time_rate = _percent(tally.arrived, tally.called)
    line.report_rating = two_decimals(ratio(tally.stars, tally.ratings))
    line.whistle_rating = two_decimals(ratio(tally.stars_as_street, tally.ratings_as_street))
    line.score = two_decimals(score)
    return line, Exact(score=score)


def _territory(line: Line, exact: Exact, district: str, requests: int, people: Count | None) -> None:
    """F5: requests from here, and for each 10,000 who live here."""
    line.district = district
    line.requests = exact.requests = requests
    line.inhabitants = people_of(people, line.unit, district)
    exact.per_10k = ratio(requests * 10_000, line.inhabitants)
    line.per_10k = two_decimals(exact.per_10k)


def _percent(number: int, of: int) -> Decimal | None:
    rate = ratio(number * 100, of)
    return two_decimals(rate)


def ranked(scores: Mapping[UnitId, Fraction | None]) -> dict[UnitId, int]:
    """F4: 1 for the best; equal scores share a rank (1, 2, 2, 4); who has no score has no rank."""
    having = sorted((score for score in scores.values() if score is not None), reverse=True)
    first: dict[Fraction, int] = {}
    for place, score in enumerate(having, 1):
        first.setdefault(score, place)
    return {unit: first[score] for unit, score in scores.items() if score is not None}


def listed(exact: Mapping[UnitId, Exact], lists: Mapping[str, Cut]) -> dict[str, frozenset[UnitId]]:
    """F4: who stands in each list; where few have a rank, nobody stands at both ends of one measure."""
    chosen = {name: cut_off(exact, cut) for name, cut in lists.items()}
    for name, cut in lists.items():
        if not cut.top:
            best = (chosen[other] for other, top in lists.items() if top.top and top.by is cut.by)
            chosen[name] = chosen[name].difference(*best)
    return chosen


def cut_off(exact: Mapping[UnitId, Exact], cut: Cut) -> frozenset[UnitId]:
    """Who stands in a list: so many from its end, and whoever shares the last place."""
    having = {unit: value for unit, one in exact.items() if (value := one.by(cut.by)) is not None}
    ends: Sequence[Fraction | int] = sorted(having.values(), reverse=cut.top)[: cut.units]
    if not ends:
        return frozenset()
    last = ends[-1]
    return frozenset(unit for unit, value in having.items() if (value >= last if cut.top else value <= last))
