"""`hotline contact`: a contact: put, read, who read it, the public part, shredding; and the citizen's link."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, answer, demand_words, fail, run, stdin_bytes
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import note, say, say_json

if TYPE_CHECKING:
    from services.dispatch.contact_reading import Reading
    from shared.contacts.details import Contact
    from shared.unreadable import UnreadableRows

contact = typer.Typer(
    help="A citizen's contact details: put, show, log, public-key, shred; and the link to the citizen's own page.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Complaint = Annotated[str, typer.Argument(help="The complaint's number, its id or the beginning of it.")]


@contact.command()
def put(
    complaint: Complaint,
    name: Annotated[str, typer.Option(help="The citizen's name.")] = "",
    phone: Annotated[str, typer.Option(help="How he is reached.")] = "",
    callback: Annotated[str, typer.Option(help="Where he wants to be called back, if elsewhere.")] = "",
    agent: Annotated[
        str, typer.Option(help="The agent that took it down; no other agent may read it back.")
    ] = "agent",
    *,
    json: Json = False,
) -> None:
    """Keep the contact of a complaint, sealed, in place of the one before.

    Without --name and --phone they are read from standard input as JSON, {"name": …, "phone": …, "callback": …}.
    Everybody on the machine may read a command line.
    """
    given = {"name": name, "phone": phone, "callback": callback}
    if not name and not phone:
        given = _from_stdin()
    from shared.contacts.details import ContactInvalid, contact_of

    try:
        made = contact_of(given["name"], given["phone"], given["callback"])
    except ContactInvalid as error:
        fail(f"{error}.", code=2)
    demand_words("--agent", agent)
    kept, number = run(_put(complaint, made, agent))
    answer(
        f"The contact of complaint {number} is kept.", json=json, complaint_id=kept, complaint_number=number
    )


def _from_stdin() -> dict[str, str]:
    from shared.text_file import FileUnreadable, text_in

    expected = 'JSON, {"name": …, "phone": …, "callback": …}'
    if sys.stdin is not None and sys.stdin.isatty():
        note(f"Type {expected}, and end it with Ctrl-D. Or give --name and --phone.")
    try:
        read = json_module.loads(text_in(stdin_bytes(), "Standard input", expected))
    except FileUnreadable as error:
        fail(f"{error}.", code=2)
    except (ValueError, RecursionError):
        fail(f"Standard input: expected {expected}.", code=2)
    if not isinstance(read, dict):
        fail(f"Standard input: expected {expected}.", code=2)
    for field in ("name", "phone", "callback"):
        if not isinstance(read.get(field), str | None):
            fail(f"Standard input: {field}: expected text.", code=2)
    return {field: read.get(field) or "" for field in ("name", "phone", "callback")}


@contact.command()
def show(
    complaint: Complaint,
    unit: Annotated[
        str, typer.Option("--as", metavar="UNIT", help="The unit that asks, by its id or name.")
    ] = "",
    agent: Annotated[str, typer.Option(help="Or the agent that asks.")] = "",
    reason: Annotated[
        str, typer.Option(help="Why the assignee of a report or a confidential complaint must know.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Read the contact of a complaint as a unit or an agent; exit 1 where it is refused. Each reading is logged."""
    if bool(unit) == bool(agent):
        fail("Say who asks: --as UNIT or --agent AGENT.", code=2)
    demand_words("--as" if unit else "--agent", unit or agent)
    if reason:
        demand_words("--reason", reason)
    unit, found = run(_show(complaint, unit, agent, reason))
    seen, standing = found.sight
    known: dict[str, Any] = {}
    if found.contact is not None:
        known = {name: getattr(found.contact, name) for name in found.contact.__struct_fields__}
    texts = [{"field": one.field, "mark": one.mark, "number": one.number} for one in found.texts]
    if json:
        told = {"seen": seen, "standing": standing, **known, **({"texts": texts} if texts else {})}
        say_json(json_module.dumps(told, ensure_ascii=False))
    else:
        for field, value in known.items():
            say(f"{field:9} {value or '–'}")
        for one in found.texts:
            say(f"{one.mark} {one.number} ({one.field})")
    if not known and not texts:
        what = "no contact is kept of it" if seen == "NOTHING" else f"refused ({standing})"
        fail(f"{unit or agent}: {what}.")


@contact.command()
def link(
    complaint: Complaint,
    agent: Annotated[str, typer.Option(help="The agent that gives it to the citizen.")] = "agent",
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make none: the link there is opens nothing any more.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a new link to the citizen's own page, and show it this once; the one before is void.

    Call the citizen back under the number you have before you read it out. A person who has it sees the complaint,
    adds to it and takes it back. The access log keeps who made it.
    """
    demand_words("--agent", agent)
    found, number, code = run(_link(complaint, agent, revoke=revoke))
    known = {"complaint_id": found, "complaint_number": number}
    if revoke:
        said = (
            f"The link of complaint {number} is void." if code is None else f"Complaint {number} has no link."
        )
        answer(said, json=json, **known, revoked=code is None)
        return
    from hotline.web.citizen_links import grouped, link_path

    address = _public() + link_path(number, str(code))
    if json:
        say_json(json_module.dumps({**known, "link": address}, ensure_ascii=False))
        return
    say(address)
    say(f"To be read out: number {number}, code {grouped(str(code))}. It is shown this once.")


def _public() -> str:
    """The address of the public listener: of this machine, where the city runs here."""
    from deploy.city.registry import city_up

    city = city_up()
    return f"http://127.0.0.1:{city.public_port}" if city.public_port else "https://PUBLIC"


async def _link(complaint: str, agent: str, *, revoke: bool) -> tuple[str, str, str | None]:
    """The complaint, its number, and the code of a new link; with `revoke` None where one was made void, else ""."""
    from deploy.city.registry import city_up
    from hotline.web.citizen_links import made, number_for, revoked
    from shared.log.acts import acting

    found = await _id_of(complaint)
    async with acting(city_up().endpoints.login("agent")) as acts:
        number = await number_for(acts, found)
        if revoke:
            return str(found), number, None if await revoked(acts, found, agent) else ""
        return str(found), number, await made(acts, found, agent)


@contact.command("log")
def log_(complaint: Complaint, *, json: Json = False) -> None:
    """Print who read the contact of a complaint or was refused, oldest first."""
    from deploy.city.registry import city_up
    from shared import times

    rows = run(_logged(complaint))
    if json:
        told = [{**row, "at": row["at"].isoformat()} for row in rows]
        say_json(json_module.dumps(told, indent=2, ensure_ascii=False))
        return
    zone = times.zone_of(city_up().ruleset)
    for row in rows:
        why = f"  {row['reason']}" if row["reason"] else ""
        say(
            f"{times.shown(row['at'], zone, seconds=True)}  {row['outcome']:8} {row['who']} "
            f"({row['as_a']}, {row['standing']}, {row['through']}){why}"
        )
    if not rows:
        say("Nobody has put, read or shredded a contact of it.")


@contact.command("public-key")
def public_key(*, json: Json = False) -> None:
    """Print the public part of the contacts' master key: the HTTP door seals with it, and nobody opens anything."""
    from deploy.city.registry import city_up
    from hotline.contact_details import key_of
    from shared.contacts.details import public_written

    part = public_written(key_of(city_up()))
    answer(part, json=json, public_key=part)


@contact.command()
def shred(
    complaint: Annotated[str, typer.Argument(help="One complaint; without it all that are due.")] = "",
    reason: Annotated[str, typer.Option(help="Why; needed for one complaint.")] = "",
    *,
    json: Json = False,
) -> None:
    """Delete keys, so that those contacts are never read again: by the retention times of the rule set, or one.

    A contact that came over HTTP goes a day later where its request was never put on record.

    A backup from before still holds the key: shred again after a restore.
    """
    if complaint or reason:
        demand_words("--reason", reason)
    unread = none_unread()
    gone = run(_shred(complaint, reason or "retention", unread))
    answer(f"{gone:,} contact{'' if gone == 1 else 's'} shredded.", json=json, shredded=gone)
    tell_unread(unread, json=json)


async def _id_of(complaint: str) -> Any:
    from deploy.city.registry import city_up
    from hotline.lookup import id_named
    from shared.log.reading import reader

    connection = await reader(city_up().endpoints.logins["reader"])
    try:
        return await id_named(connection, complaint)
    finally:
        await connection.close()


async def _put(complaint: str, made: Contact, agent: str) -> tuple[str, str]:
    from deploy.city.registry import city_up
    from hotline.contact_details import Keys, callers_key_of, key_of
    from hotline.contact_details import put as kept

    city = city_up()
    found = await _id_of(complaint)
    keys = Keys(key_of(city), callers_key_of(city))
    return str(found), await kept(city.endpoints.login("agent"), keys, found, made, agent)


async def _show(complaint: str, named: str, agent: str, reason: str) -> tuple[str, Reading]:
    import asyncpg

    from deploy.city.registry import city_up
    from hotline.contact_details import key_of
    from hotline.lookup import unit_named
    from services.dispatch.contact_policy import Asker
    from services.dispatch.contact_reading import WAITING, read
    from shared.contacts.details import CannotUnseal
    from shared.ids import UnitId
    from shared.runtime.errors import UserError

    city = city_up()
    found = await _id_of(complaint)
    unit = unit_named(named, city.catalogue) if named else UnitId("")
    asker = Asker(unit) if unit else Asker(agent=agent)
    login = city.endpoints.login("staff" if unit else "agent")
    connection = await asyncpg.connect(login, timeout=10, server_settings=WAITING)
    try:
        return unit, await read(connection, key_of(city), found, asker, through="COMMAND", reason=reason)
    except CannotUnseal as error:
        raise UserError(f"It cannot be read: {error}.") from None
    finally:
        await connection.close()


async def _logged(complaint: str) -> list[dict[str, Any]]:
    from deploy.city.registry import city_up
    from hotline.contact_details import accesses
    from shared.log.reading import reader

    found = await _id_of(complaint)
    connection = await reader(city_up().endpoints.logins["reader"])
    try:
        return await accesses(connection, found)
    finally:
        await connection.close()


async def _shred(complaint: str, reason: str, unread: UnreadableRows) -> int:
    from deploy.city.registry import city_up
    from hotline.client import now_of
    from hotline.contact_details import overdue
    from hotline.contact_details import shred as shredded
    from shared.log.acts import acting
    from shared.policy.ruleset import ruleset

    city = city_up()
    async with acting(city.endpoints.login("operator")) as operator:
        if complaint:
            due = [await _id_of(complaint)]
        else:
            due = await overdue(operator, await now_of(city), unread, ruleset(city.ruleset))
        return await shredded(operator, due, reason)
