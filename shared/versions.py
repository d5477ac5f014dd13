"""Which version of the law a new complaint is born under, where nobody names another."""

from typing import Final

RULESET: Final = "beijing-draft-2021.2"
"""A file in `shared/data/rulesets`. Complaints keep the version they were born under (T23)."""
CALENDAR: Final = "cn-1"
"""A file in `shared/data/calendar`. Complaints keep the version they were born under, until a reviewer moves them."""
