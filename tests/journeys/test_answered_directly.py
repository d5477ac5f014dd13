"""Which papers for a residence permit: the agent reads the article, and nothing is dispatched (B2)."""

from services.intake.knowledge.file import articles
from services.intake.knowledge.rule import Valid
from shared.events import ComplaintAnsweredDirectly, IntakeRefused, RequestType
from shared.inputs import SignOrder
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS
from tests.examples import CATALOGUE, DAY, ID, REQUEST_ID, STREET, VISIT_RESULT, WITHDRAWAL
from tests.story import Story

BASE = {(one.id, one.version): Valid(one.valid_from, one.withdrawn_at) for one in articles().articles}
"""The example base, as intake knows it."""


async def test_a_question_is_answered_on_the_spot_and_nobody_else_hears_of_it(story: Story) -> None:
    await story.records(
        request_type=RequestType.CONSULT, subject="户籍", article_id="residence-4", article_version=2
    )
    assert story.told() == ["ComplaintReceived", "ComplaintClassified", "ComplaintAnsweredDirectly"]
    assert all(story.sent(DISPATCH_ORDERS, unit) == [] for unit in CATALOGUE.units)
    await story.passes(30 * DAY)
    assert len(story.told()) == 3, "no limit runs, nobody is asked"


async def test_whoever_speaks_to_it_afterwards_is_told_that_it_is_over(story: Story) -> None:
    await story.records(request_type=RequestType.CONSULT, article_id="residence-4")
    sign = SignOrder(complaint_id=ID, assignment=1)
    await story.tells(DISPATCH_REPLIES, sign, unit=STREET)
    await story.tells(FEEDBACK_VISIT_RESULTS, VISIT_RESULT)
    await story.tells(INTAKE_REQUESTS, WITHDRAWAL)
    assert story.told()[3:] == ["ReplyRefused", "VisitAnswerRefused", "IntakeRefused"]
    assert story.case().request_id == REQUEST_ID


async def test_a_question_answered_from_the_base_says_from_which_version() -> None:
    """B2"""
    story = Story(articles=BASE)
    await story.records(request_type=RequestType.CONSULT, article_id="kb-0402", article_version=2)
    (answered,) = story.facts(ComplaintAnsweredDirectly)
    assert (answered.article_id, answered.article_version, answered.checked) == ("kb-0402", 2, True)
    await story.passes(30 * DAY)
    assert story.told() == ["ComplaintReceived", "ComplaintClassified", "ComplaintAnsweredDirectly"]


async def test_an_answer_from_a_version_that_was_withdrawn_is_refused_and_a_unit_answers_the_citizen() -> (
    None
):
    """B2: the law changed on the first of January, the agent read out the old version in September."""
    story = Story(articles=BASE)
    await story.records(request_type=RequestType.CONSULT, article_id="kb-0402", article_version=1)
    assert story.told() == [
        "ComplaintReceived",
        "ComplaintClassified",
        "IntakeRefused",
        "ComplaintDispatched",
    ]
    assert (
        "version 1 of article kb-0402 was withdrawn at 2021-01-01 00:00:00"
        in story.facts(IntakeRefused)[0].reason
    )
    await story.records(request_type=RequestType.CONSULT, article_id="kb-0402", article_version=1)
    assert len(story.told()) == 4, "told again it is the same request"
    await story.signs()
    await story.answers()
    await story.passes(2 * DAY)
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
