"""The dialler records a visit; a supervisor lets a complaint close without one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.inputs.base import (
    Count,
    Input,
    Name,
    Uuid,
    Why,
    Words,
)


class RecordVisit(Input, frozen=True, kw_only=True):
    """The citizen was reached and judged."""

    TYPE: ClassVar[str] = "hotline.visit.record.v1"

    complaint_id: Uuid
    visit: Count
    attempt: Count
    solved: bool
    satisfied: bool
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    channel: Name = "phone"


class RecordUnreached(Input, frozen=True, kw_only=True):
    """An attempt did not reach the citizen."""

    TYPE: ClassVar[str] = "hotline.visit.record_unreached.v1"

    complaint_id: Uuid
    visit: Count
    attempt: Count
    cause: Name = "no_answer"
    channel: Name = "phone"


class CloseByException(Input, frozen=True, kw_only=True):
    """A supervisor lets a complaint close without a visit's outcome, and says why (E3)."""

    TYPE: ClassVar[str] = "hotline.complaint.close_by_exception.v1"

    complaint_id: Uuid
    approved_by: Words
    reason: Why
