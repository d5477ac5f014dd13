"""One well-formed example of every fact, input and command, all of one complaint; tests change what matters.

Facts and inputs are those of the published contract.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from hotline.contract.examples import *
from services.dispatch.decisions.corrections import FollowCorrection
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.dispatch.decisions.returns import AskedToReviewReturn
from services.escalation.rules import FireDeadlines
from services.feedback.decisions.closing import CloseTerminated
from services.feedback.decisions.visits import ScheduleVisit
from services.intake.decisions.recording import AskedToRecord
from services.intake.decisions.repeats import AskedToRepeat
from shared import inputs
from shared.asked import Asked
from shared.events.base import VisitReason
from shared.ids import ComplaintId
from shared.policy.catalogue import parsed

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

# --- what the desks are told

RECORD: Final = AskedToRecord(
    command=REQUEST, complaint_id=ID, ruleset="beijing-draft-2021", calendar="cn-1", at=CALLED_AT
)
WITHDRAW: Final = Asked(command=WITHDRAWAL, complaint_id=ID, at=CALLED_AT + HOUR)
CORRECT: Final = Asked(command=CORRECTION, complaint_id=ID, at=CALLED_AT + HOUR)
ADD: Final = Asked(command=SUPPLEMENT, complaint_id=ID, at=CALLED_AT + HOUR)
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
