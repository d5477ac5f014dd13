"""The rule book: every rule by its id: its basis, its value in a rule set, where it is enforced, which tests hold it.

The rules stand in `shared/data/rulebook.toml`; `docs/rules.md` is made from it. A test holds a rule if its
name, its docstring or the docstring of its file names the rule's id.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from hotline.contract.writing import write_or_check
from shared.policy.ruleset import ruleset, ruleset_tables
from shared.policy.ruleset_file import ValueBasis

TESTS: Final = Path(__file__).parents[2] / "tests"
"""Where the tests stand in a checkout; an installed package has none."""
DOCS: Final = "docs/rules.md"

ID: Final = re.compile(r"(?<![\w.-])([A-J]|Q|R|T)([1-9][0-9]?)(?!\w|\.\d)")
"""A rule's id as it stands in a docstring."""

Status = Literal["built", "part", "open", "outside"]
Standing = Literal["norm", "draft", "practice", "knowledge", "proposal", "configuration"]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of the domain."""

    id: str
    sentence: str
    source: str
    """As in the domain reference: S1 …, SEED, K general knowledge, D derived, P a proposal of this project."""
    confidence: Literal["H", "M", "L"]
    standing: Standing
    status: Status
    """built; part of it; open, not built yet; outside, nothing a program enforces."""
    enforced: tuple[str, ...] = ()
    note: str = ""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    rule: list[Rule]


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order they are written."""
    text = files("shared").joinpath("data/rulebook.toml").read_text(encoding="utf-8")
    return {rule.id: rule for rule in msgspec.convert(tomllib.loads(text), _Written).rule}


def values(version: str) -> dict[str, dict[str, Any]]:
    """For each rule id the values a rule set gives it, by their dotted names."""
    tables = ruleset_tables(version)
    found: dict[str, dict[str, Any]] = {}
    basis: Mapping[str, ValueBasis] = ruleset(version).basis
    for name, why in basis.items():
        if why.id:
            found.setdefault(why.id, {})[name] = value_of(tables, name)
    return found


def value_of(tables: Any, name: str) -> Any:
    """A value of a rule set's tables by its dotted name."""
    for part in name.split("."):
        tables = tables[part]
    return tables


def named_by_tests(folder: Path = TESTS) -> dict[str, list[str]]:
    """For each rule id the tests that name it, as pytest names them; empty where there are no tests."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        place = file.relative_to(folder.parent).as_posix()
        whole = _named(ast.get_docstring(tree) or "")
        for function in _functions(tree):
            text = f"{function.name.replace('_', ' ')} {ast.get_docstring(function) or ''}"
            for rule in dict.fromkeys((*whole, *_named(text))):
                found.setdefault(rule, []).append(f"{place}::{function.name}")
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _named(text: str) -> list[str]:
    return [letter + number for letter, number in ID.findall(text)]


_STATUS: Final[dict[Status, str]] = {"built": "", "part": "in part", "open": "not built", "outside": "–"}


_HEAD: Final = """\
# The rules behind the ids

Made from `shared/data/rulebook.toml` by `python -m hotline.contract.rulebook`; do not edit. `hotline
rules` prints more: the value in a rule set, and the tests that hold each rule. The first letter of an id says
where it belongs:

- R, Q: the Regulation of Beijing on swift response to complaints (2021) and its practice
- A: telephone
- B, D, E: request, dispatch and end of a complaint
- C: limits
- F: evaluation
- G: whistle
- H, I, J: programmes, privacy, calendar
- T: what a test must show

The standing is a norm, the draft of a norm, practice elsewhere, general knowledge, a proposal of ours, or
configuration. Values that a city may change are data with their basis in `shared/data/rulesets`. Choices of ours
stand in [decisions](decisions/README.md)."""


def text() -> str:
    """`docs/rules.md`."""
    lines = [
        *_HEAD.splitlines(),
        "",
        "| id | the rule | standing | enforced in |",
        "|---|---|---|---|",
    ]
    for rule in rules().values():
        where = ", ".join(f"`{place}`" for place in rule.enforced)
        state = _STATUS[rule.status]
        said = " ".join(filter(None, (rule.sentence, rule.note)))
        places = ": ".join(filter(None, (state, where))) if where or state else ""
        lines.append(
            f"| {rule.id} | {said} | {rule.standing} ({rule.source}; {rule.confidence}) | {places} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check the file."""
    return write_or_check(text, module="hotline.contract.rulebook", about=__doc__ or "", made_of="rules")


if __name__ == "__main__":
    raise SystemExit(main())
