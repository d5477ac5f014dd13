"""Which role speaks at which listener, on which line of the table of topics, and what its keys may do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared import roles
from shared.inputs import Input
from shared.topics import TELEPHONY_CALLS, TOPICS, Topic


class HttpListener(StrEnum):
    """The two addresses the door answers on. Each can be served by a process of its own."""

    PUBLIC = "public"
    """For systems of citizens and callers: telephony, portals, apps."""
    STAFF = "staff"
    """For those who act on complaints: units, reviewers, diallers, supervision."""


class KeyScope(StrEnum):
    """One thing a key may do."""

    EVENTS = "events"
    """Send events, and hear that Kafka has them."""
    ACTS = "acts"
    """Act, and hear what came of it."""
    READ = "read"
    """Read what belongs to its own unit, or what it put on record itself."""
    READ_ALL = "read:all"
    """Read of every complaint."""
    CONTACTS = "contacts"
    """Read contacts of citizens; each reading is decided and written down."""


LISTENER_OF: Final[Mapping[str, HttpListener]] = {
    roles.TELEPHONY: HttpListener.PUBLIC,
    roles.AGENTS: HttpListener.PUBLIC,
    roles.UNIT: HttpListener.STAFF,
    roles.REVIEWERS: HttpListener.STAFF,
    roles.DIALLER: HttpListener.STAFF,
    roles.SUPERVISION: HttpListener.STAFF,
}
"""The roles that speak, each at one listener."""

_ACTING: Final = (KeyScope.EVENTS, KeyScope.ACTS)
SCOPES_OF: Final[Mapping[str, tuple[KeyScope, ...]]] = {
    roles.TELEPHONY: (KeyScope.EVENTS,),
    roles.AGENTS: (*_ACTING, KeyScope.READ, KeyScope.READ_ALL),
    roles.UNIT: (*_ACTING, KeyScope.READ, KeyScope.CONTACTS),
    roles.REVIEWERS: (*_ACTING, KeyScope.READ, KeyScope.READ_ALL),
    roles.DIALLER: _ACTING,
    roles.SUPERVISION: (*_ACTING, KeyScope.READ, KeyScope.READ_ALL),
}
"""The scopes that a key of a role can have."""
SIGNING_IN: Final = tuple(role for role in SCOPES_OF if role != roles.TELEPHONY)
"""The roles of people; a telephone system does not sign in."""
_ASKED_FOR: Final = frozenset({KeyScope.READ_ALL, KeyScope.CONTACTS})
"""The scopes that a key gets only where somebody says so."""

LINE_OF: Final[Mapping[str, Topic]] = {line.speaker: line for line in TOPICS if line.is_door}
"""The one line of the table of topics on which a role speaks."""
ACTS_OF: Final[Mapping[str, tuple[type[Input], ...]]] = {
    role: () if line is TELEPHONY_CALLS else line.inputs for role, line in LINE_OF.items()
}
"""The inputs of a role that have an outcome. A call is an observation: nobody decides on it."""


def usual_scopes(role: str) -> tuple[KeyScope, ...]:
    """The scopes of a key where nobody says otherwise."""
    return tuple(scope for scope in SCOPES_OF[role] if scope not in _ASKED_FOR)
