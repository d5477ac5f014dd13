"""Parked messages on the page of supervision: opened, released and dropped, each by an act that names the person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from hotline.web.pages.look import Language, Theme
from hotline.web.pages.parked import BASE
from shared import roles
from shared.cloudevents import input_headers
from shared.events import ComplaintReceived
from shared.inputs import RecordRequest
from shared.log import Incoming
from shared.log.postgres import _headers_stored
from shared.topics import INTAKE_REQUESTS
from tests.city import City, request
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door
from tests.web.test_office_pages import right

pytestmark = [pytest.mark.connected, needs_browser]
NUMBER: Final = "13812345678"
_OFFSETS: Final = count(7_000_000_000)
"""Places that no message of the session has."""


async def parked(
    town: City, value: bytes, reason: str = "data: Object missing required field `title`"
) -> int:
    """A message that intake has parked; its number."""
    headers = tuple(input_headers(RecordRequest, "/parked-page", f"page-{next(_OFFSETS)}", datetime.now(UTC)))
    told = Incoming(town.topic(INTAKE_REQUESTS), 0, 0, 0, None, headers, None)
    made = await town.value(
        "INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, key, headers, value, reason)"
        " VALUES ('intake', $1, 0, $2, $6, 'k', $3, $4, $5) RETURNING parked_id",
        town.topic(INTAKE_REQUESTS),
        next(_OFFSETS),
        _headers_stored(told),
        value,
        reason,
        int(time.time() * 1000),
    )
    return int(made)


@pytest.fixture(autouse=True)
async def tidy(door: Door) -> AsyncIterator[None]:
    """Nothing of these tests stays parked: the session's other tests count."""
    yield
    await door.town.sql("DELETE FROM es.parked WHERE kafka_offset >= 7000000000")


async def noted(town: City, number: int) -> list[tuple[Any, ...]]:
    """The acts on a message: which, whether a person of the register did it, and why."""
    rows = await town.sql(
        "SELECT act, actorid LIKE 's%', reason FROM es.parked_act WHERE parked_id = $1 ORDER BY acted_at",
        number,
    )
    return [tuple(row) for row in rows]


async def chosen(chief: Watched, number: int) -> None:
    """Tick this message on the page of the list that has it."""
    await (await chief.turn_to(BASE, f"input[name=parked][value='{number}']")).check()


async def test_chosen_messages_are_released_and_the_list_says_what_came_of_each(
    people: People, door: Door
) -> None:
    town = door.town
    good = await parked(town, msgspec.json.encode(request("parked-page-good", title="搁置后放行")))
    bad = await parked(town, b"{}")
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    page = chief.page
    await right(chief, BASE, f"{BASE}/{good}")
    row = (await chief.turn_to(BASE, f"#p-{bad}")).locator("td")
    assert await row.nth(5).inner_text() == "title"
    await chosen(chief, good)
    await page.locator(f"input[name=parked][value='{bad}']").check()
    await page.keyboard.press("r")
    await page.keyboard.type("发送方已改正")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{BASE}?act=*")
    assert str(good) in await page.locator(".notice.good").inner_text()
    assert str(bad) in await page.locator("[role=alert]").inner_text()
    # No list contradicts it: what is handled stands nowhere, what is parked again waits for a person again.
    assert await page.locator(f"#p-{good}").count() == 0
    assert not await chief.holds(BASE, f"#p-{good}")
    assert await (await chief.turn_to(BASE, f"input[name=parked][value='{bad}']")).is_visible()
    received = [one.fact for one in await town.facts() if type(one.fact) is ComplaintReceived]
    assert [one.title for one in received].count("搁置后放行") == 1
    for number in (good, bad):
        assert await noted(town, number) == [("RELEASED", True, "发送方已改正")]
    assert chief.amiss == []


async def test_others_at_the_centre_read_which_desk_it_is_in_their_own_language(
    people: People, door: Door
) -> None:
    await parked(door.town, b"{}")
    agent = await people.sign_in("孙坐席", roles.AGENTS)
    await agent.look(Language.CHINESE, Theme.LIGHT)
    await agent.goto("/board/parked")
    desks = await agent.page.locator("tbody td:nth-child(2)").all_text_contents()
    assert "受理" in desks
    assert "intake" not in desks
    assert agent.amiss == []


async def test_a_message_is_opened_by_an_act_that_is_written_down_and_dropped_with_a_reason(
    people: People, door: Door
) -> None:
    number = await parked(door.town, f'{{"phone": "{NUMBER}"}}'.encode())
    chief = await people.sign_in("钱主任", roles.SUPERVISION)
    page = chief.page
    await chief.goto(f"{BASE}/{number}")
    assert NUMBER not in await page.content()
    assert await noted(door.town, number) == []
    await page.keyboard.press("o")
    await page.locator(".raw", has_text=NUMBER).wait_for()
    assert await chief.axe() == []
    assert await noted(door.town, number) == [("OPENED", True, "")]
    assert "钱主任" in await page.locator("section .life").inner_text()
    # A reason that holds a number is refused, and the draft stays.
    await page.locator("#f-drop").fill(f"打给{NUMBER}说过")
    await page.get_by_role("button", name="弃置").click()
    assert "身份证号" in await page.locator("[role=alert]").inner_text()
    assert await page.locator("#f-drop").input_value() == f"打给{NUMBER}说过"
    await page.locator("#f-drop").fill("测试消息")
    await page.get_by_role("button", name="弃置").click()
    await page.wait_for_url(f"**{BASE}?act=*")
    assert str(number) in await page.locator(".notice.good").inner_text()
    assert not await chief.holds(BASE, f"#p-{number}")
    assert await noted(door.town, number) == [("OPENED", True, ""), ("DROPPED", True, "测试消息")]
    await chief.goto(f"{BASE}/{number}")
    assert "未找到" in await page.locator("h1").inner_text()
    assert NUMBER not in door.log.read_text()
    assert [one for one in chief.amiss if not ("404" in one or "409" in one)] == []


async def test_a_form_that_is_sent_twice_is_one_act(people: People, door: Door) -> None:
    number = await parked(door.town, b"{}")
    chief = await people.sign_in("孙主任", roles.SUPERVISION)
    told = {"parked": str(number), "reason": "再试一次", "act": f"twice-{number}"}
    headers = {"Origin": chief.origin}
    for _ in range(2):
        answer = await chief.page.request.post(
            f"{chief.origin}{BASE}/release", form=told, headers=headers, max_redirects=0
        )
        assert answer.status == 303
    assert await noted(door.town, number) == [("RELEASED", True, "再试一次")]
    blank = await chief.page.request.post(
        f"{chief.origin}{BASE}/release", form={**told, "reason": "\u2800"}, headers=headers
    )
    assert blank.status == 409
    late = {**told, "act": f"late-{number}", "parked": "999999999"}
    gone = await chief.page.request.post(f"{chief.origin}{BASE}/release", form=late, headers=headers)
    assert "消息已由他人处理" in await gone.text()
    strange = await chief.page.request.post(
        f"{chief.origin}{BASE}/release", form={**told, "act": ""}, headers=headers
    )
    assert strange.status == 400


async def test_two_who_release_messages_of_one_complaint_do_not_stop_each_other(
    people: People, door: Door
) -> None:
    chief, _ = await people.link("李主任", roles.SUPERVISION)
    statement = "SELECT es.release_parked_on_page(ARRAY[$1::bigint], $2, '再试一次', $3)"
    both = [await asyncpg.connect(door.town.endpoints.login("staff")) for _ in range(2)]
    try:
        for round_ in range(10):
            complaint = uuid4()
            numbers = [await parked(door.town, b"{}") for _ in range(2)]
            await door.town.sql(
                "UPDATE es.parked SET complaint_id = $1 WHERE parked_id = ANY($2::bigint[])",
                complaint,
                numbers,
            )
            await asyncio.gather(
                *(
                    one.execute(statement, number, chief, f"both-{round_}-{number}")
                    for one, number in zip(both, reversed(numbers), strict=True)
                )
            )
            acts = "SELECT count(*) FROM es.parked_act WHERE parked_id = ANY($1::bigint[])"
            assert await door.town.value(acts, numbers) == 2  # whoever came first released both
    finally:
        for one in both:
            await one.close()


async def test_nobody_else_comes_near_them(people: People, door: Door) -> None:
    number = await parked(door.town, f'{{"phone": "{NUMBER}"}}'.encode())
    for role in (roles.AGENTS, roles.REVIEWERS):
        other = await people.sign_in("他人", role)
        for path, method in ((BASE, "get"), (f"{BASE}/{number}", "get"), (f"{BASE}/{number}/open", "post")):
            ask = getattr(other.page.request, method)
            answer = await ask(other.origin + path, headers={"Origin": other.origin})
            assert answer.status == 403
            assert NUMBER not in await answer.text()
    public = await people.page("public")
    for path in (BASE, f"{BASE}/{number}", f"{BASE}/{number}/open"):
        assert (await public.page.request.get(public.origin + path)).status == 404
    assert await noted(door.town, number) == []
    # The login of the public listener may read no content, and call none of the acts.
    assert not await door.town.value(
        "SELECT has_column_privilege('hotline_web', 'es.parked', 'value', 'SELECT')"
    )
    for act in ("open_parked(bigint, text)", "drop_parked_on_page(bigint, text, text, text)"):
        assert not await door.town.value(
            "SELECT has_function_privilege('hotline_web', $1, 'EXECUTE')", f"es.{act}"
        )
