"""A line typed at a unit's desk is the command of that name: every verb, its words, and a word that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from typer.main import get_command

from hotline.cli.unit import unit
from hotline.cli.unit.verbs import APART, VERBS, NotUnderstood, command_apart, command_of, order_of, usage

NO_VERBS: Final = {"list", "desk", "show", "add"}
"""Commands of a unit that say nothing."""


def commands() -> dict[str, Any]:
    group: Any = get_command(unit)
    return dict(group.commands)


def options(command: Any) -> Iterator[Any]:
    yield from (one for one in command.params if one.param_type_name == "option")


def test_every_command_by_which_a_unit_speaks_is_a_verb_of_its_desk() -> None:
    assert set(commands()) - NO_VERBS == set(VERBS) | set(APART)


@pytest.mark.parametrize("name", VERBS)
def test_the_words_of_a_verb_are_the_options_of_its_command_and_none_that_must_be_told_is_missing(
    name: str,
) -> None:
    known = {one.opts[0].removeprefix("--"): one for one in options(commands()[name])}
    told = (*VERBS[name].needed, *VERBS[name].further)
    assert set(told) <= set(known)
    assert {option for option, one in known.items() if one.required} - {"unit"} == set(VERBS[name].needed)


@pytest.mark.parametrize(
    ("name", "words", "options"),
    [
        ("sign", "", []),
        ("answer", "已 停工", ["--text=已 停工"]),
        ("answer", "-5 度 --unsolved", ["--text=-5 度", "--unsolved"]),
        ("answer", "--text 已停工 --unsolved", ["--text", "已停工", "--unsolved"]),
        ("return", "not ours: the map: page 2", ["--reason=not ours", "--evidence=the map: page 2"]),
        ("return", "不是我街道：地图", ["--reason=不是我街道", "--evidence=地图"]),
        ("extend", "3 等待 配件", ["--days=3", "--reason=等待 配件"]),
        ("extend", "3 等待配件 --citizen-told", ["--days=3", "--reason=等待配件", "--citizen-told"]),
        ("pause", "5 SEASON 冬季不能施工", ["--days=5", "--ground=SEASON", "--evidence=冬季不能施工"]),
        (
            "whistle",
            "EMERGENCY a,b 5号楼 楼下: 水管爆裂",
            ["--kind=EMERGENCY", "--call=a,b", "--scene=5号楼 楼下", "--reason=水管爆裂"],
        ),
        ("contact", "", []),
        ("contact", "no answer", ["--failed=no answer"]),
        ("arrive", "4 --number 2", ["--persons=4", "--number", "2"]),
        ("rate", "municipal-water 5", ["--of=municipal-water", "--stars=5"]),
        ("rate", "municipal-water 5 来得 快", ["--of=municipal-water", "--stars=5", "--text=来得 快"]),
    ],
)
def test_a_line_is_the_command_with_its_options(name: str, words: str, options: list[str]) -> None:
    assert command_of(name, "20260101-X", words, "u") == [name, "20260101-X", "--unit=u", *options]


@pytest.mark.parametrize(
    ("name", "words"),
    [("answer", ""), ("return", "no evidence"), ("return", "reason:"), ("extend", "3"), ("sign", "now")],
)
def test_what_is_missing_or_too_much_is_told_with_how_it_is_typed(name: str, words: str) -> None:
    with pytest.raises(NotUnderstood) as error:
        command_of(name, "20260101-X", words, "u")
    assert str(error.value).startswith(usage(name))


@pytest.mark.parametrize("rest", ["", "0", "3", "x", "-1", "1x", "9999999"])
def test_a_verb_without_the_number_of_an_order_asks_for_it(rest: str) -> None:
    with pytest.raises(NotUnderstood, match="sign which"):
        order_of("sign", rest, 2)
    with pytest.raises(NotUnderstood, match="no open order"):
        order_of("sign", rest, 0)
    assert order_of("answer", " 2  已停工 ", 2) == (2, "已停工")


def test_a_command_about_no_single_order_is_typed_as_ever() -> None:
    assert command_apart("answer-offered", "abcd 1 --unsolved", "u") == [
        *("answer-offered", "abcd", "1", "--unsolved", "--unit=u"),
    ]
    with pytest.raises(NotUnderstood, match="quotation mark"):
        command_apart("offered", '"', "u")
