"""Programmes as tables: taken in whole or not at all, added up by level and owner, acted on in bulk (H1, Q5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from hotline.governance import facts as f
from hotline.governance.acts import COLUMNS as ACT_COLUMNS
from hotline.governance.acts import acts_in
from hotline.governance.candidates import candidates, growth, per_10k, period_before
from hotline.governance.log import decided
from hotline.governance.state import Programme, TaskStanding, folded
from hotline.governance.table import COLUMNS, TableInvalid, missing, programmes_in
from hotline.governance.totals import by_level, by_owner, by_unit, tasks_of
from shared.ids import UnitId
from shared.runtime.errors import UserError
from shared.text_file import rows_in
from tests.hotline.test_proactive import (
    AT,
    BEGUN,
    BY_EXCEPTION,
    COMPLETE,
    ID,
    KEEP_UP,
    LATER,
    LET,
    PLANNING,
    shares,
)

DUE = "2021-12-31"


def written(rows: Iterable[Iterable[object]], columns: tuple[str, ...] = COLUMNS) -> str:
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(columns)
    writer.writerows(rows)
    return told.getvalue()


def unit(name: str) -> UnitId:
    """As the catalogue would find it: this one knows all but those called 某单位."""
    if "某单位" in name:
        raise UserError(f"No unit '{name}'.")
    return UnitId(name.strip().replace("街道办", "street-"))


def read(text: str) -> list[object]:
    return list(programmes_in(rows_in(text, "x.csv", COLUMNS, "programmes"), "x.csv", unit))


def recorded(text: str, states: dict[str, Programme] | None = None) -> dict[str, Programme]:
    """The programmes after this table is taken in; nothing of it may be refused."""
    found = dict(states or {})
    for one in programmes_in(rows_in(text, "x.csv", COLUMNS, "programmes"), "x.csv", unit):
        state = found.get(one.programme_id)
        wishes = missing(one, state, "city-office", AT)
        if wishes:
            said, after = decided(state, wishes)
            assert said == wishes
            found[one.programme_id] = after
    return found


def monthly(tasks: int = 603, problems: int = 27, themes: int = 12) -> Iterator[list[object]]:
    sizes = iter(shares(tasks, problems))
    for month, count in enumerate(shares(problems, themes), 1):
        for problem in range(count):
            for task in range(next(sizes)):
                yield [
                    2021, month, "", f"主题{month}", f"department-{month}", f"问题{problem}", "", "", f"任务{task}", "",
                    DUE,
                ]  # fmt: skip


def lists(level: str, units: int, projects: int, tasks: int) -> Iterator[list[object]]:
    sizes = iter(shares(tasks, projects))
    for number, count in enumerate(shares(projects, units)):
        for project in range(count):
            for task in range(next(sizes)):
                yield [
                    2021, "", level, "重点民生实事", f"unit-{number}", f"项目{project}", "", "", f"任务{task}", "", DUE,
                ]  # fmt: skip


def test_the_seeds_figures_come_out_of_tables_by_level() -> None:
    """H1: 27 and 603 by month, 1,192 and 2,982 by district, 7,818 and 14,435 by street."""
    states: dict[str, Programme] = {}
    for rows in (monthly(), lists("DISTRICT", 16, 1192, 2982), lists("STREET", 343, 7818, 14435)):
        states = recorded(written(rows), states)
    found = {one.level: one for one in by_level(states.values(), date(2021, 6, 1))}
    assert list(found) == ["MONTHLY", "DISTRICT", "STREET"]
    assert {
        level: (one.programmes, one.units, one.progress.items, one.progress.tasks)
        for level, one in found.items()
    } == {
        "MONTHLY": (12, 12, 27, 603),
        "DISTRICT": (16, 16, 1192, 2982),
        "STREET": (343, 343, 7818, 14435),
    }
    streets = by_unit([one for one in states.values() if one.level is f.ListLevel.STREET], LATER)
    assert (len(streets), sum(one.progress.tasks for one in streets)) == (343, 14435)


def test_a_table_taken_in_twice_changes_nothing_and_one_that_grew_adds_what_is_new() -> None:
    rows = list(monthly(30, 6, 3))
    states = recorded(written(rows))
    for one in programmes_in(rows_in(written(rows), "x", COLUMNS, "x"), "x", unit):
        assert missing(one, states[one.programme_id], "city-office", AT) == []
    more = [
        *rows,
        [
            2021,
            1,
            "",
            "主题1",
            "department-1",
            "问题9",
            "housing",
            "market；planning",
            "新任务",
            "clerk",
            DUE,
        ],
    ]
    grown = recorded(written(more), states)
    (changed,) = [one for one in grown if grown[one] != states.get(one)]
    item = grown[changed].items[3]
    assert (item.title, item.lead, item.cooperating) == ("问题9", "housing", ("market", "planning"))
    task = grown[changed].tasks[max(grown[changed].tasks)]
    assert (task.item, task.title, task.owner, task.due) == (3, "新任务", "clerk", date(2021, 12, 31))


def test_an_item_may_have_no_task_and_blank_units_are_those_above() -> None:
    rows = [
        ["2021", "", "street", "清单", "街道办a", "停车", "", "", "", "", ""],
        ["２０２１", "", "STREET", "清单", "街道办a", "绿化", "街道办b", "", "种树", "", DUE],
    ]
    (one,) = recorded(written(rows)).values()
    assert [(item.title, item.lead) for item in one.items.values()] == [
        ("停车", "street-a"),
        ("绿化", "street-b"),
    ]
    assert one.tasks[1].owner == "street-b"
    assert one.adopted


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"year": "21"}, "row 3: year: “21”, expected a number from 2000 to 2999"),
        ({"month": "13"}, "row 3: month: “13”, expected a number from 1 to 12"),
        ({"month": ""}, "row 3: month, level: expected one of both"),
        ({"level": "STREET"}, "row 3: month, level: expected one of both"),
        ({"month": "", "level": "CITY"}, "expected one of MUNICIPAL, DISTRICT, STREET"),
        ({"programme": " "}, "row 3: programme: empty"),
        ({"item": ""}, "row 3: item: empty"),
        ({"lead": "某单位"}, "row 3: No unit '某单位'"),
        ({"lead": "housing"}, "row 3: lead: housing, and department-1 in a row before"),
        ({"with": "market,某单位二"}, "row 3: No unit '某单位二'"),
        ({"item_lead": "market"}, "row 3: item_lead, with: 问题0 has others in a row before"),
        ({"task": ""}, "row 3: task: empty, expected its name beside owner and due"),
        ({"task": "任务0"}, "row 3: task: 任务0 stands in row 2 already"),
        ({"due": "31.12.2021"}, "row 3: due: “31.12.2021”, expected a day such as 2021-12-31"),
        ({"owner": "某单位"}, "row 3: No unit '某单位'"),
    ],
)
def test_each_wrong_row_of_a_table_is_named(change: dict[str, str], why: str) -> None:
    first = dict(zip(COLUMNS, map(str, next(monthly())), strict=True))
    second = first | {"task": "另一任务"} | change
    with pytest.raises(TableInvalid) as error:
        read(written([first.values(), second.values()]))
    assert why in str(error.value)
    assert str(error.value).startswith("x.csv: nothing is recorded. ")


def test_many_wrong_rows_are_counted_and_the_first_are_named() -> None:
    rows = [[*row[:10], "soon"] for row in monthly(50, 5, 3)]
    with pytest.raises(TableInvalid) as error:
        read(written(rows))
    assert str(error.value).count("row ") == 20
    assert str(error.value).endswith("; and 30 more.")


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("due", "2022-01-31", "task 1 任务0"),
        ("owner", "clerk", "task 1 任务0"),
        ("item_lead", "market", "is led by"),
    ],
)
def test_a_table_that_contradicts_what_is_on_record_is_refused(column: str, value: str, why: str) -> None:
    row = dict(zip(COLUMNS, map(str, next(monthly())), strict=True))
    states = recorded(written([row.values()]))
    (one,) = programmes_in(rows_in(written([(row | {column: value}).values()]), "x", COLUMNS, "x"), "x", unit)
    with pytest.raises(UserError, match=why):
        missing(one, states[one.programme_id], "city-office", AT)


# --- acts on many tasks


def acts(*rows: tuple[str, ...], by: str = "supervision") -> dict[f.ProgrammeId, list[f.Wanted]]:
    def called(text: str) -> f.ProgrammeId:
        if not ID.startswith(text):
            raise UserError(f"No programme {text} is on record.")
        return ID

    return acts_in(rows_in(written(rows, ACT_COLUMNS), "x", ACT_COLUMNS, "x"), "x.csv", called, by, AT)


def test_a_table_of_acts_is_what_would_be_typed_one_by_one() -> None:
    short = ID[:8]
    found = acts(
        (short, "1", "progress", "权属已查清", ""),
        (short, "2", "", "", ""),
        (short, "1", "long-term", "每季度复查", "2021-04-01"),
        (short, "1", "review", "有序推进", "2021-07-01"),
        (short, "1", "Complete", "50户已领证", ""),
        (short, "1", "verify", "", ""),
        (short, "1", "reject", "还差3户", ""),
    )[ID]
    assert [type(wish) for wish in found] == [
        f.TaskProgressed, f.LongTermApproved, f.LongTermReviewed, f.TaskCompleted, f.TaskVerified, f.CompletionRejected,
    ]  # fmt: skip
    assert found[1] == replace(KEEP_UP, by="supervision")
    said, after = decided(folded(BEGUN), found, each=True)
    refused = [fact for fact in said if isinstance(fact, f.WishRefused)]
    assert [one.wanted for one in refused] == found[4:], (
        "nobody verifies or rejects what he completed himself"
    )
    assert after.tasks[1].standing is TaskStanding.COMPLETE


def test_one_that_is_refused_stops_no_other_where_each_stands_for_itself() -> None:
    wishes = acts((ID[:8], "9", "complete", "x", ""), (ID[:8], "1", "complete", "x", ""))[ID]
    said, after = decided(folded(BEGUN), wishes, each=True)
    assert [isinstance(fact, f.WishRefused) for fact in said] == [True, False]
    assert after.tasks[1].done
    said, after = decided(folded(BEGUN), wishes)
    assert len(said) == 1
    assert not after.tasks[1].done


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((ID[:8], "1", "done", "x", ""), "act: “done”, expected one of progress, complete"),
        ((ID[:8], "0", "verify", "", ""), "task: “0”, expected the task's number"),
        ((ID[:8], "一", "verify", "", ""), "task: “一”, expected the task's number"),
        ((ID[:8], "1", "reject", "", ""), "text: empty, expected words for reject"),
        ((ID[:8], "1", "long-term", "x", ""), "review: –, expected a day"),
        (("ffff", "1", "verify", "", ""), "No programme ffff is on record"),
    ],
)
def test_each_wrong_act_is_named(row: tuple[str, ...], why: str) -> None:
    with pytest.raises(TableInvalid) as error:
        acts((ID[:8], "1", "verify", "", ""), row)
    assert f"row 3: {why}" in str(error.value)


# --- added up


def test_overdue_tasks_are_counted_by_owner_and_those_of_closed_programmes_are_not() -> None:
    states = list(recorded(written(monthly(60, 6, 3))).values())
    done = [
        replace(COMPLETE, programme_id=states[0].programme_id, task=number, by="clerk")
        for number in range(1, 6)
    ]
    _, states[0] = decided(states[0], done)
    found = by_owner(states, LATER)
    assert [(one.owner, one.tasks, one.done, one.overdue) for one in found] == [
        ("department-2", 20, 0, 20), ("department-3", 20, 0, 20), ("department-1", 20, 5, 15),
    ]  # fmt: skip
    assert sum(one.overdue for one in by_owner(states, date(2021, 12, 31))) == 0, "the last day is in time"
    end = [replace(one, programme_id=states[1].programme_id) for one in (LET, BY_EXCEPTION)]
    _, states[1] = decided(states[1], end)
    assert [one.owner for one in by_owner(states, LATER)] == ["department-3", "department-1"]
    assert len(tasks_of(states)) == 40
    kept = folded([*BEGUN, KEEP_UP])
    assert kept is not None
    (owner,) = by_owner([kept], LATER)
    assert (owner.owner, owner.long_term, owner.overdue, owner.reviews_missed) == (PLANNING, 1, 0, 1)


# --- growth


def test_growth_is_against_the_period_before_and_nothing_before_is_no_growth() -> None:
    """T14."""
    assert growth(150, 100) == Decimal("50.00")
    assert growth(1, 3) == Decimal("-66.67")
    assert growth(0, 3) == Decimal("-100.00")
    assert growth(5, 0) is None
    assert per_10k(448, 21_893_095) == Decimal("0.20")
    assert per_10k(3, None) is None
    assert per_10k(3, 0) is None


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        (date(2021, 3, 1), date(2021, 3, 31), (date(2021, 2, 1), date(2021, 3, 1))),
        (date(2021, 1, 1), date(2021, 12, 31), (date(2020, 1, 1), date(2021, 1, 1))),
        (date(2021, 2, 1), date(2021, 4, 30), (date(2020, 11, 1), date(2021, 2, 1))),
        (date(2021, 3, 8), date(2021, 3, 14), (date(2021, 3, 1), date(2021, 3, 8))),
        (date(2021, 3, 1), date(2021, 3, 1), (date(2021, 2, 28), date(2021, 3, 1))),
        (date.min, date(2021, 3, 1), (date.min, date.min)),
    ],
)
def test_the_period_before_is_as_long_and_whole_months_are_whole_months(
    first: date, last: date, before: tuple[date, date]
) -> None:
    assert period_before(first, last) == before


def test_candidates_say_their_growth_and_their_rate_by_district() -> None:
    counts = {("停车", "大兴区"): 30, ("停车", "海淀区"): 20, ("噪声", "海淀区"): 4}
    before = {("停车", "大兴区"): 10, ("停车 ", "海淀区"): 30, ("供暖", "海淀区"): 9}
    residents = {"大兴区": 20_000, "海淀区": 30_000}
    parking, noise = candidates(counts, [], before=before, residents=residents)
    assert (parking.complaints, parking.before, parking.growth, parking.per_10k) == (50, 40, 25, 10)
    assert parking.districts_before == {"海淀区": 30, "大兴区": 10}
    assert parking.districts_per_10k == {"大兴区": 15, "海淀区": Decimal("6.67")}
    assert (noise.before, noise.growth, noise.per_10k) == (0, None, Decimal("0.80"))
    (alone,) = candidates({("停车", "某区"): 3}, [])
    assert (alone.per_10k, alone.districts_per_10k, alone.growth) == (None, {}, None)
