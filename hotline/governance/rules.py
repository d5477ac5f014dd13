"""The rules of a programme (H1, Q5, T26, T27): which facts may be recorded. Pure.

A wish is told as the fact it would be. `why_not` says why it cannot be one. `decide` makes of it the fact, a refusal,
or nothing where it is so already. `hotline verify` asks `why_not` again of every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hotline.governance import facts as f
from hotline.governance.state import Programme, Task, TaskStanding
from shared.deciding import alike
from shared.text import has_words
from shared.wording import TextInvalid, looked_at

_OF_ANY: Final = (f.ProgrammeAdopted, f.PolicyIssued, f.ClosingExceptionApproved, f.ProgrammeClosed)
"""Of a proposal too: one that is never adopted is closed by an exception."""


_NOBODY: Final = "by: blank, expected who decides"


def decide(state: Programme | None, wanted: f.Wanted) -> Sequence[f.Recorded]:
    """The fact, or a refusal; nothing where it is so already.

    Raises `NoSuchProgramme` where there is none yet and this does not begin one: a refusal has no place then.
    """
    if state is None and not isinstance(wanted, f.BEGINNINGS):
        raise NoSuchProgramme(wanted.programme_id)
    if state is not None and _is_so(state, wanted):
        return ()
    reason = why_not(state, wanted)
    if reason is None:
        return (wanted,)
    return (
        f.WishRefused(
            programme_id=wanted.programme_id,
            by=wanted.by,
            wanted=wanted,
            reason=reason,
            refused_at=wanted.at,
        ),
    )


class NoSuchProgramme(Exception):  # noqa: N818 -- somebody named the wrong one, not our failure
    """No programme has this id."""

    def __init__(self, programme_id: str) -> None:
        """The id nobody knows."""
        super().__init__(f"no programme {programme_id} is on record")


def why_not(state: Programme | None, wanted: f.Wanted) -> str | None:
    """Why this cannot become a fact in this state; None where it can."""
    try:
        looked_at(wanted)
    except TextInvalid as error:
        return str(error)
    return _why_not(state, wanted)


def _why_not(state: Programme | None, wanted: f.Wanted) -> str | None:
    if isinstance(wanted, f.BEGINNINGS):
        return _beginning(state, wanted)
    if state is None:
        return "nothing has begun it"
    if state.closed is not None:
        return f"it is closed ({state.closed})"
    if not state.adopted and not isinstance(wanted, _OF_ANY):
        return "it is not adopted yet"
    if isinstance(wanted, f.OfTask):
        return _of_task(state, wanted)
    return _of_whole(state, wanted)


def _beginning(state: Programme | None, wanted: f.ProgrammeProposed | f.ListDrawnUp) -> str | None:
    if state is not None:
        return "it is on record already, with another lead or out of other complaints"
    if isinstance(wanted, f.ProgrammeProposed):
        return None if has_words(wanted.lead) else "lead: empty, expected the unit that leads"
    return None if has_words(wanted.owner) else "owner: empty, expected whose list it is"


def _of_whole(state: Programme, wanted: f.OfWhole) -> str | None:  # noqa: PLR0911 -- a line a fact
    match wanted:
        case f.ProgrammeAdopted():
            return "it is adopted already" if state.adopted else None
        case f.ItemNamed():
            return _naming(state, wanted)
        case f.LeadChanged():
            known = wanted.item in state.items
            return _led(wanted.lead, wanted.cooperating) if known else _no_item(state, wanted.item)
        case f.TaskSet():
            return _setting(state, wanted)
        case f.PolicyIssued():
            return "it is recorded already" if wanted.document in state.policies else None
        case f.AssessmentMade():
            return _assessing(state, wanted)
        case f.AnswerOffered():
            return _offering(state, wanted)
        case f.ClosingExceptionApproved():
            return _not_concerned(state, wanted.by, "approves no exception for it")
        case f.ProgrammeClosed():
            return _closing(state, wanted.basis)


def _of_task(state: Programme, wanted: f.OfTask) -> str | None:  # noqa: PLR0911 -- a line a refusal
    task = state.tasks.get(wanted.task)
    if task is None:
        return f"task: there is no {wanted.task}, expected one of 1 to {len(state.tasks)}"
    match wanted:
        case f.TaskProgressed() | f.TaskCompleted():
            return f"task {task.number} is {task.standing}" if task.done else None
        case f.LongTermApproved():
            return _long_term(task, wanted)
        case f.LongTermReviewed():
            if task.standing is not TaskStanding.LONG_TERM_ONGOING:
                return f"task {task.number} is {task.standing}, expected LONG_TERM_ONGOING"
            return _own_task(wanted.by, (task.owner,), "does not review it") or _later(wanted)
        case f.TaskVerified() | f.CompletionRejected():
            if task.standing is not TaskStanding.COMPLETE:
                return f"task {task.number} is {task.standing}, expected COMPLETE"
            return _own_task(wanted.by, (task.owner, task.completed_by), "does not verify it")


def _naming(state: Programme, wanted: f.ItemNamed) -> str | None:
    if wanted.item != len(state.items) + 1:
        return f"item: {wanted.item}, expected {len(state.items) + 1}, the next"
    return _led(wanted.lead, wanted.cooperating)


def _led(lead: str, cooperating: tuple[str, ...]) -> str | None:
    """Exactly one leads; nothing is said of how many problems or themes a unit may lead (T27)."""
    if not has_words(lead):
        return "lead: empty, expected the one unit that leads"
    if lead in cooperating:
        return f"cooperating: {lead} leads already"
    if len(set(cooperating)) < len(cooperating) or not all(map(has_words, cooperating)):
        return "cooperating: a unit is empty or stands in it twice"
    return None


def _setting(state: Programme, wanted: f.TaskSet) -> str | None:
    if wanted.item not in state.items:
        return _no_item(state, wanted.item)
    if wanted.task != len(state.tasks) + 1:
        return f"task: {wanted.task}, expected {len(state.tasks) + 1}, the next"
    if not has_words(wanted.owner):
        return "owner: empty, expected the unit that does it"
    return None


def _offering(state: Programme, wanted: f.AnswerOffered) -> str | None:
    if wanted.item not in state.items:
        return _no_item(state, wanted.item)
    members = [one.complaint_id for one in wanted.members]
    if wanted.first in members:
        return f"members: {wanted.first} is the complaint whose answer is offered"
    if len(set(members)) < len(members):
        return "members: a complaint stands in it twice"
    if not all(has_words(one.unit) for one in wanted.members):
        return "members: a complaint that lies with no unit, expected one that has an order"
    return None


def _offered_to(members: tuple[f.Member, ...]) -> list[tuple[str, str]]:
    """The complaints and their units; a number adds nothing, and facts of before have none."""
    return [(one.complaint_id, one.unit) for one in members]


def _no_item(state: Programme, item: int) -> str:
    word = "problem" if state.is_monthly else "project"
    return f"{word}: there is no {item}, expected one of 1 to {len(state.items)}"


def _long_term(task: Task, wanted: f.LongTermApproved) -> str | None:
    if task.standing not in {TaskStanding.PLANNED, TaskStanding.IN_PROGRESS}:
        return f"task {task.number} is {task.standing}"
    if task.overdue(wanted.at.date()):
        # As with an extension (T6): what is overdue does not stop being so by a plan made afterwards.
        return f"task {task.number} was due on {task.due}: it is overdue, and long-term only by a plan made before"
    return _own_task(wanted.by, (task.owner,), "does not approve its plan") or _later(wanted)


def _later(wanted: f.LongTermApproved | f.LongTermReviewed) -> str | None:
    today = wanted.at.date()
    if wanted.review_on <= today:
        return f"review_on: {wanted.review_on}, expected a day after {today}"
    return None


def _assessing(state: Programme, wanted: f.AssessmentMade) -> str | None:
    rate = wanted.survey_rate
    if not rate.is_finite() or not 0 <= rate <= 100:  # noqa: PLR2004 -- percent
        return f"survey_rate: {rate}, expected percent from 0 to 100"
    return _not_concerned(state, wanted.by, "does not assess it")


def _not_concerned(state: Programme, by: str, what: str) -> str | None:
    if not alike(by):
        return _NOBODY
    if alike(by) == alike(state.proposed_by):
        return f"by: it was proposed by the same, and that one {what}"
    return f"whoever leads, helps or owns a task of it {what}" if alike(by) in state.concerned() else None


def _own_task(by: str, own: tuple[str, ...], what: str) -> str | None:
    if not alike(by):
        return _NOBODY
    done = "" if len(own) == 1 else " or completed it"
    return f"whoever owns a task{done} {what}" if alike(by) in set(map(alike, own)) else None


def _closing(state: Programme, basis: f.Basis) -> str | None:
    """Closed only with an assessment, or by an approved exception (the seed's invariant)."""
    if basis is f.Basis.EXCEPTION:
        return None if state.exception else "no exception was approved"
    if state.assessment is None:
        return "it was not assessed: expected a survey with visits, or an approved exception"
    waiting = [
        task.number
        for task in state.tasks.values()
        if task.standing not in {TaskStanding.VERIFIED, TaskStanding.LONG_TERM_ONGOING}
    ]
    if waiting:
        return (
            f"{len(waiting)} of its tasks are neither verified nor long-term, the first of them {waiting[0]}"
        )
    if not state.tasks:
        return "it has no task, so nothing was done that could be assessed"
    return None


def _is_so(state: Programme, wanted: f.Wanted) -> bool:  # noqa: PLR0911 -- a line a fact
    """Whether the same was recorded before, so that saying it again says nothing new."""
    match wanted:
        case f.ProgrammeProposed():
            known = (state.year, state.month, state.title, state.lead, state.clusters)
            return known == (wanted.year, wanted.month, wanted.title, wanted.lead, wanted.clusters)
        case f.ListDrawnUp():
            whole = (state.year, state.level, state.title, state.lead, state.clusters)
            return whole == (wanted.year, wanted.level, wanted.title, wanted.owner, wanted.clusters)
        case f.ProgrammeAdopted():
            return state.adopted
        case f.LeadChanged() if wanted.item in state.items:
            item = state.items[wanted.item]
            return (item.lead, item.cooperating) == (wanted.lead, wanted.cooperating)
        case f.LongTermApproved() if wanted.task in state.tasks:
            task = state.tasks[wanted.task]
            kept_up = task.standing is TaskStanding.LONG_TERM_ONGOING
            return kept_up and (task.plan, task.review_on) == (wanted.plan, wanted.review_on)
        case f.TaskCompleted() if wanted.task in state.tasks:
            task = state.tasks[wanted.task]
            return task.done and (task.evidence, task.completed_by) == (wanted.evidence, wanted.by)
        case f.PolicyIssued():
            return wanted.document in state.policies
        case f.AnswerOffered():
            said = (wanted.item, wanted.first, wanted.answer, _offered_to(wanted.members))
            return any(
                said == (one.item, one.first, one.answer, _offered_to(one.members)) for one in state.offers
            )
        case f.ProgrammeClosed():
            return state.closed is wanted.basis
        case _:
            return False
