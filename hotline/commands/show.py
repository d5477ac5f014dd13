"""`hotline show`: one complaint's life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.commands.run import run

if TYPE_CHECKING:
    from datetime import tzinfo

    from hotline.show import Shown

_STYLES = {"plain": "", "missed": "red", "refused": "yellow", "ended": "green"}


def show(
    complaint: Annotated[str, typer.Argument(help="Its id, the beginning of it, or the request's id.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Show a complaint's life as a timeline, and the address of its trace."""
    import msgspec

    shown = run(_show(complaint))
    if json:
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    else:
        _print(shown)


async def _show(complaint: str) -> Shown:
    from hotline.show import show
    from hotline.where import city_up

    city = city_up()
    return await show(city.realm.logins["reader"], complaint, city.realm.zipkin, city.traces_ratio)


def _print(shown: Shown) -> None:
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(shown.title, style="bold"))
    console.print(Text(f"complaint {shown.complaint_id}   request {shown.request_id}"))
    if shown.call:
        console.print(Text(shown.call))
    table = Table(show_header=True, header_style="dim")
    table.add_column("", justify="right", style="dim")
    table.add_column(f"city time ({shown.timezone})", no_wrap=True)
    table.add_column("who", overflow="fold")
    table.add_column("what", overflow="fold", ratio=1)
    table.add_column("why", overflow="fold", style="dim")
    for entry in shown.entries:
        table.add_row(
            str(entry.version),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            Text(entry.who),
            Text(entry.what, style=_STYLES[entry.weight]),
            entry.why,
        )
    console.print(table)
    zone = ZoneInfo(shown.timezone)
    console.print(Text(f"stands at {shown.stage}; {_waits(shown, zone)}"))
    for limit, due_at in shown.deadlines.items():
        console.print(f"  {limit.lower()} limit: {due_at.astimezone(zone):%Y-%m-%d %H:%M:%S}")
    console.print("hash chain: " + ("right" if shown.chain_right else "[red]BROKEN[/]"))
    trace = shown.trace or f"{shown.trace_id} (this life is not traced, or no viewer runs)"
    console.print(Text(f"trace: {trace}"), soft_wrap=True)


def _waits(shown: Shown, zone: tzinfo) -> str:
    waiting = shown.waiting
    if waiting is None:
        return "nobody has to act any more"
    by = "" if waiting.by is None else f", next deadline {waiting.by.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return f"waits for {waiting.name} to {waiting.what}{by}"
