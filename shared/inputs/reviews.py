"""Commands of reviewers and councils."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.events.base import (
    Urgency,
)
from shared.inputs.base import (
    AboutComplaint,
    Code,
    Count,
    Why,
    Words,
)


class ReviewReturn(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer's decision on a return."""

    TYPE: ClassVar[str] = "hotline.return.review.v1"

    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    to_unit: Code | None = None
    """Where it should go instead; without it the suggested unit, else the district."""


class ReviewExtension(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer's decision on an extension."""

    TYPE: ClassVar[str] = "hotline.extension.review.v1"

    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class ReviewPause(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer's decision on a pause."""

    TYPE: ClassVar[str] = "hotline.pause.review.v1"

    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class ReviewTermination(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer's decision on a termination."""

    TYPE: ClassVar[str] = "hotline.termination.review.v1"

    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class DecideCouncil(AboutComplaint, frozen=True, kw_only=True):
    """Those concerned met and named the unit."""

    TYPE: ClassVar[str] = "hotline.council.decide.v1"

    assignment: Count
    to_unit: Code
    participants: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1, max_length=50)]
    co_units: Annotated[tuple[Code, ...], msgspec.Meta(max_length=50)] = ()
    reason: Why


class AddCoUnit(AboutComplaint, frozen=True, kw_only=True):
    """The reviewers ask another unit to help."""

    TYPE: ClassVar[str] = "hotline.co_unit.add.v1"

    co_unit: Code
    reason: Why
    added_by: Words


class ReclassifyComplaint(AboutComplaint, frozen=True, kw_only=True):
    """The reviewers give a complaint another urgency."""

    TYPE: ClassVar[str] = "hotline.complaint.reclassify.v1"

    urgency: Urgency
    reason: Why
    reclassified_by: Words


class AmendCalendar(AboutComplaint, frozen=True, kw_only=True):
    """An open complaint is to go by another version of the calendar."""

    TYPE: ClassVar[str] = "hotline.calendar.amend.v1"

    calendar: Code
    reason: Why
    amended_by: Words


class ReviewExclusion(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer's decision on an exclusion."""

    TYPE: ClassVar[str] = "hotline.exclusion.review.v1"

    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class SendBackAnswer(AboutComplaint, frozen=True, kw_only=True):
    """The reviewer does not let a unit's answer through, and says why."""

    TYPE: ClassVar[str] = "hotline.answer.send_back.v1"

    assignment: Count
    reviewer: Words
    reason: Why
