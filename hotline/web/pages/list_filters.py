"""Filters of a unit's list: what stands in its address, what can be chosen, and the filters a person keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hotline.readside.unit_list import ALL, TABS, Choice, UnitFilter
from hotline.readside.words import words_in
from hotline.web.reading import Connection
from shared.complaint_number import ComplaintNumberError, numbered
from shared.text import folded

UNIT_ORDERS: Final = "orders"
"""The list whose filters these are, as they are kept."""
NAME_MAX: Final = 20
"""Characters of a filter's name: it is a link above the list."""
FILTERS_MAX: Final = 12
"""Filters that a person keeps of one list: a line of links."""
TYPED_MAX: Final = 100
"""Characters of one part of a filter."""
QUERY_MAX: Final = 2000
"""Characters of a kept filter's address: a Chinese character is nine of them."""
DUES: Final[Mapping[str, timedelta]] = {
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
"""Within which time a row is due, by the word in the address. It counts from now: a kept filter stays useful."""
BETWEEN: Final = "/"
"""Stands between the district and the street of a place."""
_PARTS: Final = ("subject", "place", "due", "text")
_KEPT: Final = (
    "SELECT name, query FROM web.saved_filter WHERE staff_id = $1 AND list = $2 ORDER BY made_at, name"
)


class ListFilter(NamedTuple):
    """A filter of the list, as its address has it; an empty part leaves nothing out."""

    subject: str = ""
    place: str = ""
    """The district, and behind `BETWEEN` the street, or nothing."""
    due: str = ""
    """One of `DUES`."""
    text: str = ""
    """A complaint's number, or words of the title."""

    @property
    def parts(self) -> dict[str, str]:
        """The parts that leave something out."""
        return {name: value for name, value in self._asdict().items() if value}

    def only(self, now: datetime) -> UnitFilter:
        """The same for the read side."""
        district, _, street = self.place.partition(BETWEEN)
        due_before = now + DUES[self.due] if self.due else None
        first = last = None
        try:
            named = numbered(self.text)
        except ComplaintNumberError:
            named = None
        if named is not None:
            first, last = named.id_first, named.id_last
        words = words_in(self.text) if named is None else []
        return UnitFilter(self.subject, district, street, due_before, words, first, last)


class SavedFilter(NamedTuple):
    """A filter that a person keeps."""

    name: str
    query: str
    """The tab and the filter, as the address of the list has them."""


def filter_in(told: Mapping[str, Any]) -> ListFilter:
    """The filter that an address or a form has; a part that can be none is left out."""
    typed = {name: folded(str(told.get(name, "")))[:TYPED_MAX] for name in _PARTS}
    return ListFilter(**{**typed, "due": typed["due"] if typed["due"] in DUES else ""})


def places_of(choices: Sequence[Choice]) -> dict[str, int]:
    """The places that can be chosen, with their rows: of a district with several streets the district too."""
    rows: dict[str, dict[str, int]] = {}
    for one in choices:
        streets = rows.setdefault(one.district, {})
        streets[one.street] = streets.get(one.street, 0) + one.rows
    found: dict[str, int] = {}
    for district, streets in sorted(rows.items()):
        if len(streets) > 1 or "" in streets:
            found[district + BETWEEN] = sum(streets.values())
        found |= {district + BETWEEN + street: number for street, number in sorted(streets.items()) if street}
    return found


def subjects_of(choices: Sequence[Choice]) -> dict[str, int]:
    """The subjects that can be chosen, with their rows."""
    found: dict[str, int] = {}
    for one in choices:
        found[one.subject] = found.get(one.subject, 0) + one.rows
    return dict(sorted(found.items()))


def tab_in(told: Mapping[str, Any]) -> str:
    """The tab that an address or a form has."""
    tab = str(told.get("tab", ""))
    return tab if tab in TABS else ALL


async def filters_of(connection: Connection, staff_id: str) -> Sequence[SavedFilter]:
    """The filters that this person keeps, the oldest first."""
    return [SavedFilter(*row) for row in await connection.fetch(_KEPT, staff_id, UNIT_ORDERS)]
