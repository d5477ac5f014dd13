"""The map and the treemap of the board: which shade, figure, sentence and list each place gets. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from hotline.readside.board import BoardFigures, OrderLoad
from hotline.web.pages.board.city_map import DrawnMap
from hotline.web.pages.board.drawing import AreaMark
from hotline.web.pages.board.shades import LOAD_STEPS, OVERDUE_STEPS, shade_of, weight_of
from hotline.web.pages.board.treemap import TreemapCell, TreemapGroup, treemap_svg
from hotline.web.pages.catalogues import N_
from hotline.web.pages.telling_time import Text
from shared.policy.catalogue import Catalogue

ORDERS_PATH: Final = "/board/orders"
LEAST_SHARE: Final = 0.01
"""A smaller share that is not nothing is told as less than this one."""


class Shading(StrEnum):
    """By what places are shaded."""

    OVERDUE = "overdue"
    """The share of overdue orders."""
    LOAD = "load"
    """The number of open orders."""


class LegendStep(NamedTuple):
    """A shade, and the values it stands for."""

    shade: int
    words: str


class DistrictRow(NamedTuple):
    """The same figures as on the map, for a table."""

    name: str
    href: str
    load: OrderLoad


class PlacesView(NamedTuple):
    """Both pictures, and what their shades mean."""

    map: Markup
    treemap: Markup
    legend: list[LegendStep]
    streets: int


class DistrictTable(NamedTuple):
    """The figures of districts."""

    districts: list[DistrictRow]
    elsewhere: OrderLoad
    """Orders in no district of the catalogue: the record names a place that it does not know."""


def orders_path(**only: str) -> str:
    """The list of open orders behind a figure."""
    query = urlencode({name: value for name, value in only.items() if value})
    return f"{ORDERS_PATH}?{query}" if query else ORDERS_PATH


def places_view(
    figures: BoardFigures, known: Catalogue, drawn: DrawnMap, shading: Shading, text: Text
) -> PlacesView:
    """Both pictures, by these figures."""
    due = Shading.OVERDUE.value if shading is Shading.OVERDUE else ""
    of_district = {name: figures.by_district.get(name, OrderLoad()) for name in known.districts}
    most = max((load.open for load in of_district.values()), default=0)
    marks = {
        name: _mark(name, load, most, shading, orders_path(due=due, district=name), text)
        for name, load in of_district.items()
    }
    of_streets = {unit for district in known.districts.values() for unit in district.streets.values()}
    streets = {unit: load for unit, load in figures.by_unit.items() if unit in of_streets}
    most_of_streets = max((load.open for load in streets.values()), default=0)
    groups = [
        TreemapGroup(
            key=district.unit,
            name=name,
            mark=marks[name],
            cells=[
                _cell(street, unit, streets.get(unit, OrderLoad()), most_of_streets, shading, due, text)
                for street, unit in district.streets.items()
            ],
        )
        for name, district in known.districts.items()
    ]
    of_districts = _label(N_("Districts by overdue share"), N_("Districts by load"), shading, text)
    of_each = _label(N_("Streets by overdue share"), N_("Streets by load"), shading, text)
    return PlacesView(
        map=Markup(drawn.svg(marks, of_districts)),  # noqa: S704 -- our own picture, its texts escaped
        treemap=Markup(treemap_svg(groups, of_each)),  # noqa: S704 -- the same
        legend=legend(shading, text),
        streets=sum(len(group.cells) for group in groups),
    )


def district_table(figures: BoardFigures, known: Catalogue, shading: Shading) -> DistrictTable:
    """The same figures as on the map."""
    due = Shading.OVERDUE.value if shading is Shading.OVERDUE else ""
    rows = [
        DistrictRow(name, orders_path(due=due, district=name), figures.by_district.get(name, OrderLoad()))
        for name in known.districts
    ]
    elsewhere = OrderLoad()
    for name, load in figures.by_district.items():
        elsewhere = elsewhere if name in known.districts else elsewhere.plus(load)
    return DistrictTable(rows, elsewhere)


def legend(shading: Shading, text: Text) -> list[LegendStep]:
    """The shades, from the palest on."""
    if shading is Shading.OVERDUE:
        steps = [f"{step:.0%}" for step in OVERDUE_STEPS]
        first = text(N_("none overdue"))
        rest = [f"≤ {step}" for step in steps[1:]] + [f"> {steps[-1]}"]
    else:
        first, steps = text(N_("none open")), [f"{step:.0%}" for step in LOAD_STEPS]
        words = text(N_("%(share)s of the most"))
        rest = [words % {"share": f"≤ {step}"} for step in steps[1:]]
        rest.append(words % {"share": f"> {steps[-1]}"})
    return [LegendStep(shade, words) for shade, words in enumerate([first, *rest])]


def _label(overdue: str, load: str, shading: Shading, text: Text) -> str:
    return text(overdue if shading is Shading.OVERDUE else load)


def _mark(name: str, load: OrderLoad, most: int, shading: Shading, href: str, text: Text) -> AreaMark:
    told = {"place": name, "open": f"{load.open:,}", "overdue": f"{load.overdue:,}"}
    title = text(N_("%(place)s: %(open)s open orders, %(overdue)s overdue")) % told
    if shading is Shading.LOAD:
        value = f"{load.open:,}" if load.open else ""
        return AreaMark(shade_of(load.open / max(most, 1), LOAD_STEPS), value, title, href)
    share = load.overdue_share
    value = "" if not load.overdue else f"{share:.0%}" if share >= LEAST_SHARE else f"<{LEAST_SHARE:.0%}"
    return AreaMark(shade_of(load.overdue_share, OVERDUE_STEPS), value, title, href)


def _cell(
    street: str, unit: str, load: OrderLoad, most: int, shading: Shading, due: str, text: Text
) -> TreemapCell:
    mark = _mark(street, load, most, shading, orders_path(due=due, unit=unit), text)
    return TreemapCell(unit, street, weight_of(load.open), mark)
