"""An example of every input, all of one complaint."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.of_one_complaint import (
    ID,
    OTHER_STREET,
    REQUEST_ID,
    STREET,
    WATER,
)
from shared import inputs
from shared.events.base import (
    ExclusionGround,
    PauseGround,
    RequestType,
    TerminationGround,
    Urgency,
    WhistleKind,
)

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
