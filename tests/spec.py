"""Given what has happened, when a desk is told this, then it says that.

given = spec(rules.decide)
given(RECEIVED, CLASSIFIED).when(DISPATCH).then(DISPATCHED)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest

from shared.aside import NoSuchComplaint, NotTakenUp
from shared.complaint import UNOPENED, Case, evolve
from shared.events import REFUSALS, Fact

Decide = Callable[[Any, Case], Sequence[Fact]]


def case_of(facts: Sequence[Fact]) -> Case:
    """What these facts add up to."""
    return reduce(evolve, facts, UNOPENED)


def spec(decide: Decide) -> Callable[..., Given]:
    """The `given` of one desk."""

    def given(*facts: Fact) -> Given:
        return Given(decide, facts)

    return given


@dataclass(frozen=True, slots=True)
class Given:
    """What has happened so far."""

    decide: Decide
    facts: tuple[Fact, ...]

    @property
    def case(self) -> Case:
        """What it adds up to."""
        return case_of(self.facts)

    def when(self, command: Any) -> Said:
        """Tell the desk."""
        return Said(self, tuple(self.decide(command, self.case)))

    def sets_aside(self, command: Any, because: str) -> None:
        """The command belongs to no life that there is; its message will be parked by itself, for this reason."""
        with pytest.raises(NotTakenUp) as aside:
            self.decide(command, self.case)
        assert because in str(aside.value)

    def cannot_be_told(self, command: Any) -> None:
        """The command is about a complaint nobody knows; its message will be parked."""
        with pytest.raises(NoSuchComplaint, match=f"{command.complaint_id} is not on record"):
            self.decide(command, self.case)


@dataclass(frozen=True, slots=True)
class Said:
    """What the desk said to it."""

    given: Given
    facts: tuple[Fact, ...]

    def then(self, *expected: Fact) -> Given:
        """Exactly these facts, in this order; what follows is given them too."""
        assert list(self.facts) == list(expected)
        return self._onward()

    def then_nothing(self) -> Given:
        """It is so already."""
        return self.then()

    def then_refused(self, asked: str, because: str) -> Given:
        """One refusal, a fact that names what was asked and why it cannot be."""
        assert [type(fact) for fact in self.facts if isinstance(fact, REFUSALS)] == [
            type(fact) for fact in self.facts
        ]
        (refusal,) = self.facts
        assert isinstance(refusal, REFUSALS)
        assert refusal.asked == asked
        assert because in refusal.reason
        return self._onward()

    def then_says(self, *kinds: type[Fact]) -> Given:
        """Facts of these kinds, in this order, whatever is in them."""
        assert [type(fact) for fact in self.facts] == list(kinds)
        return self._onward()

    def _onward(self) -> Given:
        return Given(self.given.decide, (*self.given.facts, *self.facts))
