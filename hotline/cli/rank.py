"""`hotline rank`: the streets' month, as a table, JSON or CSV; freezing it, and what became known later."""

from __future__ import annotations

import csv as csv_module
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import month as month_of
from hotline.cli.run import Json, demand_words, fail, run, sure
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import cell, say, say_json, say_record
from shared.text import shown

if TYPE_CHECKING:
    from rich.table import Table

    from hotline.scoring.ledger import LateFact
    from hotline.scoring.month import Line, Month
    from shared.unreadable import UnreadableRows


rank = typer.Typer(
    help="A month's score and ranking of the streets and towns, from facts alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_Month = Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2026-10, in the city's own days.")]
_People = Annotated[
    Path | None,
    typer.Option(
        "--inhabitants",
        help="A file of inhabitants; without one the example's.",
        exists=True,
        dir_okay=False,
    ),
]
_RuleSet = Annotated[str, typer.Option(help="Another rule set's weights and lists.")]
_Csv = Annotated[bool, typer.Option("--csv", help="For a spreadsheet: comma-separated, UTF-8.")]


@rank.command()
def show(
    month: _Month,
    population: _People = None,
    ruleset: _RuleSet = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="Other units too, which have no rank.")] = False,
    whistles: Annotated[
        bool, typer.Option(help="The table shows whistles and reports instead, and how both are judged.")
    ] = False,
    csv: _Csv = False,
    json: Json = False,
) -> None:
    """Score and rank the streets and towns of a month: response, resolution, satisfaction, as the citizens judge."""
    _one_form(json=json, csv=csv)
    unread = none_unread()
    made = run(_ranked(month_of(month, "MONTH"), population, ruleset, unread))
    lines = [line for line in made.lines if every or line.district is not None]
    if json:
        _print_json(made, lines)
    elif csv:
        _print_csv(lines)
    else:
        _print_table(made, lines, whistles=whistles)
    tell_unread(unread, json=json or csv)


@rank.command()
def freeze(
    month: _Month,
    by_whom: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The person who freezes it; kept with the month.")
    ],
    population: _People = None,
    ruleset: _RuleSet = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Let nothing change the score of a month any more; the month must be over."""
    first = month_of(month, "MONTH")
    demand_words("--as", by_whom)
    if not sure(f"Freeze {first:%Y-%m}? Nothing changes it any more.", yes=yes):
        say("Nothing is frozen.")
        return
    made = run(_ranked(first, population, ruleset, none_unread(), freeze_as=by_whom))
    lines = [line for line in made.lines if line.district is not None]
    if json:
        _print_json(made, lines)
    else:
        _print_table(made, lines, whistles=False)


@rank.command()
def corrections(month: _Month, *, csv: _Csv = False, json: Json = False) -> None:
    """List what became known of a frozen month later; it changes nothing in the month."""
    _one_form(json=json, csv=csv)
    _print_corrections(run(_corrections(month_of(month, "MONTH"))), json=json, table=csv)


def _one_form(*, json: bool, csv: bool) -> None:
    if json and csv:
        fail("--json, --csv: expected one of them.", code=2)


async def _ranked(
    month: date, people: Path | None, version: str, unread: UnreadableRows, *, freeze_as: str = ""
) -> Month:
    from zoneinfo import ZoneInfo

    from deploy.city.registry import city_up
    from hotline.client import now_of
    from hotline.scoring.inhabitants import PopulationInvalid, population
    from hotline.scoring.ledger import scores
    from hotline.scoring.month import By
    from shared.policy.catalogue import catalogue
    from shared.policy.ruleset import RuleSetUnknown, ruleset
    from shared.runtime.errors import UserError

    city = city_up()
    try:
        chosen = ruleset(version) if version else None
        figures = population(city.inhabitants if people is None else str(people))
    except (RuleSetUnknown, PopulationInvalid) as error:
        raise UserError(f"{error}.") from None
    by = By(chosen or ruleset(city.ruleset), catalogue(city.catalogue), figures)
    own = ruleset(city.ruleset)
    zone = ZoneInfo(own.timezone)
    async with scores(city.endpoints.login("governor"), zone, own.score.counting) as view:
        if freeze_as:
            now = await now_of(city)
            return await view.freeze(month, by, now.astimezone(zone), freeze_as)
        await view.catch_up()
        for one in await view.unread():
            unread.note(one.row, one.why)
        return await view.month(month, by)


async def _corrections(month: date) -> list[LateFact]:
    from zoneinfo import ZoneInfo

    from deploy.city.registry import city_up
    from hotline.scoring.ledger import scores
    from shared.policy.ruleset import ruleset

    city = city_up()
    own = ruleset(city.ruleset)
    async with scores(city.endpoints.login("governor"), ZoneInfo(own.timezone), own.score.counting) as view:
        await view.catch_up()
        return await view.corrections(month)


def print_month(made: Month) -> None:
    """The streets and towns of a month that have a rank, as a table."""
    ranked = [line for line in made.lines if line.rank is not None]
    if ranked:
        _print_table(made, ranked, whistles=False)
    else:
        say(f"{made.month:%Y-%m}: no street has enough cases to be ranked.")


def told_of(made: Month) -> dict[str, Any]:
    """The same for a program to read."""
    import msgspec

    found: dict[str, Any] = msgspec.json.decode(
        _as_json(made, [line for line in made.lines if line.rank is not None])
    )
    return found


def _as_json(made: Month, lines: list[Line]) -> bytes:
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number")
    told: dict[str, Any] = {
        name: getattr(made, name) for name in made.__struct_fields__ if name not in {"lines", "tallies"}
    }
    told["month"] = f"{made.month:%Y-%m}"
    return encoder.encode({**told, "lines": lines})


def _print_json(made: Month, lines: list[Line]) -> None:
    import msgspec

    say_json(msgspec.json.format(_as_json(made, lines), indent=2).decode())


def _print_csv(lines: list[Line]) -> None:
    from hotline.scoring.life import LEFT_OUT
    from hotline.scoring.month import Line

    plain = [name for name in Line.__struct_fields__ if name not in {"left_out", "lists"}]
    writer = _spreadsheet()
    writer.writerow([*plain, *LEFT_OUT, "lists"])
    for line in lines:
        left_out = [line.left_out.get(why, 0) for why in LEFT_OUT]
        writer.writerow([*(_cell(getattr(line, name)) for name in plain), *left_out, " ".join(line.lists)])


def _spreadsheet() -> Any:
    """A writer of comma-separated lines. The mark before them lets Excel read Chinese names."""
    sys.stdout.write("\ufeff")
    return csv_module.writer(sys.stdout, lineterminator="\n")


def _cell(value: object) -> object:
    """An empty cell is no number; 0 is one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return shown(value)
    return int(value) if isinstance(value, bool) else value


def _print_table(made: Month, lines: list[Line], *, whistles: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from shared import times

    standing = "not frozen, may still change"
    if made.frozen_at is not None:
        standing = f"frozen at {times.shown(made.frozen_at, times.zone_of(made.ruleset))}" + (
            f" by {made.frozen_by}" if made.frozen_by else ""
        )
    table = Table(title=f"{made.month:%Y-%m}, {standing}", title_justify="left")
    if whistles:
        _fill_whistles(table, lines)
    else:
        _fill(table, made, lines)
    # Not a terminal: as wide as it is, for who pipes it on.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)
    _print_notes(made)


def _fill(table: Table, made: Month, lines: list[Line]) -> None:
    table.add_column("rank", justify="right")
    table.add_column("unit", no_wrap=True)
    for name in ("score", "gain", "response", "resolution", "satisfaction", "cases", "left out", "requests"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("per 10k" + ("*" if made.population_is_example else ""), justify="right", no_wrap=True)
    table.add_column("lists")
    for line in lines:
        table.add_row(
            _shown(line.rank),
            cell(_named(line)),
            *(
                _shown(value)
                for value in (
                    line.score,
                    line.gain,
                    line.response_rate,
                    line.resolution_rate,
                    line.satisfaction_rate,
                )
            ),
            f"<{made.small_cell}" if line.countable is None else str(line.countable),
            str(sum(line.left_out.values())),
            _shown(line.requests),
            _shown(line.per_10k),
            " ".join(line.lists),
        )


def _named(line: Line) -> str:
    return line.name if line.district is None else f"{line.district}{line.name.removeprefix(line.district)}"


def _fill_whistles(table: Table, lines: list[Line]) -> None:
    """Of those that could have whistled, or were called."""
    table.add_column("unit", no_wrap=True)
    for name in ("whistle rate", "rated as street", "in time when called", "rated when called"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        told = (line.whistle_rate, line.whistle_rating, line.report_on_time_rate, line.report_rating)
        if any(value is not None for value in told):
            table.add_row(cell(_named(line)), *(_shown(value) for value in told))


def _print_notes(made: Month) -> None:
    weights = "/".join(str(weight) for weight in made.weights.values())
    say(
        f"Weights {weights} by rule set {made.ruleset}, counted in the month of the {made.counting.counts_in.lower()}: "
        f"configuration, not law. "
        f"-: nothing to divide by, or fewer than {made.small_cell}."
    )
    say(
        "A complaint counts once, with the citizen's last word: after a reopening the visit of the last round decides "
        "on resolution and satisfaction, and those before it count for nothing."
    )
    if made.population_is_example:
        say(f"* inhabitants by {made.population}, an example: never to be published.")
    if made.away:
        say(f"{made.away:,} complaints lie in a month of the archive that is away: `hotline archive attach`.")
    if made.corrections:
        say(
            f"{made.corrections:,} complaints of this month are known otherwise by now: "
            f"`hotline rank corrections {made.month:%Y-%m}`."
        )


def _print_corrections(found: list[LateFact], *, json: bool, table: bool) -> None:
    if json:
        say_record(found)
        return
    if table:
        writer = _spreadsheet()
        writer.writerow(["complaint_id", "version", "type", "was", "now"])
        for one in found:
            writer.writerow(
                [one.complaint_id, one.version, one.type, shown(_told(one.was)), shown(_told(one.now))]
            )
        return
    if not found:
        say("Nothing was said about it later.")
    for one in found:
        say(f"{one.complaint_id}  {one.type} ({one.version}): {_told(one.was)} -> {_told(one.now)}")


def _told(one: object) -> str:
    from hotline.scoring.life import Counted

    if not isinstance(one, Counted):
        return "not in it"
    if one.unit is None:
        return "a request only"
    if one.left_out is not None:
        return f"{one.unit}: left out, {one.left_out}"
    words = [name for name in ("responded", "visited", "solved", "satisfied") if getattr(one, name)]
    return f"{one.unit}: {', '.join(words) or 'counted'}"


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
