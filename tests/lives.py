"""Lives led by the four desks' rules alone, and chance to lead them.

`Life` tells commands to the desk they are for and lets dispatch and feedback hear what was said. `steps`
draws what citizens, units, reviewers, the dialler and the clock do; `Life.lives` makes it happen, mostly with
the numbers an honest speaker would use and sometimes with stale ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from services.dispatch import rules as dispatch
from services.escalation import rules as escalation
from services.escalation.rules import FireDeadlines
from services.feedback import rules as feedback
from services.intake import rules as intake
from shared.aside import OnRecordOtherwise
from shared.asked import Asked
from shared.complaint import UNOPENED, Case, Complaint, due_deadlines, evolve
from shared.events import (
    REFUSALS,
    SPEAKERS,
    ContactFailed,
    DeskName,
    Fact,
    ProgressReported,
    RatingGiven,
    RequestSupplemented,
    Urgency,
    WhistleMeasureRecorded,
)
from shared.ids import UnitId
from shared.topics import hearer_of
from tests import examples
from tests.examples import told
from tests.spec import case_of

NEXT_DUE: Final = "until the next limit"
"""A step in time that ends exactly at the last instant in time."""

WAITS: Final = (
    timedelta(0),
    examples.INSTANT,
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=8),
    timedelta(days=1),
    timedelta(days=7),
    NEXT_DUE,
)


class Step(NamedTuple):
    """Somebody does something, a while after the step before."""

    wait: timedelta | str
    what: str
    slip: int = 0
    """How far the number it names lies from the right one."""
    other: bool = False
    """Another unit speaks than the one that holds the order; another place is suggested."""
    heard: bool = True
    """Whether the desks take in what has been said before the next step."""


ASKED_FOR: Final = (
    *(
        "contact",
        "contact failed",
        "progress",
        "send back",
        "assign",
        "extend",
        "extended",
        "pause",
        "paused",
        "resume",
        "terminate",
        "terminated",
        "dispute",
        "council",
    ),
    *("help", "report", "reclassify"),
    *("whistle", "acknowledge", "arrive", "measure", "release", "rate unit"),
    *("help", "report", "reclassify", "exclude", "excluded"),
)
UNIT_ACTS: Final = ("sign", "answer", "return", "approve", "reject", *ASKED_FOR)
VISIT_ACTS: Final = ("solved", "unsolved", "unreached")
ENDS: Final = ("withdraw", "exception", "rate")
CLOCK: Final = ("tick",)
RECORDS: Final = ("record", "other record", "correct", "correct")
EVERYTHING: Final = (*UNIT_ACTS, *VISIT_ACTS, *ENDS, *CLOCK, *RECORDS)


def steps(
    what: Sequence[str] = EVERYTHING, *, slips: bool = True, size_max: int = 16
) -> st.SearchStrategy[list[Step]]:
    """What happens to one complaint, in order of time."""
    return st.lists(
        st.builds(
            Step,
            wait=st.sampled_from(WAITS),
            what=st.sampled_from(what),
            slip=st.sampled_from((0, 0, 0, 0, 0, 1, -1)) if slips else st.just(0),
            other=st.sampled_from((False, False, False, True)) if slips else st.just(False),
            heard=st.sampled_from((True, True, True, False)) if slips else st.just(True),
        ),
        max_size=size_max,
    )


class Life:
    """One complaint's facts in order, and the case they add up to."""

    def __init__(self, urgency: Urgency = Urgency.GENERAL_7D) -> None:
        """Recorded and dispatched."""
        self.case: Case = UNOPENED
        self.facts: list[Fact] = []
        self.now = examples.CALLED_AT
        self._unheard = 0
        self._record = told(examples.RECORD, urgency=urgency, at=self.now)
        self.told(self._record)
        self.hears()

    def told(self, command: Any) -> Sequence[Fact]:
        """What its desk says to a command, taken into account."""
        said = decided(command, self.case)
        for fact in said:
            self.case = evolve(self.case, fact)
        self.facts += said
        return said

    def hears(self) -> None:
        """Dispatch and feedback take in all there is, in order; each reaction counts as of its fact."""
        while self._unheard < len(self.facts):
            fact = self.facts[self._unheard]
            self._unheard += 1
            for react in (dispatch.react, feedback.react):
                command = react(fact, getattr(fact, fact.TIME))
                if command is not None:
                    self.told(command)

    def hears_again(self) -> Sequence[Fact]:
        """The whole log once more from its beginning, as after a crash without offsets; what was said anew."""
        before, self._unheard = len(self.facts), 0
        self.hears()
        return self.facts[before:]

    def ticks(self) -> Sequence[Fact]:
        """The clock is looked at."""
        return self.told(FireDeadlines(complaint_id=examples.ID, until=self.now))

    def lives(self, step: Step) -> Sequence[Fact]:
        """Time passes, then somebody does something."""
        self.waits(step.wait)
        command = self.meant_by(step)
        said = self.told(command) if command is not None else ()
        if step.heard:
            self.hears()
        return said

    def waits(self, wait: timedelta | str) -> None:
        """Move the clock; nobody looks at it."""
        if isinstance(wait, timedelta):
            self.now += wait
        else:
            self.now = max([self.now, *sorted(due_deadlines(self.case).values())[:1]])

    def meant_by(self, step: Step) -> Any:
        """The command a step stands for as things stand; None where there is nobody to give it."""
        case, at = self.case, self.now
        assert isinstance(case, Complaint)
        match step.what:
            case "tick":
                return FireDeadlines(complaint_id=examples.ID, until=at)
            case "rate":
                return told(examples.RATE, at=at)
            case "withdraw":
                return told(examples.WITHDRAW, reason="", at=at)
            case "record":
                return told(self._record, at=at)
            case "other record":
                return told(self._record, content="别的事", at=at)
            case "correct":
                return told(examples.CORRECT, address=None, at=at, **_right(case, step))
            case "exception":
                return told(examples.CLOSE, approved_by="s", reason="r", at=at)
            case what if what in ASKED_FOR:
                return _asked_for(case, step, at)
            case "solved" | "unsolved" | "unreached":
                return _visit_answer(case, step, at)
            case _:
                return _reply(case, step, at)


def led(urgency: Urgency, what: Sequence[Step]) -> Life:
    """A life in which all this happened, and everything that was said has been heard."""
    life = Life(urgency)
    for step in what:
        life.lives(step)
    life.hears()
    return life


urgencies: Final = st.sampled_from(Urgency)
lives: Final = st.builds(led, urgencies, steps())


def decided(command: Any, case: Case) -> Sequence[Fact]:
    """What the desk a command is for says to it."""
    match desk_of(command):
        case DeskName.INTAKE:
            try:
                return intake.decide(command, case)
            except OnRecordOtherwise:  # parked by itself: nothing is said in this life
                return []
        case DeskName.DISPATCH:
            return dispatch.decide(command, case, examples.CATALOGUE)
        case DeskName.FEEDBACK:
            return feedback.decide(command, case, examples.CATALOGUE)
        case DeskName.ESCALATION:
            return escalation.decide(command, case, examples.CATALOGUE)


EACH_COUNTS: Final = (
    ContactFailed,
    ProgressReported,
    RatingGiven,
    RequestSupplemented,
    WhistleMeasureRecorded,
)
"""What is said a second time, as an input of its own, has its effect a second time."""


def says_it_once(life: Life, told: Sequence[Step]) -> None:
    """Told the same again, the desk refuses by a fact, but for what counts as often as it is said."""
    for step in told:
        command = life.meant_by(step)
        life.told(command)
        assert all(isinstance(fact, (*REFUSALS, *EACH_COUNTS)) for fact in decided(command, life.case))


def says_its_own_and_the_same_again(desk: DeskName, life: Life, told: Sequence[Step]) -> None:
    """Only this desk's facts are said, and for the same past the same ones."""
    for step in told:
        command = life.meant_by(step)
        said = life.told(command)
        assert all(SPEAKERS[type(fact)] is desk for fact in said)
        assert decided(command, case_of(life.facts[: len(life.facts) - len(said)])) == said


def desk_of(command: Any) -> DeskName:
    """The desk a command is for."""
    if isinstance(command, Asked):
        return DeskName(hearer_of(type(command.command)))
    return DeskName(type(command).__module__.split(".")[1])


def _right(case: Complaint, step: Step) -> dict[str, str]:
    """What an agent finds the record should say: another street, subject, or a district that the catalogue has not."""
    if step.other:
        return {"subject": "停车" if case.subject == "供水" else "供水"}
    if step.slip:
        return {"district": "海锭区" if case.district == "海淀区" else "海淀区"}
    return {"street": "花园路街道" if case.street == "小关街道" else "小关街道"}


def _reply(case: Complaint, step: Step, at: datetime) -> Asked:
    order = case.order
    unit = examples.STREET if order is None else order.unit
    number = (1 if order is None else order.assignment) + step.slip
    elsewhere: UnitId | None = examples.OTHER_STREET if step.other else None
    moved: Asked
    if step.what in {"approve", "reject"}:
        approved = step.what == "approve"
        moved = told(
            examples.REVIEW, assignment=number, approved=approved, reviewer="r", to_unit=elsewhere, at=at
        )
        return moved
    if step.what == "return":
        moved = told(
            examples.RETURN,
            unit=unit,
            assignment=number,
            reason="r",
            evidence="e",
            suggested_unit=elsewhere,
            at=at,
        )
        return moved
    speaker = examples.WATER if step.other else unit
    if step.what == "sign":
        moved = told(examples.SIGN, unit=speaker, assignment=number, at=at)
        return moved
    moved = told(examples.ANSWER, unit=speaker, assignment=number, result="", at=at)
    return moved


def _asked_for(case: Complaint, step: Step, at: datetime) -> Asked:
    """What a unit cannot settle alone, said by the unit that has the order or by reviewers."""
    order = case.order
    unit = examples.WATER if step.other or order is None else order.unit
    number = (1 if order is None else order.assignment) + step.slip
    asked: Asked = {
        "contact": examples.CONTACT,
        "contact failed": examples.CONTACT_IN_VAIN,
        "progress": examples.PROGRESS,
        "send back": examples.SEND_BACK,
        "assign": examples.ASSIGN,
        "extend": examples.EXTEND,
        "extended": examples.REVIEW_EXTENSION,
        "pause": examples.PAUSE,
        "paused": examples.REVIEW_PAUSE,
        "resume": examples.END_PAUSE,
        "terminate": examples.TERMINATE,
        "terminated": examples.REVIEW_TERMINATION,
        "dispute": examples.DISPUTE,
        "council": examples.COUNCIL,
        "help": examples.ADD_CO_UNIT,
        "report": examples.REPORT,
        "reclassify": examples.RECLASSIFY,
        "whistle": examples.BLOW,
        "acknowledge": examples.ACKNOWLEDGE,
        "arrive": examples.ARRIVE,
        "measure": examples.MEASURE,
        "release": examples.RELEASE,
        "rate unit": examples.RATE_UNIT,
        "exclude": examples.EXCLUDE,
        "excluded": examples.REVIEW_EXCLUSION,
    }[step.what]
    fields = set(asked.command.__struct_fields__)
    changes: dict[str, Any] = {"at": at}
    if "assignment" in fields:
        changes["assignment"] = number
    if "unit" in fields and step.what not in {"report", "acknowledge", "arrive", "measure"}:
        changes["unit"] = unit
    if step.what == "excluded":
        changes |= {"approved": step.slip == 0, "reviewer": unit if step.other else "reviewer-3"}
    if step.what == "reclassify" and case.urgency is getattr(asked.command, "urgency", None):
        changes["urgency"] = Urgency.TIMELY_24H
    moved: Asked = told(asked, **changes)
    return moved


def _visit_answer(case: Complaint, step: Step, at: datetime) -> Asked:
    visit, attempt = (1, 1) if case.visit is None else (case.visit.visit, case.visit.attempt)
    moved: Asked
    if step.what == "unreached":
        moved = told(examples.RECORD_UNREACHED, visit=visit, attempt=attempt + step.slip, at=at)
        return moved
    solved = step.what == "solved"
    moved = told(
        examples.RECORD_VISIT,
        visit=visit + step.slip,
        attempt=attempt,
        solved=solved,
        satisfied=solved,
        at=at,
    )
    return moved
