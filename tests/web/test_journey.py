"""One complaint from the ringing call to the visit's "solved", by pages alone, by five people."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import expect

from hotline.web.pages import staff
from shared import roles
from shared.contacts.callers import CallersKey
from shared.events import ComplaintClosed, ComplaintReceived, VisitMade, VisitScheduled
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.log.acts import acting
from shared.topics import TELEPHONY_CALLS
from tests.city import DISTRICT, OTHER_UNIT, STREET, UNIT, WATER, until
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import CALLERS, Door

pytestmark = [pytest.mark.connected, needs_browser]
CALL: Final = "journey-1"
NUMBER: Final = "13977778888"
TITLE: Final = "三天没有水,一路走到回访"


async def agent_at(people: People, door: Door, extension: str) -> Watched:
    """The agent whom the switch names so, on the page on which a call is waited for."""
    staff_id, link = await people.link("周话务", roles.AGENTS)
    async with acting(door.town.endpoints.login("operator")) as operator:
        await staff.name_agent(operator, staff_id, extension)
    agent = await people.page()
    await agent.goto(link)
    await agent.page.locator("button.main").click()
    await agent.page.wait_for_url("**/record")
    return agent


async def opened(person: Watched, path: str, key: str) -> None:
    """A page of a matter, and there the form behind a key."""
    await person.goto(path)
    await person.page.wait_for_load_state("load")
    await person.page.keyboard.press(key)
    await person.page.wait_for_url("**?do=*")
    await person.page.wait_for_load_state("load")


async def sent(person: Watched, outcome: str) -> None:
    """Send the form by the keyboard; the page tells this fact."""
    await person.page.locator("form.fields button.main").press("Enter")
    await person.page.wait_for_url(f"**done=*{outcome}*")


async def test_a_complaint_goes_from_a_ringing_call_to_solved_by_the_pages_of_five_people(
    people: People, door: Door
) -> None:
    town = door.town
    # 1. The agent: the telephone rings, the call opens by itself, the number is read back.
    agent = await agent_at(people, door, "2001")
    place = CallersKey(CALLERS).index(NUMBER).hex()
    await town.tell(TELEPHONY_CALLS, CALL, CallOffered(call_id=CALL, caller=place))
    await town.tell(TELEPHONY_CALLS, CALL, CallAnswered(call_id=CALL, agent="2001"))
    await agent.page.wait_for_url(f"**/record?call={CALL}")
    for field, value in (
        ("subject", WATER),
        ("district", DISTRICT),
        ("street", STREET),
        ("title", TITLE),
        ("phone", NUMBER),
    ):
        await agent.page.locator(f"#f-{field}").fill(value)
    await agent.page.locator("#foreseen b", has_text=STREET).wait_for()
    await agent.page.keyboard.press("Control+Enter")
    await agent.page.wait_for_url("**/life/*recorded=yes*")
    number = await agent.page.locator(".readback").inner_text()
    await town.tell(TELEPHONY_CALLS, CALL, CallEnded(call_id=CALL, cause="hangup"))
    # 2. The clerk of the street, to whom it went: it is not the street's.
    clerk = await people.sign_in("王芳", roles.UNIT, UNIT)
    await opened(clerk, f"/work/{number}", "r")
    await clerk.page.locator("#f-reason").fill("不属本街道职责")
    await clerk.page.locator("#f-evidence").fill("管网权属见附图")
    await clerk.page.locator("#f-suggested_unit").fill(OTHER_UNIT)
    await sent(clerk, "ReturnRequested")
    # 3. The reviewer sees why, and approves.
    reviewer = await people.sign_in("钱审核", roles.REVIEWERS)
    await opened(reviewer, f"/decisions/{number}", "r")
    assert "管网权属见附图" in await reviewer.page.locator("main").inner_text()
    await reviewer.page.locator("[name=approved][value=yes]").check()
    await sent(reviewer, "ReturnApproved")
    # 4. The clerk of the other street signs, reads the citizen's number, and answers.
    other = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)

    async def lies_there() -> bool:
        await other.goto(f"/work/{number}")
        return TITLE in await other.page.locator("main").inner_text()

    await until(lies_there, what="the order of the other street", every=0.2)
    await other.page.wait_for_load_state("load")
    await other.page.keyboard.press("s")
    await other.page.wait_for_url("**done=OrderSigned*")
    await other.page.wait_for_load_state("load")
    await other.page.keyboard.press("o")
    await expect(other.page.locator("#contact-read")).to_contain_text(NUMBER)
    await opened(other, f"/work/{number}", "a")
    await other.page.locator("#f-result").fill("管道已修复,恢复供水")
    await other.page.locator("[name=claims_solved]").check()
    await sent(other, "OrderAnswered")
    # 5. The visitor reads what the unit says it did, and writes down what the citizen says.
    visitor = await people.sign_in("孙回访", roles.DIALLER)
    complaint = await _id_of(door, number)
    await town.until_fact(complaint, VisitScheduled)

    async def asked() -> bool:
        await visitor.goto(f"/visits/{number}")
        return "管道已修复" in await visitor.page.locator("main").inner_text()

    await until(asked, what="the visit on the page", every=0.2)
    await visitor.page.wait_for_load_state("load")
    await visitor.page.keyboard.press("o")
    await expect(visitor.page.locator("#contact-read")).to_contain_text(NUMBER)
    await opened(visitor, f"/visits/{number}", "r")
    await visitor.page.locator("[name=solved][value=yes]").check()
    await visitor.page.locator("[name=satisfied][value=yes]").check()
    await sent(visitor, "VisitMade")
    await town.until_fact(complaint, ComplaintClosed)
    # The log knows which of the five did it, and the agent's page shows each by name.
    facts = [one.fact for one in await town.facts(complaint)]
    (received,) = [fact for fact in facts if isinstance(fact, ComplaintReceived)]
    (visit,) = [fact for fact in facts if isinstance(fact, VisitMade)]
    assert (received.call_id, visit.solved, visit.satisfied) == (CALL, True, True)
    assert len({fact.actorid for fact in facts if fact.actorid}) == 5
    await agent.goto(f"/life/{number}?all=yes")
    life = await agent.page.locator("main").inner_text()
    assert all(name in life for name in ("周话务", "王芳", "钱审核", "李雷", "孙回访"))
    assert [
        one for person in (agent, clerk, reviewer, other, visitor) for one in person.amiss if "404" not in one
    ] == []


async def _id_of(door: Door, number: str) -> str:
    agents = await door.of(roles.AGENTS)
    told: str = (await agents.get(f"/complaints/{number}")).json()["complaint_id"]
    return told
