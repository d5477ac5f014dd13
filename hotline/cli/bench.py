"""`hotline bench`: what the system carries, beside what the machine under it could."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from hotline.cli.run import Interrupted, fail
from hotline.cli.run import run as run_to_end
from hotline.lab.bench.parts import PARTS, part
from hotline.lab.mix import Mix
from hotline.terminal import note, say_json

if TYPE_CHECKING:
    from hotline.lab.bench.result import Result

ALL = "all"
Beside: TypeAlias = Annotated[
    Mix,
    typer.Option(
        help="full: a day of both mixes is lived beside what is measured; plain: none (part lives)."
    ),
]
_PARTS = "; ".join(f"{name}: {what}" for name, what in PARTS.items())


def bench(
    which: Annotated[
        str,
        typer.Argument(metavar="[PART]", help=f"The part to measure. {_PARTS}; all: one after the other."),
    ] = "lives",
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short look: everything is checked, little is measured.")
    ] = False,
    lives: Annotated[
        int, typer.Option(min=1000, max=100_000_000, help="Whole lives to measure (part lives).")
    ] = 20_000,
    zipkin: Annotated[
        bool, typer.Option(help="Run the trace viewer; trace a hundredth of the lives (part lives).")
    ] = True,
    one_process: Annotated[
        bool,
        typer.Option("--one-process", help="All desks in one process, and the floor's too (part lives)."),
    ] = False,
    mix: Beside = Mix.FULL,
    questions: Annotated[
        Path | None,
        typer.Option(
            help="A CSV with the columns question and article, empty where no article answers (part "
            "knowledge); without it those that ship.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    articles: Annotated[
        Path | None,
        typer.Option(
            help="A file of articles (part knowledge); without it the example's.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    pictures: Annotated[
        Path, typer.Option(help="Folder of the pictures; a short look draws PART.quick.svg.")
    ] = Path("docs/bench"),
    json: Annotated[bool, typer.Option("--json", help="For a program to read, a line a part.")] = False,
) -> None:
    """Measure a part of the system; exit 1 if what it did was wrong, never because it was slow."""
    if which not in {*PARTS, ALL}:
        fail(f"There is no part {which}: {', '.join(PARTS)} or {ALL}.", code=2)
    wrong = False
    for name in PARTS if which == ALL else (which,):
        more: dict[str, Any] = {}
        if name == "lives":
            more = {"lives": lives, "zipkin": zipkin, "one_process": one_process, "mix": mix}
        elif name == "knowledge":
            more = _files(questions, articles)
        result = run_to_end(_measured(name, quick=quick, more=more))
        tell(name, result, json=json)
        draw(name, result, pictures / f"{name}{'.quick' if quick else ''}.svg")
        wrong = wrong or bool(result.wrong)
    if wrong:
        raise typer.Exit(1)


def _files(questions: Path | None, articles: Path | None) -> dict[str, Any]:
    """The articles and questions of part knowledge; ends where a file cannot be used, before anything starts."""
    from hotline.lab.bench.knowledge import loaded
    from services.intake.knowledge.file import KnowledgeInvalid

    try:
        told, asked = loaded(questions, articles)
    except KnowledgeInvalid as error:
        fail(f"{error}.", code=2)
    return {"told": told, "asked": asked}


def tell(name: str, result: Result, *, json: bool) -> None:
    """Print what was measured, for a person or for a program."""
    import msgspec

    if json:
        say_json(msgspec.json.encode({"part": name, **msgspec.structs.asdict(result)}).decode())
    else:
        part(name).show(result)


def draw(name: str, result: Result, path: Path) -> None:
    """Draw what was measured; without matplotlib say so, and that is all."""
    try:
        part(name).plot(result, path)
    except ImportError:
        _say(
            "No picture was drawn: matplotlib is not installed (`uv sync --inexact --group bench` brings it)."
        )
    else:
        _say(f"The picture lies in {path}.")


async def _measured(name: str, *, quick: bool, more: dict[str, Any]) -> Result:
    from deploy.embedded.stack import Stack
    from hotline.lab.bench.stage import folder_for_a_run
    from hotline.lab.rehearsal.stage import RehearsalInterrupted as Stopped
    from hotline.lab.rehearsal.stage import until_interrupted
    from shared.runtime.errors import UserError

    folder = folder_for_a_run()
    try:
        result = await until_interrupted(
            part(name).measured(quick=quick, folder=folder, say=_say, **more), _say
        )
    except Stopped:
        Stack(folder).wipe()
        raise Interrupted("Stopped; nothing is left running, and nothing on the disk.") from None
    except UserError as error:
        raise UserError(f"{error} What the run left lies in {folder}.") from None
    if result.wrong:
        _say(f"What the run left lies in {folder}.")
    else:
        Stack(folder).wipe()
    return result


def _say(line: str) -> None:
    note(line)
