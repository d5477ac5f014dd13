"""Open311 on a real city: foreign clients, their journeys, who reads what, and what never stands in a topic."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest
from georeport import GeoReport

from hotline.web.open311.recording import UNKNOWN_DISTRICT
from hotline.web.open311.serving import ROOT, SPECIFICATION
from hotline.web.roles import HttpListener, KeyScope
from shared import roles
from shared.complaint_number import number_of as complaint_number
from shared.contacts.details import Contact
from shared.events import (
    ComplaintDispatched,
    ComplaintReceived,
    OrderAnswered,
    RatingGiven,
    RequestSupplemented,
)
from shared.policy.catalogue import parsed
from shared.topics import INTAKE_REQUESTS
from tests.city import CATALOGUE, DISTRICT, STREET, STREETS, UNIT, WATER, City, until
from tests.web.door import Door
from tests.web.test_contacts import contact_of
from tests.web.test_open311 import FOREIGN, faults, read_xml, without_control

pytestmark = pytest.mark.connected

KNOWN: Final = parsed(json.dumps(CATALOGUE).encode())
CODE: Final = KNOWN.code_of(WATER)
RESOLVES_SECONDS: Final = 10
"""FixMyStreet asks five times, two seconds apart, and then gives up."""
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


@pytest.fixture(scope="module")
async def api_key(door: Door) -> str:
    """A portal's key: it sends, and reads what it sent."""
    return await door.key(roles.AGENTS, scopes=[KeyScope.EVENTS, KeyScope.ACTS, KeyScope.READ], rate=10_000)


@pytest.fixture(scope="module")
async def client(door: Door) -> httpx2.AsyncClient:
    return door.client("", HttpListener.PUBLIC)


@pytest.fixture(scope="module")
async def unit(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.UNIT, UNIT)


def form(api_key: str, **more: Any) -> dict[str, Any]:
    return {
        "api_key": api_key,
        "service_code": CODE,
        "description": "没有水\n三天没有水",
        "attribute[district]": DISTRICT,
        "attribute[street]": STREETS[STREET],
        "address_string": "小关街5号",
        **more,
    }


async def sent(
    client: httpx2.AsyncClient, told: dict[str, Any], *, once: str = "", ending: str = "json"
) -> str:
    """The token of a request."""
    headers = {"Idempotency-Key": once} if once else {}
    answer = await client.post(f"{ROOT}/requests.{ending}", data=told, headers=headers)
    assert answer.status_code == 200, answer.text
    if ending == "xml":
        return str(read_xml(answer.content).findtext("request/token"))
    return str(answer.json()[0]["token"])


async def number_of(client: httpx2.AsyncClient, api_key: str, token: str) -> str:
    """The number that a token becomes, within the time that FixMyStreet gives."""
    give_up_at = time.monotonic() + RESOLVES_SECONDS
    while True:
        answer = await client.get(f"{ROOT}/tokens/{token}.xml", params={"api_key": api_key})
        assert answer.status_code == 200, answer.text
        number = read_xml(answer.content).findtext("request/service_request_id")
        if number:
            return number
        assert time.monotonic() < give_up_at, "the token did not resolve"
        await asyncio.sleep(0.1)


async def put(client: httpx2.AsyncClient, api_key: str, **more: Any) -> str:
    return await number_of(client, api_key, await sent(client, form(api_key, **more)))


async def shown(client: httpx2.AsyncClient, number: str, **params: str) -> dict[str, Any]:
    answer = await client.get(f"{ROOT}/requests/{number}.json", params=params)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()
    return dict(one)


# --- SeeClickFix's validator, its rules retold


async def test_discovery_is_as_the_validator_wants(client: httpx2.AsyncClient) -> None:
    as_json, as_xml = [await client.get(f"{ROOT}/discovery.{ending}") for ending in ("json", "xml")]
    assert as_json.headers["content-type"].startswith("application/json")
    assert as_xml.headers["content-type"].startswith("text/xml")
    told, root = as_json.json(), read_xml(as_xml.content)
    for name in ("contact", "key_service"):
        assert told[name]
        assert root.findtext(name) == told[name]
    assert datetime.fromisoformat(told["changeset"]) < datetime.now(UTC)
    assert told["endpoints"]
    for endpoint in told["endpoints"]:
        assert all(endpoint[name] for name in ("url", "specification", "type", "formats"))
        assert endpoint["specification"] == SPECIFICATION
        assert "text/xml" in endpoint["formats"]
        services = await client.get(f"{endpoint['url']}/services.xml")
        assert services.status_code == 200
        assert read_xml(services.content).findtext("service/service_code")


async def test_a_request_without_a_key_or_with_a_wrong_one_is_refused(client: httpx2.AsyncClient) -> None:
    for key in ("", "0123456789abcdef." + "x" * 43, "nonsense"):
        answer = await client.post(f"{ROOT}/requests.json", data=form(key))
        assert answer.status_code == 403
        assert answer.json()[0]["code"] == 403
        as_xml = await client.post(f"{ROOT}/requests.xml", data=form(key))
        assert read_xml(as_xml.content).findtext("error/code") == "403"
        assert as_xml.headers["content-type"].startswith("text/xml")


# --- georeport, a client that is not ours


@pytest.mark.parametrize("ending", ["json", "xml"])
async def test_georeport_reads_all_there_is(
    door: Door, client: httpx2.AsyncClient, api_key: str, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    numbers = [await put(client, api_key) for _ in range(2)]
    foreign = GeoReport(f"http://{door.addresses['public']}{ROOT}/", output_format=ending)

    def read() -> None:
        services = foreign.get_service_list()
        assert {one["service_code"] for one in services} == {KNOWN.code_of(name) for name in KNOWN.subjects}
        definition = foreign.get_service_definition(CODE)
        assert definition["service_code"] == CODE
        listed = foreign.get_service_requests(service_request_id=",".join(numbers))
        assert {one["service_request_id"] for one in listed} == set(numbers)
        newest = foreign.get_service_requests(service_code=CODE, status="open")
        assert {one["service_code"] for one in newest} == {CODE}
        one = foreign.get_service_request(numbers[0])
        assert (one["service_request_id"], one["status"]) == (numbers[0], "open")

    await asyncio.to_thread(read)


# --- FixMyStreet's client, retold


async def test_a_report_of_fixmystreet_lives_and_it_hears_of_it(
    town: City, client: httpx2.AsyncClient, api_key: str, unit: httpx2.AsyncClient
) -> None:
    began_at = datetime.now(UTC) - timedelta(seconds=5)
    told = form(
        api_key,
        lat="39.984702",
        long="116.318417",
        media_url=["https://fix.example/1.jpeg", "https://fix.example/2.jpeg"],
    )
    number = await number_of(client, api_key, await sent(client, told, ending="xml"))
    other = await put(client, api_key)
    answer = await client.get(f"{ROOT}/requests.xml", params={"service_request_id": f"{number},{other}"})
    listed = [one.findtext("service_request_id") for one in read_xml(answer.content)]
    assert set(listed) == {number, other}
    own = await shown(client, number, api_key=api_key)
    assert (own["description"], own["media_url"]) == ("没有水\n三天没有水", "https://fix.example/1.jpeg")
    assert (own["lat"], own["long"]) == (39.984702, 116.318417)
    complaint = await complaint_of(town, number)
    await town.until_fact(complaint, ComplaintDispatched)
    for act, more in (
        ("sign", {}),
        ("answer", {"result": "已修好,请致电13800138000", "claims_solved": True}),
    ):
        acted = await unit.post(
            f"/acts/order/{act}", json={"complaint_id": complaint, "assignment": 1, **more}
        )
        assert acted.status_code == 200, acted.text
    span = {"start_date": asked(began_at), "end_date": asked(datetime.now(UTC) + timedelta(seconds=5))}
    answer = await client.get(f"{ROOT}/servicerequestupdates.xml", params={"api_key": api_key, **span})
    assert answer.status_code == 200, answer.text
    updates = [one for one in read_xml(answer.content) if one.findtext("service_request_id") == number]
    states = [one.findtext("status") for one in updates]
    assert states == ["open", "investigating", "in_progress", "in_progress"]
    assert len({one.findtext("update_id") for one in updates}) == len(updates)
    for one in updates:
        at = str(one.findtext("updated_datetime"))
        assert INSTANT.fullmatch(at)
        # FixMyStreet drops an update that lies outside the span it asked for.
        assert span["start_date"] <= asked(datetime.fromisoformat(at)) <= span["end_date"]
    assert str(updates[-1].findtext("description")).endswith(": 已修好,请致电***")


def asked(at: datetime) -> str:
    """An instant as FixMyStreet's client writes it into an address."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


async def complaint_of(town: City, number: str) -> str:
    """The id of the complaint with this number."""
    for told in await town.facts():
        fact = told.fact
        if isinstance(fact, ComplaintReceived) and number == complaint_number(
            told.complaint_id, fact.received_at, fact.ruleset
        ):
            return told.complaint_id
    raise AssertionError(number)


async def test_dates_of_updates_come_both_or_not_at_all(client: httpx2.AsyncClient, api_key: str) -> None:
    path, now = f"{ROOT}/servicerequestupdates.json", asked(datetime.now(UTC))
    assert (await client.get(path, params={"api_key": api_key})).status_code == 200
    for alone in ("start_date", "end_date"):
        answer = await client.get(path, params={"api_key": api_key, alone: now})
        assert answer.status_code == 400
        assert "neither" in answer.json()[0]["description"]
    assert (await client.get(path)).status_code == 403


async def test_another_login_hears_nothing_of_them(
    door: Door, client: httpx2.AsyncClient, api_key: str
) -> None:
    await put(client, api_key)
    other = await door.key(roles.AGENTS, "elsewhere", scopes=[KeyScope.READ])
    answer = await client.get(f"{ROOT}/servicerequestupdates.json", params={"api_key": other})
    assert (answer.status_code, answer.json()) == (200, [])


async def test_what_a_citizen_adds_goes_to_the_complaint_once(
    town: City, client: httpx2.AsyncClient, api_key: str
) -> None:
    number = await put(client, api_key)
    complaint = await complaint_of(town, number)
    told = {
        "api_key": api_key,
        "service_request_id": number,
        "update_id": "u-1",
        "description": "楼上也没有水",
    }
    answers = [
        await client.post(f"{ROOT}/servicerequestupdates.xml", data={**told, "status": "OPEN"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    ids = {read_xml(answer.content).findtext("request_update/update_id") for answer in answers}
    assert len(ids) == 1
    added = await town.until_fact(complaint, RequestSupplemented)
    assert added.fact.text == "楼上也没有水"
    assert (await town.story(complaint)).count("RequestSupplemented") == 1
    fixed = await client.post(
        f"{ROOT}/servicerequestupdates.json",
        data={**told, "update_id": "u-2", "status": "FIXED", "email": "a@b.cn"},
    )
    assert fixed.status_code == 200, fixed.text
    assert (await town.until_fact(complaint, RatingGiven)).fact.satisfied is True


async def test_what_only_the_hotline_decides_is_refused_in_words(
    client: httpx2.AsyncClient, api_key: str
) -> None:
    number = await put(client, api_key)
    told = {"api_key": api_key, "service_request_id": number, "update_id": "u-3", "description": "x"}
    for status, words in (
        ("NOT_COUNCILS_RESPONSIBILITY", "decided by the hotline"),
        ("WHATEVER", "expected OPEN"),
    ):
        answer = await client.post(f"{ROOT}/servicerequestupdates.json", data={**told, "status": status})
        assert answer.status_code == 400
        assert words in answer.json()[0]["description"]
    absent = {**told, "service_request_id": "20211001-22222-22222-2", "status": "OPEN"}
    assert (await client.post(f"{ROOT}/servicerequestupdates.json", data=absent)).status_code == 404


# --- what comes in


async def test_the_same_again_is_the_same_request(
    town: City, client: httpx2.AsyncClient, api_key: str
) -> None:
    once = str(uuid4())
    first, again = [await sent(client, form(api_key), once=once) for _ in range(2)]
    numbers = {await number_of(client, api_key, token) for token in (first, again)}
    assert len(numbers) == 1
    complaint = await complaint_of(town, numbers.pop())
    await town.settled()
    assert (await town.story(complaint)).count("ComplaintReceived") == 1


async def test_the_same_key_of_idempotence_with_other_words_says_so_at_its_token(
    client: httpx2.AsyncClient, api_key: str
) -> None:
    once = str(uuid4())
    await number_of(client, api_key, await sent(client, form(api_key), once=once))
    other = await sent(client, form(api_key, description="别的"), once=once)

    async def refused() -> bool:
        answer = await client.get(f"{ROOT}/tokens/{other}.json", params={"api_key": api_key})
        return answer.status_code == 400

    await until(refused, within=10, what="the token of what was set aside")
    public = await client.get(f"{ROOT}/tokens/{other}.json")
    assert "the key that sent it is told why" in public.json()[0]["description"]


async def test_it_is_dispatched_as_any_other(town: City, client: httpx2.AsyncClient, api_key: str) -> None:
    complaint = await complaint_of(town, await put(client, api_key))
    order = (await town.until_fact(complaint, ComplaintDispatched)).fact
    assert (order.unit, order.address, order.title) == (UNIT, "小关街5号", "没有水")


async def test_one_without_a_district_goes_to_the_hotlines_own_desk(
    town: City, client: httpx2.AsyncClient, api_key: str
) -> None:
    told = {
        "api_key": api_key,
        "service_code": CODE,
        "lat": "39.98",
        "long": "116.31",
        "description": "没有水",
    }
    number = await number_of(client, api_key, await sent(client, told))
    order = (await town.until_fact(await complaint_of(town, number), ComplaintDispatched)).fact
    assert (order.unit, order.district) == ("hotline-centre", UNKNOWN_DISTRICT)
    public = await shown(client, number)
    assert "address" not in public


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
async def test_foreign_text_goes_in_and_comes_out(
    client: httpx2.AsyncClient, api_key: str, text: str
) -> None:
    if "\x00" in text:  # the one character that no text may hold
        answer = await client.post(f"{ROOT}/requests.json", data=form(api_key, description=text))
        assert answer.status_code == 400
        assert "U+0000" in answer.json()[0]["description"]
        text = text.replace("\x00", "")
    number = await put(client, api_key, description=text)
    own = await shown(client, number, api_key=api_key)
    assert own["description"] == text.strip()
    answer = await client.get(f"{ROOT}/requests/{number}.xml", params={"api_key": api_key})
    assert read_xml(answer.content).findtext("request/description") == without_control(text.strip())


async def test_a_multipart_form_is_the_same(client: httpx2.AsyncClient, api_key: str) -> None:
    files = {name: (None, value) for name, value in form(api_key).items()}
    answer = await client.post(f"{ROOT}/requests.json", files=files)
    assert answer.status_code == 200, answer.text
    with_file = {**files, "media": ("me.jpg", b"bytes", "image/jpeg")}
    answer = await client.post(f"{ROOT}/requests.json", files=with_file)
    assert answer.status_code == 400
    assert "media_url" in answer.json()[0]["description"]


async def test_a_contact_goes_into_the_vault_and_nowhere_else(
    town: City, door: Door, client: httpx2.AsyncClient, api_key: str
) -> None:
    marked = {
        "last_name": "欧阳",
        "first_name": "修远",
        "phone": "13711112222",
        "email": "ouyang@example.org",
    }
    number = await put(client, api_key, **marked, device_id="device-MARK", account_id="account-MARK")
    complaint = await complaint_of(town, number)
    await town.until_fact(complaint, ComplaintDispatched)
    assert await contact_of(town, complaint) == Contact(
        name="欧阳修远", phone=marked["phone"], email=marked["email"]
    )
    update = {"api_key": api_key, "service_request_id": number, "update_id": "u-9", "status": "OPEN"}
    answer = await client.post(
        f"{ROOT}/servicerequestupdates.json", data={**update, "description": "还没有水", **marked}
    )
    assert answer.status_code == 200, answer.text
    await town.settled()
    said = [message.value for message in await town.messages(town.topic(INTAKE_REQUESTS), count=1)]
    said += [message.value for message in await town.messages(town.endpoints.prefix + "complaints.log")]
    said += [door.log.read_bytes(), town.logs(lines=100_000).encode()]
    own = await client.get(f"{ROOT}/requests/{number}.xml", params={"api_key": api_key, "extensions": "true"})
    said += [own.content]
    for part in (*marked.values(), "MARK"):
        assert not [one for one in said if part.encode() in (one or b"")], part


async def test_one_without_a_contact_is_anonymous_and_has_none(
    town: City, client: httpx2.AsyncClient, api_key: str
) -> None:
    complaint = await complaint_of(town, await put(client, api_key))
    assert "IdentityProtected" in await town.story(complaint)
    assert await town.value("SELECT count(*) FROM vault.key WHERE stream_id = $1", complaint) == 0


# --- who reads what


async def test_the_public_reads_that_it_is_there_and_no_words(
    client: httpx2.AsyncClient, api_key: str
) -> None:
    number = await put(client, api_key, description="MARK words", address_string="MARK street 5")
    for ending in ("json", "xml"):
        answer = await client.get(f"{ROOT}/requests/{number}.{ending}", params={"extensions": "true"})
        assert answer.status_code == 200
        assert "MARK" not in answer.text
    public = await shown(client, number, extensions="true")
    assert faults("requests.json", [public]) == []
    assert public["address"] == f"{STREET} {DISTRICT}"
    assert public["notes"][0]["type"] == "open"


async def test_a_key_without_reading_reads_no_words(
    door: Door, client: httpx2.AsyncClient, api_key: str
) -> None:
    number = await put(client, api_key, description="MARK words")
    sends = await door.key(roles.AGENTS, scopes=[KeyScope.ACTS])
    assert (await client.get(f"{ROOT}/requests/{number}.json", params={"api_key": sends})).status_code == 403
    every = await door.key(roles.AGENTS, "all", scopes=[KeyScope.READ, KeyScope.READ_ALL])
    assert (await shown(client, number, api_key=every))["description"] == "MARK words"
    other = await door.key(roles.AGENTS, "other", scopes=[KeyScope.READ])
    assert "description" not in await shown(client, number, api_key=other)


@pytest.mark.parametrize("more", [{"attribute[confidential]": "true"}, {"attribute[request_type]": "REPORT"}])
async def test_what_is_withheld_is_not_told_from_what_there_is_not(
    client: httpx2.AsyncClient, api_key: str, more: dict[str, str]
) -> None:
    number = await put(client, api_key, **more)
    hidden = await client.get(f"{ROOT}/requests/{number}.json")
    absent = await client.get(f"{ROOT}/requests/20211001-22222-22222-2.json")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == absent.json()
    listed = await client.get(f"{ROOT}/requests.json", params={"service_request_id": number})
    assert listed.json() == []
    newest = await client.get(f"{ROOT}/requests.json", params={"api_key": api_key})
    assert number not in {one["service_request_id"] for one in newest.json()}
    assert (await shown(client, number, api_key=api_key))["service_request_id"] == number


async def test_filters_leave_out_what_they_say(client: httpx2.AsyncClient, api_key: str) -> None:
    number = await put(client, api_key)
    path = f"{ROOT}/requests.json"

    async def numbers(**params: str) -> set[str]:
        answer = await client.get(path, params={"api_key": api_key, **params})
        assert answer.status_code == 200, answer.text
        return {one["service_request_id"] for one in answer.json()}

    assert number in await numbers()
    assert number in await numbers(service_code=CODE, status="open,closed")
    assert number not in await numbers(service_code=KNOWN.code_of("水费"))
    assert number not in await numbers(status="closed")
    assert number not in await numbers(end_date=asked(datetime.now(UTC) - timedelta(days=1)))
    assert number in await numbers(start_date=asked(datetime.now(UTC) - timedelta(days=1)))
    for params, status in (
        ({"service_code": "none"}, 404),
        ({"status": "half"}, 400),
        ({"start_date": "2021-01-01T00:00:00Z", "end_date": "2021-12-01T00:00:00Z"}, 400),
    ):
        answer = await client.get(path, params={"api_key": api_key, **params})
        assert answer.status_code == status
        assert set(answer.json()[0]) == {"code", "description"}


async def test_what_there_is_not_is_404_in_the_format_that_was_asked_for(
    client: httpx2.AsyncClient, api_key: str
) -> None:
    params = {"api_key": api_key}
    for path in ("services/none", "requests/none", "tokens/none"):
        for ending in ("json", "xml"):
            answer = await client.get(f"{ROOT}/{path}.{ending}", params=params)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"].startswith(("application/json", "text/xml"))
    for ending in ("yaml", "html", "json5"):
        assert (await client.get(f"{ROOT}/services.{ending}", params=params)).status_code == 404
    unknown = await client.get(f"{ROOT}/tokens/{'0' * 32}-0-1.json", params=params)
    assert unknown.json() == [{"token": f"{'0' * 32}-0-1"}]
    foreign = await client.get(f"{ROOT}/tokens/{'0' * 32}-0-1-portal.xml", params=params)
    assert read_xml(foreign.content).find("request/service_request_id") is None


async def test_an_answered_order_is_told_in_the_history(
    town: City, client: httpx2.AsyncClient, api_key: str, unit: httpx2.AsyncClient
) -> None:
    number = await put(client, api_key)
    complaint = await complaint_of(town, number)
    await town.until_fact(complaint, ComplaintDispatched)
    body = {"complaint_id": complaint, "assignment": 1, "result": "MARK result", "claims_solved": True}
    assert (await unit.post("/acts/order/answer", json=body)).status_code == 200
    await town.until_fact(complaint, OrderAnswered)
    own = await shown(client, number, api_key=api_key, extensions="true", locale="en")
    assert own["notes"][-1]["description"] == f"{STREET} has answered: MARK result"
    assert INSTANT.fullmatch(own["expected_datetime"])
    public = await shown(client, number, extensions="true", locale="en")
    assert [note["description"] for note in public["notes"]][-1] == f"{STREET} has answered"
    assert own["updated_datetime"] >= own["notes"][-1]["datetime"]
