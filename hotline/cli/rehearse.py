"""`hotline rehearse`: a long stretch of the city's time through the whole running system."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import MixOption, day, finite
from hotline.cli.asked_for import print_asked_for
from hotline.cli.rank import print_month, told_of
from hotline.cli.report import print_report
from hotline.cli.run import Json, fail, run
from hotline.lab.mix import Mix
from hotline.parsing import ID_MAX
from hotline.terminal import note, say, say_json
from shared.versions import RULESET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


rehearse = typer.Typer(help="Live a long stretch of the city's time, to try rules out.")


@rehearse.callback(invoke_without_command=True)
def period(
    context: typer.Context,
    begin: Annotated[str, typer.Option("--from", help="The first day, such as 2021-01-01.")] = "",
    days: Annotated[int, typer.Option(help="How many days.", min=1, max=3660)] = 31,
    scale: Annotated[
        float, typer.Option(help="1 is the whole city.", min=0.0001, max=1, callback=finite)
    ] = 0.01,
    surge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIRST/LAST:TIMES",
            help="Days of a lockdown or storm, so many times as much; may be repeated.",
        ),
    ] = None,
    ruleset: Annotated[str, typer.Option(help="The rules to live under.")] = RULESET,
    seed: Annotated[int, typer.Option(help="Another seed, another period.", min=-ID_MAX, max=ID_MAX)] = 1,
    streets: Annotated[
        Path | None, typer.Option(help="A list of districts and streets (CSV); a small one is built in.")
    ] = None,
    mix: MixOption = Mix.FULL,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave stack and services running.")] = False,
    json: Json = False,
) -> None:
    """Live any period of the city, by the real calendar, the hours, the season and what happens beside.

    `--from 2021-01-01 --days 31 --scale 0.01`: on a real Kafka and PostgreSQL, followed until the last complaint has
    ended; then the rates and the ranking of its months. Exit code 1 as `rehearse year`.
    """
    if context.invoked_subcommand is not None:
        return
    if not begin:
        typer.echo(context.get_help())
        return
    from hotline.lab.simulation.year import SurgeInvalid, surge_of
    from hotline.lab.simulation.year import period as load_of
    from shared.policy.ruleset import ruleset as known_ruleset

    first = day(begin, "--from")
    try:
        load = load_of(first, days, [surge_of(text) for text in surge or ()])
    except SurgeInvalid as wrong:
        fail(f"--surge or --from: {wrong}.", code=2)
    if known_ruleset(ruleset).limits_given:
        fail(f"{ruleset} takes the limits from the request, and this city's requests bring none.", code=2)
    right, found = run(_lived("period", load, scale, ruleset, seed, streets, mix, keep=keep, json=json))
    if json:
        say_json(json_module.dumps(found, indent=2, ensure_ascii=False))
    if not right:
        raise typer.Exit(1)


@rehearse.command()
def year(
    month: Annotated[int, typer.Option(help="The month of 2025 to begin with.", min=1, max=12)] = 3,
    days: Annotated[
        int | None,
        typer.Option(
            help="How many days; the whole month otherwise. --month 1 --days 365: the year.", min=1, max=365
        ),
    ] = None,
    scale: Annotated[
        float, typer.Option(help="1 is the whole city.", min=0.0001, max=1, callback=finite)
    ] = 0.1,
    ruleset: Annotated[str, typer.Option(help="The rules to live under.")] = RULESET,
    seed: Annotated[int, typer.Option(help="Another seed, another year.", min=-ID_MAX, max=ID_MAX)] = 1,
    streets: Annotated[
        Path | None, typer.Option(help="A list of districts and streets (CSV); a small one is built in.")
    ] = None,
    mix: MixOption = Mix.FULL,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave stack and services running.")] = False,
    json: Json = False,
) -> None:
    """A year of the city (2025: 25 million requests, 10 million work orders), estimated from a month lived for real.

    On a real Kafka and PostgreSQL, followed until the month's last complaint has ended. Exit code 1 where a life has
    not ended, an input that Kafka acknowledged is lost, or the log does not verify.
    """
    from hotline.lab.simulation.year import requests_by_day, span
    from shared.policy.ruleset import ruleset as known_ruleset

    if known_ruleset(ruleset).limits_given:
        fail(f"{ruleset} takes the limits from the request, and this city's requests bring none.", code=2)
    whole = requests_by_day()
    load = {day: whole[day] for day in span(month, days)}
    right, found = run(_lived("year", load, scale, ruleset, seed, streets, mix, keep=keep, json=json))
    if json:
        say_json(json_module.dumps(found, indent=2))
    if not right:
        raise typer.Exit(1)


async def _lived(
    name: str,
    load: Mapping[date, float],
    scale: float,
    ruleset: str,
    seed: int,
    streets: Path | None,
    mix: Mix,
    *,
    keep: bool,
    json: bool,
) -> tuple[bool, dict[str, Any]]:
    """Live these days in a city of this name; of a year its estimate is told, of a period its ranking."""
    from deploy.city.registry import folder
    from hotline.lab.rehearsal.period import RehearsedDays, rehearsed
    from hotline.lab.rehearsal.progress import View
    from hotline.lab.rehearsal.stage import (
        RehearsalInterrupted,
        how_it_is_left,
        left_running,
        until_interrupted,
    )
    from hotline.lab.simulation.ledger import Ledger
    from hotline.lab.simulation.territory import catalogue_here

    known, days = catalogue_here(streets), list(load)
    view = View(f"hotline: a {name} of the city", quiet=json)
    view.say(
        f"{days[0]} to {days[-1]}, about {round(scale * sum(load.values())):,} requests "
        f"(scale {scale:g}), rules {ruleset}, seed {seed}, mix {mix}."
    )
    lived = RehearsedDays(load, scale, ruleset, seed, mix)
    try:
        with view, Ledger() as ledger:
            work = rehearsed(name, known, lived, ledger, view, ranked=name != "year", keep=keep)
            found, report, said, months = await until_interrupted(work, view.say)
    except RehearsalInterrupted:
        note(f"Stopped. {how_it_is_left(folder(), name)}")
        raise typer.Exit(130) from None
    if not json:
        _print(found, estimate=name == "year")
        print_asked_for(found.asked_for)
        for made in months:
            print_month(made)
        print_report(report)
        if not keep and (running := left_running(folder())):
            say(running)
    result = {**found.as_dict(), "verify_problems": report.problem_count, "digest": said}
    if name != "year":
        result["months"] = [told_of(made) for made in months]
    return not report.problem_count, result


def _print(found: Any, *, estimate: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from hotline.lab.rehearsal.estimate import BAR_MINUTES

    minutes, month = found.year_minutes, found.month_bytes
    table = Table(title="Lived", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = [
        ("days", f"{found.days} from {found.from_day}, scale {found.scale:g}"),
        ("requests", f"{found.requests:,}"),
        ("  work orders", f"{found.orders:,}"),
        ("facts in the log", f"{found.facts:,}"),
        ("limits to sign missed", f"{found.sign_limits_missed:,}"),
        ("limits to answer missed", f"{found.answer_limits_missed:,}"),
        ("notices to the next level", f"{found.escalations:,}"),
        ("visits answered by citizens", f"{found.visits:,}"),
        ("  satisfied in that visit", f"{found.satisfied_visits:,}"),
        ("complaints asked about", f"{found.asked:,}"),
        ("  satisfied in the last visit", f"{found.satisfied:,}"),
        ("lived in", f"{found.seconds:,.1f} s, {found.rounds:,} waves"),
        ("lives a second", f"{found.lives_per_second:,.0f}"),
    ]
    if estimate and minutes is not None and month is not None:
        missed = f", {minutes / BAR_MINUTES:.1f} times the bar" if minutes > BAR_MINUTES else ""
        rows += [
            ("the year, estimated", f"{minutes:,.0f} min (bar {BAR_MINUTES}{missed})"),
            ("disk a month, estimated", f"{month / 1e9:,.1f} GB"),
            ("estimated from", f"{found.year_share:.3%} of the year's work orders, in proportion"),
        ]
    for row in rows:
        table.add_row(*row)
    Console().print(table)
