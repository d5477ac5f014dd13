"""Boston's file: how it is read, what is left out and why, and what its people do. All rows here are made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.lab.simulation.boston import ASKED_AFTER, Boston, Case, File, catalogue_of, flags, instant, read
from hotline.lab.simulation.planned_input import OutwardMessage
from shared.events import (
    ComplaintDispatched,
    Level,
    RequestType,
    Urgency,
    VisitReason,
    VisitScheduled,
)
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.inputs import AnswerOrder, RecordRequest, RecordVisit
from shared.runtime.errors import UserError
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, FEEDBACK_VISITS
from shared.wording import looked_at
from tests.boston import Row, row, season, written


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def file_of(folder: Path, *rows: Row, most: int | None = None) -> File:
    return read(written(folder / "requests.csv", rows), most=most)


def complaint(case_id: str) -> ComplaintId:
    return complaint_id(f"boston-{case_id}")


# -- New York's time


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2011-07-01 01:32:33", "2011-07-01 05:32:33"),  # summer: four hours behind
        ("2011-12-01 01:32:33", "2011-12-01 06:32:33"),  # winter: five
        ("2011-11-06 00:59:59", "2011-11-06 04:59:59"),
        ("2011-11-06 01:30:00", "2011-11-06 05:30:00"),  # shown twice: the first is meant
        ("2011-11-06 02:00:00", "2011-11-06 07:00:00"),
        ("2012-03-11 01:59:59", "2012-03-11 06:59:59"),
        ("2012-03-11 02:30:00", "2012-03-11 07:00:00"),  # never shown: the jump itself
        ("2012-03-11 03:00:00", "2012-03-11 07:00:00"),
    ],
)
def test_a_time_of_the_file_is_new_yorks_wall_clock(told: str, meant: str) -> None:
    assert instant(told) == utc(meant)


@pytest.mark.parametrize("night", ["2011-11-06", "2012-03-11"])
def test_the_order_the_file_has_is_kept_when_the_clock_changes(night: str) -> None:
    walked = [datetime.fromisoformat(night) + n * timedelta(minutes=1) for n in range(300)]
    instants = [instant(f"{at}") for at in walked]
    assert instants == sorted(instants)


# -- reading


def test_a_row_becomes_a_case_without_its_flag(tmp_path: Path) -> None:
    found = file_of(
        tmp_path, row("7", "2011-07-01 01:00:00", "2011-07-15 01:00:00", "2011-07-22 16:13:45", "OVERDUE")
    )
    assert found.rows == 1
    assert found.cases == [
        Case(
            case_id="7",
            open_at=utc("2011-07-01 05:00:00"),
            target_at=utc("2011-07-15 05:00:00"),
            closed_at=utc("2011-07-22 20:13:45"),
            type="Street Light Outages",
            title="Street Light Outages",
            department="PWDx",
            neighborhood="Roslindale",
            channel="Self Service",
        )
    ]
    assert found.ids == {complaint("7")}


def test_what_a_row_leaves_empty_gets_a_name(tmp_path: Path) -> None:
    bare = row(
        "7", "2011-07-01 01:00:00", "2011-07-15 01:00:00", "", "OVERDUE",
        type="", case_title="", neighborhood="", source="",
    )  # fmt: skip
    (case,) = file_of(tmp_path, bare).cases
    assert (case.type, case.title, case.neighborhood, case.channel) == (
        "unnamed",
        "unnamed",
        "Boston",
        "unknown",
    )
    assert case.closed_at is None


def test_a_neighborhood_of_a_blank_is_none_and_a_name_with_two_blanks_has_one(tmp_path: Path) -> None:
    """The real file has 2,575 of the first and three types of the second kind."""
    times = ("2011-07-01 01:00:00", "2011-07-15 01:00:00", "", "OVERDUE")
    (case,) = file_of(
        tmp_path, row("7", *times, neighborhood=" ", type="Heat - Excessive  Insufficient", case_title=" ")
    ).cases
    assert (case.neighborhood, case.type) == ("Boston", "Heat - Excessive Insufficient")
    assert case.title == "unnamed"
    (planned_input,) = Boston([case]).first_inputs(case.open_at)
    assert looked_at(planned_input.data) == (planned_input.data, {})
    assert "Boston" in catalogue_of([case]).districts


def test_rows_are_left_out_each_with_its_reason(tmp_path: Path) -> None:
    times = ("2011-07-01 01:00:00", "2011-07-15 01:00:00", "2011-07-02 01:00:00")
    found = file_of(
        tmp_path,
        row("1", *times, "ONTIME"),
        row("2", times[0], "", times[2], "ONTIME"),
        row("3", *times, ""),
        row("1", *times, "OVERDUE"),
        row("4", "yesterday", times[1], times[2], "ONTIME"),
        row("5", times[0], times[1], "2011-02-30 00:00:00", "ONTIME"),
        row("6", "", times[1], times[2], "ONTIME"),
        row("8", *times, "ONTIME"),
        row("9", *times, "ONTIME"),
        most=2,
    )
    assert found.rows == 9
    assert [case.case_id for case in found.cases] == ["1", "8"]
    assert found.skipped == {
        "no target": 1,
        "no flag": 1,
        "case id seen before": 1,
        "unreadable time": 3,
        "beyond --most": 1,
    }
    assert found.rows == len(found.cases) + found.skipped.total()


def test_the_compressed_file_is_the_same_file(tmp_path: Path) -> None:
    rows = season(20)
    plain, packed = written(tmp_path / "a.csv", rows), written(tmp_path / "a.csv.zst", rows)
    assert packed.read_bytes() != plain.read_bytes()
    assert read(packed) == read(plain)
    assert len(read(packed).cases) == 20


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; name the file"):
        read(tmp_path / "nothing.csv")
    broken = tmp_path / "broken.csv.zst"
    broken.write_bytes(b"not compressed at all")
    with pytest.raises(UserError, match="is not a zstd file"):
        read(broken)
    other = tmp_path / "other.csv"
    other.write_text("case_enquiry_id,open_dt\n1,2011-07-01 01:00:00\n")
    with pytest.raises(UserError, match="has no column target_dt, closed_dt, ontime, type, department"):
        read(other)


def test_the_citys_own_flag_is_read_only_to_compare(tmp_path: Path) -> None:
    times = ("2011-07-01 01:00:00", "2011-07-15 01:00:00", "2011-07-02 01:00:00")
    file = written(
        tmp_path / "requests.csv",
        [row("1", *times, "ONTIME"), row("2", *times, "OVERDUE"), row("3", *times, "")],
    )
    assert flags(file) == {complaint("1"): False, complaint("2"): True}


# -- its units and its people


def test_a_type_belongs_to_the_department_that_had_most_of_its_cases(tmp_path: Path) -> None:
    times = ("2011-07-01 01:00:00", "2011-07-15 01:00:00", "", "OVERDUE")
    found = file_of(
        tmp_path,
        row("1", *times, type="Pothole", department="PWDx"),
        row("2", *times, type="Pothole", department="BTDT"),
        row("3", *times, type="Pothole", department="BTDT"),
        row("4", *times, type="Graffiti", department="PROP"),
        row("5", *times, type="Graffiti", department="GRAF"),
    )
    known = catalogue_of(found.cases)
    assert known.subjects["Pothole"].unit == "dept-btdt"
    assert known.subjects["Graffiti"].unit == "dept-graf"  # as many: the first by name, whatever the order
    assert {known.level_of(UnitId(f"dept-{name}")) for name in ("pwdx", "btdt", "prop", "graf")} == {
        Level.UNIT
    }
    assert set(known.districts) == {"Roslindale"}


def lived(closed_dt: str) -> tuple[Boston, RecordRequest]:
    target = "2011-07-15 01:00:00"
    opened, closed = instant("2011-07-01 01:00:00"), instant(closed_dt) if closed_dt else None
    case = Case("7", opened, instant(target), closed, "Pothole", "Pothole", "PWDx", "Roslindale", "Phone")
    people = Boston([case])
    assert people.next_at() == opened
    assert list(people.first_inputs(opened - timedelta(seconds=1))) == []
    (planned_input,) = people.first_inputs(opened)
    assert people.next_at() is None
    assert list(people.first_inputs(opened + timedelta(days=999))) == []
    assert (planned_input.at, planned_input.complaint) == (opened, complaint("7"))
    assert isinstance(planned_input.data, RecordRequest)
    return people, planned_input.data


def dispatched(at: str) -> OutwardMessage:
    fact = ComplaintDispatched(
        complaint_id=complaint("7"),
        unit=UnitId("dept-pwdx"),
        level=Level.UNIT,
        rule="Pothole",
        assignment=1,
        round=1,
        request_type=RequestType.HELP,
        subject="Pothole",
        urgency=Urgency.GENERAL_7D,
        district="Roslindale",
        address="Roslindale",
        title="Pothole",
        content="",
        dispatched_at=instant(at),
        citizen_due_at=instant("2011-07-15 01:00:00"),
        unit_due_at=instant("2011-07-15 01:00:00"),
    )
    return OutwardMessage(DISPATCH_ORDERS, fact.unit, fact)


def to_visit(at: str) -> OutwardMessage:
    fact = VisitScheduled(
        complaint_id=complaint("7"),
        visit=1,
        attempt=1,
        round=1,
        reason=VisitReason.ANSWERED,
        unit=UnitId("dept-pwdx"),
        title="Pothole",
        visit_at=instant(at),
        scheduled_at=instant(at),
    )
    return OutwardMessage(FEEDBACK_VISITS, None, fact)


def test_a_case_comes_in_when_it_was_opened_with_the_limit_the_city_gave() -> None:
    _, request = lived("2011-07-22 16:13:45")
    assert request.given_due_at == instant("2011-07-15 01:00:00")
    assert (request.subject, request.district, request.recorded_by) == ("Pothole", "Roslindale", "311")


@pytest.mark.parametrize(
    ("sent_at", "answered_at"),
    [
        ("2011-07-01 01:00:00", "2011-07-22 16:13:45"),  # when the city closed it
        ("2011-07-23 00:00:00", "2011-07-23 00:00:00"),  # and never before the order is there
    ],
)
def test_its_unit_answers_when_the_city_closed_it(sent_at: str, answered_at: str) -> None:
    people, _ = lived("2011-07-22 16:13:45")
    (planned_input,) = people.react(dispatched(sent_at)).planned_inputs
    assert (planned_input.at, planned_input.line, planned_input.unit) == (
        instant(answered_at),
        DISPATCH_REPLIES,
        "dept-pwdx",
    )
    assert isinstance(planned_input.data, AnswerOrder)


@pytest.mark.parametrize(
    ("planned_at", "asked_at"),
    [
        ("2011-07-15 01:00:00", "2011-07-22 16:13:45"),  # the limit was over before the city closed it
        ("2011-07-23 00:00:00", "2011-07-23 00:00:00"),
    ],
)
def test_its_citizen_is_asked_an_hour_after_and_is_content(planned_at: str, asked_at: str) -> None:
    people, _ = lived("2011-07-22 16:13:45")
    (planned_input,) = people.react(to_visit(planned_at)).planned_inputs
    assert (planned_input.at, planned_input.line) == (instant(asked_at) + ASKED_AFTER, FEEDBACK_VISIT_RESULTS)
    assert isinstance(planned_input.data, RecordVisit)
    assert planned_input.data.solved


def test_a_case_the_city_never_closed_is_never_answered_and_its_citizen_never_asked() -> None:
    people, _ = lived("")
    assert people.react(dispatched("2011-07-01 01:00:00")).planned_inputs == ()
    assert people.react(to_visit("2011-07-15 01:00:00")).planned_inputs == ()


def test_cases_come_in_in_order_of_opening_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    rows = season(12)
    there, back = file_of(tmp_path, *rows), file_of(tmp_path, *reversed(rows))
    days = [list(Boston(found.cases).first_inputs(instant("2011-12-31 00:00:00"))) for found in (there, back)]
    assert days[0] == days[1]
    assert [planned_input.at for planned_input in days[0]] == sorted(
        planned_input.at for planned_input in days[0]
    )
    assert len(days[0]) == 12
