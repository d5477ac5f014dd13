"""The parts of the benchmark: one table, one shape.

A part is a module of this package, named as the part. Its `run` measures on any stack. `measured` gives each
part a stack of its own, so no part leaves anything to the next one. To add one, write the module and its line
in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from hotline.lab.bench.result import Result

PARTS: Final = {
    "lives": "whole lives a second, the floor beside them, and one by one",
    "latency": "request to order, reply to fact, limit to notice at steady rates, and what they cost",
    "timers": "what open timers cost, and whether a thousand a second fire in time, once and never early",
    "log": "lives a second as the log grows to 50 million facts; appending, reading, rebuilding, verifying",
    "reads": "lists, counts and searches at a million complaints with their plans; what it costs to keep them up",
    "pages": "every page at a million complaints: its server time, its first paint, its live regions, how soon it is "
    "stale",
    "http": "events a second through the HTTP door beside an empty handler; outcomes; beside slow clients",
    "knowledge": "how many questions find their article in the knowledge base, and how long a search takes",
    "memory": "a million messages through each desk: resident memory over time",
    "peers": "the same life in PyPI eventsourcing and dbos on the same PostgreSQL; DIGIT's figures beside",
}
"""Name of each part, and what it measures."""


class Part(Protocol):
    """The functions that a part's module must have."""

    async def measured(self, *, quick: bool, folder: Path, say: Callable[[str], None], **more: Any) -> Result:
        """Measure on a stack in this folder and take it down again; `say` tells a waiting person how far.

        Raises `UserError` with one sentence where something does not start or stops moving.
        """
        ...

    def show(self, result: Any) -> None:
        """Print it: tables in a terminal, else plain lines."""
        ...

    def plot(self, result: Any, path: Path) -> None:
        """Draw it as an SVG; raises `ImportError` without matplotlib."""
        ...


def part(name: str) -> Part:
    """The module of a part in `PARTS`."""
    return cast("Part", import_module(f"hotline.lab.bench.{name}"))
