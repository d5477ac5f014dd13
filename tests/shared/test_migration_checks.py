"""A list of values that a column may have only grows: a migration that makes it anew leaves none of them out."""

from __future__ import annotations

import re
from typing import Final

from tests.migration_table import PAGE

_LIST: Final = re.compile(r"ADD CONSTRAINT (\w+)\s+CHECK \(\w+ IN\s*\(([^)]*)\)")
_VALUE: Final = re.compile(r"'([^']*)'")


def shrunk(texts: list[tuple[str, str]]) -> list[str]:
    """The values that a later file leaves out of a constraint of an earlier one."""
    known: dict[str, set[str]] = {}
    found = []
    for name, text in texts:
        for constraint, inside in _LIST.findall(text):
            values = set(_VALUE.findall(inside))
            found += [
                f"{name}: {constraint} has no {one}" for one in sorted(known.get(constraint, set()) - values)
            ]
            known[constraint] = values
    return found


def test_a_value_that_is_left_out_is_found() -> None:
    first = "ALTER TABLE x ADD CONSTRAINT x_y_check\n    CHECK (y IN ('A', 'B'));"
    second = "ALTER TABLE x ADD CONSTRAINT x_y_check CHECK (y IN\n ('B', 'C'));"
    assert shrunk([("1", first), ("2", second)]) == ["2: x_y_check has no A"]


def test_no_migration_leaves_a_value_out() -> None:
    files = sorted(PAGE.parent.glob("*.sql"))
    assert len(files) > 60
    assert shrunk([(one.name, one.read_text(encoding="utf-8")) for one in files]) == []
