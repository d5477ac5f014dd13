"""The dispatch catalogue (派单目录, Q2) as versioned data: units, territory, and who answers for what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from shared.events.base import Level
from shared.ids import UnitId, derived
from shared.policy.entry_lines import twice_in
from shared.policy.flaws import Flaw, Path, first_of
from shared.text import folded, has_words, shown
from shared.text_file import FileUnreadable, text_of
from shared.topic_names import UNIT_NAME

T = TypeVar("T")

EXAMPLE: Final = "beijing-example-1"
"""The catalogue that ships with the project: real territory names, an example of who answers for what."""

SERVICE_CODE: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$")
"""The form of a subject's code. It stands in addresses, which some clients build without escaping."""
CODE_DIGITS: Final = 12
"""Hexadecimal digits of a code made of a name: of a thousand subjects two are alike once in 500 million catalogues."""


class CatalogueInvalid(ValueError):  # noqa: N818 -- a state of a file, said to a person
    """A catalogue that cannot be used; the text names the entry and what was expected."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that can be sent work orders."""

    name: str
    level: Level


class District(msgspec.Struct, frozen=True, kw_only=True):
    """A district: its government, and its streets and towns by name."""

    unit: UnitId
    streets: dict[str, UnitId] = {}


class To(StrEnum):
    """The unit that answers for a subject."""

    STREET = "street"
    """The street or town it happened in."""
    DISTRICT = "district"
    """The government of the district it happened in."""
    UNIT = "unit"
    """One named unit, wherever it happened."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The unit that answers for one subject, and its helpers."""

    to: To
    unit: UnitId | None = None
    co_units: tuple[UnitId, ...] = ()
    """The units that must help the one that leads (R12)."""
    code: str = ""
    """The ASCII code by which systems outside name it, kept for ever; empty: one made of its name (`code_of`)."""
    name_en: str = ""
    """Its name in English; empty: there is none."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the catalogue."""

    version: str
    centre: UnitId
    """The hotline's own desk: takes what nobody else can be named for."""
    supervision: UnitId
    """Municipal supervision (督办): the top of the ladder."""
    leaders: dict[UnitId, str] = {}
    """The people that answer by name for a unit's supervision (督办)."""
    units: dict[UnitId, Unit]
    districts: dict[str, District]
    subjects: dict[str, Subject]

    def code_of(self, subject: str) -> str:
        """The code of a subject; one that is not listed, or has no code of its own, has one made of its name."""
        known = self.subjects.get(subject)
        return known.code if known is not None and known.code else made_code(subject)

    def district_unit(self, district: str) -> UnitId:
        """The government of a district; for a name the catalogue does not know, the hotline's own desk."""
        known = self.districts.get(district)
        return self.centre if known is None else known.unit

    def unlisted(self, subject: str, district: str, street: str | None) -> tuple[str, ...]:
        """Which of them it does not know; of a street in a district it does not know nothing can be said."""
        known = self.districts.get(district)
        amiss = (
            ("subject", subject not in self.subjects),
            ("district", known is None),
            ("street", known is not None and street is not None and street not in known.streets),
        )
        return tuple(name for name, unknown in amiss if unknown)

    def leader_of(self, unit: UnitId) -> str:
        """The person that answers for it by name; where nobody is named, the unit itself."""
        return self.leaders.get(unit) or self.units[unit].name

    def names_of(self, unit: UnitId) -> Iterator[str]:
        """All that people call a unit: its id, its name, its street or district, and who answers for it."""
        yield unit
        if unit in self.units:
            yield self.units[unit].name
        for name, district in self.districts.items():
            if district.unit == unit:
                yield name
            for street, office in district.streets.items():
                if office == unit:
                    yield street
        if unit in self.leaders:
            yield self.leaders[unit]

    def is_street(self, unit: UnitId) -> bool:
        """Whether it is a street or town: who may whistle (G1)."""
        return any(unit in d.streets.values() for d in self.districts.values())

    def streets_under(self, unit: UnitId) -> frozenset[UnitId]:
        """The streets and towns of the district this unit governs; none for a unit that governs no district."""
        return frozenset(
            street for d in self.districts.values() if d.unit == unit for street in d.streets.values()
        )

    def level_of(self, unit: UnitId) -> Level:
        """The level a unit stands on."""
        return self.units[unit].level


def made_code(subject: str) -> str:
    """The code of a subject that was given none: as long as its name stays, so does the code."""
    return f"s-{derived('service', subject).replace('-', '')[:CODE_DIGITS]}"


def parsed(text: bytes) -> Catalogue:
    """The catalogue this JSON holds; `CatalogueInvalid` names what is wrong."""
    try:
        catalogue = msgspec.json.decode(text, type=Catalogue)
    except msgspec.DecodeError as error:
        message = f"catalogue: {error}"
        raise CatalogueInvalid(message) from error
    if (flaw := first_of((*twice_in(text), *flaws(catalogue)))) is not None:
        message = f"catalogue: {flaw.sentence}"
        raise CatalogueInvalid(message)
    return _in_one_form(catalogue)


def flaws(catalogue: Catalogue) -> Iterator[Flaw]:
    """All that cannot be in a catalogue whose shape is right."""
    yield from _names_alike(catalogue.districts, ("districts",))
    for name, district in catalogue.districts.items():
        yield from _names_alike(district.streets, ("districts", name, "streets"))
    yield from _names_alike(catalogue.subjects, ("subjects",))
    for name, subject in catalogue.subjects.items():
        if (subject.to is To.UNIT) != (subject.unit is not None):
            yield Flaw(("subjects", name), "a unit is named exactly when `to` is 'unit'")
    for place, unit in _named(catalogue):
        if unit not in catalogue.units:
            yield Flaw(place, f"unit '{shown(unit)}' is not among `units`")
    yield from _codes_alike(catalogue)
    for unit in catalogue.units:
        if not UNIT_NAME.fullmatch(unit):
            yield Flaw(("units", unit), f"expected {UNIT_NAME.pattern}, it stands in a topic's name")


def _named(catalogue: Catalogue) -> Iterator[tuple[Path, UnitId]]:
    """Each place that names a unit, and which."""
    yield ("centre",), catalogue.centre
    yield ("supervision",), catalogue.supervision
    yield from ((("leaders", unit), unit) for unit in catalogue.leaders)
    for name, district in catalogue.districts.items():
        yield ("districts", name, "unit"), district.unit
        yield from (
            (("districts", name, "streets", street), unit) for street, unit in district.streets.items()
        )
    for name, subject in catalogue.subjects.items():
        if subject.unit is not None:
            yield ("subjects", name, "unit"), subject.unit
        yield from ((("subjects", name, "co_units", n), unit) for n, unit in enumerate(subject.co_units))


def _codes_alike(catalogue: Catalogue) -> Iterator[Flaw]:
    """Each code that is none, or is another subject's already."""
    owners: dict[str, str] = {}
    for name, subject in catalogue.subjects.items():
        code = subject.code or made_code(folded(name))
        if not SERVICE_CODE.fullmatch(code):
            yield Flaw(("subjects", name, "code"), f"expected {SERVICE_CODE.pattern}")
        elif code in owners:
            yield Flaw(("subjects", name, "code"), f"'{code}' is the code of '{shown(owners[code])}' already")
        owners.setdefault(code, name)


def _names_alike(named: dict[str, T], place: Path) -> Iterator[Flaw]:
    """Each name that nobody can read, or that is another's in one form."""
    found: set[str] = set()
    for name in named:
        if not has_words(name) or folded(name) in found:
            yield Flaw(place, f"'{shown(name)}': expected a name that can be read and is no other's")
        found.add(folded(name))


def _in_one_form(catalogue: Catalogue) -> Catalogue:
    """With districts, streets and subjects called as requests are recorded."""
    districts = {
        name: replace(district, streets=_folded(district.streets))
        for name, district in _folded(catalogue.districts).items()
    }
    return replace(catalogue, districts=districts, subjects=_folded(catalogue.subjects))


def _folded(named: dict[str, T]) -> dict[str, T]:
    return {folded(name): one for name, one in named.items()}


def text_in_file(path: str | FilePath) -> str:
    """A user's catalogue as it is to be parsed and kept; `CatalogueInvalid` where it is no text."""
    try:
        return text_of(path, "a catalogue as JSON")
    except FileUnreadable as error:
        message = f"catalogue: {error}"
        raise CatalogueInvalid(message) from None


@cache
def catalogue(path: str = "") -> Catalogue:
    """The catalogue in this file; without a path the example that ships with the project."""
    if path:
        return parsed(text_in_file(path).encode())
    return parsed(files("shared").joinpath(f"data/catalogue/{EXAMPLE}.json").read_bytes())
