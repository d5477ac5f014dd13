"""`hotline staff`: the people who sign in to the pages, each with one role."""

from __future__ import annotations

import json as json_module
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, answer, demand_words, fail, run
from hotline.terminal import say, say_json
from shared.text import folded_code

if TYPE_CHECKING:
    from deploy.city.kafka_rights import Login
    from deploy.city.registry import City
    from hotline.web.pages.staff import ListedStaff

staff = typer.Typer(
    help="Let people sign in to the pages: with the rights of their role and no others.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


StaffId = Annotated[str, typer.Argument(metavar="ID", help="The person by the id of the list.")]


@staff.command()
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The person's name, as the pages show it. No fact holds it.")
    ],
    role: Annotated[str, typer.Option(help="One of agents, unit, reviewers, dialler, supervision.")],
    unit: Annotated[str, typer.Option(help="Of the role unit: the unit by its id or its name.")] = "",
    agent: Annotated[
        str,
        typer.Option(
            help="Of the role agents: the agent's id or extension, as the telephone system names it."
        ),
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Put a person into the register, and show a link that signs in once.

    The link is valid for a day. `hotline staff link ID` makes a new one.
    """
    demand_words("NAME", name)
    if agent:
        demand_words("--agent", agent)
    made_id, link = run(_add(name.strip(), role, unit, agent.strip()))
    if json:
        say_json(json_module.dumps({"staff_id": made_id, "name": name, "link": link}, ensure_ascii=False))
        return
    say(link)
    say(f"It signs {name} in as {made_id}, once, within a day. It is shown this once.")


@staff.command()
def link(
    staff_id: StaffId,
    *,
    json: Json = False,
) -> None:
    """Make a new link for a person; the earlier ones are void."""
    answer(made := run(_link(staff_id)), json=json, staff_id=staff_id, link=made)


@staff.command()
def agent(
    staff_id: StaffId,
    name: Annotated[
        str,
        typer.Argument(
            metavar="AGENT", help="The agent's id or extension, as the telephone system names it."
        ),
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Say which agent of the telephone system a person is; without AGENT none. A call pops up on the person's page."""
    if name:
        demand_words("AGENT", name)
    run(_agent(staff_id, name.strip()))
    told = (
        f"Calls that {name.strip()} takes pop up for {staff_id}." if name else f"{staff_id} takes no calls."
    )
    answer(told, json=json, staff_id=staff_id, agent=name.strip())


@staff.command("list")
def list_staff(*, json: Json = False) -> None:
    """List everybody: the role, and when the pages were used last."""
    from shared import times

    rows = run(_list())
    if json:
        say_json(json_module.dumps([_row(one) for one in rows], indent=2, ensure_ascii=False))
        return
    for one in rows:
        seen = f"seen {times.shown(one.seen_at, UTC)}Z" if one.seen_at is not None else "not signed in"
        state = f"revoked {times.shown(one.revoked_at, UTC)}Z" if one.revoked_at is not None else seen
        takes = f", agent {one.agent}" if one.agent else ""
        takes += f", account {one.account}" if one.account else ""
        say(f"{one.staff_id}  {one.name}: {f'{one.role} {one.unit}'.rstrip()}{takes}; {state}.")
    if not rows:
        say("Nobody is in the register: `hotline staff add NAME --role ROLE` adds a person.")


@staff.command()
def revoke(
    staff_id: StaffId,
    *,
    json: Json = False,
) -> None:
    """Let a person in no more. Sessions that are open end at once."""
    run(_revoke(staff_id))
    answer(f"{staff_id} cannot sign in any more.", json=json, staff_id=staff_id)


@staff.command()
def readmit(
    staff_id: StaffId,
    *,
    json: Json = False,
) -> None:
    """Let a person of the identity provider in again who was revoked. The next sign-in there opens a session."""
    run(_readmit(staff_id))
    answer(f"{staff_id} may sign in by the identity provider again.", json=json, staff_id=staff_id)


def _login(role: str, unit: str, catalogue_path: str) -> Login:
    from deploy.city.kafka_rights import Login
    from hotline.lookup import unit_named
    from hotline.web.roles import SIGNING_IN
    from shared import roles

    wanted = folded_code(role)
    if wanted not in SIGNING_IN:
        fail(f"--role: {role!r}, expected one of {', '.join(SIGNING_IN)}.", code=2)
    if (wanted == roles.UNIT) != bool(unit):
        fail("--unit goes with the role unit, and the role unit needs it.", code=2)
    return Login(wanted, unit_named(unit, catalogue_path) if unit else "")


async def _add(name: str, role: str, unit: str, agent: str) -> tuple[str, str]:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import add as added
    from hotline.web.pages.staff import name_agent
    from shared import roles
    from shared.log.acts import acting

    city = city_up()
    login = _login(role, unit, city.catalogue)
    if agent and login.role != roles.AGENTS:
        fail("--agent goes with the role agents.", code=2)
    async with acting(city.endpoints.login("operator")) as operator:
        staff_id, secret = await added(operator, name, login)
        if agent:
            await name_agent(operator, staff_id, agent)
    return staff_id, _address(city, secret)


async def _agent(staff_id: str, agent: str) -> None:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import name_agent
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await name_agent(operator, staff_id, agent)


async def _link(staff_id: str) -> str:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import new_link
    from shared.log.acts import acting

    city = city_up()
    async with acting(city.endpoints.login("operator")) as operator:
        return _address(city, await new_link(operator, staff_id))


def _address(city: City, secret: str) -> str:
    """The link of a secret: at the address of this machine, where the city runs here."""
    from hotline.web.pages.gate import sign_in_path

    here = f"http://127.0.0.1:{city.staff_port}" if city.staff_port else "https://PAGES"
    return here + sign_in_path(secret)


async def _list() -> list[ListedStaff]:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import listed
    from shared.log.reading import reader

    connection = await reader(city_up().endpoints.login("reader"))
    try:
        return await listed(connection)
    finally:
        await connection.close()


async def _revoke(staff_id: str) -> None:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import revoke as revoked
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await revoked(operator, staff_id)


async def _readmit(staff_id: str) -> None:
    from deploy.city.registry import city_up
    from hotline.web.pages.staff import readmit as readmitted
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await readmitted(operator, staff_id)


def _row(one: ListedStaff) -> dict[str, object]:
    times = {name: getattr(one, name) for name in ("made_at", "revoked_at", "seen_at")}
    return one._asdict() | {name: at.isoformat() if at is not None else None for name, at in times.items()}
