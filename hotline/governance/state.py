"""The state of a programme: the sum of its facts. A fold refuses nothing; what may be recorded is decided in `rules`.

Overdue and progress are read off a state and a day, never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.ratio import ratio
from shared.deciding import alike
from shared.ids import ComplaintId, UnitId


class TaskStanding(StrEnum):
    """How a task stands."""

    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    LONG_TERM_ONGOING = "LONG_TERM_ONGOING"
    """Kept up by an approved plan; not done, and never overdue (T26)."""
    COMPLETE = "COMPLETE"
    """The owner says so, with evidence."""
    VERIFIED = "VERIFIED"
    """Somebody else says so too."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A problem of a monthly programme or a project of a list."""

    number: int
    title: str
    lead: UnitId
    cooperating: tuple[UnitId, ...] = ()


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task."""

    number: int
    item: int
    title: str
    owner: UnitId
    due: date
    standing: TaskStanding = TaskStanding.PLANNED
    evidence: str = ""
    completed_by: str = ""
    plan: str = ""
    review_on: date | None = None
    """Of a long-term task: when it is looked at next."""

    @property
    def done(self) -> bool:
        """Whether it counts as complete."""
        return self.standing in {TaskStanding.COMPLETE, TaskStanding.VERIFIED}

    @property
    def kept_up(self) -> bool:
        """Whether it is a long-term task."""
        return self.standing is TaskStanding.LONG_TERM_ONGOING

    def overdue(self, today: date) -> bool:
        """Its last day has passed and it is neither done nor long-term (T26)."""
        return self.standing in {TaskStanding.PLANNED, TaskStanding.IN_PROGRESS} and today > self.due

    def review_missed(self, today: date) -> bool:
        """A long-term task that was to be looked at and was not."""
        return (
            self.standing is TaskStanding.LONG_TERM_ONGOING
            and self.review_on is not None
            and today > self.review_on
        )


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The citizens' assessment."""

    survey_rate: Decimal
    visits: int
    assessed_at: datetime


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is offered for complaints in the position of another."""

    number: int
    """1, 2, 3 … within the programme."""
    item: int
    first: ComplaintId
    answer: str
    members: tuple[f.Member, ...]


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """A monthly programme (`level` is None) or a project list as it stands."""

    programme_id: f.ProgrammeId
    year: int
    title: str
    lead: UnitId
    """Of a monthly programme who leads the theme, of a list who owns it."""
    proposed_by: str = ""
    """The unit or person that proposed it, or drew up the list."""
    month: int | None = None
    """Of a monthly programme."""
    level: f.ListLevel | None = None
    """Of a list."""
    clusters: tuple[f.Cluster, ...] = ()
    adopted: bool = False
    items: Mapping[int, Item] = {}
    tasks: Mapping[int, Task] = {}
    policies: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    assessment: Assessment | None = None
    """The last one."""
    exception: str = ""
    """Why it may be closed without an assessment; empty: nobody approved that."""
    closed: f.Basis | None = None

    @property
    def is_monthly(self) -> bool:
        """Whether it is a monthly programme; else a project list."""
        return self.level is None

    def concerned(self) -> frozenset[str]:
        """Those whose own work it is, as names are compared: they neither assess it nor approve its exception."""
        return frozenset(
            alike(name)
            for name in (
                self.lead,
                *(unit for item in self.items.values() for unit in (item.lead, *item.cooperating)),
                *(task.owner for task in self.tasks.values()),
            )
        )


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one programme or many are, on one day."""

    items: int = 0
    items_done: int = 0
    """Those that have tasks, all of them done."""
    tasks: int = 0
    tasks_done: int = 0
    long_term: int = 0
    overdue: int = 0
    reviews_missed: int = 0

    @property
    def item_rate(self) -> Fraction | None:
        """Done of all, in percent; None where there are none (T14)."""
        return ratio(self.items_done * 100, self.items)

    @property
    def task_rate(self) -> Fraction | None:
        """Done of all, in percent; None where there are none (T14). A long-term task is among all."""
        return ratio(self.tasks_done * 100, self.tasks)


class ProgrammeFold:
    """A programme while facts are added to it, each at the same price however many tasks there are."""

    def __init__(self, state: Programme | None = None) -> None:
        """The facts are added to a copy of this state; None where nothing has begun it."""
        self._items: dict[int, Item] = {} if state is None else dict(state.items)
        self._tasks: dict[int, Task] = {} if state is None else dict(state.tasks)
        self.state = None if state is None else replace(state, items=self._items, tasks=self._tasks)
        """As it stands. The next fact changes its items and tasks: whoever keeps it adds none."""

    def add(self, fact: f.Recorded) -> Programme | None:
        """The state with one more fact; None as long as none has begun it."""
        if isinstance(fact, f.ProgrammeProposed | f.ListDrawnUp):
            self._items, self._tasks = {}, {}
            self.state = replace(_begun(fact), items=self._items, tasks=self._tasks)
        elif self.state is None or isinstance(fact, f.WishRefused):
            pass
        elif isinstance(fact, f.OfTask):
            self._tasks[fact.task] = _task_after(self._tasks[fact.task], fact)
        else:
            self.state = self._with(self.state, fact)
        return self.state

    def _with(self, state: Programme, fact: f.OfWhole) -> Programme:  # noqa: PLR0911 -- a line a fact
        match fact:
            case f.ProgrammeAdopted():
                return replace(state, adopted=True)
            case f.ItemNamed():
                self._items[fact.item] = Item(
                    number=fact.item, title=fact.title, lead=fact.lead, cooperating=fact.cooperating
                )
                return state
            case f.LeadChanged():
                known = self._items[fact.item]
                self._items[fact.item] = replace(known, lead=fact.lead, cooperating=fact.cooperating)
                return state
            case f.TaskSet():
                self._tasks[fact.task] = Task(
                    number=fact.task, item=fact.item, title=fact.title, owner=fact.owner, due=fact.due
                )
                return state
            case f.PolicyIssued():
                return replace(state, policies=(*state.policies, fact.document))
            case f.AssessmentMade():
                made = Assessment(
                    survey_rate=fact.survey_rate, visits=fact.visits, assessed_at=fact.assessed_at
                )
                return replace(state, assessment=made)
            case f.AnswerOffered():
                return replace(state, offers=(*state.offers, _offer(len(state.offers) + 1, fact)))
            case f.ClosingExceptionApproved():
                return replace(state, exception=fact.reason)
            case f.ProgrammeClosed():
                return replace(state, closed=fact.basis)


def evolve(state: Programme | None, fact: f.Recorded) -> Programme | None:
    """The state with one more fact, beside the one before; None as long as none has begun it."""
    return ProgrammeFold(state).add(fact)


def _begun(fact: f.ProgrammeProposed | f.ListDrawnUp) -> Programme:
    if isinstance(fact, f.ListDrawnUp):
        return Programme(
            programme_id=fact.programme_id,
            year=fact.year,
            level=fact.level,
            title=fact.title,
            lead=fact.owner,
            proposed_by=fact.by,
            clusters=fact.clusters,
        )
    return Programme(
        programme_id=fact.programme_id,
        year=fact.year,
        month=fact.month,
        title=fact.title,
        lead=fact.lead,
        proposed_by=fact.by,
        clusters=fact.clusters,
    )


def _offer(number: int, fact: f.AnswerOffered) -> Offer:
    return Offer(number=number, item=fact.item, first=fact.first, answer=fact.answer, members=fact.members)


def _task_after(task: Task, fact: f.OfTask) -> Task:
    match fact:
        case f.TaskProgressed():
            # A task kept up by a plan stays so: a progress report makes it no ordinary task again.
            long_term = task.standing is TaskStanding.LONG_TERM_ONGOING
            return task if long_term else replace(task, standing=TaskStanding.IN_PROGRESS)
        case f.LongTermApproved():
            return replace(
                task, standing=TaskStanding.LONG_TERM_ONGOING, plan=fact.plan, review_on=fact.review_on
            )
        case f.LongTermReviewed():
            return replace(task, review_on=fact.review_on)
        case f.TaskCompleted():
            return replace(task, standing=TaskStanding.COMPLETE, evidence=fact.evidence, completed_by=fact.by)
        case f.TaskVerified():
            return replace(task, standing=TaskStanding.VERIFIED)
        case f.CompletionRejected():
            # A long-term task that was said to be done is kept up again by the plan it had.
            back = TaskStanding.LONG_TERM_ONGOING if task.plan else TaskStanding.IN_PROGRESS
            return replace(task, standing=back, evidence="", completed_by="")


def folded(facts: Iterable[f.Recorded]) -> Programme | None:
    """The state after these facts, in the order of their positions."""
    fold = ProgrammeFold()
    for fact in facts:
        fold.add(fact)
    return fold.state


def progress(programmes: Iterable[Programme], today: date) -> Progress:
    """How far these are on this day, all together."""
    items = items_done = tasks = tasks_done = long_term = overdue = missed = 0
    for programme in programmes:
        items += len(programme.items)
        having = {task.item for task in programme.tasks.values()}
        open_ = {task.item for task in programme.tasks.values() if not task.done}
        items_done += len(having - open_)
        for task in programme.tasks.values():
            tasks += 1
            tasks_done += task.done
            long_term += task.standing is TaskStanding.LONG_TERM_ONGOING
            overdue += task.overdue(today)
            missed += task.review_missed(today)
    return Progress(
        items=items,
        items_done=items_done,
        tasks=tasks,
        tasks_done=tasks_done,
        long_term=long_term,
        overdue=overdue,
        reviews_missed=missed,
    )
