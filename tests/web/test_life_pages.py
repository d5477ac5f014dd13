"""The life of one complaint on a page: milestones, all facts, one fact as the log holds it."""

from __future__ import annotations

import httpx2
import pytest

from hotline.web.pages.look import Language, Theme
from shared import roles
from shared.events import VisitScheduled
from tests.city import OTHER_UNIT, UNIT, until
from tests.web.browser import People, needs_browser
from tests.web.door import Door
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]


async def judged(door: Door, agents: httpx2.AsyncClient) -> dict[str, str]:
    """A complaint that its unit calls solved and its citizen does not."""
    made = await recorded(agents)
    unit = await door.of(roles.UNIT, UNIT)
    about = {"complaint_id": made["complaint_id"], "assignment": 1}
    told = {**about, "result": "已恢复供水", "claims_solved": True}
    assert (await unit.post("/acts/order/answer", json=told)).status_code == 200

    async def asked() -> bool:
        return VisitScheduled.__name__ in await door.town.story(made["complaint_id"])

    await until(asked, what="the visit")
    dialler = await door.of(roles.DIALLER)
    body = {
        "complaint_id": made["complaint_id"],
        "visit": 1,
        "attempt": 1,
        "solved": False,
        "satisfied": False,
    }
    answer = await dialler.post("/acts/visit/record", json={**body, "reason": "水还是没有来"})
    assert answer.status_code == 200, answer.text
    return made


async def test_the_citizens_word_stands_beside_the_units_claim_and_each_fact_shows_its_hash(
    people: People, door: Door, agents: httpx2.AsyncClient
) -> None:
    made = await judged(door, agents)
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    page = chief.page
    await chief.goto(f"/life/{made['complaint_number']}")
    drawn = await page.locator("svg.drawn").text_content() or ""
    text = await page.locator("#drawn-words").text_content() or ""
    assert "单位:已解决" in text
    assert "市民:未解决" in text
    assert "待届满" in text  # the limit of the next round
    assert "单位:已解决" in drawn
    assert "哈希链完整" in await page.locator(".chain").inner_text()
    short = await page.locator(".life li").count()
    await page.keyboard.press("2")
    await page.wait_for_url("**all=yes")
    facts = await door.town.facts(made["complaint_id"])
    assert await page.locator(".life li").count() == len(facts) > short
    await chief.goto(f"/life/{made['complaint_number']}/{facts[0].version}")
    assert facts[0].fact_id in await page.locator("main").inner_text()
    assert await page.locator(".raw").inner_text()
    found: list[str] = []
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await chief.look(language, theme)
            for path in ("", "?all=yes", "/1"):
                await chief.goto(f"/life/{made['complaint_number']}{path}")
                found += [f"{language} {theme} {path}: {one}" for one in await chief.axe()]
    assert found == []
    assert chief.amiss == []


async def test_a_complaint_is_found_by_words_and_by_its_number(
    people: People, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents, title="路灯不亮一周")
    chief = await people.sign_in("赵主任", roles.AGENTS)
    page = chief.page
    await chief.goto("/find")
    for text in ("路灯不亮", made["complaint_number"]):
        await page.locator("#q").fill(text)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=*")
        await page.locator(f"#r-{made['complaint_id']}").wait_for()
        assert await chief.axe() == []
    await page.locator("#q").fill("！")
    await page.keyboard.press("Enter")
    assert "请输入" in await page.locator("[role=alert]").inner_text()
    assert chief.amiss == []


async def test_a_unit_sees_the_life_of_its_own_and_nobody_elses(
    people: People, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    own = await people.sign_in("王芳", roles.UNIT, UNIT)
    await own.goto(f"/life/{made['complaint_number']}")
    assert "没有水" in await own.page.locator("h1").inner_text()
    other = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    await other.goto(f"/life/{made['complaint_number']}")
    assert "未找到" in await other.page.locator("h1").inner_text()
