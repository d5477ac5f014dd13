"""The board on a real city: its figures lead to their lists, it moves while one looks, and says when it is old."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from urllib.parse import urljoin

import httpx2
import pytest

from hotline.department.http_calls import lines_of
from hotline.web.pages.look import Language, Theme
from shared import roles
from tests.city import UNIT, until
from tests.shell import PATIENCE
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser, pytest.mark.usefixtures("sound_door")]


@pytest.fixture
async def chief(people: People) -> Watched:
    return await people.sign_in("赵局", roles.SUPERVISION)


async def _open(chief: Watched) -> int:
    text = await chief.page.locator("#card-limits a.figure").last.locator("b").inner_text()
    return int(text.replace(",", ""))


async def _links(chief: Watched) -> list[str]:
    """The numbers of a page of a list."""
    return await chief.page.locator("table.list tbody td.number a").all_inner_texts()


async def test_a_figure_leads_to_its_list_the_list_to_a_complaint_and_that_to_its_life(
    chief: Watched, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    await chief.goto("/board")

    async def listed() -> bool:
        await chief.page.reload()
        return await _open(chief) >= 1

    await until(listed, within=10, what="the order to be on the board")

    async def leads_to_as_many() -> bool:
        """The tests before may put more on record between the figure and its list; then both are read again."""
        await chief.goto("/board")
        number = await _open(chief)
        await chief.page.locator("#card-limits a.figure").last.click()
        await chief.page.wait_for_url("**/board/orders")
        pages = {chief.page.url: await _links(chief)}
        while await (following := chief.page.locator("p.more a")).count():
            await chief.page.goto(urljoin(chief.page.url, await following.get_attribute("href") or ""))
            pages[chief.page.url] = await _links(chief)
        for page, numbers in pages.items():
            if made["complaint_number"] in numbers:
                await chief.page.goto(page)
                return sum(map(len, pages.values())) == number
        return False

    await until(leads_to_as_many, what="a list that is as long as its figure says")
    await chief.page.get_by_role("link", name=made["complaint_number"]).click()
    await chief.page.wait_for_url("**/life/*")
    assert made["complaint_number"] in await chief.page.locator("main").inner_text()
    assert chief.amiss == []


async def test_every_link_of_the_board_leads_to_a_page(chief: Watched, agents: httpx2.AsyncClient) -> None:
    await recorded(agents)
    await chief.goto("/board")
    links = await chief.page.locator("#board a").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    kinds = {re.sub(r"(district|unit)=[^&]+", r"\1=", link): link for link in links}
    assert len(kinds) >= 12
    for link in kinds.values():
        answer = await chief.page.goto(chief.origin + (link if link.startswith("/") else f"/board{link}"))
        assert answer is not None
        assert answer.status == 200, link
    assert chief.amiss == []


async def test_it_moves_while_one_looks_and_the_focus_stays(
    chief: Watched, agents: httpx2.AsyncClient
) -> None:
    await recorded(agents)
    await asyncio.sleep(3)  # it is on the board by then
    await chief.goto("/board")
    before = await _open(chief)
    figure = chief.page.locator("#card-limits a.figure").last
    await figure.focus()
    for more in range(1, 4):
        await recorded(agents)

        async def moved(more: int = more) -> bool:
            return await _open(chief) == before + more

        await until(moved, within=10, what="the board to show one more")
    assert await figure.evaluate("one => one === document.activeElement")
    assert await chief.page.locator("#as-of.late").count() == 0
    assert chief.amiss == []


async def test_it_is_right_for_a_reader_who_sees_nothing_in_both_looks(
    chief: Watched, agents: httpx2.AsyncClient
) -> None:
    made = await recorded(agents)
    found: list[str] = []
    paths = (
        "/board",
        "/board?shading=load&tv=1",
        "/board/orders?due=overdue",
        "/board/orders",
        "/board/waiting/supervision",
        "/board/parked",
        f"/life/{made['complaint_number']}",
        "/calls",
        "/calls?since=x",
        "/ranking",
        "/ranking?list=advanced",
        "/programmes",
        "/knowledge",
        "/knowledge?q=停水怎么办",
    )
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await chief.look(language, theme)
            for path in paths:
                await chief.goto(path)
                found += [f"{language} {theme} {path}: {one}" for one in await chief.axe()]
    assert found == []
    assert chief.amiss == []


async def test_it_has_no_place_for_a_unit(people: People) -> None:
    unit = await people.sign_in("王芳", roles.UNIT, UNIT)
    for path in (
        "/board",
        "/board/events",
        "/board/orders",
        "/calls",
        "/ranking",
        "/programmes",
        "/knowledge",
    ):
        answer = await unit.page.request.get(unit.origin + path)
        assert answer.status == 403, path


async def test_two_hundred_who_look_cost_one_drawing(
    door: Door, people: People, agents: httpx2.AsyncClient
) -> None:
    chief = await people.sign_in("钱局", roles.SUPERVISION)
    (cookie,) = [one for one in await chief.page.context.cookies() if one["name"].endswith("hotline-session")]
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    limits = httpx2.Limits(max_connections=210)
    async with httpx2.AsyncClient(
        base_url=chief.origin, headers=headers, limits=limits, timeout=60, trust_env=False
    ) as client:
        looked = asyncio.Event()
        heard = [0] * 200

        async def look(number: int) -> None:
            async with client.stream("GET", "/board/events") as stream:
                assert stream.status_code == 200
                async for line in lines_of(stream):
                    heard[number] += line.startswith("event: as-of")
                    if looked.is_set():
                        return

        viewers = [asyncio.create_task(look(number)) for number in range(200)]

        async def all_hear() -> bool:
            return min(heard) >= 2

        await until(all_hear, within=60, what="all viewers to hear")
        before = await _rendered(door)
        began = list(heard)
        await recorded(agents)

        async def all_hear_again() -> bool:
            return min(now - then for then, now in zip(began, heard, strict=True)) >= 2

        await until(all_hear_again, within=60, what="all viewers to hear again")
        after = await _rendered(door)
        drawings = 2 + max(now - then for then, now in zip(began, heard, strict=True))
        looked.set()
        await asyncio.gather(*viewers)
    # Two more: of a drawing that nobody has heard of yet, parts may be counted on either side.
    assert 5 <= after - before <= 5 * drawings  # five parts each, not those of two hundred


async def _rendered(door: Door) -> float:
    """How many regions were rendered."""
    said = [json.loads(line) for line in door.log.read_text().splitlines() if '"metrics_served"' in line]
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        text = (await client.get(f"http://127.0.0.1:{said[-1]['port']}/metrics")).text
    count = re.search(r"^\S*web_regions_rendered\S* (\S+)$", text, re.MULTILINE)
    assert count is not None
    return float(count[1])


async def test_where_the_lists_fall_behind_every_card_says_so(
    door: Door, chief: Watched, agents: httpx2.AsyncClient
) -> None:
    await chief.goto("/board")
    assert await chief.page.locator(".board-card.old").count() == 0
    projector = door.supervisor.pids()["projector"]
    os.kill(projector, signal.SIGSTOP)
    try:
        await recorded(agents)
        await chief.page.locator(".board-card.old").first.wait_for(timeout=15_000 * PATIENCE)
    finally:
        os.kill(projector, signal.SIGCONT)
    await chief.page.locator(".board-card.old").first.wait_for(state="detached", timeout=15_000 * PATIENCE)
    assert chief.amiss == []


async def test_where_the_stream_breaks_the_page_says_so(door: Door, chief: Watched) -> None:
    await chief.goto("/board")
    await chief.page.wait_for_timeout(2500)
    web = door.supervisor.pids()["web"]
    os.kill(web, signal.SIGSTOP)
    try:
        await chief.page.locator("#as-of.late").wait_for(timeout=15_000 * PATIENCE)
    finally:
        os.kill(web, signal.SIGCONT)
    await chief.page.locator("#as-of:not(.late)").wait_for(timeout=15_000 * PATIENCE)
