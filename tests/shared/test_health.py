"""Live is who goes round, ready who also has all it needs; told by what each part last did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.runtime.health import READY_SECONDS, Health, answering
from shared.runtime.patience import LIVE_SECONDS


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def health(clock: Hand) -> Health:
    made = Health(clock)
    for part in ("requests", "log"):
        made.expects(part)
    return made


def standing(health: Health) -> tuple[bool, bool]:
    return health.live, health.ready


def test_before_its_start_it_is_live_and_not_ready(health: Health) -> None:
    assert standing(health) == (True, False)
    assert health.as_dict()["parts"]["log"] == {"seconds": 0.0, "waits_for": "its start"}


def test_ready_is_who_has_gone_round_in_every_part(health: Health) -> None:
    health.works("requests")
    assert standing(health) == (True, False)
    health.works("log")
    assert standing(health) == (True, True)


def test_one_part_that_does_not_go_round_is_enough(health: Health, clock: Hand) -> None:
    health.works("requests")
    health.works("log")
    clock.at += READY_SECONDS + 1
    health.works("requests")
    assert standing(health) == (True, False)
    clock.at += LIVE_SECONDS - READY_SECONDS
    health.works("requests")
    assert standing(health) == (False, False)
    health.works("log")
    assert standing(health) == (True, True)


def test_who_waits_and_knows_it_is_live_however_long_it_takes(health: Health, clock: Hand) -> None:
    health.works("requests")
    for _ in range(10):
        clock.at += LIVE_SECONDS - 1
        health.waits("PostgreSQL", "requests")
        health.waits("Kafka", "log")
    assert standing(health) == (True, False)
    told = health.as_dict()["parts"]
    assert {name: part["waits_for"] for name, part in told.items()} == {
        "requests": "PostgreSQL",
        "log": "Kafka",
    }


def test_without_a_name_all_wait(health: Health) -> None:
    health.waits("Kafka")
    assert {part["waits_for"] for part in health.as_dict()["parts"].values()} == {"Kafka"}


@pytest.mark.parametrize(("path", "status"), [("/live", "200 OK"), ("/ready", "503 Service Unavailable")])
def test_it_is_asked_over_http(health: Health, path: str, status: str) -> None:
    answered: list[str] = []
    app = answering(health, lambda *_: [b"metrics"])
    (body,) = app({"PATH_INFO": path}, lambda *told: answered.append(told[0]))
    assert answered == [status]
    assert json.loads(body) == health.as_dict()


def test_everything_else_is_asked_of_the_metrics(health: Health) -> None:
    def metrics(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [environ["PATH_INFO"].encode()]

    assert list(answering(health, metrics)({"PATH_INFO": "/metrics"}, print)) == [b"/metrics"]
