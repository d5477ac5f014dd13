"""Every command that README, runbook and the page on backups show is typed once, as it stands there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from typer.main import get_command

from hotline.__main__ import app
from shared.ids import UnitId
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.topics import INTAKE_REQUESTS
from tests.shell import PROJECT, Shell, until

PAGES: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/integration.md",
    "docs/runbook.md",
    "docs/backup.md",
    "docs/reliability.md",
)

ELSEWHERE: Final = {
    "hotline up --one-process": "tests/hotline/test_one_process.py",
    "hotline up --observe": "tests/watching/test_observed.py",
    "hotline up --stack-only": "tests/hotline/test_commands_connected.py",
    "hotline city new FOLDER": "tests/hotline/test_own_city.py",
    "hotline city check FOLDER": "tests/hotline/test_city_check.py",
    "hotline up --city NAME --data FOLDER": "tests/hotline/test_own_city.py",
    "hotline restore FOLDER": "tests/hotline/test_commands_connected.py",
    "hotline programme import FILE --as NAME": "tests/hotline/test_programme_import.py",
    "hotline verify --anchors FILE": "tests/hotline/test_anchors.py",
    "hotline verify --anchors .stack/cities/NAME/anchors.jsonl": "tests/hotline/test_anchors.py",
    "hotline verify --anchors elsewhere/cities/hotline/anchors.jsonl": "tests/hotline/test_anchors.py",
    "hotline key add agents": "tests/web/test_readme.py",
    "hotline key add agents web": "tests/web/test_readme.py",
    "hotline key add unit UNIT": "tests/web/test_readme.py",
    "hotline unit --http URL --key FILE desk": "tests/web/test_department.py",
    "hotline key list": "tests/web/test_readme.py",
    "hotline key revoke ID": "tests/web/test_readme.py",
    "hotline key secret ID": "tests/web/test_readme.py",
    "hotline key drop SECRET": "tests/web/test_readme.py",
    "hotline staff add 王芳 --role unit --unit UNIT": "tests/web/test_readme.py",
    "hotline staff add 周话务 --role agents --agent 1001": "tests/web/test_readme.py",
    "hotline staff link ID": "tests/web/test_readme.py",
    "hotline staff list": "tests/web/test_readme.py",
    "hotline staff revoke ID": "tests/web/test_readme.py",
    "hotline staff readmit ID": "tests/web/test_readme.py",
    "hotline wipe": "tests/hotline/test_commands_connected.py",
    "hotline down | wipe": "tests/hotline/test_commands_connected.py",
    "hotline bench": "tests/hotline/test_commands.py",
    "hotline bench [PART|all]": "tests/hotline/test_commands.py",
    "hotline chaos": ".ci/run",
    "hotline chaos --faults 1000": ".ci/run",
    "hotline chaos --faults 1000 --seed 2026": ".ci/run",
    "hotline backtest boston FILE": "tests/rehearsal/test_backtest.py",
    "hotline rehearse --from 2021-01-01 --days 31 --scale 0.01": "tests/rehearsal/test_year.py",
    "hotline rehearse year": "tests/rehearsal/test_year.py",
}
"""What takes a stack or minutes of its own, and the test that does it."""

NO_COMMAND: Final = {
    "hotline --help",
    "hotline calls take-in",
    "hotline programme",
    "hotline backup",
    "hotline contact link",
    "hotline contact put",
    "hotline key revoke",
    "hotline login add",
    "hotline login add ROLE",
    "hotline verify --anchors",
    "hotline unit",
}
"""Spans that name a command and leave its arguments out."""


def documented() -> dict[str, str]:
    """Every command on the pages, without its comment, and the page that shows it first."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = (PROJECT / page).read_text(encoding="utf-8")
        lines = [
            line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
        ]
        for said in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
            command = re.match(r"\s*(?:\w+=\S+ )*(hotline (?!\().*?)\s*(?:\s#.*)?$", said)
            if command:
                found.setdefault(command[1], page)
    return found


def test_every_documented_command_is_typed_by_a_test() -> None:
    there = set(documented())
    assert len(there) > 50
    assert there - set(ELSEWHERE) - NO_COMMAND - set(_TYPED) == set()
    assert set(ELSEWHERE) | NO_COMMAND | set(_TYPED) <= there | {"hotline up"}, "what no page shows any more"
    for command, test in ELSEWHERE.items():
        first = shlex.split(command)[1]
        assert first in (PROJECT / test).read_text(encoding="utf-8"), command


def _leaves(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, [option for one in getattr(command, "params", []) for option in one.opts]
        return
    for name, one in inner.items():
        yield from _leaves(one, (*path, name))


def test_one_flag_asks_every_command_for_json() -> None:
    """What only starts or ends something, or is typed at, has nothing for a program to read."""
    without = {" ".join(path) for path, options in _leaves(get_command(app)) if "--json" not in options}
    assert without == {"down", "wipe", "supervisor", "unit desk"}
    assert not [path for path, options in _leaves(get_command(app)) if "--format" in options]


_TYPED: Final[dict[str, tuple[int, str]]] = {
    "hotline up": (0, "is up already"),
    "hotline status": (0, "City hotline at 2"),
    "hotline status --json": (0, '"up": true'),
    "hotline contact public-key": (0, "="),
    "hotline knowledge load": (0, "versions added"),
    "hotline knowledge search 供暖时间": (0, "kb-"),
    "hotline call --subject 公共服务/供水 --district 海淀区 --title 停水三天": (0, "lies with"),
    "hotline call --type CONSULT --article kb-0304@1 --subject 公共服务/供暖 --district 海淀区 --title 几号供暖": (
        0,
        "answered",
    ),
    "hotline call --turn-away 119 --subject … --district … --title …": (0, "is turned away to 119"),
    "hotline subjects 供": (0, "TIMELY_24H   公共服务/供水  municipal-water"),
    "hotline find 停水": (0, "停水三天"),
    "hotline show COMPLAINT": (0, "stands at"),
    "hotline trace COMPLAINT": (0, " stand at http://"),
    "hotline request add COMPLAINT --text …": (0, "Done"),
    "hotline request correct COMPLAINT --content …": (0, "Done"),
    "hotline request correct COMPLAINT --district … --street … --subject …": (0, "The order"),
    "hotline request to-correct": (0, "Every open request names what the catalogue knows"),
    "hotline contact put COMPLAINT --name 王女士 --phone 13800000000": (0, "is kept"),
    "hotline contact log COMPLAINT": (0, "FULL"),
    "hotline contact link COMPLAINT": (0, "To be read out"),
    "hotline contact link COMPLAINT --revoke": (0, "is void"),
    "hotline key add unit UNIT --scope contacts": (0, "It may contacts"),
    "hotline contact shred": (0, "shredded"),
    'hotline contact shred COMPLAINT --reason "he asked for it"': (0, "1 contact shredded"),
    "hotline unit desk --unit UNIT": (0, "停水三天"),
    "hotline unit list --all-units": (0, "street-haidian-huayuanlu"),
    "hotline unit sign COMPLAINT --unit UNIT": (0, "Signed"),
    "hotline unit add UNIT": (0, "auto.offset.reset=earliest"),
    "hotline login add unit UNIT": (1, "is there already"),
    "hotline login renew unit UNIT": (0, "sasl.password="),
    "hotline login add telephony": (0, "may write    telephony.calls (partitions: 4)"),
    "hotline login add agents web": (0, "may write    intake.requests.web"),
    "hotline login list": (0, "agents-web: the agents' desk"),
    "hotline login renew telephony": (0, "sasl.username=hotline-telephony"),
    "hotline login remove telephony": (0, "The login telephony is gone"),
    "hotline login renew dialler": (1, "has no login dialler"),
    "hotline unit list --unit street-haidian-huayuanlu": (0, ""),
    'hotline unit answer COMPLAINT --unit UNIT --text "…"': (0, ""),
    "hotline review answers": (0, "停水三天"),
    "hotline visit list": (0, "停水三天"),
    "hotline visit take COMPLAINT --as NAME": (0, "Ask: is it solved?"),
    "hotline visit answer COMPLAINT --solved --satisfied": (0, "closed: solved"),
    'hotline unit return COMPLAINT --unit UNIT --reason "…" --evidence "…"': (1, "the life ended"),
    'hotline review council COMPLAINT --to UNIT --participants "…" --reason "…"': (1, "the life ended"),
    "hotline calls": (0, "Calls offered from"),
    'hotline caller propose PHONE --as AGENT --reason "…"': (0, "is proposed"),
    "hotline caller list": (0, "PROPOSED"),
    'hotline caller approve MARK --as CHIEF --reason "…"': (0, "is approved, and warns"),
    'hotline caller object PHONE --as AGENT --reason "…"': (0, "The objection to mark"),
    'hotline caller uphold MARK --as OTHER --reason "…"': (0, "stays in force"),
    'hotline caller lift MARK --as OTHER --reason "…"': (0, "is lifted"),
    'hotline caller refuse MARK --as CHIEF --reason "…"': (1, "This is not to be decided now"),
    "hotline rank show 2021-09": (0, "2021-09"),
    "hotline programme candidates": (0, ""),
    "hotline programme totals": (0, "No programme is on record"),
    "hotline programme overdue": (0, "0 tasks of 0 owners are overdue"),
    "hotline programme alike COMPLAINT": (0, "As of position"),
    "hotline rules [ID]": (0, "R8"),
    "hotline review list": (0, ""),
    "hotline supervise list --district 海淀区": (0, "Nothing has climbed"),
    "hotline supervise list --unit UNIT": (0, "Nothing has climbed"),
    "hotline supervise decide COMPLAINT --text … --as NAME": (1, "the life ended with ComplaintClosed"),
    "hotline supervise exception COMPLAINT --reason … --as NAME": (1, "the life ended with ComplaintClosed"),
    "hotline verify": (0, "All holds"),
    "hotline upgrade --check": (0, "Nothing is missing"),
    "hotline rebuild heads": (0, "every row was what the facts say"),
    "hotline rebuild lists": (0, "every row was what the facts say"),
    "hotline rebuild timers": (0, "every row was what the facts say"),
    "hotline backup FOLDER": (0, "facts of"),
    "hotline retention": (0, "are due"),
    "hotline retention --shred": (0, "are let go"),
    "hotline archive move --before 2025-01-01": (0, "0 facts of 0 lives"),
    "hotline archive move --before 2026-01-01": (0, "0 facts of 0 lives"),
    "hotline archive list": (0, "Nothing is archived"),
    "hotline archive detach 2024-03": (1, "2024-03"),
    "hotline parked list": (0, "parked"),
    "hotline parked show 17": (0, "because"),
    "hotline parked show ID": (0, "because"),
    "hotline parked release 17": (1, "is parked again"),
    'hotline parked drop 17 --reason "a test message of the PBX"': (0, "is dropped"),
    'hotline parked drop ID --reason "its sender was told"': (0, "is dropped"),
    "hotline parked resume intake requests intake.requests.web": (0, "goes on with intake.requests.web"),
    "hotline down": (0, "Everything is stopped"),
}
"""What is typed here, in this order: the exit code, and words of the answer."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up` was typed."""
    made = Shell(tmp_path_factory.mktemp("documented"))
    try:
        made("up")
        yield made
    finally:
        made("down")


async def _nonsense(shell: Shell, number: int) -> None:
    """So many messages that no door can read."""
    endpoints = shell.city().endpoints
    producer = AIOKafkaProducer(**kafka_address.aiokafka(endpoints.commands_of(INTAKE_REQUESTS.speaker)))
    await producer.start()
    try:
        for one in range(number):
            await producer.send_and_wait(endpoints.prefix + INTAKE_REQUESTS.name, b"{", key=b"%d" % one)
    finally:
        await producer.stop()


async def _stopped(shell: Shell) -> None:
    """A topic of a door that stopped, as its desk writes it down."""
    endpoints = shell.city().endpoints
    owner = await asyncpg.connect(endpoints.owner_dsn)
    try:
        await owner.execute(
            "INSERT INTO es.door_stopped (consumer, door, topic, reason) VALUES ('intake', 'requests', $1, 'a test')",
            endpoints.prefix + "intake.requests.web",
        )
    finally:
        await owner.close()


@pytest.mark.connected
async def test_what_the_pages_show_does_what_they_say(shell: Shell, tmp_path: Path) -> None:
    given = {"FOLDER": str(tmp_path / "copy"), "[ID]": "R8"}
    given["…"] = given['"…"'] = "words"
    given["PHONE"] = "13900001111"
    for word, role in (("AGENT", "agents"), ("CHIEF", "supervision"), ("OTHER", "supervision")):
        given[word] = json.loads(shell("staff", "add", word, "--role", role, "--json"))["staff_id"]
    await _nonsense(shell, 3)
    parked = until(
        lambda: (rows := json.loads(shell("parked", "list", "--json"))) and len(rows) == 3 and rows
    )
    one, other, _ = (str(row["id"]) for row in parked)
    wrong: list[str] = []
    for command, (code, said) in _TYPED.items():
        if command == 'hotline parked drop ID --reason "its sender was told"':
            one = other
        words = [given.get(word, word) for word in shlex.split(command)[1:]]
        words = [one if word in {"17", "ID"} else word for word in words]
        typed = None
        if command == "hotline unit desk --unit UNIT":
            typed = "quit\n"
        if words[:2] == ["call", "--turn-away"]:
            words[4], words[6] = "公共服务/供气", "海淀区"
        if "--district" in words and "--street" in words:
            words[-5], words[-3], words[-1] = "海淀区", "花园路街道", "公共服务/供水"
        if words[:2] == ["review", "answers"]:  # feedback asks for it once it has heard of the answer
            until(lambda: json.loads(shell("visit", "list", "--json")))
        if words[:2] == ["parked", "resume"]:
            await _stopped(shell)
        if words[:2] == ["contact", "log"]:  # a unit is named as people name it, here as everywhere
            name = catalogue("").units[UnitId(given["UNIT"])].name
            assert "13800000000" in shell("contact", "show", given["COMPLAINT"], "--as", name)
        told = shell(*words, code=code, typed=typed)
        wrong += [f"{command}\n{told}"] if said not in told else []
        if words[:2] == ["caller", "propose"]:
            given["MARK"] = re.findall(r"Mark ([0-9]+) is proposed", told)[0]
        if command.startswith("hotline call --subject"):
            (found,) = set(re.findall(r"\b[0-9]{8}-\w{5}-\w{5}-\w\b", told))
            given["COMPLAINT"] = found
            life = json.loads(shell("show", found, "--json"))
            (given["UNIT"],) = {
                entry["what"].split()[3]
                for entry in life["entries"]
                if entry["fact"] == "ComplaintDispatched"
            }
    assert not wrong
