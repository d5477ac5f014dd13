"""The log in PostgreSQL, reached only through its functions (deploy/migrations)."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import msgspec

from shared.cloudevents import named
from shared.complaint import STATE_SCHEMA, UnreadableHead, stored_head
from shared.log import Append, EventLog, Fenced, Head, HeadMoved, Incoming, Known, Place, SealedText, Unread
from shared.log.log_format import must_be_read_here
from shared.runtime.patience import STATEMENT_SECONDS

# Every statement works on arrays through indexes. On an empty table the planner would choose a plain scan and keep it.
# Hash and merge joins read the whole log for one batch once it has grown.
SETTINGS: Final = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "timezone": "UTC",
}

_HEADS: Final = "SELECT stream_id, version, head_hash, state, state_schema FROM es.heads($1, $2, $3)"
_NOTE_RESULTS: Final = "SELECT es.note_results(" + ", ".join(f"${n}" for n in range(1, 14)) + ")"
_SEAL_TEXTS: Final = "SELECT vault.seal_texts($1, $2, $3, $4, $5)"
_APPEND: Final = "SELECT es.append(" + ", ".join(f"${n}" for n in range(1, 41)) + ")"
# As in es.append, which finds them taken: ordered by the lock's own key.
_HOLD: Final = """
SELECT pg_advisory_xact_lock(l.k) FROM (
    SELECT DISTINCT hashtextextended(x::text, 0) AS k FROM unnest($1::uuid[]) AS x ORDER BY k
) AS l
"""
_BEGUN: Final = "SELECT stream_id::text, position FROM es.begun($1)"
_PLACES: Final = "SELECT * FROM es.offsets($1, $2, $3)"
_STOP_DOOR: Final = "SELECT es.stop_door($1, $2, $3, $4)"
_DOOR_STOPPED: Final = "SELECT topic, reason FROM es.door_stopped($1, $2)"
_RELEASE_FOR: Final = "SELECT es.release_for($1, $2)"
_RELEASED: Final = "SELECT * FROM es.released($1)"


async def connect(dsn: str, name: str) -> asyncpg.Connection[Any]:
    """A connection of its own with the settings every statement here relies on."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        dsn,
        server_settings={**SETTINGS, "application_name": name},
        command_timeout=STATEMENT_SECONDS,
        timeout=10,
    )
    return connection


class PostgresLog:
    """See `EventLog`. One connection, used by one batch at a time; a lost one is opened again."""

    def __init__(self, dsn: str, consumer: str, name: str) -> None:
        """`consumer` owns offsets and inbox and is the facts' actor; `name` shows in pg_stat_activity."""
        self._dsn = dsn
        self._consumer = consumer
        self._name = name
        self._connection: asyncpg.Connection[Any] | None = None
        self._turn = asyncio.Lock()

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        """See `EventLog.heads`."""
        async with self._connected() as connection:
            rows = await connection.fetch(_HEADS, self._consumer, streams, inbox)
        heads: dict[str, Head] = {}
        done: set[str] = set()
        contents: dict[str, str] = {}
        parked: set[str] = set()
        unreadable: dict[str, str] = {}
        for stream, version, head_hash, state, state_schema in rows:
            if version > 0:
                complaint_id = str(stream)
                try:
                    case = stored_head(complaint_id, state, state_schema)
                except UnreadableHead as unread:
                    unreadable[complaint_id] = str(unread)
                else:
                    heads[complaint_id] = Head(version, head_hash, case)
            elif version == -1:
                message_id = str(stream)
                done.add(message_id)
                if head_hash is not None:
                    contents[message_id] = head_hash.hex()
            else:
                parked.add(str(stream))
        return Known(heads, frozenset(done), frozenset(parked), unreadable, contents)

    async def append(self, append: Append) -> None:
        """See `EventLog.append`."""
        arguments = self._columns_of(append)
        async with self._connected() as connection:
            try:
                further = self._further(append)
                if not further:
                    await connection.execute(_APPEND, *arguments)
                else:
                    async with connection.transaction():
                        await connection.execute(_APPEND, *arguments)
                        for statement, values in further:
                            await connection.execute(statement, *values)
            except asyncpg.PostgresError as error:
                if error.sqlstate in {"HL001", "23505", "40P01", "40001"}:
                    raise HeadMoved(str(error)) from error
                if error.sqlstate == "HL002":
                    raise Fenced(str(error)) from error
                raise

    def _columns_of(self, append: Append) -> tuple[object, ...]:
        """The arguments of es.append."""
        moved, parked = append.moved, append.parked
        return (
            self._consumer,
            [m.topic for m in moved],
            [m.partition for m in moved],
            [m.old for m in moved],
            [m.new.offset for m in moved],
            [m.new.mark_batch for m in moved],
            [m.new.mark_position for m in moved],
            append.inbox,
            append.content,
            append.head_stream,
            append.head_old,
            append.head_new,
            append.head_hash,
            append.head_state,
            STATE_SCHEMA,
            append.fact_stream,
            append.fact_version,
            append.fact_id,
            append.fact_type,
            append.fact_schema,
            append.fact_at,
            append.fact_cause,
            append.fact_body,
            append.fact_hash,
            append.timer_stream,
            append.timer_kind,
            append.timer_shard,
            append.timer_due,
            append.cancel_stream,
            append.cancel_kind,
            [p.message.topic for p in parked],
            [p.message.partition for p in parked],
            [p.message.offset for p in parked],
            [p.message.sent_at_ms for p in parked],
            [p.message.key for p in parked],
            [_headers_stored(p.message) for p in parked],
            [p.message.value for p in parked],
            [p.complaint_id for p in parked],
            [p.reason for p in parked],
            append.unpark,
        )

    def _further(self, append: Append) -> list[tuple[str, Sequence[object]]]:
        """The other statements of the transaction: the desk's own, and what is kept beside the facts."""
        further: list[tuple[str, Sequence[object]]] = [] if append.effect is None else [append.effect]
        if append.sealed:
            further.append((_SEAL_TEXTS, _columns(append.sealed, len(SealedText._fields))))
        if append.refused or append.parked:
            further.append((_NOTE_RESULTS, (self._consumer, *_results_noted(append))))
        return further

    @asynccontextmanager
    async def holding(self, streams: Sequence[str]) -> AsyncIterator[EventLog]:
        """See `EventLog.holding`."""
        async with self._connected() as connection, connection.transaction():
            await connection.execute(_HOLD, streams)
            yield _Held(connection, self._consumer)

    async def begun(self, streams: Sequence[str]) -> dict[str, int]:
        """See `EventLog.begun`."""
        async with self._connected() as connection:
            return dict(await connection.fetch(_BEGUN, streams))

    async def places(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """See `EventLog.places`."""
        async with self._connected() as connection:
            rows = await connection.fetch(
                _PLACES, self._consumer, [t for t, _ in partitions], [p for _, p in partitions]
            )
        return {(row[0], row[1]): Place(row[2], row[3], row[4]) for row in rows}

    async def released(self) -> list[Incoming]:
        """See `EventLog.released`."""
        async with self._connected() as connection:
            rows = await connection.fetch(_RELEASED, self._consumer)
        return [
            Incoming(
                topic=row["topic"],
                partition=row["part"],
                offset=row["kafka_offset"],
                sent_at_ms=row["sent_at_ms"],
                key=row["key"],
                headers=headers_of(row["headers"]),
                value=row["value"],
                parked_id=row["parked_id"],
                parked_for=None if row["complaint_id"] is None else str(row["complaint_id"]),
                unread=unread_of(row["headers"]),
            )
            for row in rows
        ]

    async def release_for(self, reasons: Sequence[str]) -> int:
        """See `EventLog.release_for`."""
        async with self._connected() as connection:
            released: int = await connection.fetchval(_RELEASE_FOR, self._consumer, reasons)
        return released

    async def stop_door(self, door: str, topic: str, reason: str) -> None:
        """See `EventLog.stop_door`."""
        async with self._connected() as connection:
            await connection.execute(_STOP_DOOR, self._consumer, door, topic, reason)

    async def door_stopped(self, door: str) -> Mapping[str, str]:
        """See `EventLog.door_stopped`."""
        async with self._connected() as connection:
            rows = await connection.fetch(_DOOR_STOPPED, self._consumer, door)
        return {row[0]: row[1] for row in rows}

    async def close(self) -> None:
        """Give the connection back."""
        async with self._turn:
            if self._connection is not None:
                await self._connection.close(timeout=5)
                self._connection = None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """The connection for one act; one that the server has given up is not used again."""
        async with self._turn:
            connection = await self._open()
            try:
                yield connection
            except asyncpg.InternalClientError:
                connection.terminate()
                raise

    async def _open(self) -> asyncpg.Connection[Any]:
        if self._connection is None or self._connection.is_closed():
            connection = await connect(self._dsn, self._name)
            try:
                await must_be_read_here(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection


def _results_noted(append: Append) -> tuple[list[Any], ...]:
    """The inputs that were refused and those that are parked, column by column as es.note_results takes them."""
    refused = [(one, *named(one.message)) for one in append.refused]
    known = [
        (one.message_id, one.message.topic, source, id_) for one, source, id_ in refused if source and id_
    ]
    parked = [
        (m.topic, m.partition, m.offset, m.sent_at_ms, *named(m), complaint_id, reason)
        for m, complaint_id, reason in append.parked
    ]
    return (*_columns(known, 4), *_columns(parked, 8))


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


class _Held(PostgresLog):
    """A log in the middle of one transaction: the same connection or none."""

    def __init__(self, connection: asyncpg.Connection[Any], consumer: str) -> None:
        super().__init__("", consumer, "")
        self._held = connection

    async def _open(self) -> asyncpg.Connection[Any]:
        return self._held


class _Apart(msgspec.Struct):
    """The headers of what could not be read, and why it could not."""

    unread: Unread
    headers: list[tuple[str, str | None, str]]
    """The third is the name's own bytes: it may be no text."""


_Pairs = list[tuple[str, str | None]]
_STORED: Final[msgspec.json.Decoder[_Pairs | _Apart]] = msgspec.json.Decoder(_Pairs | _Apart)


def _headers_stored(message: Incoming) -> bytes:
    pairs = [(name, None if value is None else b64encode(value).decode()) for name, value in message.headers]
    if message.unread is None:
        return msgspec.json.encode(pairs)
    named = [(name.encode("utf-8", "surrogateescape"), value) for name, value in pairs]
    return msgspec.json.encode(
        _Apart(
            message.unread,
            [
                (name.decode("utf-8", "backslashreplace"), value, b64encode(name).decode())
                for name, value in named
            ],
        )
    )


def headers_of(stored: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """The headers of a parked message; a name that is no text is shown by its bytes, backslashed."""
    found = _STORED.decode(stored)
    pairs = [pair[:2] for pair in found.headers] if isinstance(found, _Apart) else found
    return tuple((name, None if value is None else b64decode(value)) for name, value in pairs)


def unread_of(stored: bytes) -> Unread | None:
    """Why a parked message could not be read, by its headers; None for one that could."""
    found = _STORED.decode(stored)
    return found.unread if isinstance(found, _Apart) else None
