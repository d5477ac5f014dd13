"""How long the legs of a life took: histograms of hours, held against the facts themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given

from hotline.audit.verify import verify
from hotline.lab.bench.generator import grow
from hotline.lab.mix import Mix
from hotline.readside.leg_edges import BUCKETS, EDGES, bounds_of, bucket_of
from hotline.readside.leg_figures import EVERY_UNIT, LegFigures, LegSpan, leg_figures, since
from hotline.readside.legs import HEARD, Leg, LegFact, legs_of
from hotline.readside.process import take_in
from hotline.upkeep.lists import rebuild_lists
from shared import events as e
from shared.events import Fact
from shared.log.codec import decoded
from shared.policy.ruleset import packaged, ruleset_tables
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import several_lives, unlocked
from tests.lived import lived as lived_by
from tests.lives import Life, lives

SHARES: Final = (0.5, 0.95)
ANSWER_STANDS_UNTIL: Final = (e.OrderAnswered, e.AnswerSentBack, e.ComplaintDispatched, e.VisitMade)
Took = tuple[Leg, str, datetime, timedelta]
"""A leg as the facts tell it: which, of which unit, when it ended, and how long it took."""


def heard(facts: Sequence[Fact]) -> list[LegFact]:
    """Some facts of a life as the projector reads them."""
    return [
        LegFact(
            number,
            type(fact).__name__,
            getattr(fact, fact.TIME),
            fact.unit if isinstance(fact, e.ComplaintDispatched) else "",
        )
        for number, fact in enumerate(facts, 1)
        if type(fact).__name__ in HEARD
    ]


def reckoned(facts: Sequence[Fact]) -> Iterator[Took]:
    """The legs of a life by looking back from each fact that ends one, without what the product remembers."""
    for place, fact in enumerate(facts):
        before = facts[:place]
        orders = [one for one in (*before, fact) if isinstance(one, e.ComplaintDispatched)]
        rounds = [n for n, one in enumerate(before) if isinstance(one, e.ComplaintReopened)]
        here = before[rounds[-1] :] if rounds else before
        at: datetime = getattr(fact, fact.TIME)
        began: datetime | None = None
        match fact:
            case e.ComplaintDispatched() if len(orders) == 1:
                leg, began = Leg.ORDERED, facts[0].received_at  # type: ignore[attr-defined]
            case e.OrderSigned():
                leg, began = Leg.SIGNED, orders[-1].dispatched_at
            case e.OrderAnswered():
                kinds = (e.ComplaintDispatched, e.OrderSigned, e.AnswerSentBack)
                leg, began = Leg.ANSWERED, _last(here, kinds)
            case e.VisitMade():
                told = [one for one in here if isinstance(one, ANSWER_STANDS_UNTIL)]
                leg = Leg.VISITED
                began = told[-1].answered_at if told and isinstance(told[-1], e.OrderAnswered) else None
            case e.ComplaintClosed():
                leg, began = Leg.CLOSED, _last(here, (e.VisitMade, e.VisitUnreached))
            case _:
                continue
        if began is not None and orders:
            yield leg, orders[-1].unit, at, at - began


def _last(facts: Sequence[Fact], kinds: tuple[type[Fact], ...]) -> datetime | None:
    found = [getattr(one, one.TIME) for one in facts if isinstance(one, kinds)]
    return found[-1] if found else None


def exact(took: Iterable[timedelta], share: float) -> timedelta:
    """The duration of which this share is not longer: the first of that rank."""
    ordered = sorted(took)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def agree(figures: LegFigures, took: Sequence[timedelta]) -> None:
    """The histogram holds what the facts say, and its quantiles lie in the buckets of theirs."""
    assert figures.lives == len(took), figures.leg
    counts = [0] * BUCKETS
    for one in took:
        counts[bucket_of(one)] += 1
    assert list(figures.buckets) == counts, figures.leg
    for share in SHARES:
        found = figures.quantile(share)
        if not took:
            assert found is None
            continue
        assert found is not None
        begins, ends = bounds_of(bucket_of(exact(took, share)))
        assert begins <= found.seconds <= (begins if ends is None else ends), (figures.leg, share)
        assert found.beyond is (ends is None)


@cache
def lived() -> list[list[Fact]]:
    """An hour of a small city in which everything is said."""
    return [facts for facts in lived_by(timedelta(hours=1), Mix.FULL, scale=0.02).facts.values() if facts]


def test_the_quantiles_of_a_lived_city_are_those_of_its_facts() -> None:
    by_facts = [one for facts in lived() for one in reckoned(facts)]
    rows = [row for number, facts in enumerate(lived()) for row in legs_of(str(number), heard(facts))]
    for leg in Leg:
        buckets = [0] * BUCKETS
        for row in rows:
            buckets[row.bucket] += row.leg == leg
        took = [one[3] for one in by_facts if one[0] is leg]
        assert len(took) > 20, leg
        agree(LegFigures(leg, buckets), took)


@given(lives)
def test_more_facts_add_legs_and_change_none(life: Life) -> None:
    whole = legs_of("a", heard(life.facts))
    for length in range(len(life.facts)):
        some = legs_of("a", heard(life.facts[:length]))
        assert some == whole[: len(some)]
    assert [(row.leg, row.unit) for row in whole] == [one[:2] for one in reckoned(life.facts)]


def test_each_edge_is_longer_and_from_a_minute_on_no_bucket_is_wide() -> None:
    seconds = [edge.until.total_seconds() for edge in EDGES]
    assert seconds == sorted(set(seconds))
    near = [(one, other) for one, other in pairwise(seconds) if one >= 60]
    assert all(other / one <= 2.5 for one, other in near), near
    assert all(edge.why for edge in EDGES)


def test_every_limit_of_the_rule_sets_is_an_edge() -> None:
    edges = {edge.until for edge in EDGES}
    units = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
    missing = []
    for version in packaged():
        rules = ruleset_tables(version)
        limits = {name: rules.get(name) for name in ("visit_spacing", "visit_within")}
        for urgency, table in rules["classes"].items():
            limits |= {f"{urgency}.{name}": table.get(name) for name in ("dispatch", "sign", "feedback")}
        for name, written in limits.items():
            if written is not None:
                number = int("".join(filter(str.isdigit, written)))
                if number * units["".join(filter(str.isalpha, written))] not in edges:
                    missing.append((version, name, written))
    assert missing == []


def test_a_leg_that_takes_as_long_as_an_edge_keeps_it() -> None:
    for number, edge in enumerate(EDGES):
        assert bucket_of(edge.until) == number
        assert bucket_of(edge.until + timedelta(microseconds=1)) == number + 1
    assert bucket_of(timedelta(seconds=-5)) == 0
    assert bounds_of(BUCKETS - 1)[1] is None


# -- in the database


async def _facts(desks: Desks) -> list[list[Fact]]:
    found: dict[str, list[Fact]] = {}
    rows = await desks.owner.fetch(
        "SELECT stream_id::text, type, schema_version, body FROM es.fact ORDER BY stream_id, version"
    )
    for stream, name, schema, body in rows:
        found.setdefault(stream, []).append(decoded(name, schema, body))
    return list(found.values())


@pytest.mark.connected
async def test_an_interval_of_one_unit_or_of_all_is_what_the_facts_say(
    desks: Desks, logins: dict[str, str]
) -> None:
    await take_in(logins["projector"])  # everything from here on comes as facts
    await several_lives(desks)
    await grow(desks.dsn, 4000)
    await take_in(logins["projector"], page=500)
    by_facts = [one for facts in await _facts(desks) for one in reckoned(facts)]
    ends = sorted(one[2] for one in by_facts)
    units = {one[1] for one in by_facts}
    assert len(units) > 1
    for present in (ends[len(ends) // 2], ends[-1]):
        for span in LegSpan:
            for unit in (EVERY_UNIT, *sorted(units)[:3]):
                first = since(span, present)
                assert timedelta(hours=span.hours) <= present - first <= timedelta(hours=span.hours + 1)
                last = first + timedelta(hours=span.hours + 1)
                for figures in await leg_figures(desks.owner, unit, span, present):
                    took = [
                        one[3]
                        for one in by_facts
                        if one[0] is figures.leg and unit in ("", one[1]) and first < one[2] <= last
                    ]
                    agree(figures, took)
    assert sum(one.lives for one in await leg_figures(desks.owner, "", LegSpan.WEEK, ends[-1])) > 0


@pytest.mark.connected
async def test_spoiled_legs_are_named_and_made_anew(desks: Desks, logins: dict[str, str]) -> None:
    await several_lives(desks)
    await take_in(logins["projector"])
    right = await _tables(desks)
    for spoils in (
        "UPDATE read.leg SET bucket = bucket + 1 WHERE leg = 'signed'",
        "DELETE FROM read.leg WHERE leg = 'answered'",
        "INSERT INTO read.leg SELECT stream_id, 99, leg, unit, hour, bucket FROM read.leg LIMIT 1",
        "UPDATE read.leg_hour SET legs = legs + 1 WHERE unit = ''",
    ):
        assert not (await desks.owner.execute(spoils)).endswith(" 0"), spoils
        assert [one for one in (await verify(desks.dsn)).problems if "rebuild lists" in one.what], spoils
        await rebuild_lists(desks.operator)
        assert await _tables(desks) == right, spoils
    await desks.owner.execute("UPDATE read.projection SET version = version - 1 WHERE name = 'lists'")
    await desks.owner.execute(
        "INSERT INTO read.leg SELECT stream_id, 99, leg, unit, hour, bucket FROM read.leg LIMIT 1"
    )  # as a fold of before might have made it
    await take_in(logins["projector"])
    assert await _tables(desks) == right


@pytest.mark.connected
async def test_an_order_that_cannot_be_read_is_named_and_its_legs_are_let_be(
    desks: Desks, logins: dict[str, str]
) -> None:
    await several_lives(desks)
    await take_in(logins["projector"])
    right = await _tables(desks)
    life = str(await desks.owner.fetchval("SELECT stream_id FROM read.leg ORDER BY stream_id LIMIT 1"))
    spoils = "UPDATE es.event SET body = $2 WHERE stream_id = $1 AND type = 'ComplaintDispatched'"
    await unlocked(desks, spoils, life, b"{")
    problems = (await verify(desks.dsn)).problems
    assert {one.complaint_id for one in problems} >= {life}
    assert [one for one in problems if "rebuild lists" in one.what] == []
    assert await _tables(desks) == right


async def _tables(desks: Desks) -> list[Any]:
    found: list[Any] = []
    for select in ("SELECT * FROM read.leg", "SELECT * FROM read.leg_hour WHERE legs <> 0"):
        found.append(sorted((tuple(row) for row in await desks.owner.fetch(select)), key=repr))
    return found
