"""A request told again (T7): the same words are a repeat whatever became of the record; other words are set aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from msgspec import UNSET
from msgspec.structs import replace

from services.intake import rules
from services.intake.decisions.recording import AskedToRecord
from services.intake.knowledge.rule import Articles, Valid
from shared import events, inputs
from shared.aside import OnRecordOtherwise
from shared.complaint import ENDS, Complaint, head_of, head_text
from shared.events import Fact, IntakeRefused, RequestType, TurnedAway, Urgency
from shared.events.base import Attachment
from shared.ids import complaint_id
from tests import examples as eg
from tests.lives import Life, Step, lives, steps
from tests.spec import case_of

FIRST, SECOND, NOBODY = "first", "second", "nobody"
BEGUN: Final = {complaint_id(one): number for number, one in enumerate((FIRST, SECOND), start=1)}
"""What is on record before it."""
KNOWN: Final[Articles] = {("parking-12", 3): Valid(eg.CALLED_AT - eg.DAY)}
DUE_AT: Final = datetime(2021, 9, 30, tzinfo=UTC)


def picture(name: str) -> Attachment:
    return Attachment(uri=f"https://pictures.example/{name}", media_type="image/jpeg", sha256="0" * 64)


RECORDED: Final[dict[str, inputs.RecordRequest]] = {
    "plain": eg.REQUEST,
    "with a limit and pictures": replace(eg.REQUEST, given_due_at=DUE_AT, attachments=(picture("a"),)),
    "anonymous": replace(eg.REQUEST, anonymous=True),
    "confidential": replace(eg.REQUEST, confidential=True),
    "by message": replace(eg.REQUEST, call_id=None, channel="web"),
    "of a matter": replace(eg.REQUEST, matter_of=FIRST),
    "of a complaint's matter": replace(eg.REQUEST, matter_of_complaint=complaint_id(FIRST)),
    "of nobody's matter": replace(eg.REQUEST, matter_of=NOBODY),
    "retaliation": replace(eg.REQUEST, retaliation_by=eg.STREET, retaliation_about=FIRST),
    "retaliation for a complaint": replace(
        eg.REQUEST, retaliation_by=eg.STREET, retaliation_about_complaint=complaint_id(FIRST)
    ),
    "retaliation for nothing named": replace(eg.REQUEST, retaliation_by=eg.STREET),
    "retaliation for nobody's": replace(eg.REQUEST, retaliation_by=eg.STREET, retaliation_about=NOBODY),
    "two links that cannot be": replace(
        eg.REQUEST, matter_of=NOBODY, retaliation_by=eg.STREET, retaliation_about=eg.REQUEST_ID
    ),
    "answered": replace(
        eg.REQUEST, request_type=RequestType.CONSULT, article_id="parking-12", article_version=3
    ),
    "answered from what is none": replace(
        eg.REQUEST, request_type=RequestType.CONSULT, article_id="parking-12", article_version=4
    ),
    "an act answered": replace(eg.REQUEST, article_id="parking-12", article_version=3),
    "emergency": replace(
        eg.REQUEST, turned_away=TurnedAway.EMERGENCY, turned_away_to="119", turned_away_reason="火情"
    ),
    "rejected": replace(eg.REQUEST, turned_away=TurnedAway.REJECTED, turned_away_reason="不在受理范围"),
}

decide = partial(rules.decide, known=KNOWN)


def record(request: inputs.RecordRequest) -> AskedToRecord:
    return AskedToRecord(
        complaint_id=eg.ID,
        command=request,
        ruleset=eg.RECORD.ruleset,
        calendar=eg.RECORD.calendar,
        begun=BEGUN,
        at=eg.CALLED_AT,
    )


def first_facts(kind: str) -> tuple[Fact, ...]:
    return tuple(decide(record(RECORDED[kind]), case_of(())))


def otherwise(request: inputs.RecordRequest, facts: tuple[Fact, ...]) -> str:
    """The fields that the reason names; "" where it is a repeat."""
    case = case_of(facts)
    assert isinstance(case, Complaint)
    assert head_of(head_text(case)) == case, "the stored head says the same"
    try:
        assert decide(record(request), case) == []
    except OnRecordOtherwise as aside:
        return str(aside).split("(")[1].split(")")[0]
    return ""


# -- the same words


AT_RECORDING: Final = (
    events.ComplaintReceived,
    events.ComplaintClassified,
    events.IdentityProtected,
    events.MatterLinked,
    events.RetaliationReported,
    events.ComplaintAnsweredDirectly,
    events.ComplaintTurnedAway,
)
"""What is only said of a request when it is recorded: it is the record, and changes none."""


def corrected(field: str, old: str, new: str) -> Fact:
    correction = events.Correction(field=field, old=old, new=new)
    return replace(eg.CORRECTED_RECORD, corrections=(correction,))


CORRECTIONS: Final = tuple(
    corrected(field, getattr(eg.REQUEST, field), f"另一{field}")
    for field in ("title", "content", "address", "subject", "district", "street")
)
WITH_PICTURES: Final = replace(eg.SUPPLEMENTED, attachments=(picture("b"), picture("a")))
LATER: Final[dict[str, tuple[Fact, ...]]] = {
    **{type(fact).__name__: (fact,) for fact in eg.FACTS if not isinstance(fact, AT_RECORDING)},
    **{f"corrected {fact.corrections[0].field}": (fact,) for fact in CORRECTIONS},  # type: ignore[attr-defined]
    "every field corrected": CORRECTIONS,
    "no street any more": (corrected("street", "花园路街道", ""),),
    "corrected twice": (CORRECTIONS[5], corrected("street", "另一street", "小关街道")),
    "corrected and back": (CORRECTIONS[5], corrected("street", "另一street", "花园路街道")),
    "pictures added": (WITH_PICTURES,),
    "pictures added twice": (WITH_PICTURES, replace(WITH_PICTURES, attachments=(picture("c"),))),
    "reclassified twice": (
        eg.RECLASSIFIED,
        replace(eg.RECLASSIFIED, old_urgency=eg.RECLASSIFIED.urgency, urgency=Urgency.CRITICAL_2H),
    ),
    "everything": (*CORRECTIONS, WITH_PICTURES, eg.RECLASSIFIED, eg.AMENDED, eg.WITHDRAWN),
}


GO_ON: Final = [kind for kind in RECORDED if not isinstance(first_facts(kind)[-1], ENDS)]
END_AT_ONCE: Final = [kind for kind in RECORDED if kind not in GO_ON]


@pytest.mark.parametrize("later", LATER)
def test_the_same_request_told_again_is_a_repeat_whatever_became_of_the_record(later: str) -> None:
    """T7: nobody is blamed for what we corrected, reclassified or added."""
    for kind in GO_ON:
        assert otherwise(RECORDED[kind], (*first_facts(kind), eg.DISPATCHED, *LATER[later])) == "", kind


@pytest.mark.parametrize("kind", END_AT_ONCE)
def test_the_same_request_told_again_is_a_repeat_where_it_ended_at_once(kind: str) -> None:
    assert otherwise(RECORDED[kind], (*first_facts(kind), eg.INTAKE_REFUSED, eg.RATED)) == ""


@settings(max_examples=150)
@given(lives)
def test_the_same_request_is_a_repeat_in_every_life_and_another_one_in_none(life: Life) -> None:
    again = life.meant_by(Step(eg.HOUR, "record"))
    assert rules.decide(again, life.case) == []
    other = life.meant_by(Step(eg.HOUR, "other record"))
    with pytest.raises(OnRecordOtherwise, match=r"\(content\)"):
        rules.decide(other, life.case)


@settings(max_examples=60)
@given(steps(("correct", "reclassify", "record"), size_max=8))
def test_however_often_it_is_corrected_and_reclassified(what: list[Step]) -> None:
    life = Life()
    for step in what:
        life.lives(step)
        assert rules.decide(life.meant_by(Step(eg.HOUR, "record")), life.case) == []


def test_what_the_record_says_by_now_is_on_record_too() -> None:
    facts = (*first_facts("plain"), eg.DISPATCHED, *CORRECTIONS, eg.RECLASSIFIED, WITH_PICTURES)
    now = replace(
        eg.REQUEST,
        title="另一title",
        street="另一street",
        urgency=eg.RECLASSIFIED.urgency,
        attachments=(picture("b"), picture("a")),
    )
    assert otherwise(now, facts) == ""


def test_what_the_record_said_for_a_while_is_neither() -> None:
    facts = (*first_facts("plain"), eg.DISPATCHED, *LATER["corrected twice"])
    assert otherwise(replace(eg.REQUEST, street="另一street"), facts) == "street"


# -- other words

Change = Callable[[inputs.RecordRequest], inputs.RecordRequest]


def says(**fields: Any) -> Change:
    return lambda request: replace(request, **fields)


OTHERWISE: Final[dict[str, tuple[tuple[str, Change, str], ...]]] = {
    "call_id": (("plain", says(call_id="call-2"), "call_id"), ("by message", says(call_id="c"), "call_id")),
    "request_type": (("plain", says(request_type=RequestType.REPORT), "request_type"),),
    "subject": (("plain", says(subject="供水"), "subject"),),
    "urgency": (("plain", says(urgency=Urgency.TIMELY_24H), "urgency"),),
    "district": (("plain", says(district="朝阳区"), "district"),),
    "street": (("plain", says(street=None), "street"), ("plain", says(street="小关街道"), "street")),
    "address": (("plain", says(address="小关街6号楼"), "address"),),
    "title": (("plain", says(title="楼道被占"), "title"),),
    "content": (("plain", says(content="白天也不能"), "content"),),
    "article_id": (
        ("plain", says(article_id="parking-12"), "article_id"),
        ("answered", says(article_id=None), "article_id"),
        ("answered", says(article_id="parking-13"), "article_id"),
        ("answered from what is none", says(article_id="parking-13"), "article_id"),
        ("answered from what is none", says(article_id=None), "article_id"),
        ("an act answered", says(article_id="parking-13"), "article_id"),
    ),
    "article_version": (
        ("answered", says(article_version=2), "article_version"),
        ("answered from what is none", says(article_version=2), "article_version"),
        ("an act answered", says(article_version=2), "article_version"),
    ),
    "given_due_at": (
        ("plain", says(given_due_at=DUE_AT), "given_due_at"),
        ("with a limit and pictures", says(given_due_at=DUE_AT + eg.DAY), "given_due_at"),
    ),
    "anonymous": (
        ("plain", says(anonymous=True), "anonymous"),
        ("anonymous", says(anonymous=False), "anonymous"),
    ),
    "confidential": (
        ("plain", says(confidential=True), "confidential"),
        ("confidential", says(confidential=False), "confidential"),
    ),
    "matter_of": (
        ("plain", says(matter_of=FIRST), "matter_of"),
        ("of a matter", says(matter_of=SECOND), "matter_of"),
        ("of a matter", says(matter_of=None), "matter_of"),
        ("of nobody's matter", says(matter_of="somebody"), "matter_of"),
        ("of nobody's matter", says(matter_of=None), "matter_of"),
        ("two links that cannot be", says(matter_of=None), "matter_of"),
        ("retaliation for nobody's", says(matter_of=NOBODY), "matter_of"),
    ),
    "matter_of_complaint": (
        (
            "of a complaint's matter",
            says(matter_of_complaint=complaint_id(SECOND)),
            "matter_of_complaint",
        ),
        ("plain", says(matter_of_complaint=complaint_id(FIRST)), "matter_of_complaint"),
    ),
    "turned_away": (
        ("plain", says(turned_away=TurnedAway.REDIRECTED, turned_away_to="法院"), "turned_away"),
        ("emergency", says(turned_away=TurnedAway.REDIRECTED), "turned_away"),
        ("emergency", says(turned_away=None), "turned_away"),
        ("answered", says(turned_away=TurnedAway.REDIRECTED), "turned_away"),
        (
            "rejected",
            says(turned_away=TurnedAway.EMERGENCY, turned_away_to="119"),
            "turned_away, turned_away_to",
        ),
    ),
    "turned_away_to": (("emergency", says(turned_away_to="120"), "turned_away_to"),),
    "turned_away_reason": (("rejected", says(turned_away_reason="违反公序良俗"), "turned_away_reason"),),
    "retaliation_by": (
        ("retaliation for nothing named", says(retaliation_by=eg.WATER), "retaliation_by"),
        ("retaliation for nothing named", says(retaliation_by=None, confidential=True), "retaliation_by"),
        ("confidential", says(retaliation_by=eg.STREET), "retaliation_by"),
    ),
    "retaliation_about": (
        ("retaliation", says(retaliation_about=SECOND), "retaliation_about"),
        ("retaliation", says(retaliation_about=None), "retaliation_about"),
        ("retaliation for nothing named", says(retaliation_about=FIRST), "retaliation_about"),
        ("retaliation for nobody's", says(retaliation_about=None), "retaliation_about"),
        (
            "retaliation for nobody's",
            says(retaliation_about=None, matter_of=NOBODY),
            "matter_of, retaliation_about",
        ),
        ("two links that cannot be", says(retaliation_about=NOBODY), "retaliation_about"),
    ),
    "retaliation_about_complaint": (
        (
            "retaliation for a complaint",
            says(retaliation_about_complaint=complaint_id(SECOND)),
            "retaliation_about_complaint",
        ),
    ),
    "attachments": (
        ("plain", says(attachments=(picture("a"),)), "attachments"),
        ("with a limit and pictures", says(attachments=()), "attachments"),
        ("with a limit and pictures", says(attachments=(picture("b"),)), "attachments"),
    ),
}
"""By each field that says something of the matter: what was recorded, what is told, and the fields that are named."""

CASES: Final = [(kind, change, named) for cases in OTHERWISE.values() for kind, change, named in cases]


@pytest.mark.parametrize(("kind", "change", "named"), CASES)
def test_what_differs_from_the_record_is_set_aside_and_the_field_named(
    kind: str, change: Change, named: str
) -> None:
    """T7: nothing that a request says is lost without a trace."""
    facts = first_facts(kind)
    assert otherwise(change(RECORDED[kind]), facts) == named


TEXTS: Final = ("title", "content", "address", "subject", "district", "street")


@pytest.mark.parametrize("field", [*TEXTS, "urgency", "attachments"])
def test_a_third_content_is_found_out_after_the_record_was_corrected_too(field: str) -> None:
    third: dict[str, Any] = {"urgency": Urgency.CRITICAL_2H, "attachments": (picture("d"),)}
    facts = (*first_facts("plain"), eg.DISPATCHED, *CORRECTIONS, eg.RECLASSIFIED, WITH_PICTURES)
    assert otherwise(replace(eg.REQUEST, **{field: third.get(field, "第三")}), facts) == field


# -- harmless

HARMLESS: Final[dict[str, tuple[tuple[str, Change], ...]]] = {
    "channel": (("plain", says(channel="app")),),
    "recorded_by": (("plain", says(recorded_by="agent-9")),),
    "sent_at": (("by message", says(sent_at=eg.CALLED_AT - eg.HOUR)),),
    "another_matter": (("plain", says(another_matter=True)),),
    "an article's version without an article": (("plain", says(article_version=9)),),
    "an article with one who is turned away": (("emergency", says(article_id="parking-12")),),
    "where to and why of one who is not turned away": (
        ("plain", says(turned_away_to="119", turned_away_reason="火情")),
    ),
    "confidential, which retaliation is in any case": (("retaliation", says(confidential=True)),),
    "the same complaint by another of its names": (
        ("of a matter", says(matter_of=None, matter_of_complaint=complaint_id(FIRST))),
        ("of a complaint's matter", says(matter_of=FIRST, matter_of_complaint=None)),
        ("retaliation", says(retaliation_about=None, retaliation_about_complaint=complaint_id(FIRST))),
    ),
    "the same instant in another zone": (
        ("with a limit and pictures", says(given_due_at=DUE_AT.astimezone(ZoneInfo("Asia/Shanghai")))),
    ),
}
"""Differences that say nothing else of the matter (decision 0030)."""


@pytest.mark.parametrize("what", HARMLESS)
def test_what_says_nothing_else_of_the_matter_is_a_repeat(what: str) -> None:
    for kind, change in HARMLESS[what]:
        assert otherwise(change(RECORDED[kind]), first_facts(kind)) == ""


def test_of_every_field_it_is_said_whether_a_difference_counts() -> None:
    fields = set(inputs.RecordRequest.__struct_fields__) - {"request_id"}
    assert fields == OTHERWISE.keys() | (HARMLESS.keys() & fields)
    assert not OTHERWISE.keys() & HARMLESS.keys()


# -- two records of one call


def second_of_call(**fields: Any) -> tuple[inputs.RecordRequest, tuple[Fact, ...]]:
    """The second record of a call whose first is on record as the example; and its facts."""
    request = replace(eg.REQUEST, request_id="20210924-0002", **fields)
    first = case_of((eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED))
    assert isinstance(first, Complaint)
    command = record(request)
    return request, tuple(
        rules.decide(
            AskedToRecord(
                complaint_id=eg.REPEATED_BY,
                command=request,
                ruleset=command.ruleset,
                calendar=command.calendar,
                seen={eg.ID: first},
                at=eg.CALLED_AT,
            ),
            case_of(()),
        )
    )


@pytest.mark.parametrize("fields", [{}, {"urgency": Urgency.CRITICAL_2H}], ids=["ended as second", "linked"])
def test_the_second_record_of_a_call_that_is_another_matter_when_told_again_says_otherwise(
    fields: dict[str, Any],
) -> None:
    """T7: that it was taken for the same matter was decided because nobody said it is another."""
    request, facts = second_of_call(**fields)
    assert otherwise(request, facts) == ""
    assert otherwise(replace(request, another_matter=True), facts) == "another_matter"


def test_the_second_record_of_a_call_turned_away_when_told_again_says_otherwise() -> None:
    request, facts = second_of_call()
    turned = replace(request, turned_away=TurnedAway.REJECTED, turned_away_reason="不在受理范围")
    assert otherwise(turned, facts) == "turned_away"


# -- a log from before


def test_a_refused_answer_of_a_log_from_before_is_known_and_its_article_is_not() -> None:
    kind = "answered from what is none"
    facts = tuple(
        replace(fact, article_id=UNSET, article_version=UNSET) if isinstance(fact, IntakeRefused) else fact
        for fact in first_facts(kind)
    )
    assert otherwise(RECORDED[kind], facts) == ""
    assert otherwise(replace(RECORDED[kind], article_id="parking-13"), facts) == ""
    assert otherwise(replace(RECORDED[kind], article_id=None), facts) == "article_id"
