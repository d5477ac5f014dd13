"""The outcome of a message at a door: the facts for a program, a sentence for a person."""

from __future__ import annotations

import json as json_module
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from hotline.cli.run import fail
from hotline.terminal import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.events import Fact


ABOUT: Final[ContextVar[str]] = ContextVar("about", default="")
"""Stands before each sentence, where somebody speaks of several complaints in one sitting."""


def tell_outcome(facts: list[Fact], told: Callable[[list[Fact]], str], *, json: bool) -> None:
    """Say what came of it; ends the command with the reason where it was refused."""
    from hotline.casefile import refusals
    from shared.events import IntakeRefused, ReplyRefused, VisitAnswerRefused

    refused = [fact for fact in facts if isinstance(fact, IntakeRefused | ReplyRefused | VisitAnswerRefused)]
    if json:
        say_facts(facts)
    elif not refused:
        say(f"{ABOUT.get()}{told(facts)}")
    if refused:
        fail(f"{ABOUT.get()}{refusals.answer(refused[0])}")


def say_facts(facts: Sequence[Fact]) -> None:
    """Facts for a program: each with its type and its fields."""
    import msgspec

    rows = [{"type": type(fact).__name__, **msgspec.to_builtins(fact)} for fact in facts]
    say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
