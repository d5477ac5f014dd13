"""How long parts may take by themselves, and who waits for them: no two limits that depend on each other are apart."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from deploy.embedded import stack, starting
from deploy.supervision import supervisor
from deploy.supervision.watchman import LOOK_SECONDS, Watchman
from hotline.lab.chaos import faults
from hotline.lab.simulation import conductor
from services.escalation.settings import Settings
from shared.runtime import patience

ROOT: Final = Path(__file__).parents[2]
DEFAULTS: Final = {name: field.default for name, field in Settings.model_fields.items()}

SHORTER: Final = {
    "a session ends before the hearer is judged": (patience.SESSION_SECONDS, patience.STILL_SECONDS),
    "a producer gives up before the relay is judged": (2 * patience.SEND_SECONDS, patience.STILL_SECONDS),
    "one answer is waited for less long than all": (patience.REQUEST_SECONDS, patience.SEND_SECONDS),
    "a new topic is heard before its hearer is judged": (
        DEFAULTS["metadata_max_age_ms"] / 1000 + patience.SESSION_SECONDS,
        patience.STILL_SECONDS,
    ),
    "a place is written down before status speaks of it": (
        2 * DEFAULTS["offsets_idle_ms"] / 1000,
        patience.REPORTED_SECONDS,
    ),
    "the clock is looked at before status speaks of it": (
        2 * DEFAULTS["tick_ms"] / 1000,
        patience.REPORTED_SECONDS,
    ),
    "status speaks before the watchman acts": (patience.REPORTED_SECONDS, patience.STILL_SECONDS),
    "a statement ends before its part is not live": (patience.STATEMENT_SECONDS, patience.LIVE_SECONDS),
    "a batch is finished before its client is left behind": (
        patience.FINISH_SECONDS,
        patience.GOODBYE_SECONDS,
    ),
    "a client is left behind before its process is killed": (
        patience.GOODBYE_SECONDS,
        supervisor.STOP_SECONDS_MAX,
    ),
    "a service has as long with its stack as with its supervisor": (
        supervisor.STOP_SECONDS_MAX,
        stack.SERVICES_SECONDS_MAX + 0.001,
    ),
    "chaos stops longer than a session": (patience.SESSION_SECONDS, faults.STOPPED_SECONDS),
    "chaos lets go before the server is taken for hung": (
        faults.STOPPED_SECONDS,
        starting.HANGING_SECONDS_MAX,
    ),
    "the watchman acts before chaos calls for a hand": (
        patience.STILL_SECONDS + LOOK_SECONDS + supervisor.BACK_OFF_SECONDS_MAX,
        patience.HAND_SECONDS,
    ),
    "a conductor waits longer than a hand would take": (
        patience.HAND_SECONDS,
        conductor.PATIENCE / timedelta(seconds=1),
    ),
}


@pytest.mark.parametrize("relation", SHORTER)
def test_who_waits_waits_longer(relation: str) -> None:
    shorter, longer = SHORTER[relation]
    assert shorter < longer


def test_the_watchman_waits_as_long_as_is_derived_here() -> None:
    default = inspect.signature(Watchman).parameters["still_seconds_max"].default
    assert default == patience.STILL_SECONDS


CLIENTS: Final = {
    "session_timeout_ms",
    "heartbeat_interval_ms",
    "request_timeout_ms",
    "metadata_max_age_ms",
    "command_timeout",
    "graceful_timeout",
}
"""What a client of Kafka or PostgreSQL is told about its patience."""
APART: Final = {
    "deploy/embedded/kafka.py",
    "hotline/lab/bench/pages.py",
    "hotline/lab/bench/reads.py",
    "hotline/lab/bench/timers.py",
}
"""The first asks whether Kafka answers at all, the others fill tables; nobody waits for them."""


def _told_by_hand(tree: ast.AST) -> list[str]:
    pairs: list[tuple[object, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword):
            pairs.append((node.arg, node.value))
        elif isinstance(node, ast.Dict):
            pairs += [
                (key.value, value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
    return [str(name) for name, value in pairs if name in CLIENTS and isinstance(value, ast.Constant)]


def test_no_client_is_told_a_number_of_its_own() -> None:
    found = {
        str(file.relative_to(ROOT)): told
        for folder in ("services", "shared", "hotline", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        if (told := _told_by_hand(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert found.keys() == APART, found


A_WINDOW: Final = {
    ("tests/web/test_slow.py", 1): "a client that sends one byte a second",
    ("tests/hotline/test_archive.py", 5): "shorter than the six seconds that a month waits to be alone",
    ("tests/chaos/test_wire.py", 5): "nothing comes through a cut wire, however long",
}
"""By file and seconds: where a test says for how long something is to last, and does not wait for anything."""

AMPLE_SECONDS: Final = 120
"""A limit of so many seconds or more needs no factor."""


def _waits_by_hand(tree: ast.AST) -> Iterator[float]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            seconds = {"timeout": node.args[:1], "wait_for": node.args[1:2]}.get(node.func.attr, [])
            yield from (one.value for one in seconds if isinstance(one, ast.Constant))


def test_no_test_fails_because_the_machine_is_slow() -> None:
    """It waits `PATIENCE` times as long as a quiet machine needs."""
    found = {
        (str(file.relative_to(ROOT)), seconds)
        for file in (ROOT / "tests").rglob("*.py")
        for seconds in _waits_by_hand(ast.parse(file.read_text(encoding="utf-8")))
        if seconds < AMPLE_SECONDS
    }
    assert found == A_WINDOW.keys()
