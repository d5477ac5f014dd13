"""The sums of a month's counts: the rates, the score and the ranking as they are published. Pure.

Numbers are integers until they are published; what divides by nothing is None, never 0 (T14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from hotline.ratio import ratio, two_decimals
from hotline.scoring.inhabitants import Count, InhabitantFigures, people_of
from hotline.scoring.life import AS_SHIPPED, CallCounts, Counted, month_after
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import RuleSet
from shared.policy.scoring import Counting, Cut, Measure, Scoring

# -- a month's counts


class Tally(msgspec.Struct, kw_only=True):
    """The sums of a unit's complaints of one month."""

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

    def add_called(self, call: CallCounts, number: int = 1) -> None:
        """Take in how it came when it was called, and what the street thinks of it."""
        self.called += number * call.has_limit
        self.arrived += number * call.in_time
        if call.stars is not None:
            self.stars += number * call.stars
            self.ratings += number

    def add_street(self, call: CallCounts, number: int = 1) -> None:
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
    """The sums of so many lives of each sort in this month."""
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
    """The streets' rating of how it reported, 1 to 5."""
    whistle_rating: Decimal | None = None
    """The rating by the units it called, 1 to 5."""
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
        """The figure a list looks at."""
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
    population: InhabitantFigures,
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
    """The units in a list: so many from its end, and all that share the last place."""
    having = {unit: value for unit, one in exact.items() if (value := one.by(cut.by)) is not None}
    ends: Sequence[Fraction | int] = sorted(having.values(), reverse=cut.top)[: cut.units]
    if not ends:
        return frozenset()
    last = ends[-1]
    return frozenset(unit for unit, value in having.items() if (value >= last if cut.top else value <= last))


class Month(msgspec.Struct, kw_only=True):
    """A month's scores, and by which rules and figures they were made."""

    month: date
    """Its first day."""
    frozen_at: datetime | None = None
    """City time; None: it may still change."""
    frozen_by: str = ""
    """The name of the person who froze it; empty: nobody did yet, or nobody was asked."""
    counting: Counting = AS_SHIPPED
    """In which month a complaint counts, and what a response is."""
    through: int
    """The position of the log up to which facts are in it."""
    ruleset: str
    weights: dict[str, Decimal]
    small_cell: int
    catalogue: str
    population: str
    population_is_example: bool
    away: int = 0
    """Complaints of which not all is in it, because it lies in a month of the archive that is detached."""
    unreadable: int = 0
    """Complaints of which a fact cannot be read: they count for nothing."""
    corrections: int = 0
    """Complaints of a frozen month of which something else is known by now; they change nothing here."""
    lines: list[Line]
    tallies: Tallies
    """The integers behind it; never printed, for cells may be small."""


class By(NamedTuple):
    """By what a month is scored."""

    rules: RuleSet
    catalogue: Catalogue
    population: InhabitantFigures
