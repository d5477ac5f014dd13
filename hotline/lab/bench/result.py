"""The common head of every part's result: machine, settings, and reasons not to believe the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

import msgspec

from hotline.lab.bench.machine import IN_MEMORY, Machine
from hotline.lab.bench.meter import Spent

OTHERS_SHARE_MAX: Final = 0.10
"""Where others took more of the machine's processors, a figure is not to be trusted."""


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the run: they move the floor by a factor of three, so they belong to every figure."""

    units: int
    topics: int
    partitions: dict[str, int]
    """Of the topics that are not a unit's own; those have one each."""
    batch_max: int
    """Messages a desk takes at once."""
    page_max: int
    """Facts the relay takes at once."""
    batch_bytes_max: int
    gc_threshold: tuple[int, int, int]
    fact_headers: int
    input_headers: int
    traces: str
    traces_ratio: float
    postgres: dict[str, str]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every part's result."""

    machine: Machine
    fixed: Fixed
    others_share: float
    """The largest share of the machine's processors that others took while something was measured."""
    warnings: list[str]
    """Why a figure is not to be trusted, or which bar it misses."""
    wrong: list[str]
    """Faults of the run (lost, doubled, early). If there is one, the figures count for nothing."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over several runs."""

    median: float
    low: float
    high: float


def spread_of(values: Iterable[float]) -> Spread:
    """Median, least and greatest."""
    all_values = list(values)
    return Spread(median=median(all_values), low=min(all_values), high=max(all_values))


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, in milliseconds, over one run."""

    count: int
    p50: float
    p99: float
    highest: float


def wait_of(milliseconds: list[float]) -> Wait:
    """Percentiles by nearest rank."""
    ordered = sorted(milliseconds)
    if not ordered:
        return Wait(count=0, p50=0.0, p99=0.0, highest=0.0)

    def rank(share: float) -> float:
        return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]

    return Wait(count=len(ordered), p50=rank(0.5), p99=rank(0.99), highest=ordered[-1])


def warnings_of(machine: Machine, windows: Mapping[str, Spent]) -> list[str]:
    """Why these figures are not to be trusted; `windows` says what was measured when."""
    warnings = [
        f"others on the machine took {spent.others_share:.0%} of its processors during {what}: "
        f"the rates are not to be trusted, the processor times are nearer the truth"
        for what, spent in windows.items()
        if spent.others_share > OTHERS_SHARE_MAX
    ]
    if machine.file_system in IN_MEMORY:
        warnings.append(f"the stack lay in memory ({machine.file_system}), where fsync costs nothing")
    return warnings
