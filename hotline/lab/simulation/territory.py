"""Beijing's whole territory as a dispatch catalogue, from a list of its streets and towns."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import msgspec

from shared.events import Level
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue, CatalogueInvalid, District, Unit, catalogue, parsed
from shared.text_file import FileUnreadable, quoted, rows_in, text_of

VERSION: Final = "beijing-territory-1"

_COLUMNS: Final = ("street_code", "street", "kind", "district_code", "district")
_FUNCTIONAL_ZONE: Final = "功能区"
"""Zones are counted among the streets' codes but are no street and take no orders."""
SHIPPED: Final = "data/territory/beijing-343-streets.json"
_DISTRICT_CODE_LENGTH: Final = 6
_LIST: Final = Path("shared/data/beijing_streets.csv")


def streets_beside_the_project() -> Path | None:
    """The list of streets where a developer has it: in the shared folder beside the project."""
    path = Path(__file__).resolve().parents[4] / _LIST
    return path if path.is_file() else None


def catalogue_here(streets: Path | None) -> Catalogue:
    """The city to live in: over this list of streets, else over the one beside the project, else the example's."""
    listed = streets or streets_beside_the_project()
    return territory(listed) if listed is not None else catalogue()


def whole_city(streets: Path | None) -> Catalogue:
    """The city of a demo: over this list of streets, else over the one that ships with the project."""
    if streets is not None:
        return territory(streets)
    with as_file(files("shared").joinpath(SHIPPED)) as listed:
        return territory(listed)


def territory(streets: Path) -> Catalogue:
    """The example catalogue's departments and subjects over all districts and streets of a list.

    The list is a CSV with the columns street_code, street, kind, district_code, district. Or it is JSON: by district
    the code and the name of each street, whose code begins with its district's.
    Raises `CatalogueInvalid`, which names what the list lacks.
    """
    example = catalogue()
    territorial = {d.unit for d in example.districts.values()}
    territorial |= {unit for d in example.districts.values() for unit in d.streets.values()}
    units = {name: unit for name, unit in example.units.items() if name not in territorial}
    districts: dict[str, District] = {}
    for row in _rows(streets):
        if row["kind"] == _FUNCTIONAL_ZONE:
            continue
        name, street = row["district"], row["street"]
        government = UnitId(f"district-{row['district_code']}")
        office = UnitId(f"street-{row['street_code']}")
        units[government] = Unit(name=f"{name}人民政府", level=Level.DISTRICT)
        units[office] = Unit(name=f"{name}{street}", level=Level.UNIT)
        districts.setdefault(name, District(unit=government, streets={})).streets[street] = office
    if not districts:
        message = f"{streets}: holds no street"
        raise CatalogueInvalid(message)
    made = Catalogue(
        version=VERSION,
        centre=example.centre,
        supervision=example.supervision,
        units=units,
        districts=districts,
        subjects=example.subjects,
    )
    return parsed(msgspec.json.encode(made))


def _rows(streets: Path) -> list[dict[str, str]]:
    if streets.suffix == ".json":
        return list(_rows_of_json(streets))
    what = f"a CSV with the columns {', '.join(_COLUMNS)}"
    try:
        return list(rows_in(text_of(streets, what), quoted(streets), _COLUMNS, "a list of streets"))
    except FileUnreadable as error:
        raise CatalogueInvalid(str(error)) from None


class _ListedStreet(msgspec.Struct, frozen=True):
    code: str
    name: str


def _rows_of_json(streets: Path) -> Iterator[dict[str, str]]:
    try:
        text = text_of(streets, "streets by district as JSON")
        listed = msgspec.json.decode(text, type=dict[str, list[_ListedStreet]])
    except FileUnreadable as error:
        raise CatalogueInvalid(str(error)) from None
    except msgspec.DecodeError as error:
        raise CatalogueInvalid(f"{quoted(streets)}: {error}") from None
    for district, each in listed.items():
        for one in each:
            code = one.code[:_DISTRICT_CODE_LENGTH]
            told = {"street_code": one.code, "street": one.name, "kind": "", "district_code": code}
            yield {**told, "district": district}
