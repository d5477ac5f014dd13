"""One well-formed example of every fact, input and command, all of one complaint; tests change what matters.

A fire lane in Haidian is blocked by cars on the day the Regulation came into force. Times are in UTC, so the
morning of 2021-09-24 in Beijing begins at half past midnight.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from services.dispatch.decisions.corrections import FollowCorrection
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.dispatch.decisions.returns import AskedToReviewReturn
from services.escalation.rules import FireDeadlines
from services.feedback.decisions.closing import CloseTerminated
from services.feedback.decisions.visits import ScheduleVisit
from services.intake.decisions.recording import AskedToRecord
from services.intake.decisions.repeats import AskedToRepeat
from shared import events, inputs
from shared.asked import Asked
from shared.events import Fact
from shared.events.base import (
    Colour,
    ExclusionGround,
    Level,
    Limit,
    Outcome,
    PauseGround,
    RequestType,
    TerminationGround,
    TurnedAway,
    Urgency,
    VisitReason,
    WhistleKind,
)
from shared.ids import CallId, ComplaintId, RequestId, UnitId, complaint_id
from shared.policy.catalogue import parsed

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
INSTANT: Final = timedelta(microseconds=1)

CALLED_AT: Final = datetime(2021, 9, 24, 0, 30, tzinfo=UTC)
DISPATCH_DUE_AT: Final = CALLED_AT + DAY
SIGN_DUE_AT: Final = CALLED_AT + 8 * HOUR
"""A general request is signed within eight hours."""
VISIT_DUE_AT: Final = CALLED_AT + 4 * DAY
"""Three days from the moment the citizen may be asked, where the rule set has that limit."""
DUE_AT: Final = datetime(2021, 10, 1, 15, 59, 59, 999999, tzinfo=UTC)
"""And answered by 24:00 Beijing time of the seventh day (C2, C3)."""

REQUEST_ID: Final = RequestId("20210924-0001")
ID: Final = complaint_id(REQUEST_ID)

STREET: Final = UnitId("street-huayuanlu")
OTHER_STREET: Final = UnitId("street-xiaoguan")
DISTRICT: Final = UnitId("district-haidian")
WATER: Final = UnitId("water-group")
CENTRE: Final = UnitId("hotline-centre")
SUPERVISION: Final = UnitId("municipal-supervision")

CATALOGUE: Final = parsed(
    msgspec.json.encode(
        {
            "version": "test-1",
            "centre": CENTRE,
            "supervision": SUPERVISION,
            "units": {
                CENTRE: {"name": "12345", "level": "MUNICIPAL"},
                SUPERVISION: {"name": "市督查室", "level": "MUNICIPAL"},
                DISTRICT: {"name": "海淀区人民政府", "level": "DISTRICT"},
                STREET: {"name": "花园路街道", "level": "UNIT"},
                OTHER_STREET: {"name": "小关街道", "level": "UNIT"},
                WATER: {"name": "自来水集团", "level": "MUNICIPAL"},
            },
            "districts": {
                "海淀区": {"unit": DISTRICT, "streets": {"花园路街道": STREET, "小关街道": OTHER_STREET}}
            },
            "subjects": {
                "停车": {"to": "street"},
                "供水": {"to": "unit", "unit": WATER},
                "学校": {"to": "district"},
            },
        }
    )
)
"""A small city: two streets, their district, one utility, and the two desks at the top."""

# --- what the outside tells us

CALL_OFFERED: Final = inputs.CallOffered(call_id="call-1")
CALL_TAKEN: Final = inputs.CallAnswered(call_id="call-1", agent="agent-7")
CALL_ENDED: Final = inputs.CallEnded(call_id="call-1", cause="hangup")
REQUEST: Final = inputs.RecordRequest(
    request_id=REQUEST_ID,
    call_id="call-1",
    request_type=RequestType.HELP,
    subject="停车",
    district="海淀区",
    street="花园路街道",
    address="小关街5号楼",
    title="楼下消防通道被占",
    content="夜间无法进出",
    recorded_by="agent-7",
)
WITHDRAWAL: Final = inputs.WithdrawRequest(request_id=REQUEST_ID, reason="已自行解决")
CORRECTION: Final = inputs.CorrectRequest(
    request_id=REQUEST_ID, address="小关街6号楼", corrected_by="agent-8"
)
SUPPLEMENT: Final = inputs.SupplementRequest(request_id=REQUEST_ID, text="消防车昨晚也进不来")
REPEAT: Final = inputs.RepeatRequest(
    request_id=REQUEST_ID, repeat_id="20210925-0007", another_citizen=True, note="同楼住户"
)
RATING: Final = inputs.GiveRating(request_id=REQUEST_ID, satisfied=False, comment="没有人联系我")
SIGN_REPLY: Final = inputs.SignOrder(complaint_id=ID, assignment=1)
ANSWER_REPLY: Final = inputs.AnswerOrder(
    complaint_id=ID, assignment=1, result="已清理并划线", claims_solved=True
)
RETURN_REPLY: Final = inputs.RequestReturn(
    complaint_id=ID, assignment=1, reason="不属本街道", evidence="辖区图", suggested_unit=OTHER_STREET
)
REVIEW_RESULT: Final = inputs.ReviewReturn(
    complaint_id=ID, assignment=1, approved=True, reviewer="reviewer-3"
)
ASSIGN_REPLY: Final = inputs.AssignOrder(complaint_id=ID, assignment=1, to_unit=STREET, reason="属地街道办理")
EXTENSION_REPLY: Final = inputs.RequestExtension(
    complaint_id=ID, assignment=1, days=5, reason="需要专业检测", citizen_told=True
)
EXTENSION_REVIEW: Final = inputs.ReviewExtension(
    complaint_id=ID, assignment=1, approved=True, reviewer="reviewer-3"
)
PAUSE_REPLY: Final = inputs.RequestPause(
    complaint_id=ID,
    assignment=1,
    ground=PauseGround.AWAITS_AUTHORITY,
    days=10,
    evidence="已向规划部门请示，见发文",
)
PAUSE_ENDED_REPLY: Final = inputs.EndPause(complaint_id=ID, assignment=1, reason="批复已到")
PAUSE_REVIEW: Final = inputs.ReviewPause(complaint_id=ID, assignment=1, approved=True, reviewer="reviewer-3")
TERMINATION_REPLY: Final = inputs.RequestTermination(
    complaint_id=ID,
    assignment=1,
    ground=TerminationGround.INFORMATION_REFUSED,
    evidence="三次联系均拒绝提供地址",
)
TERMINATION_REVIEW: Final = inputs.ReviewTermination(
    complaint_id=ID, assignment=1, approved=True, reviewer="reviewer-3"
)
DISPUTE_REPLY: Final = inputs.RaiseDispute(
    complaint_id=ID, assignment=1, reason="属区管道路", evidence="权属证明"
)
COUNCIL_RESULT: Final = inputs.DecideCouncil(
    complaint_id=ID,
    assignment=1,
    to_unit=WATER,
    participants=("市城管委", STREET),
    co_units=(OTHER_STREET,),
    reason="管线权属",
)
CO_UNIT: Final = inputs.AddCoUnit(complaint_id=ID, co_unit=WATER, reason="地下管线", added_by="reviewer-3")
CO_UNIT_REPLY: Final = inputs.ReportAsCoUnit(complaint_id=ID, result="管线已查")
RECLASSIFICATION: Final = inputs.ReclassifyComplaint(
    complaint_id=ID, urgency=Urgency.COMPLEX_15D, reason="涉及多个单位", reclassified_by="reviewer-3"
)
WHISTLE: Final = inputs.BlowWhistle(
    complaint_id=ID,
    assignment=1,
    whistle=1,
    kind=WhistleKind.EMERGENCY,
    called=(WATER, OTHER_STREET),
    scene="小关街5号楼",
    reason="消防通道无法清理",
)
WHISTLE_ACKNOWLEDGED: Final = inputs.AcknowledgeWhistle(complaint_id=ID, whistle=1)
WHISTLE_ARRIVED: Final = inputs.ArriveAtWhistle(complaint_id=ID, whistle=1, persons=3)
WHISTLE_MEASURE: Final = inputs.RecordMeasure(complaint_id=ID, whistle=1, measure="拖离车辆")
WHISTLE_RELEASE: Final = inputs.ReleaseWhistle(complaint_id=ID, whistle=1, called=WATER, reason="已清理")
WHISTLE_RATING: Final = inputs.RateWhistle(complaint_id=ID, whistle=1, rated=WATER, stars=5, comment="及时")
EXCLUSION_REPLY: Final = inputs.RequestExclusion(
    complaint_id=ID, ground=ExclusionGround.INVALID, evidence="现场无车道"
)
EXCLUSION_REVIEW: Final = inputs.ReviewExclusion(complaint_id=ID, approved=True, reviewer="reviewer-3")
CONTACT_REPLY: Final = inputs.RecordContact(complaint_id=ID, assignment=1)
CONTACT_FAILED_REPLY: Final = inputs.RecordContactFailed(complaint_id=ID, assignment=1, cause="no_answer")
PROGRESS_REPLY: Final = inputs.ReportProgress(
    complaint_id=ID, assignment=1, text="已联系车主，周末清理", stage_feedback=True
)
SENT_BACK_RESULT: Final = inputs.SendBackAnswer(
    complaint_id=ID, assignment=1, reviewer="reviewer-3", reason="未附现场照片"
)
AMENDMENT: Final = inputs.AmendCalendar(
    complaint_id=ID, calendar="cn-2020-01-26", reason="国办通知", amended_by="operations"
)
VISIT_RESULT: Final = inputs.RecordVisit(complaint_id=ID, visit=1, attempt=1, solved=True, satisfied=True)
NO_ANSWER: Final = inputs.RecordUnreached(complaint_id=ID, visit=1, attempt=1)
DIRECTION: Final = inputs.DecideSupervision(
    complaint_id=ID, decided_by="supervisor-1", decision="今日内到现场并回复诉求人"
)
EXCEPTION: Final = inputs.CloseByException(complaint_id=ID, approved_by="supervisor-1", reason="诉求人已搬离")

INPUTS: Final = (
    CALL_OFFERED,
    CALL_TAKEN,
    CALL_ENDED,
    REQUEST,
    WITHDRAWAL,
    CORRECTION,
    SUPPLEMENT,
    REPEAT,
    RATING,
    SIGN_REPLY,
    ANSWER_REPLY,
    RETURN_REPLY,
    REVIEW_RESULT,
    ASSIGN_REPLY,
    EXTENSION_REPLY,
    EXTENSION_REVIEW,
    PAUSE_REPLY,
    PAUSE_ENDED_REPLY,
    PAUSE_REVIEW,
    TERMINATION_REPLY,
    TERMINATION_REVIEW,
    DISPUTE_REPLY,
    COUNCIL_RESULT,
    CO_UNIT,
    CO_UNIT_REPLY,
    RECLASSIFICATION,
    AMENDMENT,
    WHISTLE,
    WHISTLE_ACKNOWLEDGED,
    WHISTLE_ARRIVED,
    WHISTLE_MEASURE,
    WHISTLE_RELEASE,
    WHISTLE_RATING,
    EXCLUSION_REPLY,
    EXCLUSION_REVIEW,
    CONTACT_REPLY,
    CONTACT_FAILED_REPLY,
    PROGRESS_REPLY,
    SENT_BACK_RESULT,
    VISIT_RESULT,
    NO_ANSWER,
    DIRECTION,
    EXCEPTION,
)

# --- what the desks are told

RECORD: Final = AskedToRecord(
    command=REQUEST, complaint_id=ID, ruleset="beijing-draft-2021", calendar="cn-1", at=CALLED_AT
)
WITHDRAW: Final = Asked(command=WITHDRAWAL, complaint_id=ID, at=CALLED_AT + HOUR)
CORRECT: Final = Asked(command=CORRECTION, complaint_id=ID, at=CALLED_AT + HOUR)
ADD: Final = Asked(command=SUPPLEMENT, complaint_id=ID, at=CALLED_AT + HOUR)
REPEATED_BY: Final = complaint_id("20210925-0007")
ASK_AGAIN: Final = AskedToRepeat(
    command=REPEAT, complaint_id=ID, begun={ID: 1, REPEATED_BY: 3}, at=CALLED_AT + DAY
)
RATE: Final = Asked(command=RATING, complaint_id=ID, at=CALLED_AT + DAY)
DISPATCH: Final = DispatchComplaint(complaint_id=ID, at=CALLED_AT)
FOLLOW: Final = FollowCorrection(complaint_id=ID, at=CALLED_AT + HOUR)
SIGN: Final = Asked(command=SIGN_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + HOUR)
ANSWER: Final = Asked(command=ANSWER_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + DAY)
RETURN: Final = Asked(command=RETURN_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * HOUR)
REVIEW: Final = AskedToReviewReturn(command=REVIEW_RESULT, complaint_id=ID, at=CALLED_AT + 3 * HOUR)
ASSIGN: Final = Asked(command=ASSIGN_REPLY, complaint_id=ID, unit=DISTRICT, at=CALLED_AT + HOUR)
EXTEND: Final = Asked(command=EXTENSION_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * DAY)
REVIEW_EXTENSION: Final = Asked(command=EXTENSION_REVIEW, complaint_id=ID, at=CALLED_AT + 3 * DAY)
PAUSE: Final = Asked(command=PAUSE_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * DAY)
END_PAUSE: Final = Asked(command=PAUSE_ENDED_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 5 * DAY)
REVIEW_PAUSE: Final = Asked(command=PAUSE_REVIEW, complaint_id=ID, at=CALLED_AT + 3 * DAY)
TERMINATE: Final = Asked(command=TERMINATION_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * DAY)
REVIEW_TERMINATION: Final = Asked(command=TERMINATION_REVIEW, complaint_id=ID, at=CALLED_AT + 3 * DAY)
DISPUTE: Final = Asked(command=DISPUTE_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 4 * HOUR)
COUNCIL: Final = Asked(command=COUNCIL_RESULT, complaint_id=ID, at=CALLED_AT + DAY)
ADD_CO_UNIT: Final = Asked(command=CO_UNIT, complaint_id=ID, at=CALLED_AT + 2 * HOUR)
REPORT: Final = Asked(command=CO_UNIT_REPLY, complaint_id=ID, unit=WATER, at=CALLED_AT + DAY)
RECLASSIFY: Final = Asked(command=RECLASSIFICATION, complaint_id=ID, at=CALLED_AT + 2 * DAY)
BLOW: Final = Asked(command=WHISTLE, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * HOUR)
ACKNOWLEDGE: Final = Asked(
    command=WHISTLE_ACKNOWLEDGED, complaint_id=ID, unit=WATER, at=CALLED_AT + 2 * HOUR + 5 * MINUTE
)
ARRIVE: Final = Asked(
    command=WHISTLE_ARRIVED, complaint_id=ID, unit=WATER, at=CALLED_AT + 2 * HOUR + 20 * MINUTE
)
MEASURE: Final = Asked(command=WHISTLE_MEASURE, complaint_id=ID, unit=WATER, at=CALLED_AT + 3 * HOUR)
RELEASE: Final = Asked(command=WHISTLE_RELEASE, complaint_id=ID, unit=STREET, at=CALLED_AT + 4 * HOUR)
RATE_UNIT: Final = Asked(command=WHISTLE_RATING, complaint_id=ID, unit=STREET, at=CALLED_AT + 5 * HOUR)
EXCLUDE: Final = Asked(command=EXCLUSION_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 3 * DAY)
REVIEW_EXCLUSION: Final = Asked(command=EXCLUSION_REVIEW, complaint_id=ID, at=CALLED_AT + 4 * DAY)
CONTACT: Final = Asked(command=CONTACT_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 3 * HOUR)
CONTACT_IN_VAIN: Final = Asked(
    command=CONTACT_FAILED_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 2 * HOUR
)
PROGRESS: Final = Asked(command=PROGRESS_REPLY, complaint_id=ID, unit=STREET, at=CALLED_AT + 5 * HOUR)
SEND_BACK: Final = Asked(command=SENT_BACK_RESULT, complaint_id=ID, at=CALLED_AT + DAY + HOUR)
AMEND: Final = Asked(command=AMENDMENT, complaint_id=ID, at=CALLED_AT + DAY)
FIRE: Final = FireDeadlines(complaint_id=ID, until=SIGN_DUE_AT + INSTANT)
SCHEDULE: Final = ScheduleVisit(
    complaint_id=ID, round=1, because=VisitReason.ANSWERED, unit=STREET, at=CALLED_AT + DAY
)
RECORD_VISIT: Final = Asked(command=VISIT_RESULT, complaint_id=ID, at=CALLED_AT + DAY + HOUR)
RECORD_UNREACHED: Final = Asked(command=NO_ANSWER, complaint_id=ID, at=CALLED_AT + DAY + HOUR)
DECIDE: Final = Asked(command=DIRECTION, complaint_id=ID, at=CALLED_AT + DAY)
CLOSE: Final = Asked(command=EXCEPTION, complaint_id=ID, at=CALLED_AT + 2 * DAY)
CLOSE_TERMINATED: Final = CloseTerminated(
    complaint_id=ID, approved_by="reviewer-3", reason="INFORMATION_REFUSED", at=CALLED_AT + 3 * DAY
)


def asks(
    kind: type[inputs.Input], *, complaint_id: ComplaintId = ID, at: datetime = CALLED_AT, **said: Any
) -> Any:
    """Somebody asks this, with these words in the input; `unit`, `login` and the like stand beside it."""
    fields = kind.__struct_fields__
    within = {name: value for name, value in said.items() if name in fields and name != "unit"}
    beside = {name: value for name, value in said.items() if name not in within}
    if issubclass(kind, inputs.AboutComplaint):
        within["complaint_id"] = complaint_id
    as_asked = AskedToReviewReturn if kind is inputs.ReviewReturn else Asked
    return as_asked(command=kind(**within), complaint_id=complaint_id, at=at, **beside)


def told(command: Any, /, **changes: Any) -> Any:
    """The same command with these changes, each where it stands: in the input, beside it, or in both."""
    if not isinstance(command, Asked):
        return dataclasses.replace(command, **changes)
    fields = set(command.command.__struct_fields__) - {"unit"}
    if not isinstance(command.command, inputs.AboutComplaint):
        fields.discard("complaint_id")
    within = {name: value for name, value in changes.items() if name in fields}
    beside = {name: value for name, value in changes.items() if name not in fields or name == "complaint_id"}
    if within:
        beside["command"] = replace(beside.get("command", command.command), **within)
    return dataclasses.replace(command, **beside)


COMMANDS: Final[tuple[Any, ...]] = (
    RECORD,
    WITHDRAW,
    CORRECT,
    ADD,
    ASK_AGAIN,
    RATE,
    DISPATCH,
    FOLLOW,
    SIGN,
    ANSWER,
    RETURN,
    REVIEW,
    ASSIGN,
    EXTEND,
    REVIEW_EXTENSION,
    PAUSE,
    END_PAUSE,
    REVIEW_PAUSE,
    TERMINATE,
    REVIEW_TERMINATION,
    DISPUTE,
    COUNCIL,
    ADD_CO_UNIT,
    REPORT,
    RECLASSIFY,
    AMEND,
    BLOW,
    ACKNOWLEDGE,
    ARRIVE,
    MEASURE,
    RELEASE,
    RATE_UNIT,
    EXCLUDE,
    REVIEW_EXCLUSION,
    CONTACT,
    CONTACT_IN_VAIN,
    PROGRESS,
    SEND_BACK,
    FIRE,
    SCHEDULE,
    RECORD_VISIT,
    RECORD_UNREACHED,
    DECIDE,
    CLOSE,
    CLOSE_TERMINATED,
)

# --- what can have happened

RECEIVED: Final = events.ComplaintReceived(
    complaint_id=ID,
    request_id=REQUEST_ID,
    call_id=CallId("call-1"),
    channel="phone",
    district="海淀区",
    street="花园路街道",
    address="小关街5号楼",
    title="楼下消防通道被占",
    content="夜间无法进出",
    ruleset="beijing-draft-2021",
    calendar="cn-1",
    received_at=CALLED_AT,
)
CLASSIFIED: Final = events.ComplaintClassified(
    complaint_id=ID,
    request_type=RequestType.HELP,
    subject="停车",
    urgency=Urgency.GENERAL_7D,
    classified_by="agent-7",
    dispatch_due_at=DISPATCH_DUE_AT,
    classified_at=CALLED_AT,
)
NOT_TO_DISPATCH: Final = replace(CLASSIFIED, to_dispatch=False, dispatch_due_at=UNSET)
ASKED: Final = replace(NOT_TO_DISPATCH, request_type=RequestType.CONSULT)
"""A question that was answered on the spot (B2)."""
UNTIMED: Final = replace(CLASSIFIED, dispatch_due_at=UNSET)
"""As it was classified before there was a limit for dispatch, and is where the rule set has none."""
ANSWERED_DIRECTLY: Final = events.ComplaintAnsweredDirectly(
    complaint_id=ID, article_id="parking-12", article_version=3, answered_at=CALLED_AT
)
WITHDRAWN: Final = events.ComplaintWithdrawn(
    complaint_id=ID, reason="已自行解决", recalled_unit=STREET, withdrawn_at=CALLED_AT + HOUR
)
PROTECTED: Final = events.IdentityProtected(
    complaint_id=ID, anonymous=False, confidential=True, protected_at=CALLED_AT
)
LINKED: Final = events.MatterLinked(
    complaint_id=ID, matter_of=complaint_id("20210923-0042"), linked_by="agent-7", linked_at=CALLED_AT
)
RETALIATION: Final = events.RetaliationReported(
    complaint_id=ID, accused=STREET, about=complaint_id("20210901-0003"), reported_at=CALLED_AT
)
RATED: Final = events.RatingGiven(
    complaint_id=ID, satisfied=False, comment="没有人联系我", channel="web", rated_at=CALLED_AT + DAY
)
TURNED_AWAY: Final = events.ComplaintTurnedAway(
    complaint_id=ID, how=TurnedAway.EMERGENCY, to="119", reason="火情", turned_away_at=CALLED_AT
)
CORRECTED_RECORD: Final = events.RequestCorrected(
    complaint_id=ID,
    corrections=(events.Correction(field="address", old="小关街5号楼", new="小关街6号楼"),),
    corrected_by="agent-8",
    unit=STREET,
    corrected_at=CALLED_AT + HOUR,
)
CORRECTED_STREET: Final = events.RequestCorrected(
    complaint_id=ID,
    corrections=(events.Correction(field="street", old="花园路街道", new="小关街道"),),
    corrected_by="agent-8",
    unit=STREET,
    corrected_at=CALLED_AT + HOUR,
)
SUPPLEMENTED: Final = events.RequestSupplemented(
    complaint_id=ID,
    text="消防车昨晚也进不来",
    recorded_by="agent",
    unit=STREET,
    supplemented_at=CALLED_AT + HOUR,
)
REPEATED: Final = events.RequestRepeated(
    complaint_id=ID,
    repeat_id="20210925-0007",
    heat=2,
    by=REPEATED_BY,
    note="同楼住户",
    recorded_by="agent",
    unit=STREET,
    repeated_at=CALLED_AT + DAY,
)
INTAKE_REFUSED: Final = events.IntakeRefused(
    complaint_id=ID, asked="withdraw", reason="the life ended", refused_at=CALLED_AT + 9 * DAY
)
DISPATCHED: Final = events.ComplaintDispatched(
    complaint_id=ID,
    unit=STREET,
    level=Level.UNIT,
    rule="test-1: 停车→street",
    assignment=1,
    round=1,
    request_type=RequestType.HELP,
    subject="停车",
    urgency=Urgency.GENERAL_7D,
    district="海淀区",
    street="花园路街道",
    address="小关街5号楼",
    title="楼下消防通道被占",
    content="夜间无法进出",
    dispatched_at=CALLED_AT,
    sign_due_at=SIGN_DUE_AT,
    citizen_due_at=DUE_AT,
    unit_due_at=DUE_AT,
)
SIGNED: Final = events.OrderSigned(complaint_id=ID, unit=STREET, assignment=1, signed_at=CALLED_AT + HOUR)
ANSWERED: Final = events.OrderAnswered(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    result="已清理并划线",
    claims_solved=True,
    answered_at=CALLED_AT + DAY,
)
RETURN_REQUESTED: Final = events.ReturnRequested(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reason="不属本街道",
    evidence="辖区图",
    suggested_unit=OTHER_STREET,
    requested_at=CALLED_AT + 2 * HOUR,
)
RETURN_APPROVED: Final = events.ReturnApproved(
    complaint_id=ID, unit=STREET, assignment=1, reviewer="reviewer-3", approved_at=CALLED_AT + 3 * HOUR
)
RETURN_REJECTED: Final = events.ReturnRejected(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reviewer="reviewer-3",
    reason="属本街道",
    rejected_at=CALLED_AT + 3 * HOUR,
)
ASSIGNED: Final = events.OrderAssigned(
    complaint_id=ID,
    unit=DISTRICT,
    assignment=1,
    to_unit=STREET,
    reason="属地街道办理",
    assigned_at=CALLED_AT + HOUR,
)
MOVED: Final = events.OrderMoved(
    complaint_id=ID, unit=STREET, assignment=1, to_unit=OTHER_STREET, moved_at=CALLED_AT + HOUR
)
AMENDED_ORDER: Final = events.OrderAmended(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    subject="停车",
    district="海淀区",
    street="小关街道",
    names=OTHER_STREET,
    amended_at=CALLED_AT + HOUR,
)
EXTENSION_REQUESTED: Final = events.ExtensionRequested(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    days=5,
    reason="需要专业检测",
    citizen_told=True,
    requested_at=CALLED_AT + 2 * DAY,
)
EXTENSION_APPROVED: Final = events.ExtensionApproved(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    reviewer="reviewer-3",
    old_due_at=DUE_AT,
    new_due_at=DUE_AT + 5 * DAY,
    approved_at=CALLED_AT + 3 * DAY,
)
EXTENSION_REJECTED: Final = events.ExtensionRejected(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reviewer="reviewer-3",
    reason="可按期办结",
    rejected_at=CALLED_AT + 3 * DAY,
)
PAUSE_REQUESTED: Final = events.PauseRequested(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    ground=PauseGround.AWAITS_AUTHORITY,
    days=10,
    evidence="已向规划部门请示，见发文",
    requested_at=CALLED_AT + 2 * DAY,
)
PAUSE_APPROVED: Final = events.PauseApproved(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    ground=PauseGround.AWAITS_AUTHORITY,
    days=10,
    reviewer="reviewer-3",
    until=DUE_AT + 6 * DAY,
    old_due_at=DUE_AT,
    new_due_at=DUE_AT + 10 * DAY,
    approved_at=CALLED_AT + 3 * DAY,
)
PAUSE_REJECTED: Final = events.PauseRejected(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reviewer="reviewer-3",
    reason="可先行处置",
    rejected_at=CALLED_AT + 3 * DAY,
)
PAUSE_ENDED: Final = events.PauseEnded(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    reason="批复已到",
    old_due_at=DUE_AT + 10 * DAY,
    new_due_at=DUE_AT + 2 * DAY,
    ended_at=CALLED_AT + 5 * DAY,
)
TERMINATION_REQUESTED: Final = events.TerminationRequested(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    ground=TerminationGround.INFORMATION_REFUSED,
    evidence="三次联系均拒绝提供地址",
    requested_at=CALLED_AT + 2 * DAY,
)
TERMINATION_APPROVED: Final = events.TerminationApproved(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    ground=TerminationGround.INFORMATION_REFUSED,
    reviewer="reviewer-3",
    reason="",
    approved_at=CALLED_AT + 3 * DAY,
)
TERMINATION_REJECTED: Final = events.TerminationRejected(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reviewer="reviewer-3",
    reason="仍可核实",
    rejected_at=CALLED_AT + 3 * DAY,
)
DISPUTED: Final = events.DisputeRaised(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    reason="属区管道路",
    evidence="权属证明",
    raised_at=CALLED_AT + 4 * HOUR,
)
COUNCIL_DECIDED: Final = events.CouncilDecided(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    to_unit=WATER,
    participants=("市城管委", STREET),
    reason="管线权属",
    decided_at=CALLED_AT + DAY,
)
CO_UNIT_ADDED: Final = events.CoUnitAdded(
    complaint_id=ID,
    co_unit=WATER,
    unit=STREET,
    added_by="reviewer-3",
    reason="地下管线",
    subject="停车",
    district="海淀区",
    street="花园路街道",
    address="小关街5号楼",
    title="楼下消防通道被占",
    content="夜间无法进出",
    due_at=DUE_AT,
    added_at=CALLED_AT + 2 * HOUR,
)
CO_UNIT_REPORTED: Final = events.CoUnitReported(
    complaint_id=ID, co_unit=WATER, unit=STREET, result="管线已查", reported_at=CALLED_AT + DAY
)
RECLASSIFIED: Final = events.ComplaintReclassified(
    complaint_id=ID,
    unit=STREET,
    old_urgency=Urgency.GENERAL_7D,
    urgency=Urgency.COMPLEX_15D,
    reason="涉及多个单位",
    reclassified_by="reviewer-3",
    old_due_at=DUE_AT,
    citizen_due_at=DUE_AT + 8 * DAY,
    unit_due_at=DUE_AT + 8 * DAY,
    reclassified_at=CALLED_AT + 2 * DAY,
)
AMENDED: Final = events.CalendarAmended(
    complaint_id=ID,
    unit=STREET,
    old_calendar="cn-1",
    calendar="cn-2020-01-26",
    reason="国办通知",
    amended_by="operations",
    old_due_at=DUE_AT,
    new_due_at=DUE_AT,
    citizen_due_at=DUE_AT,
    unit_due_at=DUE_AT,
    amended_at=CALLED_AT + DAY,
)
CONFIDENTIAL: Final = events.ConfidentialityRequired(
    complaint_id=ID, unit=STREET, assignment=1, required_at=CALLED_AT
)
EXCLUSION_REQUESTED: Final = events.ExclusionRequested(
    complaint_id=ID,
    unit=STREET,
    ground=ExclusionGround.INVALID,
    evidence="现场无车道",
    requested_at=CALLED_AT + 3 * DAY,
)
EXCLUSION_APPROVED: Final = events.ExclusionApproved(
    complaint_id=ID,
    unit=STREET,
    ground=ExclusionGround.INVALID,
    reviewer="reviewer-3",
    reason="",
    approved_at=CALLED_AT + 4 * DAY,
)
EXCLUSION_REJECTED: Final = events.ExclusionRejected(
    complaint_id=ID,
    unit=STREET,
    reviewer="reviewer-3",
    reason="车道有标线",
    rejected_at=CALLED_AT + 4 * DAY,
)
CONTACTED: Final = events.CitizenContacted(
    complaint_id=ID, unit=STREET, assignment=1, round=1, channel="phone", contacted_at=CONTACT.at
)
CONTACT_FAILED: Final = events.ContactFailed(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    channel="phone",
    cause="no_answer",
    tried_at=CONTACT_IN_VAIN.at,
)
PROGRESSED: Final = events.ProgressReported(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    stage_feedback=True,
    text="已联系车主，周末清理",
    reported_at=PROGRESS.at,
)
SENT_BACK: Final = events.AnswerSentBack(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    reviewer="reviewer-3",
    reason="未附现场照片",
    sent_back_at=SEND_BACK.at,
)
REPLY_REFUSED: Final = events.ReplyRefused(
    complaint_id=ID, unit=STREET, asked="answer", reason="the order is answered", refused_at=CALLED_AT + DAY
)
DISPATCH_MISSED: Final = events.DispatchLimitMissed(
    complaint_id=ID,
    told=SUPERVISION,
    due_at=DISPATCH_DUE_AT,
    missed_at=DISPATCH_DUE_AT,
    noticed_at=DISPATCH_DUE_AT + INSTANT,
)
VISIT_MISSED: Final = events.VisitLimitMissed(
    complaint_id=ID,
    told=SUPERVISION,
    visit=1,
    due_at=VISIT_DUE_AT,
    missed_at=VISIT_DUE_AT,
    noticed_at=VISIT_DUE_AT + INSTANT,
)
SIGN_MISSED: Final = events.SignLimitMissed(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    due_at=SIGN_DUE_AT,
    missed_at=SIGN_DUE_AT,
    noticed_at=SIGN_DUE_AT + INSTANT,
)
FEEDBACK_MISSED: Final = events.AnswerLimitMissed(
    complaint_id=ID,
    unit=STREET,
    round=1,
    due_at=DUE_AT,
    missed_at=DUE_AT,
    noticed_at=DUE_AT + INSTANT,
)
ESCALATED: Final = events.ComplaintEscalated(
    complaint_id=ID,
    to_level=Level.DISTRICT,
    told=DISTRICT,
    unit=STREET,
    because=Limit.SIGN,
    next_at=SIGN_DUE_AT + DAY,
    escalated_at=SIGN_DUE_AT,
    noticed_at=SIGN_DUE_AT + INSTANT,
)
CORRECTED: Final = events.LimitMissCorrected(
    complaint_id=ID,
    limit=Limit.SIGN,
    unit=STREET,
    due_at=SIGN_DUE_AT,
    done_at=SIGN_DUE_AT - MINUTE,
    corrected_at=SIGN_DUE_AT + MINUTE,
)
BLOWN: Final = events.WhistleBlown(
    complaint_id=ID,
    whistle=1,
    unit=STREET,
    kind=WhistleKind.EMERGENCY,
    lead=WATER,
    scene="小关街5号楼",
    reason="消防通道无法清理",
    blown_at=CALLED_AT + 2 * HOUR,
)
CALLED: Final = events.UnitCalled(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    kind=WhistleKind.EMERGENCY,
    leads=True,
    scene="小关街5号楼",
    reason="消防通道无法清理",
    subject="停车",
    title="楼下消防通道被占",
    district="海淀区",
    arrive_by=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    called_at=CALLED_AT + 2 * HOUR,
)
ACKNOWLEDGED: Final = events.WhistleAcknowledged(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, acknowledged_at=ACKNOWLEDGE.at
)
ARRIVED: Final = events.WhistleArrived(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, persons=3, arrived_at=ARRIVE.at
)
MEASURED: Final = events.WhistleMeasureRecorded(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, measure="拖离车辆", recorded_at=MEASURE.at
)
RELEASED: Final = events.WhistleReleased(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, reason="已清理", released_at=RELEASE.at
)
UNIT_RATED: Final = events.WhistleRated(
    complaint_id=ID, whistle=1, rated_by=STREET, rated=WATER, stars=5, comment="及时", rated_at=RATE_UNIT.at
)
WARNED: Final = events.WarningGiven(
    complaint_id=ID,
    unit=STREET,
    round=1,
    colour=Colour.YELLOW,
    due_at=DUE_AT,
    warned_at=DUE_AT - 48 * HOUR,
    noticed_at=DUE_AT - 48 * HOUR + INSTANT,
)
SUPERVISED: Final = events.SupervisionOpened(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    unit=STREET,
    because=Limit.SIGN,
    due_at=SIGN_DUE_AT + 4 * DAY,
    opened_at=SIGN_DUE_AT + DAY,
    noticed_at=SIGN_DUE_AT + DAY + INSTANT,
)
SUPERVISION_MISSED: Final = events.SupervisionMissed(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    due_at=SIGN_DUE_AT + 4 * DAY,
    missed_at=SIGN_DUE_AT + 4 * DAY,
    noticed_at=SIGN_DUE_AT + 4 * DAY + INSTANT,
)
SUPERVISION_CLOSED: Final = events.SupervisionClosed(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    how="ComplaintClosed",
    outcome=Outcome.SOLVED,
    closed_at=CALLED_AT + 3 * DAY,
    noticed_at=CALLED_AT + 3 * DAY + INSTANT,
)
NOT_THERE: Final = events.ArrivalMissed(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    to_level=Level.DISTRICT,
    told=DISTRICT,
    due_at=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    next_at=CALLED_AT + 3 * HOUR,
    missed_at=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    noticed_at=CALLED_AT + 2 * HOUR + 30 * MINUTE + INSTANT,
)
VISIT_SCHEDULED: Final = events.VisitScheduled(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    reason=VisitReason.ANSWERED,
    unit=STREET,
    title="楼下消防通道被占",
    visit_at=CALLED_AT + DAY,
    scheduled_at=CALLED_AT + DAY,
)
VISIT_MADE: Final = events.VisitMade(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    solved=True,
    satisfied=True,
    reason="",
    channel="phone",
    visited_at=CALLED_AT + DAY + HOUR,
)
VISIT_UNREACHED: Final = events.VisitUnreached(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    cause="no_answer",
    channel="phone",
    attempted_at=CALLED_AT + DAY + HOUR,
)
REOPENED: Final = events.ComplaintReopened(
    complaint_id=ID, round=2, unit=STREET, reason="仍被占用", reopened_at=CALLED_AT + DAY + HOUR
)
CLOSED: Final = events.ComplaintClosed(
    complaint_id=ID, outcome=Outcome.SOLVED, visit=1, closed_at=CALLED_AT + DAY + HOUR
)
SUPERVISION_DECIDED: Final = events.SupervisionDecided(
    complaint_id=ID,
    unit=STREET,
    level=Level.DISTRICT,
    decided_by="supervisor-1",
    decision="今日内到现场并回复诉求人",
    decided_at=CALLED_AT + DAY,
)
VISIT_ANSWER_REFUSED: Final = events.VisitAnswerRefused(
    complaint_id=ID,
    asked="record a visit",
    reason="no visit is under way",
    refused_at=CALLED_AT + DAY,
)

FACTS: Final[tuple[Fact, ...]] = (
    RECEIVED,
    CLASSIFIED,
    ANSWERED_DIRECTLY,
    PROTECTED,
    LINKED,
    RETALIATION,
    TURNED_AWAY,
    CORRECTED_RECORD,
    SUPPLEMENTED,
    REPEATED,
    WITHDRAWN,
    RATED,
    INTAKE_REFUSED,
    DISPATCHED,
    SIGNED,
    ANSWERED,
    RETURN_REQUESTED,
    RETURN_APPROVED,
    RETURN_REJECTED,
    ASSIGNED,
    MOVED,
    AMENDED_ORDER,
    EXTENSION_REQUESTED,
    EXTENSION_APPROVED,
    EXTENSION_REJECTED,
    PAUSE_REQUESTED,
    PAUSE_APPROVED,
    PAUSE_REJECTED,
    PAUSE_ENDED,
    TERMINATION_REQUESTED,
    TERMINATION_APPROVED,
    TERMINATION_REJECTED,
    DISPUTED,
    COUNCIL_DECIDED,
    CO_UNIT_ADDED,
    CO_UNIT_REPORTED,
    RECLASSIFIED,
    AMENDED,
    CONFIDENTIAL,
    BLOWN,
    CALLED,
    ACKNOWLEDGED,
    ARRIVED,
    MEASURED,
    RELEASED,
    UNIT_RATED,
    WARNED,
    SUPERVISED,
    SUPERVISION_MISSED,
    SUPERVISION_CLOSED,
    NOT_THERE,
    EXCLUSION_REQUESTED,
    EXCLUSION_APPROVED,
    EXCLUSION_REJECTED,
    CONTACTED,
    CONTACT_FAILED,
    PROGRESSED,
    SENT_BACK,
    REPLY_REFUSED,
    DISPATCH_MISSED,
    VISIT_MISSED,
    SIGN_MISSED,
    FEEDBACK_MISSED,
    ESCALATED,
    CORRECTED,
    VISIT_SCHEDULED,
    VISIT_MADE,
    VISIT_UNREACHED,
    REOPENED,
    CLOSED,
    SUPERVISION_DECIDED,
    VISIT_ANSWER_REFUSED,
)
