"""Each person at a desk in a running city: asks citizens, supervises, reviews, records, answers; typed and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.shell import Shell, until

pytestmark = pytest.mark.connected

UNIT: Final = "street-dongcheng-donghuamen"
PHONE: Final = "13800138000"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder where `hotline up` was typed."""
    made = Shell(tmp_path_factory.mktemp("desks"))
    try:
        made("up")
        yield made
    finally:
        made("down")


def called(shell: Shell, title: str, *options: str) -> str:
    """A complaint of the street, as an agent records it; its number."""
    words = ("--subject", "社会秩序/噪声扰民", "--district", "东城区", "--street", "东华门街道")
    found = json.loads(shell("call", *words, "--title", title, *options, "--json"))
    return str(found["complaint_number"])


def answered(shell: Shell, title: str, *options: str) -> str:
    """The same, and its unit has answered."""
    number = called(shell, title, *options)
    shell("contact", "put", number, typed=json.dumps({"name": "王女士", "phone": PHONE}))
    shell("unit", "sign", number, "--unit", UNIT)
    shell("unit", "answer", number, "--unit", UNIT, "--text", "已经停工")
    return number


def visits(shell: Shell, *options: str) -> dict[str, Any]:
    """The list of visits, by number."""
    rows = json.loads(shell("visit", "list", "--json", *options))
    return {row["complaint_number"]: row for row in rows}


def test_a_person_asks_the_citizen_and_reads_the_number_for_the_visit_alone(
    shell: Shell, tmp_path: Path
) -> None:
    number = answered(shell, "半夜施工", "--confidential")
    mine = until(lambda: visits(shell).get(number))
    assert (mine["visit"], mine["attempt"], mine["channel"], mine["taken_by"]) == (1, 1, "phone", None)
    assert (mine["unit"], mine["overdue"], mine["content"]) == (UNIT, False, "")

    taken = json.loads(shell("visit", "take", number, "--as", "Li Wei", "--json"))
    assert (taken["seen"], taken["standing"]) == ("FULL", "VISITOR")
    assert (taken["contact"]["phone"], taken["answer"], taken["confidential"]) == (PHONE, "已经停工", True)
    assert visits(shell)[number]["taken_by"] == "Li Wei"
    assert "[Li Wei asks]" in shell("visit", "list")
    refused = shell("visit", "take", number, "--as", "Wang Fang", code=1)
    assert refused == "Li Wei asks the citizen: wait 30 minutes, or until the outcome is written down.\n"
    assert "has the order; nobody decides" in shell("visit", "take", number, "--as", UNIT, code=1)

    said = shell("visit", "unreached", number, "--cause", "busy")
    assert "The citizen is asked again, not before" in said
    assert number not in visits(shell)
    later = visits(shell, "--later")[number]
    assert (later["attempt"], later["taken_by"]) == (2, None)
    assert "is not to be asked before" in shell("visit", "take", number, "--as", "Li Wei", code=1)
    assert "was not to be made before" in shell("visit", "answer", number, "--solved", "--satisfied", code=1)
    rows = json.loads(shell("contact", "log", number, "--json"))
    assert [(row["as_a"], row["who"], row["outcome"]) for row in rows] == [
        ("AGENT", "agent", "PUT"),
        ("VISITOR", "Li Wei", "FULL"),
    ]


def test_the_citizens_judgement_closes_it_or_sends_it_round_again(shell: Shell) -> None:
    solved, unsolved = answered(shell, "路灯不亮"), answered(shell, "垃圾成堆")
    until(lambda: {solved, unsolved} <= set(visits(shell)))
    assert {solved, unsolved} <= set(visits(shell, "--reason", "ANSWERED", "--unit", UNIT))
    assert {solved, unsolved}.isdisjoint(visits(shell, "--reason", "EXPIRED"))
    assert {solved, unsolved}.isdisjoint(visits(shell, "--overdue"))
    closed = shell("visit", "answer", solved, "--solved", "--not-satisfied", "--reason", "太慢了")
    assert closed == "The complaint is closed: solved.\n"
    again = json.loads(
        shell("visit", "answer", unsolved, "--not-solved", "--not-satisfied", "--channel", "wechat", "--json")
    )
    assert [fact["type"] for fact in again] == ["VisitMade", "ComplaintReopened"]
    assert {solved, unsolved}.isdisjoint(visits(shell, "--later"))
    assert "has ended with ComplaintClosed: nobody is asked" in shell(
        "visit", "take", solved, "--as", "Li Wei", code=1
    )
    assert "No visit of complaint" in shell("visit", "unreached", unsolved, code=1)
