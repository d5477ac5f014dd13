"""The citizen's page on a real city: its link, what it shows, what is said on it; and nobody else opens it."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

import httpx2
import pytest

from hotline.web.citizen_links import CODE_CHARACTERS, MINE, typed_code
from hotline.web.limits import GUESS_ADDRESS_BURST
from hotline.web.open311.serving import ROOT
from hotline.web.pages.assets import address_of
from hotline.web.pages.citizen.session import COOKIE
from hotline.web.roles import LISTENER_OF, HttpListener
from shared import roles
from shared.complaint_number import ALPHABET
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReopened,
    ComplaintWithdrawn,
    RatingGiven,
    RequestSupplemented,
    VisitMade,
    VisitScheduled,
)
from shared.topic_names import names
from tests.city import UNIT, City, until
from tests.web.door import Door, facts_of
from tests.web.test_http import new_id, recorded, request_body
from tests.web.test_open311_city import form

pytestmark = pytest.mark.connected

OWN: Final = {"Sec-Fetch-Site": "same-origin"}
"""As a browser says of a form of the page itself."""


@pytest.fixture(scope="module")
async def unit(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.UNIT, UNIT)


async def by_web(agents: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    return await recorded(agents, channel="web", **more)


def parts(link: str) -> tuple[str, str]:
    """The number and the code of a link."""
    path, _, told = link.partition("#")
    assert path == MINE
    number, _, code = told.rpartition(".")
    return number, code


def client_of(door: Door) -> httpx2.AsyncClient:
    """A browser without a script: it keeps cookies, and says where its forms come from."""
    client = door.client("", "public")
    client.headers.update(OWN)
    return client


async def enter(client: httpx2.AsyncClient, number: str, code: str) -> httpx2.Response:
    return await client.post(MINE, data={"number": number, "code": code})


async def opened(door: Door, link: str) -> httpx2.AsyncClient:
    """A client with the page of this link open."""
    client = client_of(door)
    number, code = parts(link)
    answer = await enter(client, number, code)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{MINE}/{number}"
    return client


async def said(client: httpx2.AsyncClient, number: str, verb: str, **fields: str) -> httpx2.Response:
    """The answer to a form of the page, sent as a browser without a script does."""
    page = (await client.get(f"{MINE}/{number}")).text
    act = re.search(r'name="act" value="([^"]+)"', page)
    visit = re.search(r'name="visit" value="([^"]+)"', page)
    hidden = {"act": act[1] if act else "", **({"visit": visit[1]} if visit else {})}
    return await client.post(f"{MINE}/{number}/{verb}", data={**hidden, **fields})


async def answered(door: Door, unit: httpx2.AsyncClient, made: dict[str, Any], assignment: int = 1) -> None:
    """Have the unit answer, and wait until the citizen is asked."""
    about = {"complaint_id": made["complaint_id"], "assignment": assignment}
    told = await unit.post(
        "/acts/order/answer", json={**about, "result": "已恢复供水", "claims_solved": True}
    )
    assert told.status_code == 200, told.text
    await door.town.until_fact(made["complaint_id"], VisitScheduled, count=assignment)


async def test_a_request_by_web_gets_a_link_and_one_by_telephone_none(
    door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    assert number == made["complaint_number"]
    assert len(code) == CODE_CHARACTERS
    assert set(code) <= set(ALPHABET)
    assert "citizen_link" not in await recorded(agents)
    outcome = await agents.get(f"/complaints/{number}")
    assert code not in outcome.text
    page = await (await opened(door, made["citizen_link"])).get(f"{MINE}/{number}")
    assert page.status_code == 200
    assert number in page.text


async def test_the_same_request_again_gives_a_new_code_and_voids_the_first(
    door: Door, agents: httpx2.AsyncClient
) -> None:
    body, once = request_body(new_id(), channel="web"), {"Idempotency-Key": new_id()}
    first = (await agents.post("/acts/request/record", json=body, headers=once)).json()
    old = await opened(door, first["citizen_link"])
    second = (await agents.post("/acts/request/record", json=body, headers=once)).json()
    assert second["complaint_id"] == first["complaint_id"]
    (number, code), (same, other) = parts(first["citizen_link"]), parts(second["citizen_link"])
    assert number == same
    assert code != other
    assert (await enter(client_of(door), number, code)).status_code == 403
    gone = await old.get(f"{MINE}/{number}")
    assert gone.status_code == 303
    assert gone.headers["location"].startswith(f"{MINE}?over=yes")
    await opened(door, second["citizen_link"])


async def test_a_request_by_open311_gets_one_before_it_is_on_record(door: Door) -> None:
    client = door.client("", "public")
    told, once = form(await door.key(roles.AGENTS)), {"Idempotency-Key": new_id()}
    answers = [
        (await client.post(f"{ROOT}/requests.json", data=told, headers=once)).json()[0] for _ in range(2)
    ]
    links = [one["citizen_link"] for one in answers]
    assert links[0] != links[1]
    number, _ = parts(links[1])

    async def shown() -> bool:
        page = await (await opened(door, links[1])).get(f"{MINE}/{number}")
        return page.status_code == 200 and number in page.text

    await until(shown, what="the page of the request")
    assert (await enter(client_of(door), *parts(links[0]))).status_code == 403
    token = answers[1]["token"]
    asked = await client.get(f"{ROOT}/tokens/{token}.json")
    assert asked.json()[0]["service_request_id"] == number


async def test_a_citizen_adds_answers_and_says_solved_without_any_script(
    door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number = made["complaint_number"]
    citizen = await opened(door, made["citizen_link"])
    added = await said(citizen, number, "supplement", text="二楼也没有水\r\n请尽快")
    assert added.status_code == 303
    (fact,) = await facts_of(door, made, RequestSupplemented)
    assert fact.text == "二楼也没有水\n请尽快"
    page = await citizen.get(added.headers["location"])
    assert "二楼也没有水" in page.text
    assert 'role="status"' in page.text
    await answered(door, unit, made)
    page = await citizen.get(f"{MINE}/{number}")
    assert "已恢复供水" in page.text
    assert "您的诉求解决了吗" in page.text
    closed = await said(citizen, number, "visit", solved="yes", satisfied="yes", reason="谢谢")
    assert closed.status_code == 303, closed.text
    (visit,) = await facts_of(door, made, VisitMade)
    assert (visit.solved, visit.satisfied, visit.reason, visit.channel) == (True, True, "谢谢", "web")
    assert len(await facts_of(door, made, ComplaintClosed)) == 1
    page = await citizen.get(closed.headers["location"])
    assert "您的诉求解决了吗" not in page.text
    again = await said(citizen, number, "visit", visit="1", solved="no", satisfied="no")
    assert again.status_code == 400
    rated = await said(citizen, number, "rate", satisfied="no", comment="慢")
    assert rated.status_code == 303
    (rating,) = await facts_of(door, made, RatingGiven)
    assert (rating.satisfied, rating.comment, rating.channel) == (False, "慢", "web")
    late = await said(citizen, number, "supplement", text="还有")
    assert late.status_code == 409
    assert "还有" in late.text


async def test_not_solved_leads_to_a_second_round_that_the_page_shows(
    door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number = made["complaint_number"]
    citizen = await opened(door, made["citizen_link"])
    await answered(door, unit, made)
    stale = (await citizen.get(f"{MINE}/{number}")).text
    told = await said(citizen, number, "visit", solved="no", satisfied="no", reason="水还是没有来")
    assert told.status_code == 303, told.text
    assert len(await facts_of(door, made, ComplaintReopened)) == 1
    await door.town.until_fact(made["complaint_id"], ComplaintDispatched, count=2)
    page = await citizen.get(f"{MINE}/{number}")
    assert "第 2 轮" in page.text
    assert "水还是没有来" in page.text
    await answered(door, unit, made, assignment=2)
    act = re.search(r'name="act" value="([^"]+)"', stale)
    assert act
    old = {"act": act[1], "visit": "1", "solved": "yes", "satisfied": "yes"}
    assert (await citizen.post(f"{MINE}/{number}/visit", data=old)).status_code == 400
    assert len(await facts_of(door, made, VisitMade)) == 1
    told = await said(citizen, number, "visit", solved="yes", satisfied="yes")
    assert told.status_code == 303
    assert len(await facts_of(door, made, ComplaintClosed)) == 1


async def test_a_form_sent_twice_has_one_effect_and_one_that_says_nothing_none(
    door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number = made["complaint_number"]
    citizen = await opened(door, made["citizen_link"])
    for _ in range(2):
        sent = await citizen.post(f"{MINE}/{number}/supplement", data={"act": "one", "text": "补充一次"})
        assert sent.status_code == 303
    assert len(await facts_of(door, made, RequestSupplemented)) == 1
    for verb, fields in (
        ("supplement", {"text": " \u200b "}),
        ("supplement", {"text": "长" * 4001}),
        ("rate", {"satisfied": "perhaps"}),
        ("visit", {"solved": "yes", "satisfied": "yes", "visit": "1"}),
    ):
        wrong = await said(citizen, number, verb, **fields)
        assert wrong.status_code == 400, verb
        assert 'role="alert"' in wrong.text
    assert (await said(citizen, number, "close")).status_code == 404
    assert await facts_of(door, made, RatingGiven) == []
    gone = await said(citizen, number, "withdraw", reason="已自行解决")
    assert gone.status_code == 303
    (fact,) = await facts_of(door, made, ComplaintWithdrawn)
    assert fact.reason == "已自行解决"
    assert (await said(citizen, number, "withdraw")).status_code == 409


async def test_the_page_tells_nothing_of_others_and_nothing_inside(
    door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    made = await by_web(
        agents,
        recorded_by="坐席赵敏",
        content="我的电话是13912345678",
        contact={"name": "李明", "phone": "13800138000"},
    )
    about = {"complaint_id": made["complaint_id"]}
    other = {**about, "repeat_id": new_id(), "another_citizen": True, "note": "邻居也来说了"}
    await agents.post("/acts/request/repeat", json=other)
    await unit.post("/acts/order/sign", json={**about, "assignment": 1, "signed_by": "钱科长"})
    returned = {**about, "assignment": 1, "reason": "NOT_OURS", "evidence": "内部证据", "suggested_unit": "x"}
    await unit.post("/acts/return/request", json=returned)
    page = (await (await opened(door, made["citizen_link"])).get(f"{MINE}/{made['complaint_number']}")).text
    for inside in (
        "赵敏",
        "13912345678",
        "13800138000",
        "李明",
        "邻居",
        "钱科长",
        "内部证据",
        made["complaint_id"],
    ):
        assert inside not in page, inside


async def test_nobody_else_opens_it(door: Door, agents: httpx2.AsyncClient) -> None:
    mine, others = await by_web(agents), await by_web(agents)
    number, code = parts(mine["citizen_link"])
    foreign, foreign_code = parts(others["citizen_link"])
    by_phone = (await recorded(agents))["complaint_number"]
    client = client_of(door)
    wrong = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
    answers = [
        await enter(client, *given)
        for given in (
            (number, wrong),
            (number, foreign_code),
            (by_phone, wrong),
            ("20260101-22222-22222-7", wrong),
        )
    ]
    assert {one.status_code for one in answers[:3]} == {403}
    texts = {one.text.replace(number, "<it>").replace(by_phone, "<it>") for one in answers[:3]}
    assert len(texts) == 1  # not told apart
    assert not client.cookies
    citizen = await opened(door, mine["citizen_link"])
    # Another complaint's cookie, none, one that was made up: the form, and nothing is done.
    for who, at in ((citizen, foreign), (client_of(door), number)):
        assert (await who.get(f"{MINE}/{at}")).status_code == 303
        sent = await who.post(f"{MINE}/{at}/withdraw", data={"act": "x"})
        assert sent.status_code == 303
        assert sent.headers["location"].startswith(f"{MINE}?over=yes")
    made_up = client_of(door)
    made_up.cookies.set(COOKIE, "x" * 43, path=MINE)
    assert (await made_up.get(f"{MINE}/{number}")).status_code == 303
    for made in (mine, others):
        assert await facts_of(door, made, ComplaintWithdrawn) == []
    cookie = (await enter(client_of(door), number, code)).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Path=/mine", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert code not in cookie


async def test_no_key_opens_it_and_each_listener_has_its_own_pages_alone(
    door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    page = f"{MINE}/{made['complaint_number']}"
    for role in LISTENER_OF:
        name = UNIT if role == roles.UNIT else ""
        for listener in HttpListener:
            client = door.client(await door.key(role, name), listener)
            client.headers.update(OWN)
            answers = [await client.get(page), await client.post(f"{page}/withdraw", data={"act": "x"})]
            assert {one.status_code for one in answers} == {
                303 if listener is HttpListener.PUBLIC else 404
            }, role
    stranger = client_of(door)
    for path in (
        "/",
        "/work",
        "/sign-in",
        "/look",
        "/board",
        address_of("app.js"),
        address_of("htmx.min.js"),
    ):
        assert (await stranger.get(path)).status_code == 404, path
    assert (await stranger.get(address_of("citizen.css"))).status_code == 200
    assert await facts_of(door, made, ComplaintWithdrawn) == []


async def test_a_form_that_is_none_is_answered_with_a_page(door: Door, agents: httpx2.AsyncClient) -> None:
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    client = client_of(door)
    wrong = (
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
        {"content": b"number=%ff&code=%fe", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {
            "content": b"&".join(b"a=1" for _ in range(300)),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"content": b"x" * 1_100_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"files": {"code": ("x", b"x")}},
        {"data": {"number": [number, "other"], "code": code}},
        {"data": {"number": "' OR 1=1 --", "code": code}},
        {"data": {"number": number, "code": "<script>"}},
        {"data": {}},
    )
    for how in wrong:
        answer = await client.post(MINE, **how)
        assert answer.status_code == 400, how.keys()
        assert "<script>" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
    pasted = {"number": "", "code": f"https://12345.example/mine#{number}.{code}"}
    assert (await client.post(MINE, data=pasted)).status_code == 303
    back = {"language": "en", "back": "//evil.example"}
    chosen = await client.post(f"{MINE}/look", data=back)
    assert chosen.headers["location"] == MINE
    assert 'lang="en"' in (await client.get(MINE)).text


async def test_a_form_of_another_site_does_nothing(door: Door, agents: httpx2.AsyncClient) -> None:
    made = await by_web(agents)
    citizen = await opened(door, made["citizen_link"])
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        sent = await citizen.post(
            f"{MINE}/{made['complaint_number']}/withdraw", data={"act": "x"}, headers=headers
        )
        assert sent.status_code == 403
    assert await facts_of(door, made, ComplaintWithdrawn) == []


async def test_an_expired_link_and_an_expired_session_open_nothing(
    door: Door, town: City, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    citizen = await opened(door, made["citizen_link"])
    stream = made["complaint_id"]
    await town.sql(
        "UPDATE web.citizen_session s SET expires_at = now() - interval '1 second' FROM web.citizen_link l"
        " WHERE l.link_id = s.link_id AND l.stream_id = $1::text::uuid",
        stream,
    )
    assert (await citizen.get(f"{MINE}/{number}")).status_code == 303
    citizen = await opened(door, made["citizen_link"])
    await town.sql(
        "UPDATE web.citizen_link SET expires_at = now() - interval '1 second' WHERE stream_id = $1::text::uuid",
        stream,
    )
    assert (await citizen.get(f"{MINE}/{number}")).status_code == 303
    assert (await enter(client_of(door), number, code)).status_code == 403


async def test_leaving_ends_the_session_on_the_server_too(door: Door, agents: httpx2.AsyncClient) -> None:
    made = await by_web(agents)
    number = made["complaint_number"]
    citizen = await opened(door, made["citizen_link"])
    kept = citizen.cookies.get(COOKIE)
    assert kept
    assert (await citizen.post(f"{MINE}/leave")).headers["location"] == f"{MINE}?left=yes"
    again = client_of(door)
    again.cookies.set(COOKIE, kept, path=MINE)
    assert (await again.get(f"{MINE}/{number}")).status_code == 303


async def test_the_code_stands_in_no_topic_no_table_and_no_log(
    door: Door, town: City, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    citizen = await opened(door, made["citizen_link"])
    session = citizen.cookies.get(COOKIE) or ""
    await said(citizen, number, "supplement", text="补充")
    tables = await town.sql(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN ('es', 'web', 'vault', 'read', 'intake')"
    )
    for (table,) in tables:
        rows = await town.sql(
            f"SELECT count(*) FROM {table} t WHERE t::text LIKE ANY ($1)", [f"%{code}%", f"%{session}%"]
        )
        assert rows[0][0] == 0, table
    for file in {door.log.parent, town.folder}:
        for log in file.rglob("*.log"):
            assert code not in log.read_text(), log
            assert session not in log.read_text(), log
    for topic in names(town.endpoints.prefix, [UNIT]):
        for message in await town.messages(topic):
            told = b"".join(
                (message.key or b"", message.value or b"", *(value or b"" for _, value in message.headers))
            )
            assert code.encode() not in told, topic
            assert session.encode() not in told, topic


async def test_guesses_are_counted_and_then_refused_with_a_sentence(
    door: Door, agents: httpx2.AsyncClient
) -> None:
    """The last of the file: afterwards its address waits."""
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    citizen = await opened(door, made["citizen_link"])
    client = client_of(door)
    statuses = [
        (await enter(client, number, "2" * CODE_CHARACTERS)).status_code
        for _ in range(GUESS_ADDRESS_BURST + 2)
    ]
    assert statuses[-1] == 429
    refused = await enter(client, number, code)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert 'role="alert"' in refused.text
    assert (await citizen.get(f"{MINE}/{number}")).status_code == 200  # who is in stays in


def test_a_code_is_read_as_it_is_typed() -> None:
    code = "ABCDEFGHJKMNPQRSTUVWXYZ234"
    for typed in (
        code,
        code.lower(),
        f" {code[:4]}-{code[4:]} ",
        "".join(chr(ord(c) + 0xFEE0) for c in code),
    ):
        assert typed_code(typed) == code
    assert [typed_code(one) for one in ("", code[:-1], code + "A", "O" + code[1:])] == [""] * 4
