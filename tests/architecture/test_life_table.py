"""The page about a complaint's life is what the desks say, for every stage and every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.asked import name_of
from shared.complaint import Stage, stage_of
from tests import examples as eg
from tests.life_table import ASKED_BEFORE, DOCS, PASTS, cell, text
from tests.spec import case_of

PAGE = Path(__file__).parents[2] / DOCS


@pytest.mark.parametrize("at", Stage)
def test_each_stage_has_a_past_that_leads_to_it(at: Stage) -> None:
    assert stage_of(case_of(PASTS[at])) is at


def test_what_must_have_been_asked_for_is_asked_for_commands_there_are() -> None:
    assert set(ASKED_BEFORE) <= set(map(name_of, eg.COMMANDS))


@pytest.mark.parametrize("command", eg.COMMANDS, ids=name_of)
def test_each_command_has_an_effect_in_some_stage(command: object) -> None:
    """Else the page would say of a command that it is good for nothing."""
    assert any(cell(at, command).said for at in PASTS)


def test_the_page_is_what_the_desks_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()
