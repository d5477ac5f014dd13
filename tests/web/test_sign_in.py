"""People sign in to the pages of a real city: by a link that works once, with a session that can be ended."""

from __future__ import annotations

import httpx2
import pytest

from hotline.web.pages import staff
from hotline.web.pages.gate import SESSION_COOKIE
from shared import roles
from shared.log.acts import acting
from tests.city import OTHER_UNIT, UNIT
from tests.web.browser import People, needs_browser
from tests.web.door import Door

pytestmark = [pytest.mark.connected, needs_browser]


async def test_a_link_names_the_person_and_signs_in_once(people: People) -> None:
    _, link = await people.link("王芳", roles.UNIT, UNIT)
    first = await people.page()
    await first.goto(link)
    assert "王芳" in await first.page.locator("main").inner_text()
    await first.page.locator("button.main").click()
    await first.page.wait_for_url("**/work")
    assert "王芳" in await first.page.locator("header").inner_text()
    second = await people.page()
    await second.goto(link)
    assert "链接已失效" in await second.page.locator("[role=alert]").inner_text()
    assert first.amiss == []


async def test_who_has_not_signed_in_sees_no_page_and_comes_to_the_one_that_was_asked_for(
    people: People,
) -> None:
    _, link = await people.link("李雷", roles.UNIT, UNIT)
    watched = await people.page()
    await watched.goto("/work?tab=overdue")
    assert "/sign-in?then=%2Fwork%3Ftab%3Doverdue" in watched.page.url
    await watched.page.locator("#code").fill(people.origin + link)  # the whole link may be pasted
    await watched.page.keyboard.press("Enter")
    await watched.page.wait_for_url("**/work?tab=overdue")


async def test_a_session_ends_where_the_person_is_revoked_or_signs_out(people: People, door: Door) -> None:
    staff_id, link = await people.link("赵四", roles.REVIEWERS)
    watched = await people.page()
    await watched.goto(link)
    await watched.page.locator("button.main").click()
    await watched.page.wait_for_url(lambda url: "sign-in" not in url)
    cookies = await watched.page.context.cookies()
    (session,) = [one for one in cookies if one["name"] == SESSION_COOKIE]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
    async with acting(door.town.endpoints.login("operator")) as operator:
        await staff.revoke(operator, staff_id)
    await watched.goto("/")
    assert "/sign-in" in watched.page.url
    other = await people.sign_in("钱五", roles.UNIT, UNIT)
    before = await other.page.context.cookies()
    await other.page.locator(".who button").click()
    await other.page.wait_for_url("**/sign-in")
    # The secret of before is worth nothing any more, even where somebody has kept it.
    await other.page.context.add_cookies(before)  # type: ignore[arg-type]
    await other.goto("/work")
    assert "/sign-in" in other.page.url


async def test_a_page_of_another_role_is_refused_in_words(people: People) -> None:
    watched = await people.sign_in("孙六", roles.DIALLER)
    await watched.goto("/work")
    assert "没有权限" in await watched.page.locator("h1").inner_text()


async def test_a_form_of_another_site_does_nothing(people: People) -> None:
    watched = await people.sign_in("周七", roles.UNIT, OTHER_UNIT)
    (session,) = [one for one in await watched.page.context.cookies() if one["name"] == SESSION_COOKIE]
    cookies = {SESSION_COOKIE: session["value"]}
    foreign = ({"Origin": "https://other.example"}, {"Sec-Fetch-Site": "cross-site"}, {})
    async with httpx2.AsyncClient(
        base_url=people.origin, cookies=cookies, timeout=60, trust_env=False
    ) as client:
        for headers in foreign:
            answer = await client.post("/sign-out", headers=headers)
            assert answer.status_code == 403
        assert (await client.get("/work")).status_code == 200  # nobody was signed out
        answer = await client.post("/sign-out", headers={"Origin": people.origin})
        assert answer.status_code == 303
