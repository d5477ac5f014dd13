"""The facts of a programme: a monthly programme (每月一题) or a project list (项目清单).

Names and fields are the stored shape: a new optional field is free, anything else is a new name. Every fact says who
(`by`) and when; its day is the day in the offset of its own time, which is the city's.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Final, NewType

import msgspec

from shared.events.base import Instant
from shared.ids import ComplaintId, UnitId, derived
from shared.wording import NAME, WORDS

ProgrammeId = NewType("ProgrammeId", str)
"""A monthly programme or a project list. Lower-case UUID text."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, extra=WORDS)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, extra=NAME)]
Number = Annotated[int, msgspec.Meta(ge=1)]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
MEMBERS_MAX: Final = 500
"""Complaints for which one answer is offered at once: a fact and each of its messages stay under a batch of Kafka."""
Year = Annotated[int, msgspec.Meta(ge=2000, le=2999)]


class ListLevel(StrEnum):
    """The level of government that a project list belongs to."""

    MUNICIPAL = "MUNICIPAL"
    DISTRICT = "DISTRICT"
    STREET = "STREET"


class Basis(StrEnum):
    """On what a programme was closed."""

    ASSESSMENT = "ASSESSMENT"
    EXCEPTION = "EXCEPTION"


class Cluster(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Complaints that are alike: of one subject, in one district or in all (`district` empty)."""

    subject: Name
    district: Annotated[str, msgspec.Meta(extra=NAME)] = ""


class ProgrammeFact(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that happened to one programme; `TIME` names the field that says when."""

    TIME: ClassVar[str]

    programme_id: ProgrammeId
    by: Text
    """The unit by its id, or the person's name, that did it."""

    @property
    def at(self) -> datetime:
        """When it happened, aware, in the city's offset."""
        told: datetime = getattr(self, self.TIME)
        return told


class ProgrammeProposed(ProgrammeFact, frozen=True, kw_only=True):
    """A theme is proposed for a month, out of what citizens complain about."""

    TIME: ClassVar[str] = "proposed_at"

    year: Year
    month: Month
    title: Text
    lead: UnitId
    """The lead of the theme; each of its problems has a lead of its own (T27)."""
    clusters: tuple[Cluster, ...] = ()
    """The complaints it grew from."""
    proposed_at: Instant


class ListDrawnUp(ProgrammeFact, frozen=True, kw_only=True):
    """A level of government draws up its list of projects for a year."""

    TIME: ClassVar[str] = "drawn_up_at"

    year: Year
    title: Text
    level: ListLevel
    owner: UnitId
    clusters: tuple[Cluster, ...] = ()
    drawn_up_at: Instant


class ProgrammeAdopted(ProgrammeFact, frozen=True, kw_only=True):
    """It is decided: from now on it has problems or projects, and tasks."""

    TIME: ClassVar[str] = "adopted_at"

    adopted_at: Instant


class ItemNamed(ProgrammeFact, frozen=True, kw_only=True):
    """A problem of a monthly programme, or a project of a list, with exactly one lead and those who work with it."""

    TIME: ClassVar[str] = "named_at"

    item: Number
    """1, 2, 3 … within the programme."""
    title: Text
    lead: UnitId
    cooperating: tuple[UnitId, ...] = ()
    named_at: Instant


class LeadChanged(ProgrammeFact, frozen=True, kw_only=True):
    """Another unit leads a problem or project, or others work with it."""

    TIME: ClassVar[str] = "changed_at"

    item: Number
    lead: UnitId
    cooperating: tuple[UnitId, ...] = ()
    reason: Text
    changed_at: Instant


class TaskSet(ProgrammeFact, frozen=True, kw_only=True):
    """A task of a problem or project: who owns it, and its last day in time."""

    TIME: ClassVar[str] = "set_at"

    item: Number
    task: Number
    """1, 2, 3 … within the programme, not within the item."""
    title: Text
    owner: UnitId
    due: date
    set_at: Instant


class TaskProgressed(ProgrammeFact, frozen=True, kw_only=True):
    """How far the owner is."""

    TIME: ClassVar[str] = "progressed_at"

    task: Number
    text: Text
    progressed_at: Instant


class LongTermApproved(ProgrammeFact, frozen=True, kw_only=True):
    """The task is one that has to be kept up (需要长期坚持): by a plan, looked at again on a named day (T26)."""

    TIME: ClassVar[str] = "approved_at"

    task: Number
    plan: Text
    review_on: date
    approved_at: Instant


class LongTermReviewed(ProgrammeFact, frozen=True, kw_only=True):
    """A long-term task was looked at, and when it will be again."""

    TIME: ClassVar[str] = "reviewed_at"

    task: Number
    found: Text
    review_on: date
    reviewed_at: Instant


class TaskCompleted(ProgrammeFact, frozen=True, kw_only=True):
    """It is done, says who did it, and this shows it."""

    TIME: ClassVar[str] = "completed_at"

    task: Number
    evidence: Text
    completed_at: Instant


class TaskVerified(ProgrammeFact, frozen=True, kw_only=True):
    """Somebody else than its owner looked: it is done."""

    TIME: ClassVar[str] = "verified_at"

    task: Number
    verified_at: Instant


class CompletionRejected(ProgrammeFact, frozen=True, kw_only=True):
    """Somebody else than its owner looked: it is not done; the owner goes on, by the same day."""

    TIME: ClassVar[str] = "rejected_at"

    task: Number
    reason: Text
    rejected_at: Instant


class PolicyIssued(ProgrammeFact, frozen=True, kw_only=True):
    """A document came of it (政策清单)."""

    TIME: ClassVar[str] = "issued_at"

    document: Text
    issued_at: Instant


class AssessmentMade(ProgrammeFact, frozen=True, kw_only=True):
    """Citizens were asked: how many were visited, and how many percent of them are satisfied."""

    TIME: ClassVar[str] = "assessed_at"

    survey_rate: Decimal
    """In percent, 0 to 100, as the survey states it."""
    visits: Number
    assessed_at: Instant


class Member(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complaint in the position of another one, and the unit that has its order."""

    complaint_id: ComplaintId
    unit: UnitId
    complaint_number: str = ""
    """The number that a person reads out and types; empty in facts from before it was kept here."""


class AnswerOffered(ProgrammeFact, frozen=True, kw_only=True):
    """The answer that settled one complaint is offered for others in its position (有一办一、举一反三).

    Their units hear of it and answer each by itself, so each citizen is asked by a visit of his own.
    """

    TIME: ClassVar[str] = "offered_at"

    item: Number
    first: ComplaintId
    """The complaint that was settled so."""
    answer: Text
    members: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1, max_length=MEMBERS_MAX)]
    offered_at: Instant


class ClosingExceptionApproved(ProgrammeFact, frozen=True, kw_only=True):
    """Somebody not concerned lets it be closed without an assessment, or with tasks open."""

    TIME: ClassVar[str] = "approved_at"

    reason: Text
    approved_at: Instant


class ProgrammeClosed(ProgrammeFact, frozen=True, kw_only=True):
    """The end."""

    TIME: ClassVar[str] = "closed_at"

    basis: Basis
    closed_at: Instant


OfTask = (
    TaskProgressed | LongTermApproved | LongTermReviewed | TaskCompleted | TaskVerified | CompletionRejected
)
"""The facts of a task once it is set."""

OfWhole = (
    ProgrammeAdopted
    | ItemNamed
    | LeadChanged
    | TaskSet
    | PolicyIssued
    | AssessmentMade
    | AnswerOffered
    | ClosingExceptionApproved
    | ProgrammeClosed
)
"""The facts of a programme as a whole once it has begun."""

Wanted = ProgrammeProposed | ListDrawnUp | OfWhole | OfTask
"""A wish to record; where the rules agree, it is a fact as it is."""


class WishRefused(ProgrammeFact, frozen=True, kw_only=True):
    """A wish to record that is refused, and why."""

    TIME: ClassVar[str] = "refused_at"

    wanted: Wanted
    reason: Text
    refused_at: Instant


Recorded = Wanted | WishRefused
"""A row of the log."""

BEGINNINGS: Final = (ProgrammeProposed, ListDrawnUp)


def programme_id_of(year: int, month: int, title: str) -> ProgrammeId:
    """The same programme proposed twice is one."""
    return ProgrammeId(derived("topic", str(year), str(month), title))


def list_id(year: int, level: ListLevel, owner: str, title: str) -> ProgrammeId:
    """The same list drawn up twice is one."""
    return ProgrammeId(derived("list", str(year), level, owner, title))


_DECODER: Final[msgspec.json.Decoder[Recorded]] = msgspec.json.Decoder(Recorded)


def encoded(fact: Recorded) -> bytes:
    """Its bytes: fields in declaration order, beginning with its kind as `type`."""
    return msgspec.json.encode(fact)


def decoded(body: bytes | str) -> Recorded:
    """The fact of these bytes; raises `msgspec.DecodeError` that names the field where they are none."""
    return _DECODER.decode(body)
