"""Examples of dispatch's facts about orders and their limits."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.of_one_complaint import (
    CALLED_AT,
    DAY,
    DISTRICT,
    DUE_AT,
    HOUR,
    ID,
    OTHER_STREET,
    SIGN_DUE_AT,
    STREET,
    WATER,
)
from shared import events
from shared.events.base import ExclusionGround, Level, PauseGround, RequestType, TerminationGround, Urgency

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
    complaint_id=ID, unit=STREET, assignment=1, round=1, channel="phone", contacted_at=CALLED_AT + 3 * HOUR
)
CONTACT_FAILED: Final = events.ContactFailed(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    channel="phone",
    cause="no_answer",
    tried_at=CALLED_AT + 2 * HOUR,
)
PROGRESSED: Final = events.ProgressReported(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    stage_feedback=True,
    text="已联系车主，周末清理",
    reported_at=CALLED_AT + 5 * HOUR,
)
SENT_BACK: Final = events.AnswerSentBack(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    round=1,
    reviewer="reviewer-3",
    reason="未附现场照片",
    sent_back_at=CALLED_AT + DAY + HOUR,
)
REPLY_REFUSED: Final = events.ReplyRefused(
    complaint_id=ID, unit=STREET, asked="answer", reason="the order is answered", refused_at=CALLED_AT + DAY
)
