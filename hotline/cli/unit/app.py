"""The group of commands; each command registers itself where it stands. And the way to the city: Kafka, or HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from hotline.cli.run import fail
from hotline.terminal import note

if TYPE_CHECKING:
    from hotline.department.door import UnitDoor

commands: Final = typer.Typer(
    help="Be a department: see your orders, answer them, ask for what you cannot settle alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class HttpWay(NamedTuple):
    """The HTTP door that was named, and the file of the unit's key."""

    address: str
    key_file: str


WAY: Final[ContextVar[HttpWay | None]] = ContextVar("way", default=None)
"""None: the city is at hand, and Kafka is spoken to."""


@commands.callback()
def over(
    http: Annotated[
        str,
        typer.Option(
            "--http",
            metavar="URL",
            envvar="HOTLINE_HTTP",
            help="From anywhere: the staff's HTTP door of the city.",
        ),
    ] = "",
    key: Annotated[
        str,
        typer.Option(
            "--key",
            metavar="FILE",
            envvar="HOTLINE_KEY",
            help="The file of your key; it says which unit you are.",
        ),
    ] = "",
) -> None:
    """Be a department: see your orders, answer them, ask for what you cannot settle alone."""
    if bool(http) != bool(key):
        fail("Say both --http URL and --key FILE, or none of them.", code=2)
    if http:
        WAY.set(HttpWay(http, key))


@asynccontextmanager
async def unit_door() -> AsyncIterator[UnitDoor]:
    """The way to the city that was named; `UserError` in one sentence where it leads nowhere."""
    way = WAY.get()
    if way is None:
        from deploy.city.registry import city_up
        from hotline.department.by_kafka import KafkaDoor

        yield KafkaDoor(city_up())
        return
    from hotline.department.by_http import opened
    from shared.runtime.settings import read_secret

    async with opened(way.address, read_secret(way.key_file).strip(), note) as door:
        yield door


def demand_unit(unit: str) -> None:
    """End here where nobody says who speaks: over Kafka a person does, over HTTP the key."""
    if not unit and WAY.get() is None:
        fail("Missing option '--unit': say which unit you are. Over HTTP the key says it.", code=2)
