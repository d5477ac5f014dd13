"""A life as spans: each stage that has ended once, everything told once, and nothing that was told ever changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Final

import msgspec
import pytest
from hypothesis import given
from opentelemetry.semconv._incubating.attributes import service_attributes
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.semconv.attributes import service_attributes as stable_service_attributes

from hotline.lab.mix import Mix
from hotline.tracing.belonging import BELONGINGS, DECISIONS, QUESTIONS
from hotline.tracing.span import LifeSpan, LifeStage
from hotline.tracing.stages import spans_of
from shared import events as e
from shared.complaint import ENDS
from shared.events import SPEAKERS, Fact
from shared.events.base import Urgency
from shared.runtime import span_names as conventions
from shared.trace_ids import trace_id_of
from tests import examples as eg
from tests.lived import lived as lived_by
from tests.lives import Life, Step, led, lives

LONG: Final = (
    ("sign", timedelta(hours=1)),
    ("contact", timedelta(hours=2)),
    ("extend", timedelta(hours=1)),
    ("extended", timedelta(hours=1)),
    ("pause", timedelta(hours=1)),
    ("paused", timedelta(hours=1)),
    ("resume", timedelta(hours=30)),
    ("whistle", timedelta(hours=1)),
    ("arrive", timedelta(hours=1)),
    ("release", timedelta(hours=1)),
    ("tick", timedelta(days=40)),
    ("answer", timedelta(hours=1)),
    ("unsolved", timedelta(days=1)),
    ("sign", timedelta(hours=1)),
    ("answer", timedelta(hours=1)),
    ("unreached", timedelta(days=1)),
    ("solved", timedelta(days=1)),
    ("tick", timedelta(hours=1)),
    ("rate", timedelta(days=1)),
)


def told_of(facts: Sequence[Fact], spans: Sequence[LifeSpan]) -> Counter[int]:
    """How often each version is told: by an event, or by a word."""
    words = [dict(span.attributes).get(conventions.VERSION) for span in spans]
    return Counter([event.version for span in spans for event in span.events] + [v for v in words if v])


def holds(facts: Sequence[Fact]) -> None:
    """Everything that must hold of the spans of these facts."""
    spans = spans_of(facts)
    assert spans_of(facts) == spans
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    assert {span.trace_id for span in spans} <= {f"{trace_id_of(facts[0].complaint_id):032x}"}
    for span in spans:
        assert span.started_at <= span.ended_at
        for event in span.events:
            assert span.started_at <= event.at <= span.ended_at
            fact = facts[event.version - 1]
            assert (event.name, event.at) == (type(fact).__name__, getattr(fact, fact.TIME))
        parent = by_id.get(span.parent_id)
        if parent is not None:
            assert parent.started_at <= span.started_at <= span.ended_at <= parent.ended_at, (span, parent)
    told = told_of(facts, spans)
    assert all(times == 1 for times in told.values())
    if any(isinstance(fact, ENDS) for fact in facts):
        # What still lasts after the end is told with its own end: supervision, or a review of an exclusion.
        after = {e.SupervisionOpened, e.SupervisionMissed, e.SupervisionDecided, e.ExclusionRequested}
        missing = [type(facts[v - 1]) for v in range(1, len(facts) + 1) if not told[v]]
        assert set(missing) <= after
        assert all(span.parent_id is None or span.parent_id in by_id for span in spans)
        (life,) = [span for span in spans if span.name == "life"]
        assert life.parent_id is None


def grows(facts: Sequence[Fact]) -> None:
    """The spans of a prefix are among those of one fact more."""
    before: set[LifeSpan] = set()
    for number in range(len(facts) + 1):
        spans = set(spans_of(facts[:number]))
        assert before <= spans, [type(fact).__name__ for fact in facts[:number]]
        before = spans


def stages(spans: Sequence[LifeSpan]) -> Counter[str]:
    return Counter(str(dict(span.attributes)[conventions.STAGE]) for span in spans)


def expected(facts: Sequence[Fact]) -> dict[str, int]:
    """How many stages of each kind the facts say there were, where the life has ended."""
    kinds = Counter(type(fact) for fact in facts)
    return {
        LifeStage.LIFE: 1,
        LifeStage.ORDER: kinds[e.ComplaintDispatched] + kinds[e.AnswerSentBack],
        LifeStage.PAUSE: kinds[e.PauseApproved],
        LifeStage.REVIEW: sum(kinds[kind] for kind in QUESTIONS if kind is not e.ExclusionRequested),
        LifeStage.WHISTLE: kinds[e.WhistleBlown],
        LifeStage.CALL: kinds[e.UnitCalled],
        LifeStage.SUPERVISION: kinds[e.SupervisionClosed],
        LifeStage.VISIT: len({fact.visit for fact in facts if isinstance(fact, e.VisitScheduled)}),
        LifeStage.ATTEMPT: kinds[e.VisitScheduled],
    }


def each_stage_once(facts: Sequence[Fact]) -> None:
    if not isinstance(next(iter(facts), None), e.ComplaintReceived):
        return
    if any(isinstance(fact, ENDS) for fact in facts):
        spans = [s for s in spans_of(facts) if dict(s.attributes).get(conventions.QUESTION) != "exclusion"]
        found = stages(spans)
        assert {stage: found[stage] for stage in expected(facts)} == expected(facts)


@cache
def lived() -> list[list[Fact]]:
    """The lives of a day of the simulated city whose people say everything."""
    return [facts for facts in lived_by(timedelta(hours=1), Mix.FULL, scale=0.02).facts.values() if facts]


def long_life() -> Life:
    return led(Urgency.GENERAL_7D, [Step(wait, what) for what, wait in LONG])


def test_a_life_is_a_root_with_its_stages_below_and_the_words_below_these() -> None:
    facts = long_life().facts
    spans = {span.name: span for span in spans_of(facts)}
    life, order = spans["life"], spans[f"order 1 at {eg.STREET}"]
    assert order.parent_id == life.span_id
    assert (order.service, order.peer, order.kind) == ("dispatch", eg.STREET, "CLIENT")
    assert order.ended_at - order.started_at > timedelta(days=40)
    assert "AnswerLimitMissed" in order.error.split(",")
    for inner in ("review: extension", "review: pause", "pause", "OrderSigned"):
        assert inner in spans
    assert spans["pause"].ended_at - spans["pause"].started_at == timedelta(hours=30)
    assert spans["pause"].parent_id == order.span_id
    assert spans["attempt 2"].parent_id == spans["visit 2"].span_id
    assert spans["visit 2"].parent_id == spans["supervision"].parent_id == life.span_id
    assert spans["VisitUnreached"].parent_id == spans["attempt 1"].span_id
    assert (spans["VisitUnreached"].service, spans["VisitUnreached"].peer) == ("dialler", "feedback")
    assert spans["RatingGiven"].parent_id is None, "after the end it lies within nothing"


def test_an_open_stage_has_no_span() -> None:
    facts = led(Urgency.GENERAL_7D, [Step(timedelta(hours=1), "sign")]).facts
    assert {span.name for span in spans_of(facts)} == {"dispatch", "OrderSigned"}


def test_a_miss_that_is_noticed_after_the_answer_is_an_error_below_the_order() -> None:
    facts = led(
        Urgency.GENERAL_7D,
        [
            Step(timedelta(hours=1), "sign"),
            Step(timedelta(days=40), "answer"),
            Step(timedelta(hours=1), "tick"),
        ],
    ).facts
    spans = {span.name: span for span in spans_of(facts)}
    late = spans["AnswerLimitMissed"]
    assert (late.error, late.service) == ("AnswerLimitMissed", "escalation")
    assert late.parent_id == spans[f"order 1 at {eg.STREET}"].span_id


@given(lives)
def test_of_every_life_everything_is_told_once_within_its_parent(life: Life) -> None:
    holds(life.facts)
    each_stage_once(life.facts)


@given(lives)
def test_what_is_told_of_some_facts_stays_when_more_come(life: Life) -> None:
    grows(life.facts)


def test_a_day_of_the_city_is_told_whole() -> None:
    assert len(lived()) >= 100
    found: Counter[str] = Counter()
    for facts in lived():
        holds(facts)
        each_stage_once(facts)
        found += stages(spans_of(facts))
    assert set(found) == set(LifeStage)


def test_a_day_of_the_city_grows_and_changes_nothing() -> None:
    for facts in lived()[::10]:
        grows(facts)


def test_a_fact_that_nobody_can_read_is_left_out_and_keeps_its_number() -> None:
    facts: list[Fact | None] = [*long_life().facts]
    sign = next(n for n, fact in enumerate(facts) if isinstance(fact, e.OrderSigned))
    whole = spans_of(facts)
    facts[sign] = None
    assert set(whole) - set(spans_of(facts)) == {span for span in whole if _tells(span, sign + 1)}


def _tells(span: LifeSpan, version: int) -> bool:
    return dict(span.attributes).get(conventions.VERSION) == version


def test_no_span_holds_what_somebody_wrote() -> None:
    for facts in lived():
        told = msgspec.json.encode(spans_of(facts)).decode()
        for fact in facts:
            for name in (
                "title",
                "content",
                "address",
                "reason",
                "evidence",
                "text",
                "comment",
                "reviewer",
                "leader",
            ):
                said = getattr(fact, name, "")
                if isinstance(said, str) and len(said) > 3:
                    assert said not in told, (type(fact), name)


def test_every_fact_has_a_stage_it_belongs_to() -> None:
    assert set(BELONGINGS) == set(SPEAKERS)
    for kind, belonging in BELONGINGS.items():
        fields = {field for _, agreeing in belonging.stages for _, field in agreeing}
        fields |= {belonging.speaker} - {"", conventions.DIALLER}
        assert fields <= set(kind.__struct_fields__), kind
    assert set(DECISIONS) <= set(SPEAKERS)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (conventions.SERVICE_NAME, stable_service_attributes.SERVICE_NAME),
        (conventions.PEER_NAME, service_attributes.SERVICE_PEER_NAME),
        (conventions.ERROR_TYPE, error_attributes.ERROR_TYPE),
    ],
)
def test_names_are_opentelemetrys(ours: str, theirs: str) -> None:
    assert ours == theirs
