"""Lives that go on, for a log that is grown: the stories of `templates`, stopped while something still waits.

They stand in most lists: orders that are not signed, signed, asked to be given back, late, or about to be visited.
Their titles are many, so that a search has rare and common words to find.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Final

from hotline.lab.bench.city import catalogue_of
from hotline.lab.bench.led_life import HOUR, Led
from hotline.lab.bench.templates import BEGIN, FRACTION, REQUEST, STARTS, UNITS, Story, Template
from shared.complaint import head_text

TITLE: Final = "停水三天无人处理"
"""The title of every life that is led."""
TITLES: Final = tuple(
    f"{where}{what}{how}"
    for where in ("小区", "楼道", "路口", "公园门前", "学校旁", "地下车库", "菜市场", "公交站")
    for what in (
        "停水",
        "路灯不亮",
        "垃圾堆放",
        "井盖缺失",
        "施工噪声",
        "违法停车",
        "漏水",
        "电梯故障",
        "供暖不热",
        "树木倒伏",
    )
    for how in ("无人处理", "三天未修", "反复出现", "影响出行", "存在隐患")
)
"""Titles that grown lives have in turn: 400, of which each pair of characters stands in one of ten to one of fifty."""
_DAY: Final = timedelta(days=1)


def _not_signed(life: Led) -> None:
    life.waits(HOUR)


def _signed(life: Led) -> None:
    life.waits(2 * HOUR)
    life.signs()


def _asked_back(life: Led) -> None:
    life.waits(HOUR)
    life.asks_back()


def _answered(life: Led) -> None:
    _signed(life)
    life.waits(_DAY)
    life.answers()


def _late(life: Led) -> None:
    life.waits(10 * _DAY)


STORIES: Final[tuple[tuple[Story, int], ...]] = (
    (_not_signed, 6),
    (_signed, 9),
    (_asked_back, 1),
    (_answered, 3),
    (_late, 1),
)
"""Each beginning of a life, and in how many of twenty open lives it is told."""


@cache
def open_templates() -> list[Template]:
    """All stories from all starts, each as often as its weight says; the same list each time."""
    catalogue, targets = catalogue_of(UNITS)
    made: list[Template] = []
    for number in range(STARTS):
        start = BEGIN + timedelta(days=number * 365 // STARTS, minutes=17 * number, microseconds=FRACTION)
        stories: list[Callable[[Led], None]] = [story for story, weight in STORIES for _ in range(weight)]
        for turn, story in enumerate(stories):
            target = targets[(number * 20 + turn) % len(targets)]
            life = Led(target, start, REQUEST, catalogue)
            story(life)
            made.append(Template(tuple(life.facts), head_text(life.complaint)))
    return made


def title_of(number: int) -> str:
    """The title of the life of this number."""
    return TITLES[number // 10 * 7 % len(TITLES)]
