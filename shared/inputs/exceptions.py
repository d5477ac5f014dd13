"""Commands of supervisors: what a unit must do, and that a complaint closes without a visit's outcome."""

from __future__ import annotations

from typing import ClassVar

from shared.inputs.base import AboutComplaint, Evidence, Why, Words


class CloseByException(AboutComplaint, frozen=True, kw_only=True):
    """A supervisor lets a complaint close without a visit's outcome, and says why (E3)."""

    TYPE: ClassVar[str] = "hotline.complaint.close_by_exception.v1"

    approved_by: Words
    reason: Why


class DecideSupervision(AboutComplaint, frozen=True, kw_only=True):
    """A supervisor says what is to be done about a complaint that has climbed to a district or the top (督办)."""

    TYPE: ClassVar[str] = "hotline.supervision.decide.v1"

    decided_by: Words
    decision: Evidence
