"""How dark a place is drawn, and how large: steps of its overdue share, and of its load beside the largest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

OVERDUE_STEPS: Final = (0.0, 0.05, 0.10, 0.20)
"""The shares of overdue orders above which the next shade begins: none at all, up to 5 %, 10 %, 20 %, more.

Assumption of the project: no source says which share is a bad one."""
LOAD_STEPS: Final = (0.0, 0.25, 0.50, 0.75)
"""The shares of the largest load above which the next shade begins, among districts and among streets."""
SHADES: Final = len(OVERDUE_STEPS) + 1


def shade_of(value: float, steps: Sequence[float]) -> int:
    """The shade of a value, 0 the palest."""
    return sum(value > step for step in steps)


def weight_of(load: int) -> float:
    """How large a place is drawn: one step more with each doubling of its open orders.

    In steps, so that a picture stays what it was while single orders come and go. In doublings, so that a street
    with little to do can still be seen and pointed at.
    """
    return 1.0 + load.bit_length()
