"""A command from outside, and beside it who asks, when, and about which complaint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.complaint import Complaint
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input

NO_UNIT: Final = UnitId("")
"""Stands for the unit where no unit asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command, and what stands beside it: the command says what is asked, never who asks."""

    command: Input
    """The input's payload, as it came."""
    complaint_id: ComplaintId
    unit: UnitId = NO_UNIT
    """The unit that asks: the one whose topic it came on; `NO_UNIT` where it is no unit's topic."""
    login: str = ""
    """The login that asks: the one whose topic it came on; "" where it came on a topic of many."""
    at: datetime
    """The instant that counts for the decision, as its door determines it (decision 0008)."""
    seen: Mapping[ComplaintId, Complaint] = field(default_factory=dict)
    """The other complaints it is decided on, as they stand (`shared.seeing`); the desk fills this in."""
    begun: Mapping[ComplaintId, int] = field(default_factory=dict)
    """Of the complaints it names and of its own: where in the log those on record begin; earlier is less. Filled in
    too."""


def kind_of(command: object) -> type[object]:
    """The kind of a command: the input that asks for it, or what a desk tells itself."""
    return type(command.command) if isinstance(command, Asked) else type(command)


def name_of(command: object) -> str:
    """The name of its kind, for traces."""
    return kind_of(command).__name__
