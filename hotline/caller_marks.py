"""Marks of malicious callers: proposed, approved or refused, objected to, upheld or lifted, over (decision 0077).

A mark warns the agent who takes the caller's next call. It blocks nothing (R11, I2). It hangs on the caller's place
in the blind index; no number is kept.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from services.intake.numbers_in_texts import kinds_in
from shared.text import has_words

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[Any] | asyncpg.Pool[Any]

LISTED_MAX: Final = 200
"""Marks that a list shows; what waits for a decision stands first."""
REASON_MAX: Final = 500
"""Characters of a reason."""

_LIST: Final = "SELECT * FROM vault.marks($1)"
_ONE: Final = "SELECT * FROM vault.mark($1)"
_ACTS: Final = """
SELECT act, actorid, reason, acted_at FROM vault.caller_mark_act WHERE mark_id = $1 ORDER BY number
"""


class MarkStanding(StrEnum):
    """How a mark stands."""

    PROPOSED = "PROPOSED"
    IN_FORCE = "IN_FORCE"
    OBJECTED = "OBJECTED"
    """It is in force, and its caller's objection waits for a decision."""
    REFUSED = "REFUSED"
    LIFTED = "LIFTED"
    EXPIRED = "EXPIRED"


class MarkDecision(StrEnum):
    """A decision of supervision."""

    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    UPHELD = "UPHELD"
    LIFTED = "LIFTED"


DECISIONS_AT: Final = {
    MarkStanding.PROPOSED: (MarkDecision.APPROVED, MarkDecision.REFUSED),
    MarkStanding.OBJECTED: (MarkDecision.LIFTED, MarkDecision.UPHELD),
    MarkStanding.IN_FORCE: (MarkDecision.LIFTED,),
}
"""By standing the decisions that can be taken; `vault.decide_mark` holds the same."""


class CallerMark(NamedTuple):
    """A mark as supervision sees it; nothing tells whose it is."""

    mark_id: int
    standing: str
    days: int
    """How long it warns."""
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime
    """Of a proposal: when it lapses."""
    last_act: str
    last_by: str
    last_at: datetime
    last_reason: str
    complaints: int
    """Complaints of the caller whose contact is kept."""
    calls: int
    """Calls of the caller within a day."""


class MarkAct(NamedTuple):
    """An act of a mark."""

    act: str
    actorid: str
    reason: str
    acted_at: datetime


async def listed(reader: Connection, most: int = LISTED_MAX) -> list[CallerMark]:
    """The marks: objections first, then proposals, those in force, those that are over. Errors of asyncpg.

    Of those that wait for a decision the oldest stands first, of the others the newest.
    """
    return [CallerMark(*row) for row in await reader.fetch(_LIST, most)]


async def one_of(reader: Connection, mark: int) -> CallerMark | None:
    """The mark of this number; None where there is none. Errors of asyncpg."""
    row = await reader.fetchrow(_ONE, mark)
    return None if row is None else CallerMark(*row)


async def acts_of(reader: Connection, mark: int) -> list[MarkAct]:
    """The acts of a mark, in order; none where there is no such mark."""
    return [MarkAct(*row) for row in await reader.fetch(_ACTS, mark)]


async def propose(agent: Connection, index: bytes, who: str, reason: str, days: int) -> int:
    """Propose to mark the caller of this place in the index; the mark's number. HL004 where it cannot be."""
    found: int = await agent.fetchval("SELECT vault.propose_mark($1, $2, $3, $4)", index, who, reason, days)
    return found


async def object_to(agent: Connection, index: bytes, who: str, words: str) -> int:
    """Write down that the caller objects; the mark's number. HL004 where the caller is not marked."""
    found: int = await agent.fetchval("SELECT vault.object_to_mark($1, $2, $3)", index, who, words)
    return found


async def decide(supervisor: Connection, mark: int, decision: MarkDecision, who: str, reason: str) -> None:
    """Decide about a mark. HL004 where it cannot be, and where one person would decide about his own act."""
    await supervisor.execute("SELECT vault.decide_mark($1, $2, $3, $4)", mark, decision.value, who, reason)


def wrong_reason(text: str) -> str:
    """Why a reason cannot be taken, a sentence; empty where it can. It stays on record, so it holds no number."""
    if not has_words(text) or "\0" in text:
        return "A reason is asked for."
    if len(text) > REASON_MAX:
        return "The reason is longer than 500 characters."
    if kinds_in(text):
        return "A telephone or identity number stands in it, and it stays on record."
    return ""
