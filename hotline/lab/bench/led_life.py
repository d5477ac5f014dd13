"""A life that is led by the desks' own rules, step by step, outside any service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hotline.lab.bench.city import Target
from services.dispatch import rules as dispatch
from services.escalation import rules as escalation
from services.escalation.rules import FireDeadlines
from services.feedback import rules as feedback
from services.intake import rules as intake
from services.intake.decisions.recording import AskedToRecord
from shared import inputs
from shared.asked import NO_UNIT, Asked
from shared.complaint import UNOPENED, Case, Complaint, due_deadlines, evolve
from shared.events import SPEAKERS, DeskName, Fact, RequestType, Urgency
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.log.codec import encoded
from shared.policy.catalogue import Catalogue
from shared.topics import hearer_of
from shared.versions import RULESET


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
            AskedToRecord(
                complaint_id=self._id,
                command=inputs.RecordRequest(
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
        match desk_of(command):
            case DeskName.INTAKE:
                return intake.decide(command, self.case)
            case DeskName.DISPATCH:
                return dispatch.decide(command, self.case, self._catalogue)
            case DeskName.FEEDBACK:
                return feedback.decide(command, self.case, self._catalogue)
            case DeskName.ESCALATION:
                return escalation.decide(command, self.case, self._catalogue)

    def _says(self, command: inputs.Input, unit: UnitId = NO_UNIT) -> None:
        self.tell(Asked(command=command, complaint_id=self._id, unit=unit, at=self.at))

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
        self._says(inputs.SignOrder(complaint_id=self._id, assignment=assignment), unit)

    def answers(self) -> None:
        """The unit says what it did."""
        unit, assignment = self._order()
        self._says(
            inputs.AnswerOrder(
                complaint_id=self._id,
                assignment=assignment,
                result="已组织抢修,当日恢复供水",
                claims_solved=True,
            ),
            unit,
        )

    def gives_back(self) -> None:
        """The unit wants to return the order, and an hour later the review finds it right."""
        self.asks_back()
        _, assignment = self._order()
        self.waits(HOUR)
        self._says(
            inputs.ReviewReturn(
                complaint_id=self._id,
                assignment=assignment,
                approved=True,
                reviewer="reviewer-1",
            )
        )

    def asks_back(self) -> None:
        """The unit wants to return the order."""
        unit, assignment = self._order()
        self._says(
            inputs.RequestReturn(
                complaint_id=self._id,
                assignment=assignment,
                reason="不属本单位职责",
                evidence="职责清单第3条",
            ),
            unit,
        )

    def judges(self, *, solved: bool) -> None:
        """The citizen is reached on the day after the visit is due, and judges."""
        visit = self._asked()
        self._says(
            inputs.RecordVisit(
                complaint_id=self._id,
                visit=visit[0],
                attempt=visit[1],
                solved=solved,
                satisfied=solved,
                reason="" if solved else "仍未恢复",
                channel="phone",
            )
        )

    def is_not_reached(self) -> None:
        """An attempt is in vain."""
        visit = self._asked()
        self._says(
            inputs.RecordUnreached(
                complaint_id=self._id,
                visit=visit[0],
                attempt=visit[1],
                cause="no_answer",
                channel="phone",
            )
        )

    def withdraws(self) -> None:
        """The citizen takes it back."""
        self._says(inputs.WithdrawRequest(complaint_id=self._id, reason="已自行解决"))

    def _order(self) -> tuple[Any, int]:
        order = self.complaint.order
        if order is None:
            raise ValueError("there is no order")
        return order.unit, order.assignment

    def _asked(self) -> tuple[int, int]:
        visit = self.complaint.visit
        if visit is None:
            raise ValueError("no visit is under way")
        self.waits(max(timedelta(0), visit.visit_at - self.at) + HOUR)
        return visit.visit, visit.attempt


def desk_of(command: Any) -> DeskName:
    """The desk a command is for: that hears it at a door, or that tells itself so."""
    if isinstance(command, Asked):
        return DeskName(hearer_of(type(command.command)))
    return DeskName(type(command).__module__.split(".")[1])


HOUR: Final = timedelta(hours=1)


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
