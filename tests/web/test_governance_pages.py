"""The pages of ranking, programmes and knowledge on a real city: they show what is on record, and say how old it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hotline.governance.facts import ItemNamed, ProgrammeAdopted, ProgrammeProposed, TaskSet, programme_id_of
from hotline.governance.log import programmes
from hotline.scoring.ledger import scores
from hotline.web.pages.candidates import PERIODS, period_of
from hotline.web.pages.problems import PageRefusal
from hotline.web.pages.ranking import month_of
from services.intake.knowledge.base import add, load_where_empty, withdraw
from shared import roles
from shared.ids import UnitId
from shared.log.acts import acting
from shared.policy.ruleset import ruleset
from shared.versions import RULESET
from tests.city import STREETS, UNIT, City
from tests.web.browser import People, Watched, needs_browser, open_browser
from tests.web.door import Door
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser, pytest.mark.usefixtures("sound_door")]


@pytest.fixture(scope="module")
async def chief(door: Door) -> AsyncIterator[Watched]:
    async with open_browser() as browser:
        people = People(browser, door)
        yield await people.sign_in("赵局", roles.SUPERVISION)
        await people.close()


async def test_an_article_is_found_by_a_question_and_shows_its_versions(chief: Watched, town: City) -> None:
    await load_where_empty(town.endpoints.login("editor"))
    since = datetime(2021, 1, 1, tzinfo=UTC)
    async with acting(town.endpoints.login("editor")) as editor:
        for text in ("热线号码是12345。", "热线号码是12345，全天接听。"):
            await add(
                editor,
                "kb-page",
                subject="综合",
                title="热线电话号码是多少",
                text=text,
                valid_from=since,
                source="试",
            )
        await withdraw(editor, "kb-page", 1, datetime.now(UTC), "不全")
    await chief.goto("/knowledge?q=热线电话号码是多少")
    await chief.page.locator(".found a", has_text="热线电话号码").first.click()
    await chief.page.wait_for_url("**/knowledge/kb-page")
    assert "全天接听" in await chief.page.locator(".body").inner_text()
    history = await chief.page.locator(".history li").all_inner_texts()
    assert [text.split()[0] for text in history] == ["kb-page@2", "kb-page@1"]
    assert "不全" in history[1]
    assert await chief.axe() == []
    await chief.goto("/knowledge?q=xyzzy")
    assert await chief.page.locator(".empty").count() == 1
    assert chief.amiss == []


async def test_a_programme_shows_its_problems_its_tasks_and_what_is_overdue(
    chief: Watched, town: City
) -> None:
    at = datetime(2021, 1, 5, tzinfo=UTC)
    made = programme_id_of(2021, 3, "房产证办证难")
    async with programmes(town.endpoints.login("governor")) as log:
        await log.record(
            [
                ProgrammeProposed(
                    programme_id=made,
                    by="test",
                    year=2021,
                    month=3,
                    title="房产证办证难",
                    lead=UnitId(UNIT),
                    proposed_at=at,
                ),
                ProgrammeAdopted(programme_id=made, by="test", adopted_at=at),
                ItemNamed(
                    programme_id=made, by="test", item=1, title="历史遗留", lead=UnitId(UNIT), named_at=at
                ),
                TaskSet(
                    programme_id=made,
                    by="test",
                    task=1,
                    item=1,
                    title="摸清底数",
                    owner=UnitId(UNIT),
                    due=date(2021, 3, 31),
                    set_at=at,
                ),
            ]
        )
    await chief.goto("/programmes")
    row = chief.page.locator("table.list tbody tr", has_text="房产证办证难")
    assert "0/1" in await row.inner_text()
    assert "▲1" in (await row.inner_text()).replace(" ", "").replace("\n", "")
    await row.get_by_role("link").click()
    await chief.page.wait_for_url("**/programmes/*")
    assert "摸清底数" in await chief.page.locator("#h-items + h3 + table").inner_text()
    assert await chief.axe() == []
    assert chief.amiss == []


async def test_candidates_lead_to_the_complaints_behind_them(chief: Watched, door: Door) -> None:
    agents = await door.of(roles.AGENTS)
    subject = "候选主题的试验"
    made = [await recorded(agents, subject=subject) for _ in range(2)]
    turned = {"turned_away": "REDIRECTED", "turned_away_to": "法院", "turned_away_reason": "诉讼"}
    away = await recorded(agents, subject=subject, **turned)
    await chief.goto("/programmes")
    await chief.page.get_by_role("link", name="候选主题").click()
    await chief.page.wait_for_url("**/programmes/candidates")
    row = chief.page.locator("table.list tbody tr", has_text=subject)
    shown = (await row.inner_text()).split()
    assert shown[1:3] == ["2", "0"]
    assert await chief.axe() == []
    await row.get_by_role("link", name=subject).click()
    await chief.page.wait_for_url("**/programmes/complaints?*")
    listed = await chief.page.locator("table.list tbody .number").all_inner_texts()
    assert sorted(listed) == sorted(one["complaint_number"] for one in made)
    assert away["complaint_number"] not in listed
    assert await chief.axe() == []
    await chief.page.get_by_role("link", name="← 候选主题").click()
    await chief.page.wait_for_url("**/programmes/candidates?days=365")
    for wrong in ("candidates?days=7", "complaints?days=30", "complaints?subject=x&after=x"):
        answer = await chief.page.context.request.get(f"{chief.origin}/programmes/{wrong}")
        assert answer.status == 400
    assert chief.amiss == []


@pytest.mark.parametrize("days", PERIODS)
def test_a_period_of_candidates_has_the_days_it_is_named_by(days: int) -> None:
    period = period_of(days, date(2021, 10, 5))
    assert (period.until - period.first).days == days
    assert (period.last, period.until) == (date(2021, 10, 5), date(2021, 10, 6))
    assert period_of(30, date(2021, 9, 30)).first == date(2021, 9, 1)


async def test_the_ranking_says_how_far_it_is_counted(chief: Watched, door: Door, town: City) -> None:
    this_month = datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m")
    await chief.goto(f"/ranking?month={this_month}")
    assert await chief.page.locator(".notice.late").count() == 1  # nobody has counted yet
    await recorded(await door.of(roles.AGENTS))
    rules = ruleset(RULESET)
    async with scores(
        town.endpoints.login("governor"), ZoneInfo(rules.timezone), rules.score.counting
    ) as view:
        await view.catch_up()
    await chief.goto(f"/ranking?month={this_month}")
    assert await chief.page.locator(".notice.late").count() == 0
    assert await chief.page.locator("table.list tbody tr").count() == len(STREETS)
    assert await chief.axe() == []
    assert chief.amiss == []


@pytest.mark.parametrize("text", ["2021", "2021-13", "x", "2021-09-01", "1999-01", "2030-01"])
def test_a_month_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PageRefusal):
        month_of(text, date(2021, 10, 5))


def test_without_a_month_the_last_one_is_shown() -> None:
    assert month_of("", date(2021, 10, 5)) == date(2021, 9, 1)
    assert month_of("2021-10", date(2021, 10, 5)) == date(2021, 10, 1)
