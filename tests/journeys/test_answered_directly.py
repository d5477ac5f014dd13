"""Which papers for a residence permit: the agent reads the article, and nothing is dispatched (B2)."""

from shared.events import RequestType
from shared.inputs import OrderSigned
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, FEEDBACK_ANSWERS, INTAKE_REQUESTS
from tests.examples import CATALOGUE, DAY, ID, REQUEST_ID, STREET, VISIT_RESULT, WITHDRAWAL
from tests.story import Story


async def test_a_question_is_answered_on_the_spot_and_nobody_else_hears_of_it(story: Story) -> None:
    await story.records(
        request_type=RequestType.CONSULT, subject="户籍", article_id="residence-4", article_version=2
    )
    assert story.told() == ["ComplaintReceived", "ComplaintClassified", "ComplaintAnsweredDirectly"]
    assert all(story.sent(DISPATCH_ORDERS, unit) == [] for unit in CATALOGUE.units)
    await story.passes(30 * DAY)
    assert len(story.told()) == 3, "no limit runs, nobody is asked"


async def test_whoever_speaks_to_it_afterwards_is_told_that_it_is_over(story: Story) -> None:
    await story.records(article_id="residence-4")
    sign = OrderSigned(complaint_id=ID, assignment=1)
    await story.tells(DISPATCH_REPLIES, sign, unit=STREET)
    await story.tells(FEEDBACK_ANSWERS, VISIT_RESULT)
    await story.tells(INTAKE_REQUESTS, WITHDRAWAL)
    assert story.told()[3:] == ["ReplyRefused", "VisitAnswerRefused", "IntakeRefused"]
    assert story.case().request_id == REQUEST_ID
