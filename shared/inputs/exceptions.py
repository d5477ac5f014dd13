"""Commands of supervisors: a complaint may close without a visit's outcome."""

from __future__ import annotations

from typing import ClassVar

from shared.inputs.base import AboutComplaint, Why, Words


class CloseByException(AboutComplaint, frozen=True, kw_only=True):
    """A supervisor lets a complaint close without a visit's outcome, and says why (E3)."""

    TYPE: ClassVar[str] = "hotline.complaint.close_by_exception.v1"

    approved_by: Words
    reason: Why
