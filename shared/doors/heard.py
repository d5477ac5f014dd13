"""Which topics a door hears: by one pattern, the plain topic and one of each login that speaks at it.

Kafka tells a reader no login. So a speaker is known by its topic alone: a login writes on
`<plain>.<login>`. A city with one speaker at a door needs the plain topic only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from shared.topic_names import UNIT_NAME
from shared.topics import RESULTS, TOPICS, UNIT, Topic

LOGIN: Final = "{login}"
"""Stands in the name of a channel for any login; a login is written as a unit's id is (`UNIT_NAME`)."""

_LOGIN: Final = UNIT_NAME.pattern.removeprefix("^").removesuffix("$")


def by_login(line: Topic) -> bool:
    """Whether several speak at this door, each on a topic of its own beside the plain one; or hear what came of it."""
    return not line.per_unit and (line.is_door or line.name in RESULTS)


def door_of(line: Topic) -> str:
    """The name that the desk gives this line's door: `requests` of `intake.requests`."""
    return line.name.split(".")[1]


def of_login(line: Topic, login: str) -> str:
    """The topic of this login, without the city's prefix; `ValueError` where none can have such a name."""
    if not by_login(line):
        message = f"{line.name}: no login has a topic of its own here"
        raise ValueError(message)
    if not UNIT_NAME.fullmatch(login):
        message = (
            f"login {login!r}: expected lower-case letters, digits, _ and -, at most 80, no _ or - in front"
        )
        raise ValueError(message)
    return f"{line.name}.{login}"


def pattern(line: Topic, prefix: str) -> str:
    """A regular expression for every topic of this line in the city of this prefix; no other topic matches."""
    plain = re.escape(prefix + line.name.removesuffix(UNIT))
    if line.per_unit:
        return rf"^{plain}{_LOGIN}\Z"
    return rf"^{plain}(\.{_LOGIN})?\Z" if by_login(line) else rf"^{plain}\Z"


def line_of(topic: str, prefix: str) -> Topic | None:
    """The line of the table a topic of this city is made from; None where it is none of its topics."""
    return next((line for line, expression in _expressions(prefix) if expression.match(topic)), None)


@cache
def _expressions(prefix: str) -> tuple[tuple[Topic, re.Pattern[str]], ...]:
    return tuple((line, re.compile(pattern(line, prefix))) for line in TOPICS)
