"""Marks of callers for the listener for staff: the warning of a call, and the acts of people on pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from hotline import caller_marks
from hotline.caller_marks import CallerMark, MarkAct, MarkDecision, MarkStanding
from hotline.web.caller_index import CallerIndex
from shared.log.acts import refusals_told


class CallerWarning(NamedTuple):
    """The mark of a caller as an agent sees it."""

    mark_id: int
    standing: str
    reason: str
    proposed_at: datetime
    expires_at: datetime

    @property
    def warns(self) -> bool:
        """Whether it is in force; a proposal warns of nobody."""
        return self.standing in {MarkStanding.IN_FORCE, MarkStanding.OBJECTED}


class CallerMarks:
    """See the module."""

    def __init__(self, pool: asyncpg.Pool[Any], callers: CallerIndex) -> None:
        """`pool`: of the login of the listener for staff. `callers`: finds a number's place."""
        self._pool = pool
        self._callers = callers

    async def of_call(self, call_id: str, who: str) -> CallerWarning | None:
        """The mark of who calls, where this person took the call."""
        row = await self._pool.fetchrow("SELECT * FROM vault.mark_of_call($1, $2)", call_id, who)
        return None if row is None else CallerWarning(*row)

    async def of_number(self, number: str) -> CallerWarning | None:
        """The mark of a number; None where it is no number, or no key is here."""
        place = self._callers.place(number)
        if place is None:
            return None
        row = await self._pool.fetchrow("SELECT * FROM vault.mark_of_caller($1)", place)
        return None if row is None else CallerWarning(*row)

    async def has_number(self, call_id: str, who: str) -> bool:
        """Whether it is known who calls, where this person took the call."""
        return bool(await self._pool.fetchval("SELECT vault.call_has_number($1, $2)", call_id, who))

    async def propose(self, call_id: str, who: str, reason: str, days: int) -> None:
        """Propose to mark who calls. `UserError` where it cannot be."""
        with refusals_told():
            await self._pool.execute(
                "SELECT vault.propose_mark_of_call($1, $2, $3, $4)", call_id, who, reason, days
            )

    async def object_to(self, call_id: str, who: str, words: str) -> None:
        """Write down that the caller objects, in the caller's words. `UserError` where it cannot be."""
        with refusals_told():
            await self._pool.execute("SELECT vault.object_to_mark_of_call($1, $2, $3)", call_id, who, words)

    async def decide(self, mark: int, decision: MarkDecision, who: str, reason: str) -> None:
        """Decide about a mark. `UserError` where it cannot be."""
        with refusals_told():
            await caller_marks.decide(self._pool, mark, decision, who, reason)

    async def listed(self) -> list[CallerMark]:
        """The marks, what waits first."""
        return await caller_marks.listed(self._pool)

    async def one(self, mark: int) -> CallerMark | None:
        """The mark of this number; None where there is none."""
        return await caller_marks.one_of(self._pool, mark)

    async def acts_of(self, mark: int) -> list[MarkAct]:
        """The acts of a mark, in order."""
        return await caller_marks.acts_of(self._pool, mark)
