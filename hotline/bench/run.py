"""The whole benchmark, in one go on one stack: the system, the same one by one, and the floor."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from rich.markup import escape

from hotline import realm as city
from hotline.bench.check import LIFE, wrong_with
from hotline.bench.city import Target, catalogue_of, written
from hotline.bench.floor import WARM_UP as FLOOR_WARM_UP
from hotline.bench.floor import Floor, floor_of
from hotline.bench.place import Place, place_of
from hotline.bench.whole import Lived, Load, lived
from hotline.realm import Realm
from hotline.stack.errors import StackError
from hotline.stack.stack import Addresses, Stack
from shared.cloudevents import fact_headers, input_headers
from shared.inputs import RequestRecorded
from shared.log.relay import BATCH_BYTES_MAX, PAGE_MAX
from shared.settings import CommonSettings
from shared.topics import TOPICS

UNITS: Final = 200
UNDER_WAY: Final = 4000
TRACES_RATIO: Final = 0.01
WARM_UP: Final = 0.15
WARM_UP_LIVES_MIN: Final = 6000
"""A broker just started takes so many lives until its code is compiled; before, a life costs it four times
as much. The floor, which comes later, would find it warm."""
OTHERS_SHARE_MAX: Final = 0.10
RATIO_MIN: Final = 25.0
LIVES_PER_SECOND_MIN: Final = 1000.0
ONE_BY_ONE: Final = {
    **{f"{desk.upper()}_BATCH_MAX": "1" for desk in city.DESKS},
    "RELAY_PAGE_MAX": "1",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was fixed: the floor moves with these by a factor of three, so they belong to every figure."""

    lives: int
    warm_up_lives: int
    lives_one_by_one: int
    under_way: int
    units: int
    topics: int
    partitions: dict[str, int]
    batch_max: int
    page_max: int
    batch_bytes_max: int
    gc_threshold: tuple[int, int, int]
    fact_headers: int
    input_headers: int
    traces_ratio: float
    traces: str
    fsync: str
    synchronous_commit: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured."""

    place: Place
    settings: Settings
    system: Lived
    one_by_one: Lived
    floor: Floor
    lives_per_second: dict[str, float]
    cpu_us_per_life: dict[str, float]
    times_one_by_one: float
    share_of_floor: float
    share_of_floor_cpu: float
    """The floor's processor time a life by the system's: what others on the machine take is not in it."""
    warnings: list[str]
    wrong: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    lives: int
    warm_up: int
    lives_one_by_one: int

    @classmethod
    def of(cls, lives: int, *, quick: bool) -> Size:
        """So many measured lives, and what goes with them."""
        warm_up = 2000 if quick else max(WARM_UP_LIVES_MIN, round(lives * WARM_UP))
        return cls(lives=lives, warm_up=warm_up, lives_one_by_one=100 if quick else 400)
