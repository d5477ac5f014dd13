"""The citizen's page in a browser: both looks, the link's script, and none; and its words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
from msgspec.structs import replace

from hotline.web.citizen_links import MINE
from hotline.web.open311.history import TOLD
from hotline.web.pages.assets import assets
from hotline.web.pages.citizen.milestones import MILESTONES, OF_CITIZEN
from hotline.web.pages.citizen.routes import FILES
from hotline.web.pages.citizen.standing import CENTRE, CitizenStanding, standing
from hotline.web.pages.look import Language, Theme
from shared import roles
from shared.complaint import Answered, Complaint, Ended, Held, Pause, Visit
from shared.events import VisitMade
from shared.events.base import Level, Outcome, Urgency, VisitReason
from shared.ids import ComplaintId, RequestId, UnitId
from shared.versions import RULESET
from tests.city import UNIT
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door, facts_of
from tests.web.pictures import LONG
from tests.web.test_citizen import answered, by_web, parts

NOON: Final = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
CASE: Final = Complaint(
    complaint_id=ComplaintId("11111111-2222-8333-8444-555555555555"),
    request_id=RequestId("r"),
    urgency=Urgency.GENERAL_7D,
    ruleset=RULESET,
    calendar="cn-1",
    received_at=NOON,
    district="海淀区",
    address="",
    title="没有水",
    content="",
)


@pytest.fixture(scope="module")
async def unit(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.UNIT, UNIT)


async def typed(people: People, made: dict[str, Any], **how: Any) -> Watched:
    """The page of this complaint, opened by typing."""
    citizen = await people.page("public", **how)
    number, code = parts(made["citizen_link"])
    await citizen.goto(MINE)
    await citizen.page.locator("#number").fill(number.lower())
    await citizen.page.locator("#code").fill(f"{code[:5]}-{code[5:]}")
    await citizen.page.locator("button.main").click()
    await citizen.page.wait_for_url(f"**{MINE}/{number}")
    return citizen


@pytest.mark.connected
@needs_browser
async def test_the_page_is_right_for_a_reader_who_sees_nothing_in_both_looks(
    people: People, door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    made = await by_web(agents, title=LONG, content=LONG * 3)
    citizen = await typed(people, made)
    asked = await by_web(agents)
    await answered(door, unit, asked)
    being_asked = await typed(people, asked)
    number = made["complaint_number"]
    found: list[str] = []
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            for who, path in (
                (citizen, MINE),
                (citizen, f"{MINE}?over=yes&number={number}"),
                (citizen, f"{MINE}/{number}"),
                (citizen, f"{MINE}/{number}?done=supplement"),
                (being_asked, f"{MINE}/{asked['complaint_number']}"),
            ):
                await who.look(language, theme)
                await who.goto(path)
                found += [f"{language} {theme} {path}: {one}" for one in await who.axe()]
    await citizen.goto(MINE)
    await citizen.page.locator("#number").fill(number)
    await citizen.page.locator("#code").fill("x")
    await citizen.page.locator("button.main").click()
    await citizen.page.locator("[role=alert]").wait_for()
    found += [f"wrong code: {one}" for one in await citizen.axe()]
    assert found == []
    assert being_asked.amiss == []
    assert [one for one in citizen.amiss if "400" not in one] == []


@pytest.mark.connected
@needs_browser
async def test_the_link_opens_by_itself_and_leaves_no_code_behind(
    people: People, agents: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    number, code = parts(made["citizen_link"])
    citizen = await people.page("public")
    asked: list[str] = []
    citizen.page.on("request", lambda one: asked.append(one.url))
    await citizen.goto(made["citizen_link"])
    await citizen.page.wait_for_url(f"**{MINE}/{number}")
    assert number in await citizen.page.locator("main").inner_text()
    await citizen.page.go_back()
    assert code not in citizen.page.url
    assert code not in await citizen.page.content()
    assert [url for url in asked if code in url.partition("#")[0]] == []
    assert citizen.amiss == []


@pytest.mark.connected
@needs_browser
async def test_a_citizen_without_a_script_answers_the_visit_in_one_step(
    people: People, door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient
) -> None:
    made = await by_web(agents)
    await answered(door, unit, made)
    citizen = await typed(people, made, java_script_enabled=False)
    page = citizen.page
    await page.get_by_label("未解决").check()
    await page.locator("[name=satisfied][value=no]").first.check()
    await page.locator("#visit-reason").fill("水还是没有来")
    await page.get_by_role("button", name="提交评价").first.click()
    await page.wait_for_url("**done=visit")
    text = await page.locator("main").inner_text()
    assert "您的答复已记录" in text
    assert "第 2 轮" in text
    (visit,) = await facts_of(door, made, VisitMade)
    assert (visit.solved, visit.reason) == (False, "水还是没有来")
    await page.get_by_role("button", name="English").click()
    assert "Not solved: it is worked on again" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Leave this page").click()
    await page.wait_for_url("**left=yes")
    assert citizen.amiss == []


def test_the_page_tells_what_open311_tells_and_beside_it_the_citizens_own_words() -> None:
    assert set(MILESTONES) - set(OF_CITIZEN) == set(TOLD)
    assert set(OF_CITIZEN) <= set(MILESTONES)


def test_the_public_listener_serves_files_that_there_are() -> None:
    assert set(FILES) <= set(assets())
    assert sum(len(assets()[name].packed) for name in FILES) <= 12_000


def told(case: Complaint, now: datetime = NOON) -> CitizenStanding:
    return standing(case, now, NOON, text=str, unit=lambda code: code, shown=lambda at: at.isoformat())


def test_each_outcome_and_each_end_has_its_words() -> None:
    ends = [Ended(how="ComplaintClosed", at=NOON, outcome=outcome) for outcome in Outcome]
    ends += [
        Ended(how=how, at=NOON)
        for how in ("ComplaintWithdrawn", "ComplaintAnsweredDirectly", "ComplaintTurnedAway")
    ]
    words = []
    for ended in ends:
        one = told(replace(CASE, ended=ended))
        assert (one.where, one.until, one.since, one.ended) == (CENTRE, None, NOON, True)
        words.append(one.comes_next)
    assert len(set(words)) == len(ends)


def test_it_lies_with_the_unit_that_has_the_order_until_its_limit() -> None:
    held = Held(
        unit=UnitId("street-a"),
        level=Level.UNIT,
        assignment=1,
        round=1,
        dispatched_at=NOON,
        citizen_due_at=NOON + HOUR,
        unit_due_at=NOON + HOUR,
    )
    case = replace(CASE, order=held)
    one = told(case)
    assert (one.where, one.since, one.until, one.late) == ("street-a", NOON, NOON + HOUR, False)
    late = told(case, NOON + 2 * HOUR)
    assert late.late
    assert "has passed" in late.comes_next
    paused = replace(held, pause=Pause(days=1, since=NOON, until=NOON + 9 * HOUR))
    assert told(replace(case, order=paused)).until is None
    again = told(replace(case, reopened=True))
    assert (again.where, again.round, again.until) == (CENTRE, 2, None)


def test_the_visit_is_told_when_it_is_due_and_before() -> None:
    visit = Visit(visit=1, attempt=2, round=1, reason=VisitReason.ANSWERED, visit_at=NOON)
    order = Answered(
        unit=UnitId("street-a"),
        level=Level.UNIT,
        assignment=1,
        round=1,
        dispatched_at=NOON,
        citizen_due_at=NOON,
        unit_due_at=NOON,
        answered_at=NOON,
    )
    case = replace(CASE, order=order)
    assert "You gave no name" in told(replace(case, anonymous=True)).comes_next
    case = replace(case, visit=visit)
    assert "answer below" in told(case).comes_next
    by_call = standing(case, NOON, NOON, str, str, str, answers_here=False)
    assert by_call.comes_next == "We call you and ask whether it is solved."
    assert "once more" in told(case, NOON - HOUR).comes_next
