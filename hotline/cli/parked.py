"""`hotline parked`: what could not be handled, and the way back."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from hotline.cli.run import Json, answer, demand_words, fail, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.parsing import ID_MAX
from hotline.terminal import cell, say, say_json
from shared import times
from shared.text import folded_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import tzinfo

    import asyncpg

    from deploy.supervision.stopped import Stopped

T = TypeVar("T")

parked = typer.Typer(
    help="List messages that could not be handled, and why; put one back or drop it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Number = Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The number `hotline parked list` shows.")]

RELEASE_SECONDS_MAX = 30.0


@parked.command("list")
def list_parked(*, json: Json = False) -> None:
    """List what is parked, oldest first."""
    from hotline.upkeep.parked import LISTED_MAX, parked_list

    rows = run(_read(parked_list))
    if json:
        say_json(json_module.dumps(rows, indent=2, default=_plain, ensure_ascii=False))
        return
    zone = _zone()
    for stopped in run(_read(_stopped)):
        since = times.shown(stopped.since, zone, seconds=True)
        say(f"{stopped.desk} takes nothing in {stopped.where} since {since}: {stopped.reason}.")
        say(f"`{stopped.resume}` lets it go on, once the cause is mended.")
    if not rows:
        say("Nothing is parked.")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("id", "desk", "where", f"since ({zone})", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["id"]),
            cell(row["desk"]),
            cell(f"{row['topic']} {row['partition']}@{row['offset']}"),
            times.shown(row["parked_at"], zone, seconds=True),
            cell(row["reason"] + (" (released)" if row["released"] else "")),
        )
    console = Console(highlight=False, markup=False)
    console.print(table)
    more = f"the first {LISTED_MAX:,} of them; " if len(rows) == LISTED_MAX else ""
    console.print(
        f"{len(rows):,} parked; {more}`hotline parked show ID` for one, `release ID` to hand it in again, "
        "`drop ID --reason TEXT` to give it up."
    )


@parked.command()
def show(number: Number, *, json: Json = False) -> None:
    """Show one message whole: where it came from, why it was parked, headers, data."""
    from hotline.upkeep.parked import parked_message
    from shared.log.postgres import headers_of, unread_of

    row = run(_read(lambda reader: parked_message(reader, number))) or _nothing(number)
    unread = none_unread()
    stored: list[Any] = unread.read("its headers", lambda: list(headers_of(row["headers"]))) or []
    headers = [(name, _readable(value)) for name, value in stored]
    apart = unread_of(row["headers"])
    if json:
        told = {**row, "sent_at": _instant(row["sent_at_ms"], datetime.isoformat), "headers": headers}
        if apart is not None:
            told["unread"] = {"why": apart.why, "last_offset": apart.last_offset}
        told |= {name: _readable(row[name]) for name in ("key", "value")}
        say_json(json_module.dumps(told, indent=2, default=_plain, ensure_ascii=False))
        tell_unread(unread, json=True)
        return
    zone = _zone()
    parked_at = times.shown(row["parked_at"], zone, seconds=True)
    say(f"parked     by {row['consumer']} at {parked_at} ({zone})")
    say(f"because    {row['reason']}")
    say(f"from       {row['topic']}, partition {row['part']}, offset {row['kafka_offset']}")
    if apart is not None and 0 <= row["kafka_offset"] < apart.last_offset:
        say(f"offsets    {row['kafka_offset']} to {apart.last_offset}, as they lie in Kafka")
    say(f"sent       {_instant(row['sent_at_ms'], partial(times.shown, zone=zone, seconds=True))}")
    if row["complaint_id"] is not None:
        say(f"complaint  {row['complaint_id']} (its later messages wait behind this one)")
    if row["released_at"] is not None:
        released_at = times.shown(row["released_at"], zone, seconds=True)
        say(f"released   {released_at}, its desk has not taken it up yet")
    say(f"key        {_readable(row['key'])}")
    for name, value in headers:
        say(f"header     {name}: {value}")
    say(f"value      {_readable(row['value'])}")
    tell_unread(unread)


@parked.command()
def release(number: Number, *, json: Json = False) -> None:
    """Hand a message to its desk again, with those of the same complaint that wait, in order.

    It leaves the parking with its effect, or stays with a new reason.
    """
    done, again = run(_release(number, json=json))
    if json:
        say_json(json_module.dumps({"handled": done, "parked_again": again}, ensure_ascii=False))
    else:
        for one in sorted([*done, *again]):
            say(f"{one} is parked again: {again[one]}" if one in again else f"{one} is handled.")
    if again:
        raise typer.Exit(1)


@parked.command()
def resume(
    desk: Annotated[
        str, typer.Argument(help="The desk whose door stopped, as `hotline parked list` names it.")
    ],
    door: Annotated[str, typer.Argument(help="The door.")],
    topic: Annotated[
        str, typer.Argument(help="One topic of the door; all of them that stopped, where none is given.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Let a door go on that stopped, with one topic or with all.

    The next 10,000 messages of the topic are taken in or parked, however many those are.
    """
    desk, door, topic = folded_code(desk), folded_code(door), folded_code(topic)
    resumed = run(_resume(desk, door, topic))
    if not resumed:
        what = f"topic '{topic}' of {desk}'s door '{door}' is not stopped" if topic else ""
        what = what or f"{desk} has no door '{door}' that stopped"
        fail(f"{what}: `hotline parked list` names what is.")
    if json:
        say_json(json_module.dumps({"desk": desk, "door": door, "topics": sorted(resumed)}))
        return
    for one in sorted(resumed):
        say(f"{desk}'s door {door} goes on{f' with {one}' if one else ''} within a second or two.")


@parked.command()
def drop(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why it will not be handled; kept with the message.")],
    *,
    json: Json = False,
) -> None:
    """Give a message up; it is kept whole in es.parked_dropped, with the reason."""
    from hotline.caller_marks import wrong_reason
    from hotline.upkeep import parked as upkeep

    demand_words("--reason", reason)
    if wrong := wrong_reason(reason):
        fail(f"--reason: {wrong}", code=2)
    gone = run(_act(lambda operator: upkeep.drop(operator, number, reason)))
    desk, complaint = gone or _nothing(number)
    behind = (
        run(_read(lambda reader: upkeep.parked_of(reader, desk, complaint))) if complaint is not None else []
    )
    answer(
        f"{number} is dropped and kept in es.parked_dropped with your reason.",
        json=json,
        dropped=number,
        complaint_id=complaint,
        waited_behind=behind,
    )
    if behind and not json:
        say(
            f"{len(behind)} later messages of complaint {complaint} waited behind it: "
            f"`hotline parked release {behind[0]}` hands them in."
        )


async def _release(number: int, *, json: bool) -> tuple[list[int], dict[int, str]]:
    """Those that are handled, and those that are parked again, each with its new reason."""
    import asyncio
    import time

    from hotline.upkeep import parked as upkeep

    released = await _act(lambda operator: upkeep.release(operator, number))
    if not released:
        _nothing(number)
    if len(released) > 1 and not json:
        say(f"{len(released)} messages of the same complaint are released together, oldest first.")
    give_up_at = time.monotonic() + RELEASE_SECONDS_MAX
    while await _read(lambda reader: upkeep.not_taken_up(reader, released)):
        if time.monotonic() > give_up_at:
            fail(f"{number} is released, but its desk has not taken it up yet: see `hotline status`.")
        await asyncio.sleep(0.1)
    again = await _read(lambda reader: upkeep.parked_again(reader, released))
    return [one for one in released if one not in again], again


async def _stopped(reader: asyncpg.Connection[Any]) -> tuple[Stopped, ...]:
    from deploy.supervision.stopped import stopped_now

    return await stopped_now(reader)


async def _resume(desk: str, door: str, topic: str) -> list[str]:
    from deploy.city.registry import find_city
    from hotline.upkeep import parked as upkeep

    named = [topic, find_city().prefix + topic] if topic else []
    return await _act(lambda operator: upkeep.resume(operator, desk, door, named))


async def _read(ask: Callable[[asyncpg.Connection[Any]], Awaitable[T]]) -> T:
    from deploy.city.registry import find_city
    from shared.log.reading import reader

    connection = await reader(find_city().logins["reader"])
    try:
        return await ask(connection)
    finally:
        await connection.close()


async def _act(act: Callable[[asyncpg.Connection[Any]], Awaitable[T]]) -> T:
    from deploy.city.registry import find_city
    from shared.log.acts import acting

    async with acting(find_city().login("operator")) as connection:
        return await act(connection)


def _nothing(number: int) -> NoReturn:
    fail(f"Nothing is parked under {number}: `hotline parked list` shows what is.")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _zone() -> tzinfo:
    """Where the city's days begin and end."""
    from deploy.city.registry import city_up

    return times.zone_of(city_up().ruleset)


def _instant(milliseconds: int, told: Callable[[datetime], str]) -> str:
    """When a message was sent, as `told` tells it; its number where no calendar holds it."""
    try:
        return told(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms since 1970"


def _readable(value: bytes | None) -> str:
    if value is None:
        return "(null)"
    text = value[:4000].decode("utf-8", "backslashreplace")
    return text if len(value) <= 4000 else f"{text} … ({len(value):,} bytes)"  # noqa: PLR2004 -- as above
