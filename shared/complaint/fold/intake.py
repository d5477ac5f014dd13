"""Applies the facts of intake. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from shared.complaint.state import (
    ANSWER,
    HOTLINE,
    REPEATS_KEPT,
    RETALIATION_ABOUT,
    WHERE_AND_WHAT,
    Complaint,
    Deadline,
    DistrictBefore,
    Recorded,
    matter,
    text_digest,
)
from shared.events import (
    ComplaintClassified,
    ComplaintReceived,
    Fact,
    IdentityProtected,
    IntakeRefused,
    MatterLinked,
    RatingGiven,
    RequestCorrected,
    RequestRepeated,
    RequestSupplemented,
    RetaliationReported,
)
from shared.events.base import Limit
from shared.ids import repeat_key


def received(fact: ComplaintReceived) -> Complaint:
    """The complaint as it is first on record."""
    return Complaint(
        complaint_id=fact.complaint_id,
        request_id=fact.request_id,
        call_id=fact.call_id,
        ruleset=fact.ruleset,
        calendar=fact.calendar,
        received_at=fact.received_at,
        district=fact.district,
        street=fact.street,
        address=fact.address,
        title=fact.title,
        content=fact.content,
        given_due_at=fact.given_due_at,
        attachments=fact.attachments or (),
    )


def _apply_intake_refused(case: Complaint, fact: IntakeRefused) -> Complaint:
    if fact.link is not UNSET:
        if fact.reason.startswith(RETALIATION_ABOUT):
            return replace(case, about_refused=fact.link)
        return replace(case, matter_refused=fact.link)
    if fact.asked != ANSWER:
        return case
    return replace(
        case, answer_refused=True, article_id=fact.article_id or "", article_version=fact.article_version or 0
    )


def _apply_identity_protected(case: Complaint, fact: IdentityProtected) -> Complaint:
    return replace(case, anonymous=fact.anonymous, confidential=fact.confidential)


def _apply_matter_linked(case: Complaint, fact: MatterLinked) -> Complaint:
    return replace(case, matter_of=fact.matter_of, linked_by_call=fact.same_call is True)


def _apply_retaliation_reported(case: Complaint, fact: RetaliationReported) -> Complaint:
    return replace(case, accused=fact.accused, retaliation_about=fact.about)


def _apply_rating_given(case: Complaint, fact: RatingGiven) -> Complaint:
    return replace(case, rated_at=fact.rated_at)


def _apply_request_corrected(case: Complaint, fact: RequestCorrected) -> Complaint:
    said: dict[str, str | None] = {one.field: one.new for one in fact.corrections}
    if "street" in said:
        said["street"] = said["street"] or None
    order = case.order
    if order is not None and order.written_for is None and not said.keys().isdisjoint(WHERE_AND_WHAT):
        order = replace(order, written_for=matter(case))
    before = case.districts_before
    if "district" in said:
        before = (*before, DistrictBefore(district=case.district, until=fact.corrected_at))
    return replace(case, order=order, districts_before=before, recorded=_as_recorded(case, fact), **said)


def _as_recorded(case: Complaint, fact: RequestCorrected) -> tuple[Recorded, ...]:
    """The request's own value of every corrected field: the value that its first correction found."""
    known = {one.field for one in case.recorded}
    return (
        *case.recorded,
        *(
            Recorded(field=one.field, digest=text_digest(one.old))
            for one in fact.corrections
            if one.field not in known
        ),
    )


def _apply_request_supplemented(case: Complaint, fact: RequestSupplemented) -> Complaint:
    new = tuple(kept for kept in fact.attachments or () if kept not in case.attachments)
    return replace(
        case,
        added=(*case.added, fact.text),
        attachments=(*case.attachments, *new),
        attachments_added=case.attachments_added + len(new),
    )


def _apply_request_repeated(case: Complaint, fact: RequestRepeated) -> Complaint:
    known = repeat_key(fact.repeat_id, fact.speaker or "")
    return replace(case, heat=fact.heat, repeats=(*case.repeats, known)[-REPEATS_KEPT:])


def _apply_complaint_classified(case: Complaint, fact: ComplaintClassified) -> Complaint:
    deadlines = case.deadlines
    if fact.dispatch_due_at is not UNSET:
        own = Deadline(
            limit=Limit.DISPATCH, due_at=fact.dispatch_due_at, unit=HOTLINE, since=fact.classified_at
        )
        deadlines = (*deadlines, own)
    return replace(
        case,
        request_type=fact.request_type,
        subject=fact.subject,
        urgency=fact.urgency,
        deadlines=deadlines,
    )


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    IntakeRefused: _apply_intake_refused,
    IdentityProtected: _apply_identity_protected,
    MatterLinked: _apply_matter_linked,
    RetaliationReported: _apply_retaliation_reported,
    RatingGiven: _apply_rating_given,
    ComplaintClassified: _apply_complaint_classified,
    RequestCorrected: _apply_request_corrected,
    RequestSupplemented: _apply_request_supplemented,
    RequestRepeated: _apply_request_repeated,
}
