"""`hotline backtest`: real complaints through the whole running system."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import finite
from hotline.cli.report import print_report
from hotline.cli.run import Json, run
from hotline.parsing import NUMBER_MAX
from hotline.terminal import note, say, say_json

if TYPE_CHECKING:
    from hotline.lab.backtest import Verdict

backtest = typer.Typer(
    help="Live real complaints again, and compare with what really happened.", no_args_is_help=True
)


@backtest.callback()
def _group() -> None:
    """Live real complaints again, and compare with what really happened."""


@backtest.command()
def boston(
    file: Annotated[
        Path,
        typer.Argument(
            help="The CSV of the City of Boston's 311 service requests, .csv or .csv.zst; columns it needs: "
            "case_enquiry_id, open_dt, target_dt, closed_dt, ontime, type, department."
        ),
    ],
    processes: Annotated[int, typer.Option(help="How many processes of each desk.", min=1, max=4)] = 1,
    step_hours: Annotated[
        float,
        typer.Option(
            help="How far city time moves at a step; changes no fact.", min=0.01, max=8784, callback=finite
        ),
    ] = 24.0,
    most: Annotated[
        int | None, typer.Option(help="Only the first so many complaints.", min=1, max=NUMBER_MAX)
    ] = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave stack and services running.")] = False,
    json: Json = False,
) -> None:
    """Boston's complaints, each with the city's own limit: our missed deadlines against the city's flag."""
    right, found = run(_boston(file, processes, step_hours, most, keep=keep, json=json))
    if json:
        say_json(json_module.dumps(found, indent=2))
    if not right:
        raise typer.Exit(1)


async def _boston(
    file: Path, processes: int, step_hours: float, most: int | None, *, keep: bool, json: bool
) -> tuple[bool, dict[str, Any]]:
    from deploy.city.registry import folder
    from hotline.lab.backtest import lived
    from hotline.lab.rehearsal.progress import View
    from hotline.lab.rehearsal.stage import (
        RehearsalInterrupted,
        how_it_is_left,
        left_running,
        until_interrupted,
    )
    from hotline.lab.simulation.boston import read

    found = read(file, most=most)
    view = View("hotline: Boston, second half of 2011", quiet=json)
    view.say(f"{found.rows:,} rows, {len(found.cases):,} used; left out: {_skipped(found.skipped)}")
    work = lived(found, file, view, processes=processes, step_hours=step_hours, keep=keep)
    try:
        with view:
            summary, verdict, report, said = await until_interrupted(work, view.say)
    except RehearsalInterrupted:
        note(f"Stopped. {how_it_is_left(folder(), 'boston')}")
        raise typer.Exit(130) from None
    result = {
        **_as_dict(verdict),
        "still_open": summary.open,
        "seconds": round(summary.elapsed_seconds, 1),
        "lives_per_second": round(len(found.cases) / summary.elapsed_seconds, 1),
        "facts_per_second": round(sum(summary.facts.values()) / summary.elapsed_seconds, 1),
        "processes_per_desk": processes,
        "step_hours": step_hours,
        "verify_problems": report.problem_count,
        "facts_by_type": dict(sorted(summary.facts.items())),
        "digest": said,
    }
    if not json:
        _print(result)
        print_report(report)
        if not keep and (running := left_running(folder())):
            say(running)
    return verdict.right and not report.problem_count, result


def _skipped(skipped: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in sorted(skipped.items())) or "none"


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(verdict)


def _print(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Boston against Boston", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right", overflow="fold")
    rows = [
        ("complaints used", f"{result['used']:,} of {result['rows']:,} rows"),
        ("deadlines missed and standing", f"{result['deadlines_missed']:,}"),
        ("  answered late", f"{result['missed_answered_late']:,}"),
        ("  never answered", f"{result['missed_never_answered']:,}"),
        ("agree with the city's own flag", f"{result['agree']:,} of {result['used']:,}"),
        ("facts", f"{result['facts']:,}"),
        ("lives a second", f"{result['lives_per_second']:,} ({result['seconds']:,} s)"),
        ("digest of all facts", result["digest"][:16] + "…"),
    ]
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    for complaint in result["disagreements"]:
        console.print(f"disagrees: {complaint}")
