"""An example of every message, all of one complaint: they stand in the contract, and tests send them."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.dispatch import *
from hotline.contract.examples.escalation import *
from hotline.contract.examples.feedback import *
from hotline.contract.examples.inputs import *
from hotline.contract.examples.intake import *
from hotline.contract.examples.of_one_complaint import *
from hotline.contract.examples.whistle import *
from shared.events import Fact

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
"""One of each fact."""
