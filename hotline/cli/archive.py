"""`hotline archive`: facts of lives that ended long ago, out of the log and back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, NoReturn

import typer

from hotline.cli.run import Json, answer, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.parsing import day_of, month_of
from hotline.terminal import say, say_record
from shared.text import shown

archive = typer.Typer(
    help="Facts of lives that ended long ago: into a table a month, which can be detached and attached again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
MonthOption = Annotated[
    str, typer.Argument(metavar="MONTH", help="As 2025-01, of the lives' end, in the city's days.")
]


@archive.command()
def move(
    *,
    before: Annotated[
        str, typer.Option(help="A date, as 2025-04-01: lives that ended before it, in the city's days.")
    ],
    json: Json = False,
) -> None:
    """Move the facts of ended lives into the archive; the city may go on meanwhile."""
    from deploy.city.registry import city_up
    from hotline.upkeep.archive import move as moved
    from shared.times import zone_of

    day = day_of(before) or _wrong("--before", "a date as 2025-04-01", before)
    city = city_up()
    unread = none_unread()
    end = datetime(day.year, day.month, day.day, tzinfo=zone_of(city.ruleset))
    done = run(moved(city.endpoints.login("operator"), end, unread=unread))
    if json:
        say_record(done)
        tell_unread(unread, json=True)
        return
    say(
        f"{done.facts:,} facts of {done.lives:,} lives moved in {done.seconds:.1f} s"
        f" ({done.facts / max(done.seconds, 0.001):,.0f} facts/s)"
    )
    if done.left:
        say(f"{done.left:,} lives stay: something of them is still to be sent, to be done, or parked")
    tell_unread(unread)


@archive.command("list")
def list_months(*, json: Json = False) -> None:
    """List the months there are."""
    from deploy.city.registry import find_city
    from hotline.upkeep.archive import months

    found = run(months(find_city().logins["reader"]))
    if json:
        say_record(found)
        return
    if not found:
        say("Nothing is archived.")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("month")
    for column in ("lives", "facts", "MB"):
        table.add_column(column, justify="right")
    table.add_column("")
    for one in found:
        table.add_row(
            f"{one.month:%Y-%m}",
            f"{one.lives:,}",
            f"{one.facts:,}",
            "" if one.bytes is None else f"{one.bytes / 1e6:,.1f}",
            ""
            if one.attached
            else ("detached" if one.bytes is not None else "detached, not in this database"),
        )
    Console(highlight=False, markup=False).print(table)


@archive.command()
def detach(month: MonthOption, *, json: Json = False) -> None:
    """Take a month out: its table stands by itself, to be dumped, carried away or dropped."""
    from deploy.city.registry import find_city
    from hotline.upkeep.archive import detach as detached

    first = _month(month)
    run(detached(find_city().login("operator"), first))
    table = f"es.archived_{first:%Y_%m}"
    sentence = f"{table} stands by itself; `hotline archive attach {first:%Y-%m}` puts it back. "
    answer(sentence + "What it must hold then is remembered.", json=json, month=f"{first:%Y-%m}", table=table)


@archive.command()
def attach(month: MonthOption, *, json: Json = False) -> None:
    """Put a month back that was detached, if it holds what it held then."""
    from deploy.city.registry import find_city
    from hotline.upkeep.archive import attach as attached

    first = _month(month)
    run(attached(find_city().login("operator"), first))
    sentence = f"{first:%Y-%m} is attached: it holds what it held when it was detached."
    answer(sentence, json=json, month=f"{first:%Y-%m}", attached=True)


def _month(text: str) -> date:
    return month_of(text) or _wrong("MONTH", "a month as 2025-01", text)


def _wrong(what: str, expected: str, text: str) -> NoReturn:
    raise typer.BadParameter(f"{what}: expected {expected}, got '{shown(text)}'")
