"""Marks of malicious callers on pages: proposed, approved, warned of, objected to, lifted; by three people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import asyncpg
import pytest

from hotline.caller_marks import LISTED_MAX
from hotline.upkeep.retention import due, let_go
from hotline.web.pages.caller_marks import BASE
from shared import roles
from shared.contacts.callers import CallersKey
from shared.events import ComplaintReceived
from shared.log.acts import acting
from shared.policy.ruleset import ruleset
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows
from shared.versions import RULESET
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import CALLERS, Door, facts_of
from tests.web.test_agent_calls import Switch, agent_of, filled, recorded_here, told_of
from tests.web.test_office_pages import right

pytestmark = [pytest.mark.connected, needs_browser]
CALLER: Final = "13922223333"
OTHER: Final = "13922224444"
RAGES: Final = "一日内反复来电,辱骂话务员"


@pytest.fixture
def switch(door: Door) -> Switch:
    return Switch(door)


async def takes(agent: Watched, switch: Switch, call: str, extension: str, number: str) -> None:
    """This agent answers a call of this number."""
    await switch.connects(call, extension, number)
    await agent.page.wait_for_url(f"**/record?call={call}")


async def proposes(agent: Watched, reason: str) -> None:
    """Propose the mark on the page of the call."""
    await agent.page.locator(".marking summary").click()
    await agent.page.locator("#mark-reason").fill(reason)
    await agent.page.keyboard.press("Enter")


async def mark_of(door: Door, reason: str) -> int:
    """The number of the mark with this reason."""
    statement = "SELECT mark_id FROM vault.caller_mark_act WHERE reason = $1 ORDER BY mark_id DESC LIMIT 1"
    return int(await door.town.value(statement, reason))


async def decides(chief: Watched, mark: int, button: str, reason: str) -> None:
    """Decide on the page of the mark."""
    await chief.goto(f"{BASE}/{mark}")
    await chief.page.locator("#f-reason").fill(reason)
    await chief.page.get_by_role("button", name=button, exact=True).click()
    await chief.page.wait_for_url(f"**{BASE}?done=*")


async def test_a_caller_is_marked_by_two_people_warned_of_objects_and_is_let_go_by_a_third(
    people: People, door: Door, switch: Switch
) -> None:
    """R11, I2."""
    agent = await agent_of(people, door, "周标记", "2101")
    chief = await people.sign_in("赵督办", roles.SUPERVISION)
    other = await people.sign_in("钱督办", roles.SUPERVISION)
    page = agent.page
    await takes(agent, switch, "mark-1", "2101", CALLER)
    await filled(agent, "恶意来电时登记")
    # A reason that holds the number is refused: it stays on record. The draft of the request stays.
    await proposes(agent, f"{CALLER}总来电")
    assert "电话号码" in await page.locator("#mark-refusal").inner_text()
    assert [one for one in agent.amiss if "409" not in one] == []
    agent.amiss.clear()
    await page.locator("#mark-reason").fill(RAGES)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**marked=PROPOSED*")
    assert await page.locator("#warning").count() == 0  # a proposal warns of nobody
    assert await page.locator(".marking").count() == 0
    assert await page.locator("#f-title").input_value() == "恶意来电时登记"
    mark = await mark_of(door, RAGES)
    await right(chief, BASE, f"{BASE}/{mark}")
    await decides(chief, mark, "批准", "已听录音")
    assert str(mark) in await chief.page.locator("[role=status]").inner_text()
    assert "生效中" in await chief.page.locator(f"#m-{mark}").inner_text()
    # The next agent who takes a call of his is warned, and records it as any other.
    await switch.connects("mark-2", "2101", f"+86 {CALLER}")
    await page.locator("#call-strip .call", has_text="mark-2").wait_for()
    await page.keyboard.press("F2")  # a draft lies here, so that the strip tells of the call
    await page.wait_for_url("**/record?call=mark-2")
    assert RAGES in await page.locator("#warning").inner_text()
    await right(agent, "/record?call=mark-2")
    await filled(agent, "被标记的人也照常登记")
    number = await recorded_here(agent)
    (received,) = await facts_of(door, await told_of(door, number), ComplaintReceived)
    assert received.call_id == "mark-2"
    await agent.goto("/record?call=mark-2")
    await proposes(agent, "我没有辱骂任何人")  # it is marked: the form is the caller's objection now
    await page.wait_for_url("**marked=OBJECTED*")
    assert "异议" in await page.locator("#warning").inner_text()
    await chief.goto(f"{BASE}/{mark}")
    assert await chief.page.locator("[name=decision]").count() == 0  # he approved it
    refused = await chief.page.request.post(
        f"{chief.origin}{BASE}/{mark}",
        form={"decision": "LIFTED", "reason": "我改主意了"},
        headers={"Origin": chief.origin},
    )
    assert refused.status == 409
    assert "批准标记的人不能决定对它的异议" in await refused.text()
    await right(other, BASE, f"{BASE}/{mark}")
    await decides(other, mark, "解除标记", "录音中没有辱骂")
    assert "已解除" in await other.page.locator(f"#m-{mark}").inner_text()
    await agent.goto("/record?call=mark-2")
    assert await page.locator("#warning").count() == 0
    acts = await door.town.sql(
        "SELECT act, actorid, acted_at IS NOT NULL FROM vault.caller_mark_act WHERE mark_id = $1 ORDER BY number",
        mark,
    )
    assert [row[0] for row in acts] == ["PROPOSED", "APPROVED", "OBJECTED", "LIFTED"]
    async with acting(door.town.endpoints.login("operator")) as operator:
        assert await operator.fetchval("SELECT vault.forget_marks(ARRAY[$1::bigint])", mark) == 1
    words = "SELECT reason FROM vault.caller_mark_act WHERE mark_id = $1 AND act = 'OBJECTED'"
    assert await door.town.value(words, mark) == ""  # once it is over, the caller's own words go
    assert len({row[1] for row in acts}) == 3
    assert all(row[1].startswith("s") and row[2] for row in acts)
    assert CALLER not in door.log.read_text()
    assert [one for one in [*agent.amiss, *chief.amiss, *other.amiss] if "409" not in one] == []


async def test_a_mark_expires_and_its_caller_is_forgotten(people: People, door: Door) -> None:
    """R11, I2."""
    place, endpoints = CallersKey(CALLERS).index(OTHER), door.town.endpoints
    agent, _ = await people.link("吴标记", roles.AGENTS)
    chief, _ = await people.link("孙督办", roles.SUPERVISION)
    propose, decide = (
        "SELECT vault.propose_mark($1, $2, $3, $4)",
        "SELECT vault.decide_mark($1, 'APPROVED', $2, '属实')",
    )
    async with acting(endpoints.login("agent")) as asks:
        mark = await asks.fetchval(propose, place, agent, "占线", 30)
        assert await asks.fetchval(propose, place, agent, "占线", 30) == mark  # told twice it is one
    with pytest.raises(UserError, match="A proposal about this caller waits already"):
        async with acting(endpoints.login("agent")) as asks:
            await asks.fetchval(propose, place, agent, "又占线", 30)
    with pytest.raises(asyncpg.CheckViolationError):
        async with acting(endpoints.login("agent")) as asks:
            await asks.fetchval(
                propose, CallersKey(CALLERS).index("13922225555"), agent, "占线", 2_000_000_000
            )
    with pytest.raises(UserError, match="has not the role supervision"):
        async with acting(endpoints.login("operator")) as decides_it:
            await decides_it.execute(decide, mark, agent)
    async with acting(endpoints.login("operator")) as decides_it:
        await decides_it.execute(decide, mark, chief)
        await decides_it.execute(decide, mark, chief)
    warned = "SELECT standing FROM vault.mark_of_caller($1)"
    assert await door.town.value(warned, place) == "IN_FORCE"
    await door.town.sql(
        "UPDATE vault.caller_mark_act SET acted_at = acted_at - interval '31 days' WHERE mark_id = $1", mark
    )
    assert await door.town.sql(warned, place) == []
    listed = await door.town.sql("SELECT mark_id, standing FROM vault.marks($1)", LISTED_MAX)
    assert (mark, "EXPIRED") in {tuple(row) for row in listed}
    async with acting(endpoints.login("operator")) as operator:
        found = await due(operator, datetime.now(UTC), ruleset(RULESET), endpoints.prefix, UnreadableRows())
        assert mark in found.marks
        await let_go(operator, found._replace(contacts=[], dropped=[]))
    assert await door.town.value("SELECT index IS NULL FROM vault.caller_mark WHERE mark_id = $1", mark)
    one = await door.town.sql("SELECT standing, complaints, calls FROM vault.mark($1)", mark)
    assert [tuple(row) for row in one] == [("EXPIRED", 0, 0)]
    assert await door.town.value("SELECT count(*) FROM vault.caller_mark_act WHERE mark_id = $1", mark) == 2


async def test_one_person_with_two_lines_of_the_register_decides_about_no_act_of_his_own(
    people: People, door: Door
) -> None:
    """R11, I2: the identity provider gives a person a line for each role."""
    place, endpoints = CallersKey(CALLERS).index("13922225555"), door.town.endpoints
    agent, _ = await people.link("郑两岗", roles.AGENTS)
    chief, _ = await people.link("郑两岗", roles.SUPERVISION)
    await door.town.sql(
        "UPDATE web.staff SET issuer = 'https://idp', account = 'two-lines' WHERE staff_id = ANY ($1)",
        [agent, chief],
    )
    async with acting(endpoints.login("agent")) as asks:
        mark = await asks.fetchval("SELECT vault.propose_mark($1, $2, '占线', 30)", place, agent)
    with pytest.raises(UserError, match="Nobody decides on what he proposed"):
        async with acting(endpoints.login("operator")) as decides_it:
            await decides_it.execute("SELECT vault.decide_mark($1, 'APPROVED', $2, '属实')", mark, chief)


async def test_nobody_else_sees_marks_and_a_call_of_somebody_else_marks_nobody(
    people: People, door: Door, switch: Switch
) -> None:
    agent = await agent_of(people, door, "冯标记", "2102")
    stranger = await agent_of(people, door, "陈标记", "2103")
    await takes(agent, switch, "mark-9", "2102", "13922226666")
    answer = await stranger.page.request.post(
        f"{stranger.origin}/record/mark",
        form={"call_id": "mark-9", "reason": "不是我接的"},
        headers={"Origin": stranger.origin},
    )
    assert answer.status == 409
    assert (
        await door.town.value("SELECT count(*) FROM vault.caller_mark_act WHERE reason = '不是我接的'") == 0
    )
    for role in (roles.AGENTS, roles.REVIEWERS):
        other = await people.sign_in("他人", role)
        assert (await other.page.request.get(other.origin + BASE)).status == 403
    public = await people.page("public")
    for path in (BASE, f"{BASE}/1", "/record/mark"):
        assert (await public.page.request.get(public.origin + path)).status == 404
    for act in ("decide_mark(bigint, text, text, text)", "mark_of_call(text, text)"):
        assert not await door.town.value(
            "SELECT has_function_privilege('hotline_web', $1, 'EXECUTE')", f"vault.{act}"
        )
