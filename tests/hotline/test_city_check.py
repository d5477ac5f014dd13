"""`hotline city check`: each thing that is wrong is told with its file, its line and what was expected; all at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from hotline.own_city import layout
from hotline.own_city.check import checked
from hotline.own_city.example import example, write
from shared.policy.entry_lines import json_lines, line_of, toml_lines
from tests.forked import PROJECT, run

OUTLINES: Final = "map.geojson"
ELSEWHERE: Final = {
    "'noise' is the code of": 2,  # on the second of both
    "both as off and as work": 1,
    "do not add up": -1,  # on their table
    "a longitude and": -5,  # on the district
    "'Point'": -1,
    "15D.feedback: is missing": -3,
}
"""Lines between what was spoilt and what is told."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example."""
    write(tmp_path / "town", "town")
    return tmp_path / "town"


def _findings(folder: Path) -> list[tuple[str, int | None, str]]:
    return [tuple(one) for one in checked(folder).findings]


def _put(folder: Path, file: str, good: str, bad: str) -> int:
    """Spoil a file; the line it is spoilt on."""
    text = (folder / file).read_text(encoding="utf-8")
    assert good in text
    (folder / file).write_text(text.replace(good, bad, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(good)) + 1


def test_the_example_holds(folder: Path) -> None:
    found = checked(folder)
    assert found.findings == []
    assert set(found.texts) == set(example("town"))
    assert (found.calendar, len(found.staff)) == ("town-1", 6)


@pytest.mark.parametrize(
    ("file", "good", "bad", "said"),
    [
        (layout.CATALOGUE, '"to": "street", "code": "noise"', '"to": "strete", "code": "noise"', "'strete'"),
        (
            layout.CATALOGUE,
            '"level": "DISTRICT"',
            '"rank": "DISTRICT"',
            "units.district-donghe.level: is missing",
        ),
        (layout.CATALOGUE, '"unit": "gas-company"', '"unit": "gas"', "unit 'gas' is not among `units`"),
        (layout.CATALOGUE, '"code": "heating"', '"code": "noise"', "'noise' is the code of"),
        (layout.CATALOGUE, '"code": "heating"', '"code": "warm rooms"', "expected ^[A-Za-z0-9]"),
        (
            layout.CATALOGUE,
            '"district-xihe": {',
            '"district-donghe": {',
            "stands here a second time, expected once",
        ),
        (layout.CATALOGUE, '"西河区": {', '"东河区": {', "stands here a second time, expected once"),
        (layout.CATALOGUE, '"to": "district"', '"to": "unit"', "a unit is named exactly when `to` is 'unit'"),
        (layout.CATALOGUE, '"version": "town-1"', '"version": "town 1"', "expected letters, digits"),
        (layout.CATALOGUE, '"centre":', '"centre"', "Expecting ':' delimiter"),
        (layout.CALENDAR, '"2026-06-19/2026-06-21"', '"2026-06-31"', "'2026-06-31' is no day"),
        (layout.CALENDAR, '"2026-06-19/2026-06-21"', '"2026-06-21/2026-06-19"', "ends before it begins"),
        (
            layout.CALENDAR,
            '"2026-06-19/2026-06-21"',
            '"2062-06-19"',
            "is no day that a notice for 2026 lists",
        ),
        (layout.CALENDAR, '"2026-06-19/2026-06-21"', '"2026-01-04"', "listed both as off and as work"),
        (layout.CALENDAR, '"2025-11-04"', '"soon"', "years.2026.notices.0: Invalid"),
        (layout.CALENDAR, '"2026": {', '"this year": {', "years.this year: Expected `int`"),
        (layout.CALENDAR, '"version": "town-1"', '"version": "cn-1"', "'cn-1' ships with the project"),
        (layout.RULESET, "returns_max = 2", "returns_max = -2", "returns_max: Expected `int` >= 0"),
        (
            layout.RULESET,
            'feedback = "24h"',
            'feedback = "-24h"',
            "feedback: '-24h', expected a limit such as",
        ),
        (layout.RULESET, 'feedback = "15d"', "", "classes.COMPLEX_15D.feedback: is missing"),
        (layout.RULESET, "rounds_max = 3", "rounds = 3", "rounds: expected one of version, timezone"),
        (layout.RULESET, '"Asia/Shanghai"', '"Asia/Peking"', "no zone named 'Asia/Peking'"),
        (layout.RULESET, 'id = "D4"', 'id = "D99"', "rule 'D99' is none: `hotline rules` lists them"),
        (layout.RULESET, 'response = "0.30"', 'response = "0.40"', "do not add up to 1"),
        (layout.RULESET, '"公共服务/供水"', '"供水"', "subject '供水' is not in the catalogue"),
        (layout.RULESET, "[telephone]", "[telephone", "expected a rule set as TOML"),
        (layout.RULESET, "[telephone]", "[telephones]", "telephones: expected one of"),
        (layout.INHABITANTS, "people = 95000", "people = -1", "Expected `int` >= 0"),
        (layout.INHABITANTS, '"西河区"', '"南河区"', "district '南河区' is not in the catalogue"),
        (
            layout.INHABITANTS,
            '"street-xihe-ximen"',
            '"street-xihe"',
            "unit 'street-xihe' is not in the catalogue",
        ),
        (layout.MAP, '"东河区" = [116', '"南河区" = [116', "'南河区' has no outline in map.geojson"),
        (layout.MAP, '"map.geojson"', '"../map.geojson"', "expected the name of a file beside this one"),
        (
            OUTLINES,
            "[116.10, 40.00], [116.20",
            "[1160, 40.00], [116.20",
            "expected a longitude and a latitude",
        ),
        (OUTLINES, '"Polygon"', '"Point"', "Invalid value 'Point'"),
        (layout.STAFF, "agents", "angels", "role 'angels': expected one of agents"),
        (layout.STAFF, "street-donghe-hekou", "street-nowhere", "is not in the catalogue"),
        (layout.STAFF, "李静,agents,", "李静,agents,自来水公司", "expected one with the role unit"),
        (layout.STAFF, "孙伟,supervision,", "李静,agents,", "stands in line 2 already"),
        (layout.STAFF, "name,role,unit", "name,role,department", "line 1 has the column department"),
        (layout.STAFF, "赵强,unit,自来水公司", "赵强,unit", "has no unit"),
    ],
)
def test_what_is_wrong_is_told_on_its_line(folder: Path, file: str, good: str, bad: str, said: str) -> None:
    line = _put(folder, file, good, bad)
    found = _findings(folder)
    assert any(one == file and why.count(said) for one, _, why in found), found
    told = next(number for one, number, why in found if one == file and said in why) or 0
    assert told == next((line + off for part, off in ELSEWHERE.items() if part in said), line)


def test_a_map_without_a_district_is_told(folder: Path) -> None:
    _put(folder, OUTLINES, '"西河区"', '"北河区"')
    assert {(file, line is None, why) for file, line, why in _findings(folder)} == {
        (OUTLINES, True, "district '西河区' of the catalogue has no outline"),
        (OUTLINES, False, "features.1: district '北河区' is not in the catalogue"),
    }


def test_all_is_told_at_once(folder: Path) -> None:
    wrong = [
        (layout.CATALOGUE, '"code": "noise"', '"code": 7'),
        (layout.CATALOGUE, '"level": "DISTRICT"', '"level": "KING"'),
        (layout.CALENDAR, '"2026-06-19/2026-06-21"', '"2026-06-31"'),
        (layout.RULESET, "returns_max = 2", "returns_max = -2"),
        (layout.RULESET, 'ladder_step = "8h"', 'ladder_step = "8d"'),
        (layout.STAFF, "agents", "angels"),
    ]
    lines = {(file, _put(folder, file, good, bad)) for file, good, bad in wrong}
    (folder / layout.INHABITANTS).unlink()
    found = _findings(folder)
    assert {(file, line) for file, line, _ in found} == {*lines, (layout.INHABITANTS, None)}
    assert next(file for file, _, _ in found) == layout.CATALOGUE


@pytest.mark.parametrize("file", sorted(example("town")))
def test_a_file_in_the_encoding_of_windows_in_china_says_so(folder: Path, file: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    said = f"# 供水\n{text}" if file == layout.RULESET else text
    (folder / file).write_bytes(said.encode("gb18030"))
    ((told, line, why),) = [one for one in _findings(folder) if one[0] == file]
    assert (told, line) == (file, None)
    assert re.fullmatch("it is saved as GBK .GB 18030.: expected .*, saved as UTF-8", why)


@pytest.mark.parametrize("file", sorted(example("town")))
def test_a_mark_at_the_beginning_and_lines_of_windows_are_no_fault(folder: Path, file: str) -> None:
    """As Excel and Notepad save."""
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    found = checked(folder)
    assert found.findings == []
    assert found.texts[file] == text


def test_a_byte_that_is_no_text_has_its_line(folder: Path) -> None:
    raw = (folder / layout.STAFF).read_bytes()
    (folder / layout.STAFF).write_bytes(raw.replace("孙".encode(), b"\xff\xff\xff"))
    ((file, line, why),) = _findings(folder)
    assert (file, line) == (layout.STAFF, 7)
    assert "is no UTF-8" in why


def test_lines_of_entries_are_found_however_the_file_is_laid_out() -> None:
    lines = json_lines('{"a": {"b": [1,\n {"c": "\\n]}"}]},\n\n "d": true}')
    assert lines == {
        ("a",): 1,
        ("a", "b"): 1,
        ("a", "b", 0): 1,
        ("a", "b", 1): 2,
        ("a", "b", 1, "c"): 2,
        ("d",): 4,
    }
    assert line_of(("a", "b", 1, "c", "x"), lines) == 2
    assert line_of(("z",), lines) is None
    lines = toml_lines(
        'a.b = 1\nlist = [\n  "x = 1",\n]\n["t.u"]\n"k = l" = 2 # c\n[[m]]\n[m.n]\nx = 1\n[[m]]\ny = 1\n'
    )
    assert lines == {
        ("a", "b"): 1,
        ("list",): 2,
        ("t.u",): 5,
        ("t.u", "k = l"): 6,
        ("m", 0): 7,
        ("m", 0, "n"): 8,
        ("m", 0, "n", "x"): 9,
        ("m", 1): 10,
        ("m", 1, "y"): 11,
    }


def test_what_no_line_says_has_none(folder: Path) -> None:
    _put(folder, layout.RULESET, "rounds_max = 3\n", "")
    assert _findings(folder) == [(layout.RULESET, None, "rounds_max: is missing")]


def _typed(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return run(words, env={**kept, "PYTHONPATH": str(PROJECT)}, folder=folder)


@pytest.mark.programs
def test_the_command_ends_with_1_and_says_where(tmp_path: Path) -> None:
    assert _typed("city", "new", "town", folder=tmp_path).returncode == 0
    held = _typed("city", "check", "town", folder=tmp_path)
    assert (held.returncode, held.stderr) == (0, "")
    assert "town holds: 7 files, 11 units, 2 districts, 3 streets and towns" in held.stdout
    line = _put(tmp_path / "town", layout.STAFF, "agents", "angels")
    told = _typed("city", "check", "town", folder=tmp_path)
    assert told.returncode == 1
    assert told.stdout.startswith(f"town/staff.csv:{line}: role 'angels'")
    told = _typed("city", "check", "town", "--json", folder=tmp_path)
    assert json.loads(told.stdout)["findings"][0]["line"] == line
    assert _typed("city", "check", "none", folder=tmp_path).returncode == 2
    told = _typed("city", "new", "town", folder=tmp_path)
    assert (told.returncode, "is not empty" in told.stderr) == (1, True)
