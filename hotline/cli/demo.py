"""`hotline demo`: a day of the city, lived until its last complaint is closed."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hotline.cli.arguments import MixOption, finite
from hotline.cli.asked_for import print_asked_for
from hotline.cli.page_links import print_links
from hotline.cli.report import print_report
from hotline.cli.run import Json, run
from hotline.lab.mix import Mix
from hotline.parsing import ID_MAX
from hotline.terminal import note, say, say_json
from shared.versions import RULESET

if TYPE_CHECKING:
    from deploy.city.endpoints import CityEndpoints
    from hotline.audit.report import Report
    from hotline.lab.rehearsal.progress import View
    from hotline.lab.rehearsal.stage import RehearsalCity
    from hotline.lab.simulation.conductor import Summary
    from shared.policy.catalogue import Catalogue


def demo(
    scale: Annotated[
        float, typer.Option(help="1 is Beijing's day: 70,000 calls.", min=0.0001, max=10, callback=finite)
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed, another day.", min=-ID_MAX, max=ID_MAX)] = 1,
    streets: Annotated[
        Path | None, typer.Option(help="A list of districts and streets (CSV); Beijing's 343 without one.")
    ] = None,
    mix: MixOption = Mix.FULL,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave stack and services running.")] = False,
    json: Json = False,
) -> None:
    """Live a day of the city until its last complaint is closed.

    It runs on a real Kafka and PostgreSQL, with everything a real day would run on. Exit code 1 where a life has not
    ended, an acknowledged input is lost, or the log does not verify; it is named.
    """
    if run(_demo(scale, seed, streets, mix, keep=keep, json=json)):
        raise typer.Exit(1)


async def _demo(scale: float, seed: int, streets: Path | None, mix: Mix, *, keep: bool, json: bool) -> bool:
    from deploy.city.registry import city_up, folder
    from hotline.lab.rehearsal.progress import View
    from hotline.lab.rehearsal.stage import RehearsalInterrupted, how_it_is_left, until_interrupted
    from hotline.lab.simulation.territory import whole_city

    known = whole_city(streets)
    view = View("hotline: a day of the city", quiet=json)
    view.say(
        f"A day of the city: {round(70_000 * scale):,} calls, {len(known.districts)} districts, "
        f"{sum(len(d.streets) for d in known.districts.values())} streets, seed {seed}, mix {mix}."
    )
    try:
        with view:
            day = await until_interrupted(_lived(view, known, scale, seed, mix, keep=keep), view.say)
    except RehearsalInterrupted:
        note(f"Stopped. {how_it_is_left(folder(), 'demo')}")
        raise typer.Exit(130) from None
    if json:
        say_json(json_module.dumps(_as_dict(day, scale, seed, mix), indent=2))
        return bool(day.report.problem_count)
    _print_summary(day.summary, day.restarts)
    print_asked_for(day.summary.asked_for)
    print_report(day.report)
    _print_next(day.worth_a_look, day.endpoints, day.board, keep=keep)
    if day.left is not None:
        _print_left(day.left)
    if keep:
        await print_links(city_up(), known)
    return bool(day.report.problem_count)


def _as_dict(day: Day, scale: float, seed: int, mix: Mix) -> dict[str, Any]:
    """For a program to read."""
    import msgspec

    summary = day.summary
    return {
        "scale": scale,
        "seed": seed,
        "mix": mix,
        "calls": summary.calls,
        "requests": summary.requests,
        "open": summary.open,
        "seconds": round(summary.elapsed_seconds, 3),
        "lives_per_second": round(summary.lives_per_second, 1),
        "inputs_by_type": dict(sorted(summary.inputs.items())),
        "facts_by_type": dict(sorted(summary.facts.items())),
        "asked_for": msgspec.to_builtins(summary.asked_for),
        "verify_problems": day.report.problem_count,
        "digest": day.digest,
    }


class Day(NamedTuple):
    """A day that was lived to its end."""

    summary: Summary
    report: Report
    digest: str
    worth_a_look: str | None
    left: Summary | None
    """The days after it, which a kept demo stops in the middle of."""
    restarts: int
    endpoints: CityEndpoints
    board: str
    """A link that opens the board once more."""


async def _lived(view: View, known: Catalogue, scale: float, seed: int, mix: Mix, *, keep: bool) -> Day:
    from hotline.audit.digest import digest
    from hotline.lab.rehearsal.board_link import board_of
    from hotline.lab.rehearsal.stage import staged, verified
    from hotline.lab.simulation import SimulatedDay
    from hotline.lab.simulation.city import WATCHED_LATER, WATCHED_STEP

    async with staged(
        "demo",
        known,
        ruleset=RULESET,
        traces_ratio=1.0 if scale <= 0.02 else 0.01,  # noqa: PLR2004 -- a quick look is traced whole
        counts={},
        say=view.say,
        keep=keep,
    ) as stage:
        board = await board_of(stage.endpoints)
        view.say(f"The board: {board.link}")
        city = SimulatedDay(
            kafka=stage.endpoints.outside,
            postgres=stage.endpoints.owner_dsn,
            prefix=stage.endpoints.prefix,
            catalogue=known,
            seed=seed,
            scale=scale,
            mix=mix,
            step=WATCHED_STEP,
            later=WATCHED_LATER,
        )
        summary = await city.live(view.show)
        view.say("Nothing is left to happen. Reading the whole log …")
        report = await verified(stage.endpoints, known, summary.acknowledged_inputs, all_end=True)
        digested = await digest(stage.endpoints.logins["reader"])
        worth_a_look = await _worth_a_look(stage.endpoints)
        left = await _left(view, stage, known, scale, seed, mix) if keep else None
        await _counted(stage.endpoints)
        return Day(
            summary=summary,
            report=report,
            digest=digested,
            worth_a_look=worth_a_look,
            left=left,
            restarts=sum(stage.supervisor.restarts.values()),
            endpoints=stage.endpoints,
            board=await board.again(stage.endpoints),
        )


async def _left(
    view: View, stage: RehearsalCity, known: Catalogue, scale: float, seed: int, mix: Mix
) -> Summary:
    from hotline.lab.rehearsal.under_way import leave_under_way
    from hotline.readside.standing import caught_up
    from shared.log.acts import acting

    view.say("The day is read. More days begin, and stop in an afternoon: then the pages have open work …")
    left = await leave_under_way(stage, known, seed=seed, scale=scale, mix=mix, show=view.show)
    async with acting(stage.endpoints.login("operator")) as operator:
        await caught_up(operator)
    return left


async def _counted(endpoints: CityEndpoints) -> None:
    """Bring the scores up to date, so that the page of the ranking has the day's."""
    from zoneinfo import ZoneInfo

    from hotline.scoring.ledger import scores
    from shared.policy.ruleset import ruleset

    rules = ruleset(RULESET)
    async with scores(endpoints.login("governor"), ZoneInfo(rules.timezone), rules.score.counting) as view:
        await view.catch_up()


def _print_summary(summary: Summary, restarts: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from shared.times import shown

    table = Table(title="The day", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    minutes, seconds = divmod(round(summary.elapsed_seconds), 60)
    rows: list[tuple[str, str]] = [
        ("lived in", f"{minutes} min {seconds} s"),
        ("until", f"{shown(summary.city_at)} city time"),
        ("calls", f"{summary.calls:,}"),
        ("complaints on record", f"{summary.requests:,}"),
        ("  answered directly", f"{summary.answered_directly:,}"),
        ("  withdrawn", f"{summary.withdrawn:,}"),
        ("  closed after a visit", f"{summary.closed:,}"),
        ("  still open", f"{summary.open:,}"),
        ("orders dispatched", f"{summary.dispatched:,}"),
        ("limits missed", f"{summary.overdue:,}"),
        ("notices to the next level", f"{summary.escalated:,}"),
        ("visits answered by citizens", f"{summary.visited:,}"),
        ("said not solved: reopened", f"{summary.reopened:,}"),
        ("refused, with the reason", f"{summary.refused:,}"),
        ("facts in the log", f"{sum(summary.facts.values()):,}"),
        ("lives a second", f"{summary.lives_per_second:,.0f}"),
        ("processes that died and came back", str(restarts)),
    ]
    for row in rows:
        table.add_row(*row)
    Console().print(table)


_WORTH: Any = """
SELECT stream_id FROM es.fact
WHERE type IN ('ComplaintEscalated', 'ComplaintReopened', 'ReturnApproved', 'AnswerLimitMissed')
GROUP BY stream_id ORDER BY count(DISTINCT type) DESC, count(*) DESC, stream_id LIMIT 1000
"""


async def _worth_a_look(endpoints: CityEndpoints) -> str | None:
    """A complaint to which much happened; one whose life is traced, where there is one."""
    import asyncpg

    from shared.trace_ids import is_followed

    connection = await asyncpg.connect(endpoints.logins["reader"])
    try:
        found = [str(row[0]) for row in await connection.fetch(_WORTH)]
    finally:
        await connection.close()
    traced = [complaint for complaint in found if is_followed(complaint, 0.01)]
    return next(iter(traced or found), None)


def _print_left(left: Summary) -> None:
    from shared.times import shown

    say(
        f"  in the city it is {shown(left.city_at)}; {left.open:,} complaints of the last days are open, "
        f"{left.overdue:,} limits were missed"
    )


def _print_next(complaint: str | None, endpoints: CityEndpoints, board: str, *, keep: bool) -> None:
    import os

    from deploy.city.registry import folder
    from hotline.lab.rehearsal.stage import left_running
    from shared.runtime.kafka_address import without_login
    from shared.trace_ids import trace_page

    if not keep and (running := left_running(folder())):
        say(running)
    say("Look next:")
    if keep:
        say(f"  the board: {board}")
        say("  it is kept up; hotline status · hotline down")
        say(f"  traces: {endpoints.zipkin}/zipkin/   logs: {folder()}/cities/demo/logs")
        say(f"  Kafka: {without_login(endpoints.kafka)}, logins in {folder()}/city.json")
    else:
        say(
            f"  hotline up --city demo      opens it again: the log is kept in {os.path.relpath(folder())}; then:"
        )
    if complaint is not None:
        say(f"  hotline show {complaint[:13]}   a life with much in it")
        if keep and endpoints.zipkin:
            say(f"  {trace_page(endpoints.zipkin, complaint)}   the same as a trace")
    say("  hotline verify · hotline unit --help · README.md")
