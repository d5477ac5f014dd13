"""Two who speak number their requests alike; one tells another matter under a number that is taken.

No citizen's matter ever stands as a refusal in the life of another's, and what is set aside can be seen by itself.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from msgspec.structs import replace

from services.intake.inbound import requests
from services.intake.settings import Settings
from shared import inputs
from shared.complaint import Complaint, head_of
from shared.events import RatingGiven, RequestRepeated, RequestSupplemented, TurnedAway
from shared.ids import ComplaintId, complaint_id
from shared.inputs import Input
from shared.topics import INTAKE_REQUESTS
from tests import examples as eg
from tests.doors import clock, message, refused
from tests.story import Story

WEB: Final = f"{INTAKE_REQUESTS.name}.web"
APP: Final = f"{INTAKE_REQUESTS.name}.app"
FROM_WEB: Final = replace(eg.REQUEST, request_id="1", call_id=None, channel="web")
FROM_APP: Final = replace(
    eg.REQUEST, request_id="1", call_id=None, channel="app", title="楼道没有灯", content="已三天"
)
REQUESTS: Final = requests(Settings(kafka="not asked", postgres="not asked"), clock())


async def says(story: Story, data: Input, topic: str, *, event_id: str = "", key: int = 0) -> ComplaintId:
    """Somebody says this on this topic; the complaint that its number is there."""
    offset = next(story._numbers)
    incoming = message(
        data, topic, at=story.clock.now(), event_id=event_id or f"event-{offset}", offset=offset
    )
    await story.comes(INTAKE_REQUESTS, replace(incoming, partition=key))
    speaker = topic.removeprefix(INTAKE_REQUESTS.name).removeprefix(".")
    story.id = complaint_id(getattr(data, "request_id", None) or "", speaker)
    return story.id


def head(story: Story, complaint: str) -> Complaint:
    return head_of(story.memory.heads[complaint][2])


def reasons(story: Story) -> list[tuple[str | None, str]]:
    return [(kept.parked.complaint_id, kept.parked.reason) for kept in story.memory.parked.values()]


async def test_the_number_one_of_two_speakers_is_two_complaints_and_neither_is_refused(story: Story) -> None:
    web, app = await says(story, FROM_WEB, WEB), await says(story, FROM_APP, APP)
    plain = await says(story, replace(FROM_WEB, title="第三件"), INTAKE_REQUESTS.name)
    assert len({web, app, plain}) == 3
    assert [head(story, one).title for one in (web, app, plain)] == [FROM_WEB.title, "楼道没有灯", "第三件"]
    assert reasons(story) == []
    assert {fact.type for fact in story.memory.facts} == {
        "ComplaintReceived",
        "ComplaintClassified",
        "ComplaintDispatched",
    }
    await story.signs()
    story.holds()


async def test_each_speaker_adds_to_its_own_by_its_own_number(story: Story) -> None:
    web, app = await says(story, FROM_WEB, WEB), await says(story, FROM_APP, APP)
    await says(story, inputs.SupplementRequest(request_id="1", text="又来了"), APP)
    assert head(story, app).added == ("又来了",)
    assert head(story, web).added == ()


ABOUT: Final[dict[str, tuple[dict[str, Any], type[Input], str]]] = {
    "supplement": ({"text": "车还在"}, inputs.SupplementRequest, "RequestSupplemented"),
    "correction": (
        {"address": "6号楼", "corrected_by": "agent-7"},
        inputs.CorrectRequest,
        "RequestCorrected",
    ),
    "repeat": ({"repeat_id": "call-77"}, inputs.RepeatRequest, "RequestRepeated"),
    "rating": ({"satisfied": True}, inputs.GiveRating, "RatingGiven"),
    "withdrawal": ({}, inputs.WithdrawRequest, "ComplaintWithdrawn"),
}


@pytest.mark.parametrize("what", ABOUT)
async def test_an_agent_says_what_comes_later_about_what_came_from_the_web_by_the_complaints_number(
    story: Story, what: str
) -> None:
    fields, kind, said = ABOUT[what]
    web = await says(story, FROM_WEB, WEB)
    await says(story, kind(complaint_id=web, **fields), INTAKE_REQUESTS.name)
    story.id = web
    assert story.told()[-1] == said
    story.holds()


@pytest.mark.parametrize("what", ABOUT)
async def test_a_number_that_nobody_recorded_on_this_topic_is_set_aside_and_the_field_named(
    story: Story, what: str
) -> None:
    fields, kind, _ = ABOUT[what]
    await says(story, FROM_WEB, WEB)
    before = len(story.memory.facts)
    await says(story, kind(request_id="1", **fields), APP)
    await says(story, kind(complaint_id=complaint_id("nobody"), **fields), APP)
    assert len(story.memory.facts) == before
    unknown = "data: request_id: no request of this number came on this topic"
    assert reasons(story) == [
        (None, f"{unknown}; complaint {complaint_id('1', 'app')} is not on record"),
        (None, f"complaint {complaint_id('nobody')} is not on record"),
    ]


@pytest.mark.parametrize("what", ABOUT)
@pytest.mark.parametrize("named", ["neither", "both"])
def test_a_complaint_is_named_in_exactly_one_way(what: str, named: str) -> None:
    fields, kind, _ = ABOUT[what]
    ways = {} if named == "neither" else {"request_id": "1", "complaint_id": eg.ID}
    why = refused(REQUESTS, message(kind(**fields, **ways), INTAKE_REQUESTS.name))
    assert why == f"data: request_id, complaint_id: {named} given, expected exactly one of them"


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (
            inputs.RepeatRequest(request_id="1"),
            "data: repeat_id, repeat_complaint: neither given, expected exactly one of them",
        ),
        (
            replace(eg.REPEAT, repeat_complaint=eg.REPEATED_BY),
            "data: repeat_id, repeat_complaint: both given, expected exactly one of them",
        ),
        (
            inputs.RepeatRequest(request_id="1", repeat_complaint=eg.REPEATED_BY),
            "data: another_citizen: expected true",
        ),
        (
            replace(eg.REQUEST, matter_of="1", matter_of_complaint=eg.REPEATED_BY),
            "data: matter_of, matter_of_complaint: both given",
        ),
        (
            replace(
                eg.REQUEST,
                retaliation_by=eg.STREET,
                retaliation_about="1",
                retaliation_about_complaint=eg.REPEATED_BY,
            ),
            "data: retaliation_about, retaliation_about_complaint: both given",
        ),
        (
            replace(eg.REQUEST, retaliation_about_complaint=eg.REPEATED_BY),
            "data: retaliation_by: missing",
        ),
    ],
)
def test_another_complaint_is_named_in_one_way_too(data: Input, because: str) -> None:
    assert refused(REQUESTS, message(data, INTAKE_REQUESTS.name)).startswith(because)


# -- one speaker, one number, two matters


async def test_another_matter_under_a_number_that_is_taken_leaves_the_first_life_untouched(
    story: Story,
) -> None:
    web = await says(story, FROM_WEB, WEB)
    before = story.memory.heads[web]
    await says(story, replace(FROM_WEB, title="别的事", content="另一家"), WEB)
    assert story.memory.heads[web] == before
    ((complaint, reason),) = reasons(story)
    assert complaint is None
    assert reason.startswith(
        "data: request_id: is on record already and says something else (title, content). "
    )
    assert "别的事" not in reason
    assert "hotline" not in reason
    await says(story, inputs.SupplementRequest(request_id="1", text="车还在"), WEB)
    assert story.facts(RequestSupplemented), "nothing waits behind it"
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    story.holds()


async def test_the_same_request_under_another_event_id_is_on_record_already(story: Story) -> None:
    web = await says(story, FROM_WEB, WEB)
    before = story.memory.heads[web]
    await says(story, replace(FROM_WEB, recorded_by="web-2"), WEB)
    assert story.memory.heads[web] == before
    assert reasons(story) == []


async def test_the_same_request_told_again_after_a_correction_is_no_other_matter(story: Story) -> None:
    """T7: the sender did not change it, we did."""
    web = await says(story, FROM_WEB, WEB)
    corrected = inputs.CorrectRequest(
        request_id="1", title="更正", content="更正", street="小关街道", corrected_by="agent-7"
    )
    await says(story, corrected, WEB)
    await says(story, inputs.SupplementRequest(request_id="1", text="车还在"), WEB)
    story.id = web
    before = story.told()
    await says(story, FROM_WEB, WEB)
    story.id = web
    assert (story.told(), reasons(story)) == (before, [])
    story.holds()


async def test_another_way_of_turning_away_told_under_a_known_number_is_kept_to_be_seen(story: Story) -> None:
    """T7, R4: an emergency must not vanish behind a rejection."""
    rejected = replace(FROM_WEB, turned_away=TurnedAway.REJECTED, turned_away_reason="不在受理范围")
    await says(story, rejected, WEB)
    emergency = replace(
        FROM_WEB, turned_away=TurnedAway.EMERGENCY, turned_away_to="119", turned_away_reason="火情"
    )
    await says(story, emergency, WEB)
    ((complaint, reason),) = reasons(story)
    assert complaint is None
    assert "(turned_away, turned_away_to, turned_away_reason)" in reason
    story.holds()


async def test_the_same_event_id_with_another_rating_is_set_aside_and_the_first_stands(story: Story) -> None:
    """On one topic; the other speaker's event of the same source and id is another event."""
    web, app = await says(story, FROM_WEB, WEB), await says(story, FROM_APP, APP)
    pleased = inputs.GiveRating(request_id="1", satisfied=True)
    await says(story, pleased, WEB, event_id="r-1")
    await says(story, pleased, WEB, event_id="r-1")
    await says(story, replace(pleased, satisfied=False), WEB, event_id="r-1")
    await says(story, replace(pleased, satisfied=False), APP, event_id="r-1")
    given = {}
    for story.id in (web, app):
        given[story.id] = [fact.satisfied for fact in story.facts(RatingGiven)]
    assert given == {web: [True], app: [False]}
    ((complaint, reason),) = reasons(story)
    assert complaint is None
    assert reason.startswith("header ce_id: ")


# -- counted once


@pytest.mark.parametrize(
    "ways",
    [
        [{"repeat_id": "call-77"}, {"repeat_id": "call-77"}],
        [{"repeat_id": "2", "another_citizen": True}, {"repeat_id": "2", "another_citizen": True}],
        [{"repeat_id": "2", "another_citizen": True}, {"repeat_id": "2"}],
        [{"repeat_id": "2"}, {"repeat_id": "2", "another_citizen": True}],
        [{"repeat_id": "2", "another_citizen": True}, {"repeat_complaint": True, "another_citizen": True}],
        [{"repeat_complaint": True, "another_citizen": True}, {"repeat_id": "2", "another_citizen": True}],
    ],
    ids=str,
)
@pytest.mark.parametrize("named", ["request_id", "complaint_id"])
async def test_who_brings_it_up_again_is_counted_once_however_often_and_by_whichever_name(
    story: Story, ways: list[dict[str, Any]], named: str
) -> None:
    """R11."""
    first = await says(story, FROM_WEB, WEB)
    second = await says(story, replace(FROM_WEB, request_id="2"), WEB)
    for way in ways:
        fields = {**way, **({"repeat_complaint": second} if "repeat_complaint" in way else {})}
        about = {"request_id": "1"} if named == "request_id" else {"complaint_id": first}
        await says(story, inputs.RepeatRequest(**about, **fields), WEB)
    story.id = first
    assert story.case().heat == 2
    assert len(story.facts(RequestRepeated)) == 1
    assert reasons(story) == []
    story.holds()


async def test_what_two_speakers_call_alike_are_two_calls(story: Story) -> None:
    first = await says(story, FROM_WEB, WEB)
    for topic in (WEB, APP, INTAKE_REQUESTS.name, WEB):
        await says(story, inputs.RepeatRequest(complaint_id=first, repeat_id="m-1"), topic)
    story.id = first
    assert story.case().heat == 4
    story.holds()


async def test_the_first_of_three_hundred_households_is_known_when_it_is_named_again(story: Story) -> None:
    """Beyond what a head remembers by name."""
    first = await says(story, FROM_WEB, WEB)
    again = inputs.RepeatRequest(request_id="1", repeat_id="household-0", another_citizen=True)
    for number in range(300):
        own = f"household-{number}"
        await says(story, replace(FROM_WEB, request_id=own), WEB)
        await says(story, replace(again, repeat_id=own), WEB)
    await says(story, again, WEB)
    story.id = first
    assert story.case().heat == 301
