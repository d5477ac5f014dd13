"""Examples of intake's facts."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from hotline.contract.examples.of_one_complaint import (
    CALLED_AT,
    DAY,
    DISPATCH_DUE_AT,
    HOUR,
    ID,
    REPEATED_BY,
    REQUEST_ID,
    STREET,
)
from shared import events
from shared.events.base import RequestType, TurnedAway, Urgency
from shared.ids import CallId, complaint_id

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
