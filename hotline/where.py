"""Which city is meant: the stack's folder, and what runs on it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from hotline.realm import Realm
from hotline.stack.atomic import write_atomically
from hotline.stack.errors import StackError
from hotline.stack.stack import Stack

CITY_FILE: Final = "city.json"
NOT_UP: Final = "The stack is not up: `hotline up` starts it."


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A city and how its services were started."""

    realm: Realm
    time: Literal["system", "rehearsal"] = "system"
    ruleset: str = "beijing-draft-2021"
    catalogue: str = ""
    traces_ratio: float = 0.01


def folder() -> Path:
    """The stack's folder: HOTLINE_STACK, else `.stack` here."""
    return Path(os.environ.get("HOTLINE_STACK") or ".stack")


def find_city() -> Realm:
    """Where the city that is up is reached; `StackError` in one sentence where none is."""
    return city_up().realm


def city_up() -> City:
    """The city that is up, and how it was started; `StackError` in one sentence where none is."""
    where = folder()
    addresses = Stack.addresses_of(where)
    if addresses is None:
        raise StackError(NOT_UP)
    try:
        raw = (where / CITY_FILE).read_bytes()
    except FileNotFoundError:
        raise StackError("The stack is up, but no city lives on it: `hotline up` starts one.") from None
    city = msgspec.json.decode(raw, type=City)
    return City(
        realm=Realm(
            name=city.realm.name,
            kafka=addresses.kafka,
            owner_dsn=addresses.database(city.realm.name),
            logins=city.realm.logins,
            zipkin=addresses.zipkin,
        ),
        time=city.time,
        ruleset=city.ruleset,
        catalogue=city.catalogue,
        traces_ratio=city.traces_ratio,
    )


def remember_city(city: City) -> None:
    """Write down which city is up; the file holds logins and is the owner's alone."""
    file = folder() / CITY_FILE
    write_atomically(file, msgspec.json.encode(asdict(city)).decode(), mode=0o600)


def forget_city() -> None:
    """No city is up any more."""
    (folder() / CITY_FILE).unlink(missing_ok=True)
