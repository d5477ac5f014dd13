"""Arguments and options that the commands of a programme share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.parsing import NUMBER_MAX

if TYPE_CHECKING:
    pass


ProgrammeNamed = Annotated[str, typer.Argument(metavar="PROGRAMME", help="Its id or the beginning of it.")]
ItemNumber = Annotated[
    int,
    typer.Argument(metavar="ITEM", min=1, max=NUMBER_MAX, help="The number of its problem or project."),
]
TaskNumber = Annotated[int, typer.Argument(metavar="TASK", min=1, max=NUMBER_MAX, help="The task's number.")]
Title = Annotated[str, typer.Argument(metavar="TITLE", help="Its name.")]
By = Annotated[str, typer.Option("--as", metavar="WHO", help="The unit or the person that does it.")]
Lead = Annotated[str, typer.Option(metavar="UNIT", help="The one unit that leads.")]
With = Annotated[
    str, typer.Option("--with", metavar="UNITS", help="The units that work with it, with commas.")
]
OutOf = Annotated[
    list[str] | None,
    typer.Option(
        "--out-of", metavar="SUBJECT[@DISTRICT]", help="Complaints it grows out of; may be repeated."
    ),
]
