"""The operations page on a real city: its edges have figures, a process that is killed is away, and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from deploy.city.endpoints import PROCESSES
from deploy.embedded.stack import Addresses
from hotline.readside.legs import Leg
from hotline.web.pages.look import Language, Theme
from hotline.web.pages.operations.page import LIVES_MAX
from shared import roles
from tests.city import OTHER_UNIT, UNIT, open_city, until
from tests.shell import PATIENCE
from tests.sources import Databases
from tests.watching.conftest import WatchedCity, lives
from tests.web.browser import People, Watched, needs_browser, open_browser
from tests.web.door import Door, open_door
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]


@pytest.fixture(scope="module")
async def watched(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WatchedCity]:
    """A city that writes down where its processes answer, and an HTTP door that reads them."""
    async with open_city(stack, databases, tmp_path_factory.mktemp("operations")) as town:
        targets = town.folder / "targets"
        await town.start(extra={f"{name.upper()}_METRICS_TARGETS": str(targets) for name in PROCESSES})
        folder = tmp_path_factory.mktemp("operations-door")
        async with open_door(town, folder, targets=str(targets), observed=str(targets)) as door:
            yield WatchedCity(town, door, targets)


@pytest.fixture(scope="module")
async def door(watched: WatchedCity) -> Door:
    return watched.door


@pytest.fixture
async def chief(people: People) -> Watched:
    return await people.sign_in("赵局", roles.SUPERVISION)


async def _figures(chief: Watched, begin: str, end: str) -> list[str]:
    """The figures of an edge, as the table has them; none where it has no such edge."""
    for row in await chief.page.locator("#operations-table tr").all():
        cells = await row.locator("th, td").all_text_contents()
        if cells[:2] == [begin, end]:
            return cells[2:]
    return []


async def test_edges_have_figures_once_lives_were_lived(watched: WatchedCity, chief: Watched) -> None:
    await chief.look(Language.ENGLISH, Theme.LIGHT)
    await chief.goto("/operations")
    number = 1

    async def flows() -> bool:
        nonlocal number
        number += 1
        await lives(watched, number)
        told = [
            await _figures(chief, "intake.requests", "intake"),
            await _figures(chief, "dispatch", "log (PostgreSQL)"),
            await _figures(chief, "relay", "topics of the relay"),
            await _figures(chief, "pages", "web"),
        ]
        return all(one and one[0] not in {"–", "0"} and one[1] != "–" for one in told)

    await until(flows, within=120, what="figures on the edges")
    (lag,) = [(await _figures(chief, "log (PostgreSQL)", "relay"))[3]]
    assert lag.endswith(" s")
    assert (await _figures(chief, "intake.requests", "intake"))[3] == "0"
    graph = chief.page.locator("#operations-graph svg")
    assert await graph.locator("rect.service").count() == 7
    assert "p95" in (await graph.text_content() or "")
    assert await chief.page.locator("#operations-work tr").count() == 7
    assert await chief.page.locator("#operations-work .bar rect[width='0']").count() < 7
    assert chief.amiss == []


async def test_a_process_that_is_killed_is_away_since_then_and_back_with_its_rates(
    watched: WatchedCity, chief: Watched
) -> None:
    await chief.look(Language.ENGLISH, Theme.LIGHT)
    await chief.goto("/operations")
    supervisor = watched.door.supervisor
    os.kill(supervisor.pids()["projector"], signal.SIGSTOP)  # nobody brings it back: it is there, and mute
    try:
        notice = chief.page.locator("#operations-away .notice", has_text="projector")
        await notice.wait_for(timeout=60_000 * PATIENCE)
        said = await notice.inner_text()
        assert datetime.strptime(said.rstrip(".").rpartition(" ")[2], "%H:%M:%S")  # noqa: DTZ007 -- a time of day
        await chief.page.locator("#operations-graph rect.service.away").wait_for(timeout=60_000 * PATIENCE)
        await recorded(await watched.door.of(roles.AGENTS))
        old = chief.page.locator("#operations-stamp .stamp.old", has_text="behind the log")
        await old.wait_for(timeout=60_000 * PATIENCE)  # nobody counts its legs
    finally:
        os.kill(supervisor.pids()["projector"], signal.SIGCONT)
    await notice.wait_for(state="detached", timeout=60_000 * PATIENCE)
    await old.wait_for(state="detached", timeout=60_000 * PATIENCE)
    os.kill(supervisor.pids()["projector"], signal.SIGKILL)

    async def counts_on() -> bool:
        await asyncio.sleep(1)
        told = await _figures(chief, "log (PostgreSQL)", "projector")
        return bool(told) and told[0] != "–" and not told[0].startswith("-")

    await until(counts_on, within=60, what="the projector to be back")
    assert chief.amiss == []


async def test_slow_and_failing_lives_lead_to_their_pages(watched: WatchedCity, chief: Watched) -> None:
    made = await recorded(await watched.door.of(roles.AGENTS))
    # As the process that states traces notes it (tests/connected/test_life_exporter.py); this city has no viewer.
    await watched.town.sql(
        "INSERT INTO read.traced (stream_id, why) VALUES ($1::text::uuid, 'overdue')", made["complaint_id"]
    )
    await chief.look(Language.ENGLISH, Theme.LIGHT)
    await chief.goto("/operations")
    number = made["complaint_number"]
    row = chief.page.locator(f"#failing-{number}")
    await row.wait_for(timeout=30_000 * PATIENCE)
    assert "▲ overdue" in await row.inner_text()
    assert 1 <= await chief.page.locator("[id^='slowest-']").count() <= LIVES_MAX
    await row.get_by_role("link", name=number).click()
    await chief.page.wait_for_url("**/life/*")
    assert number in await chief.page.locator("main").inner_text()
    assert chief.amiss == []


async def test_legs_are_counted_of_all_and_of_one_unit_and_lead_to_those_that_are_in_them(
    watched: WatchedCity, chief: Watched
) -> None:
    await lives(watched, 9001)  # goes to a unit and to its end
    await chief.look(Language.ENGLISH, Theme.LIGHT)

    async def counted() -> bool:
        await chief.goto("/operations?span=hour")
        told = [await chief.page.locator(f"#leg-{leg} .amount").all_text_contents() for leg in Leg]
        return all(len(one) == 3 and one[0] != "0" and "–" not in one for one in told)

    await until(counted, within=30, what="figures of all legs")
    assert await chief.page.locator("#leg-signed svg rect").count() >= 1
    assert "half within" in (await chief.page.locator("#leg-signed svg").get_attribute("aria-label") or "")
    every = await chief.page.locator("#leg-signed .amount").first.inner_text()
    assert "paused or extended" in await chief.page.locator("#operations-legs .note").inner_text()
    assert "position" in await chief.page.locator("#operations-stamp .stamp").inner_text()
    await chief.page.locator("#unit").select_option(UNIT)
    await chief.page.get_by_role("button", name="Show").click()
    await chief.page.wait_for_url(f"**unit={UNIT}**")
    mine = await chief.page.locator("#leg-signed .amount").first.inner_text()
    assert 1 <= int(mine) <= int(every)
    assert await chief.page.get_by_role("link", name="last hour").get_attribute("aria-current") == "true"
    await chief.page.locator("#unit").select_option(OTHER_UNIT)
    await chief.page.get_by_role("button", name="Show").click()
    await chief.page.wait_for_url(f"**unit={OTHER_UNIT}**")
    assert await chief.page.locator("#leg-closed .amount").all_text_contents() == ["0", "–", "–"]
    await chief.page.locator("#leg-signed a").click()
    await chief.page.wait_for_url(f"**/board/orders?stage=AT_UNIT&unit={OTHER_UNIT}")
    assert chief.amiss == []


async def test_it_is_right_for_a_reader_who_sees_nothing_in_both_looks(chief: Watched) -> None:
    found: list[str] = []
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await chief.look(language, theme)
            await chief.goto("/operations")
            desk = await chief.page.locator("#leg-ordered td").first.inner_text()
            assert desk == ("dispatch" if language is Language.ENGLISH else "派单")
            await chief.page.locator("details summary").click()
            found += [f"{language} {theme}: {one}" for one in await chief.axe()]
    assert found == []
    assert chief.amiss == []


async def test_it_has_no_place_for_others(people: People) -> None:
    for name, role, unit in (("王芳", roles.UNIT, UNIT), ("李四", roles.AGENTS, "")):
        person = await people.sign_in(name, role, unit)
        for path in ("/operations", "/operations/events"):
            answer = await person.page.request.get(person.origin + path)
            assert answer.status == 403, path


async def test_a_door_that_was_told_of_no_processes_says_so(
    watched: WatchedCity, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("unobserved")
    async with open_door(watched.town, folder, projector=False) as other, open_browser() as browser:
        people = People(browser, other)
        chief = await people.sign_in("钱局", roles.SUPERVISION)
        await chief.look(Language.ENGLISH, Theme.LIGHT)
        await chief.goto("/operations")
        assert "reads no metrics" in await chief.page.locator("main .notice").inner_text()
        assert chief.amiss == []
        await people.close()
