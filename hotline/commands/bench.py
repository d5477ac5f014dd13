"""`hotline bench`: what the system carries, beside what the machine under it could."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.commands.run import Interrupted
from hotline.commands.run import run as run_to_end

if TYPE_CHECKING:
    from hotline.bench.run import Result


def bench(
    *,
    lives: Annotated[int, typer.Option(min=1000, help="Whole lives to measure.")] = 20_000,
    quick: Annotated[
        bool, typer.Option("--quick", help="A look of a minute: 4,000 lives, 100 one by one.")
    ] = False,
    zipkin: Annotated[
        bool, typer.Option(help="Run the trace viewer; trace a hundredth of the lives.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Whole lives a second, the floor beside it, and one by one; exit 1 if a life is wrong, never if slow."""
    result = run_to_end(_bench(4000 if quick else lives, quick=quick, zipkin=zipkin))
    tell(result, json=json)
    if result.wrong:
        raise typer.Exit(1)


def tell(result: Result, *, json: bool) -> None:
    """Print what was measured, for a person or for a program."""
    import msgspec
    from rich.console import Console

    from hotline.bench.report import show

    if json:
        print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    else:
        show(result, Console())


async def _bench(lives: int, *, quick: bool, zipkin: bool) -> Result:
    from hotline.bench.run import UNITS, Size, folder_for_a_run, run
    from hotline.rehearse import Interrupted as Stopped
    from hotline.rehearse import until_interrupted
    from hotline.stack.errors import StackError
    from hotline.stack.stack import Stack

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    folder = folder_for_a_run()
    size = Size.of(lives, quick=quick)
    try:
        result = await until_interrupted(run(size, units=UNITS, zipkin=zipkin, folder=folder, say=say), say)
    except Stopped:
        Stack(folder).wipe()
        raise Interrupted("Stopped; nothing is left running, and nothing on the disk.") from None
    except StackError as error:
        raise StackError(f"{error} What the run left lies in {folder}.") from None
    if result.wrong:
        say(f"What the run left lies in {folder}.")
    else:
        Stack(folder).wipe()
    return result
