"""The inputs from outside: the payload of every CloudEvent a door takes in.

Each is a command, named in the imperative; a file holds what one speaker may say, and a topic carries the
file (`shared/topics.py`). Field names are the published contract. A missing or malformed field is refused by
name; an unknown field is ignored, so a sender may be newer than we are. Contact details have no field here:
they do not travel on topics.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Final

from shared.inputs import exceptions, replies, requests, reviews, telephony, visits
from shared.inputs.base import AboutComplaint as AboutComplaint
from shared.inputs.base import Input as Input
from shared.inputs.exceptions import *
from shared.inputs.replies import *
from shared.inputs.requests import *
from shared.inputs.reviews import *
from shared.inputs.telephony import *
from shared.inputs.visits import *


def inputs_of(speaker: ModuleType) -> tuple[type[Input], ...]:
    """The inputs that stand in this file, in its order."""
    return tuple(_inputs_of(speaker))


def _inputs_of(speaker: ModuleType) -> Iterator[type[Input]]:
    for kind in vars(speaker).values():
        if isinstance(kind, type) and issubclass(kind, Input) and "TYPE" in vars(kind):
            yield kind


INPUTS: Final[dict[str, type[Input]]] = {
    kind.TYPE: kind
    for speaker in (replies, requests, reviews, telephony, visits, exceptions)
    for kind in inputs_of(speaker)
}
"""Every input by its CloudEvents type."""
