"""The metrics of a real city's processes: their conventions, who has which, and where Prometheus finds them."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Final

import httpx2
import pytest

from shared.runtime.health import READY_SECONDS
from shared.runtime.metric_names import COUNTERS, FIGURES, GAUGES, HISTOGRAMS, part_of, shown_as
from tests.city import until
from tests.watching.conftest import PROCESSES, WatchedCity, program, sampled

pytestmark = pytest.mark.connected

PARTS: Final = {
    "intake": {"desk", "facts", "door", "kafka"},
    "dispatch": {"desk", "facts", "door", "log", "kafka"},
    "escalation": {"desk", "facts", "timer", "kafka"},
    "feedback": {"desk", "facts", "door", "log", "kafka"},
    "relay": {"relay", "kafka"},
    "projector": {"projector", "city"},
    "web": {"web", "pages", "speaking", "kafka"},
}
"""The parts that each process has, and so shows."""


@pytest.mark.parametrize("process", PROCESSES)
async def test_metrics_are_called_as_prometheus_wants_it(watched: WatchedCity, process: str) -> None:
    promtool = program("promtool")
    page = await watched.page(process)
    said = subprocess.run(
        [promtool, "check", "metrics"], check=False, input=page, capture_output=True, text=True
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_process_shows_what_it_has_and_no_more(watched: WatchedCity, process: str) -> None:
    shown = set(re.findall(r"^# TYPE hotline_(\S+) ", await watched.page(process), re.MULTILINE))
    every = [*COUNTERS, *GAUGES, *HISTOGRAMS]
    wanted = {
        name: shown_as(name).removeprefix("hotline_") for name in every if part_of(name) in PARTS[process]
    }
    mine = {f"{told}_total" if name in COUNTERS else told for name, told in wanted.items()}
    if process == "projector":
        mine |= {shown_as(name).removeprefix("hotline_") for name in FIGURES} - {"calls"} | {"calls_total"}
    assert shown == mine | {"build_info", "progress_timestamp_seconds"}


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_process_says_how_it_was_built_and_what_it_takes(watched: WatchedCity, process: str) -> None:
    told = sampled(await watched.page(process))
    assert told["process_resident_memory_bytes"] > 10_000_000
    assert told["process_cpu_seconds_total"] > 0
    assert told["process_open_fds"] > 0
    (built,) = [name for name in told if name.startswith("hotline_build_info")]
    assert f'service="{process}"' in built
    assert re.search(r'version="\d', built)


async def test_nothing_is_always_nothing(watched: WatchedCity) -> None:
    """Each name is counted somewhere in the product."""
    folders = ("shared", "services", "hotline")
    text = "".join(
        file.read_text() for folder in folders for file in sorted(Path(folder).rglob("*.py"))
        if file.name != "metric_names.py"
    )  # fmt: skip
    assert [name for name in (*COUNTERS, *GAUGES, *HISTOGRAMS, *FIGURES) if f'"{name}"' not in text] == []


async def test_the_figures_of_the_city_are_those_of_its_lists(watched: WatchedCity) -> None:
    """Tests before this one may have had lives and calls of their own here; each call was answered at once."""
    town = watched.town

    async def listed() -> dict[str, float]:
        return {
            "complaints": float(
                await town.value("SELECT sum(complaints) FROM read.total WHERE stage <> 'ENDED'") or 0
            ),
            "calls": await town.value("SELECT count(*) FROM intake.call WHERE ended_at IS NOT NULL"),
            "orders": await town.value("SELECT count(*) FROM read.waiting WHERE list = 'orders'"),
        } | {
            desk: await town.value("SELECT count(*) FROM es.parked WHERE consumer = $1", desk)
            for desk in ("intake", "feedback")
        }

    def shown(found: dict[str, float]) -> dict[str, float]:
        return {
            "complaints": sum(
                value for name, value in found.items() if name.startswith("hotline_complaints_open")
            ),
            "calls": found.get('hotline_calls_total{outcome="in_time"}', 0),
            "orders": found.get('hotline_list_waiting{list="orders"}', 0),
        } | {
            desk: found.get(f'hotline_parked_messages{{desk="{desk}"}}', -1)
            for desk in ("intake", "feedback")
        }

    async def told() -> dict[str, float]:
        found = sampled(await watched.page("projector"))
        wanted = await listed()
        happened = all(wanted[name] >= 1 for name in ("complaints", "calls", "orders", "intake"))
        return found if happened and shown(found) == wanted else {}

    found = await until(told, within=20, what="the figures of the lists")
    assert found['hotline_list_overdue{list="orders"}'] == 0
    assert found["hotline_calls_waiting"] == 0
    assert 0 <= found["hotline_relay_behind_seconds"] < 60


@pytest.mark.parametrize("process", PROCESSES)
async def test_each_part_of_a_process_goes_round_while_nothing_happens(
    watched: WatchedCity, process: str
) -> None:
    """A part that moves only when somebody asks something is dead for an orchestrator after a quiet minute."""
    address = watched.where()[process].replace("/metrics", "/ready")
    began, gone_round = time.monotonic(), set[str]()

    async def all_round() -> bool:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            parts = (await client.get(address)).json()["parts"]
        # A tenth of a second is what the answer is rounded to.
        gone_round.update(
            name for name, part in parts.items() if part["seconds"] + 0.1 < time.monotonic() - began
        )
        return bool(parts) and gone_round == parts.keys()

    await until(all_round, within=READY_SECONDS, what=f"every part of {process} to go round", every=0.2)


async def test_a_process_that_comes_back_is_the_same_target(watched: WatchedCity) -> None:
    before, pid = watched.where(), watched.town.pids()["feedback"]
    assert before.keys() == set(PROCESSES)
    file = watched.targets / "feedback-1.json"
    written = file.stat().st_mtime_ns
    watched.town.signal("feedback")

    async def back() -> bool:
        return watched.town.pids().get("feedback") not in {None, pid} and file.stat().st_mtime_ns != written

    await until(back, within=30, what="feedback back")
    assert watched.where().keys() == before.keys()
    assert "hotline_build_info" in await watched.page("feedback")
    assert [one.name for one in watched.targets.iterdir() if one.suffix != ".json"] == []
