"""The register of calls: everything told of a call, and the one result of it (T1, T13). Pure.

The register keeps a set: each thing told of a call with its instant. Two sets become one by union, so neither
order nor repeats can matter. The rule below is a function of the set alone (decision 0034). `docs/calls.md`
shows it at work on the events of the switches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from services.intake.call_statistics import ABANDONED, ANSWERED, BUSY, SYSTEM_FAIL, TIMEOUT, CallRecord
from shared.inputs import CallAnswered, CallEnded, CallOffered

OUTCOMES: Final = {
    "abandoned": ABANDONED,
    "busy": BUSY,
    "hangup": ABANDONED,
    "left": ABANDONED,
    "other": ABANDONED,
    "system_fail": SYSTEM_FAIL,
    "timeout": TIMEOUT,
}
"""The outcome of an unanswered call, by its cause. Where the caller was not sent away, the caller gave up."""

UNCONNECTED: Final = "unconnected"
"""No end: the agent who took the call last was never connected to it."""

_SAYS_WHY: Final = frozenset({"busy", "system_fail", "timeout"})
"""Causes that say more than that a queue was left."""

_SAME: Final = {"blocked": "busy"}
_INSTANT: Final = 32
"""Characters of an instant as the register writes it."""


class Kept(NamedTuple):
    """One thing told of a call, as the register keeps it."""

    at: datetime
    what: str
    """`offered`, `answered`, each also `reckoned …`; `ended` or `left`, followed by the cause."""


class _End(NamedTuple):
    at: datetime
    cause: str
    left: bool
    """It was a queue that was left, and the call may have gone on."""

    @property
    def says_why(self) -> bool:
        return self.cause in _SAYS_WHY or (self.cause == "abandoned" and not self.left)


def kept(data: CallOffered | CallAnswered | CallEnded, at: datetime) -> Kept:
    """An input as the register keeps it; a cause nobody knows is `other`."""
    match data:
        case CallOffered():
            what = "reckoned offered" if data.reckoned else "offered"
        case CallAnswered():
            what = "reckoned answered" if data.reckoned else "answered"
        case CallEnded():
            what = f"{'left' if data.left_queue else 'ended'} {_cause(data.cause)}"
    return Kept(at.astimezone(UTC), what)


def read(text: str) -> Kept:
    """A thing told, from the text in which the register keeps it."""
    return Kept(datetime.fromisoformat(text[:_INSTANT]), text[_INSTANT + 1 :])


def call_of(things: Iterable[Kept]) -> CallRecord:
    """The result of everything told of one call: one state, its times, and whether a queue ever had it.

    A time counted back from whole seconds stands in only where no exact one is told.
    """
    said = sorted(set(things))
    offers = _exact(said, "offered")
    ends = [_End(one.at, *_how(one.what)) for one in said if one.what.startswith(("ended ", "left "))]
    over = [end for end in ends if end.cause != UNCONNECTED]
    answers = _answers(said, ends)
    record = CallRecord(
        offered_at=offers[0] if offers else None,
        answered_at=None,
        ended_at=None,
        outcome=None,
        first_at=said[0].at if said else None,
        reached=bool(offers or answers or any(end.left for end in ends)),
    )
    if answers:
        ended_at, between = _talks(answers, [end.at for end in over if _closes(end)])
        return record._replace(answered_at=answers[0], ended_at=ended_at, outcome=ANSWERED, between=between)
    end = _end(offers, over)
    return record if end is None else record._replace(ended_at=end.at, outcome=OUTCOMES[end.cause])


def _cause(text: str) -> str:
    cause = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    cause = _SAME.get(cause, cause)
    return cause if cause in OUTCOMES or cause == UNCONNECTED else "other"


def _how(what: str) -> tuple[str, bool]:
    word, _, cause = what.partition(" ")
    return _cause(cause), word == "left"


def _exact(said: Sequence[Kept], what: str) -> list[datetime]:
    exact = [one.at for one in said if one.what == what]
    return exact or [one.at for one in said if one.what == f"reckoned {what}"]


def _closes(end: _End) -> bool:
    """Whether it ends a talk: the call is over, or the agent's part of it; not that somebody left a queue."""
    return not end.left or end.cause == "hangup"


def _answers(said: Sequence[Kept], ends: Sequence[_End]) -> list[datetime]:
    """Each time an agent took it and was connected: an agent who was not takes the last answer before that back."""
    exact = [one.at for one in said if one.what == "answered"]
    talked = [end.at for end in ends if end.cause != UNCONNECTED and _closes(end)]
    for failed in (end.at for end in ends if end.cause == UNCONNECTED):
        before = [at for at in exact if at <= failed]
        if before and not any(before[-1] <= at < failed for at in talked):
            exact.remove(before[-1])
    return exact or [one.at for one in said if one.what == "reckoned answered"]


def _talks(answers: Sequence[datetime], closes: Sequence[datetime]) -> tuple[datetime | None, timedelta]:
    """When the last talk ended, None where that is not known; and how long it was between one talk and the next."""
    between = timedelta()
    ended_at: datetime | None = None
    for answered_at in answers:
        if ended_at is not None and answered_at < ended_at:
            continue  # two agents at once: it is one talk
        if ended_at is not None:
            between += answered_at - ended_at
        later = [at for at in closes if at > answered_at]
        # In the same instant one talk ends and the next begins; alone it is a talk of no length.
        ended_at = min(later) if later else answered_at if answered_at in closes else None
        if ended_at is None:
            break
    return ended_at, between


def _end(offers: Sequence[datetime], ends: Sequence[_End]) -> _End | None:
    """The end of a call nobody answered: of the last queue it was in, and the one that says why before others.

    None while it waits. Where a clock was set back in between, an end lies before its own beginning; it is an end all
    the same.
    """
    last = [end for end in ends if not offers or end.at >= offers[-1]]
    if not last and _waits(len(offers), ends):
        return None
    return min(last or ends, key=lambda end: (not end.says_why, end.at, end.cause), default=None)


def _waits(offers: int, ends: Sequence[_End]) -> bool:
    """Whether it left fewer queues than it went into. Asterisk's `left` comes once for each that was joined."""
    if not all(end.left for end in ends):
        return False
    once = ("left", "busy") if any(end.cause == "left" for end in ends) else tuple(OUTCOMES)
    return sum(end.cause in once for end in ends) < offers
