"""What waits for a person is shown, topic by topic, and is nobody's standing still; what else does not move is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from deploy.supervision.stalled import CityProgress, Partition, standing_still
from deploy.supervision.stopped import Stopped
from hotline.cli.status import _print_who_stands
from shared.topics import TOPICS

NOW = datetime(2021, 9, 24, 8, tzinfo=UTC)
A, B = "x.dispatch.replies.a", "x.dispatch.replies.b"
PLACES: dict[Partition, int] = {
    ("dispatch", A, 0): 5,
    ("dispatch", B, 0): 5,
    ("dispatch", "x.complaints.log", 3): 9,
    ("intake", "x.intake.requests.web", 0): 1,
}


def stop(topic: str, desk: str = "dispatch", door: str = "replies") -> Stopped:
    return Stopped(desk, door, topic, NOW, "too much")


def standing(
    *stopped: Stopped, left: tuple[Partition, ...], moved: tuple[Partition, ...] = ()
) -> CityProgress:
    """Seven messages wait in each partition of `left`; those of `moved` are one step further."""
    return CityProgress(
        taken={at: place + (at in moved) for at, place in PLACES.items()},
        left=dict.fromkeys(left, 7),
        drained=True,
        cursor=(),
        overdue=frozenset(),
        prefix="x.",
        stopped=stopped,
        held=frozenset(at for at in PLACES if any(one.holds(at[0], at[1], "x.") for one in stopped)),
    )


ATS = tuple(PLACES)


def test_a_stopped_topic_stands_still_and_no_desk_does() -> None:
    now = standing(stop(A), left=ATS[:1])
    assert standing_still(now, now) == {}
    assert (now.behind["dispatch"], now.owed["dispatch"]) == (7, 0)


def test_another_topic_of_the_same_desk_that_does_not_move_is_seen() -> None:
    now = standing(stop(A), left=ATS[:3])
    assert standing_still(now, now) == {"dispatch": "14 messages wait in 2 partitions, none is taken in"}
    assert (now.behind["dispatch"], now.owed["dispatch"]) == (21, 14)


def test_one_that_stopped_or_was_resumed_between_the_looks_is_not_blamed() -> None:
    before, after = standing(left=ATS[:1]), standing(stop(A), left=ATS[:1])
    assert standing_still(before, before) == {"dispatch": "7 messages wait in 1 partitions, none is taken in"}
    assert standing_still(before, after) == {}
    assert standing_still(after, before) == {}


def test_a_topic_that_is_gone_at_the_second_look_is_nobodys_work() -> None:
    first = standing(left=ATS)
    gone = first._replace(taken={}, left={})
    assert standing_still(first, gone) == {}


def test_a_whole_door_holds_the_topics_it_hears_and_no_other_desks() -> None:
    whole = stop("", "intake", "requests")
    heard = {"intake.requests", "intake.requests.web"}
    every = {line.of("a") for line in TOPICS} | heard
    assert {topic for topic in every if whole.holds("intake", "x." + topic, "x.")} == heard
    assert not any(whole.holds("dispatch", "x." + topic, "x.") for topic in every)
    assert not whole.holds("intake", "intake.requests", "x.")


def test_one_topic_holds_that_topic_only() -> None:
    assert stop(A).holds("dispatch", A, "x.")
    assert not stop(A).holds("dispatch", B, "x.")
    assert not stop(A).holds("feedback", A, "x.")


def test_status_shows_each_topic_that_waits_with_what_lies_there(capsys: pytest.CaptureFixture[str]) -> None:
    topics: list[dict[str, Any]] = [
        {
            "desk": "dispatch",
            "where": f"from dispatch.replies.{unit} (door replies)",
            "behind": 51,
            "reason": "too much",
            "resume": f"hotline parked resume dispatch replies dispatch.replies.{unit}",
        }
        for unit in ("a", "b")
    ]
    found = {
        "stopped": topics,
        "stalled": {"dispatch": "7 messages wait"},
        "one_process": False,
        "logs": "logs",
    }
    _print_who_stands(Console(width=400), json.loads(json.dumps(found)))
    said = capsys.readouterr().out
    for unit in ("a", "b"):
        assert (
            f"dispatch takes nothing in from dispatch.replies.{unit} (door replies), 51 messages wait" in said
        )
        assert f"`hotline parked resume dispatch replies dispatch.replies.{unit}` lets it go on" in said
    assert "dispatch stands still: 7 messages wait" in said, "a stopped topic hides nobody"
