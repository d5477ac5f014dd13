"""Contacts over HTTP: sealed into the vault before their request is sent, on no topic, and not read back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import httpx2
import msgspec
import pytest

from hotline.audit.verify import verify
from hotline.contact_details import overdue, shred
from hotline.web.roles import HttpListener
from services.dispatch.contact_policy import Asker
from services.dispatch.contact_reading import read
from shared import roles
from shared.contacts.callers import CallersKey
from shared.contacts.details import Contact
from shared.contacts.sealing import Sealed
from shared.events import ComplaintDispatched
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.log.acts import acting
from shared.structured import CONTENT_TYPE
from shared.topics import INTAKE_REQUESTS
from tests.city import OTHER_UNIT, UNIT, City, until
from tests.web.door import CALLERS, MASTER, Door, open_door
from tests.web.test_http import event, new_id, request_body

pytestmark = pytest.mark.connected

LI: Final = {"name": "欧阳修远", "phone": "13800138000", "email": "ouyang@example.org"}
KEPT: Final = Contact(**LI)
RECORD: Final = "/acts/request/record"


@pytest.fixture(scope="module")
async def door(town: City, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(town, tmp_path_factory.mktemp("web"), projector=False) as made:
        yield made


@pytest.fixture(scope="module")
async def agents(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.AGENTS)


async def contact_of(town: City, complaint: str, unit: str = UNIT) -> Contact | None:
    """The contact as the door of contacts reads it for a unit."""
    connection = await asyncpg.connect(town.endpoints.login("staff"))
    try:
        found = await read(connection, MASTER, ComplaintId(complaint), Asker(UnitId(unit)), through="COMMAND")
        return found.contact
    finally:
        await connection.close()


async def kept(town: City, complaint: str) -> int:
    return int(await town.value("SELECT count(*) FROM vault.key WHERE stream_id = $1", complaint))


async def test_a_contact_beside_a_request_is_read_by_its_unit_and_lies_on_no_topic(
    town: City, door: Door, agents: httpx2.AsyncClient
) -> None:
    answer = await agents.post(RECORD, json={**request_body(new_id()), "contact": LI})
    assert answer.status_code == 200, answer.text
    complaint = answer.json()["complaint_id"]
    await town.until_fact(complaint, ComplaintDispatched)
    assert await contact_of(town, complaint) == KEPT
    assert await contact_of(town, complaint, OTHER_UNIT) is None
    noted = await town.sql(
        "SELECT who, as_a, outcome FROM vault.access WHERE stream_id = $1 AND as_a <> 'PROCESS' ORDER BY number",
        complaint,
    )
    assert [tuple(row) for row in noted] == [
        ("/agents", "SENDER", "PUT"),
        (UNIT, "UNIT", "FULL"),
        (OTHER_UNIT, "UNIT", "REFUSED"),
    ]
    await town.settled()
    said = [message.value for message in await town.messages(town.topic(INTAKE_REQUESTS), count=1)]
    said += [message.value for message in await town.messages(town.endpoints.prefix + "complaints.log")]
    said += [
        row[0]
        for row in await town.sql("SELECT sealed FROM vault.contact UNION SELECT sealed FROM vault.key")
    ]
    said += [answer.content, door.log.read_bytes(), town.logs(lines=100_000).encode()]
    assert not [one for one in said if any(part.encode() in (one or b"") for part in LI.values())]


async def test_one_that_is_put_before_its_request_is_there_when_the_request_comes_by_any_way(
    town: City, agents: httpx2.AsyncClient
) -> None:
    request_id = new_id()
    put = await agents.put("/contacts", json={"request_id": request_id, "contact": LI})
    assert (put.status_code, put.json()) == (200, {"complaint_id": complaint_id(request_id)})
    told = event_of_request(request_id)
    sent = await agents.post("/events", content=json.dumps(told), headers={"Content-Type": CONTENT_TYPE})
    assert sent.status_code == 202, sent.text
    await town.until_fact(complaint_id(request_id), ComplaintDispatched)
    assert await contact_of(town, complaint_id(request_id)) == KEPT


def event_of_request(request_id: str, **more: Any) -> dict[str, Any]:
    from shared.inputs import RecordRequest

    return event(RecordRequest, "/agents", request_body(request_id, **more))


async def test_of_a_request_on_record_a_repeat_changes_nothing_and_whoever_says_so_does(
    town: City, agents: httpx2.AsyncClient
) -> None:
    request_id, headers = new_id(), {"Idempotency-Key": new_id("k")}
    body = {**request_body(request_id), "contact": LI}
    first = await agents.post(RECORD, json=body, headers=headers)
    other = {**body, "contact": {"phone": "13900139000"}}
    again = await agents.post(RECORD, json=other, headers=headers)
    assert first.json() == again.json()
    assert await contact_of(town, first.json()["complaint_id"]) == KEPT
    put = await agents.put("/contacts", json={"request_id": request_id, "contact": {"phone": "13900139000"}})
    assert put.status_code == 200
    assert await contact_of(town, first.json()["complaint_id"]) == Contact(phone="13900139000")
    await town.sql(
        "UPDATE vault.contact SET taken_by = 'agent-7' WHERE stream_id = $1", complaint_id(request_id)
    )
    refused = await agents.put("/contacts", json={"request_id": request_id, "contact": LI})
    assert refused.status_code == 409
    assert "somebody else took the contact down" in refused.json()["detail"]


async def test_an_anonymous_request_gets_none_before_or_after(town: City, agents: httpx2.AsyncClient) -> None:
    request_id = new_id()
    body = {**request_body(request_id), "anonymous": True}
    refused = await agents.post(RECORD, json={**body, "contact": LI})
    assert (refused.status_code, refused.json()["field"]) == (400, "contact")
    assert (await agents.post(RECORD, json=body)).status_code == 200
    put = await agents.put("/contacts", json={"request_id": request_id, "contact": LI})
    assert put.status_code == 409
    assert await kept(town, complaint_id(request_id)) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contact": {**LI, "phone": "1380013800x"}}, "contact.phone"),
        ({"contact": {**LI, "qq": "13800138000"}}, "contact"),
        ({"contact": "13800138000"}, "contact"),
    ],
)
async def test_one_that_cannot_be_kept_keeps_its_request_back_and_is_not_repeated_to_anybody(
    town: City, door: Door, agents: httpx2.AsyncClient, body: dict[str, Any], field: str
) -> None:
    request_id = new_id()
    answers = [
        await agents.post(RECORD, json={**request_body(request_id), **body}),
        await agents.put("/contacts", json={"request_id": request_id, **body}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["field"]) == (400, field)
        assert "1380013800" not in answer.text
    assert "1380013800" not in door.log.read_text()
    assert await kept(town, complaint_id(request_id)) == 0
    assert await town.story(complaint_id(request_id)) == []


async def test_a_contact_whose_request_never_came_is_counted_apart_and_goes_after_a_day(
    town: City, agents: httpx2.AsyncClient
) -> None:
    never = new_id("never")
    assert (await agents.put("/contacts", json={"request_id": never, "contact": LI})).status_code == 200
    key = {"Idempotency-Key": new_id("k")}
    await agents.post(RECORD, json=request_body(new_id()), headers=key)
    aside = request_body(new_id())
    parked = await agents.post(RECORD, json={**aside, "contact": LI}, headers=key)
    assert parked.status_code == 422
    alone = {complaint_id(never), complaint_id(aside["request_id"])}
    report = await verify(town.endpoints.login("reader"))
    assert report.problems == []
    assert report.contacts_without_record == len(alone)
    async with acting(town.endpoints.login("operator")) as operator:
        for hours, due in ((23, set()), (25, alone)):
            now = await operator.fetchval("SELECT clock_timestamp() + make_interval(hours => $1)", hours)
            assert set(await overdue(operator, now)) & alone == due
        assert await shred(operator, sorted(alone), "retention") == len(alone)
    report = await verify(town.endpoints.login("reader"))
    assert (report.contacts_without_record, report.problems) == (0, [])


async def test_the_listener_reads_nothing_back_and_its_login_has_no_right_to(town: City, door: Door) -> None:
    everything = await door.of(roles.AGENTS)
    for listener in HttpListener:
        client = door.client(everything.headers["authorization"].partition(" ")[2], listener)
        assert (await client.get(f"/contacts/{complaint_id('x')}")).status_code in {403, 404}
    web = await asyncpg.connect(town.endpoints.login("web"))
    try:
        for statement in (
            "SELECT * FROM vault.contact",
            "SELECT * FROM vault.key",
            "SELECT * FROM vault.caller",
            "SELECT * FROM vault.access",
            "SELECT * FROM vault.look(gen_random_uuid())",
            "SELECT vault.note(gen_random_uuid(), 'x', 'UNIT', 'DOOR', 'FULL', 'ASSIGNEE', '')",
            "SELECT vault.put(gen_random_uuid(), '', '', '', 'x')",
            "SELECT vault.shred(ARRAY[gen_random_uuid()], 'x')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.fetch(statement)
    finally:
        await web.close()


async def found(town: City, number: str) -> list[str]:
    """The complaints that an agent finds by this number."""
    staff = await asyncpg.connect(town.endpoints.login("staff"))
    try:
        index = CallersKey(CALLERS).index(number)
        rows = await staff.fetch(
            "SELECT of_caller_on_page::text FROM vault.of_caller_on_page($1, 's-contacts', 20)", index
        )
        return [row[0] for row in rows]
    finally:
        await staff.close()


async def test_who_wrote_over_http_and_then_calls_is_found_by_the_number_that_stands_there_now(
    town: City, agents: httpx2.AsyncClient
) -> None:
    request_id, complaint = new_id(), ""
    first, second = "13700137001", "13700137002"
    answer = await agents.post(RECORD, json={**request_body(request_id), "contact": {"phone": first}})
    complaint = answer.json()["complaint_id"]

    async def found_by(number: str) -> bool:
        return await found(town, number) == [complaint]

    await until(lambda: found_by("+86 137-0013-7001"), what="found by the number")
    noted = await town.sql(
        "SELECT who, outcome FROM vault.access WHERE stream_id = $1 AND as_a = 'PROCESS'", complaint
    )
    assert [tuple(row) for row in noted] == [("staff", "INDEXED")]
    contact = {"phone": second, "callback": "010-65001234"}
    put = await agents.put("/contacts", json={"request_id": request_id, "contact": contact})
    assert put.status_code == 200
    await until(lambda: found_by(second), what="found by the new number")
    assert await found_by("01065001234")
    assert await found(town, first) == []
    async with acting(town.endpoints.login("operator")) as operator:
        await shred(operator, [ComplaintId(complaint)], "a test")
    assert await found(town, second) == []


async def test_what_was_taken_and_not_placed_is_taken_again_and_an_old_contact_is_never_placed(
    database: str,
) -> None:
    """The functions alone, without a process that takes what is due."""
    key, complaint = CallersKey(CALLERS), complaint_id("taken")
    owner = await asyncpg.connect(database)
    try:
        for phone in ("13700137003", "13700137004"):
            sealed = MASTER.sealing.seal(complaint, msgspec.json.encode(Contact(phone=phone)))
            assert (
                await owner.fetchval("SELECT vault.seal($1, $2, $3, $4, '/agents', true)", complaint, *sealed)
                == ""
            )
            if phone == "13700137003":
                old = await owner.fetchrow("SELECT * FROM vault.take_unindexed(10, interval '1 hour')")
                assert old is not None
                assert await owner.fetch("SELECT * FROM vault.take_unindexed(10, interval '1 hour')") == []
        await owner.execute(
            "SELECT vault.index_taken($1, $2, $3)", complaint, old["taken_at"], [key.index("13700137003")]
        )
        assert await owner.fetchval("SELECT count(*) FROM vault.caller") == 0
        for _ in range(2):
            (new,) = await owner.fetch("SELECT * FROM vault.take_unindexed(10, interval '0')")
            assert MASTER.unseal(complaint, Sealed(*new[2:])).phone == "13700137004"
        await owner.execute(
            "SELECT vault.index_taken($1, $2, $3)", complaint, new["taken_at"], [key.index("13700137004")]
        )
        assert await owner.fetch("SELECT * FROM vault.take_unindexed(10, interval '0')") == []
        assert await owner.fetchval("SELECT array_agg(index) FROM vault.caller") == [key.index("13700137004")]
        assert await owner.fetchval("SELECT count(*) FROM vault.access WHERE outcome = 'INDEXED'") == 3
    finally:
        await owner.close()


async def test_a_sealed_box_that_holds_no_contact_is_given_up_and_the_next_is_placed(
    town: City, door: Door, agents: httpx2.AsyncClient
) -> None:
    """The login of the public listener may seal anything."""
    complaint, pid = complaint_id(new_id("junk")), door.supervisor.pids()["web"]
    web = await asyncpg.connect(town.endpoints.login("web"))
    try:
        for junk in (b"{", b'{"phone": 5}'):
            sealed = MASTER.sealing.seal(complaint, junk)
            assert (
                await web.fetchval("SELECT vault.seal($1, $2, $3, $4, '/junk', false)", complaint, *sealed)
                == ""
            )
            await until(lambda: _given_up(town, complaint), what="the box given up")
    finally:
        await web.close()
    answer = await agents.post(RECORD, json={**request_body(new_id()), "contact": {"phone": "13700137009"}})
    after = answer.json()["complaint_id"]

    async def placed() -> bool:
        return await found(town, "13700137009") == [after]

    await until(placed, what="the next contact placed")
    assert door.supervisor.pids()["web"] == pid
    assert "it holds no contact" in door.log.read_text()


async def _given_up(town: City, complaint: str) -> bool:
    due = await town.sql("SELECT index_due FROM vault.contact WHERE stream_id = $1", complaint)
    return [row[0] for row in due] == [None]


async def test_without_a_public_key_nothing_is_sent(
    town: City, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("keyless")
    file = folder / "contacts.public"
    async with open_door(
        town,
        folder,
        projector=False,
        wired=lambda service: replace(
            service,
            env={
                **{name: value for name, value in service.env.items() if "CONTACTS" not in name},
                "WEB_CONTACTS_PUBLIC_KEY_FILE": str(file),
            },
        ),
    ) as door:
        client = await door.of(roles.AGENTS)
        request_id = new_id()
        body = {**request_body(request_id), "contact": LI}
        answer = await client.post(RECORD, json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "contacts_without_public_key" in door.log.read_text()
        assert (await client.post(RECORD, json=request_body(new_id()))).status_code == 200
        from shared.contacts.details import public_written

        file.write_text(public_written(MASTER))
        assert (await client.post(RECORD, json=body)).status_code == 200
        await town.until_fact(complaint_id(request_id), ComplaintDispatched)
        assert (await contact_of(town, complaint_id(request_id))) == KEPT
