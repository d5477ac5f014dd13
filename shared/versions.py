"""The versions that hold where nobody names another: of the law a complaint is born under, and our own release."""

from functools import cache
from importlib.metadata import version
from typing import Final

RULESET: Final = "beijing-draft-2021.2"
"""A file in `shared/data/rulesets`. Complaints keep the version they were born under (T23)."""


@cache
def release() -> str:
    """The release that runs, as `hotline --version` tells it."""
    return version("hotline")


CALENDAR: Final = "cn-1"
"""A file in `shared/data/calendar`. Complaints keep the version they were born under, until a reviewer moves them."""
