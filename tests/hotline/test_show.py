"""One complaint's life, told so that a person understands it."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace as changed
from rich.console import Console

from hotline.casefile.sentences.operator import FOR_OPERATOR
from hotline.casefile.timeline import Shown, show
from hotline.cli.show import print_life
from shared.complaint import Awaited
from shared.complaint_number import number_of
from shared.events import SPEAKERS
from shared.ids import ComplaintId, complaint_id
from shared.runtime.errors import UserError
from shared.trace_ids import trace_id_of
from shared.versions import RULESET
from tests import examples as eg
from tests.examples import HOUR, told
from tests.hotline.conftest import Desks, typed

BEIJING = ZoneInfo("Asia/Shanghai")


async def a_life_with_everything(desks: Desks) -> None:
    """Returned to another unit, never signed there, a reply refused, answered, not solved, on with it."""
    await desks.tell(eg.RECORD)
    await desks.tell(eg.RETURN)
    await desks.tell(eg.REVIEW)
    await desks.tell(eg.ANSWER)  # by the unit that gave it back: refused
    await desks.tick(eg.CALLED_AT + 30 * HOUR)
    late = eg.CALLED_AT + 30 * HOUR
    await desks.tell(told(eg.ANSWER, unit=eg.OTHER_STREET, assignment=2, at=late))
    await desks.tell(told(eg.RECORD_VISIT, solved=False, satisfied=False, reason="仍被占用", at=late + HOUR))


@pytest.mark.connected
async def test_a_life_is_told_in_order_with_who_what_and_why(desks: Desks) -> None:
    """T18: the unit's claim stands beside the citizen's judgement."""
    await a_life_with_everything(desks)
    shown = await show(desks.dsn, eg.ID)
    (word,) = shown.words[:1]
    assert (word.unit, word.claims_solved, word.solved, word.satisfied) == (
        eg.OTHER_STREET,
        True,
        False,
        False,
    )
    assert [entry.version for entry in shown.entries] == list(range(1, len(shown.entries) + 1))
    told = [(entry.fact, entry.who, entry.weight) for entry in shown.entries]
    assert told == [
        ("ComplaintReceived", "phone", "plain"),
        ("ComplaintClassified", "agent-7", "plain"),
        ("ComplaintDispatched", "dispatch", "plain"),
        ("ReturnRequested", eg.STREET, "plain"),
        ("ReturnApproved", "reviewer-3", "plain"),
        ("ComplaintDispatched", "dispatch", "plain"),
        ("ReplyRefused", "dispatch", "refused"),
        ("SignLimitMissed", eg.OTHER_STREET, "missed"),
        ("ComplaintEscalated", "escalation", "missed"),
        ("OrderAnswered", eg.OTHER_STREET, "plain"),
        ("VisitScheduled", "feedback", "plain"),
        ("VisitMade", "citizen", "plain"),
        ("ComplaintReopened", "feedback", "missed"),
        ("ComplaintDispatched", "dispatch", "plain"),
    ]
    why = {entry.version: entry.why for entry in shown.entries}
    assert why[1] == why[4] == why[10] == "a message"
    assert why[3] == "after 2 ComplaintClassified"
    assert why[8] == why[9] == "the clock"
    assert why[11] == "after 10 OrderAnswered"
    what = {entry.version: entry.what for entry in shown.entries}
    assert what[3] == (
        "order 1 to street-huayuanlu (round 1; test-1: 停车→street); "
        "sign by 09-24 16:30, answer by 10-01 23:59"
    )
    assert what[4] == "wants to return order 1: 不属本街道 (辖区图), suggests street-xiaoguan"
    assert what[7].startswith("did not let street-huayuanlu answer: the order lies with street-xiaoguan now")
    assert what[12] == "not solved, not satisfied: 仍被占用"


@pytest.mark.connected
async def test_it_says_where_it_stands_for_whom_it_waits_and_until_when(desks: Desks) -> None:
    await a_life_with_everything(desks)
    shown = await show(desks.dsn, eg.ID)
    assert (shown.title, shown.request_id) == (eg.REQUEST.title, eg.REQUEST_ID)
    assert shown.stage == "AT_UNIT"
    assert shown.waiting is not None
    assert (shown.waiting.kind, shown.waiting.name) == (Awaited.UNIT, eg.OTHER_STREET)
    assert shown.waiting.by == shown.deadlines["SIGN"] == eg.CALLED_AT + 31 * HOUR + 8 * HOUR
    assert set(shown.deadlines) == {"SIGN", "ANSWER"}


@pytest.mark.connected
async def test_times_are_those_of_the_city(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    shown = await show(desks.dsn, eg.ID)
    assert shown.timezone == "Asia/Shanghai"
    assert {entry.at for entry in shown.entries} == {datetime(2021, 9, 24, 8, 30, tzinfo=BEIJING)}
    assert {entry.at.utcoffset() for entry in shown.entries} == {8 * HOUR}


@pytest.mark.connected
async def test_an_ended_life_waits_for_nobody(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    await desks.tell(eg.WITHDRAW)
    shown = await show(desks.dsn, eg.ID)
    assert (shown.stage, shown.waiting, shown.deadlines) == ("ENDED", None, {})
    assert shown.entries[-1].weight == "ended"


@pytest.mark.connected
async def test_the_call_it_came_with_is_told(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    assert (await show(desks.dsn, eg.ID)).call == "call call-1: the telephone system told nothing of it"

    async def told(*times: datetime, what: str) -> str:
        await desks.owner.execute(
            "SELECT intake.note_calls($1, $2, $3)", ["call-1"] * len(times), times, [what] * len(times)
        )
        return (await show(desks.dsn, eg.ID)).call

    assert await told(eg.CALLED_AT - 8 * eg.MINUTE, what="answered") == (
        "call call-1: answered, how soon is not known"
    )
    assert await told(eg.CALLED_AT - 9 * eg.MINUTE, what="offered") == "call call-1: answered after 60 s"


@pytest.mark.connected
async def test_a_trace_has_an_address_where_the_life_is_traced(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    trace_id = f"{trace_id_of(eg.ID):032x}"
    traced = await show(desks.dsn, eg.ID, "http://127.0.0.1:9411", 1.0)
    assert traced.trace == f"http://127.0.0.1:9411/zipkin/traces/{trace_id}"
    for zipkin, ratio in (("http://127.0.0.1:9411", 0.0), (None, 1.0)):
        untraced = await show(desks.dsn, eg.ID, zipkin, ratio)
        assert (untraced.trace_id, untraced.trace) == (trace_id, "")


@pytest.mark.connected
async def test_a_broken_chain_and_an_unreadable_fact_are_shown_as_such(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    assert (await show(desks.dsn, eg.ID)).chain_right
    await desks.owner.execute("ALTER TABLE es.event DISABLE TRIGGER USER")
    await desks.owner.execute("UPDATE es.event SET body = '{' WHERE version = 2")
    shown = await show(desks.dsn, eg.ID)
    assert not shown.chain_right
    assert "cannot be read" in shown.entries[1].what
    assert shown.entries[2].fact == "ComplaintDispatched"


# -- which complaint is meant


def twins() -> tuple[ComplaintId, ComplaintId, str]:
    """Two complaints whose ids begin alike, and how."""
    seen: dict[str, ComplaintId] = {}
    for number in range(10_000):
        identity = complaint_id(f"twin-{number}")
        twin = seen.setdefault(identity[:4], identity)
        if twin != identity:
            return twin, identity, identity[:4]
    raise AssertionError


@pytest.mark.connected
async def test_a_complaint_is_named_by_its_id_a_beginning_of_it_or_its_request(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    for named in (eg.ID, eg.ID[:4], eg.ID[:13], eg.ID.replace("-", "")[:20], eg.ID.upper(), eg.REQUEST_ID):
        assert (await show(desks.dsn, f" {named} ")).complaint_id == eg.ID


@pytest.mark.connected
async def test_what_names_none_or_several_is_answered_in_one_sentence(desks: Desks) -> None:
    names = {complaint_id(f"twin-{number}"): f"twin-{number}" for number in range(10_000)}
    first, second, beginning = twins()
    await desks.tell(
        *(
            told(
                eg.RECORD,
                complaint_id=identity,
                command=changed(eg.REQUEST, request_id=names[identity], call_id=None),
            )
            for identity in (first, second)
        )
    )
    for named, words in (
        (beginning, f"More than one complaint's id begins with “{beginning}”"),
        (first[:3], "too short"),
        ("", "too short"),
        ("ffff0000", "No complaint's id begins with “ffff0000”, and no request has that id"),
        ("no such request", "No request has the id “no such request”"),
        ("%%%%", "No request has the id"),
        (first + "0", "No request has the id"),
    ):
        with pytest.raises(UserError) as refused:
            await show(desks.dsn, named)
        assert words in str(refused.value)
    shown = await show(desks.dsn, second[:8])
    assert shown.complaint_id == second
    assert (await show(desks.dsn, f" {shown.complaint_number.lower()} ")).complaint_id == second
    other_day = number_of(ComplaintId(second), datetime(2020, 2, 2, tzinfo=ZoneInfo(shown.timezone)), RULESET)
    wrong = shown.complaint_number[:-1] + ("2" if shown.complaint_number[-1] != "2" else "3")
    for named, words in (
        (other_day, "No complaint has the number"),
        (wrong, "its last character does not fit"),
    ):
        with pytest.raises(UserError, match=words):
            await show(desks.dsn, named)


# -- the commands


@pytest.mark.connected
async def test_hotline_show_prints_the_timeline_and_as_json_the_same(desks: Desks, city_here: None) -> None:
    await a_life_with_everything(desks)
    printed = (await typed("show", eg.ID)).output
    for words in (
        "\n2021, city time (Asia/Shanghai)\n",
        "\n  1  09-24 08:30  phone  received: ",
        "did not sign by 09-24 19:30  (the clock)\n",
        "stands at AT_UNIT; waits for street-xiaoguan to sign or answer the order",
        "next deadline 2021-09-25 23:30\n",
        f"round 1: {eg.OTHER_STREET} claims it is solved; the citizen: not solved, not satisfied\n",
        "hash chain: right",
        f"trace: {trace_id_of(eg.ID):032x}",
    ):
        assert words in printed, printed
    result = await typed("show", eg.REQUEST_ID, "--json")
    shown = msgspec.json.decode(result.stdout, type=Shown)
    assert shown == msgspec.json.decode(msgspec.json.encode(await show(desks.dsn, eg.ID)), type=Shown)
    assert (await typed("show", eg.ID, columns=60)).output == printed  # a pipe has no width
    for columns in (80, 160):
        page = StringIO()
        print_life(await show(desks.dsn, eg.ID), Console(file=page, width=columns, force_terminal=True))
        told = page.getvalue()
        for whole in (
            "停车→street",
            eg.OTHER_STREET,
            eg.STREET,
            "09-24 08:30",
            "after 10 OrderAnswered",
            eg.ID,
        ):
            assert whole in told, told


def test_every_kind_of_fact_can_be_told() -> None:
    assert set(FOR_OPERATOR) == set(SPEAKERS)
    for fact in eg.FACTS:
        who, what, weight = FOR_OPERATOR[type(fact)](fact, str)
        assert who
        assert what
        assert weight in {"plain", "missed", "refused", "ended"}
