"""Programmes in bulk on a real PostgreSQL: 603 and 14,435 tasks from a table, acts, totals, what lies behind."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City
from deploy.embedded.stack import Addresses
from hotline.audit.verify import verify
from hotline.governance.acts import COLUMNS as ACT_COLUMNS
from hotline.governance.log import programmes
from hotline.readside.process import take_in
from shared.policy.catalogue import EXAMPLE
from shared.runtime.errors import UserError
from tests import examples as eg
from tests.hotline.conftest import Desks
from tests.hotline.test_governance_tables import lists, monthly, written
from tests.hotline.test_programme import HELPER, LEAD, ZONE, typed
from tests.hotline.test_verify import several_lives

pytestmark = pytest.mark.connected


@pytest.fixture
def big_city(
    stack: Addresses, database: str, logins: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A city whose catalogue has 12 departments, and as many units as there are streets and towns."""
    units = {f"department-{n}": f"部门{n}" for n in range(1, 13)} | {
        f"unit-{n}": f"街道{n}" for n in range(343)
    }
    told = {
        "version": "big-1",
        "centre": "department-1",
        "supervision": "department-2",
        "units": {one: {"name": name, "level": "UNIT"} for one, name in units.items()},
        "districts": {"海淀区": {"unit": "department-3", "streets": {}}},
        "subjects": {},
    }
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    endpoints = CityEndpoints(
        name=urlsplit(database).path[1:], kafka=stack.kafka, owner_dsn=database, logins=logins
    )
    monkeypatch.setattr(
        "deploy.city.registry.city_up", lambda: City(endpoints=endpoints, catalogue=str(path))
    )


def saved(path: Path, rows: Iterable[Iterable[object]]) -> str:
    path.write_text(written(rows), encoding="utf-8-sig")
    return str(path)


async def test_14_435_tasks_are_taken_in_added_up_and_carried_on_in_bulk(
    database: str, big_city: None, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    """H1."""
    for name, rows in (
        ("monthly", monthly()),
        ("districts", lists("DISTRICT", 16, 1192, 2982)),
        ("streets", lists("STREET", 343, 7818, 14435)),
    ):
        file = saved(tmp_path / f"{name}.csv", rows)
        began = time.monotonic()
        taken = await typed("import", file, "--as", "市政务局")
        assert taken.exit_code == 0, taken.output
        measured(
            f"hotline programme import of {name}: {time.monotonic() - began:.1f} s. {taken.stdout.strip()}"
        )
    began = time.monotonic()
    assert "so already" in (await typed("import", file, "--as", "市政务局")).output
    measured(f"the same once more: {time.monotonic() - began:.1f} s")

    totals = json.loads((await typed("totals", "--year", "2021", "--json")).stdout)
    assert [(one["level"], one["led_by"], one["items"], one["tasks"]) for one in totals] == [
        ("MONTHLY", 12, 27, 603),
        ("DISTRICT", 16, 1192, 2982),
        ("STREET", 343, 7818, 14435),
    ]
    assert (
        "STREET     343 of 343 units: items 0/7,818 (0.00 %), tasks 0/14,435"
        in (await typed("totals")).output
    )
    of_streets = json.loads((await typed("totals", "--level", "STREET", "--units", "--json")).stdout)
    assert len(of_streets[0]["units"]) == 343

    # Every task is overdue but those of one street, which says what it did; two of them another one verifies.
    table = (await typed("tasks", "--owner", "unit-7", "--csv")).stdout
    given = [row for row in csv.DictReader(io.StringIO(table)) if row["title"].startswith("任务")]
    acts = tmp_path / "acts.csv"
    own = len(given)
    done = [(row["programme"], row["task"], "complete", "已完成", "") for row in given]
    acts.write_text(written(done, ACT_COLUMNS), encoding="utf-8")
    assert f"{own:,} facts recorded" in (await typed("update", str(acts), "--as", "街道7")).output
    acts.write_text(written([(*row[:2], "verify", "", "") for row in done], ACT_COLUMNS), encoding="utf-8")
    refused = await typed("update", str(acts), "--as", "街道7")
    assert refused.exit_code == 1
    assert f"{own:,} of {own:,} were refused" in refused.output
    assert f"{own:,} facts recorded" in (await typed("update", str(acts), "--as", "督查室")).output
    late = json.loads((await typed("overdue", "--json", "--limit", "1000")).stdout)
    assert "unit-7" not in {one["owner"] for one in late}
    assert sum(one["overdue"] for one in late) == 603 + 2982 + 14435 - own
    listed = json.loads((await typed("tasks", "--owner", "部门1", "--overdue", "--json")).stdout)
    (mine,) = [one for one in late if one["owner"] == "department-1"]
    assert len(listed) == mine["overdue"] > 0

    began = time.monotonic()
    report = await verify(database)
    measured(
        f"verified with {report.programme_facts:,} facts of programmes: {time.monotonic() - began:.1f} s"
    )
    assert (report.programmes, report.problems) == (371, [])
    async with programmes(database) as log:
        (told,) = await log._connection.fetch(
            "SELECT count(notices) AS facts, count(DISTINCT n ->> 'unit') AS units FROM es.programme_fact"
            " LEFT JOIN LATERAL json_array_elements(notices::json) n ON true"
        )
    assert (told["facts"], told["units"]) == (603 + 2982 + 14435 + own, 355), "each owner is to hear of each"


async def test_a_table_with_one_wrong_row_leaves_nothing_behind(
    database: str, big_city: None, tmp_path: Path
) -> None:
    rows = [
        *monthly(30, 6, 3),
        [2021, 1, "", "主题1", "department-1", "问题0", "", "", "新任务", "某公司", "2021-12-31"],
    ]
    assert "row 32: No unit “某公司” in catalogue big-1" in await wrong(tmp_path, rows)
    rows[-1][9] = "department-1"
    rows[-1][8] = "联系13800138000"
    assert "--with-number records it here" in await wrong(tmp_path, rows)
    for raw, what in ((b"a,b\n1,2\n", "has no column year"), (b"\xff\xfe", "UTF-16"), (b"", "is empty")):
        (tmp_path / "x.csv").write_bytes(raw)
        found = await typed("import", str(tmp_path / "x.csv"), "--as", "市政务局")
        assert (found.exit_code, what in found.output) == (2, True), found.output
    async with programmes(database) as log:
        assert await log.all() == []
    rows[-1][8] = "新任务"
    assert (await typed("import", saved(tmp_path / "x.csv", rows), "--as", "市政务局")).exit_code == 0
    rows[-1][10] = "2022-01-01"
    assert "nothing is recorded. On record is 主题1: task 6 新任务" in await wrong(tmp_path, rows)


async def wrong(folder: Path, rows: Iterable[Iterable[object]]) -> str:
    """Why these rows are not taken in."""
    found = await typed("import", saved(folder / "x.csv", rows), "--as", "市政务局")
    assert isinstance(found.exception, UserError)
    assert getattr(found.exception, "exit_code", 1) == 2, "it was typed wrongly"
    return str(found.exception)


@pytest.mark.parametrize(
    "words",
    [
        ("propose", "2021-01", "x", "--lead", "某公司", "--as", "b"),
        ("draw-up", "2021", "STREET", "某公司", "x", "--as", "b"),
        ("item", "ID", "x", "--lead", "某公司", "--as", "b"),
        ("item", "ID", "x", "--lead", LEAD, "--with", f"{HELPER},某公司", "--as", "b"),
        ("lead", "ID", "1", "某公司", "--reason", "x", "--as", "b"),
        ("task", "ID", "1", "x", "--owner", "某公司", "--due", "2199-12-31", "--as", "b"),
    ],
)
async def test_a_unit_that_no_catalogue_has_leads_and_owns_nothing(
    database: str, city_here: None, words: tuple[str, ...]
) -> None:
    made = await typed("propose", "2021-01", "主题", "--lead", LEAD, "--as", "市政务局", "--json")
    one = json.loads(made.stdout)[0]["programme_id"]
    assert (await typed("adopt", one, "--as", "市政务局")).exit_code == 0
    assert (await typed("item", one, "问题", "--lead", LEAD, "--as", "市政务局")).exit_code == 0
    async with programmes(database) as log:
        before = await log.facts(one)
        found = await typed(*(one if word == "ID" else word for word in words))
        assert found.exit_code == 1
        assert isinstance(found.exception, UserError)
        assert f"No unit “某公司” in catalogue {EXAMPLE}" in str(found.exception)
        assert await log.facts(one) == before


async def test_the_complaints_behind_a_cluster_are_those_that_candidates_count(
    desks: Desks, city_here: None
) -> None:
    await several_lives(desks)
    await take_in(desks.dsn)
    day = eg.CALLED_AT.astimezone(ZONE).date().isoformat()
    period = ("--since", day, "--until", day)
    (found,) = json.loads((await typed("candidates", *period, "--json")).stdout)
    assert (found["before"], found["growth"]) == (0, None)
    (district,) = found["districts"]
    made = await typed(
        "propose", "2021-01", "主题", "--lead", LEAD, "--out-of", found["subject"],
        "--out-of", f"{found['subject']}@{district}", "--as-is", "--as", "市政务局", "--json",
    )  # fmt: skip
    one = json.loads(made.stdout)[0]["programme_id"]
    for cluster in ("1", "2"):
        listed = json.loads((await typed("complaints", one, "--cluster", cluster, *period, "--json")).stdout)
        assert len(listed) == found["complaints"] > 1
        assert {row["subject"] for row in listed} == {found["subject"]}
    (first,) = json.loads((await typed("complaints", one, *period, "--limit", "1", "--json")).stdout)
    page = await typed("complaints", one, *period, "--limit", "1")
    place = page.output.partition("--after ")[2].split()[0]
    (second,) = json.loads(
        (await typed("complaints", one, *period, "--limit", "1", "--after", place, "--json")).stdout
    )
    assert first["complaint_id"] != second["complaint_id"]
    assert (await typed("complaints", one, "--since", "1999-01-01", "--until", "1999-12-31")).exit_code == 0
    wrong = await typed("complaints", one, "--cluster", "3", *period)
    assert "has no cluster 3: expected one of 1 to 2" in str(wrong.exception)
