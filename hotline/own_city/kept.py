"""The data of its own that a city keeps beside its log: each version of its rules for ever, of all else the newest.

cities/NAME/
    catalogue.json          its catalogue
    data/current.json       which rule set and calendar new complaints are born under
    data/rulesets/, data/calendar/      each version it was ever given
    data/inhabitants.toml, data/map.toml and its outlines
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from deploy.city.registry import City
from deploy.embedded.atomic import write_atomically
from hotline.own_city import layout
from hotline.own_city.check import OwnCity
from hotline.upkeep.backup import CATALOGUE_FILE, DATA_FOLDER
from shared.policy.own_versions import CALENDARS, RULESETS, look_in
from shared.runtime.errors import UserError
from shared.text_file import bytes_of

_CURRENT: Final = "current.json"


class CurrentVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that new complaints are born under."""

    ruleset: str
    calendar: str


def refuse_changed(home: Path, own: OwnCity) -> None:
    """`UserError` where a version that the city keeps would get other content: complaints were born under it."""
    for file, text in _versions(home, own).items():
        if file.exists() and bytes_of(file, "a version that is kept").decode() != text:
            raise UserError(
                f"{file.parent.name}: version '{file.stem}' is kept with other content: expected a new version."
            )


def keep(home: Path, own: OwnCity) -> None:
    """Keep what a folder that holds has; see `refuse_changed`, which comes first."""
    assert own.ruleset is not None  # noqa: S101 -- the folder holds
    data = home / DATA_FOLDER
    outlines = str(tomllib.loads(own.texts[layout.MAP])["outlines"])
    plain = {data / name: own.texts[name] for name in (layout.INHABITANTS, layout.MAP, outlines)}
    plain[home / CATALOGUE_FILE] = own.texts[layout.CATALOGUE]
    current = CurrentVersions(ruleset=own.ruleset.version, calendar=own.calendar)
    for file, text in (*_versions(home, own).items(), *plain.items()):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text, mode=0o644)
    write_atomically(data / _CURRENT, msgspec.json.encode(current).decode(), mode=0o644)


def with_kept(city: City, home: Path) -> City:
    """The city with the data of its own that it keeps; as it is where it keeps none."""
    data = home / DATA_FOLDER
    current = current_in(home)
    if current is None:
        return city
    return replace(
        city,
        ruleset=current.ruleset,
        calendar=current.calendar,
        policy=str(data),
        map=str(data / layout.MAP),
        inhabitants=str(data / layout.INHABITANTS),
    )


def current_in(home: Path) -> CurrentVersions | None:
    """The versions that new complaints of this city are born under; None where it keeps none of its own.

    From now on its own versions are found.
    """
    file = home / DATA_FOLDER / _CURRENT
    if not file.exists():
        return None
    look_in(home / DATA_FOLDER)
    return msgspec.json.decode(bytes_of(file, "versions as JSON"), type=CurrentVersions)


def _versions(home: Path, own: OwnCity) -> Mapping[Path, str]:
    assert own.ruleset is not None  # noqa: S101 -- the folder holds
    data = home / DATA_FOLDER
    return {
        data / RULESETS.format(version=own.ruleset.version): own.texts[layout.RULESET],
        data / CALENDARS.format(version=own.calendar): own.texts[layout.CALENDAR],
    }
