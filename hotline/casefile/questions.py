"""The units' own words on what waits for a reviewer: their questions and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hotline.casefile.orders import ListPage
from hotline.readside.lists import Listed
from shared.events import (
    DisputeRaised,
    ExclusionRequested,
    ExtensionRequested,
    Fact,
    OrderAnswered,
    PauseRequested,
    ReturnRequested,
    TerminationRequested,
)

QUESTIONS: Final[Mapping[str, type[Fact]]] = {
    "return": ReturnRequested,
    "dispute": DisputeRaised,
    "extension": ExtensionRequested,
    "pause": PauseRequested,
    "termination": TerminationRequested,
    "exclusion": ExclusionRequested,
}
"""By what is asked for: the fact that asked."""

_SHOWN: Final = ("days", "ground", "suggested_unit", "citizen_told", "reason", "evidence")
"""The fields of these facts that a reviewer decides by, in the order in which he reads them."""


def question(page: ListPage, one: Listed) -> dict[str, Any]:
    """All that the unit gave with its question, for a program; a field that this question has not is left out."""
    asked = _asked(page, one)
    return {} if asked is None else {name: getattr(asked, name) for name in _SHOWN if hasattr(asked, name)}


def in_words(page: ListPage, one: Listed) -> str:
    """The same for a person, a line a field; a field that says nothing is left out."""
    return "\n".join(
        f"{name.replace('_', ' ')}: {'yes' if value is True else value}"
        for name, value in question(page, one).items()
        if value
    )


def answer_of(page: ListPage, one: Listed) -> str:
    """The unit's last answer, where the page was asked for `OrderAnswered`; "" where there is none."""
    said = page.said.get(one.complaint_id, ())
    return next((fact.result for fact in said if isinstance(fact, OrderAnswered)), "")


def _asked(page: ListPage, one: Listed) -> Fact | None:
    kind = QUESTIONS[one.role]
    return next((fact for fact in page.said.get(one.complaint_id, ()) if isinstance(fact, kind)), None)
