"""Which inputs the people of a rehearsed city say."""

from __future__ import annotations

from enum import StrEnum


class Mix(StrEnum):
    """Which inputs the people of the rehearsed city say."""

    FULL = "full"
    """Every input there is, at the rates of `simulation/behaviour.py`."""
    PLAIN = "plain"
    """Those of before: what is compared with what was measured and recorded then."""
