"""January 2020: Spring Festival is prolonged while complaints are open, and their limits move by an explicit fact (T8).

Dispatched on 2020-01-22 with seven working days: until 2020-02-06 by what was announced then, until 2020-02-10 by the
notice of 2020-01-27 (§5.4).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.dispatch import rules
from shared import inputs
from shared.complaint import due_deadlines, head_text
from shared.events import AnswerLimitMissed, CalendarAmended, ComplaintDispatched, Fact
from shared.events.base import Limit
from shared.log.codec import encoded
from shared.policy import ruleset as rulesets
from shared.policy.calendar import calendar
from shared.topics import DISPATCH_ORDERS, DISPATCH_REVIEWS
from tests import examples as eg
from tests.examples import CATALOGUE, DAY, HOUR, INSTANT, STREET, told
from tests.spec import case_of, spec
from tests.story import Story

BEFORE, AFTER = "cn-2020-01-26", "cn-1"
WORKING = "beijing-working-days"
CALLED_AT = datetime(2020, 1, 22, 2, tzinfo=UTC)


def end_of(day: int) -> datetime:
    """The last instant of a day of February 2020 in Beijing."""
    return datetime(2020, 2, day, 15, 59, 59, 999999, tzinfo=UTC)


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft's rules with working days (C4), beside the packaged ones."""
    for entry in (files("shared") / "data" / "rulesets").iterdir():
        (tmp_path / entry.name).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")
    text = (tmp_path / "beijing-draft-2021.toml").read_text(encoding="utf-8")
    text = text.replace('version = "beijing-draft-2021"', f'version = "{WORKING}"')
    text = text.replace('day_kind = "NATURAL"', 'day_kind = "WORKING"')
    (tmp_path / f"{WORKING}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(rulesets, "_FOLDER", tmp_path)


def amendment(complaint: str, version: str = AFTER) -> inputs.AmendCalendar:
    return inputs.AmendCalendar(
        complaint_id=complaint, calendar=version, reason="国办发明电〔2020〕1号", amended_by="operations"
    )


async def test_the_open_complaint_gets_the_longer_limit_and_both_are_on_record() -> None:
    story = Story(ruleset=WORKING, calendar=BEFORE, at=CALLED_AT)
    await story.records()
    assert story.order().citizen_due_at == end_of(6)
    await story.signs()
    await story.passes(datetime(2020, 1, 27, 8, tzinfo=UTC))
    await story.tells(DISPATCH_REVIEWS, amendment(story.id))
    (fact,) = story.facts(CalendarAmended)
    assert isinstance(fact, CalendarAmended)
    assert (fact.old_calendar, fact.calendar) == (BEFORE, AFTER)
    assert (fact.old_due_at, fact.new_due_at) == (end_of(6), end_of(10))
    assert story.sent(DISPATCH_ORDERS, STREET)[-1] == fact

    await story.passes(end_of(10))
    assert story.facts(AnswerLimitMissed) == [], "the old limit has passed and counts no more"
    await story.passes(INSTANT)
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.due_at == end_of(10)
    story.holds()


async def test_a_complaint_nobody_amends_keeps_the_calendar_it_was_born_under() -> None:
    """T8, T23: pinned; nothing moves by itself."""
    story = Story(ruleset=WORKING, calendar=BEFORE, at=CALLED_AT)
    await story.records()
    await story.passes(end_of(6) + INSTANT)
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.due_at == end_of(6)
    await story.tells(DISPATCH_REVIEWS, amendment(story.id))
    (fact,) = story.facts(CalendarAmended)
    assert isinstance(fact, CalendarAmended)
    assert fact.new_due_at == fact.old_due_at, "what has passed stays missed (T6)"
    story.holds()


async def test_a_later_round_counts_by_the_amended_calendar() -> None:
    story = Story(ruleset=WORKING, calendar=BEFORE, at=CALLED_AT)
    await story.records()
    await story.answers()
    await story.tells(DISPATCH_REVIEWS, amendment(story.id))
    assert story.told()[-1] == "CalendarAmended"
    await story.citizen_says(solved=False)
    *_, order = story.facts(ComplaintDispatched)
    assert isinstance(order, ComplaintDispatched)
    assert (order.round, order.unit_due_at) == (2, end_of(10))
    story.holds()


given = spec(partial(rules.decide, catalogue=CATALOGUE))
AT_UNIT = (
    replace(eg.RECEIVED, ruleset=WORKING, calendar=BEFORE, received_at=CALLED_AT),
    replace(eg.CLASSIFIED, classified_at=CALLED_AT),
    replace(
        eg.DISPATCHED,
        dispatched_at=CALLED_AT,
        sign_due_at=CALLED_AT + 8 * HOUR,
        citizen_due_at=end_of(6),
        unit_due_at=end_of(6),
    ),
)
AMEND = told(eg.AMEND, calendar=AFTER, at=CALLED_AT + 5 * DAY)


def test_told_again_it_is_refused_and_back_again_is_an_amendment_too() -> None:
    """T8."""
    (fact,) = rules.decide(AMEND, case_of(AT_UNIT), CATALOGUE)
    after = given(*AT_UNIT, fact)
    assert due_deadlines(after.case)[Limit.ANSWER] == end_of(10)
    after.when(AMEND).then_refused("amend the calendar", "already")
    (back,) = rules.decide(told(AMEND, calendar=BEFORE), after.case, CATALOGUE)
    assert isinstance(back, CalendarAmended)
    assert (back.old_due_at, back.new_due_at) == (end_of(10), end_of(6))


def test_no_limit_moves_behind_the_present() -> None:
    """T8: an amendment that shortens leaves at least until now."""
    longer = (*AT_UNIT, *rules.decide(AMEND, case_of(AT_UNIT), CATALOGUE))
    late = told(AMEND, calendar=BEFORE, at=end_of(8))
    (fact,) = rules.decide(late, case_of(longer), CATALOGUE)
    assert isinstance(fact, CalendarAmended)
    assert fact.new_due_at == end_of(8)


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT[:2], AMEND, "the complaint is not dispatched"),
        (AT_UNIT, told(AMEND, calendar="cn-0"), "calendar: there is no calendar 'cn-0'"),
        ((*AT_UNIT, eg.WITHDRAWN), AMEND, "the life ended with ComplaintWithdrawn"),
    ],
)
def test_an_amendment_that_cannot_be(past: tuple[Fact, ...], command: object, because: str) -> None:
    """T8."""
    given(*past).when(command).then_refused("amend the calendar", because)


def test_where_days_are_natural_ones_no_limit_moves() -> None:
    """C4: the calendar changes, the limit does not."""
    given(eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED).when(eg.AMEND).then(eg.AMENDED)


def test_the_calendar_as_it_was_known_says_what_was_announced_then() -> None:
    """T8, §5.4."""
    assert calendar(BEFORE).after_workdays(CALLED_AT.date(), 7).day.isoformat() == "2020-02-06"
    assert calendar(AFTER).after_workdays(CALLED_AT.date(), 7).day.isoformat() == "2020-02-10"


async def test_a_limit_in_a_year_that_is_not_announced_says_so_until_it_is() -> None:
    """T16, J1: seven working days from 2026-12-24 end in 2027, whose days off nobody knows yet."""
    story = Story(ruleset=WORKING, calendar="cn-1", at=datetime(2026, 12, 24, 1, 0, tzinfo=UTC))
    await story.records()
    assert story.order().provisional is True
    held = story.case().order
    assert held is not None
    assert held.provisional
    (amended,) = rules.decide(
        told(eg.AMEND, complaint_id=story.id, calendar=BEFORE, at=story.order().dispatched_at),
        story.case(),
        eg.CATALOGUE,
    )
    assert isinstance(amended, CalendarAmended)
    assert amended.provisional is True, "nor does that one know them"


async def test_a_limit_in_announced_days_says_nothing() -> None:
    """T16."""
    story = Story(ruleset=WORKING, calendar="cn-1", at=datetime(2026, 12, 1, 1, 0, tzinfo=UTC))
    await story.records()
    assert b"provisional" not in encoded(story.order())
    assert b"provisional" not in head_text(story.case()).encode()
