"""One input that somebody outside will send at a time of their own; and a message that they heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.events import Fact
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.topics import Topic


class PlannedInput(NamedTuple):
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
    """The unit whose topic it is, on a door that has a topic for each unit."""
    about: str = ""
    """The plan it belongs to, by which it can be dropped; empty: nothing stops it."""
    times: int = 1
    """How often the same event is sent."""


class OutwardMessage(NamedTuple):
    """A message from an outward topic."""

    line: Topic
    unit: UnitId | None
    fact: Fact


class Reaction(NamedTuple):
    """New plans of somebody who heard a message, and the plans for this complaint that it ends."""

    planned_inputs: Sequence[PlannedInput] = ()
    void: Sequence[str] = ()
    """Every pending input of the complaint that is `about` one of these is dropped first."""


NOTHING = Reaction()
"""It was heard, and changes no plan."""
