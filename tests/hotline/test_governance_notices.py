"""Units are told of programmes, and it is found who else is in the position of a complaint."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.governance.likeness import ComplaintPosition, LikenessSought, in_this_position, likeness
from hotline.governance.log import decided, told
from hotline.governance.notices import notices_of
from shared.complaint_number import number_of
from shared.ids import ComplaintId, UnitId
from shared.programme_notice import ProgrammeNotice, stored
from tests.hotline.test_proactive import (
    ADOPT,
    ASSESS,
    AT,
    BEGUN,
    BY_EXCEPTION,
    COMPLETE,
    DUE,
    GO_ON,
    HOUSING,
    ID,
    KEEP_UP,
    LET,
    LIST,
    LOOK,
    MARKET,
    PLANNING,
    PROBLEM,
    PROPOSE,
    REJECT,
    TASK,
    VERIFY,
    after,
    refused,
)

FIRST, SECOND, THIRD, FOURTH = EVERY = tuple(
    ComplaintId(f"0000000{n}-0000-8000-8000-000000000000") for n in range(1, 5)
)
NUMBER = {one: number_of(one, AT, "beijing-draft-2021") for one in EVERY}
OFFER = f.AnswerOffered(
    programme_id=ID,
    by="supervision",
    item=1,
    first=FIRST,
    answer="已为您办理,可持证件领取。",
    members=(
        f.Member(complaint_id=SECOND, unit=PLANNING, complaint_number=NUMBER[SECOND]),
        f.Member(complaint_id=THIRD, unit=HOUSING, complaint_number=NUMBER[THIRD]),
        f.Member(complaint_id=FOURTH, unit=PLANNING, complaint_number=NUMBER[FOURTH]),
    ),
    offered_at=AT,
)


def heard(*facts: f.Recorded) -> list[tuple[UnitId, ProgrammeNotice]]:
    """Gives the notice of the last of these."""
    return notices_of(after(*facts), facts[-1])


def test_an_owner_hears_its_task_with_all_it_must_know() -> None:
    ((unit, notice),) = heard(*BEGUN)
    assert unit == TASK.owner == PLANNING
    assert notice == ProgrammeNotice(
        programme_id=ID,
        programme="房产证难办",
        year=2021,
        month=1,
        happened="TaskSet",
        by="city-office",
        at=AT,
        item=1,
        item_title="历史遗留",
        task=1,
        task_title="小关街5号楼",
        due=DUE,
        standing="PLANNED",
    )
    assert msgspec.json.decode(msgspec.json.encode(notice), type=ProgrammeNotice) == notice
    assert "assignment" not in ProgrammeNotice.__struct_fields__, "it is no order"


@pytest.mark.parametrize(
    ("fact", "standing", "text"),
    [
        (KEEP_UP, "LONG_TERM_ONGOING", "每季度复查"),
        (LOOK, "LONG_TERM_ONGOING", "有序推进"),
        (VERIFY, "VERIFIED", UNSET),
        (REJECT, "IN_PROGRESS", "还差3户"),
        (replace(COMPLETE, by="clerk"), "COMPLETE", "50户已领证"),
        (replace(GO_ON, by="clerk"), "IN_PROGRESS", "权属已查清"),
    ],
)
def test_an_owner_hears_what_others_say_of_its_task(fact: f.OfTask, standing: str, text: Any) -> None:
    before = {f.LongTermReviewed: (KEEP_UP,), f.TaskVerified: (COMPLETE,), f.CompletionRejected: (COMPLETE,)}
    ((unit, notice),) = heard(*BEGUN, *before.get(type(fact), ()), fact)
    assert (unit, notice.happened, notice.standing, notice.text) == (
        PLANNING,
        type(fact).__name__,
        standing,
        text,
    )


def test_nobody_hears_its_own_word_a_refusal_or_what_is_about_no_task() -> None:
    for fact in (GO_ON, COMPLETE):
        assert heard(*BEGUN, fact) == []
    for facts in ((PROPOSE,), (PROPOSE, ADOPT), (PROPOSE, ADOPT, PROBLEM), (*BEGUN, ASSESS), (LIST,)):
        assert heard(*facts) == []
    said, _ = decided(after(*BEGUN), [VERIFY])
    assert isinstance(said[0], f.WishRefused)
    assert heard(*BEGUN, said[0]) == []


def test_an_owner_that_no_topic_can_be_named_after_is_told_nothing() -> None:
    """As companies were named before units were checked."""
    assert heard(PROPOSE, ADOPT, PROBLEM, replace(TASK, owner=UnitId("区登记中心"))) == []


def test_the_end_is_told_once_to_each_owner_whose_task_is_open() -> None:
    more = [
        replace(TASK, task=number, owner=owner) for number, owner in ((2, HOUSING), (3, HOUSING), (4, MARKET))
    ]
    done = replace(COMPLETE, task=4, by="clerk")
    told_ = heard(*BEGUN, *more, done, LET, BY_EXCEPTION)
    assert [(unit, notice.happened, notice.text, notice.task) for unit, notice in told_] == [
        (PLANNING, "ProgrammeClosed", LET.reason, UNSET),
        (HOUSING, "ProgrammeClosed", LET.reason, UNSET),
    ]


def test_an_offered_answer_is_told_to_each_unit_for_its_own_complaints_alone() -> None:
    told_ = dict(heard(*BEGUN, OFFER))
    assert {unit: notice.complaints for unit, notice in told_.items()} == {
        PLANNING: (SECOND, FOURTH),
        HOUSING: (THIRD,),
    }
    assert {unit: notice.complaint_numbers for unit, notice in told_.items()} == {
        PLANNING: (NUMBER[SECOND], NUMBER[FOURTH]),
        HOUSING: (NUMBER[THIRD],),
    }
    notice = told_[HOUSING]
    assert (notice.offer, notice.text, notice.item, notice.task) == (1, OFFER.answer, 1, UNSET)
    assert FIRST.encode() not in msgspec.json.encode(notice), "whose complaint was first is nobody's business"


def test_an_offer_from_before_numbers_were_kept_names_none_and_is_the_same_offer() -> None:
    body = f.encoded(OFFER)
    for number in NUMBER.values():
        body = body.replace(b',"complaint_number":"%s"' % number.encode(), b"")
    before = f.decoded(body)
    assert isinstance(before, f.AnswerOffered)
    assert before != OFFER
    assert {notice.complaint_numbers for _, notice in heard(*BEGUN, before)} == {UNSET}
    assert f.encoded(before) == body, "its bytes stay what they were"
    assert decided(after(*BEGUN, before), [OFFER])[0] == []


def test_an_offer_is_recorded_once_and_only_where_it_can_be() -> None:
    state = after(*BEGUN)
    (offer,) = after(*BEGUN, OFFER).offers
    assert (offer.number, offer.item, offer.first, offer.answer) == (1, 1, FIRST, OFFER.answer)
    assert decided(after(*BEGUN, OFFER), [OFFER])[0] == []
    assert "there is no 2" in refused(state, replace(OFFER, item=2))
    assert "whose answer is offered" in refused(state, replace(OFFER, first=SECOND))
    assert "twice" in refused(state, replace(OFFER, members=(OFFER.members[0], OFFER.members[0])))
    nowhere = f.Member(complaint_id=SECOND, unit=UnitId(""))
    assert refused(state, replace(OFFER, members=(nowhere,))).startswith("members")
    assert "not adopted" in refused(after(PROPOSE), OFFER)
    assert f.decoded(f.encoded(OFFER)) == OFFER
    many = replace(OFFER, members=tuple(replace(OFFER.members[0]) for _ in range(f.MEMBERS_MAX + 1)))
    for members in ((), many.members):
        with pytest.raises(msgspec.ValidationError, match="length"):
            f.decoded(f.encoded(replace(OFFER, members=members)))


def test_the_log_keeps_beside_each_fact_what_is_told_of_it() -> None:
    kept = told(None, [*BEGUN, COMPLETE, VERIFY])
    assert [notices is None for notices in kept] == [True, True, True, False, True, False]
    assert kept[3] is not None
    (notice,) = stored(kept[3])
    assert notice.unit == PLANNING
    assert msgspec.json.decode(notice.body, type=ProgrammeNotice).task_title == TASK.title


# --- who else is in this position


def position(number: int = 2, **fields: Any) -> ComplaintPosition:
    told_: dict[str, Any] = {
        "complaint_id": f"c{number}",
        "subject": "房产证",
        "district": "海淀区",
        "street": "花园路街道",
        "title": "五号楼办不下房产证",
        "content": "",
        "received_at": AT,
    }
    return ComplaintPosition(**(told_ | fields))


def found(*others: ComplaintPosition, first: ComplaintPosition | None = None, **sought: Any) -> list[str]:
    mine = first or position(1)
    return [
        one.complaint_id for one in in_this_position(mine, others, LikenessSought(**({"days": 30} | sought)))
    ]


def test_the_most_alike_come_first_by_subject_place_words_and_time() -> None:
    others = (
        position(5, street="学院路街道", title="产权证"),
        position(2, received_at=AT + timedelta(days=9)),
        position(3),
        position(4, street="学院路街道"),
        position(6, subject="供暖", title="暖气不热"),
    )
    assert found(*others) == ["c3", "c2", "c4", "c5"]
    assert found(position(1)) == [], "nobody is beside himself"


def test_another_district_another_time_and_other_words_are_left_out_where_they_are() -> None:
    far = position(district="朝阳区")
    assert found(far) == []
    assert found(far, anywhere=True) == ["c2"]
    assert not likeness(position(1), far).same_street, "a street of the same name is another"
    late = position(received_at=AT + timedelta(days=31))
    assert found(late) == []
    assert found(late, days=31) == ["c2"]
    assert found(position(received_at=AT - timedelta(days=30))) == ["c2"]
    assert found(position(title="产权登记很慢"), words=Fraction(1, 2)) == []
    assert found(position(), words=Fraction(1)) == ["c2"]


def test_one_filed_under_another_subject_is_found_by_its_words() -> None:
    assert found(position(subject="物业")) == ["c2"]
    assert found(position(subject="物业", title="电梯坏了")) == []


def test_what_nobody_named_makes_nobody_alike() -> None:
    bare = position(1, subject="", district="", street="", title="")
    one = likeness(bare, position(2, subject="", district="", street="", title=""))
    assert (one.same_subject, one.same_district, one.same_street, one.words) == (False, False, False, 0)
    assert found(position(2, subject="", district="", street="", title=""), first=bare, anywhere=True) == []
