"""From which articles the simulated city's agents answer: those of the example base that hold at the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from services.intake.knowledge.file import Article, articles


def answers(subject: str, at: datetime) -> Sequence[Article]:
    """The versions filed under this subject that hold then; where none does, what is said of the hotline itself."""
    every = _filed()
    held = [one for one in every.get(subject, ()) if one.holds(at)]
    return held or [one for one in every["综合"] if one.holds(at)]


@cache
def _filed() -> dict[str, list[Article]]:
    filed: dict[str, list[Article]] = {}
    for one in articles().articles:
        filed.setdefault(one.subject, []).append(one)
    return filed
