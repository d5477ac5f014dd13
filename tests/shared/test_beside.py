"""The rest of a message beside its fact is the same wherever a page is cut. Real PostgreSQL, whole lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pytest

from deploy.city.making import migrate
from deploy.embedded.stack import Addresses
from hotline.lab.bench.generator import grow_lives
from shared.complaint_number import number_of
from shared.ids import ComplaintId
from shared.log.postgres import connect
from shared.log.relay.beside import Beside, looked_up, with_more
from shared.log.relay.cursor import FactRow, RelayCursor
from shared.outward import OUTWARD
from shared.results import OrderClosed, WorkOrder
from shared.versions import RULESET
from tests.sources import Databases

pytestmark = pytest.mark.connected

LIVES = 60


@pytest.fixture(scope="module")
async def connection(stack: Addresses, databases: Databases) -> AsyncIterator[Any]:
    name = await databases.make()
    await migrate(stack.database(name))
    await grow_lives(stack.database(name), LIVES, processes=1)
    made = await connect(stack.database(name), "relay")
    await made.execute("UPDATE es.relay SET snap_a = '1:1:'")
    yield made
    await made.close()
    await databases.drop(name)


async def log_of(connection: Any) -> list[FactRow]:
    cursor = RelayCursor(connection)
    await cursor.own()
    return await cursor.page(await cursor.look(), 10_000)


async def test_it_is_the_same_wherever_a_page_is_cut(connection: Any) -> None:
    rows = await log_of(connection)
    whole = await looked_up(connection, rows)
    for size in (1, 2, 3, 7):
        found: dict[int, Beside] = {}
        for start in range(0, len(rows), size):
            page = await looked_up(connection, rows[start : start + size])
            found |= {start + place: beside for place, beside in page.items()}
        assert found == whole


async def test_each_order_and_each_end_says_what_its_life_says(connection: Any) -> None:
    rows = await log_of(connection)
    beside = await looked_up(connection, rows)
    lives: dict[str, list[tuple[str, Any]]] = {}
    closed = orders = 0
    for place, row in enumerate(rows):
        body = msgspec.json.decode(row.body)
        life = lives.setdefault(row.stream_id, [])
        if row.type == "ComplaintDispatched":
            order = msgspec.json.decode(with_more(row.body, beside[place].more), type=WorkOrder)
            received = msgspec.convert(life[0][1]["received_at"], type(order.received_at), strict=False)
            assert order.received_at == received
            protected = [told for kind, told in life if kind == "IdentityProtected"]
            assert order.confidential == any(one["confidential"] for one in protected)
            assert order.anonymous == any(one["anonymous"] for one in protected)
            orders += 1
        elif row.type == "ComplaintClosed":
            told = msgspec.json.decode(with_more(row.body, beside[place].more), type=OrderClosed)
            kind, before = life[-1]
            if kind == "VisitMade":
                assert msgspec.to_builtins(told.judgement)["solved"] == before["solved"]
            else:
                assert told.judgement is msgspec.UNSET
            assert (
                beside[place].unit == [one["unit"] for kind, one in life if kind == "ComplaintDispatched"][-1]
            )
            closed += 1
        elif row.type not in {*OUTWARD, "ComplaintWithdrawn"}:
            assert place not in beside
        if place in beside:
            head = next(one for kind, one in [*life, (row.type, body)] if kind == "ComplaintReceived")
            received = msgspec.convert(head["received_at"], datetime, strict=False)
            number = number_of(ComplaintId(row.stream_id), received, RULESET)
            assert msgspec.json.decode(with_more(row.body, beside[place].more))["complaint_number"] == number
        life.append((row.type, body))
    assert orders >= closed > LIVES // 2
