"""The citizen's word from the first contact to the end: told how far it is, asked, not believed over, free to rate."""

from shared import inputs
from shared.complaint import head_text
from shared.events import (
    AnswerLimitMissed,
    AnswerSentBack,
    ComplaintClosed,
    ComplaintReopened,
    OrderAnswered,
    Outcome,
    ProgressReported,
    RatingGiven,
    VisitAnswerRefused,
    VisitMade,
    VisitScheduled,
    VisitUnreached,
)
from shared.topics import (
    CITIZEN_NOTICES,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
)
from tests import examples as eg
from tests.examples import DAY, DUE_AT, HOUR, INSTANT, STREET
from tests.story import Story


async def sms_unanswered(story: Story) -> None:
    visit = story.visit()
    data = inputs.RecordUnreached(
        complaint_id=story.id, visit=visit.visit, attempt=visit.attempt, cause="no_reply", channel="sms"
    )
    await story.tells(FEEDBACK_VISIT_RESULTS, data)


async def sends_back(story: Story) -> None:
    await story.tells(DISPATCH_REVIEWS, eg.SENT_BACK_RESULT)


async def test_contacted_told_sent_back_once_asked_and_reopened_by_the_citizens_no(story: Story) -> None:
    """R7, E2, T18: the unit claims twice that it is solved, the citizen says no; both words stay."""
    await story.records()
    await story.signs()
    await story.passes(HOUR)
    await story.tells(DISPATCH_REPLIES, eg.CONTACT_FAILED_REPLY, unit=STREET)
    await story.passes(HOUR)
    await story.tells(DISPATCH_REPLIES, eg.CONTACT_REPLY, unit=STREET)
    await story.passes(DAY)
    await story.tells(DISPATCH_REPLIES, eg.PROGRESS_REPLY, unit=STREET)
    assert [type(fact) for fact in story.sent(CITIZEN_NOTICES)] == [ProgressReported]
    assert ProgressReported not in {type(fact) for fact in story.sent(DISPATCH_ORDERS, STREET)}
    await story.answers()
    await story.passes(HOUR)
    await sends_back(story)
    assert type(story.sent(DISPATCH_ORDERS, STREET)[-1]) is AnswerSentBack
    assert [type(fact) for fact in story.sent(FEEDBACK_VISITS)] == [VisitScheduled, AnswerSentBack]
    await story.passes(HOUR)
    await story.answers()
    await story.citizen_says(solved=False)
    assert [fact.claims_solved for fact in story.facts(OrderAnswered)] == [True, True]  # type: ignore[attr-defined]
    assert [fact.solved for fact in story.facts(VisitMade)] == [False]  # type: ignore[attr-defined]
    assert len(story.facts(ComplaintReopened)) == 1
    assert (story.order().round, story.case().order.sent_back) == (2, 0)  # type: ignore[union-attr]


async def test_an_answer_sent_back_and_not_given_again_is_late_by_the_old_limit_and_the_citizen_is_asked(
    story: Story,
) -> None:
    """T32, T10, E1."""
    await story.records()
    await story.signs()
    await story.answers()
    await sends_back(story)
    await story.passes(DUE_AT + INSTANT)
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.due_at == DUE_AT
    assert story.visit().visit == 2
    await story.citizen_says(solved=False)
    assert len(story.facts(ComplaintReopened)) == 1


async def test_a_text_message_without_a_reply_is_no_answer_and_nobody_is_satisfied_by_it(
    story: Story,
) -> None:
    """T19: three messages, four hours apart, none answered: not reached, and no judgement anywhere."""
    await story.records()
    await story.signs()
    await story.answers()
    for _ in range(3):
        await story.passes(story.visit().visit_at)
        await sms_unanswered(story)
    assert [fact.channel for fact in story.facts(VisitUnreached)] == ["sms"] * 3  # type: ignore[attr-defined]
    assert story.facts(VisitMade) == []
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.UNREACHED


async def test_a_reply_by_text_message_or_web_is_a_judgement_like_any_other(story: Story) -> None:
    """R8: 电话、短信、网络等方式."""
    await story.records()
    await story.signs()
    await story.answers()
    await story.passes(story.visit().visit_at)
    await sms_unanswered(story)
    await story.passes(story.visit().visit_at)
    data = inputs.RecordVisit(
        complaint_id=story.id, visit=1, attempt=2, solved=True, satisfied=False, channel="web"
    )
    await story.tells(FEEDBACK_VISIT_RESULTS, data)
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.SOLVED


async def test_the_citizen_rates_at_any_time_and_nothing_follows_from_it(story: Story) -> None:
    """R7, E3, T21: a rating closes nothing, is no visit's outcome, and is taken even after the end."""
    await story.records()
    await story.tells(INTAKE_REQUESTS, eg.RATING)
    await story.signs()
    await story.answers()
    asking = story.visit()
    await story.passes(HOUR)
    pleased = inputs.GiveRating(request_id=eg.REQUEST_ID, satisfied=True, channel="app")
    await story.tells(INTAKE_REQUESTS, pleased)
    assert story.visit() == asking
    assert story.case().ended is None
    await story.citizen_says(solved=True)
    ended = story.case().ended
    await story.passes(DAY)
    await story.tells(INTAKE_REQUESTS, eg.RATING)
    assert story.case().ended == ended
    assert [fact.satisfied for fact in story.facts(RatingGiven)] == [False, True, False]  # type: ignore[attr-defined]


async def test_a_complaint_that_is_in_visit_is_not_merged_and_brought_up_again_it_is_asked_about_all_the_same(
    story: Story,
) -> None:
    """T9: told again as part of another matter it is set aside; a repeat raises its heat and calls off no visit."""
    first = await story.records()
    await story.signs()
    await story.answers()
    asking = story.visit()
    head = head_text(story.case())
    await story.records(matter_of="20210923-0042")
    assert len(story.memory.parked) == 1
    assert head_text(story.case()) == head
    await story.records(request_id=eg.REPEAT.repeat_id)
    story.id = first
    await story.tells(INTAKE_REQUESTS, eg.REPEAT)
    assert story.case().heat == 2
    assert story.visit() == asking
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_the_dialler_who_asked_about_an_answer_that_was_sent_back_is_refused(story: Story) -> None:
    """T3: a stale visit result is on record as a refusal and closes nothing."""
    await story.records()
    await story.signs()
    await story.answers()
    await sends_back(story)
    await story.citizen_says(solved=True)
    assert len(story.facts(VisitAnswerRefused)) == 1
    assert story.case().ended is None
