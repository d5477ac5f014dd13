"""Texts of strangers: which have words, what a name is compared as, and what a terminal shows of them."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import folded, folded_code, has_words, shown, shown_lines, unplain
from tests.foreign import BLANKS, FORGED, HOSTILE, WORDS, deceived

anything = st.text(
    st.characters(codec=None) | st.sampled_from("".join(BLANKS) + "⻄⼤ＡB１／ 海\r\n"), max_size=30
)


@pytest.mark.parametrize("text", BLANKS, ids=ascii)
def test_what_shows_nothing_has_no_words(text: str) -> None:
    assert not has_words(text)
    assert not has_words(text * 400)


@pytest.mark.parametrize("text", WORDS, ids=ascii)
def test_what_shows_anything_has_words(text: str) -> None:
    assert has_words(text)
    assert has_words(f"\u200b{text}")


def test_an_empty_text_has_no_words() -> None:
    assert not has_words("")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("⼤兴区", "大兴区"),
        ("⻄城区", "西城区"),
        ("⻔头沟区", "门头沟区"),
        ("海淀区 ", "海淀区"),
        ("\u3000海淀区\u200b\n", "海淀区"),
        ("海\ufeff淀\u00ad区\ufe0f", "海淀区"),
        ("公共服务／供水", "公共服务/供水"),
        ("１２３４５", "12345"),
        ("Heat - Excessive  Insufficient", "Heat - Excessive Insufficient"),
        ("ｍｕｎｉｃｉｐａｌ－ｗａｔｅｒ", "municipal-water"),
        ("海淀区", "海淀区"),
    ],
)
def test_a_name_is_compared_in_one_form(typed: str, name: str) -> None:
    assert folded(typed) == name


def test_a_code_is_in_small_letters_where_it_is_ascii() -> None:
    assert folded_code("Ｓtreet-DONGCHENG ") == "street-dongcheng"
    assert folded_code("Ж-A") == "Ж-a"


@given(anything)
def test_folding_twice_is_folding_once_and_words_stay_words(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert has_words(once) <= has_words(text)


@given(anything)
def test_what_is_shown_is_one_line_that_steers_and_hides_nothing(text: str) -> None:
    line = shown(text)
    assert deceived(line) == []
    assert len(line.splitlines()) <= 1
    assert not [char for char in line if category(char)[0] == "C" and not 0x20000 <= ord(char) < 0x3FFFE]
    assert not line or category(line[0])[0] != "M"
    assert shown(line) == line


@given(st.text("海淀区abc XYZ0-9，。！", max_size=50))
def test_an_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_the_hostile_text_is_written_out() -> None:
    assert FORGED in shown(HOSTILE)
    for mark in ("<U+001B>", "<U+009B>", "<U+202E>", "<U+2066>", "<U+200B>", "<U+0000>", "⏎", "⇥"):
        assert mark in shown(HOSTILE)
    assert shown("a\r\nb") == "a⏎b"
    assert shown("❤️") == "❤️"
    assert shown("\ud800") == "<U+D800>"
    assert shown("字" * 9, 5) == "字字字字…"
    assert shown("字" * 99, 5) == "字字字字…"
    assert shown("字" * 5, 5) == "字字字字字"
    assert shown("a" + " " * 190 + "  1  approved", 30) == "a…"
    assert shown(f"a{' ' * 9}\u3000\xa0b", 30) == "a b"
    assert shown("\x1b" * 30, 30) == "<U+001B>" * 3 + "<U+00…"
    assert shown("o" + "\u0301" * 9).count("\u0301") == 4


def test_a_text_of_several_lines_stays_behind_its_indent() -> None:
    assert shown_lines("一\n\x1b二", "  | ") == "  | 一\n  | <U+001B>二"
    assert deceived(shown_lines(HOSTILE, "  | ")) == []


@pytest.mark.parametrize("text", ["20210924-0001", "a b", "呼叫-7", "/web", "urn:x:é"])
def test_an_identifier_may_hold_what_shows(text: str) -> None:
    assert unplain(text) is None


@pytest.mark.parametrize("text", BLANKS, ids=ascii)
def test_an_identifier_holds_nothing_that_does_not_show(text: str) -> None:
    assert unplain(text) is not None
    if text != " " and category(text[0])[0] != "M":
        assert unplain(f"7{text}8") is not None


@pytest.mark.parametrize("text", [" 7", "7 ", "7\n", ""])
def test_an_identifier_has_no_blank_at_an_end(text: str) -> None:
    assert unplain(text) is not None
