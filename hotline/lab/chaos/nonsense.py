"""Nonsense: what nobody can take in, and how it must then have been parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, NamedTuple

from shared.cloudevents import input_headers
from shared.inputs import Input
from shared.topics import COMPLAINTS_LOG, Topic

SOURCE: Final = "chaos"
POISON_KEY: Final = b"poison-"
"""The key of every piece of nonsense begins with this."""
NOT_UTF_8: Final = b"\xff\xfe".decode("utf-8", "surrogateescape")
"""The name of a header that no reader of Python's takes."""

PARKED: Final = """
SELECT key, count(*), min(reason) FROM (
    SELECT key, reason FROM es.parked UNION ALL SELECT key, reason FROM es.parked_dropped
) p GROUP BY key
"""

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(slots=True)
class Piece:
    """One piece of nonsense."""

    desks: int
    """How many must have parked it."""
    named: str = ""
    """The reason must begin with this, if the nonsense is one wrong field."""
    again: int = 0
    """How often it was sent again because nobody knew whether Kafka had it."""

    def may_be(self, times: int) -> bool:
        """Whether each desk parked it once for each record of it that there is."""
        return times in range(self.desks, self.desks * (1 + self.again) + 1, self.desks)


class ParkedCount(NamedTuple):
    """How often the messages of one key were parked, and the reason."""

    times: int
    reason: str


NEVER: Final = ParkedCount(0, "")


def amiss(poisoned: Mapping[bytes, Piece], parked: Mapping[bytes | None, ParkedCount]) -> list[str]:
    """Nonsense that was not parked as it should, and what was parked and is none."""
    found = [
        f"{key.decode()}: parked {parked.get(key, NEVER).times} times, not {piece.desks}"
        for key, piece in poisoned.items()
        if not piece.may_be(parked.get(key, NEVER).times)
    ]
    found += [
        f"{key.decode()}: parked for '{parked[key].reason}', not for '{piece.named}'"
        for key, piece in poisoned.items()
        if key in parked and not parked[key].reason.startswith(piece.named)
    ]
    return found + [f"{key!r}: {one.reason}" for key, one in parked.items() if key not in poisoned]


class Spoilt(NamedTuple):
    """A message nobody can take in, and how many desks will park it."""

    value: bytes | None
    headers: Headers
    desks: int


def spoilt(random: Random, line: Topic, key: bytes) -> Spoilt:
    """Something of chance for this door, or for the log itself."""
    if line is COMPLAINTS_LOG:
        # Of a type of some newer system, which each desk must keep; without the relay's mark, which would move theirs.
        headers: list[tuple[str, bytes | None]] = [
            ("ce_type", b"hotline.NobodyKnowsThis.v1"),
            ("ce_id", key),
            ("ce_source", b"/chaos"),
        ]
        if random.random() < 0.5:  # noqa: PLR2004 -- every other one
            headers.append((NOT_UTF_8, b"1"))
        value: bytes | None = b"{}"
        desks = sum(hearer in {"dispatch", "feedback"} for hearer in line.hearers)
        return Spoilt(value, headers, desks)
    kind = random.choice(line.carries)
    assert issubclass(kind, Input)  # noqa: S101 -- a door's line
    headers = list(input_headers(kind, SOURCE, key.decode(), datetime(2025, 1, 1, tzinfo=UTC)))
    value = random.choice(
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b'{"complaint_id": 7}',
            b"[" * 5000,
            b'{"x": 1e999}',
            None,
        ]
    )
    match random.randrange(6):
        case 0:
            headers = [(name, value) for name, value in headers if name != "ce_type"]
        case 1:
            headers = [
                ("ce_type", b"no.such.type") if name == "ce_type" else (name, at) for name, at in headers
            ]
        case 2:
            headers.append(("x", None))
        case 3:
            headers = [(name, None if name == "ce_id" else at) for name, at in headers]
        case 4:
            headers.append((NOT_UTF_8, b"1"))
        case _:
            pass
    return Spoilt(value, headers, 1)
