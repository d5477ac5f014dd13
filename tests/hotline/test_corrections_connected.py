"""What is typed wrongly is asked about or corrected, on a stack of its own: nothing is half done or told as none."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest
import typer

from deploy.supervision.topic_ends import ends_of
from hotline.__main__ import app
from hotline.cli.run import guarded
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, INTAKE_REQUESTS
from tests.hotline.test_asking import commands
from tests.hotline.test_commands_connected import CALL, UNIT, Shell
from tests.shared.test_personal import MOBILE

pytestmark = pytest.mark.connected

OTHER: Final = "street-dongcheng-jingshan"
NOBODY: Final = "deadbeef"
TREE: Final = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("shell"))
    try:
        made("up", "--one-process")
        made("knowledge", "load")
        yield made
    finally:
        made("down")


@pytest.fixture(scope="module")
def complaint(shell: Shell) -> str:
    """One that lies with a street, unsigned."""
    told: str = json.loads(shell(*CALL))["complaint_id"]
    return told


# --- whatever is named wrongly

VERBS: Final = {
    name.partition(" ")[2]: command
    for name, command in TREE.items()
    if name.startswith("unit ") and {"complaint", "unit"} <= {param.name for param in command.params}
}
GROUNDS: Final = {"pause": "AWAITS_CITIZEN", "terminate": "INFORMATION_REFUSED", "exclude": "INVALID"}
RIGHT: Final = {
    "complaint": "COMPLAINT", "unit": UNIT, "days": "1", "stars": "3", "kind": "KEY_WORK", "to": OTHER,
    "called": "municipal-water", "of": "municipal-water",
}  # fmt: skip
"""What can be, for what a unit must say; any text else."""


def _unit(verb: str, wrong: str, said: str) -> tuple[str, ...]:
    """A verb of a unit with all it needs; one of its arguments names nothing."""
    right = {**RIGHT, "ground": GROUNDS.get(verb, ""), wrong: said}
    given = [param for param in VERBS[verb].params if param.required or param.name in {wrong, "unit"}]
    words: list[str] = []
    for param in given:
        option = [] if param.param_type_name == "argument" else [param.opts[0]]
        words += [*option, right.get(param.name, "x")]
    return ("unit", verb, *words)


ARTICLE: Final = ("--title", "x", "--text", "x", "--source", "x")

Named = tuple[str, str]
"""A command and its argument that names something."""

WRONG: Final[dict[Named, tuple[str, ...]]] = {
    ("call", "article"): (*CALL, "--type", "CONSULT", "--article", "kb-9999@1"),
    ("call", "matter_of"): (*CALL, "--matter-of", NOBODY),
    ("call", "subject"): (*CALL, "--subject", "供誰"),
    ("call", "district"): (*CALL, "--district", "海锭区"),
    ("call", "street"): (*CALL, "--street", "某街道"),
    **{(f"unit {verb}", "complaint"): _unit(verb, "complaint", NOBODY) for verb in VERBS},
    **{(f"unit {verb}", "unit"): _unit(verb, "unit", "nobody") for verb in VERBS},
    ("unit return", "suggest"): _unit("return", "suggest", "nobody"),
    ("unit assign", "to"): _unit("assign", "to", "nobody"),
    ("unit whistle", "called"): _unit("whistle", "called", "municipal-water, nobody"),
    ("unit release", "of"): _unit("release", "of", "nobody"),
    ("unit rate", "of"): _unit("rate", "of", "nobody"),
    ("unit show", "complaint"): ("unit", "show", NOBODY),
    ("unit list", "unit"): ("unit", "list", "--unit", "nobody"),
    ("review list", "unit"): ("review", "list", "--unit", "nobody"),
    ("review answers", "unit"): ("review", "answers", "--unit", "nobody"),
    ("unit desk", "unit"): ("unit", "desk", "--unit", "nobody"),
    ("request add", "complaint"): ("request", "add", NOBODY, "--text", "x"),
    ("request correct", "complaint"): ("request", "correct", NOBODY, "--title", "x"),
    ("request correct", "subject"): ("request", "correct", "COMPLAINT", "--subject", "供誰"),
    ("request correct", "district"): ("request", "correct", "COMPLAINT", "--district", "海锭区"),
    ("request correct", "street"): ("request", "correct", "COMPLAINT", "--street", "某街道"),
    ("request again", "complaint"): ("request", "again", NOBODY),
    ("request rate", "complaint"): ("request", "rate", NOBODY, "--satisfied"),
    ("request retaliation", "complaint"): ("request", "retaliation", NOBODY, "--by", UNIT, "--text", "x"),
    ("request retaliation", "by"): ("request", "retaliation", "COMPLAINT", "--by", "nobody", "--text", "x"),
    ("request withdraw", "complaint"): ("request", "withdraw", NOBODY),
    ("review approve", "complaint"): ("review", "approve", NOBODY),
    ("review approve", "to"): ("review", "approve", "COMPLAINT", "--to", "nobody"),
    ("review reject", "complaint"): ("review", "reject", NOBODY, "--reason", "x"),
    ("review council", "complaint"): (
        "review", "council", NOBODY, "--to", UNIT, "--participants", "甲", "--reason", "x",
    ),
    ("review council", "to"): (
        "review", "council", "COMPLAINT", "--to", "nobody", "--participants", "甲", "--reason", "x",
    ),
    ("review council", "co_units"): (
        "review", "council", "COMPLAINT", "--to", UNIT, "--with", "nobody", "--participants", "甲", "--reason", "x",
    ),
    ("review helper", "complaint"): ("review", "helper", NOBODY, "--unit", OTHER, "--reason", "x"),
    ("review helper", "unit"): ("review", "helper", "COMPLAINT", "--unit", "nobody", "--reason", "x"),
    ("review send-back", "complaint"): ("review", "send-back", NOBODY, "--reason", "x"),
    ("review reclassify", "complaint"): (
        "review", "reclassify", NOBODY, "--urgency", "COMPLEX_15D", "--reason", "x",
    ),
    ("review calendar", "complaint"): ("review", "calendar", "cn-1", "--reason", "x", "--complaint", NOBODY),
    ("knowledge add", "subject"): ("knowledge", "add", "kb-new", *ARTICLE, "--subject", "供誰"),
    ("knowledge withdraw", "named"): ("knowledge", "withdraw", "kb-9999@1", "--reason", "x"),
    ("programme propose", "out_of"): (
        "programme", "propose", "2021-01", "x", "--lead", UNIT, "--as", "x", "--out-of", "供誰",
    ),
    ("programme propose", "lead"): ("programme", "propose", "2021-01", "x", "--lead", "nobody", "--as", "x"),
    ("programme draw-up", "owner"): ("programme", "draw-up", "2021", "STREET", "nobody", "x", "--as", "x"),
    ("programme draw-up", "out_of"): (
        "programme", "draw-up", "2021", "STREET", UNIT, "x", "--as", "x", "--out-of", "供誰",
    ),
    **{
        (name, "programme"): (
            "programme", name.partition(" ")[2], NOBODY, *rest, "--as", "x",
        )
        for name, rest in {
            "programme adopt": (), "programme item": ("x", "--lead", UNIT),
            "programme lead": ("1", UNIT, "--reason", "x"),
            "programme task": ("1", "x", "--owner", UNIT, "--due", "2199-12-31"), "programme progress": ("1", "x"),
            "programme complete": ("1", "--evidence", "x"), "programme verify": ("1",),
            "programme reject": ("1", "--reason", "x"), "programme policy": ("x",),
            "programme long-term": ("1", "--review", "2199-12-31", "--plan", "x"),
            "programme review": ("1", "--review", "2199-12-31", "--found", "x"),
            "programme assess": ("--survey", "9", "--visits", "1"), "programme close": (),
            "programme offer": ("1", "COMPLAINT", "--to", "COMPLAINT", "--answer", "x"),
        }.items()
    },
    ("programme tasks", "owner"): ("programme", "tasks", "--owner", "nobody"),
    ("programme alike", "complaint"): ("programme", "alike", NOBODY),
    ("programme offer", "complaint"): ("programme", "offer", "abcd", "1", NOBODY, "--to", "COMPLAINT", "--as", "x"),
    ("programme offer", "to"): (
        "programme", "offer", "abcd", "1", "COMPLAINT", "--to", NOBODY, "--answer", "x", "--as", "x",
    ),
    ("unit offered", "unit"): ("unit", "offered", "--unit", "nobody"),
    ("unit answer-offered", "programme"): ("unit", "answer-offered", NOBODY, "1", "--unit", UNIT),
    ("unit answer-offered", "unit"): ("unit", "answer-offered", "abcd", "1", "--unit", "nobody"),
    ("contact put", "complaint"): ("contact", "put", NOBODY, "--name", "甲", "--phone", "12345"),
    ("contact shred", "complaint"): ("contact", "shred", NOBODY, "--reason", "x"),
    ("contact link", "complaint"): ("contact", "link", NOBODY),
}  # fmt: skip
"""With every argument that names something, where it names nothing that there is; the rest is right."""

ANYBODY: Final = frozenset(
    (
        # An office that gets no orders may be refused a contact.
        ("contact show", "unit"), ("contact show", "complaint"),
        # The programme is looked up first, and none is there: tests/hotline/test_programme_import.py has one.
        ("programme item", "lead"), ("programme item", "others"), ("programme lead", "unit"),
        ("programme lead", "others"), ("programme task", "owner"),
        ("programme tasks", "programme"), ("programme complaints", "programme"),
        ("programme members", "programme"), ("contact log", "complaint"), ("unit add", "unit"),
        ("programme show", "programme"),
        ("knowledge show", "named"),
        # Complaints carry what the catalogue does not know, until they are corrected: a list may be narrowed to it.
        ("unit list", "subject"), ("unit list", "district"), ("review list", "subject"), ("review list", "district"),
        ("review answers", "subject"), ("review answers", "district"),
    )
)  # fmt: skip
NAMING: Final = frozenset(
    ("COMPLAINT", "COMPLAINTS", "UNIT", "[UNIT]", "UNITS", "ID@VERSION", "ID[@VERSION]", "PROGRAMME")
)
NAMES: Final = frozenset(("complaint", "unit", "subject", "district", "street", "out_of", "programme"))
SPEAK: Final = frozenset(("call", "unit", "request", "review", "knowledge", "contact", "programme"))


def test_every_argument_that_names_something_stands_in_the_table() -> None:
    found = {
        (name, str(param.name))
        for name, command in TREE.items()
        for param in command.params
        if name.partition(" ")[0] in SPEAK and (param.metavar in NAMING or param.name in NAMES)
    }
    assert found - ANYBODY == WRONG.keys()


@pytest.mark.parametrize("named", WRONG, ids=" ".join)
def test_what_names_nothing_that_there_is_leaves_nothing_behind(
    named: Named, shell: Shell, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message, no fact, no row; and the sentence says what was not found."""
    words = [complaint if word == "COMPLAINT" else word for word in WRONG[named]]
    before = asyncio.run(_standing(shell))
    code, told = typed(words, shell, monkeypatch)
    assert code in {1, 2}, told
    assert any(wrong in told for wrong in (NOBODY, "nobody", "kb-9999", "海锭区", "供誰", "某街道")), told
    assert asyncio.run(_standing(shell)) == before, told


EMPTY: Final = (
    ("call", "--matter-of"), ("call", "--article"), ("call", "--title"), ("call", "--request-id"),
    ("review calendar cn-1 --reason x", "--complaint"), ("review approve deadbeef", "--to"),
    ("unit sign deadbeef", "--unit"), ("request correct deadbeef", "--title"), ("contact shred --reason x", ""),
)  # fmt: skip


@pytest.mark.parametrize(("line", "option"), EMPTY, ids=str)
def test_an_option_that_says_nothing_is_not_one_that_is_left_out(
    line: str, option: str, shell: Shell, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--complaint` all complaints are amended, without `--matter-of` it is nobody's matter."""
    assert complaint
    begins = CALL if line == "call" else line.split()
    before = asyncio.run(_standing(shell))
    code, told = typed([*begins, *filter(None, [option]), ""], shell, monkeypatch)
    assert (code, told.partition(":")[2]) == (2, " expected words that can be read, got nothing.\n")
    assert asyncio.run(_standing(shell)) == before


def test_a_title_that_is_too_long_is_not_sent(
    shell: Shell, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asyncio.run(_standing(shell))
    for words in (CALL, ("request", "correct", complaint)):
        code, told = typed([*words, "--title", "x" * 201], shell, monkeypatch)
        assert (code, "Not sent: " in told) == (2, True), told
    assert asyncio.run(_standing(shell)) == before


def typed(words: Any, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and all that was printed; in this process, as there are many."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with monkeypatch.context() as here:
        here.setenv("HOTLINE_STACK", str(shell.stack))
        here.setattr(sys, "stdout", said)
        here.setattr(sys, "stderr", said)
        here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b""), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            guarded(app, list(words))
    assert isinstance(said.buffer, io.BytesIO)
    return int(ended.value.code or 0), said.buffer.getvalue().decode()


async def _standing(shell: Shell) -> tuple[Any, ...]:
    """How far all doors' topics, the log and what lies beside it reach."""
    endpoints = shell.city().endpoints
    lines = ((INTAKE_REQUESTS, ""), (DISPATCH_REVIEWS, ""), (DISPATCH_REPLIES, UNIT))
    parts = {
        (endpoints.prefix + line.of(unit), number)
        for line, unit in lines
        for number in range(line.partitions)
    }
    connection = await asyncpg.connect(endpoints.owner_dsn)
    try:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM es.event), (SELECT count(*) FROM es.inbox),"
            " (SELECT count(*) FROM vault.contact), (SELECT count(*) FROM vault.access),"
            " (SELECT count(*) FROM intake.article), (SELECT count(*) FROM es.parked),"
            " (SELECT count(*) FROM intake.article_withdrawn), (SELECT count(*) FROM es.programme_fact)"
        )
    finally:
        await connection.close()
    return await ends_of(endpoints.kafka, parts), tuple(row or ())


# --- what is corrected


def test_before_it_is_signed_a_corrected_order_moves_and_after_it_stays(shell: Shell) -> None:
    """Q1, D1."""
    called = json.loads(shell(*CALL, "--street", "景山街道"))
    first = called["complaint_id"]
    assert called["unit"] == OTHER
    told = shell("request", "correct", first[:13], "--street", "东华门街道")
    assert told == f"Done; {OTHER} is told.\nThe order lies with {UNIT}.\n"
    shown = shell("show", first)
    assert "street was “景山街道”, is “东华门街道”" in shown
    assert f"order 1 moves from {OTHER} to {UNIT}" in shown
    shell("unit", "sign", first, "--unit", UNIT)
    told = shell("request", "correct", first, "--street", "景山街道")
    assert f"The order stays with {UNIT}; the catalogue names {OTHER}." in told
    back = ("unit", "return", first, "--unit", UNIT, "--reason", "not ours", "--evidence", "a map")
    assert shell(*back).startswith("Return requested")
    assert shell("review", "approve", first) == f"Returned: it lies with {OTHER} now.\n"
    assert shell("request", "correct", first, "--street", "景山街道", code=1).startswith(
        "Refused: the record says"
    )


def test_what_the_catalogue_does_not_know_is_listed_until_it_is_corrected(shell: Shell) -> None:
    """D1."""
    wrong = json.loads(shell(*CALL, "--district", "海锭区", "--street", "花园路街道", "--as-is"))
    assert shell.noted.startswith("note: '海锭区' is no district of catalogue")
    rows = json.loads(shell("request", "to-correct", "--json"))
    assert [(row["complaint_id"], row["unlisted"], row["unit"]) for row in rows] == [
        (wrong["complaint_id"], ["district"], "hotline-centre")
    ]
    assert "district: hotline-centre  " in shell("request", "to-correct")
    assert "1 of them name what the catalogue does not know" in shell("status")
    assert "not in the catalogue: district" in shell("show", wrong["complaint_id"])
    told = shell("request", "correct", wrong["complaint_id"], "--district", "海淀区")
    assert told.endswith("The order lies with street-haidian-huayuanlu.\n")
    told = shell("request", "to-correct")
    assert told.startswith("Every open request names what the catalogue knows.\nAs of position ")
    assert "of them name" not in shell("status")


# --- numbers


def test_a_number_is_sent_only_where_it_is_meant_and_no_fact_holds_it(shell: Shell, complaint: str) -> None:
    """R9."""
    words = (*CALL[:-1], "--content", f"请打{MOBILE}")
    told = shell(*words, code=2)
    assert told.startswith("Not sent: content: what looks like a phone number stands in it, ending in 00.")
    assert "Not sent: text: what looks like" in shell("request", "add", complaint, "--text", MOBILE, code=2)
    meant = json.loads(shell(*words, "--with-number", "--json"))["complaint_id"]
    shell("contact", "put", meant, "--name", "甲", "--phone", MOBILE)
    report = json.loads(shell("verify", "--json"))["report"]
    assert (report["problem_count"], report["notice_count"]) == (0, 0)
    listed = json.loads(shell("unit", "list", "--unit", UNIT, "--json"))
    assert [row["content"] for row in listed if row["complaint_id"] == meant] == ["请打〔电话1〕"]
    assert MOBILE not in shell("show", meant)
