"""The events of a telephone system: observations, which ask for nothing."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.inputs.base import (
    Identifier,
    Input,
    Name,
    Words,
)

CallerPlace = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
"""Where a caller's complaints are found: 16 bytes in hex (`shared.contacts.callers`). It is no number."""


class CallOffered(Input, frozen=True, kw_only=True, omit_defaults=True):
    """A citizen's call reached the hotline; told again where it goes on into another queue."""

    TYPE: ClassVar[str] = "hotline.call.offered.v1"

    call_id: Identifier
    queue: Name = "12345"
    reckoned: bool = False
    """The time is counted back from a duration in whole seconds. It is used only where no exact time is told."""
    caller: CallerPlace | None = None
    """Where the caller's complaints are found. It is made of the number, with the key of callers."""


class CallAnswered(Input, frozen=True, kw_only=True, omit_defaults=True):
    """An agent took the call; told again where a second agent takes it."""

    TYPE: ClassVar[str] = "hotline.call.answered.v1"

    call_id: Identifier
    agent: Words
    reckoned: bool = False
    """As with `hotline.call.offered.v1`."""


class CallEnded(Input, frozen=True, kw_only=True, omit_defaults=True):
    """The call is over, or has left a queue; `cause` says how for a call nobody answered.

    A call that was never offered is in no figure: tell of a caller who met a full or closed line as offered too.
    """

    TYPE: ClassVar[str] = "hotline.call.ended.v1"

    call_id: Identifier
    cause: Name
    """`hangup`, `abandoned`, `busy`, `timeout`, `system_fail`; `left`: out of the queue, and nothing is said of why;
    `unconnected`: the agent who took it was never connected, and the call waits on. All else is kept as `other`."""
    left_queue: bool = False
    """It only left a queue, and may go on in another one or with somebody else."""
