"""Finds the city that a command means: the stack's folder, the files in it, and the programs that run on it.

.stack/
    city.json               which city is current, how it is served, its logins (its owner alone reads it)
    cities/NAME/            its catalogue and other data of its own (`data`), its log's anchors,
                            its contacts' master key, its services' logs
    restarts.json           how often the supervisor brought each service back
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from deploy.city import deployed
from deploy.city.endpoints import CityEndpoints
from deploy.city.served import AS_EVERYWHERE, Served
from deploy.embedded import child
from deploy.embedded.atomic import write_atomically
from deploy.embedded.stack import Addresses, Stack
from deploy.embedded.state import read_roster, read_state
from shared.policy.own_versions import look_in
from shared.runtime import kafka_address, postgres_address
from shared.runtime.errors import UserError
from shared.versions import CALENDAR, RULESET

DEFAULT_CITY: Final = "hotline"
"""The city of an `up` that names none."""
CITY_FILE: Final = "city.json"
RESTARTS_FILE: Final = "restarts.json"
ANCHORS_FILE: Final = "anchors.jsonl"
CONTACTS_KEY_FILE: Final = "contacts.key"
CONTACTS_PUBLIC_FILE: Final = "contacts.public"
"""The public part of the contacts' key, which seals and opens nothing."""
CALLERS_KEY_FILE: Final = "callers.key"
CITY_NAME: Final = re.compile(r"^[a-z][a-z0-9_]{0,30}$")
"""The shape of a city's name: it stands in a database, in roles and before topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A city and how it is served."""

    endpoints: CityEndpoints
    served: Served = AS_EVERYWHERE
    ruleset: str = RULESET
    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    calendar: str = CALENDAR
    """The calendar new complaints are pinned to."""
    policy: str = ""
    """Folder of rule sets and calendars of its own; empty: it has none."""
    map: str = ""
    """Path of the map of its districts; empty: the example that ships with the project."""
    inhabitants: str = ""
    """Path of its inhabitants; empty: the example."""
    traces_ratio: float = 0.01
    logs: str = ""
    """Folder of the services' logs."""
    one_process: bool = False
    """Whether all desks sit in one process."""
    public_port: int = 0
    """The port of the HTTP door for systems of citizens and callers; 0: not taken yet."""
    staff_port: int = 0
    """Its port for those who act on complaints."""
    prometheus_port: int = 0
    """The port of a Prometheus that reads this city and runs with it; 0: none does."""


def folder() -> Path:
    """The stack's folder: HOTLINE_STACK, else `.stack` here."""
    return Path(os.environ.get("HOTLINE_STACK") or ".stack")


def typed(command: str, where: Path | None = None) -> str:
    """The command a person has to type so that it means this folder."""
    at = where or folder()
    told = os.environ.get("HOTLINE_STACK")
    same = at.absolute() == (Path(told) if told else Path(".stack")).absolute()
    return f"`hotline {command}`" if same else f"`HOTLINE_STACK={at} hotline {command}`"


def up_again(where: Path | None = None) -> str:
    """The `up` that opens the city this folder served last: a plain one would open the city `hotline`."""
    try:
        city = remembered(where)
    except UserError:
        city = None
    return "up" if city is None or city.endpoints.name == DEFAULT_CITY else f"up --city {city.endpoints.name}"


def city_folder(name: str, where: Path | None = None) -> Path:
    """The files of one city in the stack's folder."""
    return (where or folder()).absolute() / "cities" / name


def find_city(where: Path | None = None) -> CityEndpoints:
    """Where the city that is up is reached; `UserError` in one sentence where none is."""
    return city_up(where).endpoints


def city_up(where: Path | None = None) -> City:
    """The city that is up, and how it is served; `UserError` in one sentence where none is."""
    if where is None and deployed.is_told():
        return _deployed()
    at = where or folder()
    addresses = Stack.addresses_of(at)
    if addresses is None:
        raise UserError(f"The stack is not up: {typed(up_again(at), at)} starts it.")
    city = remembered(at)
    if city is None:
        raise UserError(f"The stack is up, but no city lives on it: {typed('up', at)} starts one.")
    return replace(city, endpoints=_at(addresses, city.endpoints))


def remembered(where: Path | None = None) -> City | None:
    """The city this folder's stack served last, whether anything runs or not; None where there was none."""
    file = (where or folder()) / CITY_FILE
    try:
        city = msgspec.json.decode(file.read_bytes(), type=City)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise UserError(f"{file} cannot be read ({error}): remove it and start the city again.") from None
    look_in(city.policy)
    return city


def remember_city(city: City, where: Path | None = None) -> None:
    """Write down which city is current; the file holds logins and is the owner's alone."""
    write_atomically((where or folder()) / CITY_FILE, json.dumps(asdict(city), indent=2) + "\n", mode=0o600)


def anything_runs(where: Path | None = None) -> bool:
    """Whether a part or a service that this folder knows is alive."""
    at = where or folder()
    ours = (*read_state(at).running.values(), *read_roster(at).services.values())
    return any(child.is_alive(process) for process in ours)


def supervised(where: Path | None = None) -> bool:
    """Whether somebody keeps services alive on this stack."""
    supervisor = read_roster(where or folder()).supervisor
    return supervisor is not None and child.is_alive(supervisor)


def _deployed() -> City:
    told = deployed.Settings()
    look_in(told.policy)
    return City(
        endpoints=deployed.endpoints_of(told),
        ruleset=told.ruleset,
        catalogue=told.catalogue,
        calendar=told.calendar,
        policy=told.policy,
        inhabitants=told.inhabitants,
        logs=str(told.secrets / "logs"),  # beside it lies the contacts' key; logs are the engine's here
    )


def _at(addresses: Addresses, endpoints: CityEndpoints) -> CityEndpoints:
    """The endpoints where its stack is reached now: a port that somebody took while it was down has moved."""
    owner = addresses.database(endpoints.name)
    host = urlsplit(owner).netloc.rpartition("@")[2]
    logins = {name: postgres_address.moved(dsn, host) for name, dsn in endpoints.logins.items()}
    return replace(
        endpoints,
        kafka=addresses.kafka,
        owner_dsn=owner,
        logins=logins,
        kafka_logins={
            name: kafka_address.moved(address, addresses.kafka)
            for name, address in endpoints.kafka_logins.items()
        },
        zipkin=addresses.zipkin,
    )
