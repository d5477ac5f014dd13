"""Units hear of their tasks in programmes, from the relay alone; one answer is offered to all in the same position."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer import Typer
from typer.testing import CliRunner, Result

from deploy.city import kafka_logins
from deploy.city import registry as where
from deploy.city.kafka_rights import Login
from hotline.cli.programme import programme
from hotline.cli.unit import unit as unit_commands
from hotline.governance import facts as f
from hotline.governance.log import programmes
from hotline.readside.process import take_in
from shared import roles
from shared.events import ComplaintDispatched, OrderAnswered, OrderSigned, VisitMade, VisitScheduled
from shared.ids import UnitId
from shared.programme_notice import CE_SOURCE, CE_TYPE, ProgrammeNotice
from shared.runtime import kafka_address
from shared.topics import DISPATCH_ORDERS
from tests.city import OTHER_UNIT, UNIT, City, until
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected

Cities = Callable[..., Awaitable[City]]
NOW = datetime.now(UTC)
ID = f.programme_id_of(2021, 1, "老旧小区供水")
BEGIN = (
    f.ProgrammeProposed(
        programme_id=ID,
        by="office",
        year=2021,
        month=1,
        title="老旧小区供水",
        lead=UnitId(UNIT),
        proposed_at=NOW,
    ),
    f.ProgrammeAdopted(programme_id=ID, by="office", adopted_at=NOW),
    f.ItemNamed(programme_id=ID, by="office", item=1, title="管网", lead=UnitId(UNIT), named_at=NOW),
)


def task(number: int, owner: str = UNIT) -> f.TaskSet:
    return f.TaskSet(
        programme_id=ID,
        by="office",
        item=1,
        task=number,
        title=f"第{number}段",
        owner=UnitId(owner),
        due=date(2199, 12, 31),
        set_at=NOW,
    )


def notices(records: list[Any]) -> list[ProgrammeNotice]:
    """The notices among these messages, decoded strictly by the published shape; each once."""
    found: dict[bytes, ProgrammeNotice] = {}
    for record in records:
        headers = dict(record.headers)
        if headers["ce_type"] == CE_TYPE.encode():
            assert (headers["ce_source"], record.key) == (CE_SOURCE.encode(), ID.encode())
            found.setdefault(headers["ce_id"], msgspec.json.decode(record.value, type=ProgrammeNotice))
    return list(found.values())


async def typed(town: City, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """`hotline WORDS` in this city; exit code 0."""
    city = where.City(endpoints=town.endpoints, catalogue=str(town.folder / "catalogue.json"))
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: city)
    app = Typer()
    app.add_typer(programme, name="programme")
    app.add_typer(unit_commands, name="unit")
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words), env={"COLUMNS": "200"}))
    assert result.exit_code == 0, result.output
    return result


async def test_an_owner_hears_of_its_tasks_by_its_own_login_and_the_relay_alone_tells(city: Cities) -> None:
    town = await city()
    endpoints = town.endpoints
    mine = Login(roles.UNIT, UNIT)
    login = await asyncio.to_thread(kafka_logins.add, endpoints.kafka, endpoints.name, endpoints.prefix, mine)
    async with programmes(endpoints.logins["governor"]) as log:
        await log.record([*BEGIN, task(1), task(2, OTHER_UNIT)])
        assert await town.messages(town.topic(DISPATCH_ORDERS, UNIT)) == [], "nobody tells before the relay"
        await town.start("relay")
        consumer = AIOKafkaConsumer(
            **kafka_address.aiokafka(login),
            group_id=f"{mine.groups(endpoints.prefix)}desk",
            auto_offset_reset="earliest",
        )
        consumer.assign([TopicPartition(town.topic(DISPATCH_ORDERS, UNIT), 0)])
        await consumer.start()
        try:
            first = notices([await asyncio.wait_for(consumer.getone(), PATIENCE * 20)])
            await log.record(
                [
                    f.TaskCompleted(programme_id=ID, by=UNIT, task=1, evidence="通水", completed_at=NOW),
                    f.CompletionRejected(
                        programme_id=ID, by="office", task=1, reason="水压不足", rejected_at=NOW
                    ),
                ]
            )
            second = notices([await asyncio.wait_for(consumer.getone(), PATIENCE * 20)])
        finally:
            await consumer.stop()
    assert [(one.happened, one.task, one.task_title, one.standing) for one in first] == [
        ("TaskSet", 1, "第1段", "PLANNED")
    ]
    assert [(one.happened, one.standing, one.text) for one in second] == [
        ("CompletionRejected", "IN_PROGRESS", "水压不足")
    ]
    theirs = notices(await town.messages(town.topic(DISPATCH_ORDERS, OTHER_UNIT), count=1, within=30))
    assert [one.task for one in theirs] == [2], "each owner hears its own alone"


async def test_a_relay_killed_between_sending_and_its_cursor_repeats_and_loses_nothing(city: Cities) -> None:
    """A repeat has the id of the first, and what is told of a programme keeps its order."""
    town = await city()
    topic, total = town.topic(DISPATCH_ORDERS, UNIT), 60
    async with programmes(town.endpoints.logins["governor"]) as log:
        await log.record(BEGIN)
        await town.start("relay")
        for number in range(1, total + 1):
            await log.record([task(number)])
            if number % 12 == 6:
                before = await town.value("SELECT snap_a::text FROM es.programme_relay")
                await until(
                    partial(_told, town, topic, number), within=60, what="the last one told", every=0.05
                )
                town.signal("relay", signal.SIGKILL)
                # As if it had died right after Kafka's answer: what it had just sent is not written down.
                await town.sql("UPDATE es.programme_relay SET snap_a = $1::text::pg_snapshot", before)
                await until(lambda: _lives(town), within=60, what="the relay back at work")
    await until(partial(_told, town, topic, total), within=60, what="all told", every=0.2)
    records = await town.messages(topic)
    assert [one.task for one in notices(records)] == list(range(1, total + 1))
    assert len(records) > total, "it died and told some again"


async def _lives(town: City) -> bool:
    return "relay" in town.pids()


async def _told(town: City, topic: str, number: int) -> bool:
    return number in {one.task for one in notices(await town.messages(topic))}


async def test_the_answer_to_one_is_offered_to_all_in_its_position_and_each_is_asked_by_its_own_visit(
    city: Cities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """有一办一、举一反三."""
    town = await city()
    await town.start("intake", "dispatch", "feedback", "relay")
    first = await town.record("first", title="五号楼三天没有水")
    alike = [await town.record(f"alike-{n}", title="五号楼没有水三天") for n in range(3)]
    elsewhere = await town.record("elsewhere", title="五号楼三天没有水", street="中关村街道")
    other = await town.record("other", title="水费单据看不懂", subject="水费")
    everybody = (first, *alike, elsewhere, other)
    for one in everybody:
        await town.until_fact(one, ComplaintDispatched, within=60)
    await town.sign(first)
    await town.answer(first, result="更换水泵,已通水")
    await town.until_fact(first, OrderAnswered, within=60)
    async with programmes(town.endpoints.logins["governor"]) as log:
        await log.record(BEGIN)
    await take_in(town.endpoints.owner_dsn)

    found = json.loads((await typed(town, monkeypatch, "programme", "alike", first, "--json")).stdout)
    assert {one["complaint_id"] for one in found[:3]} == set(alike)
    assert [one["complaint_id"] for one in found[3:]] == [elsewhere], (
        "another subject in other words is not alike"
    )
    chosen = ",".join([*alike, elsewhere])
    offer = ("programme", "offer", ID[:8], "1", first, "--to", chosen, "--as", "office", "--with-number")
    await typed(town, monkeypatch, *offer)

    told = await town.messages(town.topic(DISPATCH_ORDERS, OTHER_UNIT), count=2, within=30)
    (notice,) = notices(told)
    assert (notice.happened, notice.text, notice.complaints) == (
        "AnswerOffered",
        "更换水泵,已通水",
        (elsewhere,),
    )
    (order,) = [json.loads(one.value) for one in told if one.key == elsewhere.encode()]
    assert notice.complaint_numbers == (order["complaint_number"],), "as the order calls it"
    shown = json.loads((await typed(town, monkeypatch, "unit", "offered", "--unit", UNIT, "--json")).stdout)
    assert [(one["offer"], len(one["waiting"])) for one in shown] == [(1, 3)]

    for one in alike:
        await town.sign(one)
        await town.until_fact(one, OrderSigned, within=60)
    answered = await typed(town, monkeypatch, "unit", "answer-offered", ID[:8], "1", "--unit", UNIT)
    assert "Answered 3 of 3" in answered.output
    for one in alike:
        (said,) = [told.fact for told in await town.facts(one) if told.type == "OrderAnswered"]
        assert said.result == "更换水泵,已通水"
        await town.until_fact(one, VisitScheduled, within=60)
    assert "OrderAnswered" not in await town.story(elsewhere), "another unit answers for itself"
    for number, one in enumerate(alike):
        await town.visit(one, solved=number != 1)
        await town.until_fact(one, VisitMade, within=60)
    await take_in(town.endpoints.owner_dsn)
    (standing,) = json.loads(
        (await typed(town, monkeypatch, "programme", "members", ID[:8], "--json")).stdout
    )
    assert [(one["answered_so"], one["solved"]) for one in standing["members"]] == [
        (True, True), (True, False), (True, True), (False, None),
    ]  # fmt: skip
    again = await typed(town, monkeypatch, "unit", "answer-offered", ID[:8], "1", "--unit", UNIT)
    assert "Answered" in again.output, "the citizen said no: his is open again"
