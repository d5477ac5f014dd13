"""The common part of the systems: an event's fields, and the inputs made of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from shared.contacts.callers import CallersKey, is_number
from shared.inputs import CallAnswered, CallEnded, CallOffered

Event = Mapping[str, str]
"""The fields of one event as the switch sends them."""


class SwitchEventInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """An event we know without a field it must have, or with one that cannot be; the text names it."""


class CallInput(NamedTuple):
    """One input, when it happened, and an identity that is the same each time the event is sent."""

    data: CallOffered | CallAnswered | CallEnded
    at: datetime
    event_id: str


QUEUE: Final = "12345"
"""The queue where the switch names none."""


def offered(call: str, queue: str, at: datetime, *, reckoned: bool = False) -> CallInput:
    """A call reached a queue."""
    data = CallOffered(call_id=call, queue=queue, reckoned=reckoned)
    return _told(data, at, "offered-by-hold" if reckoned else "offered")


def answered(call: str, agent: str, at: datetime, *, reckoned: bool = False) -> CallInput:
    """An agent took it."""
    data = CallAnswered(call_id=call, agent=agent, reckoned=reckoned)
    return _told(data, at, "answered-by-talk" if reckoned else "answered")


def left(call: str, cause: str, at: datetime) -> CallInput:
    """It left a queue."""
    return _told(CallEnded(call_id=call, cause=cause, left_queue=True), at, f"left-{cause}")


def ended(call: str, cause: str, at: datetime) -> CallInput:
    """It is over."""
    return _told(CallEnded(call_id=call, cause=cause), at, f"ended-{cause}")


def _told(data: CallOffered | CallAnswered | CallEnded, at: datetime, what: str) -> CallInput:
    return CallInput(data, at, f"{data.call_id}/{what}/{at.timestamp():.6f}")


def with_caller(told: list[CallInput], number: str, callers: CallersKey | None) -> list[CallInput]:
    """The same, each offer with the place of its caller; as they are without a key, or where no number is shown."""
    if callers is None or not is_number(number):
        return told
    place = callers.index(number).hex()
    return [
        one._replace(data=replace(one.data, caller=place)) if isinstance(one.data, CallOffered) else one
        for one in told
    ]


def field_of(event: Event, name: str) -> str:
    """A field that must be there."""
    value = event.get(name, "").strip()
    if not value:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: missing")
    return value


def _number(event: Event, name: str) -> float:
    text = field_of(event, name)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not float("-inf") < number < float("inf"):
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {text!r}, expected a number")
    return number


def duration(event: Event, name: str) -> float | None:
    """Seconds; None where it is not told, or negative: the switch's clock was set back meanwhile."""
    number = _number(event, name) if event.get(name, "").strip() else -1.0
    return None if number < 0 else number


def told_at(event: Event, name: str) -> datetime | None:
    """An instant in whole seconds; None where it is not told, or 0."""
    return None if event.get(name, "").strip() in ("", "0") else at_of(event, name, 1.0)


def before(event: Event, name: str, at: datetime, seconds: float) -> datetime:
    """So many seconds before `at`."""
    try:
        return at - timedelta(seconds=seconds)
    except OverflowError as error:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is too long a time") from error


def at_of(event: Event, name: str, per_second: float) -> datetime:
    """An instant that must be there; `per_second`: in which unit it counts from 1970."""
    number = _number(event, name) / per_second
    try:
        if number >= 0:
            return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is no time") from error
    raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is no time")


def _name_of(event: Event) -> str:
    names = ("Event", "CC-Action", "FIFO-Action", "Event-Name")
    return next((event[name] for name in names if event.get(name)), "event")
