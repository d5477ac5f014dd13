"""The board's map and treemap: every place once, in its shade, a link with a title; nothing but classes for looks."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.web.pages.board.boxes import Box, squarified
from hotline.web.pages.board.city_map import DrawnMap
from hotline.web.pages.board.drawing import AreaMark, fitted, width_of
from hotline.web.pages.board.shades import LOAD_STEPS, OVERDUE_STEPS, SHADES, shade_of, weight_of
from hotline.web.pages.board.treemap import TreemapCell, TreemapGroup, treemap_svg
from shared.policy.catalogue import catalogue
from shared.policy.city_map import CityMap, MapInvalid, Point, city_map, parsed

CSS: Final = Path("hotline/web/pages/static/board.css")
FRAME: Final = Box(0, 0, 300, 200)
AA: Final = 4.5
"""The least contrast of small text (WCAG 2.2, 1.4.3)."""

SQUARE: Final = (
    '{"features": [{"properties": {"name": "甲区", "code": "1"}, "geometry":'
    ' {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]}}]}'
)
TOLD: Final = 'version = "one"\noutlines = "one.geojson"\n'


def mark(shade: int = 2, value: str = "7 %", title: str = "甲区 <7 %>") -> AreaMark:
    return AreaMark(shade, value, title, "/board/orders?district=甲区&due=overdue")


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 -- our own picture


# -- boxes


@given(st.lists(st.floats(0.5, 1000), min_size=1, max_size=60))
def test_boxes_have_the_areas_of_their_weights_and_stay_in_the_frame(weights: list[float]) -> None:
    boxes = squarified(weights, FRAME)
    for weight, box in zip(weights, boxes, strict=True):
        assert box.area == pytest.approx(weight / sum(weights) * FRAME.area)
        assert box.x >= -1e-6
        assert box.y >= -1e-6
        assert box.x + box.width <= FRAME.width + 1e-6
        assert box.y + box.height <= FRAME.height + 1e-6


@given(st.lists(st.integers(1, 20), min_size=2, max_size=25))
def test_no_two_boxes_lie_over_each_other(weights: list[int]) -> None:
    for one, other in combinations(squarified([float(weight) for weight in weights], FRAME), 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert min(across, down) < 1e-6


def test_equal_weights_make_boxes_that_are_nearly_square() -> None:
    for box in squarified([1.0] * 60, FRAME):
        assert max(box.width, box.height) / min(box.width, box.height) < 1.6


def test_a_weight_of_nothing_gets_a_box_of_nothing() -> None:
    first, second = squarified([0.0, 3.0], FRAME)
    assert first.area == 0
    assert second == FRAME
    assert squarified([], FRAME) == []
    assert squarified([0.0], FRAME)[0].area == 0


# -- shades


def test_a_step_belongs_to_the_shade_below_it() -> None:
    assert [shade_of(share, OVERDUE_STEPS) for share in (0, 0.05, 0.0501, 0.2, 1)] == [0, 1, 2, 3, 4]
    assert [shade_of(share, LOAD_STEPS) for share in (0, 0.01, 0.25, 0.26, 1)] == [0, 1, 1, 2, 4]
    assert len(LOAD_STEPS) + 1 == SHADES


def test_a_place_grows_with_each_doubling_and_is_never_gone() -> None:
    assert [weight_of(load) for load in (0, 1, 2, 3, 4, 100)] == [1, 2, 3, 3, 4, 8]


def test_text_on_every_shade_can_be_read_in_both_themes() -> None:
    told = dict(
        re.findall(r"--([a-z0-9-]+): light-dark\((#\w{6}, #\w{6})\)", CSS.read_text(encoding="utf-8"))
    )
    for shade in (*range(SHADES), "unknown"):
        grounds, letters = (told[f"{kind}-{shade}"].split(", ") for kind in ("shade", "on"))
        for ground, letter in zip(grounds, letters, strict=True):
            assert contrast(ground, letter) >= AA, (shade, ground, letter)


def contrast(one: str, other: str) -> float:
    """By the formula of WCAG 2."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# -- names


def test_a_name_loses_its_kind_before_it_loses_letters() -> None:
    assert fitted("建外街道", 60, 11) == "建外街道"
    assert fitted("建外街道", 40, 11) == "建外"
    assert fitted("十八里店地区", 40, 11) == "十八…"
    assert fitted("建外街道", 12, 11) == ""
    assert width_of("建外A", 10) == 26


# -- the map


def test_every_district_of_the_catalogue_is_on_the_map() -> None:
    assert set(DrawnMap(city_map()).names) == set(catalogue().districts)


def test_every_name_stands_inside_its_district() -> None:
    for one in city_map().districts:
        assert sum(_inside(one.label, ring) for ring in one.rings) % 2 == 1, one.name


def _inside(point: Point, ring: tuple[Point, ...]) -> bool:
    """Whether a line to the east of the point crosses the ring an odd number of times."""
    x, y = point
    crossed = 0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        crossed += (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
    return crossed % 2 == 1


def test_a_district_is_one_link_for_the_keyboard_and_the_inner_ones_stand_twice() -> None:
    drawn = DrawnMap(city_map())
    marks = {name: mark(title=name) for name in drawn.names}
    svg = read(drawn.svg(marks, "十六区"))
    links = svg.findall("a")
    assert len(links) == 16 + 6
    reached = [one for one in links if one.get("tabindex") is None]
    assert sorted(one.findtext("title") or "" for one in reached) == sorted(drawn.names)
    assert all(one.get("aria-hidden") == "true" for one in links if one not in reached)
    texts = [one.text for one in svg.findall("text") if "place" in (one.get("class") or "")]
    assert sorted(texts) == sorted(
        name if name not in _inner() else name.removesuffix("区") for name in drawn.names
    )


def _inner() -> set[str]:
    return {one.name for one in city_map().districts if one.inset}


def test_a_district_that_the_catalogue_does_not_know_is_drawn_and_leads_nowhere() -> None:
    city = parsed(TOLD, SQUARE.encode())
    svg = DrawnMap(city).svg({}, "")
    assert "<a " not in svg
    assert "shade-unknown" in svg
    assert "甲区" in svg


def test_nothing_in_a_picture_is_more_than_text() -> None:
    hostile = mark(title='"><script>alert(1)</script>', value="<b>")
    city = parsed(TOLD, SQUARE.encode())
    group = TreemapGroup('"a', "<i>", hostile, [TreemapCell('"b', "<u>", 1.0, hostile)])
    for svg in (DrawnMap(city).svg({"甲区": hostile}, '"<'), treemap_svg([group], '"<')):
        read(svg)
        assert not re.search(r"<(script|b|i|u)>", svg)


def test_no_picture_has_a_style_or_a_script_of_its_own() -> None:
    drawn = DrawnMap(city_map())
    for svg in (drawn.svg({name: mark() for name in drawn.names}, ""), _whole_treemap()):
        assert not re.search(r"\b(style|on[a-z]+|fill|stroke)=", svg)


# -- the treemap


def _whole_treemap() -> str:
    known = catalogue()
    groups = [
        TreemapGroup(
            district.unit,
            name,
            mark(title=name),
            [
                TreemapCell(unit, street, weight_of(n), mark(n % SHADES, title=street))
                for n, (street, unit) in enumerate(district.streets.items())
            ],
        )
        for name, district in known.districts.items()
    ]
    return treemap_svg(groups, "街道")


def test_every_street_of_the_catalogue_has_one_box() -> None:
    svg = read(_whole_treemap())
    streets = [street for district in catalogue().districts.values() for street in district.streets]
    titles = [one.findtext("title") for one in svg.iter("a") if one.find("rect") is not None]
    assert sorted(titles, key=str) == sorted(streets)
    ids = [one.get("id") for one in svg.iter("a")]
    assert len(set(ids)) == len(ids)


# -- the file of a map


@pytest.mark.parametrize(
    ("told", "outlines", "named"),
    [
        (TOLD + "size = 3", SQUARE, "size"),
        ("version = 1", SQUARE, "version"),
        (TOLD, SQUARE.replace("[1, 1], [2, 1], ", "", 1), "3 points"),
        (TOLD, SQUARE.replace("[2, 2]", "[200, 2]"), "200.0"),
        (TOLD, SQUARE.replace("Polygon", "Point"), "Point"),
        (TOLD, SQUARE.replace("甲区", " "), "name that can be read"),
        (TOLD, '{"features": []}', "0 points"),
        (TOLD + 'inset = ["乙区"]', SQUARE, "乙区"),
        (TOLD + '[labels]\n"乙区" = [1, 1]', SQUARE, "乙区"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_by_what_is_wrong(told: str, outlines: str, named: str) -> None:
    with pytest.raises(MapInvalid, match=re.escape(named)):
        parsed(told, outlines.encode())


def test_a_district_without_a_place_for_its_name_is_named_in_its_middle() -> None:
    assert parsed(TOLD, SQUARE.encode()).districts[0].label == (1.5, 1.5)


def test_a_map_of_ones_own_is_read_with_the_outlines_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(TOLD, encoding="utf-8")
    with pytest.raises(MapInvalid, match="one.geojson"):
        city_map(str(tmp_path / "one.toml"))
    (tmp_path / "one.geojson").write_text(SQUARE, encoding="utf-8")
    found: CityMap = city_map(str(tmp_path / "one.toml"))
    assert [one.name for one in found.districts] == ["甲区"]
