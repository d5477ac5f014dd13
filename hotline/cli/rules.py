"""`hotline rules`: every rule with its basis, its value, and the tests that hold it."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, fail
from hotline.terminal import say, say_json
from shared.text import folded
from shared.versions import RULESET

if TYPE_CHECKING:
    from hotline.contract.rulebook import Rule


def rules(
    rule_id: Annotated[str, typer.Argument(metavar="[ID]", help="One rule, such as R8.")] = "",
    ruleset: Annotated[str, typer.Option(help="The rule set that gives the values.")] = RULESET,
    status: Annotated[str, typer.Option(help="Only these: built, part, open or outside.")] = "",
    *,
    json: Json = False,
) -> None:
    """List the rules: what each says, on what it rests, its value in a rule set, the tests that hold it."""
    from deploy.city.registry import remembered
    from hotline.contract.rulebook import named_by_tests, values
    from hotline.contract.rulebook import rules as known
    from shared.policy.ruleset import ruleset as known_ruleset

    book = known()
    rule_id = folded(rule_id).upper()
    if rule_id and rule_id not in book:
        fail(f"No rule '{rule_id}'; `hotline rules` lists them: {', '.join(book)}.", code=2)
    if status not in {"", "built", "part", "open", "outside"}:
        fail(f"--status: '{status}', expected built, part, open or outside.", code=2)
    remembered()  # a city's own rule sets are known from then on
    known_ruleset(ruleset)  # says which there are, before anything is read for it
    value_of, tests = values(ruleset), named_by_tests()
    shown = [rule for rule in book.values() if rule_id in {"", rule.id} and status in {"", rule.status}]
    if json:
        rows = [_row(rule, value_of.get(rule.id, {}), tests.get(rule.id, [])) for rule in shown]
        say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
        return
    for rule in shown:
        _print(rule, value_of.get(rule.id, {}), tests.get(rule.id, []), whole=bool(rule_id))
    if not rule_id:
        counted = {
            state: sum(rule.status == state for rule in shown)
            for state in ("built", "part", "open", "outside")
        }
        say(
            f"{len(shown)} rules: {counted['built']} built, {counted['part']} in part, {counted['open']} not built, "
            f"{counted['outside']} nothing a program enforces. Values are those of rule set {ruleset}."
        )


def _row(rule: Rule, values: dict[str, Any], tests: list[str]) -> dict[str, Any]:
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(rule)
    return {**fields, "values": values, "tests": tests}


def _print(rule: Rule, values: dict[str, Any], tests: list[str], *, whole: bool) -> None:
    say(f"{rule.id:4} {rule.sentence}")
    state = "" if rule.status == "built" else f"; {'not built' if rule.status == 'open' else rule.status}"
    say(
        f"     {rule.standing} ({rule.source}; {rule.confidence}){state}{f': {rule.note}' if rule.note else ''}"
    )
    for name, value in values.items():
        say(f"     {name} = {value}")
    if whole:
        for place in rule.enforced:
            say(f"     enforced in {place}")
        for test in tests:
            say(f"     held by {test}")
    elif tests:
        say(f"     held by {len(tests)} tests")
