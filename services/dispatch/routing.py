"""Which unit answers for what (D1): the catalogue's line for the subject, else the district's government."""

from __future__ import annotations

from typing import NamedTuple

from shared.events.base import Level
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue, Subject, To


class Routed(NamedTuple):
    """Where a complaint goes and by which line of the catalogue."""

    unit: UnitId
    level: Level
    rule: str
    co_units: tuple[UnitId, ...] = ()
    """The units that must help it (R12), the unit itself not among them."""


def routed(catalogue: Catalogue, subject: str, district: str, street: str | None) -> Routed:
    """The unit that must act. Always somebody: street or named unit, else the district, else the centre."""
    line = catalogue.subjects.get(subject)
    to = _routed_by(catalogue, line, subject, district, street)
    if line is None or not line.co_units:
        return to
    return to._replace(co_units=tuple(unit for unit in line.co_units if unit != to.unit))


def assigned(catalogue: Catalogue, unit: UnitId) -> Routed:
    """To the unit a district's government named (D1)."""
    return _routed(catalogue, unit, "assigned by the district")


def by_council(catalogue: Catalogue, unit: UnitId) -> Routed:
    """To the unit a council named."""
    return _routed(catalogue, unit, "named by a council")


def with_first(catalogue: Catalogue, unit: UnitId, co_units: tuple[UnitId, ...]) -> Routed | None:
    """To the unit that has the first complaint of the same matter, with its helpers (R12); None where it is no unit."""
    if unit not in catalogue.units:
        return None
    to = _routed(catalogue, unit, "with the first of its matter")
    return to._replace(co_units=tuple(one for one in co_units if one != unit))


def to_supervision(catalogue: Catalogue, accused: UnitId) -> Routed:
    """A report of retaliation (R9): to municipal supervision; is that accused itself, to the centre."""
    unit = catalogue.centre if accused == catalogue.supervision else catalogue.supervision
    return Routed(unit, Level.MUNICIPAL, f"{catalogue.version}: retaliation→supervision")


def _routed_by(
    catalogue: Catalogue, line: Subject | None, subject: str, district: str, street: str | None
) -> Routed:
    territory = catalogue.districts.get(district)
    if line is not None and line.to is To.UNIT and line.unit is not None:
        return _routed(catalogue, line.unit, f"{subject}→unit")
    if line is not None and line.to is To.STREET and territory is not None and street is not None:
        unit = territory.streets.get(street)
        if unit is not None:
            return _routed(catalogue, unit, f"{subject}→street")
    if territory is not None:
        return _routed(catalogue, territory.unit, f"{subject}→district")
    return _routed(catalogue, catalogue.centre, f"{subject}→centre")


def after_return(
    catalogue: Catalogue, wished: tuple[UnitId | None, ...], district: str, present: UnitId
) -> Routed:
    """Where a returned order goes: the first wish the catalogue knows, else the district, else the centre."""
    for unit in (*wished, catalogue.district_unit(district), catalogue.centre):
        if unit is not None and unit != present and unit in catalogue.units:
            return _routed(catalogue, unit, "return")
    return _routed(catalogue, catalogue.centre, "return")


def _routed(catalogue: Catalogue, unit: UnitId, rule: str) -> Routed:
    return Routed(unit, catalogue.level_of(unit), f"{catalogue.version}: {rule}")
