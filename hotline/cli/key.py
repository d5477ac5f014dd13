"""`hotline key`: keys of HTTP for the systems of others, each a credential of one login of a role."""

from __future__ import annotations

import json as json_module
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, answer, demand_words, fail, run
from hotline.terminal import say, say_json
from shared.text import folded_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from deploy.city.kafka_rights import Login
    from hotline.web.keys import ListedKey, ListedSecret
    from hotline.web.signing import MadeSecret

key = typer.Typer(
    help="Let a system of somebody else in over HTTP: with the rights of its role and no others.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_RATE_MAX = 1_000_000


@key.command()
def add(
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE",
            help="One of telephony, agents, unit, reviewers, dialler, supervision.",
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Of a unit its id. Else a name of its own, where several systems have one role: web, app-2.",
            show_default=False,
        ),
    ] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this: events, acts, read, read:all, contacts; again for one more. Without it the first three."
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A CloudEvents source it may speak for; again for one more.", show_default="/ROLE/NAME"
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(help="Events and requests a second.", min=1, max=_RATE_MAX, show_default="100"),
    ] = None,
    note: Annotated[str, typer.Option(help="A note on its owner, in words.")] = "",
    *,
    json: Json = False,
) -> None:
    """Make a key of a role, and show it this once.

    A key says and reads what a login of its role in Kafka would. With a NAME it speaks on a topic of its own.
    """
    from hotline.web.keys import usual_source
    from hotline.web.limits import RATE_PER_SECOND
    from hotline.web.roles import usual_scopes

    wanted = _asked(role, name)
    scopes = _scopes(wanted.role, scope or usual_scopes(wanted.role))
    sources = tuple(source or (usual_source(wanted),))
    for one in sources:
        demand_words("--source", one)
    typed = run(_add(wanted, scopes, sources, rate or RATE_PER_SECOND, note))
    key_id = typed.partition(".")[0]
    if json:
        told = {"key": typed, "key_id": key_id, "role": wanted.role, "name": wanted.name}
        more = {"scopes": list(scopes), "sources": list(sources), "rate": rate or RATE_PER_SECOND}
        say_json(json_module.dumps(told | more, ensure_ascii=False))
        return
    say(typed)
    say(f"It may {', '.join(scopes)}, and speaks for {', '.join(sources)}. It is shown this once.")


@key.command("list")
def list_keys(*, json: Json = False) -> None:
    """List every key: whose it is, what it may, when it was used last."""
    from shared import times

    rows, secrets = run(_list())
    if json:
        told = [_row(one, [it for it in secrets if it.key_id == one.key_id]) for one in rows]
        say_json(json_module.dumps(told, indent=2, ensure_ascii=False))
        return
    for one in rows:
        used = f"last used {times.shown(one.used_at, UTC)}Z" if one.used_at is not None else "never used"
        state = f"revoked {times.shown(one.revoked_at, UTC)}Z" if one.revoked_at is not None else used
        whose = f" ({one.note})" if one.note else ""
        say(
            f"{one.key_id}  {f'{one.role} {one.name}'.rstrip()}{whose}: {', '.join(one.scopes)}, "
            f"{one.rate} a second; {state}."
        )
        for it in secrets:
            if it.key_id == one.key_id and it.revoked_at is None:
                say(f"    signs with secret {it.secret_id}, made {times.shown(it.made_at, UTC)}Z.")
    if not rows:
        say("Nobody has a key: `hotline key add ROLE` makes one.")


@key.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the dot.")],
    *,
    json: Json = False,
) -> None:
    """Make a key void for good. Within two seconds nobody answers it any more."""
    gone = key_id.partition(".")[0]
    run(_revoke(gone))
    answer(f"The key {gone} is void.", json=json, key_id=gone)


@key.command()
def secret(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the dot.")],
    *,
    json: Json = False,
) -> None:
    """Make a secret with which the key's owner signs, by Standard Webhooks, and show it this once.

    The secrets it has stay valid: the owner changes over, then `hotline key drop` makes the old one void.
    """
    from hotline.web.paths import SIGNED

    made = run(_secret(key_id.partition(".")[0]))
    if json:
        say_json(json_module.dumps({"secret": made.typed, "secret_id": made.secret_id}))
        return
    say(made.typed)
    say(
        f"Secret {made.secret_id}: POST {SIGNED.format(key=key_id.partition('.')[0])}. It is shown this once."
    )


@key.command()
def drop(
    secret_id: Annotated[str, typer.Argument(metavar="SECRET", help="The secret's id, as `list` shows it.")],
    *,
    json: Json = False,
) -> None:
    """Make a secret void for good. Within two seconds nobody takes its signatures any more."""
    run(_drop(secret_id))
    answer(f"The secret {secret_id} is void.", json=json, secret_id=secret_id)


def _asked(role: str, name: str) -> Login:
    """The login the key is a credential of; ends the command where there can be none."""
    from deploy.city.kafka_rights import Login
    from hotline.web.roles import LISTENER_OF

    wanted = folded_code(role)
    if wanted not in LISTENER_OF:
        fail(f"No role {wanted!r} speaks: expected one of {', '.join(LISTENER_OF)}.", code=2)
    try:
        return Login(wanted, folded_code(name))
    except ValueError as error:
        fail(f"{error}.", code=2)


def _scopes(role: str, asked: Sequence[str]) -> tuple[str, ...]:
    from hotline.web.roles import SCOPES_OF

    known = SCOPES_OF[role]
    for one in asked:
        if one not in known:
            fail(f"--scope: {one!r}, expected of {role} one of {', '.join(known)}.", code=2)
    return tuple(str(one) for one in dict.fromkeys(asked))


async def _add(wanted: Login, scopes: Sequence[str], sources: Sequence[str], rate: int, note: str) -> str:
    from deploy.city.admission import own_topic
    from deploy.city.registry import city_up
    from hotline.web.keys import add as added
    from shared.log.acts import acting

    endpoints = city_up().endpoints
    await own_topic(endpoints, wanted)
    async with acting(endpoints.login("operator")) as operator:
        return (await added(operator, wanted, scopes, sources, rate, note)).typed


async def _list() -> tuple[list[ListedKey], list[ListedSecret]]:
    from deploy.city.registry import city_up
    from hotline.web.keys import listed, listed_secrets
    from shared.log.reading import reader

    connection = await reader(city_up().endpoints.login("reader"))
    try:
        return await listed(connection), await listed_secrets(connection)
    finally:
        await connection.close()


async def _secret(key_id: str) -> MadeSecret:
    from deploy.city.registry import city_up
    from hotline.web.keys import add_secret
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        return await add_secret(operator, key_id)


async def _drop(secret_id: str) -> None:
    from deploy.city.registry import city_up
    from hotline.web.keys import revoke_secret
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await revoke_secret(operator, secret_id)


async def _revoke(key_id: str) -> None:
    from deploy.city.registry import city_up
    from hotline.web.keys import revoke as revoked
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await revoked(operator, key_id)


def _row(one: ListedKey, secrets: Sequence[ListedSecret]) -> dict[str, object]:
    times = {name: _at(getattr(one, name)) for name in ("made_at", "used_at", "revoked_at")}
    told = [
        {"secret_id": it.secret_id, "made_at": _at(it.made_at), "revoked_at": _at(it.revoked_at)}
        for it in secrets
    ]
    return one._asdict() | times | {"secrets": told}


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
