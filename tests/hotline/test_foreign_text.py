"""What strangers typed, on the screen of every command: it steers nothing, hides nothing, and is no line of ours."""

from __future__ import annotations

import ast
import asyncio
import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console
from typer.testing import CliRunner

from deploy.city.endpoints import GRANTED, CityEndpoints
from deploy.city.registry import City
from deploy.embedded.stack import Addresses
from hotline.__main__ import app
from hotline.casefile.sentences.operator import FOR_OPERATOR
from hotline.casefile.sentences.unit import FOR_UNIT
from hotline.casefile.timeline import Entry, Shown, _as_typed
from hotline.cli.show import print_life
from hotline.cli.unit.interactive import ShownOrders
from hotline.governance.log import programmes
from hotline.readside.process import take_in
from hotline.terminal import json_shown, say_json
from services.intake.knowledge import base as knowledge
from shared.events import SPEAKERS, Fact
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.text import folded_code
from tests import examples as eg
from tests.foreign import FORGED, HOSTILE, deceived, hostile
from tests.forked import run
from tests.hotline.conftest import Desks
from tests.hotline.test_proactive import BEGUN, COMPLETE, GO_ON, ID, LIST

PROJECT: Final = Path(__file__).resolve().parents[2]
ZONE: Final = ZoneInfo("Asia/Shanghai")
STORED: Final = HOSTILE.replace("\x00", "")
"""PostgreSQL takes no U+0000, so no door does."""
OURS: Final = ("ruleset", "calendar", "old_calendar")
"""Versions of ours that a fact names; a log with others is another matter."""


def foreign(fact: Fact, text: str = HOSTILE) -> Fact:
    """This fact as it would be if everybody it quotes were hostile."""
    kept = {name: getattr(fact, name) for name in OURS if name in fact.__struct_fields__}
    made: Fact = replace(hostile(fact, text), typed={"district": text, "street": text}, **kept)
    return made


# -- without a city


def test_commands_write_through_one_place() -> None:
    """A `print` would show what it is given as it is."""
    files = [*(PROJECT / "hotline" / "cli").glob("*.py"), PROJECT / "hotline/lab/rehearsal/progress.py"]
    found = [
        f"{file.name}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert len(files) > 25
    assert found == []


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("width", [200, 60])
@pytest.mark.parametrize("fact", eg.FACTS, ids=lambda fact: type(fact).__name__)
def test_no_fact_deceives_who_reads_a_life(fact: Fact, width: int, terminal: bool) -> None:
    bad = foreign(fact)
    who, what, weight = FOR_OPERATOR[type(fact)](bad, lambda at: f"{at:%m-%d %H:%M}")
    at = eg.CALLED_AT.astimezone(ZONE)
    entry = Entry(
        version=1,
        at=at,
        who=who,
        what=what + _as_typed(bad),
        why="a message",
        fact="x",
        caused_by=HOSTILE,
        weight=weight,
    )
    shown = Shown(
        complaint_id=eg.ID,
        complaint_number=HOSTILE,
        request_id=HOSTILE,
        title=HOSTILE,
        timezone=ZONE.key,
        stage="x",
        waiting=None,
        deadlines={},
        call=HOSTILE,
        chain_right=True,
        trace_id="0",
        trace="",
        entries=[entry],
    )
    screen = StringIO()
    print_life(shown, Console(file=screen, width=width, force_terminal=terminal, highlight=False))
    assert FORGED in screen.getvalue()
    assert "typed" in screen.getvalue()
    assert deceived(screen.getvalue(), styled=terminal) == []


@pytest.mark.parametrize("kind", FOR_UNIT, ids=lambda kind: kind.__name__)
async def test_no_fact_deceives_a_unit_at_its_desk(
    kind: type[Fact], capsys: pytest.CaptureFixture[str]
) -> None:
    desk = ShownOrders(
        City(endpoints=CityEndpoints(name="x", kafka="", owner_dsn="", logins={})), UnitId("x")
    )
    await desk.heard(foreign(next(fact for fact in eg.FACTS if type(fact) is kind)))
    screen = capsys.readouterr().out
    assert len(screen.splitlines()) == 1
    assert deceived(screen) == []


def test_json_says_the_same_and_deceives_nobody_who_looks_at_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = [HOSTILE, "𠀋❤️\U000e0041", "\x7f"]
    for text in (json.dumps(told, ensure_ascii=False, indent=2), msgspec.json.encode(told).decode()):
        say_json(text)
        screen = capsys.readouterr().out
        assert json.loads(screen) == told
        assert deceived(screen) == []
    assert json_shown('"\ud800"') == '"\\ud800"'


@pytest.mark.programs
@pytest.mark.parametrize(
    "words",
    [
        (f"--{HOSTILE}",),
        (HOSTILE,),
        ("call", f"--{HOSTILE}", "x"),
        ("unit", "extend", "x", "--unit", "x", "--reason", "x", "--days", HOSTILE),
        ("unit", "sign", "x", HOSTILE),
        ("unit", "sign", HOSTILE, "--unit", HOSTILE),
        (
            "unit",
            "whistle",
            "x",
            "--unit",
            "x",
            "--kind",
            HOSTILE,
            "--call",
            "x",
            "--scene",
            "x",
            "--reason",
            "x",
        ),
        ("unit", "add", HOSTILE),
        ("login", "add", HOSTILE),
        ("login", "add", "unit", HOSTILE),
        ("login", "remove", "agents", HOSTILE),
        ("unit", HOSTILE),
        ("unit", "list", "--unit", HOSTILE),
        ("rank", "show", HOSTILE),
        ("calls", "--since", HOSTILE),
        ("knowledge", "load", HOSTILE),
        ("knowledge", "show", f"{HOSTILE}@{HOSTILE}"),
        ("review", "reclassify", "x", "--urgency", HOSTILE, "--reason", "x"),
        ("programme", "propose", HOSTILE, "x", "--lead", "x", "--as", "x"),
        ("archive", "detach", HOSTILE),
        ("show", HOSTILE),
        ("up", "--city", HOSTILE),
        ("rules", HOSTILE),
    ],
    ids=lambda words: " ".join(word for word in words if word.isascii() and word.isprintable()) or "hostile",
)
def test_an_error_quotes_what_was_typed_without_being_steered_by_it(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    told = run(
        [word.replace("\x00", "") for word in words],
        env={**kept, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"},
        folder=tmp_path,
        seconds=170,
    )
    screen = told.stdout + told.stderr
    assert told.returncode in {1, 2}
    assert "Traceback" not in screen
    assert deceived(screen) == []


# -- with one


@pytest.fixture
def hostile_city(stack: Addresses, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    """A city whose catalogue's names are hostile too."""
    told = msgspec.to_builtins(eg.CATALOGUE)
    for unit, entry in told["units"].items():
        entry["name"] = f"{unit}{STORED}"
    told["leaders"] = {eg.STREET: STORED}
    file = tmp_path / "catalogue.json"
    file.write_bytes(msgspec.json.encode(told))
    logins = dict.fromkeys(GRANTED, database)
    endpoints = CityEndpoints(name="x", kafka=stack.kafka, owner_dsn=database, logins=logins)
    city = City(endpoints=endpoints, catalogue=str(file), logs=str(tmp_path / "logs"))
    for name in ("city_up", "remembered"):
        monkeypatch.setattr(f"deploy.city.registry.{name}", lambda *_: city)
    monkeypatch.setattr("deploy.city.registry.find_city", lambda *_: endpoints)
    return city


def _own(fact: Fact, complaint: ComplaintId) -> Fact:
    return replace(fact, complaint_id=complaint)


async def plant(desks: Desks) -> list[ComplaintId]:
    """A life for each kind of fact, in which everybody is hostile: recorded, with a unit, and that fact."""
    lives: list[ComplaintId] = []
    for number, fact in enumerate(eg.FACTS):
        complaint = complaint_id(f"hostile-{number}")
        for one in (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED):
            bad = _own(foreign(one, STORED), complaint)
            if one is eg.DISPATCHED:
                bad = replace(bad, unit=eg.STREET)
            await desks.forge(SPEAKERS[type(one)], bad)
        if fact not in (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED):
            await desks.forge(SPEAKERS[type(fact)], _own(foreign(fact, STORED), complaint))
        lives.append(complaint)
    return lives


async def plant_the_rest(desks: Desks, complaint: ComplaintId) -> None:
    """Parked messages, readings of a contact, calls, articles and programmes."""
    bad = STORED.encode()
    headers = msgspec.json.encode([[STORED, bad]])
    await desks.owner.execute(
        "INSERT INTO es.parked (consumer, topic, part, kafka_offset, sent_at_ms, key, headers, value, complaint_id,"
        " reason) VALUES ($1, $1, 0, 1, 1, $2, $3, $2, $4, $1)",
        STORED,
        bad,
        headers,
        complaint,
    )
    await desks.owner.execute(
        "INSERT INTO es.door_stopped (consumer, door, topic, reason) VALUES ($1, $1, $1, $1)", STORED
    )
    await desks.owner.execute(
        "INSERT INTO vault.access (stream_id, who, as_a, through, outcome, standing, reason)"
        " VALUES ($1, $2, 'UNIT', 'DOOR', 'REFUSED', $2, $2)",
        complaint,
        STORED,
    )
    await desks.owner.execute(
        "INSERT INTO intake.call (call_id, told)"
        " VALUES ($1::text, ARRAY[intake.told($2, 'offered'), intake.told($2, 'ended ' || $1)])",
        STORED,
        eg.CALLED_AT,
    )
    await knowledge.add(
        desks.owner,
        STORED[:30],
        subject=STORED[:150],
        title=STORED[:150],
        text=STORED,
        valid_from=eg.CALLED_AT,
        source=STORED,
    )
    async with programmes(desks.governor) as log:
        for programme, facts in ((ID, (*BEGUN, GO_ON, COMPLETE)), (LIST.programme_id, (LIST,))):
            assert await log.append(programme, 0, [hostile(fact, STORED) for fact in facts])


def typed(*words: str) -> str:
    """What a person sees who types this; the command has a loop of its own, so it runs in a thread."""
    told = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.stdout if "--json" in words else told.output


SCREENS: Final[tuple[tuple[str, ...], ...]] = (
    ("unit", "list", "--all-units"),
    ("unit", "list", "--unit", eg.STREET),
    ("review", "list"),
    ("parked", "list"),
    ("parked", "show", "1"),
    ("programme", "list"),
    ("programme", "show", ID),
    ("programme", "show", LIST.programme_id),
    ("programme", "candidates", "--since", "2021-01-01", "--until", "2021-12-31"),
    ("contact", "log", complaint_id("hostile-0")),
    ("knowledge", "list"),
    ("knowledge", "show", folded_code(STORED[:30])),
    ("knowledge", "search", "暗号"),
    ("calls", "--since", "2021-09-24T00:00+08:00", "--until", "2021-09-25T00:00+08:00"),
    ("rank", "show", "2021-09", "--all"),
    ("verify",),
)
SAYS_FOREIGN: Final = {"unit", "review", "parked", "programme", "contact", "knowledge", "rank"}
"""The commands whose screens cannot but hold a stranger's text."""


@pytest.mark.connected
async def test_no_screen_of_a_city_deceives_who_looks_at_it(desks: Desks, hostile_city: City) -> None:
    lives = await plant(desks)
    await plant_the_rest(desks, lives[0])
    await take_in(desks.dsn)
    for words in (*SCREENS, *(("show", complaint) for complaint in lives)):
        screen = await asyncio.to_thread(typed, *words)
        assert deceived(screen) == [], words
        if words[0] in {*SAYS_FOREIGN, "show"}:
            assert FORGED in screen, words
    for words in SCREENS:
        if words[0] in {"rank", "verify"}:
            continue
        text = await asyncio.to_thread(typed, *words, "--json")
        assert deceived(text) == [], words
        if words[0] in SAYS_FOREIGN:
            assert any(FORGED in one and "\x1b" in one for one in _texts(json.loads(text))), words
    told = await asyncio.to_thread(typed, "rank", "show", "2021-09", "--all", "--json")
    assert deceived(told) == []
    told = await asyncio.to_thread(typed, "rank", "show", "2021-09", "--all", "--csv")
    assert deceived(told.removeprefix("\ufeff")) == []  # the mark by which Excel knows that the file is UTF-8


def _texts(told: Any) -> Iterator[str]:
    match told:
        case str():
            yield told
        case list():
            for one in told:
                yield from _texts(one)
        case dict():
            for name, one in told.items():
                yield name
                yield from _texts(one)
        case _:
            pass
