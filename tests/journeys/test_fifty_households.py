"""小关街5号楼: fifty households have waited for their title certificates for 25 years (2021-04-12, the seed's case).

One matter, many complaints: each household is on record and asked for itself; the first one grows hot, and the
street that holds it learns of every one.
"""

from datetime import UTC, datetime

from msgspec.structs import replace

from shared.complaint import head_of
from shared.events import MatterLinked, Outcome, RequestRepeated, Urgency
from shared.inputs import RepeatRequest
from shared.topics import DISPATCH_ORDERS, DISPATCH_REVIEWS, INTAKE_REQUESTS
from tests import examples
from tests.examples import DAY, STREET
from tests.story import Story

HOUSEHOLDS = 50
FIRST = "20210412-5-01"


async def test_fifty_households_one_matter_each_is_asked() -> None:
    story = Story(at=datetime(2021, 4, 12, 1, 30, tzinfo=UTC))
    first = await story.records(request_id=FIRST, title="办不下房产证", content="住了25年")
    for number in range(2, HOUSEHOLDS + 1):
        own = f"20210412-5-{number:02}"
        await story.records(request_id=own, title="办不下房产证", content="住了25年", matter_of=FIRST)
        (linked,) = story.facts(MatterLinked)
        assert isinstance(linked, MatterLinked)
        assert linked.matter_of == first
        asked = RepeatRequest(request_id=FIRST, repeat_id=own, another_citizen=True)
        await story.tells(INTAKE_REQUESTS, asked)

    story.id = first
    assert story.case().heat == HOUSEHOLDS
    told = [fact for fact in story.sent(DISPATCH_ORDERS, STREET) if isinstance(fact, RequestRepeated)]
    assert len({fact.by for fact in told}) == HOUSEHOLDS - 1

    hard = replace(examples.RECLASSIFICATION, reason="历史遗留,涉及多个单位")
    lives = list(story.memory.heads)
    for life in lives:
        story.id = life  # type: ignore[assignment]  # a complaint's id
        await story.tells(DISPATCH_REVIEWS, replace(hard, complaint_id=life))
        assert story.case().urgency is Urgency.COMPLEX_15D
        await story.signs()
    await story.passes(14 * DAY)
    for life in lives:
        story.id = life  # type: ignore[assignment]
        await story.answers()
        await story.citizen_says(solved=True)
    ended = [head_of(head).ended for _, _, head in story.memory.heads.values()]
    assert len(ended) == HOUSEHOLDS
    assert {end.outcome if end is not None else None for end in ended} == {Outcome.SOLVED}
    assert "AnswerLimitMissed" not in {fact.type for fact in story.memory.facts}
    story.holds()
