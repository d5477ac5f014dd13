"""The score (F1-F5): what a life counts for, and what a month's counts add up to; by hand, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hotline.ratio import ratio, two_decimals
from hotline.scoring.inhabitants import EXAMPLE, PopulationInvalid, parsed, people_of, population
from hotline.scoring.life import (
    EXCEPTION,
    LEFT_OUT,
    TERMINATED,
    WITHDRAWN,
    CallCounts,
    Counted,
    counted,
    month_after,
    month_before,
)
from hotline.scoring.month import (
    Exact,
    Line,
    Tallies,
    Tally,
    cut_off,
    listed,
    published,
    ranked,
    score_of,
    tallied,
)
from shared.complaint import Complaint
from shared.events import AnswerLimitMissed, Correction, Fact, Outcome, VisitScheduled
from shared.events.base import Limit, TurnedAway
from shared.ids import UnitId
from shared.policy.ruleset import RuleSetInvalid, parse_ruleset, ruleset
from shared.policy.scoring import Counting, CountsIn, Cut, Measure, RespondsBy
from tests import examples as eg
from tests.lives import Life, lives
from tests.shared.test_ruleset import text_of

ZONE = ZoneInfo("Asia/Shanghai")
SEPTEMBER = date(2021, 9, 1)
RULES = ruleset("beijing-draft-2021").score
MISSED_CORRECTED = replace(
    eg.CORRECTED, limit=Limit.ANSWER, unit=eg.FEEDBACK_MISSED.unit, due_at=eg.FEEDBACK_MISSED.due_at
)
SOLVED: Sequence[Fact] = (
    eg.RECEIVED,
    eg.CLASSIFIED,
    eg.DISPATCHED,
    eg.SIGNED,
    eg.ANSWERED,
    eg.VISIT_SCHEDULED,
    eg.VISIT_MADE,
    eg.CLOSED,
)
NOT_SOLVED = (
    *SOLVED[:-2],
    replace(eg.VISIT_MADE, solved=False, satisfied=False),
    replace(eg.CLOSED, outcome=Outcome.UNSOLVED),
)


def of(*facts: Fact) -> Counted:
    one = counted(facts, ZONE)
    assert one is not None
    return one


def seen(one: Counted) -> tuple[bool, bool, bool, bool]:
    return one.responded, one.visited, one.solved, one.satisfied


def whole(units: dict[UnitId, Tally], requests: Sequence[tuple[str, str | None, int]] = ()) -> Tallies:
    return Tallies(units=units, requests=list(requests))


def lines(tallies: Tallies, before: Tallies | None = None) -> dict[str, Line]:
    made = published(
        tallies,
        before,
        month=SEPTEMBER,
        rules=RULES,
        catalogue=eg.CATALOGUE,
        population=population(),
    )
    return {line.unit: line for line in made}


# -- one life


def test_f1_a_solved_life_counts_once_for_its_unit_in_the_month_its_visit_closes() -> None:
    """F1, R14: response, resolution and satisfaction, of the unit the visit was about."""
    one = of(*SOLVED)
    assert (one.requested, one.month, one.unit, one.left_out) == (SEPTEMBER, SEPTEMBER, eg.STREET, None)
    assert seen(one) == (True, True, True, True)


def test_f1_a_life_that_goes_on_is_a_request_and_nothing_else_yet() -> None:
    """F1: without a closing visit nothing is judged."""
    for length in range(1, len(SOLVED)):
        one = of(*SOLVED[:length])
        assert (one.requested, one.month, one.unit) == (SEPTEMBER, None, None)
    assert counted([], ZONE) is None


def test_t7_a_record_that_is_left_for_another_of_its_call_is_no_request_more() -> None:
    """T7, F5: and who was turned away has asked all the same."""
    for how, requested in ((TurnedAway.RECORDED_TWICE, None), (TurnedAway.EMERGENCY, SEPTEMBER)):
        one = of(eg.RECEIVED, eg.NOT_TO_DISPATCH, replace(eg.TURNED_AWAY, how=how))
        assert (one.requested, one.month, one.unit) == (requested, None, None)
        assert tallied([(one, 1)], SEPTEMBER).requests == [("海淀区", "花园路街道", 1)] * (
            requested is not None
        )


def test_f1_the_month_is_the_citys_own() -> None:
    """F1, T15: half past midnight of October in Beijing is still September in UTC."""
    for minutes, month in ((-1, date(2021, 9, 1)), (0, date(2021, 10, 1))):
        midnight = datetime(2021, 9, 30, 16, tzinfo=UTC)
        one = of(*SOLVED[:-1], replace(eg.CLOSED, closed_at=midnight + timedelta(minutes=minutes)))
        assert (one.requested, one.month) == (SEPTEMBER, month)


def test_f1_in_which_month_it_counts_is_configuration() -> None:
    """F1, T31: of the visit, or of the first dispatch; whenever it ends, and however often it is sent."""
    assert RULES.counting == Counting(CountsIn.VISIT, RespondsBy.CONTACT)
    again = replace(eg.DISPATCHED, round=2, assignment=2, dispatched_at=eg.CALLED_AT + 40 * eg.DAY)
    facts = (*SOLVED[:-1], again, replace(eg.CLOSED, closed_at=eg.CALLED_AT + 70 * eg.DAY))
    by_visit, by_dispatch = (counted(facts, ZONE, Counting(counts_in)) for counts_in in CountsIn)
    assert by_visit is not None
    assert by_dispatch == replace(by_visit, month=SEPTEMBER)
    assert by_visit.month == date(2021, 12, 1)


def test_t18_what_the_unit_claims_is_not_looked_at() -> None:
    """T18: the handler claims it solved, the citizen says it is not."""
    assert eg.ANSWERED.claims_solved
    assert seen(of(*NOT_SOLVED)) == (True, True, False, False)


def test_f1_solved_and_satisfied_are_two_questions() -> None:
    """F1: a citizen may be satisfied with what could not be solved, and not with what was."""
    for solved, satisfied in ((True, False), (False, True)):
        outcome = Outcome.SOLVED if solved else Outcome.UNSOLVED
        visit = replace(eg.VISIT_MADE, solved=solved, satisfied=satisfied)
        one = of(*SOLVED[:-2], visit, replace(eg.CLOSED, outcome=outcome))
        assert (one.visited, one.solved, one.satisfied) == (True, solved, satisfied)


def test_t19_who_was_not_reached_counts_in_the_response_and_in_no_judgement() -> None:
    """T19, §6: out of the denominators of resolution and satisfaction; an earlier round's judgement is over."""
    unreached = (
        *SOLVED[:-2],
        replace(eg.VISIT_MADE, solved=False),
        eg.REOPENED,
        replace(eg.VISIT_SCHEDULED, visit=2, round=2),
        replace(eg.CLOSED, outcome=Outcome.UNREACHED, visit=2),
    )
    assert seen(of(*unreached)) == (True, False, False, False)


def test_f1_a_missed_limit_is_no_response_and_a_corrected_miss_is_none() -> None:
    """F1: in whatever order the miss is stated, before the end or after it."""
    late = (*SOLVED[:4], eg.FEEDBACK_MISSED, *SOLVED[4:])
    assert seen(of(*late)) == (False, True, True, True)
    assert of(*SOLVED, eg.FEEDBACK_MISSED) == of(*late)
    assert of(*late, MISSED_CORRECTED) == of(*SOLVED)
    sign = replace(MISSED_CORRECTED, limit=Limit.SIGN)
    assert of(*late, sign) == of(*late)


def test_f1_who_spoke_to_the_citizen_within_the_limit_has_responded_where_the_rule_set_says_so() -> None:
    """F1: 响应: contacted or answered; by the same unit, in the same round, by the limit's last instant."""
    due_at = eg.FEEDBACK_MISSED.due_at
    for change, in_time in (
        ({"contacted_at": due_at}, True),
        ({"contacted_at": due_at + eg.INSTANT}, False),
        ({"contacted_at": due_at, "round": 2}, False),
        ({"contacted_at": due_at, "unit": eg.WATER}, False),
    ):
        spoken = replace(eg.CONTACTED, **change)
        facts = (*SOLVED[:4], spoken, eg.FEEDBACK_MISSED, *SOLVED[4:])
        assert of(*facts).responded is in_time
        strictly = counted(facts, ZONE, Counting(responds_by=RespondsBy.ANSWER))
        assert strictly is not None
        assert not strictly.responded


def test_f1_what_another_unit_missed_is_not_held_against_this_one() -> None:
    """F1, R12."""
    late = replace(eg.FEEDBACK_MISSED, unit=eg.OTHER_STREET)
    assert of(*SOLVED, late).responded


def test_f1_a_visit_counts_for_the_unit_it_was_about_not_for_who_holds_the_order_by_then() -> None:
    """F1: asked at expiry about one unit, while the order went on to another."""
    moved = replace(eg.DISPATCHED, unit=eg.OTHER_STREET, assignment=2)
    again = replace(eg.VISIT_SCHEDULED, attempt=2, unit=eg.OTHER_STREET)
    assert of(*SOLVED[:6], moved, again, *SOLVED[6:]).unit == eg.STREET


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ((*SOLVED[:4], eg.WITHDRAWN), WITHDRAWN),
        (
            (*SOLVED[:4], replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, approved_by="s")),
            EXCEPTION,
        ),
        (
            (
                *SOLVED[:4],
                eg.TERMINATION_APPROVED,
                replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, approved_by="s"),
            ),
            TERMINATED,
        ),
    ],
)
def test_f3_what_is_left_out_is_counted_by_its_reason_and_in_no_rate(facts: Sequence[Fact], why: str) -> None:
    """F3: withdrawn, ended by a review, closed by a supervisor: named, and nothing of it in the base."""
    one = of(*facts)
    assert (one.unit, one.left_out, seen(one)) == (eg.STREET, why, (False,) * 4)
    (tally,) = tallied([(one, 3)], one.month or SEPTEMBER).units.values()
    assert tally == Tally(left_out={why: 3})


def test_f3_what_a_review_left_out_counts_for_nothing_of_the_unit_that_asked() -> None:
    """F3: whenever it was approved; a request alone, a rejection, or another unit's exclusion changes nothing."""
    for facts in ((*SOLVED, eg.EXCLUSION_APPROVED), (*SOLVED[:4], eg.EXCLUSION_APPROVED, *SOLVED[4:])):
        one = of(*facts)
        assert (one.unit, one.left_out, seen(one)) == (eg.STREET, "invalid", (False,) * 4)
        assert one.left_out in LEFT_OUT
    for fact in (
        eg.EXCLUSION_REQUESTED,
        eg.EXCLUSION_REJECTED,
        replace(eg.EXCLUSION_APPROVED, unit=eg.OTHER_STREET),
    ):
        assert of(*SOLVED, fact) == of(*SOLVED)


WHISTLED = (
    *SOLVED[:4],
    eg.BLOWN,
    eg.CALLED,
    eg.ACKNOWLEDGED,
    eg.ARRIVED,
    eg.RELEASED,
    eg.UNIT_RATED,
    *SOLVED[4:],
)


def test_r16_g3_street_and_called_unit_are_both_judged_by_what_was_said_of_them() -> None:
    """R16, G3, G2: whistled orders of the base, arrivals in time of calls with a limit, the stars of each side."""
    back = replace(eg.UNIT_RATED, rated_by=eg.WATER, rated=eg.STREET, stars=3)
    one = of(*WHISTLED[:-4], back, *WHISTLED[-4:])
    assert one.whistled
    assert one.calls == (
        CallCounts(unit=eg.WATER, street=eg.STREET, has_limit=True, in_time=True, stars=5, stars_of_street=3),
    )
    nine = tallied([(one, 1), (of(*SOLVED), 7)], SEPTEMBER)
    made = lines(nine)
    street, water = made[eg.STREET], made[eg.WATER]
    assert (street.whistle_rate, street.whistle_rating, street.report_rating) == (
        Decimal("12.50"), Decimal("3.00"), None,
    )  # fmt: skip
    assert (water.report_on_time_rate, water.report_rating, water.whistle_rate) == (
        Decimal("100.00"), Decimal("5.00"), None,
    )  # fmt: skip
    assert street.score == lines(tallied([(of(*SOLVED), 8)], SEPTEMBER))[eg.STREET].score, "in no score"


def test_g2_who_came_late_or_never_was_not_in_time_and_without_a_limit_nobody_is_late() -> None:
    """G2, T14: the limit's last instant is in time; a call without one is in no rate."""
    by = eg.CALLED.arrive_by
    assert by is not None
    for arrived_at, in_time in ((by, True), (by + eg.INSTANT, False)):
        (call,) = of(*(replace(f, arrived_at=arrived_at) if f is eg.ARRIVED else f for f in WHISTLED)).calls
        assert call.in_time is in_time
    (never,) = of(*(f for f in WHISTLED if f is not eg.ARRIVED)).calls
    assert (never.has_limit, never.in_time) == (True, False)
    free = replace(eg.CALLED, arrive_by=None)
    one = of(*(free if f is eg.CALLED else f for f in WHISTLED))
    assert lines(tallied([(one, 9)], SEPTEMBER))[eg.WATER].report_on_time_rate is None


def test_g3_a_call_counts_though_its_complaint_is_left_out() -> None:
    """G3, F3: whoever came, came; the street's whistle rate is of the base alone."""
    one = of(*WHISTLED, eg.EXCLUSION_APPROVED)
    made = tallied([(one, 1)], SEPTEMBER).units
    assert (made[eg.WATER].called, made[eg.WATER].arrived) == (1, 1)
    assert (made[eg.STREET].countable, made[eg.STREET].whistled) == (0, 0)


def test_f3_what_never_reached_a_unit_is_no_units() -> None:
    """F3: consultations answered on the spot, what was turned away or withdrawn at once."""
    for end in (eg.ANSWERED_DIRECTLY, eg.TURNED_AWAY, eg.WITHDRAWN):
        assert of(eg.RECEIVED, eg.CLASSIFIED, end).unit is None


# -- a month


def test_t14_nothing_to_divide_by_is_none_not_zero() -> None:
    """T14: no cases, no visits, no inhabitants."""
    assert ratio(0, 0) is None
    assert ratio(0, None) is None
    assert ratio(0, 7) == 0
    line = lines(whole({}))[eg.STREET]
    assert (line.countable, line.response_rate, line.resolution_rate, line.score, line.rank) == (
        0, None, None, None, None,
    )  # fmt: skip
    line = lines(whole({eg.STREET: Tally(countable=9, responded=9)}))[eg.STREET]
    assert (line.response_rate, line.satisfaction_rate, line.score) == (Decimal("100.00"), None, None)
    none_solved = Tally(countable=9, responded=0, visited=9)
    assert lines(whole({eg.STREET: none_solved}))[eg.STREET].score == Decimal("0.00")


def test_f1_rates_have_two_decimals_and_are_computed_from_integers() -> None:
    """F1, rounding of §6: 2/3 is 66.67, and the score is of 2/3, not of 0.6667."""
    tally = Tally(countable=9, responded=6, visited=6, solved=4, satisfied=5)
    line = lines(whole({eg.STREET: tally}))[eg.STREET]
    assert (line.response_rate, line.resolution_rate, line.satisfaction_rate) == (
        Decimal("66.67"), Decimal("66.67"), Decimal("83.33"),
    )  # fmt: skip
    assert line.score == Decimal("72.50")
    assert score_of(tally, RULES) == Fraction(725, 10)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1, 200), "0.01"),
        (Fraction(1, 201), "0.00"),
        (Fraction(-1, 200), "-0.01"),
        (Fraction(200, 3), "66.67"),
        (Fraction(100), "100.00"),
    ],
)
def test_a_half_is_rounded_away_from_zero(value: Fraction, shown: str) -> None:
    """F1: as people round."""
    assert str(two_decimals(value)) == shown


def test_f2_other_weights_give_another_score() -> None:
    """F2: the weights are data; 0.30/0.35/0.35 are what ships."""
    tally = Tally(countable=10, responded=10, visited=10, solved=5, satisfied=0)
    assert (RULES.response, RULES.resolution, RULES.satisfaction) == (
        Decimal("0.30"), Decimal("0.35"), Decimal("0.35"),
    )  # fmt: skip
    assert score_of(tally, RULES) == Fraction(475, 10)
    text = (
        text_of("beijing-draft-2021")
        .replace("0.30", "0.10")
        .replace('satisfaction = "0.35"', 'satisfaction = "0.55"')
    )
    other = parse_ruleset("beijing-draft-2021", text).score
    assert score_of(tally, other) == Fraction(275, 10)
    only_visits = replace(RULES, response=Decimal(0), resolution=Decimal(1), satisfaction=Decimal(0))
    assert score_of(tally, only_visits) == 50


def test_f2_weights_that_are_not_a_whole_are_refused() -> None:
    """F2."""
    text = text_of("beijing-draft-2021").replace('response = "0.30"', 'response = "0.31"')
    with pytest.raises(RuleSetInvalid, match=r"score\.weights: .* do not add up to 1"):
        parse_ruleset("beijing-draft-2021", text)


def test_f2_the_weights_and_cuts_are_called_configuration() -> None:
    """F2, F4, T31: unknown for Beijing, and said so."""
    basis = ruleset("beijing-draft-2021").basis
    ours = {name: entry for name, entry in basis.items() if name.startswith("score.")}
    assert len(ours) == 10
    assert {entry.standing for entry in ours.values()} == {"configuration"}


def test_small_cells_are_not_told_and_not_ranked() -> None:
    """F3, §11: a rate of four citizens would tell of single ones; what was left out is told all the same."""
    few = RULES.small_cell - 1
    line = lines(
        whole({eg.STREET: Tally(countable=few, responded=few, visited=few, left_out={WITHDRAWN: 1})})
    )[eg.STREET]
    assert line.suppressed
    assert (line.countable, line.visited, line.solved, line.response_rate, line.score, line.rank) == (
        None,
    ) * 6
    assert line.left_out == {WITHDRAWN: 1}
    line = lines(whole({eg.STREET: Tally(countable=20, responded=20, visited=few, solved=1)}))[eg.STREET]
    assert (line.countable, line.response_rate) == (20, Decimal("100.00"))
    assert (line.suppressed, line.visited, line.solved, line.score) == (True, None, None, None)
    enough = Tally(countable=few + 1, responded=1, visited=few + 1, solved=1, satisfied=1)
    assert not lines(whole({eg.STREET: enough}))[eg.STREET].suppressed


def test_f4_equal_scores_share_a_rank_and_the_next_is_free() -> None:
    """F4: 1, 2, 2, 4; who has no score has no rank."""
    a, b, c, d, e = map(UnitId, "abcde")
    scores = {a: Fraction(90), b: Fraction(95), c: Fraction(90), d: Fraction(1), e: None}
    assert ranked(scores) == {b: 1, a: 2, c: 2, d: 4}


def test_f4_ranks_are_by_the_integers_not_by_what_is_shown() -> None:
    """F4: 99.997 and 100 look alike."""
    scores = {UnitId("a"): Fraction(99_997, 1000), UnitId("b"): Fraction(100)}
    assert {two_decimals(score) for score in scores.values()} == {Decimal("100.00")}
    assert ranked(scores) == {"b": 1, "a": 2}


def test_f4_only_streets_and_towns_are_ranked_and_all_of_them_stand_in_the_table() -> None:
    """F4: a utility has rates and no rank; a street without a case stands there without one."""
    full = Tally(countable=9, responded=9, visited=9, solved=9, satisfied=9)
    made = lines(whole({eg.WATER: full, eg.STREET: full}))
    assert list(made) == [eg.STREET, eg.OTHER_STREET, eg.WATER]
    assert [line.rank for line in made.values()] == [1, None, None]
    assert made[eg.WATER].score == Decimal("100.00")


def test_f4_a_list_is_a_cut_and_who_shares_the_last_place_stands_in_it() -> None:
    """F4: top and bottom, by whatever it looks at; who has nothing of it stands in none."""
    a, b, c, d = map(UnitId, "abcd")
    exact = {
        a: Exact(score=Fraction(90), gain=Fraction(-1), requests=0),
        b: Exact(score=Fraction(80), gain=Fraction(2), requests=7),
        c: Exact(score=Fraction(80), requests=5, per_10k=Fraction(3)),
        d: Exact(score=None, requests=9),
    }
    assert cut_off(exact, Cut(True, 1, Measure.SCORE)) == {a}
    assert cut_off(exact, Cut(True, 2, Measure.SCORE)) == {a, b, c}
    assert cut_off(exact, Cut(False, 1, Measure.SCORE)) == {b, c}
    assert cut_off(exact, Cut(True, 9, Measure.GAIN)) == {b}
    assert cut_off(exact, Cut(True, 2, Measure.REQUESTS)) == {b, d}
    assert cut_off(exact, Cut(True, 2, Measure.PER_10K)) == {c}
    assert cut_off({}, Cut(True, 2, Measure.SCORE)) == set()


def test_f4_nobody_stands_at_both_ends() -> None:
    """F4: three with a rank and two cuts of two: the third is the only one at the bottom."""
    a, b, c = map(UnitId, "abc")
    exact = {a: Exact(score=Fraction(3)), b: Exact(score=Fraction(2)), c: Exact(score=Fraction(1))}
    cuts = {"best": Cut(True, 2, Measure.SCORE), "worst": Cut(False, 2, Measure.SCORE)}
    assert listed(exact, cuts) == {"best": {a, b}, "worst": {c}}
    assert listed(exact, {"worst": cuts["worst"]}) == {"worst": {b, c}}


def test_f4_the_four_lists_and_the_gain_on_the_month_before() -> None:
    """F4, R15: 先进, 进步, 整改, 治理; where most is asked for is named beside who handles it best."""
    full = Tally(countable=10, responded=10, visited=10, solved=10, satisfied=10)
    half = replace(full, solved=5)
    assert set(RULES.lists) == {"advanced", "improved", "rectification", "governance"}
    made = lines(
        whole({eg.STREET: full, eg.OTHER_STREET: half}, [("海淀区", "花园路街道", 3)]),
        whole({eg.STREET: half, eg.OTHER_STREET: full}),
    )
    assert (made[eg.STREET].gain, made[eg.OTHER_STREET].gain) == (Decimal("17.50"), Decimal("-17.50"))
    assert "improved" in made[eg.STREET].lists
    assert "governance" in made[eg.STREET].lists
    assert "improved" not in made[eg.OTHER_STREET].lists
    assert "governance" not in made[eg.OTHER_STREET].lists


def test_f5_requests_are_divided_by_the_latest_count_of_people_before_the_months_end() -> None:
    """F5: dated figures; before the first of them, and for nobody, there is none (T14)."""
    text = """
version = "test"
example = false
[[counts]]
as_of = 2020-11-01
source = "a"
units = { street-huayuanlu = 40000, street-xiaoguan = 0 }
[[counts]]
as_of = 2021-09-30
source = "b"
units = { street-huayuanlu = 60000 }
"""
    figures = parsed(text)
    requests = [
        ("海淀区", "花园路街道", 24),
        ("海淀区", "小关街道", 5),
        ("海淀区", None, 9),
        ("无此区", "x", 9),
    ]

    def shown(month: date) -> list[tuple[int | None, int | None, Decimal | None]]:
        made = published(
            whole({}, requests), None, month=month, rules=RULES, catalogue=eg.CATALOGUE, population=figures
        )
        return [(line.requests, line.inhabitants, line.per_10k) for line in made]

    assert shown(date(2021, 8, 1)) == [(24, 40_000, Decimal("6.00")), (5, 0, None)]
    assert shown(SEPTEMBER) == [(24, 60_000, Decimal("4.00")), (5, None, None)]
    assert shown(date(2020, 9, 1)) == [(24, None, None), (5, None, None)]


def test_f5_a_request_counts_where_the_record_says_it_happened_by_now() -> None:
    """Q1: district and street as they were corrected; the subject is in no figure, the unit is who had the order."""
    there = replace(
        eg.CORRECTED_STREET,
        corrections=(
            Correction(field="subject", old="停车", new="供水"),
            Correction(field="district", old="海淀区", new="朝阳区"),
            Correction(field="street", old="花园路街道", new=""),
        ),
    )
    one = of(eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, there)
    assert (one.requested, one.district, one.street) == (SEPTEMBER, "朝阳区", None)
    before = of(eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.CORRECTED_RECORD)
    assert (before.district, before.street) == ("海淀区", "花园路街道")
    solved = of(eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.SIGNED, there, *SOLVED[4:])
    assert (solved.unit, solved.district) == (eg.STREET, "朝阳区")


def test_f5_the_figures_that_ship_are_called_an_example() -> None:
    """F5, T31: a street's share of its district is nobody's census."""
    known = population()
    assert (known.version, known.example) == (EXAMPLE, True)
    (count,) = known.counts
    assert sum(district.people for district in count.districts.values()) == 21_893_095
    assert sum(district.streets for district in count.districts.values()) == 343
    assert people_of(count, UnitId("street-any"), "石景山区") == 567_851 // 9
    assert people_of(count, UnitId("street-any"), "无此区") is None


def test_f5_broken_figures_are_refused_by_the_name_of_the_field() -> None:
    """F5."""
    with pytest.raises(PopulationInvalid, match=r"\$\.counts\[0\]\.units"):
        parsed(
            'version = "x"\nexample = true\n[[counts]]\nas_of = 2020-01-01\nsource = ""\nunits = { a = -1 }\n'
        )


def test_months_follow_each_other() -> None:
    """F4: over the end of a year too."""
    assert month_after(date(2021, 12, 1)) == date(2022, 1, 1)
    assert month_before(date(2022, 1, 1)) == date(2021, 12, 1)


_ONE = st.builds(
    Counted,
    requested=st.just(SEPTEMBER),
    district=st.just("海淀区"),
    street=st.sampled_from(["花园路街道", "小关街道", None]),
    month=st.sampled_from([SEPTEMBER, date(2021, 10, 1)]),
    unit=st.sampled_from([eg.STREET, eg.OTHER_STREET, eg.WATER]),
    left_out=st.sampled_from([None, None, WITHDRAWN, EXCEPTION]),
    responded=st.booleans(),
    visited=st.booleans(),
    solved=st.booleans(),
    satisfied=st.booleans(),
)


@given(st.lists(_ONE, max_size=30), st.randoms())
def test_r14_a_month_is_the_sum_of_its_lives_in_whatever_order_they_come(
    ones: list[Counted], chance: Random
) -> None:
    """R14: counted one by one, grouped or shuffled: the same bytes."""
    month = tallied([(one, 1) for one in ones], SEPTEMBER)
    shuffled = list(ones)
    chance.shuffle(shuffled)
    assert tallied([(one, 1) for one in shuffled], SEPTEMBER) == month
    grouped = {one: ones.count(one) for one in ones}
    assert tallied(grouped.items(), SEPTEMBER) == month
    inside = [one for one in ones if one.month == SEPTEMBER]
    assert sum(t.countable + sum(t.left_out.values()) for t in month.units.values()) == len(inside)
    assert sum(number for _, _, number in month.requests) == len(ones)


@given(lives)
def test_f1_whatever_happened_a_life_counts_as_it_ended_and_prefix_by_prefix_as_far_as_it_went(
    life: Life,
) -> None:
    """F1, F3, T19: of every life the desks can lead: what it counts for is its outcome, by somebody who was asked."""
    one = counted(life.facts, ZONE)
    case = life.case
    assert one is not None
    assert isinstance(case, Complaint)
    if case.ended is None or case.order is None:
        assert (one.month, one.unit, one.left_out) == (None, None, None)
        return
    outcome = case.ended.outcome
    assert one.month is not None
    assert (one.left_out is not None) >= (outcome in {None, Outcome.EXCEPTION})
    if one.left_out is None:
        assert one.visited == (outcome in {Outcome.SOLVED, Outcome.UNSOLVED})
        assert one.solved == (outcome is Outcome.SOLVED)
        assert one.unit in {f.unit for f in life.facts if isinstance(f, VisitScheduled)}
        late = [f for f in life.facts if isinstance(f, AnswerLimitMissed) and f.unit == one.unit]
        assert one.responded or late
    else:
        assert seen(one) == (False,) * 4
    assert not any(call.in_time and not call.has_limit for call in one.calls)
