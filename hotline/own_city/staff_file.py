"""The people who will sign in, as a CSV file: name, role, and the unit of those who work for one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final, NamedTuple

from hotline.web.roles import SIGNING_IN
from shared import roles
from shared.policy.catalogue import Catalogue
from shared.text import folded, folded_code, has_words, shown
from shared.text_file import FileUnreadable, rows_in

COLUMNS: Final = ("name", "role", "unit")


class StaffRow(NamedTuple):
    """One person of the file."""

    line: int
    name: str
    role: str
    unit: str
    """The unit's id or name as it is written; empty where the role has none."""


class StaffFlaw(NamedTuple):
    """One thing that is wrong with a line."""

    line: int
    why: str


def staff_in(text: str) -> list[StaffRow]:
    """The rows of the file; `FileUnreadable` where its head or a row has not the columns."""
    header = next(csv.reader(io.StringIO(text)), [])
    if strange := [one for one in header if one not in COLUMNS]:
        raise FileUnreadable(f"line 1 has the column {shown(strange[0])}: expected {', '.join(COLUMNS)}")
    found: list[StaffRow] = []
    rows = csv.reader(io.StringIO(text))
    next(rows)
    for row in rows_in(text, "it", COLUMNS, "people: name,role,unit"):
        while not next(rows, ["end"]):  # a row that is empty is none, and yet a line
            continue
        found.append(StaffRow(rows.line_num, *(row[column].strip() for column in COLUMNS)))
    return found


def flaws_of_staff(rows: list[StaffRow], known: Catalogue | None) -> Iterator[StaffFlaw]:
    """All that cannot be in the rows; units are looked for where the catalogue is `known`."""
    lines: dict[tuple[str, str, str], int] = {}
    for one in rows:
        role = folded_code(one.role)
        if not has_words(one.name):
            yield StaffFlaw(one.line, "name: expected words that can be read")
        if role not in SIGNING_IN:
            yield StaffFlaw(one.line, f"role '{shown(one.role)}': expected one of {', '.join(SIGNING_IN)}")
        elif (role == roles.UNIT) != bool(one.unit):
            yield StaffFlaw(one.line, "unit: expected one with the role unit, and with no other role")
        elif one.unit and known is not None and len(units_called(one.unit, known)) != 1:
            many = "stands for several units" if units_called(one.unit, known) else "is not in the catalogue"
            yield StaffFlaw(one.line, f"unit '{shown(one.unit)}' {many}: expected a unit's id or name")
        who = (folded(one.name), role, folded(one.unit))
        if who in lines:
            yield StaffFlaw(one.line, f"'{shown(one.name)}' stands in line {lines[who]} already")
        lines.setdefault(who, one.line)


def units_called(written: str, known: Catalogue) -> list[str]:
    """The units whose id or name it is."""
    return [
        unit for unit, told in known.units.items() if folded(written) in {folded(unit), folded(told.name)}
    ]
