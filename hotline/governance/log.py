"""The log of programmes in the city's database: read, decide, append behind the position that was read.

Two people may write to one programme at once. The second is told so, reads again and decides again. So every
decision knows the whole past.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import msgspec

from hotline.governance.facts import ProgrammeId, Recorded, Wanted, WishRefused, decoded, encoded
from hotline.governance.notices import kept_notices
from hotline.governance.rules import NoSuchProgramme, decide, why_not
from hotline.governance.state import Programme, ProgrammeFold, folded
from hotline.parsing import id_of
from shared.log.instants import implausible, reads_any_instant
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows, reason

ATTEMPTS_MAX: Final = 20
"""As many are faster, one after another, before it is given up: people type these commands."""

PAGE: Final = 5000
"""Rows read at once."""

_APPEND: Final = "SELECT es.append_programme($1, $2, $3, $4, $5, $6, $7)"
_OF: Final = "SELECT position, body FROM es.programme_fact WHERE programme_id = $1 ORDER BY position"
_ALL: Final = """
SELECT programme_id, position, kind, occurred_at, recorded_by, body, notices FROM es.programme_fact
ORDER BY programme_id, position
"""
_CALLED: Final = """
SELECT programme_id FROM es.programme_fact WHERE position = 1 AND programme_id BETWEEN $1::uuid AND $2::uuid LIMIT 2
"""


@asynccontextmanager
async def programmes(dsn: str) -> AsyncIterator[Programmes]:
    """The programmes of a city; the reader's DSN is enough to read, the governor's writes."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn, timeout=10)
    try:
        await reads_any_instant(connection)
        yield Programmes(connection)
    finally:
        await connection.close()


class Programmes:
    """See `programmes`."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        """`connection` is the governor's where it is to be written."""
        self._connection = connection

    async def record(
        self, wanted: Sequence[Wanted], *, each: bool = False
    ) -> tuple[list[Recorded], Programme]:
        """Decide on these, all about one programme, and append what comes of them: all or nothing, in one row each.

        A wish after a refusal is not asked any more, unless `each` stands for itself. Gives what was recorded, nothing
        where it was so already, and the state after it.
        Raises `NoSuchProgramme` where there is none, `UserError` where others are always faster.
        """
        programme_id = wanted[0].programme_id
        for _ in range(ATTEMPTS_MAX):
            past = await self.facts(programme_id)
            before = folded(past)
            said, state = decided(before, wanted, each=each)
            if not said or await self.append(programme_id, len(past), said, told(before, said)):
                return said, state
        raise UserError(f"Others write to {programme_id} all the time: try again.")

    async def append(
        self,
        programme_id: ProgrammeId,
        expected: int,
        said: Sequence[Recorded],
        notices: Sequence[str | None] | None = None,
    ) -> bool:
        """Append behind this position, as they are; False where somebody else was faster.

        `notices` are what units are told of each; without them nobody is told.
        """
        written: bool = await self._connection.fetchval(
            _APPEND,
            UUID(programme_id),
            expected,
            [type(fact).__name__ for fact in said],
            [fact.at for fact in said],
            [fact.by for fact in said],
            [encoded(fact).decode() for fact in said],
            [None] * len(said) if notices is None else list(notices),
        )
        return written

    async def facts(self, programme_id: ProgrammeId) -> list[Recorded]:
        """The facts recorded of it, in order; empty where there is none.

        Raises `UserError` where a fact cannot be read: nothing is decided on a past that is not the whole.
        """
        unread = UnreadableRows()
        found = await self.readable_facts(programme_id, unread)
        if unread:
            raise UserError(unread.line())
        return found

    async def readable_facts(self, programme_id: ProgrammeId, unread: UnreadableRows) -> list[Recorded]:
        """The same to be shown: what cannot be read is noted and left out."""
        rows = await self._connection.fetch(_OF, UUID(programme_id))
        return unread.each(
            rows,
            lambda row: _name(programme_id, row["position"]),
            lambda row: decoded(row["body"]),
        )

    async def one(self, programme_id: ProgrammeId) -> Programme:
        """As it stands; raises `NoSuchProgramme`."""
        state = folded(await self.facts(programme_id))
        if state is None:
            raise NoSuchProgramme(programme_id)
        return state

    async def all(self, unread: UnreadableRows | None = None) -> list[Programme]:
        """All as they stand: monthly ones by month, then lists by year, level and title.

        A fact that cannot be read is noted in `unread`, and its programme stands as the others leave it.
        """
        unread = UnreadableRows() if unread is None else unread
        folds: dict[UUID, ProgrammeFold] = {}
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await self._connection.cursor(_ALL)
            while page := await cursor.fetch(PAGE):
                for row in page:
                    fold = folds.setdefault(row[0], ProgrammeFold())
                    unread.read(
                        _name(row[0], row[1]),
                        lambda row=row, fold=fold: fold.add(decoded(row["body"])),  # type: ignore[misc]
                    )
        found = [fold.state for fold in folds.values() if fold.state is not None]
        return sorted(
            found,
            key=lambda one: (
                not one.is_monthly,
                one.year,
                one.month or 0,
                one.level or "",
                one.title,
                one.lead,
            ),
        )

    async def named(self, text: str) -> ProgrammeId | UserError:
        """As `called`; gives the error, for a table that names all of its faults."""
        try:
            return await self.called(text)
        except UserError as error:
            return error

    async def called(self, text: str) -> ProgrammeId:
        """The programme with this id, or the only one whose id begins so; `UserError` where there is none."""
        digits = id_of(text)
        if digits is None:
            raise UserError(
                f"'{text}' is no programme's id: expected hexadecimal digits, at least the first 4."
            )
        rows = await self._connection.fetch(_CALLED, UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))
        if not rows:
            raise UserError(f"No programme {text} is on record.")
        if len(rows) > 1:
            raise UserError(f"More than one id begins with {text}: give more of it.")
        return ProgrammeId(str(rows[0][0]))


def _name(programme: object, position: int) -> str:
    return f"programme {programme}, position {position}"


def decided(
    state: Programme | None, wanted: Iterable[Wanted], *, each: bool = False
) -> tuple[list[Recorded], Programme]:
    """The outcome of these, one after another, and the state after it.

    A wish after a refusal is not asked, unless `each` stands for itself.
    """
    said: list[Recorded] = []
    fold = ProgrammeFold(state)
    for wish in wanted:
        came = decide(fold.state, wish)
        for fact in came:
            fold.add(fact)
        said += came
        if not each and any(fact is not wish for fact in came):
            break
    assert fold.state is not None  # noqa: S101 -- `decide` raises where nothing begins it
    return said, fold.state


def told(before: Programme | None, said: Iterable[Recorded]) -> list[str | None]:
    """The notices of each of these facts, as the log keeps them beside it."""
    fold = ProgrammeFold(before)
    return [kept_notices(fold.add(fact), fact) for fact in said]


class Findings(Protocol):
    """Where a reading of the log notes what it read and what does not hold."""

    programmes: int
    programme_facts: int

    def found(self, complaint_id: str, what: str) -> None:
        """Note what does not hold; the id is empty where it is about no single complaint."""


async def judge(connection: asyncpg.Connection[Any], report: Findings) -> None:
    """Read all programmes and note every fault, within the caller's transaction.

    The positions of each programme must run from 1 without a gap. Kind, time and speaker of a row must equal
    those of its body. The rules must accept every fact where it stands, and must not accept anything that a
    refusal refused.
    """
    cursor = await connection.cursor(_ALL)
    programme: UUID | None = None
    fold = ProgrammeFold()
    last = 0
    while page := await cursor.fetch(PAGE):
        for row in page:
            if row[0] != programme:
                programme, fold, last = row[0], ProgrammeFold(), 0
                report.programmes += 1
            report.programme_facts += 1

            def wrong(what: str, row: Any = row) -> None:
                report.found("", f"programme {row[0]}, position {row[1]} ({row[2]}): {what}")

            if row[1] != last + 1:
                wrong(f"follows position {last}")
            last = row[1]
            try:
                fact = decoded(row["body"])
            except msgspec.DecodeError as error:
                wrong(f"cannot be read: {error}")
                continue
            for what in _judged(row, fold, fact):
                wrong(what)


def _judged(row: Any, fold: ProgrammeFold, fact: Recorded) -> list[str]:
    """The faults of a fact. A legal one is added; one that cannot be judged is named as that."""
    amiss = implausible(fact)
    try:
        amiss += _amiss(row, fold, fact)
    except Exception as error:  # noqa: BLE001 -- it is named, and all others are judged
        amiss.append(f"cannot be judged: {reason(error)}")
    return amiss


def _amiss(row: Any, fold: ProgrammeFold, fact: Recorded) -> Iterable[str]:
    _, _, kind, occurred_at, recorded_by, body, notices = row
    if encoded(fact).decode() != body:
        yield "its bytes are not those this fact is written with"
    if (kind, occurred_at, recorded_by) != (type(fact).__name__, fact.at, fact.by):
        yield "the row's kind, time or speaker is not the fact's own"
    if UUID(fact.programme_id) != row[0]:
        yield "is a fact of another one"
    why = legal(fold.state, fact)
    if why is not None:
        yield why
        return
    after = fold.add(fact)
    # A fact of before decision 0055 has none, and so has one that a command of the release before recorded.
    if notices is not None and notices != kept_notices(after, fact):
        yield "what units are told of it is not what this fact tells"


def legal(state: Programme | None, fact: Recorded) -> str | None:
    """Why this may not stand here; None where it may."""
    if isinstance(fact, WishRefused):
        if state is None:
            return "refuses something before anything began"
        return "refuses what the rules take" if why_not(state, fact.wanted) is None else None
    return why_not(state, fact)
