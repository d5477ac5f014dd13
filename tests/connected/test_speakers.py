"""Whoever speaks has a topic of its own, so a wrong client of one speaker silences no other."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner

from deploy.city import registry as where
from deploy.city.making import make_topics
from deploy.supervision.stalled import look, stalled, standing_still
from deploy.supervision.watchman import Watchman
from hotline.cli.parked import parked as parked_command
from shared.doors.parking_limit import PARKED_MIN
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    OrderAnswered,
    OrderSigned,
    ReturnApproved,
    ReturnRequested,
    VisitScheduled,
)
from shared.inputs import CallOffered, CloseByException, RecordVisit, ReviewReturn
from shared.policy.catalogue import catalogue
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
)
from tests.city import OTHER_UNIT, STREETS, UNIT, City, until

pytestmark = pytest.mark.connected

NONSENSE = PARKED_MIN + 50
OTHER_STREET = next(street for street, unit in STREETS.items() if unit == OTHER_UNIT)
QUICK = {f"{desk}_METADATA_MAX_AGE_MS": "500" for desk in ("INTAKE", "DISPATCH", "FEEDBACK")}
"""So that no test waits for a topic that was just made."""


async def nonsense(town: City, topic: str, number: int = NONSENSE, *, before: str = "") -> None:
    """As from a client that was built for another format; all lies before a later message of the key `before`."""
    producer = await town._sender()
    for one in range(number):
        await producer.send(
            topic, b'{"new": "format"}', key=before.encode() or b"%d" % one, headers=[("ce_type", b"new")]
        )
    await producer.flush()


async def stopped(town: City) -> set[str]:
    rows = await town.sql("SELECT topic FROM es.door_stopped WHERE resumed_at IS NULL")
    return {row["topic"] for row in rows}


async def until_stopped(town: City, *topics: str) -> None:
    async def are() -> bool:
        return await stopped(town) == set(topics)

    await until(are, within=30, what=f"{topics} stopped")


async def typed(town: City, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """`hotline parked WORDS` in this city; exit code 0."""
    monkeypatch.setattr("deploy.city.registry.find_city", lambda: town.endpoints)
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: where.City(endpoints=town.endpoints))
    result = await asyncio.to_thread(CliRunner().invoke, parked_command, list(words))
    assert result.exit_code == 0, result.output
    return result.output


async def everything_parked(town: City, topic: str, number: int = NONSENSE) -> None:
    async def is_() -> bool:
        return len(await town.parked(topic)) == number

    await until(is_, within=30, what="all of it parked")


async def test_one_department_sends_nonsense_and_the_replies_of_all_others_have_their_effect(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await city()
    await town.start("intake", "dispatch", "relay")
    mine = [await town.record(f"mine-{number}") for number in range(5)]
    theirs = [await town.record(f"theirs-{number}", street=OTHER_STREET) for number in range(40)]
    for complaint in (*mine, *theirs):
        await town.until_fact(complaint, ComplaintDispatched, within=30)
    topic = town.topic(DISPATCH_REPLIES, UNIT)

    async def replies() -> None:
        for complaint in theirs:
            await town.sign(complaint, OTHER_UNIT)
            await town.answer(complaint, OTHER_UNIT)

    # In the same batches: nonsense of the one, replies of the other.
    await asyncio.gather(nonsense(town, topic), replies())
    await until_stopped(town, topic)
    for complaint in theirs:
        await town.until_fact(complaint, OrderAnswered, within=30)
    assert [len([f for f in await town.story(one) if f == "OrderSigned"]) for one in theirs] == [1] * len(
        theirs
    )

    # It is stopped, and lies where it is; what others say goes on.
    for complaint in mine:
        await town.sign(complaint)
    late = await town.record("later", street=OTHER_STREET)
    await town.until_fact(late, ComplaintDispatched, within=30)
    await town.sign(late, OTHER_UNIT)
    await town.until_fact(late, OrderSigned, within=30)
    for complaint in mine:
        assert "OrderSigned" not in await town.story(complaint)
    assert len(await town.parked()) < PARKED_MIN

    # Everybody sees it: what waits there is no trouble of dispatch's.
    known = catalogue(str(town.folder / "catalogue.json"))

    async def owes_nothing() -> bool:
        return (await look(town.endpoints, known)).owed["dispatch"] == 0

    await until(owes_nothing, within=30, what="dispatch with nothing left to do")
    standing = await look(town.endpoints, known)
    (one,) = standing.stopped
    assert (one.desk, one.door, one.topic) == ("dispatch", "replies", topic)
    assert "could not be taken in" in one.reason
    waiting = standing.behind["dispatch"]
    assert waiting == standing.left["dispatch", topic, 0] > 50
    assert "dispatch" not in await stalled(town.endpoints, known, standing, within=1.0)
    said = await typed(town, monkeypatch, "list")
    assert f"dispatch takes nothing in from {topic} (door replies) since" in said
    assert f"`hotline parked resume dispatch replies {topic}` lets it go on" in said

    # One topic is let go on by name, with the city's prefix or without.
    said = await typed(town, monkeypatch, "resume", "dispatch", "replies", DISPATCH_REPLIES.of(UNIT))
    assert topic in said
    for complaint in mine:
        await town.until_fact(complaint, OrderSigned, within=30)
    await everything_parked(town, topic)
    assert await stopped(town) == set()
    await town.verify()


@pytest.mark.parametrize("one_process", [False, True])
async def test_what_the_app_sends_is_heard_while_the_web_is_stopped_whatever_is_killed(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch, one_process: bool
) -> None:
    town = await city()
    which = () if one_process else ("intake",)
    process = "desks" if one_process else "intake"
    await town.start(*which, extra=QUICK, one_process=one_process)
    web, app = [await town.speaker(INTAKE_REQUESTS, login) for login in ("web", "app")]
    first = [await town.record(f"first-{login}", login=login) for login in ("web", "app", "")]
    for complaint in first:
        await town.until_fact(complaint, ComplaintReceived)

    await nonsense(town, web, before="behind-the-nonsense")
    behind = await town.record("behind-the-nonsense", login="web")
    await until_stopped(town, web)
    for number, login in enumerate(("app", "", "app")):
        complaint = await town.record(f"meanwhile-{number}", login=login)
        await town.until_fact(complaint, ComplaintReceived)

    # Killed, and started anew: the one stays stopped, the others are heard.
    town.signal(process)
    await until(lambda: _back(town, process), within=30, what="the process back")
    complaint = await town.record("after-the-kill", login="app")
    await town.until_fact(complaint, ComplaintReceived, within=30)
    await town.stop()
    await town.start(*which, extra=QUICK, one_process=one_process)
    complaint = await town.record("after-the-restart", login="app")
    await town.until_fact(complaint, ComplaintReceived, within=30)
    plain = await town.record("at-the-plain-topic")
    await town.until_fact(plain, ComplaintReceived)
    assert await town.story(behind) == []
    assert len(await town.parked()) < PARKED_MIN
    assert await stopped(town) == {web}

    # Another speaker's nonsense stops that one too; both go on with one word.
    await nonsense(town, app)
    await until_stopped(town, web, app)
    another = await town.record("at-the-plain-topic-again")
    await town.until_fact(another, ComplaintReceived)
    said = await typed(town, monkeypatch, "resume", "intake", "requests")
    assert web in said
    assert app in said
    await town.until_fact(behind, ComplaintReceived, within=30)
    await everything_parked(town, web)
    await everything_parked(town, app)


async def _back(town: City, process: str) -> bool:
    return process in town.pids()


async def test_with_two_processes_a_topic_stops_in_both_and_stays_so_when_its_partitions_move(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await city()
    await town.start("intake", counts={"intake": 2}, extra=QUICK)
    web, _ = [await town.speaker(INTAKE_REQUESTS, login) for login in ("web", "app")]
    await nonsense(town, web, 4 * NONSENSE)
    await until_stopped(town, web)

    async def both() -> bool:
        return [await town.metric(f"intake-{number}", "door.stopped") for number in (1, 2)] == [1, 1]

    await until(both, within=30, what="both processes know")
    aside = len(await town.parked(web))
    for number in range(8):
        complaint = await town.record(f"app-{number}", login="app")
        await town.until_fact(complaint, ComplaintReceived, within=30)
    # A third one joins: every partition is given away anew.
    await town.start("intake-3", counts={"intake": 3}, extra=QUICK)
    for number in range(8):
        complaint = await town.record(f"moved-{number}", login="app")
        await town.until_fact(complaint, ComplaintReceived, within=30)
    assert len(await town.parked(web)) == aside < 2 * PARKED_MIN
    await typed(town, monkeypatch, "resume", "intake", "requests", web)
    await everything_parked(town, web, 4 * NONSENSE)


async def test_every_shared_door_hears_the_topics_of_logins_made_while_it_runs(
    city: Callable[..., Awaitable[City]],
) -> None:
    """A whole life, and one that is closed by exception, told on topics of logins alone."""
    town = await city()
    await town.start("intake", "dispatch", "feedback", "relay", extra=QUICK)
    for line, login in (
        (TELEPHONY_CALLS, "pbx"),
        (INTAKE_REQUESTS, "web"),
        (DISPATCH_REVIEWS, "reviewers"),
        (FEEDBACK_VISIT_RESULTS, "dialler-2"),
        (FEEDBACK_EXCEPTIONS, "night_shift"),
    ):
        await town.speaker(line, login)
    await town.tell(TELEPHONY_CALLS, "call-1", CallOffered(call_id="call-1"), login="pbx")
    complaint = await town.record("a-life", login="web")
    await town.until_fact(complaint, ComplaintDispatched, within=30)
    await town.ask_return(complaint)
    await town.until_fact(complaint, ReturnRequested)
    review = ReviewReturn(complaint_id=complaint, assignment=1, approved=True, reviewer="审核员")
    await town.tell(DISPATCH_REVIEWS, complaint, review, login="reviewers")
    await town.until_fact(complaint, ReturnApproved)
    order = await town.until_fact(complaint, ComplaintDispatched, count=2, within=30)
    await town.sign(complaint, order.fact.unit, 2)
    await town.answer(complaint, order.fact.unit, 2)
    await town.until_fact(complaint, VisitScheduled, within=30)
    visit = RecordVisit(complaint_id=complaint, visit=1, attempt=1, solved=True, satisfied=True)
    await town.tell(FEEDBACK_VISIT_RESULTS, complaint, visit, login="dialler-2")
    await town.until_fact(complaint, ComplaintClosed)
    other = await town.record("another-life", login="web")
    await town.until_fact(other, ComplaintDispatched, within=30)
    await town.sign(other)
    await town.answer(other)
    await town.until_fact(other, VisitScheduled, within=30)
    closed = CloseByException(complaint_id=other, approved_by="值班长", reason="当事人已去世")
    await town.tell(FEEDBACK_EXCEPTIONS, other, closed, login="night_shift")
    await town.until_fact(other, ComplaintClosed)
    assert await town.value("SELECT count(*) FROM intake.call WHERE call_id = 'call-1'") == 1

    # What waits on such a topic is counted, and verify holds it against Kafka.
    await town.stop()
    waiting = await town.record("waits", login="web")
    standing = await look(town.endpoints, catalogue(str(town.folder / "catalogue.json")))
    assert standing.behind["intake"] == 1
    (at,) = [at for at in standing.left if at[0] == "intake"]
    assert at[1] == town.topic(INTAKE_REQUESTS, login="web")
    assert standing_still(standing, standing)["intake"] == "1 messages wait in 1 partitions, none is taken in"
    await town.verify()
    await town.start("intake", "dispatch", "feedback", "relay", extra=QUICK)
    await town.until_fact(waiting, ComplaintReceived, within=30)


@pytest.mark.parametrize("kill", [True, False])
async def test_a_topic_made_while_its_desk_is_away_is_heard_once_it_is_back(
    city: Callable[..., Awaitable[City]], kill: bool
) -> None:
    """Kafka keeps the partitions of a process that has a lasting name; a new topic is not among them."""
    town = await city()
    await town.start("intake")
    if kill:
        town.signal("intake")
    else:
        await town.stop()
    topic = await town.speaker(INTAKE_REQUESTS, "web", heard=False)
    complaint = await town.record("early", login="web")
    if not kill:
        await town.start("intake")
    await town.until_fact(complaint, ComplaintReceived, within=60)
    assert await town.hears(topic)


async def test_the_watchman_leaves_a_stopped_topic_alone_and_still_sees_who_hangs(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start("intake", extra=QUICK)
    web, _ = [await town.speaker(INTAKE_REQUESTS, login) for login in ("web", "app")]
    await nonsense(town, web)
    await until_stopped(town, web)
    said: list[str] = []
    watchman = Watchman(
        town.endpoints,
        catalogue(str(town.folder / "catalogue.json")),
        town._supervisors[0][0],
        said.append,
        still_seconds_max=3.0,
        look_seconds=0.5,
    )
    watching = asyncio.create_task(watchman.watch())
    try:
        pid = town.pids()["intake"]
        await asyncio.sleep(6)
        assert town.pids()["intake"] == pid, said
        town.kills += 1  # the watchman's
        town.signal("intake", signal.SIGSTOP)
        complaint = await town.record("while-it-hangs", login="app")

        async def ended() -> bool:
            return any("intake stands still (1 messages wait in 1 partitions" in line for line in said)

        await until(ended, within=60, what="a word of the watchman's")
    finally:  # one so impatient would end the next one while it starts
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await town.until_fact(complaint, ComplaintReceived, within=60)
    assert town.pids()["intake"] != pid
    assert await stopped(town) == {web}


async def test_what_only_looks_like_a_topic_of_the_door_is_not_heard(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start("intake", extra=QUICK)
    plain = town.topic(INTAKE_REQUESTS)
    others = [f"{plain}x", f"{plain}.a.b", f"{plain}.Web", f"x{plain}"]
    town.more += others
    await make_topics(town.endpoints.kafka, dict.fromkeys(others, INTAKE_REQUESTS))
    await town.speaker(INTAKE_REQUESTS, "web")  # made later and heard, so those would have been heard too
    rows = await town.sql("SELECT DISTINCT topic FROM es.consumer_offset WHERE topic LIKE $1", f"%{plain}%")
    assert {row["topic"] for row in rows} == {plain, f"{plain}.web"}


async def test_a_door_that_stopped_before_topics_did_is_stopped_whole_until_a_person_resumes_it(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await city()
    await town.sql(
        "INSERT INTO es.door_stopped (consumer, door, topic, reason) VALUES ('intake', 'requests', '', 'of before')"
    )
    topic = await town.speaker(INTAKE_REQUESTS, "web", heard=False)
    await town.start("intake", extra=QUICK)
    told = [await town.record(f"told-{login}", login=login) for login in ("web", "")]
    await town.tell(TELEPHONY_CALLS, "call-1", CallOffered(call_id="call-1"))
    await until(
        lambda: town.value("SELECT 1 FROM intake.call WHERE call_id = 'call-1'"), within=10, what="the call"
    )
    assert await town.facts() == []
    standing = await look(town.endpoints, catalogue(str(town.folder / "catalogue.json")))
    (one,) = standing.stopped
    assert (one.where, one.resume) == ("by door requests", "hotline parked resume intake requests")
    assert {at[1] for at in standing.held} == {topic, town.topic(INTAKE_REQUESTS)}
    assert standing.owed["intake"] == 0
    said = await typed(town, monkeypatch, "list")
    assert "intake takes nothing in by door requests since" in said
    wrong = await asyncio.to_thread(
        CliRunner().invoke, parked_command, ["resume", "intake", "requests", topic]
    )
    assert wrong.exit_code == 1
    await typed(town, monkeypatch, "resume", "intake", "requests")
    for complaint in told:
        await town.until_fact(complaint, ComplaintReceived, within=30)
