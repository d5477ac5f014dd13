"""What intake decides, by state: unknown, open, ended."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from services.intake import rules
from services.intake.decisions.recording import AskedToRecord
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    Fact,
    IntakeRefused,
    RequestType,
    Urgency,
)
from shared.inputs import WithdrawRequest
from tests.examples import (
    ANSWERED,
    ANSWERED_DIRECTLY,
    ASKED,
    CALLED_AT,
    CLASSIFIED,
    CLOSED,
    DAY,
    DISPATCH_DUE_AT,
    DISPATCHED,
    HOUR,
    ID,
    INTAKE_REFUSED,
    RECEIVED,
    RECORD,
    REOPENED,
    REQUEST,
    RETURN_REQUESTED,
    SIGNED,
    UNTIMED,
    VISIT_MADE,
    VISIT_SCHEDULED,
    VISIT_UNREACHED,
    WITHDRAW,
    WITHDRAWN,
    asks,
)
from tests.spec import spec

given = spec(rules.decide)


def recorded(**changes: object) -> AskedToRecord:
    """The example request with these fields, told under the example rule set."""
    return AskedToRecord(
        complaint_id=ID,
        command=replace(REQUEST, **changes),
        ruleset=RECORD.ruleset,
        calendar=RECORD.calendar,
        at=CALLED_AT,
    )


# --- nothing is known of it


def test_a_request_is_put_on_record_and_classified_at_once() -> None:
    given().when(RECORD).then(RECEIVED, CLASSIFIED)


@pytest.mark.parametrize("kind", list(RequestType))
def test_every_request_type_is_taken_as_it_is(kind: RequestType) -> None:
    """R2, B1: six kinds, praise among them."""
    given().when(recorded(request_type=kind)).then(RECEIVED, replace(CLASSIFIED, request_type=kind))


@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_urgency_is_the_agents_word(urgency: Urgency) -> None:
    """C1, C2: the class decides the limits; dispatch reads it from the classification, which says its own limit."""
    own = {Urgency.CRITICAL_2H: CALLED_AT + HOUR, Urgency.TIMELY_24H: CALLED_AT + 2 * HOUR}
    given().when(recorded(urgency=urgency)).then(
        RECEIVED, replace(CLASSIFIED, urgency=urgency, dispatch_due_at=own.get(urgency, DISPATCH_DUE_AT))
    )


def test_a_request_without_a_call_came_by_web_or_app() -> None:
    given().when(recorded(call_id=None, channel="web")).then(
        replace(RECEIVED, call_id=None, channel="web"), CLASSIFIED
    )


def test_a_question_answered_from_the_knowledge_base_ends_without_dispatch() -> None:
    """B2: the article and its version are on record, and nothing is left to dispatch."""
    given().when(recorded(request_type=RequestType.CONSULT, article_id="parking-12", article_version=3)).then(
        RECEIVED, ASKED, ANSWERED_DIRECTLY
    )


ACTED_ON = [kind for kind in RequestType if kind is not RequestType.CONSULT]


@pytest.mark.parametrize("kind", ACTED_ON)
def test_only_a_question_is_answered_from_an_article_whoever_wants_an_act_gets_a_unit(
    kind: RequestType,
) -> None:
    """B2, E3: what the agent read out is no visit and no exception; that it was to be an answer is on record."""
    wants = recorded(request_type=kind, article_id="parking-12", article_version=3)
    said = given().when(wants)
    received, classified, refusal = said.facts
    assert (received, classified) == (RECEIVED, replace(CLASSIFIED, request_type=kind))
    assert isinstance(refusal, IntakeRefused)
    assert refusal.asked == "answer directly"
    assert refusal.reason.startswith(f"request_type: {kind}, expected CONSULT")
    given(*said.facts).when(wants).then_nothing()


def test_the_rule_set_and_calendar_it_was_born_under_stay_with_it() -> None:
    """T23: a later rule set never judges an older complaint."""
    boston = AskedToRecord(
        complaint_id=ID, command=REQUEST, ruleset="boston-311-2011", calendar="cn-1", at=CALLED_AT
    )
    given().when(boston).then(replace(RECEIVED, ruleset="boston-311-2011"), UNTIMED)
    given(replace(RECEIVED, ruleset="boston-311-2011"), UNTIMED).when(RECORD).then_nothing()


def test_a_limit_that_came_with_the_request_is_kept_on_record() -> None:
    due_at = datetime(2021, 9, 30, tzinfo=UTC)
    given().when(recorded(given_due_at=due_at)).then(replace(RECEIVED, given_due_at=due_at), CLASSIFIED)


def test_nothing_unknown_can_be_withdrawn() -> None:
    given().cannot_be_told(WITHDRAW)


# --- on record, at any stage of its life

STAGES: dict[str, tuple[Fact, ...]] = {
    "received": (RECEIVED, CLASSIFIED),
    "with a unit": (RECEIVED, CLASSIFIED, DISPATCHED),
    "signed": (RECEIVED, CLASSIFIED, DISPATCHED, SIGNED),
    "under review": (RECEIVED, CLASSIFIED, DISPATCHED, RETURN_REQUESTED),
    "answered": (RECEIVED, CLASSIFIED, DISPATCHED, ANSWERED),
    "visited": (RECEIVED, CLASSIFIED, DISPATCHED, ANSWERED, VISIT_SCHEDULED),
    "not reached": (RECEIVED, CLASSIFIED, DISPATCHED, ANSWERED, VISIT_SCHEDULED, VISIT_UNREACHED),
    "reopened": (RECEIVED, CLASSIFIED, DISPATCHED, ANSWERED, VISIT_SCHEDULED, VISIT_MADE, REOPENED),
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_request_told_again_has_no_second_effect(stage: str) -> None:
    """T1, T7: whatever event it comes in, equal requests are one complaint."""
    given(*STAGES[stage]).when(recorded()).then_nothing()


OTHER: dict[str, object] = {
    "call_id": "call-2",
    "request_type": RequestType.REPORT,
    "subject": "供水",
    "urgency": Urgency.TIMELY_24H,
    "district": "朝阳区",
    "street": None,
    "address": "小关街6号楼",
    "title": "楼道被占",
    "content": "白天也不能",
    "article_id": "parking-12",
    "given_due_at": datetime(2021, 9, 30, tzinfo=UTC),
}


@pytest.mark.parametrize("field", OTHER)
def test_another_content_under_a_known_request_id_is_set_aside_by_itself_not_lost(field: str) -> None:
    """T7: another citizen's matter is no refusal in this life. The reason names the field and none of its words."""
    given(*STAGES["received"]).sets_aside(
        recorded(**{field: OTHER[field]}),
        because=f"data: request_id: is on record already and says something else ({field}). Send another matter",
    )


@pytest.mark.parametrize("stage", STAGES)
def test_every_field_that_differs_is_named_in_the_order_of_the_contract(stage: str) -> None:
    given(*STAGES[stage]).sets_aside(
        recorded(title="别的", subject="供水", address="别处"), because="(subject, address, title)"
    )


def test_who_told_us_and_by_which_channel_is_not_what_was_asked_for() -> None:
    again = recorded(channel="web", recorded_by="agent-9")
    given(*STAGES["with a unit"]).when(again).then_nothing()


def test_a_request_that_was_answered_on_the_spot_and_is_now_to_be_dispatched_is_other_content() -> None:
    answered = (RECEIVED, ASKED, ANSWERED_DIRECTLY)
    asked = {"request_type": RequestType.CONSULT}
    given(*answered).when(recorded(**asked, article_id="parking-12", article_version=3)).then_nothing()
    given(*answered).sets_aside(recorded(**asked), because="says something else (article_id)")


@pytest.mark.parametrize("stage", ["received", "answered", "visited", "not reached"])
def test_a_citizen_may_withdraw_before_dispatch_and_after_the_answer_and_no_order_is_recalled(
    stage: str,
) -> None:
    given(*STAGES[stage]).when(WITHDRAW).then(replace(WITHDRAWN, recalled_unit=None))


@pytest.mark.parametrize("stage", ["with a unit", "signed", "under review"])
def test_a_withdrawal_recalls_the_order_that_is_still_open(stage: str) -> None:
    """The unit is told to stop: the fact names it, and the relay puts it on that unit's topic."""
    given(*STAGES[stage]).when(WITHDRAW).then(WITHDRAWN)


# --- ended


def test_a_withdrawal_told_twice_is_one() -> None:
    later = asks(WithdrawRequest, complaint_id=ID, reason="again", at=CALLED_AT + DAY)
    given(RECEIVED, CLASSIFIED).when(WITHDRAW).then(replace(WITHDRAWN, recalled_unit=None)).when(
        later
    ).then_refused("withdraw", because="the life ended with ComplaintWithdrawn")


@pytest.mark.parametrize(
    ("life", "end"),
    [
        ((RECEIVED, CLASSIFIED, ANSWERED_DIRECTLY), ComplaintAnsweredDirectly.__name__),
        (
            (RECEIVED, CLASSIFIED, DISPATCHED, ANSWERED, VISIT_SCHEDULED, VISIT_MADE, CLOSED),
            "ComplaintClosed",
        ),
    ],
    ids=["answered directly", "closed"],
)
def test_what_has_ended_cannot_be_withdrawn_and_the_refusal_says_how_it_ended(
    life: tuple[Fact, ...], end: str
) -> None:
    given(*life).when(WITHDRAW).then_refused("withdraw", because=f"the life ended with {end} at 2021-09-2")


def test_a_request_told_again_after_its_end_does_not_open_it_again() -> None:
    given(RECEIVED, CLASSIFIED, WITHDRAWN).when(RECORD).then_nothing()


def test_a_refusal_changes_nothing() -> None:
    given(RECEIVED, CLASSIFIED, INTAKE_REFUSED).when(WITHDRAW).then(replace(WITHDRAWN, recalled_unit=None))


def test_a_complaint_is_opened_by_received_and_by_nothing_else() -> None:
    assert [type(fact) for fact in rules.decide(RECORD, given().case)] == [
        ComplaintReceived,
        ComplaintClassified,
    ]
    assert given(CLASSIFIED, DISPATCHED).case == given().case
