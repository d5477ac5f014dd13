"""The spans of a life from its facts: what begins a stage, what ends it, and what falls into it. Pure.

A stage is stated when it has ended, and then for good: a fact that comes later adds nothing to it. So the
spans of some facts of a life, in order, are among the spans of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import UNSET

from hotline.tracing.belonging import BELONGINGS, DECISIONS, EXCLUSION, QUESTIONS, belongs, speaker_of
from hotline.tracing.span import LifeSpan, LifeStage, SpanEvent, stage_span_id
from shared import events as e
from shared.complaint import ENDS
from shared.events.base import DeskName, Limit
from shared.runtime import span_names as c
from shared.runtime.span_names import Kind
from shared.trace_ids import trace_hex_of


@dataclass(slots=True, eq=False)
class _Open:
    """A stage as far as it has come; kept after its end, so that what comes late finds it."""

    stage: LifeStage
    version: int
    name: str
    service: str
    peer: str
    parent: _Open | None
    started_at: datetime
    ended_at: datetime
    attributes: dict[str, Any]
    events: list[SpanEvent] = field(default_factory=list)
    missed: dict[tuple[Limit, datetime], str] = field(default_factory=dict)
    until: datetime | None = None
    """Of a pause: when it ends by itself. Of a visit: when its last attempt was over."""
    over: bool = False

    @property
    def outlasts(self) -> bool:
        """Whether the end of the life does not end it: a fact of its own does."""
        return self.stage is LifeStage.SUPERVISION or self.attributes.get(c.QUESTION) == EXCLUSION

    def holds(self, started_at: datetime, ended_at: datetime) -> bool:
        """Whether this stretch lies within it; while it lasts, everything from its beginning on does."""
        return self.started_at <= started_at and (not self.over or ended_at <= self.ended_at)

    def reach(self, started_at: datetime, ended_at: datetime) -> None:
        """Last from before this stretch until after it."""
        self.started_at, self.ended_at = min(self.started_at, started_at), max(self.ended_at, ended_at)


_KINDS: Final = {
    LifeStage.ORDER: Kind.CLIENT,
    LifeStage.REVIEW: Kind.CLIENT,
    LifeStage.CALL: Kind.CLIENT,
    LifeStage.SUPERVISION: Kind.CLIENT,
    LifeStage.ATTEMPT: Kind.CLIENT,
}
_ORDER_OVER: Final = (
    e.OrderAnswered,
    e.OrderAssigned,
    e.OrderMoved,
    e.ReturnApproved,
    e.TerminationApproved,
    e.ComplaintReopened,
)
_ORDER_DUE: Final = (e.OrderAssigned, e.OrderMoved, e.ReturnApproved, e.ComplaintReopened)
"""The facts after which the next order must be written."""


class _Life:
    """One pass over the facts of a life."""

    def __init__(self) -> None:
        self.spans: list[LifeSpan] = []
        self._stages: list[_Open] = []
        self._version = 0
        self._at = datetime.max.replace(tzinfo=UTC)
        self._fact: e.Fact

    def take(self, version: int, fact: e.Fact) -> None:
        """Let one fact begin, fill and end stages."""
        self._version, self._fact, self._at = version, fact, getattr(fact, fact.TIME)
        for pause in self._all(LifeStage.PAUSE):
            if pause.until is not None and pause.until < self._at:
                self._end(pause, pause.until, "")
        self._before(fact)
        self._put(fact)
        self._after(fact)

    # -- looking

    def _all(self, *stages: LifeStage, **agreeing: Any) -> list[_Open]:
        """The stages of these kinds that last, the latest first."""
        return [
            one
            for one in reversed(self._stages)
            if not one.over and one.stage in stages and _agrees(one, agreeing)
        ]

    def _one(self, *stages: LifeStage) -> _Open | None:
        return next(iter(self._all(*stages)), None)

    def _home(self, fact: e.Fact) -> _Open | None:
        """The stage that holds it: one that lasts before one that is over, the life last; None after its end."""
        for stage, agreeing in belongs(fact):
            for over in (False, True):
                for one in reversed(self._stages):
                    fits = one.stage is stage and one.over is over and _agrees(one, agreeing)
                    if fits and one.holds(self._at, self._at):
                        return one
        return self._one(LifeStage.LIFE) or self._within(self._stages[0] if self._stages else None, self._at)

    def _within(
        self, stage: _Open | None, started_at: datetime, ended_at: datetime | None = None
    ) -> _Open | None:
        """This stage or the nearest around it that holds the stretch."""
        while stage is not None and stage.over and not stage.holds(started_at, ended_at or started_at):
            stage = stage.parent
        return stage

    # -- writing

    def _begin(
        self, stage: LifeStage, name: str, service: str, parent: _Open | None, peer: str = "", **more: Any
    ) -> _Open:
        begun = _Open(
            stage, self._version, name, service, peer, parent, self._at, self._at,
            {_NAMES[key]: value for key, value in more.items()},
        )  # fmt: skip
        self._stages.append(begun)
        return begun

    def _put(self, fact: e.Fact) -> None:
        """Into the stage that it belongs to: as an event, or below it where it is a word or comes late."""
        home, speaker = self._home(fact), speaker_of(fact)
        name, limit = type(fact).__name__, BELONGINGS[type(fact)].missed
        if isinstance(fact, e.LimitMissCorrected):
            home = self._corrected(fact) or home
        if home is None or home.over or speaker:
            self._word(name, home, speaker, "" if limit is None else name)
            return
        home.events.append(SpanEvent(self._version, name, self._at))
        home.reach(self._at, self._at)
        if limit is not None:
            home.missed[limit, getattr(fact, "due_at")] = name  # noqa: B009 -- each fact with a limit has it

    def _corrected(self, fact: e.LimitMissCorrected) -> _Open | None:
        """The stage that lasts and was said to have missed this limit; it has missed it no more."""
        for one in self._stages:
            if not one.over and one.missed.pop((fact.limit, fact.due_at), None) is not None:
                return one
        return None

    def _word(self, name: str, home: _Open | None, speaker: str, error: str) -> None:
        """One fact as a span of its instant."""
        parent = self._within(home, self._at)
        word = _Open(
            LifeStage.WORD, self._version, name, speaker or self._fact.SPEAKER, "", parent, self._at, self._at,
            {c.FACT: name, c.VERSION: self._version},
        )  # fmt: skip
        if speaker:
            word.peer = self._fact.SPEAKER
        self._state(word, Kind.PRODUCER if speaker else Kind.INTERNAL, error)

    def _end(self, stage: _Open, at: datetime, by: str) -> None:
        """State a stage, and before it whatever still lasts in it."""
        for inner in [one for one in self._stages if one.parent is stage and not one.over]:
            if not inner.outlasts:
                self._end(inner, _last_of(inner, at), by)
        stage.reach(stage.started_at, at)
        if by:
            stage.attributes[c.ENDED_BY] = by
        stage.over = True
        stage.parent = self._within(stage.parent, stage.started_at, stage.ended_at)
        self._state(
            stage, _KINDS.get(stage.stage, Kind.INTERNAL), ",".join(dict.fromkeys(stage.missed.values()))
        )

    def _state(self, one: _Open, kind: Kind, error: str) -> None:
        complaint_id, parent = self._fact.complaint_id, one.parent
        around = parent
        while around is not None and not around.over:
            around.reach(one.started_at, one.ended_at)
            around = around.parent
        attributes = {c.COMPLAINT: complaint_id, c.STAGE: str(one.stage), **one.attributes}
        if error:
            attributes[c.ERROR_TYPE] = error
        self.spans.append(
            LifeSpan(
                trace_id=trace_hex_of(complaint_id),
                span_id=stage_span_id(complaint_id, one.version, one.stage),
                parent_id=None
                if parent is None
                else stage_span_id(complaint_id, parent.version, parent.stage),
                name=one.name,
                kind=kind,
                service=one.service,
                peer=one.peer,
                started_at=one.started_at,
                ended_at=one.ended_at,
                attributes=tuple(attributes.items()),
                events=tuple(one.events),
                error=error,
            )
        )

    def _end_all(self, *stages: LifeStage, **agreeing: Any) -> None:
        for one in self._all(*stages, **agreeing):
            if not one.over:
                self._end(one, _last_of(one, self._at), type(self._fact).__name__)

    # -- what begins and ends

    def _before(self, fact: e.Fact) -> None:
        """Begin the stages that hold the fact."""
        life = self._one(LifeStage.LIFE)
        match fact:
            case e.ComplaintReceived():
                self._begin(LifeStage.LIFE, "life", c.HOTLINE, None)
            case e.AnswerSentBack():
                self._end_all(LifeStage.VISIT, LifeStage.ORDER)
                self._order(fact, "answer sent back")
            case e.WhistleBlown():
                self._begin(
                    LifeStage.WHISTLE,
                    f"whistle {fact.whistle}",
                    DeskName.DISPATCH,
                    life,
                    whistle=fact.whistle,
                    unit=fact.unit,
                )
            case e.UnitCalled():
                whistle = next(iter(self._all(LifeStage.WHISTLE, **{c.WHISTLE: fact.whistle})), life)
                self._begin(
                    LifeStage.CALL, f"{fact.called} called", DeskName.DISPATCH, whistle, fact.called,
                    whistle=fact.whistle, unit=fact.called,
                )  # fmt: skip
            case e.SupervisionOpened():
                self._begin(LifeStage.SUPERVISION, "supervision", DeskName.ESCALATION, life, fact.told)
            case e.VisitScheduled():
                self._visit(fact, life)
            case _:
                pass

    def _visit(self, fact: e.VisitScheduled, life: _Open | None) -> None:
        """An attempt, and the visit with the first of them."""
        self._end_all(LifeStage.ATTEMPT)
        visit = next(iter(self._all(LifeStage.VISIT, **{c.VISIT: fact.visit})), None)
        if visit is None:
            self._end_all(LifeStage.VISIT)
            visit = self._begin(
                LifeStage.VISIT,
                f"visit {fact.visit}",
                DeskName.FEEDBACK,
                life,
                visit=fact.visit,
                round=fact.round,
            )
        visit.until = None
        self._begin(
            LifeStage.ATTEMPT, f"attempt {fact.attempt}", DeskName.FEEDBACK, visit, c.DIALLER,
            visit=fact.visit, attempt=fact.attempt,
        )  # fmt: skip

    def _order(self, fact: e.ComplaintDispatched | e.AnswerSentBack, again: str = "") -> None:
        name = f"order {fact.assignment} at {fact.unit}" + (f", {again}" if again else "")
        self._begin(
            LifeStage.ORDER, name, DeskName.DISPATCH, self._one(LifeStage.LIFE), fact.unit,
            assignment=fact.assignment, round=fact.round, unit=fact.unit,
        )  # fmt: skip

    def _after(self, fact: e.Fact) -> None:
        """End the stages that the fact ends, then begin those that follow."""
        for question in DECISIONS.get(type(fact), ()):
            self._end_all(LifeStage.REVIEW, **{c.QUESTION: question})
        moved = isinstance(fact, e.CouncilDecided) and fact.to_unit != fact.unit
        if moved or isinstance(fact, _ORDER_OVER):
            self._end_all(LifeStage.ORDER)
        if isinstance(fact, (e.ComplaintReopened, e.TerminationApproved)):
            self._end_all(LifeStage.VISIT)
        self._shorter(fact)
        if isinstance(fact, ENDS):
            self._finish(fact)
            return
        life = self._one(LifeStage.LIFE)
        due = moved or isinstance(fact, _ORDER_DUE)
        if (due or (isinstance(fact, e.ComplaintClassified) and fact.to_dispatch)) and life is not None:
            if self._one(LifeStage.DISPATCH) is None:
                self._begin(LifeStage.DISPATCH, "dispatch", DeskName.DISPATCH, life)
        elif isinstance(fact, e.ComplaintDispatched):
            self._end_all(LifeStage.DISPATCH, LifeStage.ORDER)
            self._order(fact)
        self._asked(fact, life)

    def _shorter(self, fact: e.Fact) -> None:
        """The stages within others that this ends: a pause, an attempt, a called unit, supervision."""
        match fact:
            case e.PauseEnded():
                self._end_all(LifeStage.PAUSE)
            case e.ComplaintReclassified() if fact.pause_days is not UNSET:
                self._end_all(LifeStage.PAUSE)
            case e.VisitMade():
                self._end_all(LifeStage.ATTEMPT, LifeStage.VISIT)
            case e.VisitUnreached():
                self._end_all(LifeStage.ATTEMPT)
                for visit in self._all(LifeStage.VISIT):
                    visit.until = self._at
            case e.WhistleReleased():
                self._end_all(LifeStage.CALL, **{c.WHISTLE: fact.whistle, c.UNIT: fact.called})
                if not self._all(LifeStage.CALL, **{c.WHISTLE: fact.whistle}):
                    self._end_all(LifeStage.WHISTLE, **{c.WHISTLE: fact.whistle})
            case e.SupervisionClosed():
                self._end_all(LifeStage.SUPERVISION)
            case _:
                pass

    def _asked(self, fact: e.Fact, life: _Open | None) -> None:
        """A question to reviewers, or a pause that they granted."""
        order = self._one(LifeStage.ORDER)
        question = QUESTIONS.get(type(fact))
        if question is not None:
            within = life if question == EXCLUSION else order
            self._end_all(LifeStage.REVIEW, **{c.QUESTION: question})
            self._begin(
                LifeStage.REVIEW,
                f"review: {question}",
                DeskName.DISPATCH,
                within,
                c.REVIEWERS,
                question=question,
            )
        elif isinstance(fact, e.PauseApproved) and order is not None:
            self._end_all(LifeStage.PAUSE)
            self._begin(LifeStage.PAUSE, "pause", DeskName.DISPATCH, order).until = fact.until

    def _finish(self, fact: e.Fact) -> None:
        for life in self._all(LifeStage.LIFE):
            if isinstance(fact, e.ComplaintClosed):
                life.attributes[c.OUTCOME] = str(fact.outcome)
            self._end(life, self._at, type(fact).__name__)


_NAMES: Final = {
    "assignment": c.ASSIGNMENT,
    "round": c.ROUND,
    "unit": c.UNIT,
    "question": c.QUESTION,
    "whistle": c.WHISTLE,
    "visit": c.VISIT,
    "attempt": c.ATTEMPT,
}


def _agrees(one: _Open, agreeing: dict[str, Any]) -> bool:
    return all(one.attributes.get(name) == value for name, value in agreeing.items())


def _last_of(one: _Open, at: datetime) -> datetime:
    """When it ended, if something else ended by now: a pause and a visit may have been over before."""
    return at if one.until is None else min(one.until, at)


def spans_of(facts: Sequence[e.Fact | None]) -> list[LifeSpan]:
    """The spans of one life, of all stages that have ended, inner ones first.

    `facts`: the life from its first fact on, in order; None where nobody can read one, which then is in no
    span. The same facts give the same spans; more facts of the life give these and more.
    """
    life = _Life()
    for version, fact in enumerate(facts, 1):
        if fact is not None:
            life.take(version, fact)
    return life.spans
