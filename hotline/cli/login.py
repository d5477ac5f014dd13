"""`hotline login`: logins in Kafka for the systems of others, by the table of topics."""

from __future__ import annotations

import json as json_module
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, answer, fail, run
from hotline.terminal import say, say_json
from shared import roles
from shared.text import folded_code

if TYPE_CHECKING:
    from deploy.city.admission import Admission
    from deploy.city.endpoints import CityEndpoints
    from deploy.city.kafka_rights import Login

login = typer.Typer(
    help="Let a system of somebody else into Kafka: with the rights of its role and no others.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_Role = Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(roles.ROLES)}.")]
_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Of a unit its id. Else a name of its own, where several systems have one role: web, app-2.",
        show_default=False,
    ),
]


@login.command()
def add(role: _Role, name: _Name = "", *, json: Json = False) -> None:
    """Make a login, and show the settings of clients with its password this once.

    The login lasts until it is removed. It may write and read what the table of topics gives its role. A login with a
    NAME speaks on a topic of its own beside the plain one.
    """
    let_in(role, name, json=json)


@login.command("list")
def list_logins(*, json: Json = False) -> None:
    """List the logins of this city: what each may write and read."""
    run(_list(json=json))


@login.command()
def renew(role: _Role, name: _Name = "", *, json: Json = False) -> None:
    """Give a login another password. The old one is void for every new connection."""
    from deploy.city.admission import renew as renewed

    run(_shown(renewed, _asked(role, name), json=json))


@login.command()
def remove(role: _Role, name: _Name = "", *, json: Json = False) -> None:
    """Take a login away, at once for connections that are open too. Its words stay."""
    wanted = _asked(role, name)
    run(_removed(wanted))
    answer(f"The login {wanted.principal} is gone.", json=json, login=wanted.principal)


def let_in(role: str, name: str, *, json: bool) -> None:
    """Make this login and show its settings; ends the command where no such login can be."""
    from deploy.city.admission import admit

    run(_shown(admit, _asked(role, name), json=json))


def _asked(role: str, name: str) -> Login:
    from deploy.city.kafka_rights import Login

    try:
        return Login(folded_code(role), folded_code(name))
    except ValueError as error:
        fail(f"{error}.", code=2)


async def _shown(
    make: Callable[[CityEndpoints, Login], Awaitable[Admission]], wanted: Login, *, json: bool
) -> None:
    from deploy.city import client_settings
    from deploy.city.registry import city_up
    from shared.policy.catalogue import catalogue

    city = city_up()
    made = await make(city.endpoints, wanted)
    if json:
        say_json(json_module.dumps(client_settings.document(made), ensure_ascii=False))
        return
    for line in client_settings.text(made):
        say(line)
    say("")
    say(f"The password is shown this once; `hotline login renew {_typed(wanted)}` gives another.")
    if wanted.role == roles.UNIT and wanted.name not in catalogue(city.catalogue).units:
        say(f"The catalogue has no unit {wanted.name}: nobody dispatches to it yet.")


async def _removed(wanted: Login) -> None:
    from deploy.city.admission import expel
    from deploy.city.registry import city_up

    await expel(city_up().endpoints, wanted)


async def _list(*, json: bool) -> None:
    from deploy.city.admission import listed
    from deploy.city.registry import city_up

    endpoints = city_up().endpoints
    there = await listed(endpoints)
    if json:
        rows = [
            {
                "login": one.principal,
                "role": one.role,
                "name": one.name,
                "writes": [endpoints.prefix + topic for topic in one.topics_spoken],
                "reads": [endpoints.prefix + topic for topic in one.topics_heard],
                "groups": one.groups(endpoints.prefix),
            }
            for one in there
        ]
        say_json(json_module.dumps(rows, indent=2))
        return
    for one in there:
        writes, reads = ", ".join(one.topics_spoken) or "nothing", ", ".join(one.topics_heard) or "nothing"
        say(f"{one.principal}: {roles.ROLES[one.role]}. It may write {writes} and read {reads}.")
    if not there:
        say("No system of somebody else has a login: `hotline login add ROLE` makes one.")
    free = [role for role in roles.ROLES if role not in {one.role for one in there}]
    if free:
        say(f"Roles without a login: {', '.join(free)}.")


def _typed(wanted: Login) -> str:
    return f"{wanted.role} {wanted.name}".rstrip()
