"""Judging a backtest: what stands of our misses at the end, against the city's own flag."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hotline.lab.backtest import Verdict, compared, given_limits_missed, judge
from hotline.lab.simulation.boston import Boston, File, flags, read
from shared.events import Fact, LimitMissCorrected
from shared.events.base import Limit
from shared.ids import ComplaintId, complaint_id
from tests import examples as eg
from tests.examples import told
from tests.hotline.conftest import Desks

GIVEN_AT = eg.DUE_AT
OPENED: tuple[Fact, ...] = (replace(eg.RECEIVED, given_due_at=GIVEN_AT), eg.CLASSIFIED, eg.DISPATCHED)
CORRECTED = LimitMissCorrected(
    complaint_id=eg.ID,
    limit=Limit.ANSWER,
    unit=eg.STREET,
    due_at=GIVEN_AT,
    done_at=GIVEN_AT,
    corrected_at=GIVEN_AT + eg.MINUTE,
)
NEXT_ROUND_AT = GIVEN_AT + 9 * eg.DAY

HEAD = "case_enquiry_id,open_dt,target_dt,closed_dt,ontime,type,department"
ROW = "{id},2011-07-01 09:00:00,2011-07-08 09:00:00,{closed},{flag},Pothole,PWDx"


# --- what stands of the misses


@pytest.mark.parametrize(
    ("facts", "missed"),
    [
        ((), False),
        ((eg.FEEDBACK_MISSED,), True),
        ((eg.FEEDBACK_MISSED, eg.ESCALATED, replace(eg.ANSWERED, answered_at=GIVEN_AT + eg.DAY)), True),
        ((eg.SIGN_MISSED, eg.ESCALATED), False),
        ((eg.FEEDBACK_MISSED, CORRECTED), False),
        ((eg.FEEDBACK_MISSED, replace(CORRECTED, limit=Limit.SIGN)), True),
        ((eg.FEEDBACK_MISSED, replace(CORRECTED, due_at=NEXT_ROUND_AT)), True),
        ((replace(eg.FEEDBACK_MISSED, round=2, due_at=NEXT_ROUND_AT, missed_at=NEXT_ROUND_AT),), False),
        ((replace(eg.FEEDBACK_MISSED, round=2),), False),
        (
            (
                eg.FEEDBACK_MISSED,
                CORRECTED,
                replace(eg.FEEDBACK_MISSED, round=2, due_at=NEXT_ROUND_AT, missed_at=NEXT_ROUND_AT),
            ),
            False,
        ),
    ],
    ids=[
        "kept",
        "missed",
        "answered late",
        "only the limit for signing",
        "corrected",
        "another limit corrected",
        "another round corrected",
        "only a later round's",
        "a later round's that ends with the city's",
        "corrected, and a later round missed",
    ],
)
def test_a_complaint_is_late_by_what_stands_of_the_limit_the_city_gave(
    facts: tuple[Fact, ...], missed: bool
) -> None:
    assert given_limits_missed((*OPENED, *facts)) == ({eg.ID} if missed else set())


def test_a_complaint_no_limit_was_given_is_not_judged_by_another() -> None:
    assert given_limits_missed((eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.FEEDBACK_MISSED)) == set()


def test_complaints_do_not_mix() -> None:
    other = complaint_id("another")
    theirs: list[Fact] = [replace(fact, complaint_id=other) for fact in (*OPENED, eg.FEEDBACK_MISSED)]
    assert given_limits_missed((*OPENED, *theirs, eg.FEEDBACK_MISSED, CORRECTED)) == {other}


# --- against the flag


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    return path


def row(number: int, flag: str, closed: str = "2011-07-05 09:00:00") -> str:
    return ROW.format(id=number, closed=closed, flag=flag)


def boston(number: int) -> ComplaintId:
    return complaint_id(f"boston-{number}")


def test_what_the_flag_says_changes_nothing_that_is_lived(tmp_path: Path) -> None:
    """The flag judges afterwards: with every flag turned round the same cases are read and handed in."""
    as_said = written(tmp_path / "a.csv", row(1, "ONTIME"), row(2, "OVERDUE", closed=""))
    turned = written(tmp_path / "b.csv", row(1, "OVERDUE"), row(2, "ONTIME", closed=""))
    assert flags(as_said) != flags(turned)
    one, other = read(as_said), read(turned)
    assert one == other
    end = one.cases[0].open_at + timedelta(days=1)
    assert list(Boston(one.cases).first_inputs(end)) == list(Boston(other.cases).first_inputs(end))


def verdict(file: File, said: dict[ComplaintId, bool], *missed: ComplaintId) -> Verdict:
    return compared(file, said, missed=set(missed), answered={boston(1)}, received=file.ids, facts=9)


def test_each_complaint_on_which_log_and_city_differ_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row(1, "ONTIME"), row(2, "OVERDUE"), row(3, "OVERDUE"))
    file, said = read(path), flags(path)
    right = verdict(file, said, boston(2), boston(3))
    assert (right.agree, right.disagreements, right.right) == (3, [], True)
    assert (right.deadlines_missed, right.missed_answered_late, right.missed_never_answered) == (2, 0, 2)
    wrong = verdict(file, said, boston(1), boston(2))
    assert wrong.disagreements == sorted([boston(1), boston(3)])
    assert (wrong.agree, wrong.right, wrong.missed_answered_late) == (1, False, 1)


def test_a_complaint_left_out_is_not_compared_and_one_that_was_lost_is_no_agreement(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row(1, "ONTIME"), row(2, "OVERDUE"))
    file, said = read(path, most=1), flags(path)
    assert verdict(file, said).right
    lost = compared(file, said, missed=set(), answered=set(), received=set(), facts=0)
    assert (lost.agree, lost.right) == (1, False)


# --- from the log


async def test_the_log_is_read_as_it_stands_at_the_end(desks: Desks, tmp_path: Path) -> None:
    """One answered in time, one never, one whose answer had arrived in time though its miss was stated."""
    numbers = {boston(number): f"boston-{number}" for number in (1, 2, 3)}
    request = replace(eg.REQUEST, given_due_at=GIVEN_AT)
    record = told(eg.RECORD, ruleset="boston-311-2011")
    await desks.tell(
        *(
            told(record, complaint_id=stream, command=replace(request, request_id=name))
            for stream, name in numbers.items()
        )
    )
    await desks.tell(told(eg.ANSWER, complaint_id=boston(1), at=GIVEN_AT))
    await desks.tick(GIVEN_AT + eg.HOUR)
    await desks.tell(told(eg.ANSWER, complaint_id=boston(3), at=GIVEN_AT))
    await desks.tick(GIVEN_AT + 2 * eg.HOUR)
    stated = "SELECT count(*) FROM es.event WHERE type = $1"
    assert await desks.owner.fetchval(stated, "AnswerLimitMissed") == 2
    assert await desks.owner.fetchval(stated, "LimitMissCorrected") == 1

    path = written(tmp_path / "a.csv", row(1, "ONTIME"), row(2, "OVERDUE"), row(3, "ONTIME"))
    found = await judge(desks.dsn, path, read(path))
    assert found.right, found.disagreements
    assert (found.deadlines_missed, found.missed_never_answered, found.received) == (1, 1, 3)
    assert found.facts == await desks.owner.fetchval("SELECT count(*) FROM es.event")
