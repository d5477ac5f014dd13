"""Where a complaint goes that is linked to another: with the first of its matter, whose unit leads (R12). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from services.dispatch.routing import Routed, routed, with_first
from shared.complaint import Complaint
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue
from shared.seeing import CaseOf

FOLLOWED_MAX: Final = 20
"""So many links in a row are followed, where none of the complaints between has an order yet."""


def firsts(case: Complaint, case_of: CaseOf) -> Sequence[ComplaintId]:
    """Those a complaint belongs with, up to the first that has or had an order, as far as they are known."""
    return [one for one, _ in _row(case, case_of)]


def followed(case: Complaint, seen: Mapping[ComplaintId, Complaint], catalogue: Catalogue) -> Routed | None:
    """The unit that has the first complaint of the matter now, or had it last; None where nobody leads it.

    A first complaint without an order goes where the catalogue sends it, and so does this one. So the order
    of dispatch does not matter. A report of retaliation leads nothing, it is supervision's alone (R9).
    """
    first: Complaint | None = None
    for _, known in _row(case, seen.get):
        if known is None or known.accused is not None:
            break
        if known.order is not None:
            co_units = tuple(one.unit for one in known.co_units)
            return with_first(catalogue, known.order.unit, co_units)
        if known.ended is None:
            first = known
    return None if first is None else routed(catalogue, first.subject, first.district, first.street)


def _row(case: Complaint, case_of: CaseOf) -> Iterator[tuple[ComplaintId, Complaint | None]]:
    """Links point back to what was there before, so no row comes back to where it began."""
    at = case
    for _ in range(FOLLOWED_MAX):
        if at.matter_of is None:
            return
        known = case_of(at.matter_of)
        yield at.matter_of, known
        if known is None or known.order is not None:
            return
        at = known
