"""Each person at a desk in a running city: asks citizens, supervises, reviews, records, answers; typed and read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from hotline.client import facts_of, tell
from shared.events import ComplaintClassified, ComplaintReceived, RequestType
from shared.inputs import RecordRequest
from shared.log.reading import reader
from shared.topics import INTAKE_REQUESTS
from tests.shell import Shell, until

pytestmark = pytest.mark.connected

UNIT: Final = "street-dongcheng-donghuamen"
PHONE: Final = "13800138000"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up` was typed."""
    made = Shell(tmp_path_factory.mktemp("desks"))
    try:
        made("up")
        yield made
    finally:
        made("down")


def called(shell: Shell, title: str, *options: str) -> str:
    """A complaint of the street, as an agent records it; its number."""
    words = ("--subject", "社会秩序/噪声扰民", "--district", "东城区", "--street", "东华门街道")
    found = json.loads(shell("call", *words, "--title", title, *options, "--json"))
    return str(found["complaint_number"])


def answered(shell: Shell, title: str, *options: str) -> str:
    """The same, and its unit has answered."""
    number = called(shell, title, *options)
    shell("contact", "put", number, typed=json.dumps({"name": "王女士", "phone": PHONE}))
    shell("unit", "sign", number, "--unit", UNIT)
    shell("unit", "answer", number, "--unit", UNIT, "--text", "已经停工")
    return number


def visits(shell: Shell, *options: str) -> dict[str, Any]:
    """The list of visits, by number."""
    rows = json.loads(shell("visit", "list", "--json", *options))
    return {row["complaint_number"]: row for row in rows}


def test_a_person_asks_the_citizen_and_reads_the_number_for_the_visit_alone(shell: Shell) -> None:
    number = answered(shell, "半夜施工", "--confidential")
    mine = until(lambda: visits(shell).get(number))
    assert (mine["visit"], mine["attempt"], mine["channel"], mine["taken_by"]) == (1, 1, "phone", None)
    assert (mine["unit"], mine["overdue"], mine["content"]) == (UNIT, False, "")

    taken = json.loads(shell("visit", "take", number, "--as", "Li Wei", "--json"))
    assert (taken["seen"], taken["standing"]) == ("FULL", "VISITOR")
    assert (taken["contact"]["phone"], taken["answer"], taken["confidential"]) == (PHONE, "已经停工", True)
    assert visits(shell)[number]["taken_by"] == "Li Wei"
    assert "[Li Wei asks]" in shell("visit", "list")
    refused = shell("visit", "take", number, "--as", "Wang Fang", code=1)
    assert refused == "Li Wei asks the citizen: wait 30 minutes, or until the outcome is written down.\n"
    assert "has the order; nobody decides" in shell("visit", "take", number, "--as", UNIT, code=1)

    said = shell("visit", "unreached", number, "--cause", "busy")
    assert "The citizen is asked again, not before" in said
    assert number not in visits(shell)
    later = visits(shell, "--later")[number]
    assert (later["attempt"], later["taken_by"]) == (2, None)
    assert "is not to be asked before" in shell("visit", "take", number, "--as", "Li Wei", code=1)
    assert "was not to be made before" in shell("visit", "answer", number, "--solved", "--satisfied", code=1)
    rows = json.loads(shell("contact", "log", number, "--json"))
    assert [(row["as_a"], row["who"], row["outcome"]) for row in rows] == [
        ("AGENT", "agent", "PUT"),
        ("VISITOR", "Li Wei", "FULL"),
    ]


def test_the_citizens_judgement_closes_it_or_sends_it_round_again(shell: Shell) -> None:
    solved, unsolved = answered(shell, "路灯不亮"), answered(shell, "垃圾成堆")
    until(lambda: {solved, unsolved} <= set(visits(shell)))
    assert {solved, unsolved} <= set(visits(shell, "--reason", "ANSWERED", "--unit", UNIT))
    assert {solved, unsolved}.isdisjoint(visits(shell, "--reason", "EXPIRED"))
    assert {solved, unsolved}.isdisjoint(visits(shell, "--overdue"))
    closed = shell("visit", "answer", solved, "--solved", "--not-satisfied", "--reason", "太慢了")
    assert closed == "The complaint is closed: solved.\n"
    again = json.loads(
        shell("visit", "answer", unsolved, "--not-solved", "--not-satisfied", "--channel", "wechat", "--json")
    )
    assert [fact["type"] for fact in again] == ["VisitMade", "ComplaintReopened"]
    assert {solved, unsolved}.isdisjoint(visits(shell, "--later"))
    assert "has ended with ComplaintClosed: nobody is asked" in shell(
        "visit", "take", solved, "--as", "Li Wei", code=1
    )
    assert "No visit of complaint" in shell("visit", "unreached", unsolved, code=1)


def test_a_reviewer_reads_days_reason_and_evidence_and_the_answers_before_the_visit(shell: Shell) -> None:
    longer, other = called(shell, "电梯停运"), called(shell, "违法建设")
    shell("unit", "sign", longer, "--unit", UNIT)
    shell("unit", "extend", longer, "--unit", UNIT, "--days", "3", "--reason", "等待配件", "--citizen-told")
    shell("unit", "return", other, "--unit", UNIT, "--reason", "不在本街道", "--evidence", "第一行\n第二行")
    rows = {row["complaint_number"]: row for row in json.loads(shell("review", "list", "--json"))}
    asked = rows[longer]
    assert (asked["asked_for"], asked["days"], asked["reason"], asked["citizen_told"]) == (
        "extension", 3, "等待配件", True,
    )  # fmt: skip
    assert (rows[other]["evidence"], rows[other]["suggested_unit"]) == ("第一行\n第二行", None)
    said = shell("review", "list")
    assert "  | days: 3\n  | citizen told: yes\n  | reason: 等待配件\n" in said
    assert "  | reason: 不在本街道\n  | evidence: 第一行\n  | 第二行\n" in said
    only = json.loads(shell("review", "list", "--asked", "return", "--urgency", "GENERAL_7D", "--json"))
    assert other in {row["complaint_number"] for row in only}
    assert longer not in {row["complaint_number"] for row in only}
    number = answered(shell, "占道经营")
    until(lambda: number in shell("review", "answers"))
    assert "  | 已经停工\n" in shell("review", "answers")
    assert shell("review", "send-back", number, "--reason", "没有照片").startswith("Sent back")
    assert number not in shell("review", "answers")


def test_a_list_shows_what_there_is_to_know_and_a_page_leads_to_the_next(shell: Shell) -> None:
    number = called(shell, "下水道堵塞", "--content", "整栋楼都堵了", "--urgency", "TIMELY_24H")
    shell("request", "again", number)
    rows = json.loads(shell("unit", "list", "--unit", UNIT, "--urgency", "TIMELY_24H", "--json"))
    (mine,) = [row for row in rows if row["complaint_number"] == number]
    assert (mine["role"], mine["heat"], mine["urgency"]) == ("lead", 2, "TIMELY_24H")
    assert mine["sign_by"] < mine["due_at"]
    said = shell("unit", "list", "--unit", UNIT, "--content")
    assert f"{number}  new       TIMELY_24H   sign by " in said
    assert "(brought up 2 times)" in said
    assert "  | 整栋楼都堵了\n" in said
    assert "整栋楼都堵了" not in shell("unit", "list", "--unit", UNIT)
    shell("unit", "sign", number, "--unit", UNIT)
    assert (
        json.loads(shell("unit", "list", "--unit", UNIT, "--urgency", "TIMELY_24H", "--json"))[0]["sign_by"]
        is None
    )
    whole = [row["complaint_id"] for row in json.loads(shell("unit", "list", "--unit", UNIT, "--json"))]
    assert len(whole) > 2
    paged, after = [], ""
    while True:
        options = ("--limit", "2", *(("--after", after) if after else ()))
        page = json.loads(shell("unit", "list", "--unit", UNIT, "--json", *options))
        paged += [row["complaint_id"] for row in page]
        if "There are more" not in shell.noted:
            break
        after = shell.noted.split("--after ")[1].split()[0]
    assert paged == whole


def test_what_nobody_can_be_asked_about_waits_for_a_supervisor(shell: Shell) -> None:
    number = called(shell, "井盖丢失", "--anonymous")
    shell("unit", "sign", number, "--unit", UNIT)
    assert "it has not climbed" in shell(
        "supervise", "decide", number, "--text", "今日办结", "--as", "Zhao Min", code=1
    )
    shell("unit", "answer", number, "--unit", UNIT, "--text", "已经补上")
    (row,) = json.loads(shell("supervise", "list", "--watched", "unasked", "--json"))
    assert (row["complaint_number"], row["unit"], row["leader"]) == (number, UNIT, None)
    assert "nobody knows whom to ask" in shell("supervise", "list", "--district", "东城区")
    assert "nobody decides what he asked for" in shell(
        "supervise", "exception", number, "--reason", "无法回访", "--as", UNIT, code=1
    )
    said = shell("supervise", "exception", number, "--reason", "无法回访", "--as", "Zhao Min")
    assert said == "The complaint is closed as an exception.\n"
    assert number not in shell("supervise", "list")


def test_an_agent_turns_a_call_away_and_signs_with_a_name_and_a_channel(shell: Shell) -> None:
    words = ("call", "--subject", "公共服务/供气", "--district", "东城区", "--title", "闻到煤气味")
    said = shell(*words, "--turn-away", "119", "--as", "Li Wei", "--channel", "wechat")
    assert re.match(r"Complaint \S+ is turned away to 119 \(EMERGENCY\); no unit gets it\.\n", said)
    away = json.loads(shell(*words, "--turn-away", "redirected", "--to", "法院", "--json"))
    assert (away["turned_away"], away["to"]) == ("REDIRECTED", "法院")
    away = json.loads(shell(*words, "--turn-away", "rejected", "--reason", "不属受理范围", "--json"))
    assert (away["turned_away"], away["reason"]) == ("REJECTED", "不属受理范围")
    life = json.dumps(json.loads(shell("show", away["complaint_number"], "--json")), ensure_ascii=False)
    assert "不属受理范围" in life
    for wrong in (
        ("--turn-away", "911"),
        ("--turn-away", "redirected"),
        ("--turn-away", "rejected"),
        ("--turn-away", "119", "--to", "法院"),
        ("--to", "法院"),
        ("--channel", "fax"),
    ):
        shell(*words, *wrong, code=2)
    recorded = json.loads(shell(*words, "--as", "Li Wei", "--channel", "wechat", "--json"))
    assert (recorded["unit"], recorded["urgency"]) == ("municipal-gas", "TIMELY_24H")
    channel, signed = asyncio.run(_recorded(shell, recorded["complaint_id"]))
    assert (channel, signed) == ("wechat", "Li Wei")


async def _recorded(shell: Shell, complaint: str) -> tuple[str, str]:
    """By which channel it came, and who recorded it."""
    connection = await reader(shell.city().endpoints.logins["reader"])
    try:
        received, classified, *_ = await facts_of(connection, complaint)
    finally:
        await connection.close()
    assert isinstance(received, ComplaintReceived)
    assert isinstance(classified, ComplaintClassified)
    return received.channel, classified.classified_by


def at_desk(shell: Shell, unit: str, complaint: str, *lines: str) -> str:
    """All that is read by a person who sits down at a unit's desk and types; `N` stands for this complaint there."""
    listed = [row["complaint_number"] for row in json.loads(shell("unit", "list", "--unit", unit, "--json"))]
    shown = list(dict.fromkeys(listed))
    number = str(shown.index(complaint) + 1)
    typed = "\n".join(re.sub(r"\bN\b", number, line) for line in (*lines, "quit"))
    return shell("unit", "desk", "--unit", unit, typed=typed + "\n")


def test_every_verb_of_a_unit_is_typed_at_its_desk(shell: Shell) -> None:
    """Three units: the one that leads, one that helps, one that is called; each finds the order in its list."""
    number = called(shell, "水管爆裂")
    helper, summoned = "municipal-power", "municipal-water"
    shell("review", "helper", number, "--unit", helper, "--reason", "需要断电")
    said = at_desk(
        shell, UNIT, number,
        "nonsense", "help", "answer N", "sign 99", "sign N", "contact N 无人接听", "contact N",
        "progress N 正在抢修", "extend N 3 等待配件", f"whistle N KEY_WORK {summoned} 5号楼: 需要配合", "show N",
    )  # fmt: skip
    for outcome in (
        "list · sign N",
        "whistle N KIND CALL SCENE: REASON",
        "answer N TEXT: something is missing",
        "sign which?",
        f"{number}  Signed: the order is yours.",
        f"{number}  On record: you have tried; try again.",
        f"{number}  On record: you have spoken to the citizen.",
        f"{number}  The citizen is told",
        f"{number}  Extension requested",
        f"{number}  Whistled",
        "stands at",
    ):
        assert outcome in said, outcome
    assert "[help]" in shell("unit", "list", "--unit", helper)
    assert f"{number}  Reported" in at_desk(shell, helper, number, "report N 已断电")
    assert "[called]" in shell("unit", "list", "--unit", summoned)
    said = at_desk(
        shell,
        summoned,
        number,
        "acknowledge N",
        "measure N 关闭阀门",
        "arrive N 3",
        f"rate N {UNIT} 4 配合好",
    )
    for outcome in ("Acknowledged", "Recorded", "You are there", "Rated"):
        assert f"{number}  {outcome}" in said, outcome
    shell("review", "reject", number, "--reason", "可按期办结")
    said = at_desk(
        shell, UNIT, number,
        "pause N 2 AWAITS_AUTHORITY 等待批复", "resume N 批复已到", "terminate N UNLAWFUL_OR_IMPOSSIBLE 依据文件",
        f"rate N {summoned} 5", "release N 抢修完成", "exclude N FORCE_MAJEURE 暴雨通报", "offered",
        "return N 不属我街道: 权属证明",
    )  # fmt: skip
    for outcome in (
        "Pause requested",
        "Refused: ",  # of the resumption: the pause is not approved yet
        "Termination requested",
        "Rated",
        "Released",
        "Asked for",
        "No answer is offered to it.",
    ):
        assert outcome in said, outcome


def test_what_climbs_is_listed_by_its_district_and_decided_and_its_unit_is_told(shell: Shell) -> None:
    """In a city whose requests bring their limits: one that was over before it was recorded climbs at once."""
    shell("down")
    shell("up", "--city", "late", "--ruleset", "boston-311-2011")
    city = shell.city()
    late = RecordRequest(
        request_id="late-1", request_type=RequestType.HELP, subject="社会秩序/噪声扰民", district="东城区",
        street="东华门街道", title="夜间施工", given_due_at=datetime.now(UTC) - timedelta(hours=1),
    )  # fmt: skip
    asyncio.run(tell(city, INTAKE_REQUESTS, late.request_id, late))
    (row,) = until(lambda: json.loads(shell("supervise", "list", "--json")))
    number = row["complaint_number"]
    assert (row["watched_as"], row["told"], row["because"]) == ("district", "district-dongcheng", "ANSWER")
    assert (row["unit"], row["overdue"], row["decision"]) == (UNIT, True, None)
    assert json.loads(shell("supervise", "list", "--district", "海淀区", "--json")) == []
    said = shell("supervise", "decide", number, "--text", "今夜停工并回复诉求人", "--as", "Zhao Min")
    assert said == f"On record: {UNIT} is told; its limits stay.\n"
    told = shell("supervise", "list", "--district", "东城区", "--watched", "district")
    assert f"climbed to its district (district-dongcheng): {UNIT}  {number}" in told
    assert "  | Zhao Min: 今夜停工并回复诉求人\n" in told
    assert "decided as supervision, district level: 今夜停工并回复诉求人" in json.dumps(
        json.loads(shell("show", number, "--json")), ensure_ascii=False
    )
