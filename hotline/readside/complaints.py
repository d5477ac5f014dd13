"""The projection of complaints: `rows` of each complaint that was touched, and the sums over them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from hotline.readside.legs import DISPATCHED, ENDS, HEARD, LegFact, LegRow, legs_of
from hotline.readside.rows import (
    TEXT_CHANGED_BY,
    VERSION,
    ComplaintRow,
    FollowedRow,
    MessageRow,
    RowsOf,
    WaitingRow,
    WordingRow,
    message_of,
    rows_of,
)
from shared.complaint import stored_head
from shared.log.codec import decoded
from shared.log.projection.projector import New, Source
from shared.unreadable import reason

_HEADS: Final = (
    "SELECT stream_id, version, state_schema, state FROM es.stream WHERE stream_id = ANY ($1::uuid[])"
)
# The first fact of a life alone says when a message was sent; of most, which came by telephone, it does not.
_FIRST: Final = """
SELECT stream_id, type, schema_version, body FROM es.fact
WHERE stream_id = ANY ($1::uuid[]) AND version = 1 AND position('"sent_at":'::bytea IN body) > 0
"""
# The last fact of a life says when it changed. Few complaints are followed, and no other is looked at here.
_CHANGED: Final = """
SELECT asked.stream_id::text, last.recorded_at FROM unnest($1::uuid[]) AS asked (stream_id) CROSS JOIN LATERAL (
    SELECT f.recorded_at FROM es.fact f WHERE f.stream_id = asked.stream_id ORDER BY f.version DESC LIMIT 1
) last
"""
# Of the facts that legs follow from, the time alone; only an order says to which unit it went.
_LEG_FACTS: Final = f"""
SELECT stream_id::text, version, type, schema_version, occurred_at, CASE WHEN type = '{DISPATCHED}' THEN body END
FROM es.fact WHERE stream_id = ANY ($1::uuid[]) AND type IN {HEARD} ORDER BY stream_id, version
"""  # noqa: S608 -- our own names
_NEXT: Final = """
SELECT s.stream_id FROM es.stream s
WHERE s.stream_id > $1::uuid {} ORDER BY s.stream_id LIMIT $2
"""
_ALL: Final = _NEXT.format("")
_BEHIND: Final = _NEXT.format(
    "AND NOT EXISTS (SELECT FROM read.complaint c WHERE c.stream_id = s.stream_id AND c.version = s.version)"
)
_ARCHIVED_BEHIND: Final = """
SELECT a.stream_id FROM es.archived_life a LEFT JOIN read.complaint c USING (stream_id)
WHERE c.version IS NULL OR c.version < a.version
"""
_DETACHED: Final = "SELECT stream_id::text FROM es.detached_life WHERE stream_id BETWEEN $1 AND $2"
_BEFORE_ALL: Final = "00000000-0000-0000-0000-000000000000"


class Table(NamedTuple):
    """A table of the read side, its columns and its key, and the table of one connection that rows come by.

    COPY into a table of the connection's own costs half of what an array a column does.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def given(self) -> str:
        """The table of the connection, which is empty at the end of each transaction."""
        return f"given_{self.name}"

    def put(self, select: str = "") -> str:
        """The statement that writes the given rows that are not there like this."""
        named = ", ".join(self.columns)
        rest = [name for name in self.columns if name not in self.key]
        changed = ", ".join(f"{name} = excluded.{name}" for name in rest)
        was, now = (", ".join(f"{of}.{name}" for name in rest) for of in ("t", "excluded"))
        return (
            f"INSERT INTO read.{self.name} AS t ({named}) SELECT {select or named} FROM {self.given} "  # noqa: S608
            f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed} WHERE ({was}) IS DISTINCT FROM ({now})"
        )


COMPLAINT: Final = Table("complaint", ComplaintRow._fields, ("stream_id",))
WORDING: Final = Table("wording", WordingRow._fields, ("stream_id",))
WAITING: Final = Table("waiting", WaitingRow._fields, ("stream_id", "list", "party", "role", "number"))
MESSAGE: Final = Table("message", MessageRow._fields, ("stream_id",))
FOLLOWED: Final = Table("followed", FollowedRow._fields, ("stream_id",))
LEG: Final = Table("leg", LegRow._fields, ("stream_id", "version"))
TABLES: Final = (COMPLAINT, WORDING, WAITING, MESSAGE, FOLLOWED, LEG)
OF_FACTS: Final = (MESSAGE, FOLLOWED, LEG)
"""The tables that facts alone fill: of a life whose facts are away, their rows stay as they are."""

_GIVEN: Final = "".join(
    f"CREATE TEMP TABLE IF NOT EXISTS {table.given} (LIKE read.{table.name}) ON COMMIT DELETE ROWS;"
    for table in TABLES
)
_READY: Final = f"""
{_GIVEN}
ALTER TABLE given_wording ALTER COLUMN words TYPE text;
CREATE INDEX ON given_waiting (stream_id);
CREATE INDEX ON given_leg (stream_id, version);
"""
_EMPTY: Final = "".join(f"DELETE FROM {table.given};" for table in TABLES)  # noqa: S608 -- our own names
_PUT_WORDING: Final = WORDING.put(
    "stream_id, received_at, request_id, title, content, address, attachments, string_to_array(words, E'\\n')"
)
_PUT_WAITING: Final = WAITING.put()
_PUT_MESSAGE: Final = MESSAGE.put()
_PUT_FOLLOWED: Final = FOLLOWED.put()
_PUT_LEG: Final = LEG.put()
_NO_LEG: Final = """
DELETE FROM read.leg l WHERE l.stream_id = ANY ($1::uuid[])
AND NOT EXISTS (SELECT FROM given_leg g WHERE g.stream_id = l.stream_id AND g.version = l.version)
AND NOT EXISTS (SELECT FROM es.detached_life d WHERE d.stream_id = l.stream_id)
"""
_NO_LONGER_WAITING: Final = f"""
DELETE FROM read.waiting w WHERE w.stream_id = ANY ($1::uuid[]) AND NOT EXISTS (
    SELECT FROM given_waiting g WHERE {" AND ".join(f"g.{name} = w.{name}" for name in WAITING.key)})
"""  # noqa: S608 -- our own names

# The rows, and with them the sums: what a row counted for before is taken off, what it counts for now is added.
_BEFORE: Final = """
    old.stream_id AS was, old.stage AS o_stage, old.district AS o_district, old.unit AS o_unit,
    old.subject AS o_subject, old.day AS o_day, old.version AS o_facts, old.timers AS o_timers,
    (old.unlisted <> '' AND old.ended = '')::int AS o_unlisted
"""
_NOW: Final = """
    new.stage AS n_stage, new.district AS n_district, new.unit AS n_unit, new.subject AS n_subject, new.day AS n_day,
    new.version AS n_facts, new.timers AS n_timers, (new.unlisted <> '' AND new.ended = '')::int AS n_unlisted
"""
_OFF: Final = """
    SELECT o_stage AS stage, o_district AS district, o_unit AS unit, o_subject AS subject, o_day AS day,
           -o_facts AS facts, -o_timers AS timers, -o_unlisted AS unlisted, -1 AS n FROM put WHERE was IS NOT NULL
"""
_ON: Final = "SELECT n_stage, n_district, n_unit, n_subject, n_day, n_facts, n_timers, n_unlisted, 1 FROM put"
_SUMMED: Final = """
counted AS (
    INSERT INTO read.count AS t (stage, district, unit, subject, complaints)
    SELECT stage, district, unit, subject, sum(n) FROM moved GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
    ON CONFLICT (stage, district, unit, subject) DO UPDATE SET complaints = t.complaints + excluded.complaints
), totalled AS (
    INSERT INTO read.total AS t (stage, complaints, facts, timers, unlisted)
    SELECT stage, sum(n), sum(facts), sum(timers), sum(unlisted) FROM moved GROUP BY 1
    ON CONFLICT (stage) DO UPDATE SET complaints = t.complaints + excluded.complaints,
        facts = t.facts + excluded.facts, timers = t.timers + excluded.timers, unlisted = t.unlisted + excluded.unlisted
), received AS (
    INSERT INTO read.received AS t (span, day, subject, district, complaints)
    SELECT s.span, date_trunc(s.span, m.day)::date, m.subject, m.district, sum(m.n)
    FROM moved m, (VALUES ('month'), ('day')) AS s (span) WHERE m.day IS NOT NULL
    GROUP BY 1, 2, 3, 4 HAVING sum(m.n) <> 0
    ON CONFLICT (span, day, subject, district) DO UPDATE SET complaints = t.complaints + excluded.complaints
)
SELECT count(*) FROM put
"""
_PUT_COMPLAINT: Final = f"""
WITH put AS ({COMPLAINT.put()} RETURNING {_BEFORE}, {_NOW}),
moved AS MATERIALIZED ({_OFF} UNION ALL {_ON}), {_SUMMED}
"""
_FORGET: Final = f"""
WITH put AS (DELETE FROM read.complaint WHERE stream_id = ANY ($1::uuid[]) RETURNING {_BEFORE}),
moved AS MATERIALIZED ({_OFF}), {_SUMMED}
"""  # noqa: S608 -- our own names
_FORGET_REST: Final = tuple(
    f"DELETE FROM read.{table.name} WHERE stream_id = ANY ($1::uuid[])"  # noqa: S608 -- our own names
    for table in (WORDING, WAITING, *OF_FACTS)
)
_UNREAD: Final = """
INSERT INTO read.unread AS t (stream_id, why) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT (stream_id) DO UPDATE SET why = excluded.why WHERE t.why <> excluded.why
"""
_NOTED: Final = "SELECT stream_id FROM read.unread ORDER BY stream_id"
_READ_AGAIN: Final = "DELETE FROM read.unread WHERE stream_id = ANY ($1::uuid[])"


class MadeRows(NamedTuple):
    """Rows of some complaints, ready to be written."""

    rows: list[RowsOf]
    messages: list[MessageRow]
    followed: list[FollowedRow]
    legs: list[LegRow]
    amiss: dict[UUID, str]
    """The complaints of which a fact cannot be read here, and why."""
    all_legs: bool = False
    """Whether `legs` are all that these complaints have: a row beside them is of another fold, and goes."""

    def only(self, streams: Collection[str]) -> MadeRows:
        """Those of these complaints."""
        return MadeRows(
            [one for one in self.rows if one.complaint.stream_id in streams],
            [one for one in self.messages if one.stream_id in streams],
            [one for one in self.followed if one.stream_id in streams],
            [one for one in self.legs if one.stream_id in streams],
            self.amiss,
            self.all_legs,
        )


class Complaints:
    """See `Projection`."""

    name = "lists"
    version = VERSION
    source = Source(
        "es.event",
        "stream_id",
        "position type",
        f"max(position), bool_or(type IN {TEXT_CHANGED_BY}), bool_or(type = 'ComplaintReceived'), "
        f"bool_or(type IN {ENDS})",
        "SELECT coalesce(max(position), 0) FROM es.event",
    )

    async def put(self, connection: asyncpg.Connection[Any], new: New) -> None:
        """See `Projection.put`. By the heads: a head is the sum of its facts, in the facts' own transaction."""
        heads = await connection.fetch(_HEADS, new.keys)
        every = not new.told
        told = {row[0] for row in new.told if row[3]}
        rows: list[RowsOf] = []
        amiss: dict[UUID, str] = {}
        for stream, version, schema, state in heads:
            try:
                case = stored_head(str(stream), state, schema)
                rows.append(rows_of(case, version, worded=every or stream in told))
            except Exception as error:  # noqa: BLE001 -- this complaint is in no list and is named, all others are
                amiss[stream] = reason(error)
        first = set(new.keys) if every else {row[0] for row in new.told if row[4]}
        ended = set(new.keys) if every else {row[0] for row in new.told if row[5]}
        made = await made_of(connection, rows, first, ended)
        amiss |= made.amiss | await put(connection, made._replace(all_legs=every))
        await note_unread(connection, new.keys, amiss)

    async def next_keys(
        self, connection: asyncpg.Connection[Any], after: str, most: int, *, behind: bool
    ) -> list[Any]:
        """See `Projection.next_keys`."""
        statement = _BEHIND if behind else _ALL
        return [row[0] for row in await connection.fetch(statement, after or _BEFORE_ALL, most)]

    async def archived_behind(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """See `Projection.archived_behind`."""
        return [row[0] for row in await connection.fetch(_ARCHIVED_BEHIND)]

    async def unread(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """See `Projection.unread`."""
        return [row[0] for row in await connection.fetch(_NOTED)]


async def made_of(
    connection: asyncpg.Connection[Any],
    rows: list[RowsOf],
    first: Collection[UUID],
    ended: Collection[UUID],
) -> MadeRows:
    """These rows, and beside them all that facts alone say.

    `first`: the complaints whose first fact is looked at; `ended`: those whose legs are.
    """
    messages = await messages_of(connection, first) if first else []
    legs, amiss = await _legs_of(connection, ended) if ended else ([], {})
    return MadeRows(rows, messages, await _followed_of(connection, rows), legs, amiss)


async def _legs_of(
    connection: asyncpg.Connection[Any], streams: Iterable[UUID]
) -> tuple[list[LegRow], dict[UUID, str]]:
    """The legs of these complaints, and of which an order cannot be read: a later release may (decision 0052)."""
    facts: dict[str, list[LegFact]] = {}
    amiss: dict[UUID, str] = {}
    for stream, version, name, schema, at, body in await connection.fetch(_LEG_FACTS, list(streams)):
        try:
            unit = "" if body is None else decoded(name, schema, body).unit  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 -- this complaint has no legs and is named, all others have
            amiss[UUID(stream)] = reason(error)
            continue
        facts.setdefault(stream, []).append(LegFact(version, name, at, unit))
    known = (one for one in facts.items() if UUID(one[0]) not in amiss) if amiss else facts.items()
    return [row for stream, life in known for row in legs_of(stream, life)], amiss


async def _followed_of(connection: asyncpg.Connection[Any], rows: Iterable[RowsOf]) -> list[FollowedRow]:
    logins = {one.complaint.stream_id: one.login for one in rows if one.login is not None}
    found = await connection.fetch(_CHANGED, list(map(UUID, logins))) if logins else []
    return [FollowedRow(stream, logins[stream], changed_at) for stream, changed_at in found]


async def messages_of(connection: asyncpg.Connection[Any], streams: Iterable[UUID]) -> list[MessageRow]:
    """The rows of messages among these complaints; one whose first fact cannot be read has none."""
    found: list[MessageRow] = []
    for _, name, schema, body in await connection.fetch(_FIRST, list(streams)):
        try:
            row = message_of(decoded(name, schema, body))
        except Exception:  # noqa: BLE001, S112 -- its head cannot be right either, and that is named
            continue
        if row is not None:
            found.append(row)
    return found


async def detached_in(connection: asyncpg.Connection[Any], stretch: tuple[UUID, UUID]) -> set[str]:
    """The complaints from one id to another whose facts lie in a month that is away."""
    return {row[0] for row in await connection.fetch(_DETACHED, *stretch)}


async def prepared(connection: asyncpg.Connection[Any]) -> None:
    """Make the tables of this connection by which `put` gives rows; the connection is ready then for its whole life."""
    await connection.execute(_READY)


async def put(connection: asyncpg.Connection[Any], made: MadeRows) -> dict[UUID, str]:
    """Write these rows, over a connection that is `prepared`, inside a transaction.

    Returns the complaints with a value that PostgreSQL does not take, and why.
    """
    if not made.rows:
        return {}
    try:
        async with connection.transaction():  # what fails must not end the transaction around it
            await _put(connection, made)
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError) as error:
        if len(made.rows) == 1:
            return {UUID(made.rows[0].complaint.stream_id): reason(error)}
        half = len(made.rows) // 2
        amiss: dict[UUID, str] = {}
        for some in (made.rows[:half], made.rows[half:]):
            known = {one.complaint.stream_id for one in some}
            amiss |= await put(connection, made.only(known))
        return amiss
    return {}


async def _put(connection: asyncpg.Connection[Any], made: MadeRows) -> None:
    complaints = [one.complaint for one in made.rows]
    wording = [one.wording for one in made.rows if one.wording is not None]
    waiting = [row for one in made.rows for row in one.waiting]
    await connection.execute(_EMPTY)
    await _given(connection, COMPLAINT, complaints)
    await connection.fetchval(_PUT_COMPLAINT)
    if wording:
        await _given(connection, WORDING, wording)
        await connection.execute(_PUT_WORDING)
    if waiting:
        await _given(connection, WAITING, waiting)
    await connection.execute(_NO_LONGER_WAITING, [one.stream_id for one in complaints])
    if waiting:
        await connection.execute(_PUT_WAITING)
    if made.messages:
        await _given(connection, MESSAGE, made.messages)
        await connection.execute(_PUT_MESSAGE)
    if made.followed:
        await _given(connection, FOLLOWED, made.followed)
        await connection.execute(_PUT_FOLLOWED)
    if made.legs:
        await _given(connection, LEG, made.legs)
    if made.all_legs:
        known = [one.stream_id for one in complaints if UUID(one.stream_id) not in made.amiss]
        await connection.execute(_NO_LEG, known)
    if made.legs:
        await connection.execute(_PUT_LEG)


async def _given(connection: asyncpg.Connection[Any], table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table(
        table.given, schema_name="pg_temp", columns=table.columns, records=rows
    )


async def forget(connection: asyncpg.Connection[Any], streams: Iterable[str]) -> None:
    """Take out all rows of these complaints, inside a transaction."""
    gone = list(streams)
    await connection.fetchval(_FORGET, gone)
    for statement in _FORGET_REST:
        await connection.execute(statement, gone)


async def note_unread(
    connection: asyncpg.Connection[Any], streams: Sequence[UUID], amiss: Mapping[UUID, str]
) -> None:
    """Of these complaints, which cannot be shown, and why; all others can."""
    await connection.execute(_READ_AGAIN, [stream for stream in streams if stream not in amiss])
    if amiss:
        await connection.execute(_UNREAD, list(amiss), list(amiss.values()))
