"""The content of an anchor: the root over the hashes of a stretch of the log, chained to the anchor before.

A stretch is all facts with positions from `first` to `last`, none of which can still come. So a person who
holds the line knows which facts there were. The root alone says that something is different; the leaves
beside it say which fact. A line is one JSON object, and the next one holds the SHA-256 of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

NOTHING: Final = "0" * 64
"""The root that the first anchor follows, and the root over no fact."""

CE_TYPE: Final = "hotline.log.anchored.v1"
CE_SOURCE: Final = "/hotline/relay"

HASH_BYTES: Final = 32
LEAF_HASH_BYTES: Final = 8
"""Of a fact's hash in its leaf: enough to say which fact differs, where the root has said that one does."""

_LEAF: Final = Struct(f">16sI{LEAF_HASH_BYTES}s")


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the log as it was when it was anchored."""

    number: int
    """1, 2, 3 …; after a restore they go on from the backup's."""
    anchored_at: datetime
    first: int
    """The positions of this stretch, both included; not every position between has a fact."""
    last: int
    facts: int
    root: str
    """Hex, see `root_of`."""
    previous: str
    """Hex: the SHA-256 of the line before."""
    restored: bool = False
    """No stretch: the log was put back from a backup that ended with `previous`. Anchors after that one,
    in a copy that went further, are of a log that is no more."""
    leaves: bytes = b""
    """For each fact by position: its complaint, its version, and the beginning of its hash."""


class Leaf(NamedTuple):
    """A fact as its anchor names it."""

    stream: UUID
    version: int
    hash: bytes
    """Its first `LEAF_HASH_BYTES`."""


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Anchor)


def line_of(anchor: Anchor) -> bytes:
    """The line that is handed on, without its end."""
    return _encoder.encode(anchor)


def anchor_of(line: bytes) -> Anchor:
    """The anchor of a line; raises `msgspec.DecodeError` with the field that is wrong."""
    return _decoder.decode(line)


def hash_of(line: bytes) -> bytes:
    """The hash of this line for the next anchor."""
    return sha256(line).digest()


def root_of(hashes: bytes) -> str:
    """The Merkle root over facts' hashes, one behind the other: in each row two become one, a last single one goes up.

    A fact's hash is used as the leaf. Its source is longer than the 65 bytes of two hashes, so neither passes
    for the other.
    """
    if not hashes:
        return NOTHING
    row = hashes
    while len(row) > HASH_BYTES:
        pair = 2 * HASH_BYTES
        whole = len(row) - len(row) % pair
        row = b"".join(
            [sha256(b"\x01" + row[at : at + pair]).digest() for at in range(0, whole, pair)] + [row[whole:]]
        )
    return row.hex()


def leaves_of(packed: bytes) -> Iterator[Leaf]:
    """The leaves of an anchor; raises `struct.error` where they were cut."""
    for stream, version, start in _LEAF.iter_unpack(packed):
        yield Leaf(UUID(bytes=stream), version, start)
