"""The faults that a page tells, in the reader's language."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from hotline.web.pages.catalogues import N_


class _Fault(NamedTuple):
    status: int
    title: str
    detail: str


class PageFault(Enum):
    """Every kind of page that only says what went wrong."""

    NOT_FOUND = _Fault(404, N_("Not found"), N_("There is no such page, or it is none of yours."))
    NOT_ALLOWED = _Fault(403, N_("Not allowed"), N_("Your role does not have this page."))
    FOREIGN = _Fault(403, N_("Not allowed"), N_("The form came from another site. Nothing was done."))
    BAD_REQUEST = _Fault(400, N_("Not understood"), N_("The address or the form is not as it must be."))
    TOO_MANY = _Fault(429, N_("Too fast"), N_("Too many requests came from here. Wait a moment."))
    AWAY = _Fault(
        503, N_("Not just now"), N_("The log cannot be read just now. The page tries again by itself.")
    )
    FAILED = _Fault(
        503, N_("Not just now"), N_("It cannot be answered just now. Those who run the hotline can see why.")
    )


class PageRefusal(Exception):  # noqa: N818 -- an answer, not our failure
    """The page is answered with this fault."""

    def __init__(self, fault: PageFault) -> None:
        """See `PageFault`."""
        super().__init__(fault.name)
        self.fault: Final = fault
