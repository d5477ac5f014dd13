"""One complaint folded into the views of the score: what it counts for, and what it did when months were frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from hotline.scoring.life import CallCounts, Counted, LifeScore, within
from shared.events import Fact
from shared.log.codec import decoded
from shared.log.instants import implausible
from shared.policy.scoring import Counting
from shared.unreadable import reason


class LifeFolded(NamedTuple):
    """One complaint in the views."""

    facts: int
    row: tuple[Any, ...] | None
    corrections: list[tuple[Any, ...]]
    as_frozen: dict[date, Counted]
    """Its counts in the frozen months, as of then."""
    unread: tuple[UUID, int, str] | None = None
    """The first of its facts that cannot be read, and why; then it counts for nothing."""


class LifeFolding:
    """One complaint while its facts are read: what it counts for, and what it did when months were frozen."""

    def __init__(self, stream: UUID, zone: ZoneInfo, how: Counting, frozen: Mapping[date, int]) -> None:
        """Nothing is read yet; `frozen`: months with the position up to which each counted."""
        self.stream = stream
        self._zone = zone
        self._how = how
        self._life = LifeScore()
        self._waiting = sorted(frozen.items(), key=lambda month: month[1])
        """Frozen months up to whose positions it is not read yet."""
        self._past: list[date] = []
        """Those up to whose positions it is."""
        self._as_frozen: dict[date, Counted] = {}
        self._late: dict[date, tuple[int, str]] = {}
        self._version = 0
        self._facts = 0
        self._unread: tuple[UUID, int, str] | None = None

    def takes(self, position: int, version: int, name: str, schema: int, body: bytes | None) -> None:
        """The next fact; without its body where it is of no kind that counts."""
        self._version = version
        self._facts += 1
        if body is None or self._unread is not None:
            return
        try:
            self._counts(position, version, name, decoded(name, schema, body))
        except Exception as error:  # noqa: BLE001 -- it counts for nothing and is named; all others count
            self._unread = self.stream, version, reason(error)

    def _counts(self, position: int, version: int, name: str, fact: Fact) -> None:
        odd = implausible(fact)
        if odd:
            self._unread = self.stream, version, odd[0]
            return
        while self._waiting and position > self._waiting[0][1]:
            month, _ = self._waiting.pop(0)
            self._freezes(month)
        for month in self._past:
            self._late.setdefault(month, (version, name))
        self._life.takes(fact)

    def folded(self) -> LifeFolded:
        """The outcome."""
        try:
            if self._unread is None:
                return self._folded()
        except Exception as error:  # noqa: BLE001 -- as in `takes`
            self._unread = self.stream, self._version, reason(error)
        return LifeFolded(self._facts, None, [], {}, self._unread)

    def _folded(self) -> LifeFolded:
        now = self._life.counted(self._zone, self._how)
        for month, _ in self._waiting:
            self._freezes(month)
        corrections: list[tuple[Any, ...]] = []
        for month, (version, name) in sorted(self._late.items()):
            was, found = self._as_frozen.get(month), within(now, month)
            if was != found:
                corrections.append((month, self.stream, version, name, _text(was), _text(found)))
        row = None if now is None else (self.stream, self._version, *_stored(now))
        return LifeFolded(self._facts, row, corrections, self._as_frozen)

    def _freezes(self, month: date) -> None:
        self._past.append(month)
        one = within(self._life.counted(self._zone, self._how), month)
        if one is not None:
            self._as_frozen[month] = one


def _stored(one: Counted) -> tuple[Any, ...]:
    """As it lies in a row: its calls as JSON."""
    *plain, calls = msgspec.structs.astuple(one)
    return *plain, msgspec.json.encode(calls).decode()


def counted_in(row: Sequence[Any]) -> Counted:
    """The counts of a life, from its row in the view."""
    *plain, calls = row
    fields = Counted.__struct_fields__[: len(plain)]
    called = msgspec.json.decode(calls, type=tuple[CallCounts, ...])
    return Counted(**dict(zip(fields, plain, strict=True)), calls=called)


def _text(one: Counted | None) -> str | None:
    return None if one is None else msgspec.json.encode(one).decode()


def said(text: str | None) -> Counted | None:
    """The counts of a life by a correction record; None where it counted for nothing."""
    return None if text is None else msgspec.json.decode(text, type=Counted)
