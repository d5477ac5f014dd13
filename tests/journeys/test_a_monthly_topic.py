"""办证难 (2021): fifty households of one building become a task of the city's first topic; five units whistled there.

The lives of the fifty complaints are told in `test_fifty_households.py`; here is the topic's side (Q5, H1).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.governance.candidates import candidates
from hotline.governance.log import decided
from hotline.governance.state import TaskStanding, progress
from shared.complaint import head_of
from shared.ids import UnitId
from tests.hotline.test_proactive import ADOPT, ASSESS, CLOSE, COMPLETE, PROBLEM, PROPOSE, TASK, VERIFY
from tests.story import Story

CITY = timezone(timedelta(hours=8))
FIVE = ("规自委海淀分局", "海淀区房管局", "区国资委", "区不动产登记中心", "产权单位")
HOUSEHOLDS = 50


def at(month: int, day: int) -> datetime:
    return datetime(2021, month, day, 9, tzinfo=CITY)


async def test_fifty_complaints_are_a_cluster_and_the_cluster_a_task_of_a_topic() -> None:
    story = Story(at=at(1, 4))
    for number in range(HOUSEHOLDS):
        await story.records(request_id=f"5-{number:02}", title="办不下房产证", content="住了25年")
    heads = [head_of(head) for _, _, head in story.memory.heads.values()]
    counts = Counter((head.subject, head.district) for head in heads)
    (found,) = candidates(counts, [], at_least=HOUSEHOLDS)
    assert found.complaints == HOUSEHOLDS
    (district,) = found.districts

    lead = UnitId("市规自委")
    cluster = f.Cluster(subject=found.subject, district=district)
    said, topic = decided(
        None,
        (
            replace(PROPOSE, clusters=(cluster,), lead=lead),
            ADOPT,
            replace(PROBLEM, lead=lead, cooperating=tuple(map(UnitId, FIVE))),
            replace(
                TASK, title="小关街5号楼50户", owner=UnitId(FIVE[0]), due=date(2021, 6, 30), set_at=at(1, 20)
            ),
            replace(COMPLETE, by=FIVE[0], evidence="50户领到房产证", completed_at=at(4, 12)),
        ),
    )
    assert candidates(counts, [topic])[0].named_by == [topic.title]
    assert topic.items[1].cooperating == FIVE
    assert said[-1].at.date() == date(2021, 4, 12)
    assert progress([topic], date(2021, 4, 12)).task_rate == 100
    assert topic.tasks[1].standing is TaskStanding.COMPLETE

    own, topic = decided(topic, (replace(VERIFY, by=FIVE[0]),))
    assert isinstance(own[0], f.WishRefused), "who did the work does not say that it is done"
    _, topic = decided(topic, (replace(VERIFY, verified_at=at(4, 20)),))
    early, topic = decided(topic, (CLOSE,))
    assert isinstance(early[0], f.WishRefused), "nobody has asked the households yet"
    asked = replace(ASSESS, survey_rate=Decimal(100), visits=HOUSEHOLDS, assessed_at=at(5, 10))
    _, topic = decided(topic, (asked, replace(CLOSE, closed_at=at(5, 11))))
    assert topic.closed is f.Basis.ASSESSMENT
