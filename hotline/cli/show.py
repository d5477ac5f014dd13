"""`hotline show`: one complaint's life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from hotline.cli.run import Json, run
from hotline.terminal import cell, say_record

if TYPE_CHECKING:
    from datetime import tzinfo

    from rich.console import Console
    from rich.table import Table

    from hotline.casefile.timeline import Shown, Word

WIDE: Final = 120
"""From how many columns on the longest unit's id and what it did stand beside each other unbroken."""
WHO_MAX: Final = 60
"""Characters of who it was in the table: a person's name of 200 would leave no room for what was done."""
_STYLES = {"plain": "", "missed": "red", "refused": "yellow", "ended": "green"}


def show(
    complaint: Annotated[
        str, typer.Argument(help="Its number, its id, the beginning of it, or the request's id.")
    ],
    *,
    json: Json = False,
) -> None:
    """Show a complaint's life as a timeline, and the address of its trace."""
    shown = run(_show(complaint))
    if json:
        say_record(shown)
    else:
        _print(shown)


async def _show(complaint: str) -> Shown:
    from deploy.city.registry import city_up
    from hotline.casefile.timeline import show

    city = city_up()
    return await show(city.endpoints.logins["reader"], complaint, city.endpoints.zipkin, city.traces_ratio)


def _print(shown: Shown) -> None:
    from rich.console import Console

    print_life(shown, Console(highlight=False))


def print_life(shown: Shown, console: Console) -> None:
    """A table where there is room, two lines a fact on a narrow terminal, one where nobody looks at a screen."""
    from zoneinfo import ZoneInfo

    from rich.padding import Padding
    from rich.text import Text

    from shared import times

    def line(text: str | Text) -> None:
        console.print(text if isinstance(text, Text) else cell(text), soft_wrap=True)

    years = sorted({entry.at.year for entry in shown.entries})
    heading = f"{'–'.join(str(year) for year in years)}, city time ({shown.timezone})"
    # Within one year the heading says it; over a new year each line does.
    zone = ZoneInfo(shown.timezone)
    form = times.short if len(years) == 1 else times.shown
    told = [form(entry.at, zone) for entry in shown.entries]
    line(cell(shown.title, style="bold"))
    line(f"complaint {shown.complaint_number}   id {shown.complaint_id}   request {shown.request_id}")
    if shown.call:
        line(shown.call)
    if console.is_terminal and console.width >= WIDE:
        console.print(_table(shown, heading, told))
    else:
        line(heading)
        for at, entry in zip(told, shown.entries, strict=True):
            what = cell(entry.what, style=_STYLES[entry.weight])
            begins = f"{entry.version:>3}  {at}  {entry.who}"
            if not console.is_terminal:
                line(f"{begins}  {entry.what}  ({entry.why})")
                continue
            line(Text.assemble(cell(begins), cell(f"  {entry.why}", style="dim")))
            console.print(Padding(what, (0, 0, 0, 5)))
    line(f"stands at {shown.stage}; {_waits(shown, zone)}")
    for word in shown.words:
        line(_said(word))
    for limit, due_at in shown.deadlines.items():
        line(f"  {limit.lower()} limit: {times.shown(due_at, zone)}")
    line(Text.assemble("hash chain: ", "right" if shown.chain_right else ("BROKEN", "red")))
    line(f"trace: {shown.trace or f'{shown.trace_id} (not sent to a viewer: hotline trace sends it)'}")
    if shown.unreadable:
        line(Text(shown.unreadable, style="red"))


def _table(shown: Shown, heading: str, told: list[str]) -> Table:
    from rich.table import Table

    table = Table(
        show_header=True, header_style="dim", title=heading, title_justify="left", title_style="dim"
    )
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=1)
    table.add_column("why", no_wrap=True, style="dim")
    for at, entry in zip(told, shown.entries, strict=True):
        what = cell(entry.what, style=_STYLES[entry.weight])
        table.add_row(str(entry.version), at, cell(entry.who, WHO_MAX), what, cell(entry.why))
    return table


def _said(word: Word) -> str:
    """The unit's claim and the citizen's judgement of one round, side by side (T18)."""
    claims = {None: "has not answered", True: "claims it is solved", False: "does not claim it is solved"}
    citizen = "has not judged"
    if word.solved is not None:
        citizen = f"{'solved' if word.solved else 'not solved'}, {'' if word.satisfied else 'not '}satisfied"
    return f"round {word.round}: {word.unit} {claims[word.claims_solved]}; the citizen: {citizen}"


def _waits(shown: Shown, zone: tzinfo) -> str:
    from shared import times

    waiting = shown.waiting
    if waiting is None:
        return "nobody has to act any more"
    by = "" if waiting.by is None else f", next deadline {times.shown(waiting.by, zone)}"
    return f"waits for {waiting.name} to {waiting.what}{by}"
