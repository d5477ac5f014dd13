"""The board's cards and places: every figure is what was counted, leads to its list, and says how old it is. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hotline.readside.board import BoardCalls, BoardFigures, CityHealth, OrderLoad, WaitingCount
from hotline.readside.call_series import RollingRate
from hotline.readside.rows import AT_DESKS, DISTRICT, REVIEWS, SUPERVISED, SUPERVISION, TOP
from hotline.readside.standing import AsOf
from hotline.web.pages.board.cards import GOOD, LATE, SHAPE, BoardCard, call_card, figures_stamp, order_cards
from hotline.web.pages.board.city_map import DrawnMap
from hotline.web.pages.board.places import Shading, district_table, legend, places_view
from hotline.web.pages.board.series import HourBar, RatePoint, bars_svg, rate_svg
from hotline.web.pages.board.shades import SHADES
from hotline.web.pages.catalogues import translations_of
from hotline.web.pages.look import Language
from services.intake.call_statistics import Figures
from shared.policy.catalogue import catalogue
from shared.policy.city_map import city_map
from shared.policy.ruleset import ruleset
from shared.times import zone_of
from shared.versions import RULESET

NOON = datetime(2021, 9, 27, 4, tzinfo=UTC)
ZONE = zone_of(RULESET)
CHINESE = translations_of(Language.CHINESE).gettext
ENGLISH = translations_of(Language.ENGLISH).gettext
HEALTHY = CityHealth(0, None, 0, timedelta(), timedelta())


def figures(**other: Any) -> BoardFigures:
    told: dict[str, Any] = {
        "present": NOON,
        "as_of": AsOf(12_345, timedelta(seconds=0.4)),
        "stages": {"AT_UNIT": 30, "SIGNED": 50, "IN_REVIEW": 5, "ANSWERED": 10, "ASKING": 5, "ENDED": 900},
        "orders": OrderLoad(85, 17, 9),
        "by_district": {
            "东城区": OrderLoad(40, 10, 4),
            "朝阳区": OrderLoad(44, 7, 5),
            "无此区": OrderLoad(1, 0, 0),
        },
        "by_unit": {
            "street-dongcheng-jingshan": OrderLoad(40, 10, 4),
            "street-chaoyang-jianwai": OrderLoad(45, 7, 5),
        },
        "waiting": {
            (SUPERVISION, DISTRICT): WaitingCount(6, 6),
            (SUPERVISION, TOP): WaitingCount(2, 2),
            (SUPERVISION, SUPERVISED): WaitingCount(3, 1),
            (REVIEWS, "return"): WaitingCount(4, 0),
            (REVIEWS, "pause"): WaitingCount(1, 0),
        },
        "health": HEALTHY,
        **other,
    }
    return BoardFigures(**told)


def calls(offered: int = 1000, answered: int = 960, within: int = 900) -> BoardCalls:
    told = Figures(
        offered=offered,
        answered=answered,
        within=within,
        by_outcome={},
        not_over=3,
        excluded={},
        never_offered={},
        short_abandons=0,
        wait_unknown=0,
        talk_unknown=0,
        connection_rate=answered / offered if offered else None,
        service_level=within / offered if offered else None,
        timely_rate=None,
        abandon_rate=None,
        average_wait_seconds=None,
        average_talk_seconds=None,
        lowest=None,
    )
    rolling = [RollingRate(NOON, 0, 0), RollingRate(NOON, 100, 97)]
    return BoardCalls(NOON, NOON, told, told, rolling, NOON)


def cards(**other: Any) -> dict[str, BoardCard]:
    return {card.key: card for card in order_cards(figures(**other), catalogue(), ZONE, CHINESE)}


def test_every_figure_that_counts_complaints_leads_to_its_list() -> None:
    for key, card in cards().items():
        counted = [figure for figure in card.figures if key not in {"processes", "centre"}]
        assert all(figure.href.startswith("/board/") for figure in counted), key
        assert all(row.href for row in card.rows if key != "processes"), key


def test_the_parts_of_what_is_open_add_up_to_it() -> None:
    card = cards()["open"]
    assert card.figures[0].value == "100"
    assert sum(int(row.value) for row in card.rows) == 100
    assert [row.percent for row in card.rows] == [30, 50, 5, 5, 10]
    assert set(AT_DESKS) >= {"ANSWERED"}


def test_what_is_late_has_a_shape_beside_its_colour() -> None:
    late = cards()["limits"].figures[0]
    assert (late.value, late.state, late.shape) == ("17", LATE, SHAPE)
    none = cards(orders=OrderLoad(5, 0, 0), by_unit={})["limits"]
    assert (none.figures[0].state, none.figures[0].shape, none.rows) == (GOOD, "", [])


def test_the_units_with_most_that_is_late_are_named_and_lead_to_it() -> None:
    rows = cards()["limits"].rows
    assert [(row.label, row.value) for row in rows] == [("东城区景山街道", "10"), ("朝阳区建外街道", "7")]
    assert parse_qs(urlsplit(rows[0].href).query) == {
        "due": ["overdue"],
        "unit": ["street-dongcheng-jingshan"],
    }


def test_escalated_is_what_has_climbed_and_supervised_what_was_taken_up() -> None:
    above = cards()["above"]
    assert [figure.value for figure in above.figures] == ["8", "3"]
    assert above.figures[1].state == LATE
    assert above.note == "督办超期 1 件"


def test_questions_are_counted_over_their_kinds() -> None:
    assert cards()["centre"].figures[0].value == "5"


@pytest.mark.parametrize(
    ("health", "which"),
    [
        (HEALTHY._replace(parked=3), "搁置消息"),
        (HEALTHY._replace(stopped=1), "停止接收的主题"),
        (HEALTHY._replace(unsent=timedelta(minutes=2)), "转发:最早未发出"),
        (HEALTHY._replace(late=timedelta(minutes=2)), "时钟:最早未触发时限"),
    ],
)
def test_what_does_not_run_is_marked(health: CityHealth, which: str) -> None:
    def marked(one: CityHealth) -> list[str]:
        card = cards(health=one)["processes"]
        return [one.label for one in card.figures if one.state == LATE] + [
            one.label for one in card.rows if one.state == LATE
        ]

    assert marked(health) == [which]
    assert marked(HEALTHY) == []


def test_every_card_says_as_of_when_and_old_ones_say_so() -> None:
    assert {card.as_of for card in cards().values()} == {"截至 09-27 12:00:00"}
    assert figures_stamp(figures(), ZONE, CHINESE).as_of == "截至 09-27 12:00:00(第 12,345 条记录)"
    for late in (AsOf(1, timedelta(seconds=11)), AsOf(1, timedelta(), going=True)):
        assert all(card.stale for card in cards(as_of=late).values())
        assert figures_stamp(figures(as_of=late), ZONE, ENGLISH).stale
    assert not figures_stamp(figures(), ZONE, ENGLISH).stale


def test_the_rate_is_held_against_the_line_of_the_rules() -> None:
    rules = ruleset(RULESET).telephone
    kept, missed, none = (
        call_card(one, rules, ZONE, ENGLISH).figures[-1]
        for one in (calls(), calls(answered=949), calls(0, 0, 0))
    )
    assert (kept.value, kept.state) == ("96.0%", GOOD)
    assert (missed.value, missed.state) == ("94.9%", LATE)
    assert (none.value, none.state) == ("–", "")


# -- places


def test_a_place_shows_its_share_or_its_load_and_leads_to_what_it_shows() -> None:
    drawn = DrawnMap(city_map())
    late = places_view(figures(), catalogue(), drawn, Shading.OVERDUE, CHINESE)
    load = places_view(figures(), catalogue(), drawn, Shading.LOAD, CHINESE)
    assert "东城区:承办中 40 件,超时 10 件" in late.map
    assert ">25%<" in late.map
    assert ">40<" in load.map
    table = district_table(figures(), catalogue(), Shading.OVERDUE)
    dongcheng = next(row for row in table.districts if row.name == "东城区")
    assert parse_qs(urlsplit(dongcheng.href).query) == {"due": ["overdue"], "district": ["东城区"]}
    assert table.elsewhere == OrderLoad(1, 0, 0)
    assert late.streets == sum(len(one.streets) for one in catalogue().districts.values())


def test_the_legend_names_every_shade() -> None:
    for shading in Shading:
        steps = legend(shading, ENGLISH)
        assert [step.shade for step in steps] == list(range(SHADES))
        assert len({step.words for step in steps}) == SHADES


# -- series


def test_a_rate_has_a_gap_where_nothing_was_measured() -> None:
    svg = rate_svg([RatePoint(0.97), RatePoint(None), RatePoint(0.96), RatePoint(0.99)], 0.95, "x")
    (line,) = [part for part in svg.split("<path") if 'class="line"' in part]
    assert line.count("M") == 2
    assert 'class="line"' not in rate_svg([RatePoint(None)], 0.95, "x")


def test_a_rate_below_the_usual_floor_stays_in_the_picture() -> None:
    svg = rate_svg([RatePoint(0.42), RatePoint(0.99)], 0.95, "x")
    assert ">40%<" in svg
    assert ">90%<" in rate_svg([RatePoint(0.97)], 0.95, "x")


def test_bars_say_their_figures_and_grow_with_them() -> None:
    svg = bars_svg([HourBar("00:00", "zero", 0, 0, 0), HourBar("01:00", "<one>", 37, 30, 20)], "x")
    assert "&lt;one&gt;" in svg
    assert ">40<" in svg
    assert bars_svg([], "x").startswith("<svg")
