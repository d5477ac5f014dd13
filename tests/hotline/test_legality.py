"""Every life the desks can lead is legal and rests nowhere unwatched; no other life is.

First chance leads lives through the rules of all four desks, as the desks would: facts reach a desk in order
but late, replies come late, twice, for the wrong order or from the wrong unit, the clock jumps. Then what
must not happen is stated by hand, fact by fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hotline.audit.legality.life import RULES, illegal, unfinished
from services.dispatch import rules as dispatch
from services.escalation import rules as escalation
from services.feedback import rules as feedback
from services.intake import rules as intake
from shared.complaint import (
    ENDS,
    HOTLINE,
    UNOPENED,
    Awaited,
    Case,
    Complaint,
    Stage,
    due_deadlines,
    evolve,
    head_of,
    head_text,
    stage_of,
    waits_for,
)
from shared.events import (
    REFUSALS,
    SPEAKERS,
    Colour,
    Correction,
    ExclusionGround,
    Fact,
    Level,
    LimitMissCorrected,
    Outcome,
    TerminationGround,
    TurnedAway,
    Urgency,
    VisitReason,
    VisitScheduled,
    WarningGiven,
    WhistleKind,
)
from shared.events.base import Limit, RequestType
from shared.ids import ComplaintId, RequestId
from shared.inputs import RecordRequest
from tests import examples as eg
from tests.examples import DAY, HOUR, INSTANT, MINUTE
from tests.examples import told as altered
from tests.lives import decided

BEIJING, BOSTON = "beijing-draft-2021", "boston-311-2011"
NOTHING = timedelta()

# -- lives led by chance


@dataclass(frozen=True)
class Move:
    """One thing that happens; `choice` picks among what can be said, `lag` is how late it is taken in."""

    kind: str
    choice: int
    lag: timedelta = NOTHING


NEXT = {
    Awaited.UNIT: ("sign", "answer", "return", "return", "wait", "assign", "extend", "terminate", "dispute"),
    Awaited.REVIEWER: ("review", "review", "wait", "council"),
    Awaited.SUPERVISOR: ("exception", "wait"),
    Awaited.DIALLER: ("unreached", "no", "yes", "answer"),
    Awaited.DESK: ("settle", "hear", "tick"),
}
"""What the party that is awaited can do."""


@dataclass
class City:
    """The four desks around one complaint."""

    ruleset: str
    rehearsal: bool
    now: datetime = eg.CALLED_AT
    case: Case = UNOPENED
    facts: list[Fact] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=lambda: {"dispatch": 0, "feedback": 0})

    def said(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            before = self.facts[-1] if self.facts else None
            why = illegal(self.case, fact, before)
            assert why is None, f"{why}: {fact}\nafter {self.story()}\n{self.case}"
            self.case = evolve(self.case, fact)
            self.facts.append(fact)
        if facts:
            assert isinstance(self.case, Complaint)
            assert unfinished(self.case, facts[-1]) is None
            assert head_of(head_text(self.case)) == self.case
            if self.case.ended is None:
                assert waits_for(self.case) is not None

    def story(self) -> list[str]:
        return [type(fact).__name__ for fact in self.facts]

    def hear(self, desk: str) -> bool:
        """The desk takes in its next fact, if there is one."""
        place = self.heard[desk]
        if place == len(self.facts):
            return False
        self.heard[desk] += 1
        fact = self.facts[place]
        at = getattr(fact, fact.TIME)
        at = at if self.rehearsal else max(at, self.now)
        if desk == "dispatch":
            order = dispatch.react(fact, at)
            self.said([] if order is None else dispatch.decide(order, self.case, eg.CATALOGUE))
        else:
            visit = feedback.react(fact, at)
            self.said([] if visit is None else feedback.decide(visit, self.case, eg.CATALOGUE))
        return True

    def tick(self) -> bool:
        """Timers fire, where there are any."""
        if min(due_deadlines(self.case).values(), default=self.now) >= self.now:
            return False
        facts = escalation.decide(altered(eg.FIRE, until=self.now), self.case, eg.CATALOGUE)
        assert facts, "a timer that says nothing would fire for ever"
        self.said(facts)
        return True

    def react(self) -> bool:
        """Every desk takes in all it can hear."""
        moved = False
        while self.hear("dispatch") or self.hear("feedback"):
            moved = True
        return moved

    def settle(self) -> None:
        """Everything is taken in by everybody."""
        while self.react() or self.tick():
            pass

    def move(self, move: Move) -> None:
        """Something happens; "next" is whatever the party that is awaited can do."""
        choice = move.choice
        match move.kind:
            case "next":
                awaited = waits_for(self.case)
                if awaited is not None:
                    kinds = NEXT[awaited.kind]
                    self.move(Move(kinds[choice // 8 % len(kinds)], choice, move.lag))
            case "wait":
                self.now += [NOTHING, INSTANT, 16 * MINUTE, 5 * HOUR, 26 * HOUR, 8 * DAY][choice % 6]
            case "hear":
                self.hear("dispatch" if choice % 2 else "feedback")
            case "settle":
                self.settle()
            case "tick":
                self.tick()
            case _:
                at = self.now if self.rehearsal else max(self.now - move.lag, eg.CALLED_AT)
                self.said(self.told(move.kind, choice, at))

    def told(self, kind: str, choice: int, at: datetime) -> Sequence[Fact]:
        """What somebody outside says, mostly about the present order or visit."""
        case = self.case
        order = case.order if isinstance(case, Complaint) else None
        unit = order.unit if order is not None and choice % 8 else eg.STREET
        assignment = order.assignment + (choice % 7 == 1) if order is not None and choice % 7 else 1
        visit = (case.visit or case.judged) if isinstance(case, Complaint) and choice % 8 else None
        number, attempt = (visit.visit, visit.attempt) if visit is not None else (1, 1)
        wished = [None, eg.OTHER_STREET, eg.WATER][choice % 3]
        match kind:
            case "record":
                request = eg.REQUEST if choice % 2 else replace(eg.REQUEST, title="another")
                return decided(altered(eg.RECORD, command=request, ruleset=self.ruleset, at=at), case)
            case "withdraw":
                return [] if choice % 16 else intake.decide(altered(eg.WITHDRAW, at=at), case)
            case "correct":
                right = CORRECTIONS[choice // 8 % len(CORRECTIONS)]
                return intake.decide(altered(eg.CORRECT, **{"address": None, **right}, at=at), case)
            case "add":
                return intake.decide(altered(eg.ADD, text=f"补充{choice % 3}", at=at), case)
            case "rate":
                return intake.decide(altered(eg.RATE, satisfied=choice % 2 > 0, at=at), case)
            case "again":
                again = altered(eg.ASK_AGAIN, repeat_id=f"again-{choice % 3}", at=at)
                return intake.decide(again, case)
            case "sign":
                sign = altered(eg.SIGN, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(sign, case, eg.CATALOGUE)
            case "answer":
                answer = altered(eg.ANSWER, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(answer, case, eg.CATALOGUE)
            case "return":
                back = altered(eg.RETURN, unit=unit, assignment=assignment, suggested_unit=wished, at=at)
                return dispatch.decide(back, case, eg.CATALOGUE)
            case "review":
                approved = choice % 3 > 0
                review = altered(eg.REVIEW, assignment=assignment, approved=approved, to_unit=wished, at=at)
                return dispatch.decide(review, case, eg.CATALOGUE)
            case "assign":
                assign = altered(eg.ASSIGN, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(assign, case, eg.CATALOGUE)
            case "extend":
                extend = altered(eg.EXTEND, unit=unit, assignment=assignment, days=choice % 12 + 1, at=at)
                return dispatch.decide(extend, case, eg.CATALOGUE)
            case "longer":
                longer = altered(eg.REVIEW_EXTENSION, assignment=assignment, approved=choice % 3 > 0, at=at)
                return dispatch.decide(longer, case, eg.CATALOGUE)
            case "terminate":
                end = altered(eg.TERMINATE, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(end, case, eg.CATALOGUE)
            case "terminated":
                ended = altered(eg.REVIEW_TERMINATION, assignment=assignment, approved=choice % 3 > 0, at=at)
                return dispatch.decide(ended, case, eg.CATALOGUE)
            case "dispute":
                dispute = altered(eg.DISPUTE, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(dispute, case, eg.CATALOGUE)
            case "council":
                to_unit = wished or unit
                council = altered(eg.COUNCIL, assignment=assignment, to_unit=to_unit, at=at)
                return dispatch.decide(council, case, eg.CATALOGUE)
            case "help":
                help_ = altered(eg.ADD_CO_UNIT, co_unit=wished or eg.DISTRICT, at=at)
                return dispatch.decide(help_, case, eg.CATALOGUE)
            case "report":
                report = altered(eg.REPORT, unit=wished or eg.DISTRICT, at=at)
                return dispatch.decide(report, case, eg.CATALOGUE)
            case "reclassify":
                urgency = list(Urgency)[choice % 4]
                other = altered(eg.RECLASSIFY, urgency=urgency, at=at)
                return dispatch.decide(other, case, eg.CATALOGUE)
            case "amend":
                version = ("cn-1", "cn-2020-01-26", "nowhere")[choice % 3]
                amend = altered(eg.AMEND, calendar=version, at=at)
                return dispatch.decide(amend, case, eg.CATALOGUE)
            case "whistle":
                told = len(case.whistles) + (choice % 5 > 0) if isinstance(case, Complaint) else 1
                kind = list(WhistleKind)[choice % 3]
                called = (eg.WATER, eg.OTHER_STREET)[: choice % 2 + 1]
                blow = altered(
                    eg.BLOW, unit=unit, assignment=assignment, whistle=told, kind=kind, called=called, at=at
                )
                return dispatch.decide(blow, case, eg.CATALOGUE)
            case "comes" | "there" | "does":
                says: Any = {"comes": eg.ACKNOWLEDGE, "there": eg.ARRIVE, "does": eg.MEASURE}[kind]
                speaker = eg.OTHER_STREET if choice % 3 == 0 else eg.WATER
                says = altered(says, unit=speaker, whistle=choice % 2 + 1, at=at)
                return dispatch.decide(says, case, eg.CATALOGUE)
            case "let go":
                who = None if choice % 3 == 0 else eg.WATER
                go = altered(eg.RELEASE, whistle=choice % 2 + 1, called=who, unit=unit, at=at)
                return dispatch.decide(go, case, eg.CATALOGUE)
            case "rate":
                pair = (eg.STREET, eg.WATER) if choice % 2 else (eg.WATER, eg.STREET)
                stars = altered(eg.RATE_UNIT, unit=pair[0], rated=pair[1], whistle=choice % 3 + 1, at=at)
                return dispatch.decide(stars, case, eg.CATALOGUE)
            case "exclude":
                ground = list(ExclusionGround)[choice % 2]
                exclude = altered(eg.EXCLUDE, unit=unit, ground=ground, at=at)
                return dispatch.decide(exclude, case, eg.CATALOGUE)
            case "excluded":
                who = unit if choice % 5 == 0 else "reviewer-3"
                left = altered(eg.REVIEW_EXCLUSION, approved=choice % 3 > 0, reviewer=who, at=at)
                return dispatch.decide(left, case, eg.CATALOGUE)
            case "contact":
                contact = altered(eg.CONTACT, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(contact, case, eg.CATALOGUE)
            case "in vain":
                vain = altered(eg.CONTACT_IN_VAIN, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(vain, case, eg.CATALOGUE)
            case "progress":
                progress = altered(eg.PROGRESS, unit=unit, assignment=assignment, at=at)
                return dispatch.decide(progress, case, eg.CATALOGUE)
            case "send back":
                send_back = altered(eg.SEND_BACK, assignment=assignment, at=at)
                return dispatch.decide(send_back, case, eg.CATALOGUE)
            case "unreached":
                unreached = altered(eg.RECORD_UNREACHED, visit=number, attempt=attempt, at=at)
                return feedback.decide(unreached, case, eg.CATALOGUE)
            case "yes" | "no":
                solved = kind == "yes"
                made = altered(eg.RECORD_VISIT, visit=number, attempt=attempt, solved=solved, at=at)
                return feedback.decide(made, case, eg.CATALOGUE)
            case "exception":
                return [] if choice % 16 else feedback.decide(altered(eg.CLOSE, at=at), case, eg.CATALOGUE)
            case _:
                raise AssertionError(kind)


CORRECTIONS: tuple[dict[str, str], ...] = (
    {"address": "小关街7号楼"},
    {"street": "小关街道"},
    {"street": "花园路街道"},
    {"street": ""},
    {"subject": "供水"},
    {"subject": "停车"},
    {"subject": "学校"},
    {"district": "海锭区"},
    {"district": "海淀区", "street": "小关街道"},
)
"""What an agent finds to be wrong of a record: each says another unit answers for it, or none."""


def begun(request: RecordRequest, ruleset: str, *, rehearsal: bool) -> City:
    """A city with this request on record."""
    city = City(ruleset, rehearsal)
    known = {eg.LINKED.matter_of: 1}  # the complaint that is said to be retaliated for is not on record
    city.said(intake.decide(altered(eg.RECORD, command=request, ruleset=ruleset, begun=known), UNOPENED))
    return city


OFTEN = ("wait", "hear", "settle", "tick", "sign", "answer", "return", "review", "unreached", "no")
ASKED_FOR = (
    *("extend", "longer", "terminate", "terminated", "dispute", "council", "help", "report", "reclassify"),
    *("longer", "terminated", "council", "correct", "add", "again"),
    *("amend", "whistle", "whistle", "comes", "there", "does", "let go", "rate"),
    *("longer", "terminated", "council", "correct", "add", "again", "exclude", "excluded"),
    *("contact", "in vain", "progress", "send back", "send back", "rate"),
)
MOVES = st.builds(
    Move,
    kind=st.sampled_from((*["next"] * 15, *OFTEN, *ASKED_FOR, "yes", "record", "withdraw", "exception")),
    choice=st.integers(0, 839),
    lag=st.sampled_from((NOTHING, NOTHING, timedelta(seconds=1), 20 * MINUTE, 3 * DAY)),
)
REQUESTS = st.builds(
    lambda kind, subject, urgency, article_id, given_in, said: replace(
        eg.REQUEST,
        **said,
        request_type=kind,
        subject=subject,
        urgency=urgency,
        article_id=article_id,
        given_due_at=eg.CALLED_AT + given_in * HOUR,
    ),
    kind=st.sampled_from((RequestType.HELP, RequestType.HELP, *RequestType)),
    subject=st.sampled_from(("停车", "供水", "学校", "unknown")),
    urgency=st.sampled_from(Urgency),
    article_id=st.sampled_from((None, None, None, None, None, "KB-1")),
    given_in=st.integers(-30, 300),
    said=st.sampled_from(
        (
            *({}, {}, {}, {}, {}, {}),
            {"anonymous": True},
            {"confidential": True},
            {"retaliation_by": eg.STREET, "retaliation_about": "20210901-0003"},
            {"retaliation_by": eg.SUPERVISION},
            {"matter_of": "20210923-0042"},
            {"turned_away": TurnedAway.REJECTED, "turned_away_reason": "不在受理范围"},
        )
    ),
)


@given(REQUESTS, st.sampled_from((BEIJING, BOSTON)), st.booleans(), st.lists(MOVES, max_size=80))
@settings(max_examples=400, deadline=None)
def test_every_life_the_desks_can_lead_is_legal_and_rests_nowhere_unwatched(
    request: RecordRequest, ruleset: str, rehearsal: bool, moves: list[Move]
) -> None:
    city = begun(request, ruleset, rehearsal=rehearsal)
    for move in moves:
        city.move(move)
    city.now += INSTANT  # what follows from an end is stated as soon as it has passed
    city.settle()
    waiting = waits_for(city.case)
    if stage_of(city.case) is not Stage.ENDED:
        assert waiting is not None
        assert waiting.kind is not Awaited.DESK, f"stuck: {waiting} after {city.story()}"
        assert waiting.by is None or waiting.by >= city.now
    else:
        assert waiting is None


@given(
    REQUESTS,
    st.sampled_from((BEIJING, BOSTON)),
    st.lists(
        st.tuples(
            st.sampled_from((NOTHING, 5 * MINUTE, HOUR, 9 * HOUR, 26 * HOUR, 3 * DAY)),
            st.sampled_from(
                ("sign", "answer", "return", "return", "review", "review", "withdraw", *ASKED_FOR)
            ),
            st.integers(1, 839).filter(lambda choice: choice % 8 and choice % 7 > 1),
        ),
        max_size=7,
    ),
)
@settings(max_examples=300, deadline=None)
def test_noticed_late_or_on_the_instant_a_miss_leads_to_the_same_facts(
    request: RecordRequest, ruleset: str, script: list[tuple[timedelta, str, int]]
) -> None:
    def lived(*, on_time: bool) -> list[tuple[str, bytes]]:
        city = begun(request, ruleset, rehearsal=True)
        city.react()
        for wait, kind, choice in script:
            city.now += wait
            if on_time:
                city.settle()
            city.said(city.told(kind, choice * 16 if kind == "withdraw" else choice, city.now))
            city.react()
        city.now += 60 * DAY
        city.settle()
        # Who has withdrawn meanwhile is not asked any more, on time it was asked before.
        # And nobody is warned any more of what was done meanwhile (T5).
        skipped = (
            (WarningGiven,) if stage_of(city.case) is not Stage.ENDED else (VisitScheduled, WarningGiven)
        )
        return sorted(without_noticing(fact) for fact in city.facts if not isinstance(fact, skipped))

    assert lived(on_time=False) == lived(on_time=True)


def without_noticing(fact: Fact) -> tuple[str, bytes]:
    """A fact without what depends on who noticed when."""
    fields = msgspec.to_builtins(fact)
    fields.pop("noticed_at", None)
    if isinstance(fact, LimitMissCorrected):
        del fields["corrected_at"]
    return type(fact).__name__, msgspec.json.encode(fields, order="sorted")


# -- lives written by hand

ON_RECORD = (eg.RECEIVED, eg.CLASSIFIED)
AT_UNIT = (*ON_RECORD, eg.DISPATCHED)
SIGNED = (*AT_UNIT, eg.SIGNED)
IN_REVIEW = (*AT_UNIT, eg.RETURN_REQUESTED)
APPROVED = (*IN_REVIEW, eg.RETURN_APPROVED)
AT_OTHER = replace(
    eg.DISPATCHED,
    unit=eg.OTHER_STREET,
    assignment=2,
    dispatched_at=eg.CALLED_AT + 3 * HOUR,
    sign_due_at=eg.CALLED_AT + 11 * HOUR,
    unit_due_at=eg.DUE_AT + DAY,
)
ANSWERED_LATE = (*AT_UNIT, eg.ANSWERED)
"""Answered in time, after a day; but never signed within eight hours."""
ANSWERED = (*SIGNED, eg.ANSWERED)
ASKING = (*ANSWERED, eg.VISIT_SCHEDULED)
SAID_YES = (*ASKING, eg.VISIT_MADE)
SAID_NO = (*ASKING, replace(eg.VISIT_MADE, solved=False))
REOPENED = (*SAID_NO, eg.REOPENED)
ENDED = (*SAID_YES, eg.CLOSED)
ROUND_2 = replace(
    eg.DISPATCHED,
    assignment=2,
    round=2,
    dispatched_at=eg.REOPENED.reopened_at,
    sign_due_at=eg.REOPENED.reopened_at + 8 * HOUR,
    unit_due_at=eg.DUE_AT + DAY,
)
CORRECTED_SINCE = replace(eg.CORRECTED_STREET, unit=None, corrected_at=eg.REOPENED.reopened_at)
REOPENED_AND_CORRECTED = (*REOPENED, CORRECTED_SINCE)
AMENDED_AND_REOPENED = (
    *SIGNED,
    eg.CORRECTED_STREET,
    eg.AMENDED_ORDER,
    eg.ANSWERED,
    eg.VISIT_SCHEDULED,
    replace(eg.VISIT_MADE, solved=False),
    eg.REOPENED,
)
SETTLED_AND_REOPENED = (
    *IN_REVIEW,
    replace(eg.COUNCIL_DECIDED, to_unit=eg.STREET),
    eg.ANSWERED,
    eg.VISIT_SCHEDULED,
    replace(eg.VISIT_MADE, solved=False),
    eg.REOPENED,
    CORRECTED_SINCE,
)
NEXT_MOVED = replace(eg.MOVED, moved_at=eg.REOPENED.reopened_at)
MOVED_ROUND_2 = replace(ROUND_2, unit=eg.OTHER_STREET, street="小关街道")
NOBODY_SIGNED = (*AT_UNIT, eg.SIGN_MISSED, eg.ESCALATED)
SECOND_RUNG = replace(
    eg.ESCALATED,
    to_level=Level.MUNICIPAL,
    told=eg.SUPERVISION,
    escalated_at=eg.SIGN_DUE_AT + DAY,
    next_at=None,
    noticed_at=eg.SIGN_DUE_AT + DAY + INSTANT,
)
SENT_ON_LATE = (
    *AT_UNIT,
    replace(eg.RETURN_REQUESTED, requested_at=eg.SIGN_DUE_AT + HOUR),
    replace(eg.RETURN_APPROVED, approved_at=eg.SIGN_DUE_AT + 2 * HOUR),
    replace(
        eg.DISPATCHED,
        unit=eg.WATER,
        level=Level.MUNICIPAL,
        assignment=2,
        dispatched_at=eg.SIGN_DUE_AT + 2 * HOUR,
        sign_due_at=eg.SIGN_DUE_AT + 10 * HOUR,
        unit_due_at=eg.DUE_AT,
    ),
)
"""Returned after the limit for signing, before anybody had noticed; now it lies with a utility."""
ACCUSING = (eg.RECEIVED, eg.PROTECTED, eg.RETALIATION, eg.CLASSIFIED)
AT_SUPERVISION = replace(eg.DISPATCHED, unit=eg.SUPERVISION, level=Level.MUNICIPAL)
AT_DISTRICT = replace(eg.DISPATCHED, unit=eg.DISTRICT, level=Level.DISTRICT)
DISPUTED = (*IN_REVIEW, eg.RETURN_REJECTED, eg.DISPUTED)
GIVEN_ON = replace(
    eg.DISPATCHED,
    assignment=2,
    dispatched_at=eg.ASSIGNED.assigned_at,
    sign_due_at=eg.ASSIGNED.assigned_at + 8 * HOUR,
)
BY_COUNCIL = replace(
    eg.DISPATCHED,
    unit=eg.WATER,
    level=Level.MUNICIPAL,
    assignment=2,
    dispatched_at=eg.COUNCIL_DECIDED.decided_at,
    sign_due_at=eg.COUNCIL_DECIDED.decided_at + 8 * HOUR,
    unit_due_at=eg.DUE_AT + DAY,
)
WHISTLED = (*AT_UNIT, eg.BLOWN, eg.CALLED)
SUPERVISED = (*NOBODY_SIGNED, SECOND_RUNG, eg.SUPERVISED)
PAUSED = (*SIGNED, eg.PAUSE_REQUESTED, eg.PAUSE_APPROVED)
EXTENDED = (*SIGNED, eg.EXTENSION_REQUESTED, eg.EXTENSION_APPROVED)
TERMINATED = (*SIGNED, eg.TERMINATION_REQUESTED, eg.TERMINATION_APPROVED)
HELPED = (*AT_UNIT, eg.CO_UNIT_ADDED)
EXPIRED = (
    *SIGNED,
    eg.FEEDBACK_MISSED,
    replace(
        eg.ESCALATED,
        because=Limit.ANSWER,
        escalated_at=eg.DUE_AT,
        next_at=eg.DUE_AT + DAY,
        noticed_at=eg.DUE_AT + INSTANT,
    ),
)
AT_EXPIRY = replace(
    eg.VISIT_SCHEDULED, reason=VisitReason.EXPIRED, visit_at=eg.DUE_AT, scheduled_at=eg.DUE_AT
)
ASKED_AT_EXPIRY = (*EXPIRED, AT_EXPIRY)


ASKED_AT_EXPIRY_IN_REVIEW = (
    *IN_REVIEW,
    eg.FEEDBACK_MISSED,
    EXPIRED[-1],
    AT_EXPIRY,
)


def attempts(*facts: Fact, visit: VisitScheduled, count: int) -> tuple[Fact, ...]:
    """So many attempts in vain, the next one asked for after each but the last."""
    told = [*facts]
    for number in range(1, count + 1):
        at = visit.visit_at + number * 5 * HOUR
        told.append(replace(eg.VISIT_UNREACHED, attempt=number, attempted_at=at))
        told.append(replace(visit, attempt=number + 1, visit_at=at + 4 * HOUR, scheduled_at=at))
    return tuple(told[:-1])


TRIED_3_TIMES = attempts(*ASKING, visit=eg.VISIT_SCHEDULED, count=3)
TRIED_3_TIMES_AT_EXPIRY = attempts(*ASKED_AT_EXPIRY, visit=AT_EXPIRY, count=3)
TRIED_ONCE = (*ASKING, eg.VISIT_UNREACHED)
AGAIN = replace(
    eg.VISIT_SCHEDULED,
    attempt=2,
    scheduled_at=eg.VISIT_UNREACHED.attempted_at,
    visit_at=eg.VISIT_UNREACHED.attempted_at + 4 * HOUR,
)


TWICE = replace(eg.TURNED_AWAY, how=TurnedAway.RECORDED_TWICE, to="call-1", reason="")


def case_after(facts: Sequence[Fact]) -> Case:
    """What these facts add up to; each of them is legal where it stands."""
    case: Case = UNOPENED
    for before, fact in pairwise((None, *facts)):
        assert fact is not None
        assert illegal(case, fact, before) is None, f"{illegal(case, fact, before)}: {fact}"
        case = evolve(case, fact)
    return case


def test_what_ends_a_life_is_named_in_one_place() -> None:
    """E3: whoever counts lives that are over, or forgets them, counts every way to end."""
    case = case_after((eg.RECEIVED, eg.CLASSIFIED))
    ending = {
        type(fact) for fact in eg.FACTS if isinstance(after := evolve(case, fact), Complaint) and after.ended
    }
    assert ending == set(ENDS)


LEGAL: dict[str, tuple[Fact, ...]] = {
    "answered on the spot": (
        eg.RECEIVED,
        eg.ASKED,
        eg.ANSWERED_DIRECTLY,
    ),
    "recorded twice, of one call": (
        eg.RECEIVED,
        eg.NOT_TO_DISPATCH,
        TWICE,
    ),
    "of one call with another record, and acted on": (
        eg.RECEIVED,
        replace(eg.LINKED, linked_by="intake", same_call=True),
        eg.CLASSIFIED,
    ),
    "handed to the fire brigade": (
        eg.RECEIVED,
        eg.NOT_TO_DISPATCH,
        eg.TURNED_AWAY,
    ),
    "confidential, of a matter known before, corrected, added to and brought up again": (
        eg.RECEIVED,
        eg.PROTECTED,
        eg.LINKED,
        eg.CLASSIFIED,
        eg.DISPATCHED,
        eg.CONFIDENTIAL,
        eg.CORRECTED_RECORD,
        eg.SUPPLEMENTED,
        eg.REPEATED,
    ),
    "withdrawn while the unit works": (*AT_UNIT, eg.WITHDRAWN),
    "solved, and a withdrawal after it is refused": (*ENDED, eg.INTAKE_REFUSED),
    "returned, approved and sent to another": (*APPROVED, AT_OTHER),
    "returned, rejected and signed": (*IN_REVIEW, eg.RETURN_REJECTED, eg.SIGNED, eg.REPLY_REFUSED),
    "given on by the district, signed, extended, answered": (
        *ON_RECORD,
        AT_DISTRICT,
        eg.ASSIGNED,
        GIVEN_ON,
        replace(eg.SIGNED, assignment=2, signed_at=eg.CALLED_AT + 2 * HOUR),
        replace(eg.EXTENSION_REQUESTED, assignment=2),
        replace(eg.EXTENSION_APPROVED, assignment=2),
        replace(eg.ANSWERED, assignment=2, answered_at=eg.DUE_AT + DAY),
        replace(eg.VISIT_SCHEDULED, visit_at=eg.DUE_AT + DAY, scheduled_at=eg.DUE_AT + DAY),
    ),
    "terminated and closed as an exception": (
        *SIGNED,
        eg.TERMINATION_REQUESTED,
        eg.TERMINATION_APPROVED,
        replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, approved_by="reviewer-3"),
    ),
    "disputed, and a council names another unit and who helps it": (
        *DISPUTED,
        eg.COUNCIL_DECIDED,
        BY_COUNCIL,
        replace(eg.CO_UNIT_ADDED, co_unit=eg.OTHER_STREET, unit=eg.WATER),
        replace(eg.CO_UNIT_REPORTED, co_unit=eg.OTHER_STREET, unit=eg.WATER),
    ),
    "disputed, and a council leaves it where it is": (
        *DISPUTED,
        replace(eg.COUNCIL_DECIDED, to_unit=eg.STREET),
        replace(eg.SIGNED, signed_at=eg.CALLED_AT + 2 * DAY),
    ),
    "warned of twice, and answered": (
        *SIGNED,
        eg.WARNED,
        replace(
            eg.WARNED,
            colour=Colour.RED,
            warned_at=eg.DUE_AT - DAY,
            noticed_at=eg.DUE_AT - DAY + INSTANT,
        ),
        replace(eg.ANSWERED, answered_at=eg.DUE_AT),
    ),
    "supervised, its time up, closed with the outcome": (
        *SUPERVISED,
        eg.SUPERVISION_MISSED,
        replace(eg.WITHDRAWN, withdrawn_at=eg.SIGN_DUE_AT + 5 * DAY),
        replace(
            eg.SUPERVISION_CLOSED,
            how="ComplaintWithdrawn",
            outcome=None,
            closed_at=eg.SIGN_DUE_AT + 5 * DAY,
        ),
    ),
    "whistled for: one comes in time, the other never, both are let go and rated": (
        *WHISTLED,
        replace(eg.CALLED, called=eg.OTHER_STREET, leads=False),
        eg.ACKNOWLEDGED,
        eg.ARRIVED,
        replace(eg.NOT_THERE, called=eg.OTHER_STREET),
        replace(
            eg.NOT_THERE,
            called=eg.OTHER_STREET,
            to_level=Level.MUNICIPAL,
            told=eg.SUPERVISION,
            due_at=eg.CALLED_AT + 3 * HOUR,
            missed_at=eg.CALLED_AT + 3 * HOUR,
            next_at=None,
            noticed_at=eg.CALLED_AT + 4 * HOUR,
        ),
        eg.MEASURED,
        eg.RELEASED,
        replace(eg.RELEASED, called=eg.OTHER_STREET),
        eg.UNIT_RATED,
        replace(eg.UNIT_RATED, rated_by=eg.OTHER_STREET, rated=eg.STREET),
    ),
    "left out of the score after its end, and once more asked about": (
        *ENDED,
        eg.EXCLUSION_REQUESTED,
        eg.EXCLUSION_APPROVED,
        eg.REPLY_REFUSED,
    ),
    "left out for one unit, and asked for by the next": (
        *AT_UNIT,
        eg.EXCLUSION_REQUESTED,
        eg.EXCLUSION_REJECTED,
        eg.RETURN_REQUESTED,
        eg.RETURN_APPROVED,
        AT_OTHER,
        replace(eg.EXCLUSION_REQUESTED, unit=AT_OTHER.unit),
    ),
    "paused, and its clock runs again by itself": PAUSED,
    "paused, and it came sooner": (*PAUSED, eg.PAUSE_ENDED),
    "a pause that is rejected": (*SIGNED, eg.PAUSE_REQUESTED, eg.PAUSE_REJECTED),
    "reclassified before its limit": (*SIGNED, eg.RECLASSIFIED),
    "not solved and with the same unit again": (*REOPENED, ROUND_2),
    "not solved and with whom a correction since names": (*REOPENED_AND_CORRECTED, NEXT_MOVED, MOVED_ROUND_2),
    "not solved and with whom an earlier correction names": (
        *AMENDED_AND_REOPENED,
        NEXT_MOVED,
        MOVED_ROUND_2,
    ),
    "not solved, corrected, and with the unit a council named": (
        *SETTLED_AND_REOPENED,
        eg.AMENDED_ORDER,
        replace(ROUND_2, street="小关街道"),
    ),
    "nobody signed, the ladder to its top": (*NOBODY_SIGNED, SECOND_RUNG),
    "a reply that was in time after all": (
        *NOBODY_SIGNED,
        replace(eg.SIGNED, signed_at=eg.CORRECTED.done_at),
        eg.CORRECTED,
    ),
    "answered in time, never signed, the miss stated after the end": (
        *ANSWERED_LATE,
        eg.VISIT_SCHEDULED,
        eg.VISIT_MADE,
        eg.CLOSED,
        replace(eg.SIGN_MISSED, noticed_at=eg.CALLED_AT + 2 * DAY),
        eg.ESCALATED,
    ),
    "a second attempt reaches the citizen": (
        *TRIED_ONCE,
        AGAIN,
        replace(eg.VISIT_MADE, attempt=2, visited_at=AGAIN.visit_at),
        eg.CLOSED,
    ),
    "nobody picks up": (*TRIED_3_TIMES, replace(eg.CLOSED, outcome=Outcome.UNREACHED)),
    "nobody picks up at expiry, the unit answers, the citizen is asked anew": (
        *TRIED_3_TIMES_AT_EXPIRY,
        replace(eg.ANSWERED, answered_at=eg.DUE_AT + 3 * DAY),
        replace(eg.VISIT_SCHEDULED, visit=2),
        eg.VISIT_ANSWER_REFUSED,
    ),
    "closed by exception": (
        *AT_UNIT,
        replace(
            eg.CLOSED,
            outcome=Outcome.EXCEPTION,
            visit=0,
            approved_by="supervisor-1",
            recalled_unit=eg.STREET,
        ),
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_this_life_is_legal(name: str) -> None:
    facts = LEGAL[name]
    assert unfinished(case_after(facts), facts[-1]) is None


ELSEWHERE = ComplaintId("00000000-0000-8000-8000-000000000001")

ILLEGAL: list[tuple[str, tuple[Fact, ...], Fact, str]] = [
    # ComplaintReceived
    ("received twice", ON_RECORD, eg.RECEIVED, "on record already"),
    (
        "under an id that is not its request's",
        (),
        replace(eg.RECEIVED, request_id=RequestId("another")),
        "does not follow from request",
    ),
    ("under unknown rules", (), replace(eg.RECEIVED, ruleset="paris-1"), "no rule set 'paris-1'"),
    ("under rules that need a limit", (), replace(eg.RECEIVED, ruleset=BOSTON), "needs the limit given"),
    # ComplaintClassified
    ("classified before it is received", (), eg.CLASSIFIED, "begins with ComplaintReceived"),
    (
        "with a limit for dispatch where nothing is dispatched",
        (eg.RECEIVED,),
        replace(eg.CLASSIFIED, to_dispatch=False),
        "nothing is to be dispatched",
    ),
    (
        "with a limit for dispatch that ends before it begins",
        (eg.RECEIVED,),
        replace(eg.CLASSIFIED, dispatch_due_at=eg.CALLED_AT),
        "before it begins",
    ),
    ("classified twice", ON_RECORD, eg.CLASSIFIED, "classified already"),
    ("classified after the end", ENDED, eg.CLASSIFIED, "ended with ComplaintClosed"),
    # ComplaintAnsweredDirectly
    ("answered on the spot though to be dispatched", ON_RECORD, eg.ANSWERED_DIRECTLY, "on the spot"),
    (
        "answered on the spot though an act is wanted",
        (eg.RECEIVED, eg.NOT_TO_DISPATCH),
        eg.ANSWERED_DIRECTLY,
        "a HELP is acted on and asked about",
    ),
    (
        "recorded twice though it came in no call",
        (replace(eg.RECEIVED, call_id=None), eg.NOT_TO_DISPATCH),
        TWICE,
        "only what came in a call",
    ),
    (
        "recorded twice of another call",
        (eg.RECEIVED, eg.NOT_TO_DISPATCH),
        replace(TWICE, to="call-2"),
        "points to that call",
    ),
    (
        "linked by a call it did not come in",
        (replace(eg.RECEIVED, call_id=None),),
        replace(eg.LINKED, same_call=True),
        "it came in no call",
    ),
    ("answered on the spot later", AT_UNIT, eg.ANSWERED_DIRECTLY, "on the spot"),
    # IdentityProtected, MatterLinked, ComplaintTurnedAway
    ("protected after it is classified", ON_RECORD, eg.PROTECTED, "said when it is recorded"),
    ("linked after it is classified", ON_RECORD, eg.LINKED, "said when it is recorded"),
    ("turned away though it is to be dispatched", ON_RECORD, eg.TURNED_AWAY, "on the spot"),
    # RequestCorrected, RequestSupplemented, RequestRepeated
    ("corrected and the unit not told", AT_UNIT, replace(eg.CORRECTED_RECORD, unit=None), "is with street-"),
    ("corrected by nothing", AT_UNIT, replace(eg.CORRECTED_RECORD, corrections=()), "corrects nothing"),
    (
        "a correction of what was never said",
        AT_UNIT,
        replace(eg.CORRECTED_RECORD, corrections=(Correction(field="address", old="x", new="y"),)),
        "on record otherwise",
    ),
    (
        "the urgency corrected",
        AT_UNIT,
        replace(eg.CORRECTED_RECORD, corrections=(Correction(field="urgency", old="x", new="y"),)),
        "urgency is not corrected",
    ),
    (
        "the district taken away",
        AT_UNIT,
        replace(eg.CORRECTED_RECORD, corrections=(Correction(field="district", old="海淀区", new=""),)),
        "no record is without a district",
    ),
    # OrderMoved, OrderAmended
    ("moved without a correction", AT_UNIT, eg.MOVED, "neither its subject nor its place was corrected"),
    (
        "moved for another address",
        (*AT_UNIT, eg.CORRECTED_RECORD),
        eg.MOVED,
        "neither its subject nor its place was corrected",
    ),
    ("moved when it is signed", (*SIGNED, eg.CORRECTED_STREET), eg.MOVED, "moves only by a return"),
    ("the next round moved without a correction", REOPENED, NEXT_MOVED, "neither its subject nor its place"),
    (
        "the next round moved to another than the correction names",
        AMENDED_AND_REOPENED,
        replace(NEXT_MOVED, to_unit=eg.WATER),
        "neither its subject nor its place",
    ),
    (
        "the next round moved from where a council left it",
        SETTLED_AND_REOPENED,
        NEXT_MOVED,
        "a council has named the unit",
    ),
    (
        "the next round at another unit than it was moved to",
        (*REOPENED_AND_CORRECTED, NEXT_MOVED),
        replace(MOVED_ROUND_2, unit=eg.WATER),
        "it was given to street-xiaoguan",
    ),
    (
        "the next round at whom a correction names, and the unit before is not told",
        REOPENED_AND_CORRECTED,
        MOVED_ROUND_2,
        "same unit again",
    ),
    ("moved under review", (*IN_REVIEW, eg.CORRECTED_STREET), eg.MOVED, "moves only by a return"),
    (
        "moved from where a council left it",
        (*IN_REVIEW, replace(eg.COUNCIL_DECIDED, to_unit=eg.STREET), eg.CORRECTED_STREET),
        eg.MOVED,
        "a council has named the unit",
    ),
    (
        "moved to where it lies",
        (*AT_UNIT, eg.CORRECTED_STREET),
        replace(eg.MOVED, to_unit=eg.STREET),
        "lies with street-huayuanlu already",
    ),
    (
        "moved from another",
        (*AT_UNIT, eg.CORRECTED_STREET),
        replace(eg.MOVED, unit=eg.WATER),
        "the order is assignment 1 with street-huayuanlu",
    ),
    (
        "moved to one and sent to another",
        (*AT_UNIT, eg.CORRECTED_STREET, eg.MOVED),
        replace(eg.DISPATCHED, unit=eg.WATER, assignment=2, street="小关街道"),
        "it was given to street-xiaoguan",
    ),
    (
        "moved and not sent",
        (*AT_UNIT, eg.CORRECTED_STREET, eg.MOVED),
        eg.SIGNED,
        "at once by ComplaintDispatched",
    ),
    (
        "amended without a correction",
        AT_UNIT,
        eg.AMENDED_ORDER,
        "neither its subject nor its place was corrected",
    ),
    (
        "amended to what the record does not say",
        (*SIGNED, eg.CORRECTED_STREET),
        replace(eg.AMENDED_ORDER, district="朝阳区"),
        "does not say what the record says",
    ),
    (
        "amended and its own unit named as another",
        (*SIGNED, eg.CORRECTED_STREET),
        replace(eg.AMENDED_ORDER, names=eg.STREET),
        "it lies with street-huayuanlu",
    ),
    ("added to and a unit told that holds nothing", ANSWERED, eg.SUPPLEMENTED, "with None"),
    ("heat that jumps", AT_UNIT, replace(eg.REPEATED, heat=3), "brought up 1 times"),
    ("the same repeat twice", (*AT_UNIT, eg.REPEATED), replace(eg.REPEATED, heat=3), "brought up 2 times"),
    # ConfidentialityRequired
    ("confidential though nobody asked", AT_UNIT, eg.CONFIDENTIAL, "only the order of a confidential"),
    (
        "a confidential order and the unit not told",
        (eg.RECEIVED, eg.PROTECTED, eg.CLASSIFIED, eg.DISPATCHED),
        eg.SIGNED,
        "at once by ConfidentialityRequired",
    ),
    (
        "an anonymous citizen asked",
        (eg.RECEIVED, replace(eg.PROTECTED, anonymous=True, confidential=False), *ANSWERED[1:]),
        eg.VISIT_SCHEDULED,
        "nobody knows whom to ask",
    ),
    # ComplaintWithdrawn
    ("withdrawn twice", (*AT_UNIT, eg.WITHDRAWN), eg.WITHDRAWN, "ended with ComplaintWithdrawn"),
    (
        "withdrawn and the unit not told",
        AT_UNIT,
        replace(eg.WITHDRAWN, recalled_unit=None),
        "the open order is with street-huayuanlu",
    ),
    ("withdrawn and a unit told that holds nothing", ANSWERED, eg.WITHDRAWN, "with None"),
    # IntakeRefused, ReplyRefused, VisitAnswerRefused
    ("refused before there is anything", (), eg.INTAKE_REFUSED, "begins with ComplaintReceived"),
    ("refused of another complaint", AT_UNIT, replace(eg.REPLY_REFUSED, complaint_id=ELSEWHERE), "another"),
    (
        "refused between judgement and closing",
        SAID_YES,
        eg.VISIT_ANSWER_REFUSED,
        "at once by ComplaintClosed",
    ),
    # ComplaintDispatched
    ("dispatched before it is classified", (eg.RECEIVED,), eg.DISPATCHED, "not classified"),
    (
        "dispatched twice",
        AT_UNIT,
        replace(eg.DISPATCHED, assignment=2),
        "neither returned nor given on nor reopened",
    ),
    ("a first order that is the second", ON_RECORD, replace(eg.DISPATCHED, assignment=2), "assignment 1"),
    ("a first order of round 2", ON_RECORD, replace(eg.DISPATCHED, round=2), "round 1"),
    ("an order about something else", ON_RECORD, replace(eg.DISPATCHED, subject="供水"), "does not say"),
    (
        "an order in other words",
        ON_RECORD,
        replace(eg.DISPATCHED, content="nothing of it"),
        "does not say",
    ),
    (
        "no time to sign",
        ON_RECORD,
        replace(eg.DISPATCHED, sign_due_at=eg.CALLED_AT),
        "signing ends before it begins",
    ),
    (
        "no time to answer",
        ON_RECORD,
        replace(eg.DISPATCHED, citizen_due_at=eg.CALLED_AT),
        "ends before it begins",
    ),
    (
        "another limit than the one that came with the request",
        (replace(eg.RECEIVED, ruleset=BOSTON, given_due_at=eg.DUE_AT), eg.UNTIMED),
        replace(eg.DISPATCHED, citizen_due_at=eg.DUE_AT + DAY),
        "not the one that came",
    ),
    ("an assignment left out", APPROVED, replace(AT_OTHER, assignment=3), "assignment 2 of round 1"),
    ("a round nobody asked for", APPROVED, replace(AT_OTHER, round=2), "assignment 2 of round 1"),
    ("the citizen's limit moved", APPROVED, replace(AT_OTHER, citizen_due_at=eg.DUE_AT + DAY), "T10"),
    (
        "the unit's limit ended before",
        APPROVED,
        replace(AT_OTHER, unit_due_at=AT_OTHER.dispatched_at),
        "unit's limit ends",
    ),
    (
        "the round's limit moved by a return",
        (
            *REOPENED,
            ROUND_2,
            replace(eg.RETURN_REQUESTED, assignment=2),
            replace(eg.RETURN_APPROVED, assignment=2),
        ),
        replace(AT_OTHER, assignment=3, round=2, unit_due_at=ROUND_2.unit_due_at + DAY),
        "the round's limit has moved",
    ),
    ("reopened in the same round", REOPENED, replace(ROUND_2, round=1), "assignment 2 of round 2"),
    ("reopened at another unit", REOPENED, replace(ROUND_2, unit=eg.OTHER_STREET), "same unit again"),
    # OrderSigned
    ("signed before it is dispatched", ON_RECORD, eg.SIGNED, "not dispatched"),
    ("signed twice", SIGNED, eg.SIGNED, "signed already"),
    ("signed by another unit", AT_UNIT, replace(eg.SIGNED, unit=eg.OTHER_STREET), "T2"),
    ("signed for another assignment", AT_UNIT, replace(eg.SIGNED, assignment=2), "T2"),
    ("signed by the former unit", (*APPROVED, AT_OTHER), eg.SIGNED, "T2"),
    ("signed after the citizen's no", REOPENED, eg.SIGNED, "not written yet"),
    ("signed under review", IN_REVIEW, eg.SIGNED, "under review"),
    ("signed after it is answered", ANSWERED_LATE, eg.SIGNED, "answered already"),
    # OrderAnswered
    ("answered before it is dispatched", ON_RECORD, eg.ANSWERED, "not dispatched"),
    ("answered twice", ANSWERED, eg.ANSWERED, "answered already"),
    ("answered by the former unit", (*APPROVED, AT_OTHER), eg.ANSWERED, "T2"),
    ("answered for another round", SIGNED, replace(eg.ANSWERED, round=2), "of round 1, not 2"),
    ("answered under review", IN_REVIEW, eg.ANSWERED, "under review"),
    ("answered after the end", ENDED, eg.ANSWERED, "ended with ComplaintClosed"),
    # ReturnRequested
    ("returned before it is dispatched", ON_RECORD, eg.RETURN_REQUESTED, "not dispatched"),
    ("returned after it is signed", SIGNED, eg.RETURN_REQUESTED, "T4"),
    ("returned under review", IN_REVIEW, eg.RETURN_REQUESTED, "under review"),
    (
        "returned once too often",
        (
            *APPROVED,
            AT_OTHER,
            replace(eg.RETURN_REQUESTED, unit=eg.OTHER_STREET, assignment=2),
            replace(eg.RETURN_APPROVED, unit=eg.OTHER_STREET, assignment=2),
            replace(AT_OTHER, unit=eg.DISTRICT, level=Level.DISTRICT, assignment=3),
        ),
        replace(eg.RETURN_REQUESTED, unit=eg.DISTRICT, assignment=3),
        "a return was asked for 2 times already",
    ),
    # ReturnApproved, ReturnRejected
    ("approved without a request", AT_UNIT, eg.RETURN_APPROVED, "no return is under review"),
    ("approved for another unit", IN_REVIEW, replace(eg.RETURN_APPROVED, unit=eg.WATER), "under review is"),
    ("rejected without a request", AT_UNIT, eg.RETURN_REJECTED, "no return is under review"),
    ("rejected of another order", IN_REVIEW, replace(eg.RETURN_REJECTED, assignment=2), "under review is"),
    ("rejected after it is approved", APPROVED, eg.RETURN_REJECTED, "at once by ComplaintDispatched"),
    (
        "approved after the citizen's no",
        (
            *ASKED_AT_EXPIRY_IN_REVIEW,
            replace(eg.VISIT_MADE, solved=False, visited_at=eg.DUE_AT),
            eg.REOPENED,
        ),
        eg.RETURN_APPROVED,
        "no return is under review",
    ),
    ("approved though it is disputed", DISPUTED, eg.RETURN_APPROVED, "a council decides"),
    # RatingGiven
    (
        "a rating from before the last",
        (*AT_UNIT, eg.RATED),
        replace(eg.RATED, rated_at=eg.RATED.rated_at - INSTANT),
        "is on record",
    ),
    # RetaliationReported
    (
        "retaliation that is not confidential",
        (eg.RECEIVED,),
        eg.RETALIATION,
        "a report of retaliation is confidential",
    ),
    (
        "retaliation said after the record",
        (*ON_RECORD,),
        eg.RETALIATION,
        "a report of retaliation is confidential",
    ),
    (
        "retaliation sent to the unit that is accused",
        ACCUSING,
        eg.DISPATCHED,
        "never of the unit it is about (R9)",
    ),
    (
        "retaliation returned by supervision",
        (*ACCUSING, AT_SUPERVISION, replace(eg.CONFIDENTIAL, unit=eg.SUPERVISION)),
        replace(eg.RETURN_REQUESTED, unit=eg.SUPERVISION),
        "supervision keeps it (R9)",
    ),
    (
        "retaliation that another unit helps with",
        (*ACCUSING, AT_SUPERVISION, replace(eg.CONFIDENTIAL, unit=eg.SUPERVISION)),
        replace(eg.CO_UNIT_ADDED, unit=eg.SUPERVISION),
        "nobody helps with a report of retaliation",
    ),
    (
        "retaliation disputed",
        (*ACCUSING, AT_SUPERVISION, replace(eg.CONFIDENTIAL, unit=eg.SUPERVISION)),
        replace(eg.DISPUTED, unit=eg.SUPERVISION),
        "supervision keeps it (R9)",
    ),
    # CitizenContacted, ContactFailed, ProgressReported
    ("spoken to before it is signed", AT_UNIT, eg.CONTACTED, "who speaks to the citizen has signed"),
    ("spoken to by another unit", SIGNED, replace(eg.CONTACTED, unit=eg.WATER), "(T2)"),
    (
        "spoken to for the first time twice",
        (*SIGNED, eg.CONTACTED),
        eg.CONTACTED,
        "the first contact was made",
    ),
    ("in vain after it succeeded", (*SIGNED, eg.CONTACTED), eg.CONTACT_FAILED, "the first contact was made"),
    ("progress of an answered order", ANSWERED, eg.PROGRESSED, "the order is answered already"),
    ("progress of another round", SIGNED, replace(eg.PROGRESSED, round=2), "the order is of round 1"),
    # AnswerSentBack
    ("sent back before it is answered", SIGNED, eg.SENT_BACK, "there is no answer to send back"),
    ("sent back to another", ASKING, replace(eg.SENT_BACK, unit=eg.WATER), "the answer is to assignment 1"),
    (
        "sent back when the citizen has been called",
        (*ASKING, eg.VISIT_UNREACHED, AGAIN),
        replace(eg.SENT_BACK, sent_back_at=eg.CALLED_AT + DAY + 2 * HOUR),
        "is being asked already",
    ),
    (
        "sent back after the limit",
        ASKING,
        replace(eg.SENT_BACK, sent_back_at=eg.DUE_AT + INSTANT),
        "between the answer and the limit",
    ),
    (
        "sent back more often than the rule set says",
        (*ASKING, eg.SENT_BACK, replace(eg.ANSWERED, answered_at=eg.SENT_BACK.sent_back_at + HOUR)),
        replace(eg.SENT_BACK, sent_back_at=eg.SENT_BACK.sent_back_at + 2 * HOUR),
        "sent back 1 times already",
    ),
    # OrderAssigned
    ("given on by a street", AT_UNIT, replace(eg.ASSIGNED, unit=eg.STREET), "only a district's government"),
    (
        "given on after it is signed",
        (*ON_RECORD, AT_DISTRICT, replace(eg.SIGNED, unit=eg.DISTRICT)),
        eg.ASSIGNED,
        "before it signs",
    ),
    (
        "given on to one and sent to another",
        (*ON_RECORD, AT_DISTRICT, eg.ASSIGNED),
        replace(GIVEN_ON, unit=eg.OTHER_STREET),
        "it was given to street-huayuanlu",
    ),
    # PauseRequested, PauseApproved, PauseRejected, PauseEnded
    ("paused before it is signed", AT_UNIT, eg.PAUSE_REQUESTED, "once it is signed"),
    ("too long a pause", SIGNED, replace(eg.PAUSE_REQUESTED, days=31), "of at most 30 days"),
    (
        "a second pause asked for",
        (*PAUSED, eg.PAUSE_ENDED),
        replace(eg.PAUSE_REQUESTED, requested_at=eg.PAUSE_ENDED.ended_at),
        "at most 1 of",
    ),
    (
        "a pause asked for while its clock stands still",
        PAUSED,
        replace(eg.PAUSE_REQUESTED, requested_at=eg.DUE_AT),
        "stands still",
    ),
    (
        "a pause asked for while an extension is",
        (*SIGNED, eg.EXTENSION_REQUESTED),
        eg.PAUSE_REQUESTED,
        "something is under review",
    ),
    (
        "an extension asked for while a pause is",
        (*SIGNED, eg.PAUSE_REQUESTED),
        eg.EXTENSION_REQUESTED,
        "stands still, or that is under review",
    ),
    (
        "an extension asked for in a pause",
        PAUSED,
        replace(eg.EXTENSION_REQUESTED, requested_at=eg.DUE_AT),
        "stands still",
    ),
    (
        "a clock that runs made to run by another class",
        SIGNED,
        replace(eg.RECLASSIFIED, pause_days=1),
        "its clock does not stand still",
    ),
    (
        "a pause asked for after the limit",
        SIGNED,
        replace(eg.PAUSE_REQUESTED, requested_at=eg.DUE_AT + INSTANT),
        "stays missed (T6)",
    ),
    ("paused without a request", SIGNED, eg.PAUSE_APPROVED, "no pause is under review"),
    (
        "a rejected pause approved",
        (*SIGNED, eg.PAUSE_REQUESTED, eg.PAUSE_REJECTED),
        eg.PAUSE_APPROVED,
        "no pause is under review",
    ),
    (
        "a rejected pause rejected again",
        (*SIGNED, eg.PAUSE_REQUESTED, eg.PAUSE_REJECTED),
        eg.PAUSE_REJECTED,
        "no pause is under review",
    ),
    (
        "a pause of another unit",
        (*SIGNED, eg.PAUSE_REQUESTED),
        replace(eg.PAUSE_APPROVED, unit=eg.WATER),
        "the order is assignment 1",
    ),
    (
        "paused for longer than it was asked for",
        (*SIGNED, eg.PAUSE_REQUESTED),
        replace(eg.PAUSE_APPROVED, days=11),
        "under review are 10 days",
    ),
    (
        "paused from another limit",
        (*SIGNED, eg.PAUSE_REQUESTED),
        replace(eg.PAUSE_APPROVED, old_due_at=eg.DUE_AT + DAY),
        "ends at",
    ),
    (
        "paused beyond the new limit",
        (*SIGNED, eg.PAUSE_REQUESTED),
        replace(eg.PAUSE_APPROVED, until=eg.DUE_AT + 11 * DAY),
        "ends before it",
    ),
    (
        "paused after the limit",
        (*SIGNED, eg.PAUSE_REQUESTED),
        replace(eg.PAUSE_APPROVED, approved_at=eg.DUE_AT + INSTANT),
        "stays missed (T6)",
    ),
    ("a pause ended that never began", SIGNED, eg.PAUSE_ENDED, "does not stand still"),
    ("a pause ended twice", (*PAUSED, eg.PAUSE_ENDED), eg.PAUSE_ENDED, "does not stand still"),
    (
        "a pause ended that was over",
        PAUSED,
        replace(eg.PAUSE_ENDED, ended_at=eg.PAUSE_APPROVED.until + INSTANT),
        "does not stand still",
    ),
    ("a pause ended from another limit", PAUSED, replace(eg.PAUSE_ENDED, old_due_at=eg.DUE_AT), "ends at"),
    (
        "a pause of more days than were granted",
        PAUSED,
        replace(eg.PAUSE_ENDED, days=eg.PAUSE_APPROVED.days + 1),
        "the days begun count",
    ),
    # ExtensionRequested, ExtensionApproved, ExtensionRejected
    ("extended before it is signed", AT_UNIT, eg.EXTENSION_REQUESTED, "once it is signed"),
    ("a second extension asked for", EXTENDED, eg.EXTENSION_REQUESTED, "at most 1 of at most 10 days"),
    ("too long an extension", SIGNED, replace(eg.EXTENSION_REQUESTED, days=11), "of at most 10 days"),
    (
        "an extension asked for after the limit",
        SIGNED,
        replace(eg.EXTENSION_REQUESTED, requested_at=eg.DUE_AT + INSTANT),
        "stays missed (T6)",
    ),
    ("extended without a request", SIGNED, eg.EXTENSION_APPROVED, "no extension is under review"),
    (
        "extended after the limit",
        (*SIGNED, eg.EXTENSION_REQUESTED),
        replace(eg.EXTENSION_APPROVED, approved_at=eg.DUE_AT + INSTANT),
        "stays missed (T6)",
    ),
    (
        "extended after the miss is stated",
        (*SIGNED, eg.EXTENSION_REQUESTED, *EXPIRED[-2:]),
        eg.EXTENSION_APPROVED,
        "stays missed (T6)",
    ),
    (
        "extended to an earlier time",
        (*SIGNED, eg.EXTENSION_REQUESTED),
        replace(eg.EXTENSION_APPROVED, new_due_at=eg.DUE_AT),
        "lengthens",
    ),
    (
        "extended from another limit",
        (*SIGNED, eg.EXTENSION_REQUESTED),
        replace(eg.EXTENSION_APPROVED, old_due_at=eg.DUE_AT - DAY),
        "the limit of round 1 ends",
    ),
    (
        "another's extension rejected",
        (*SIGNED, eg.EXTENSION_REQUESTED),
        replace(eg.EXTENSION_REJECTED, unit=eg.WATER),
        "the order is assignment 1",
    ),
    # TerminationRequested, TerminationApproved, TerminationRejected
    ("terminated before it is signed", AT_UNIT, eg.TERMINATION_REQUESTED, "only a signed order"),
    (
        "termination asked for twice",
        (*SIGNED, eg.TERMINATION_REQUESTED),
        eg.TERMINATION_REQUESTED,
        "is under review",
    ),
    ("terminated without a request", SIGNED, eg.TERMINATION_APPROVED, "no termination is under review"),
    (
        "terminated on another ground",
        (*SIGNED, eg.TERMINATION_REQUESTED),
        replace(eg.TERMINATION_APPROVED, ground=TerminationGround.UNLAWFUL_OR_IMPOSSIBLE),
        "under review is INFORMATION_REFUSED",
    ),
    ("a termination rejected after the answer", ANSWERED, eg.TERMINATION_REJECTED, "is under review"),
    ("answered after it is terminated", TERMINATED, eg.ANSWERED, "is terminated"),
    ("asked about after it is terminated", TERMINATED, eg.VISIT_SCHEDULED, "no order to ask about"),
    # ExclusionRequested, ExclusionApproved, ExclusionRejected
    ("left out before it is dispatched", ON_RECORD, eg.EXCLUSION_REQUESTED, "the order is with None"),
    (
        "left out by another unit",
        ENDED,
        replace(eg.EXCLUSION_REQUESTED, unit=eg.WATER),
        "the order is with street-huayuanlu",
    ),
    ("left out though withdrawn", (*AT_UNIT, eg.WITHDRAWN), eg.EXCLUSION_REQUESTED, "counts in no score"),
    (
        "asked twice to leave it out",
        (*ENDED, eg.EXCLUSION_REQUESTED),
        eg.EXCLUSION_REQUESTED,
        "asked for already",
    ),
    (
        "asked again after a review",
        (*ENDED, eg.EXCLUSION_REQUESTED, eg.EXCLUSION_REJECTED),
        eg.EXCLUSION_REQUESTED,
        "a review has decided",
    ),
    ("left out without a request", ENDED, eg.EXCLUSION_APPROVED, "no exclusion is under review"),
    ("not left out without a request", ENDED, eg.EXCLUSION_REJECTED, "no exclusion is under review"),
    (
        "left out for another unit",
        (*ENDED, eg.EXCLUSION_REQUESTED),
        replace(eg.EXCLUSION_APPROVED, unit=eg.WATER),
        "no exclusion is under review",
    ),
    (
        "left out on another ground",
        (*ENDED, eg.EXCLUSION_REQUESTED),
        replace(eg.EXCLUSION_APPROVED, ground=ExclusionGround.DUPLICATE),
        "under review is INVALID",
    ),
    (
        "T22: left out by the unit itself",
        (*ENDED, eg.EXCLUSION_REQUESTED),
        replace(eg.EXCLUSION_APPROVED, reviewer=eg.STREET),
        "no unit leaves out its own order",
    ),
    # DisputeRaised, CouncilDecided
    ("disputed before anything is rejected", AT_UNIT, eg.DISPUTED, "no return of it was rejected"),
    ("disputed after it is signed", SIGNED, eg.DISPUTED, "a signed order is not disputed"),
    (
        "disputed after a council",
        (*DISPUTED, replace(eg.COUNCIL_DECIDED, to_unit=eg.STREET)),
        eg.DISPUTED,
        "a council has named the unit",
    ),
    (
        "returned after a council",
        (*DISPUTED, replace(eg.COUNCIL_DECIDED, to_unit=eg.STREET)),
        eg.RETURN_REQUESTED,
        "a council has named the unit",
    ),
    ("a council about nothing", AT_UNIT, eg.COUNCIL_DECIDED, "is under review"),
    (
        "a council about another order",
        DISPUTED,
        replace(eg.COUNCIL_DECIDED, assignment=2),
        "what is under review is assignment 1",
    ),
    (
        "a council's unit passed over",
        (*DISPUTED, eg.COUNCIL_DECIDED),
        replace(BY_COUNCIL, unit=eg.OTHER_STREET),
        "it was given to water-group",
    ),
    (
        "a council that names another, and nothing sent",
        (*DISPUTED, eg.COUNCIL_DECIDED),
        eg.REPLY_REFUSED,
        "at once by ComplaintDispatched",
    ),
    # CoUnitAdded, CoUnitReported
    ("help before there is an order", ON_RECORD, eg.CO_UNIT_ADDED, "no order to help with"),
    ("help from who leads", AT_UNIT, replace(eg.CO_UNIT_ADDED, co_unit=eg.STREET), "leads"),
    ("the same help twice", HELPED, eg.CO_UNIT_ADDED, "helps already"),
    ("a report by who does not help", AT_UNIT, eg.CO_UNIT_REPORTED, "was not asked to help"),
    ("a report twice", (*HELPED, eg.CO_UNIT_REPORTED), eg.CO_UNIT_REPORTED, "has reported"),
    # ComplaintReclassified
    ("reclassified before it is dispatched", ON_RECORD, eg.RECLASSIFIED, "moves the limit of an order"),
    (
        "reclassified after the limit",
        SIGNED,
        replace(eg.RECLASSIFIED, reclassified_at=eg.DUE_AT + INSTANT),
        "stays missed (T6)",
    ),
    ("reclassified after the answer", ANSWERED, eg.RECLASSIFIED, "answered or terminated"),
    (
        "reclassified as what it is",
        SIGNED,
        replace(eg.RECLASSIFIED, urgency=Urgency.GENERAL_7D),
        "it is GENERAL_7D with",
    ),
    (
        "a limit for signing moved after it was met",
        SIGNED,
        replace(eg.RECLASSIFIED, sign_due_at=eg.RECLASSIFIED.reclassified_at + eg.HOUR),
        "no limit for signing runs",
    ),
    (
        "reclassified into the past",
        SIGNED,
        replace(eg.RECLASSIFIED, citizen_due_at=eg.RECLASSIFIED.reclassified_at),
        "must lie ahead",
    ),
    # CalendarAmended
    ("another calendar before there is an order", ON_RECORD, eg.AMENDED, "there is no order"),
    ("the calendar it goes by", AT_UNIT, replace(eg.AMENDED, calendar="cn-1"), "it goes by calendar cn-1"),
    ("a limit it never had", AT_UNIT, replace(eg.AMENDED, old_due_at=eg.DUE_AT - DAY), "the limit is 2021"),
    (
        "a limit moved behind the present",
        AT_UNIT,
        replace(eg.AMENDED, new_due_at=eg.CALLED_AT),
        "no limit moves behind the present",
    ),
    (
        "a limit moved that had passed",
        EXPIRED,
        replace(eg.AMENDED, new_due_at=eg.DUE_AT + 9 * DAY, amended_at=eg.DUE_AT + DAY),
        "stays missed (T6)",
    ),
    # SignLimitMissed
    ("a sign limit that was never set", ON_RECORD, eg.SIGN_MISSED, "never set"),
    ("a sign limit that was kept", SIGNED, eg.SIGN_MISSED, "kept"),
    ("the same sign limit twice", NOBODY_SIGNED, eg.SIGN_MISSED, "stated as missed before"),
    ("a sign limit of another time", AT_UNIT, replace(eg.SIGN_MISSED, due_at=eg.DUE_AT), "runs against"),
    ("a sign limit of another unit", AT_UNIT, replace(eg.SIGN_MISSED, unit=eg.WATER), "runs against"),
    (
        "missed when it was noticed",
        AT_UNIT,
        replace(eg.SIGN_MISSED, missed_at=eg.SIGN_MISSED.noticed_at),
        "at its limit",
    ),
    (
        "missed before it had passed",
        AT_UNIT,
        replace(eg.SIGN_MISSED, noticed_at=eg.SIGN_DUE_AT),
        "before the limit had passed",
    ),
    # VisitLimitMissed
    ("a limit for a visit that nobody was asked for", ANSWERED, eg.VISIT_MISSED, "never set"),
    # DispatchLimitMissed
    ("a limit for dispatch that was kept", AT_UNIT, eg.DISPATCH_MISSED, "kept"),
    (
        "the same limit for dispatch twice",
        (*ON_RECORD, eg.DISPATCH_MISSED),
        eg.DISPATCH_MISSED,
        "stated as missed",
    ),
    ("a limit for dispatch where there is none", (eg.RECEIVED, eg.UNTIMED), eg.DISPATCH_MISSED, "never set"),
    (
        "not dispatched before its limit",
        ON_RECORD,
        replace(eg.DISPATCH_MISSED, noticed_at=eg.DISPATCH_DUE_AT),
        "before the limit had passed",
    ),
    (
        "the correction of a limit for dispatch before it is dispatched",
        (*ON_RECORD, eg.DISPATCH_MISSED),
        replace(eg.CORRECTED, limit=Limit.DISPATCH, unit=HOTLINE, due_at=eg.DISPATCH_DUE_AT),
        "was never done",
    ),
    # AnswerLimitMissed
    ("an answer's limit that was kept", ANSWERED, eg.FEEDBACK_MISSED, "kept"),
    ("an answer's limit of a round to come", SIGNED, replace(eg.FEEDBACK_MISSED, round=2), "never set"),
    ("the same answer's limit twice", EXPIRED, eg.FEEDBACK_MISSED, "stated as missed before"),
    ("an answer's limit after a timely end", ENDED, eg.FEEDBACK_MISSED, "kept"),
    # ComplaintEscalated
    ("escalated without a miss", AT_UNIT, eg.ESCALATED, "nothing was missed"),
    (
        "escalated for another's miss",
        (*AT_UNIT, eg.SIGN_MISSED),
        replace(eg.ESCALATED, because=Limit.ANSWER),
        "whose miss",
    ),
    (
        "a rung left out",
        (*AT_UNIT, eg.SIGN_MISSED),
        replace(SECOND_RUNG, escalated_at=eg.SIGN_DUE_AT),
        "next rung is DISTRICT",
    ),
    (
        "a rung left out for a miss of a unit that no longer holds the order",
        (*SENT_ON_LATE, eg.SIGN_MISSED),
        replace(SECOND_RUNG, escalated_at=eg.SIGN_DUE_AT),
        "next rung is DISTRICT",
    ),
    (
        "a notice that stops at the district that is late itself",
        (*ON_RECORD, AT_DISTRICT, replace(eg.SIGN_MISSED, unit=eg.DISTRICT)),
        replace(eg.ESCALATED, unit=eg.DISTRICT),
        "next rung is MUNICIPAL",
    ),
    (
        "past the municipality",
        (*NOBODY_SIGNED, SECOND_RUNG, eg.SIGNED, eg.FEEDBACK_MISSED),
        replace(SECOND_RUNG, because=Limit.ANSWER, escalated_at=eg.DUE_AT),
        "MUNICIPAL watches already",
    ),
    ("the same rung twice", NOBODY_SIGNED, eg.ESCALATED, "DISTRICT watches already"),
    ("down the ladder", (*NOBODY_SIGNED, SECOND_RUNG), eg.ESCALATED, "MUNICIPAL watches already"),
    ("a rung with no end", (*AT_UNIT, eg.SIGN_MISSED), replace(eg.ESCALATED, next_at=None), "every rung"),
    (
        "a rung with another time",
        (*AT_UNIT, eg.SIGN_MISSED),
        replace(eg.ESCALATED, next_at=eg.SIGN_DUE_AT + HOUR),
        "a rung has 1 day",
    ),
    (
        "the next rung before its time",
        NOBODY_SIGNED,
        replace(SECOND_RUNG, escalated_at=eg.SIGN_DUE_AT + HOUR),
        "DISTRICT has time until",
    ),
    (
        "the next rung stated before its time",
        NOBODY_SIGNED,
        replace(SECOND_RUNG, noticed_at=eg.SIGN_DUE_AT + DAY),
        "before the level's time",
    ),
    ("the next rung though it was signed", (*NOBODY_SIGNED, eg.SIGNED), SECOND_RUNG, "nothing was missed"),
    ("something else after a miss", (*AT_UNIT, eg.SIGN_MISSED), eg.SIGNED, "at once by ComplaintEscalated"),
    # WarningGiven
    ("warned of a limit that was kept", ANSWERED, eg.WARNED, "no such limit is near"),
    ("warned twice", (*SIGNED, eg.WARNED), eg.WARNED, "the next warning is RED"),
    ("the second warning first", SIGNED, replace(eg.WARNED, colour=Colour.RED), "the next warning is YELLOW"),
    ("another unit warned", SIGNED, replace(eg.WARNED, unit=eg.WATER), "runs against street-huayuanlu"),
    (
        "warned before its time",
        SIGNED,
        replace(eg.WARNED, noticed_at=eg.WARNED.warned_at),
        "before its time",
    ),
    # SupervisionOpened, SupervisionMissed, SupervisionClosed
    ("supervised before the top is told", NOBODY_SIGNED, eg.SUPERVISED, "as the top of the ladder is told"),
    (
        "supervised for another's miss",
        (*NOBODY_SIGNED, SECOND_RUNG),
        replace(eg.SUPERVISED, unit=eg.WATER),
        "does not say what it follows",
    ),
    (
        "supervised by nobody",
        (*NOBODY_SIGNED, SECOND_RUNG),
        replace(eg.SUPERVISED, leader=""),
        "a leader and a time",
    ),
    ("supervision missed that was never opened", NOBODY_SIGNED, eg.SUPERVISION_MISSED, "no such supervision"),
    ("supervision missed twice", (*SUPERVISED, eg.SUPERVISION_MISSED), eg.SUPERVISION_MISSED, "its limit is"),
    ("supervision closed before the outcome", SUPERVISED, eg.SUPERVISION_CLOSED, "never before (E3)"),
    (
        "supervision closed with another outcome",
        (*SUPERVISED, replace(eg.WITHDRAWN, withdrawn_at=eg.CALLED_AT + 3 * DAY)),
        eg.SUPERVISION_CLOSED,
        "the complaint ended with ComplaintWithdrawn",
    ),
    # WhistleBlown, UnitCalled
    ("a district whistles", (*ON_RECORD, AT_DISTRICT), replace(eg.BLOWN, unit=eg.DISTRICT), "G1"),
    ("somebody else whistles", AT_UNIT, replace(eg.BLOWN, unit=eg.OTHER_STREET), "only who has the order"),
    ("the second whistle first", AT_UNIT, replace(eg.BLOWN, whistle=2), "whistle 1 comes next"),
    ("whistled after the answer", ANSWERED, eg.BLOWN, "only who has the order"),
    ("whistled for nobody", (*AT_UNIT, eg.BLOWN), eg.SIGNED, "at once by UnitCalled"),
    ("called without a whistle", AT_UNIT, eg.CALLED, "as the whistle is blown"),
    ("called twice by one whistle", WHISTLED, eg.CALLED, "is called already"),
    ("two lead", WHISTLED, replace(eg.CALLED, called=eg.OTHER_STREET), "the first one called leads"),
    (
        "called with all the time in the world",
        (*AT_UNIT, eg.BLOWN),
        replace(eg.CALLED, arrive_by=None),
        "must be there by",
    ),
    # WhistleAcknowledged, WhistleArrived, WhistleMeasureRecorded
    ("comes though nobody called", AT_UNIT, eg.ACKNOWLEDGED, "was not called"),
    ("comes twice", (*WHISTLED, eg.ACKNOWLEDGED), eg.ACKNOWLEDGED, "acknowledged already"),
    ("is there twice", (*WHISTLED, eg.ARRIVED), eg.ARRIVED, "there already"),
    ("does something after it was let go", (*WHISTLED, eg.RELEASED), eg.MEASURED, "has let it go"),
    # WhistleReleased
    ("a called unit releases", WHISTLED, replace(eg.RELEASED, unit=eg.WATER), "T25"),
    ("let go twice", (*WHISTLED, eg.RELEASED), eg.RELEASED, "let go already"),
    ("let go though it was not called", AT_UNIT, eg.RELEASED, "was not called"),
    # WhistleRated
    ("rated before it came", WHISTLED, eg.UNIT_RATED, "neither come nor been let go"),
    ("rated twice", (*WHISTLED, eg.ARRIVED, eg.UNIT_RATED), eg.UNIT_RATED, "rated already"),
    (
        "rated by who has nothing to do with it",
        (*WHISTLED, eg.ARRIVED),
        replace(eg.UNIT_RATED, rated_by=eg.DISTRICT),
        "rate each other, nobody else",
    ),
    # ArrivalMissed
    ("not there though nobody was awaited", AT_UNIT, eg.NOT_THERE, "nobody of that name was awaited"),
    ("not there though it came", (*WHISTLED, eg.ARRIVED), eg.NOT_THERE, "nobody of that name was awaited"),
    (
        "not there by another time",
        WHISTLED,
        replace(eg.NOT_THERE, due_at=eg.NOT_THERE.due_at + HOUR),
        "it was awaited until",
    ),
    ("two levels at once", WHISTLED, replace(eg.NOT_THERE, to_level=Level.MUNICIPAL), "the next rung is"),
    (
        "not there before the time",
        WHISTLED,
        replace(eg.NOT_THERE, noticed_at=eg.NOT_THERE.due_at),
        "before its time had passed",
    ),
    # LimitMissCorrected
    ("corrected without a miss", SIGNED, eg.CORRECTED, "no such miss"),
    ("corrected before the act came", NOBODY_SIGNED, eg.CORRECTED, "was never done"),
    (
        "corrected though the act was late",
        (*NOBODY_SIGNED, replace(eg.SIGNED, signed_at=eg.SIGN_DUE_AT + HOUR)),
        replace(eg.CORRECTED, done_at=eg.SIGN_DUE_AT + HOUR),
        "no such miss",
    ),
    (
        "corrected twice",
        LEGAL["a reply that was in time after all"],
        eg.CORRECTED,
        "corrected already",
    ),
    # VisitScheduled
    (
        "asked by another channel than the rule set names",
        ANSWERED,
        replace(eg.VISIT_SCHEDULED, channel="sms"),
        "goes by phone (E1)",
    ),
    ("a visit before there is an order", ON_RECORD, eg.VISIT_SCHEDULED, "no order to ask about"),
    ("a visit before an answer", SIGNED, eg.VISIT_SCHEDULED, "the miss is not stated yet"),
    ("a visit on an answer that is not there", EXPIRED, eg.VISIT_SCHEDULED, "nothing is answered"),
    ("a second visit at once", ASKING, replace(eg.VISIT_SCHEDULED, visit=2), "visit 1 is under way"),
    ("a visit left out", ANSWERED, replace(eg.VISIT_SCHEDULED, visit=2), "follows visit 0"),
    ("a first attempt that is the second", ANSWERED, replace(eg.VISIT_SCHEDULED, attempt=2), "attempt 2"),
    ("a visit about another round", ANSWERED, replace(eg.VISIT_SCHEDULED, round=2), "of round 1"),
    (
        "a visit at expiry about a unit that was not late",
        EXPIRED,
        replace(AT_EXPIRY, unit=eg.WATER),
        "of round 1",
    ),
    ("a visit about another unit", ANSWERED, replace(eg.VISIT_SCHEDULED, unit=eg.WATER), "of round 1"),
    (
        "a visit in the past",
        ANSWERED,
        replace(eg.VISIT_SCHEDULED, visit_at=eg.CALLED_AT),
        "before it was asked",
    ),
    ("a visit at expiry of no limit", ASKED_AT_EXPIRY, replace(AT_EXPIRY, visit=2), "under way"),
    (
        "asked at expiry a second time",
        (*TRIED_3_TIMES_AT_EXPIRY, eg.REPLY_REFUSED),
        replace(AT_EXPIRY, visit=2),
        "asked at expiry before",
    ),
    ("an attempt too soon", TRIED_ONCE, replace(AGAIN, visit_at=AGAIN.scheduled_at + HOUR), "too soon"),
    ("an attempt left out", TRIED_ONCE, replace(AGAIN, attempt=3), "follows 1 attempt 1"),
    ("an attempt for another reason", TRIED_ONCE, replace(AGAIN, reason=VisitReason.EXPIRED), "of the first"),
    ("an attempt too many", TRIED_3_TIMES, replace(AGAIN, attempt=4), "at once by ComplaintClosed"),
    (
        "an attempt too many at expiry",
        TRIED_3_TIMES_AT_EXPIRY,
        replace(AT_EXPIRY, attempt=4, visit_at=eg.DUE_AT + 9 * DAY),
        "3 attempts are all",
    ),
    # VisitMade, VisitUnreached
    ("judged without being asked", ANSWERED, eg.VISIT_MADE, "no visit is under way"),
    ("judged twice", SAID_YES, eg.VISIT_MADE, "at once by ComplaintClosed"),
    ("judged on another visit", ASKING, replace(eg.VISIT_MADE, visit=2), "visit 1 attempt 1"),
    ("judged on another attempt", ASKING, replace(eg.VISIT_MADE, attempt=2), "visit 1 attempt 1"),
    ("judged on another round", ASKING, replace(eg.VISIT_MADE, round=2), "visit 1 attempt 1 of round 1"),
    ("not reached without being asked", ANSWERED, eg.VISIT_UNREACHED, "no visit is under way"),
    ("not reached on another attempt", ASKING, replace(eg.VISIT_UNREACHED, attempt=2), "visit 1 attempt 1"),
    (
        "judged before the visit was due",
        (*TRIED_ONCE, AGAIN),
        replace(eg.VISIT_MADE, attempt=2, visited_at=AGAIN.visit_at - INSTANT),
        "not to be made before",
    ),
    (
        "not reached before the visit was asked for",
        ASKING,
        replace(eg.VISIT_UNREACHED, attempted_at=eg.VISIT_SCHEDULED.scheduled_at - INSTANT),
        "not to be made before",
    ),
    # ComplaintReopened
    ("reopened without a visit", ANSWERED, eg.REOPENED, "only a citizen"),
    ("reopened though it is solved", SAID_YES, eg.REOPENED, "at once by ComplaintClosed"),
    ("reopened into the wrong round", SAID_NO, replace(eg.REOPENED, round=3), "round 2 with"),
    ("reopened at another unit's", SAID_NO, replace(eg.REOPENED, unit=eg.WATER), "round 2 with"),
    ("reopened after the end", ENDED, eg.REOPENED, "ended with ComplaintClosed"),
    # ComplaintClosed
    ("closed without a visit", ANSWERED, eg.CLOSED, "E3"),
    ("closed on the unit's word", AT_UNIT, replace(eg.CLOSED, recalled_unit=eg.STREET), "E3"),
    ("closed on another visit", SAID_YES, replace(eg.CLOSED, visit=2), "E3"),
    ("closed as solved though it is not", SAID_NO, eg.CLOSED, "outcome is UNSOLVED"),
    (
        "closed as not solved though it is",
        SAID_YES,
        replace(eg.CLOSED, outcome=Outcome.UNSOLVED),
        "is SOLVED",
    ),
    ("closed with rounds left", SAID_NO, replace(eg.CLOSED, outcome=Outcome.UNSOLVED), "rounds left"),
    (
        "closed as not reached with attempts left",
        TRIED_ONCE,
        replace(eg.CLOSED, outcome=Outcome.UNREACHED),
        "at once by VisitScheduled",
    ),
    (
        "closed as not reached while the unit works",
        TRIED_3_TIMES_AT_EXPIRY,
        replace(eg.CLOSED, outcome=Outcome.UNREACHED, recalled_unit=eg.STREET),
        "still owes its answer",
    ),
    ("closed twice", ENDED, eg.CLOSED, "ended with ComplaintClosed"),
    (
        "closed by an exception nobody approved",
        SIGNED,
        replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, recalled_unit=eg.STREET),
        "approved by somebody",
    ),
    (
        "closed and the unit not told",
        SIGNED,
        replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, approved_by="supervisor-1"),
        "the open order is with",
    ),
    # SupervisionDecided
    ("decided before it climbed", AT_UNIT, eg.SUPERVISION_DECIDED, "UNIT watches over it"),
    (
        "decided at a level that does not watch",
        NOBODY_SIGNED,
        replace(eg.SUPERVISION_DECIDED, level=Level.MUNICIPAL),
        "DISTRICT watches over it",
    ),
    (
        "decided about another unit",
        NOBODY_SIGNED,
        replace(eg.SUPERVISION_DECIDED, unit=eg.WATER),
        "with another unit",
    ),
    (
        "decided by nobody",
        NOBODY_SIGNED,
        replace(eg.SUPERVISION_DECIDED, decided_by=""),
        "somebody decides",
    ),
    ("decided after the end", ENDED, eg.SUPERVISION_DECIDED, "ended with ComplaintClosed"),
]


@pytest.mark.parametrize(
    ("past", "fact", "because"), [row[1:] for row in ILLEGAL], ids=[row[0] for row in ILLEGAL]
)
def test_this_may_not_follow(past: tuple[Fact, ...], fact: Fact, because: str) -> None:
    why = illegal(case_after(past), fact, past[-1] if past else None)
    assert why is not None
    assert because in why


def test_every_kind_of_fact_has_its_rule_and_an_illegal_example() -> None:
    assert {type(fact) for _, _, fact, _ in ILLEGAL} == set(SPEAKERS)
    assert set(RULES) == set(SPEAKERS)


def test_nothing_but_what_was_owed_the_score_a_rating_and_refusals_follows_the_end() -> None:
    case = case_after(ENDED)
    allowed = {type(fact) for fact in eg.FACTS if illegal(case, fact, ENDED[-1]) is None}
    assert allowed == {*REFUSALS, type(eg.EXCLUSION_REQUESTED), type(eg.RATED)}


@pytest.mark.parametrize("past", [APPROVED, SAID_YES, SAID_NO, TRIED_ONCE, (*AT_UNIT, eg.SIGN_MISSED)])
def test_a_life_does_not_stop_in_the_middle_of_a_decision(past: tuple[Fact, ...]) -> None:
    why = unfinished(case_after(past), past[-1])
    assert why is not None
    assert "must be followed at once by" in why


WATER_LATE = (
    eg.RECEIVED,
    eg.CLASSIFIED,
    replace(eg.DISPATCHED, unit=eg.WATER, level=Level.MUNICIPAL),
    replace(eg.SIGN_MISSED, unit=eg.WATER),
    replace(SECOND_RUNG, unit=eg.WATER, escalated_at=eg.SIGN_DUE_AT),
)
"""A municipal unit that is late has only the top above it, and nothing is watched but its answer."""


@pytest.mark.parametrize(
    ("past", "where", "kind", "name", "by"),
    [
        ((eg.RECEIVED,), Stage.RECEIVED, Awaited.DESK, "intake", None),
        (ON_RECORD, Stage.TO_DISPATCH, Awaited.DESK, "dispatch", eg.DISPATCH_DUE_AT),
        (AT_UNIT, Stage.AT_UNIT, Awaited.UNIT, eg.STREET, eg.SIGN_DUE_AT),
        (SIGNED, Stage.SIGNED, Awaited.UNIT, eg.STREET, eg.DUE_AT),
        (IN_REVIEW, Stage.IN_REVIEW, Awaited.REVIEWER, "reviewers", eg.DUE_AT),
        (APPROVED, Stage.TO_DISPATCH, Awaited.DESK, "dispatch", eg.DUE_AT),
        ((*APPROVED, AT_OTHER), Stage.AT_UNIT, Awaited.UNIT, eg.OTHER_STREET, AT_OTHER.sign_due_at),
        (NOBODY_SIGNED, Stage.AT_UNIT, Awaited.UNIT, eg.STREET, eg.SIGN_DUE_AT + DAY),
        (WATER_LATE, Stage.AT_UNIT, Awaited.UNIT, eg.WATER, eg.DUE_AT),
        (ANSWERED, Stage.ANSWERED, Awaited.DESK, "feedback", None),
        (
            (*SIGNED, replace(eg.ANSWERED, answered_at=eg.DUE_AT + HOUR)),
            Stage.ANSWERED,
            Awaited.DESK,
            "escalation",
            eg.DUE_AT,
        ),
        (ASKING, Stage.ASKING, Awaited.DIALLER, "dialler", None),
        (EXPIRED, Stage.SIGNED, Awaited.DESK, "feedback", eg.DUE_AT + DAY),
        (ASKED_AT_EXPIRY, Stage.ASKING, Awaited.DIALLER, "dialler", eg.DUE_AT + DAY),
        (TRIED_3_TIMES_AT_EXPIRY, Stage.SIGNED, Awaited.UNIT, eg.STREET, eg.DUE_AT + DAY),
        (REOPENED, Stage.TO_DISPATCH, Awaited.DESK, "dispatch", None),
    ],
)
def test_it_is_known_where_it_stands_and_for_whom_it_waits(
    past: tuple[Fact, ...], where: Stage, kind: Awaited, name: str, by: datetime | None
) -> None:
    case = case_after(past)
    waiting = waits_for(case)
    assert stage_of(case) is where
    assert waiting is not None
    assert (waiting.kind, waiting.name, waiting.by) == (kind, name, by)


def test_at_the_end_nothing_is_awaited_but_what_is_still_owed() -> None:
    assert waits_for(case_after(ENDED)) is None
    owing = case_after((*ANSWERED_LATE, eg.VISIT_SCHEDULED, eg.VISIT_MADE, eg.CLOSED))
    waiting = waits_for(owing)
    assert stage_of(owing) is Stage.ENDED
    assert waiting is not None
    assert (waiting.name, waiting.by) == ("escalation", eg.SIGN_DUE_AT)
    assert (stage_of(UNOPENED), waits_for(UNOPENED)) == (Stage.UNOPENED, None)
