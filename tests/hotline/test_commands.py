"""What the command says where nothing runs: help at once, one sentence for what is wrong, never a trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City, remember_city
from hotline.cli.status import _print_status
from hotline.lab.rehearsal.progress import View
from hotline.lab.simulation.city import DAY
from hotline.lab.simulation.conductor import RehearsalProgress
from hotline.lookup import unit_named
from hotline.recording import fallback
from shared.policy.catalogue import catalogue
from shared.runtime.errors import UserError
from tests.forked import run

pytestmark = pytest.mark.programs

PROJECT: Final = Path(__file__).resolve().parents[2]
BY_READER: Final = {
    "Agent": {"call", "subjects", "request", "knowledge", "contact", "visit", "find", "show"},
    "Unit": {"unit"},
    "Reviewer": {"review"},
    "Supervisor": {"supervise", "calls", "caller", "rank", "programme", "rules"},
    "Operator": {
        "city",
        "up",
        "status",
        "login",
        "key",
        "staff",
        "parked",
        "trace",
        "verify",
        "upgrade",
        "rebuild",
        "archive",
        "retention",
        "backup",
        "restore",
        "down",
        "wipe",
    },
    "Developer": {"demo", "rehearse", "backtest", "bench", "chaos"},
}
COMMANDS: Final = sorted(command for commands in BY_READER.values() for command in commands)


def typed(*words: str, folder: Path, told: str = "") -> subprocess.CompletedProcess[str]:
    """What a person sees who types `hotline WORDS` in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return run(
        words,
        env={**kept, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"},
        folder=folder,
        told=told,
        seconds=170,
    )


def test_help_lists_every_command_by_its_reader_and_loads_nothing_heavy(tmp_path: Path) -> None:
    found = typed("--help", folder=tmp_path)
    assert found.returncode == 0
    sections = [part.splitlines() for part in found.stdout.split("\n\n") if re.match(r"[A-Z]\w+:\n", part)]
    listed = {
        first.removesuffix(":"): {line.split()[0] for line in lines if line[2:3].strip()}
        for first, *lines in sections
        if first != "Options:"
    }
    assert list(listed) == list(BY_READER)
    assert listed == BY_READER
    assert "..." not in found.stdout.partition("\n")[2], "a sentence is cut"
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import hotline.__main__"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    heavy = {
        "aiokafka",
        "asyncpg",
        "confluent_kafka",
        "faststream",
        "opentelemetry",
        "rich.live",
        "shared.log.postgres",
    }
    names = {line.rpartition("|")[2].strip() for line in loaded.splitlines()}
    assert "typer" in names
    assert names.isdisjoint(heavy)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    found = typed(command, "--help", folder=tmp_path)
    assert found.returncode == 0
    assert f"hotline {command}" in found.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("verify",),
        ("upgrade", "--check"),
        ("rebuild", "heads"),
        ("backup", "kept"),
        ("retention",),
        ("show", "abcdef12"),
        ("trace", "abcdef12"),
        ("unit", "list", "--unit", "municipal-water"),
        ("parked", "list"),
        ("parked", "drop", "1", "--reason", "no use"),
        ("call", "--subject", "x", "--district", "海淀区", "--title", "没有水"),
    ],
    ids=" ".join,
)
def test_where_nothing_is_up_one_sentence_says_what_starts_it(words: tuple[str, ...], tmp_path: Path) -> None:
    found = typed(*words, folder=tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == "The stack is not up: `hotline up` starts it.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "verify"])
def test_where_nothing_is_up_a_program_reads_json_too(command: str, tmp_path: Path) -> None:
    found = typed(command, "--json", folder=tmp_path)
    assert (found.returncode, json.loads(found.stdout)) == (1, {"up": False})
    assert found.stderr == "The stack is not up: `hotline up` starts it.\n"


def test_hints_name_the_city_that_was_served_last(tmp_path: Path) -> None:
    endpoints = CityEndpoints(
        name="demo", kafka="127.0.0.1:1", owner_dsn="postgresql://x@127.0.0.1:1/demo", logins={}
    )
    (tmp_path / ".stack").mkdir()
    remember_city(City(endpoints=endpoints), tmp_path / ".stack")
    found = typed("show", "abcdef12", folder=tmp_path)
    assert found.stderr == "The stack is not up: `hotline up --city demo` starts it.\n"


def test_all_units_are_listed_for_who_knows_none(tmp_path: Path) -> None:
    found = typed("unit", "list", "--all-units", folder=tmp_path)
    assert found.returncode == 0
    assert re.search(r"^municipal-water +\S+$", found.stdout, re.MULTILINE)
    assert found.stdout.count("\n") == len(catalogue().units)
    none = typed("unit", folder=tmp_path)
    assert none.returncode == 2
    assert re.search(r"^  desk  ", none.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("subject", "rule", "said"),
    [
        ("供水", "c: 供水→district", "no rule of the catalogue names it: the district government"),
        ("公共服务/供水", "c: 公共服务/供水→unit", None),
        ("教育/入学入园", "c: 教育/入学入园→district", None),
        ("疫情防控", "c: 疫情防控→district", "the catalogue knows no such street there: the district"),
        ("?", "c: ?→centre", "no rule of the catalogue names it, nor its district: the hotline's"),
    ],
)
def test_a_call_says_where_it_was_thefallback(subject: str, rule: str, said: str | None) -> None:
    told = fallback(catalogue(), subject, rule)
    assert told is None if said is None else (told or "").startswith(said)


def test_down_and_wipe_where_nothing_is_say_so_and_are_no_failure(tmp_path: Path) -> None:
    down, wipe = typed("down", folder=tmp_path), typed("wipe", "--yes", folder=tmp_path)
    assert (down.returncode, down.stdout) == (0, "There is no stack in .stack.\n")
    assert (wipe.returncode, wipe.stdout) == (0, "There is nothing in .stack.\n")


def test_wipe_removes_nothing_unasked_and_nothing_that_is_not_a_stack(tmp_path: Path) -> None:
    treasure = tmp_path / ".stack" / "treasure"
    treasure.parent.mkdir()
    treasure.write_text("years of work")
    unasked, asked = typed("wipe", folder=tmp_path), typed("wipe", "--yes", folder=tmp_path)
    assert (unasked.returncode, asked.returncode) == (2, 1)
    assert "Say --yes" in unasked.stderr
    assert "it is not a stack and was left as it is" in asked.stderr
    assert treasure.read_text() == "years of work"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "No such command 'nosuch'"),
        (("up", "--city", "../etc"), "--city: '../etc', expected a name like 'hotline'"),
        (("up", "--catalogue", "nowhere.json"), "'nowhere.json' does not exist"),
        (("unit", "answer", "abcd1234", "--unit", "x"), "Missing option '--text'"),
        (("unit", "return", "abcd1234", "--unit", "x", "--reason", "r"), "Missing option '--evidence'"),
        (("unit", "sign", "abcd1234"), "Missing option '--unit'"),
        (("unit", "x"), "No such command 'x'"),
        (
            ("unit", "list", "--unit", "x", "--all-units"),
            "Say --unit UNIT for its open orders, or --all-units",
        ),
        (
            ("call", "--subject", "s", "--district", "d", "--title", "t", "--urgency", "SOON"),
            "'SOON', expected",
        ),
        (("parked", "drop", "1"), "Missing option '--reason'"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_is_typed_wrongly_is_named_with_exit_code_2(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    found = typed(*words, folder=tmp_path)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_a_rule_set_nobody_knows_is_named_before_anything_starts(tmp_path: Path) -> None:
    found = typed("up", "--ruleset", "mars-1", folder=tmp_path)
    assert found.returncode == 1
    assert "there is no rule set 'mars-1'; known: beijing-draft-2021" in found.stderr
    assert not (tmp_path / ".stack").exists()


def test_a_catalogue_with_a_hole_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"version": "own-1"}')
    found = typed("up", "--catalogue", "own.json", folder=tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("catalogue: Object missing required field")
    assert not (tmp_path / ".stack").exists()


def test_an_unexpected_error_is_a_sentence_too_and_its_trace_is_there_on_request(tmp_path: Path) -> None:
    (tmp_path / ".stack").mkdir()
    (tmp_path / ".stack" / "stack.json").write_text("{}")
    quiet = typed("status", folder=tmp_path)
    assert quiet.returncode == 1
    assert quiet.stderr.count("\n") == 1
    kept = {**os.environ, "PYTHONPATH": str(PROJECT), "HOTLINE_DEBUG": "1"}
    loud = subprocess.run(
        [sys.executable, "-m", "hotline", "status"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loud.returncode == 1
    assert "Traceback" in loud.stderr


def test_a_unit_is_known_by_its_id_its_name_or_its_street() -> None:
    assert unit_named("street-dongcheng-donghuamen", "") == "street-dongcheng-donghuamen"
    assert unit_named("东城区东华门街道", "") == "street-dongcheng-donghuamen"
    assert unit_named("东华门街道", "") == "street-dongcheng-donghuamen"


def test_a_unit_nobody_knows_is_told_the_nearest() -> None:
    with pytest.raises(UserError) as raised:
        unit_named("东华门", "")
    said = str(raised.value)
    assert said.startswith("No unit “东华门” in catalogue beijing-example-1; near: ")
    assert "street-dongcheng-donghuamen (东城区东华门街道)" in said
    assert said.endswith(". `hotline unit list --all-units` lists all 96.")


def test_status_tells_what_starts_from_what_is_down(capsys: pytest.CaptureFixture[str]) -> None:
    def process(name: str, *, up: bool, starting: bool = False) -> dict[str, dict[str, object]]:
        told = dict.fromkeys(("port", "since", "memory_mb", "cpu_seconds"))
        return {name: {"kind": "part", "up": up, "starting": starting, "pid": 7, **told}}

    found = {
        "up": True,
        "supervised": True,
        "city": "hotline",
        "present": None,
        "program": "services",
        "ruleset": "r",
        "logs": "logs",
        "http": None,
        "http_staff": None,
        "behind": None,
        "stalled": {},
        "stopped": [],
        "counts": None,
        "processes": process("kafka", up=True) | process("zipkin", up=False, starting=True),
    }
    _print_status(found)
    said = capsys.readouterr().out
    assert re.search(r"zipkin +starting", said)
    assert "down" not in said
    _print_status(found | {"up": False, "processes": process("kafka", up=False)})
    said = capsys.readouterr().out
    assert re.search(r"kafka +down", said)
    assert "What is down is started again by itself" in said


PROGRESS: Final = RehearsalProgress(
    city_at=DAY,
    elapsed_seconds=12.0,
    inputs={"hotline.call.offered.v1": 70_001},
    facts={"ComplaintReceived": 28_002, "ComplaintClosed": 8_003, "AnswerLimitMissed": 904},
    planned=7,
    lag=1_205,
    waiting_for="the relay to publish the log",
)


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with View("a day") as view:
        began_at = time.monotonic()
        view.show(PROGRESS)
        view.show(PROGRESS)
        assert time.monotonic() - began_at < 5
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in (
        "2021-09-27 00:00",
        "calls 70,001",
        "open 19,999",
        "overdue 904",
        "closed 8,003",
        "lag 1,205",
    ):
        assert part in said
    assert "\x1b" not in said


def test_on_a_terminal_progress_is_a_table_that_fits_and_says_what_is_waited_for() -> None:
    page = StringIO()
    Console(file=page, width=80, force_terminal=False).print(View("a day of the city")._table(PROGRESS))
    shown = page.getvalue()
    for part in ("a day of the city", "2021-09-27 00:00", "70,001", "19,999", "904", "8,003", "1,205"):
        assert part in shown
    assert "waiting for the relay to publish the log" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80
