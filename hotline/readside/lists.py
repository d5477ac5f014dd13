"""Lists of what waits: a unit's orders, decisions, corrections, supervision, visits; a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from hotline.readside.rows import ANSWERED, LEAD, RowsOf, rows_of
from shared.complaint import Complaint
from shared.complaint_number import number_of
from shared.events.base import Attachment
from shared.ids import ComplaintId
from shared.runtime.errors import UserError

PAGE: Final = 50
PAGE_MAX: Final = 1000

SHOWN: Final = """
c.stream_id::text AS complaint_id, c.stage, c.ended, c.unit AS lead, c.assignment, c.round, c.standing, c.paused_until,
c.provisional, c.unlisted, c.urgency, c.subject, c.district, c.street, c.ruleset, c.received_at, c.heat,
c.sign_due_at,
t.request_id, t.title, t.content, t.address, t.attachments
"""
"""The columns of a listed complaint, of `read.complaint` c and `read.wording` t."""
_PAGE: Final = f"""
SELECT w.due_at, w.role, w.number, w.unit AS about, {SHOWN}
FROM (
    SELECT * FROM read.waiting
    WHERE list = $1 AND party = $2 AND (due_at, stream_id, role, number) > ($3, $4, $5, $6)
      AND ($7 = '' OR role = $7) AND ($8 = '' OR unit = $8) AND ($9 = '' OR subject = $9)
      AND ($10 = '' OR district = $10) AND ($11 = '' OR urgency = $11) AND ($12::timestamptz IS NULL OR due_at < $12)
    ORDER BY due_at, stream_id, role, number LIMIT $13
) w
JOIN read.complaint c ON c.stream_id = w.stream_id JOIN read.wording t ON t.stream_id = w.stream_id
ORDER BY w.due_at, w.stream_id, w.role, w.number
"""  # noqa: S608 -- our own names
SOME: Final = f"""
SELECT coalesce(c.due_at, c.received_at) AS due_at, '' AS role, 0 AS number, c.unit AS about, {SHOWN}
FROM read.complaint c JOIN read.wording t ON t.stream_id = c.stream_id WHERE c.stream_id = ANY ($1::uuid[])
"""  # noqa: S608 -- our own names
"""These complaints, as lists show them, in no order."""
_OTHER_CALENDAR: Final = """
SELECT stream_id::text FROM read.complaint
WHERE ended = '' AND assignment > 0 AND calendar {} $1 ORDER BY calendar, stream_id
"""
_BEFORE_ALL: Final = (datetime(1, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000", "", -1)
_attachments: Final = msgspec.json.Decoder(tuple[Attachment, ...])


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint as a list shows it."""

    complaint_id: str
    request_id: str
    stage: str
    ended: str
    """The fact that ended it; empty while it goes on."""
    due_at: datetime
    """Until when somebody must act."""
    role: str
    """Of an order the unit's part in it (`ROLES`); of a question its kind; of a visit its reason.

    Of a complaint that supervision watches one of `WATCHED_AS`.
    """
    number: int
    """Of the whistle or the visit."""
    about: str
    """The unit it is about."""
    lead: str
    """The unit that has the order."""
    assignment: int
    round: int
    standing: str
    """Of the order: new, signed, in review, disputed, answered; empty where there is none, or the life is over."""
    paused_until: datetime | None
    provisional: bool
    """The limit may still move (T16)."""
    unlisted: tuple[str, ...]
    """Which of subject, district and street the catalogue does not know."""
    urgency: str
    subject: str
    district: str
    street: str
    ruleset: str
    received_at: datetime
    heat: int
    """How often the matter was brought up."""
    sign_due_at: datetime | None
    """Until when the order must be signed, where nobody has reacted to it."""
    title: str
    content: str
    address: str
    attachments: tuple[Attachment, ...]

    @property
    def complaint_number(self) -> str:
        """The number that a person reads out and types."""
        return number_of(ComplaintId(self.complaint_id), self.received_at, self.ruleset)

    def overdue(self, now: datetime) -> bool:
        """Whether its limit has passed and nobody has answered."""
        return not self.ended and self.standing != ANSWERED and self.due_at < now

    def stands_still(self, now: datetime) -> bool:
        """Whether the unit's clock stands still."""
        return self.paused_until is not None and now <= self.paused_until

    @property
    def cursor(self) -> str:
        """Behind which the next page begins."""
        return f"{self.due_at.isoformat()}/{self.complaint_id}/{self.role}/{self.number}"


class Filter(NamedTuple):
    """The part of a list that is asked for; an empty value leaves nothing out."""

    role: str = ""
    unit: str = ""
    subject: str = ""
    district: str = ""
    urgency: str = ""
    due_before: datetime | None = None


EVERYTHING: Final = Filter()


async def page_of(
    connection: asyncpg.Connection[Any],
    which: str,
    party: str = "",
    *,
    only: Filter = EVERYTHING,
    after: str = "",
    most: int = PAGE,
) -> list[Listed]:
    """A page of one of `LISTS`, the earliest due first; `party`: of orders the unit; `after`: a cursor.

    Raises `UserError` where the cursor is none.
    """
    rows = await connection.fetch(_PAGE, which, party, *place_in(after), *only, min(most, PAGE_MAX))
    return [listed_of(row) for row in rows]


async def whole_list(
    connection: asyncpg.Connection[Any], which: str, party: str = "", *, only: Filter = EVERYTHING
) -> list[Listed]:
    """All of a list, page by page, for a caller that needs every row."""
    found: list[Listed] = []
    while True:
        page = await page_of(
            connection, which, party, only=only, after=found[-1].cursor if found else "", most=PAGE_MAX
        )
        found += page
        if len(page) < PAGE_MAX:
            return found


async def some(connection: asyncpg.Connection[Any], complaints: Sequence[str]) -> list[Listed]:
    """These complaints, in this order; one that the read side does not have is left out."""
    rows = {row["complaint_id"]: row for row in await connection.fetch(SOME, complaints)}
    return [listed_of(rows[one]) for one in complaints if one in rows]


async def by_other_calendar(connection: asyncpg.Connection[Any], version: str) -> list[str]:
    """The open, dispatched complaints that go by another calendar than this one."""
    found: list[str] = []
    for beside in ("<", ">"):  # two walks along the index; "other than" would be a walk over all
        found += [row[0] for row in await connection.fetch(_OTHER_CALENDAR.format(beside), version)]
    return sorted(found)


def listed(case: Complaint) -> Listed:
    """A complaint as its unit's list shows it, by what it is now."""
    made: RowsOf = rows_of(case, 0)
    row, texts = made.complaint, made.wording
    assert texts is not None  # noqa: S101 -- they are asked for
    return Listed(
        complaint_id=row.stream_id,
        request_id=texts.request_id,
        stage=row.stage,
        ended=row.ended,
        due_at=row.due_at or row.received_at,
        role=LEAD,
        number=0,
        about=row.unit,
        lead=row.unit,
        assignment=row.assignment,
        round=row.round,
        standing="" if row.ended else row.standing,
        paused_until=row.paused_until,
        provisional=row.provisional,
        unlisted=_unlisted(row.unlisted),
        urgency=row.urgency,
        subject=row.subject,
        district=row.district,
        street=row.street,
        ruleset=row.ruleset,
        received_at=row.received_at,
        heat=row.heat,
        sign_due_at=row.sign_due_at,
        title=texts.title,
        content=texts.content,
        address=texts.address,
        attachments=case.attachments,
    )


def listed_of(row: Any) -> Listed:
    """A row of one of the statements here."""
    fields = dict(row)
    if fields["ended"]:
        fields["standing"] = ""  # the row keeps what the order was at the end
    fields["unlisted"] = _unlisted(fields["unlisted"])
    fields["attachments"] = _attachments.decode(fields["attachments"])
    return Listed(**fields)


def _unlisted(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def place_in(cursor: str) -> tuple[datetime, str, str, int]:
    """The place in a list that a cursor names; `UserError` where it names none."""
    if not cursor:
        return _BEFORE_ALL
    try:
        due_at, complaint, role, number = cursor.split("/")
        return datetime.fromisoformat(due_at), complaint, role, int(number)
    except ValueError:
        raise UserError(
            f'"{cursor}" is no place in a list: expected the one that the page before ends with.'
        ) from None
