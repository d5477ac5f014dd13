"""Monthly programmes and project lists: what may be recorded of them, and what it adds up to (H1, Q5, T26, T27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.governance.candidates import candidates
from hotline.governance.log import decided, legal
from hotline.governance.rules import NoSuchProgramme, decide
from hotline.governance.state import Programme, Progress, TaskStanding, evolve, folded, progress
from hotline.ratio import two_decimals
from shared.ids import UnitId

CITY = timezone(timedelta(hours=8))
AT = datetime(2021, 1, 4, 9, tzinfo=CITY)
DUE = date(2021, 12, 31)
PLANNING, HOUSING, MARKET, STREET = map(UnitId, ("planning", "housing", "market", "street"))

ID = f.programme_id_of(2021, 1, "房产证难办")
PROPOSE = f.ProgrammeProposed(
    programme_id=ID,
    by="city-office",
    year=2021,
    month=1,
    title="房产证难办",
    lead=PLANNING,
    clusters=(f.Cluster(subject="房产证", district="海淀区"),),
    proposed_at=AT,
)
ADOPT = f.ProgrammeAdopted(programme_id=ID, by="city-office", adopted_at=AT)
PROBLEM = f.ItemNamed(
    programme_id=ID,
    by="city-office",
    item=1,
    title="历史遗留",
    lead=PLANNING,
    cooperating=(HOUSING,),
    named_at=AT,
)
TASK = f.TaskSet(
    programme_id=ID, by="city-office", item=1, task=1, title="小关街5号楼", owner=PLANNING, due=DUE, set_at=AT
)
GO_ON = f.TaskProgressed(programme_id=ID, by=PLANNING, task=1, text="权属已查清", progressed_at=AT)
COMPLETE = f.TaskCompleted(programme_id=ID, by=PLANNING, task=1, evidence="50户已领证", completed_at=AT)
VERIFY = f.TaskVerified(programme_id=ID, by="supervision", task=1, verified_at=AT)
REJECT = f.CompletionRejected(programme_id=ID, by="supervision", task=1, reason="还差3户", rejected_at=AT)
KEEP_UP = f.LongTermApproved(
    programme_id=ID, by="supervision", task=1, plan="每季度复查", review_on=date(2021, 4, 1), approved_at=AT
)
LOOK = f.LongTermReviewed(
    programme_id=ID, by="supervision", task=1, found="有序推进", review_on=date(2021, 7, 1), reviewed_at=AT
)
ASSESS = f.AssessmentMade(
    programme_id=ID, by="survey-office", survey_rate=Decimal("91.31"), visits=1200, assessed_at=AT
)
LET = f.ClosingExceptionApproved(programme_id=ID, by="mayor", reason="并入2022年主题", approved_at=AT)
CLOSE = f.ProgrammeClosed(programme_id=ID, by="city-office", basis=f.Basis.ASSESSMENT, closed_at=AT)
BY_EXCEPTION = replace(CLOSE, basis=f.Basis.EXCEPTION)

BEGUN = (PROPOSE, ADOPT, PROBLEM, TASK)
LIST_ID = f.list_id(2021, f.ListLevel.STREET, STREET, "我为群众办实事")
LIST = f.ListDrawnUp(
    programme_id=LIST_ID,
    by=STREET,
    year=2021,
    title="我为群众办实事",
    level=f.ListLevel.STREET,
    owner=STREET,
    drawn_up_at=AT,
)


def after(*facts: f.Recorded) -> Programme:
    state = folded(facts)
    assert state is not None
    return state


def refused(state: Programme, wanted: f.Wanted) -> str:
    (fact,) = decide(state, wanted)
    assert isinstance(fact, f.WishRefused)
    assert fact.wanted == wanted
    assert fact.by == wanted.by
    assert evolve(state, fact) == state, "a refusal changes nothing"
    assert legal(state, fact) is None
    return fact.reason


def test_a_topic_goes_from_complaints_to_its_assessment() -> None:
    """Q5: clusters become a topic; lead, tasks, evidence, a second pair of eyes, and the citizens' word."""
    wanted = (
        *BEGUN,
        GO_ON,
        COMPLETE,
        VERIFY,
        f.PolicyIssued(programme_id=ID, by=PLANNING, document="京规自发〔2021〕1号", issued_at=AT),
        ASSESS,
        CLOSE,
    )
    said, state = decided(None, wanted)
    assert said == list(wanted)
    assert state.closed is f.Basis.ASSESSMENT
    assert state.assessment is not None
    assert (state.assessment.survey_rate, state.assessment.visits) == (Decimal("91.31"), 1200)
    assert state.policies == ("京规自发〔2021〕1号",)
    assert state.tasks[1].standing is TaskStanding.VERIFIED


@pytest.mark.parametrize(
    "fact", [*BEGUN, GO_ON, COMPLETE, VERIFY, REJECT, KEEP_UP, LOOK, ASSESS, LET, CLOSE, LIST]
)
def test_every_fact_comes_back_from_its_bytes_with_its_own_time(fact: f.Wanted) -> None:
    refusal = f.WishRefused(programme_id=ID, by="x", wanted=fact, reason="y", refused_at=AT)
    for one in (fact, refusal):
        assert f.decoded(f.encoded(one)) == one
        assert one.at == AT
        assert one.at.isoformat().encode() in f.encoded(one), "the day in the city is the day in its bytes"


def test_bytes_that_are_no_fact_are_refused_with_the_field() -> None:
    body = f.encoded(PROPOSE).replace(b'"month":1', b'"month":13')
    with pytest.raises(msgspec.ValidationError, match=r"month"):
        f.decoded(body)


def test_nothing_is_recorded_of_what_nobody_began() -> None:
    for wanted in (ADOPT, PROBLEM, COMPLETE, CLOSE):
        with pytest.raises(NoSuchProgramme, match=ID):
            decide(None, wanted)


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (after(PROPOSE), replace(PROPOSE, by="somebody", proposed_at=AT + timedelta(days=1))),
        (after(LIST), LIST),
        (after(*BEGUN), ADOPT),
        (after(*BEGUN, COMPLETE), COMPLETE),
        (after(*BEGUN, KEEP_UP), KEEP_UP),
        (after(*BEGUN, COMPLETE, VERIFY, ASSESS, CLOSE), CLOSE),
    ],
)
def test_told_again_says_nothing(state: Programme, wanted: f.Wanted) -> None:
    assert decide(state, wanted) == ()


@pytest.mark.parametrize(
    ("state", "wanted", "reason"),
    [
        (after(PROPOSE), replace(PROPOSE, lead=HOUSING), "on record already"),
        (after(PROPOSE), PROBLEM, "not adopted"),
        (after(*BEGUN), PROBLEM, "expected 2"),
        (after(PROPOSE, ADOPT), replace(PROBLEM, lead=UnitId(" ")), "the one unit that leads"),
        (after(PROPOSE, ADOPT), replace(PROBLEM, cooperating=(PLANNING,)), "planning leads already"),
        (after(PROPOSE, ADOPT), replace(PROBLEM, cooperating=(HOUSING, HOUSING)), "twice"),
        (after(*BEGUN), replace(TASK, item=2, task=2), "problem: there is no 2"),
        (after(*BEGUN), TASK, "expected 2"),
        (after(*BEGUN), replace(COMPLETE, task=7), "task: there is no 7"),
        (after(*BEGUN), VERIFY, "PLANNED, expected COMPLETE"),
        (after(*BEGUN, COMPLETE), replace(VERIFY, by=PLANNING), "does not verify"),
        (after(*BEGUN, replace(COMPLETE, by="clerk")), replace(VERIFY, by="clerk"), "does not verify"),
        (after(*BEGUN, COMPLETE), replace(REJECT, by=PLANNING), "does not verify"),
        (after(*BEGUN, COMPLETE), GO_ON, "is COMPLETE"),
        (after(*BEGUN), replace(KEEP_UP, by=PLANNING), "does not approve"),
        (after(*BEGUN), replace(KEEP_UP, review_on=AT.date()), "expected a day after 2021-01-04"),
        (after(*BEGUN), LOOK, "expected LONG_TERM_ONGOING"),
        (after(*BEGUN, KEEP_UP), replace(LOOK, by=PLANNING), "does not review"),
        (after(*BEGUN), replace(ASSESS, survey_rate=Decimal("100.01")), "from 0 to 100"),
        (after(*BEGUN), replace(ASSESS, by=HOUSING), "does not assess"),
        (after(*BEGUN), replace(LET, by=PLANNING), "approves no exception"),
        (after(*BEGUN, LET, BY_EXCEPTION), GO_ON, "closed (EXCEPTION)"),
    ],
)
def test_what_may_not_be_is_refused_with_its_reason(state: Programme, wanted: f.Wanted, reason: str) -> None:
    assert reason in refused(state, wanted)


OWN: Final = (
    (after(*BEGUN, COMPLETE), VERIFY, PLANNING, "does not verify"),
    (after(*BEGUN, replace(COMPLETE, by="Clerk 7")), VERIFY, "Clerk 7", "does not verify"),
    (after(*BEGUN, COMPLETE), REJECT, PLANNING, "does not verify"),
    (after(*BEGUN), KEEP_UP, PLANNING, "does not approve"),
    (after(*BEGUN, KEEP_UP), LOOK, PLANNING, "does not review"),
    (after(*BEGUN), ASSESS, HOUSING, "does not assess"),
    (after(*BEGUN), ASSESS, PROPOSE.by, "does not assess"),
    (after(*BEGUN), LET, PLANNING, "approves no exception"),
    (after(*BEGUN), LET, PROPOSE.by, "approves no exception"),
)
"""Decisions, and who asked for what is decided."""


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@pytest.mark.parametrize("disguised", [str, str.upper, _wide, lambda by: f"\u3000{by} ", "\u200b".join])
@pytest.mark.parametrize(("state", "wanted", "by", "reason"), OWN)
def test_t22_nobody_decides_what_he_asked_for_however_he_writes_his_name(
    state: Programme, wanted: f.Wanted, by: str, reason: str, disguised: Callable[[str], str]
) -> None:
    """T22: of programmes as of orders; a blank decides nothing."""
    assert reason in refused(state, replace(wanted, by=disguised(by)))
    assert "by: expected words that can be read" in refused(state, replace(wanted, by="\u3000\u200b"))
    assert not isinstance(decide(state, wanted)[0], f.WishRefused), "an honest one decides"


def test_a_completion_that_is_rejected_leaves_the_task_where_it_was() -> None:
    state = after(*BEGUN, COMPLETE, REJECT)
    assert state.tasks[1].standing is TaskStanding.IN_PROGRESS
    assert state.tasks[1].overdue(DUE + timedelta(days=1)), "by the same day"
    assert after(*BEGUN, KEEP_UP, COMPLETE, REJECT).tasks[1].standing is TaskStanding.LONG_TERM_ONGOING


def test_closed_only_with_an_assessment_or_an_approved_exception() -> None:
    """The seed's invariant, of topics as of orders (H1, T21)."""
    done = after(*BEGUN, COMPLETE, VERIFY)
    assert "not assessed" in refused(done, CLOSE)
    assert "no exception" in refused(done, BY_EXCEPTION)
    assert "neither verified nor long-term" in refused(after(*BEGUN, COMPLETE, ASSESS), CLOSE)
    assert "no task" in refused(after(PROPOSE, ADOPT, ASSESS), CLOSE)
    assert decide(after(*BEGUN, KEEP_UP, ASSESS), CLOSE) == (CLOSE,), "long-term work does not hold it open"
    assert decide(after(*BEGUN, LET), BY_EXCEPTION) == (BY_EXCEPTION,)
    assert decide(after(PROPOSE, LET), BY_EXCEPTION) == (BY_EXCEPTION,), "a proposal that is not taken up"


# --- overdue and long-term


def test_overdue_is_read_off_the_day_and_the_last_day_is_in_time() -> None:
    task = after(*BEGUN).tasks[1]
    assert not task.overdue(DUE)
    assert task.overdue(DUE + timedelta(days=1))
    assert not after(*BEGUN, COMPLETE).tasks[1].overdue(date(2030, 1, 1))


def test_long_term_is_not_overdue_and_a_missed_review_is_shown() -> None:
    """T26."""
    task = after(*BEGUN, KEEP_UP).tasks[1]
    assert task.standing is TaskStanding.LONG_TERM_ONGOING
    assert not task.overdue(date(2030, 1, 1))
    assert not task.review_missed(date(2021, 4, 1))
    assert task.review_missed(date(2021, 4, 2))
    looked = after(*BEGUN, KEEP_UP, LOOK, GO_ON).tasks[1]
    assert not looked.review_missed(date(2021, 4, 2))
    assert looked.review_missed(date(2021, 7, 2))
    assert not looked.done, "nor is it done"


def test_what_is_overdue_does_not_become_long_term() -> None:
    """T26, T6: a plan made afterwards would hide it."""
    late = replace(KEEP_UP, approved_at=datetime(2022, 1, 1, 0, 0, tzinfo=CITY), review_on=date(2022, 6, 1))
    assert "overdue" in refused(after(*BEGUN), late)
    last = replace(late, approved_at=datetime(2021, 12, 31, 23, 59, tzinfo=CITY))
    assert decide(after(*BEGUN), last) == (last,)


# --- themes and departments


def test_one_department_leads_two_themes_and_one_theme_has_several_leads() -> None:
    """T27: twelve themes and twelve lead departments are a coincidence of the seed."""
    other = f.programme_id_of(2021, 6, "老旧小区改造")
    first, second = (
        decided(
            None,
            (
                replace(PROPOSE, programme_id=identity, title=title),
                replace(ADOPT, programme_id=identity),
                replace(PROBLEM, programme_id=identity),
                replace(
                    PROBLEM, programme_id=identity, item=2, title="加装电梯", lead=HOUSING, cooperating=()
                ),
                replace(
                    PROBLEM, programme_id=identity, item=3, title="押金", lead=MARKET, cooperating=(PLANNING,)
                ),
            ),
        )
        for identity, title in ((ID, "房产证难办"), (other, "老旧小区改造"))
    )
    assert first[1].lead == second[1].lead == PLANNING
    for said, state in (first, second):
        assert not any(isinstance(fact, f.WishRefused) for fact in said)
        assert [item.lead for item in state.items.values()] == [PLANNING, HOUSING, MARKET]


def test_a_problem_gets_another_lead_and_has_one_at_any_time() -> None:
    """T27."""
    change = f.LeadChanged(
        programme_id=ID,
        by="city-office",
        item=1,
        lead=HOUSING,
        cooperating=(PLANNING,),
        reason="机构改革",
        changed_at=AT,
    )
    state = after(*BEGUN, change)
    assert (state.items[1].lead, state.items[1].cooperating) == (HOUSING, (PLANNING,))
    assert decide(state, change) == ()
    assert "there is no 2" in refused(state, replace(change, item=2))


# --- the seed's figures


def programme(
    begin: f.ProgrammeProposed | f.ListDrawnUp, tasks_of_items: list[int], *, not_done: int = 0
) -> Programme:
    """Items with so many tasks each, all verified but the last ones, which are long-term; fact by fact."""
    identity = begin.programme_id

    def wanted() -> Iterator[f.Wanted]:
        yield begin
        yield replace(ADOPT, programme_id=identity)
        number, total = 0, sum(tasks_of_items)
        for item, tasks in enumerate(tasks_of_items, 1):
            yield replace(PROBLEM, programme_id=identity, item=item)
            for _ in range(tasks):
                number += 1
                yield replace(TASK, programme_id=identity, item=item, task=number)
                if number > total - not_done:
                    yield replace(KEEP_UP, programme_id=identity, task=number)
                else:
                    yield replace(COMPLETE, programme_id=identity, task=number)
                    yield replace(VERIFY, programme_id=identity, task=number)

    said, state = decided(None, wanted())
    assert not isinstance(said[-1], f.WishRefused), said[-1]
    return state


def shares(total: int, of: int) -> list[int]:
    """So many in so many parts, as equal as can be, the larger last."""
    return [total // of + (part >= of - total % of) for part in range(of)]


LATER = date(2022, 3, 1)
"""After every task's last day: the seed's article is of early 2022."""


def test_twelve_themes_twenty_seven_problems_six_hundred_and_three_tasks() -> None:
    """H1: every month of 2021 its theme, 2 or 3 problems each, twelve departments that lead."""
    problems = shares(27, 12)
    tasks = iter(shares(603, 27))
    topics = []
    for month, count in enumerate(problems, 1):
        title = f"主题{month}"
        begin = replace(
            PROPOSE,
            programme_id=f.programme_id_of(2021, month, title),
            month=month,
            title=title,
            lead=UnitId(f"department-{month}"),
        )
        topics.append(programme(begin, [next(tasks) for _ in range(count)]))
    assert {len(topic.items) for topic in topics} == {2, 3}
    assert len({topic.lead for topic in topics}) == 12
    found = progress(topics, LATER)
    assert (len(topics), found.items, found.tasks, found.tasks_done) == (12, 27, 603, 603)
    assert found.overdue == 0


def test_by_november_570_of_603_are_94_53_percent() -> None:
    """H1 (S46, D)."""
    assert two_decimals(Progress(tasks=603, tasks_done=570).task_rate) == Decimal("94.53")


def test_the_districts_lists_are_complete() -> None:
    """H1: 1,192 projects and 2,982 tasks of sixteen districts."""
    begin = [
        replace(
            LIST,
            programme_id=f.list_id(2021, f.ListLevel.DISTRICT, f"district-{n}", "27+X"),
            level=f.ListLevel.DISTRICT,
        )
        for n in range(16)
    ]
    projects, tasks = shares(1192, 16), iter(shares(2982, 1192))
    lists = [
        programme(one, [next(tasks) for _ in range(count)])
        for one, count in zip(begin, projects, strict=True)
    ]
    found = progress(lists, LATER)
    assert (found.items, found.items_done, found.tasks, found.tasks_done) == (1192, 1192, 2982, 2982)
    assert (found.item_rate, found.task_rate) == (100, 100)


def test_343_streets_and_what_is_left_is_long_term_and_not_overdue() -> None:
    """H1, T26: 7,788 of 7,818 projects (99.616 %), 14,393 of 14,435 tasks (99.709 %), none of the 42 overdue."""
    projects = shares(7818, 343)
    tasks = iter(shares(14435, 7818))
    lists = []
    for number, count in enumerate(projects):
        sizes = [next(tasks) for _ in range(count)]
        # 30 projects are open with 42 tasks: twelve of them with two, eighteen with one.
        not_done = 2 if 300 <= number < 312 else 1 if 312 <= number < 330 else 0
        owner = UnitId(f"street-{number}")
        begin = replace(
            LIST,
            programme_id=f.list_id(2021, f.ListLevel.STREET, owner, LIST.title),
            owner=owner,
        )
        lists.append(programme(begin, sizes, not_done=not_done))
    found = progress(lists, LATER)
    assert (len(lists), found.items, found.items_done) == (343, 7818, 7788)
    assert (found.tasks, found.tasks_done, found.long_term) == (14435, 14393, 42)
    assert found.overdue == 0
    assert found.reviews_missed == 42, "they were to be looked at in April 2021, and were not"
    assert found.item_rate is not None
    assert found.task_rate is not None
    assert round(float(found.item_rate), 3) == 99.616
    assert round(float(found.task_rate), 3) == 99.709


def test_the_noise_barrier_from_october_to_december() -> None:
    """H1: work began on 2021-10-17 and was done on 12-23; late is read off the day the task was due."""
    begin = replace(GO_ON, text="隔音屏开工", progressed_at=datetime(2021, 10, 17, 9, tzinfo=CITY))
    end = replace(COMPLETE, evidence="隔音屏完工", completed_at=datetime(2021, 12, 23, 17, tzinfo=CITY))
    said, state = decided(after(*BEGUN), (begin, end))
    assert [fact.at.date() for fact in said] == [date(2021, 10, 17), date(2021, 12, 23)]
    under_way = after(*BEGUN, begin)
    assert under_way.tasks[1].standing is TaskStanding.IN_PROGRESS
    assert progress([under_way], date(2021, 12, 1)).task_rate == 0
    assert progress([state], date(2021, 12, 23)).task_rate == 100


def test_a_rate_of_nothing_is_none() -> None:
    """T14."""
    empty = progress([after(PROPOSE)], LATER)
    assert (empty.item_rate, empty.task_rate) == (None, None)
    no_task = progress([after(PROPOSE, ADOPT, PROBLEM)], LATER)
    assert (no_task.item_rate, no_task.task_rate) == (0, None), "a problem without a task is not solved"


# --- where topics come from


def test_candidates_are_the_subjects_most_complained_of_with_who_takes_them_on() -> None:
    """Q5."""
    counts = {("房产证", "海淀区"): 30, ("房产证", "丰台区"): 20, ("停车", "大兴区"): 50, ("噪声", ""): 2}
    found = candidates(counts, [after(PROPOSE)], at_least=3)
    assert [(one.subject, one.complaints, one.named_by) for one in found] == [
        ("停车", 50, []),
        ("房产证", 50, ["房产证难办"]),
    ]
    assert list(found[1].districts.items()) == [("海淀区", 30), ("丰台区", 20)]
    (closed, _) = candidates(counts, [after(PROPOSE, LET, BY_EXCEPTION)], at_least=50)
    assert closed.named_by == []


# --- whatever is asked

NAMES = ("city-office", "supervision", "clerk", PLANNING, HOUSING)
DAYS = st.dates(date(2021, 1, 1), date(2022, 12, 31))
INSTANTS = st.datetimes(datetime(2021, 1, 1), datetime(2022, 12, 31), timezones=st.just(CITY))


@st.composite
def wishes(draw: st.DrawFn) -> f.Wanted:
    """Something somebody may want, sensible or not, at any time."""
    fact = draw(
        st.sampled_from(
            [*BEGUN, GO_ON, COMPLETE, VERIFY, REJECT, KEEP_UP, LOOK, ASSESS, LET, CLOSE, BY_EXCEPTION]
        )
    )
    fields: dict[str, object] = {"by": draw(st.sampled_from(NAMES)), fact.TIME: draw(INSTANTS)}
    for name in ("item", "task"):
        if name in fact.__struct_fields__:
            fields[name] = draw(st.integers(1, 3))
    for name in ("due", "review_on"):
        if name in fact.__struct_fields__:
            fields[name] = draw(DAYS)
    return replace(fact, **fields)  # type: ignore[no-any-return]


@given(st.lists(wishes(), max_size=40), DAYS)
def test_whatever_is_asked_it_closes_only_so_and_long_term_is_never_overdue(
    asked: list[f.Wanted], today: date
) -> None:
    """T26, H1: closed with an assessment or an exception before it; every recorded fact is one the rules would take."""
    facts: list[f.Recorded] = [PROPOSE]
    state = after(PROPOSE)
    for wanted in asked:
        came = decide(state, wanted)
        assert all(legal(state, fact) is None for fact in came)
        if state.closed is not None:
            assert all(isinstance(fact, f.WishRefused) for fact in came), "the end is the end"
        for fact in came:
            facts.append(fact)
            following = evolve(state, fact)
            assert following is not None
            state = following
    kinds = [type(fact) for fact in facts]
    if f.ProgrammeClosed in kinds:
        before = kinds[: kinds.index(f.ProgrammeClosed)]
        assert f.AssessmentMade in before or f.ClosingExceptionApproved in before
        assert kinds.count(f.ProgrammeClosed) == 1
    for task in state.tasks.values():
        if task.standing is TaskStanding.LONG_TERM_ONGOING:
            assert not task.overdue(today)
        if task.standing is TaskStanding.VERIFIED:
            assert task.evidence
    found = progress([state], today)
    assert found.overdue + found.tasks_done + found.long_term <= found.tasks
    assert state == folded(f.decoded(f.encoded(fact)) for fact in facts)
