"""Programmes added up: by level, by unit, by the owners of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.programme.looking import every_programme
from hotline.cli.run import Json, one_of, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.governance.figures import progress_line, progress_row
from hotline.parsing import NUMBER_MAX
from hotline.terminal import say, say_record

if TYPE_CHECKING:
    from hotline.governance.state import Programme
Year = Annotated[int, typer.Option(min=0, max=NUMBER_MAX, help="Only of this year.")]
Level = Annotated[str, typer.Option(help="Only MONTHLY, MUNICIPAL, DISTRICT or STREET.")]


def totals(
    year: Year = 0,
    level: Level = "",
    *,
    units: Annotated[
        bool, typer.Option("--units", help="A line for each unit that leads one or has a list, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Add programmes up by level: items and tasks, done, long-term, overdue."""
    from hotline.governance.totals import LEVELS, by_level, by_unit, level_of

    if level:
        one_of("--level", level, LEVELS)
    unread = none_unread()
    found, today = run(every_programme(unread))
    some = [one for one in found if year in {0, one.year} and level in {"", level_of(one)}]
    levels = by_level(some, today)
    of_units = {one.level: by_unit(_of(some, one.level), today) if units else [] for one in levels}
    if json:
        say_record(
            [
                {
                    "level": one.level,
                    "programmes": one.programmes,
                    "led_by": one.units,
                    **progress_row(one.progress),
                    **({"units": [_unit(unit) for unit in of_units[one.level]]} if units else {}),
                }
                for one in levels
            ]
        )
        tell_unread(unread, json=True)
        return
    if not levels:
        say("No programme is on record.")
    for one in levels:
        say(f"{one.level:9}  {one.programmes:,} of {one.units:,} units: {progress_line(one.progress)}")
        for each in of_units[one.level]:
            say(f"{'':9}  {each.unit}: {progress_line(each.progress)}")
    tell_unread(unread)


def overdue(
    limit: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="So many owners.")] = 50,
    *,
    json: Json = False,
) -> None:
    """Count overdue tasks and missed reviews by owner, the most first; `tasks --owner UNIT --overdue` lists them."""
    from hotline.governance.totals import by_owner

    unread = none_unread()
    found, today = run(every_programme(unread))
    late = [one for one in by_owner(found, today) if one.overdue or one.reviews_missed]
    if json:
        say_record([one._asdict() for one in late[:limit]])
        tell_unread(unread, json=True)
        return
    for one in late[:limit]:
        missed = f", reviews missed {one.reviews_missed:,}" if one.reviews_missed else ""
        say(f"{one.overdue:>6,}  {one.owner}  of {one.tasks:,} tasks, {one.done:,} done{missed}")
    say(
        f"{sum(one.overdue for one in late):,} tasks of {len(late):,} owners are overdue, "
        f"{sum(one.reviews_missed for one in late):,} reviews were missed."
    )
    tell_unread(unread)


def _of(some: list[Programme], level: str) -> list[Programme]:
    from hotline.governance.totals import level_of

    return [one for one in some if level_of(one) == level]


def _unit(one: Any) -> dict[str, Any]:
    return {"unit": one.unit, "programmes": one.programmes, **progress_row(one.progress)}
