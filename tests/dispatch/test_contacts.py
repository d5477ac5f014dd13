"""Who sees how much of a citizen's contact (R9, I1, T29)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.dispatch.contact_policy import Asker, Seen, Sight, Standing, may_see, refused_for
from shared.complaint import Complaint, Recalled
from shared.events import ComplaintDispatched
from shared.events.base import RequestType
from shared.ids import UnitId
from tests import examples as eg
from tests.lives import Life, Step, lives, steps
from tests.spec import case_of

AGENT = "agent-7"
AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
UNITS = (eg.STREET, eg.OTHER_STREET, eg.WATER, eg.DISTRICT)


def case(*more: object, **changes: object) -> Complaint:
    found = case_of((*AT_UNIT, *more))  # type: ignore[arg-type]
    assert isinstance(found, Complaint)
    return replace(found, **changes)


def by_unit(unit: str, of: Complaint, reason: str = "") -> Sight:
    return may_see(Asker(unit=UnitId(unit)), of, AGENT, reason)


REPORT = {"request_type": RequestType.REPORT}
CONFIDENTIAL = {"confidential": True}


@pytest.mark.parametrize(
    ("unit", "of", "reason", "seen"),
    [
        (eg.STREET, case(), "", Seen.FULL),
        (eg.STREET, case(eg.RETURN_REQUESTED), "", Seen.FULL),
        (eg.STREET, case(eg.RETURN_REQUESTED, eg.RETURN_APPROVED), "", Seen.REFUSED),
        (eg.STREET, case(eg.RETURN_REQUESTED, eg.RETURN_APPROVED), "we know him", Seen.REFUSED),
        (eg.OTHER_STREET, case(), "", Seen.REFUSED),
        (eg.WATER, case(eg.CO_UNIT_ADDED), "", Seen.MASKED),
        (eg.STREET, case(**REPORT), "", Seen.MASKED),
        (eg.STREET, case(**REPORT), "   ", Seen.MASKED),
        (eg.STREET, case(**REPORT), "the place cannot be found without him", Seen.FULL),
        (eg.STREET, case(**CONFIDENTIAL), "", Seen.MASKED),
        (eg.STREET, case(**CONFIDENTIAL), "the place cannot be found without him", Seen.FULL),
        (eg.WATER, case(eg.CO_UNIT_ADDED, **CONFIDENTIAL), "", Seen.REFUSED),
        (eg.WATER, case(eg.CO_UNIT_ADDED, **REPORT), "we want to know", Seen.REFUSED),
        (eg.STREET, case(anonymous=True), "", Seen.NOTHING),
        (eg.STREET, case(accused=eg.STREET), "we want to know", Seen.REFUSED),
        (eg.STREET, case(eg.WITHDRAWN), "", Seen.REFUSED),
    ],
)
def test_the_assignee_sees_it_a_helper_a_mask_and_a_former_unit_nothing(
    unit: str, of: Complaint, reason: str, seen: Seen
) -> None:
    """T29, R9: a report and a confidential complaint are masked until a reason is given."""
    assert by_unit(unit, of, reason).seen is seen


def test_only_a_unit_that_had_it_hears_that_it_is_over_and_none_that_it_was_reported() -> None:
    ended = case(eg.CO_UNIT_ADDED, eg.WITHDRAWN)
    assert by_unit(eg.STREET, ended).standing is Standing.OVER
    assert by_unit(eg.WATER, ended).standing is Standing.OVER
    assert by_unit(eg.OTHER_STREET, ended) == by_unit(eg.OTHER_STREET, case())
    assert by_unit(eg.OTHER_STREET, ended) == (Seen.REFUSED, Standing.STRANGER)
    accused = by_unit(eg.OTHER_STREET, case(accused=eg.OTHER_STREET)).standing
    assert accused is Standing.ACCUSED, "as the access log has it"
    assert refused_for(accused) is Standing.STRANGER
    for standing in set(Standing) - {Standing.ACCUSED}:
        assert refused_for(standing) is standing


def test_an_agent_sees_what_he_took_down_himself_and_no_other_agent_does() -> None:
    """I1."""
    assert may_see(Asker(agent=AGENT), case(), AGENT) == (Seen.FULL, Standing.AGENT)
    assert may_see(Asker(agent="agent-8"), case(), AGENT) == (Seen.REFUSED, Standing.STRANGER)
    assert may_see(Asker(agent=""), case(), "") == (Seen.REFUSED, Standing.STRANGER)


DUE: Final = eg.VISIT_SCHEDULED.visit_at
ASKED: Final = (eg.SIGNED, eg.ANSWERED, eg.VISIT_SCHEDULED)


@pytest.mark.parametrize(
    ("of", "at", "seen"),
    [
        (case(*ASKED), DUE, Seen.FULL),
        (case(*ASKED, **CONFIDENTIAL), DUE, Seen.FULL),
        (case(*ASKED, **REPORT), DUE, Seen.FULL),
        (case(*ASKED), DUE - timedelta(microseconds=1), Seen.REFUSED),
        (case(*ASKED), None, Seen.REFUSED),
        (case(*ASKED, eg.VISIT_MADE, eg.CLOSED), DUE, Seen.REFUSED),
        (case(), DUE, Seen.REFUSED),
    ],
)
def test_the_person_who_asks_sees_it_while_a_visit_is_to_be_made_and_never_else(
    of: Complaint, at: datetime | None, seen: Seen
) -> None:
    """E1, I1: for the visit alone; a confidential one too, as the hotline itself asks."""
    assert may_see(Asker(visitor="visitor-3", at=at), of, AGENT).seen is seen


def test_where_none_is_kept_the_assignee_is_told_so_and_a_stranger_no_more_than_ever() -> None:
    assert may_see(Asker(unit=eg.STREET), case(), None).seen is Seen.NOTHING
    assert may_see(Asker(unit=eg.OTHER_STREET), case(), None).seen is Seen.REFUSED


@settings(max_examples=150)
@given(lives, st.sampled_from(("", "a reason")))
def test_whatever_happened_only_the_unit_of_the_last_dispatch_may_see_it_whole(life: Life, why: str) -> None:
    """T29: after a return nobody but the new assignee, after the end nobody."""
    assert isinstance(life.case, Complaint)
    last = [fact.unit for fact in life.facts if isinstance(fact, ComplaintDispatched)][-1]
    for unit in UNITS:
        if by_unit(unit, life.case, why).seen is Seen.FULL:
            assert unit == last
            assert life.case.ended is None


@settings(max_examples=150)
@given(steps(size_max=8))
def test_between_a_return_and_the_next_dispatch_no_unit_sees_it_whole(told: list[Step]) -> None:
    """T29: the review took it back, and dispatch has not heard of it yet."""
    life = Life()
    for step in told:
        life.lives(step)
        assert isinstance(life.case, Complaint)
        whole = [unit for unit in UNITS if by_unit(unit, life.case, "a reason").seen is Seen.FULL]
        assert len(whole) <= 1
        if isinstance(life.case.order, Recalled):
            assert whole == []
