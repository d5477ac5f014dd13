"""The HTTP door on a real city: events and acts in, what came of them, what waits; and who may do what."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest

from hotline.contract.examples.told import input_example
from hotline.department.http_calls import lines_of
from hotline.web import keys
from hotline.web.events import BATCH
from hotline.web.page import POLICY
from hotline.web.paths import act_path
from hotline.web.problems import ProblemKind
from hotline.web.roles import ACTS_OF, SCOPES_OF, HttpListener, KeyScope
from hotline.web.route_shapes import HttpRoute, TakenBody
from hotline.web.routes import ROUTES, at
from shared import roles
from shared.cloudevents import input_headers
from shared.events import ComplaintClosed, ComplaintDispatched, ReturnApproved, VisitScheduled
from shared.ids import complaint_id
from shared.inputs import Input, RecordRequest
from shared.log.acts import acting
from shared.structured import CONTENT_TYPE
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES
from tests.city import DISTRICT, OTHER_UNIT, STREET, UNIT, WATER, City, until
from tests.shell import PATIENCE
from tests.web.door import Door, open_door

pytestmark = pytest.mark.connected

NOT_ALLOWED: Final = ProblemKind.NOT_ALLOWED.urn
ABSENT: Final = "11111111-2222-8333-8444-555555555555"


@pytest.fixture(scope="module")
async def agents(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.AGENTS)


@pytest.fixture(scope="module")
async def unit(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.UNIT, UNIT)


def request_body(request_id: str, **more: Any) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "request_type": "HELP",
        "subject": WATER,
        "district": DISTRICT,
        "street": STREET,
        "address": "小关街5号",
        "title": "没有水",
        "content": "三天没有水",
        **more,
    }


def new_id(of: str = "web") -> str:
    return f"{of}-{uuid4()}"


async def recorded(agents: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await agents.post("/acts/request/record", json=request_body(new_id(), **more))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def event(kind: type[Input], source: str, data: dict[str, Any], event_id: str = "") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": kind.TYPE,
        "source": source,
        "id": event_id or new_id("e"),
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


async def test_a_request_is_answered_with_its_facts_its_number_and_its_order(
    town: City, agents: httpx2.AsyncClient
) -> None:
    request_id = new_id()
    answer = await agents.post("/acts/request/record", json=request_body(request_id))
    told = answer.json()
    assert answer.status_code == 200, told
    assert told["complaint_id"] == complaint_id(request_id)
    assert [fact["type"] for fact in told["facts"]] == [
        "hotline.ComplaintReceived.v1",
        "hotline.ComplaintClassified.v1",
    ]
    facts = await town.facts(told["complaint_id"])
    assert [fact["id"] for fact in told["facts"]] == [fact.fact_id for fact in facts[:2]]
    dispatched = next(fact.fact for fact in facts if isinstance(fact.fact, ComplaintDispatched))
    assert told["order"]["unit"] == dispatched.unit == UNIT
    assert datetime.fromisoformat(told["order"]["due_at"]) == dispatched.citizen_due_at
    seen = await agents.get(f"/complaints/{told['complaint_number']}")
    assert seen.json()["complaint_id"] == told["complaint_id"]


async def test_sent_again_it_has_one_effect_and_the_same_answer(
    town: City, agents: httpx2.AsyncClient
) -> None:
    body, headers = request_body(new_id()), {"Idempotency-Key": new_id("k")}
    first, again = [await agents.post("/acts/request/record", json=body, headers=headers) for _ in range(2)]
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["id"] == headers["Idempotency-Key"]
    assert (await town.story(first.json()["complaint_id"])).count("ComplaintReceived") == 1


async def test_one_key_of_idempotence_with_other_content_is_set_aside(agents: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": new_id("k")}
    first = await agents.post("/acts/request/record", json=request_body(new_id()), headers=headers)
    other = await agents.post("/acts/request/record", json=request_body(new_id()), headers=headers)
    assert (first.status_code, other.status_code) == (200, 422)
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["type"] == "urn:hotline:problem:set-aside"


async def test_a_unit_works_its_order_and_a_second_answer_is_refused_with_the_reason(
    town: City, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient, door: Door
) -> None:
    told = await recorded(agents)
    about = {"complaint_id": told["complaint_id"], "assignment": 1}
    listed = await rows_of(unit, f"/units/{UNIT}/orders?limit=200")
    assert told["complaint_number"] in {row["complaint_number"] for row in listed}
    signed = await unit.post("/acts/order/sign", json=about)
    assert (signed.status_code, signed.json()["facts"][0]["type"]) == (200, "hotline.OrderSigned.v1")
    done = {**about, "result": "修好了", "claims_solved": True}
    assert (await unit.post("/acts/order/answer", json=done)).status_code == 200
    again = await unit.post("/acts/order/answer", json=done)
    assert again.status_code == 409
    assert again.json()["fact"] == "ReplyRefused"
    assert again.json()["detail"].startswith("Refused: ")
    assert (await agents.get(again.json()["outcome"])).status_code == 404  # another's key
    assert (await unit.get(again.json()["outcome"])).status_code == 409
    timeline = (await unit.get(f"/complaints/{told['complaint_number']}/timeline")).json()
    named = [entry["fact"] for entry in timeline["entries"]]
    assert named[:3] == ["ComplaintDispatched", "OrderSigned", "OrderAnswered"]
    assert "ComplaintReceived" not in named
    await town.until_fact(told["complaint_id"], VisitScheduled)
    dialler = await door.of(roles.DIALLER)
    visit = {
        "complaint_id": told["complaint_id"],
        "visit": 1,
        "attempt": 1,
        "solved": True,
        "satisfied": True,
    }
    closed = await dialler.post("/acts/visit/record", json=visit)
    assert closed.status_code == 200
    await town.until_fact(told["complaint_id"], ComplaintClosed)
    everything = (await agents.get(f"/complaints/{told['complaint_id']}/timeline")).json()["entries"]
    assert [entry["fact"] for entry in everything] == await town.story(told["complaint_id"])


async def test_a_return_is_reviewed_and_the_unit_that_had_it_sees_it_no_more(
    town: City, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient, door: Door
) -> None:
    told = await recorded(agents)
    about = {"complaint_id": told["complaint_id"], "assignment": 1}
    asked = {**about, "reason": "NOT_OURS", "evidence": "不在辖区内", "suggested_unit": OTHER_UNIT}
    assert (await unit.post("/acts/return/request", json=asked)).status_code == 200
    reviewers = await door.of(roles.REVIEWERS)
    waiting = await rows_of(reviewers, "/reviews?limit=200")
    assert told["complaint_id"] in {row["complaint_id"] for row in waiting}
    reviewed = await reviewers.post(
        "/acts/return/review", json={**about, "approved": True, "reviewer": "审核员"}
    )
    assert reviewed.status_code == 200
    await town.until_fact(told["complaint_id"], ReturnApproved)
    await town.until_fact(told["complaint_id"], ComplaintDispatched, count=2)
    gone = await unit.get(f"/complaints/{told['complaint_number']}")
    absent = await unit.get(f"/complaints/{ABSENT}")
    assert (gone.status_code, gone.json()) == (absent.status_code, absent.json()) == (404, absent.json())
    other = await door.of(roles.UNIT, OTHER_UNIT)
    assert (await other.get(f"/complaints/{told['complaint_number']}")).status_code == 200


async def test_a_foreign_complaint_is_not_told_apart_from_an_absent_one(
    agents: httpx2.AsyncClient, door: Door
) -> None:
    told = await recorded(agents)
    stranger = await door.of(roles.UNIT, OTHER_UNIT)
    answers = []
    for complaint in (told["complaint_id"], ABSENT):
        body = {"complaint_id": complaint, "assignment": 1}
        acted = await stranger.post("/acts/order/sign", json=body)
        read = await stranger.get(f"/complaints/{complaint}")
        lived = await stranger.get(f"/complaints/{complaint}/timeline")
        answers.append([(one.status_code, one.json()) for one in (acted, read, lived)])
    assert answers[0] == answers[1]
    assert {status for status, _ in answers[0]} == {404}
    orders = [await stranger.get(f"/units/{name}/orders") for name in (UNIT, "no-such-unit")]
    assert [one.status_code for one in orders] == [404, 404]
    assert orders[0].json() == orders[1].json()


async def test_a_front_end_reads_what_it_put_on_record_itself(door: Door, town: City) -> None:
    topic = await town.speaker(_requests(), "portal")
    assert topic.endswith(".portal")
    portal = await door.of(roles.AGENTS, "portal", scopes=[KeyScope.ACTS, KeyScope.READ])
    plain = await door.of(roles.AGENTS, scopes=[KeyScope.ACTS, KeyScope.READ])
    request_id = new_id("same")
    mine = (await portal.post("/acts/request/record", json=request_body(request_id))).json()
    theirs = (await plain.post("/acts/request/record", json=request_body(request_id))).json()
    assert mine["complaint_id"] != theirs["complaint_id"]
    assert (await portal.get(f"/complaints/{mine['complaint_number']}")).status_code == 200
    assert (await portal.get(f"/complaints/{theirs['complaint_number']}")).status_code == 404
    assert (await plain.get(f"/complaints/{theirs['complaint_number']}")).status_code == 200


def _requests() -> Any:
    from shared.topics import INTAKE_REQUESTS

    return INTAKE_REQUESTS


async def test_events_in_every_mode_are_in_kafka_and_have_one_effect(
    town: City, agents: httpx2.AsyncClient
) -> None:
    request_id, event_id = new_id(), new_id("e")
    data = request_body(request_id)
    told = event(RecordRequest, "/agents", data, event_id)
    headers = {
        name.replace("_", "-"): value.decode()
        for name, value in input_headers(RecordRequest, "/agents", event_id, datetime.now(UTC))
    }
    answers = [
        await agents.post("/events", json=data, headers=headers),
        await agents.post("/events", content=json.dumps(told), headers={"Content-Type": CONTENT_TYPE}),
        await agents.post("/events", content=json.dumps([told, told]), headers={"Content-Type": BATCH}),
    ]
    assert [answer.status_code for answer in answers] == [202] * 3, answers[0].text
    accepted = [one for answer in answers for one in answer.json()["events"]]
    assert len({(one["partition"], one["offset"]) for one in accepted}) == 4
    await town.until_fact(complaint_id(request_id), ComplaintDispatched)
    await town.settled()
    assert (await town.story(complaint_id(request_id))).count("ComplaintReceived") == 1
    outcome = await agents.get(accepted[0]["outcome"])
    assert (outcome.status_code, outcome.json()["facts"][0]["type"]) == (200, "hotline.ComplaintReceived.v1")


async def test_of_a_batch_with_one_bad_event_nothing_is_sent(town: City, agents: httpx2.AsyncClient) -> None:
    good = [event(RecordRequest, "/agents", request_body(new_id())) for _ in range(3)]
    bad = event(RecordRequest, "/agents", {**request_body(new_id()), "title": ""})
    ends = await _ends(town)
    answer = await agents.post("/events", content=json.dumps([*good, bad]), headers={"Content-Type": BATCH})
    assert (answer.status_code, answer.json()["index"], answer.json()["field"]) == (400, 3, "title")
    assert await _ends(town) == ends


async def _ends(town: City) -> Any:
    line = _requests()
    return await town.ends([(town.topic(line), number) for number in range(line.partitions)])


async def test_a_large_batch_keeps_the_order_of_each_key(town: City, unit: httpx2.AsyncClient) -> None:
    reply = ROUTES_BY_PATH["/acts/order/sign"].input
    assert reply is not None
    told = [
        event(reply, f"/unit/{UNIT}", {"complaint_id": ABSENT, "assignment": number + 1})
        for number in range(300)
    ]
    answer = await unit.post("/events", content=json.dumps(told), headers={"Content-Type": BATCH})
    assert answer.status_code == 202, answer.text
    offsets = [one["offset"] for one in answer.json()["events"]]
    assert offsets == list(range(offsets[0], offsets[0] + 300))
    messages = await town.messages(town.topic(DISPATCH_REPLIES, UNIT))
    by_offset = {message.offset: json.loads(message.value)["id"] for message in messages[-300:]}
    assert [by_offset[offset] for offset in offsets] == [one["id"] for one in told]


ROUTES_BY_PATH: Final = {route.path: route for route in ROUTES}


def _asked(route: HttpRoute) -> tuple[str, dict[str, Any]]:
    path = (
        route.path.replace("{complaint}", ABSENT).replace("{unit}", "no-such-unit").replace("{key}", "0" * 16)
    )
    path = re.sub(r"\{\w+\}", "none", path.replace("{format}", "json"))
    if route.takes is TakenBody.INPUT:
        assert route.input is not None
        return path, {"json": input_example(route.input)["payload"]}
    if route.takes is TakenBody.EVENTS:
        return path, {"content": "{}", "headers": {"Content-Type": CONTENT_TYPE}}
    if route.takes is TakenBody.FORM:
        return path, {"data": {"service_code": "none"}}
    return path, {}


async def test_no_key_and_a_revoked_one_are_refused(door: Door) -> None:
    gone = await door.key(roles.AGENTS)
    async with acting(door.town.endpoints.login("operator")) as operator:
        await keys.revoke(operator, gone.partition(".")[0])
    for listener in HttpListener:
        for typed in ("", gone):
            client = door.client(typed, listener)
            for route in at(listener)[:5]:
                path, how = _asked(route)
                answer = await client.request(route.method, path, **how)
                assert answer.status_code == 401, answer.text
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_without_the_scope_is_refused(door: Door) -> None:
    for role, scopes in SCOPES_OF.items():
        for missing in scopes:
            left = [scope for scope in scopes if scope is not missing]
            if not left:
                continue
            client = await door.of(role, UNIT if role == roles.UNIT else "", scopes=left)
            for route in ROUTES:
                if role in route.roles and route.scope is missing:
                    path, how = _asked(route)
                    answer = await client.request(route.method, path, **how)
                    assert (answer.status_code, answer.json()["type"]) == (403, NOT_ALLOWED), route.name
                    break


async def test_a_revoked_key_is_refused_within_two_seconds(door: Door) -> None:
    typed = await door.key(roles.REVIEWERS)
    client = door.client(typed, HttpListener.STAFF)
    assert (await client.get("/reviews")).status_code == 200
    async with acting(door.town.endpoints.login("operator")) as operator:
        await keys.revoke(operator, typed.partition(".")[0])

    async def refused() -> bool:
        return (await client.get("/reviews")).status_code == 401

    await until(refused, within=4, what="the key refused")


async def test_too_much_is_refused_with_the_time_to_wait(door: Door) -> None:
    client = await door.of(roles.REVIEWERS, rate=1)
    answers = await asyncio.gather(*(client.get("/reviews", params={"limit": 1}) for _ in range(520)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert refused[0].json()["type"] == "urn:hotline:problem:too-many"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/events", 405), ("DELETE", "/reviews", 405)],
)
async def test_what_there_is_not_is_a_problem_too(
    door: Door, unit: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await unit.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["limit=", "role=", "overdue=", "limit=&role=lead"])
async def test_a_number_or_a_choice_that_is_given_and_empty_is_refused(
    unit: httpx2.AsyncClient, query: str
) -> None:
    answer = await unit.get(f"/units/{UNIT}/orders?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/events", "POST"), ("/reviews", "GET, HEAD"), ("/open311/v2/requests.json", "GET, HEAD, POST")],
)
async def test_a_method_that_a_path_has_not_is_answered_with_all_it_has(
    door: Door, path: str, methods: str
) -> None:
    listener = HttpListener.STAFF if path == "/reviews" else HttpListener.PUBLIC
    answer = await door.client("", listener).request("DELETE", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_a_body_that_is_too_large_is_refused_whole_or_in_pieces(agents: httpx2.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    for body in (b" " * 2_000_000, pieces()):
        answer = await agents.post("/events", content=body, headers={"Content-Type": CONTENT_TYPE})
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:hotline:problem:too-large")


async def test_each_listener_says_what_it_takes(door: Door) -> None:
    for listener in HttpListener:
        client = door.client("", listener)
        told = (await client.get("/openapi.json")).json()
        assert set(told["paths"]) == {route.path for route in at(listener)}
        assert (await client.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
        shown = await client.get("/docs")
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert shown.headers.get_list("content-security-policy") == [POLICY]
        assert f"the listener for {listener}" in shown.text


async def test_a_parameter_that_nobody_reads_is_refused(agents: httpx2.AsyncClient) -> None:
    answer = await agents.get("/key", params={"verbose": "1"})
    assert (answer.status_code, answer.json()["field"]) == (400, "verbose")


async def test_an_act_of_each_kind_has_its_path() -> None:
    assert {act_path(kind) for kinds in ACTS_OF.values() for kind in kinds} <= set(ROUTES_BY_PATH)


async def rows_of(client: httpx2.AsyncClient, address: str) -> list[dict[str, Any]]:
    """The rows of all pages of a list: other tests put much on record in this town."""
    found: list[dict[str, Any]] = []
    while address:
        page = (await client.get(address)).json()
        found += page["complaints"]
        address = page.get("next", "")
    return found


async def followed(
    unit: httpx2.AsyncClient, least: int, last: str = "", where: str = "earliest"
) -> list[tuple[str, dict[str, Any]]]:
    """The ids and the events that come, so many at least."""
    headers = {"Last-Event-ID": last} if last else {}
    found: list[tuple[str, dict[str, Any]]] = []
    place = ""
    path = f"/units/{UNIT}/orders/events"
    async with unit.stream("GET", path, headers=headers, params={"from": where}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        async with asyncio.timeout(PATIENCE * 20):
            async for line in lines_of(answer):
                if line.startswith("id: "):
                    place = line[4:]
                elif line.startswith("data: "):
                    found.append((place, json.loads(line[6:])))
                if len(found) >= least:
                    break
    return found


async def test_a_unit_follows_its_orders_and_goes_on_where_it_was(
    town: City, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    told = [await recorded(agents) for _ in range(3)]
    wanted = {one["complaint_id"] for one in told}
    messages = await town.messages(town.topic(DISPATCH_ORDERS, UNIT), count=3)
    everything = await followed(unit, len(messages))
    assert [place for place, _ in everything] == [str(message.offset) for message in messages]
    assert [event["id"] for _, event in everything] == [
        dict(message.headers)["ce_id"].decode() for message in messages
    ]
    told_of = {event["data"].get("complaint_id") for _, event in everything}  # what was set aside names none
    assert wanted <= told_of
    behind = await followed(unit, 2, last=everything[-3][0])
    assert behind == everything[-2:]
    coming = asyncio.ensure_future(followed(unit, 1, where="latest"))
    await asyncio.sleep(1)
    new = await recorded(agents)
    ((_, event),) = await coming
    assert event["type"] == "hotline.ComplaintDispatched.v1"
    assert event["data"]["complaint_number"] == new["complaint_number"]


async def test_a_stream_of_a_foreign_unit_or_from_no_place_is_refused(unit: httpx2.AsyncClient) -> None:
    assert (await unit.get(f"/units/{OTHER_UNIT}/orders/events")).status_code == 404
    path = f"/units/{UNIT}/orders/events"
    for how in ({"headers": {"Last-Event-ID": "x"}}, {"params": {"from": "now"}}):
        assert (await unit.get(path, **how)).status_code == 400


async def test_open_streams_do_not_keep_the_process_from_stopping(
    town: City, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with open_door(town, tmp_path_factory.mktemp("stop"), projector=False) as door:
        clients = [await door.of(roles.UNIT, UNIT) for _ in range(5)]
        opened = asyncio.Barrier(len(clients) + 1)

        async def follow(client: httpx2.AsyncClient) -> str:
            last = ""
            path = f"/units/{UNIT}/orders/events"
            async with client.stream("GET", path, params={"from": "latest"}) as answer:
                await opened.wait()
                async for line in lines_of(answer):
                    last = line or last
            return last

        streams = [asyncio.ensure_future(follow(client)) for client in clients]
        await asyncio.wait_for(opened.wait(), PATIENCE * 20)
        began_at = asyncio.get_running_loop().time()
        os.kill(door.supervisor.pids()["web"], signal.SIGTERM)
        assert await asyncio.wait_for(asyncio.gather(*streams), PATIENCE * 30) == ["retry: 1000"] * len(
            clients
        )
        assert asyncio.get_running_loop().time() - began_at < 5 * PATIENCE
