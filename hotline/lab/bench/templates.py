"""Whole lives for a log that is to be grown: led once by the desks' own rules, then told of many complaints.

A template is led at instants that end in one certain fraction of a second, under one certain request. What of
that is found in its facts is the life's own and is replaced in every life that is derived from it; what is not
found rests on the calendar alone (the end of a day) and stays. So a derived life is, byte for byte, what the
rules would have said of that request at that instant; the test leads some again and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from hotline.lab.bench.city import Target, catalogue_of
from services.dispatch import rules as dispatch
from services.dispatch.commands import AnswerOrder, DispatchCommand, RequestReturn, ReviewReturn, SignOrder
from services.escalation import rules as escalation
from services.escalation.commands import FireDeadlines
from services.feedback import rules as feedback
from services.feedback.commands import FeedbackCommand, RecordUnreached, RecordVisit
from services.intake import rules as intake
from services.intake.commands import IntakeCommand, RecordRequest, WithdrawRequest
from shared.complaint import UNOPENED, Case, Complaint, due_deadlines, evolve, head_text, waits_for
from shared.events import SPEAKERS, Fact, RequestType, Urgency
from shared.ids import ComplaintId, complaint_id, derived
from shared.inputs import RequestRecorded
from shared.log.chain import GENESIS, chained
from shared.log.codec import encoded
from shared.policy.catalogue import Catalogue
from shared.versions import RULESET

UNITS: Final = 200
FRACTION: Final = 271_828
"""Microseconds; the fraction of a second that every instant of a template has, unless a day ends with it."""
FRACTION_MAX: Final = 1_000_000
REQUEST: Final = "grown-271828182845"
"""The request of every template: as long as all others, see `request_of`."""
BEGIN: Final = datetime(2025, 1, 6, 1, 0, tzinfo=UTC)
STARTS: Final = 24
"""Instants in the year at which each kind of life begins."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

_ID_MARK: Final = complaint_id(REQUEST).encode()
_REQUEST_MARK: Final = REQUEST.encode()
_FRACTION_MARK: Final = f".{FRACTION:06}".encode()


def request_of(number: int) -> str:
    """The request a life is told under."""
    return f"grown-{number:012}"


class Said(NamedTuple):
    """One fact of a template."""

    name: str
    schema: int
    desk: str
    at: datetime
    """Where the instant is the life's own, without its fraction of a second."""
    own: bool
    """Whether it is the life's own, and not the end of a day."""
    body: bytes
    cause: str | int
    """The text that led to it, or the place (from 0) of the fact that did."""
    number: int
    """Its place among what was decided together."""


class Row(NamedTuple):
    """A fact as es.event takes it: its fields are the columns."""

    stream_id: str
    version: int
    event_id: str
    type: str
    schema_version: int
    occurred_at: datetime
    caused_by: str
    actor: str
    body: bytes
    hash: bytes


class Template(NamedTuple):
    """One life, closed, with nothing left to watch."""

    facts: tuple[Said, ...]
    state: str
    """The head it ends with."""

    def told_of(self, number: int, fraction: int) -> tuple[list[Row], str]:
        """The life of another request, so many microseconds after the full second; and its head's state."""
        request = request_of(number)
        stream = complaint_id(request)
        own_id, own_request, own_fraction = stream.encode(), request.encode(), b".%06d" % fraction
        later = timedelta(microseconds=fraction)
        rows: list[Row] = []
        head = GENESIS
        for version, said in enumerate(self.facts, 1):
            cause = said.cause
            cause = rows[cause].event_id if isinstance(cause, int) else cause.replace(REQUEST, request)
            fact_id = derived(stream, cause, said.name, str(said.number))
            at = said.at + later if said.own else said.at
            body = (
                said.body.replace(_ID_MARK, own_id)
                .replace(_REQUEST_MARK, own_request)
                .replace(_FRACTION_MARK, own_fraction)
            )
            head = chained(head, stream, version, fact_id, said.name, said.schema, at, cause, said.desk, body)
            rows.append(
                Row(stream, version, fact_id, said.name, said.schema, at, cause, said.desk, body, head)
            )
        state = (
            self.state.replace(_ID_MARK.decode(), stream)
            .replace(REQUEST, request)
            .replace(_FRACTION_MARK.decode(), own_fraction.decode())
        )
        return rows, state


class Led:
    """A life as the desks' rules lead it; what the outside does comes from a story."""

    def __init__(
        self, target: Target, at: datetime, request: str, catalogue: Catalogue, *, article: str | None = None
    ) -> None:
        """Recorded at this instant, and dispatched unless it was answered from an article."""
        self.case: Case = UNOPENED
        self.facts: list[Said] = []
        self.at = at
        self._id: ComplaintId = complaint_id(request)
        self._request = request
        self._catalogue = catalogue
        self._unheard: list[tuple[int, Fact]] = []
        self.tell(
            RecordRequest(
                complaint_id=self._id,
                request=RequestRecorded(
                    request_id=request,
                    request_type=RequestType.HELP if article is None else RequestType.CONSULT,
                    subject=target.subject,
                    urgency=Urgency.GENERAL_7D,
                    district=target.district,
                    street=target.street,
                    address="幸福路12号院3号楼",
                    title="停水三天无人处理",
                    content="小区自本周一起停水,物业称管道检修,至今未恢复,老人取水困难,请尽快处理。",
                    article_id=article,
                ),
                ruleset=RULESET,
                calendar="cn-1",
                at=at,
            )
        )

    @property
    def complaint(self) -> Complaint:
        """The case, on record."""
        if not isinstance(self.case, Complaint):
            raise TypeError("nothing is on record")
        return self.case

    def tell(self, command: Any, cause: str | int | None = None) -> None:
        """A desk obeys; then dispatch and feedback hear what was said."""
        if cause is None:
            cause = f"bench/{self._request}/{len(self.facts)}"
        for number, fact in enumerate(self._decided(command)):
            kind = type(fact)
            at: datetime = getattr(fact, kind.TIME)
            own = at.microsecond == self.at.microsecond
            self._unheard.append((len(self.facts), fact))
            self.facts.append(
                Said(
                    kind.__name__,
                    kind.SCHEMA,
                    str(SPEAKERS[kind]),
                    at.replace(microsecond=0) if own else at,
                    own,
                    encoded(fact),
                    cause,
                    number,
                )
            )
            self.case = evolve(self.case, fact)
        while self._unheard:
            place, fact = self._unheard.pop(0)
            for react in (dispatch.react, feedback.react):
                reaction = react(fact, getattr(fact, fact.TIME))
                if reaction is not None:
                    self.tell(reaction, place)

    def _decided(self, command: Any) -> Sequence[Fact]:
        if isinstance(command, IntakeCommand):
            return intake.decide(command, self.case)
        if isinstance(command, DispatchCommand):
            return dispatch.decide(command, self.case, self._catalogue)
        if isinstance(command, FeedbackCommand):
            return feedback.decide(command, self.case, self._catalogue)
        return escalation.decide(command, self.case, self._catalogue)

    # -- what the outside does

    def waits(self, wait: timedelta) -> None:
        """Time passes; escalation states on the way what was missed."""
        until = self.at + wait
        while (due := min(due_deadlines(self.case).values(), default=until)) < until:
            # A second after the limit, at the life's own fraction: noticed_at is an instant like any other.
            noticed = due.replace(microsecond=self.at.microsecond) + timedelta(seconds=1)
            self.tell(FireDeadlines(complaint_id=self._id, until=noticed))
        self.at = until

    def signs(self) -> None:
        """The unit takes the order on."""
        unit, assignment = self._order()
        self.tell(SignOrder(complaint_id=self._id, unit=unit, assignment=assignment, at=self.at))

    def answers(self) -> None:
        """The unit says what it did."""
        unit, assignment = self._order()
        self.tell(
            AnswerOrder(
                complaint_id=self._id,
                unit=unit,
                assignment=assignment,
                result="已组织抢修,当日恢复供水",
                claims_solved=True,
                at=self.at,
            )
        )

    def gives_back(self) -> None:
        """The unit wants to return the order, and an hour later the review finds it right."""
        unit, assignment = self._order()
        self.tell(
            RequestReturn(
                complaint_id=self._id,
                unit=unit,
                assignment=assignment,
                reason="不属本单位职责",
                evidence="职责清单第3条",
                suggested_unit=None,
                at=self.at,
            )
        )
        self.waits(_HOUR)
        self.tell(
            ReviewReturn(
                complaint_id=self._id,
                assignment=assignment,
                approved=True,
                reviewer="reviewer-1",
                reason="",
                to_unit=None,
                at=self.at,
            )
        )

    def judges(self, *, solved: bool) -> None:
        """The citizen is reached on the day after the visit is due, and judges."""
        visit = self._asked()
        self.tell(
            RecordVisit(
                complaint_id=self._id,
                visit=visit[0],
                attempt=visit[1],
                solved=solved,
                satisfied=solved,
                reason="" if solved else "仍未恢复",
                channel="phone",
                at=self.at,
            )
        )

    def is_not_reached(self) -> None:
        """An attempt is in vain."""
        visit = self._asked()
        self.tell(
            RecordUnreached(
                complaint_id=self._id,
                visit=visit[0],
                attempt=visit[1],
                cause="no_answer",
                channel="phone",
                at=self.at,
            )
        )

    def withdraws(self) -> None:
        """The citizen takes it back."""
        self.tell(WithdrawRequest(complaint_id=self._id, reason="已自行解决", at=self.at))

    def _order(self) -> tuple[Any, int]:
        order = self.complaint.order
        if order is None:
            raise ValueError("there is no order")
        return order.unit, order.assignment

    def _asked(self) -> tuple[int, int]:
        visit = self.complaint.visit
        if visit is None:
            raise ValueError("no visit is under way")
        self.waits(max(timedelta(0), visit.visit_at - self.at) + _HOUR)
        return visit.visit, visit.attempt


def _solved(life: Led) -> None:
    life.waits(2 * _HOUR)
    life.signs()
    life.waits(2 * _DAY)
    life.answers()
    life.judges(solved=True)


def _returned(life: Led) -> None:
    life.waits(_HOUR)
    life.gives_back()
    _solved(life)


def _reopened(life: Led) -> None:
    life.waits(2 * _HOUR)
    life.signs()
    life.waits(_DAY)
    life.answers()
    life.judges(solved=False)
    _solved(life)


def _late(life: Led) -> None:
    life.waits(10 * _DAY)
    life.answers()
    while life.complaint.visit is not None:
        life.judges(solved=True)


def _unreached(life: Led) -> None:
    life.waits(2 * _HOUR)
    life.signs()
    life.waits(_DAY)
    life.answers()
    while life.complaint.visit is not None:
        life.is_not_reached()


def _withdrawn(life: Led) -> None:
    life.waits(2 * _HOUR)
    life.signs()
    life.waits(_HOUR)
    life.withdraws()


def _on_the_spot(_: Led) -> None:
    pass


Story = Callable[[Led], None]

STORIES: Final[tuple[tuple[Story, int], ...]] = (
    (_solved, 12),
    (_returned, 2),
    (_reopened, 2),
    (_late, 1),
    (_unreached, 1),
    (_withdrawn, 1),
    (_on_the_spot, 1),
)
"""What happens, and in how many of twenty lives."""


def led(story: Story, number: int, request: str, fraction: int, catalogue: Catalogue, target: Target) -> Led:
    """One story from its beginning: the `number`th start of the year, at this fraction of a second.

    Raises `ValueError` where the life does not end with nothing left to watch.
    """
    start = BEGIN + timedelta(days=number * 365 // STARTS, minutes=17 * number, microseconds=fraction)
    life = Led(target, start, request, catalogue, article="KB-12" if story is _on_the_spot else None)
    story(life)
    life.waits(_HOUR)  # supervision, where there is one, is closed with the end
    if life.complaint.ended is None or due_deadlines(life.case) or waits_for(life.case) is not None:
        raise ValueError(f"{story.__name__} from {start.isoformat()} does not end")
    return life


def templates() -> list[Template]:
    """All stories from all starts, each as often as its weight says; the same list each time."""
    return [
        Template(tuple(life.facts), head_text(life.complaint))
        for life in (
            led(story, number, REQUEST, FRACTION, catalogue, target)
            for story, number, catalogue, target in told()
        )
    ]


def told() -> Iterator[tuple[Story, int, Catalogue, Target]]:
    """What `templates` are led from, in their order."""
    catalogue, targets = catalogue_of(UNITS)
    for number in range(STARTS):
        for turn, story in enumerate(story for story, weight in STORIES for _ in range(weight)):
            yield story, number, catalogue, targets[(number * 20 + turn) % len(targets)]
