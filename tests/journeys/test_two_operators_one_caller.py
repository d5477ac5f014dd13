"""A call is handed from one operator to another and both record it (T7): one order goes out, nothing said is lost."""

import asyncio
from functools import partial

import pytest
from msgspec.structs import replace

from services.intake import rules as intake
from services.intake.inbound import requests
from services.intake.settings import Settings
from shared.complaint import head_of
from shared.desk import Batch, Desk
from shared.events import ComplaintReceived, ComplaintTurnedAway, TurnedAway
from shared.ids import ComplaintId, complaint_id
from shared.inputs import RequestRecorded
from shared.log.memory import MemoryLog
from shared.telemetry import Telemetry
from shared.topics import INTAKE_REQUESTS
from tests import examples as eg
from tests.doors import message
from tests.examples import HOUR
from tests.story import ADDRESSES, Story

SECOND = replace(
    eg.REQUEST, request_id="20210924-0002", title="消防通道停车", content="占道", recorded_by="agent-9"
)


def ended(story: Story, request_id: str) -> str | None:
    """How its life ended; None where it goes on."""
    end = head_of(story.memory.heads[complaint_id(request_id)][2]).ended
    return None if end is None else end.how


async def test_the_second_record_is_kept_points_to_the_call_and_ends() -> None:
    """T7."""
    story = Story()
    first = await story.records()
    await story.tells(INTAKE_REQUESTS, SECOND)
    assert ended(story, eg.REQUEST_ID) is None
    story.id = complaint_id(SECOND.request_id)
    received, _, turned = story.facts()
    assert isinstance(received, ComplaintReceived)
    assert received.content == "占道", "what the second wrote stays readable"
    assert isinstance(turned, ComplaintTurnedAway)
    assert (turned.how, turned.to) == (TurnedAway.RECORDED_TWICE, "call-1")
    await story.tells(INTAKE_REQUESTS, SECOND, event_id="told once more, by another id")
    assert len(story.facts()) == 3
    await story.tells(INTAKE_REQUESTS, replace(SECOND, content="别的"))
    assert len(story.facts()) == 3
    assert len(story.memory.parked) == 1, "a third content under its number is set aside by itself"
    story.id = first
    await story.tells(INTAKE_REQUESTS, eg.REQUEST, event_id="nor does the first become the second")
    assert "ComplaintTurnedAway" not in story.told()
    story.holds()


async def test_in_one_batch_the_first_goes_on() -> None:
    """T7."""
    story = Story()
    told = [
        message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=data.request_id, offset=n)
        for n, data in enumerate((SECOND, eg.REQUEST), start=1)
    ]
    await story.comes(INTAKE_REQUESTS, *told)
    assert ended(story, SECOND.request_id) is None
    assert ended(story, eg.REQUEST_ID) == "ComplaintTurnedAway"
    story.holds()


async def test_two_intake_desks_at_the_same_moment_and_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """T7: both have read that nobody was first; the log lets one of them, and the other decides again."""
    story = Story()
    read = asyncio.Barrier(2)
    heads = MemoryLog.heads
    waits = {"left": 2}

    async def both_read(log: MemoryLog, *asked: object) -> object:
        known = await heads(log, *asked)  # type: ignore[arg-type]
        if waits["left"]:
            waits["left"] -= 1
            await read.wait()
        return known

    monkeypatch.setattr(MemoryLog, "heads", both_read)
    door = requests(Settings(**ADDRESSES), story.clock)

    async def takes(data: RequestRecorded, offset: int) -> None:
        batch = Batch()
        told = message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=data.request_id, offset=offset)
        door([told], batch)
        desk = Desk("intake", intake.decide, MemoryLog(story.memory, "intake"), Telemetry("intake"))
        await desk.obey(batch)

    await asyncio.gather(takes(eg.REQUEST, 1), takes(SECOND, 2))
    await story.hears()
    ends = sorted(str(ended(story, one)) for one in (eg.REQUEST_ID, SECOND.request_id))
    assert ends == ["ComplaintTurnedAway", "None"]
    story.holds()


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "供水"},
        {"street": "北太平庄街道"},
        {"call_id": "call-2"},
        {"call_id": None, "channel": "web"},
        {"another_matter": True},
        {"matter_of": eg.REQUEST_ID},
    ],
    ids=str,
)
async def test_what_is_or_may_be_another_matter_goes_on_by_itself(changes: dict[str, object]) -> None:
    """T7: one call, two matters; and where two are of one subject and place, the operator says so."""
    story = Story()
    await story.records()
    await story.tells(INTAKE_REQUESTS, replace(SECOND, **changes))
    assert ended(story, SECOND.request_id) is None
    story.id = ComplaintId(complaint_id(SECOND.request_id))
    assert "ComplaintDispatched" in story.told()
    story.holds()


async def test_a_first_record_that_could_not_be_decided_holds_nothing() -> None:
    """T7: only what is on record stands before another."""
    story = Story()

    def fails(command: object, case: object) -> object:
        raise RuntimeError("a bug in a rule")

    right = story.desks["intake"]
    story.desks["intake"] = Desk(
        "intake",
        partial(fails),
        MemoryLog(story.memory, "intake"),
        Telemetry("intake"),  # type: ignore[arg-type]
    )
    await story.tells(INTAKE_REQUESTS, eg.REQUEST)
    assert len(story.memory.parked) == 1
    story.desks["intake"] = right
    await story.tells(INTAKE_REQUESTS, SECOND)
    assert ended(story, SECOND.request_id) is None


async def test_the_citizen_may_still_say_more_to_the_record_that_goes_on() -> None:
    """T7: the second record's life is over, the first's is not."""
    story = Story()
    await story.records()
    await story.tells(INTAKE_REQUESTS, SECOND)
    await story.passes(HOUR)
    await story.tells(INTAKE_REQUESTS, eg.SUPPLEMENT)
    assert story.told()[-1] == "RequestSupplemented"
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
    story.holds()
