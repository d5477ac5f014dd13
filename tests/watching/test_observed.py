"""`hotline up --observe`: a Prometheus runs with the city, where there is one; else a line says what to install."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.processes import observed, prometheus_of, targets_of
from deploy.city.registry import City
from deploy.embedded import child
from deploy.watching import laptop
from hotline.cli import up
from tests.city import until
from tests.shell import Shell
from tests.shell import until as shell_until
from tests.watching.conftest import PROCESSES, program


@pytest.fixture
def served(tmp_path: Path) -> City:
    logs = tmp_path / "cities" / "hotline" / "logs"
    logs.mkdir(parents=True)
    endpoints = CityEndpoints(name="hotline", kafka="", owner_dsn="")
    return City(endpoints=endpoints, logs=str(logs))


def test_without_being_asked_for_there_is_none(served: City) -> None:
    assert prometheus_of(served) == []


def test_it_keeps_its_port_while_that_is_free(served: City) -> None:
    read = observed(served)
    assert read.prometheus_port > 0
    assert observed(read) == read
    assert observed(replace(read, prometheus_port=0)).prometheus_port > 0


def test_where_there_is_none_a_line_says_what_to_install(
    served: City, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert up._observed(served) is served
    said = capsys.readouterr()
    assert "apt-get install --no-install-recommends prometheus" in said.err + said.out
    assert prometheus_of(observed(served)) == []


def test_its_settings_can_be_read(served: City) -> None:
    promtool = program("promtool")
    program("prometheus")
    (service,) = prometheus_of(observed(served))
    (config,) = [word.partition("=")[2] for word in service.command if word.startswith("--config.file=")]
    done = subprocess.run([promtool, "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.programs
async def test_it_reads_whoever_writes_down_where_he_answers(served: City) -> None:
    program("prometheus")
    read = observed(served)
    (service,) = prometheus_of(read)
    folder = targets_of(read)
    folder.mkdir()
    told = [{"targets": ["127.0.0.1:1"], "labels": {"job": "intake", "instance": "intake-1"}}]
    (folder / "intake-1.json").write_text(json.dumps(told))
    running = child.spawn(
        service.command, env=service.env, log=service.log, folder=Path.cwd(), dies_with_parent_by=None
    )
    try:

        async def targets() -> Any:
            try:
                async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
                    address = f"http://127.0.0.1:{read.prometheus_port}/api/v1/targets"
                    found = (await client.get(address)).json()["data"]["activeTargets"]
            except (httpx2.TransportError, ValueError):
                return []
            return [one["labels"] for one in found]

        assert await until(targets, within=20, what="a target") == [told[0]["labels"]]
    finally:
        await child.stop(running, 15, patience_seconds=20)
    assert laptop.found() is not None


@pytest.mark.connected
def test_it_runs_with_the_city_comes_back_and_ends_with_it(tmp_path: Path) -> None:
    """All desks in one process: each of them is a target all the same."""
    program("prometheus")
    town = Shell(tmp_path)
    try:
        address = json.loads(town("up", "--observe", "--one-process", "--json"))["prometheus"]

        def ups() -> set[str]:
            try:
                told = httpx2.get(
                    f"{address}/api/v1/query", params={"query": "up == 1"}, trust_env=False
                ).json()
            except (httpx2.TransportError, ValueError):
                return set()
            return {one["metric"]["job"] for one in told["data"]["result"]}

        shell_until(lambda: ups() == set(PROCESSES), within=60)
        assert address in town("up", "--observe")
        pid = json.loads(town("status", "--json"))["processes"]["prometheus"]["pid"]
        os.kill(pid, signal.SIGKILL)
        shell_until(
            lambda: json.loads((town.stack / "restarts.json").read_text())["prometheus"] == 1, within=60
        )
        shell_until(lambda: ups() == set(PROCESSES), within=60)
    finally:
        town("down")
    assert ups() == set()
