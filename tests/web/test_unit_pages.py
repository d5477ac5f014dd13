"""The unit's page on a real city: its list by what is due, in both languages and themes."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hotline.web.pages.look import Language, Theme
from shared import roles
from shared.events import ArrivalMissed
from tests.city import OTHER_UNIT, QUIET_STREET, QUIET_UNIT, City, until
from tests.shell import PATIENCE
from tests.web.browser import People, Watched, needs_browser, open_browser
from tests.web.door import Door, open_door
from tests.web.pictures import LONG
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]


@pytest.fixture
async def clerk(people: People) -> Watched:
    return await people.sign_in("王芳", roles.UNIT, QUIET_UNIT)


async def test_a_new_order_stands_in_the_list_of_its_unit_and_in_no_other(
    people: People, clerk: Watched, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents, street=QUIET_STREET)
    await clerk.goto("/work")
    row = clerk.page.locator(f"#r-{made['complaint_id']}-lead-0")
    assert await row.count() == 1
    text = await row.inner_text()
    assert made["complaint_number"] in text
    assert "待签收" in text
    other = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    await other.goto("/work")
    assert await other.page.locator(f"#r-{made['complaint_id']}-lead-0").count() == 0
    assert [clerk.amiss, other.amiss] == [[], []]


async def test_the_list_is_right_for_a_reader_who_sees_nothing_in_both_looks(
    clerk: Watched, agents: httpx2.AsyncClient
) -> None:
    await recorded(agents, street=QUIET_STREET)
    found: list[str] = []
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await clerk.look(language, theme)
            for tab in ("all", "whistled"):
                await clerk.goto(f"/work?tab={tab}")
                found += [f"{language} {theme} {tab}: {one}" for one in await clerk.axe()]
    assert found == []
    assert clerk.amiss == []


async def test_the_list_changes_by_itself_and_the_focus_stays(
    clerk: Watched, agents: httpx2.AsyncClient
) -> None:
    first = await recorded(agents, street=QUIET_STREET)
    page = clerk.page
    await clerk.goto("/work?tab=to-sign")
    link = page.locator(f"a[href='/work/{first['complaint_number']}']")
    await link.focus()
    box = page.locator(f"#r-{first['complaint_id']}-lead-0 [name=order]")
    await box.check()
    await link.focus()
    for _ in range(3):
        made = await recorded(agents, street=QUIET_STREET)
        await page.locator(f"#r-{made['complaint_id']}-lead-0").wait_for(timeout=15_000 * PATIENCE)
        focused = await page.evaluate("document.activeElement.getAttribute('href')")
        assert focused == f"/work/{first['complaint_number']}"
        assert await box.is_checked()
    assert clerk.amiss == []


async def test_the_page_calls_itself_old_where_the_projector_stands_still(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    await clerk.goto("/work")
    line = clerk.page.locator("#as-of")
    assert "数据截至" in await line.inner_text()
    projector = door.supervisor.pids()["projector"]
    os.kill(projector, signal.SIGSTOP)
    try:
        await recorded(agents, street=QUIET_STREET)
        await clerk.page.locator("#as-of.late").wait_for(timeout=30_000 * PATIENCE)
        assert "落后" in await line.inner_text()
    finally:
        os.kill(projector, signal.SIGCONT)
    await clerk.page.locator("#as-of:not(.late)").wait_for(timeout=30_000 * PATIENCE)


async def test_what_is_overdue_says_so_in_a_word_and_a_shape(
    city: Callable[..., Awaitable[City]], tmp_path: Path
) -> None:
    """In a city whose clock is moved on."""
    began_at = datetime.now(UTC)
    town = await city(lived=True, at=began_at)
    await town.start()
    async with open_door(town, tmp_path) as late_door, open_browser() as browser:
        people = People(browser, late_door)
        agents = await late_door.of(roles.AGENTS)
        made = await recorded(agents, street=QUIET_STREET, urgency="CRITICAL_2H", title=LONG)
        await recorded(agents, street=QUIET_STREET)
        await whistled(late_door, made, OTHER_UNIT)
        await town.clock_to(began_at + timedelta(hours=30))
        clerk = await people.sign_in("王芳", roles.UNIT, QUIET_UNIT)
        row = clerk.page.locator(f"#r-{made['complaint_id']}-lead-0")

        async def is_late() -> bool:
            await clerk.goto("/work?tab=overdue")
            return await row.count() == 1

        await until(is_late, what="the order in the list of what is overdue")
        text = await row.inner_text()
        assert "▲" in text
        assert "超 27 小时" in text or "超 28 小时" in text
        found: list[str] = []
        for language in Language:
            for theme in (Theme.LIGHT, Theme.DARK):
                await clerk.look(language, theme)
                for path in ("/work?tab=overdue", f"/work/{made['complaint_number']}?do=return"):
                    await clerk.goto(path)
                    found += [f"{language} {theme} {path}: {one}" for one in await clerk.axe()]
        assert found == []
        assert clerk.amiss == []
        await town.until_fact(made["complaint_id"], ArrivalMissed)
        await _is_told_of_who_did_not_come(people, made)
        await people.close()


async def whistled(door: Door, made: dict[str, Any], *called: str) -> None:
    """The street of an order whistles for others: they have half an hour."""
    street = await door.of(roles.UNIT, QUIET_UNIT)
    about = {"complaint_id": made["complaint_id"], "assignment": 1, "whistle": 1}
    why = {"kind": "EMERGENCY", "called": called, "scene": "小关街5号楼", "reason": "消防通道无法清理"}
    answer = await street.post("/acts/whistle/blow", json={**about, **why})
    assert answer.status_code == 200, answer.text


async def _is_told_of_who_did_not_come(people: People, made: dict[str, Any]) -> None:
    """The called unit by its own list, supervision by a page of its own; both lead to the order."""
    number, place = made["complaint_number"], f"#w-{made['complaint_id']}-1"
    unit = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    found: list[str] = []
    for who, path in (
        (unit, "/work?tab=whistled"),
        (chief, "/supervision/whistles"),
        (chief, "/supervision"),
    ):
        for language, theme in ((Language.ENGLISH, Theme.DARK), (Language.CHINESE, Theme.LIGHT)):
            await who.look(language, theme)
            await who.goto(path)
            found += [f"{language} {theme} {path}: {one}" for one in await who.axe()]
    assert found == []
    await unit.goto("/work?tab=whistled")
    row = unit.page.locator(f"#r-{made['complaint_id']}-called-1")
    for told in (await row.inner_text(), await unit.page.locator(place).inner_text()):
        assert "▲" in told
        assert "超 29 小时" in told
    await unit.page.locator(f"{place} a").click()
    await unit.page.wait_for_url(f"**/work/{number}")
    await chief.goto("/supervision")
    await chief.page.get_by_role("link", name="吹哨超时未到").click()
    await chief.page.wait_for_url("**/supervision/whistles")
    text = await chief.page.locator(f"{place}-{OTHER_UNIT}").inner_text()
    for told in ("超 29 小时", "中关村街道", "未回应", "市级", QUIET_STREET, number):
        assert told in text
    await chief.page.get_by_role("link", name=number).click()
    await chief.page.wait_for_url(f"**/supervision/{number}")
    assert [unit.amiss, chief.amiss] == [[], []]
