"""Whatever is typed for whatever argument of whatever command: a sentence, never a trace and never "should not".

The tree of commands says which arguments there are, so a new one is tried without a word about it here. Nothing runs
meanwhile: commands that start something find a file where the stack's folder would have to be.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from hotline import parsing
from hotline.__main__ import app
from hotline.cli.run import guarded

BEIJING: Final = ZoneInfo("Asia/Shanghai")
NOT_UP: Final = "The stack is not up"

STARTERS: Final = frozenset(
    ("demo", "up", "restore", "bench", "chaos", "supervisor", "backtest boston", "rehearse", "rehearse year")
)
"""Commands that start servers, or would."""

GOOD: Final[dict[str, str]] = {
    "article": "kb-1",
    "before": "2025-04-01",
    "by": "district-haidian",
    "city": "hotline",
    "complaint": "abcdef12",
    "days": "1",
    "district": "海淀区",
    "key add role": "telephony",
    "login add role": "telephony",
    "login remove role": "telephony",
    "login renew role": "telephony",
    "due": "2026-12-31",
    "item": "1",
    "kind": "KEY_WORK",
    "lead": "municipal-water",
    "level": "DISTRICT",
    "month": "2026-10",
    "named": "kb-1@1",
    "number": "1",
    "owner": "municipal-water",
    "mark": "1",
    "phone": "13800000000",
    "participants": "甲,乙",
    "review": "2026-12-31",
    "stars": "3",
    "satisfied": "",
    "survey": "91.31",
    "switch": "asterisk",
    "task": "1",
    "programme": "abcdef12",
    "unit": "municipal-water",
    "unit exclude ground": "INVALID",
    "unit pause ground": "AWAITS_CITIZEN",
    "unit terminate ground": "INFORMATION_REFUSED",
    "urgency": "TIMELY_24H",
    "version": "cn-1",
    "view": "heads",
    "visits": "10",
    "year": "2026",
}
"""For what must be given something that can be, of one command where it is named; any text else."""

BESIDE: Final[dict[str, tuple[str, ...]]] = {
    "request correct": ("--title", "x"),
    "contact put": ("--name", "李明", "--phone", "13800000000"),
    "contact show": ("--agent", "agent"),
    "contact shred": ("--reason", "x"),
    "rank freeze": ("--yes",),
    "rehearse": ("--from", "2021-01-01"),
    "bench": ("nothing",),
    "upgrade": ("--check",),
}
"""What a command needs beside, which its arguments do not say; a part that `bench` has not, so that it ends at once."""

NEEDED: Final = frozenset([("unit list", "unit"), ("find", "text")])
"""Arguments a command cannot do without, though it has another sentence for who leaves them out."""

HOSTILE: Final[dict[str, str]] = {
    "empty": "",
    "blanks": "   ",
    "a wide blank": "\u3000",
    "invisible": "\u200b",
    "a new line at the end": "2026-12\n",
    "a date and a new line": "2026-12-01\n",
    "an id and a new line": "abcdef12\n",
    "the first year": "0000-01",
    "the first day": "0001-01-01",
    "the last month": "9999-12",
    "the last day": "9999-12-31",
    "no day": "2026-02-30",
    "the last instant": "9999-12-31T23:59:59.999999+00:00",
    "an offset of a day": "2026-01-01T00:00+24:00",
    "a week": "2026-W10-1",
    "wide digits": "２０２６-12",
    "a wide number": "１２",
    "a fraction": "1/2",
    "huge": "9" * 400,
    "longer than a number may be": "9" * 5000,
    "negative": "-1",
    "beyond 64 bits": str(2**64),
    "nan": "nan",
    "infinite": "inf",
    "a number that warns": "sNaN",
    "long": "x" * 100_000,
    "escape": "\x1b[31mred\x1b[0m",
    "right to left": "\u202e12345",
    "half a character": "\ud800",
    "no UTF-8": "\udcff\udcfe",
    "a zero": "a\0b",
    "a place above": "../../../etc/passwd",
    "a mark": "@",
    "a mark and a number": "kb-1@99999999999999999999",
    "a marked version in wide digits": "kb-1@１",
    "a list of nothing": ",,,",
    "a pattern": "%s %n {0} [red]x[/]",
    "a quotation": "'\"`$(x)`",
}


FREE: Final = frozenset(
    (
        "title", "text", "reason", "evidence", "content", "address", "comment", "note", "document", "plan", "found",
        "exception", "reject", "source", "scene", "agent", "reviewer",
    )
)  # fmt: skip
TEXTS: Final = (
    "empty", "blanks", "invisible", "long", "escape", "half a character", "no UTF-8", "a zero", "a pattern",
)  # fmt: skip
"""What is tried for what a person says in his own words: nobody takes it apart."""

WHEN: Final = frozenset(
    ("month", "begin", "surge", "since", "until", "before", "due", "review", "valid_from", "at")
)
DATES: Final = frozenset(
    (
        "a date and a new line", "the first day", "the last day", "no day", "the last instant", "an offset of a day",
        "a week", "a fraction",
    )
)  # fmt: skip
"""What is tried only where a day or an instant is expected."""

COMMAND: Final = typer.main.get_command(app)
"""The tree, made once: typer makes it anew for each line it is given."""


NUMBERS: Final = frozenset(
    (
        "empty", "blanks", "wide digits", "a wide number", "a fraction", "huge", "longer than a number may be",
        "negative", "beyond 64 bits", "nan", "infinite", "a number that warns", "half a character", "a zero",
        "the last month",
    )
)  # fmt: skip
"""What is tried for a number; typer reads it, so that little reaches us."""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command there is, by what is typed for it."""
    command = COMMAND if command is None else command
    below = getattr(command, "commands", None) or {}
    for name, sub in below.items():
        yield from commands(sub, (*path, name))
    if not below or (path and command.invoke_without_command):
        yield " ".join(path), command


COMMANDS: Final = dict(commands())


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file and a folder in it; nothing of a city."""
    (tmp_path / "file").write_text("not what was expected", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def typed(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and all that was printed of what is typed; in this process, as thousands of them are tried."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with monkeypatch.context() as here:
        here.setenv("HOTLINE_STACK", str(folder))
        here.setattr(sys, "stdout", said)
        here.setattr(sys, "stderr", said)
        here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b""), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            guarded(COMMAND, words)
    assert isinstance(said.buffer, io.BytesIO)
    return int(ended.value.code or 0), said.buffer.getvalue().decode()


def line(name: str, files: Path, told: dict[str, str]) -> list[str]:
    """A command with all it must be given, and `told` by the names of its parameters."""
    command = COMMANDS[name]
    given: list[str] = []
    placed: list[str] = []
    left = list(command.params)
    while left:
        one = left.pop(0)
        kind = one.type_descriptor.annotation
        unit_says_who = one.name == "unit" and name.startswith("unit ") and name != "unit list"
        if one.name not in told and not (one.required or unit_says_who) and (name, one.name) not in NEEDED:
            # An argument behind it would be taken for it.
            if one.param_type_name == "argument" and any(
                other.name in told and other.param_type_name == "argument" for other in left
            ):
                placed.append("x")
            continue
        good = GOOD.get(
            f"{name} {one.name}", GOOD.get(one.name, str(files / "file") if kind is Path else "x")
        )
        value = told.get(one.name, good)
        if one.param_type_name == "argument":
            placed.append(value)
        elif kind is bool:
            given.append(one.opts[0])
        else:
            given += [f"{one.opts[0]}={value}" if one.opts[0].startswith("--") else one.opts[0]]
    beside = [word for word in BESIDE.get(name, ()) if word != "nothing" or "which" not in told]
    options = {word.partition("=")[0] for word in given}
    if beside and beside[0] in options:
        beside = []
    return [*name.split(), *given, *beside, *(["--", *placed] if placed else [])]


def folder_of(name: str, files: Path) -> Path:
    """Where the stack would lie: for those who start one it cannot."""
    return files / "file" / "deeper" / ".stack" if name in STARTERS else files / ".stack"


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in COMMANDS
        if name not in STARTERS | {"rules", "subjects", "down", "wipe", "city new", "city check"}
    ],
)
def test_what_is_right_gets_as_far_as_the_stack(
    name: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: else something hostile would never be looked at."""
    told = {"file": str(files / "articles.toml")} if name == "knowledge load" else {}
    (files / "articles.toml").write_text('version = "1"\nexample = true\narticles = []\n', encoding="utf-8")
    code, said = typed(line(name, files, told), folder_of(name, files), monkeypatch)
    assert (code, NOT_UP in said) == (1, True), said


@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_is_typed_is_answered_with_a_sentence(
    name: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each argument of each command, with each thing that cannot be."""
    if name == "wipe":  # it takes nothing but --yes, and does it
        assert [one.opts for one in COMMANDS[name].params] == [["--yes"]]
        return
    hostile = HOSTILE | {
        "a folder": str(files / "folder"),
        "a file": str(files / "file"),
        "nowhere": "no/where",
    }
    wrong: list[str] = []
    for one in COMMANDS[name].params:
        if one.type_descriptor.annotation is bool:
            continue
        tried = NUMBERS if one.type_descriptor.annotation in {int, float} else hostile
        if one.name not in WHEN and tried is hostile:
            tried = [what for what in hostile if what not in DATES]
        if one.name in FREE or (
            name.startswith("unit ") and one.metavar in {"COMPLAINT", "UNIT"}
        ):  # one way for all its verbs
            tried = TEXTS
        for what, value in ((what, hostile[what]) for what in tried):
            code, said = typed(line(name, files, {one.name: value}), folder_of(name, files), monkeypatch)
            if code not in {0, 1, 2} or "should not have happened" in said or "Traceback" in said or not said:
                wrong.append(f"{one.opts[0]}, {what}: {code} {said[:300]!r}")
    assert wrong == []
    gc.collect()
    assert not (files / ".stack").exists(), "nothing was started"


def test_no_number_with_a_point_is_one_that_python_alone_takes(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nan` is neither below nor above any bound: each such option says for itself that it takes none."""
    floats = [
        (name, one)
        for name, command in COMMANDS.items()
        for one in command.params
        if one.type_descriptor.annotation is float
    ]
    assert floats
    for name, one in floats:
        assert one.min is not None, (name, one.name)
        assert one.max is not None, (name, one.name)
        for value in ("nan", "inf", "-inf"):
            code, said = typed(line(name, files, {one.name: value}), folder_of(name, files), monkeypatch)
            assert code == 2, (name, one.name, value, said)


def test_every_whole_number_has_bounds() -> None:
    """One that has none is read far from where it was typed, by who can only fail."""
    for name, command in COMMANDS.items():
        for one in command.params:
            if one.type_descriptor.annotation is int:
                assert one.min is not None, (name, one.name)
                assert one.max is not None, (name, one.name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rank", "show", "0000-01"), "MONTH: '0000-01', expected a year and a month such as 2026-10"),
        (("rank", "show", "9999-12"), "MONTH: '9999-12', expected a year and a month such as 2026-10"),
        (
            ("rank", "show", "２０２６-12"),
            "MONTH: '２０２６-12', expected a year and a month such as 2026-10",
        ),
        (("rank", "show", "2026-12\n"), "MONTH: '2026-12⏎', expected a year and a month such as 2026-10"),
        (("rank", "show", "\udcff"), "Argument 3 is no UTF-8: '\\udcff', expected text in UTF-8."),
        (("show", "a\0b"), "Argument 2 has a NUL character in it"),
        (("calls", "--since", "0001-01-01"), "--since: '0001-01-01', expected an instant or a day such as"),
        (("calls", "take-in", "nothing"), "SWITCH: 'nothing', expected one of asterisk, freeswitch."),
        (
            ("programme", "assess", "abcd", "--survey", "NaN", "--visits", "1", "--as", "x"),
            "--survey: 'NaN', expected",
        ),
        (("rehearse", "--from", "2021-01-01", "--surge", "2021-01-01:nan"), "expected FIRST/LAST:TIMES"),
        (("archive", "move", "--before", "2025-04-01\n"), "--before: expected a date as 2025-04-01"),
        (("up", "--city", "demo\n"), "--city: 'demo⏎', expected a name like 'hotline'"),
    ],
)
def test_what_cannot_be_is_named_with_what_was_expected(
    words: tuple[str, ...], said: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, told = typed(list(words), files / ".stack", monkeypatch)
    assert code == 2
    assert said in told


# -- the one way in which they are read


@given(st.dates(date(parsing.YEAR_MIN, 1, 1), date(parsing.YEAR_MAX, 12, 31)))
def test_a_day_and_its_month_are_read_as_they_are_written(day: date) -> None:
    assert parsing.day_of(day.isoformat()) == day
    assert parsing.month_of(f"{day:%Y-%m}") == day.replace(day=1)
    first = parsing.instant_of(day.isoformat(), BEIJING)
    assert first == datetime(day.year, day.month, day.day, tzinfo=BEIJING), "a day is the city's"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)))
def test_an_instant_is_read_in_its_zone_else_in_the_citys(at: datetime) -> None:
    assert parsing.instant_of(at.isoformat(), BEIJING) == at
    assert parsing.instant_of(at.isoformat().replace("+00:00", "z").replace("T", " "), BEIJING) == at
    here = at.astimezone(BEIJING).replace(tzinfo=None)
    assert parsing.instant_of(here.isoformat(), BEIJING) == here.replace(tzinfo=BEIJING)


@given(st.text() | st.sampled_from(sorted(HOSTILE.values())))
def test_no_text_at_all_is_more_than_not_read(text: str) -> None:
    found = parsing.instant_of(text, BEIJING)
    assert found is None or parsing.YEAR_MIN <= found.year <= parsing.YEAR_MAX
    for read in (parsing.day_of, parsing.month_of):
        assert read(text) is None or text.isascii()
    number = parsing.number_of(text)
    assert number is None or (Decimal(0) <= number and text.isascii())
    digits = parsing.id_of(text)
    assert digits is None or (4 <= len(digits) <= 32 and int(digits, 16) >= 0)


def test_a_terminal_that_has_no_such_character_is_told_its_number(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", said)
    monkeypatch.setenv("HOTLINE_STACK", str(files / ".stack"))
    with pytest.raises(SystemExit) as ended:
        guarded(app, ["unit", "list", "--all-units"])
    assert ended.value.code == 0
    assert isinstance(said.buffer, io.BytesIO)
    assert rb"\u" in said.buffer.getvalue()
