"""The findings of `hotline verify`, for a program and for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    pass

PROBLEMS_MAX: Final = 100
"""Problems listed; all are counted."""


WHAT_TO_DO: Final = (
    "keep the number with `hotline contact put COMPLAINT` and correct the record without it (`hotline request correct "
    "COMPLAINT`), so that no later order has it; the fact that was stated stays as it is"
)
"""Of a citizen's number in a text."""


class Problem(msgspec.Struct, frozen=True):
    """Something that does not hold."""

    complaint_id: str
    """Of which complaint; empty where it is about no single one."""
    what: str


class Report(msgspec.Struct, kw_only=True):
    """The counts of what was read, and the findings."""

    complaints: int = 0
    open: int = 0
    ended: dict[str, int] = {}
    """Lives that are over, by outcome or by the fact that ended them."""
    detached: int = 0
    """Lives whose facts lie in a month of the archive that is away: their ends were compared, and what came after."""
    facts: int = 0
    by_type: dict[str, int] = {}
    refusals: int = 0
    waiting_with_deadline: int = 0
    """Open complaints with a next deadline."""
    waiting_for: dict[str, int] = {}
    """Whom open complaints wait for: `unit`, `reviewer`, `dialler`, `operator`, or a desk by its name."""
    timers: int = 0
    parked: int = 0
    contacts_without_record: int = 0
    """Contacts that came over HTTP and whose request is not on record: on its way, set aside, or never sent.
    `hotline contact shred` deletes them after a day."""
    drained: bool = False
    """Whether the relay has sent all there is."""
    heard: dict[str, bool] = {}
    """Of each desk that hears the log: whether it has taken in all that was sent; empty where Kafka was
    not asked. Only of such a desk can it be said that a complaint waits for it in vain."""
    compared: list[str] = []
    """The views that were held against the facts: `heads`, `timers`; and where Kafka was asked the desks'
    offsets against the ends of its topics."""
    anchors: int | None = None
    """Anchors the facts were held against; None where no file of anchors was given."""
    anchored: int = 0
    """Facts in them."""
    not_anchored: int = 0
    """Facts after the last of them: of these nothing is known but what they say themselves."""
    not_checkable: int = 0
    """Anchored facts in a month of the archive that is away."""
    restores: int = 0
    """How often the anchors say that the log was put back from a backup."""
    anchors_void: int = 0
    """Anchors of a log that was given up by that."""
    programmes: int = 0
    """Monthly programmes and project lists."""
    programme_facts: int = 0
    """The facts recorded of them, refusals included."""
    seconds: float = 0.0
    problem_count: int = 0
    problems: list[Problem] = []
    notice_count: int = 0
    """Notices: all holds, and a person should know; `what_to_do` says what can be done. It is no problem."""
    notices: list[Problem] = []
    what_to_do: str = ""

    def found(self, complaint_id: str, what: str) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(complaint_id, what))

    def noticed(self, complaint_id: str, what: str) -> None:
        """Note what is no problem; what can be done about it is the same for all of its kind."""
        self.notice_count += 1
        self.what_to_do = WHAT_TO_DO
        if len(self.notices) < PROBLEMS_MAX:
            self.notices.append(Problem(complaint_id, what))
