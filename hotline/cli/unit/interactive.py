"""At a unit's desk: orders are printed as they come, what is typed are replies."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import typer
from aiokafka import TopicPartition
from msgspec.structs import replace
from typer.main import get_command

from deploy.city.registry import City
from hotline.casefile.orders import line, open_orders
from hotline.casefile.sentences.unit import FOR_UNIT
from hotline.cli.outcome import ABOUT
from hotline.cli.run import sentence
from hotline.cli.unit.app import commands
from hotline.cli.unit.verbs import APART, VERBS, NotUnderstood, command_apart, command_of, order_of, usage
from hotline.cli.unread import tell_unread
from hotline.client import at_present, short
from hotline.lookup import complaint_called
from hotline.readside.lists import Listed, listed
from hotline.readside.rows import CALLED
from hotline.readside.rows import HELP as HELP_WITH
from hotline.terminal import is_terminal, say
from shared import times
from shared.cloudevents import header
from shared.doors.kafka_reader import reader_of
from shared.events import ComplaintDispatched, CoUnitAdded, Fact, UnitCalled
from shared.ids import UnitId
from shared.log.codec import decoded, fact_type_of
from shared.policy.catalogue import catalogue
from shared.runtime.errors import UserError
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES
from shared.unreadable import reason

HELP: Final = "list · sign N · answer N TEXT · return N REASON: EVIDENCE · show N · help · quit"
TOGETHER: Final = 4
"""Verbs on a line of the help."""


class ShownOrders:
    """The orders a person has been shown, by the number they were shown under."""

    def __init__(self, city: City, unit: UnitId) -> None:
        """Nothing is shown yet."""
        self._city = city
        self._when = partial(times.shown, zone=times.zone_of(city.ruleset))
        self._unit = unit
        self._shown: list[str] = []
        self._numbers: dict[str, str] = {}
        """Of the complaints that were shown."""

    async def listed(self) -> None:
        """Show every open order."""
        looked = await open_orders(self._city, self._unit)
        if not looked.rows:
            say("No open orders; new ones appear here as they come.")
        for one in looked.rows:
            self._show(one, looked.now)
        tell_unread(looked.unread)

    async def heard(self, fact: Fact) -> None:
        """Show what came on the unit's topic."""
        if isinstance(fact, ComplaintDispatched):
            case, now = await at_present(self._city, partial(complaint_called, text=fact.complaint_id))
            self._show(listed(case), now, "new order")
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
                await asyncio.to_thread(_shown, complaint)
                return
            about = f"     {self._numbers[complaint]}  "
            await asyncio.to_thread(_typed, command_of(name, complaint, words, self._unit), about)
        elif name:
            say(HELP)

    async def _joined(self, complaint: str, role: str) -> None:
        """Show another unit's order that this one helps with or is called to, with a number to type."""
        case, now = await at_present(self._city, partial(complaint_called, text=complaint))
        self._show(replace(listed(case), role=role), now, "new")

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


def _shown(complaint: str) -> None:
    """Show the life of a complaint, as `hotline show` does."""
    from hotline.cli.show import show

    _told_errors(partial(show, complaint))


def _told_errors(work: Callable[[], object]) -> None:
    try:
        work()
    except typer.TyperException as wrong:
        say(wrong.format_message())
    except typer.Abort:
        say("Nothing was sent.")
    except Exception as error:  # noqa: BLE001 -- the person stays at the desk, whatever it is
        say(f"{ABOUT.get()}{sentence(error)}")


async def sit(city: City, unit: UnitId) -> None:
    """Be the unit until the person leaves."""
    desk = ShownOrders(city, unit)
    topic = TopicPartition(city.realm.prefix + DISPATCH_ORDERS.of(unit), 0)
    consumer = reader_of(city.realm.commands_of(DISPATCH_REPLIES.speaker))
    try:
        await consumer.start()
        consumer.assign([topic])
        await consumer.seek_to_end(topic)
        await consumer.position(topic)  # settled before the list is read: what comes later is heard
        say(f"You are {unit} ({catalogue(city.catalogue).units[unit].name}).  {HELP}")
        await desk.listed()
        hearing = asyncio.ensure_future(_hear(consumer, desk))
        typing = asyncio.ensure_future(_type(desk))
        try:
            await asyncio.wait([hearing, typing], return_when=asyncio.FIRST_COMPLETED)
            (typing if typing.done() else hearing).result()
        finally:
            for task in (hearing, typing):
                task.cancel()
            await asyncio.gather(hearing, typing, return_exceptions=True)
    finally:
        await consumer.stop()


async def _hear(consumer: Any, desk: ShownOrders) -> None:
    async for record in consumer:
        named = fact_type_of(header(record.headers, "ce_type") or b"")
        if named is not None and record.value is not None:
            if is_terminal():
                sys.stdout.write("\r")  # over the prompt, which stands again below
            try:
                await desk.heard(decoded(*named, record.value))
            except Exception as error:  # noqa: BLE001 -- the next order is shown, whatever this message holds
                why = str(error) if isinstance(error, UserError) else reason(error)
                say(f"     a message on your topic cannot be read, at offset {record.offset}: {why}")
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
