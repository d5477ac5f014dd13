"""A unit's reply templates and a person's filters on the pages, by the real door."""

from __future__ import annotations

from itertools import count
from typing import Final

import asyncpg
import httpx2
import pytest

from hotline.web.pages.list_filters import FILTERS_MAX
from shared import roles
from shared.events import OrderAnswered
from shared.log.acts import acting
from tests.city import DISTRICT, OTHER_UNIT, QUIET_STREET, QUIET_UNIT, WATER
from tests.web.browser import People, Watched, needs_browser
from tests.web.door import Door, facts_of
from tests.web.test_http import recorded

pytestmark = [pytest.mark.connected, needs_browser]
TEXT: Final = "关于{编号}:{单位}已于{期限}前办结。"
_names: Final = count()


@pytest.fixture
async def clerk(people: People) -> Watched:
    return await people.sign_in("王芳", roles.UNIT, QUIET_UNIT)


async def kept(clerk: Watched, verb: str, text: str) -> str:
    """A new template by the page; its name."""
    name = f"模板{next(_names)}"
    await clerk.goto("/templates")
    await clerk.page.locator("#f-verb").select_option(verb)
    await clerk.page.locator("#f-name").fill(name)
    await clerk.page.locator("#f-text").fill(text)
    await clerk.page.locator("form.fields button.main").click()
    await clerk.page.wait_for_url("**done=kept")
    return name


async def test_a_template_is_written_filled_in_and_sent_by_the_keyboard(
    clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    name = await kept(clerk, "answer", TEXT)
    made = await recorded(agents, street=QUIET_STREET)
    page, number = clerk.page, made["complaint_number"]
    await clerk.goto(f"/work/{number}?do=answer")
    await page.wait_for_load_state("load")
    await page.keyboard.type("已到现场。")
    await page.locator("#f-claims_solved, [name=claims_solved]").check()
    await page.locator("#f-template").select_option(label=name)
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="填入").press("Enter")
    await page.wait_for_url("**/answer/filled")
    await page.wait_for_load_state("load")
    text = await page.locator("#f-result").input_value()
    assert text.startswith(f"已到现场。\n关于{number}:学院路街道已于")
    assert "{" not in text
    assert await page.locator("[name=claims_solved]").is_checked()
    assert await clerk.axe() == []
    # What was filled in is a draft like what is typed.
    await clerk.goto(f"/work/{number}?do=answer")
    assert await page.locator("#f-result").input_value() == text
    await page.locator("form.fields button.main").press("Enter")
    await page.wait_for_url("**done=OrderAnswered*")
    (answered,) = await facts_of(door, made, OrderAnswered)
    assert (answered.result, answered.claims_solved) == (text, True)
    assert clerk.amiss == []


async def test_a_template_is_filled_in_without_any_script_and_enter_sends_the_act(
    people: People, agents: httpx2.AsyncClient
) -> None:
    clerk = await people.sign_in("王芳", roles.UNIT, QUIET_UNIT, java_script_enabled=False)
    name = await kept(clerk, "return", "不属{单位}职责")
    made = await recorded(agents, street=QUIET_STREET)
    page = clerk.page
    await clerk.goto(f"/work/{made['complaint_number']}?do=return")
    await page.locator("#f-evidence").fill("见附图")
    await page.locator("#f-template").select_option(label=name)
    await page.get_by_role("button", name="填入").click()
    assert await page.locator("#f-reason").input_value() == "不属学院路街道职责"
    assert await page.locator("#f-evidence").input_value() == "见附图"
    await page.locator("#f-reason").press("Enter")
    await page.wait_for_url("**done=ReturnRequested*")


async def test_a_template_is_changed_and_deleted_and_a_number_is_refused_with_the_draft_kept(
    clerk: Watched,
) -> None:
    name = await kept(clerk, "answer", TEXT)
    page = clerk.page
    await page.get_by_role("link", name=name).click()
    await page.wait_for_url("**edit=*")
    row = page.locator("tr[aria-selected=true]")
    assert name in await row.inner_text()
    await page.locator("#f-text").fill("请拨打13800138000")
    await page.locator("form.fields button.main").click()
    alert = page.locator("[role=alert]")
    await alert.wait_for()
    assert "联系方式" in await alert.inner_text()
    assert await page.locator("#f-text").input_value() == "请拨打13800138000"
    assert await clerk.axe() == []
    await page.locator("#f-text").fill("您好")
    await page.locator("form.fields button.main").click()
    await page.wait_for_url("**done=kept")
    assert "您好" in await page.locator("tr", has_text=name).inner_text()
    await page.get_by_role("link", name=name).click()
    await page.get_by_role("button", name=f"删除“{name}”").click()
    await page.wait_for_url("**done=dropped")
    assert await page.locator("tr", has_text=name).count() == 0
    # A refusal is answered with the status 409, which the browser writes on its console.
    assert [one for one in clerk.amiss if "409" not in one] == []


async def test_a_template_is_its_units_alone_and_two_of_one_name_are_refused(
    people: People, clerk: Watched, door: Door
) -> None:
    name = await kept(clerk, "answer", TEXT)
    template = await door.town.value("SELECT template_id FROM web.reply_template WHERE name = $1", name)
    other = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    await other.goto("/templates")
    assert await other.page.locator("tr", has_text=name).count() == 0
    forged = {"template": str(template), "verb": "answer", "name": f"{name}别人", "text": "改"}
    origin = {"headers": {"Origin": other.origin}}
    answer = await other.page.context.request.post(f"{other.origin}/templates", form=forged, **origin)
    assert answer.status == 409
    await other.page.context.request.post(f"{other.origin}/templates/{template}/delete", **origin)
    again = {"verb": "answer", "name": name, "text": "改"}
    answer = await clerk.page.context.request.post(
        f"{clerk.origin}/templates", form=again, headers={"Origin": clerk.origin}
    )
    assert answer.status == 409
    rows = await door.town.sql("SELECT text, unit FROM web.reply_template WHERE name = $1", name)
    assert [tuple(row) for row in rows] == [(TEXT, QUIET_UNIT)]


async def test_the_list_shows_what_fits_and_goes_on_by_itself(
    clerk: Watched, agents: httpx2.AsyncClient
) -> None:
    title = "筛选用的水管裂缝"
    fits = await recorded(agents, street=QUIET_STREET, title=title)
    other = await recorded(agents, street=QUIET_STREET, title="别的事情")
    page = clerk.page
    await clerk.goto("/work?tab=to-sign")
    await page.wait_for_load_state("load")
    await page.keyboard.press("/")
    await page.keyboard.type("水管裂缝")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**text=*")
    row, hidden = (page.locator(f"#r-{one['complaint_id']}-lead-0") for one in (fits, other))
    assert (await row.count(), await hidden.count()) == (1, 0)
    # The list changes by itself, and stays filtered.
    more = await recorded(agents, street=QUIET_STREET, title=title)
    await recorded(agents, street=QUIET_STREET, title="又一件")
    await page.locator(f"#r-{more['complaint_id']}-lead-0").wait_for(timeout=15_000)
    assert await hidden.count() == 0
    await page.locator("#tab-all").click()
    await page.wait_for_url("**tab=all&*text=*")
    assert (await row.count(), await hidden.count()) == (1, 0)
    for query, shown in (
        (f"text={fits['complaint_number']}", (1, 0)),
        (f"subject={WATER}&place={DISTRICT}/{QUIET_STREET}&due=&text=水管裂缝", (1, 0)),
        (f"place={DISTRICT}/花园路街道", (0, 0)),
        ("due=4h&text=水管裂缝", (0, 0)),
    ):
        await clerk.goto(f"/work?{query}")
        assert (await row.count(), await hidden.count()) == shown, query
    assert clerk.amiss == []


async def test_a_filter_is_kept_shown_to_its_person_alone_and_deleted(
    people: People, clerk: Watched, agents: httpx2.AsyncClient, door: Door
) -> None:
    made = await recorded(agents, street=QUIET_STREET, title="留住这个筛选")
    name, page = f"筛选{next(_names)}", clerk.page
    await clerk.goto("/work?tab=to-sign&text=留住这个")
    await page.get_by_label("筛选名称").fill(name)
    await page.get_by_role("button", name="保存此筛选").click()
    link = page.get_by_role("link", name=name, exact=True)
    await link.wait_for()
    assert await link.get_attribute("aria-current") == "page"
    assert await clerk.axe() == []
    await clerk.goto("/work")
    await link.click()
    await page.wait_for_url("**tab=to-sign&*")
    assert await page.locator(f"#r-{made['complaint_id']}-lead-0").count() == 1
    colleague = await people.sign_in("李雷", roles.UNIT, QUIET_UNIT)
    assert await colleague.page.get_by_role("link", name=name, exact=True).count() == 0
    await page.get_by_role("button", name=f"删除“{name}”").click()
    await page.wait_for_load_state("load")
    assert await link.count() == 0
    assert await page.locator(f"#r-{made['complaint_id']}-lead-0").count() == 1
    assert clerk.amiss == []
    assert await door.town.value("SELECT count(*) FROM web.saved_filter WHERE name = $1", name) == 0


async def test_a_filter_with_a_number_or_one_too_many_is_refused_and_a_revoked_persons_go(
    people: People, door: Door
) -> None:
    staff_id, link = await people.link("韩梅", roles.UNIT, QUIET_UNIT)
    clerk = await people.page()
    await clerk.goto(link)
    await clerk.page.locator("button.main").click()
    await clerk.page.wait_for_url("**/work")
    page = clerk.page
    await clerk.goto("/work?text=13800138000")
    await page.get_by_label("筛选名称").fill("电话")
    await page.get_by_role("button", name="保存此筛选").click()
    alert = page.locator("[role=alert]")
    await alert.wait_for()
    assert "联系方式" in await alert.inner_text()
    assert await page.get_by_label("筛选名称").input_value() == "电话"
    answers = []
    for number in range(FILTERS_MAX + 1):
        form = {"tab": "all", "due": "3d", "name": f"第{number}个"}
        answer = await page.context.request.post(
            f"{clerk.origin}/work/filters", form=form, headers={"Origin": clerk.origin}, max_redirects=0
        )
        answers.append(answer.status)
    assert answers == [*([303] * FILTERS_MAX), 409]
    held = "SELECT count(*) FROM web.saved_filter WHERE staff_id = $1"
    assert await door.town.value(held, staff_id) == FILTERS_MAX
    async with acting(door.town.endpoints.login("operator")) as operator:
        await operator.execute("SELECT web.revoke_staff($1)", staff_id)
    assert await door.town.value(held, staff_id) == 0


async def test_what_nobody_can_read_or_is_too_long_is_refused_with_a_sentence(clerk: Watched) -> None:
    origin = {"headers": {"Origin": clerk.origin}, "max_redirects": 0}
    long = dict.fromkeys(("subject", "place", "text"), "漏" * 100)
    for path, form, status in (
        ("/work/filters", {"name": "\u200b\u3164", "due": "3d"}, 409),
        ("/work/filters", {"name": "a\0b", "due": "3d"}, 409),
        ("/work/filters", {"name": "太长", **long}, 409),
        ("/work/filters/delete", {"name": "a\0b"}, 303),
        ("/templates", {"verb": "answer", "name": "a\0b", "text": TEXT}, 409),
        ("/templates", {"verb": "answer", "name": "\u200b", "text": TEXT}, 409),
        ("/templates", {"verb": "answer", "name": "空字符", "text": "您\0好"}, 409),
    ):
        answer = await clerk.page.context.request.post(clerk.origin + path, form=form, **origin)
        assert answer.status == status, (path, form)
        assert status == 303 or 'role="alert"' in await answer.text(), (path, form)


async def test_the_login_of_the_public_listener_keeps_and_deletes_nothing(people: People, door: Door) -> None:
    staff_id, _ = await people.link("冯雪", roles.UNIT, QUIET_UNIT)
    name = f"公众{next(_names)}"
    acts = (
        ("SELECT web.keep_template($1, NULL, 'answer', $2, '您好', 100)", staff_id, name),
        ("SELECT web.keep_filter($1, 'orders', $2, 'tab=all', 12)", staff_id, name),
        ("SELECT web.drop_template($1, 1)", staff_id),
        ("SELECT web.drop_filter($1, 'orders', $2)", staff_id, name),
    )
    for login in ("web", "reader", "operator"):
        async with acting(door.town.endpoints.login(login)) as other:
            for act in acts:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await other.fetchval(*act)
    kept = (
        "SELECT (SELECT count(*) FROM web.reply_template WHERE name = $1)"
        " + (SELECT count(*) FROM web.saved_filter WHERE name = $1)"
    )
    assert await door.town.value(kept, name) == 0
    async with acting(door.town.endpoints.login("staff")) as staff:
        assert [await staff.fetchval(*act) for act in acts] == ["kept", "kept", None, None]
    assert await door.town.value(kept, name) == 1
