"""Visits, decisions and supervision on pages: what waits is listed, decided, and gone from the list."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from hotline.web.pages.look import Language, Theme
from shared import roles
from shared.events import (
    ComplaintReceived,
    ExtensionApproved,
    ExtensionRequested,
    SupervisionDecided,
    VisitMade,
    VisitScheduled,
)
from tests.city import DISTRICT, STREET, UNIT, WATER, until
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door, facts_of
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]


async def says(door: Door, act: str, made: dict[str, Any], **data: Any) -> None:
    """The unit says something of its order."""
    unit = await door.of(roles.UNIT, UNIT)
    told = {"complaint_id": made["complaint_id"], "assignment": 1, **data}
    answer = await unit.post(f"/acts/{act}", json=told)
    assert answer.status_code == 200, answer.text


async def right(watched: Watched, *paths: str) -> None:
    """Nothing is amiss on these pages, in both languages and themes."""
    found: list[str] = []
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await watched.look(language, theme)
            for path in paths:
                await watched.goto(path)
                found += [f"{language} {theme} {path}: {one}" for one in await watched.axe()]
    await watched.look(Language.CHINESE, Theme.LIGHT)
    assert found == []
    assert watched.amiss == []


async def test_a_visitor_writes_down_what_the_citizen_said(
    people: People, door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    await says(door, "order/answer", made, result="已恢复供水", claims_solved=True)

    async def asked() -> bool:
        return VisitScheduled.__name__ in await door.town.story(made["complaint_id"])

    await until(asked, what="the visit")
    visitor = await people.sign_in("孙回访", roles.DIALLER)
    page = visitor.page
    await right(visitor, "/visits?later=yes", f"/visits/{made['complaint_number']}?do=record")
    row = await visitor.turn_to("/visits?later=yes", f"a[href='/visits/{made['complaint_number']}']")
    await row.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/visits/{made['complaint_number']}")
    assert "已恢复供水" in await page.locator("main").inner_text()  # what the unit says it did
    await page.keyboard.press("r")
    await page.wait_for_url("**do=record")
    await page.locator("[name=solved][value=no]").check()
    await page.locator("[name=satisfied][value=no]").check()
    await page.locator("#f-reason").fill("水还是没有来")
    await page.locator("form.fields button.main").click()
    await page.wait_for_url("**/visits?done=VisitMade*")
    assert made["complaint_number"] in await page.locator("[role=status]").inner_text()
    (visit,) = await facts_of(door, made, VisitMade)
    assert (visit.solved, visit.satisfied, visit.reason) == (False, False, "水还是没有来")
    assert visit.actorid.startswith("s")
    # The complaint waits for no visit any more, so its page is none of a visitor's.
    await visitor.goto(f"/visits/{made['complaint_number']}")
    assert "未找到" in await page.locator("h1").inner_text()


async def test_a_visitor_reads_the_number_for_the_visit_and_nobody_else_calls_meanwhile(
    people: People, door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents, contact={"name": "张三", "phone": "13800138000"})
    await says(door, "order/answer", made, result="已恢复供水", claims_solved=True)
    await door.town.until_fact(made["complaint_id"], VisitScheduled)
    visitor, other = (
        await people.sign_in("孙回访", roles.DIALLER),
        await people.sign_in("李回访", roles.DIALLER),
    )
    path = f"/visits/{made['complaint_number']}"

    async def listed() -> bool:
        await visitor.goto(path)
        return await visitor.page.locator("#contact").count() == 1

    await until(listed, what="the visit on the page", every=0.2)
    assert "13800138000" not in await visitor.page.content()
    await visitor.page.wait_for_load_state("load")
    await visitor.page.keyboard.press("o")
    await visitor.page.locator("#contact-read", has_text="13800138000").wait_for()
    assert await visitor.axe() == []
    read = "SELECT as_a, through, outcome, who LIKE 's%' FROM vault.access WHERE stream_id = $1 AND as_a = 'VISITOR'"
    rows = await door.town.sql(read, made["complaint_id"])
    assert [tuple(row) for row in rows] == [("VISITOR", "PAGE", "FULL", True)]
    await other.goto(path)
    await other.page.locator("section form button").click()
    assert "孙回访正在回访" in await other.page.locator("[role=alert]").inner_text()
    assert "13800138000" not in await other.page.content()
    assert [one for one in [*visitor.amiss, *other.amiss] if not ("409" in one or "404" in one)] == []


async def test_a_reviewer_decides_with_the_evidence_before_him(
    people: People, door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    await says(door, "order/sign", made)
    await says(door, "extension/request", made, days=3, reason="需协调更换主管道")
    assert len(await facts_of(door, made, ExtensionRequested)) == 1
    reviewer = await people.sign_in("钱审核", roles.REVIEWERS)
    page = reviewer.page
    await right(reviewer, "/decisions", f"/decisions/{made['complaint_number']}?do=extension")
    waits = f"tr:has(a[href='/decisions/{made['complaint_number']}'])"
    row = await reviewer.turn_to("/decisions", waits)
    assert "需协调更换主管道" in await row.inner_text()
    await reviewer.goto(f"/decisions/{made['complaint_number']}")
    await page.keyboard.press("e")
    await page.wait_for_url("**do=extension")
    await page.locator("[name=approved][value=yes]").check()
    await page.locator("form.fields button.main").click()
    await page.wait_for_url("**done=ExtensionApproved*")
    (approved,) = await facts_of(door, made, ExtensionApproved)
    assert approved.reviewer == approved.actorid
    assert not await reviewer.holds("/decisions", waits)
    assert reviewer.amiss == []


async def test_a_supervisor_is_refused_in_chinese_where_it_has_not_climbed(
    people: People, door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    await right(chief, "/supervision", f"/supervision/{made['complaint_number']}?do=decide")
    await chief.goto(f"/supervision/{made['complaint_number']}?do=decide")
    await chief.page.locator("#f-decision").fill("今日内到场处理")
    await chief.page.locator("form.fields button.main").click()
    alert = chief.page.locator("[role=alert]").first
    await alert.wait_for()
    assert await chief.page.locator("#f-decision").input_value() == "今日内到场处理"
    assert await facts_of(door, made, SupervisionDecided) == []
    assert [one for one in chief.amiss if "409" not in one] == []


async def test_an_agent_records_a_request_and_sees_before_where_it_goes(people: People, door: Door) -> None:
    agent = await people.sign_in("周话务", roles.AGENTS)
    page = agent.page
    assert page.url.endswith("/record")
    await right(agent, "/record")
    await agent.goto("/record")
    await page.locator("#f-subject").fill(WATER)
    await page.locator("#f-district").fill(DISTRICT)
    await page.locator("#f-street").fill(STREET)
    await page.locator("#f-title").focus()
    # It is asked for anew with each field; the last answer names the street.
    await page.locator("#foreseen b", has_text=STREET).wait_for()
    await page.locator("#f-title").fill("没有水,从页面登记")
    await page.reload()  # the draft is still there, and the telephone number is kept nowhere
    assert await page.locator("#f-title").input_value() == "没有水,从页面登记"
    await page.locator("#f-phone").fill("12")
    await page.locator("button.main").click()
    await page.locator("[role=alert]").wait_for()
    assert await page.locator("#f-title").input_value() == "没有水,从页面登记"
    await page.locator("#f-phone").fill("13800138000")
    await page.locator("button.main").click()
    await page.wait_for_url("**/life/*recorded=yes")
    number = await page.locator(".readback").inner_text()
    agents = await door.of(roles.AGENTS)
    told = (await agents.get(f"/complaints/{number}")).json()
    assert told["title"] == "没有水,从页面登记"
    (received,) = await facts_of(door, told, ComplaintReceived)
    assert received.actorid.startswith("s")
    assert await door.town.sql("SELECT FROM vault.contact WHERE stream_id = $1", told["complaint_id"])
    assert [one for one in agent.amiss if "409" not in one] == []
