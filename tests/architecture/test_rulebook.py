"""The rule book is whole: every rule of the reference stands in it, and what is built has a test that says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotline.contract.rulebook import DOCS, Rule, named_by_tests, rules, text, values
from tests.forked import run

ROOT = Path(__file__).parents[2]
REFERENCE = (
    *(f"R{n}" for n in range(1, 19)),
    *(f"Q{n}" for n in range(1, 7)),
    *(f"A{n}" for n in range(1, 6)),
    *(f"B{n}" for n in range(1, 4)),
    *(f"C{n}" for n in range(1, 5)),
    *(f"D{n}" for n in range(1, 6)),
    *(f"E{n}" for n in range(1, 4)),
    *(f"F{n}" for n in range(1, 6)),
    *(f"G{n}" for n in range(1, 4)),
    "H1",
    "I1",
    "I2",
    "J1",
    *(f"T{n}" for n in range(1, 33)),
)
"""The ids of the domain reference."""
NAMED = named_by_tests()


def test_every_rule_of_the_reference_stands_in_the_book_and_no_other() -> None:
    assert tuple(rules()) == REFERENCE


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_what_is_built_is_named_by_a_test_and_what_is_not_is_named_by_none(rule: Rule) -> None:
    named = NAMED.get(rule.id, [])
    if rule.status in {"built", "part"}:
        assert named, f"no test names {rule.id}"
        assert rule.enforced
    else:
        assert named == [], f"{rule.id} is {rule.status} in the book, and tests name it"


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_where_a_rule_is_enforced_there_is_something(rule: Rule) -> None:
    for place in rule.enforced:
        assert (ROOT / place).exists(), place
    assert rule.status in {"built", "outside"} or rule.note or not rule.enforced


def test_no_test_names_a_rule_that_is_not_in_the_book() -> None:
    unknown = {rule: tests for rule, tests in NAMED.items() if rule not in rules()}
    assert unknown == {}


@pytest.mark.parametrize("version", ["beijing-draft-2021", "boston-311-2011"])
def test_every_id_a_rule_set_names_is_in_the_book(version: str) -> None:
    """T31: a value without a rule behind it would be a choice nobody can see."""
    assert set(values(version)) <= set(rules())


def test_the_page_of_rules_is_what_the_book_says() -> None:
    assert (ROOT / DOCS).read_text(encoding="utf-8") == text()


@pytest.mark.programs
def test_a_person_reads_one_rule_or_all_of_them() -> None:
    def typed(*words: str, code: int = 0) -> str:
        done = run(["rules", *words], env=dict(os.environ), folder=ROOT)
        assert done.returncode == code
        return done.stdout + done.stderr

    one = typed("C2")
    assert "classes.GENERAL_7D.feedback = 7d" in one
    assert "draft (SEED, S6; H)" in one
    assert "held by tests/" in one
    assert f"{len(REFERENCE)} rules: " in typed()
    assert typed("R99", code=2).startswith("No rule 'R99'")
    assert typed("--status", "done", code=2).startswith("--status: 'done', expected built")
