"""Parts of pages that change while somebody looks: drawn once for all who look, and sent to whoever saw another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Final, NamedTuple

from shared.runtime.telemetry import Telemetry

KEPT_MAX: Final = 256
"""Drawings that are kept: some parts of a page, in two languages, as it can be asked for."""


class RegionDrawing(NamedTuple):
    """A part of a page as it was drawn last."""

    number: int
    """Of the reading it was drawn from."""
    version: int
    """Of the reading since which it looks like this."""
    html: str


class RegionDrawings:
    """Draws each part once for each reading, however many look."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing is drawn yet."""
        self._telemetry = telemetry
        self._kept: dict[Hashable, RegionDrawing] = {}

    def of(self, key: Hashable, number: int, draw: Callable[[], str]) -> RegionDrawing:
        """The part with this key, by the reading with this number."""
        kept = self._kept.get(key)
        if kept is not None and kept.number >= number:
            return kept
        began_at = time.monotonic()
        html = draw()
        same = kept is not None and kept.html == html
        drawn = RegionDrawing(number, kept.version if same and kept is not None else number, html)
        if kept is None and len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[key] = drawn
        self._telemetry.observe("web.region_seconds", time.monotonic() - began_at)
        return drawn


def event_of(parts: Mapping[str, str]) -> bytes:
    """One event that puts each of these parts in its place."""
    told = "".join(
        f'<hx-partial hx-target="#{place}" hx-swap="innerMorph">{html}</hx-partial>'
        for place, html in parts.items()
    )
    return "".join(f"data: {line}\n" for line in told.splitlines() if line.strip()).encode() + b"\n"
