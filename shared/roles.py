"""The roles of the table of topics: each speaks at a door, hears what goes out, or both.

`hotline login add ROLE` gives one of them a login in Kafka. Its rights are those lines of the table that name the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TELEPHONY: Final = "telephony"
AGENTS: Final = "agents"
REVIEWERS: Final = "reviewers"
DIALLER: Final = "dialler"
SUPERVISION: Final = "supervision"
UNIT: Final = "unit"
SMS_GATEWAY: Final = "sms-gateway"
DISTRICTS: Final = "districts"
AUDITORS: Final = "auditors"
READERS: Final = "readers"

ROLES: Final[Mapping[str, str]] = {
    TELEPHONY: "the telephone system",
    AGENTS: "the agents' desk, the citizens' web page and app",
    REVIEWERS: "those who decide what units ask for",
    DIALLER: "the dialler, which asks the citizens",
    SUPERVISION: "supervision of the units",
    UNIT: "a unit: a department, street, district or utility that gets orders",
    SMS_GATEWAY: "the gateway that sends messages to citizens",
    DISTRICTS: "the districts' governments",
    AUDITORS: "auditors of the log",
    READERS: "any reader of the log",
}
"""Each role by the name that is typed, and in words. No name is the beginning of another one's with `-` behind it."""
CITIZENS: Final = "citizens"
"""No role, and a login of the HTTP door alone: citizens' answers to visits, which come from the public listener."""
RELAY: Final = "relay"
"""Our own speaker: it tells what the log says. All other speakers speak at a door."""
