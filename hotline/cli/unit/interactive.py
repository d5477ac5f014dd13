"""At a unit's desk: orders are printed as they come, what is typed are replies."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Any, Final

from aiokafka import TopicPartition

from deploy.city.registry import City
from hotline import client
from hotline.casefile import outcomes
from hotline.casefile.orders import line, open_orders
from hotline.casefile.sentences.unit import FOR_UNIT
from hotline.cli.unit.saying import of_order
from hotline.cli.unread import tell_unread
from hotline.client import at_present, short
from hotline.lookup import complaint_called, complaint_named
from hotline.readside.lists import Listed, listed
from hotline.terminal import is_terminal, say
from shared import inputs, times
from shared.cloudevents import header
from shared.complaint import Complaint
from shared.doors.kafka_reader import reader_of
from shared.events import ComplaintDispatched, Fact
from shared.ids import UnitId
from shared.inputs import Input
from shared.log.codec import decoded, fact_type_of
from shared.policy.catalogue import catalogue
from shared.runtime.errors import UserError
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES
from shared.unreadable import reason

HELP: Final = "list · sign N · answer N WHAT WAS DONE · return N REASON: EVIDENCE · quit"
_WORDS: Final = {"sign": 0, "answer": 1, "return": 1}


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

    async def obey(self, typed: str) -> bool:
        """Do what was typed; False when the person leaves."""
        verb, _, rest = typed.strip().partition(" ")
        number, _, words = rest.strip().partition(" ")
        if verb in {"quit", "exit", "q"}:
            return False
        if verb == "list":
            await self.listed()
        elif (
            verb in _WORDS and number.isascii() and number.isdigit() and 1 <= int(number) <= len(self._shown)
        ):
            await self._reply(verb, self._shown[int(number) - 1], words.strip())
        elif verb in _WORDS and not self._shown:
            say(f"There is no open order to {verb}.")
        elif verb in _WORDS:
            say(f"{verb} which? Give the number in front of an order, 1 to {len(self._shown)}.")
        elif verb:
            say(HELP)
        return True

    async def _reply(self, verb: str, complaint: str, words: str) -> None:
        reason, _, evidence = words.partition(":")
        if verb == "answer" and not words:
            say("answer N WHAT WAS DONE: the citizen will want to know.")
            return
        if verb == "return" and not (reason.strip() and evidence.strip()):
            say("return N REASON: EVIDENCE, such as: return 1 not our street: the map of the district")
            return
        case = await complaint_named(self._city, complaint)
        data = _said(verb, case, words, reason.strip(), evidence.strip())
        try:
            facts = await client.reply(self._city, self._unit, case.complaint_id, data)
        except UserError as error:
            say(error)
        else:
            say(f"     {case.complaint_number}  {outcomes.of_reply(facts)}")

    def _show(self, one: Listed, now: datetime, what: str = "") -> None:
        if one.complaint_id not in self._shown:
            self._shown.append(one.complaint_id)
            self._numbers[one.complaint_id] = one.complaint_number
        number = self._shown.index(one.complaint_id) + 1
        say(f"{number:3}  {line(one, now)}{f'  <- {what}' if what else ''}")


def _said(verb: str, case: Complaint, words: str, reason: str, evidence: str) -> Input:
    if verb == "sign":
        return inputs.SignOrder(**of_order(case))
    if verb == "answer":
        return inputs.AnswerOrder(**of_order(case), result=words, claims_solved=True)
    return inputs.RequestReturn(**of_order(case), reason=reason, evidence=evidence)


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
