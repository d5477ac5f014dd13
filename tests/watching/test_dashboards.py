"""The dashboards: each line of each panel has a series in a real Prometheus, and faults move the panels of theirs."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.kubernetes import watching
from deploy.watching import __main__ as generator
from deploy.watching.panels import BOARDS, RATE, Board, Panel
from deploy.watching.rules import anchor, groups
from shared.runtime.metric_names import every_sample
from tests.city import until
from tests.watching.conftest import PROCESSES, WatchedCity, lives
from tests.watching.prometheus import Prometheus, open_prometheus

PANELS: Final = [(board, panel) for board in BOARDS for panel in board.panels]
IDS: Final = [f"{board.uid}:{panel.title}" for board, panel in PANELS]
UNITS: Final = {"short", "s", "ops", "percentunit", "bytes"}
LINKS: Final = ("${pages}/board", "${traces}")
HEADINGS: Final = {
    anchor(line[3:]) for line in Path("docs/runbook.md").read_text().splitlines() if line[:3] == "## "
}


@pytest.fixture(scope="module")
async def prometheus(
    watched: WatchedCity, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    async with open_prometheus(folder, watched.targets, set(PROCESSES)) as made:
        yield made


def test_what_git_holds_is_what_the_generator_writes() -> None:
    assert generator.stale() == []


def test_there_is_one_for_each_question() -> None:
    assert len(BOARDS) >= 6
    assert max(Counter(board.uid for board in BOARDS).values()) == 1
    for board in BOARDS:
        assert max(Counter(panel.title for panel in board.panels).values()) == 1


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=IDS)
def test_a_panel_has_a_unit_a_description_and_a_link(board: Board, panel: Panel) -> None:
    told = json.loads((generator.DASHBOARDS / f"{board.uid.removeprefix('hotline-')}.json").read_text())
    (shown,) = [one for one in told["panels"] if one["title"] == panel.title]
    assert shown["fieldConfig"]["defaults"]["unit"] in UNITS
    assert shown["description"].endswith(".")
    (link,) = shown["links"]
    page, _, heading = link["url"].partition("#")
    assert link["url"] in LINKS or (page == "${runbook}" and heading in HEADINGS)
    assert [one["expr"] for one in shown["targets"]] == [line.expression for line in panel.queries]
    assert all(one["legendFormat"] for one in shown["targets"])


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=IDS)
def test_a_panel_reads_metrics_that_there_are(board: Board, panel: Panel) -> None:
    recorded = {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}
    for line in panel.queries:
        used = set(re.findall(r"\b(?:hotline|process)[\w:]*\w", line.expression))
        assert used <= every_sample() | recorded


def test_kubernetes_has_them_all() -> None:
    names = {name for one in watching.dashboards() for name in one["data"]}
    assert names == generator.boards().keys()


@pytest.mark.connected
@pytest.mark.parametrize(("board", "panel"), PANELS, ids=IDS)
async def test_every_line_has_a_series(prometheus: Prometheus, board: Board, panel: Panel) -> None:
    for line in panel.queries:
        expression = line.expression.replace(RATE, "1m")

        async def found(expression: str = expression) -> bool:
            return bool(await prometheus.series(expression))

        await until(found, within=20, what=f"a series of {expression}", every=0.5)


def shows(title: str, uid: str) -> str:
    """The first line of a panel, over the last seconds."""
    (panel,) = [panel for board, panel in PANELS if (board.uid, panel.title) == (uid, title)]
    return panel.queries[0].expression.replace(RATE, "10s")


async def rises(prometheus: Prometheus, title: str, uid: str, above: float) -> None:
    async def risen() -> Any:
        return await prometheus.value(shows(title, uid)) > above

    await until(risen, within=45, what=f"{uid}: {title} above {above}", every=0.5)


@pytest.mark.connected
async def test_what_is_parked_is_seen(watched: WatchedCity, prometheus: Prometheus) -> None:
    before = await prometheus.value(shows("Parked now", "hotline-parked"))
    await lives(watched, 2)
    await rises(prometheus, "Parked now", "hotline-parked", before)
    await rises(prometheus, "Parked", "hotline-parked", 0)
    await rises(prometheus, "Refused", "hotline-http", 0)


@pytest.mark.connected
async def test_a_killed_process_is_seen_and_comes_back(watched: WatchedCity, prometheus: Prometheus) -> None:
    """Stopped first: a killed one is back before anybody has looked."""
    pid = watched.town.pids()["relay"]
    os.kill(pid, signal.SIGSTOP)
    try:
        await rises(prometheus, "Processes away", "hotline-night", 0)
        await watched.town.record("while the relay stands")
        await rises(prometheus, "The relay is behind", "hotline-brake", 3)
    finally:
        watched.town.signal("relay")

    async def back() -> bool:
        return await prometheus.ups() >= set(PROCESSES)

    await until(back, within=45, what="the relay read again", every=0.5)


@pytest.mark.connected
async def test_a_desk_that_waits_for_postgresql_is_seen(watched: WatchedCity, prometheus: Prometheus) -> None:
    """Its backends are ended again and again, as a chaos does whose fault is PostgreSQL."""
    before = await prometheus.value("sum(hotline_door_retries_total)")

    async def seen() -> bool:
        await watched.town.record(f"while backends end {os.urandom(4).hex()}")
        await watched.town.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'intake.%'"
        )
        return await prometheus.value("sum(hotline_door_retries_total)") > before

    await until(seen, within=45, what="retries", every=0.2)
    await rises(prometheus, "Tried again", "hotline-desks", 0)
