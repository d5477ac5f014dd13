"""Other complaints that a command is decided on: as they stand in the transaction that writes what was decided.

Which these are, the command says or what it claims (`shared.desk.Claim`). They are read after the command's own
complaint, and only where there are any. Where one of them moves before the facts are written, all is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from shared.complaint import Case, Complaint
from shared.ids import ComplaintId

CaseOf = Callable[[ComplaintId], Complaint | None]
"""A complaint as it stands now; None where it is not read, or cannot be."""


class Seeing:
    """A command that is decided on other complaints too; they come to it in its field `seen`."""

    __slots__ = ()

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        """Those it must know, as far as those read so far tell; asked again when these are read."""
        raise NotImplementedError


def held_for(complaint_id: ComplaintId) -> str:
    """A complaint as the inbox keeps it beside a claim: 32 hexadecimal digits."""
    return complaint_id.replace("-", "")


def holder_of(content: str | None) -> ComplaintId | None:
    """The complaint that holds a claim; None where that was not kept."""
    return None if content is None else ComplaintId(str(UUID(content)))
