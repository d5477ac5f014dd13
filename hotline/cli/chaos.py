"""`hotline chaos`: a city under fire, and whether anything was lost."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import MixOption, finite
from hotline.cli.asked_for import print_asked_for
from hotline.cli.run import Json, run
from hotline.lab.mix import Mix
from hotline.parsing import ID_MAX, NUMBER_MAX
from hotline.terminal import note, say_json

if TYPE_CHECKING:
    from hotline.lab.chaos.judgement import ChaosOutcome

SHOWN_MAX = 10


def chaos(
    minutes: Annotated[
        float, typer.Option(help="How long it burns.", min=0.1, max=10_080, callback=finite)
    ] = 5.0,
    seed: Annotated[
        int,
        typer.Option(help="The same seed draws the same faults in the same order.", min=-ID_MAX, max=ID_MAX),
    ] = 1,
    faults: Annotated[
        int | None,
        typer.Option(help="Stop after so many faults, however long that takes.", min=1, max=NUMBER_MAX),
    ] = None,
    scale: Annotated[
        float,
        typer.Option(
            help="Of the city that lives meanwhile; 1 is Beijing.", min=0.001, max=1, callback=finite
        ),
    ] = 0.02,
    mix: MixOption = Mix.FULL,
    *,
    json: Json = False,
) -> None:
    """Let a city live while everything it stands on fails, one thing at a time; then read it all from outside.

    It makes a Kafka and a PostgreSQL of its own. Exit code 1 on any of these:

    - an acknowledged input is lost
    - an effect is doubled
    - a life is not legal
    - a timer fired early
    - an overdue limit was not stated
    - a history of appends cannot be
    - nonsense was not parked as it should
    - a process was taken for hung or needed a hand
    """
    outcome = run(_chaos(minutes, seed, faults, scale, mix, quiet=json))
    if json:
        import msgspec

        told = msgspec.to_builtins(outcome) | {"zeros": outcome.zeros, "good": outcome.good}
        say_json(json_module.dumps(told, ensure_ascii=False))
    else:
        _print(outcome)
    if not outcome.good:
        raise typer.Exit(1)


async def _chaos(
    minutes: float, seed: int, faults: int | None, scale: float, mix: Mix, *, quiet: bool
) -> ChaosOutcome:
    import os

    from deploy.city.registry import folder
    from deploy.embedded.stack import Stack
    from hotline.lab.chaos.run import lived
    from hotline.lab.rehearsal.progress import View
    from hotline.lab.rehearsal.stage import RehearsalInterrupted, until_interrupted
    from hotline.lab.simulation.territory import catalogue_here

    where = folder().absolute()
    os.environ["HOTLINE_STACK"] = str(where.with_name(f"{where.name}-chaos"))
    known = catalogue_here(None)
    with View("hotline: a city under fire", quiet=quiet) as view:
        how_long = f"{minutes:g} minutes" if faults is None else f"{faults:,} faults"
        view.say(f"A city at {scale:g} of Beijing under fire, {how_long}, seed {seed}, mix {mix}.")
        work = lived(
            known,
            seed=seed,
            minutes=minutes if faults is None else 24 * 60,
            most=faults,
            scale=scale,
            mix=mix,
            say=view.say,
            show=view.show,
        )
        try:
            outcome = await until_interrupted(work, view.say)
        except RehearsalInterrupted:
            note(f"Stopped. What it stood on lies in {os.environ['HOTLINE_STACK']}.")
            raise typer.Exit(130) from None
        if outcome.good:
            Stack(folder()).wipe()
        else:
            view.say(
                f"What it stood on is kept in {os.environ['HOTLINE_STACK']}, the processes' logs among it."
            )
        return outcome


def _print(outcome: ChaosOutcome) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title="What failed; seconds until work went on, how often late; repeats dropped, messages parked; hands needed",
        title_justify="left",
    )
    table.add_column("fault", overflow="fold")
    for column in ("times", "p50", "max", "late", "dropped", "parked", "hands"):
        table.add_column(column, justify="right")
    for kind in outcome.kinds:
        seconds = (f"{kind.p50:.1f}", f"{kind.max:.1f}")
        counts = (f"{kind.dropped:,}", f"{kind.parked:,}")
        table.add_row(kind.fault, str(kind.times), *seconds, str(kind.late), *counts, str(kind.hands))
    console.print(table)
    for name in outcome.left_out:
        console.print(f"Left out, this machine does not allow it: {name}.")
    sums: list[tuple[str, Any]] = [
        ("faults", outcome.faults),
        ("complaints, facts", f"{outcome.complaints:,}, {outcome.facts:,}"),
        ("inputs acknowledged by Kafka", f"{outcome.inputs:,}"),
        ("of them over HTTP, and sent again there", "{:,}, {:,}".format(*outcome.over_http)),
        ("appends tried by writers on the same complaints", f"{outcome.appends:,}"),
        ("repeats of inputs dropped", f"{outcome.inputs_dropped:,}"),
        ("repeats of the relay dropped", f"{outcome.relay_dropped:,}"),
        ("messages parked", f"{outcome.parked:,}"),
        ("letters typed in late", f"{outcome.letters:,}"),
        ("processes that ended by themselves and came back", len(outcome.died)),
        *outcome.zeros.items(),
    ]
    print_asked_for(outcome.asked_for)
    whole = Table(box=None, show_header=False, pad_edge=False)
    whole.add_column()
    whole.add_column(justify="right")
    for name, number in sums:
        bad = name in outcome.zeros and number
        whole.add_row(name, f"[red]{number}[/]" if bad else str(number))
    console.print(whole)
    for found in (
        outcome.lost,
        outcome.doubled,
        outcome.illegal,
        outcome.early,
        outcome.impossible,
        outcome.parked_wrong,
        outcome.letters_unstated,
        outcome.ended,
        outcome.died,
    ):
        for line in found[:SHOWN_MAX]:
            console.print(f"  {line}", markup=False)
    console.print(
        f"{'Nothing lost, nothing doubled' if outcome.good else 'NOT GOOD'}: "
        f"{outcome.faults:,} faults, seed {outcome.seed}."
    )
