"""A clerk works by the keyboard alone: signs, answers, is refused; each act is the event any sender would send."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from shared import roles
from shared.events import ExtensionRequested, OrderAnswered, OrderSigned, ReplyRefused
from tests.city import QUIET_STREET, QUIET_UNIT
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door, facts_of
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]


@pytest.fixture
async def clerk(people: People) -> Watched:
    return await people.sign_in("王芳", roles.UNIT, QUIET_UNIT)


async def settled(clerk: Watched) -> None:
    """A page has come, and its module has run."""
    await clerk.page.wait_for_load_state("load")


async def test_an_order_is_signed_and_answered_by_the_keyboard_alone(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    page = clerk.page
    await clerk.goto("/work")
    await page.keyboard.press("j")
    await page.locator(f"a[href='/work/{made['complaint_number']}']").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/work/{made['complaint_number']}")
    await settled(clerk)
    await page.keyboard.press("s")
    await page.wait_for_url("**done=OrderSigned*")
    assert "已完成" in await page.locator("[role=status]").inner_text()
    await page.keyboard.press("a")
    await page.wait_for_url("**do=answer")
    await settled(clerk)
    assert await page.evaluate("document.activeElement.name") == "result"
    await page.keyboard.type("sa? 已恢复供水")  # no key fires in a field
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**done=OrderAnswered*")
    (signed,), (answered,) = (
        await facts_of(door, made, OrderSigned),
        await facts_of(door, made, OrderAnswered),
    )
    assert (answered.result, answered.claims_solved) == ("sa? 已恢复供水", True)
    assert signed.actorid == answered.actorid
    assert signed.actorid.startswith("s")
    # The list that is shown next does not contradict what was done.
    await clerk.goto("/work")
    assert await page.locator(f"#r-{made['complaint_id']}-lead-0").count() == 0
    assert clerk.amiss == []


async def test_a_refusal_says_why_and_the_draft_stays(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    page = clerk.page
    await clerk.goto(f"/work/{made['complaint_number']}?do=extend")
    await page.locator("#f-days").fill("300")
    await page.locator("#f-reason").fill("需更换主管道")
    await page.locator("form.fields button.main").click()
    alert = page.locator("[role=alert]")
    await alert.wait_for()
    assert "签收后才能申请延期" in await alert.inner_text() or "最多" in await alert.inner_text()
    assert await page.locator("#f-reason").input_value() == "需更换主管道"
    assert await page.locator("#f-days").input_value() == "300"
    (refused,) = await facts_of(door, made, ReplyRefused)
    assert refused.actorid.startswith("s")
    assert await facts_of(door, made, ExtensionRequested) == []
    # A refusal is answered with the status 409, which the browser writes on its console.
    assert [one for one in clerk.amiss if "409" not in one] == []


async def test_a_draft_survives_a_reload(clerk: Watched, agents: httpx2.AsyncClient) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    page = clerk.page
    await clerk.goto(f"/work/{made['complaint_number']}?do=answer")
    await page.locator("#f-result").fill("正在处理")
    await page.reload()
    assert await page.locator("#f-result").input_value() == "正在处理"
    await page.locator("form.fields button.main").click()
    await page.wait_for_url("**done=OrderAnswered*")
    assert await page.evaluate("Object.keys(sessionStorage).length") == 0


async def test_many_are_signed_at_once_and_each_refusal_is_named(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    made = [await recorded(agents, street=QUIET_STREET) for _ in range(3)]
    page = clerk.page
    await clerk.goto("/work?tab=to-sign")
    for one in made:
        await page.locator(f"#r-{one['complaint_id']}-lead-0 [name=order]").check()
    unit = await door.of(roles.UNIT, QUIET_UNIT)
    before = {"complaint_id": made[0]["complaint_id"], "assignment": 1}
    assert (await unit.post("/acts/order/sign", json=before)).status_code == 200  # somebody was faster
    await page.keyboard.press("Shift+S")
    await page.locator("[role=status], [role=alert]").first.wait_for()
    for one in made[1:]:
        (signed,) = await facts_of(door, one, OrderSigned)
        assert signed.actorid.startswith("s")
    for one in made:
        assert await page.locator(f"#r-{one['complaint_id']}-lead-0").count() == 0


async def test_the_same_form_sent_twice_has_one_effect(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door, people: People
) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    await clerk.goto(f"/work/{made['complaint_number']}")
    act = await clerk.page.locator("form[action$='/sign'] [name=act]").get_attribute("value")
    cookies = {one["name"]: one["value"] for one in await clerk.page.context.cookies()}
    async with httpx2.AsyncClient(
        base_url=people.origin, cookies=cookies, timeout=60, trust_env=False
    ) as client:
        sent = [
            client.post(
                f"/work/{made['complaint_number']}/sign", data={"act": act}, headers={"Origin": people.origin}
            )
            for _ in range(2)
        ]
        answers = await asyncio.gather(*sent)
    assert [one.status_code for one in answers] == [303, 303]
    assert len(await facts_of(door, made, OrderSigned)) == 1
    assert await facts_of(door, made, ReplyRefused) == []


async def test_a_contact_is_shown_by_an_act_that_is_written_down(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    made = await recorded(agents, street=QUIET_STREET, contact={"name": "张三", "phone": "13800138000"})
    await clerk.goto(f"/work/{made['complaint_number']}")
    assert "13800138000" not in await clerk.page.content()
    await clerk.page.keyboard.press("o")
    shown = clerk.page.locator("#contact-read")
    await shown.wait_for()
    assert "13800138000" in await shown.inner_text()
    rows = await door.town.sql(
        "SELECT who, reason FROM vault.access WHERE stream_id = $1 AND as_a = 'UNIT'", made["complaint_id"]
    )
    assert [row[0] for row in rows] == [QUIET_UNIT]
    assert rows[0][1].startswith("page of s")
    assert await clerk.axe() == []
    assert clerk.amiss == []


async def test_the_keys_of_a_page_are_shown(clerk: Watched, agents: httpx2.AsyncClient) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    await clerk.goto(f"/work/{made['complaint_number']}")
    await clerk.page.keyboard.press("?")
    shown = await clerk.page.locator("dialog[open]").inner_text()
    assert "签收" in shown
    assert "快捷键" in shown
    assert await clerk.axe() == []
    await clerk.page.keyboard.press("Escape")
    assert await clerk.page.locator("dialog[open]").count() == 0
