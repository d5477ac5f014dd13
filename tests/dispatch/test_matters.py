"""How far a complaint's links are followed, and where it goes if they lead to nobody (R12)."""

from __future__ import annotations

from msgspec.structs import replace

from services.dispatch.matters import FOLLOWED_MAX, firsts, followed
from shared.complaint import Complaint, CoUnit
from shared.ids import UnitId, complaint_id
from tests import examples as eg
from tests.examples import CATALOGUE, DISTRICT, OTHER_STREET, STREET
from tests.spec import case_of


def complaint(
    number: int, *, links: int | None, dispatched: bool = False, street: str | None = None
) -> Complaint:
    case = case_of((eg.RECEIVED, eg.CLASSIFIED, *([eg.DISPATCHED] if dispatched else ())))
    assert isinstance(case, Complaint)
    return replace(
        case,
        complaint_id=complaint_id(str(number)),
        matter_of=None if links is None else complaint_id(str(links)),
        street=street,
    )


def test_links_are_followed_so_far_and_the_last_one_reached_leads() -> None:
    """R12: without an order in the whole row."""
    row = [complaint(n, links=n - 1 if n else None) for n in range(FOLLOWED_MAX + 5)]
    known = {one.complaint_id: one for one in row}
    known[row[4].complaint_id] = replace(row[4], street="小关街道")
    last = row[-1]
    assert list(firsts(last, known.get)) == [complaint_id(str(n)) for n in range(FOLLOWED_MAX + 3, 3, -1)]
    to = followed(last, known, CATALOGUE)
    assert to is not None
    assert to.unit == OTHER_STREET, "the twentieth, not the first of all"


def test_nothing_is_followed_behind_one_that_has_an_order_or_is_not_known() -> None:
    first, second, third = (
        complaint(0, links=None),
        complaint(1, links=0, dispatched=True),
        complaint(2, links=1),
    )
    known = {one.complaint_id: one for one in (first, second)}
    assert list(firsts(third, known.get)) == [second.complaint_id]
    to = followed(third, known, CATALOGUE)
    assert to is not None
    assert to.unit == STREET
    assert followed(third, {}, CATALOGUE) is None
    assert list(firsts(third, {}.get)) == [second.complaint_id], "it is to be read"


def test_a_unit_that_is_in_the_catalogue_no_more_leads_nobody() -> None:
    """Q2: the catalogue changes; then its own line decides."""
    first, second = complaint(0, links=None, dispatched=True), complaint(1, links=0)
    assert first.order is not None
    gone = replace(first, order=replace(first.order, unit=UnitId("street-that-was")))
    assert followed(second, {first.complaint_id: gone}, CATALOGUE) is None


def test_who_leads_does_not_help_itself() -> None:
    """R12: a helper that leads by now is none."""
    first, second = complaint(0, links=None, dispatched=True), complaint(1, links=0)
    helped = replace(first, co_units=(CoUnit(unit=STREET), CoUnit(unit=DISTRICT)))
    to = followed(second, {first.complaint_id: helped}, CATALOGUE)
    assert to is not None
    assert to.co_units == (DISTRICT,)
