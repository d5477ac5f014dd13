"""The unit's page on a real city: its list by what is due, in both languages and themes."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from hotline.web.pages.look import Language, Theme
from shared import roles
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
        await people.close()
