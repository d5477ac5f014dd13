"""A table of acts on tasks: progress, completion, verification, rejection, long-term plans and reviews. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hotline.governance import facts as f
from hotline.governance.table import Faults, day_in
from shared.runtime.errors import UserError
from shared.text import folded, folded_code, has_words, quoted

COLUMNS: Final = ("programme", "task", "act", "text", "review")
"""The heading of a table of acts; `hotline programme tasks --csv` writes one with what it is about beside."""


class Act(StrEnum):
    """Something that is said of a task."""

    PROGRESS = "progress"
    COMPLETE = "complete"
    VERIFY = "verify"
    REJECT = "reject"
    LONG_TERM = "long-term"
    REVIEW = "review"


_TEXTS: Final = {
    Act.PROGRESS: "text",
    Act.COMPLETE: "evidence",
    Act.REJECT: "reason",
    Act.LONG_TERM: "plan",
    Act.REVIEW: "found",
}
"""The field that the column `text` fills; a verification has none."""
_FACTS: Final[dict[Act, type[f.ProgrammeFact]]] = {
    Act.PROGRESS: f.TaskProgressed,
    Act.COMPLETE: f.TaskCompleted,
    Act.VERIFY: f.TaskVerified,
    Act.REJECT: f.CompletionRejected,
    Act.LONG_TERM: f.LongTermApproved,
    Act.REVIEW: f.LongTermReviewed,
}
_TASK_DIGITS_MAX: Final = 6


def acts_in(
    rows: Iterable[Mapping[str, str]],
    name: str,
    called: Callable[[str], f.ProgrammeId],
    by: str,
    now: datetime,
) -> dict[f.ProgrammeId, list[f.Wanted]]:
    """The wishes of this table by programme, in its order; rows without an act are passed over.

    `called` finds a programme by its id or the beginning of it. Raises `TableInvalid`.
    """
    faults = Faults(name)
    found: dict[f.ProgrammeId, list[f.Wanted]] = {}
    for line, row in enumerate(rows, 2):
        if not has_words(row["act"]):
            continue
        try:
            wish = _wish(row, called(row["programme"]), by, now)
        except UserError as error:
            faults.note(line, error)
        else:
            found.setdefault(wish.programme_id, []).append(wish)
    faults.judge()
    return found


def _wish(row: Mapping[str, str], programme: f.ProgrammeId, by: str, now: datetime) -> f.Wanted:
    try:
        act = Act(folded_code(row["act"]))
    except ValueError:
        raise UserError(f"act: {quoted(row['act'])}, expected one of {', '.join(Act)}") from None
    task = folded_code(row["task"])
    if not (task.isascii() and task.isdecimal() and len(task) <= _TASK_DIGITS_MAX and int(task)):
        raise UserError(f"task: {quoted(row['task'])}, expected the task's number")
    fields: dict[str, Any] = {}
    if act in _TEXTS:
        if not has_words(row["text"]):
            raise UserError(f"text: empty, expected words for {act}")
        fields[_TEXTS[act]] = folded(row["text"])
    if act in {Act.LONG_TERM, Act.REVIEW}:
        fields["review_on"] = day_in(row, "review")
    made = _FACTS[act]
    wish = made(programme_id=programme, by=by, **{made.TIME: now}, task=int(task), **fields)  # type: ignore[call-arg]
    assert isinstance(wish, f.OfTask)  # noqa: S101 -- each of `_FACTS` is one
    return wish
