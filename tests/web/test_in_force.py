"""The page of what is in force: each value with its basis and its rule, calendar, catalogue; for the centre."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hotline.contract.rulebook import rules
from hotline.web.pages.look import Language, Theme
from shared import roles
from shared.policy.ruleset import ruleset
from shared.versions import CALENDAR, RULESET
from tests.city import UNIT
from tests.desks import small_catalogue
from tests.web.browser import People, Watched, needs_browser, open_browser
from tests.web.door import Door

pytestmark = [pytest.mark.connected, needs_browser, pytest.mark.usefixtures("sound_door")]


@pytest.fixture(scope="module")
async def people(door: Door) -> AsyncIterator[People]:
    async with open_browser() as browser:
        made = People(browser, door)
        yield made
        await made.close()


@pytest.fixture(scope="module")
async def chief(people: People) -> Watched:
    return await people.sign_in("赵局", roles.SUPERVISION)


async def test_each_value_stands_there_with_its_basis_and_its_rule(chief: Watched) -> None:
    """T31: nobody takes a draft or a choice of ours for law."""
    await chief.look(Language.ENGLISH, Theme.LIGHT)
    await chief.goto("/in-force")
    page = chief.page
    text = await page.locator("main").inner_text()
    assert f"Rule set {RULESET}, in force since 2021-09-24." in text
    assert f"Calendar {CALENDAR} knows the years 2018 to 2026." in text
    known = ruleset(RULESET)
    others = [name for name in known.basis if not name.startswith("classes.")]
    assert await page.locator("tr[id^='value-']").count() == len(others)
    row = page.locator("[id='value-emergency_services']")
    assert await row.locator("td").first.inner_text() == "110, 119, 120, 122"
    assert "law" in await row.inner_text()
    general = await page.locator("#class-GENERAL_7D").inner_text()
    assert "7 days" in general
    assert "draft · SEED, S6 · C2" in general
    links = await page.locator("a[href^='#rule-']").evaluate_all("all => all.map(one => one.hash.slice(1))")
    assert {one.removeprefix("rule-") for one in links} == {
        one.id for one in known.basis.values() if one.id in rules()
    }
    assert all([await page.locator(f"[id='{one}']").count() == 1 for one in set(links)])
    await page.locator("[id='value-emergency_services'] a").click()
    assert page.url.endswith("#rule-R4")
    assert chief.amiss == []


async def test_units_and_subjects_are_those_of_the_citys_own_catalogue(chief: Watched) -> None:
    known = small_catalogue()
    await chief.goto("/in-force")
    subjects = await chief.page.locator("section[aria-labelledby=subjects] tbody tr").count()
    assert subjects == len(known.subjects)
    units = await chief.page.locator("section[aria-labelledby=units]").inner_text()
    assert all(name in units for name in known.districts)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
async def test_axe_finds_nothing(chief: Watched, language: Language, theme: Theme) -> None:
    await chief.look(language, theme)
    await chief.goto("/in-force")
    await chief.page.locator("details summary").first.click()
    assert await chief.axe() == []
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await chief.page.evaluate(over) <= 0
    assert chief.amiss == []


async def test_a_units_people_do_not_see_it(people: People) -> None:
    unit = await people.sign_in("王芳", roles.UNIT, UNIT)
    answer = await unit.page.goto(f"{unit.origin}/in-force")
    assert answer is not None
    assert answer.status == 403
