"""What somebody outside does at a time of their own, before it is a message; and what they heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.events import Fact
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.topics import Topic


class Act(NamedTuple):
    """One input to come: a CloudEvent with its time, its door and its identity."""

    at: datetime
    """City time at which it happens; the CloudEvent's time."""
    line: Topic
    key: str
    source: str
    event_id: str
    data: Input
    complaint: ComplaintId | None = None
    """None for what belongs to no complaint: a call."""
    unit: UnitId | None = None
    """Whose topic, on a door that each unit has."""
    about: str = ""
    """What it is part of, so that it can be dropped with it; empty: nothing stops it."""
    times: int = 1
    """How often the same event is sent."""


class Heard(NamedTuple):
    """A message from an outward topic."""

    line: Topic
    unit: UnitId | None
    fact: Fact


class Reaction(NamedTuple):
    """What somebody will do about what they heard, and which of their plans for this complaint end."""

    acts: Sequence[Act] = ()
    void: Sequence[str] = ()
    """Every pending act of the complaint that is `about` one of these is dropped first."""


NOTHING = Reaction()
"""It was heard, and changes no plan."""
