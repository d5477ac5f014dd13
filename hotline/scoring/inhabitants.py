"""How many people live where: dated data, by which requests are divided (F5)."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from shared.ids import UnitId
from shared.text import folded
from shared.text_file import FileUnreadable, text_of

EXAMPLE: Final = "beijing-example-1"
"""The figures that ship with the project; `Population.example` says that they are one."""


class PopulationInvalid(ValueError):  # noqa: N818 -- a state of a file, said to a person
    """Figures that cannot be used; the text names the field and what was expected."""


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A district whose streets' own figures are not known: each is given an even share."""

    people: Annotated[int, msgspec.Meta(ge=0)]
    streets: Annotated[int, msgspec.Meta(ge=1)]


class Count(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One count of the people, on one day."""

    as_of: date
    source: str
    districts: dict[str, Shared] = {}
    units: dict[UnitId, Annotated[int, msgspec.Meta(ge=0)]] = {}
    """Streets and towns of which the figure is known."""


class InhabitantFigures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the figures."""

    version: str
    example: bool
    """Whether they are made up: what is divided by them says so."""
    counts: tuple[Count, ...]

    def at(self, day: date) -> Count | None:
        """The latest count that is not later than this day; None where there is none."""
        known = [count for count in self.counts if count.as_of <= day]
        return max(known, key=lambda count: count.as_of, default=None)


def people_of(count: Count | None, unit: UnitId, district: str) -> int | None:
    """Residents of a street, by its own figure or its district's share; None where nothing is known."""
    if count is None:
        return None
    if unit in count.units:
        return count.units[unit]
    shared = count.districts.get(district)
    return None if shared is None else shared.people // shared.streets


def parsed(text: str) -> InhabitantFigures:
    """The figures this TOML holds; `PopulationInvalid` names what is wrong."""
    try:
        made = msgspec.convert(tomllib.loads(text), InhabitantFigures)
    except ValueError as error:
        message = f"inhabitants: {error}"
        raise PopulationInvalid(message) from error
    # Called as the catalogue calls them, whatever forms of the characters the file has.
    counts = tuple(
        replace(one, districts={folded(name): of for name, of in one.districts.items()})
        for one in made.counts
    )
    return replace(made, counts=counts)


@cache
def population(path: str = "") -> InhabitantFigures:
    """The figures in this file; without a path the example that ships with the project."""
    if path:
        try:
            return parsed(text_of(path, "inhabitants as TOML"))
        except FileUnreadable as error:
            message = f"inhabitants: {error}"
            raise PopulationInvalid(message) from None
    return parsed(files("shared").joinpath(f"data/inhabitants/{EXAMPLE}.toml").read_text(encoding="utf-8"))
