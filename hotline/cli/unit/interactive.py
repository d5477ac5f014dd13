"""At a unit's desk: orders are printed as they come, what is typed are replies."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import Final

import typer
from msgspec.structs import replace
from typer.main import get_command

from hotline.casefile.orders import line
from hotline.casefile.sentences.unit import FOR_UNIT
from hotline.cli.outcome import ABOUT
from hotline.cli.run import sentence
from hotline.cli.unit.app import commands
from hotline.cli.unit.verbs import APART, VERBS, NotUnderstood, command_apart, command_of, order_of, usage
from hotline.cli.unread import tell_unread
from hotline.client import short
from hotline.department.door import HeardMessage, UnitDoor
from hotline.readside.lists import EVERYTHING, Listed
from hotline.readside.rows import CALLED
from hotline.readside.rows import HELP as HELP_WITH
from hotline.terminal import is_terminal, say
from shared import times
from shared.events import ComplaintDispatched, CoUnitAdded, Fact, UnitCalled
from shared.ids import UnitId
from shared.log.codec import decoded, fact_type_of
from shared.runtime.errors import UserError
from shared.unreadable import reason

HELP: Final = "list · sign N · answer N TEXT · return N REASON: EVIDENCE · show N · help · quit"
TOGETHER: Final = 4
"""Verbs on a line of the help."""


class ShownOrders:
    """The orders a person has been shown, by the number they were shown under."""

    def __init__(self, door: UnitDoor, unit: UnitId) -> None:
        """Nothing is shown yet."""
        self._door = door
        self._when = partial(times.shown, zone=times.zone_of(door.ruleset))
        self._unit = unit
        self._shown: list[str] = []
        self._numbers: dict[str, str] = {}
        """Of the complaints that were shown."""

    async def listed(self) -> None:
        """Show every open order."""
        looked = await self._door.orders(self._unit, EVERYTHING)
        if not looked.rows:
            say("No open orders; new ones appear here as they come.")
        for one in looked.rows:
            self._show(one, looked.now)
        tell_unread(looked.unread)

    async def heard(self, fact: Fact) -> None:
        """Show what came on the unit's topic."""
        if isinstance(fact, ComplaintDispatched):
            one, now = await self._door.seen(fact.complaint_id)
            self._show(one, now, "new order")
            return
        told = FOR_UNIT.get(type(fact))
        if told is not None:
            named = self._numbers.get(fact.complaint_id, short(fact.complaint_id))
            say(f"     {named}  {told(fact, self._unit, self._when)}")
        if isinstance(fact, CoUnitAdded) and fact.co_unit == self._unit:
            await self._joined(fact.complaint_id, HELP_WITH)
        if isinstance(fact, UnitCalled) and fact.called == self._unit:
            await self._joined(fact.complaint_id, CALLED)

    async def obey(self, typed: str) -> bool:
        """Do what was typed; False when the person leaves."""
        name, _, rest = typed.strip().partition(" ")
        if name in {"quit", "exit", "q"}:
            return False
        try:
            await self._obey(name, rest)
        except NotUnderstood as error:
            say(error)
        return True

    async def _obey(self, name: str, rest: str) -> None:
        if name == "list":
            await self.listed()
        elif name == "help":
            _tell_verbs()
        elif name in APART:
            await asyncio.to_thread(_typed, command_apart(name, rest, self._unit), "")
        elif name in VERBS or name == "show":
            number, words = order_of(name, rest, len(self._shown))
            complaint = self._shown[number - 1]
            if name == "show":
                await asyncio.to_thread(_typed, ["show", complaint], "")
                return
            about = f"     {self._numbers[complaint]}  "
            await asyncio.to_thread(_typed, command_of(name, complaint, words, self._unit), about)
        elif name:
            say(HELP)

    async def _joined(self, complaint: str, role: str) -> None:
        """Show another unit's order that this one helps with or is called to, with a number to type."""
        one, now = await self._door.seen(complaint)
        self._show(replace(one, role=role), now, "new")

    def _show(self, one: Listed, now: datetime, what: str = "") -> None:
        if one.complaint_id not in self._shown:
            self._shown.append(one.complaint_id)
            self._numbers[one.complaint_id] = one.complaint_number
        number = self._shown.index(one.complaint_id) + 1
        say(f"{number:3}  {line(one, now)}{f'  <- {what}' if what else ''}")


def _tell_verbs() -> None:
    """All that may be typed, some on a line."""
    every = [usage(name) for name in VERBS]
    for first in range(0, len(every), TOGETHER):
        say(" · ".join(every[first : first + TOGETHER]))
    say(f"list · show N · {' · '.join(APART)} · quit")
    say("An option of `hotline unit VERB --help` may stand at the end of a line, such as --unsolved.")


def _typed(words: list[str], about: str) -> None:
    """Do what a command of `hotline unit` does, in a thread of its own; an error is a sentence."""
    ABOUT.set(about)
    _told_errors(partial(get_command(commands), words, prog_name="hotline unit", standalone_mode=False))


def _told_errors(work: Callable[[], object]) -> None:
    try:
        work()
    except typer.TyperException as wrong:
        say(wrong.format_message())
    except typer.Abort:
        say("Nothing was sent.")
    except Exception as error:  # noqa: BLE001 -- the person stays at the desk, whatever it is
        say(f"{ABOUT.get()}{sentence(error)}")


async def sit(door: UnitDoor, unit: UnitId) -> None:
    """Be the unit until the person leaves."""
    desk = ShownOrders(door, unit)
    name = (await door.units()).units[unit][0]
    async with door.following(unit, say) as messages:
        say(f"You are {unit} ({name}).  {HELP}")
        await desk.listed()
        hearing = asyncio.ensure_future(_hear(messages, desk))
        typing = asyncio.ensure_future(_type(desk))
        try:
            await asyncio.wait([hearing, typing], return_when=asyncio.FIRST_COMPLETED)
            (typing if typing.done() else hearing).result()
        finally:
            for task in (hearing, typing):
                task.cancel()
            await asyncio.gather(hearing, typing, return_exceptions=True)


async def _hear(messages: AsyncIterator[HeardMessage], desk: ShownOrders) -> None:
    async for message in messages:
        named = fact_type_of(message.type)
        if named is None:
            continue
        if is_terminal():
            sys.stdout.write("\r")  # over the prompt, which stands again below
        try:
            await desk.heard(decoded(*named, message.value))
        except Exception as error:  # noqa: BLE001 -- the next order is shown, whatever this message holds
            why = str(error) if isinstance(error, UserError) else reason(error)
            say(f"     a message on your topic cannot be read, at offset {message.offset}: {why}")
        _prompt()


async def _type(desk: ShownOrders) -> None:
    _prompt()
    async for typed in _typed_lines():
        if not await desk.obey(typed):
            return
        _prompt()


def _prompt() -> None:
    if is_terminal():
        sys.stdout.write("> ")
        sys.stdout.flush()


async def _typed_lines() -> AsyncIterator[str]:
    """Read typed lines one by one, without a thread that would hold up the end until Enter is pressed."""
    descriptor = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    rest = b""
    while True:
        ready = loop.create_future()
        try:
            loop.add_reader(descriptor, ready.set_result, None)
        except PermissionError:  # a file: always ready
            ready.set_result(None)
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
        chunk = os.read(descriptor, 65_536)
        *lines, rest = (rest + chunk).split(b"\n")
        for text in lines:
            yield text.decode(errors="replace")
        if not chunk:
            if rest:
                yield rest.decode(errors="replace")
            return
