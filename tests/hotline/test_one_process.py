"""`hotline up --one-process` as a person uses it: one process for all desks, everything else as ever."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from hotline.client import tell
from shared.events import RequestType, Urgency
from shared.inputs import RecordRequest
from shared.topics import INTAKE_REQUESTS
from tests.hotline.test_commands_connected import CALL, stopped
from tests.shell import Shell, until

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up --one-process` was typed."""
    made = Shell(tmp_path_factory.mktemp("town"))
    try:
        made("up", "--one-process")
        yield made
    finally:
        made("down")


def _status(town: Shell, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(town("status", "--json", code=code))
    return found


def test_status_shows_one_process_and_how_far_behind_each_desk_is(town: Shell) -> None:
    found = _status(town)
    assert found["one_process"] is True
    assert set(found["processes"]) == {"kafka", "postgres", "zipkin", "desks", "relay", "projector", "web"}
    assert set(found["behind"]) == {"intake", "dispatch", "feedback", "relay"}
    lines = [line.split() for line in town("status").splitlines()]
    names = [line[0] for line in lines if line]
    at = names.index("desks")
    assert names[at + 1 : at + 5] == ["intake", "dispatch", "escalation", "feedback"]


def test_killed_it_comes_back_by_its_supervisor_and_the_city_goes_on(town: Shell) -> None:
    before = _status(town)["processes"]["desks"]
    os.kill(before["pid"], signal.SIGKILL)
    until(
        lambda: json.loads((town.stack / "restarts.json").read_text())["desks"] == before["restarts"] + 1,
        within=60,
    )
    assert json.loads(town(*CALL))["unit"]


def test_stopped_its_desks_stand_still_and_its_log_is_named(town: Shell) -> None:
    until(lambda: not any(_status(town)["behind"].values()), within=60)
    with stopped(town, "desks"):
        ask = RecordRequest(
            request_id="req-while-it-stands", request_type=RequestType.HELP, subject="供水",
            urgency=Urgency.GENERAL_7D, district="东城区", street="东华门街道", address="x", title="停水",
        )  # fmt: skip
        asyncio.run(tell(town.city(), INTAKE_REQUESTS, ask.request_id, ask))
        said = town("status", code=1)
    assert "intake stands still: 1 messages wait" in said
    assert "desks.log" in said


def test_the_next_up_without_it_gives_each_desk_a_process_of_its_own(town: Shell) -> None:
    town("down")
    town("up")
    found = _status(town)
    assert found["one_process"] is False
    assert {"intake", "dispatch", "escalation", "feedback", "relay"} <= set(found["processes"])
    assert "desks" not in found["processes"]
