"""The outcome of a message at a door: the facts for a program, a sentence for a person."""

from __future__ import annotations

import json as json_module
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final

from hotline.cli.run import fail
from hotline.terminal import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from deploy.city.registry import City
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.inputs import Input
    from shared.topics import Topic

    When = Callable[[datetime], str]
    """Shows an instant by the clock of a complaint."""


ABOUT: Final[ContextVar[str]] = ContextVar("about", default="")
"""Stands before each sentence, where somebody speaks of several complaints in one sitting."""


async def say_about(
    complaint: str,
    line: Topic,
    said: Callable[[Complaint, City], Input],
    told: Callable[[list[Fact], When], str],
    *,
    json: bool,
    key: Callable[[Complaint], str] = lambda case: case.complaint_id,
) -> list[Fact]:
    """Say an input about a complaint at this door, and tell what the log made of it; gives the facts.

    `told` puts the facts into words, with what shows an instant by the complaint's clock.
    """
    from deploy.city.registry import city_up
    from hotline.client import effect, tell
    from hotline.lookup import complaint_named
    from shared import times

    city = city_up()
    case = await complaint_named(city, complaint)
    sent = await tell(city, line, key(case), said(case, city))
    facts = await effect(city, case.complaint_id, sent)
    when = partial(times.shown, zone=times.zone_of(case.ruleset))
    tell_outcome(facts, lambda these: told(these, when), json=json)
    return facts


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
