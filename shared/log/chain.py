"""A fact in its place: who it belongs to, what came before it, what caused it."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from struct import pack
from typing import Final

import msgspec

from shared.ids import ComplaintId, FactId

GENESIS: Final = bytes(32)
"""The hash that the first fact of a complaint chains to."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log, as stored; `body` is the very bytes the hash covers."""

    position: int
    complaint_id: ComplaintId
    version: int
    fact_id: FactId
    type: str
    schema_version: int
    occurred_at: datetime
    recorded_at: datetime
    caused_by: str
    actor: str
    body: bytes
    hash: bytes


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 in UTC, as the hash covers them."""
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def chained(
    previous: bytes,
    complaint_id: str,
    version: int,
    fact_id: str,
    type_name: str,
    schema_version: int,
    occurred_at: datetime,
    caused_by: str,
    actor: str,
    body: bytes,
) -> bytes:
    """SHA-256 over the previous hash, the header in fixed order with lengths, and the stored body."""
    header = f"{complaint_id}\x1f{fact_id}\x1f{type_name}\x1f{caused_by}\x1f{actor}".encode()
    numbers = pack(">IHqII", version, schema_version, microseconds(occurred_at), len(header), len(body))
    return sha256(b"".join((previous, numbers, header, body))).digest()
