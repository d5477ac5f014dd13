"""Commands of the dialler: what came of a visit."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.inputs.base import (
    AboutComplaint,
    Count,
    Name,
)


class RecordVisit(AboutComplaint, frozen=True, kw_only=True):
    """The citizen was reached and judged."""

    TYPE: ClassVar[str] = "hotline.visit.record.v1"

    visit: Count
    attempt: Count
    solved: bool
    satisfied: bool
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    channel: Name = "phone"


class RecordUnreached(AboutComplaint, frozen=True, kw_only=True):
    """An attempt did not reach the citizen."""

    TYPE: ClassVar[str] = "hotline.visit.record_unreached.v1"

    visit: Count
    attempt: Count
    cause: Name = "no_answer"
    channel: Name = "phone"
