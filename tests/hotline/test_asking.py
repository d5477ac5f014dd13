"""What a person is asked before a command sends: of names nobody knows, and of numbers that tell who somebody is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from msgspec.structs import replace

from hotline import client as speak
from hotline.__main__ import app
from hotline.cli import asking
from hotline.cli.asking import settled
from hotline.cli.request import _right
from hotline.client import NUMBERS_MEANT, Mistyped, without_numbers
from shared.complaint import Complaint
from tests.examples import CATALOGUE, CLASSIFIED, INPUTS, RECEIVED, REQUEST
from tests.shared.test_personal import MOBILE
from tests.spec import case_of

PROJECT: Final = Path(__file__).resolve().parents[2]
GOOD: Final = ("停车", "海淀区", "花园路街道")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A person who answers so, one line a question; the questions that were asked."""

    def typing(*answers: str) -> list[str]:
        asked: list[str] = []
        left = list(answers)

        def answer(question: str) -> str:
            asked.append(question)
            return left.pop(0)

        for module in (asking, speak):
            monkeypatch.setattr(module, "asks", answer)
        return asked

    return typing


def said(*three: str | None, as_is: bool = False) -> Sequence[str | None]:
    return list(settled(CATALOGUE, *three, as_is=as_is).values())


def test_what_the_catalogue_knows_is_asked_of_nobody(terminal: Callable[..., list[str]]) -> None:
    asked = terminal()
    assert said(*GOOD) == list(GOOD)
    assert said("停\u200b车", "海淀区 ", None) == ["停\u200b车", "海淀区 ", None]
    assert said(None, None, None) == [None, None, None]
    assert asked == []


@pytest.mark.parametrize(
    ("wrong", "amiss"),
    [
        (("挺车", "海淀区", None), "--subject: '挺车' is no subject of catalogue test-1; near: 停车."),
        (("停车", "海锭区", None), "--district: '海锭区' is no district of catalogue test-1; near: 海淀区."),
        (
            ("停车", "海淀区", "花园街道"),
            "--street: '花园街道' is no street of catalogue test-1; near: 花园路街道",
        ),
    ],
    ids=["subject", "district", "street"],
)
def test_where_nobody_types_nothing_is_sent_and_nothing_is_guessed(
    wrong: tuple[str, str, str | None], amiss: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """D1: the flag records it as it is, and says so."""
    with pytest.raises(typer.Exit) as ended:
        said(*wrong)
    assert ended.value.exit_code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Not sent: {amiss}")
    assert "--as-is records it so" in told
    assert said(*wrong, as_is=True) == list(wrong)
    assert capsys.readouterr().err.startswith(f"note: {amiss.partition(': ')[2]}")


def test_who_types_is_asked_until_it_is_known_or_he_wants_it_so(terminal: Callable[..., list[str]]) -> None:
    asked = terminal("海定区", "海淀区", "")
    assert said("停车", "海锭区", "某街道") == ["停车", "海淀区", "某街道"]
    assert [question.partition(" ")[0] for question in asked] == ["'海锭区'", "'海定区'", "'某街道'"]


def test_of_a_street_in_a_district_nobody_knows_nothing_is_asked(terminal: Callable[..., list[str]]) -> None:
    asked = terminal("")
    assert said("停车", "海锭区", "某街道") == ["停车", "海锭区", "某街道"]
    assert len(asked) == 1


def test_another_district_asks_for_the_street_that_was_on_record(terminal: Callable[..., list[str]]) -> None:
    """Else the order would go to a district's government for a street of another district."""
    case = case_of((replace(RECEIVED, district="海锭区", street="花园街道"), CLASSIFIED))
    assert isinstance(case, Complaint)
    none = {"subject": None, "district": None, "street": None}
    asked = terminal("花园路街道")
    right = _right(CATALOGUE, case, {**none, "district": "海淀区"}, as_is=False)
    assert right == {"subject": None, "district": "海淀区", "street": "花园路街道"}
    assert len(asked) == 1
    assert _right(CATALOGUE, case, {**none, "district": "海淀区", "street": ""}, as_is=False)["street"] == ""
    terminal()
    assert _right(CATALOGUE, case, {**none, "subject": "供水"}, as_is=False) == {**none, "subject": "供水"}


# --- numbers


@pytest.mark.parametrize("data", INPUTS, ids=lambda data: type(data).__name__)
def test_an_input_without_a_number_is_sent_unasked(data: Any, terminal: Callable[..., list[str]]) -> None:
    asked = terminal()
    without_numbers(data)
    assert asked == []


def test_a_number_in_a_text_is_not_sent_where_nobody_can_be_asked() -> None:
    with pytest.raises(Mistyped) as ended:
        without_numbers(replace(REQUEST, content=f"请打{MOBILE}"))
    told = str(ended.value)
    assert told.startswith("Not sent: content: what looks like a phone number stands in it, ending in 00.")
    assert "--with-number" in told
    assert MOBILE not in told


@pytest.mark.parametrize(("answer", "sent"), [("yes", True), ("Ｙ", True), ("", False), ("no", False)])
def test_who_types_is_asked_once(answer: str, sent: bool, terminal: Callable[..., list[str]]) -> None:
    asked = terminal(answer, "no")
    data = replace(REQUEST, title=MOBILE)

    def twice() -> None:
        without_numbers(data)
        without_numbers(data)

    if sent:
        copy_context().run(twice)
    else:
        with pytest.raises(Mistyped):
            copy_context().run(twice)
    assert len(asked) == 1
    assert NUMBERS_MEANT.get() is False


# --- every command

FREE: Final = frozenset(
    (
        "title", "text", "reason", "evidence", "content", "address", "comment", "note", "document", "plan", "found",
        "exception", "reject", "scene", "measure", "item",
    )
)  # fmt: skip
NOT_ASKED: Final = {
    **dict.fromkeys(
        (f"caller {act}" for act in ("propose", "object", "approve", "refuse", "lift", "uphold")),
        "a reason that holds a number is refused: it stays on record",
    ),
    "contact show": "why it was read is kept in the vault beside the contact, and in no fact",
    "contact shred": "as above",
    "key add": "a note on whose system it is, and no fact",
    "knowledge add": "an article is public and names public numbers",
    "knowledge search": "nothing is kept of it",
    "knowledge withdraw": "of an article, as above",
    "parked drop": "kept beside the message, which is kept whole",
    "find": "nothing is kept of it",
    "programme candidates": "nothing is kept of it",
    "unit list": "nothing is kept of it",
    "visit list": "nothing is kept of it",
}


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    below = getattr(command, "commands", None) or {}
    if not below:
        return [(" ".join(path), command)]
    return [one for name, sub in below.items() for one in commands(sub, (*path, name))]


def test_every_command_that_takes_words_looks_for_numbers_in_them_or_says_why_not() -> None:
    every = dict(commands(typer.main.get_command(app)))
    takes = {name for name, one in every.items() if FREE & {param.name for param in one.params}}
    asks = {
        name
        for name, one in every.items()
        if "--with-number" in {opt for param in one.params for opt in param.opts}
    }
    assert takes - asks == NOT_ASKED.keys() & takes
    groups = {"call", "request", "unit", "visit", "review", "supervise", "programme"}
    assert {name.partition(" ")[0] for name in asks} == groups
    assert not asks & NOT_ASKED.keys()


@pytest.mark.programs
@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        (b"\xe6\xb5\xb7\xe6\xb7\x80\xe5\x8c\xba\n", 0, "'海淀区'"),
        (b"\n", 0, "'海锭区'"),
        (b"\x04", 2, "Not sent: --district: "),
        (b"\x03", 1, "Aborted!"),
    ],
    ids=["typed right", "as it is", "closed", "interrupted"],
)
def test_a_person_at_a_terminal_is_asked(typed: bytes, code: int, told: str) -> None:
    """On a real one: what is typed, Ctrl-D and Ctrl-C; within a loop, as the commands ask."""
    program = (
        "import fcntl, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "from hotline.cli.asking import settled\n"
        "from hotline.cli.run import guarded, run\n"
        "from tests.examples import CATALOGUE\n"
        "async def ask():\n"
        "    print(repr(settled(CATALOGUE, None, '海锭区', None, as_is=False)['district']), flush=True)\n"
        "guarded(lambda *_, **__: run(ask(), interrupted='it was sent'))\n"
    )
    ours, theirs = os.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    try:
        while b"record it as it is:" not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, typed)
        with suppress(OSError):  # its end is an error on a terminal
            while part := os.read(ours, 4096):
                seen += part
        assert asked.wait(20) == code, seen.decode()
    finally:
        asked.kill()
        os.close(ours)
    assert told in seen.decode().partition("as it is:")[2]
    assert "it was sent" not in seen.decode()
