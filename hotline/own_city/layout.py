"""The files of a city's folder, by the names that `hotline city` and `hotline up --data` look for."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CATALOGUE: Final = "catalogue.json"
CALENDAR: Final = "calendar.json"
RULESET: Final = "ruleset.toml"
INHABITANTS: Final = "inhabitants.toml"
MAP: Final = "map.toml"
STAFF: Final = "staff.csv"
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
"""The form of a version: facts name it, and a file is called by it."""


class OwnFile(NamedTuple):
    """A file of the folder."""

    name: str
    expected: str
    """In words, for a message about a file that is not one."""


FILES: Final = (
    OwnFile(CATALOGUE, "a catalogue of units as JSON"),
    OwnFile(CALENDAR, "a calendar as JSON"),
    OwnFile(RULESET, "a rule set as TOML"),
    OwnFile(INHABITANTS, "inhabitants as TOML"),
    OwnFile(MAP, "a map as TOML"),
    OwnFile(STAFF, "people as CSV"),
)
