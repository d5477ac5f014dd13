"""Which times an input may carry: what happened lies near our present, a limit near the request it came with.

A driver's zero time, the end of all time or a date of birth is no time of anything here. Once recorded it would stay:
PostgreSQL keeps the first instant of all as minus infinity, and no subtraction survives the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

import msgspec

from shared.cloudevents import Event
from shared.inputs import INPUTS, Input
from shared.inputs.base import LIMIT
from shared.log import Incoming
from shared.policy.ruleset import RuleSet
from shared.rfc3339 import ToldInstant
from shared.runtime.clock import Clock, shifted
from shared.runtime.errors import BadInput

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EACH: Final = "[]"
"""A step into every member of a list or mapping."""


class TimeField(NamedTuple):
    """Where an input carries a time, and whether it is a limit."""

    steps: tuple[str, ...]
    is_limit: bool


def _time_fields(kind: Any) -> Iterator[TimeField]:
    """Every time below a type, at any depth."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is ToldInstant:
        yield TimeField((), is_limit=False)
    elif origin is Annotated:
        is_limit = LIMIT in arguments[1:]
        for steps, inner in _time_fields(arguments[0]):
            yield TimeField(steps, is_limit or inner)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            for steps, is_limit in _time_fields(field.type):
                yield TimeField((field.name, *steps), is_limit)
    else:
        step = () if origin in (Union, UnionType) else (_EACH,)
        for argument in arguments:
            for steps, is_limit in _time_fields(argument):
                yield TimeField((*step, *steps), is_limit)


TIME_FIELDS: Final[dict[type[Input], tuple[TimeField, ...]]] = {
    kind: tuple(_time_fields(kind)) for kind in INPUTS.values()
}
"""Every time each input carries beside the event's own."""


def _times(value: Any, steps: tuple[str, ...], path: str = "") -> Iterator[tuple[str, datetime]]:
    """The times that stand in a value at this place, each with its path."""
    if isinstance(value, datetime) and not steps:
        yield path, value
    elif value is None or not steps:
        return
    elif steps[0] == _EACH:
        members = value.values() if isinstance(value, dict) else value
        for number, member in enumerate(members):
            yield from _times(member, steps[1:], f"{path}[{number}]")
    else:
        inner = getattr(value, steps[0], None)
        yield from _times(inner, steps[1:], f"{path}.{steps[0]}" if path else steps[0])


def times_of(data: Input, *, limits: bool) -> Iterator[tuple[str, datetime]]:
    """The times an input carries: when something happened, or with `limits` until when something must be done."""
    for steps, is_limit in TIME_FIELDS[type(data)]:
        if is_limit == limits:
            yield from _times(data, steps)


def between(name: str, at: datetime, earliest: datetime, latest: datetime) -> None:
    """`BadInput` where a time lies outside these bounds."""
    if earliest <= at <= latest:
        return
    where = "lies ahead of our time" if at > latest else "lies too far back"
    raise BadInput(
        f"{name}: {at.isoformat()} {where}, expected from {earliest.isoformat()} (earliest plausible)"
        f" to {latest.isoformat()} (latest plausible)"
    )


def arrived_at(message: Incoming) -> datetime:
    """When the broker (or, where it does not stamp, the sender's client) says the message was sent."""
    try:
        return _EPOCH + timedelta(milliseconds=message.sent_at_ms)
    except OverflowError as error:
        raise BadInput(f"record timestamp: {message.sent_at_ms} ms, expected the broker's time") from error


def timely(event: Event, message: Incoming, clock: Clock) -> datetime:
    """When the message arrived; `BadInput` where the event says that something happened when it cannot have."""
    arrived = arrived_at(message)
    first, last = clock.stamps()
    if not first <= arrived <= last:
        between("record timestamp", arrived, first, last)
    earliest, latest = clock.earliest_input(arrived), clock.latest_input(arrived)
    if not earliest <= event.time <= latest:
        between(event.called("time"), event.time, earliest, latest)
    happened_between(event.data, earliest, latest)
    return arrived


def happened_between(data: Input, earliest: datetime, latest: datetime) -> None:
    """`BadInput` where data tell of something that cannot have happened when they say."""
    for path, at in times_of(data, limits=False):
        between(f"data: {path}", at, earliest, latest)


def limits_near(data: Input, received_at: datetime, rules: RuleSet) -> None:
    """`BadInput` where a limit that comes with an input lies further from it than its rule set allows."""
    earliest = shifted(received_at, -timedelta(days=rules.given_back_days_max))
    latest = shifted(received_at, timedelta(days=rules.given_ahead_days_max))
    for path, at in times_of(data, limits=True):
        between(f"data: {path}", at, earliest, latest)
