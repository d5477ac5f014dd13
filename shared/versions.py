"""The versions that hold where nobody names another: of the law a complaint is born under, and our own release."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

RULESET: Final = "beijing-draft-2021.2"
"""A file in `shared/data/rulesets`. Complaints keep the version they were born under (T23)."""


UNKNOWN: Final = "unknown"
"""The release of a process whose project is not installed."""


@cache
def release() -> str:
    """The release that runs; `UNKNOWN` where the project is not installed."""
    try:
        return version("hotline")
    except PackageNotFoundError:
        return UNKNOWN


CALENDAR: Final = "cn-1"
"""A file in `shared/data/calendar`. Complaints keep the version they were born under, until a reviewer moves them."""
