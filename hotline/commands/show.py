"""`hotline show`: one complaint's life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.commands.run import run

if TYPE_CHECKING:
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
    from hotline.where import find_city

    realm = find_city()
    return await show(realm.logins["reader"], complaint, realm.zipkin)


def _print(shown: Shown) -> None:
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    console.print(Text(shown.title, style="bold"))
    console.print(f"complaint {shown.complaint_id}   request {shown.request_id}", highlight=False)
    if shown.call:
        console.print(shown.call, highlight=False)
    table = Table(show_header=True, header_style="dim")
    table.add_column("", justify="right", style="dim")
    table.add_column(f"city time ({shown.timezone})", no_wrap=True)
    table.add_column("who", overflow="fold")
    table.add_column("what", overflow="fold")
    for entry in shown.entries:
        style = _STYLES[entry.weight]
        table.add_row(
            str(entry.version),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            Text(entry.who),
            Text(entry.what, style=style),
        )
    console.print(table)
    zone = ZoneInfo(shown.timezone)
    console.print(f"stands at {shown.stage}, waits for {shown.waits_for}", highlight=False)
    for limit, due in shown.deadlines.items():
        console.print(f"  {limit.lower()} limit: {due.astimezone(zone):%Y-%m-%d %H:%M:%S}", highlight=False)
    console.print("hash chain: " + ("right" if shown.chain_right else "[red]BROKEN"), highlight=False)
    console.print(f"trace: {shown.trace or shown.trace_id}", highlight=False, soft_wrap=True)
