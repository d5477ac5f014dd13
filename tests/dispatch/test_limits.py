"""A limit depends on everything that was decided, and on nothing else: not on which act came first, nor on the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from itertools import permutations
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from services.dispatch import rules
from services.escalation import rules as escalation
from services.escalation.rules import FireDeadlines
from services.feedback import rules as feedback
from shared.complaint import Complaint, due_deadlines, evolve
from shared.events import (
    REFUSALS,
    CalendarAmended,
    ComplaintDispatched,
    ComplaintEscalated,
    ComplaintReclassified,
    Fact,
    PauseApproved,
    SignLimitMissed,
    SupervisionOpened,
    Urgency,
)
from shared.events.base import Limit
from shared.policy import ruleset as rulesets
from tests import examples as eg
from tests.examples import CALLED_AT, CATALOGUE, DAY, DUE_AT, HOUR, INSTANT, MINUTE, OTHER_STREET, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

WORKING: Final = "beijing-working-days"
AT: Final = CALLED_AT + 2 * DAY
ON_RECORD: Final = (eg.RECEIVED, eg.CLASSIFIED)
Act = Callable[["Lived"], None]


@pytest.fixture(params=["natural", "working"])
def kind_of_days(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The draft's rule set, and the same with working days (C4)."""
    for entry in (files("shared") / "data" / "rulesets").iterdir():
        (tmp_path / entry.name).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")
    text = (tmp_path / "beijing-draft-2021.toml").read_text(encoding="utf-8")
    text = text.replace('version = "beijing-draft-2021"', f'version = "{WORKING}"')
    text = text.replace('day_kind = "NATURAL"', 'day_kind = "WORKING"')
    (tmp_path / f"{WORKING}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(rulesets, "_FOLDER", tmp_path)
    return WORKING if request.param == "working" else "beijing-draft-2021"


class Lived:
    """A complaint that is told one thing after another, each fact held to what may follow."""

    def __init__(self, ruleset: str = "beijing-draft-2021", *, signed: bool = True) -> None:
        self.facts: list[Fact] = []
        self.refused: list[str] = []
        self.takes(replace(eg.RECEIVED, ruleset=ruleset))
        self.takes(replace(eg.CLASSIFIED))
        self.tells(eg.DISPATCH)
        if signed:
            self.tells(eg.SIGN)

    @property
    def case(self) -> Complaint:
        case = case_of(self.facts)
        assert isinstance(case, Complaint)
        return case

    @property
    def limit(self) -> datetime:
        assert self.case.order is not None
        return self.case.order.feedback_due_at

    def takes(self, fact: Fact) -> None:
        why = illegal(case_of(self.facts), fact, self.facts[-1] if self.facts else None)
        assert why is None, f"{type(fact).__name__}: {why}"
        self.facts.append(fact)

    def tells(self, command: Any) -> Sequence[Fact]:
        said = rules.decide(command, self.case, CATALOGUE)
        for fact in said:
            if isinstance(fact, REFUSALS):
                self.refused.append(fact.asked)
            self.takes(fact)
        return said

    def feeds_back(self, command: Any) -> None:
        for fact in feedback.decide(command, self.case, CATALOGUE):
            if isinstance(fact, REFUSALS):
                self.refused.append("visit")
            self.takes(fact)

    def ticks(self, until: datetime) -> Sequence[Fact]:
        said = escalation.decide(
            FireDeadlines(complaint_id=self.case.complaint_id, until=until), self.case, CATALOGUE
        )
        for fact in said:
            self.takes(fact)
        return said


def extended(life: Lived) -> None:
    life.tells(told(eg.EXTEND, at=AT))
    life.tells(told(eg.REVIEW_EXTENSION, at=AT))


def paused(life: Lived) -> None:
    life.tells(told(eg.PAUSE, days=4, at=AT))
    life.tells(told(eg.REVIEW_PAUSE, at=AT))


def amended(life: Lived) -> None:
    life.tells(told(eg.AMEND, at=AT))


def reclassified(urgency: Urgency) -> Act:
    def act(life: Lived) -> None:
        life.tells(told(eg.RECLASSIFY, urgency=urgency, at=AT))

    act.__name__ = urgency.value
    return act


ACTS: Final[tuple[Act, ...]] = (
    extended,
    paused,
    amended,
    *(reclassified(urgency) for urgency in (Urgency.CRITICAL_2H, Urgency.TIMELY_24H, Urgency.COMPLEX_15D)),
)


def orders() -> Iterator[tuple[Act, ...]]:
    """Every pair and triple of acts, in every order."""
    for count in (2, 3):
        yield from permutations(ACTS, count)


def test_pairs_and_triples_of_acts_give_one_limit_in_any_order(kind_of_days: str) -> None:
    """T6, T8, T10, T24: what was accepted decides; of two classes the last one, whatever lay between."""
    limits: dict[object, dict[datetime, str]] = {}
    for acts in orders():
        life = Lived(kind_of_days)
        accepted = []
        for act in acts:
            before = len(life.refused)
            act(life)
            if len(life.refused) == before:
                accepted.append(act)
        classes = tuple(act.__name__ for act in accepted if act in ACTS[3:])
        others = frozenset(act.__name__ for act in accepted if act in ACTS[:3])
        cut_short = any(getattr(fact, "pause_days", UNSET) is not UNSET for fact in life.facts)
        limits.setdefault((classes, others, cut_short), {})[life.limit] = " ".join(
            act.__name__ for act in acts
        )
    assert len(limits) > 20
    several = {what: found for what, found in limits.items() if len(found) > 1}
    assert several == {}


# -- every act that says something of a limit, or of an order that has one


def speaking(life: Lived) -> dict[str, Any]:
    """As the unit that has the order, about its present assignment."""
    order = life.case.order
    assert order is not None
    return {"unit": order.unit, "assignment": order.assignment, "at": AT}


def deciding(life: Lived) -> dict[str, Any]:
    order = life.case.order
    assert order is not None
    return {"assignment": order.assignment, "at": AT}


def signing(life: Lived) -> None:
    order = life.case.order
    if order is not None and order.signed_at is None:
        life.tells(told(eg.SIGN, **speaking(life)))


def gets_more_days(life: Lived) -> None:
    signing(life)
    life.tells(told(eg.EXTEND, **speaking(life)))
    life.tells(told(eg.REVIEW_EXTENSION, **deciding(life)))


def stands_still(life: Lived) -> None:
    signing(life)
    life.tells(told(eg.PAUSE, **speaking(life) | {"days": 4}))
    life.tells(told(eg.REVIEW_PAUSE, **deciding(life)))


def goes_on(life: Lived) -> None:
    life.tells(told(eg.END_PAUSE, **speaking(life)))


def goes_to_another(life: Lived) -> None:
    life.tells(told(eg.RETURN, **speaking(life), suggested_unit=None))
    life.tells(told(eg.REVIEW, **deciding(life)))


def is_asked_about(life: Lived) -> None:
    """Answered, and the visit is asked for."""
    said = life.tells(told(eg.ANSWER, **speaking(life)))
    for fact in said:
        visit = feedback.react(fact, AT)
        if visit is not None:
            life.feeds_back(visit)


def is_not_solved(life: Lived) -> None:
    """The citizen says no, and the order is written anew."""
    visit = life.case.visit
    number = 1 if visit is None else visit.visit
    life.feeds_back(told(eg.RECORD_VISIT, visit=number, solved=False, satisfied=False, at=AT))
    if life.case.reopened:
        life.tells(told(eg.DISPATCH, at=AT))


MOVES_NO_LIMIT: Final = (signing, goes_to_another, is_asked_about)
EVERY_ACT: Final[tuple[Act, ...]] = (
    gets_more_days,
    stands_still,
    goes_on,
    amended,
    *ACTS[3:],
    *MOVES_NO_LIMIT,
    is_not_solved,
)


def test_whatever_is_done_a_limit_is_what_its_rounds_decisions_make_it_and_a_visit_has_its_own() -> None:
    """T10, T24, T8, R8: pairs and triples of every act in every order, those after a reopening by themselves.

    Signing, a return, the next assignment and an answer move no limit; nothing moves that of a visit under way.
    """
    limits: dict[object, dict[datetime, str]] = {}
    rounds = set()
    for count in (2, 3):
        for acts in permutations(EVERY_ACT, count):
            life = Lived("beijing-draft-2021.2", signed=False)
            decided: list[list[str]] = [[]]
            for act in acts:
                before = len(life.refused)
                act(life)
                if act is is_not_solved and len(life.refused) == before:
                    decided.append([])
                elif len(life.refused) == before and act not in MOVES_NO_LIMIT:
                    decided[-1].append(act.__name__)
                own = [d for d in life.case.deadlines if d.limit is Limit.VISIT]
                assert [d.due_at for d in own] == [AT + timedelta(hours=72)] * (life.case.visit is not None)
            assert life.case.order is not None
            assert life.limit >= AT
            rounds.add(life.case.order.round)
            classes = [act.__name__ for act in ACTS[3:]]
            cut_short = any(getattr(fact, "pause_days", UNSET) is not UNSET for fact in life.facts)
            what = tuple(
                (tuple(a for a in done if a in classes), frozenset(done) - set(classes)) for done in decided
            )
            limits.setdefault((what, cut_short), {})[life.limit] = " ".join(act.__name__ for act in acts)
    assert rounds == {1, 2}
    assert len(limits) > 40
    assert {what: found for what, found in limits.items() if len(found) > 1} == {}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_amended_calendar_that_has_the_same_days_moves_nothing(act: Act) -> None:
    """T8: whatever was decided before is remembered."""
    life = Lived()
    act(life)
    before = life.limit
    amended(life)
    assert life.limit == before


def test_hours_do_not_depend_on_a_calendar() -> None:
    """T8: reclassified to 24 hours and then amended, it still has its 24 hours from the reclassification."""
    life = Lived(signed=False)
    at = CALLED_AT + 4 * HOUR + 51 * MINUTE
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.TIMELY_24H, at=at))
    assert life.limit == at + 24 * HOUR
    (fact,) = life.tells(told(eg.AMEND, at=at + 10 * HOUR))
    assert isinstance(fact, CalendarAmended)
    assert (fact.old_due_at, fact.new_due_at) == (at + 24 * HOUR, at + 24 * HOUR)
    assert life.limit == at + 24 * HOUR


def test_more_urgent_is_possible_after_an_extension_and_in_and_after_a_pause() -> None:
    """T24, §5.1: days were granted to a limit in days; in a class of hours nothing is left of them."""
    for done in ((extended,), (paused,), (extended, paused)):
        life = Lived()
        for act in done:
            act(life)
        at = AT + DAY
        (fact,) = life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=at))
        assert isinstance(fact, ComplaintReclassified)
        assert life.limit == at + 2 * HOUR
        assert due_deadlines(life.case)[Limit.ANSWER] == at + 2 * HOUR
        assert fact.pause_days == (1 if paused in done else UNSET)
        assert life.case.order is not None
        assert life.case.order.pause is None


def test_more_urgent_while_only_granted_days_are_left_counts_from_now() -> None:
    """T24: the class's own limit lies behind, and still no limit is set into the past."""
    life = Lived()
    extended(life)
    at = DUE_AT + 2 * DAY
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.TIMELY_24H, at=at))
    assert life.limit == at + 24 * HOUR


def test_what_was_asked_for_under_days_is_not_granted_under_hours() -> None:
    """D4: the review comes after the class was exchanged."""
    life = Lived()
    life.tells(told(eg.EXTEND, at=AT))
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=AT))
    life.tells(told(eg.REVIEW_EXTENSION, at=AT + HOUR))
    assert life.refused == ["approve the extension"]
    assert life.limit == AT + 2 * HOUR


def test_a_pause_that_ends_sooner_leaves_the_extension_and_the_class() -> None:
    life = Lived()
    extended(life)
    paused(life)
    life.tells(told(eg.RECLASSIFY, at=AT + DAY))
    life.tells(told(eg.END_PAUSE, at=AT + DAY))
    complex_15 = DUE_AT + 8 * DAY
    assert life.limit == complex_15 + 5 * DAY + 1 * DAY


def test_the_signing_limit_of_the_new_class_applies() -> None:
    """§5.1: nobody waits eight hours for a signature where the answer is due in two."""
    life = Lived(signed=False)
    at = CALLED_AT + HOUR
    (fact,) = life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=at))
    assert isinstance(fact, ComplaintReclassified)
    assert fact.sign_due_at == at + 15 * MINUTE
    missed, *_ = life.ticks(at + 15 * MINUTE + INSTANT)
    assert isinstance(missed, SignLimitMissed)
    assert missed.missed_at == at + 15 * MINUTE


def test_a_longer_class_gives_more_time_to_sign_from_the_assignment() -> None:
    life = Lived(signed=False)
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=CALLED_AT + MINUTE))
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.GENERAL_7D, at=CALLED_AT + 2 * MINUTE))
    assert due_deadlines(life.case)[Limit.SIGN] == CALLED_AT + 8 * HOUR
    assert life.limit == DUE_AT


def test_what_had_passed_before_the_class_was_exchanged_stays() -> None:
    """T24: stated or not, the miss keeps the time it had."""
    stated, unstated = Lived(signed=False), Lived(signed=False)
    stated.ticks(CALLED_AT + 8 * HOUR + INSTANT)
    for life in (stated, unstated):
        life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=CALLED_AT + 9 * HOUR))
        life.ticks(CALLED_AT + 20 * HOUR)
    for life in (stated, unstated):
        missed = [f for f in life.facts if isinstance(f, SignLimitMissed)]
        assert [f.missed_at for f in missed] == [CALLED_AT + 8 * HOUR]
        climbed = [f.escalated_at for f in life.facts if isinstance(f, ComplaintEscalated)]
        assert climbed == [CALLED_AT + 8 * HOUR, CALLED_AT + 10 * HOUR], (
            "an hour a rung, from the exchange on"
        )


def test_supervision_has_the_limit_of_the_new_class() -> None:
    life = Lived(signed=False)
    life.ticks(CALLED_AT + 33 * HOUR)
    (opened,) = [f for f in life.facts if isinstance(f, SupervisionOpened)]
    assert opened.due_at == opened.opened_at + 72 * HOUR
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=CALLED_AT + 34 * HOUR))
    assert due_deadlines(life.case)[Limit.SUPERVISION] == CALLED_AT + 36 * HOUR


def test_a_return_and_the_next_assignment_keep_what_was_decided() -> None:
    """T10: in any order of amendment, return and another class."""
    at = CALLED_AT + HOUR

    def given_on(life: Lived) -> None:
        life.tells(told(eg.RETURN, at=at))
        life.tells(told(eg.REVIEW, at=at))

    def shorter(life: Lived) -> None:
        life.tells(told(eg.RECLASSIFY, urgency=Urgency.TIMELY_24H, at=at))

    def by_another_calendar(life: Lived) -> None:
        life.tells(told(eg.AMEND, at=at))

    limits = set()
    for acts in permutations((given_on, shorter, by_another_calendar)):
        life = Lived(signed=False)
        for act in acts:
            act(life)
        assert life.refused == []
        assert life.case.order is not None
        assert life.case.order.unit == OTHER_STREET
        limits.add(life.limit)
    assert limits == {at + 24 * HOUR}


# -- later rounds


def second_round(life: Lived) -> datetime:
    """Answered, judged not to be solved, written anew; when that was."""
    for fact in (
        replace(eg.ANSWERED),
        eg.VISIT_SCHEDULED,
        replace(eg.VISIT_MADE, solved=False),
        eg.REOPENED,
    ):
        life.takes(fact)
    at = eg.REOPENED.reopened_at
    life.tells(told(eg.DISPATCH, at=at))
    return at


def test_in_a_later_round_only_a_shorter_class_is_possible_and_moves_the_rounds_limit() -> None:
    """T24: the citizen's limit of the first round stays what it was."""
    life = Lived()
    began = second_round(life)
    own, citizens = life.limit, life.case.order and life.case.order.citizen_due_at
    life.tells(told(eg.RECLASSIFY, at=began + HOUR))
    assert life.refused == ["reclassify"]
    life.tells(told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H, at=began + HOUR))
    assert life.limit == began + 3 * HOUR < own
    assert life.case.order is not None
    assert life.case.order.citizen_due_at == citizens
    life.tells(told(eg.AMEND, at=began + 2 * HOUR))
    assert life.limit == began + 3 * HOUR


def test_in_a_later_round_the_limit_counts_from_its_beginning_wherever_the_order_lies() -> None:
    """T10, T8: an amendment after a return does not count from the second unit's assignment."""
    life = Lived()
    began = second_round(life)
    before = life.limit
    life.tells(told(eg.RETURN, assignment=2, at=began + DAY))
    life.tells(told(eg.REVIEW, assignment=2, at=began + 2 * DAY))
    assert life.limit == before
    life.tells(told(eg.AMEND, at=began + 3 * DAY))
    assert life.limit == before


def test_a_new_round_takes_the_complaint_off_the_ladder_of_the_round_before() -> None:
    """R18: the new round has limits of its own; the level that watches stays."""
    life = Lived()
    life.ticks(DUE_AT + INSTANT)
    assert Limit.LADDER in due_deadlines(life.case)
    visit = replace(eg.VISIT_SCHEDULED, reason=eg.VisitReason.EXPIRED, visit_at=DUE_AT, scheduled_at=DUE_AT)
    for fact in (
        visit,
        replace(eg.VISIT_MADE, solved=False, visited_at=DUE_AT + HOUR),
        replace(eg.REOPENED, reopened_at=DUE_AT + HOUR),
    ):
        life.takes(fact)
    watching = life.case.level
    life.tells(told(eg.DISPATCH, at=DUE_AT + HOUR))
    assert Limit.LADDER not in due_deadlines(life.case)
    assert life.case.level is watching
    assert [type(f).__name__ for f in life.ticks(DUE_AT + 8 * HOUR)] == []


# -- returns are counted as they are asked for


@pytest.mark.parametrize("approved", [(), (1,), (1, 2), (2,)], ids=str)
def test_a_third_return_is_refused_whatever_became_of_the_two_before(approved: tuple[int, ...]) -> None:
    """R12, D3: 不得推诿; after two requests the unit leads, or a council decides."""
    life = Lived(signed=False)
    for number in (1, 2):
        order = life.case.order
        assert order is not None
        at = CALLED_AT + number * HOUR
        life.tells(told(eg.RETURN, unit=order.unit, assignment=order.assignment, suggested_unit=None, at=at))
        review = told(
            eg.REVIEW, assignment=order.assignment, approved=number in approved, reason="理由", at=at + MINUTE
        )
        life.tells(review)
    order = life.case.order
    assert order is not None
    again = told(eg.RETURN, unit=order.unit, assignment=order.assignment, at=CALLED_AT + 4 * HOUR)
    assert life.refused == []
    life.tells(again)
    assert life.refused == ["return"]
    dispute = told(eg.DISPUTE, unit=order.unit, assignment=order.assignment, at=CALLED_AT + 5 * HOUR)
    life.tells(dispute)
    assert life.refused == ["return"], "a council is still possible"


# -- what was added


def test_a_correction_of_the_record_keeps_what_was_added() -> None:
    """Q1: in the next order, in any order of both."""
    correction = told(eg.CORRECT, title=None, address=None, content="昼夜无法进出")
    from services.intake import rules as intake

    contents = []
    for acts in permutations((correction, eg.ADD)):
        case: Any = case_of((eg.RECEIVED, eg.CLASSIFIED))
        for act in acts:
            for fact in intake.decide(act, case):
                case = evolve(case, fact)
        (order,) = [
            f for f in rules.decide(eg.DISPATCH, case, CATALOGUE) if isinstance(f, ComplaintDispatched)
        ]
        contents.append(order.content)
    assert contents == [f"昼夜无法进出\n{eg.SUPPLEMENT.text}"] * 2


@pytest.mark.parametrize(
    ("recorded", "added"),
    [("13号楼2单元夜间施工", "3号楼2单元"), ("夜间施工", "夜间施工"), ("", "夜间施工")],
)
def test_each_addition_counts_even_where_its_words_stand_in_the_record(recorded: str, added: str) -> None:
    """Identity is the event's id; what it says never makes it a repeat."""
    from services.intake import rules as intake

    case = case_of((replace(eg.RECEIVED, content=recorded), eg.CLASSIFIED))
    (fact,) = intake.decide(told(eg.ADD, text=added), case)
    after = evolve(case, fact)
    assert isinstance(after, Complaint)
    assert after.added == (added,)


def test_a_granted_pause_says_how_long() -> None:
    """The clock stands still for the days asked for, and what follows counts from there."""
    life = Lived()
    paused(life)
    (fact,) = [f for f in life.facts if isinstance(f, PauseApproved)]
    assert fact.new_due_at - fact.old_due_at == timedelta(days=4)
