"""Turns the events of telephone systems into the events that intake takes in (`TELEPHONY_CALLS`). Pure.

Each event gives no or several inputs with their time, and none looks at another event. Sent twice or in any
order, the events give the same call. `docs/calls.md` shows the result of each sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.intake.pbx.asterisk import from_asterisk
from services.intake.pbx.event import CallInput, Event
from services.intake.pbx.freeswitch import from_freeswitch

SWITCHES: Final[dict[str, Callable[[Event], list[CallInput]]]] = {
    "asterisk": from_asterisk,
    "freeswitch": from_freeswitch,
}
"""By the name a person gives."""
