"""The messages that tell a speaker of its word, and those that say more than their fact: shapes of the contract."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    Fact,
    Instant,
    IntakeRefused,
    ReplyRefused,
    VisitAnswerRefused,
    VisitMade,
)

CE_TYPE: Final = "hotline.InputParked.v1"
"""The CloudEvents type of a parking's notice."""


class AnsweredInput(msgspec.Struct, frozen=True, kw_only=True):
    """The input that is answered: the CloudEvents `source` and `id` that its speaker gave it."""

    source: str
    id: str


class InputParked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message could not be taken in and is set aside (搁置); its place and the reason, never what it says."""

    topic: str
    """Where it lies in Kafka."""
    partition: int
    offset: int
    source: str | UnsetType = UNSET
    """The message's CloudEvents source; left out where it could not be read."""
    id: str | UnsetType = UNSET
    """And its id."""
    reason: str
    field: str | UnsetType = UNSET
    """The header, attribute or field that is wrong; left out where it is the message as a whole."""
    expected: str | UnsetType = UNSET
    """The expected content, where the reason says it."""
    parked_at: Instant


class WorkOrder(ComplaintDispatched, frozen=True, kw_only=True):
    """A work order (工单) as its unit gets it: the fact, and of the complaint what the unit must know."""

    complaint_number: str
    """The number that is read out and typed; see `shared.complaint_number`."""
    received_at: Instant
    """When the request was received."""
    confidential: bool
    """The hotline knows whose it is; no unit may (A5, R9)."""
    anonymous: bool
    """Nobody knows whose it is: there is nobody to ask."""


class OrderClosed(ComplaintClosed, frozen=True, kw_only=True):
    """The life ended, as the unit hears that had the order last: with the citizen's judgement where there was one."""

    complaint_number: str
    """The number that is read out and typed."""
    judgement: VisitMade | UnsetType = UNSET
    """The visit it rests on; left out where nobody was reached, and for an exception."""


class ReplyRefusal(ReplyRefused, frozen=True, kw_only=True):
    """A unit's reply or a reviewer's decision cannot be done; why, and which message it was."""

    complaint_number: str | UnsetType = UNSET
    """The number that is read out and typed; left out where the sender has nothing to do with the complaint."""
    input: AnsweredInput


class IntakeRefusal(IntakeRefused, frozen=True, kw_only=True):
    """Intake was asked for something that cannot be done; why, and which message it was."""

    complaint_number: str | UnsetType = UNSET
    """The number that is read out and typed; left out where the sender has nothing to do with the complaint."""
    input: AnsweredInput


class VisitAnswerRefusal(VisitAnswerRefused, frozen=True, kw_only=True):
    """The dialler's or a supervisor's message asks for something that cannot be done; why, and which message it was."""

    complaint_number: str | UnsetType = UNSET
    """The number that is read out and typed; left out where the sender has nothing to do with the complaint."""
    input: AnsweredInput


AS_TOLD: Final[dict[type[Fact], type[Fact]]] = {
    ComplaintDispatched: WorkOrder,
    ComplaintClosed: OrderClosed,
    ReplyRefused: ReplyRefusal,
    IntakeRefused: IntakeRefusal,
    VisitAnswerRefused: VisitAnswerRefusal,
}
"""The facts that say more outside the log than in it, each with what is told. Its type stays the fact's."""


@cache
def as_told(kind: type[Fact]) -> type[Fact]:
    """A fact as its message outside the log is: with the complaint's number, at least."""
    if kind in AS_TOLD:
        return AS_TOLD[kind]
    told = msgspec.defstruct(
        f"{kind.__name__}Told",
        [("complaint_number", str)],
        bases=(kind,),
        namespace={"__doc__": kind.__doc__},
        module=__name__,
        frozen=True,
        kw_only=True,
    )
    assert issubclass(told, Fact)  # noqa: S101 -- for the type checker
    return told


_WHERE: Final = re.compile(
    r"(?:header|attribute) (?P<attribute>ce_\w+|\w+): |data: |(?P<whole>headers|value|content-type|record timestamp): "
)
_AT: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_REQUIRED: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_NAMED: Final = re.compile(r"(?P<field>[a-z][\w.\[\]…]*(?:, [a-z][\w.\[\]…]*)*): ")
_EXPECTED: Final = re.compile(r"[Ee]xpected (?P<expected>.+?)(?:, got .*)?$", re.DOTALL)
_NOT: Final = re.compile(r"not (?P<expected>\S+)")
_ANY: Final = "a value"
"""Expected where something is missing or empty."""


class WrongField(msgspec.Struct, frozen=True):
    """The place of what is wrong, and what was expected there; None where the reason does not say."""

    field: str | None = None
    expected: str | None = None


def wrong_field(reason: str) -> WrongField:
    """The field that the reason of a parking names, and what it says was expected. Pure."""
    where = _WHERE.match(reason)
    if where is None:
        return WrongField()
    rest = reason[where.end() :]
    field = where["attribute"] or where["whole"]
    if field is None:
        at, required, named = _AT.search(rest), _REQUIRED.match(rest), _NAMED.match(rest)
        within = at["path"] if at is not None else ""
        rest = _AT.sub("", rest)
        if required is not None:
            return WrongField(f"{within}.{required['field']}".lstrip("."), _ANY)
        if named is not None:
            within, rest = named["field"], rest[named.end() :]
        field = within or "data"
    expected = _EXPECTED.search(rest) or _NOT.match(rest)
    if expected is not None:
        return WrongField(field, expected["expected"])
    return WrongField(field, _ANY if rest.startswith(("missing", "empty", "null")) else None)
