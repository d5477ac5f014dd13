"""Whether the facts of intake may follow. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET

from hotline.audit.legality.orders import with_another
from shared.complaint import WHERE_AND_WHAT, Complaint
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    Fact,
    IdentityProtected,
    MatterLinked,
    RatingGiven,
    RequestCorrected,
    RequestRepeated,
    RequestSupplemented,
    RetaliationReported,
)
from shared.events.base import RequestType, TurnedAway
from shared.ids import complaint_id, repeat_key
from shared.policy.ruleset import ruleset
from shared.times import stated

_CORRECTED: Final = frozenset(("title", "content", "address", *WHERE_AND_WHAT))


def judge_beginning(fact: ComplaintReceived) -> str | None:
    """Why a life may not begin with this fact; None where it may."""
    rules = ruleset(fact.ruleset)
    if fact.complaint_id != complaint_id(fact.request_id, fact.speaker or ""):
        return f"its id does not follow from request {fact.request_id}"
    if rules.limits_given and fact.given_due_at is None:
        return f"rule set {fact.ruleset} needs the limit given, and none came"
    return None


def _judge_complaint_received(_: Complaint, __: ComplaintReceived, ___: Fact) -> str | None:
    return "the complaint is on record already"


def _judge_complaint_classified(case: Complaint, fact: ComplaintClassified, _: Fact) -> str | None:
    if case.urgency is not None:
        return "it is classified already"
    limit = ruleset(case.ruleset).classes[fact.urgency].dispatch
    if (fact.dispatch_due_at is not UNSET) and (limit is None or not fact.to_dispatch):
        return "nothing is to be dispatched by then (C1)"
    if fact.dispatch_due_at is not UNSET and fact.dispatch_due_at <= fact.classified_at:
        return "the limit for dispatch ends before it begins (C1)"
    return None


def _judge_on_the_spot(
    case: Complaint, fact: ComplaintAnsweredDirectly | ComplaintTurnedAway, before: Fact
) -> str | None:
    if not isinstance(before, ComplaintClassified) or before.to_dispatch:
        return "only a request classified as not to be dispatched is answered on the spot"
    if isinstance(fact, ComplaintAnsweredDirectly):
        asked = before.request_type is RequestType.CONSULT
        return None if asked else f"a {before.request_type} is acted on and asked about (B2, E3)"
    if fact.how is TurnedAway.RECORDED_TWICE and (case.call_id is None or fact.to != case.call_id):
        return "only what came in a call is recorded twice, and points to that call (T7)"
    return None


def _judge_at_recording(case: Complaint, fact: IdentityProtected | MatterLinked, _: Fact) -> str | None:
    if isinstance(fact, MatterLinked) and fact.same_call is True and case.call_id is None:
        return "it came in no call"
    return None if case.urgency is None else "that is said when it is recorded"


def _judge_retaliation_reported(case: Complaint, _: RetaliationReported, before: Fact) -> str | None:
    if not isinstance(before, IdentityProtected) or not case.confidential:
        return "a report of retaliation is confidential, and that is said just before"
    return None


def _judge_rating_given(case: Complaint, fact: RatingGiven, _: Fact) -> str | None:
    """At any time, the last word is the one that counts."""
    if case.rated_at is None or fact.rated_at >= case.rated_at:
        return None
    return f"a rating of {stated(case.rated_at, case.ruleset)} is on record"


def _judge_request_corrected(case: Complaint, fact: RequestCorrected, _: Fact) -> str | None:
    if not fact.corrections:
        return "it corrects nothing"
    for correction in fact.corrections:
        if correction.field not in _CORRECTED:
            return f"{correction.field} is not corrected"
        if not correction.new and correction.field in {"subject", "district"}:
            return f"no record is without a {correction.field}"
        known = getattr(case, correction.field) or ""
        if correction.old != known or correction.old == correction.new:
            return f"{correction.field} is on record otherwise"
    return with_another(case, fact.unit)


def _judge_request_supplemented(case: Complaint, fact: RequestSupplemented, _: Fact) -> str | None:
    return with_another(case, fact.unit)


def _judge_request_repeated(case: Complaint, fact: RequestRepeated, _: Fact) -> str | None:
    if fact.heat != case.heat + 1 or repeat_key(fact.repeat_id, fact.speaker or "") in case.repeats:
        return f"it was brought up {case.heat} times, by {', '.join(case.repeats) or 'nobody again'}"
    return with_another(case, fact.unit)


def _judge_complaint_withdrawn(case: Complaint, fact: ComplaintWithdrawn, _: Fact) -> str | None:
    return with_another(case, fact.recalled_unit)


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    ComplaintReceived: _judge_complaint_received,
    ComplaintClassified: _judge_complaint_classified,
    IdentityProtected: _judge_at_recording,
    MatterLinked: _judge_at_recording,
    RetaliationReported: _judge_retaliation_reported,
    RatingGiven: _judge_rating_given,
    ComplaintAnsweredDirectly: _judge_on_the_spot,
    ComplaintTurnedAway: _judge_on_the_spot,
    RequestCorrected: _judge_request_corrected,
    RequestSupplemented: _judge_request_supplemented,
    RequestRepeated: _judge_request_repeated,
    ComplaintWithdrawn: _judge_complaint_withdrawn,
}
