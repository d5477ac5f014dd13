"""`make pictures`: every page in every state as contact sheets, for the eye. `make test` does not collect it."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import httpx2
import pytest

from deploy.city.endpoints import PROCESSES
from deploy.supervision.supervisor import Service
from hotline import caller_marks
from hotline.governance.facts import (
    Cluster,
    ItemNamed,
    ProgrammeAdopted,
    ProgrammeProposed,
    TaskSet,
    programme_id_of,
)
from hotline.governance.log import programmes
from hotline.scoring.ledger import scores
from hotline.web.pages.look import Language, Theme
from services.intake.knowledge.base import load_where_empty
from shared import roles
from shared.contacts.callers import CallersKey
from shared.events import VisitScheduled
from shared.ids import UnitId
from shared.log.acts import acting
from shared.policy.ruleset import ruleset
from shared.versions import RULESET
from tests.city import DISTRICT_UNIT, OTHER_UNIT, QUIET_UNIT, UNIT, WATER, City, until
from tests.web.browser import People, Watched, needs_browser, open_browser
from tests.web.door import CALLERS, Door, open_door
from tests.web.oidc_provider import open_provider, told_of
from tests.web.test_agent_calls import Switch, agent_of
from tests.web.test_http import recorded
from tests.web.test_parked_page import parked

pytestmark = [pytest.mark.connected, needs_browser]
FOLDER: Final = Path(__file__).parents[2] / "build" / "pictures"
LONG: Final = (
    "小区停水三天没有人管,物业和自来水公司互相推诿,楼内有老人和婴儿,用水非常困难,请尽快到现场协调并恢复供水"
)
WIDE, NARROW, PHONE = (1280, 820), (820, 820), (390, 844)


class Sight(NamedTuple):
    """A page in a state."""

    name: str
    path: str
    act: str = ""
    """A key that is pressed there."""
    typed: Mapping[str, str] = {}
    """Fields that are filled in, by their selectors; then the button of the last one's form is pressed."""


class Looked(NamedTuple):
    """A way to look at it."""

    name: str
    language: Language
    theme: Theme
    size: tuple[int, int]


LOOKS: Final = (
    Looked("zh-light-wide", Language.CHINESE, Theme.LIGHT, WIDE),
    Looked("zh-light-narrow", Language.CHINESE, Theme.LIGHT, NARROW),
    Looked("en-dark-wide", Language.ENGLISH, Theme.DARK, WIDE),
)


@pytest.fixture
async def door(city: Callable[..., Awaitable[City]], tmp_path: Path) -> AsyncIterator[Door]:
    """Of a city whose clock can be moved on."""
    town = await city(lived=True, at=datetime.now(UTC))
    targets = str(tmp_path / "targets")
    await town.start(extra={f"{name.upper()}_METRICS_TARGETS": targets for name in PROCESSES})
    async with open_door(town, tmp_path, targets=targets, observed=targets) as made:
        yield made


@pytest.fixture
async def people(door: Door) -> AsyncIterator[People]:
    async with open_browser() as browser:
        made = People(browser, door)
        yield made
        await made.close()


async def lived(door: Door) -> dict[str, str]:
    """A small city's morning; the numbers of complaints that are worth a look."""
    agents = await door.of(roles.AGENTS)
    unit = await door.of(roles.UNIT, UNIT)
    known: dict[str, str] = {}
    texts = (
        "路灯不亮",
        LONG,
        "噪音扰民",
        "垃圾无人清运",
        "消防通道被占",
        "供暖温度不达标",
        "井盖破损",
        "树木遮挡路灯",
    )
    for number in range(16):
        urgency = ("GENERAL_7D", "TIMELY_24H", "CRITICAL_2H", "GENERAL_7D")[number % 4]
        told = await recorded(
            agents,
            urgency=urgency,
            title=texts[number % 8],
            content=texts[number % 8] * 2,
        )
        known[f"late-{number}"] = told["complaint_number"]
        about = {"complaint_id": told["complaint_id"], "assignment": 1}
        if number % 3 == 0:
            await unit.post("/acts/order/sign", json=about)
        if number % 6 == 0:
            await unit.post(
                "/acts/extension/request", json={**about, "days": 3, "reason": "需协调更换主管道"}
            )
        if number % 6 == 3:
            returned = {**about, "reason": "不属本单位职责", "evidence": "权属在自来水集团,见附图"}
            await unit.post("/acts/return/request", json=returned)
    judged = await recorded(agents, title=LONG, contact={"name": "张三", "phone": "13800138000"})
    about = {"complaint_id": judged["complaint_id"], "assignment": 1}
    await unit.post("/acts/order/sign", json=about)
    await unit.post("/acts/progress/report", json={**about, "text": "已到现场查看,正在协调"})
    await unit.post("/acts/order/answer", json={**about, "result": "已恢复供水", "claims_solved": True})

    async def asked() -> bool:
        return VisitScheduled.__name__ in await door.town.story(judged["complaint_id"])

    await until(asked, what="the visit")
    known["judged"] = judged["complaint_number"]
    known["visit"] = (await _visited(door, agents, unit))["complaint_number"]
    dialler = await door.of(roles.DIALLER)
    said = {"visit": 1, "attempt": 1, "solved": False, "satisfied": False, "reason": "水还是没有来"}
    await dialler.post("/acts/visit/record", json={"complaint_id": judged["complaint_id"], **said})
    contact = await recorded(agents, title="有联系方式", contact={"name": "张三", "phone": "13800138000"})
    known["contact"] = contact["complaint_number"]
    return known


async def _visited(door: Door, agents: httpx2.AsyncClient, unit: httpx2.AsyncClient) -> dict[str, Any]:
    made = await recorded(agents, title="路灯已修好")
    told = {
        "complaint_id": made["complaint_id"],
        "assignment": 1,
        "result": "已更换灯泡",
        "claims_solved": True,
    }
    await unit.post("/acts/order/answer", json=told)

    async def asked() -> bool:
        return VisitScheduled.__name__ in await door.town.story(made["complaint_id"])

    await until(asked, what="the visit")
    return made


async def _sheet(
    people: People, name: str, watched: Watched, sights: list[Sight], looks: Sequence[Looked] = LOOKS
) -> None:
    """One contact sheet of these sights in every look."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for look in looks:
        await watched.look(look.language, look.theme)
        await watched.page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
        pictures: list[tuple[str, Path]] = []
        for sight in sights:
            await watched.goto(sight.path)
            await watched.page.wait_for_load_state("load")
            if sight.act:
                await watched.page.keyboard.press(sight.act)
                await watched.page.wait_for_timeout(700)
            for selector, text in sight.typed.items():
                await watched.page.locator(selector).fill(text)
            if sight.typed:
                last = watched.page.locator(list(sight.typed)[-1])
                await watched.page.locator("form", has=last).locator("button").first.click()
                await watched.page.locator("[role=alert]").wait_for()
            file = FOLDER / f"{name}-{sight.name}-{look.name}.png"
            await watched.page.screenshot(path=file, full_page=bool(sight.typed) or look.size[0] < NARROW[0])
            pictures.append((sight.name, file))
        await _joined(people, FOLDER / f"sheet-{name}-{look.name}.png", pictures)


async def _joined(people: People, file: Path, pictures: list[tuple[str, Path]]) -> None:
    page = await people.page(viewport={"width": 1700, "height": 1000})
    figures = "".join(
        f'<figure style="margin:0"><img src="file://{one}" style="width:100%;border:1px solid #888">'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, one in pictures
    )
    sheet = file.with_suffix(".html")
    sheet.write_text(
        '<meta charset="utf-8"><body style="font:14px sans-serif;display:grid;grid-template-columns:1fr 1fr;gap:12px">'
        + figures,
        encoding="utf-8",
    )
    await page.page.goto(f"file://{sheet}")
    await page.page.screenshot(path=file, full_page=True)
    sheet.unlink()


FOR_CITIZENS: Final = (
    Looked("zh-light-wide", Language.CHINESE, Theme.LIGHT, WIDE),
    Looked("zh-light-phone", Language.CHINESE, Theme.LIGHT, PHONE),
    Looked("en-dark-phone", Language.ENGLISH, Theme.DARK, PHONE),
)


async def test_pictures_of_the_citizens_page(people: People, door: Door) -> None:
    agents, unit = await door.of(roles.AGENTS), await door.of(roles.UNIT, UNIT)
    new = await recorded(agents, channel="web", title="路灯不亮", content="")
    long = await recorded(agents, channel="web", title=LONG, content=LONG * 6, address=LONG)
    about = {"complaint_id": long["complaint_id"], "assignment": 1}
    await unit.post("/acts/order/sign", json=about)
    await unit.post("/acts/progress/report", json={**about, "text": LONG * 2})
    asked = await recorded(agents, channel="web", title="供暖温度不达标", content="室温只有十五度")
    told = {"complaint_id": asked["complaint_id"], "assignment": 1, "result": LONG, "claims_solved": True}
    await unit.post("/acts/order/answer", json=told)
    await door.town.until_fact(asked["complaint_id"], VisitScheduled)
    late = await recorded(agents, channel="web", title="井盖破损", urgency="CRITICAL_2H")
    await door.town.clock_to(datetime.now(UTC) + timedelta(hours=3))
    done = await recorded(agents, channel="web", title="噪音扰民")
    gone = {"complaint_id": done["complaint_id"], "reason": "已自行解决"}
    await agents.post("/acts/request/withdraw", json=gone)
    stranger = await people.page("public")
    number = new["complaint_number"]
    wrong = {"#number": number, "#code": "2" * 26}
    await _sheet(
        people,
        "citizen-door",
        stranger,
        [
            Sight("empty", "/mine"),
            Sight("over", f"/mine?over=yes&number={number}"),
            Sight("wrong", "/mine", typed=wrong),
            Sight("not-found", "/mine/look"),
        ],
        FOR_CITIZENS,
    )
    for name, one, typed in (
        ("new", new, {"#supplement-text": "\u2800"}),
        ("long", long, {}),
        ("asked", asked, {}),
        ("late", late, {}),
        ("ended", done, {}),
    ):
        citizen = await people.page("public")
        await citizen.goto(one["citizen_link"])
        await citizen.page.wait_for_url("**/mine/2*")
        path = f"/mine/{one['complaint_number']}"
        sights = [Sight("page", path), Sight("done", f"{path}?done=supplement")]
        sights += [Sight("refused", path, typed=typed)] if typed else []
        await _sheet(people, f"citizen-{name}", citizen, sights, FOR_CITIZENS)


async def test_pictures(people: People, door: Door) -> None:
    known = await lived(door)
    await door.town.clock_to(datetime.now(UTC) + timedelta(hours=29))
    clerk = await people.sign_in("王芳", roles.UNIT, UNIT)
    stranger = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    await _sheet(
        people, "unit-empty", stranger, [Sight("empty", "/work"), Sight("not-found", "/work/nothing")]
    )
    matter = f"/work/{known['late-1']}"
    await _sheet(
        people,
        "unit",
        clerk,
        [
            Sight("list", "/work"),
            Sight("overdue", "/work?tab=overdue"),
            Sight("keys", "/work", "?"),
            Sight("order", matter),
            Sight("return", f"{matter}?do=return"),
            Sight("whistle", f"{matter}?do=whistle"),
            Sight("contact", f"/work/{known['contact']}", "o"),
            Sight("life", f"/life/{known['judged']}"),
        ],
    )
    visitor = await people.sign_in("孙回访", roles.DIALLER)
    visit = f"/visits/{known['visit']}"
    await _sheet(
        people,
        "visits",
        visitor,
        [Sight("now", "/visits"), Sight("later", "/visits?later=yes"), Sight("form", f"{visit}?do=record")],
    )
    reviewer = await people.sign_in("钱审核", roles.REVIEWERS)
    await _sheet(
        people,
        "reviews",
        reviewer,
        [
            Sight("list", "/decisions"),
            Sight("return", f"/decisions/{known['late-3']}?do=return"),
            Sight("matter", f"/decisions/{known['late-0']}"),
        ],
    )
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    life = f"/life/{known['judged']}"
    await _sheet(
        people,
        "supervision",
        chief,
        [
            Sight("list", "/supervision"),
            Sight("decide", f"/supervision/{known['late-2']}?do=decide"),
            Sight("life", life),
            Sight("facts", f"{life}?all=yes"),
            Sight("fact", f"{life}/4"),
            Sight("find", "/find?q=路灯"),
            Sight("operations", "/operations"),
        ],
    )


async def test_pictures_of_a_units_own_texts_filters_and_late_whistles(people: People, door: Door) -> None:
    known = await lived(door)
    agents, street = await door.of(roles.AGENTS), await door.of(roles.UNIT, UNIT)
    for urgency, title in (("CRITICAL_2H", LONG), ("GENERAL_7D", "消防通道被占")):
        made = await recorded(agents, urgency=urgency, title=title)
        blown = {"complaint_id": made["complaint_id"], "assignment": 1, "whistle": 1, "kind": "EMERGENCY"}
        why = {"called": [QUIET_UNIT, DISTRICT_UNIT], "scene": "小关街5号楼", "reason": "消防通道无法清理"}
        await street.post("/acts/whistle/blow", json={**blown, **why})
    quiet = await door.of(roles.UNIT, QUIET_UNIT)
    await quiet.post("/acts/whistle/acknowledge", json={"complaint_id": made["complaint_id"], "whistle": 1})
    clerk = await people.sign_in("王芳", roles.UNIT, UNIT)
    stranger = await people.sign_in("李雷", roles.UNIT, OTHER_UNIT)
    called = await people.sign_in("韩梅", roles.UNIT, QUIET_UNIT)
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    await _sheet(people, "whistles-empty", chief, [Sight("none", "/supervision/whistles")])
    await _sheet(people, "templates-empty", stranger, [Sight("templates", "/templates")])
    await door.town.clock_to(datetime.now(UTC) + timedelta(hours=29))
    origin = {"Origin": clerk.origin}
    for verb, name, text in (
        ("answer", "停水已恢复", f"关于{{编号}}:{{单位}}已恢复供水。{LONG}"),
        ("answer", "已转物业", "经{单位}协调,物业已整改,办理期限{期限}。"),
        ("extend", "需更换主管道", "需更换主管道,施工期三天"),
        ("return", "非本单位职责", "经核实不属{单位}职责"),
    ):
        form = {"verb": verb, "name": name, "text": text}
        await clerk.page.context.request.post(f"{clerk.origin}/templates", form=form, headers=origin)
    for name, form in (
        ("今日供水", {"tab": "overdue", "subject": WATER}),
        ("三天内到期", {"tab": "all", "due": "3d"}),
        ("路灯", {"tab": "all", "text": "路灯"}),
    ):
        await clerk.page.context.request.post(
            f"{clerk.origin}/work/filters", form={**form, "name": name}, headers=origin
        )
    await _sheet(
        people,
        "unit-own",
        clerk,
        [
            Sight("templates", "/templates"),
            Sight(
                "template-refused", "/templates", typed={"#f-name": "热线", "#f-text": "请拨打13800138000"}
            ),
            Sight("answer-with-templates", f"/work/{known['late-1']}?do=answer"),
            Sight("filters", "/work"),
            Sight("filtered", "/work?tab=all&text=路灯"),
            Sight("filtered-new", f"/work?tab=all&subject={WATER}&due=7d"),
            Sight("nothing-fits", "/work?text=没有这样的事"),
            Sight("filter-refused", "/work?text=13800138000", typed={"input[name=name]": "电话"}),
        ],
    )
    await _sheet(people, "unit-whistled", called, [Sight("late", "/work?tab=whistled")])
    await _sheet(
        people, "whistles", chief, [Sight("late", "/supervision/whistles"), Sight("watched", "/supervision")]
    )


async def _marked(door: Door, people: People, place: bytes) -> int:
    """A mark that is in force, one that waits, one that is objected to; the number of the last one."""
    ids = {}
    for name, role in (("周话务", roles.AGENTS), ("钱督办", roles.SUPERVISION)):
        ids[role], _ = await people.link(name, role)
    endpoints, mark = door.town.endpoints, 0
    for number, reason in enumerate(("一日内反复来电,辱骂话务员", "深夜连续拨打后不说话", LONG)):
        index = place if number == 0 else bytes([number]) * 16
        async with acting(endpoints.login("agent")) as agent:
            mark = await caller_marks.propose(agent, index, ids[roles.AGENTS], reason, 30)
        if number != 1:
            async with acting(endpoints.login("operator")) as chief:
                approved = caller_marks.MarkDecision.APPROVED
                await caller_marks.decide(chief, mark, approved, ids[roles.SUPERVISION], "已听录音,属实")
    async with acting(endpoints.login("agent")) as agent:
        await caller_marks.object_to(agent, index, ids[roles.AGENTS], "我没有辱骂任何人,只是催办")
    return mark


async def test_pictures_of_the_offices(people: People, door: Door) -> None:
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    await _sheet(people, "offices-empty", chief, [Sight("parked", "/parked"), Sight("marks", "/callers")])
    reasons = (
        "data: Object missing required field `title`",
        "header ce_time: lies too far back: 1970-01-01T00:00:00Z, expected 2025-12-03T00:00:00Z or later",
        f"data: title: {LONG}",
    )
    numbers = [await parked(door.town, b'{"phone": "13800138000"}', reason) for reason in reasons]
    chosen = {"#f-reason": "打给13800138000"}
    agent = await agent_of(people, door, "孙话务", "9001")
    mark = await _marked(door, people, CallersKey(CALLERS).index("13900009000"))
    one = f"/parked/{numbers[1]}"
    await _sheet(
        people,
        "offices",
        chief,
        [
            Sight("parked", "/parked"),
            Sight("refused", "/parked", typed=chosen),
            Sight("message", one),
            Sight("opened", one, "o"),
            Sight("marks", "/callers"),
            Sight("mark", f"/callers/{mark}"),
        ],
    )
    await chief.goto(one)
    await chief.page.locator("#f-release").fill("发送方已改正")
    await chief.page.locator("form.fields button.main").first.click()
    await chief.page.wait_for_url("**/parked?act=*")
    again = chief.page.url.removeprefix(chief.origin)
    await _sheet(people, "offices-again", chief, [Sight("again", again), Sight("acts", one)])
    switch = Switch(door)
    await switch.connects("call-1", "9001", "13900009000")
    await switch.connects("call-2", "9001", "13900009001")
    await agent.page.locator("#call-strip .call", has_text="call-2").wait_for()
    sights = [Sight("warned", "/record?call=call-1"), Sight("not-marked", "/record?call=call-2")]
    await _sheet(people, "offices-agent", agent, sights)


async def governed(door: Door) -> str:
    """A knowledge base, a programme with an overdue task, and counted scores; the programme's id."""
    endpoints, at = door.town.endpoints, datetime.now(UTC)
    await load_where_empty(endpoints.login("editor"))
    made, lead = programme_id_of(at.year, at.month, "供暖不热"), UnitId(UNIT)
    common: dict[str, Any] = {"programme_id": made, "by": "办公室"}
    async with programmes(endpoints.login("governor")) as log:
        await log.record(
            [
                ProgrammeProposed(
                    **common,
                    year=at.year,
                    month=at.month,
                    title="供暖不热",
                    lead=lead,
                    clusters=(Cluster(subject=WATER),),
                    proposed_at=at,
                ),
                ProgrammeAdopted(**common, adopted_at=at),
                ItemNamed(**common, item=1, title=LONG, lead=lead, named_at=at),
                TaskSet(**common, task=1, item=1, title=LONG, owner=lead, due=date(2021, 3, 31), set_at=at),
            ]
        )
    rules = ruleset(RULESET)
    async with scores(endpoints.login("governor"), ZoneInfo(rules.timezone), rules.score.counting) as view:
        await view.catch_up()
    return str(made)


async def test_pictures_of_the_city(people: People, door: Door) -> None:
    chief = await people.sign_in("赵主任", roles.SUPERVISION)
    empty = ("/programmes", "/programmes/candidates", "/ranking", "/calls")
    await _sheet(people, "city-empty", chief, [Sight(path[1:].replace("/", "-"), path) for path in empty])
    await lived(door)
    made = await governed(door)
    await door.town.clock_to(datetime.now(UTC) + timedelta(hours=29))
    month = datetime.now(UTC).strftime("%Y-%m")
    await _sheet(
        people,
        "city",
        chief,
        [
            Sight("board", "/board"),
            Sight("tv", "/board?tv=yes"),
            Sight("overdue", "/board/orders?due=overdue"),
            Sight("decisions", "/board/waiting/reviews"),
            Sight("calls", "/calls"),
            Sight("ranking", f"/ranking?month={month}"),
            Sight("programmes", "/programmes"),
            Sight("programme", f"/programmes/{made}"),
            Sight("candidates", "/programmes/candidates"),
            Sight("behind", f"/programmes/complaints?subject={WATER}"),
            Sight("knowledge", "/knowledge?q=热线电话号码是多少"),
            Sight("in-force", "/in-force"),
            Sight("wrong-period", "/programmes/candidates?days=7"),
        ],
    )


async def test_pictures_of_signing_in(town: City, tmp_path: Path) -> None:
    async with open_provider() as provider, open_browser() as browser:
        more = told_of(provider, tmp_path, {"a": "agents", "r": "reviewers", "u": f"unit:{UNIT}"})
        provider.person = {"sub": "u-1", "name": "王芳", "realm_access": {"roles": ["r", "u"]}}

        def wired(service: Service) -> Service:
            return replace(service, env={**service.env, **more})

        async with open_door(town, tmp_path, wired=wired) as door:
            people = People(browser, door)
            sights = [
                Sight("sign-in", "/sign-in"),
                Sight("signed-out", "/sign-in?out=1"),
                Sight("refused", "/sign-in/provider/back"),
                Sight("roles", "/sign-in/provider"),
            ]
            await _sheet(people, "sign-in", await people.page(), sights)
            await people.close()
