"""A call that is answered pops up on the page of the agent who took it, with all that the agent needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from playwright.async_api import expect

from hotline.web.pages import staff
from services.intake.knowledge.base import add
from shared import roles
from shared.contacts.callers import CallersKey
from shared.events import ComplaintAnsweredDirectly, ComplaintReceived, ComplaintTurnedAway, RequestRepeated
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.log.acts import acting
from shared.topics import TELEPHONY_CALLS
from tests.city import DISTRICT, STREET, WATER
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import CALLERS, Door, facts_of
from tests.web.test_office_pages import right

pytestmark = [pytest.mark.connected, needs_browser]
NUMBER: Final = "13911112222"


class Switch:
    """The telephone system: tells of calls on its topic."""

    def __init__(self, door: Door) -> None:
        self._town = door.town

    async def offers(self, call: str, number: str = "") -> None:
        """A call reaches the queue; `number`: whose."""
        caller = CallersKey(CALLERS).index(number).hex() if number else None
        await self._town.tell(TELEPHONY_CALLS, call, CallOffered(call_id=call, caller=caller))

    async def connects(self, call: str, agent: str, number: str = "") -> None:
        """It is offered, and this agent answers."""
        await self.offers(call, number)
        await self._town.tell(TELEPHONY_CALLS, call, CallAnswered(call_id=call, agent=agent))

    async def ends(self, call: str) -> None:
        """It is over."""
        await self._town.tell(TELEPHONY_CALLS, call, CallEnded(call_id=call, cause="hangup"))


@pytest.fixture
def switch(door: Door) -> Switch:
    return Switch(door)


async def agent_of(people: People, door: Door, name: str, agent: str) -> Watched:
    """A page of somebody whom the switch names so."""
    staff_id, link = await people.link(name, roles.AGENTS)
    async with acting(door.town.endpoints.login("operator")) as operator:
        await staff.name_agent(operator, staff_id, agent)
    watched = await people.page()
    await watched.goto(link)
    await watched.page.locator("button.main").click()
    await watched.page.wait_for_url("**/record")
    return watched


async def filled(watched: Watched, title: str) -> None:
    """The fields of every record."""
    page = watched.page
    await page.locator("#f-subject").fill(WATER)
    await page.locator("#f-district").fill(DISTRICT)
    await page.locator("#f-street").fill(STREET)
    await page.locator("#f-title").fill(title)


async def recorded_here(watched: Watched) -> str:
    """Send the form; the number that is read back."""
    await watched.page.locator("button.main").click()
    await watched.page.wait_for_url("**/life/*recorded=yes*")
    return await watched.page.locator(".readback").inner_text()


async def told_of(door: Door, number: str) -> dict[str, Any]:
    agents = await door.of(roles.AGENTS)
    told: dict[str, Any] = (await agents.get(f"/complaints/{number}")).json()
    return told


async def test_a_call_opens_on_the_page_of_who_took_it_with_what_the_caller_has_open(
    people: People, door: Door, switch: Switch
) -> None:
    agent = await agent_of(people, door, "周话务", "1001")
    other = await agent_of(people, door, "吴话务", "1002")
    page = agent.page
    await filled(agent, "停水,先前登记")
    await page.locator("#f-phone").fill(NUMBER)
    number = await recorded_here(agent)
    await switch.connects("pop-1", "1001", NUMBER)
    await page.wait_for_url("**/record?call=pop-1")  # by itself: nothing was being typed
    assert number in await page.locator("#caller").inner_text()
    await expect(page.locator("#call-strip .call")).to_contain_text("pop-1")
    assert await other.page.locator("#call-strip .call").count() == 0
    await right(agent, "/record?call=pop-1")
    await other.goto("/record?call=pop-1")  # somebody else's call says nothing of its caller
    assert number not in await other.page.locator("main").inner_text()
    await agent.goto("/record?call=pop-1")
    await page.locator("#caller button").click()
    await page.wait_for_url(f"**/life/{number}")
    (again,) = await facts_of(door, await told_of(door, number), RequestRepeated)
    assert again.actorid.startswith("s")
    found = await door.town.sql("SELECT who FROM vault.access WHERE outcome = 'FOUND' AND through = 'PAGE'")
    assert {row[0][0] for row in found} == {"s"}  # each finding is noted, with the person
    assert agent.amiss == []
    assert other.amiss == []


async def test_a_draft_survives_a_dropped_call_a_reload_and_the_next_call(
    people: People, door: Door, switch: Switch
) -> None:
    agent = await agent_of(people, door, "郑话务", "1003")
    page = agent.page
    await switch.connects("drop-1", "1003")
    await page.wait_for_url("**/record?call=drop-1")
    await filled(agent, "电话断了")
    await switch.ends("drop-1")
    await expect(page.locator("#call-strip .over")).to_be_visible()
    await page.reload()
    assert await page.locator("#f-title").input_value() == "电话断了"
    await switch.connects("drop-2", "1003")
    await expect(page.locator("#call-strip .call")).to_contain_text("drop-2")
    assert page.url.endswith("call=drop-1")  # somebody is at the form: the strip tells of it
    await page.keyboard.press("F2")
    await page.wait_for_url("**/record?call=drop-2")
    assert await page.locator("#f-title").input_value() == ""
    await page.locator("#drafts a", has_text="drop-1").click()
    await page.wait_for_url("**/record?call=drop-1")
    assert await page.locator("#f-title").input_value() == "电话断了"
    number = await recorded_here(agent)
    (received,) = await facts_of(door, await told_of(door, number), ComplaintReceived)
    assert received.call_id == "drop-1"
    await agent.goto("/record?call=drop-1")
    assert await page.locator("#f-title").input_value() == ""  # what is on record is no draft
    # What is on record of the call is shown before one more is made (T7).
    assert number in await page.locator("aside").inner_text()
    await page.locator("#f-subject").fill(WATER)
    await page.locator("#f-district").fill(DISTRICT)
    await page.locator("#f-street").fill(STREET)
    await page.locator("#f-title").focus()
    await page.locator("#foreseen .notice", has_text="T7").wait_for()
    await right(agent, "/record?call=drop-1")


async def test_a_form_that_was_sent_and_not_answered_is_the_same_act_when_it_is_sent_again(
    people: People, door: Door
) -> None:
    agent = await agent_of(people, door, "冯话务", "1004")
    page = agent.page
    await filled(agent, "断线时提交")
    lost: list[dict[str, Any]] = []

    async def lose(route: Any) -> None:
        if route.request.method == "POST":
            answer = await route.fetch(max_redirects=0)  # it arrives, and the answer does not
            lost.append({"status": answer.status})
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/record", lose)
    await page.locator("button.main").click()
    for _ in range(200):
        if lost:
            break
        await page.wait_for_timeout(50)
    await page.unroute("**/record")
    await agent.goto("/record")
    assert await page.locator("#f-title").input_value() == "断线时提交"
    number = await recorded_here(agent)
    agents = await door.of(roles.AGENTS)
    assert lost == [{"status": 303}]
    (_,) = await facts_of(door, (await agents.get(f"/complaints/{number}")).json(), ComplaintReceived)
    rows = await door.town.sql("SELECT count(*) FROM read.wording WHERE title = '断线时提交'")
    assert rows[0][0] == 1


async def test_an_emergency_is_handed_on_by_one_key_while_one_types(
    people: People, door: Door, switch: Switch
) -> None:
    agent = await agent_of(people, door, "陈话务", "1005")
    page = agent.page
    await switch.connects("fire-1", "1005")
    await page.wait_for_url("**/record?call=fire-1")
    await page.locator("#f-address").fill("小关街5号着火")
    await page.keyboard.press("F8")
    await page.wait_for_url("**/life/*recorded=yes*")
    number = await page.locator(".readback").inner_text()
    told = await told_of(door, number)
    (away,) = await facts_of(door, told, ComplaintTurnedAway)
    (received,) = await facts_of(door, told, ComplaintReceived)
    assert (away.to, received.call_id, received.address) == ("119", "fire-1", "小关街5号着火")
    assert agent.amiss == []


async def test_articles_are_found_as_one_types_and_answer_a_question_on_the_spot(
    people: People, door: Door, articles: str
) -> None:
    agent = await agent_of(people, door, "褚话务", "1006")
    page = agent.page
    await filled(agent, "问水费")
    await page.locator("#f-content").press_sequentially("居民水费怎么算")
    await page.locator("#articles", has_text=articles).wait_for()
    await page.locator("#articles input[value]").first.check()
    await page.locator("#f-content").press_sequentially("?")
    number = await recorded_here(agent)
    (answered,) = await facts_of(door, await told_of(door, number), ComplaintAnsweredDirectly)
    assert answered.article_id == "water-price"
    assert agent.amiss == []


async def test_a_number_that_is_typed_finds_what_its_caller_has_open(people: People, door: Door) -> None:
    agent = await agent_of(people, door, "卫话务", "1007")
    page = agent.page
    await filled(agent, "按号码查到")
    await page.locator("#f-phone").fill("+86 139-3333-4444")
    number = await recorded_here(agent)
    await agent.goto("/record")
    await page.locator("#f-phone").fill("13933334444")
    await page.locator("#f-name").focus()
    await page.locator("#caller", has_text=number).wait_for()
    assert "13933334444" not in door.log.read_text()


@pytest.fixture
async def articles(door: Door) -> str:
    """The title of an article about the price of water."""
    title = "居民水费如何计算"
    async with acting(door.town.endpoints.login("editor")) as editor:
        await add(
            editor,
            "water-price",
            subject="水费",
            title=title,
            text="居民水费按阶梯水价计算。第一阶梯每立方米5元。",
            valid_from=datetime(2024, 1, 1, tzinfo=UTC),
            source="发改委",
        )
    return title
